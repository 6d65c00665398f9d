//! Whose business a fact is, for whoever hands events to others than the marketplace's operators.
//!
//! Invariant: a merchant hears of what is its own and of nothing else. Its own is a fact whose data names it as
//! `merchant`, of a kind that is on the list here: data of those kinds are about one merchant and nobody else. What is
//! on no list is the operators'; so are keys, roles, overrides and all that several merchants have a part in. A test of
//! the contract holds both lists against all events.

use domain::id::MerchantId;
use serde_json::Value;

/// Kinds of facts that are a merchant's own, where they name one.
pub const MERCHANTS: [&str; 57] = [
    "asset.changed.v1",
    "asset.created.v1",
    "asset.deleted.v1",
    "asset.ended.v1",
    "asset.linked.v1",
    "asset.ready.v1",
    "asset.refused.v1",
    "asset.unlinked.v1",
    "delivery.rates_changed.v1",
    "export.finished.v1",
    "export.requested.v1",
    "import.advanced.v1",
    "import.created.v1",
    "import.finished.v1",
    "merchant.applied.v1",
    "merchant.balance_critical.v1",
    "merchant.closures_changed.v1",
    "merchant.conditions_changed.v1",
    "merchant.contact_changed.v1",
    "merchant.invitation_accepted.v1",
    "merchant.invited.v1",
    "merchant.payout_account_changed.v1",
    "merchant.rating_changed.v1",
    "merchant.status_changed.v1",
    "merchant.terms_accepted.v1",
    "merchant_order.accepted.v1",
    "merchant_order.canceled.v1",
    "merchant_order.created.v1",
    "merchant_order.delivered.v1",
    "merchant_order.opened.v1",
    "merchant_order.refunded.v1",
    "merchant_order.rejected.v1",
    "merchant_order.shipped.v1",
    "offer.changed.v1",
    "offer.created.v1",
    "order.refunded.v1",
    "payout.blocked.v1",
    "payout.created.v1",
    "payout.failed.v1",
    "payout.paid.v1",
    "payout.sent.v1",
    "product.created.v1",
    "product.described.v1",
    "proposal.canceled.v1",
    "proposal.confirmed.v1",
    "proposal.declined.v1",
    "proposal.submitted.v1",
    "review.published.v1",
    "review.replied.v1",
    "scheduled_change.changed.v1",
    "shipment.delivered.v1",
    "shipment.lost.v1",
    "stock.adjusted.v1",
    "stock.received.v1",
    "stock.released.v1",
    "webhook.endpoint_changed.v1",
    "webhook.endpoint_suspended.v1",
];

/// Kinds of facts that are the operators' alone, whatever they name.
pub const OPERATORS: [&str; 72] = [
    "api_key.issued.v1",
    "api_key.revoked.v1",
    "attribute.changed.v1",
    "cart.recovered.v1",
    "cart.reminded.v1",
    "cart.reminders_set.v1",
    "category.changed.v1",
    "collection.changed.v1",
    "customer.consent_changed.v1",
    "customer.erased.v1",
    "customer.registered.v1",
    "discount.agreements_changed.v1",
    "discount.code_changed.v1",
    "dunning.changed.v1",
    "duplicate.changed.v1",
    "family.changed.v1",
    "fx.rates_changed.v1",
    "import_profile.changed.v1",
    "invoice.action_required.v1",
    "invoice.issuer_changed.v1",
    "invoice.opened.v1",
    "invoice.paid.v1",
    "invoice.payment_failed.v1",
    "invoice.voided.v1",
    "invoice.written_off.v1",
    "marketplace.merchant_terms_set.v1",
    "marketplace.opened.v1",
    "marketplace.settings_changed.v1",
    "member.changed.v1",
    "message.address_suppressed.v1",
    "message.routing_changed.v1",
    "message.template_saved.v1",
    "offer.back_in_stock.v1",
    "operator.changed.v1",
    "order.canceled.v1",
    "order.claimed.v1",
    "order.exception_raised.v1",
    "order.exception_resolved.v1",
    "order.paid.v1",
    "order.placed.v1",
    "order.shortage_raised.v1",
    "override.granted.v1",
    "override.revoked.v1",
    "override.used.v1",
    "payment.action_required.v1",
    "payment.alert_raised.v1",
    "payment.authorized.v1",
    "payment.captured.v1",
    "payment.closed.v1",
    "payment.declined.v1",
    "payment.promised.v1",
    "payment.refund_granted.v1",
    "payment.refund_redirected.v1",
    "payment.refunded.v1",
    "payment.voided.v1",
    "plan.changed.v1",
    "product.changed.v1",
    "product.merged.v1",
    "proposal.policy_changed.v1",
    "review.policy_changed.v1",
    "review.rejected.v1",
    "review.reported.v1",
    "review.requested.v1",
    "review.submitted.v1",
    "review.withdrawn.v1",
    "sales_channel.changed.v1",
    "store_credit.changed.v1",
    "subscription.changed.v1",
    "subscription.goods_due.v1",
    "subscription.trial_ending.v1",
    "tax.rates_changed.v1",
    "tax.rules_changed.v1",
];

/// The merchant whose own a fact is; none where it is the operators' alone.
pub fn merchant_of(name: &str, data: &Value) -> Option<MerchantId> {
    if !MERCHANTS.contains(&name) {
        return None;
    }
    data.get("merchant")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merchants_own_is_what_names_it_and_is_of_a_kind_that_is_about_one_merchant() {
        let own = MerchantId::from_bits(7);
        let data = json!({"merchant": own, "merchant_order": "mor_00000000000000000000000000101"});
        assert_eq!(merchant_of("merchant_order.shipped.v1", &data), Some(own.clone()));
        for name in
            ["api_key.issued.v1", "member.changed.v1", "override.used.v1", "order.placed.v1", "new.fact.v1"]
        {
            assert_eq!(merchant_of(name, &data), None, "{name}");
        }
        for odd in
            [json!({}), json!({"merchant": null}), json!({"merchant": "alma"}), json!([own]), json!(null)]
        {
            assert_eq!(merchant_of("product.created.v1", &odd), None, "{odd}");
        }
        let deep = json!({"lines": [{"merchant": own}]});
        assert_eq!(
            merchant_of("merchant_order.shipped.v1", &deep),
            None,
            "only the fact itself names its merchant"
        );
    }

    #[test]
    fn no_kind_is_on_both_lists() {
        assert!(MERCHANTS.iter().all(|name| !OPERATORS.contains(name)));
    }
}
