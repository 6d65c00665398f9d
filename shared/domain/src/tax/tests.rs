use super::*;
use crate::order::tests::{eur, id};
use jiff::civil::date;
use proptest::prelude::*;

fn row(area: Area, category: &str, from: Date, treatment: Treatment) -> Rate {
    Rate { area, category: (!category.is_empty()).then(|| id(category)), from, treatment }
}

fn country(code: &str) -> Area {
    Area::Country(id(code))
}

fn standard(percent: &str) -> Treatment {
    Treatment::Standard(percent.parse().unwrap())
}

fn reduced(percent: &str) -> Treatment {
    Treatment::Reduced(percent.parse().unwrap())
}

/// Germany with its half year of lower rates in 2020, Spain with the islands outside, New York with cheap clothes.
fn table() -> Vec<Rate> {
    let (long_ago, es, us) = (date(2007, 1, 1), id("ES"), id("US"));
    vec![
        row(country("DE"), "", long_ago, standard("19")),
        row(country("DE"), "books", long_ago, reduced("7")),
        row(country("DE"), "", date(2020, 7, 1), standard("16")),
        row(country("DE"), "", date(2021, 1, 1), standard("19")),
        row(country("ES"), "", long_ago, standard("21")),
        row(country("ES"), "books", long_ago, reduced("4")),
        row(Area::Postal(es, id("35")), "", long_ago, Treatment::OutsideScope),
        row(Area::Region(us, id("NY")), "", long_ago, standard("4")),
        row(Area::Region(us, id("NY")), "clothes", long_ago, Treatment::Exempt),
        row(Area::Postal(us, id("100")), "", long_ago, standard("8.875")),
        row(Area::Postal(us, id("100")), "clothes", long_ago, Treatment::Exempt),
        row(country("GB"), "food", long_ago, Treatment::ZeroRated),
    ]
}

fn place(country: &str, region: &str, postal: &str) -> Place {
    let known = |text: &str| (!text.is_empty()).then(|| id(text));
    Place { country: id(country), region: known(region), postal: known(postal) }
}

fn policy(prices: Prices, rounding: Rounding) -> Policy {
    Policy {
        rates: table(),
        mode: Mode { prices, rounding },
        delivery: DeliveryTax::Goods,
        deemed: Vec::new(),
        reverse_charge: true,
    }
}

fn sale<'a>(seller: &str, buyer: Option<&'a TaxId>, place: &'a Place) -> Sale<'a> {
    Sale { seller: id(seller), buyer, place, on: date(2026, 3, 2) }
}

#[test]
fn the_smallest_area_then_the_category_then_the_latest_day_decide() {
    for (place, category, on, want) in [
        (place("DE", "", "10115"), None, date(2026, 3, 2), Some(standard("19"))),
        (place("DE", "", "10115"), Some("books"), date(2026, 3, 2), Some(reduced("7"))),
        (place("DE", "", "10115"), Some("toys"), date(2020, 6, 30), Some(standard("19"))),
        (place("DE", "", "10115"), Some("toys"), date(2020, 7, 1), Some(standard("16"))),
        (place("DE", "", "10115"), Some("toys"), date(2020, 12, 31), Some(standard("16"))),
        (place("DE", "", "10115"), Some("toys"), date(2021, 1, 1), Some(standard("19"))),
        (place("DE", "", "10115"), None, date(2006, 12, 31), None),
        (place("ES", "", "28001"), Some("books"), date(2026, 3, 2), Some(reduced("4"))),
        (place("ES", "", "35001"), Some("books"), date(2026, 3, 2), Some(Treatment::OutsideScope)),
        (place("US", "NY", "12201"), Some("toys"), date(2026, 3, 2), Some(standard("4"))),
        (place("US", "NY", "12201"), Some("clothes"), date(2026, 3, 2), Some(Treatment::Exempt)),
        (place("US", "NY", "10001-1234"), Some("toys"), date(2026, 3, 2), Some(standard("8.875"))),
        (place("US", "OR", "97201"), None, date(2026, 3, 2), None),
        (place("GB", "", ""), None, date(2026, 3, 2), None),
    ] {
        let category = category.map(id);
        let found = rate_for(&table(), &place, category.as_ref(), on).map(|rate| rate.treatment);
        assert_eq!(found, want, "{place:?} {category:?} {on}");
    }
}

