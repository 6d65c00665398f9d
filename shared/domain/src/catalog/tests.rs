use super::*;

fn word(text: &str) -> Word {
    text.parse().unwrap()
}

fn draft(number: Option<u16>, values: &[&str]) -> VariantDraft {
    VariantDraft {
        number,
        values: values.iter().map(|value| word(value)).collect(),
        gtin: None,
        weight: None,
    }
}

fn product(axes: &[&str], variants: Vec<VariantDraft>) -> Result<Product, Refused> {
    Product {
        id: ProductId::from_bits(1),
        merchant: None,
        external_id: None,
        title: "Mug".parse().unwrap(),
        description: None,
        categories: Vec::new(),
        axes: axes.iter().map(|axis| word(axis)).collect(),
        variants: number_variants(&[], variants)?,
        status: ProductStatus::Active,
        created_at: Timestamp::UNIX_EPOCH,
        merged: None,
        cover: None,
    }
    .checked()
}

fn numbers(variants: &[Variant]) -> Vec<u16> {
    variants.iter().map(|variant| variant.number).collect()
}

#[test]
fn each_variant_has_a_value_per_axis_and_none_is_there_twice() {
    assert!(product(&[], vec![draft(None, &[])]).is_ok());
    let both = product(&["color", "size"], vec![draft(None, &["red", "s"]), draft(None, &["red", "m"])]);
    assert_eq!(numbers(&both.unwrap().variants), [1, 2]);
    let short = product(&["color", "size"], vec![draft(None, &["red"])]);
    assert_eq!(short, Err(Refused::Values { variant: 1, values: 1, axes: 2 }));
    let same =
        product(&["color"], vec![draft(None, &["red"]), draft(None, &["blue"]), draft(None, &["red"])]);
    assert_eq!(same, Err(Refused::SameValues(1, 3)));
    assert_eq!(product(&[], Vec::new()), Err(Refused::VariantCount(0)));
    assert_eq!(product(&["a", "a"], vec![draft(None, &["x", "y"])]), Err(Refused::Axes));
}

#[test]
fn a_variants_number_is_never_given_again() {
    let before = number_variants(&[], vec![draft(None, &["s"]), draft(None, &["m"])]).unwrap();
    let after =
        number_variants(&before, vec![draft(Some(2), &["m"]), draft(None, &["l"]), draft(Some(1), &["s"])]);
    assert_eq!(numbers(&after.unwrap()), [2, 3, 1]);
    assert_eq!(number_variants(&before, vec![draft(Some(1), &["s"])]), Err(Refused::MissingVariant(2)));
    assert_eq!(number_variants(&before, vec![draft(Some(9), &["s"])]), Err(Refused::UnknownVariant(9)));
    let twice = vec![draft(Some(1), &["s"]), draft(Some(1), &["m"])];
    assert_eq!(number_variants(&before, twice), Err(Refused::VariantTwice(1)));
}

#[test]
fn an_archived_product_takes_no_new_offer() {
    let mut mug = product(&["color"], vec![draft(None, &["red"])]).unwrap();
    assert_eq!(mug.title_of(mug.offerable(1).unwrap()).as_str(), "Mug (red)");
    assert_eq!(mug.offerable(2), Err(Refused::UnknownVariant(2)));
    mug.status = ProductStatus::Archived;
    assert_eq!(mug.offerable(1), Err(Refused::Archived));
    let merged = mug.merged_into(&ProductId::from_bits(9), BTreeMap::new());
    assert_eq!(merged.offerable(1), Err(Refused::Merged(ProductId::from_bits(9))));
    assert_eq!(merged.published(), Err(Refused::Merged(ProductId::from_bits(9))));
}

#[test]
fn an_offer_is_as_its_product_is_by_now_and_sold_while_both_are_active() {
    let mut mug = product(&["color"], vec![draft(None, &["red"]), draft(None, &["blue"])]).unwrap();
    let offer = Offer {
        id: OfferId::from_bits(1),
        merchant: MerchantId::from_bits(1),
        sku: "mug".parse().unwrap(),
        product: mug.id.clone(),
        variant: 2,
        title: "Cup (blue)".parse().unwrap(),
        category: Some("cups".parse().unwrap()),
        grams: Some(250),
        product_status: ProductStatus::Draft,
        price: Money::new(10_00, "EUR".parse().unwrap()),
        status: OfferStatus::Active,
        keeps_stock: true,
        order_limit: None,
        locations: Vec::new(),
    };
    assert!(!offer.is_sold());
    mug.categories = vec!["mugs".parse().unwrap(), "gifts".parse().unwrap()];
    mug.variants[1].weight = Some(380);
    let next = offer.clone().following(&mug);
    let (title, category) = ("Mug (blue)".parse().unwrap(), Some("mugs".parse().unwrap()));
    let product_status = ProductStatus::Active;
    assert_eq!(next, Offer { title, category, grams: Some(380), product_status, ..offer });
    assert!(next.is_sold());
    assert!(!Offer { status: OfferStatus::Paused, ..next }.is_sold());
}

#[test]
fn a_category_never_lies_below_itself() {
    let [home, kitchen, mugs]: [Category; 3] = ["home", "kitchen", "mugs"].map(|name| name.parse().unwrap());
    assert!(check_parent(&mugs, &kitchen, std::slice::from_ref(&home)).is_ok());
    assert_eq!(check_parent(&home, &home, &[]), Err(Refused::Circle(home.clone())));
    let above = [kitchen, home.clone()];
    assert_eq!(check_parent(&home, &mugs, &above), Err(Refused::Circle(home)));
}

#[test]
fn a_gtin_is_known_by_its_check_digit() {
    // The examples of the GS1 General Specifications: GTIN-13, GTIN-12, GTIN-8.
    for good in ["6291041500213", "614141000036", "96385074", "10614141000415"] {
        assert!(good.parse::<Gtin>().is_ok(), "{good}");
    }
    for bad in ["6291041500214", "614141000037", "", "1234567", "629104150021X"] {
        assert!(bad.parse::<Gtin>().is_err(), "{bad}");
    }
}

#[test]
fn a3_3_merchant_and_sku_name_one_offer_and_another_merchant_may_use_the_same_sku() {
    let m = crate::id::MarketplaceId::from_bits(1);
    let [one, two] = [1, 2].map(MerchantId::from_bits);
    assert_eq!(OfferId::of(&m, &one, "mug"), OfferId::of(&m, &one, "mug"));
    assert_ne!(OfferId::of(&m, &one, "mug"), OfferId::of(&m, &two, "mug"));
    assert_ne!(OfferId::of(&m, &one, "mug"), OfferId::of(&m, &one, "mug-2"));
}
