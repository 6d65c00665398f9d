//! `POST /v1/subscriptions`: a customer subscribes, with a trial or with the first payment.

use crate::plans::find;
use crate::show::ChangedView;
use axum::extract::State;
use domain::id::{CustomerId, MarketplaceId, OrderId, PlanId, SubscriptionId};
use domain::invoice::Stage as InvoiceStage;
use domain::payment::{Payment, Stage as PaymentStage};
use domain::period::Zone;
use domain::subscription::{Ended, Means, Stage, Start, Step, Subscription, Target, When, start as begin};
use domain::tax::id::TaxId;
use domain::text::Word;
use edge::address::AddressBody;
use edge::billing::{CollectionView, DocumentView};
use edge::identity::Reach;
use edge::subscribing::{plan_closed, subscribable};
use edge::{Again, Cardless, Check, Command, Overtaken, Problem, Reply, World};
use gateway::{Gateways, Till};
use serde::Deserialize;
use table::invoice::Recipient;
use table::{Held, Key};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StartSubscription"))]
pub(crate) struct StartBody {
    /// Who subscribes; a customer who has signed in leaves it out.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<CustomerId>"))]
    customer: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "PlanId"))]
    plan: String,
    #[serde(default = "one")]
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Quantity"))]
    quantity: u32,
    /// IANA: bill days are the customer's own. `UTC` if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Zone>"))]
    time_zone: Option<String>,
    /// Whom invoices are addressed to, and where the tax is asked for.
    address: AddressBody,
    #[serde(default)]
    tax_id: Option<String>,
    /// What is paid with, now and at renewals; a trial may begin without.
    #[serde(default)]
    payment: Option<MeansBody>,
}

fn one() -> u32 {
    1
}

/// A means of payment that the gateway keeps.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RenewalMeans"))]
pub(crate) struct MeansBody {
    /// `card`, `wallet` or `bnpl`.
    method: domain::gateway::Method,
    /// The gateway's name for it, made in the browser; never a card's number.
    token: domain::gateway::GatewayToken,
    /// One of the marketplace's gateways; the first that takes the method, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    gateway: Option<String>,
}

impl MeansBody {
    pub(crate) fn read(&self, check: &mut Check, gateways: &Gateways) -> Option<Means> {
        let (method, field) = (self.method, "payment.method");
        if !method.renews() {
            check.wrong(field, "unknown", "renewals are paid by `card`, `wallet` or `bnpl`");
            return None;
        }
        let found = match &self.gateway {
            Some(name) => gateways.find(name).filter(|gateway| gateway.takes(method)),
            None => gateways.for_method(method),
        };
        let Some(found) = found else {
            check.wrong(field, "unknown", "no gateway of the marketplace takes this method");
            return None;
        };
        let gateway = check.parse::<Word>("payment.gateway", found.name())?;
        Some(Means { gateway, method, token: Some(self.token.clone()) })
    }
}

/// What was asked, read.
struct Asked {
    customer: CustomerId,
    plan: PlanId,
    quantity: u32,
    zone: Zone,
    recipient: Recipient,
    means: Option<Means>,
}

pub(crate) async fn start(
    State(world): State<World>,
    command: Command<Cardless<StartBody>>,
) -> Result<Reply<ChangedView>, Problem> {
    let m = &command.caller.marketplace;
    let gateways = Gateways::of(&world);
    let asked = read(&world, &gateways, &command)?;
    let context = command.context(world.now());
    let till = Till { world: &world, gateways: &gateways, m, context };
    let made = world
        .until_free(|| async {
            let made = decide(&till, &asked).await;
            if let Some(before) = command.before(&world, made.is_ok()).await? {
                let id: SubscriptionId = before.resource.parse().map_err(|_| Problem::internal())?;
                let held = world.table.load::<Subscription>(&Key::subscription(m, &id)).await?;
                let held = held.ok_or_else(Problem::busy)?;
                refused_before(&till, &held.value).await?;
                let reply = Reply::ok(ChangedView::of(&held.value)).revision(held.revision()).replayed();
                return Ok(Made::Before(Box::new(reply)));
            }
            let step = made?;
            let (id, now) = (step.next.id.clone(), world.now());
            let taken = till.take(None, &step, (false, true), |commit| {
                let commit = command.remember(commit, now, 201, id.as_str(), Overtaken);
                let commit = commit.add(&asked.recipient, Overtaken);
                let trial = matches!(step.next.stage, Stage::Trialing { .. });
                if trial { commit.trial(&step.next, Overtaken) } else { commit }
            });
            let payment = taken.await.map_err(problem)?;
            Ok::<_, Problem>(Made::Now(Box::new(step), payment.map(Box::new)))
        })
        .await?;
    match made {
        Made::Before(reply) => Ok(*reply),
        // It is committed: whatever happens from here on must not make it once more.
        Made::Now(step, payment) => {
            let held = Held::written(step.next.clone(), 1);
            answer(&till, held, &step, payment.map(|payment| *payment)).await
        }
    }
}

