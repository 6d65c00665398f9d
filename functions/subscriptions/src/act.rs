//! What people do to a subscription: one way for all of it. Load, decide, commit, collect; a check stops after
//! deciding.

use crate::show::{ChangedView, load};
use crate::start::{MeansBody, declined, problem, recipient, target};
use axum::extract::{Path, State};
use domain::Decision;
use domain::id::{PlanId, SubscriptionId};
use domain::invoice::{Invoice, Stage as InvoiceStage};
use domain::payment::Stage as PaymentStage;
use domain::subscription::{
    Means, Next, Refused, Renewal, Stage, Step, Subscription, Target, When, cancel as end_it,
    change as alter, deliver_on as move_it, pause as pause_it, renew, resume as resume_it, set_means,
    set_place, skip as skip_it, uncancel as keep_it,
};
use edge::address::AddressBody;
use edge::billing::{CollectionView, DocumentView};
use edge::subscribing::already_subscribed;
use edge::{Cardless, Check, Command, Overtaken, Problem, Query, Reply, World};
use gateway::{Collected, Gateways, Till};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::invoice::Recipient;
use table::subscription::Billing;
use table::{Commit, Held, Key};

type Answer = Result<Reply<ChangedView>, Problem>;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChangeWhen"))]
enum WhenWord {
    #[default]
    Now,
    PeriodEnd,
}

/// Another plan, version or quantity; what is not named stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChangeSubscription"))]
pub(crate) struct ChangeBody {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<PlanId>"))]
    plan: Option<String>,
    /// Takes the newest terms of the plan; another plan always comes with its newest.
    #[serde(default)]
    newest_terms: bool,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Quantity>"))]
    quantity: Option<u32>,
    /// `now`, prorated as the plan says, or `period_end`.
    #[serde(default)]
    at: WhenWord,
    /// The `as_of` of a check, so that the change costs what was shown; at most 15 minutes old.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    as_of: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PauseSubscription"))]
pub(crate) struct PauseBody {
    /// When it goes on by itself; until somebody resumes it, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    until: Option<String>,
    /// As at `change`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    as_of: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CancelSubscription"))]
pub(crate) struct CancelBody {
    /// `now`: what is paid and not used is credited; or `period_end`.
    at: WhenWord,
    /// As at `change`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    as_of: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliverOn"))]
pub(crate) struct DeliverBody {
    /// When the next delivery is made and charged.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Moment"))]
    at: String,
}

/// Nothing more needs to be said.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NothingMore"))]
pub(crate) struct Nothing {}

/// Exactly one change, as its own request would say it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CheckChange"))]
pub(crate) enum CheckBody {
    Change(ChangeBody),
    Pause(PauseBody),
    Resume(Nothing),
    Cancel(CancelBody),
    Uncancel(Nothing),
    Skip(Nothing),
    DeliverOn(DeliverBody),
}

/// What is to be done, read.
enum Act {
    Change { plan: Option<PlanId>, newest: bool, quantity: Option<u32>, when: When },
    Pause { until: Option<Timestamp>, as_of: Option<Timestamp> },
    Resume,
    Cancel(When),
    Uncancel,
    Skip,
    DeliverOn(Timestamp),
    Address(Box<Recipient>),
    Means(Means),
}

fn when(check: &mut Check, word: WhenWord, as_of: Option<&str>) -> When {
    let as_of = check.maybe::<Timestamp>("as_of", as_of);
    match word {
        WhenWord::Now => When::Now(as_of),
        WhenWord::PeriodEnd => When::PeriodEnd,
    }
}

impl Act {
    fn of(check: &mut Check, body: &CheckBody) -> Option<Self> {
        Some(match body {
            CheckBody::Change(body) => {
                let plan = check.maybe::<PlanId>("plan", body.plan.as_deref());
                if body.plan.is_none() && body.quantity.is_none() && !body.newest_terms {
                    check.wrong("plan", "required", "say another `plan`, `quantity`, or `newest_terms`");
                }
                let when = when(check, body.at, body.as_of.as_deref());
                Self::Change { plan, newest: body.newest_terms, quantity: body.quantity, when }
            }
            CheckBody::Pause(body) => Self::Pause {
                until: check.maybe::<Timestamp>("until", body.until.as_deref()),
                as_of: check.maybe::<Timestamp>("as_of", body.as_of.as_deref()),
            },
            CheckBody::Resume(_) => Self::Resume,
            CheckBody::Cancel(body) => Self::Cancel(when(check, body.at, body.as_of.as_deref())),
            CheckBody::Uncancel(_) => Self::Uncancel,
            CheckBody::Skip(_) => Self::Skip,
            CheckBody::DeliverOn(body) => Self::DeliverOn(check.parse::<Timestamp>("at", &body.at)?),
        })
    }

