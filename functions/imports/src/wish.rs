//! What a row asks for: a product under a name of its keeper's, what is said of it, and an offer where there are SKU
//! and price.

use crate::rows::{Job, Said, bad};
use domain::Money;
use domain::catalog::Gtin;
use domain::currency::Currency;
use domain::id::{MerchantId, OfferId, ProductId};
use domain::import::BadCell;
use domain::merchant::Merchant;
use domain::pim::data::Data;
use domain::pim::exchange::Field;
use domain::text::{Category, ExternalId, Name, Sku, Text};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// The heaviest parcel: 10 t.
const WEIGHT_MAX: u32 = 10_000_000;

/// Absent is unchanged, none takes it away.
type Maybe<T> = Option<Option<T>>;

pub(crate) struct Wish {
    pub(crate) id: ProductId,
    pub(crate) keeper: Option<MerchantId>,
    pub(crate) external_id: ExternalId,
    pub(crate) title: Option<Name>,
    pub(crate) description: Maybe<Text>,
    pub(crate) categories: Option<Vec<Category>>,
    pub(crate) gtin: Maybe<Gtin>,
    pub(crate) weight: Maybe<u32>,
    pub(crate) offer: Option<OfferWish>,
}

pub(crate) struct OfferWish {
    pub(crate) id: OfferId,
    pub(crate) merchant: MerchantId,
    pub(crate) sku: Sku,
    pub(crate) price: Money,
}

/// Whom rows may name: merchants by what other systems call them, and the one that the import is for.
pub(crate) struct Merchants {
    pub(crate) named: BTreeMap<ExternalId, Merchant>,
    pub(crate) own: Option<Merchant>,
    /// The marketplace's.
    pub(crate) currency: Currency,
}

/// A row's fields, read one after the other; everything wrong is gathered.
pub(crate) struct Reading<'a> {
    said: &'a Said,
    pub(crate) bad: Vec<BadCell>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(said: &'a Said) -> Self {
        Self { said, bad: Vec::new() }
    }

    fn data(&self, field: Field) -> Option<&'a Data> {
        self.said.mapped.fields.get(&field)
    }

    fn wrong(&mut self, field: Field, wrong: impl Into<String>, todo: &str) {
        self.bad.push(bad(&self.said.row, self.said.mapped.source(field), wrong, todo));
    }

    /// A text, or the first of a list.
    fn text(&mut self, field: Field) -> Maybe<String> {
        let data = match self.data(field)? {
            Data::List(items) => items.first().unwrap_or(&Data::Null),
            data @ (Data::Null | Data::Bool(_) | Data::Whole(_) | Data::Text(_) | Data::Map(_)) => data,
        };
        match data {
            Data::Null => Some(None),
            Data::Text(text) => Some(Some(text.trim().to_owned())),
            Data::Whole(number) => Some(Some(number.to_string())),
            Data::Bool(_) | Data::List(_) | Data::Map(_) => {
                self.wrong(field, "it is no text", "correct the cell, or its mapping");
                None
            }
        }
    }

    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, field: Field, todo: &str) -> Maybe<T> {
        match self.text(field)? {
            None => Some(None),
            Some(text) => match text.parse::<T>() {
                Ok(value) => Some(Some(value)),
                Err(error) => {
                    self.wrong(field, error.to_string(), todo);
                    None
                }
            },
        }
    }

    /// What no row goes without.
    pub(crate) fn needed<T: FromStr<Err: Display>>(
        &mut self,
        (field, name): (Field, &str),
        todo: &str,
    ) -> Option<T> {
        let before = self.bad.len();
        let read = self.parsed::<T>(field, todo).flatten();
        if read.is_none() && self.bad.len() == before {
            let todo = format!("map a column to `{name}`, and fill it");
            self.wrong(field, format!("it has no {name}"), &todo);
        }
        read
    }

    fn categories(&mut self) -> Option<Vec<Category>> {
        let items = match self.data(Field::Categories)? {
            Data::Null => Vec::new(),
            Data::List(items) => items.clone(),
            data @ (Data::Bool(_) | Data::Whole(_) | Data::Text(_) | Data::Map(_)) => vec![data.clone()],
        };
        let mut categories = Vec::with_capacity(items.len());
        for item in items {
            match item.as_text().unwrap_or_default().parse::<Category>() {
                Ok(category) => categories.push(category),
                Err(error) => {
                    self.wrong(Field::Categories, error.to_string(), "write the handle of a category");
                    return None;
                }
            }
        }
        Some(categories)
    }

    /// An amount, or a plain number in the merchant's currency.
    fn price(&mut self, currency: Currency) -> Option<Money> {
        let (amount, named) = match self.data(Field::Price)? {
            Data::Map(parts) => {
                let part = |name: &str| parts.get(name).and_then(Data::as_text).map(str::to_owned);
                (part("amount"), part("currency"))
            }
            Data::Text(text) => (Some(text.clone()), None),
            Data::Whole(number) => (Some(number.to_string()), None),
            Data::Null => return None,
            Data::Bool(_) | Data::List(_) => (None, None),
        };
        if let Some(other) = named.filter(|named| named != currency.code()) {
            let wrong = format!("it is in {other}, and its merchant prices in {currency}");
            self.wrong(Field::Price, wrong, "convert it, or name a merchant of that currency");
            return None;
        }
        let read = Money::parse(amount.as_deref().unwrap_or_default(), currency);
        match read.map_err(|error| error.to_string()) {
            Ok(price) if price.minor >= 0 => return Some(price),
            Ok(_) => self.wrong(Field::Price, "it is below zero", "correct the cell"),
            Err(error) => self.wrong(Field::Price, error, "write a plain number like 19.99"),
        }
        None
    }

    /// Who keeps the product, and sells it; the marketplace, if nobody is named.
    fn merchant<'m>(&mut self, merchants: &'m Merchants) -> Option<Option<&'m Merchant>> {
        let named = self.parsed::<ExternalId>(Field::Merchant, "write what other systems call the merchant");
        match (&merchants.own, named) {
            (own, None | Some(None)) if self.bad.is_empty() => Some(own.as_ref()),
            (_, None | Some(None)) => None,
            (Some(own), Some(Some(name))) => {
                if own.external_id.as_ref() == Some(&name) || own.id.as_str() == name.as_str() {
                    return Some(Some(own));
                }
                let wrong = "it is another merchant's row: an import writes its merchant's products alone";
                self.wrong(Field::Merchant, wrong, "leave the row out, or the column");
                None
            }
            (None, Some(Some(name))) => match merchants.named.get(&name) {
                Some(merchant) => Some(Some(merchant)),
                None => {
                    let wrong = format!("there is no merchant `{name}`");
                    self.wrong(Field::Merchant, wrong, "invite the merchant first, under this external id");
                    None
                }
            },
        }
    }
}

