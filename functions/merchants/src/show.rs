//! How a merchant is shown, alone and in lists.

use crate::standing::ClosureBody;
use axum::extract::{Path, State};
use domain::id::MerchantId;
use domain::marketplace::{Document, Marketplace};
use domain::merchant::{Checked, Invitation, Merchant, PayoutAccount};
use domain::payout::Schedule;
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Listing, Problem, Query, Reply, RuleBody, World};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::Key;
use table::merchant::MerchantSummary;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Merchant"))]
pub(crate) struct MerchantView {
    id: String,
    name: String,
    /// What your systems call the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// Where it sells from, in the eyes of the tax office.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// In which it prices, delivers and is paid.
    currency: String,
    /// `pending`, `open`, `suspended`, `closing` or `terminated`.
    status: &'static str,
    /// When it is paid.
    schedule: Schedule,
    /// Fee rules before the marketplace's.
    commission: Vec<RuleBody>,
    payout_account: AccountView,
    /// What is asked of it before approval; later what has become incomplete.
    requirements: Vec<RequirementView>,
    /// The marketplace's terms: those that bind now and those that come next.
    terms: Vec<TermsView>,
    closures: Vec<ClosureBody>,
    takes_orders: bool,
    /// Of the merchant's first person; only in the answer that invites.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<InvitationView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RequirementView {
    code: &'static str,
    met: bool,
    required: bool,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct TermsView {
    url: String,
    sha256: String,
    effective_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_by: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct InvitationView {
    /// For `accept-invitation`; shown once.
    secret: String,
    expires_at: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PayoutAccount"))]
struct AccountView {
    /// `missing`, `pending`, `active` or `blocked`; only an active one is paid to.
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

fn requirement(Checked { requirement, met, required }: Checked) -> RequirementView {
    RequirementView { code: requirement.word(), met, required }
}

fn terms(merchant: &Merchant, document: &Document) -> TermsView {
    let accepted = merchant.has_accepted(document);
    TermsView {
        url: document.url.to_string(),
        sha256: document.sha256.to_string(),
        effective_at: document.effective_at.to_string(),
        accepted_at: accepted.map(|acceptance| acceptance.at.to_string()),
        accepted_by: accepted.map(|acceptance| acceptance.by.clone()),
    }
}

impl MerchantView {
    pub(crate) fn of(merchant: &Merchant, marketplace: &Marketplace, now: Timestamp) -> Self {
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
            country: merchant.country.map(|country| country.to_string()),
            currency: merchant.settles_in(marketplace.currency).to_string(),
            status: merchant.status.word(),
            schedule: merchant.schedule.clone(),
            commission: merchant.commission.iter().map(RuleBody::of).collect(),
            payout_account: AccountView { state: account_state(&merchant.account), holder, iban },
            requirements: merchant.checklist(marketplace, now).into_iter().map(requirement).collect(),
            terms: marketplace.merchant_terms.iter().map(|document| terms(merchant, document)).collect(),
            closures: merchant.closures.iter().map(ClosureBody::of).collect(),
            takes_orders: merchant.takes_orders(now).is_ok(),
            invitation: None,
        }
    }

    /// With the secret that opens the door.
    pub(crate) fn inviting(self, secret: String, invitation: &Invitation) -> Self {
        let expires_at = invitation.expires_at.to_string();
        Self { invitation: Some(InvitationView { secret, expires_at }), ..self }
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct MerchantRow {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// `pending`, `open`, `suspended`, `closing` or `terminated`.
    status: String,
}

fn row(summary: MerchantSummary) -> MerchantRow {
    MerchantRow {
        id: summary.id.to_string(),
        name: summary.name,
        external_id: summary.external_id.map(|id| id.to_string()),
        status: summary.status,
    }
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<MerchantView>, Problem> {
    let reach = &query.reach;
    let id: MerchantId = id.parse().map_err(|_| Problem::not_found("merchant"))?;
    let held = world.table.load::<Merchant>(&Key::merchant(&query.caller.marketplace, &id)).await?;
    let held =
        held.filter(|held| reach.covers(&held.value.id)).ok_or_else(|| Problem::not_found("merchant"))?;
    let marketplace = crate::load_marketplace(&world, &query.caller.marketplace).await?;
    let view = MerchantView::of(&held.value, &marketplace, world.now());
    Ok(Reply::ok(view).revision(held.revision()))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// The one merchant of that name.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::text::ExternalId>"))]
    external_id: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<MerchantRow>>, Problem> {
    let m = &query.caller.marketplace;
    let Which { external_id, limit, cursor } = &query.parameters;
    let mut check = Check::new();
    let paging = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
    let external_id = check.maybe("external_id", external_id.as_deref());
    check.done()?;
    if let Some(name) = external_id {
        let found = world.table.merchants_named(m, &[name]).await?;
        let items =
            found.iter().filter_map(|(_, held)| table::Record::summary(&held.value)).map(row).collect();
        return Ok(Reply::ok(Listing { items, next: None }));
    }
    let page = world.table.merchants(m, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}
