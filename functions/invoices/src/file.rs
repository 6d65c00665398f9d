//! The PDF of a document: made when it is first asked for, and the same for ever after.
//!
//! It lies in the documents bucket under a name that follows from marketplace and document, and is put only where
//! nothing is, so whoever comes first has made it. What is answered is an address that is good for some minutes: the
//! file itself may be larger than an answer, and a browser can open it.

use crate::pdf::{Printed, Unprintable, write};
use crate::show::load;
use axum::extract::{Path, State};
use bucket::{Bucket, File};
use domain::id::{MarketplaceId, PlanId};
use domain::invoice::Invoice;
use domain::plan::Plan;
use domain::subscription::Subscription;
use domain::text::{Name, Word};
use edge::query::None as NoParameters;
use edge::{Problem, Query, Reply, World};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use table::Key;
use table::invoice::{Issuer, Recipient};

/// So long an address is good for.
const GOOD_FOR: Duration = Duration::from_secs(600);

/// Where a file can be fetched, without further proof, for some minutes.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InvoiceFile"))]
pub(crate) struct FileView {
    url: String,
    /// In real time, also where the clock of a sandbox has been moved.
    expires_at: String,
}

pub(crate) async fn pdf(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<FileView>, Problem> {
    let (m, invoice) = (&query.caller.marketplace, load(&world, &query, &id).await?.value);
    let number = invoice.number.ok_or_else(|| not_numbered("it"))?;
    let (bucket, key) = (Bucket::of(&world, "DOCUMENTS")?, format!("{m}/invoices/{}.pdf", invoice.id));
    if !bucket.has(&key).await? {
        let (content_type, bytes) = ("application/pdf", made(&world, m, &invoice).await?);
        let called = Some(format!("{number}.pdf"));
        bucket.keep_first(&key, File { content_type, bytes, called, ..File::default() }).await?;
    }
    let address = bucket.address(&key, GOOD_FOR).await?;
    Ok(Reply::ok(FileView { url: address.url, expires_at: address.expires_at.to_string() }))
}

fn not_numbered(which: &str) -> Problem {
    let problem = Problem::new(409, "invoice_not_numbered", "The document has no number yet");
    problem.with(format!("{which} gets one within seconds: ask again"))
}

/// The file of a document, of what is known of it now.
async fn made(world: &World, m: &MarketplaceId, invoice: &Invoice) -> Result<Vec<u8>, Problem> {
    let plans: Vec<&PlanId> = invoice.lines.iter().map(|line| &line.plan).collect();
    let digest = invoice.bill_to.as_ref().map_or("", Word::as_str);
    let (issuer, recipient) = (Key::issuer_of_invoices(m), Key::recipient(m, &invoice.subscription, digest));
    let subscription = Key::subscription(m, &invoice.subscription);
    let keys = plans.iter().map(|plan| Key::plan(m, plan));
    let keys = keys.chain([issuer.clone(), recipient.clone(), subscription.clone()]);
    let corrected = invoice.corrected().and_then(|id| Key::invoice(m, &id));
    let keys: Vec<Key> = keys.chain(corrected.clone()).collect();
    let mut read = world.table.read(&keys).await?;
    let Some(issuer) = read.take::<Issuer>(&issuer)? else {
        let problem = Problem::new(409, "no_invoice_issuer", "Nobody is set who issues the documents");
        return Err(problem.with("an operator sets the legal entity with `POST /v1/invoices/set-issuer`"));
    };
    let recipient = read.take::<Recipient>(&recipient)?.map(|held| held.value);
    let subscription = read.take::<Subscription>(&subscription)?.ok_or_else(Problem::internal)?;
    let corrects = match corrected.map(|key| read.take::<Invoice>(&key)).transpose()?.flatten() {
        Some(held) => Some(held.value.number.ok_or_else(|| not_numbered("the one that it corrects"))?),
        None => None,
    };
    let mut names: BTreeMap<PlanId, Name> = BTreeMap::new();
    for plan in plans {
        let held = read.take::<Plan>(&Key::plan(m, plan))?;
        names.extend(held.map(|held| (plan.clone(), held.value.name)));
    }
    let zone = &subscription.value.cycle.zone;
    let recipient = recipient.as_ref();
    let issuer = &issuer.value;
    let file = write(&Printed { issuer, recipient, invoice, corrects, plans: &names, zone });
    file.map_err(|error: Unprintable| Problem::fault(&error))
}