enum Made {
    Before(Box<Reply<ChangedView>>),
    Now(Box<Step>, Option<Box<Payment>>),
}

/// What a message would come again for, a request is told.
pub(crate) fn problem(again: Again) -> Problem {
    match again {
        Again::Busy | Again::Early(_) => Problem::busy(),
        Again::Fault(fault) => fault.into(),
        other @ (Again::Unreadable(_) | Again::Unknown(_) | Again::Refused(_) | Again::Call { .. }) => {
            Problem::fault(&other)
        }
    }
}

fn read(
    world: &World,
    gateways: &Gateways,
    command: &Command<Cardless<StartBody>>,
) -> Result<Asked, Problem> {
    let body = &command.body.0;
    let mut check = Check::new();
    let named = check.maybe::<CustomerId>("customer", body.customer.as_deref());
    let customer = match (&command.reach, named) {
        (_, Some(customer)) if command.caller.owns(&command.reach, &customer) => Some(customer),
        (_, Some(_)) => return Err(Problem::not_found("customer")),
        (Reach::All, None) => {
            if body.customer.is_none() {
                check.wrong("customer", "required", "say who subscribes");
            }
            None
        }
        (Reach::Merchants(_), None) => Some(command.caller.customer()?),
    };
    let plan = check.parse::<PlanId>("plan", &body.plan);
    let zone = check.maybe::<Zone>("time_zone", body.time_zone.as_deref()).unwrap_or_else(Zone::utc);
    let means = body.payment.as_ref().map(|means| means.read(&mut check, gateways));
    let subscription = SubscriptionId::from_bits(world.fresh());
    let recipient = recipient(&mut check, subscription, &body.address, body.tax_id.as_deref());
    check.done()?;
    let (Some(customer), Some(plan), Some(recipient)) = (customer, plan, recipient) else {
        return Err(Problem::internal());
    };
    let quantity = body.quantity;
    Ok(Asked { customer, plan, quantity, zone, recipient, means: means.flatten() })
}

/// Whom invoices are addressed to.
pub(crate) fn recipient(
    check: &mut Check,
    subscription: SubscriptionId,
    address: &AddressBody,
    tax_id: Option<&str>,
) -> Option<Recipient> {
    let address = address.read(check, "address.")?.address;
    let tax_id = match tax_id.map(|text| TaxId::parse(address.country, text)) {
        Some(Ok(id)) => Some(id),
        Some(Err(error)) => {
            check.wrong("tax_id", "format", error);
            None
        }
        None => None,
    };
    Some(Recipient { subscription, address, tax_id })
}

async fn decide(till: &Till<'_>, asked: &Asked) -> Result<Step, Problem> {
    let (world, m, now) = (till.world, till.m, till.world.now());
    let (plan, trial) = subscribable(world, m, &asked.customer, &asked.plan).await?;
    let target = Target { plan: plan.id.clone(), version: plan.version, quantity: asked.quantity };
    let place = asked.recipient.address.place();
    let billing = world.table.first_billing(m, place.country, &target).await?;
    let gateway = till.gateways.first_name().ok_or_else(Problem::internal)?;
    let none = Means { gateway, method: domain::gateway::Method::Card, token: None };
    let start = Start {
        id: asked.recipient.subscription.clone(),
        customer: asked.customer.clone(),
        quantity: asked.quantity,
        zone: asked.zone.clone(),
        place,
        tax_id: asked.recipient.tax_id.clone(),
        bill_to: asked.recipient.digest(),
        means: asked.means.clone().unwrap_or(none),
        trial,
    };
    let step = begin(start, &billing.terms, &billing.taxes(), now)?;
    must_be_payable(&step)?;
    Ok(step)
}

/// What is due at once, or is sent at once, needs something to be paid with.
fn must_be_payable(step: &Step) -> Result<(), Problem> {
    let due = step.document.as_ref().is_some_and(|document| document.stage == InvoiceStage::Open);
    let sends = step.next.sending.is_some();
    if step.next.means.token.is_some() || !(due || sends) {
        return Ok(());
    }
    let mut check = Check::new();
    check.wrong("payment", "required", "without a trial the first period is paid at once");
    check.done()
}

