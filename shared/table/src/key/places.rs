//! Places in the indexes: under what each list is kept, and in which order.
//!
//! The table at the head of [`crate::key`] shows them all. What writes and what lists meet here.

use crate::key::{DAY_SHARDS, Index, Place, millis, shard};
use crate::{record::Item, text};
use domain::discount::Spelling;
use domain::id::{
    ApiKeyId, CustomerId, MarketplaceId, MerchantId, OfferId, OrderId, OverrideId, PaymentId, PayoutId,
    PlanId, ProductId, SubscriptionId,
};
use domain::text::Category;
use jiff::Timestamp;
use jiff::civil::Date;

impl Place {
    pub(super) fn new(index: Index, pk: String, at: Timestamp, id: &str) -> Self {
        Self { index, pk, sk: format!("{}#{id}", millis(at)) }
    }

    pub(crate) fn order_of_customer(
        m: &MarketplaceId,
        customer: &CustomerId,
        at: Timestamp,
        id: &OrderId,
    ) -> Self {
        Self::new(Index::Gsi1, format!("{m}#CUS#{}", customer.tail()), at, id.as_str())
    }

    pub(crate) fn order_of_day(m: &MarketplaceId, at: Timestamp, id: &OrderId) -> Self {
        let pk = Self::day_partition(m, "ORDDAY", domain::payout::day(at), shard(id.as_str(), DAY_SHARDS));
        Self::new(Index::Gsi2, pk, at, id.as_str())
    }

    pub(crate) fn open_exception(m: &MarketplaceId, at: Timestamp, id: &OrderId) -> Self {
        Self::new(Index::Gsi3, format!("{m}#EXC"), at, id.as_str())
    }

    /// Sparse: payments that a person has to look at.
    pub(crate) fn payment_alert(m: &MarketplaceId, at: Timestamp, id: &PaymentId) -> Self {
        Self::new(Index::Gsi3, format!("{m}#PAYALERT"), at, id.as_str())
    }

