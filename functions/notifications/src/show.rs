//! What was sent to whom and why.

use axum::extract::{Path, State};
use domain::id::{CustomerId, MerchantId, MessageId};
use domain::message::{Because, Bounce, Channel, Kind, NotSent, Recipient, Stage};
use domain::payout::day;
use edge::query::{None as NoParameters, Paging};
use edge::sealed::unseal;
use edge::{Check, Listing, Problem, Query, Reply, World};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use table::Key;
use table::message::{KeptMessage, MessageSummary, Words};
use table::person::DataKey;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Message"))]
pub(crate) struct MessageView {
    id: String,
    kind: Kind,
    channel: Channel,
    /// `customer`, `guest`, `merchant` or `operators`.
    recipient: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    /// The event that it tells of, and its name.
    event: String,
    of: String,
    /// Whose rule it was written by.
    because: Because,
    /// When its reader agreed to it, where it needs that.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent_at: Option<String>,
    made_at: String,
    /// `waiting`, `begun`, `sent` or `not_sent`.
    status: &'static str,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_sent_because: Option<NotSent>,
    /// The carrier's name of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// When it came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    bounced_at: Option<String>,
    /// Whether for good: then its address is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    bounced_for_good: Option<bool>,
    /// When its reader called it unwanted; then its address is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    complained_at: Option<String>,
}

pub(crate) fn view(of: MessageSummary) -> MessageView {
    let (recipient, customer, merchant) = match of.to {
        Recipient::Customer { customer } => ("customer", Some(customer.to_string()), None),
        Recipient::Guest => ("guest", None, None),
        Recipient::Merchant { merchant } => ("merchant", None, Some(merchant.to_string())),
        Recipient::Operators => ("operators", None, None),
    };
    let (status, since, why, reference) = match of.stage {
        Stage::Waiting { since } => ("waiting", since, None, None),
        Stage::Begun { since, .. } => ("begun", since, None, None),
        Stage::Sent { since, reference } => ("sent", since, None, Some(reference)),
        Stage::NotSent { since, why } => ("not_sent", since, Some(why), None),
    };
    MessageView {
        id: of.id.to_string(),
        kind: of.kind,
        channel: of.channel,
        recipient,
        customer,
        merchant,
        event: of.event,
        of: of.of,
        because: of.because,
        consent_at: of.consent.map(|at| at.to_string()),
        made_at: of.made_at.to_string(),
        status,
        since: since.to_string(),
        not_sent_because: why,
        reference,
        bounced_at: of.bounced.map(|Bounce { at, .. }| at.to_string()),
        bounced_for_good: of.bounced.map(|Bounce { permanent, .. }| permanent),
        complained_at: of.complained_at.map(|at| at.to_string()),
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// To this customer; with neither, all of the days.
    #[cfg_attr(feature = "schema", schemars(with = "Option<CustomerId>"))]
    customer: Option<String>,
    /// To this merchant.
    #[cfg_attr(feature = "schema", schemars(with = "Option<MerchantId>"))]
    merchant: Option<String>,
    /// The first day, `2026-03-02`, in UTC; a week before `to` if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Day>"))]
    from: Option<String>,
    /// The last day; today if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Day>"))]
    to: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<MessageView>>, Problem> {
    let Which { customer, merchant, from, to, limit, cursor } = &query.parameters;
    let mut check = Check::new();
    let paging = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
    let customer = check.maybe::<CustomerId>("customer", customer.as_deref());
    let merchant = check.maybe::<MerchantId>("merchant", merchant.as_deref());
    if customer.is_some() && merchant.is_some() {
        check.wrong("merchant", "exclusive", "give either `customer` or `merchant`");
    }
    let to = check.maybe::<Date>("to", to.as_deref()).unwrap_or_else(|| day(world.now()));
    let from = check.maybe::<Date>("from", from.as_deref());
    let from = from.unwrap_or_else(|| to.saturating_sub(jiff::ToSpan::days(7)));
    check.done()?;
    let (m, limit, after) = (&query.caller.marketplace, paging.limit, paging.after.as_ref());
    let page = match (customer, merchant) {
        (Some(customer), _) => world.table.messages_to_customer(m, &customer, limit, after).await?,
        (None, Some(merchant)) => world.table.messages_to_merchant(m, &merchant, limit, after).await?,
        (None, None) => world.table.messages(m, (from, to), limit, after).await?,
    };
    Ok(Reply::ok(Listing::of(page, view)))
}

/// A message with its words.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageWithWords"))]
pub(crate) struct WholeView {
    #[serde(flatten)]
    message: MessageView,
    locale: String,
    /// Version of the template; 0 is the platform's own.
    template: u32,
    /// Absent where it never had words, or its reader was forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<WholeView>, Problem> {
    let m = &query.caller.marketplace;
    let none = || Problem::not_found("message");
    let id: MessageId = id.parse().map_err(|_| none())?;
    let held = world.table.load::<KeptMessage>(&Key::message(m, &id)).await?.ok_or_else(none)?;
    let words = words(&world, m, &held.value).await?;
    let (revision, message) = (held.revision(), held.value);
    let (locale, template) = (message.message.locale.to_string(), message.message.template);
    let summary = table::Record::summary(&message).ok_or_else(Problem::internal)?;
    let (subject, text) = words.map(|words| (words.subject, words.text)).unzip();
    Ok(Reply::ok(WholeView { message: view(summary), locale, template, subject, text }).revision(revision))
}

async fn words(
    world: &World,
    m: &domain::id::MarketplaceId,
    kept: &KeptMessage,
) -> Result<Option<Words>, Problem> {
    let (Recipient::Customer { customer }, Some(sealed)) = (&kept.message.to, &kept.sealed) else {
        return Ok(kept.words.clone());
    };
    let key = world.table.load::<DataKey>(&Key::data_key(m, customer)).await?;
    Ok(key.and_then(|key| unseal::<Words>(&key.value, kept.message.id.as_str(), sealed)))
}
