//! Where invoices and credit notes lie, their numbers, who issues them, and whom they are addressed to.
//!
//! A recipient is kept under the digest of what it says, so that an invoice names what held when it was made. It is no
//! sealed item: the law wants invoices whole, also where the customer is forgotten. Those that no document names go
//! with the customer.

use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Held, Page, Record, Story, Table};
use domain::address::Address;
use domain::id::{CustomerId, InvoiceId, MarketplaceId, SubscriptionId, sha256_hex};
use domain::invoice::{Invoice, Number, Series};
use domain::payment::Payment;
use domain::place::Country;
use domain::tax::id::TaxId;
use domain::text::{Name, Word};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Subscriptions whose documents are read at once.
const READ_AT_ONCE: u16 = 20;
/// Documents of one subscription in one read.
const PAGE: u16 = 200;

/// The legal entity that invoices its own service: the marketplace. Its numbers are a series of their own.
pub const ENTITY: &str = "marketplace";

/// What the list of numbers shows of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedInvoice {
    pub id: InvoiceId,
}

impl Record for Invoice {
    const KIND: &'static str = "invoice.1";
    type Summary = NumberedInvoice;

    fn key(&self, m: &MarketplaceId) -> Key {
        // An invoice's id is made from its subscription, so the form always fits.
        Key::invoice(m, &self.id).unwrap_or_else(|| Key::subscription(m, &self.subscription))
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let numbered = self.number.map(|number| Place::invoice_number(m, ENTITY, &number.to_string()));
        numbered.into_iter().collect()
    }

    /// None before it has a number: until then no list shows it, and the item stays small.
    fn summary(&self) -> Option<NumberedInvoice> {
        self.number.map(|_| NumberedInvoice { id: self.id.clone() })
    }
}

impl Record for Series {
    const KIND: &'static str = "series.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::series(m, self.entity.as_str(), self.year)
    }
}

/// Who issues the marketplace's invoices, as they show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    pub name: Name,
    pub lines: Vec<Name>,
    /// Where it is taxed.
    pub country: Country,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<Name>,
}

impl Record for Issuer {
    const KIND: &'static str = "issuer_of_invoices.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::issuer_of_invoices(m)
    }
}

/// Whom the invoices of a subscription are addressed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub subscription: SubscriptionId,
    pub address: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<TaxId>,
}

impl Recipient {
    /// What an invoice knows it by: 16 hex digits of what it says.
    pub fn digest(&self) -> Option<Word> {
        let said = serde_json::to_string(self).unwrap_or_default();
        sha256_hex(said.as_bytes()).get(..16)?.parse().ok()
    }
}

impl Record for Recipient {
    const KIND: &'static str = "recipient.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        let digest = self.digest();
        Key::recipient(m, &self.subscription, digest.as_ref().map_or("", Word::as_str))
    }
}

/// An invoice that a payment has just paid: to be written with it, and what is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidInvoice {
    pub held: Held<Invoice>,
    pub next: Invoice,
    pub story: Story,
}

impl Table {
    pub async fn invoice(&self, m: &MarketplaceId, id: &InvoiceId) -> Result<Option<Held<Invoice>>, Fault> {
        match Key::invoice(m, id) {
            Some(key) => self.load(&key).await,
            None => Ok(None),
        }
    }

    /// A subscription's invoices and credit notes, newest first; strongly consistent.
    pub async fn invoices_of(
        &self,
        m: &MarketplaceId,
        subscription: &SubscriptionId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Held<Invoice>>, Fault> {
        let pk = Key::subscription(m, subscription).pk;
        self.records(&pk, Key::INVOICES, limit, after, false).await
    }

    /// All documents of a customer, of one subscription after the other; strongly consistent but for a subscription
    /// that has just begun. Nothing lists them by customer: that would cost a write unit more for each.
    pub async fn documents_of_customer(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
    ) -> Result<Vec<Held<Invoice>>, Fault> {
        let (mut documents, mut after) = (Vec::new(), None);
        loop {
            let page = self.subscriptions_of_customer(m, customer, READ_AT_ONCE, after.as_ref()).await?;
            let all = page.items.iter().map(|subscription| self.documents_of(m, &subscription.id));
            documents.extend(try_join_all(all).await?.into_iter().flatten());
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(documents),
            }
        }
    }

