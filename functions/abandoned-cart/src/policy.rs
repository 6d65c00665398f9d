//! How carts are followed up, as its operator sees and sets it.

use axum::extract::State;
use domain::period::Zone;
use domain::pricing::Benefit;
use domain::reminder::{BadPolicy, Cap, Incentive, Policy, Quiet, STEPS_MAX, Step};
use edge::change;
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, World};
use events::cart::CartRemindersSetV1;
use events::{Amount, Announced};
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use table::follow_up::ReminderPolicy;
use table::{Key, Story};

/// What stories of it are told under.
const SUBJECT: &str = "reminder-policy";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReminderPolicy"))]
pub(crate) struct PolicyBody {
    /// At most six, by their delays; none: nobody is reminded.
    #[cfg_attr(feature = "schema", schemars(length(max = STEPS_MAX)))]
    steps: Vec<StepBody>,
    /// Of a hundred left carts so many get no reminder, so that one sees what reminders bring; 0 to 100.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(max = 100)))]
    hold_out_percent: u8,
    /// When nobody is written to, by the clock where the shopper is; always allowed, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quiet_hours: Option<QuietBody>,
    /// Whose clock counts where the shopper's is not known: `Europe/Berlin`; `UTC`, if not said.
    #[serde(default = "utc")]
    #[cfg_attr(feature = "schema", schemars(with = "Zone"))]
    time_zone: String,
    /// At most so many reminders to one person, of whichever carts, …
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::reminder::MESSAGES_MAX)))]
    max_messages: u8,
    /// … in so many days.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::reminder::MESSAGE_DAYS_MAX)))]
    max_messages_days: u16,
    /// An order within so many days after the sequence began counts as recovered; 1 to 60.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::reminder::ATTRIBUTED_DAYS_MAX)))]
    attribution_days: u16,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReminderStep"))]
struct StepBody {
    /// Minutes since the cart was last edited; each more than the one before, at most 40320 (28 days).
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::reminder::DELAY_MAX.as_mins())))]
    after_minutes: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incentive: Option<IncentiveBody>,
}

/// A code for this cart alone. Exactly one of `percent`, `amount` and `free_delivery`; the marketplace bears it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReminderIncentive"))]
struct IncentiveBody {
    /// Decimal text: `10` takes 10 % off, more than 0 and at most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::PercentOff>"))]
    percent: Option<String>,
    /// Carts of another currency get no code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    free_delivery: bool,
    /// 1 to 720.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::reminder::VALID_HOURS_MAX)))]
    valid_hours: u16,
}

/// `21:00` to `08:00` is the night.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "QuietHours"))]
struct QuietBody {
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$")))]
    start: String,
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$")))]
    end: String,
}

fn utc() -> String {
    String::from(Zone::utc())
}

fn clock(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

fn time(check: &mut Check, field: &str, text: &str) -> Option<Time> {
    let read = Time::strptime("%H:%M", text).ok();
    if read.is_none() {
        check.wrong(field, "format", format!("`{text:.20}` is no time like 21:00"));
    }
    read
}

impl PolicyBody {
    fn of(policy: &Policy) -> Self {
        let step = |step: &Step| {
            let incentive = step.incentive.as_ref().map(|incentive| {
                let (percent, amount, free_delivery) = match &incentive.benefit {
                    Benefit::Percent(percent) => (Some(percent.to_string()), None, false),
                    Benefit::Amount(amount) => (None, Some((*amount).into()), false),
                    Benefit::FreeDelivery => (None, None, true),
                };
                IncentiveBody { percent, amount, free_delivery, valid_hours: incentive.valid_hours }
            });
            StepBody { after_minutes: step.after, incentive }
        };
        Self {
            steps: policy.steps.iter().map(step).collect(),
            hold_out_percent: policy.hold_out_percent,
            quiet_hours: policy
                .quiet
                .map(|quiet| QuietBody { start: clock(quiet.from), end: clock(quiet.until) }),
            time_zone: String::from(policy.zone.clone()),
            max_messages: policy.cap.messages,
            max_messages_days: policy.cap.days,
            attribution_days: policy.attributed_days,
        }
    }

    fn read(&self) -> Result<Policy, Problem> {
        let mut check = Check::new();
        let mut steps = Vec::with_capacity(self.steps.len().min(STEPS_MAX));
        for (at, StepBody { after_minutes, incentive }) in self.steps.iter().enumerate() {
            let incentive = incentive.as_ref().and_then(|body| {
                let IncentiveBody { percent, amount, free_delivery, valid_hours } = body;
                let prefix = format!("steps[{at}].incentive.");
                let benefit = check.benefit(&prefix, percent.as_deref(), amount.as_ref(), *free_delivery)?;
                Some(Incentive { benefit, valid_hours: *valid_hours })
            });
            steps.push(Step { after: *after_minutes, incentive });
        }
        let quiet = self.quiet_hours.as_ref().and_then(|quiet| {
            let from = time(&mut check, "quiet_hours.start", &quiet.start);
            let until = time(&mut check, "quiet_hours.end", &quiet.end);
            Some(Quiet { from: from?, until: until? })
        });
        let zone = check.parse::<Zone>("time_zone", &self.time_zone);
        let policy = Policy {
            steps,
            hold_out_percent: self.hold_out_percent,
            quiet,
            zone: zone.unwrap_or_else(Zone::utc),
            cap: Cap { messages: self.max_messages, days: self.max_messages_days },
            attributed_days: self.attribution_days,
        };
        if let Err(bad) = policy.check() {
            let field = match &bad {
                BadPolicy::Steps(_) => "steps".to_owned(),
                BadPolicy::Delay { at, .. } => format!("steps[{at}].after_minutes"),
                BadPolicy::Incentive { at, .. } => format!("steps[{at}].incentive"),
                BadPolicy::HoldOut(_) => "hold_out_percent".to_owned(),
                BadPolicy::Quiet(_) => "quiet_hours".to_owned(),
                BadPolicy::Cap { .. } => "max_messages".to_owned(),
                BadPolicy::Attributed(_) => "attribution_days".to_owned(),
            };
            check.wrong(field, "range", bad);
        }
        check.done()?;
        Ok(policy)
    }
}

/// As one begins, where nothing was said yet.
pub(crate) async fn show(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<PolicyBody>, Problem> {
    let held = world.table.load::<ReminderPolicy>(&Key::reminder_policy(&query.caller.marketplace)).await?;
    Ok(match held {
        Some(held) => Reply::ok(PolicyBody::of(&held.value.policy)).revision(held.revision()),
        None => Reply::ok(PolicyBody::of(&Policy::first())),
    })
}

pub(crate) async fn set(
    State(world): State<World>,
    command: Command<PolicyBody>,
) -> Result<Reply<PolicyBody>, Problem> {
    let thing = ReminderPolicy { policy: command.body.read()? };
    let told = || {
        Story::new([Announced::of(&CartRemindersSetV1 {
            steps: u8::try_from(thing.policy.steps.len()).unwrap_or(u8::MAX),
            hold_out_percent: thing.policy.hold_out_percent,
        })])
    };
    change::set(&world, &command, (&thing, SUBJECT), told, |kept| PolicyBody::of(&kept.policy)).await
}
