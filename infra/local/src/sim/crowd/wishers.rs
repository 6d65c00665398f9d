//! Customers with accounts, who keep what they wish for, and wait for what is sold out.

use super::{Crowd, Promise};
use crate::sim::stage::text;
use futures::future::join;
use serde_json::json;

impl Crowd<'_> {
    /// One unit more on the customer's list, which is opened with the first; or one from each of two tabs.
    pub(super) async fn keep(&self, customer: usize, offer: usize, twice: bool) -> Option<()> {
        let (api, (_, id)) = (self.customer(customer)?, self.stage.offers.get(offer)?);
        let known = self.seen().lists.iter().find(|(of, _)| *of == customer).map(|(_, list)| list.clone());
        let list = match known {
            Some(list) => list,
            None => {
                let list = text(&self.done(&api, "/v1/wish-lists", &json!({"name": "later"})).await?, "/id");
                self.seen().lists.push((customer, list.clone()));
                list
            }
        };
        let body = json!({"add": [{"offer": id, "quantity": 1}]});
        let add = async || {
            let answer = self.post(&api, &format!("/v1/wish-lists/{list}/edit"), &body).await;
            let heard = answer.as_ref().is_some_and(|answer| answer.status.is_success());
            if heard || answer.is_none() {
                self.seen().promises.push(Promise::Wished { list: list.clone(), offer, heard });
            }
        };
        if twice {
            join(add(), add()).await;
        } else {
            add().await;
        }
        Some(())
    }

    /// Refused where there is something.
    pub(super) async fn wait(&self, customer: usize, offer: usize) -> Option<()> {
        let (api, (_, id)) = (self.customer(customer)?, self.stage.offers.get(offer)?);
        let answer = self.post(&api, "/v1/stock-alerts", &json!({"offer": id})).await;
        let heard = answer.as_ref().is_some_and(|answer| answer.status.is_success());
        if heard || answer.is_none() {
            self.seen().promises.push(Promise::Waits { customer, offer, heard });
        }
        Some(())
    }

    /// Goods come in for whoever waits.
    pub(in crate::sim) async fn restock(&self) {
        let mut offers: Vec<usize> = Vec::new();
        for promise in self.promises() {
            if let Promise::Waits { offer, .. } = promise {
                offers.push(offer);
            }
        }
        offers.sort_unstable();
        offers.dedup();
        for offer in offers {
            let _heard = self.receive(offer, 10).await;
        }
    }
}
