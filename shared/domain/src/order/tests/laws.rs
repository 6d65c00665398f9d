//! What holds of every order in every life.

use super::*;
use crate::merchant_order::Earned;
use crate::pricing::{BorneBy, Share, Source};
use crate::tax::{OwedBy, TaxLine};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// What a checkout has made of a line: a discount of so much in ten thousand of it, and a tax in the rest.
fn priced(line: Line, (off, borne_by, owed_by): (i64, BorneBy, OwedBy)) -> Line {
    let items = line.items().unwrap();
    let amount = items.percent(Decimal::new(off, 2)).unwrap();
    let total = items.minus(amount).unwrap();
    let amount_of = |total: Money| total.percent(Decimal::new(15_97, 2)).unwrap();
    let source = Source::Code(id("spring"));
    let discounts = (amount.minor != 0).then_some(Share { source, amount, borne_by });
    let tax = TaxLine {
        category: None,
        reason: crate::tax::Reason::Standard,
        percent: 19.into(),
        base: total.minus(amount_of(total)).unwrap(),
        amount: amount_of(total),
        owed_by,
    };
    Line { priced: Some(LinePrice { discounts: discounts.into_iter().collect(), tax, total }), ..line }
}

fn any_pricing() -> impl Strategy<Value = Option<(i64, BorneBy, OwedBy)>> {
    let borne = prop::sample::select(vec![BorneBy::Merchant, BorneBy::Marketplace]);
    let owed = prop::sample::select(vec![OwedBy::Merchant, OwedBy::Marketplace]);
    prop::option::of((0_i64..=10_000, borne, owed))
}

/// Merchants 5 and 6 sell in another currency, at a rate with a margin; 1 to 4 in the order's.
fn rates(rate: i64) -> Vec<(MerchantId, FxRate)> {
    let foreign = |(of, from): (u8, &str)| {
        let (rate, margin_percent) = (Decimal::new(rate, 4), Decimal::new(1_50, 2));
        let as_of = jiff::civil::date(2017, 1, 2);
        (merchant(of), FxRate { base: id(from), quote: id("EUR"), rate, as_of, margin_percent, source: None })
    };
    [(5, "USD"), (6, "USD")].map(foreign).to_vec()
}

/// Lines of one to six merchants; no payments, the right ones, or others.
fn any_order() -> impl Strategy<Value = Order> {
    let line_of = (1_u8..=6, 1_u32..5, 0_i64..10_000, 0_i64..5_00, any_pricing());
    let lines = prop::collection::vec(line_of, 1..9);
    let paid = prop_oneof![
        3 => Just(None),
        3 => Just(Some((0, false))),
        2 => (-50_00_i64..50_00, any::<bool>()).prop_map(Some),
    ];
    (lines, 0_i64..20_00, paid, 1_i64..30_000).prop_map(|(lines, delivery, paid, rate)| {
        let build = |(number, (of, quantity, price, delivery, pricing))| {
            let line = line(number, of, quantity, price, delivery);
            if let Some(pricing) = pricing { priced(line, pricing) } else { line }
        };
        let lines: Vec<Line> = (1..).zip(lines).map(build).collect();
        let placed =
            |lines, delivery, paid: &[i64]| Order { rates: rates(rate), ..placed(lines, delivery, paid) };
        let Some((off, halved)) = paid else { return placed(lines, delivery, &[]) };
        let total = placed(lines.clone(), delivery, &[]).total().unwrap().minor;
        let paid = (total + off).max(0);
        let first = if halved { paid / 2 } else { 0 };
        placed(lines, delivery, &[first, paid - first])
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let part = || 0_usize..6;
    let (line, units) = (|| 0_usize..4, || 0_u32..5);
    prop_oneof![
        2 => Just(Step::Pay(vec![])),
        1 => prop::collection::vec(0_i64..20_000, 1..3).prop_map(Step::Pay),
        1 => Just(Step::Cancel),
        2 => Just(Step::Resolve),
        1 => part().prop_map(Step::Accept),
        3 => (part(), line(), units()).prop_map(|(part, line, units)| Step::Reject { part, line, units }),
        4 => (part(), 0_u8..3, line(), units())
            .prop_map(|(part, tracking, line, units)| Step::Ship { part, tracking, line, units }),
        4 => part().prop_map(Step::ShipAll),
        8 => (part(), 0_usize..3).prop_map(|(part, shipment)| Step::Deliver { part, shipment }),
        2 => (part(), 0_usize..3).prop_map(|(part, shipment)| Step::Lose { part, shipment }),
        5 => (part(), line(), units(), any::<bool>())
            .prop_map(|(part, line, units, delivery)| Step::Refund { part, line, units, delivery }),
    ]
}

fn any_life() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any_step(), 0..40)
}

