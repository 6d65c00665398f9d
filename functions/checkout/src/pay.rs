//! `pay`: through the gate, then the gateways, then the order.

use crate::conclude::{Concluded, Going, Told, attempt, conclude};
use crate::hold::taking;
use crate::show::{CheckoutView, current};
use crate::subscribe::SubscribeBody;
use axum::extract::{Path, State};
use domain::cart::{Buy, Cart, HELD, PAYMENTS_MAX, Subscribing, Wares};
use domain::checkout::Stage;
use domain::credit::StoreCredit;
use domain::gateway::{GatewayToken, Method};
use domain::id::{MarketplaceId, OrderId};
use domain::merchant_order::MerchantOrder;
use domain::order::{Order, split};
use domain::payment::{self, Opening, Payment};
use domain::tender::{self, Planned, Tender, cover, plan};
use domain::text::Word;
use domain::{Currency, Decision, Money};
use edge::shopping::AtHand;
use edge::{Cardless, Check, Command, Overtaken, Problem, Reply, World};
use events::{Amount, Context};
use futures::future::join_all;
use gateway::{Gateway, Gateways};
use jiff::Timestamp;
use serde::Deserialize;
use table::credit::CreditMoved;
use table::due::Work;
use table::payment::look_that_is_new;
use table::{Commit, Held};

