use super::*;
use crate::Decision;
use crate::catalog::{OfferStatus, ProductStatus};
use crate::checkout::Delivery;
use crate::commission::{Charge, Rule};
use crate::delivery::{Calendar, Price as Rates, Rate, RateTable, Service, Zone};
use crate::discount::Grants;
use crate::gateway::{Decline, Method, Outcome};
use crate::merchant::{Merchant, PayoutAccount, Status};
use crate::order::Refused::NoGuests;
use crate::order::tests::{eur, id, merchant};
use crate::order::{claim, split};
use crate::payment::{self, Opening, Payment, begin_authorize, settle};
use crate::payout::Schedule;
use crate::place::Area;
use crate::pricing::Problem;
use crate::tax::table::{Rules, Sheet};
use crate::tax::{Rate as TaxRate, Treatment};
use jiff::civil::date;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

fn offer(number: u8, of: u8, minor: i64) -> Offer {
    Offer {
        id: id(&format!("off_{number:08}")),
        merchant: merchant(of),
        sku: id(&format!("sku-{number}")),
        product: id("prd_00000001"),
        variant: 1,
        title: id("A mug"),
        category: None,
        grams: Some(250),
        product_status: ProductStatus::Active,
        price: eur(minor),
        status: OfferStatus::Active,
        keeps_stock: true,
        order_limit: None,
        locations: vec![id("main")],
    }
}

fn seller(of: u8) -> Merchant {
    Merchant {
        id: merchant(of),
        name: id("Alma"),
        external_id: None,
        country: None,
        currency: None,
        status: Status::Open,
        commission: vec![Rule { fee: id("commission"), category: None, charge: Charge::Percent(10.into()) }],
        schedule: Schedule::Day {},
        account: PayoutAccount::Missing,
        invitation: None,
        accepted_terms: Vec::new(),
        closures: Vec::new(),
        closing_since: None,
    }
}

/// To Germany for 4.90, free from 50.00 on; to nowhere else.
fn rates() -> RateTable {
    let calendar = Calendar {
        time_zone: "Europe/Berlin".to_owned(),
        working_days: vec![1, 2, 3, 4, 5],
        closed: Vec::new(),
        cut_off_hour: 14,
        handling_days: 1,
    };
    let standard = Rate {
        service: Service::Standard,
        price: Rates::Flat(eur(4_90)),
        free_from: Some(eur(50_00)),
        transit_days: (1, 3),
    };
    let zone = Zone { name: id("home"), areas: vec![Area::Country(id("DE"))], rates: vec![standard] };
    RateTable { calendar, zones: vec![zone] }
}

/// Two merchants, three offers of 10.00, 7.35 and 20.00; 19 % German tax in the prices.
fn wares() -> Wares {
    let tax = TaxRate {
        area: Area::Country(id("DE")),
        category: None,
        from: date(2021, 1, 1),
        treatment: Treatment::Standard(19.into()),
    };
    Wares {
        offers: vec![offer(1, 1, 10_00), offer(2, 1, 7_35), offer(3, 2, 20_00)],
        merchants: vec![seller(1), seller(2)],
        rates: vec![(merchant(1), rates()), (merchant(2), rates())],
        tax: Rules::first().with([Sheet { country: Some(id("DE")), rates: vec![tax] }]),
        fx: Vec::new(),
        available: Vec::new(),
        grants: Grants::default(),
    }
}

fn empty() -> Cart {
    let place = Place { country: id("DE"), region: None, postal: None };
    Cart::open(id("crt_00000001"), id("EUR"), None, place, now())
}

fn add(number: u8, of: u8, minor: i64, quantity: u32) -> Add {
    Add { offer: id(&format!("off_{number:08}")), merchant: merchant(of), price: eur(minor), quantity }
}

