//! Shoppers who pay, gateways that tell of it, operators who look after it.

use super::{Crowd, Waiting};
use crate::api::Api;
use crate::sim::acts::{Purchase, TRANSFER};
use crate::sim::stage::{OPERATOR, text};
use futures::future::join;
use serde_json::{Value, json};

/// It is worth less than most carts.
const VOUCHER: &str = "tok_voucher_700";
/// What is tried where the first card was declined.
const OTHER_CARD: &str = "tok_approved";

impl Crowd<'_> {
    /// With credit and a voucher first, then a card; with another card where that is declined.
    pub(super) async fn pay(&self, shop: &Api, cart: &str, total: &Value, purchase: &Purchase) -> Option<()> {
        let amount = text(total, "/amount");
        let own = Waiting { cart: cart.to_owned(), account: purchase.account, total: amount.clone() };
        // Gateways may tell of it before anybody has an answer.
        self.seen().waiting.push(own.clone());
        for card in [purchase.card, OTHER_CARD] {
            let method = if card == TRANSFER { "bank_transfer" } else { "card" };
            let mut payments = vec![json!({"method": method, "token": card})];
            if purchase.voucher {
                payments.push(json!({"method": "voucher", "token": VOUCHER}));
            }
            if purchase.account.is_some() {
                payments.push(json!({"method": "store_credit"}));
            }
            let body = json!({"expected_total": total, "payments": payments});
            let paid = self.post(shop, &format!("/v1/checkouts/{cart}/pay"), &body).await?;
            self.placed(&paid.body, &amount);
            let status = paid.status.as_u16();
            // Another tab may still be at it where it is in conflict.
            if ![202, 402, 409].contains(&status) {
                self.seen().waiting.retain(|one| *one != own);
            }
            if status != 402 {
                break;
            }
        }
        Some(())
    }

    /// One of the payments of a cart that waits.
    async fn waiting(&self, pick: u32) -> Option<String> {
        let Waiting { cart, account, .. } = self.picked(pick, |seen| &seen.waiting)?;
        let shown = self.get(&self.shop(account)?, &format!("/v1/checkouts/{cart}")).await?;
        let payments = shown.pointer("/payments").and_then(Value::as_array)?;
        Some(text(one_of(payments, pick >> 8)?, "/id"))
    }

    pub(super) async fn told(&self, pick: u32, said: &str, twice: bool) -> Option<()> {
        let body = json!({"payment": self.waiting(pick).await?, "said": said});
        let api = self.api(OPERATOR);
        let tells = async || self.post(&api, "/v1/gateways/sandbox/tell", &body).await.map(drop);
        let again = async { if twice { tells().await } else { None } };
        join(tells(), again).await.0
    }

    /// One of the payments of an order, as operators see it.
    async fn payment_of(&self, pick: u32) -> Option<Value> {
        let order = self.picked(pick, |seen| &seen.orders)?;
        let shown = self.get(&self.api(OPERATOR), &format!("/v1/payments?order={order}")).await?;
        one_of(shown.pointer("/items")?.as_array()?, pick >> 8).cloned()
    }

    /// Of any of its calls.
    pub(super) async fn notice(&self, pick: u32, said: &str) -> Option<()> {
        let payment = self.payment_of(pick).await?;
        let attempt = one_of(payment.pointer("/attempts")?.as_array()?, pick >> 16)?.get("number")?;
        let body = json!({"payment": text(&payment, "/id"), "said": said, "attempt": attempt});
        self.post(&self.api(OPERATOR), "/v1/gateways/sandbox/tell", &body).await.map(drop)
    }

    pub(super) async fn give_back(&self, pick: u32, cause: u32) -> Option<()> {
        let payment = self.payment_of(pick).await?;
        let amount = json!({"amount": "1.00", "currency": text(&payment, "/amount/currency")});
        let body = json!({"amount": amount, "reason": "it was late", "cause": format!("claim-{cause}")});
        self.does(&payment, "refund", &body).await
    }

    /// What fits nothing goes back, and what a card does not take back becomes credit.
    pub(super) async fn settle(&self, pick: u32) -> Option<()> {
        let payment = self.payment_of(pick).await?;
        let amount = payment.get("awaits_approval")?;
        if text(amount, "/amount").bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
            let body = json!({"amount": amount, "reason": "it fits nothing"});
            self.does(&payment, "approve-refund", &body).await?;
        }
        let failed = |refund: &&Value| text(refund, "/status") == "failed";
        let refund = payment.pointer("/refunds")?.as_array()?.iter().find(failed)?.get("number")?;
        self.does(&payment, "redirect-refund", &json!({"refund": refund})).await
    }

    /// An operator does something to a payment.
    async fn does(&self, payment: &Value, what: &str, body: &Value) -> Option<()> {
        let path = format!("/v1/payments/{}/{what}", text(payment, "/id"));
        self.post(&self.api(OPERATOR), &path, body).await.map(drop)
    }

    pub(super) async fn give_up(&self, pick: u32) -> Option<()> {
        let payment = self.waiting(pick).await?;
        let body = json!({"attempt": 1, "reason": "the bank has no answer"});
        self.post(&self.api(OPERATOR), &format!("/v1/payments/{payment}/give-up"), &body).await.map(drop)
    }
}

/// One of so many, whatever the number.
pub(super) fn one_of(all: &[Value], pick: u32) -> Option<&Value> {
    all.get(usize::try_from(pick).ok()?.checked_rem(all.len())?)
}
