//! People who try what is not theirs: merchants at another's, and somebody of another marketplace in the same table.

use super::Crowd;
use crate::sim::stage::{ELSEWHERE, MERCHANTS, OPERATOR};
use serde_json::{Value, json};

impl Crowd<'_> {
    /// What was asked is answered as if it were not there.
    async fn refused(&self, bearer: &str, asked: &str, body: Option<&Value>) -> Option<()> {
        let answer = self.ask(&self.api(bearer), asked, body).await?;
        if ![401, 403, 404].contains(&answer.status.as_u16()) {
            let told = format!("nobody hears of what is another's: {asked} was answered {}", answer.status);
            self.seen().wrong.push(told);
        }
        Some(())
    }

    /// A merchant looks at a part of another's and ships it, and at that one's money and stock.
    pub(super) async fn spy(&self, pick: u32) -> Option<()> {
        let (of, part) = self.part(pick).await?;
        let (_, other, _) = MERCHANTS.get(MERCHANTS.len().checked_sub(of)?.checked_sub(1)?)?;
        let (owner, path) = (self.stage.merchants.get(of)?, format!("/v1/merchant-orders/{part}"));
        let (_, offer) = self.stage.offers.iter().find(|(whose, _)| *whose == of)?;
        let parcel = json!({"carrier": "post", "tracking_number": "spy", "lines": []});
        self.refused(other, &path, None).await?;
        self.refused(other, &format!("{path}/ship"), Some(&parcel)).await?;
        self.refused(other, &format!("/v1/balances/{owner}"), None).await?;
        self.refused(other, &format!("/v1/payouts?merchant={owner}"), None).await?;
        self.refused(other, &format!("/v1/stock/{offer}/receive"), Some(&json!({"quantity": 1}))).await
    }

    /// An operator of another marketplace has a merchant and goods of the same names.
    pub(super) async fn elsewhere(&self, number: u32) -> Option<()> {
        let price = json!({"amount": "10.00", "currency": "EUR"});
        let line = json!({"merchant_external_id": "alma", "sku": "mug", "quantity": 1, "unit_price": price});
        let body = json!({"channel": "phone", "external_id": format!("call-{number}"), "lines": [line]});
        self.post(&self.api(ELSEWHERE), "/v1/orders", &body).await.map(drop)
    }

    /// An operator of another marketplace knows the names of what is in this one.
    pub(super) async fn stranger(&self, pick: u32) -> Option<()> {
        let order = self.picked(pick, |seen| &seen.orders)?;
        let (of, part) = self.part(pick).await?;
        let (merchant, (_, offer)) = (self.stage.merchants.get(of)?, self.stage.offers.first()?);
        let shown = self.get(&self.api(OPERATOR), &format!("/v1/payments?order={order}")).await?;
        let payment = super::text(&shown, "/items/0/id");
        for asked in [
            format!("/v1/orders/{order}"),
            format!("/v1/merchant-orders/{part}"),
            format!("/v1/merchants/{merchant}"),
            format!("/v1/payments/{payment}"),
            format!("/v1/stock/{offer}"),
        ] {
            self.refused(ELSEWHERE, &asked, None).await?;
        }
        let cancel = json!({"reason": "it is not mine"});
        self.refused(ELSEWHERE, &format!("/v1/orders/{order}/cancel"), Some(&cancel)).await
    }
}
