//! The marketplace as its operator sees and sets it.

use axum::extract::State;
use domain::Currency;
use domain::id::MarketplaceId;
use domain::marketplace::{Marketplace, Settings};
use edge::query::None as NoParameters;
use edge::{Check, Command, Overtaken, Problem, Query, Reply, RuleBody, World};
use events::access::MarketplaceSettingsChangedV1;
use events::{Amount, Announced};
use serde::{Deserialize, Serialize};
use table::{Commit, Held, Story};

/// The longest time between delivery and payability, in days.
const HOLD_MAX: u16 = 365;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct MarketplaceView {
    id: MarketplaceId,
    name: String,
    currency: String,
    locale: String,
    hold_days: u16,
    commission: Vec<RuleBody>,
    critical_balance: Amount,
}

impl MarketplaceView {
    pub(crate) fn of(marketplace: &Marketplace) -> Self {
        let Marketplace { id, name, currency, locale, settings } = marketplace.clone();
        Self {
            id,
            name: name.to_string(),
            currency: currency.to_string(),
            locale,
            hold_days: settings.hold_days,
            commission: settings.commission.iter().map(RuleBody::of).collect(),
            critical_balance: settings.critical_balance.into(),
        }
    }
}

async fn load(world: &World, m: &MarketplaceId) -> Result<Held<Marketplace>, Problem> {
    world.table.marketplace(m).await?.ok_or_else(|| Problem::not_found("marketplace"))
}

/// The caller's own marketplace.
pub(crate) async fn show(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<MarketplaceView>, Problem> {
    query.caller.operates("marketplace:read")?;
    let held = load(&world, &query.caller.marketplace).await?;
    Ok(Reply::ok(MarketplaceView::of(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsBody {
    hold_days: u16,
    commission: Vec<RuleBody>,
    critical_balance: Amount,
}

impl SettingsBody {
    /// The settings, or what is wrong with them; `under` is where they stand in the body.
    pub(crate) fn read(&self, check: &mut Check, under: &str, currency: Currency) -> Option<Settings> {
        let commission = RuleBody::read(check, &format!("{under}commission"), &self.commission, currency);
        let critical = check.money(format!("{under}critical_balance"), &self.critical_balance, currency);
        if self.hold_days > HOLD_MAX {
            let message = format!("{} is more than {HOLD_MAX}", self.hold_days);
            check.wrong(format!("{under}hold_days"), "range", message);
        }
        critical.map(|critical_balance| Settings { hold_days: self.hold_days, commission, critical_balance })
    }
}

/// All settings at once; they bind what is committed from now on.
pub(crate) async fn set(
    State(world): State<World>,
    command: Command<SettingsBody>,
) -> Result<Reply<MarketplaceView>, Problem> {
    command.caller.operates("marketplace:write")?;
    let m = &command.caller.marketplace;
    let body = &command.body;
    world
        .until_free(|| async {
            let held = load(&world, m).await?;
            if command.asked_before(&world).await?.is_some() {
                return Ok(Reply::ok(MarketplaceView::of(&held.value)).revision(held.revision()).replayed());
            }
            let mut check = Check::new();
            let settings = body.read(&mut check, "", held.value.currency);
            check.done()?;
            let Some(settings) = settings else { return Err(Problem::internal()) };
            let hold_days = settings.hold_days;
            let next = Marketplace { settings, ..held.value.clone() };
            let now = world.now();
            let context = command.context(now);
            let story = Story::new([Announced::of(&MarketplaceSettingsChangedV1 { hold_days })]);
            let commit = Commit::new(m, &context).change(&held, &next, m.as_str(), story);
            command.remember(commit, now, 200, m.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(MarketplaceView::of(&next)).revision(held.next_step()))
        })
        .await
}
