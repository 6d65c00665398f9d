//! Names of things. A name of one kind cannot stand where another kind is wanted.
//!
//! An id is a prefix and a tail of lower-case base 32 (Crockford's alphabet). Most tails are 26 characters
//! of 128 bits: a UUID v7 for what is born here, a digest for what is named by others ([`derive`]).
//! A part of a thing carries its whole's tail ([`MerchantOrderId`], [`PayoutId`]), so its place follows from its name.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}: want `{prefix}` and 8 to 40 of [a-z0-9]")]
pub struct NotAnId {
    text: String,
    kind: &'static str,
    prefix: &'static str,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 128 bits as 26 characters; text order is number order.
fn base32(bits: u128) -> String {
    let digit = |i: u32| {
        let value = (bits >> (i * 5)) & 31;
        char::from(ALPHABET[usize::try_from(value).unwrap_or_default()])
    };
    (0..26).rev().map(digit).collect()
}

/// 128 bits that follow from the parts and nothing else. Parts are length-prefixed, so that
/// ("ab", "c") and ("a", "bc") differ.
pub fn derive(parts: &[&str]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

/// SHA-256 of a text as 64 lower-case hex digits: how secrets and document hashes are kept.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(
            feature = "schema",
            derive(schemars::JsonSchema),
            schemars(with = "String", extend("pattern" = concat!("^", $prefix, "[a-z0-9]{8,40}$")))
        )]
        pub struct $name(String);

        impl $name {
            /// From 128 bits: fresh ones of the edge, or [`derive`]d ones.
            pub fn from_bits(bits: u128) -> Self {
                Self(format!("{}{}", $prefix, base32(bits)))
            }

            /// The whole id, prefix included.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id without its prefix.
            pub fn tail(&self) -> &str {
                &self.0[$prefix.len()..]
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                let tail = text.strip_prefix($prefix).unwrap_or_default();
                let fits = (8..=40).contains(&tail.len())
                    && tail.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                let shown = |text: String| text.chars().take(48).collect();
                if !fits {
                    return Err(NotAnId { text: shown(text), kind: $kind, prefix: $prefix });
                }
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A tenant: one marketplace with its own merchants, orders and money.
    MarketplaceId, "a marketplace id", "mkt_"
);
id!(MerchantId, "a merchant id", "mer_");
id!(CustomerId, "a customer id", "cus_");
id!(
    /// Derived from who keeps it and the external id where it has one.
    ProductId, "a product id", "prd_"
);
id!(
    /// A picture, film or model that a storefront shows.
    AssetId, "an asset id", "ast_"
);
id!(
    /// A file of a catalog, on its way in.
    ImportId, "an import id", "imp_"
);
id!(
    /// Derived from (merchant, SKU): one merchant's offer of one variant.
    OfferId, "an offer id", "off_"
);
id!(
    /// A document that moves stock by itself: a receipt, an adjustment, a release.
    MovementId, "a movement id", "mov_"
);
id!(
    /// Derived from (channel, external id) where an order comes from outside, so a repeat names the same order.
    OrderId, "an order id", "ord_"
);
id!(
    /// The order's tail and the two-digit number of the merchant's part.
    MerchantOrderId, "a merchant order id", "mor_"
);
id!(ShipmentId, "a shipment id", "shp_");
id!(
    /// The merchant's tail and the last day (yyyymmdd) that the payout claims.
    PayoutId, "a payout id", "pyo_"
);
id!(CartId, "a cart id", "crt_");
id!(WishListId, "a wish list id", "wsh_");
id!(
    /// A customer who waits for an offer, since when: a digest of all three.
    WaitId, "a wait id", "wai_"
);
id!(
    /// A person whose carts are followed: a digest of marketplace and mailbox.
    FollowUpId, "a follow-up id", "flw_"
);
id!(
    /// A message to a person: a digest of what it tells of, the reader's address and the way.
    MessageId, "a message id", "msg_"
);
id!(
    /// The order's tail and the two-digit number of the payment.
    PaymentId, "a payment id", "pay_"
);
id!(
    /// The payment's tail and the three-digit number of the attempt: what the gateway knows a call by.
    AttemptId, "an attempt id", "att_"
);
id!(
    /// A manager's word against a policy.
    OverrideId, "an override id", "ovr_"
);
id!(
    /// A system's key; its secret is never stored.
    ApiKeyId, "an API key id", "key_"
);

id!(
    /// What a merchant proposes: a product, or a change of one.
    ProposalId, "a proposal id", "prp_"
);
id!(
    /// A change of what a product says that waits for its time.
    ScheduledChangeId, "a scheduled change id", "sch_"
);
id!(
    /// A file of offers for a channel.
    ExportId, "an export id", "exp_"
);
id!(
    /// Two products that may be one: a digest of both.
    DuplicateId, "a duplicate id", "dup_"
);

id!(
    /// What customers subscribe to.
    PlanId, "a plan id", "pln_"
);
id!(SubscriptionId, "a subscription id", "sub_");
id!(
    /// The subscription's tail and the six-digit number of the document: an invoice or a credit note.
    InvoiceId, "an invoice id", "inv_"
);

id!(
    /// Where somebody wants to hear of events.
    WebhookEndpointId, "a webhook endpoint id", "whe_"
);
id!(
    /// Derived from (endpoint, event): one event is one message of an endpoint, however often it is told.
    WebhookDeliveryId, "a webhook delivery id", "whd_"
);

impl WebhookDeliveryId {
    /// The message that tells `endpoint` of `event`.
    pub fn of(endpoint: &WebhookEndpointId, event: &str) -> Self {
        Self::from_bits(derive(&["webhook", endpoint.as_str(), event]))
    }
}

id!(
    /// The order's tail and the three-digit number of the line: what a line is reviewed with, once.
    ReviewId, "a review id", "rev_"
);
id!(
    /// Derived from a review and who complains of it.
    ReportId, "a report id", "rpt_"
);

impl ReviewId {
    /// The review of `order`'s line with this number.
    pub fn of(order: &OrderId, line: u16) -> Self {
        Self(format!("rev_{}{line:03}", order.tail()))
    }

    /// The order it belongs to and the line, if the id has that form.
    pub fn place(&self) -> Option<(OrderId, u16)> {
        let tail = self.tail();
        let (order, line) = tail.split_at_checked(tail.len().checked_sub(3)?)?;
        Some((format!("ord_{order}").parse().ok()?, line.parse().ok()?))
    }
}

impl ReportId {
    /// The one complaint of `by` about a review.
    pub fn of(review: &ReviewId, by: &str) -> Self {
        Self::from_bits(derive(&["report", review.as_str(), by]))
    }
}

impl InvoiceId {
    /// The `number`-th document of `subscription`, counted from 1.
    pub fn of(subscription: &SubscriptionId, number: u32) -> Self {
        Self(format!("inv_{}{number:06}", subscription.tail()))
    }

    /// The subscription it belongs to and its number, if the id has that form.
    pub fn place(&self) -> Option<(SubscriptionId, u32)> {
        let tail = self.tail();
        let (subscription, number) = tail.split_at_checked(tail.len().checked_sub(6)?)?;
        Some((format!("sub_{subscription}").parse().ok()?, number.parse().ok()?))
    }
}

impl OrderId {
    /// Where the payment of an invoice lies: a payment is of an order, and this one is of none.
    pub fn of_invoice(invoice: &InvoiceId) -> Self {
        Self(format!("ord_{}", invoice.tail()))
    }

    /// The order that a channel calls `external_id`.
    pub fn of_channel(marketplace: &MarketplaceId, channel: &str, external_id: &str) -> Self {
        Self::from_bits(derive(&["order", marketplace.as_str(), channel, external_id]))
    }

    /// The one order that a cart can become: completing twice names the same order (A8(1)).
    pub fn of_cart(cart: &CartId) -> Self {
        Self::from_bits(derive(&["order", cart.as_str()]))
    }
}

impl CustomerId {
    /// The customer that a person who has signed in is in a marketplace.
    pub fn of(marketplace: &MarketplaceId, subject: &str) -> Self {
        Self::from_bits(derive(&["customer", marketplace.as_str(), subject]))
    }

    /// The customer that a guest with this cart is, until there is an account.
    pub fn of_guest(cart: &CartId) -> Self {
        Self::from_bits(derive(&["guest", cart.as_str()]))
    }
}

impl ProductId {
    /// The product that its keeper (a merchant, else the marketplace) calls `external_id`.
    pub fn named(marketplace: &MarketplaceId, keeper: Option<&MerchantId>, external_id: &str) -> Self {
        let keeper = keeper.map_or("", MerchantId::as_str);
        Self::from_bits(derive(&["product", marketplace.as_str(), keeper, external_id]))
    }
}

impl PlanId {
    /// The plan that the marketplace calls `external_id`.
    pub fn named(marketplace: &MarketplaceId, external_id: &str) -> Self {
        Self::from_bits(derive(&["plan", marketplace.as_str(), external_id]))
    }
}

impl OfferId {
    /// What `merchant` sells under `sku`: unique because the id follows from both (A3(3)).
    pub fn of(marketplace: &MarketplaceId, merchant: &MerchantId, sku: &str) -> Self {
        Self::from_bits(derive(&["offer", marketplace.as_str(), merchant.as_str(), sku]))
    }
}

impl MerchantOrderId {
    /// The `part`-th merchant order of `order`, counted from 1.
    pub fn of(order: &OrderId, part: u8) -> Self {
        Self(format!("mor_{}{part:02}", order.tail()))
    }

    /// The order it belongs to and its part, if the id has that form.
    pub fn place(&self) -> Option<(OrderId, u8)> {
        let tail = self.tail();
        let (order, part) = tail.split_at_checked(tail.len().checked_sub(2)?)?;
        Some((format!("ord_{order}").parse().ok()?, part.parse().ok()?))
    }
}

impl PaymentId {
    /// The `number`-th payment of `order`, counted from 1.
    pub fn of(order: &OrderId, number: u8) -> Self {
        Self(format!("pay_{}{number:02}", order.tail()))
    }

    /// The order it belongs to and its number, if the id has that form.
    pub fn place(&self) -> Option<(OrderId, u8)> {
        let tail = self.tail();
        let (order, number) = tail.split_at_checked(tail.len().checked_sub(2)?)?;
        Some((format!("ord_{order}").parse().ok()?, number.parse().ok()?))
    }
}

impl AttemptId {
    /// The `number`-th attempt of `payment`, counted from 1.
    pub fn of(payment: &PaymentId, number: u16) -> Self {
        Self(format!("att_{}{number:03}", payment.tail()))
    }

    /// The payment it belongs to and its number, if the id has that form.
    pub fn place(&self) -> Option<(PaymentId, u16)> {
        let tail = self.tail();
        let (payment, number) = tail.split_at_checked(tail.len().checked_sub(3)?)?;
        Some((format!("pay_{payment}").parse().ok()?, number.parse().ok()?))
    }
}

impl PayoutId {
    /// The payout that claims the days of `merchant` up to `through`, both inclusive.
    pub fn of(merchant: &MerchantId, through: jiff::civil::Date) -> Self {
        Self(format!("pyo_{}{}", merchant.tail(), through.strftime("%Y%m%d")))
    }

    /// The merchant and last day it stands for, if the id has that form.
    pub fn place(&self) -> Option<(MerchantId, jiff::civil::Date)> {
        let tail = self.tail();
        let (merchant, day) = tail.split_at_checked(tail.len().checked_sub(8)?)?;
        let day = jiff::civil::Date::strptime("%Y%m%d", day).ok()?;
        Some((format!("mer_{merchant}").parse().ok()?, day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_order_of_ids_is_number_order() {
        let ids: Vec<OrderId> = [0, 1, 31, 32, u128::MAX / 2, u128::MAX].map(OrderId::from_bits).into();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].as_str(), "ord_00000000000000000000000000");
        assert_eq!(ids[5].as_str(), "ord_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    }

    #[test]
    fn derived_bits_depend_on_where_the_parts_end() {
        assert_ne!(derive(&["ab", "c"]), derive(&["a", "bc"]));
        assert_eq!(derive(&["ab", "c"]), derive(&["ab", "c"]));
    }

    #[test]
    fn a_part_knows_its_whole() {
        let order = OrderId::from_bits(7);
        let part = MerchantOrderId::of(&order, 3);
        assert_eq!(part.place(), Some((order.clone(), 3)));
        let (merchant, day) = (MerchantId::from_bits(9), jiff::civil::date(2017, 2, 28));
        assert_eq!(PayoutId::of(&merchant, day).place(), Some((merchant, day)));
        assert_eq!("pyo_12345678".parse::<PayoutId>().unwrap().place(), None);
        let payment = PaymentId::of(&order, 2);
        assert_eq!(payment.place(), Some((order.clone(), 2)));
        let attempt = AttemptId::of(&payment, 17);
        assert_eq!(attempt.as_str(), "att_0000000000000000000000000702017");
        assert_eq!(attempt.place(), Some((payment, 17)));
        let subscription = SubscriptionId::from_bits(3);
        let review = ReviewId::of(&order, 7);
        assert_eq!(review.as_str(), "rev_00000000000000000000000007007");
        assert_eq!(review.place(), Some((order.clone(), 7)));
        let invoice = InvoiceId::of(&subscription, 12);
        assert_eq!(invoice.place(), Some((subscription, 12)));
        let of_invoice = PaymentId::of(&OrderId::of_invoice(&invoice), 1);
        let attempt = AttemptId::of(&of_invoice, 200);
        assert_eq!(attempt.to_string().parse(), Ok(attempt.clone()), "the longest of all ids is one");
    }

    #[test]
    fn another_kind_or_shape_is_refused() {
        for text in
            ["", "ord_", "mer_00000000", "ord_0000000", "ord_ABCDEFGH", "ord_00000000#", "ord_é0000000"]
        {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
    }
}
