//! The ledger's totals: projected from the outbox, shown to operators.
//!
//! Reads: the stream (inserts of kind `outbox.1`), by its key what was set aside and is sent back, ledger totals.
//! Writes: ledger totals, each outbox item exactly once. Emits: nothing. A merchant's own entries are written with
//! their cause, not here.

use aws_sdk_sqs::Client;
use axum::extract::State;
use domain::ledger::Account;
use edge::function::Image;
use edge::query::None as NoParameters;
use edge::stream::set_aside;
use edge::{Again, Function, Listing, Problem, Query, Reply, Routes, World};
use serde::Serialize;
use table::Key;
use table::ledger::all_payables;
use table::outbox::Entry;

pub fn function(world: &World) -> Function {
    let letters = Client::new(&world.aws);
    let routes = Routes::new().get("/v1/ledger/accounts", accounts).operators(
        "ledger:read",
        "ledger.accounts",
        "The marketplace's accounts, all merchants' payables in one",
    );
    Function::new("ledger", world)
        .routes(routes)
        .stream(move |world, images| project(letters.clone(), world, images))
        .sent_back(sent_back)
}

/// Projects what can be read and sets aside what cannot; the positions of entries that failed come again.
async fn project(letters: Client, world: World, images: Vec<Image>) -> Vec<usize> {
    let (mut failed, mut unreadable, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for (position, image) in images.iter().enumerate() {
        match Entry::read(image) {
            Ok(Some(entry)) if !entry.postings.is_empty() => entries.push((position, entry)),
            Ok(Some(_) | None) => {}
            Err(error) => {
                tracing::error!(error = edge::chain(&error), "an outbox item cannot be read");
                unreadable.push(position);
            }
        }
    }
    let (positions, entries): (Vec<usize>, Vec<Entry>) = entries.into_iter().unzip();
    if let Err(error) = world.table.project_postings(&entries).await {
        tracing::warn!(error = edge::chain(&error), "postings will be projected again");
        failed.extend(positions);
    }
    failed.extend(set_aside(&letters, world.variable("DEAD"), &images, unreadable).await);
    failed.sort_unstable();
    failed
}

/// Projects an item that was set aside.
async fn sent_back(world: World, key: Key) -> Result<(), Again> {
    let early = || Again::Early(key.to_string());
    let entry = world.table.outbox_entry(&key).await?.ok_or_else(early)?;
    Ok(world.table.project_postings(&[entry]).await?)
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LedgerAccount"))]
struct AccountView {
    account: String,
    currency: String,
    /// Decimal text of the currency, as are the other two.
    debits: String,
    credits: String,
    /// Debits − credits.
    balance: String,
}

/// The marketplace's accounts, all merchants' payables in one.
async fn accounts(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<Listing<AccountView>>, Problem> {
    let mut items = Vec::new();
    for account in Account::OWN.into_iter().chain([all_payables()]) {
        for (currency, balance) in world.table.account(&query.caller.marketplace, &account).await? {
            let Ok(unit) = currency.parse::<domain::Currency>() else { continue };
            items.push(AccountView {
                account: account.word().to_owned(),
                currency,
                debits: domain::money::decimal_text(balance.debits, unit),
                credits: domain::money::decimal_text(balance.credits, unit),
                balance: domain::money::decimal_text(balance.debits.saturating_sub(balance.credits), unit),
            });
        }
    }
    Ok(Reply::ok(Listing { items, next: None }))
}
