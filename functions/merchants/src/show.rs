//! How a merchant is shown, alone and in lists; and fee rules as a body spells them.

use axum::extract::{Path, State};
use domain::Currency;
use domain::commission::{self, Charge, Rule};
use domain::id::MerchantId;
use domain::merchant::{Merchant, PayoutAccount};
use domain::payout::Schedule;
use domain::text::{Category, Word};
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Listing, Problem, Query, Reply, World};
use events::Amount;
use serde::{Deserialize, Serialize};
use table::Key;
use table::merchant::MerchantSummary;

/// A fee rule in a body: either `percent` of the item total or an amount `per_item`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleBody {
    fee: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_item: Option<Amount>,
}

impl RuleBody {
    fn of(rule: &Rule) -> Self {
        let (percent, per_item) = match &rule.charge {
            Charge::Percent(percent) => (Some(percent.to_string()), None),
            Charge::PerItem(amount) => (None, Some((*amount).into())),
        };
        let category = rule.category.as_ref().map(ToString::to_string);
        Self { fee: rule.fee.to_string(), category, percent, per_item }
    }

    /// The rules of a list, or what is wrong with them.
    pub(crate) fn read(check: &mut Check, field: &str, bodies: &[Self], currency: Currency) -> Vec<Rule> {
        let mut rules = Vec::with_capacity(bodies.len());
        for (position, body) in bodies.iter().enumerate() {
            let at = |name: &str| format!("{field}[{position}].{name}");
            let fee = check.parse::<Word>(at("fee"), &body.fee);
            let category = check.maybe::<Category>(at("category"), body.category.as_deref());
            let charge = match (&body.percent, &body.per_item) {
                (Some(percent), None) => check.parse(at("percent"), percent).map(Charge::Percent),
                (None, Some(amount)) => check.money(at("per_item"), amount, currency).map(Charge::PerItem),
                (None, None) | (Some(_), Some(_)) => {
                    check.wrong(at("percent"), "required", "give either `percent` or `per_item`");
                    None
                }
            };
            if let (Some(fee), Some(charge)) = (fee, charge) {
                rules.push(Rule { fee, category, charge });
            }
        }
        if let Err(error) = commission::check(&rules) {
            check.wrong(field, "range", error);
        }
        rules
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct MerchantView {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    status: &'static str,
    schedule: Schedule,
    commission: Vec<RuleBody>,
    payout_account: AccountView,
}

#[derive(Debug, Clone, Serialize)]
struct AccountView {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    /// Masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    iban: Option<String>,
}

pub(crate) fn account_state(account: &PayoutAccount) -> &'static str {
    match account {
        PayoutAccount::Missing => "missing",
        PayoutAccount::Pending { .. } => "pending",
        PayoutAccount::Active { .. } => "active",
        PayoutAccount::Blocked { .. } => "blocked",
    }
}

impl MerchantView {
    pub(crate) fn of(merchant: &Merchant) -> Self {
        let (holder, iban) = match &merchant.account {
            PayoutAccount::Missing => (None, None),
            PayoutAccount::Pending { holder, iban }
            | PayoutAccount::Active { holder, iban }
            | PayoutAccount::Blocked { holder, iban, .. } => (Some(holder.to_string()), Some(iban.masked())),
        };
        Self {
            id: merchant.id.to_string(),
            name: merchant.name.to_string(),
            external_id: merchant.external_id.as_ref().map(ToString::to_string),
            status: merchant.status.word(),
            schedule: merchant.schedule.clone(),
            commission: merchant.commission.iter().map(RuleBody::of).collect(),
            payout_account: AccountView { state: account_state(&merchant.account), holder, iban },
        }
    }
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<MerchantView>, Problem> {
    let reach = query.caller.reach("merchants:read")?;
    let id: MerchantId = id.parse().map_err(|_| Problem::not_found("merchant"))?;
    let held = world.table.load::<Merchant>(&Key::merchant(&query.caller.marketplace, &id)).await?;
    let held =
        held.filter(|held| reach.covers(&held.value.id)).ok_or_else(|| Problem::not_found("merchant"))?;
    Ok(Reply::ok(MerchantView::of(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Which {
    external_id: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<MerchantSummary>>, Problem> {
    query.caller.operates("merchants:read")?;
    let m = &query.caller.marketplace;
    let Which { external_id, limit, cursor } = &query.parameters;
    let mut check = Check::new();
    let paging = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
    let external_id = check.maybe("external_id", external_id.as_deref());
    check.done()?;
    if let Some(name) = external_id {
        let found = world.table.merchants_named(m, &[name]).await?;
        let items = found.iter().filter_map(|(_, held)| table::Record::summary(&held.value)).collect();
        return Ok(Reply::ok(Listing { items, next: None }));
    }
    let page = world.table.merchants(m, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |summary| summary)))
}
