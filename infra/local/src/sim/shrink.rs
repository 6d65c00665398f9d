//! The shortest history that still fails: rounds and acts are left out, many at once, then fewer, as long as a law is
//! broken.

use super::{Plan, Round, Run, Stage, Troubled, live};
use std::ops::Range;

/// What is left out of a history: so many there are, and all but a range of them.
type Cut = (fn(&[Round]) -> usize, fn(&[Round], &Range<usize>) -> Vec<Round>);

const CUTS: [Cut; 2] = [(<[Round]>::len, without_rounds), (acts, without_acts)];

/// Leaves out rounds, then acts; at most `tries` runs. Answers the plan and what it came to.
///
/// # Errors
/// As [`live`].
pub fn shrink(stage: &Stage, plan: Plan, run: Run, tries: usize) -> Result<(Plan, Run), Troubled> {
    let (mut plan, mut run, mut left) = (plan, run, tries);
    for (count, without) in CUTS {
        let mut size = (count(&plan.history) / 2).max(1);
        loop {
            let (mut end, mut smaller) = (count(&plan.history), false);
            while end > 0 && left > 0 {
                let start = end.saturating_sub(size);
                let candidate = Plan { history: without(&plan.history, &(start..end)), ..plan.clone() };
                let tried = live(stage, &candidate)?;
                left = left.saturating_sub(1);
                if !tried.broken.is_empty() {
                    (plan, run, smaller) = (candidate, tried, true);
                }
                end = start;
            }
            if left == 0 || (size == 1 && !smaller) {
                break;
            }
            size = (size / 2).max(1);
        }
    }
    Ok((plan, run))
}

fn acts(history: &[Round]) -> usize {
    history.iter().map(|round| round.acts.len()).sum()
}

fn without_rounds(history: &[Round], range: &Range<usize>) -> Vec<Round> {
    let kept = history.iter().enumerate().filter(|(place, _)| !range.contains(place));
    kept.map(|(_, round)| round.clone()).collect()
}

fn without_acts(history: &[Round], range: &Range<usize>) -> Vec<Round> {
    let mut places = 0..;
    let mut history = history.to_vec();
    for round in &mut history {
        round.acts.retain(|_| places.next().is_some_and(|place: usize| !range.contains(&place)));
    }
    history
}
