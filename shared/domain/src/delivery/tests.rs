use super::*;
use crate::order::tests::{eur, id};
use jiff::civil::date;
use proptest::prelude::*;

fn postal(country: &str, prefix: &str) -> Area {
    Area::Postal(id(country), id(prefix))
}

/// A merchant in Berlin: Germany by weight, its islands dearer, the Union flat, the world by value; May Day closed.
fn table() -> RateTable {
    let rate = |service, price, transit_days| Rate { service, price, free_from: None, transit_days };
    let countries = |codes: [&str; 3]| codes.map(|code| Area::Country(id(code))).to_vec();
    let by_weight = |small, large| Price::Weight(vec![(2_000, eur(small)), (10_000, eur(large))]);
    let zone = |name, areas, rates| Zone { name: id(name), areas, rates };
    RateTable {
        calendar: Calendar {
            time_zone: "Europe/Berlin".to_owned(),
            working_days: vec![1, 2, 3, 4, 5],
            closed: vec![date(2026, 5, 1)],
            cut_off_hour: 14,
            handling_days: 0,
        },
        zones: vec![
            zone(
                "germany",
                vec![Area::Country(id("DE"))],
                vec![
                    Rate {
                        free_from: Some(eur(50_00)),
                        ..rate(Service::Standard, by_weight(4_90, 9_90), (1, 3))
                    },
                    rate(Service::Express, by_weight(12_00, 19_00), (1, 1)),
                    rate(Service::Pickup, Price::Flat(eur(0)), (0, 0)),
                ],
            ),
            zone(
                "islands",
                vec![postal("DE", "25938"), postal("DE", "26548")],
                vec![rate(Service::Standard, by_weight(14_90, 19_90), (3, 6))],
            ),
            zone(
                "union",
                countries(["FR", "AT", "PL"]),
                vec![rate(Service::Standard, Price::Flat(eur(11_00)), (2, 5))],
            ),
            zone(
                "world",
                vec![Area::World],
                vec![rate(
                    Service::Standard,
                    Price::Value(vec![(eur(10_000), eur(25_00)), (eur(100_000), eur(60_00))]),
                    (5, 15),
                )],
            ),
        ],
    }
}

fn to(country: &str, postal: &str) -> Place {
    Place { country: id(country), region: None, postal: (!postal.is_empty()).then(|| id(postal)) }
}

fn parcel(grams: u64, value: i64) -> Parcel {
    Parcel { grams, value: eur(value) }
}

/// Thursday, noon in Berlin; the next day is May Day.
fn now() -> Timestamp {
    id("2026-04-30T10:00:00Z")
}

fn told(country: &str, postal: &str, parcel: Parcel) -> String {
    match table().options(&to(country, postal), parcel, now()) {
        Ok(options) => options
            .iter()
            .map(|option| {
                let DeliveryOption { service, zone, price, regular, earliest, latest } = option;
                format!("{service:?} {zone} {price} of {regular} {earliest}..{latest}\n")
            })
            .collect(),
        Err(error) => format!("{error}\n"),
    }
}

#[test]
fn every_way_there_is_told_with_price_and_dates() {
    let page: String = [
        ("DE", "10115", parcel(2_000, 20_00)),
        ("DE", "10115", parcel(2_001, 50_00)),
        ("DE", "10115", parcel(10_001, 20_00)),
        ("DE", "", parcel(500, 20_00)),
        ("DE", "259", parcel(500, 20_00)),
        ("DE", "25938", parcel(500, 60_00)),
        ("DE", "25938", parcel(10_001, 60_00)),
        ("AT", "1010", parcel(99_999, 20_00)),
        ("JP", "100", parcel(99_999, 10_000)),
        ("JP", "100", parcel(99_999, 10_001)),
        ("JP", "100", parcel(99_999, 100_001)),
    ]
    .into_iter()
    .map(|(country, postal, parcel)| {
        format!("{country} {postal} {} g {}\n{}\n", parcel.grams, parcel.value, told(country, postal, parcel))
    })
    .collect();
    insta::assert_snapshot!(page);
}

#[test]
fn where_nobody_delivers_the_reason_is_told() {
    let table = RateTable { zones: table().zones.into_iter().take(3).collect(), ..table() };
    assert_eq!(table.options(&to("JP", ""), parcel(1, 1), now()), Err(NoDelivery::NoZone));
    let yen = Parcel { value: Money::new(1, id("JPY")), ..parcel(1, 1) };
    assert!(matches!(table.options(&to("DE", ""), yen, now()), Err(NoDelivery::Money(_))));
}

