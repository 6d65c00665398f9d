//! The shortest history that still fails: rounds and acts are left out one after the other, as long as a law is broken.

use super::{Plan, Run, Stage, Troubled, live};

/// Tries left-out rounds, then left-out acts; at most `tries` runs. Answers the plan and what it came to.
///
/// # Errors
/// As [`live`].
pub fn shrink(stage: &Stage, plan: Plan, run: Run, tries: usize) -> Result<(Plan, Run), Troubled> {
    let (mut plan, mut run, mut left) = (plan, run, tries);
    let mut smaller = true;
    while smaller && left > 0 {
        smaller = false;
        for candidate in candidates(&plan) {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(1);
            let tried = live(stage, &candidate)?;
            if !tried.broken.is_empty() {
                (plan, run, smaller) = (candidate, tried, true);
                break;
            }
        }
    }
    Ok((plan, run))
}

/// Every history that is one round or one act shorter, the shortest first.
fn candidates(plan: &Plan) -> Vec<Plan> {
    let without = |history| Plan { history, ..plan.clone() };
    let mut all = Vec::new();
    for round in (0..plan.history.len()).rev() {
        let mut history = plan.history.clone();
        history.remove(round);
        all.push(without(history));
    }
    for (n, round) in plan.history.iter().enumerate() {
        for act in (0..round.acts.len()).rev() {
            let mut history = plan.history.clone();
            if let Some(round) = history.get_mut(n) {
                round.acts.remove(act);
            }
            all.push(without(history));
        }
    }
    all
}
