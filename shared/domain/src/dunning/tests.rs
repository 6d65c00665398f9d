use super::*;
use crate::order::tests::{eur, id};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A time in May 2027, on the first of which the payment failed.
fn may(text: &str) -> Timestamp {
    match text.split_once(' ') {
        Some((day, clock)) => at(&format!("2027-05-{day}T{clock}Z")),
        None => at(&format!("2027-05-{text}T00:00:00Z")),
    }
}

fn opened(class: Class, policy: Policy) -> Case {
    let of = Failed {
        invoice: id("inv_00000001000002"),
        subscription: id("sub_00000001"),
        customer: id("cus_00000001"),
        plan: id("pln_00000001"),
        due: eur(10_00),
        policy,
        failures: 1,
    };
    Case::open(of, class, may("01"))
}

/// `RetryScheduled, 1 of 3; Retry 02 00:00`
fn shown(case: &Case) -> String {
    let attempt = case.attempt().map_or("none".to_owned(), |(next, all)| format!("{next} of {all}"));
    let next = case.next().map_or(String::new(), |(at, duty)| {
        let at = at.to_string();
        format!("; {duty:?} {} {}", at.get(8..10).unwrap(), at.get(11..16).unwrap())
    });
    format!("{:?}, {attempt}{next}", case.step())
}

/// Failures one after the other, each with where the case stands then.
fn fails(mut case: Case, steps: &[(&str, Class, &str)]) -> Case {
    for (now, class, want) in steps {
        case = case.failed(*class, case.failures + 1, may(now)).expect("it is news");
        assert_eq!(shown(&case), *want, "{now} {class:?}");
    }
    case
}

use Class::{Fault, Hard, Soft};

#[test]
fn a_soft_decline_is_tried_again_on_the_days_of_the_policy_and_then_there_is_a_last_warning() {
    let case = opened(Soft, Policy::default());
    assert_eq!(shown(&case), "RetryScheduled, 1 of 3; Retry 02 00:00");
    let case = fails(
        case,
        &[
            ("02", Soft, "RetryScheduled, 2 of 3; Retry 04 00:00"),
            ("04", Soft, "RetryScheduled, 3 of 3; Retry 08 00:00"),
            ("08", Soft, "LastWarning, none; Restrict 11 00:00"),
        ],
    );
    let case = case.restricted(may("11"));
    assert_eq!(shown(&case), "Restricted, none; Cancel 22 00:00");
    assert_eq!(case.restricted(may("12")), case, "since the first time");
    let over = case.exhausted(may("22")).unwrap();
    assert_eq!(shown(&over), "Exhausted, none");
    assert_eq!((over.consequence(), over.restricted(may("23"))), (None, over.clone()));
}

#[test]
fn a_fault_is_tried_again_within_minutes_and_is_no_try() {
    let case = opened(Fault, Policy::default());
    assert_eq!(shown(&case), "RetryScheduled, 1 of 3; Retry 01 00:05");
    let case = fails(
        case,
        &[
            ("01 00:05:00", Fault, "RetryScheduled, 1 of 3; Retry 01 00:35"),
            ("01 00:35:00", Fault, "RetryScheduled, 1 of 3; Retry 01 02:35"),
            // No minutes are left: as if it had been declined softly.
            ("01 02:35:00", Fault, "RetryScheduled, 1 of 3; Retry 02 00:00"),
            // A try of a day that ends in a fault is not spent.
            ("02", Fault, "RetryScheduled, 1 of 3; Retry 02 00:05"),
            ("02 00:05:00", Soft, "RetryScheduled, 2 of 3; Retry 04 00:00"),
            ("04", Fault, "RetryScheduled, 2 of 3; Retry 04 00:05"),
            ("04 00:05:00", Fault, "RetryScheduled, 2 of 3; Retry 04 00:35"),
            ("04 00:35:00", Fault, "RetryScheduled, 2 of 3; Retry 04 02:35"),
            ("04 02:35:00", Fault, "RetryScheduled, 3 of 3; Retry 08 00:00"),
            ("08", Fault, "RetryScheduled, 3 of 3; Retry 08 00:05"),
            ("08 00:05:00", Hard, "NewMethodNeeded, none; Restrict 11 00:00"),
        ],
    );
    // After the last day a fault of what the customer tries is tried again, and that is no fourth try.
    fails(case, &[("09", Fault, "RetryScheduled, none; Retry 09 00:05")]);
}

