//! Where webhooks lie: an endpoint, what each owner's endpoints listen to in one small item, and a message each.

use crate::due::Work;
use crate::key::{Key, Place};
use crate::list::List;
use crate::{Commit, Cursor, Fault, Held, Page, Record, Story, Table};
use domain::id::{MarketplaceId, MerchantId, WebhookDeliveryId, WebhookEndpointId};
use domain::webhook::{Delivery, ENDPOINTS_MAX, Endpoint, Pattern, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// What lists show of an endpoint: all but its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndpointSummary(pub Endpoint);

impl Record for Endpoint {
    const KIND: &'static str = "webhook_endpoint.1";
    type Summary = EndpointSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::webhook_endpoint(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        if self.is_removed() {
            return Vec::new();
        }
        vec![Place::webhook_endpoint(m, self.merchant.as_ref(), self.created_at, self.id.as_str())]
    }

    fn summary(&self) -> Option<EndpointSummary> {
        let shown = Self { secret: String::new(), earlier: None, ..self.clone() };
        (!self.is_removed()).then_some(EndpointSummary(shown))
    }
}

/// What the endpoints of an owner listen to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listeners {
    /// The owner; the marketplace itself, if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub endpoints: BTreeMap<WebhookEndpointId, Vec<Pattern>>,
    /// In the marketplace's own item: whether a merchant has ever had an endpoint, so that theirs are worth a look.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merchants_too: bool,
}

impl Record for Listeners {
    const KIND: &'static str = "webhook_listeners.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::webhook_listeners(m, self.merchant.as_ref())
    }
}

impl Listeners {
    /// Nobody listens yet.
    pub fn of(merchant: Option<MerchantId>) -> Self {
        Self { merchant, ..Self::default() }
    }

    pub fn is_full(&self) -> bool {
        self.endpoints.len() >= ENDPOINTS_MAX
    }

    /// Which of them want an event.
    pub fn wanting(&self, name: &str) -> impl Iterator<Item = &WebhookEndpointId> {
        let wants = move |patterns: &Vec<Pattern>| patterns.iter().any(|pattern| pattern.wants(name));
        self.endpoints.iter().filter(move |(_, patterns)| wants(patterns)).map(|(id, _)| id)
    }

    /// With an endpoint as it is now.
    #[must_use]
    fn with(mut self, endpoint: &Endpoint) -> Self {
        if endpoint.listens() {
            self.endpoints.insert(endpoint.id.clone(), endpoint.events.clone());
        } else {
            self.endpoints.remove(&endpoint.id);
        }
        self
    }
}

/// What lists show of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySummary {
    pub id: WebhookDeliveryId,
    pub endpoint: WebhookEndpointId,
    pub event: String,
    pub name: String,
    pub created_at: Timestamp,
    pub state: State,
    /// The status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

impl Record for Delivery {
    const KIND: &'static str = "webhook_delivery.1";
    type Summary = DeliverySummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::webhook_delivery(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let mut places = vec![Place::webhook_delivery(m, &self.endpoint, self.created_at, self.id.as_str())];
        if let State::Failed { .. } = self.state {
            places.push(Place::failed_webhook(m, &self.endpoint, self.created_at, self.id.as_str()));
        }
        places
    }

    fn summary(&self) -> Option<DeliverySummary> {
        Some(DeliverySummary {
            id: self.id.clone(),
            endpoint: self.endpoint.clone(),
            event: self.event.clone(),
            name: self.name.clone(),
            created_at: self.created_at,
            state: self.state,
            code: self.last_code(),
        })
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(Self::expires_at(self))
    }
}

/// An owner's listeners as they were read; none if it never had an endpoint.
pub type HeldListeners = Option<Held<Listeners>>;

impl<C: Debug> Commit<'_, C> {
    /// An endpoint that is new or has changed, what is told of it, and its place among its owner's.
    pub fn webhook_endpoint(
        self,
        held: Option<&Held<Endpoint>>,
        next: &Endpoint,
        listeners: &HeldListeners,
        story: Story,
        taken: impl Fn() -> C,
    ) -> Self {
        let commit = match held {
            Some(held) => self.change(held, next, next.id.as_str(), story),
            None => self.begin(next, next.id.as_str(), story, taken()),
        };
        match listeners {
            Some(before) => {
                let after = before.value.clone().with(next);
                if after == before.value { commit } else { commit.replace(before, &after) }
            }
            None => commit.add(&Listeners::of(next.merchant.clone()).with(next), taken()),
        }
    }

    /// Says in the marketplace's own item that merchants listen too.
    pub fn merchants_listen(self, own: &HeldListeners, taken: C) -> Self {
        let next = |before: Listeners| Listeners { merchants_too: true, ..before };
        match own {
            Some(own) if own.value.merchants_too => self,
            Some(own) => self.replace(own, &next(own.value.clone())),
            None => self.add(&next(Listeners::default()), taken),
        }
    }
}

impl Table {
    /// The endpoints of an owner, the youngest first.
    pub async fn webhook_endpoints(
        &self,
        m: &MarketplaceId,
        merchant: Option<&MerchantId>,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<EndpointSummary>, Fault> {
        let list = List::of(Place::webhook_endpoint(m, merchant, Timestamp::UNIX_EPOCH, ""));
        self.list::<Endpoint>(&list, limit, after).await
    }

    /// Messages to an endpoint, the youngest first: all, or what has failed.
    pub async fn webhook_deliveries(
        &self,
        m: &MarketplaceId,
        endpoint: &WebhookEndpointId,
        failed: bool,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<DeliverySummary>, Fault> {
        let place = if failed { Place::failed_webhook } else { Place::webhook_delivery };
        let list = List::of(place(m, endpoint, Timestamp::UNIX_EPOCH, ""));
        self.list::<Delivery>(&list, limit, after).await
    }

    /// Puts a look at a message on the list of due work, before what causes it.
    pub async fn webhook_is_due(
        &self,
        m: &MarketplaceId,
        id: &WebhookDeliveryId,
        at: Timestamp,
    ) -> Result<(), Fault> {
        self.put_due(&Key::due(m, Work::Webhook, id.as_str(), at)).await
    }
}
