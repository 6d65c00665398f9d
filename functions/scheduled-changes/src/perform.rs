//! The time of a change has come.

use domain::pim::scheduled::ScheduledChange;
use domain::text::Code;
use edge::command::Overtaken;
use edge::{Again, World};
use events::catalog::{ScheduledChangeDueV1, scheduled_change_changed};
use events::{Context, Envelope};
use std::collections::BTreeSet;
use table::seen::Seen;
use table::{Commit, Key, Story};

/// The change and the sheet in one transaction; in the history it is the planner's.
pub(crate) async fn due(world: World, event: Envelope<ScheduledChangeDueV1>) -> Result<(), Again> {
    let (world, m, id) = (&world, &event.marketplace, &event.data.change);
    world
        .until_free(|| async {
            let held = world.table.load::<ScheduledChange>(&Key::scheduled_change(m, id)).await?;
            let Some(held) = held.filter(|held| held.value.waits()) else { return Ok(()) };
            let now = world.now();
            if now < held.value.plan.due {
                // The clock here is behind that of whoever sent the message.
                return Err(Again::Early(id.to_string()));
            }
            let Some(seen) = Seen::load(&world.table, m, &held.value.product).await? else {
                return Err(Again::Refused(format!("{} is not there", held.value.product)));
            };
            let performed = held.value.performed(&seen.product, &seen.sheet, now);
            let Some((next, sheet)) = performed else { return Ok(()) };
            let plan = &held.value.plan;
            let context =
                Context { actor: plan.by.clone(), ..Context::follows(&event, now, "scheduled-changes") };
            let commit: Commit<'_, Overtaken> = Commit::new(m, &context);
            let story = Story::new([scheduled_change_changed(&next)]);
            let commit = commit.change(&held, &next, id.as_str(), story);
            let commit = match sheet {
                Some(sheet) => {
                    let families: Vec<Code> = sheet.content.family().into_iter().collect();
                    let model = world.table.model(m, &families, BTreeSet::new()).await?;
                    seen.rewrite(commit, &context, (sheet, &model), (plan.reason.as_ref(), Overtaken))
                }
                None => commit,
            };
            Ok(commit.send(&world.table).await?)
        })
        .await
}