#[test]
fn a8_4_added_tax_is_rounded_per_line_or_per_unit() {
    let place = place("DE", "", "");
    for (minor, units, rounding, want) in [
        (3_24, 3, Rounding::Line, 3_86), // 0.6156
        (3_24, 3, Rounding::Unit, 3_87), // 3 × 0.2052
        (1_00, 3, Rounding::Line, 1_19), // 0.19
        (1_00, 3, Rounding::Unit, 1_18), // 34, 33, 33: 0.0646, 0.0627, 0.0627
        (23, 3, Rounding::Unit, 28),     // 8, 8, 7: 1.52, 1.52, 1.33 cents
        (0, 3, Rounding::Unit, 0),
        (2, 3, Rounding::Unit, 2), // 1, 1, 0
    ] {
        let line =
            policy(Prices::Added, rounding).line(&sale("DE", None, &place), None, eur(minor), units).unwrap();
        assert_eq!(line.total().unwrap(), eur(want), "{minor} {units} {rounding:?}");
        assert_eq!((line.base, line.reason), (eur(minor), Reason::Standard));
    }
}

#[test]
fn yen_and_dinars_round_to_their_own_exponent() {
    let rows = |percent| vec![row(Area::World, "", date(2007, 1, 1), standard(percent))];
    for (percent, code, charged, prices, base, tax) in [
        ("10", "JPY", 105, Prices::Added, 105, 11),       // 10.5
        ("8", "JPY", 104, Prices::Added, 104, 8),         // 8.32
        ("10", "JPY", 105, Prices::Included, 95, 10),     // 9.545…
        ("5", "KWD", 1_230, Prices::Added, 1_230, 62),    // 0.0615
        ("5", "KWD", 1_230, Prices::Included, 1_171, 59), // 0.05857…
        ("19", "EUR", 11_90, Prices::Included, 10_00, 1_90),
        ("19", "EUR", 1, Prices::Included, 1, 0),
    ] {
        let policy = Policy { rates: rows(percent), ..policy(prices, Rounding::Line) };
        let (place, money) = (place("JP", "", ""), |minor| Money::new(minor, id(code)));
        let line = policy.line(&sale("JP", None, &place), None, money(charged), 1).unwrap();
        assert_eq!((line.base, line.amount), (money(base), money(tax)), "{percent} {code} {charged}");
    }
}

#[test]
fn a_line_without_tax_says_why() {
    let policy = policy(Prices::Added, Rounding::Line);
    for (place, category, reason) in [
        (place("GB", "", ""), Some("food"), Reason::ZeroRated),
        (place("US", "NY", "10001"), Some("clothes"), Reason::Exempt),
        (place("ES", "", "35001"), None, Reason::OutsideScope),
        (place("JP", "", ""), None, Reason::NotConfigured),
    ] {
        let category = category.map(id::<Category>);
        let line = policy.line(&sale("DE", None, &place), category.as_ref(), eur(10_00), 1).unwrap();
        assert_eq!((line.reason, line.percent, line.amount), (reason, Decimal::ZERO, eur(0)));
        assert_eq!((line.category, line.base), (category, eur(10_00)));
    }
}

#[test]
fn a_business_of_another_member_state_pays_the_base_and_owes_the_tax() {
    let (german, british) =
        (TaxId::parse(id("DE"), "734470346").unwrap(), TaxId::parse(id("GB"), "883625492").unwrap());
    let (de, gb) = (place("DE", "", ""), place("GB", "", ""));
    let line = |seller, buyer, place| {
        let line =
            policy(Prices::Included, Rounding::Line).line(&sale(seller, buyer, place), None, eur(11_90), 1);
        line.map(|line| (line.reason, line.total().unwrap().minor, line.owed_by)).unwrap()
    };
    assert_eq!(line("FR", Some(&german), &de), (Reason::ReverseCharge, 10_00, OwedBy::Customer));
    assert_eq!(line("DE", Some(&german), &de), (Reason::Standard, 11_90, OwedBy::Merchant));
    assert_eq!(line("FR", None, &de), (Reason::Standard, 11_90, OwedBy::Merchant));
    assert_eq!(line("FR", Some(&british), &de), (Reason::Standard, 11_90, OwedBy::Merchant));
    assert_eq!(line("CH", Some(&german), &de), (Reason::Standard, 11_90, OwedBy::Merchant));
    assert_eq!(line("FR", Some(&german), &gb), (Reason::NotConfigured, 11_90, OwedBy::Merchant));
    let exempt = Policy {
        rates: vec![row(country("DE"), "", date(2007, 1, 1), Treatment::Exempt)],
        ..policy(Prices::Added, Rounding::Line)
    };
    let untaxed = exempt.line(&sale("FR", Some(&german), &de), None, eur(11_90), 1).unwrap();
    assert_eq!(untaxed.reason, Reason::Exempt, "what is not taxed has nothing to declare");
    let off = Policy { reverse_charge: false, ..policy(Prices::Included, Rounding::Line) };
    let taxed = off.line(&sale("FR", Some(&german), &de), None, eur(11_90), 1).unwrap();
    assert_eq!(taxed.reason, Reason::Standard);
}

