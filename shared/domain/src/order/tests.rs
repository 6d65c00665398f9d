use super::*;
use crate::commission::{Charge, Rule, freeze};
use crate::id::MerchantOrderId;
use crate::ledger::MerchantEntry;
use crate::merchant_order::{RefundLines, Stage as PartStage, Tracking, Units};
use crate::payment::To;
use crate::payout::{claw_back, earning};
use jiff::ToSpan;
use std::collections::BTreeMap;

mod laws;

pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("well formed")
}

pub(crate) fn eur(minor: i64) -> Money {
    Money::new(minor, id("EUR"))
}

/// Hours after a Monday noon.
pub(crate) fn at(hours: i64) -> Timestamp {
    id::<Timestamp>("2017-01-02T12:00:00Z").checked_add(hours.hours()).unwrap()
}

pub(crate) fn merchant(number: u8) -> MerchantId {
    id(&format!("mer_{number:08}"))
}

fn percent(percent: i64, items: Money) -> Vec<Fee> {
    let rule = Rule { fee: id("commission"), category: None, charge: Charge::Percent(percent.into()) };
    freeze([&rule], None, items, 1, Ok::<_, MoneyError>).unwrap()
}

/// A line with a commission of 15 %.
pub(crate) fn line(number: u16, of: u8, quantity: u32, price: i64, delivery: i64) -> Line {
    Line {
        number,
        merchant: merchant(of),
        sku: id(&format!("sku-{number}")),
        offer: None,
        allocations: None,
        title: None,
        category: None,
        quantity,
        unit_price: eur(price),
        delivery: eur(delivery),
        fees: percent(15, eur(price).times(quantity).unwrap()),
        priced: None,
    }
}

fn payments(amounts: &[i64]) -> Vec<Payment> {
    let payment = |minor: &i64| Payment { method: id("card"), amount: eur(*minor), reference: None };
    amounts.iter().map(payment).collect()
}

fn intake(lines: Vec<Line>, delivery: i64, paid: &[i64]) -> Intake {
    Intake {
        id: id("ord_00000001"),
        channel: id("web"),
        external_id: None,
        customer: None,
        currency: id("EUR"),
        placed_at: at(0),
        lines,
        delivery: eur(delivery),
        payments: payments(paid),
        fingerprint: "f".to_owned(),
        bought: None,
        rates: Vec::new(),
    }
}

pub(crate) fn placed(lines: Vec<Line>, delivery: i64, paid: &[i64]) -> Order {
    Order::place(intake(lines, delivery, paid)).expect("placed")
}

/// Three mugs and a bowl of the first merchant, a lamp of the second, 5.00 for bringing it all: 89.50.
pub(crate) fn house(paid: &[i64]) -> Order {
    let lines = vec![line(1, 1, 3, 14_50, 2_00), line(2, 1, 1, 9_00, 0), line(3, 2, 1, 30_00, 0)];
    placed(lines, 5_00, paid)
}

/// Anything that can come at an order and its parts; parts, lines and shipments are counted from 0 and wrap.
#[derive(Debug, Clone)]
enum Step {
    Pay(Vec<i64>),
    Cancel,
    Resolve,
    Accept(usize),
    Reject { part: usize, line: usize, units: u32 },
    Ship { part: usize, tracking: u8, line: usize, units: u32 },
    ShipAll(usize),
    Deliver { part: usize, shipment: usize },
    Lose { part: usize, shipment: usize },
    Refund { part: usize, line: usize, units: u32, delivery: bool },
}

/// An order, its parts and all the money that has moved on their account.
#[derive(Debug, Clone)]
struct Life {
    order: Order,
    parts: Vec<MerchantOrder>,
    /// In the order's currency.
    books: BTreeMap<Account, i64>,
    /// In the merchants' own, where they are others.
    own: BTreeMap<Account, i64>,
    entries: Vec<MerchantEntry>,
    /// Positions of the parts that became an earning.
    earnings: Vec<usize>,
    /// What merchants gave back for refunds.
    returned: BTreeMap<MerchantId, i64>,
}