    pub(crate) fn merchant_order(m: &MarketplaceId, merchant: &MerchantId, at: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi1, format!("{m}#MOR#{}", merchant.tail()), at, id)
    }

    /// The merchant's work list: sparse, gone from it at the end.
    pub(crate) fn open_merchant_order(
        m: &MarketplaceId,
        merchant: &MerchantId,
        at: Timestamp,
        id: &str,
    ) -> Self {
        Self::new(Index::Gsi3, format!("{m}#OPEN#{}", merchant.tail()), at, id)
    }

    pub(crate) fn merchant(m: &MarketplaceId, id: &MerchantId) -> Self {
        Self { index: Index::Gsi2, pk: Self::merchants(m), sk: id.as_str().to_owned() }
    }

    pub(crate) fn merchants(m: &MarketplaceId) -> String {
        format!("{m}#MERS")
    }

    pub(crate) fn category(m: &MarketplaceId, handle: &Category) -> Self {
        Self { index: Index::Gsi2, pk: Self::categories(m), sk: handle.as_str().to_owned() }
    }

    pub(crate) fn discount_code(m: &MarketplaceId, name: &Spelling) -> Self {
        Self { index: Index::Gsi2, pk: Self::discount_codes(m), sk: name.as_str().to_owned() }
    }

    pub(crate) fn discount_codes(m: &MarketplaceId) -> String {
        format!("{m}#DSCS")
    }

    pub(crate) fn categories(m: &MarketplaceId) -> String {
        format!("{m}#CATS")
    }

    pub(crate) fn plan(m: &MarketplaceId, id: &PlanId) -> Self {
        Self { index: Index::Gsi2, pk: Self::plans(m), sk: id.as_str().to_owned() }
    }

    pub(crate) fn plans(m: &MarketplaceId) -> String {
        format!("{m}#PLNS")
    }

    pub(crate) fn subscription_of_customer(
        m: &MarketplaceId,
        customer: &CustomerId,
        id: &SubscriptionId,
    ) -> Self {
        Self {
            index: Index::Gsi1,
            pk: Self::subscriptions_of_customer(m, customer),
            sk: id.as_str().to_owned(),
        }
    }

    pub(crate) fn subscriptions_of_customer(m: &MarketplaceId, customer: &CustomerId) -> String {
        format!("{m}#CUSSBN#{}", customer.tail())
    }

    pub(crate) fn subscription_of_plan(m: &MarketplaceId, plan: &PlanId, id: &SubscriptionId) -> Self {
        Self { index: Index::Gsi2, pk: Self::subscriptions_of_plan(m, plan), sk: id.as_str().to_owned() }
    }

    pub(crate) fn subscriptions_of_plan(m: &MarketplaceId, plan: &PlanId) -> String {
        format!("{m}#PLNSBN#{}", plan.tail())
    }

    pub(crate) fn invoice_number(m: &MarketplaceId, entity: &str, number: &str) -> Self {
        Self { index: Index::Gsi2, pk: format!("{m}#INVNO#{entity}"), sk: number.to_owned() }
    }

    pub(crate) fn open_case(m: &MarketplaceId, at: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi3, format!("{m}#DUNNING"), at, id)
    }

    /// Cases that ended in a month (`2026-11`), by when they did.
    pub(crate) fn ended_case(m: &MarketplaceId, at: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi3, format!("{m}#DUNNED#{}", at.strftime("%Y-%m")), at, id)
    }

    pub(crate) fn product(m: &MarketplaceId, id: &ProductId) -> Self {
        Self { index: Index::Gsi2, pk: Self::products(m), sk: id.as_str().to_owned() }
    }

    pub(crate) fn products(m: &MarketplaceId) -> String {
        format!("{m}#PRDS")
    }

    pub(crate) fn product_in(m: &MarketplaceId, category: &Category, id: &ProductId) -> Self {
        Self { index: Index::Gsi1, pk: Self::products_in(m, category), sk: id.as_str().to_owned() }
    }

    pub(crate) fn products_in(m: &MarketplaceId, category: &Category) -> String {
        format!("{m}#INCAT#{category}")
    }

    pub(crate) fn offer_of_product(m: &MarketplaceId, product: &ProductId, id: &OfferId) -> Self {
        Self { index: Index::Gsi1, pk: Self::offers_of_product(m, product), sk: id.as_str().to_owned() }
    }

    pub(crate) fn offers_of_product(m: &MarketplaceId, product: &ProductId) -> String {
        format!("{m}#PRDOFF#{}", product.tail())
    }

    pub(crate) fn offer_of_merchant(m: &MarketplaceId, merchant: &MerchantId, id: &OfferId) -> Self {
        Self { index: Index::Gsi2, pk: Self::offers_of_merchant(m, merchant), sk: id.as_str().to_owned() }
    }

    pub(crate) fn offers_of_merchant(m: &MarketplaceId, merchant: &MerchantId) -> String {
        format!("{m}#MEROFF#{}", merchant.tail())
    }

    pub(crate) fn override_(m: &MarketplaceId, id: &OverrideId) -> Self {
        Self { index: Index::Gsi2, pk: Self::overrides(m), sk: id.as_str().to_owned() }
    }

    pub(crate) fn overrides(m: &MarketplaceId) -> String {
        format!("{m}#OVRS")
    }

    pub(crate) fn member(m: &MarketplaceId, merchant: &MerchantId, subject: &str) -> Self {
        Self { index: Index::Gsi1, pk: Self::members(m, merchant), sk: subject.to_owned() }
    }

    pub(crate) fn members(m: &MarketplaceId, merchant: &MerchantId) -> String {
        format!("{m}#MEM#{}", merchant.tail())
    }

    pub(crate) fn api_key(m: &MarketplaceId, id: &ApiKeyId) -> Self {
        Self { index: Index::Gsi2, pk: Self::api_keys(m), sk: id.as_str().to_owned() }
    }

    pub(crate) fn api_keys(m: &MarketplaceId) -> String {
        format!("{m}#KEYS")
    }

    pub(crate) fn payout_of_day(m: &MarketplaceId, at: Timestamp, id: &PayoutId) -> Self {
        let pk = Self::day_partition(m, "PYODAY", domain::payout::day(at), shard(id.as_str(), DAY_SHARDS));
        Self::new(Index::Gsi2, pk, at, id.as_str())
    }

    pub(crate) fn day_partition(m: &MarketplaceId, list: &str, day: Date, shard: u8) -> String {
        format!("{m}#{list}#{day}#{shard}")
    }

    pub(crate) fn write(&self, item: &mut Item) {
        item.insert(self.index.pk().to_owned(), text(&self.pk));
        item.insert(self.index.sk().to_owned(), text(&self.sk));
    }
}
