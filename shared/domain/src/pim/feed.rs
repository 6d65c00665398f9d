//! What Google Merchant Center wants of a product, as one item of an RSS 2.0 feed.
//!
//! Rules are those of its product data specification: an id of 50 characters, a title of 150, a description of 5,000, a
//! brand and part number of 70, addresses that begin with https, a price above zero, ten pictures beside the first, and
//! a GTIN or brand and part number. An [`Item`] exists only where all of them hold; else [`Draft::check`] says what is
//! missing. Nothing is cut to fit: a title that ends in the middle is worse than a complaint.

use crate::catalog::Gtin;
use crate::money::Money;
use crate::pim::likeness::gtin14;
use crate::text::WebAddress;
use serde::{Deserialize, Serialize};

pub const PICTURES_MAX: usize = 10;

/// What is known of a product on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    pub id: String,
    pub title: String,
    /// Without tags.
    pub description: String,
    pub link: Option<WebAddress>,
    /// The first stands for the product.
    pub pictures: Vec<WebAddress>,
    pub availability: Option<Availability>,
    pub price: Option<Money>,
    pub brand: Option<String>,
    pub gtin: Option<Gtin>,
    pub mpn: Option<String>,
    pub condition: Option<Condition>,
    /// That such goods have no number of a maker: made by hand, or old.
    pub unnumbered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Availability {
    InStock,
    OutOfStock,
    Preorder,
    Backorder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "GoodsCondition"))]
pub enum Condition {
    New,
    Refurbished,
    Used,
}

/// A field of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "FeedField"))]
pub enum Field {
    Id,
    Title,
    Description,
    Link,
    ImageLink,
    Availability,
    Price,
    Brand,
    Gtin,
    Mpn,
    Condition,
}

impl Field {
    /// As the feed calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Title => "title",
            Self::Description => "description",
            Self::Link => "link",
            Self::ImageLink => "image_link",
            Self::Availability => "availability",
            Self::Price => "price",
            Self::Brand => "brand",
            Self::Gtin => "gtin",
            Self::Mpn => "mpn",
            Self::Condition => "condition",
        }
    }
}

/// What is wrong with one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lack {
    #[error("it is missing")]
    Missing,
    #[error("it has {length} characters: want at most {max}")]
    Long { length: usize, max: usize },
    #[error("it is all in capital letters")]
    Shouted,
    #[error("it is zero or less")]
    NoPrice,
    #[error("the number is a shop's own, and means nothing elsewhere")]
    OwnNumber,
    #[error("there is neither a GTIN nor brand and part number")]
    Unidentified,
}

/// A draft that holds all that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item(Draft);

impl Draft {
    /// The item, or all that is wrong.
    pub fn check(self) -> Result<Item, Vec<(Field, Lack)>> {
        let lacks = self.lacks();
        if lacks.is_empty() { Ok(Item(self)) } else { Err(lacks) }
    }

    fn lacks(&self) -> Vec<(Field, Lack)> {
        let mut lacks = Vec::new();
        let mut lack = |field, lack: Option<Lack>| lacks.extend(lack.map(|lack| (field, lack)));
        let missing = |is: bool| is.then_some(Lack::Missing);
        lack(Field::Id, text(&self.id, 50));
        lack(Field::Title, text(&self.title, 150).or_else(|| shouted(&self.title)));
        lack(Field::Description, text(&self.description, 5_000));
        lack(Field::Link, missing(self.link.is_none()));
        lack(Field::ImageLink, missing(self.pictures.is_empty()));
        lack(Field::Availability, missing(self.availability.is_none()));
        let price = self.price.map(|price| (price.minor <= 0).then_some(Lack::NoPrice));
        lack(Field::Price, price.unwrap_or(Some(Lack::Missing)));
        lack(Field::Brand, self.brand.as_ref().and_then(|brand| text(brand, 70)));
        let own = self.gtin.as_ref().is_some_and(|gtin| gtin14(gtin).is_none());
        let named = self.brand.is_some() && self.mpn.is_some();
        let unidentified = self.gtin.is_none() && !named && !self.unnumbered;
        lack(Field::Gtin, own.then_some(Lack::OwnNumber).or(unidentified.then_some(Lack::Unidentified)));
        lack(Field::Mpn, self.mpn.as_ref().and_then(|mpn| text(mpn, 70)));
        lack(Field::Condition, missing(self.condition.is_none()));
        lacks
    }
}

fn text(text: &str, max: usize) -> Option<Lack> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Some(Lack::Missing);
    }
    (length > max).then_some(Lack::Long { length, max })
}

/// More than a word or two, and no small letter in them.
fn shouted(text: &str) -> Option<Lack> {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    (letters > 12 && !text.chars().any(char::is_lowercase) && text.chars().any(char::is_uppercase))
        .then_some(Lack::Shouted)
}