#[test]
fn a_hard_decline_is_not_tried_again_until_there_is_another_means() {
    let case = opened(Hard, Policy::default());
    assert_eq!(shown(&case), "NewMethodNeeded, none; Restrict 11 00:00");
    // Another card, declined softly at once: the days are all there.
    fails(case.clone(), &[("01 09:00:00", Soft, "RetryScheduled, 1 of 3; Retry 02 00:00")]);
    // On the fifth day: those that went by are spent, and it is not tried again at once.
    let later = fails(case, &[("05", Soft, "RetryScheduled, 3 of 3; Retry 08 00:00")]);
    fails(
        later.clone(),
        &[
            ("06", Hard, "NewMethodNeeded, none; Restrict 11 00:00"),
            ("09", Soft, "LastWarning, none; Restrict 11 00:00"),
        ],
    );
    let restricted = later.restricted(may("11"));
    fails(restricted, &[("12", Hard, "Restricted, none; Cancel 22 00:00")]);
}

#[test]
fn a_run_that_is_late_tries_once_for_all_the_days_that_went_by() {
    let case = opened(Soft, Policy::default());
    let late = fails(case, &[("06", Soft, "RetryScheduled, 3 of 3; Retry 08 00:00")]);
    fails(late, &[("30", Soft, "LastWarning, none; Restrict 11 00:00")]);
}

#[test]
fn a_failure_that_is_told_twice_or_after_the_end_is_no_news() {
    let case = opened(Soft, Policy::default());
    assert_eq!(case.failed(Soft, 1, may("02")), None);
    let case = case.failed(Soft, 2, may("02")).unwrap();
    for (class, failures) in [(Hard, 0), (Hard, 1), (Soft, 2)] {
        assert_eq!(case.failed(class, failures, may("03")), None, "{failures}");
    }
    // Its customer was asked to confirm the third, has, and the bank says that there is not enough.
    let asked = case.failed(Hard, 3, may("03")).unwrap();
    let known = asked.failed(Soft, 3, may("03")).unwrap();
    assert_eq!((asked.retry_at(), known.failures), (None, 3));
    assert!(known.retry_at().is_some());
    let two_at_once = case.failed(Soft, 4, may("04")).unwrap();
    assert_eq!((two_at_once.failures, two_at_once.tries), (4, 2));
    for over in [case.recovered(may("03")), case.exhausted(may("03"))] {
        assert_eq!(over.unwrap().failed(Soft, 9, may("04")), None);
    }
}

#[test]
fn whatever_became_of_it_while_it_is_open_it_can_be_recovered_and_only_then() {
    let policy = Policy::default;
    let soft = opened(Soft, policy());
    let warned = fails(soft.clone(), &[("30", Soft, "LastWarning, none; Restrict 11 00:00")]);
    let states = [
        soft.clone(),
        opened(Fault, policy()),
        opened(Hard, policy()),
        warned.clone(),
        warned.restricted(may("11")),
    ];
    for case in states {
        let recovered = case.recovered(may("31")).unwrap();
        assert_eq!(shown(&recovered), "Recovered, none");
        assert!(!recovered.is_open() && recovered.consequence().is_none());
        assert_eq!((recovered.recovered(may("31")), recovered.exhausted(may("31"))), (None, None));
    }
    let over = soft.exhausted(may("22")).unwrap();
    assert_eq!((over.recovered(may("23")), over.exhausted(may("23"))), (None, None));
}

#[test]
fn what_a_policy_leaves_out_is_not_done() {
    let by_day = Policy { fault_minutes: Vec::new(), ..Policy::default() };
    assert_eq!(shown(&opened(Fault, by_day)), "RetryScheduled, 1 of 3; Retry 02 00:00");
    let never = Policy { retry_days: Vec::new(), ..Policy::default() };
    assert_eq!(shown(&opened(Soft, never.clone())), "LastWarning, none; Restrict 11 00:00");
    let case = opened(Fault, Policy { fault_minutes: vec![5], ..never });
    assert_eq!(shown(&case), "RetryScheduled, none; Retry 01 00:05");
    fails(case, &[("01 00:05:00", Fault, "LastWarning, none; Restrict 11 00:00")]);
    // A restriction on the day of the last try comes after it.
    let strict = Policy { restrict_after_days: 1, ..Policy::default() };
    let case = opened(Soft, strict);
    assert_eq!(shown(&case), "RetryScheduled, 1 of 3; Retry 02 00:00");
    let case = fails(case, &[("02", Soft, "RetryScheduled, 2 of 3; Restrict 02 00:00")]);
    assert_eq!(shown(&case.restricted(may("02"))), "Restricted, 2 of 3; Retry 04 00:00");
}