#[test]
fn the_marketplace_owes_the_tax_where_it_is_deemed_the_supplier() {
    let deemed = vec![
        Deemed { area: Area::Region(id("US"), id("NY")), sellers: Sellers::All },
        Deemed { area: country("DE"), sellers: Sellers::Abroad },
    ];
    let policy = Policy { deemed, ..policy(Prices::Added, Rounding::Line) };
    for (seller, place, want) in [
        ("US", place("US", "NY", "10001"), OwedBy::Marketplace),
        ("US", place("US", "OR", ""), OwedBy::Merchant),
        ("CN", place("DE", "", ""), OwedBy::Marketplace),
        ("FR", place("DE", "", ""), OwedBy::Merchant),
        ("CN", place("ES", "", ""), OwedBy::Merchant),
    ] {
        let line = policy.line(&sale(seller, None, &place), None, eur(10_00), 1).unwrap();
        assert_eq!(line.owed_by, want, "{seller} {place:?}");
    }
}

#[test]
fn a_table_is_refused_with_its_row() {
    assert_eq!(check(&table()), Ok(()));
    let first = date(2007, 1, 1);
    let twice =
        [row(country("DE"), "", first, standard("19")), row(country("DE"), "", first, standard("16"))];
    assert_eq!(check(&twice), Err(BadRate::Twice { row: 2, first: 1 }));
    let much = [row(country("DE"), "", first, standard("100.1"))];
    assert!(matches!(check(&much), Err(BadRate::Percent { row: 1, .. })));
}

#[test]
fn rows_and_lines_at_rest_keep_their_shape() {
    let place = place("DE", "", "");
    let line = policy(Prices::Added, Rounding::Line).line(
        &sale("DE", None, &place),
        Some(&id("books")),
        eur(3_24),
        3,
    );
    let (rows, line) = (table(), line.unwrap());
    insta::assert_snapshot!(serde_json::to_string_pretty(&(&rows[1], &rows[6], &line)).unwrap());
    assert_eq!(serde_json::from_value::<Vec<Rate>>(serde_json::to_value(&rows).unwrap()).unwrap(), rows);
}

proptest! {
    #[test]
    fn net_and_tax_are_gross(
        minor in 0_i64..1_000_000_000,
        units in 1_u32..1_000,
        percent in 0_i64..10_000,
        code in prop::sample::select(vec!["JPY", "EUR", "KWD"]),
        rounding in prop::sample::select(vec![Rounding::Line, Rounding::Unit]),
        prices in prop::sample::select(vec![Prices::Included, Prices::Added]),
    ) {
        let rates = vec![row(Area::World, "", date(2007, 1, 1), Treatment::Standard(Decimal::new(percent, 2)))];
        let (policy, place) = (Policy { rates, ..policy(prices, rounding) }, place("JP", "", ""));
        let charged = Money::new(minor, id(code));
        let line = policy.line(&sale("JP", None, &place), None, charged, units).unwrap();
        match prices {
            Prices::Included => prop_assert_eq!(line.total().unwrap(), charged),
            Prices::Added => prop_assert_eq!(line.base, charged),
        }
        prop_assert!(line.amount.minor >= 0 && line.base.minor >= 0);
        // A rounding is off by half a minor unit at most, each unit's own one included.
        let exact = line.base.decimal() * Decimal::new(percent, 4);
        let roundings = match rounding { Rounding::Line => 1, Rounding::Unit => units };
        let unit = Decimal::new(1, u32::from(charged.currency.exponent()));
        let off = (line.amount.decimal() - exact).abs();
        prop_assert!(off <= unit * Decimal::from(roundings) * Decimal::TWO, "{} is {} off", line.amount, off);
    }
}

#[test]
fn a_sheet_is_about_its_country_and_nothing_else() {
    use super::table::{BadSheet, ROWS_MAX, Sheet};
    let sheet =
        |country: Option<&str>, rates| Sheet { country: country.map(|code| code.parse().unwrap()), rates };
    let rate =
        row(Area::Country("DE".parse().unwrap()), "", jiff::civil::date(2021, 1, 1), Treatment::Exempt);
    assert_eq!(sheet(None, vec![rate.clone()]).check(), Err(BadSheet::Foreign(1)));
    assert_eq!(sheet(Some("FR"), vec![rate.clone()]).check(), Err(BadSheet::Foreign(1)));
    assert_eq!(sheet(Some("DE"), vec![rate.clone()]).check(), Ok(()));
    let many = vec![rate; ROWS_MAX + 1];
    assert_eq!(sheet(Some("DE"), many).check(), Err(BadSheet::Count(501)));
}