/// Everything that a row asks for, or all that is wrong with it by itself.
pub(crate) fn wish(job: &Job<'_>, said: &Said, merchants: &Merchants) -> Result<Wish, Vec<BadCell>> {
    let mut reading = Reading::new(said);
    let merchant = reading.merchant(merchants);
    let external_id = reading.parsed::<ExternalId>(Field::ExternalId, "correct the cell");
    if matches!(external_id, None | Some(None)) && reading.bad.is_empty() {
        let todo = "map a column to `external_id`, and fill it";
        reading.wrong(Field::ExternalId, "it has no external id", todo);
    }
    let title = reading.parsed::<Name>(Field::Title, "shorten it, or give its mapping `trim` and `cut`");
    if title == Some(None) {
        reading.wrong(Field::Title, "a product has a title", "fill the cell");
    }
    let description =
        reading.parsed::<Text>(Field::Description, "shorten it, or give its mapping `trim` and `cut`");
    let categories = reading.categories();
    let gtin = reading.parsed::<Gtin>(Field::Gtin, "correct it, or leave it empty");
    let weight = reading.parsed::<u32>(Field::Weight, "write whole grams");
    if let Some(Some(weight)) = weight
        && !(1..=WEIGHT_MAX).contains(&weight)
    {
        let wrong = format!("{weight} is not between 1 and {WEIGHT_MAX} grams");
        reading.wrong(Field::Weight, wrong, "write whole grams");
    }
    let sku = reading.parsed::<Sku>(Field::Sku, "correct the cell").flatten();
    let seller = merchant.flatten();
    let currency = seller.map_or(merchants.currency, |seller| seller.settles_in(merchants.currency));
    let price = reading.price(currency);
    let offer = match (sku, price, seller) {
        (Some(sku), Some(price), Some(seller)) => {
            let id = OfferId::of(job.m, &seller.id, sku.as_str());
            Some(OfferWish { id, merchant: seller.id.clone(), sku, price })
        }
        (Some(_), Some(_), None) if reading.bad.is_empty() => {
            let todo = "map a column to `merchant`, or leave out SKU or price";
            reading.wrong(Field::Price, "nobody is named who sells it", todo);
            None
        }
        (Some(_) | None, Some(_) | None, Some(_) | None) => None,
    };
    let keeper = seller.map(|seller| seller.id.clone());
    match external_id.flatten().filter(|_| reading.bad.is_empty()) {
        None => Err(reading.bad),
        Some(external_id) => {
            let id = ProductId::named(job.m, keeper.as_ref(), external_id.as_str());
            let title = title.flatten();
            Ok(Wish { id, keeper, external_id, title, description, categories, gtin, weight, offer })
        }
    }
}
