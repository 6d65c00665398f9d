//! The marketplace as every simulation finds it: two merchants, each with a currency of its own, four offers, one with
//! few units, codes, a plan, customers with accounts; and another marketplace in the same table, with the same names.
//! It is made once, and copied for each run.

use super::Troubled;
use super::acts::{CUSTOMERS, OFFERS};
use super::seam::{DEAF, MOODY, STEADY, Seam};
use crate::api::Api;
use crate::cloud::Place;
use crate::issuer::{AUDIENCE, ISSUER};
use crate::market::Market;
use admin::{Opening, open_marketplace};
use domain::Money;
use domain::commission::{Charge, Rule};
use domain::id::{ApiKeyId, MarketplaceId, derive, sha256_hex};
use domain::marketplace::{Marketplace, Settings};
use domain::merchant::Iban;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use table::access::{ApiKey, Issuer};

/// The operator's key.
pub(super) const OPERATOR: &str = "sk_operator";
/// The storefront's.
pub(super) const STOREFRONT: &str = "pk_simulation";
/// The key of the other marketplace's operator.
pub(super) const ELSEWHERE: &str = "sk_elsewhere";
/// Merchants, their keys, and what they sell for and are paid in.
pub(super) const MERCHANTS: [(&str, &str, &str); 2] =
    [("alma", "sk_alma", "EUR"), ("birch", "sk_birch", "USD")];
/// Whose each offer is, and its price.
const GOODS: [(usize, &str, &str); OFFERS] =
    [(0, "mug", "10.00"), (0, "bowl", "7.35"), (1, "scarf", "20.00"), (1, "hat", "13.33")];
/// Units of each to begin with: shoppers want more of the first than there are, and meet at all of them.
pub(super) const UNITS: [u32; OFFERS] = [5, 60, 900, 900];
/// A folder in memory that Linux has.
const MEMORY: &str = "/dev/shm";
/// Takes 10 % off.
pub(super) const TEN: &[&str] = &["TEN"];
/// One that a single order may have, so that people meet at it.
pub(super) const SCARCE: &[&str] = &["SCARCE"];
/// Together they take everything off; three orders may have the first.
pub(super) const GIFT: &[&str] = &["GIFT", "BROUGHT"];

/// A made marketplace, closed.
#[derive(Debug)]
pub struct Stage {
    folder: tempfile::TempDir,
    pub(super) merchants: Vec<String>,
    /// Each with the merchant's place.
    pub(super) offers: Vec<(usize, String)>,
    /// By the week.
    pub(super) plan: String,
}

pub(super) fn marketplace_id() -> MarketplaceId {
    MarketplaceId::from_bits(derive(&["simulation"]))
}

/// The other one, which has no part in anything here.
pub(super) fn elsewhere_id() -> MarketplaceId {
    MarketplaceId::from_bits(derive(&["elsewhere"]))
}

/// A Monday.
pub(super) fn start() -> Timestamp {
    Timestamp::from_second(1_772_442_000).unwrap_or_default()
}

impl Stage {
    /// Makes it, in fair weather.
    ///
    /// # Errors
    /// If the marketplace does not open or refuses what is in it.
    pub async fn make() -> Result<Self, Troubled> {
        // Hundreds of copies are made and thrown away, mails and all: in memory, where the system has such a folder.
        let shm = Path::new(MEMORY);
        let folder = if shm.is_dir() { tempfile::tempdir_in(shm)? } else { tempfile::tempdir()? };
        let seam = Seam::of(0, None);
        let place = Place::Folder(folder.path().to_owned());
        let rim = |name, build, outside| seam.around(name, build, outside);
        let mut market = Market::with_rim(place, start(), &rim).await?;
        // What opens the marketplace is no function.
        market.world = market.world.with_drawn_ids(u64::MAX, Arc::default());
        let (merchants, offers) = fill(&market).await?;
        let plan = subscribers(&market).await?;
        elsewhere(&market).await?;
        market.cloud.settle_with_retries().await?;
        Ok(Self { folder, merchants, offers, plan })
    }

    pub(super) fn folder(&self) -> PathBuf {
        Path::to_owned(self.folder.path())
    }
}

