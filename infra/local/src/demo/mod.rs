//! A sample marketplace, so that the first look shows something: made up, small, and the same every time.

mod goods;

use crate::api::{Api, Refusal};
use crate::issuer::{AUDIENCE, ISSUER};
use crate::market::Market;
use admin::{OpenAlready, Opening, open_marketplace};
use domain::Money;
use domain::commission::{Charge, Rule};
use domain::id::{MarketplaceId, MerchantId, derive};
use domain::marketplace::{Marketplace, Settings};
use domain::merchant::Iban;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use table::Uncommitted;
use table::access::Issuer;

/// Who sells: name, what other systems call it, days of payout.
const MERCHANTS: [(&str, &str, &str); 5] = [
    ("Alma Ceramics", "alma", r#"{"every":"day"}"#),
    ("Birch & Thread", "birch", r#"{"every":"week","weekday":1}"#),
    ("Cedar Books", "cedar", r#"{"every":"month","day":31}"#),
    ("Dune Audio", "dune", r#"{"every":"days","days":[1,15]}"#),
    ("Ember Tea", "ember", r#"{"every":"day"}"#),
];

/// The file in the data folder that says that the sample is whole.
const DONE: &str = "demo.done";

/// The publishable key of the sample's storefront: no secret, like every key of its kind.
pub const STOREFRONT: &str = "pk_demo";

/// The subject of the operator's development token.
pub const OPERATOR: &str = "operator";

/// The subject of the development token of a merchant's member.
pub fn member_subject(merchant: &MerchantId) -> String {
    format!("member-of-{merchant}")
}

/// Why the sample could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NoDemo {
    #[error("a word of the sample is refused: {0}")]
    Word(String),
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

pub fn marketplace_id() -> MarketplaceId {
    MarketplaceId::from_bits(derive(&["demo"]))
}

/// Makes the sample where there is none; answers whether it did.
pub async fn seed(market: &Market, secret: &str) -> Result<bool, NoDemo> {
    let told = |error: &dyn std::fmt::Display| NoDemo::Word(error.to_string());
    let done = market.cloud.folder().join(DONE);
    if done.is_file() {
        return Ok(false);
    }
    let currency = "EUR".parse().map_err(|error| told(&error))?;
    let commission = Rule {
        fee: "commission".parse().map_err(|error| told(&error))?,
        category: None,
        charge: Charge::Percent(Decimal::from(12)),
    };
    let settings = Settings {
        hold_days: 14,
        commission: vec![commission],
        unpaid_days: 7,
        critical_balance: Money::new(50_000, currency),
        requirements: Vec::new(),
        storefront: None,
    };
    let id = marketplace_id();
    let name = "Demo Market".parse().map_err(|error| told(&error))?;
    let issuer = Issuer {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        marketplace: id.clone(),
        jwks_uri: market.issuer.jwks_uri(),
    };
    let opening = Opening {
        marketplace: Marketplace {
            id,
            name,
            currency,
            locale: "en".to_owned(),
            settings,
            merchant_terms: Vec::new(),
        },
        issuer: Some(issuer),
        operators: vec![edge::identity::subject(ISSUER, OPERATOR)],
        keys: vec![("demo".to_owned(), secret.to_owned()), ("storefront".to_owned(), STOREFRONT.to_owned())],
    };
    match open_marketplace(&market.world, opening).await {
        // A repeat goes on where an earlier one was stopped: every step of it names itself.
        Ok(()) | Err(Uncommitted::Refused(OpenAlready)) => {}
        Err(error) => return Err(told(&error)),
    }
    let api = Api::new(&market.cloud, secret);
    let mut merchants = BTreeMap::new();
    for (n, (name, external_id, schedule)) in MERCHANTS.iter().enumerate() {
        let schedule: Value = serde_json::from_str(schedule).map_err(|error| told(&error))?;
        let body = json!({"name": name, "external_id": external_id, "schedule": schedule});
        let merchant = api.post("/v1/merchants", &body, &format!("demo-{external_id}")).await.ok()?;
        let id = merchant.pointer("/id").and_then(Value::as_str).unwrap_or_default();
        let iban = Iban::of("DE", &format!("{:018}", 370_400_440_532_013_000_u64.saturating_add(n as u64)));
        let account = json!({"holder": name, "iban": iban.map_err(|error| told(&error))?});
        let none = json!({});
        for (step, body) in
            [("set-payout-account", &account), ("activate-payout-account", &none), ("approve", &none)]
        {
            let key = format!("demo-{step}-{external_id}");
            api.post(&format!("/v1/merchants/{id}/{step}"), body, &key).await.ok()?;
        }
        let merchant: MerchantId = id.parse().map_err(|error| told(&error))?;
        let member = json!({
            "issuer": ISSUER,
            "subject": member_subject(&merchant),
            "merchant": merchant,
            "scopes": [
                "catalog:write", "inventory:write", "fulfillment:write", "delivery:write", "payouts:read",
                "merchants:read",
            ],
        });
        api.post("/v1/members", &member, &format!("demo-member-{external_id}")).await.ok()?;
        let path = format!("/v1/delivery/{merchant}/set");
        api.post(&path, &rates(), &format!("demo-delivery-{external_id}")).await.ok()?;
        merchants.insert((*external_id).to_owned(), merchant.to_string());
    }
    // Germany's rates since 2021; other countries are for `cargo souk tax import`.
    let taxes = json!({"rates": [
        {"from": "2021-01-01", "treatment": "standard", "percent": "19"},
        {"from": "2021-01-01", "treatment": "reduced", "percent": "7", "category": "books"},
    ]});
    api.post("/v1/tax/rates/DE/set", &taxes, "demo-tax-de").await.ok()?;
    let code = json!({"name": "WELCOME10", "percent": "10"});
    api.post("/v1/promotions/set-code", &code, "demo-code").await.ok()?;
    goods::stock_up(&api, &merchants).await?;
    std::fs::write(done, "").map_err(|error| told(&error))?;
    Ok(true)
}

/// How every merchant of the sample delivers: at home in two ways, free from 50 euros on, and to its neighbors.
fn rates() -> Value {
    let amount = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let rate = |service: &str, price: &str, days: [u8; 2]| {
        let price = json!({"flat": amount(price)});
        json!({"service": service, "price": price, "transit_days": days})
    };
    let mut standard = rate("standard", "4.90", [1, 3]);
    if let Some(rate) = standard.as_object_mut() {
        rate.insert("free_from".to_owned(), amount("50.00"));
    }
    let calendar = json!({
        "time_zone": "Europe/Berlin",
        "working_days": [1, 2, 3, 4, 5],
        "cut_off_hour": 14,
        "handling_days": 1,
    });
    json!({"calendar": calendar, "zones": [
        {"name": "home", "areas": [{"country": "DE"}], "rates": [standard, rate("express", "9.90", [1, 1])]},
        {
            "name": "neighbors",
            "areas": [{"country": "AT"}, {"country": "FR"}, {"country": "NL"}],
            "rates": [rate("standard", "9.90", [2, 6])],
        },
    ]})
}