/// What holds of the money of an order at every moment.
fn check_books(life: &Life) -> Result<(), TestCaseError> {
    let order = &life.order;
    let (paid, refunded) = (order.paid().unwrap().minor, order.refunded.minor);
    prop_assert_eq!(life.books.values().sum::<i64>(), 0);
    prop_assert!((0..=paid).contains(&refunded), "{refunded} of {paid} refunded");
    let canceled = matches!(order.stage, Stage::Canceled { .. });
    let money = if canceled { 0 } else { paid - refunded };
    prop_assert_eq!(life.on(&Account::Receivable) + life.on(&Account::Cash), money);
    prop_assert_eq!(-life.on(&Account::Exceptions), order.difference.minor);
    let open = matches!(order.exception, Some(Exception::Open { .. }));
    prop_assert!(open || order.difference.minor == 0, "a difference that nobody is asked to resolve");
    match order.stage {
        Stage::AwaitingPayment => prop_assert_eq!(life.on(&Account::Cash), 0),
        Stage::Paid { .. } => prop_assert_eq!(life.on(&Account::Receivable), 0),
        Stage::Canceled { .. } => {
            prop_assert_eq!(life.on(&Account::Receivable), 0);
            prop_assert!(refunded == paid || refunded == 0, "a promise is released, money goes back");
            prop_assert!(life.parts.iter().all(MerchantOrder::is_canceled));
        }
    }
    let (mut unearned, mut places, mut across) = (0, Vec::new(), 0);
    for (place, part) in life.parts.iter().enumerate() {
        let earned = part.earned().unwrap();
        let delivered = matches!(part.stage, PartStage::Delivered { .. });
        if delivered {
            places.push(place);
        } else {
            unearned += earned.gross.minor;
        }
        let net = if delivered { earned.net.minor } else { 0 };
        let returned = life.returned.get(&part.merchant).copied().unwrap_or_default();
        let payable = Account::Payable(part.merchant.clone());
        let entries = life.entries.iter().filter(|entry| entry.merchant == part.merchant);
        let booked = entries.map(|entry| entry.amount.minor).sum::<i64>();
        let kept = if delivered { part.kept().unwrap() } else { Earned::zero(order.currency) };
        prop_assert_eq!(kept.net.minor, net - returned);
        if part.rate.is_some() {
            across += kept.net.minor;
            prop_assert_eq!(life.on(&payable), 0);
            // Earned and taken back at one rate: whatever the pieces, what is left is what is left, converted.
            let own = kept.own(part.rate.as_ref()).unwrap().net.minor;
            prop_assert_eq!((booked, -life.own.get(&payable).copied().unwrap_or_default()), (own, own));
        } else {
            prop_assert_eq!((booked, -life.on(&payable)), (net - returned, net - returned));
        }
    }
    prop_assert_eq!(-life.on(&Account::Fx), across);
    prop_assert_eq!(life.own.values().sum::<i64>(), 0);
    prop_assert_eq!(-life.on(&Account::Unearned), unearned);
    let mut earnings = life.earnings.clone();
    earnings.sort_unstable();
    prop_assert_eq!(earnings, places);
    Ok(())
}

