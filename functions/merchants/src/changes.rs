//! The requests that change a merchant: read, load, decide, commit, answer.

use crate::show::MerchantView;
use axum::extract::{Path, State};
use domain::Decision;
use domain::id::MerchantId;
use domain::marketplace::Marketplace;
use domain::merchant::{Iban, Merchant, PayoutAccount, Refused, Request, Unfinished, decide};
use domain::overrides::Policy;
use domain::payout::{Claimed, Schedule, day};
use domain::place::Country;
use domain::text::{Name, Reason};
use edge::identity::Reach;
use edge::{Check, Command, Overtaken, Problem, Reply, RuleBody, World};
use events::Announced;
use events::merchant::{
    MerchantConditionsChangedV1, MerchantPayoutAccountChangedV1, MerchantStatusChangedV1,
};
use events::overrides::used;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use table::{Commit, Key, Story};

type Answer = Result<Reply<MerchantView>, Problem>;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Because {
    /// For people, and for the audit trail.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Reason>"))]
    reason: Option<String>,
}

impl Because {
    fn reason(&self) -> Result<Option<Reason>, Problem> {
        let mut check = Check::new();
        let reason = check.maybe::<Reason>("reason", self.reason.as_deref());
        check.done()?;
        Ok(reason)
    }
}

pub(crate) async fn approve(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Because>,
) -> Answer {
    let (m, now) = (&command.caller.marketplace, world.now());
    // Read whether it is needed or not: approvals are rare.
    let merchant: MerchantId = id.parse().map_err(|_| Problem::not_found("merchant"))?;
    let granted = world.table.override_for(m, Policy::MerchantRequirements, merchant.as_str(), now).await?;
    let reason = command.body.reason()?.map(|reason| reason.to_string());
    change(&world, &id, &command, Who::Operator, |merchant, marketplace| {
        let missing = merchant.missing(marketplace, now);
        let needed = granted.as_ref().filter(|_| !missing.is_empty());
        let request = Request::Approve { missing, overridden: needed.is_some() };
        let changed = moved(merchant, &request, reason.clone(), now)?;
        Ok(changed.map(|(next, told)| (next, std::iter::once(told).chain(needed.map(used)).collect())))
    })
    .await
}

pub(crate) async fn suspend(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Because>,
) -> Answer {
    transition(&world, &id, &command, Request::Suspend).await
}

pub(crate) async fn reopen(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Because>,
) -> Answer {
    transition(&world, &id, &command, Request::Reopen).await
}

pub(crate) async fn close(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Because>,
) -> Answer {
    transition(&world, &id, &command, Request::Close).await
}

/// The merchant is closing, so no order comes in any more: once the last has come to light, what is open can be counted
/// without a race.
pub(crate) async fn terminate(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Because>,
) -> Answer {
    let m = &command.caller.marketplace;
    let merchant: MerchantId = id.parse().map_err(|_| Problem::not_found("merchant"))?;
    let count = |items: usize| u32::try_from(items).unwrap_or(u32::MAX);
    let orders = count(world.table.merchant_orders(m, &merchant, true, 100, None).await?.items.len());
    let payouts = count(world.table.open_payouts(m, &merchant).await?);
    let currency = crate::load_marketplace(&world, m).await?.currency;
    let known = world.table.load::<Merchant>(&Key::merchant(m, &merchant)).await?;
    let currency = known.map_or(currency, |held| held.value.settles_in(currency));
    let claimed = world.table.load::<Claimed>(&Key::claimed(m, &merchant)).await?;
    let after = claimed.map_or(Date::ZERO, |held| held.value.through);
    let owed = world.table.earned(m, &merchant, currency, (after, Date::MAX)).await?.net.minor > 0;
    let now = world.now();
    let reason = command.body.reason()?.map(|reason| reason.to_string());
    change(&world, &id, &command, Who::Operator, |merchant, _| {
        let open = Unfinished { orders, payouts, owed, settles_at: merchant.settles_at(now) };
        let changed = moved(merchant, &Request::Terminate(open), reason.clone(), now)?;
        Ok(changed.map(|(next, told)| (next, vec![told])))
    })
    .await
}

async fn transition(world: &World, id: &str, command: &Command<Because>, request: Request) -> Answer {
    let reason = command.body.reason()?.map(|reason| reason.to_string());
    let now = world.now();
    change(world, id, command, Who::Operator, |merchant, _| {
        Ok(moved(merchant, &request, reason.clone(), now)?.map(|(next, told)| (next, vec![told])))
    })
    .await
}

