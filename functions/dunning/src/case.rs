//! How a case begins, goes on and is recovered: by what is told of the payment.

use domain::Decision;
use domain::dunning::{Case, Failed};
use domain::gateway::Class;
use domain::id::InvoiceId;
use domain::invoice::{Invoice, Stage as InvoiceStage};
use domain::subscription::{Stage, Subscription};
use edge::command::Overtaken;
use edge::{Again, World};
use events::Envelope;
use events::invoice::{InvoiceActionRequiredV1, InvoicePaidV1, InvoicePaymentFailedV1};
use gateway::{Gateways, Till};
use table::{Commit, Held, Key};

pub(crate) async fn failed(
    world: World,
    gateways: Gateways,
    event: Envelope<InvoicePaymentFailedV1>,
) -> Result<(), Again> {
    let till = Till::after(&world, &gateways, &event, "dunning");
    world.until_free(|| note(&till, &event.data.invoice, event.data.class)).await
}

/// While nobody is there to confirm, it is as if another means of payment were needed.
pub(crate) async fn action_required(
    world: World,
    gateways: Gateways,
    event: Envelope<InvoiceActionRequiredV1>,
) -> Result<(), Again> {
    let till = Till::after(&world, &gateways, &event, "dunning");
    world
        .until_free(|| async {
            let (invoice, held) = of(&till, &event.data.invoice).await?;
            match held.value.stage {
                // The customer is there.
                Stage::Incomplete { .. } => Ok(()),
                Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } | Stage::Ended { .. } => {
                    count(&till, &invoice.value, &held.value, Class::Hard).await
                }
            }
        })
        .await
}

/// An invoice with its subscription.
pub(crate) async fn of(
    till: &Till<'_>,
    id: &InvoiceId,
) -> Result<(Held<Invoice>, Held<Subscription>), Again> {
    let table = &till.world.table;
    let invoice = table.invoice(till.m, id).await?.ok_or_else(|| Again::Early(id.to_string()))?;
    let key = Key::subscription(till.m, &invoice.value.subscription);
    let held = table.load::<Subscription>(&key).await?.ok_or_else(|| Again::Early(key.to_string()))?;
    Ok((invoice, held))
}

async fn note(till: &Till<'_>, id: &InvoiceId, class: Class) -> Result<(), Again> {
    let (invoice, held) = of(till, id).await?;
    match held.value.stage {
        Stage::Incomplete { .. } => till.never_began(&held).await.map(|_| ()),
        Stage::Ended { why, .. } => till.gives_up(&held, why).await.map(|_| ()),
        Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } => {
            count(till, &invoice.value, &held.value, class).await
        }
    }
}

/// One failure more, if it is news: all failures of the invoice's payments are counted.
async fn count(
    till: &Till<'_>,
    invoice: &Invoice,
    subscription: &Subscription,
    class: Class,
) -> Result<(), Again> {
    if invoice.stage != InvoiceStage::Open {
        return Ok(());
    }
    let (table, now) = (&till.world.table, till.world.now());
    let failures = failures(till, invoice).await?;
    let held = table.dunning_case(till.m, &invoice.id).await?;
    let next = match &held {
        Some(held) => held.value.failed(class, failures, now),
        None => {
            let terms = table.terms(till.m, &subscription.target()).await?;
            let terms = terms.ok_or_else(|| Again::Early(subscription.plan.to_string()))?;
            let of = Failed {
                invoice: invoice.id.clone(),
                subscription: subscription.id.clone(),
                customer: subscription.customer.clone(),
                plan: subscription.plan.clone(),
                due: invoice.due()?,
                policy: terms.dunning,
                failures,
            };
            Some(Case::open(of, class, now))
        }
    };
    let Some(next) = next else { return Ok(()) };
    table.dunning_will_be_due(till.m, held.as_ref().map(|held| &held.value), &next).await?;
    let commit: Commit<'_, Overtaken> = Commit::new(till.m, &till.context);
    Ok(commit.case(held.as_ref(), &next, Overtaken).send(table).await?)
}

pub(crate) async fn failures(till: &Till<'_>, invoice: &Invoice) -> Result<u16, Again> {
    let payments = till.payments_of(invoice).await?;
    Ok(payments.iter().fold(0, |sum: u16, held| sum.saturating_add(held.value.failures())))
}

/// The money is there: the case is over, the service given again, and a renewal that waited is looked at.
pub(crate) async fn paid(
    world: World,
    gateways: Gateways,
    event: Envelope<InvoicePaidV1>,
) -> Result<(), Again> {
    let till = Till::after(&world, &gateways, &event, "dunning");
    let (table, now) = (&world.table, world.now());
    world
        .until_free(|| async {
            let Some(case) = table.dunning_case(till.m, &event.data.invoice).await? else { return Ok(()) };
            let Some(next) = case.value.recovered(now) else { return Ok(()) };
            table.subscription_is_due(till.m, &next.subscription, now).await?;
            let commit: Commit<'_, Overtaken> = Commit::new(till.m, &till.context);
            let mut commit = commit.case(Some(&case), &next, Overtaken);
            let key = Key::subscription(till.m, &next.subscription);
            if let Some(held) = table.load::<Subscription>(&key).await?
                && let Decision::New(step) = held.value.restrict(None)
            {
                commit = commit.subscription(till.m, Some(&held), &step, Overtaken)?;
            }
            Ok(commit.send(table).await?)
        })
        .await
}
