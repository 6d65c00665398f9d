//! `subscription.due.v1`: the end of a period, a trial or a pause has come, or that of a trial is near. One period
//! after the other, each charged once; each end of a trial told once.

use domain::invoice::Stage as InvoiceStage;
use domain::subscription::{Renewal, Stage, Subscription, forgo_change, renew};
use edge::{Again, World};
use events::subscription::{SubscriptionDueV1, SubscriptionTrialEndingV1};
use events::{Announced, Envelope};
use gateway::{Gateways, Till};
use jiff::Timestamp;
use table::{Commit, Key, Story, Uncommitted};

pub(crate) async fn due(
    world: World,
    gateways: Gateways,
    event: Envelope<SubscriptionDueV1>,
) -> Result<(), Again> {
    let till = Till::after(&world, &gateways, &event, "recurring-billing");
    let key = Key::subscription(till.m, &event.data.subscription);
    while world.until_free(|| one(&till, &key, event.at)).await? {}
    Ok(())
}

/// It is told before the first charge. A document of its own, named by the end: so it is told once, whoever comes
/// again, and once more where the end has moved.
async fn trial_ends(till: &Till<'_>, trial: &Subscription, at: Timestamp) -> Result<(), Again> {
    let (subscription, customer, plan) = (trial.id.clone(), trial.customer.clone(), trial.plan.clone());
    let subject = format!("{subscription}-trial-{}", at.as_millisecond());
    let told = SubscriptionTrialEndingV1 { subscription, customer, plan, ends_at: at.into() };
    let story = Story::new([Announced::of(&told)]);
    let place = Key::trial_end(till.m, &trial.id, at);
    let commit = Commit::new(till.m, &till.context).document(&place, &subject, story, Told);
    match commit.send(&till.world.table).await {
        Ok(()) | Err(Uncommitted::Refused(Told)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

/// It was told before.
#[derive(Debug)]
struct Told;

/// One period more, if its time has come; whether there may be another. `sent`: when the message was due.
async fn one(till: &Till<'_>, key: &Key, sent: Timestamp) -> Result<bool, Again> {
    let (table, now) = (&till.world.table, till.world.now());
    // Put on the list for a commit that failed: hours later it will not come any more.
    let Some(held) = table.load::<Subscription>(key).await? else { return Ok(false) };
    let due = held.value.due_at()?;
    if let Stage::Ended { .. } = held.value.stage {
        return Ok(false);
    }
    // The clock here is behind that of whoever sent the message: it comes again, or nothing would.
    if [due, held.value.warns_at()].into_iter().flatten().any(|at| now < at && at <= sent) {
        return Err(Again::Early(key.to_string()));
    }
    if let Some(ends_at) = held.value.ends_its_trial(now) {
        trial_ends(till, &held.value, ends_at).await?;
        return Ok(false);
    }
    let billing = table.billing(till.m, &held.value, &held.value.renews_as()).await?;
    if let Some(last) = billing.last.as_ref().filter(|last| last.value.stage == InvoiceStage::Open) {
        till.pursue(&last.value).await?;
        if let (Stage::Incomplete { .. }, Some(true)) = (&held.value.stage, due.map(|at| at <= now)) {
            till.never_began(&held).await?;
            return Ok(true);
        }
        let paid = table.invoice(till.m, &last.value.id).await?;
        return Ok(paid.is_some_and(|held| held.value.stage != InvoiceStage::Open));
    }
    let first = held.value.sending.as_ref().is_some_and(|sending| sending.first);
    if let (Stage::Incomplete { .. }, false) = (&held.value.stage, first) {
        // Its first payment is there, and that is on its way here.
        return Ok(till.begins(&held).await?.is_some());
    }
    let Renewal::Due(step) = renew(&held.value, &billing.terms, &billing.taxes(), now)? else {
        return Ok(false);
    };
    let goes_over = step.next.plan != held.value.plan;
    let step = if goes_over && billing.other.is_some() {
        // The plan has come otherwise since: that is told by itself, and it renews as it is.
        Box::new(forgo_change(&held.value))
    } else {
        step
    };
    // Nobody waits: a crash before the call is made good when the message comes again.
    till.take(Some(&held), &step, (true, false), |commit| commit).await?;
    Ok(step.next.due_at()?.is_some_and(|at| at <= now))
}