#[derive(Debug)]
struct Change {
    order: Option<Decided>,
    parts: Vec<(usize, merchant_order::Fact)>,
}

impl Change {
    fn of_order(decided: Decision<Decided>) -> Decision<Self> {
        match decided {
            Decision::New(decided) => Decision::New(Self { order: Some(decided), parts: Vec::new() }),
            Decision::Already => Decision::Already,
        }
    }

    fn of_part(part: usize, decided: Decision<merchant_order::Fact>) -> Decision<Self> {
        match decided {
            Decision::New(fact) => Decision::New(Self { order: None, parts: vec![(part, fact)] }),
            Decision::Already => Decision::Already,
        }
    }
}

impl Life {
    fn of(order: Order) -> Self {
        let parts = split(&order).unwrap();
        let (books, own, entries) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let (earnings, returned) = (Vec::new(), BTreeMap::new());
        let mut life = Self { order, parts, books, own, entries, earnings, returned };
        life.post(&life.order.sale().unwrap());
        life
    }

    fn post(&mut self, posting: &Posting) {
        let books = if posting.currency() == self.order.currency { &mut self.books } else { &mut self.own };
        for (account, amount) in posting.entries() {
            *books.entry(account.clone()).or_default() += amount.minor;
        }
    }

    fn on(&self, account: &Account) -> i64 {
        self.books.get(account).copied().unwrap_or_default()
    }

    fn units(&self, part: usize, line: usize, quantity: u32) -> Vec<Units> {
        let lines = &self.parts[part].lines;
        vec![Units { line: lines[line % lines.len()].number, quantity }]
    }

    fn answer(&self, step: &Step) -> Result<Decision<Change>, Refused> {
        let (now, reason) = (at(24), id::<Reason>("asked"));
        let of = |part: &usize| part % self.parts.len();
        Ok(match step {
            Step::Pay(amounts) => match pay(&self.order, payments(amounts), now)? {
                Decision::Already => Decision::Already,
                Decision::New(decided) => {
                    let opened = |(place, part)| match merchant_order::open(part, now) {
                        Decision::New(fact) => Some((place, fact)),
                        Decision::Already => None,
                    };
                    let parts = self.parts.iter().enumerate().filter_map(opened).collect();
                    Decision::New(Change { order: Some(decided), parts })
                }
            },
            Step::Cancel => match cancel(&self.order, &self.parts, reason, now)? {
                Decision::Already => Decision::Already,
                Decision::New(Cancellation { order, parts }) => {
                    Decision::New(Change { order: Some(order), parts })
                }
            },
            Step::Resolve => {
                Change::of_order(resolve_exception(&self.order, reason, "olga".to_owned(), now)?)
            }
            Step::Accept(part) => {
                Change::of_part(of(part), merchant_order::accept(&self.parts[of(part)], &[])?)
            }
            Step::Reject { part, line, units } => {
                let (place, held) = (of(part), &self.parts[of(part)]);
                let lines = self.units(place, *line, *units);
                let fact = merchant_order::reject(held, lines, reason.clone(), now)?;
                Decision::New(self.given_back(place, fact, reason, now)?)
            }
            Step::Ship { part, tracking, line, units } => {
                let (place, lines) = (of(part), self.units(of(part), *line, *units));
                let tracking = id(&format!("trk-{tracking}"));
                let held = &self.parts[place];
                Change::of_part(
                    place,
                    merchant_order::ship(held, id("dhl"), tracking, lines, Shelves::default(), now)?,
                )
            }
            Step::ShipAll(part) => {
                let held = &self.parts[of(part)];
                let decided =
                    merchant_order::ship(held, id("dhl"), id("trk-all"), vec![], Shelves::default(), now)?;
                Change::of_part(of(part), decided)
            }
            Step::Deliver { part, shipment } => {
                let held = &self.parts[of(part)];
                let Some(parcel) = held.shipments.iter().cycle().nth(*shipment) else {
                    return Ok(Decision::Already);
                };
                let decided = merchant_order::track(held, &parcel.id, Tracking::Delivered, at(48))?;
                Change::of_part(of(part), decided)
            }
            Step::Lose { part, shipment } => {
                let (place, held) = (of(part), &self.parts[of(part)]);
                let Some(parcel) = held.shipments.iter().cycle().nth(*shipment) else {
                    return Ok(Decision::Already);
                };
                match merchant_order::track(held, &parcel.id, Tracking::Lost, at(48))? {
                    Decision::New(fact) => Decision::New(self.given_back(place, fact, reason, at(48))?),
                    Decision::Already => Decision::Already,
                }
            }
            Step::Refund { part, line, units, delivery } => {
                let lines = self.units(of(part), *line, *units);
                let request = RefundLines { lines, delivery: *delivery, to: To::Original, reason };
                let (decided, fact) = refund(&self.order, &self.parts[of(part)], request, at(72))?;
                Decision::New(Change { order: Some(decided), parts: vec![(of(part), fact)] })
            }
        })
    }

