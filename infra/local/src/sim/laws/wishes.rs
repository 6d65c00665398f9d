//! What customers keep for later, and what they wait for.

use super::Whole;
use crate::issuer::ISSUER;
use crate::sim::crowd::Promise;
use crate::sim::stage::{Stage, customer_name, marketplace_id};
use domain::id::{CustomerId, OfferId};
use edge::identity::subject;
use events::{Payload, cart::OfferBackInStockV1};
use std::collections::BTreeMap;

impl Whole {
    /// A list has what was put onto it, once each; and whoever waits goes on waiting or was told. At the end goods have
    /// come in, so nobody waits any more.
    pub(super) fn wishes(&self, stage: &Stage, promises: &[Promise]) -> Vec<String> {
        let mut wrong = Vec::new();
        let offer_at = |place: usize| stage.offers.get(place)?.1.parse::<OfferId>().ok();
        let mut wished: BTreeMap<(&str, usize), (u32, u32)> = BTreeMap::new();
        for promise in promises {
            if let Promise::Wished { list, offer, heard } = promise {
                let (least, most) = wished.entry((list, *offer)).or_default();
                *least = least.saturating_add(u32::from(*heard));
                *most = most.saturating_add(1);
            }
            if let Promise::Waits { customer, offer, heard: true } = promise
                && let Some(offer) = offer_at(*offer)
                && !self.is_told(*customer, &offer)
            {
                wrong.push(format!("whoever waits is told: customer {customer} of {offer}"));
            }
        }
        for ((list, place), (least, most)) in wished {
            let Some(offer) = offer_at(place) else { continue };
            let kept = self.lists.iter().find(|kept| kept.id.as_str() == list);
            let items = kept.map(|kept| kept.items.iter().filter(|item| item.offer == offer));
            let units: Vec<u32> = items.into_iter().flatten().map(|item| item.quantity).collect();
            if units.len() > 1 || !(least..=most).contains(&units.iter().copied().sum()) {
                wrong.push(format!(
                    "a list has what was put onto it: {list} has {units:?} of {offer}, not {least} to {most}"
                ));
            }
        }
        let waiting = self.waiting.iter();
        wrong.extend(waiting.map(|waiting| format!("nobody waits for what is there: {waiting:?}")));
        wrong
    }

    fn is_told(&self, customer: usize, offer: &OfferId) -> bool {
        let customer = CustomerId::of(&marketplace_id(), &subject(ISSUER, &customer_name(customer)));
        let told = self.events.iter().filter(|event| event.name == OfferBackInStockV1::NAME);
        let mut told = told.filter(|event| {
            let says = |name: &str| event.data.get(name).and_then(serde_json::Value::as_str);
            says("offer") == Some(offer.as_str()) && says("customer") == Some(customer.as_str())
        });
        told.next().is_some()
    }
}
