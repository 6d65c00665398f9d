use super::*;
use crate::id::ProductId;
use crate::pim::sheet::tests::{edit, patched};
use proptest::prelude::*;

fn traits(gtin: &str, brand: &str, mpn: &str, pictures: &[u64]) -> Traits {
    Traits {
        gtins: gtin.parse().into_iter().collect(),
        brand: Some(brand.to_owned()),
        mpn: Some(mpn.to_owned()),
        pictures: pictures.to_vec(),
    }
}

#[test]
fn a_gtin_is_one_in_any_length_and_a_shop_s_own_number_is_none() {
    let table = [
        ("95205603217", None),
        ("095205603217", Some("00095205603217")),
        ("0095205603217", Some("00095205603217")),
        ("4006381333931", Some("04006381333931")),
        ("96385074", Some("00000096385074")),
        ("2000000000008", None),
        ("212345678900", None),
        ("20000004", None),
        ("00000000", None),
    ];
    for (text, want) in table {
        let gtin = text.parse().ok().and_then(|gtin| gtin14(&gtin));
        assert_eq!(gtin.as_deref(), want, "{text}");
    }
}

#[test]
fn products_are_alike_by_number_by_maker_s_part_and_by_picture() {
    let one = traits("0095205603217", "Xerox", "006R90321", &[0xff00, 0]);
    assert_eq!(
        compare(&one, &traits("095205603217", "XEROX®", "006r-90321", &[0xff01]), 3),
        [
            Evidence::Gtin { gtin: "00095205603217".to_owned() },
            Evidence::Part { brand: "xerox".to_owned(), mpn: "006r90321".to_owned() },
            Evidence::Picture { distance: 1 },
        ]
    );
    assert_eq!(compare(&one, &traits("4006381333931", "Xerox", "61", &[0xffff, 0]), 3), []);
    let keys: Vec<String> = keys(&one, 1).into_iter().collect();
    assert_eq!(keys, ["gtin:00095205603217", "part:xerox:006r90321", "picture:2:0:ff00", "picture:2:1:0"]);
}

#[test]
fn what_stays_keeps_its_word_and_takes_what_it_lacks() {
    let keep = patched(
        r#"{"family":"shirt","assets":["ast_00000001","ast_00000002"],"values":{"brand":[{"data":"Ember"}]},
            "variants":{"1":{"values":{"color":[{"data":"red"}]}}}}"#,
    );
    let gone = edit(
        &Sheet::blank(ProductId::from_bits(2)),
        r#"{"family":"cap","assets":["ast_00000003","ast_00000001"],"values":{"brand":[{"data":"ember"}],
            "size":[{"data":1}]},"variants":{"1":{"values":{"color":[{"data":"blue"}]}}}}"#,
    );
    let merged = merge(&keep, &gone, &BTreeMap::from([(1, 2)])).unwrap();
    assert_eq!(
        serde_json::to_string(&merged.content).unwrap(),
        concat!(
            r#"{"family":"shirt","assets":["ast_00000001","ast_00000002","ast_00000003"],"values/brand":"Ember","#,
            r#""values/size":{"amount":"1","unit":"cm"},"#,
            r#""variants/1/values/color":"red","variants/2/values/color":"blue"}"#
        )
    );
    assert_eq!(merged.version, 2);
    assert_eq!(merge(&keep, &gone, &BTreeMap::new()), Err(Unmergeable::Variant(1)));
    assert_eq!(merge(&keep, &keep, &BTreeMap::new()), Err(Unmergeable::Itself));
    let again = merge(&merged, &gone, &BTreeMap::from([(1, 2)])).unwrap();
    assert_eq!(again, merged, "a second merge is no news");
}

proptest! {
    #[test]
    fn pictures_that_differ_in_few_bits_always_meet(
        hash in any::<u64>(),
        bits in prop::collection::vec(0_u32..64, 0..=15),
        more in 0_u32..4,
    ) {
        let other = bits.iter().fold(hash, |other, bit| other ^ (1 << bit));
        let distance = ((hash ^ other).count_ones() + more).min(DISTANCE_MAX);
        let (one, two) = (bands(hash, distance), bands(other, distance));
        prop_assert!(one.iter().any(|band| two.contains(band)));
        prop_assert_eq!(u32::try_from(one.len()).unwrap(), distance + 1);
    }

    #[test]
    fn no_bit_of_a_hash_is_in_no_band(hash in any::<u64>(), bit in 0_u32..64, distance in 0_u32..20) {
        prop_assert_ne!(bands(hash, distance), bands(hash ^ (1 << bit), distance));
    }
}
