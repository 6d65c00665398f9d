//! How a case begins, goes on and is recovered: by what is told of the payment.

use domain::Decision;
use domain::dunning::{Case, Failed};
use domain::gateway::{Class, GatewayToken};
use domain::id::InvoiceId;
use domain::invoice::{Invoice, Stage as InvoiceStage};
use domain::payment::{Payment, Stage as PaymentStage};
use domain::subscription::{Stage, Subscription};
use edge::command::Overtaken;
use edge::{Again, World};
use events::Envelope;
use events::invoice::{InvoiceActionRequiredV1, InvoicePaidV1, InvoicePaymentFailedV1};
use gateway::{Gateways, Till};
use table::{Commit, Held, Key};

macro_rules! consumers {
    ($($name:ident $payload:ident)*) => {
        $(pub(crate) async fn $name(
            world: World,
            gateways: Gateways,
            event: Envelope<$payload>,
        ) -> Result<(), Again> {
            let till = Till::after(&world, &gateways, &event, "dunning");
            world.until_free(|| note(&till, &event.data.invoice)).await
        })*
    };
}

consumers! {
    failed InvoicePaymentFailedV1
    action_required InvoiceActionRequiredV1
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

/// What has gone wrong follows from the payments as they are, so that it makes no difference which telling comes first.
async fn note(till: &Till<'_>, id: &InvoiceId) -> Result<(), Again> {
    let (invoice, held) = of(till, id).await?;
    if invoice.value.stage != InvoiceStage::Open {
        return Ok(());
    }
    match held.value.stage {
        Stage::Incomplete { .. } => begins_or_not(till, &invoice.value, &held).await,
        Stage::Ended { why, .. } => till.gives_up(&held, (why, till.world.now())).await.map(|_| ()),
        Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } => {
            count(till, &invoice, &held.value).await
        }
    }
}

/// A first payment that was declined, or given up because nobody confirmed it. One that still waits for its customer,
/// or is tried again, is not over.
async fn begins_or_not(till: &Till<'_>, invoice: &Invoice, held: &Held<Subscription>) -> Result<(), Again> {
    let last = till.payments_of(invoice).await?.pop();
    let over = |stage| matches!(stage, PaymentStage::Declined { .. } | PaymentStage::Released);
    if last.is_some_and(|last| over(last.value.stage())) {
        till.never_began(held).await?;
    }
    Ok(())
}

/// One setback more, if it is news: all of the invoice's payments are counted. Its first one opens a case, if by then
/// it is still the open invoice that was seen: who pays it looks for its case once.
async fn count(till: &Till<'_>, open: &Held<Invoice>, subscription: &Subscription) -> Result<(), Again> {
    let (table, now, invoice) = (&till.world.table, till.world.now(), &open.value);
    let payments = till.payments_of(invoice).await?;
    let Setbacks { count, class, token } = Setbacks::of(&payments);
    let Some(class) = class else { return Ok(()) };
    // What was declined for good is not what the customer wants to pay with by now.
    let renewed =
        class == Class::Hard && subscription.means.token.is_some() && token != subscription.means.token;
    let class = if renewed { Class::Soft } else { class };
    let held = table.dunning_case(till.m, &invoice.id).await?;
    let next = match &held {
        Some(held) => held.value.failed(class, count, now),
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
                failures: count,
            };
            Some(Case::open(of, class, now))
        }
    };
    let Some(next) = next else { return Ok(()) };
    table.dunning_will_be_due(till.m, held.as_ref().map(|held| &held.value), &next).await?;
    let commit: Commit<'_, Overtaken> = Commit::new(till.m, &till.context);
    let commit = if held.is_none() { commit.replace(open, invoice) } else { commit };
    Ok(commit.case(held.as_ref(), &next, Overtaken).send(table).await?)
}

/// What has stood in an invoice's way.
pub(crate) struct Setbacks {
    pub(crate) count: u16,
    /// What the last one means.
    class: Option<Class>,
    /// What was tried last.
    token: Option<GatewayToken>,
}

impl Setbacks {
    pub(crate) fn of(payments: &[Held<Payment>]) -> Self {
        let none = Self { count: 0, class: None, token: None };
        payments.iter().fold(none, |so_far, held| {
            let (count, class) = held.value.setbacks();
            let token = held.value.token.clone();
            Self { count: so_far.count.saturating_add(count), class: class.or(so_far.class), token }
        })
    }
}

/// The money is there: the case is over, the service given again, and a renewal that waited is looked at. Also where it
/// was only late, without a case: nothing renews while an invoice is open.
pub(crate) async fn paid(
    world: World,
    gateways: Gateways,
    event: Envelope<InvoicePaidV1>,
) -> Result<(), Again> {
    let till = Till::after(&world, &gateways, &event, "dunning");
    let (table, now) = (&world.table, world.now());
    world
        .until_free(|| async {
            let Some(case) = table.dunning_case(till.m, &event.data.invoice).await? else {
                return Ok(table.subscription_is_due(till.m, &event.data.subscription, now).await?);
            };
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