proptest! {
    #[test]
    fn a10_1_the_parts_of_any_order_are_the_order(order in any_order()) {
        let parts = split(&order).unwrap();
        let worth = parts.iter().map(|part| part.worth().unwrap());
        prop_assert_eq!(Money::sum(order.currency, worth).unwrap(), order.total().unwrap());
        let mut lines: Vec<u16> = parts.iter().flat_map(|part| &part.lines).map(|line| line.number).collect();
        lines.sort_unstable();
        prop_assert_eq!(lines, order.lines.iter().map(|line| line.number).collect::<Vec<_>>());
        let merchants: Vec<&MerchantId> = parts.iter().map(|part| &part.merchant).collect();
        prop_assert_eq!(merchants, order.merchants());
        let fees = |part: &MerchantOrder| part.earned().unwrap().fees.minor;
        let frozen: i64 = order.lines.iter().map(|line| line.fee_total().unwrap().minor).sum();
        prop_assert_eq!(parts.iter().map(fees).sum::<i64>(), frozen);
    }

    #[test]
    fn a12_6_the_books_tell_where_the_order_stands_at_every_step(order in any_order(), steps in any_life()) {
        let mut life = Life::of(order);
        check_books(&life)?;
        for step in &steps {
            life = life.walk(std::slice::from_ref(step));
            check_books(&life)?;
        }
    }

    /// No step fails for the money's sake: a refusal is always one of a rule.
    #[test]
    fn no_step_of_any_life_is_unbalanced(order in any_order(), steps in any_life(), step in any_step()) {
        let answer = Life::of(order).walk(&steps).answer(&step);
        prop_assert!(!matches!(answer, Err(Refused::Unbalanced(_) | Refused::Money(_))), "{answer:?}");
    }

    #[test]
    fn nothing_is_unearned_once_all_is_delivered_or_canceled(order in any_order(), steps in any_life()) {
        let life = Life::of(order).walk(&steps).finish();
        let over = |part: &MerchantOrder| {
            matches!(part.stage, PartStage::Delivered { .. } | PartStage::Canceled { .. })
        };
        prop_assert!(life.parts.iter().all(over), "{:?}", life.parts);
        prop_assert_eq!(life.on(&Account::Unearned), 0);
        prop_assert_eq!(life.on(&Account::Receivable), 0);
        check_books(&life)?;
    }

    #[test]
    fn a5_5_no_life_changes_lines_prices_or_fees(order in any_order(), steps in any_life()) {
        let life = Life::of(order.clone()).walk(&steps);
        prop_assert_eq!(&life.order.lines, &order.lines);
        prop_assert_eq!(life.order.delivery, order.delivery);
        prop_assert_eq!(life.order.total().unwrap(), order.total().unwrap());
    }

    /// A queue may deliver anything twice. Rejections and refunds are left out: each asks for more units, and
    /// its repeat is known by its request, not by its content.
    #[test]
    fn a_repeated_step_is_no_news(
        order in any_order(),
        steps in any_life(),
        step in any_step().prop_filter("adds", |s| !matches!(s, Step::Reject { .. } | Step::Refund { .. })),
    ) {
        let life = Life::of(order).walk(&steps).walk(std::slice::from_ref(&step));
        let again = life.answer(&step);
        prop_assert!(!matches!(again, Ok(Decision::New(_))), "{again:?}");
    }

    #[test]
    fn an_order_reads_back_as_it_was_written(order in any_order(), steps in any_life()) {
        let life = Life::of(order).walk(&steps);
        let text = serde_json::to_string(&(&life.order, &life.parts)).unwrap();
        let (order, parts) = serde_json::from_str::<(Order, Vec<MerchantOrder>)>(&text).unwrap();
        prop_assert_eq!((order, parts), (life.order, life.parts));
    }
}
