//! A message's way: put with a claim, called, and what came of it kept; what it means for its endpoint.

use crate::call::Receivers;
use domain::Decision;
use domain::id::{MarketplaceId, WebhookEndpointId};
use domain::webhook::{Delivery, Endpoint, Stage, State, Turn, Verdict};
use edge::command::Overtaken;
use edge::{Again, World};
use events::{Context, Envelope};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use table::webhook::Listeners;
use table::{Commit, Fault, Held, Key, Story};

/// What is sent: the fact, and not who caused it.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    name: &'a str,
    timestamp: Timestamp,
    id: &'a str,
    marketplace: &'a MarketplaceId,
    subject: &'a str,
    step: u64,
    data: &'a Value,
}

/// The text of an event's message; the same for every try.
fn text(event: &Envelope) -> Result<String, Again> {
    let Envelope { id, name, marketplace, at, subject, step, data, .. } = event;
    let message = Message { name, timestamp: *at, id, marketplace, subject, step: *step, data };
    serde_json::to_string(&message).map_err(Again::Unreadable)
}

/// A way to the receivers, and why.
pub(crate) struct Round<'a> {
    pub(crate) world: &'a World,
    pub(crate) receivers: &'a Receivers,
    pub(crate) m: &'a MarketplaceId,
    /// Of what follows for an endpoint.
    pub(crate) context: Context,
}

impl Round<'_> {
    /// Tells an endpoint of an event, once.
    pub(crate) async fn tell(&self, event: &Envelope, endpoint: &Endpoint) -> Result<(), Again> {
        let (table, now) = (&self.world.table, self.world.now());
        let fresh = Delivery::new(endpoint, &event.id, &event.name, text(event)?, now);
        let held_back = fresh.clone().held_back(&endpoint.stage, now);
        let kept = held_back.is_some();
        let fresh = held_back.unwrap_or(fresh);
        match table.put(self.m, None, &fresh).await {
            Ok(_) if kept => Ok(()),
            Ok(revision) => self.call(Held::written(fresh, revision), Some(endpoint)).await.map(|_| ()),
            // It was told before, or its first try did not end.
            Err(Fault::Busy) => {
                let held = table.load::<Delivery>(&Key::webhook_delivery(self.m, &fresh.id)).await?;
                match held {
                    Some(held) => self.attend(held, Some(endpoint), now).await,
                    None => Err(Again::Busy),
                }
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Calls a message that is there, if it is its turn. `sent` is when somebody said that it is.
    pub(crate) async fn attend(
        &self,
        held: Held<Delivery>,
        endpoint: Option<&Endpoint>,
        sent: Timestamp,
    ) -> Result<(), Again> {
        let id = held.value.id.to_string();
        match held.value.turn(self.world.now()) {
            Turn::Over => Ok(()),
            Turn::Taken => Err(Again::Early(id)),
            // The clock here is behind that of whoever sent the message: it comes again, or nothing would.
            Turn::Early(at) if at <= sent => Err(Again::Early(id)),
            Turn::Early(_) => Ok(()),
            Turn::Call(claimed) => {
                let revision = self.world.table.put(self.m, Some(&held), &claimed).await?;
                self.call(Held::written(claimed, revision), endpoint).await.map(|_| ())
            }
        }
    }

    /// Calls a message of which this process has the claim; answers it as it is then.
    pub(crate) async fn call(
        &self,
        held: Held<Delivery>,
        endpoint: Option<&Endpoint>,
    ) -> Result<Held<Delivery>, Again> {
        let (world, m) = (self.world, self.m);
        let stage = endpoint.map_or(Stage::Removed { at: world.now() }, |one| one.stage);
        let held_back = held.value.clone().held_back(&stage, world.now()).filter(|_| !held.value.trial);
        let (next, verdict) = match (held_back, endpoint) {
            (Some(kept), _) => (kept, None),
            (None, None) => (held.value.clone(), None),
            (None, Some(endpoint)) => {
                let heard = self.receivers.call(world.now(), endpoint, &held.value).await;
                let verdict = heard.call.answer.verdict();
                let next = held.value.clone().answered(heard.call, heard.retry_after, world.now());
                (next, Some(verdict).filter(|_| !held.value.trial))
            }
        };
        if let State::Waiting { at, .. } = next.state {
            world.table.webhook_is_due(m, &next.id, at).await?;
        }
        let revision = world.table.put(m, Some(&held), &next).await?;
        if let (Some(verdict), Some(endpoint)) = (verdict, endpoint)
            && let Decision::New(_) = endpoint.clone().heard(verdict, world.now())
        {
            world.until_free(|| self.note(&endpoint.id, verdict)).await?;
        }
        Ok(Held::written(next, revision))
    }

    /// What a try means for its endpoint: it fails, is well again, or is given up, which is told.
    async fn note(&self, id: &WebhookEndpointId, verdict: Verdict) -> Result<(), Again> {
        let table = &self.world.table;
        let Some(held) = table.load::<Endpoint>(&Key::webhook_endpoint(self.m, id)).await? else {
            return Ok(());
        };
        let Decision::New(next) = held.value.clone().heard(verdict, self.world.now()) else { return Ok(()) };
        let Stage::Suspended { since, reason } = next.stage else {
            table.put(self.m, Some(&held), &next).await?;
            return Ok(());
        };
        let key = Key::webhook_listeners(self.m, next.merchant.as_ref());
        let listeners = table.load::<Listeners>(&key).await?;
        let story = Story::new([events::webhook::suspended(&next, since, reason)]);
        let commit = Commit::new(self.m, &self.context);
        let commit = commit.webhook_endpoint(Some(&held), &next, &listeners, story, || Overtaken);
        Ok(commit.send(table).await?)
    }
}