/// Everything that is sold.
async fn fill(market: &Market) -> Result<(Vec<String>, Vec<(usize, String)>), Troubled> {
    let (api, m) = (Api::new(&market.cloud, OPERATOR), marketplace_id());
    let (issuer, audience) = (ISSUER.to_owned(), AUDIENCE.to_owned());
    let issuer = Issuer { issuer, audience, marketplace: m.clone(), jwks_uri: market.issuer.jwks_uri() };
    let keys = [("operator", OPERATOR), ("storefront", STOREFRONT)];
    let keys = keys.map(|(name, secret)| (name.to_owned(), secret.to_owned()));
    open(market, m.clone(), Some(issuer), keys.into()).await?;
    let tax = json!({"rates": [{"from": "2021-01-01", "treatment": "standard", "percent": "19"}]});
    api.post("/v1/tax/rates/DE/set", &tax, "tax").await.ok()?;
    for (name, body) in [
        ("TEN", json!({"percent": "10"})),
        ("SCARCE", json!({"amount": {"amount": "1.00", "currency": "EUR"}, "usage_limit": 1})),
        ("GIFT", json!({"percent": "100", "usage_limit": 3})),
        ("BROUGHT", json!({"free_delivery": true})),
    ] {
        let mut body = body;
        body["name"] = name.into();
        api.post("/v1/promotions/set-code", &body, name).await.ok()?;
    }
    // One event of many is enough to see what becomes of its messages.
    for (address, events) in [
        (STEADY, ["order.placed.*", "payout.*"]),
        (MOODY, ["order.paid.*", "payment.refunded.*"]),
        (DEAF, ["payout.sent.*", "fx.*"]),
    ] {
        let body = json!({"address": address, "events": events});
        api.post("/v1/webhook-endpoints", &body, address).await.ok()?;
    }
    let mut merchants = Vec::new();
    api.post("/v1/fx/set-rates", &exchange(start(), 2), "exchange").await.ok()?;
    for (name, secret, currency) in MERCHANTS {
        let schedule = json!({"every": "day"});
        let body = json!({"name": name, "external_id": name, "currency": currency, "schedule": schedule});
        let id = text(&api.post("/v1/merchants", &body, name).await.ok()?, "/id");
        let digits = format!("{:018}", derive(&["iban", name]).rem_euclid(10_u128.pow(18)));
        let account = json!({"holder": name, "iban": Iban::of("DE", &digits).map_err(Troubled::word)?});
        let none = json!({});
        let steps =
            [("set-payout-account", &account), ("activate-payout-account", &none), ("approve", &none)];
        for (step, body) in steps {
            let path = format!("/v1/merchants/{id}/{step}");
            api.post(&path, body, &format!("{step}-{name}")).await.ok()?;
        }
        let path = format!("/v1/delivery/{id}/set");
        api.post(&path, &rates(currency), &format!("delivery-{name}")).await.ok()?;
        let scopes =
            ["catalog:write", "inventory:write", "fulfillment:write", "payouts:read", "webhooks:write"];
        let key = ApiKey {
            id: ApiKeyId::from_bits(derive(&["key", secret])),
            digest: sha256_hex(secret.as_bytes()),
            marketplace: m.clone(),
            name: name.to_owned(),
            scopes: scopes.map(str::to_owned).into(),
            merchant: Some(id.parse().map_err(Troubled::word)?),
            publishable: false,
            revoked_at: None,
        };
        market.world.table.put(&m, None, &key).await?;
        merchants.push(id);
    }
    let mut offers = Vec::new();
    for ((of, sku, price), units) in GOODS.into_iter().zip(UNITS) {
        let merchant = merchants.get(of).cloned().unwrap_or_default();
        let product = json!({"merchant": merchant, "title": sku, "variants": [{}]});
        let product = text(&api.post("/v1/products", &product, sku).await.ok()?, "/id");
        let currency = MERCHANTS.get(of).map(|(_, _, currency)| *currency);
        let price = json!({"amount": price, "currency": currency});
        let offer = json!({"merchant": merchant, "product": product, "sku": sku, "price": price});
        let offer = text(&api.post("/v1/offers", &offer, sku).await.ok()?, "/id");
        let path = format!("/v1/stock/{offer}/receive");
        api.post(&path, &json!({"quantity": units}), sku).await.ok()?;
        offers.push((of, offer));
    }
    Ok((merchants, offers))
}

