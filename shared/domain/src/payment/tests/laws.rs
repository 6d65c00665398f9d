//! The laws of a payment, over random lives.

use super::*;
use crate::credit::StoreCredit;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Unknown),
        2 => Just(confirm()),
        1 => Just(Outcome::Promised { reference: id("ref-1") }),
        6 => Just(approved()),
        2 => (1_i64..15_000).prop_map(paid),
        2 => prop::sample::select(vec!["insufficient_funds", "stolen_card", "processing_error", "not_received"])
            .prop_map(declined),
        1 => Just(Outcome::Lapsed),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let number = || 1_u16..9;
    let amount = || prop_oneof![1_i64..12_000, Just(40_00), Just(60_00)];
    prop_oneof![
        4 => prop::sample::select(vec!["tok_visa", "tok_other"]).prop_map(Authorize),
        5 => (1_u8..4, amount(), prop::bool::weighted(0.2))
            .prop_map(|(part, amount, last)| Step::Capture { part, amount, last }),
        2 => number().prop_map(Step::Void),
        16 => (number(), any_outcome(), prop::option::weighted(0.2, 1_u8..9))
            .prop_map(|(attempt, outcome, ask)| Tell(attempt, outcome, ask)),
        4 => (prop::sample::select(vec!["a", "b", "c", "d"]), amount(), prop::bool::weighted(0.3))
            .prop_map(|(cause, amount, stray)| Step::Grant { cause, amount, stray }),
        4 => (1_u16..4).prop_map(Step::Refund),
        1 => (1_u16..4).prop_map(Step::Redirect),
        1 => number().prop_map(Step::GiveUp),
        1 => Just(Step::Finalize),
        1 => prop::bool::weighted(0.2).prop_map(|close| if close { Step::Close } else { Step::Finalize }),
    ]
}

fn any_method() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![Method::Card, Method::Voucher, Method::BankTransfer, Method::StoreCredit])
}

fn any_life() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any_step(), 0..40)
}