/// 2 × 10.00 and 1 × 7.35 of one merchant, 1 × 20.00 of another.
fn full() -> Cart {
    let add = vec![add(1, 1, 10_00, 2), add(2, 1, 7_35, 1), add(3, 2, 20_00, 1)];
    empty().edit(Edit { add, ..Edit::default() }, now()).unwrap()
}

fn standard() -> Vec<Chosen> {
    [1, 2].map(|of| Chosen { merchant: merchant(of), service: Service::Standard }).into()
}

fn holds(cart: &Cart) -> Vec<Hold> {
    let hold = |line: &Line| Hold {
        offer: line.offer.clone(),
        location: id("main"),
        bin: 0,
        quantity: line.quantity,
    };
    cart.lines.iter().map(hold).collect()
}

fn bought(cart: &Cart, wares: &Wares) -> Order {
    let (quote, holds) = (cart.quote(wares, now()).unwrap(), holds(cart));
    cart.buy(&Buy { wares, quote: &quote, commission: &[], holds: &holds, now: now() }).unwrap()
}

#[test]
fn one_offer_has_one_line_and_a_number_is_never_given_again() {
    let cart = full().edit(Edit { add: vec![add(1, 1, 10_00, 3)], ..Edit::default() }, now()).unwrap();
    assert_eq!(
        cart.lines.iter().map(|line| (line.number, line.quantity)).collect::<Vec<_>>(),
        [(1, 5), (2, 1), (3, 1)]
    );
    let cart = cart.edit(Edit { set: vec![(3, 0)], add: vec![add(4, 2, 1_00, 1)], ..Edit::default() }, now());
    assert_eq!(cart.unwrap().lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!(full().edit(Edit { set: vec![(9, 1)], ..Edit::default() }, now()), Err(Refused::NoLine(9)));
    let many = Edit { add: vec![add(1, 1, 10_00, QUANTITY_MAX)], ..Edit::default() };
    assert_eq!(full().edit(many, now()), Err(Refused::Quantity(1_000_002)));
}

#[test]
fn a_cart_of_81_lines_or_33_merchants_is_refused() {
    let lines = |count: u8| (1..=count).map(|n| add(n, 1, 1_00, 1)).collect();
    assert!(empty().edit(Edit { add: lines(80), ..Edit::default() }, now()).is_ok());
    assert_eq!(empty().edit(Edit { add: lines(81), ..Edit::default() }, now()), Err(Refused::LineCount));
    let sellers = |count: u8| (1..=count).map(|n| add(n, n, 1_00, 1)).collect();
    assert!(empty().edit(Edit { add: sellers(32), ..Edit::default() }, now()).is_ok());
    assert_eq!(
        empty().edit(Edit { add: sellers(33), ..Edit::default() }, now()),
        Err(Refused::MerchantCount)
    );
}

#[test]
fn a7_2_two_lines_on_one_offer_are_summed_first() {
    let wares = wares();
    let mut cart = full();
    let more = Line { number: 4, quantity: 3, ..cart.lines[0].clone() };
    cart.lines.push(more);
    let wanted = cart.wanted(&wares.offers);
    let wanted: Vec<_> = wanted.iter().map(|(offer, units)| (offer.sku.as_str(), *units)).collect();
    assert_eq!(wanted, [("sku-1", 5), ("sku-2", 1), ("sku-3", 1)]);
}

#[test]
fn what_a_cart_costs_follows_from_the_offers_as_they_are() {
    // 27.35 and 20.00 of goods; no delivery is chosen yet.
    let quote = full().quote(&wares(), now()).unwrap();
    assert_eq!((quote.priced.totals.total, quote.delivery), (eur(47_35), Delivery::Missing));
    let prices = quote.options.iter().map(|offered| offered.options.as_ref().unwrap()[0].1.amount());
    assert_eq!(prices.collect::<Vec<_>>(), [eur(4_90), eur(4_90)]);
    // With delivery 57.15; the tax in it is 19/119 of each line: 3.19 + 1.17 + 0.78 and 3.19 + 0.78.
    let cart = full().edit(Edit { services: standard(), ..Edit::default() }, now()).unwrap();
    let quote = cart.quote(&wares(), now()).unwrap();
    assert_eq!((quote.priced.totals.total, quote.priced.totals.tax), (eur(57_15), eur(9_11)));
    assert_eq!(quote.delivery, Delivery::Chosen);
    // Goods for 50.00 and more travel free: 5 × 10.00 + 7.35 + 20.00 + 4.90.
    let dearer = cart.edit(Edit { set: vec![(1, 5)], ..Edit::default() }, now()).unwrap();
    assert_eq!(dearer.quote(&wares(), now()).unwrap().priced.totals.total, eur(82_25));
}

#[test]
fn what_is_wrong_with_a_line_is_told_and_a_changed_price_does_not_stop_it() {
    let mut wares = wares();
    wares.offers[0].price = eur(11_00);
    wares.offers[1].status = OfferStatus::Paused;
    wares.available = vec![(id("off_00000003"), 0)];
    let quote = full().quote(&wares, now()).unwrap();
    let told: Vec<_> = quote.priced.lines.iter().map(|line| line.problems.clone()).collect();
    let changed = Problem::PriceChanged { was: eur(10_00), now: eur(11_00) };
    let short = Problem::InsufficientStock { wanted: 1, available: 0 };
    assert_eq!(told, [vec![changed], vec![Problem::Unavailable], vec![short]]);
    assert_eq!(quote.problems().iter().map(|problem| problem.line).collect::<Vec<_>>(), [2, 3]);
    // A merchant that takes no orders sells nothing, and so does one of whom nothing is known.
    wares.merchants[1].status = Status::Suspended;
    wares.merchants.remove(0);
    let quote = full().quote(&wares, now()).unwrap();
    assert!(quote.priced.lines.iter().all(|line| line.problems.contains(&Problem::Unavailable)));
}

#[test]
fn what_is_of_a_product_that_is_not_active_is_not_for_sale() {
    for status in [ProductStatus::Draft, ProductStatus::Archived] {
        let mut wares = wares();
        wares.offers[1].product_status = status;
        let offer = wares.offers[1].id.clone();
        let quote = full().quote(&wares, now()).unwrap();
        let told: Vec<_> = quote.priced.lines.iter().map(|line| line.problems.clone()).collect();
        assert_eq!(told, [vec![], vec![Problem::Unavailable], vec![]]);
        let refused = wares.sold_at(&offer, &full(), now());
        assert_eq!(refused, Err(quote::NotSold::Unavailable(offer)));
    }
}

#[test]
fn a_service_that_is_not_offered_any_more_is_stale() {
    let cart = full().edit(Edit { services: standard(), ..Edit::default() }, now()).unwrap();
    let austria = Place { country: id("AT"), region: None, postal: None };
    let moved = cart.edit(Edit { estimate: Some(austria), ..Edit::default() }, now()).unwrap();
    let quote = moved.quote(&wares(), now()).unwrap();
    assert_eq!((quote.delivery, quote.priced.totals.total), (Delivery::Stale, eur(47_35)));
    // Who sells nothing here brings nothing.
    let of_one = cart.edit(Edit { set: vec![(3, 0)], ..Edit::default() }, now()).unwrap();
    assert_eq!(of_one.services, [Chosen { merchant: merchant(1), service: Service::Standard }]);
    let third = vec![Chosen { merchant: merchant(3), service: Service::Standard }];
    let refused = cart.edit(Edit { services: third, ..Edit::default() }, now());
    assert_eq!(refused, Err(Refused::NoMerchant(merchant(3))));
}

#[test]
fn a8_3_an_edit_while_payment_is_in_flight_is_refused_however_long_that_takes() {
    let locked = Cart { stage: Stage::Locked { since: now() }, ..full() };
    let edit = Edit { set: vec![(1, 1)], ..Edit::default() };
    let refused = Refused::Checkout(checkout::Refused::Locked);
    assert_eq!(locked.edit(edit.clone(), at("2026-03-09T10:00:00Z")), Err(refused));
    assert_eq!(locked.unpaid().edit(edit, now()).unwrap().stage, Stage::Open);
}

#[test]
fn a8_6_a_cart_with_authorized_money_is_never_collected() {
    assert_eq!(full().forgotten_at(), Some(at("2026-04-01T10:00:00Z")));
    assert_eq!(Cart { stage: Stage::Locked { since: now() }, ..full() }.forgotten_at(), None);
}

#[test]
fn the_last_eight_requests_are_known() {
    let mut cart = full();
    for number in 0..10 {
        cart.remember(Asked { key: format!("k{number}"), body: String::new() });
    }
    assert!(cart.asked_before("k1").is_none() && cart.asked_before("k2").is_some());
}

#[test]
fn the_order_is_what_was_shown_with_every_price_tax_and_fee() {
    let cart = full().edit(Edit { services: standard(), ..Edit::default() }, now()).unwrap();
    let order = bought(&cart, &wares());
    assert_eq!(order.id, crate::id::OrderId::of_cart(&cart.id));
    assert_eq!((order.items().unwrap(), order.delivery_total().unwrap()), (eur(47_35), eur(9_80)));
    let taxes = order.lines.iter().map(|line| line.priced.as_ref().unwrap().tax.amount.minor);
    assert_eq!(taxes.collect::<Vec<_>>(), [3_19, 1_17, 3_19]);
    // A tenth of what the customer pays for the goods; 0.735 is half-up 0.74.
    let fees = order.lines.iter().map(|line| line.fee_total().unwrap().minor);
    assert_eq!(fees.collect::<Vec<_>>(), [2_00, 74, 2_00]);
    assert_eq!(crate::stock::allocated(order.lines[0].allocations.as_ref().unwrap()), 2);
    // Each merchant gets what its own delivery costs.
    let parts = split(&order).unwrap();
    let worth = parts.iter().map(|part| part.worth().unwrap());
    assert_eq!(worth.collect::<Vec<_>>(), [eur(32_25), eur(24_90)]);
}

#[test]
fn a_line_without_its_offer_makes_no_order() {
    let (cart, mut wares) = (full(), wares());
    let quote = cart.quote(&wares, now()).unwrap();
    wares.offers.remove(1);
    let buy = Buy { wares: &wares, quote: &quote, commission: &[], holds: &[], now: now() };
    assert_eq!(cart.buy(&buy), Err(NotBought::Line(2)));
}

proptest! {
    #[test]
    fn a10_1_the_parts_sum_to_what_was_shown(
        lines in prop::collection::vec((1_u8..4, 1_i64..100_000, 1_u32..50), 1..20),
        rounding in prop::sample::select(vec![crate::tax::Rounding::Line, crate::tax::Rounding::Unit]),
        prices in prop::sample::select(vec![crate::tax::Prices::Included, crate::tax::Prices::Added]),
    ) {
        let mut wares = wares();
        wares.tax.mode = crate::tax::Mode { prices, rounding };
        wares.merchants.push(seller(3));
        wares.rates.push((merchant(3), rates()));
        let all: Vec<_> = (1_u8..).zip(&lines).collect();
        wares.offers = all.iter().map(|(n, (of, minor, _))| offer(*n, *of, *minor)).collect();
        let add = all.iter().map(|(n, (of, minor, quantity))| add(*n, *of, *minor, *quantity)).collect();
        let cart = empty().edit(Edit { add, ..Edit::default() }, now()).unwrap();
        let services = cart.merchants().into_iter().cloned();
        let services = services.map(|merchant| Chosen { merchant, service: Service::Standard }).collect();
        let cart = cart.edit(Edit { services, ..Edit::default() }, now()).unwrap();
        let shown = cart.quote(&wares, now()).unwrap().priced.totals.total;
        let order = bought(&cart, &wares);
        let parts = split(&order).unwrap();
        let sum = Money::sum(shown.currency, parts.iter().map(|part| part.worth().unwrap())).unwrap();
        prop_assert_eq!((sum, order.total().unwrap()), (shown, shown));
        prop_assert!(order.sale().is_ok());
    }
}

/// A payment of so much, number `n` of a cart, of which this was told after its first attempt had begun.
fn told(number: u8, minor: i64, outcome: Option<Outcome>) -> Payment {
    let opening = Opening {
        order: id("ord_00000001"),
        cart: Some(id("crt_00000001")),
        invoice: None,
        off_session: false,
        number,
        method: Method::Card,
        gateway: id("sandbox"),
        token: Some(id("tok_visa")),
        amount: eur(minor),
        part: None,
    };
    let payment = payment::open(opening, now()).unwrap();
    let Ok(Decision::New(begun)) = begin_authorize(&payment, None, now()) else { panic!("it begins") };
    let payment = payment.apply(&begun);
    let Some(outcome) = outcome else { return payment };
    match settle(&payment, 1, outcome, None, now()).unwrap() {
        Decision::New(fact) => payment.apply(&fact),
        Decision::Already => payment,
    }
}

#[test]
fn what_the_payments_of_a_checkout_come_to() {
    let reference = || id("ref-1");
    let decline = |code: &str| Decline::of(id(code));
    let declined = |code: &str| Some(Outcome::Declined { decline: decline(code) });
    let failed = |code: &str| Verdict::Failed { decline: Some(decline(code)) };
    let nothing = || Verdict::Failed { decline: None };
    let secured = |promised| Verdict::Secured { promised };
    let approved = || Some(Outcome::Approved { reference: reference(), expires_at: None });
    let captured = |minor| Some(Outcome::Captured { reference: reference(), amount: eur(minor) });
    let promised = || Some(Outcome::Promised { reference: reference() });
    let asked =
        || Some(Outcome::RequiresAction { reference: reference(), url: id("https://bank.example/3ds") });
    let unknown = || Some(Outcome::Unknown);
    let lapsed = || Some(Outcome::Lapsed);
    let unheard = || None;
    // Payments by amount and what was told of each; the total is 60.00.
    let table = [
        // One alone.
        (vec![(60_00, approved())], secured(false)),
        (vec![(60_00, captured(60_00))], secured(false)),
        (vec![(60_00, promised())], secured(true)),
        (vec![(60_00, unheard())], Verdict::Waits),
        (vec![(60_00, unknown())], Verdict::Waits),
        (vec![(60_00, asked())], Verdict::Waits),
        (vec![(60_00, declined("stolen_card"))], failed("stolen_card")),
        // Too little, too much, and none.
        (vec![(59_99, approved())], nothing()),
        (vec![(60_01, approved())], nothing()),
        (vec![(60_00, captured(59_99))], nothing()),
        // What comes beside its amount fits nothing, and does not count.
        (vec![(60_00, captured(75_00))], secured(false)),
        (vec![], nothing()),
        // Two that go well.
        (vec![(20_00, approved()), (40_00, approved())], secured(false)),
        (vec![(20_00, captured(20_00)), (40_00, approved())], secured(false)),
        (vec![(20_00, approved()), (40_00, promised())], secured(true)),
        (vec![(20_00, promised()), (40_00, promised())], secured(true)),
        (vec![(20_00, approved()), (39_99, approved())], nothing()),
        // A9(1): one that nobody knows of bars any judgment, whatever the other says.
        (vec![(20_00, unknown()), (40_00, approved())], Verdict::Waits),
        (vec![(20_00, unheard()), (40_00, captured(40_00))], Verdict::Waits),
        (vec![(20_00, unknown()), (40_00, declined("stolen_card"))], Verdict::Waits),
        (vec![(20_00, declined("stolen_card")), (40_00, unheard())], Verdict::Waits),
        (vec![(20_00, unknown()), (40_00, asked())], Verdict::Waits),
        (vec![(20_00, unknown()), (40_00, promised())], Verdict::Waits),
        // A customer who is still asked is waited for, but not in vain.
        (vec![(20_00, asked()), (40_00, approved())], Verdict::Waits),
        (vec![(20_00, asked()), (40_00, promised())], Verdict::Waits),
        (vec![(20_00, asked()), (39_99, approved())], Verdict::Waits),
        (vec![(20_00, asked()), (40_00, declined("stolen_card"))], failed("stolen_card")),
        // One declined is enough, and the first of two is told.
        (vec![(20_00, approved()), (40_00, declined("insufficient_funds"))], failed("insufficient_funds")),
        (vec![(20_00, promised()), (40_00, declined("insufficient_funds"))], failed("insufficient_funds")),
        (vec![(20_00, declined("expired_card")), (40_00, declined("stolen_card"))], failed("expired_card")),
        (vec![(20_00, captured(20_00)), (40_00, declined("stolen_card"))], failed("stolen_card")),
    ];
    for (payments, want) in table {
        let list = (1..).zip(&payments).map(|(n, (minor, outcome))| told(n, *minor, outcome.clone()));
        assert_eq!(verdict(eur(60_00), &list.collect::<Vec<_>>()), want, "{payments:?}");
    }
    // An authorization that has ended secures nothing; one that was never tried neither.
    let ended =
        [approved(), lapsed()].into_iter().flatten().fold(told(1, 60_00, None), |payment, outcome| {
            let Ok(Decision::New(fact)) = settle(&payment, 1, outcome, None, now()) else {
                panic!("it is news")
            };
            payment.apply(&fact)
        });
    assert_eq!(verdict(eur(60_00), &[ended]), nothing());
    let untried = Payment { attempts: Vec::new(), ..told(1, 60_00, None) };
    assert_eq!(verdict(eur(60_00), &[untried]), nothing());
    // While it is being given back nobody counts on it; where that is refused it holds after all.
    let fact = |decided| match decided {
        Ok(Decision::New(fact)) => fact,
        other => panic!("{other:?} is no news"),
    };
    let held = told(1, 60_00, approved());
    let releasing = held.clone().apply(&fact(payment::begin_void(&held, 1, now())));
    assert_eq!(verdict(eur(60_00), std::slice::from_ref(&releasing)), Verdict::Waits);
    for (outcome, want) in [(approved(), nothing()), (declined("processing_error"), secured(false))] {
        let told = fact(settle(&releasing, 2, outcome.unwrap(), None, now()));
        assert_eq!(verdict(eur(60_00), &[releasing.clone().apply(&told)]), want);
    }
    // Where nothing is to be paid, nothing has to be (A6(6)).
    assert_eq!(verdict(eur(0), &[]), secured(false));
}

#[test]
fn what_a_guest_has_bought_goes_to_one_account_and_changes_in_nothing_else() {
    let cart = full().edit(Edit { services: standard(), ..Edit::default() }, now()).unwrap();
    let order = bought(&cart, &wares());
    let [ines, omar] = [1, 2].map(CustomerId::from_bits);
    let Ok(Decision::New(decided)) = claim(&order, &ines) else { panic!("it is a guest's") };
    assert!(decided.posting.is_empty(), "no money moves");
    let hers = order.clone().apply(&decided.fact);
    assert_eq!(hers, Order { customer: Some(ines.clone()), ..order });
    assert_eq!(claim(&hers, &ines), Ok(Decision::Already));
    assert_eq!(claim(&hers, &omar), Err(NoGuests));
    // What a channel has sold is nobody's to claim, whether the channel names a customer or not.
    for customer in [None, Some(omar)] {
        let sold = Order { bought: None, customer, ..hers.clone() };
        assert_eq!(claim(&sold, &ines), Err(NoGuests));
    }
}
