//! Trials are told of before they end.

use super::*;

#[test]
fn a_trial_is_told_of_three_days_before_its_end_or_when_a_third_of_it_is_left_or_not_at_all() {
    let from = at("2026-03-02T09:00:00Z");
    for (hours, left) in [
        (24, None),
        (35, None),
        // Two days in which the clocks are put forward.
        (47, Some(47 * 60 / 3)),
        (48, Some(16 * 60)),
        (7 * 24, Some(56 * 60)),
        (8 * 24, Some(64 * 60)),
        (9 * 24 - 1, Some(72 * 60)),
        (9 * 24, Some(72 * 60)),
        (14 * 24, Some(72 * 60)),
        (365 * 24, Some(72 * 60)),
    ] {
        let until = from + SignedDuration::from_hours(hours);
        let told = left.map(|minutes| until - SignedDuration::from_mins(minutes));
        assert_eq!(warns_at(from, until), told, "{hours} hours");
    }
}

#[test]
fn only_a_running_trial_that_goes_on_is_told_of_between_its_notice_and_its_end() {
    let (told, until) = (at("2026-03-13T09:00:00Z"), at("2026-03-16T09:00:00Z"));
    let asked = Start { trial: true, ..asked("UTC") };
    let trial = start(asked, &ten(), &taxes(&UNTAXED), at("2026-03-02T09:00:00Z")).unwrap().next;
    assert_eq!(trial.stage, Stage::Trialing { until, warns_at: Some(told) });
    let second = SignedDuration::from_secs(1);
    assert_eq!(trial.ends_its_trial(told - second), None);
    assert_eq!(trial.ends_its_trial(told), Some(until));
    assert_eq!(trial.ends_its_trial(until - second), Some(until));
    assert_eq!(trial.ends_its_trial(until), None);
    let canceled = Subscription { next: Some(Next::Cancel), ..trial.clone() };
    assert_eq!(canceled.ends_its_trial(told), None);
    let untold = Subscription { stage: Stage::Trialing { until, warns_at: None }, ..trial.clone() };
    assert_eq!(untold.ends_its_trial(told), None);
    assert_eq!(Subscription { stage: Stage::Active, ..trial }.ends_its_trial(told), None);
}