/// The laws that hold after every step, told from the attempts and not from the payment's own sums.
fn check(payment: &Payment) -> Result<(), TestCaseError> {
    let sum = |amounts: Vec<Money>| amounts.iter().map(|amount| amount.minor).sum::<i64>();
    let captures = |on: u16, open: bool| {
        let done = |one: &&Attempt| one.state.is_success() || (open && one.state.is_open());
        let on =
            |one: &&Attempt| matches!(one.call, Call::Capture { authorization, .. } if authorization == on);
        sum(payment.attempts.iter().filter(on).filter(done).map(|one| one.amount).collect())
    };
    let mut along = 0;
    for one in payment.attempts.iter().filter(|one| matches!(one.call, Call::Authorize)) {
        // Where an operator or the gateway itself has overruled what was known, the money may come twice.
        let overruled =
            payment.attempts.iter().any(|one| matches!(one.state, State::GivenUp { .. }) || one.contradicted);
        if !overruled {
            prop_assert!(captures(one.number, true) <= one.amount.minor, "Σ captured ≤ authorized");
        }
        if let State::Captured { amount } = one.state {
            along += amount.minor;
        }
    }
    let taken = along + payment.authorizations().map(|one| captures(one.number, false)).sum::<i64>();
    prop_assert_eq!(payment.captured().minor, taken);
    let granted = sum(payment.refunds.iter().map(|refund| refund.amount).collect());
    prop_assert!(granted <= taken, "Σ refunded ≤ captured");
    prop_assert_eq!(payment.refundable().minor + payment.awaits_approval().minor + granted, taken);
    prop_assert!(payment.refundable().minor >= 0 && payment.awaits_approval().minor >= 0);
    prop_assert!(payment.secured().minor <= payment.amount.minor && payment.left().minor >= 0);
    for (call, count) in payment.attempts.iter().filter(|one| one.state.is_open()).fold(
        BTreeMap::<String, usize>::new(),
        |mut counts, one| {
            let voided = matches!(one.call, Call::Authorize) && payment.is_over(one);
            *counts.entry(serde_json::to_string(&one.call).unwrap()).or_default() += usize::from(!voided);
            counts
        },
    ) {
        prop_assert!(count <= 1, "one open attempt of a kind: {call}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a9_3_no_life_captures_or_refunds_too_much(life in any_life()) {
        let mut payment = card();
        for step in &life {
            payment = walk(payment, std::slice::from_ref(step));
            check(&payment)?;
        }
    }

    /// The gateway knows what became of each attempt; responses, webhooks and questions tell it in any order, as often
    /// as they like, with silence, stale stages and a wrong decline in between.
    #[test]
    fn a9_4_any_order_and_repetition_of_what_is_told_ends_the_same(
        tellings in prop::collection::vec((1_u16..5, any_outcome()), 1..16),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
        seed in any::<prop::sample::Index>(),
    ) {
        let begun = walk(card(), &[
            Authorize("tok_visa"),
            tell(1, approved()),
            Step::Finalize,
            capture(1, 40_00),
            capture(2, 20_00),
            capture(3, 30_00),
        ]);
        let steps: Vec<Step> = tellings.into_iter().map(|(attempt, outcome)| tell(attempt, outcome)).collect();
        let straight = walk(begun.clone(), &steps);
        // Every telling at least once, in another order, and some of them again.
        let mut other = steps.clone();
        other.rotate_left(seed.index(steps.len()));
        other.reverse();
        for again in order {
            other.insert(again.index(other.len()), again.get(&steps).clone());
        }
        let mut shuffled = begun;
        for step in &other {
            shuffled = walk(shuffled, std::slice::from_ref(step));
        }
        // Which of two declines or addresses is shown is the first that came; what is true of the money is the same.
        let truth = |payment: &Payment| {
            let of = |one: &Attempt| (one.state.rank(), one.lapsed, one.contradicted);
            (payment.attempts.iter().map(of).collect::<Vec<_>>(), payment.books(), payment.left())
        };
        prop_assert_eq!(truth(&shuffled), truth(&straight));
    }

    #[test]
    fn what_was_told_is_no_news_again(life in any_life(), attempt in 1_u16..9, outcome in any_outcome()) {
        let payment = walk(walk(card(), &life), &[tell(attempt, outcome.clone())]);
        let again = answer(&payment, &tell(attempt, outcome), at(9));
        prop_assert!(!matches!(again, Ok(Decision::New(_))), "{again:?}");
    }

    #[test]
    fn a_step_that_began_is_not_begun_again(life in any_life(), step in any_step()) {
        let payment = walk(card(), &life);
        if let Ok(Decision::New(fact @ Fact::Begun { .. })) = answer(&payment, &step, at(1)) {
            let again = answer(&payment.apply(&fact), &step, at(1));
            prop_assert!(again.is_err(), "{again:?}");
        }
    }

    /// The postings of a life are its books: debits equal credits, and nothing is left but what the sums say.
    #[test]
    fn a12_6_the_postings_of_a_life_balance_and_clear(life in any_life()) {
        let (mut payment, mut books) = (card(), BTreeMap::<Account, i64>::new());
        for step in &life {
            if let Ok(Decision::New(fact)) = answer(&payment, step, at(1)) {
                for (account, amount) in payment.posting(&fact).unwrap().entries() {
                    *books.entry(account.clone()).or_default() += amount.minor;
                }
                payment = payment.apply(&fact);
            }
        }
        let on = |account: Account| books.get(&account).copied().unwrap_or_default();
        let executed: i64 = payment.executed(To::Original) + payment.executed(To::StoreCredit);
        let (stray, granted) = (payment.stray().minor, payment.granted(false));
        prop_assert_eq!(on(Account::GatewayClearing), payment.captured().minor - payment.executed(To::Original));
        prop_assert_eq!(on(Account::RefundsPayable), executed - stray - granted);
        prop_assert_eq!(on(Account::Receivable), stray + granted - payment.captured().minor);
    }

    /// What customers have by their balances is what the books owe them, however they have paid; and no more is held
    /// than can still be taken.
    #[test]
    fn credit_is_what_the_books_say(life in any_life(), method in any_method()) {
        let (mut payment, mut booked) = (open(opening(method, 10_000), at(0)).unwrap(), 0);
        let mut credit = StoreCredit::none(id("cus_00000001"), id("EUR"));
        credit.balance = eur(10_000);
        // Our own books only ever say that it is done.
        let done = |outcome: &Outcome| matches!(outcome, Outcome::Approved { .. } | Outcome::Unknown);
        let theirs = |step: &&Step| if let Step::Tell(_, outcome, _) = step { done(outcome) } else { true };
        for step in life.iter().filter(|step| method != Method::StoreCredit || theirs(step)) {
            let Ok(Decision::New(fact)) = answer(&payment, step, at(1)) else { continue };
            let posting = payment.posting(&fact).unwrap();
            let entries = posting.entries().filter(|(account, _)| **account == Account::StoreCredit);
            booked += entries.map(|(_, amount)| amount.minor).sum::<i64>();
            let before = payment.credit();
            payment = payment.apply(&fact);
            let after = payment.credit();
            prop_assert_eq!(after.given.minor, -booked);
            prop_assert!((0..=10_000).contains(&after.held.minor));
            prop_assert!(method == Method::StoreCredit || after.held.minor == 0);
            // Money that the gateway takes unasked is none of credit's: we are that gateway.
            if payment.stray().minor == 0 && payment.authorizations().count() <= 1 {
                let by = after.minus(before).unwrap();
                credit = credit.moved(by).unwrap();
                prop_assert!(credit.held.minor >= 0 && credit.available().unwrap().minor >= 0);
            } else {
                break;
            }
        }
    }

    /// A9(5): no refund begins that nobody granted, and none is on the agenda.
    #[test]
    fn a9_5_no_refund_without_a_grant(life in any_life()) {
        let ungranted = life.into_iter().filter(|step| !matches!(step, Step::Grant { .. }));
        let payment = walk(card(), &ungranted.collect::<Vec<_>>());
        let begun = payment.attempts.iter().filter(|one| matches!(one.call, Call::Refund { .. }));
        prop_assert_eq!(begun.count(), 0);
        let due = agenda(&payment, FULL);
        prop_assert!(due.iter().all(|(_, duty)| !matches!(duty, Duty::Refund { .. })), "{due:?}");
    }

    /// What the agenda asks for is not refused when its time has come, or money would hang there for ever.
    #[test]
    fn what_is_due_can_be_done(life in any_life()) {
        let payment = walk(card(), &life);
        for (when, duty) in agenda(&payment, FULL) {
            let done = match &duty {
                Duty::Ask { attempt, ask } => settle(&payment, *attempt, Outcome::Unknown, Some(*ask), when),
                Duty::Finalize => finalize(&payment, when),
                Duty::Void { .. } | Duty::Renew { .. } | Duty::Capture { .. } | Duty::Refund { .. }
                | Duty::Alert(_) => take_up(&payment, &duty, when),
            };
            prop_assert!(matches!(done, Ok(Decision::New(_))), "{duty:?}: {done:?}");
        }
    }

    /// Whenever the schedule comes, what cannot be done any more does not hide what comes later.
    #[test]
    fn a_late_look_does_what_it_can_and_knows_the_next(life in any_life(), late in 0_i64..400) {
        let mut payment = walk(card(), &life);
        let now = at(late);
        // At most so many duties as there are attempts and refunds.
        for _ in 0..100 {
            let due = agenda(&payment, FULL).into_iter().filter(|(when, _)| *when <= now);
            let next = due.map(|(_, duty)| match duty {
                Duty::Ask { attempt, ask } => settle(&payment, attempt, Outcome::Unknown, Some(ask), now),
                duty @ (Duty::Void { .. }
                | Duty::Renew { .. }
                | Duty::Capture { .. }
                | Duty::Refund { .. }
                | Duty::Finalize
                | Duty::Alert(_)) => take_up(&payment, &duty, now),
            });
            let Some(fact) = next.into_iter().find_map(|done| match done {
                Ok(Decision::New(fact)) => Some(fact),
                Ok(Decision::Already) | Err(_) => None,
            }) else { break };
            payment = payment.apply(&fact);
        }
        let later = agenda(&payment, FULL).into_iter().filter(|(when, duty)| *when > now && *duty != Duty::Finalize);
        prop_assert_eq!(next_look(&payment, FULL, now), later.map(|(when, _)| when).min());
    }

    #[test]
    fn a_payment_of_any_life_reads_back(life in any_life()) {
        let payment = walk(card(), &life);
        let text = serde_json::to_string(&payment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Payment>(&text).unwrap(), payment);
    }
}
