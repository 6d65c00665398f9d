use super::*;
use proptest::prelude::*;

fn of(amount: &str, unit: &str) -> Measure {
    Measure { amount: amount.parse().unwrap(), unit: unit.parse().unwrap() }
}

fn to(amount: &str, unit: &str, to: &str) -> String {
    of(amount, unit).convert(to.parse().unwrap()).unwrap().to_string()
}

#[test]
fn conversions_that_are_exact_are_exact() {
    let table = [
        ("1", "in", "cm", "2.54 cm"),
        ("27", "in", "mm", "685.8 mm"),
        ("1", "mi", "m", "1609.344 m"),
        ("1", "lb", "kg", "0.45359237 kg"),
        ("1", "oz", "g", "28.349523125 g"),
        ("1", "gal", "ml", "3785.411784 ml"),
        ("1", "gal", "fl_oz", "128 fl_oz"),
        ("1", "imp_gal", "imp_fl_oz", "160 imp_fl_oz"),
        ("1", "mi2", "ac", "640 ac"),
        ("100", "C", "F", "212 F"),
        ("-40", "F", "C", "-40 C"),
        ("0", "K", "F", "-459.67 F"),
        ("1", "GiB", "B", "1073741824 B"),
        ("8", "bit", "B", "1 B"),
        ("36", "km/h", "m/s", "10 m/s"),
        ("60", "mph", "km/h", "96.56064 km/h"),
        ("3000", "rpm", "Hz", "50 Hz"),
        ("1", "kWh", "MJ", "3.6 MJ"),
        ("12000", "BTU/h", "BTU/h", "12000 BTU/h"),
        ("90", "min", "h", "1.5 h"),
        ("5000", "mAh", "Ah", "5 Ah"),
    ];
    for (amount, from, unit, want) in table {
        assert_eq!(to(amount, from, unit), want);
    }
}

#[test]
fn what_does_not_end_is_rounded_half_up_where_it_is_shown() {
    let shown = |amount, from, unit: &str, decimals| {
        of(amount, from).convert(unit.parse().unwrap()).unwrap().rounded(decimals).to_string()
    };
    assert_eq!(shown("10", "cm", "in", 2), "3.94 in");
    assert_eq!(shown("1", "kg", "lb", 4), "2.2046 lb");
    assert_eq!(shown("1", "psi", "kPa", 6), "6.894757 kPa");
    assert_eq!(shown("100", "hp", "kW", 1), "74.6 kW");
    assert_eq!(of("0.125", "cm").rounded(2).to_string(), "0.13 cm");
    assert_eq!(of("-0.125", "cm").rounded(2).to_string(), "-0.13 cm");
}

#[test]
fn different_things_are_not_converted_and_symbols_keep_their_case() {
    let (from, kg) = ("cm".parse().unwrap(), "kg".parse().unwrap());
    let refused = of("1", "cm").convert(kg).unwrap_err();
    assert_eq!(refused, NotAMeasure::Dimension { from, to: kg });
    assert_eq!(refused.to_string(), "cm is no kg: they measure different things");
    assert_eq!("CM".parse::<Unit>().unwrap_err().to_string(), "`CM` is no unit that we know");
    assert_eq!(to("1", "MW", "mW"), "1000000000 mW");
    let huge = Measure { amount: Decimal::MAX, unit: "TB".parse().unwrap() };
    assert_eq!(huge.convert("bit".parse().unwrap()), Err(NotAMeasure::Overflow));
}

#[test]
fn every_unit_stands_once_and_has_a_counterpart_of_its_dimension() {
    for (at, row) in UNITS.iter().enumerate() {
        let unit = Unit(row);
        assert!(UNITS.iter().take(at).all(|other| other.symbol != row.symbol), "{unit} stands twice");
        assert_eq!(unit.other().symbol(), row.other);
        assert_eq!(unit.other().dimension(), unit.dimension());
        assert!(row.parts > 0 && row.factor.0 > 0);
    }
    assert_eq!(Unit::all(Dimension::Temperature).map(Unit::symbol).collect::<Vec<_>>(), ["K", "C", "F"]);
}

proptest! {
    #[test]
    fn there_and_back_is_where_it_began(
        cents in -100_000_000_i64..100_000_000,
        from in 0..UNITS.len(),
        to in any::<prop::sample::Index>(),
    ) {
        let from = Unit(&UNITS[from]);
        let alike: Vec<Unit> = Unit::all(from.dimension()).collect();
        let measure = Measure { amount: Decimal::new(cents, 2), unit: from };
        let back = measure.convert(*to.get(&alike)).unwrap().convert(from).unwrap();
        prop_assert_eq!(back.rounded(8), measure.rounded(8));
    }
}
