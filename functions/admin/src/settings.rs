//! The marketplace as its operator sees and sets it.

use axum::extract::State;
use domain::Currency;
use domain::id::MarketplaceId;
use domain::marketplace::{Document, Marketplace, Settings};
use domain::merchant::Requirement;
use domain::text::{Sha256, WebAddress};
use edge::change::change;
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, RuleBody, World};
use events::access::{MarketplaceMerchantTermsSetV1, MarketplaceSettingsChangedV1};
use events::{Amount, Announced};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::{Held, Key, Story};

/// The longest time that a setting may ask for, in days.
const DAYS_MAX: u16 = 365;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Marketplace"))]
pub(crate) struct MarketplaceView {
    id: MarketplaceId,
    name: String,
    currency: String,
    locale: String,
    /// Days between delivery and payability.
    hold_days: u16,
    /// Fee rules; the first that matches a line wins.
    commission: Vec<RuleBody>,
    /// Days that an order of which nothing is paid waits for its payment; 0: for ever.
    unpaid_days: u16,
    /// What a merchant may owe before somebody is told.
    critical_balance: Amount,
    requirements: Vec<&'static str>,
    /// Where links in messages lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    storefront: Option<String>,
    /// The document that is effective and the one that comes next.
    merchant_terms: Vec<DocumentBody>,
}