#[test]
fn an_order_is_begun_on_the_merchants_own_day() {
    let table = table();
    for (now, handling, want) in [
        ("2026-04-30T11:59:59Z", 0, date(2026, 4, 30)), // 13:59 in Berlin
        ("2026-04-30T12:00:00Z", 0, date(2026, 5, 4)),  // 14:00, then May Day and a weekend
        ("2026-05-02T20:00:00Z", 0, date(2026, 5, 4)),  // a Saturday evening is no late hour
        ("2026-05-03T22:30:00Z", 0, date(2026, 5, 4)),  // already Monday in Berlin
        ("2026-04-29T10:00:00Z", 2, date(2026, 5, 4)),
        ("2026-01-15T12:59:59Z", 1, date(2026, 1, 16)), // 13:59 in winter
        ("2026-01-15T13:00:00Z", 1, date(2026, 1, 19)),
    ] {
        let calendar = Calendar { handling_days: handling, ..table.calendar.clone() };
        assert_eq!(calendar.handed_over(id(now)), Ok(want), "{now}");
    }
}

#[test]
fn a_table_is_refused_for_what_is_wrong_with_it() {
    assert_eq!(table().check(), Ok(()));
    let calendar = |change: fn(&mut Calendar)| {
        let mut table = table();
        change(&mut table.calendar);
        table.check().unwrap_err()
    };
    assert_eq!(calendar(|c| c.time_zone = "Berlin".to_owned()), BadTable::TimeZone("Berlin".to_owned()));
    assert_eq!(calendar(|c| c.working_days = vec![1, 8]), BadTable::Weekday(8));
    assert_eq!(calendar(|c| c.working_days.clear()), BadTable::NeverOpen);
    assert_eq!(calendar(|c| c.cut_off_hour = 25), BadTable::CutOff(25));
    let rate = |change: fn(&mut Rate)| {
        let mut table = table();
        change(&mut table.zones[0].rates[0]);
        table.check().unwrap_err()
    };
    assert_eq!(rate(|r| r.transit_days = (3, 1)), BadTable::Transit(id("germany")));
    assert_eq!(rate(|r| r.price = Price::Weight(vec![])), BadTable::Bands(id("germany")));
    assert_eq!(
        rate(|r| r.price = Price::Weight(vec![(2, eur(1)), (2, eur(2))])),
        BadTable::Bands(id("germany"))
    );
    assert!(matches!(rate(|r| r.price = Price::Flat(eur(-1))), BadTable::Price { .. }));
    assert!(matches!(rate(|r| r.free_from = Some(Money::new(1, id("USD")))), BadTable::Price { .. }));
    assert!(matches!(rate(|r| r.service = Service::Pickup), BadTable::Twice { .. }));
}

#[test]
fn a_table_at_rest_keeps_its_shape() {
    let table = table();
    insta::assert_snapshot!(serde_json::to_string(&table).unwrap());
    assert_eq!(serde_json::from_value::<RateTable>(serde_json::to_value(&table).unwrap()).unwrap(), table);
}

proptest! {
    #[test]
    fn a_promise_is_kept_on_working_days_in_order(
        hours in 0_i64..24 * 400,
        handling in 0_u8..10,
        fast in 0_u8..10,
        more in 0_u8..10,
        working in prop::sample::subsequence(vec![1_i8, 2, 3, 4, 5, 6, 7], 1..=7),
    ) {
        let mut table = table();
        table.calendar = Calendar { working_days: working, handling_days: handling, ..table.calendar };
        table.zones[0].rates[0].transit_days = (fast, fast + more);
        let now = now().checked_add(hours.hours()).unwrap();
        let options = table.options(&to("DE", ""), parcel(1, 1_00), now).unwrap();
        prop_assert!(options.iter().map(|option| option.price.minor).is_sorted());
        let standard = options.iter().find(|option| option.service == Service::Standard).unwrap();
        let today = now.to_zoned(TimeZone::get("Europe/Berlin").unwrap()).date();
        prop_assert!(today <= standard.earliest && standard.earliest <= standard.latest);
        for day in [standard.earliest, standard.latest] {
            prop_assert!(table.calendar.works_on(day));
        }
        let between = standard.earliest.series(1.day()).take_while(|day| *day < standard.latest);
        prop_assert_eq!(between.filter(|day| table.calendar.works_on(*day)).count(), usize::from(more));
    }
}
