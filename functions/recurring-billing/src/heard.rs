//! What begins or ends a subscription beside time: its first payment, and an erasure of its customer.

use domain::id::SubscriptionId;
use domain::invoice::Cause;
use domain::subscription::{Ended, Stage, Subscription, end};
use edge::command::Overtaken;
use edge::{Again, World};
use events::Envelope;
use events::customer::CustomerErasedV1;
use events::invoice::InvoicePaidV1;
use gateway::{Gateways, Till};
use table::{Commit, Key};

/// So many of a customer's plans are read at once.
const AT_ONCE: u16 = 50;
/// Addresses that go in one transaction.
const DELETED_AT_ONCE: usize = 50;

/// The first invoice is paid: who paid it may have gone before the answer came.
pub(crate) async fn paid(
    world: World,
    gateways: Gateways,
    event: Envelope<InvoicePaidV1>,
) -> Result<(), Again> {
    if event.data.cause != Cause::Start {
        return Ok(());
    }
    let till = Till::after(&world, &gateways, &event, "recurring-billing");
    let key = Key::subscription(till.m, &event.data.subscription);
    world
        .until_free(|| async {
            let held = world.table.load::<Subscription>(&key).await?;
            let held = held.ok_or_else(|| Again::Early(key.to_string()))?;
            till.begins(&held).await.map(|_| ())
        })
        .await
}

/// Nobody can be charged who cannot be known: everything of the customer's ends, whatever was paid. Of the addresses
/// only those stay that a document names, also of what had ended before.
pub(crate) async fn erased(
    world: World,
    gateways: Gateways,
    event: Envelope<CustomerErasedV1>,
) -> Result<(), Again> {
    let till = Till::after(&world, &gateways, &event, "recurring-billing");
    let mut after = None;
    loop {
        let customer = &event.data.customer;
        let page = world.table.plans_of_customer(till.m, customer, AT_ONCE, after.as_ref()).await?;
        for has in &page.items {
            let key = Key::subscription(till.m, &has.value.subscription);
            world.until_free(|| end_one(&till, &key)).await?;
            world.until_free(|| forget_addresses(&till, &has.value.subscription)).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let mut after = None;
    loop {
        let customer = &event.data.customer;
        let page = world.table.subscriptions_of_customer(till.m, customer, AT_ONCE, after.as_ref()).await?;
        for one in &page.items {
            world.until_free(|| forget_addresses(&till, &one.id)).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Nothing new is addressed to them: what has ended makes no document and takes no address.
async fn forget_addresses(till: &Till<'_>, id: &SubscriptionId) -> Result<(), Again> {
    let keys = till.world.table.recipients_of_nothing(till.m, id).await?;
    for keys in keys.chunks(DELETED_AT_ONCE) {
        let commit: Commit<'_, Overtaken> = Commit::new(till.m, &till.context);
        let commit = keys.iter().cloned().fold(commit, Commit::delete);
        commit.send(&till.world.table).await?;
    }
    Ok(())
}

async fn end_one(till: &Till<'_>, key: &Key) -> Result<(), Again> {
    let Some(held) = till.world.table.load::<Subscription>(key).await? else { return Ok(()) };
    let owes = match held.value.last_document() {
        Some(id) => till.world.table.invoice(till.m, &id).await?,
        None => None,
    };
    let owes = owes.is_some_and(|invoice| invoice.value.stage == domain::invoice::Stage::Open);
    match held.value.stage {
        Stage::Ended { .. } => Ok(()),
        Stage::Incomplete { .. } => match till.never_began(&held).await? {
            // It was paid after all and has begun: that is to end.
            Some(begun) if begun.stage == Stage::Active => Err(Again::Busy),
            Some(_) | None => Ok(()),
        },
        Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } if owes => {
            till.gives_up(&held, (Ended::Erased, till.world.now())).await.map(|_| ())
        }
        Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } => {
            let step = end(&held.value, Ended::Erased, till.world.now());
            let commit: Commit<'_, Overtaken> = Commit::new(till.m, &till.context);
            let commit = commit.subscription(till.m, Some(&held), &step, Overtaken)?;
            Ok(commit.send(&till.world.table).await?)
        }
    }
}