/// The merchant in its next status, and what is told of it.
fn moved(
    merchant: &Merchant,
    request: &Request,
    reason: Option<String>,
    now: Timestamp,
) -> Result<Option<(Merchant, Announced)>, Refused> {
    Ok(match decide(merchant.status, request)? {
        Decision::Already => None,
        Decision::New(status) => {
            let told = Announced::of(&MerchantStatusChangedV1 {
                merchant: merchant.id.clone(),
                from: merchant.status.word().to_owned(),
                to: status.word().to_owned(),
                reason,
            });
            Some((merchant.becoming(status, now), told))
        }
    })
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MerchantConditions"))]
pub(crate) struct Conditions {
    /// When it is paid.
    schedule: Schedule,
    /// Fee rules before the marketplace's; the first that matches a line wins.
    #[cfg_attr(feature = "schema", schemars(length(max = domain::commission::RULES_MAX)))]
    commission: Vec<RuleBody>,
    /// Where it sells from, in the eyes of the tax office; stays as it is, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Country>"))]
    country: Option<String>,
}

/// Fee rules and payout schedule; orders that are placed keep their fees (A12(2)).
pub(crate) async fn set_conditions(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Conditions>,
) -> Answer {
    let m = &command.caller.marketplace;
    let marketplace = world.table.marketplace(m).await?.ok_or_else(|| Problem::not_found("marketplace"))?;
    let mut check = Check::new();
    let currency = marketplace.value.currency;
    let commission = RuleBody::read(&mut check, "commission", &command.body.commission, currency);
    let country = check.maybe::<Country>("country", command.body.country.as_deref());
    if let Err(error) = command.body.schedule.check() {
        check.wrong("schedule", "range", error);
    }
    check.done()?;
    let schedule = &command.body.schedule;
    // What is payable already runs on the new schedule too.
    run_is_due(&world, &id, &command, |_| Some(schedule.clone())).await?;
    change(&world, &id, &command, Who::Operator, |merchant, _| {
        let (schedule, commission) = (schedule.clone(), commission.clone());
        let country = country.or(merchant.country);
        let told = Announced::of(&MerchantConditionsChangedV1 { merchant: merchant.id.clone() });
        Ok(Some((Merchant { schedule, commission, country, ..merchant.clone() }, vec![told])))
    })
    .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SetPayoutAccount"))]
pub(crate) struct Account {
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    holder: String,
    #[cfg_attr(feature = "schema", schemars(with = "Iban"))]
    iban: String,
}

/// A new account waits for verification; until then nothing is paid out.
pub(crate) async fn set_payout_account(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Account>,
) -> Answer {
    let mut check = Check::new();
    let holder = check.parse::<Name>("holder", &command.body.holder);
    let iban = check.parse::<Iban>("iban", &command.body.iban);
    check.done()?;
    let (Some(holder), Some(iban)) = (holder, iban) else { return Err(Problem::internal()) };
    change_account(&world, &id, &command, None, |_| {
        Ok(PayoutAccount::Pending { holder: holder.clone(), iban: iban.clone() })
    })
    .await
}

pub(crate) async fn activate_payout_account(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Because>,
) -> Answer {
    let reason = command.body.reason()?;
    let schedule =
        |merchant: &Merchant| (merchant.account != PayoutAccount::Missing).then(|| merchant.schedule.clone());
    run_is_due(&world, &id, &command, schedule).await?;
    change_account(&world, &id, &command, reason.as_ref(), |account| match account {
        PayoutAccount::Missing => Err(Problem::new(409, "no_payout_account", "There is no payout account")),
        PayoutAccount::Pending { holder, iban }
        | PayoutAccount::Active { holder, iban }
        | PayoutAccount::Blocked { holder, iban, .. } => Ok(PayoutAccount::Active { holder, iban }),
    })
    .await
}

pub(crate) async fn block_payout_account(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Because>,
) -> Answer {
    let Some(reason) = command.body.reason()? else {
        let mut check = Check::new();
        check.wrong("reason", "required", "say why the account is blocked");
        return Err(check.done().err().unwrap_or_else(Problem::internal));
    };
    change_account(&world, &id, &command, Some(&reason), |account| match account {
        PayoutAccount::Missing => Err(Problem::new(409, "no_payout_account", "There is no payout account")),
        PayoutAccount::Pending { holder, iban }
        | PayoutAccount::Active { holder, iban }
        | PayoutAccount::Blocked { holder, iban, .. } => {
            Ok(PayoutAccount::Blocked { holder, iban, reason: reason.clone() })
        }
    })
    .await
}

/// Puts a payout run on the list of due work before the change that makes it worth one: a run that finds nothing is
/// harmless, one for a merchant that is not there ends with the dead letters.
async fn run_is_due<T>(
    world: &World,
    id: &str,
    command: &Command<T>,
    schedule: impl FnOnce(&Merchant) -> Option<Schedule>,
) -> Result<(), Problem> {
    let m = &command.caller.marketplace;
    let id: MerchantId = id.parse().map_err(|_| Problem::not_found("merchant"))?;
    let held = world.table.load::<Merchant>(&Key::merchant(m, &id)).await?;
    let held = held.ok_or_else(|| Problem::not_found("merchant"))?;
    // A caller that has seen something else is told so by the change itself.
    if let (Ok(()), Some(schedule)) = (command.if_match(held.revision()), schedule(&held.value)) {
        world.table.payout_is_due(m, &id, schedule.run_after(day(world.now()))).await?;
    }
    Ok(())
}

async fn change_account<T>(
    world: &World,
    id: &str,
    command: &Command<T>,
    reason: Option<&Reason>,
    next: impl Fn(PayoutAccount) -> Result<PayoutAccount, Problem>,
) -> Answer {
    change(world, id, command, Who::Operator, |merchant, _| {
        let account = next(merchant.account.clone())?;
        if account == merchant.account {
            return Ok(None);
        }
        let state = crate::show::account_state(&account).to_owned();
        let (merchant_id, reason) = (merchant.id.clone(), reason.map(ToString::to_string));
        let told = Announced::of(&MerchantPayoutAccountChangedV1 { merchant: merchant_id, state, reason });
        Ok(Some((Merchant { account, ..merchant.clone() }, vec![told])))
    })
    .await
}

/// Who may ask for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Operator,
    /// An operator, or the merchant's own people and systems.
    Own,
    /// The merchant's own people and systems, and no operator.
    Member,
}

impl Who {
    fn may<T>(self, command: &Command<T>, id: &MerchantId) -> Result<(), Problem> {
        if !command.reach.covers(id) {
            return Err(Problem::not_found("merchant"));
        }
        match self {
            Self::Member if command.reach == Reach::All => {
                Err(Problem::forbidden("this is for the merchant's own people and systems"))
            }
            Self::Operator | Self::Own | Self::Member => Ok(()),
        }
    }
}

/// What becomes of a merchant, and what is told of it; none where it is so already.
type Changed = Option<(Merchant, Vec<Announced>)>;

/// One change of one merchant.
pub(crate) async fn change<T>(
    world: &World,
    id: &str,
    command: &Command<T>,
    who: Who,
    decide: impl Fn(&Merchant, &Marketplace) -> Result<Changed, Problem>,
) -> Answer {
    let m = &command.caller.marketplace;
    let id: MerchantId = id.parse().map_err(|_| Problem::not_found("merchant"))?;
    who.may(command, &id)?;
    let key = Key::merchant(m, &id);
    world
        .until_free(|| async {
            let held = world.table.load::<Merchant>(&key).await?;
            let held = held.ok_or_else(|| Problem::not_found("merchant"))?;
            let marketplace = crate::load_marketplace(world, m).await?;
            let now = world.now();
            let view = |merchant: &Merchant| MerchantView::of(merchant, &marketplace, now);
            let as_it_is = || Ok(Reply::ok(view(&held.value)).revision(held.revision()).replayed());
            let decided = decide(&held.value, &marketplace);
            if command.repeats(world, held.revision(), matches!(decided, Ok(Some(_)))).await? {
                return as_it_is();
            }
            let decided = command.audited(world, &key, id.as_str(), decided).await?;
            let Some((next, told)) = decided else { return as_it_is() };
            let context = command.context(now);
            let commit = Commit::new(m, &context).change(&held, &next, next.id.as_str(), Story::new(told));
            command.remember(commit, now, 200, next.id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(view(&next)).revision(held.next_step()))
        })
        .await
}