#[test]
fn a_policy_that_makes_no_sense_is_refused() {
    assert_eq!(Policy::default().check(), Ok(()));
    let with = |change: fn(&mut Policy)| {
        let mut policy = Policy::default();
        change(&mut policy);
        policy.check()
    };
    let (days, minutes) = (Err(BadPolicy::Tries("retry_days")), Err(BadPolicy::Tries("fault_minutes")));
    assert_eq!(with(|one| one.retry_days = vec![0, 1]), days);
    assert_eq!(with(|one| one.retry_days = vec![3, 3]), days);
    assert_eq!(with(|one| one.retry_days = vec![3, 1]), days);
    assert_eq!(with(|one| one.retry_days = (1..=9).collect()), days);
    assert_eq!(with(|one| one.fault_minutes = vec![0]), minutes);
    assert_eq!(with(|one| one.fault_minutes = vec![30, 5]), minutes);
    assert_eq!(with(|one| one.retry_days = vec![21]), Err(BadPolicy::Order), "on the day of the end");
    assert_eq!(with(|one| one.restrict_after_days = 22), Err(BadPolicy::Order));
    assert_eq!(with(|one| one.cancel_after_days = 121), Err(BadPolicy::Order));
    assert_eq!(with(|one| one.restrict_after_days = 0), Ok(()), "restricted at once");
    assert_eq!(with(|one| (one.retry_days, one.fault_minutes) = (Vec::new(), Vec::new())), Ok(()));
    assert_eq!(with(|one| (one.retry_days, one.cancel_after_days) = ((1..=8).collect(), 120)), Ok(()));
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let days = prop::collection::btree_set(1_u16..30, 0..=TRIES_MAX);
    let minutes = prop::collection::btree_set(1_u16..2_000, 0..=TRIES_MAX);
    (days, minutes, 1_u16..20, 0_u16..=40).prop_map(|(days, minutes, more, restrict)| {
        let cancel_after_days = days.last().copied().unwrap_or_default() + more;
        Policy {
            retry_days: days.into_iter().collect(),
            fault_minutes: minutes.into_iter().collect(),
            restrict_after_days: restrict.min(cancel_after_days),
            cancel_after_days,
        }
    })
}

/// How late a run is in minutes, and what comes of a try.
fn any_run() -> impl Strategy<Value = (i64, Class, bool)> {
    let class = prop::sample::select(vec![Soft, Hard, Fault, Fault]);
    (prop_oneof![3 => Just(0_i64), 1 => 0_i64..6_000], class, prop::bool::weighted(0.05))
}

proptest! {
    #[test]
    fn a_case_always_ends_on_its_day_and_is_never_tried_more_often_than_its_policy_says(
        policy in any_policy(),
        class in prop::sample::select(vec![Soft, Hard, Fault]),
        runs in prop::collection::vec(any_run(), 1..30),
    ) {
        prop_assert_eq!(policy.check(), Ok(()));
        let (days, minutes) = (policy.retry_days.len(), policy.fault_minutes.len());
        let mut case = opened(class, policy.clone());
        let (mut now, mut tries) = (case.opened_at, 0);
        for (late, class, paid) in runs.iter().cycle() {
            let Some((due, duty)) = case.next() else { break };
            now = now.max(due).checked_add(SignedDuration::from_mins(*late)).unwrap();
            let last = case.clone();
            case = match duty {
                Duty::Restrict => case.restricted(now),
                Duty::Cancel => case.exhausted(now).unwrap(),
                Duty::Retry => {
                    prop_assert!(due >= case.failed_at, "a try before what failed");
                    tries += 1;
                    prop_assert!(tries <= (days + 1) * (minutes + 1), "it is tried for ever");
                    let failed = case.failed(*class, case.failures + 1, now).unwrap();
                    if *paid { case.recovered(now).unwrap() } else { failed }
                }
            };
            prop_assert!(usize::from(case.tries) <= days && usize::from(case.faults) <= minutes);
            prop_assert!(case.tries >= last.tries);
            prop_assert!(case.next().is_some() == case.is_open());
            if let Some(again) = case.retry_at() {
                prop_assert!(again > now || duty != Duty::Retry || !case.is_open(), "tried again at once");
            }
            if let Some((next, of)) = case.attempt() {
                prop_assert!((1..=of).contains(&usize::from(next)));
            }
        }
        prop_assert!(!case.is_open());
        if let Stage::Exhausted { since } = case.stage {
            let end = SignedDuration::from_hours(24 * i64::from(policy.cancel_after_days));
            prop_assert!(since.duration_since(case.opened_at) >= end, "not before its day");
            prop_assert!(case.restricted_at.is_some(), "restricted before it ends");
        }
    }
}
