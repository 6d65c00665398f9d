//! `subscription.due.v1`: the end of a period, a trial or a pause has come. One period after the other, each charged
//! once.

use domain::invoice::Stage as InvoiceStage;
use domain::subscription::{Renewal, Stage, Subscription, renew};
use edge::{Again, World};
use events::Envelope;
use events::subscription::SubscriptionDueV1;
use gateway::{Gateways, Till};
use table::Key;

pub(crate) async fn due(
    world: World,
    gateways: Gateways,
    event: Envelope<SubscriptionDueV1>,
) -> Result<(), Again> {
    let till = Till::after(&world, &gateways, &event, "recurring-billing");
    let key = Key::subscription(till.m, &event.data.subscription);
    while world.until_free(|| one(&till, &key)).await? {}
    Ok(())
}

/// One period more, if its time has come; whether there may be another.
async fn one(till: &Till<'_>, key: &Key) -> Result<bool, Again> {
    let (table, now) = (&till.world.table, till.world.now());
    let held = table.load::<Subscription>(key).await?.ok_or_else(|| Again::Early(key.to_string()))?;
    let comes = |one: &Subscription| Ok::<_, Again>(one.due_at()?.is_some_and(|at| at <= now));
    if let Stage::Ended { .. } = held.value.stage {
        return Ok(false);
    }
    let billing = table.billing(till.m, &held.value, &held.value.renews_as()).await?;
    if let Some(last) = billing.last.as_ref().filter(|last| last.value.stage == InvoiceStage::Open) {
        till.pursue(&last.value).await?;
        if let Stage::Incomplete { .. } = held.value.stage
            && comes(&held.value)?
        {
            till.never_began(&held).await?;
            return Ok(false);
        }
        let paid = table.invoice(till.m, &last.value.id).await?;
        return Ok(paid.is_some_and(|held| held.value.stage != InvoiceStage::Open));
    }
    let Renewal::Due(step) = renew(&held.value, &billing.terms, &billing.taxes(), now)? else {
        return Ok(false);
    };
    // Nobody waits: a crash before the call is made good when the message comes again.
    till.take(Some(&held), &step, (true, false), |commit| commit).await?;
    comes(&step.next)
}
