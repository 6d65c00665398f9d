use super::*;
use domain::stock::{Allocation, Change};

fn cart(number: u128) -> CartId {
    CartId::from_bits(number)
}

fn place() -> (MarketplaceId, OfferId, Location) {
    (MarketplaceId::from_bits(1), OfferId::from_bits(2), "main".parse().unwrap())
}

#[test]
fn a_stock_item_reads_with_its_holds_and_a_further_bin_by_its_key() {
    let (m, offer, main) = place();
    let hold = AttributeValue::M(
        [("quantity", number(2)), ("until", number(1_500))]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    );
    let mut item = Key::stock(&m, &offer, &main, 0).item();
    let levels = [("on_hand", 9), ("allocated", 3), ("available", 4), ("revision", 8), ("more", 15)];
    item.extend(levels.map(|(name, value)| (name.to_owned(), number(value))));
    item.insert("holds".to_owned(), AttributeValue::M([(cart(7).to_string(), hold)].into()));
    let bin = read(&item).unwrap();
    assert_eq!(bin.levels, Levels { on_hand: 9, allocated: 3, available: 4 });
    assert_eq!(
        (bin.revision, bin.more, bin.holds),
        (8, 15, [(cart(7), Held { quantity: 2, until: Timestamp::from_millisecond(1_500).unwrap() })].into())
    );

    let further = Key::stock(&m, &offer, &main, 7);
    assert_eq!(further.sk, "STK#main~07");
    let bin = read(&further.item()).unwrap();
    assert_eq!((bin.location, bin.number, bin.more), (main, 7, 0));
    let (from, to) = Key::stock_range();
    assert!((from..=to).contains(&further.sk.as_str()));
}

#[test]
fn a7_2_all_movements_of_one_item_are_one_write_and_a_hold_goes_whole_into_its_promises() {
    let (m, offer, location) = place();
    let one = |bin, quantity| Allocation { location: location.clone(), bin, quantity };
    let allocated = |quantity| Change::Allocated { quantity };
    let movements = [
        Movement::of(&offer, one(0, 2), allocated).held_by(&cart(1)),
        Movement::of(&offer, one(0, 1), allocated).held_by(&cart(1)),
        Movement::of(&offer, one(0, 4), allocated),
        Movement::of(&offer, one(3, 5), allocated),
    ];
    let writes = writes(&m, &movements, "table").unwrap();
    let told: Vec<_> = writes
        .iter()
        .map(|write| {
            let update = write.action.update().unwrap();
            let value =
                |name: &str| update.expression_attribute_values().unwrap()[name].as_n().unwrap().clone();
            let condition = update.condition_expression().unwrap();
            (condition, value(":allocated"), value(":available"), write.of_hold)
        })
        .collect();
    let both = "available >= :need_available AND holds.#h0.quantity = :h0";
    let number = |text: &str| text.to_owned();
    assert_eq!(
        told,
        [
            (both, number("7"), number("-4"), true),
            ("available >= :need_available", number("5"), number("-5"), false)
        ]
    );
    let first = writes[0].action.update().unwrap();
    let values = first.expression_attribute_values().unwrap();
    assert_eq!(
        (values[":h0"].as_n().unwrap().as_str(), values[":need_available"].as_n().unwrap().as_str()),
        ("3", "4")
    );
    assert!(first.update_expression().contains("REMOVE holds.#h0 "), "{}", first.update_expression());
}
