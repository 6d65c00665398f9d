use super::*;
use crate::catalog::{OfferStatus, ProductStatus, VariantDraft, number_variants};
use crate::pim::sheet::tests::{model, patched};

fn product() -> Product {
    let draft = |color: &str, gtin: Option<&str>| VariantDraft {
        number: None,
        values: vec![color.parse().unwrap()],
        gtin: gtin.map(|gtin| gtin.parse().unwrap()),
        weight: None,
    };
    Product {
        id: ProductId::from_bits(1),
        merchant: None,
        external_id: Some("S-1".parse().unwrap()),
        title: "Shirt".parse().unwrap(),
        description: Some("A shirt.".parse().unwrap()),
        categories: ["clothes", "shirts"].map(|category| category.parse().unwrap()).into(),
        axes: vec!["color".parse().unwrap()],
        variants: number_variants(&[], vec![draft("Red", Some("4006381333931")), draft("Blue", None)])
            .unwrap(),
        status: ProductStatus::Active,
        created_at: Timestamp::UNIX_EPOCH,
        merged: None,
        cover: None,
    }
}

fn offer(product: &Product, variant: u16) -> Offer {
    Offer {
        id: OfferId::from_bits(u128::from(variant)),
        merchant: MerchantId::from_bits(7),
        sku: format!("=S{variant}").parse().unwrap(),
        product: product.id.clone(),
        variant,
        title: "Shirt (Red)".parse().unwrap(),
        category: None,
        grams: None,
        product_status: ProductStatus::Active,
        price: eur(1450),
        status: OfferStatus::Active,
        keeps_stock: true,
        order_limit: None,
        locations: Vec::new(),
    }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

/// What is said in German on a channel of an offer of a variant.
fn row(content: &Content, variant: u16, channel: &str, attributes: &[&str]) -> Result<Row, Vec<Code>> {
    let (product, model) = (product(), model());
    let attributes: Vec<Code> = attributes.iter().map(|code| code.parse().unwrap()).collect();
    let (channel, locale) = (channel.parse().unwrap(), "de".parse().unwrap());
    let shows = Shows { model: &model, channel: &channel, locale: &locale, attributes: &attributes };
    let (offer, link) = (offer(&product, variant), "https://shop.example/products/1".parse().unwrap());
    let pictures = ["https://shop.example/1.jpg", "https://shop.example/2.jpg"].map(str::to_owned);
    shows.row(Subject {
        product: &product,
        content,
        offer: &offer,
        price: eur(1450),
        available: true,
        link: Some(&link),
        pictures: &pictures,
    })
}

fn said() -> Content {
    patched(
        r#"{"family":"shirt","values":{
            "name":[{"locale":"de","data":"Hemd"}],"color":[{"data":"red"}],"size":[{"data":"70.5"}],
            "brand":[{"data":"Ember & Co <3"}],"tags":[{"data":["new","eco"]}],
            "text":[{"locale":"de","channel":"web","data":"<p>Aus <b>Leinen</b>.</p>"}]},
            "variants":{"2":{"values":{"color":[{"data":"blue"}]}}}}"#,
    )
    .content
}

#[test]
fn a_row_says_what_the_channel_shows_in_its_language_and_a_variants_own_word_first() {
    let one = row(&said(), 1, "web", &["size", "color", "tags"]).unwrap();
    let want = concat!(
        "set,off_00000000000000000000000001,prd_00000000000000000000000001,S-1,1,",
        "mer_00000000000000000000000007,'=S1,Hemd (Red),Aus Leinen.,clothes|shirts,4006381333931,",
        "Ember & Co <3,,14.50,EUR,true,https://shop.example/products/1,",
        "https://shop.example/1.jpg|https://shop.example/2.jpg,70.5 cm,red,new|eco\r\n"
    );
    let attributes = ["size", "color", "tags"].map(|code| code.parse().unwrap());
    assert_eq!(one.csv(&attributes), want);
    let two = row(&said(), 2, "web", &["color"]).unwrap();
    assert_eq!(
        (two.title.as_str(), two.gtin, &two.values["color".parse::<Code>().as_ref().unwrap()]),
        ("Hemd (Blue)", None, &Data::text("blue"))
    );
}

#[test]
fn without_a_word_of_its_sheet_a_row_says_what_the_product_says() {
    let plain = row(&Content::default(), 1, "web", &["size"]).unwrap();
    assert_eq!((plain.title.as_str(), plain.description.as_str()), ("Shirt (Red)", "A shirt."));
    assert_eq!((plain.brand, plain.values.len()), (None, 0));
}

#[test]
fn a3_2_what_is_not_complete_on_the_channel_is_left_out_with_what_is_missing() {
    let missing = row(&said(), 1, "print", &[]).unwrap_err();
    assert_eq!(missing.iter().map(Code::as_str).collect::<Vec<_>>(), ["note", "text"]);
}

#[test]
fn google_takes_a_row_or_says_what_it_lacks() {
    let row = row(&said(), 2, "web", &[]).unwrap();
    let lacks = row.google(eur(0)).unwrap_err();
    assert_eq!(
        lacks,
        [("price", "it is zero or less"), ("gtin", "there is neither a GTIN nor brand and part number")]
            .map(|(field, why)| (field.to_owned(), why.to_owned()))
    );
    let named = Row { mpn: Some("S-2".to_owned()), ..row };
    assert!(named.google(eur(1450)).unwrap().xml().contains("<g:mpn>S-2</g:mpn>"));
}

#[test]
fn every_line_has_as_many_cells_as_the_head() {
    let attributes = ["size", "color"].map(|code| code.parse::<Code>().unwrap());
    let cells = |line: &str| line.matches(',').count();
    let head = cells(&csv_head(&attributes));
    assert_eq!(head, 19);
    assert_eq!(cells(&csv_removed("off_00000001", &attributes)), head);
    assert_eq!(cells(&row(&said(), 1, "web", &["size", "color"]).unwrap().csv(&attributes)), head);
}
