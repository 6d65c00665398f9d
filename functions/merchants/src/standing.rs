//! What members do for their merchant: accept the marketplace's terms, say when it is closed.

use crate::changes::{Who, change};
use crate::show::MerchantView;
use axum::extract::{Path, State};
use domain::Decision;
use domain::merchant::{CLOSURES_MAX, Closure, Merchant, accept_terms};
use domain::text::Sha256;
use edge::{Check, Command, Problem, Reply, World};
use events::Announced;
use events::merchant::{MerchantTermsAcceptedV1, closures_changed};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

type Answer = Result<Reply<MerchantView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Accept {
    /// Of the document that was read.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    sha256: String,
}

/// The merchant's own people and systems: nobody accepts for somebody else.
pub(crate) async fn accept(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Accept>,
) -> Answer {
    if !command.reach.covers(&id.parse().map_err(|_| Problem::not_found("merchant"))?) {
        return Err(Problem::not_found("merchant"));
    }
    let mut check = Check::new();
    let sha256 = check.parse::<Sha256>("sha256", &command.body.sha256);
    check.done()?;
    let Some(sha256) = sha256 else { return Err(Problem::internal()) };
    let now = world.now();
    change(&world, &id, &command, Who::Member, |merchant, marketplace| {
        Ok(match accept_terms(merchant, marketplace, &sha256, &command.caller.actor, now)? {
            Decision::Already => None,
            Decision::New(acceptance) => {
                let told = Announced::of(&MerchantTermsAcceptedV1 {
                    merchant: merchant.id.clone(),
                    sha256: acceptance.sha256.to_string(),
                    effective_at: acceptance.effective_at.into(),
                    by: acceptance.by.clone(),
                });
                Some((merchant.clone().accepting(acceptance), vec![told]))
            }
        })
    })
    .await
}

/// Days of UTC, both ends included.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ClosureBody {
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Day"))]
    from: String,
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Day"))]
    to: String,
}

impl ClosureBody {
    pub(crate) fn of(closure: &Closure) -> Self {
        Self { from: closure.from.to_string(), to: closure.to.to_string() }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetClosures {
    /// All of them; none opens the merchant again.
    #[cfg_attr(feature = "schema", schemars(length(max = CLOSURES_MAX)))]
    closures: Vec<ClosureBody>,
}

/// While it is closed a merchant gets no new orders; what it has goes on, and its status stays (A2(3)).
pub(crate) async fn set_closures(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<SetClosures>,
) -> Answer {
    let mut check = Check::new();
    let given = &command.body.closures;
    if given.len() > CLOSURES_MAX {
        check.wrong("closures", "range", format!("{} are more than {CLOSURES_MAX}", given.len()));
    }
    let mut closures = Vec::with_capacity(given.len().min(CLOSURES_MAX));
    for (position, body) in given.iter().take(CLOSURES_MAX).enumerate() {
        let from = check.parse::<Date>(format!("closures[{position}].from"), &body.from);
        let to = check.parse::<Date>(format!("closures[{position}].to"), &body.to);
        match from.zip(to) {
            Some((from, to)) if to < from => {
                check.wrong(format!("closures[{position}].to"), "range", format!("{to} is before {from}"));
            }
            days => closures.extend(days.map(|(from, to)| Closure { from, to })),
        }
    }
    check.done()?;
    change(&world, &id, &command, Who::Own, |merchant, _| {
        if merchant.closures == closures {
            return Ok(None);
        }
        let next = Merchant { closures: closures.clone(), ..merchant.clone() };
        let told = closures_changed(&next);
        Ok(Some((next, vec![told])))
    })
    .await
}
