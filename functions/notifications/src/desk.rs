//! What is read for an occasion: each thing once, and as many together as are known to be wanted.
//!
//! Everything is read strongly: consent, an address to leave alone and an erasure count as they are now (A16(1)), and
//! what an event tells of might not be there yet where a replica lags.

use domain::catalog::{Offer, Product};
use domain::id::{MarketplaceId, OfferId, ProductId};
use domain::marketplace::Marketplace;
use edge::links::Link;
use edge::shown::Front;
use edge::{Again, World};
use std::collections::{BTreeMap, BTreeSet};
use table::access::LinkSecret;
use table::{Held, Key, Loaded, Record};

pub(crate) struct Desk<'a> {
    pub(crate) world: &'a World,
    pub(crate) m: &'a MarketplaceId,
    /// To be read along with the next thing that is not here.
    wanted: BTreeSet<Key>,
    asked: BTreeSet<Key>,
    here: Loaded,
}

impl<'a> Desk<'a> {
    /// Every letter says whose it is, and goes by the marketplace's rules.
    pub(crate) fn of(world: &'a World, m: &'a MarketplaceId) -> Self {
        let wanted = [Key::marketplace(m), Key::message_routing(m)].into();
        Self { world, m, wanted, asked: BTreeSet::new(), here: Loaded::default() }
    }

    /// Says what will be looked at, so that it is read along.
    pub(crate) fn wants(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.wanted.extend(keys);
    }

    /// What is under a key.
    pub(crate) async fn find<R: Record>(&mut self, key: &Key) -> Result<Option<Held<R>>, Again> {
        if !self.asked.contains(key) {
            self.wanted.insert(key.clone());
            let keys: Vec<Key> = std::mem::take(&mut self.wanted).into_iter().collect();
            let fresh: Vec<Key> = keys.into_iter().filter(|key| !self.asked.contains(key)).collect();
            self.here.add(self.world.table.read(&fresh).await?);
            self.asked.extend(fresh);
        }
        Ok(self.here.look(key)?)
    }

    /// The value under a key.
    pub(crate) async fn value<R: Record>(&mut self, key: &Key) -> Result<Option<R>, Again> {
        Ok(self.find::<R>(key).await?.map(|held| held.value))
    }

    pub(crate) async fn marketplace(&mut self) -> Result<Marketplace, Again> {
        let found = self.value(&Key::marketplace(self.m)).await?;
        found.ok_or_else(|| Again::Early(self.m.to_string()))
    }

    /// The storefront, or the API's own address.
    pub(crate) async fn shop(&mut self) -> Result<String, Again> {
        let own = self.marketplace().await?.settings.storefront;
        let own = own.map(|address| address.as_str().to_owned());
        Ok(own.unwrap_or_else(|| self.world.variable("PUBLIC_ADDRESS").unwrap_or_default().to_owned()))
    }

    /// A link's token.
    pub(crate) async fn token(&mut self, link: &Link) -> Result<String, Again> {
        let own: Option<LinkSecret> = self.value(&Key::link_secret(self.m)).await?;
        let token = match own {
            Some(own) => link.token(self.m, &own.secret),
            None => link.sign(self.world, self.m).await,
        };
        token.map_err(|error| Again::call("sign a link", error))
    }

    /// The products that are offered so, of those that there are; they are read along with what is next.
    pub(crate) async fn products(&mut self, offers: Vec<OfferId>) -> Result<Offered, Again> {
        let keys: Vec<Key> = offers.iter().map(|offer| Key::offer(self.m, offer)).collect();
        self.wants(keys.iter().cloned());
        let mut offered = Offered::default();
        for key in &keys {
            if let Some(offer) = self.value::<Offer>(key).await? {
                offered.0.entry(offer.product).or_default().insert(offer.id);
            }
        }
        self.wants(offered.0.keys().map(|product| Key::product(self.m, product)).collect::<Vec<_>>());
        Ok(offered)
    }

    /// The first picture of each product that has one, as small as it is drawn.
    pub(crate) async fn pictures(&mut self, offered: &Offered) -> Result<BTreeMap<OfferId, String>, Again> {
        let mut shown = BTreeMap::new();
        if offered.0.is_empty() {
            return Ok(shown);
        }
        let front = Front::of(self.world, "MEDIA_ADDRESS")
            .map_err(|unset| Again::call("find where pictures are shown", unset))?;
        for (product, offers) in &offered.0 {
            let product: Option<Product> = self.value(&Key::product(self.m, product)).await?;
            let cover = product.and_then(|product| product.cover);
            if let Some(address) = front.thumbnail(self.m, cover.as_ref(), self.world.now()) {
                shown.extend(offers.iter().map(|offer| (offer.clone(), address.clone())));
            }
        }
        Ok(shown)
    }
}

/// Products, each with the offers of it that are meant.
#[derive(Debug, Default)]
pub(crate) struct Offered(BTreeMap<ProductId, BTreeSet<OfferId>>);