    async fn documents_of(
        &self,
        m: &MarketplaceId,
        id: &SubscriptionId,
    ) -> Result<Vec<Held<Invoice>>, Fault> {
        let (mut documents, mut after) = (Vec::new(), None);
        loop {
            let page = self.invoices_of(m, id, PAGE, after.as_ref()).await?;
            documents.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(documents),
            }
        }
    }

    /// Where those lie whom no document of a subscription is addressed to: of a trial, of a plan that costs nothing, an
    /// address that was replaced; strongly consistent.
    pub async fn recipients_of_nothing(
        &self,
        m: &MarketplaceId,
        id: &SubscriptionId,
    ) -> Result<Vec<Key>, Fault> {
        let pk = Key::subscription(m, id).pk;
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let page = self.records::<Recipient>(&pk, Key::RECIPIENTS, PAGE, after.as_ref(), true).await?;
            keys.extend(page.items.iter().map(|held| held.value.key(m)));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if keys.is_empty() {
            return Ok(keys);
        }
        let documents = self.documents_of(m, id).await?;
        let named = documents.iter().filter_map(|held| held.value.bill_to.as_ref());
        let named: HashSet<Key> = named.map(|digest| Key::recipient(m, id, digest.as_str())).collect();
        keys.retain(|key| !named.contains(key));
        Ok(keys)
    }

    /// A page of a customer's documents, newest first.
    pub async fn invoices_of_customer(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Held<Invoice>>, Fault> {
        let place = |held: &Held<Invoice>| Cursor::at(held.value.opened_at, held.value.id.as_str());
        let mut documents = self.documents_of_customer(m, customer).await?;
        if after.is_some_and(|cursor| cursor.moment().is_none()) {
            return Err(Fault::ForeignCursor);
        }
        documents.retain(|held| after.is_none_or(|after| place(held) < *after));
        documents.sort_by_key(|held| std::cmp::Reverse(place(held)));
        let more = documents.len() > usize::from(limit);
        documents.truncate(usize::from(limit));
        let next = documents.last().filter(|_| more).map(place);
        Ok(Page { items: documents, next })
    }

    /// Documents that have a number, the highest first.
    pub async fn invoices_by_number(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Held<Invoice>>, Fault> {
        let Place { index, pk, .. } = Place::invoice_number(m, ENTITY, "");
        let Page { items, next } = self.list::<Invoice>(&List::new(index, pk), limit, after).await?;
        let keys: Vec<Key> = items.iter().filter_map(|found| Key::invoice(m, &found.id)).collect();
        Ok(Page { items: self.load_all(&keys).await?, next })
    }

    /// The document of a number; as an index shows it.
    pub async fn invoice_of_number(
        &self,
        m: &MarketplaceId,
        number: Number,
    ) -> Result<Option<Held<Invoice>>, Fault> {
        let after = Cursor::right_above(&Place::invoice_number(m, ENTITY, &number.to_string()));
        let found = self.invoices_by_number(m, 1, Some(&after)).await?.items.pop();
        Ok(found.filter(|held| held.value.number == Some(number)))
    }

    /// The invoice that a change of its payment pays; none of another payment, or where that is no news.
    pub async fn invoice_paid(
        &self,
        m: &MarketplaceId,
        (before, after): (&Payment, &Payment),
        now: Timestamp,
    ) -> Result<Option<PaidInvoice>, Fault> {
        let Some(id) = &after.invoice else { return Ok(None) };
        if after.captured() == before.captured() {
            return Ok(None);
        }
        let Some(held) = self.invoice(m, id).await? else { return Ok(None) };
        let Some(next) = held.value.paid_by(after, now)? else { return Ok(None) };
        let story = Story::new([events::invoice::paid(&next, before)?]);
        Ok(Some(PaidInvoice { held, next, story }))
    }
}
