//! `dunning.due.v1`: another try, or a consequence.

use crate::case::{Setbacks, of};
use domain::Decision;
use domain::dunning::{Case, Duty};
use domain::id::InvoiceId;
use domain::invoice::Stage as InvoiceStage;
use domain::subscription::Ended;
use edge::command::Overtaken;
use edge::{Again, World};
use events::Envelope;
use events::subscription::DunningDueV1;
use gateway::{Collected, Gateways, Till};
use table::{Commit, Held};

pub(crate) async fn due(
    world: World,
    gateways: Gateways,
    event: Envelope<DunningDueV1>,
) -> Result<(), Again> {
    let till = Till::after(&world, &gateways, &event, "dunning");
    let id = &event.data.invoice;
    world.until_free(|| retry(&till, id)).await?;
    while world.until_free(|| consequence(&till, id)).await? {}
    // The clock here is behind that of whoever sent the message: it comes again, or nothing would.
    let next = open(&till, id).await?.and_then(|case| case.value.next());
    match next.filter(|(at, _)| world.now() < *at && *at <= event.at) {
        Some(_) => Err(Again::Early(id.to_string())),
        None => Ok(()),
    }
}

async fn open(till: &Till<'_>, id: &InvoiceId) -> Result<Option<Held<Case>>, Again> {
    Ok(till.world.table.dunning_case(till.m, id).await?.filter(|held| held.value.is_open()))
}

/// Tries the payment again if its time has come. What comes of it is told by the payment; the consequences are put on
/// the list now, because it may be that nothing is ever told.
async fn retry(till: &Till<'_>, id: &InvoiceId) -> Result<(), Again> {
    let now = till.world.now();
    let Some(case) = open(till, id).await? else { return Ok(()) };
    if case.value.retry_at().is_none_or(|at| now < at) {
        return Ok(());
    }
    if let Some((at, _)) = case.value.consequence() {
        till.world.table.dunning_is_due(till.m, id, at).await?;
    }
    let (invoice, held) = of(till, id).await?;
    // A setback that is not counted yet belongs to a try that was made.
    if Setbacks::of(&till.payments_of(&invoice.value).await?).count > case.value.failures {
        return Ok(());
    }
    match till.collect(&invoice.value, &held.value.means, true).await? {
        Collected::Paid | Collected::Not(_) => Ok(()),
    }
}

/// What has come with time, whatever was tried; whether there may be more.
async fn consequence(till: &Till<'_>, id: &InvoiceId) -> Result<bool, Again> {
    let (table, now) = (&till.world.table, till.world.now());
    let Some(case) = open(till, id).await? else { return Ok(false) };
    let Some((_, duty)) = case.value.consequence().filter(|(at, _)| *at <= now) else { return Ok(false) };
    let (invoice, held) = of(till, id).await?;
    if invoice.value.stage != InvoiceStage::Open {
        // It was paid at the last moment, and that is on its way here.
        return Ok(false);
    }
    match duty {
        Duty::Restrict => {
            let next = case.value.restricted(now);
            table.dunning_will_be_due(till.m, Some(&case.value), &next).await?;
            // While a try has no answer, that try is what comes next: the end is put there by itself.
            if let Some((at, _)) = next.consequence().filter(|end| next.next() != Some(*end)) {
                table.dunning_is_due(till.m, id, at).await?;
            }
            let commit: Commit<'_, Overtaken> = Commit::new(till.m, &till.context);
            let mut commit = commit.case(Some(&case), &next, Overtaken);
            if let Decision::New(step) = held.value.restrict(Some(now)) {
                commit = commit.subscription(till.m, Some(&held), &step, Overtaken)?;
            }
            commit.send(table).await?;
            Ok(true)
        }
        Duty::Cancel => {
            till.gives_up(&held, (Ended::Unpaid, now)).await?;
            Ok(false)
        }
        Duty::Retry => Ok(false),
    }
}