impl MarketplaceView {
    pub(crate) fn of(marketplace: &Marketplace) -> Self {
        let Marketplace { id, name, currency, locale, settings, merchant_terms } = marketplace.clone();
        let requirements = settings.requirements.iter().map(|requirement| requirement.word());
        Self {
            id,
            name: name.to_string(),
            currency: currency.to_string(),
            locale,
            hold_days: settings.hold_days,
            commission: settings.commission.iter().map(RuleBody::of).collect(),
            unpaid_days: settings.unpaid_days,
            critical_balance: settings.critical_balance.into(),
            requirements: requirements.collect(),
            storefront: settings.storefront.as_ref().map(ToString::to_string),
            merchant_terms: merchant_terms.iter().map(DocumentBody::of).collect(),
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
    let held = load(&world, &query.caller.marketplace).await?;
    Ok(Reply::ok(MarketplaceView::of(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MarketplaceSettings"))]
pub(crate) struct SettingsBody {
    /// Days between delivery and payability.
    #[cfg_attr(feature = "schema", schemars(range(max = DAYS_MAX)))]
    hold_days: u16,
    /// Fee rules; the first that matches a line wins.
    #[cfg_attr(feature = "schema", schemars(length(max = domain::commission::RULES_MAX)))]
    commission: Vec<RuleBody>,
    /// Days that an order of which nothing is paid waits for its payment, then it is canceled in the night; 0: for
    /// ever; a week, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(max = DAYS_MAX)))]
    unpaid_days: Option<u16>,
    /// What a merchant may owe before somebody is told.
    critical_balance: Amount,
    /// What a merchant must have done before it is approved: `terms`, `payout_account`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Requirement>"))]
    requirements: Vec<String>,
    /// Where links in messages lead, `https://…`: `#/order/…`, `#/cart/…`, `#/review/…` and `#/unsubscribe/…` are put
    /// behind it; the API's own address, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<WebAddress>"))]
    storefront: Option<String>,
}

impl SettingsBody {
    /// The settings, or what is wrong with them; `under` is where they stand in the body.
    pub(crate) fn read(&self, check: &mut Check, under: &str, currency: Currency) -> Option<Settings> {
        let commission = RuleBody::read(check, &format!("{under}commission"), &self.commission, currency);
        let critical = check.money(format!("{under}critical_balance"), &self.critical_balance, currency);
        let unpaid_days = self.unpaid_days.unwrap_or(Settings::first(currency).unpaid_days);
        for (field, days) in [("hold_days", self.hold_days), ("unpaid_days", unpaid_days)] {
            if days > DAYS_MAX {
                check.wrong(format!("{under}{field}"), "range", format!("{days} is more than {DAYS_MAX}"));
            }
        }
        let mut requirements = Vec::new();
        for (position, word) in self.requirements.iter().enumerate() {
            let read = check.parse::<Requirement>(format!("{under}requirements[{position}]"), word);
            requirements.extend(read.filter(|requirement| !requirements.contains(requirement)));
        }
        let storefront = check.maybe::<WebAddress>(&format!("{under}storefront"), self.storefront.as_deref());
        let hold_days = self.hold_days;
        critical.map(|critical_balance| Settings {
            hold_days,
            commission,
            unpaid_days,
            critical_balance,
            requirements,
            storefront,
        })
    }
}

/// What merchants must accept, in a body and in views.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct DocumentBody {
    #[cfg_attr(feature = "schema", schemars(with = "WebAddress"))]
    url: String,
    /// Of the document's bytes, in hex; names the version.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    sha256: String,
    /// When it begins to bind, in the future; now, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    effective_at: Option<String>,
}

impl DocumentBody {
    fn of(document: &Document) -> Self {
        let Document { url, sha256, effective_at } = document;
        let effective_at = Some(effective_at.to_string());
        Self { url: url.to_string(), sha256: sha256.to_string(), effective_at }
    }

    fn read(&self, now: Timestamp) -> Result<Document, Problem> {
        let mut check = Check::new();
        let url = check.parse::<WebAddress>("url", &self.url);
        let sha256 = check.parse::<Sha256>("sha256", &self.sha256);
        let effective_at = check.maybe::<Timestamp>("effective_at", self.effective_at.as_deref());
        let effective_at = effective_at.unwrap_or(now);
        if effective_at < now {
            check.wrong("effective_at", "past", format!("{effective_at} is before now ({now})"));
        }
        check.done()?;
        let (Some(url), Some(sha256)) = (url, sha256) else { return Err(Problem::internal()) };
        Ok(Document { url, sha256, effective_at })
    }
}

/// A new document asks every merchant again, from the moment that it is effective.
pub(crate) async fn set_merchant_terms(
    State(world): State<World>,
    command: Command<DocumentBody>,
) -> Result<Reply<MarketplaceView>, Problem> {
    let decide = |held: Marketplace| {
        let now = world.now();
        let read = command.body.read(now);
        async move {
            let document = read?;
            let told = Announced::of(&MarketplaceMerchantTermsSetV1 {
                url: document.url.to_string(),
                sha256: document.sha256.to_string(),
                effective_at: document.effective_at.into(),
            });
            Ok(Some((held.with_terms(document, now), Story::new([told]))))
        }
    };
    change_marketplace(&world, &command, decide).await
}

/// All settings at once; they bind what is committed from now on.
pub(crate) async fn set(
    State(world): State<World>,
    command: Command<SettingsBody>,
) -> Result<Reply<MarketplaceView>, Problem> {
    let decide = |held: Marketplace| {
        let mut check = Check::new();
        let settings = command.body.read(&mut check, "", held.currency);
        let checked = check.done();
        async move {
            checked?;
            let Some(settings) = settings else { return Err(Problem::internal()) };
            let told = Announced::of(&MarketplaceSettingsChangedV1 { hold_days: settings.hold_days });
            Ok(Some((Marketplace { settings, ..held }, Story::new([told]))))
        }
    };
    change_marketplace(&world, &command, decide).await
}

async fn change_marketplace<T, Deciding>(
    world: &World,
    command: &Command<T>,
    decide: impl Fn(Marketplace) -> Deciding,
) -> Result<Reply<MarketplaceView>, Problem>
where
    Deciding: Future<Output = Result<Option<(Marketplace, Story)>, Problem>>,
{
    let m = &command.caller.marketplace;
    let thing = (&Key::marketplace(m), m.as_str(), "marketplace");
    change(world, command, thing, decide, MarketplaceView::of).await
}