/// A plan by the week, and customers who may want it.
async fn subscribers(market: &Market) -> Result<String, Troubled> {
    for token in tokens(market)? {
        let body = json!({"name": "Sample", "email": "sample@post.example"});
        Api::new(&market.cloud, token).post("/v1/customers/me", &body, "").await.ok()?;
    }
    let price = json!({"amount": "7.00", "currency": "EUR"});
    let terms = json!({
        "interval": {"every": "week"}, "price": price, "included": 1, "tiers": [{"unit_price": price}],
        "proration": "second", "features": ["seats"],
    });
    let plan = json!({"external_id": "weekly", "name": "Weekly", "currency": "EUR", "terms": terms});
    let api = Api::new(&market.cloud, OPERATOR);
    let issuer = json!({"name": "Simulation", "lines": ["Lindenweg 1", "10969 Berlin"], "country": "DE"});
    api.post("/v1/invoices/set-issuer", &issuer, "issuer").await.ok()?;
    Ok(text(&api.post("/v1/plans/publish", &plan, "plan").await.ok()?, "/id"))
}

/// How the issuer names them.
pub(super) fn customer_name(place: usize) -> String {
    format!("customer-{place}")
}

/// Of those who have signed in.
pub(super) fn tokens(market: &Market) -> Result<Vec<String>, Troubled> {
    let one = |place| market.issuer.token(&customer_name(place), SignedDuration::from_hours(6));
    (0..CUSTOMERS).map(|number| one(number).map_err(Troubled::word)).collect()
}

/// Another marketplace with a merchant and an offer of the same names.
async fn elsewhere(market: &Market) -> Result<(), Troubled> {
    let keys = vec![("operator".to_owned(), ELSEWHERE.to_owned())];
    open(market, elsewhere_id(), None, keys).await?;
    let api = Api::new(&market.cloud, ELSEWHERE);
    let (name, _, _) = MERCHANTS[0];
    let merchant = json!({"name": name, "external_id": name, "schedule": {"every": "day"}});
    let merchant = text(&api.post("/v1/merchants", &merchant, name).await.ok()?, "/id");
    api.post(&format!("/v1/merchants/{merchant}/approve"), &json!({}), "approve").await.ok()?;
    let (_, sku, price) = GOODS[0];
    let product = json!({"merchant": merchant, "title": sku, "variants": [{}]});
    let product = text(&api.post("/v1/products", &product, sku).await.ok()?, "/id");
    let price = json!({"amount": price, "currency": "EUR"});
    let offer = json!({"merchant": merchant, "product": product, "sku": sku, "price": price});
    let offer = text(&api.post("/v1/offers", &offer, sku).await.ok()?, "/id");
    api.post(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": UNITS[0]}), sku).await.ok()?;
    Ok(())
}

async fn open(
    market: &Market,
    id: MarketplaceId,
    issuer: Option<Issuer>,
    keys: Vec<(String, String)>,
) -> Result<(), Troubled> {
    let currency = "EUR".parse().map_err(Troubled::word)?;
    let fee = "commission".parse().map_err(Troubled::word)?;
    let commission = vec![Rule { fee, category: None, charge: Charge::Percent(Decimal::from(15)) }];
    let settings = Settings {
        hold_days: 3,
        commission,
        unpaid_days: 7,
        critical_balance: Money::new(50_00, currency),
        requirements: Vec::new(),
        storefront: None,
    };
    let (name, locale) = ("Simulation".parse().map_err(Troubled::word)?, "en".to_owned());
    let marketplace = Marketplace { id, name, currency, locale, settings, merchant_terms: Vec::new() };
    let opening = Opening { marketplace, issuer, operators: Vec::new(), keys };
    open_marketplace(&market.world, opening).await.map_err(Troubled::word)
}

/// What a dollar is in euros and a euro in dollars from that day on, each some cents more than it may be.
pub(super) fn exchange(now: Timestamp, cents: u32) -> Value {
    let day = now.to_zoned(TimeZone::UTC).date();
    let rate = |base: &str, quote: &str, rate: String| {
        let (margin, as_of) = ("2", day.to_string());
        json!({"base": base, "quote": quote, "rate": rate, "margin_percent": margin, "as_of": as_of})
    };
    json!({"rates": [
        rate("USD", "EUR", format!("0.9{cents}")),
        rate("EUR", "USD", format!("1.1{cents}")),
    ]})
}

/// Both merchants deliver at home, for 4.90 of what is theirs.
fn rates(currency: &str) -> Value {
    let price = json!({"flat": {"amount": "4.90", "currency": currency}});
    json!({
        "calendar": {
            "time_zone": "Europe/Berlin",
            "working_days": [1, 2, 3, 4, 5],
            "cut_off_hour": 14,
            "handling_days": 1,
        },
        "zones": [{
            "name": "home",
            "areas": [{"country": "DE"}],
            "rates": [{"service": "standard", "price": price, "transit_days": [1, 3]}],
        }],
    })
}

pub(super) fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
