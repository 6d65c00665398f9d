//! Delivery: what each merchant brings where, when and for how much, and what that comes to for one parcel.
//!
//! Routes: `/v1/delivery/{merchant}…`, `/v1/addresses…`. Reads: rate tables, merchants, marketplace. Writes: rate
//! tables. Emits: `delivery.rates_changed.v1`.
//!
//! A merchant has one table and sets it as a whole. Options are reckoned anew at each question and kept nowhere, so a
//! new table counts from the next question on. Absent on purpose: live rates of carriers, parcels of several merchants.

mod address;
mod options;
mod rates;

use domain::Currency;
use domain::id::{MarketplaceId, MerchantId};
use domain::marketplace::Marketplace;
use domain::merchant::Merchant;
use edge::{Function, Problem, Routes, World};
use table::{Key, Loaded};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .post("/v1/addresses/check", address::check_address)
        .everyone("delivery:read", "addresses.check", "An address in the spelling of its country")
        .get("/v1/addresses/formats/{country}", address::show_format)
        .everyone("delivery:read", "addresses.format", "What a country wants in an address")
        .get("/v1/delivery/{merchant}", rates::show)
        .everyone("delivery:read", "delivery.show", "What a merchant delivers where, and for how much")
        .post("/v1/delivery/{merchant}/set", rates::set)
        .merchants("delivery:write", "delivery.set", "A merchant's calendar, zones and rates, all at once")
        .get("/v1/delivery/{merchant}/options", options::options)
        .everyone("delivery:read", "delivery.options", "Every way to bring a parcel to a place");
    Function::new("delivery", world).routes(routes)
}

/// The merchant's currency, which its table is in, and what lies under `more` keys; in one batch read.
async fn currency_of(
    world: &World,
    m: &MarketplaceId,
    merchant: &MerchantId,
    more: &[Key],
) -> Result<(Currency, Loaded), Problem> {
    let (own, key) = (Key::marketplace(m), Key::merchant(m, merchant));
    let keys: Vec<Key> = [own.clone(), key.clone()].into_iter().chain(more.iter().cloned()).collect();
    let mut read = world.table.read(&keys).await?;
    let marketplace = read.take::<Marketplace>(&own)?.ok_or_else(|| Problem::not_found("marketplace"))?;
    let merchant = read.take::<Merchant>(&key)?.ok_or_else(|| Problem::not_found("merchant"))?;
    Ok((merchant.value.settles_in(marketplace.value.currency), read))
}

/// The merchant that a path names; what is no id names none.
fn named(merchant: &str) -> Result<MerchantId, Problem> {
    merchant.parse().map_err(|_| Problem::not_found("merchant"))
}