    /// What a part will not deliver, with the order's side of it.
    fn given_back(
        &self,
        place: usize,
        fact: merchant_order::Fact,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Change, Refused> {
        let held = &self.parts[place];
        let after = held.clone().apply(&fact);
        let value = held.worth()?.minus(after.worth()?)?;
        let others = self.parts.iter().enumerate().filter(|(other, _)| *other != place);
        let nothing_left = after.is_canceled() && others.into_iter().all(|(_, part)| part.is_canceled());
        let decided = give_back(&self.order, value, nothing_left, reason, now)?;
        Ok(Change { order: Some(decided), parts: vec![(place, fact)] })
    }

    fn apply(mut self, change: &Change) -> Self {
        if let Some(Decided { fact, posting }) = &change.order {
            self.post(posting);
            self.order = self.order.apply(fact);
        }
        for (place, fact) in &change.parts {
            let before = self.parts[*place].clone();
            let after = before.clone().apply(fact);
            let delivered = |part: &MerchantOrder| matches!(part.stage, PartStage::Delivered { .. });
            let booked = if !delivered(&before) && delivered(&after) {
                self.earnings.push(*place);
                earning(&after, 0, at(48)).unwrap()
            } else {
                claw_back((&before, &after), fact, at(72)).unwrap()
            };
            if let (true, merchant_order::Fact::Refunded { items, delivery, fees, withheld, supported, .. }) =
                (delivered(&before), fact)
            {
                let gone = items.minor + delivery.minor + supported.minor - fees.minor - withheld.minor;
                *self.returned.entry(after.merchant.clone()).or_default() += gone;
            }
            if let Some((entry, postings)) = booked {
                postings.iter().for_each(|posting| self.post(posting));
                self.entries.push(entry);
            }
            self.parts[*place] = after;
        }
        self
    }

    fn walk(self, steps: &[Step]) -> Self {
        steps.iter().fold(self, |life, step| match life.answer(step) {
            Ok(Decision::New(change)) => life.apply(&change),
            Ok(Decision::Already) | Err(_) => life,
        })
    }

    /// Pays, ships and delivers what still can be.
    fn finish(self) -> Self {
        let life = self.walk(&[Step::Pay(vec![])]);
        (0..life.parts.len()).fold(life, |life, part| {
            let life = life.walk(&[Step::ShipAll(part)]);
            let parcels = life.parts[part].shipments.len();
            let deliver = |shipment| Step::Deliver { part, shipment };
            life.walk(&(0..parcels).map(deliver).collect::<Vec<_>>())
        })
    }
}

fn told(posting: &Posting) -> String {
    let entry = |(account, amount): (&Account, Money)| format!("{account} {}", amount.decimal());
    posting.entries().map(entry).collect::<Vec<_>>().join(", ")
}

/// The life of an order on one page. A changed rule shows here as a changed line: read the diff.
#[test]
fn every_stage_answers_every_step() {
    let pay = |minor: &[i64]| Step::Pay(minor.to_vec());
    let all_delivered = |paid: &[i64]| Life::of(house(paid)).finish();
    let sent = [pay(&[]), Step::ShipAll(1)];
    let stages = [
        ("awaiting payment", Life::of(house(&[]))),
        ("promised too much", Life::of(house(&[10_000]))),
        ("paid", Life::of(house(&[])).walk(&[pay(&[])])),
        ("paid too much", Life::of(house(&[10_000])).walk(&[pay(&[])])),
        ("paid too little", Life::of(house(&[80_00])).walk(&[pay(&[])])),
        ("difference resolved", Life::of(house(&[10_000])).walk(&[pay(&[]), Step::Resolve])),
        ("lamp on its way", Life::of(house(&[])).walk(&sent)),
        ("delivered", all_delivered(&[])),
        ("delivered, 15 paid", all_delivered(&[15_00])),
        ("canceled unpaid", Life::of(house(&[])).walk(&[Step::Cancel])),
        ("canceled paid", Life::of(house(&[])).walk(&[pay(&[]), Step::Cancel])),
    ];
    let refund = |units, delivery| Step::Refund { part: 0, line: 0, units, delivery };
    let steps = [
        ("pay", pay(&[])),
        ("pay 90 and 10", pay(&[90_00, 10_00])),
        ("cancel", Step::Cancel),
        ("resolve", Step::Resolve),
        ("reject a mug", Step::Reject { part: 0, line: 0, units: 1 }),
        ("refund a mug", refund(1, false)),
        ("refund a mug, delivery", refund(1, true)),
        ("refund 4 mugs", refund(4, false)),
    ];
    let mut page = String::new();
    for (stage, life) in &stages {
        for (name, step) in &steps {
            let line = match life.answer(step) {
                Ok(Decision::New(Change { order: Some(Decided { fact, posting }), parts })) => {
                    let fact = serde_json::to_string(&fact).unwrap();
                    format!("{fact} [{}] {} parts", told(&posting), parts.len())
                }
                Ok(Decision::New(Change { order: None, .. })) => unreachable!("each step is the order's"),
                Ok(Decision::Already) => "already".to_owned(),
                Err(refused) => format!("no: {refused}"),
            };
            page.push_str(&format!("{stage:<20}{name:<23}{line}\n"));
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn intake_refuses_what_no_transaction_could_hold_or_no_one_could_mean() {
    let one = || vec![line(1, 1, 1, 1_00, 0)];
    let many = |count: u8| (1..=count).map(|n| line(n.into(), n, 1, 1_00, 0)).collect::<Vec<_>>();
    let same = |count: u16| (1..=count).map(|n| line(n, 1, 1, 1_00, 0)).collect::<Vec<_>>();
    let dollars = || Line { unit_price: Money::new(1_00, id("USD")), ..line(1, 1, 1, 1_00, 0) };
    let mixed = || Refused::Money(MoneyError::Mixed { left: id("EUR"), right: id("USD") });
    let negative = |minor| Refused::Money(MoneyError::Negative(eur(minor)));
    let dear = vec![line(1, 1, 1, 1_00, 0), Line { unit_price: eur(i64::MAX), ..line(2, 1, 1, 0, 0) }];
    let cases = [
        (intake(same(81), 0, &[]), Refused::LineCount(81)),
        (intake(many(41), 0, &[]), Refused::MerchantCount(41)),
        (intake(one(), 0, &[0; 41]), Refused::PaymentCount(41)),
        (intake(vec![], 5_00, &[]), Refused::Empty),
        (intake(vec![line(7, 1, 0, 1_00, 0)], 0, &[]), Refused::Quantity { line: 7, quantity: 0 }),
        (
            intake(vec![line(7, 1, 1_000_001, 1, 0)], 0, &[]),
            Refused::Quantity { line: 7, quantity: 1_000_001 },
        ),
        (intake(vec![line(1, 1, 1, -1, 0)], 0, &[]), negative(-1)),
        (intake(vec![line(1, 1, 1, 0, -2)], 0, &[]), negative(-2)),
        (intake(one(), -3, &[]), negative(-3)),
        (intake(one(), 0, &[-4]), negative(-4)),
        (intake(vec![dollars()], 0, &[1_00]), mixed()),
        // A promise of the total is checked like a payment: what cannot be summed is no order.
        (intake(vec![dollars()], 0, &[]), mixed()),
        (intake(dear, 0, &[]), Refused::Money(MoneyError::Overflow)),
    ];
    for (intake, refused) in cases {
        assert_eq!(Order::place(intake), Err(refused));
    }
    assert!(Order::place(intake(same(80), 0, &[0; 40])).is_ok());
    assert!(Order::place(intake(many(32), 0, &[])).is_ok());
}

#[test]
fn a5_1_an_order_in_yen_splits_into_whole_yen() {
    let yen = |minor| Money::new(minor, id("JPY"));
    let of = |number, by| {
        let of = line(number, by, 1, 0, 0);
        Line { unit_price: yen(1_000), delivery: yen(0), fees: percent(15, yen(1_000)), ..of }
    };
    let asked = intake(vec![of(1, 1), of(2, 2), of(3, 3)], 0, &[]);
    let order = Order::place(Intake { currency: id("JPY"), delivery: yen(500), ..asked }).unwrap();
    // 500 / 3 = 166.67 each: 166 for all and the two left over for the first two.
    let shares: Vec<Money> = split(&order).unwrap().iter().map(|part| part.delivery).collect();
    assert_eq!(shares, [yen(167), yen(167), yen(166)]);
}

#[test]
fn a10_1_the_parts_sum_to_what_the_customer_paid_delivery_included() {
    // Items 43.50 + 9.00 and 30.00. 5.00 by 52.50 : 30.00 is 3.1818… and 1.8181…; the second has the larger
    // remainder and gets the cent that is left.
    let parts = split(&house(&[])).unwrap();
    let worth: Vec<Money> = parts.iter().map(|part| part.worth().unwrap()).collect();
    assert_eq!(parts.iter().map(|part| part.delivery).collect::<Vec<_>>(), [eur(3_18), eur(1_82)]);
    assert_eq!(worth, [eur(57_68), eur(31_82)]);
    assert_eq!(house(&[]).paid().unwrap(), eur(89_50));
    // Gifts: no item value to weigh by, so the delivery goes in even parts.
    let gifts = split(&placed(vec![line(1, 1, 1, 0, 0), line(2, 2, 9, 0, 0)], 5_01, &[])).unwrap();
    assert_eq!(gifts.iter().map(|part| part.delivery).collect::<Vec<_>>(), [eur(2_51), eur(2_50)]);
}

#[test]
fn parts_follow_the_first_lines_and_carry_the_orders_tail() {
    let lines = vec![line(1, 9, 1, 1_00, 0), line(2, 4, 1, 1_00, 0), line(3, 9, 1, 1_00, 0)];
    let order = placed(lines, 0, &[]);
    let parts = split(&order).unwrap();
    let numbers = |part: &MerchantOrder| part.lines.iter().map(|line| line.number).collect::<Vec<_>>();
    assert_eq!(parts.iter().map(numbers).collect::<Vec<_>>(), [vec![1, 3], vec![2]]);
    assert_eq!(parts[1].id, MerchantOrderId::of(&order.id, 2));
    assert_eq!(parts[1].merchant, merchant(4));
}

#[test]
fn a10_2_a_refund_gives_back_the_share_really_paid() {
    // Fees on three mugs: 43.50 × 15 % = 6.525, half-up 6.53; per mug 2.18, 2.18, 2.17. Delivery of the line:
    // 2.00, once.
    let mut life = Life::of(house(&[])).finish();
    for (amount, fees) in [(16_50, 2_18), (14_50, 2_18), (14_50, 2_17)] {
        let step = Step::Refund { part: 0, line: 0, units: 1, delivery: true };
        let Ok(Decision::New(change)) = life.answer(&step) else { panic!("a mug is left") };
        let Fact::Refunded { amount: back, fees: off, .. } = &change.order.as_ref().unwrap().fact else {
            panic!("a refund")
        };
        assert_eq!((*back, *off), (eur(amount), eur(fees)));
        life = life.apply(&change);
    }
    assert_eq!(life.order.refunded, eur(45_50));
    let fourth = Step::Refund { part: 0, line: 0, units: 1, delivery: true };
    let none = merchant_order::Refused::Units { line: 1, asked: 1, left: 0 };
    assert_eq!(life.answer(&fourth).unwrap_err(), Refused::Part(none));
}

#[test]
fn a9_3_refunds_never_exceed_what_was_paid() {
    // 28.99 came in for goods of 89.50. One mug (14.50) may go back; the second is a cent too much.
    let mug = Step::Refund { part: 0, line: 0, units: 1, delivery: false };
    let after_one = |paid| Life::of(house(&[paid])).finish().walk(std::slice::from_ref(&mug));
    let refused = Refused::RefundExceedsPaid { asked: eur(14_50), left: eur(14_49) };
    assert_eq!(after_one(28_99).answer(&mug).unwrap_err(), refused);
    assert!(after_one(29_00).answer(&mug).is_ok());
    // A rejected line of 30.00 gives back what is left of 20.00; the rest was never there.
    let life = Life::of(house(&[20_00])).walk(&[Step::Pay(vec![])]);
    let life = life.walk(&[Step::Reject { part: 1, line: 0, units: 1 }]);
    assert_eq!(life.order.refunded, eur(20_00));
}

#[test]
fn a12_2_commission_is_frozen_at_placement() {
    // 15 % of 30.00 when it was placed; the operator asks 20 % from now on, which binds the next order only.
    let order = placed(vec![line(1, 1, 1, 30_00, 0)], 0, &[]);
    let dearer = Line { fees: percent(20, eur(30_00)), ..line(1, 1, 1, 30_00, 0) };
    let fees = |order: &Order| split(order).unwrap()[0].earned().unwrap().fees;
    assert_eq!(fees(&placed(vec![dearer], 0, &[])), eur(6_00));
    let life = Life::of(order).finish();
    assert_eq!(fees(&life.order), eur(4_50));
    assert_eq!(life.on(&Account::Commission), -4_50);
}

#[test]
fn a12_3_a_part_is_one_earning_however_often_it_is_told() {
    let again = Step::Deliver { part: 0, shipment: 0 };
    let refund = Step::Refund { part: 0, line: 1, units: 1, delivery: true };
    let life = Life::of(house(&[])).finish().walk(&[again.clone(), refund, again, Step::Cancel]);
    assert_eq!(life.earnings, [0, 1]);
}

#[test]
fn a12_6_the_books_of_a_finished_order_by_hand() {
    // Fees 6.53 + 1.35 and 4.50. Nets 57.68 − 7.88 = 49.80 and 31.82 − 4.50 = 27.32. The bowl goes back:
    // 9.00, of which 1.35 were fees. So the first merchant has 49.80 − 7.65 = 42.15 and the marketplace
    // 12.38 − 1.35 = 11.03.
    let bowl = Step::Refund { part: 0, line: 1, units: 1, delivery: false };
    let life = Life::of(house(&[])).finish().walk(&[bowl]);
    let books: Vec<(String, i64)> =
        life.books.iter().map(|(account, minor)| (account.to_string(), *minor)).collect();
    let want = [
        ("receivable", 0),
        ("cash", 80_50),
        ("unearned", 0),
        ("payable:mer_00000001", -42_15),
        ("payable:mer_00000002", -2_732),
        ("commission", -11_03),
    ];
    assert_eq!(books, want.map(|(account, minor)| (account.to_owned(), minor)));
}

#[test]
fn what_is_refunded_before_the_part_is_complete_is_never_earned() {
    // Two mugs have come, one goes back with the line's delivery: 14.50 + 2.00, all of it from `unearned`. When the
    // rest is there too, the merchant earns 52.50 − 14.50 items, 5.18 − 2.00 delivery, less 7.88 − 2.18 fees: 35.48.
    let parcel = Step::Ship { part: 0, tracking: 1, line: 0, units: 2 };
    let there = Step::Deliver { part: 0, shipment: 0 };
    let back = Step::Refund { part: 0, line: 0, units: 1, delivery: true };
    let life = Life::of(house(&[])).walk(&[Step::Pay(vec![]), parcel, there, back]);
    assert_eq!((life.order.refunded, life.on(&Account::Unearned)), (eur(16_50), -73_00));
    assert!(life.earnings.is_empty() && life.returned.is_empty());
    let life = life.finish();
    assert_eq!(life.on(&Account::Payable(merchant(1))), -35_48);
    // The second mug goes back later, from what was earned: 14.50 less its fees, 2.18; 35.48 − 12.32 stay.
    let life = life.walk(&[Step::Refund { part: 0, line: 0, units: 1, delivery: true }]);
    assert_eq!(life.on(&Account::Payable(merchant(1))), -2_316);
}

#[test]
fn a_lost_parcel_is_paid_back_and_the_rest_earned() {
    // Two of three mugs: 29.00, and 0.67 + 0.67 of the line's delivery of 2.00.
    let parcel = Step::Ship { part: 0, tracking: 1, line: 0, units: 2 };
    let lost = Step::Lose { part: 0, shipment: 0 };
    let life = Life::of(house(&[])).walk(&[Step::Pay(vec![]), parcel, lost]);
    assert_eq!(life.order.refunded, eur(30_34));
    assert_eq!(life.finish().earnings, [0, 1]);
    // The whole part: its share of the order's own delivery goes back too.
    let all = [Step::Pay(vec![]), Step::ShipAll(1), Step::Lose { part: 1, shipment: 0 }];
    let life = Life::of(house(&[])).walk(&all);
    assert_eq!((life.order.refunded, life.parts[1].is_canceled()), (eur(31_82), true));
}

#[test]
fn parts_that_are_rejected_at_once_raise_no_exception() {
    // Both parts are canceled before the order hears of the first; 57.68 and 31.82.
    let mut life = Life::of(house(&[])).walk(&[Step::Pay(vec![])]);
    for (value, whole) in [(57_68, false), (31_82, true)] {
        let decided = give_back(&life.order, eur(value), true, id("asked"), at(9)).unwrap();
        life.order = life.order.apply(&decided.fact);
        assert_eq!(matches!(life.order.stage, Stage::Canceled { .. }), whole);
        assert_eq!((life.order.difference, &life.order.exception), (eur(0), &None));
    }
    assert_eq!(life.order.refunded, eur(89_50));
}

#[test]
fn a_cancellation_spares_what_is_on_its_way() {
    // The lamp (31.82 with its delivery) has left; mugs and bowl (57.68) are canceled and paid back.
    let life = Life::of(house(&[])).walk(&[Step::Pay(vec![]), Step::ShipAll(1), Step::Cancel]);
    assert_eq!(life.order.refunded, eur(57_68));
    assert!(matches!(life.order.stage, Stage::Paid { .. }));
    assert!(life.parts[0].is_canceled() && !life.parts[1].is_canceled());
    assert_eq!(life.answer(&Step::Cancel).unwrap_err(), Refused::NothingToCancel);
    assert_eq!(life.finish().on(&Account::Unearned), 0);
}

#[test]
fn where_everything_is_canceled_everything_paid_goes_back_and_the_exception_closes() {
    let life = Life::of(house(&[10_000])).walk(&[Step::Pay(vec![]), Step::Cancel]);
    assert_eq!(life.order.refunded, eur(10_000));
    assert_eq!(life.order.difference, eur(0));
    assert!(matches!(&life.order.exception, Some(Exception::Resolved { by, .. }) if by == "cancellation"));
    assert!(life.books.values().all(|minor| *minor == 0), "{:?}", life.books);
}

#[test]
fn a_resolved_difference_does_not_hinder_the_payment() {
    // 100.00 promised for 89.50, 10.50 written off before it came. Then 95.00 come: 5.00 less than promised.
    let life = Life::of(house(&[10_000])).walk(&[Step::Resolve, Step::Pay(vec![95_00])]);
    assert!(matches!(life.order.stage, Stage::Paid { .. }));
    assert_eq!(life.order.difference, eur(-5_00));
    assert!(matches!(life.order.exception, Some(Exception::Open { kind: ExceptionKind::PaymentDiffers })));
    assert_eq!((life.on(&Account::Cash), life.on(&Account::Receivable)), (95_00, 0));
    assert_eq!((life.on(&Account::Exceptions), life.on(&Account::Adjustments)), (5_00, -10_50));
}

#[test]
fn a_new_difference_after_a_resolved_one_is_open_again() {
    // 10.50 too much became the marketplace's. The cancellation gives 100.00 back all the same, so 10.50 are
    // missing now.
    let life = Life::of(house(&[10_000])).walk(&[Step::Pay(vec![]), Step::Resolve, Step::Cancel]);
    assert_eq!(life.order.difference, eur(-10_50));
    assert!(matches!(life.order.exception, Some(Exception::Open { .. })));
    let life = life.walk(&[Step::Resolve]);
    assert!(life.books.values().all(|minor| *minor == 0), "{:?}", life.books);
}

#[test]
fn money_for_no_goods_waits_as_an_exception_delivery_or_not() {
    for delivery in [0, 5_00] {
        let life = Life::of(placed(vec![], delivery, &[5_00])).walk(&[Step::Pay(vec![])]);
        assert!(matches!(life.order.exception, Some(Exception::Open { kind: ExceptionKind::NoLines })));
        assert_eq!((life.on(&Account::Unearned), life.on(&Account::Exceptions)), (0, -5_00));
        let canceled = life.clone().walk(&[Step::Cancel]);
        assert!(canceled.books.values().all(|minor| *minor == 0), "{:?}", canceled.books);
        assert_eq!(life.walk(&[Step::Resolve]).on(&Account::Adjustments), -5_00);
    }
}

#[test]
fn a_payment_keeps_the_bounds_of_an_intake() {
    let order = house(&[]);
    assert_eq!(pay(&order, payments(&[0; 41]), at(1)), Err(Refused::PaymentCount(41)));
    assert_eq!(pay(&order, payments(&[-1]), at(1)), Err(Refused::Money(MoneyError::Negative(eur(-1)))));
    let rim = payments(&[i64::MAX, 1]);
    assert_eq!(pay(&order, rim, at(1)), Err(Refused::Money(MoneyError::Overflow)));
    let dollars = vec![Payment { amount: Money::new(1, id("USD")), ..payments(&[0]).remove(0) }];
    assert!(matches!(pay(&order, dollars, at(1)), Err(Refused::Money(MoneyError::Mixed { .. }))));
}

#[test]
fn nothing_happens_to_an_order_before_it_is_placed() {
    let Ok(Decision::New(paid)) = pay(&house(&[]), vec![], at(-5)) else { panic!("paid") };
    assert!(matches!(paid.fact, Fact::Paid { at: then, .. } if then == at(0)));
    let order = house(&[]).apply(&Fact::Paid { at: at(3), payments: vec![] });
    let canceled = cancel(&order, &split(&order).unwrap(), id("asked"), at(2)).unwrap();
    let Decision::New(canceled) = canceled else { panic!("canceled") };
    assert!(matches!(canceled.order.fact, Fact::Canceled { at: then, .. } if then == at(3)));
}