impl Item {
    /// `<item>` of a feed whose root declares `xmlns:g="http://base.google.com/ns/1.0"`.
    pub fn xml(&self) -> String {
        let Self(draft) = self;
        let mut xml = String::from("<item>\n");
        let mut put = |name: &str, text: &str| {
            xml.push_str(&format!("<g:{name}>{}</g:{name}>\n", escaped(text)));
        };
        put("id", &draft.id);
        put("title", &draft.title);
        put("description", &draft.description);
        let link = draft.link.as_ref().map(|link| ("link", link.as_str()));
        let pictures = draft.pictures.iter().take(PICTURES_MAX + 1).enumerate().map(|(at, picture)| {
            (if at == 0 { "image_link" } else { "additional_image_link" }, picture.as_str())
        });
        link.into_iter().chain(pictures).for_each(|(name, text)| put(name, text));
        let availability = draft.availability.map(|availability| match availability {
            Availability::InStock => "in_stock",
            Availability::OutOfStock => "out_of_stock",
            Availability::Preorder => "preorder",
            Availability::Backorder => "backorder",
        });
        let condition = draft.condition.map(|condition| match condition {
            Condition::New => "new",
            Condition::Refurbished => "refurbished",
            Condition::Used => "used",
        });
        let price = draft.price.map(|price| price.to_string());
        let gtin = draft.gtin.as_ref().map(ToString::to_string);
        let identified = (draft.gtin.is_none() && draft.mpn.is_none()).then_some("no");
        let rest = [
            ("availability", availability),
            ("price", price.as_deref()),
            ("brand", draft.brand.as_deref()),
            ("gtin", gtin.as_deref()),
            ("mpn", draft.mpn.as_deref()),
            ("identifier_exists", identified),
            ("condition", condition),
        ];
        rest.into_iter()
            .filter_map(|(name, text)| Some((name, text?)))
            .for_each(|(name, text)| put(name, text));
        xml.push_str("</item>\n");
        xml
    }
}

/// Text for XML; characters that XML has no place for are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            odd if odd.is_control() => {}
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mug() -> Draft {
        Draft {
            id: "off_00000001".to_owned(),
            title: "Mug \"Sand\" & <saucer>".to_owned(),
            description: "Stoneware.\nHolds 0.3 l.\u{1}".to_owned(),
            link: Some("https://shop.example/p?a=1&b=2".parse().unwrap()),
            pictures: ["https://shop.example/1.jpg", "https://shop.example/2.jpg"]
                .map(|a| a.parse().unwrap())
                .into(),
            availability: Some(Availability::InStock),
            price: Some(Money::new(1450, "EUR".parse().unwrap())),
            brand: Some("Alma".to_owned()),
            gtin: Some("4006381333931".parse().unwrap()),
            mpn: None,
            condition: Some(Condition::New),
            unnumbered: false,
        }
    }

    #[test]
    fn an_item_says_all_that_is_wanted_and_is_escaped() {
        let want = "<item>\n<g:id>off_00000001</g:id>\n<g:title>Mug &quot;Sand&quot; &amp; &lt;saucer&gt;</g:title>\n\
            <g:description>Stoneware.\nHolds 0.3 l.</g:description>\n\
            <g:link>https://shop.example/p?a=1&amp;b=2</g:link>\n\
            <g:image_link>https://shop.example/1.jpg</g:image_link>\n\
            <g:additional_image_link>https://shop.example/2.jpg</g:additional_image_link>\n\
            <g:availability>in_stock</g:availability>\n<g:price>14.50 EUR</g:price>\n<g:brand>Alma</g:brand>\n\
            <g:gtin>4006381333931</g:gtin>\n<g:condition>new</g:condition>\n</item>\n";
        assert_eq!(mug().check().unwrap().xml(), want);
    }

    #[test]
    fn everything_that_is_missing_is_told() {
        let lacks = Draft::default().check().unwrap_err();
        let fields: Vec<(Field, String)> =
            lacks.iter().map(|(field, lack)| (*field, lack.to_string())).collect();
        let missing = [
            Field::Id,
            Field::Title,
            Field::Description,
            Field::Link,
            Field::ImageLink,
            Field::Availability,
            Field::Price,
        ];
        let mut want: Vec<(Field, String)> = missing.map(|field| (field, "it is missing".to_owned())).into();
        want.push((Field::Gtin, "there is neither a GTIN nor brand and part number".to_owned()));
        want.push((Field::Condition, "it is missing".to_owned()));
        assert_eq!(fields, want);
    }

    #[test]
    fn the_rules_of_each_field_hold() {
        let lack = |draft: Draft| draft.check().unwrap_err();
        let title = |title: &str| Draft { title: title.to_owned(), ..mug() };
        assert_eq!(lack(title(&"xY".repeat(76))), [(Field::Title, Lack::Long { length: 152, max: 150 })]);
        assert_eq!(lack(title("BUY THIS MUG RIGHT NOW")), [(Field::Title, Lack::Shouted)]);
        assert!(title("HP DESKJET 5").check().is_ok() && title(&"x".repeat(150)).check().is_ok());
        let long = Lack::Long { length: 5_001, max: 5_000 };
        assert_eq!(lack(Draft { description: "x".repeat(5_001), ..mug() }), [(Field::Description, long)]);
        let free = Some(Money::new(0, "EUR".parse().unwrap()));
        assert_eq!(lack(Draft { price: free, ..mug() }), [(Field::Price, Lack::NoPrice)]);
        let own = Some("2000000000008".parse().unwrap());
        assert_eq!(lack(Draft { gtin: own, ..mug() }), [(Field::Gtin, Lack::OwnNumber)]);
        let bare = Draft { gtin: None, ..mug() };
        assert_eq!(lack(bare.clone()), [(Field::Gtin, Lack::Unidentified)]);
        assert!(Draft { mpn: Some("A-1".to_owned()), ..bare.clone() }.check().is_ok());
        let handmade = Draft { unnumbered: true, ..bare }.check().unwrap().xml();
        assert!(handmade.contains("<g:identifier_exists>no</g:identifier_exists>"));
    }
}