/// Means of payment that one order may be split over.
const TENDERS_MAX: usize = 5;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PayCart"))]
pub(crate) struct Pay {
    /// What the customer has seen and agreed to; another total is a 409 `cart_changed` with the current one.
    expected_total: Amount,
    /// Vouchers and credit are taken first, then the others in this order; none where nothing is to be paid.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = TENDERS_MAX)))]
    payments: Vec<PayBody>,
    /// The customer subscribes to a plan that sends goods: they are in the cart, and come first with its order.
    #[serde(default)]
    subscribe: Option<SubscribeBody>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MeansOfPayment"))]
struct PayBody {
    /// `store_credit` has no token: it is what the customer who has signed in has here.
    method: Method,
    /// The gateway's name for the customer's means of payment, made in the browser; never a card's number.
    #[serde(default)]
    token: Option<GatewayToken>,
    /// At most so much of it; whatever is left, if not said.
    #[serde(default)]
    amount: Option<Amount>,
    /// One of the marketplace's gateways; the first that takes the method, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    gateway: Option<String>,
}

/// A means of payment that was offered, with the gateway that takes it.
pub(crate) struct Means {
    pub(crate) tender: Tender,
    pub(crate) name: Word,
    pub(crate) token: Option<GatewayToken>,
}

/// A cart that is to be paid, and how.
pub(crate) struct Paying {
    pub(crate) hand: AtHand,
    /// What was agreed to; none of what is renewed at its price of the day.
    pub(crate) expected: Option<Money>,
    pub(crate) means: Vec<Means>,
    pub(crate) credit: Option<Held<StoreCredit>>,
    /// Its customer is not there.
    pub(crate) off_session: bool,
    /// What its customer subscribes to with it.
    pub(crate) subscribes: Option<Subscribing>,
}

/// How far a checkout has come once it is begun.
pub(crate) enum Begun {
    /// Attempts are committed, and the gateways are to be called.
    Going(Box<Going>),
    /// Nothing was to be paid.
    Over(Concluded),
}

pub(crate) async fn pay(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Cardless<Pay>>,
) -> Result<Reply<CheckoutView>, Problem> {
    let m = &command.caller.marketplace;
    let gateways = Gateways::of(&world);
    let begun = world.until_free(|| async {
        let hand = AtHand::of(&world, &command.caller, &id).await?;
        if let Stage::Completed { .. } = hand.cart.value.stage {
            // It had become its order before.
            return Ok(Err(hand.cart.value));
        }
        let paying = asked(&world, &gateways, hand, &command).await?;
        let context = command.context(world.now());
        begin(&world, &gateways, (m, &context), paying).await.map(Ok)
    });
    let concluded = match begun.await? {
        Err(placed) => return Ok(Reply::ok(current(&world, m, &placed).await?).replayed()),
        Ok(Begun::Over(concluded)) => concluded,
        Ok(Begun::Going(going)) => {
            let context = command.context(world.now());
            charge(&world, &gateways, (m, &context), *going).await?
        }
    };
    answer(&world, concluded)
}

/// Step 3 and what comes of it. Nothing is open in the table while others are called (A9(2)).
pub(crate) async fn charge(
    world: &World,
    gateways: &Gateways,
    (m, context): (&MarketplaceId, &Context),
    going: Going,
) -> Result<Concluded, Problem> {
    let calls = going.payments.iter().map(|held| call(gateways, m, &held.value));
    let told: Vec<Told> = join_all(calls).await.into_iter().flatten().collect();
    let cart = going.cart.value.id.clone();
    conclude(world, m, context, &cart, Some(going), &told).await
}

/// What is told of a checkout that was paid, or is on its way.
pub(crate) fn answer(world: &World, concluded: Concluded) -> Result<Reply<CheckoutView>, Problem> {
    let now = world.now();
    match concluded {
        Concluded::Placed(cart, payments) => {
            Ok(Reply::created(CheckoutView::of(&cart, None, &payments, now)?))
        }
        Concluded::Waits(cart, payments) => {
            Ok(Reply::accepted(CheckoutView::of(&cart, None, &payments, now)?))
        }
        Concluded::Failed(decline) => {
            let problem = Problem::new(402, "payment_declined", "The payment did not go through");
            Err(match decline {
                Some(decline) => problem
                    .with(format!("the gateway says `{}`", decline.code))
                    .member("decline", serde_json::json!({"code": decline.code, "class": decline.class})),
                None => problem.with("it was released before it could be used: try again"),
            })
        }
        Concluded::SoldOut => Err(Problem::new(409, "sold_out", "Something was sold meanwhile")
            .with("nothing was charged; the cart's lines say what is left")),
    }
}

/// The first call of a payment.
async fn call(gateways: &Gateways, m: &MarketplaceId, payment: &Payment) -> Option<Told> {
    let attempt = payment.attempts.last()?;
    let (gateway, request) = (gateways.find(payment.gateway.as_str())?, payment.request(attempt)?);
    let outcome = gateway.call(m, &request).await;
    Some(Told { payment: payment.id.clone(), attempt: attempt.number, outcome, ask: None })
}

/// What a request wants to pay, read.
async fn asked(
    world: &World,
    gateways: &Gateways,
    hand: AtHand,
    command: &Command<Cardless<Pay>>,
) -> Result<Paying, Problem> {
    let cart = &hand.cart.value;
    let mut check = Check::new();
    let expected = check.money("expected_total", &command.body.0.expected_total, cart.currency);
    let bodies = &command.body.0.payments;
    let credit = credit_of(world, &command.caller.marketplace, cart, bodies).await?;
    let means = read(&mut check, gateways, bodies, cart.currency, credit.as_ref());
    check.done()?;
    let expected = Some(expected.ok_or_else(Problem::internal)?);
    let subscribes = match &command.body.0.subscribe {
        Some(body) => Some(body.read(world, &command.caller.marketplace, cart, &means).await?),
        None => None,
    };
    Ok(Paying { hand, expected, means, credit, off_session: false, subscribes })
}

/// Steps 1 and 2: the stock is held, the gate passed, the attempts are committed. Where nothing is to be paid (A6(6))
/// the order is placed: busy means that something was in its way, which the next look sees.
pub(crate) async fn begin(
    world: &World,
    gateways: &Gateways,
    (m, context): (&MarketplaceId, &Context),
    paying: Paying,
) -> Result<Begun, Problem> {
    let Paying { hand, expected, means, credit, off_session, subscribes } = paying;
    let AtHand { cart: held, marketplace, data_key } = hand;
    let now = world.now();
    held.value.stage.must_be_open()?;

    let mut wares = world.table.wares(m, &held.value).await?;
    let cart = match held.value.is_held(&wares.offers, now) {
        true => held.value.clone(),
        false => taking(world, m, held.value.clone(), &mut wares, HELD, now).await?,
    };
    let ready = || {
        let draft = gate(&cart, &wares, &marketplace.settings.commission, expected, &means, now)?;
        let payments = open(&cart, &draft, &means, off_session, now)?;
        fits(&cart, &payments, subscribes.is_some())?;
        Ok((draft, payments))
    };
    let (draft, payments) = match ready() {
        Ok(ready) => ready,
        Err(refused) => {
            // What was taken just now is noted, so that the next try need not take it again.
            if cart != held.value {
                world.table.put(m, Some(&held), &cart).await?;
            }
            return Err(refused);
        }
    };
    let count = u8::try_from(payments.len()).unwrap_or(PAYMENTS_MAX);
    let next = cart.paying(draft, count, subscribes, now);
    if payments.is_empty() {
        let cart = Held::written(next, held.revision());
        let going = Going { cart, payments: Vec::new(), data_key };
        return attempt(world, m, context, going, &[]).await.map(Begun::Over);
    }
    // Credit is promised in the transaction that begins the attempt, and to nobody else. Where others have the last use
    // of a code the cart costs more now, and the next look says so.
    let promised = CreditMoved::promised(credit, &payments.iter().collect::<Vec<_>>())?;
    let mut commit = Commit::new(m, context).replace(&held, &next).credit(promised, Overtaken);
    commit = commit.redeem(next.redeemed(), &Overtaken);
    for payment in &payments {
        commit = commit.open_payment(payment, Overtaken);
        let able = gateways.find(payment.gateway.as_str()).map(Gateway::capabilities);
        if let Some(at) = able.and_then(|able| look_that_is_new((None, payment), able, now)) {
            commit = commit.due(Work::Payment, payment.id.as_str(), at);
        }
    }
    commit.send(&world.table).await?;
    let payments = payments.into_iter().map(|payment| Held::written(payment, 1)).collect();
    let cart = Held::written(next, held.next_step());
    Ok(Begun::Going(Box::new(Going { cart, payments, data_key })))
}

/// DynamoDB's bound of one transaction, and what the placing writes beside stock and payments: cart, order and its
/// story, who has ordered, and the key of that.
const WRITES_MAX: usize = 100;
const WRITES_BESIDE: usize = 5;
/// Where a subscription begins with it: that, its story, whom its invoices go to, and that its customer has the plan.
/// One that has ordered it takes no more.
const WRITES_OF_SUBSCRIPTION: usize = 4;

/// Whether the order can be placed in one transaction: each payment is three writes, itself, its story and its next due
/// work; an order whose money is only promised is due work too. A line whose units lie in several places, or one
/// payment per merchant order, can make it too many.
fn fits(cart: &Cart, payments: &[Payment], subscribes: bool) -> Result<(), Problem> {
    let subscription = if subscribes || cart.renews.is_some() { WRITES_OF_SUBSCRIPTION } else { 0 };
    let promised = usize::from(payments.iter().any(|one| one.method == Method::BankTransfer));
    let of_payments = payments.len().saturating_mul(3).saturating_add(promised);
    // Uses of codes are taken with the lock, but where nothing is to be paid with the placing.
    let codes = if payments.is_empty() { cart.codes.len() } else { 0 };
    let beside = codes.saturating_add(WRITES_BESIDE + subscription);
    let writes = cart.holds.len().saturating_add(of_payments).saturating_add(beside);
    if writes <= WRITES_MAX {
        return Ok(());
    }
    let why = format!(
        "it takes {writes} writes of at most {WRITES_MAX}: order fewer lines at once, or pay in one way"
    );
    Err(Problem::new(409, "order_too_large", "The order is too large to be placed at once").with(why))
}

/// What the customer may pay with store credit; none of a guest, or where nobody asks.
async fn credit_of(
    world: &World,
    m: &MarketplaceId,
    cart: &Cart,
    payments: &[PayBody],
) -> Result<Option<Held<StoreCredit>>, Problem> {
    match &cart.customer {
        Some(customer) if payments.iter().any(|one| one.method == Method::StoreCredit) => {
            Ok(world.table.store_credit(m, customer, cart.currency).await?)
        }
        Some(_) | None => Ok(None),
    }
}

/// From words to means of payment.
fn read(
    check: &mut Check,
    gateways: &Gateways,
    payments: &[PayBody],
    currency: Currency,
    credit: Option<&Held<StoreCredit>>,
) -> Vec<Means> {
    if payments.len() > TENDERS_MAX {
        check.wrong("payments", "range", format!("at most {TENDERS_MAX} means of payment"));
    }
    let mut means = Vec::new();
    for (at, PayBody { method, token, amount, gateway }) in payments.iter().enumerate().take(TENDERS_MAX) {
        let earlier = payments.iter().take(at);
        if *method == Method::StoreCredit && earlier.map(|one| one.method).any(|one| one == *method) {
            check.wrong(
                format!("payments[{at}].method"),
                "twice",
                "what the customer has here is named once",
            );
        }
        let limit = amount
            .as_ref()
            .and_then(|amount| check.money(format!("payments[{at}].amount"), amount, currency));
        let found = match gateway {
            Some(name) => gateways.find(name).filter(|gateway| gateway.takes(*method)),
            None => gateways.for_method(*method),
        };
        let Some(found) = found else {
            let why = "no gateway of the marketplace takes this method";
            check.wrong(format!("payments[{at}].method"), "unknown", why);
            continue;
        };
        let balance = match method {
            Method::StoreCredit => {
                let available = credit.and_then(|held| held.value.available().ok());
                Some(available.unwrap_or(Money::zero(currency)))
            }
            Method::Card | Method::Wallet | Method::Bnpl | Method::Voucher | Method::BankTransfer => {
                token.as_ref().and_then(|token| found.balance(token, currency))
            }
        };
        let limit = match (limit, balance) {
            (Some(limit), Some(balance)) if balance.minor < limit.minor => Some(balance),
            (None, balance) => balance,
            (limit, _) => limit,
        };
        let tender = Tender { method: *method, gateway: found.capabilities(), limit };
        if let Some(name) = check.parse::<Word>(format!("payments[{at}].gateway"), found.name()) {
            means.push(Means { tender, name, token: token.clone() });
        }
    }
    means
}

/// The one hard gate, and the order that is paid for once it is passed.
fn gate(
    cart: &Cart,
    wares: &Wares,
    commission: &[domain::commission::Rule],
    expected: Option<Money>,
    means: &[Means],
    now: Timestamp,
) -> Result<Order, Problem> {
    let quote = cart.quote(wares, now)?;
    let total = quote.priced.totals.total;
    let tenders: Vec<Tender> = means.iter().map(|means| means.tender).collect();
    let covered = match cover(total, &tenders) {
        Ok(_) => total,
        Err(tender::Refused::Short { missing, .. }) => total.minus(missing)?,
        Err(tender::Refused::ExceedsCaptured { .. } | tender::Refused::Money(_)) => {
            Money::zero(total.currency)
        }
    };
    cart.gate(&quote, covered).pass(expected.unwrap_or(total))?;
    Ok(cart.buy(&Buy { wares, quote: &quote, commission, holds: &cart.holds, now })?)
}

/// The payments of an order, each with its first attempt begun.
fn open(
    cart: &Cart,
    draft: &Order,
    means: &[Means],
    off_session: bool,
    now: Timestamp,
) -> Result<Vec<Payment>, Problem> {
    let parts = split(draft)?;
    let parts = parts.iter().map(MerchantOrder::worth).collect::<Result<Vec<Money>, _>>()?;
    let tenders: Vec<Tender> = means.iter().map(|means| means.tender).collect();
    let planned = plan(&parts, &tenders, cart.currency)?;
    if usize::from(cart.payments).saturating_add(planned.len()) > usize::from(PAYMENTS_MAX) {
        let title = "Too many payments were tried with this cart";
        return Err(Problem::new(409, "payment_count", title).with(format!("at most {PAYMENTS_MAX}")));
    }
    let mut payments = Vec::with_capacity(planned.len());
    for (number, Planned { tender, part, amount }) in (cart.payments.saturating_add(1)..).zip(planned) {
        let Some(means) = means.get(tender) else { continue };
        let opening = Opening {
            order: OrderId::of_cart(&cart.id),
            cart: Some(cart.id.clone()),
            invoice: None,
            off_session,
            number,
            method: means.tender.method,
            gateway: means.name.clone(),
            token: means.token.clone(),
            amount,
            part,
        };
        let payment = payment::open(opening, now)?;
        let Decision::New(begun) = payment::begin_authorize(&payment, None, now)? else { continue };
        payments.push(payment.apply(&begun));
    }
    Ok(payments)
}
