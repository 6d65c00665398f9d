//! How a cart is shown: priced now, with what is wrong with it and what is missing.

use axum::extract::{Path, State};
use domain::cart::{Cart, Merged, MergedLine, Offered, Quote, Reason, Strategy, Wares};
use domain::checkout::Stage;
use domain::delivery::Service;
use domain::discount::{Granted, NotGranted};
use domain::pricing::{
    Component, Price, PricedLine, PricedMerchant, Problem as LineProblem, Share, Source, Totals,
};
use domain::text::Word;
use domain::{Money, MoneyError};
use edge::address::AddressBody;
use edge::query::None as NoParameters;
use edge::shopping::{AtHand, RateView, TaxView, UnmetView};
use edge::{Problem, Query, Reply, World};
use events::Amount;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Cart"))]
pub(crate) struct CartView {
    /// Whoever knows a guest's cart id has the cart: keep it like a secret.
    id: String,
    currency: String,
    /// `open`, `locked` while payment is on its way, or `completed`.
    status: &'static str,
    /// The order that it has become.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    lines: Vec<CartLineView>,
    /// What each merchant brings, in the order of first lines.
    parts: Vec<CartPartView>,
    totals: CartTotals,
    /// In the order in which they were given; one that does not hold takes nothing off and says why.
    codes: Vec<GrantedView>,
    /// What is agreed with the customer, and applies by itself before all codes.
    agreements: Vec<GrantedView>,
    /// Whether the tax is `included` in prices or `added` to them.
    prices: &'static str,
    /// How the total came about, piece by piece.
    explanation: Vec<Explained>,
    /// What is missing before it can be ordered, with the step in which it is given.
    unmet: Vec<UnmetView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressBody>,
    /// What tax and delivery are reckoned for.
    destination: DestinationView,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_id: Option<String>,
    /// Until then its stock is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until: Option<String>,
    /// What became of two carts that were joined by this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    merge: Option<MergeView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartMerge"))]
struct MergeView {
    strategy: Strategy,
    /// Every offer that was in either cart.
    lines: Vec<MergeLineView>,
    /// Codes for which there was no room.
    dropped_codes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartMergeLine"))]
struct MergeLineView {
    offer: String,
    /// `added` from the guest's cart, `changed` in quantity, `kept` as the account had it, or `dropped`.
    outcome: &'static str,
    guest_quantity: u32,
    account_quantity: u32,
    quantity: u32,
    /// Why there is less than the strategy alone would leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

impl MergeView {
    fn of(merged: &Merged) -> Self {
        let line = |line: &MergedLine| MergeLineView {
            offer: line.offer.to_string(),
            outcome: match (line.account, line.quantity) {
                (_, 0) => "dropped",
                (0, _) => "added",
                (before, now) if before == now => "kept",
                (_, _) => "changed",
            },
            guest_quantity: line.guest,
            account_quantity: line.account,
            quantity: line.quantity,
            reason: line.reason,
        };
        Self {
            strategy: merged.strategy,
            lines: merged.lines.iter().map(line).collect(),
            dropped_codes: merged.dropped_codes.iter().map(ToString::to_string).collect(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartLine"))]
struct CartLineView {
    line: u16,
    offer: String,
    merchant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    quantity: u32,
    unit_price: Amount,
    /// What it is in the merchant's currency, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_unit_price: Option<Amount>,
    /// Quantity times unit price.
    items: Amount,
    discounts: Vec<DiscountView>,
    tax: TaxView,
    /// What is paid for the line: the truth.
    total: Amount,
    /// What one unit of it comes to, for showing; times the quantity it need not be the total.
    unit_total: Amount,
    problems: Vec<ProblemView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DiscountShare"))]
struct DiscountView {
    /// `code` or `agreement`.
    kind: &'static str,
    /// Its name.
    source: String,
    amount: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartDiscount"))]
struct GrantedView {
    /// As its operator spells it; if nothing is known of it, as it was typed.
    name: String,
    /// What it takes off in all, where it holds; of free delivery nothing, until a delivery is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    /// Why it does not hold: `unknown`, `closed`, `not_yet`, `over`, `used_up`, `other_currency`, `nothing_in_scope` or
    /// `too_little`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The reason for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What goods are missing, where they come to too little.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Amount>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartLineProblem"))]
struct ProblemView {
    /// `insufficient_stock`, `over_limit`, `unavailable` or `price_changed`; only the last one does not stop the order.
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u32>,
    /// The most that one order may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartPart"))]
struct CartPartView {
    merchant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The chosen one.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<Service>,
    /// Every way, the cheapest first; empty where nothing can be brought.
    options: Vec<CartOption>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// At which the merchant's prices are converted, where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<RateView>,
    /// On its delivery.
    discounts: Vec<DiscountView>,
    totals: CartTotals,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartDeliveryOption"))]
struct CartOption {
    service: Service,
    price: Amount,
    /// Expected dates, both working days of the merchant.
    earliest: String,
    latest: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CartTotals {
    items: Amount,
    delivery: Amount,
    discount: Amount,
    tax: Amount,
    total: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PriceComponent"))]
struct Explained {
    /// `items`, `discount`, `delivery`, `tax`, `tax_relief` or `conversion`.
    code: &'static str,
    amount: Amount,
    /// For people.
    detail: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ContactGiven"))]
struct ContactView {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// Since when the shopper agrees to reminders and offers by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    marketing_since: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Destination"))]
struct DestinationView {
    country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal: Option<String>,
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<CartView>, Problem> {
    let held = AtHand::of(&world, &query.caller, &id).await?.cart;
    let view = crate::edit::priced(&world, &query.caller.marketplace, &held.value).await?;
    Ok(Reply::ok(view).revision(held.revision()))
}

impl CartView {
    pub(crate) fn of(cart: &Cart, wares: &Wares, now: Timestamp) -> Result<Self, Problem> {
        let quote = cart.quote(wares, now)?;
        let (status, order) = match &cart.stage {
            Stage::Open => ("open", None),
            Stage::Locked { .. } => ("locked", None),
            Stage::Completed { order, .. } => ("completed", Some(order.to_string())),
        };
        let gate = cart.gate(&quote, Money::zero(cart.currency));
        let missing = match &cart.stage {
            Stage::Open | Stage::Locked { .. } => gate.unmet(),
            Stage::Completed { .. } => Vec::new(),
        };
        let lines = quote.priced.lines.iter().map(|priced| line(cart, wares, priced));
        let to = cart.place();
        Ok(Self {
            id: cart.id.to_string(),
            currency: cart.currency.to_string(),
            status,
            order,
            lines: lines.collect::<Result<_, _>>()?,
            parts: quote.priced.merchants.iter().map(|priced| part(wares, &quote, priced)).collect(),
            totals: totals(&quote.priced.totals),
            codes: granted(&quote, "code")?,
            agreements: granted(&quote, "agreement")?,
            prices: quote.priced.mode.prices.word(),
            explanation: quote.priced.components.iter().map(explained).collect::<Result<_, _>>()?,
            unmet: missing.into_iter().map(UnmetView::from).collect(),
            contact: cart.contact.as_ref().map(|contact| ContactView {
                email: contact.email.as_ref().map(ToString::to_string),
                phone: contact.phone.as_ref().map(ToString::to_string),
                marketing_since: contact.agreed_at.map(|at| at.to_string()),
            }),
            address: cart.address.clone().map(AddressBody::of),
            destination: DestinationView {
                country: to.country.to_string(),
                region: to.region.map(|region| region.to_string()),
                postal: to.postal.map(|postal| postal.to_string()),
            },
            tax_id: cart.tax_id.as_ref().map(ToString::to_string),
            held_until: cart.held_until.map(|at| at.to_string()),
            merge: None,
        })
    }

    pub(crate) fn merged(self, merged: Option<&Merged>) -> Self {
        Self { merge: merged.map(MergeView::of), ..self }
    }
}

fn line(cart: &Cart, wares: &Wares, priced: &PricedLine) -> Result<CartLineView, MoneyError> {
    let line = cart.lines.iter().find(|line| line.number == priced.number);
    let offer = line.and_then(|line| wares.offer(&line.offer));
    Ok(CartLineView {
        line: priced.number,
        offer: line.map(|line| line.offer.to_string()).unwrap_or_default(),
        merchant: priced.merchant.to_string(),
        sku: offer.map(|offer| offer.sku.to_string()),
        title: offer.map(|offer| offer.title.to_string()),
        quantity: priced.quantity,
        unit_price: priced.price.amount().into(),
        original_unit_price: match &priced.price {
            Price::Offered(_) => None,
            Price::Converted(converted) => Some(converted.original.into()),
        },
        items: priced.items.into(),
        discounts: priced.discounts.iter().map(discount).collect(),
        tax: TaxView::from(&priced.tax),
        total: priced.total.into(),
        unit_total: priced.unit_total()?.into(),
        problems: priced.problems.iter().map(problem).collect(),
    })
}

fn discount(share: &Share) -> DiscountView {
    let (kind, name) = named(&share.source);
    DiscountView { kind, source: name.to_string(), amount: share.amount.into() }
}

fn named(source: &Source) -> (&'static str, &Word) {
    match source {
        Source::Code(name) => ("code", name),
        Source::Agreement(name) => ("agreement", name),
    }
}

/// Those of one kind.
fn granted(quote: &Quote, kind: &str) -> Result<Vec<GrantedView>, MoneyError> {
    let of_kind = quote.granted.iter().filter(|granted| named(&granted.source).0 == kind);
    of_kind.map(GrantedView::of).collect()
}

impl GrantedView {
    fn of(granted: &Granted) -> Result<Self, MoneyError> {
        let name = named(&granted.source).1.to_string();
        let not = match &granted.came_to {
            Ok(amount) => {
                let amount = Some((*amount).into());
                return Ok(Self { name, amount, reason: None, detail: None, missing: None });
            }
            Err(not) => not,
        };
        let missing = match not {
            NotGranted::TooLittle { least, value } => Some(least.minus(*value)?.into()),
            NotGranted::Unknown
            | NotGranted::Closed
            | NotGranted::NotYet { .. }
            | NotGranted::Over { .. }
            | NotGranted::UsedUp { .. }
            | NotGranted::OtherCurrency
            | NotGranted::NothingInScope => None,
        };
        Ok(Self { name, amount: None, reason: Some(not.code()), detail: Some(not.to_string()), missing })
    }
}

fn problem(problem: &LineProblem) -> ProblemView {
    let (code, available, limit) = match problem {
        LineProblem::InsufficientStock { available, .. } => ("insufficient_stock", Some(*available), None),
        LineProblem::OverLimit { limit, .. } => ("over_limit", None, Some(*limit)),
        LineProblem::Unavailable => ("unavailable", None, None),
        LineProblem::PriceChanged { .. } => ("price_changed", None, None),
    };
    ProblemView { code, detail: problem.to_string(), available, limit }
}

fn part(wares: &Wares, quote: &Quote, priced: &PricedMerchant) -> CartPartView {
    let offered = quote.options.iter().find(|offered| offered.merchant == priced.merchant);
    let (options, reason) = match offered.map(|Offered { options, .. }| options) {
        Some(Ok(found)) => {
            let option = found.iter().map(|(option, price)| CartOption {
                service: option.service,
                price: price.amount().into(),
                earliest: option.earliest.to_string(),
                latest: option.latest.to_string(),
            });
            (option.collect(), None)
        }
        Some(Err(none)) => (Vec::new(), Some(none.to_string())),
        None => (Vec::new(), None),
    };
    CartPartView {
        merchant: priced.merchant.to_string(),
        name: wares.merchant(&priced.merchant).map(|merchant| merchant.name.to_string()),
        delivery: priced.delivery.as_ref().map(|delivery| delivery.service),
        options,
        reason,
        rate: priced.rate.as_ref().map(RateView::from),
        discounts: priced.delivery.iter().flat_map(|delivery| &delivery.discounts).map(discount).collect(),
        totals: totals(&priced.totals),
    }
}

fn totals(totals: &Totals) -> CartTotals {
    CartTotals {
        items: totals.items.into(),
        delivery: totals.delivery.into(),
        discount: totals.discount.into(),
        tax: totals.tax.into(),
        total: totals.total.into(),
    }
}

fn explained(component: &Component) -> Result<Explained, MoneyError> {
    let (code, amount) = match component {
        Component::Items { amount } => ("items", *amount),
        Component::Discount { amount, .. } => ("discount", *amount),
        Component::Delivery { amount, .. } => ("delivery", *amount),
        Component::Tax { amount, .. } => ("tax", *amount),
        Component::TaxRelief { amount } => ("tax_relief", *amount),
        Component::Conversion { margin, .. } => ("conversion", *margin),
    };
    Ok(Explained { code, amount: amount.into(), detail: component.to_string() })
}