/// The subscription runs, waits for its first payment, or never was.
async fn answer(
    till: &Till<'_>,
    held: Held<Subscription>,
    step: &Step,
    payment: Option<Payment>,
) -> Result<Reply<ChangedView>, Problem> {
    let table = &till.world.table;
    let document = match step.document.as_ref().map(|document| &document.id) {
        Some(id) => table.invoice(till.m, id).await?.map(|held| held.value),
        None => None,
    };
    let document = document.as_ref().map(DocumentView::of).transpose()?;
    let view = |subscription: &Subscription, payment: Option<CollectionView>| ChangedView {
        document: document.clone(),
        payment,
        ..ChangedView::of(subscription)
    };
    let Some(payment) = payment else {
        let view = view(&held.value, None);
        // Its first goods are being ordered: it begins with them.
        let waits = matches!(held.value.stage, Stage::Incomplete { .. });
        let reply = if waits { Reply::accepted(view) } else { Reply::created(view) };
        return Ok(reply.revision(1));
    };
    let last = table.payments(till.m, &payment.order).await?.pop();
    let payment = last.map_or(payment, |held| held.value);
    let shown = Some(CollectionView::of(&payment));
    match payment.stage() {
        PaymentStage::Captured { .. } => {
            let begun = after(till, &held).await.map_err(problem)?;
            Ok(Reply::created(view(&begun, shown)))
        }
        PaymentStage::Declined { decline } => {
            after(till, &held).await.map_err(problem)?;
            Err(declined(decline.as_ref()))
        }
        PaymentStage::Created
        | PaymentStage::Authorizing
        | PaymentStage::RequiresAction { .. }
        | PaymentStage::Unknown { .. }
        | PaymentStage::Promised
        | PaymentStage::Authorized { .. }
        | PaymentStage::Released => Ok(Reply::accepted(view(&held.value, shown))),
    }
}

/// It has begun, or never did: by us, or by who has heard of the payment before.
async fn after(till: &Till<'_>, held: &Held<Subscription>) -> Result<Subscription, Again> {
    let key = Key::subscription(till.m, &held.value.id);
    till.world
        .until_free(|| async {
            let held = till.world.table.load::<Subscription>(&key).await?.ok_or(Again::Busy)?;
            Ok(till.never_began(&held).await?.unwrap_or(held.value))
        })
        .await
}

/// Who asks again whether it has begun hears of the decline again.
async fn refused_before(till: &Till<'_>, before: &Subscription) -> Result<(), Problem> {
    let (Stage::Ended { why: Ended::NeverPaid, .. }, Some(id)) = (&before.stage, before.last_document())
    else {
        return Ok(());
    };
    let payments = till.world.table.payments(till.m, &OrderId::of_invoice(&id)).await?;
    match payments.last().map(|held| held.value.stage()) {
        Some(PaymentStage::Declined { decline }) => Err(declined(decline.as_ref())),
        Some(_) | None => Ok(()),
    }
}

/// 402: the gateway did not take it.
pub(crate) fn declined(decline: Option<&domain::gateway::Decline>) -> Problem {
    let problem = Problem::new(402, "payment_declined", "The payment did not go through");
    match decline {
        Some(decline) => problem
            .with(format!("the gateway says `{}`", decline.code))
            .member("decline", serde_json::json!({"code": decline.code, "class": decline.class})),
        None => problem,
    }
}

/// A plan's version for a change: the newest, or the one that the subscription has. What is not named stays as it is,
/// or as it will be by the time for which it is asked.
pub(crate) async fn target(
    world: &World,
    m: &MarketplaceId,
    (held, when): (&Subscription, &When),
    (plan, newest, quantity): (Option<&PlanId>, bool, Option<u32>),
) -> Result<Target, Problem> {
    let (has, base) = match when {
        When::PeriodEnd => (held.target(), held.renews_as()),
        When::Now(_) => (held.target(), held.target()),
    };
    let (plan, quantity) = (plan.unwrap_or(&base.plan), quantity.unwrap_or(base.quantity));
    let kept = [&base, &has].into_iter().find(|one| one.plan == *plan);
    if let Some(kept) = kept.filter(|_| !newest) {
        return Ok(Target { quantity, ..kept.clone() });
    }
    let plan = find(world, m, plan).await?;
    if plan.closed && kept.is_none() {
        return Err(plan_closed(&plan));
    }
    Ok(Target { plan: plan.id, version: plan.version, quantity })
}