    /// On whose terms it is decided.
    async fn target(&self, till: &Till<'_>, held: &Subscription) -> Result<Target, Problem> {
        match self {
            Self::Change { plan, newest, quantity, when } => {
                target(till.world, till.m, (held, when), (plan.as_ref(), *newest, *quantity)).await
            }
            Self::Pause { .. }
            | Self::Resume
            | Self::Cancel(_)
            | Self::Uncancel
            | Self::Skip
            | Self::DeliverOn(_)
            | Self::Address(_)
            | Self::Means(_) => Ok(held.target()),
        }
    }

    /// Whether it waits for an open invoice to be paid first.
    fn needs_peace(&self) -> bool {
        match self {
            Self::Change { .. } | Self::Pause { .. } | Self::Resume | Self::Skip | Self::DeliverOn(_) => true,
            Self::Cancel(_) | Self::Uncancel | Self::Address(_) | Self::Means(_) => false,
        }
    }

    fn decide(
        &self,
        held: &Subscription,
        (billing, quantity): (&Billing, u32),
        now: Timestamp,
    ) -> Result<Decision<Step>, Refused> {
        let (terms, taxes) = (&billing.terms, billing.taxes());
        match self {
            Self::Change { when, .. } => alter(held, (terms, quantity), *when, &taxes, now),
            Self::Pause { until, as_of } => pause_it(held, *until, *as_of, now),
            Self::Resume if matches!(held.stage, Stage::Active) => Ok(Decision::Already),
            Self::Resume => resume_it(held, terms, &taxes, (now, now)).map(Decision::New),
            Self::Cancel(when) => end_it(held, billing.owed(), *when, now),
            Self::Uncancel => keep_it(held, now).map(Decision::New),
            Self::Skip => skip_it(held, terms, now),
            Self::DeliverOn(day) => move_it(held, terms, *day, now),
            Self::Address(recipient) => {
                let place = recipient.address.place();
                set_place(held, (place, recipient.tax_id.clone(), recipient.digest()))
            }
            Self::Means(means) => set_means(held, means.clone()),
        }
    }
}

/// An open invoice comes first: nobody changes what is not paid.
fn peace(act: &Act, billing: &Billing) -> Result<(), Problem> {
    if act.needs_peace() && billing.owes() {
        let title = "An invoice is not paid yet";
        let why = "its payment is on its way or has failed: wait, `pay`, or set another payment method first";
        return Err(Problem::new(409, "invoice_open", title).with(why));
    }
    Ok(())
}

/// There is one subscription to a plan: another one has it.
fn only_one(billing: &Billing) -> Result<(), Problem> {
    billing.other.as_ref().map_or(Ok(()), |other| Err(already_subscribed(other)))
}

/// What costs something needs something to be paid with.
fn payable(step: &Step) -> Result<(), Problem> {
    let due = step.document.as_ref().is_some_and(|document| document.stage == InvoiceStage::Open);
    if due && step.next.means.token.is_none() {
        let title = "There is nothing to pay with";
        return Err(Problem::new(409, "no_payment_method", title).with("set a payment method first"));
    }
    Ok(())
}

/// A subscription that the caller may change; another's is not there.
async fn own<T>(world: &World, id: &str, command: &Command<T>) -> Result<(Key, SubscriptionId), Problem> {
    let unknown = || Problem::not_found("subscription");
    let id: SubscriptionId = id.parse().map_err(|_| unknown())?;
    let key = Key::subscription(&command.caller.marketplace, &id);
    let held = world.table.load::<Subscription>(&key).await?.ok_or_else(unknown)?;
    if command.caller.owns(&command.reach, &held.value.customer) { Ok((key, id)) } else { Err(unknown()) }
}

async fn act<T>(world: &World, id: &str, command: &Command<T>, act: Act) -> Answer {
    let m = &command.caller.marketplace;
    let (key, id) = own(world, id, command).await?;
    let gateways = Gateways::of(world);
    let till = Till { world, gateways: &gateways, m, context: command.context(world.now()) };
    world
        .until_free(|| async {
            let held = world.table.load::<Subscription>(&key).await?;
            let held = held.ok_or_else(|| Problem::not_found("subscription"))?;
            let decided = decide(&till, &held, &act).await;
            let ahead = matches!(decided, Ok((_, Decision::New(_))));
            let as_it_is =
                || Ok(Reply::ok(ChangedView::of(&held.value)).revision(held.revision()).replayed());
            if command.repeats(world, held.revision(), ahead).await? {
                return as_it_is();
            }
            let (billing, decided) = command.audited(world, &key, id.as_str(), decided).await?;
            let Decision::New(step) = decided else { return as_it_is() };
            if let (Act::Cancel(_), Stage::Incomplete { .. }) = (&act, &held.value.stage) {
                // Where it was paid after all it has begun: then something else is to be decided.
                return match till.never_began(&held).await.map_err(problem)? {
                    Some(ended) if ended.stage != Stage::Active => Ok(Reply::ok(ChangedView::of(&ended))),
                    Some(_) | None => Err(Problem::busy()),
                };
            }
            if let (true, Stage::Ended { why, since }) = (billing.owes(), &step.next.stage) {
                let ended = till.gives_up(&held, (*why, *since)).await.map_err(problem)?;
                return Ok(Reply::ok(shown(&till, &ended.next, ended.document).await?));
            }
            let now = world.now();
            let taken = till.take(Some(&held), &step, (false, true), |commit| {
                let commit = command.remember(commit, now, 200, id.as_str(), Overtaken);
                if let Act::Address(recipient) = &act { commit.put_any(&**recipient) } else { commit }
            });
            taken.await.map_err(problem)?;
            let owed = billing.last.filter(|last| last.value.stage == InvoiceStage::Open);
            if let (Act::Means(means), Some(owed)) = (&act, &owed) {
                let tried = world.until_free(|| till.collect(&owed.value, means, false)).await;
                tried.map_err(problem)?;
            }
            let tried = owed.filter(|_| matches!(act, Act::Means(_))).map(|owed| owed.value);
            let shown = shown(&till, &step.next, step.document.or(tried)).await?;
            Ok(Reply::ok(shown).revision(held.next_step()))
        })
        .await
}

/// With the document that was made or tried, and where its payment stands.
async fn shown(
    till: &Till<'_>,
    subscription: &Subscription,
    document: Option<Invoice>,
) -> Result<ChangedView, Problem> {
    let table = &till.world.table;
    let mut view = ChangedView::of(subscription);
    if let Some(document) = document {
        let kept = table.invoice(till.m, &document.id).await?;
        view.document = kept.map(|held| DocumentView::of(&held.value)).transpose()?;
        if document.stage == InvoiceStage::Open {
            let last = till.payments_of(&document).await.map_err(problem)?.pop();
            view.payment = last.map(|held| CollectionView::of(&held.value));
        }
    }
    Ok(view)
}

async fn decide(
    till: &Till<'_>,
    held: &Held<Subscription>,
    act: &Act,
) -> Result<(Billing, Decision<Step>), Problem> {
    let target = act.target(till, &held.value).await?;
    let billing = till.world.table.billing(till.m, &held.value, &target).await?;
    let decided = act.decide(&held.value, (&billing, target.quantity), till.world.now());
    if let Ok(Decision::New(step)) = &decided {
        peace(act, &billing)?;
        only_one(&billing)?;
        payable(step)?;
    }
    Ok((billing, decided?))
}

/// One change, from its body.
async fn body(world: &World, id: &str, command: &Command<impl Sized>, body: CheckBody) -> Answer {
    let mut check = Check::new();
    let read = Act::of(&mut check, &body);
    check.done()?;
    act(world, id, command, read.ok_or_else(Problem::internal)?).await
}

macro_rules! verbs {
    ($($name:ident $body:ident $variant:ident)*) => {
        $(pub(crate) async fn $name(
            State(world): State<World>,
            Path(id): Path<String>,
            command: Command<$body>,
        ) -> Answer {
            let said = CheckBody::$variant(command.body.clone());
            body(&world, &id, &command, said).await
        })*
    };
}

verbs! {
    change ChangeBody Change
    pause PauseBody Pause
    resume Nothing Resume
    cancel CancelBody Cancel
    uncancel Nothing Uncancel
    skip Nothing Skip
    deliver_on DeliverBody DeliverOn
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SetBillingAddress"))]
pub(crate) struct AddressesBody {
    address: AddressBody,
    #[serde(default)]
    tax_id: Option<String>,
}

pub(crate) async fn set_address(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<AddressesBody>,
) -> Answer {
    let (_, subscription) = own(&world, &id, &command).await?;
    let mut check = Check::new();
    let said = &command.body;
    let read = recipient(&mut check, subscription, &said.address, said.tax_id.as_deref());
    check.done()?;
    let read = read.ok_or_else(Problem::internal)?;
    act(&world, &id, &command, Act::Address(Box::new(read))).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SetPaymentMethod"))]
pub(crate) struct PaymentMethodBody {
    payment: MeansBody,
}

pub(crate) async fn set_payment_method(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Cardless<PaymentMethodBody>>,
) -> Answer {
    let gateways = Gateways::of(&world);
    let mut check = Check::new();
    let means = command.body.0.payment.read(&mut check, &gateways);
    check.done()?;
    act(&world, &id, &command, Act::Means(means.ok_or_else(Problem::internal)?)).await
}

/// Tries the open invoice again; nothing is charged where none is open.
pub(crate) async fn pay(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Nothing>,
) -> Answer {
    let (key, id) = own(&world, &id, &command).await?;
    let m = &command.caller.marketplace;
    let gateways = Gateways::of(&world);
    let till = Till { world: &world, gateways: &gateways, m, context: command.context(world.now()) };
    if let Some(before) = world.until_free(|| paid_before(&till, &key, &id, &command)).await? {
        return Ok(before);
    }
    world
        .until_free(|| async {
            let held = world.table.load::<Subscription>(&key).await?.ok_or_else(Problem::busy)?.value;
            let Some(invoice) = held.last_document() else { return Ok(Reply::ok(ChangedView::of(&held))) };
            let last = world.table.invoice(m, &invoice).await?.ok_or_else(Problem::busy)?;
            let collected = till.collect(&last.value, &held.means, false).await.map_err(problem)?;
            if let Collected::Not(payment) = &collected
                && let PaymentStage::Declined { decline } = payment.stage()
            {
                return Err(declined(decline.as_ref()));
            }
            let view = shown(&till, &held, Some(last.value)).await?;
            Ok(match collected {
                Collected::Paid => Reply::ok(view),
                Collected::Not(_) => Reply::accepted(view),
            })
        })
        .await
}

/// What a request to pay has come to, if it came before: one request is one try. Kept before it, for who repeats it
/// after a crash wants to know and not to try twice.
async fn paid_before(
    till: &Till<'_>,
    key: &Key,
    id: &SubscriptionId,
    command: &Command<Nothing>,
) -> Result<Option<Reply<ChangedView>>, Problem> {
    let table = &till.world.table;
    let held = table.load::<Subscription>(key).await?.ok_or_else(Problem::busy)?;
    if command.repeats(till.world, held.revision(), false).await? {
        let last = match held.value.last_document() {
            Some(invoice) => table.invoice(till.m, &invoice).await?.map(|last| last.value),
            None => None,
        };
        let view = shown(till, &held.value, last).await?;
        return Ok(Some(Reply::ok(view).revision(held.revision()).replayed()));
    }
    let commit: Commit<'_, Overtaken> = Commit::new(till.m, &till.context);
    command.remember(commit, till.world.now(), 200, id.as_str(), Overtaken).send(table).await?;
    Ok(None)
}

/// What a change would make of a subscription.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CheckedChange"))]
pub(crate) struct CheckedView {
    /// Send it with the change, and it costs what is shown here.
    as_of: String,
    #[serde(flatten)]
    after: ChangedView,
    /// What the renewal after it would make.
    #[serde(skip_serializing_if = "Option::is_none")]
    upcoming: Option<DocumentView>,
}

pub(crate) async fn check(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<CheckBody>,
) -> Result<Reply<CheckedView>, Problem> {
    let mut check = Check::new();
    let read = Act::of(&mut check, &command.body);
    check.done()?;
    let read = read.ok_or_else(Problem::internal)?;
    let (m, now) = (&command.caller.marketplace, world.now());
    let query = Query { caller: command.caller.clone(), reach: command.reach.clone(), parameters: () };
    let held = load(&world, &query, &id).await?;
    let gateways = Gateways::of(&world);
    let till = Till { world: &world, gateways: &gateways, m, context: command.context(now) };
    let target = read.target(&till, &held.value).await?;
    let billing = world.table.billing(m, &held.value, &target).await?;
    let decided = read.decide(&held.value, (&billing, target.quantity), now)?;
    let (next, document) = match decided {
        Decision::New(step) => {
            peace(&read, &billing)?;
            only_one(&billing)?;
            (step.next, step.document)
        }
        Decision::Already => (held.value, None),
    };
    let mut after = ChangedView::of(&next);
    after.document = document.as_ref().map(DocumentView::of).transpose()?;
    let upcoming = match (next.due_at()?, &next.stage, &next.next) {
        (Some(at), Stage::Trialing { .. } | Stage::Active, None | Some(Next::Change(_) | Next::Skip)) => {
            let (next, on) = world.table.renewing(m, &next).await?;
            match renew(&next, &on.terms, &billing.taxes(), at)? {
                Renewal::Due(step) => step.document.as_ref().map(DocumentView::of).transpose()?,
                Renewal::NotDue => None,
            }
        }
        (Some(_) | None, _, _) => None,
    };
    Ok(Reply::ok(CheckedView { as_of: now.to_string(), after, upcoming }))
}
