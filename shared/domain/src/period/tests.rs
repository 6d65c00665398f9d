use super::*;

fn cycle(zone: &str, anchor: &str, every: Unit, count: u16) -> Cycle {
    let interval = Interval { every, count };
    Cycle::from_wall(zone.parse().unwrap(), anchor.parse().unwrap(), interval)
}

/// The boundaries as the customer's wall shows them.
fn walls(cycle: &Cycle, many: u32) -> Vec<String> {
    let shown = |n| cycle.zone.wall(cycle.boundary(n).unwrap()).to_string();
    (0..many).map(shown).collect()
}

#[test]
fn a13_2_a_bill_day_of_31_is_the_last_of_a_shorter_month_and_31_again() {
    let days: Vec<String> = walls(&cycle("Europe/Berlin", "2027-01-31T09:30:00", Unit::Month, 1), 25);
    let days: Vec<&str> = days.iter().map(|wall| wall.get(2..10).unwrap()).collect();
    assert_eq!(
        days.join(" "),
        "27-01-31 27-02-28 27-03-31 27-04-30 27-05-31 27-06-30 27-07-31 27-08-31 27-09-30 27-10-31 27-11-30 \
         27-12-31 28-01-31 28-02-29 28-03-31 28-04-30 28-05-31 28-06-30 28-07-31 28-08-31 28-09-30 28-10-31 \
         28-11-30 28-12-31 29-01-31"
    );
}

#[test]
fn what_began_on_a_leap_day_ends_on_the_28th_until_the_next_one() {
    let years = walls(&cycle("UTC", "2028-02-29T00:00:00", Unit::Year, 1), 6);
    let years: Vec<&str> = years.iter().map(|wall| wall.get(..10).unwrap()).collect();
    assert_eq!(years, ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29", "2033-02-28"]);
}

#[test]
fn weeks_quarters_and_several_of_a_unit_are_counted_from_the_anchor() {
    let shown = |every, count| {
        let walls = walls(&cycle("UTC", "2026-11-30T12:00:00", every, count), 4);
        walls.iter().map(|wall| wall.get(2..10).unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(Unit::Week, 1), "26-11-30 26-12-07 26-12-14 26-12-21");
    assert_eq!(shown(Unit::Week, 2), "26-11-30 26-12-14 26-12-28 27-01-11");
    assert_eq!(shown(Unit::Quarter, 1), "26-11-30 27-02-28 27-05-30 27-08-30");
    assert_eq!(shown(Unit::Month, 5), "26-11-30 27-04-30 27-09-30 28-02-29");
    assert_eq!(shown(Unit::Year, 2), "26-11-30 28-11-30 30-11-30 32-11-30");
}

#[test]
fn a_boundary_keeps_its_time_of_day_across_daylight_saving() {
    let cycle = cycle("Europe/Berlin", "2027-01-28T02:30:00", Unit::Month, 1);
    // The clocks jump from 02:00 to 03:00 on 28 March 2027.
    let shown = |n| cycle.boundary(n).unwrap().to_string();
    assert_eq!(shown(1), "2027-02-28T01:30:00Z");
    assert_eq!(shown(2), "2027-03-28T01:30:00Z"); // 03:30 on the wall: there is no 02:30
    assert_eq!(shown(3), "2027-04-28T00:30:00Z");
    // 02:30 comes twice on 31 October 2027: the first one counts.
    let autumn = Cycle { anchor: "2027-08-31T02:30:00".parse().unwrap(), ..cycle.clone() };
    assert_eq!(autumn.boundary(2).unwrap().to_string(), "2027-10-31T00:30:00Z");
}

#[test]
fn a13_5_days_are_the_customers_own_whatever_daylight_saving_does() {
    let zone: Zone = "America/New_York".parse().unwrap();
    let at = |wall: &str| zone.moment(wall.parse().unwrap()).unwrap();
    // March 2027 has 31 days there, one of 23 hours (the 14th).
    let period = Period { from: at("2027-03-01T00:00:00"), until: at("2027-04-01T00:00:00") };
    assert_eq!(elapsed(period, at("2027-03-15T00:00:00"), Proration::Day, &zone), (14, 31));
    assert_eq!(elapsed(period, at("2027-03-15T23:59:59"), Proration::Day, &zone), (14, 31));
    let hours = 1_000_000_000 * 3600;
    assert_eq!(
        elapsed(period, at("2027-03-15T00:00:00"), Proration::Second, &zone),
        ((14 * 24 - 1) * hours, (31 * 24 - 1) * hours)
    );
}

#[test]
fn a_moment_lies_in_the_period_that_begins_last() {
    let cycle = Cycle { first: 7, ..cycle("UTC", "2027-01-31T00:00:00", Unit::Month, 1) };
    let at = |text: &str| cycle.number_at(text.parse().unwrap(), 7).unwrap();
    assert_eq!(at("2027-01-31T00:00:00Z"), 7);
    assert_eq!(at("2027-02-27T23:59:59Z"), 7);
    assert_eq!(at("2027-02-28T00:00:00Z"), 8);
    assert_eq!(at("2029-01-31T00:00:00Z"), 31);
}

#[test]
fn a_zone_or_an_interval_that_is_none_is_refused() {
    for text in ["", "Berlin", "+01:00", "Mars/Olympus", "CET+1"] {
        assert!(text.parse::<Zone>().is_err(), "{text}");
    }
    for (every, count) in
        [(Unit::Week, 0), (Unit::Week, 157), (Unit::Month, 37), (Unit::Quarter, 13), (Unit::Year, 4)]
    {
        assert_eq!(Interval { every, count }.check(), Err(BadInterval), "{every:?} {count}");
    }
    assert_eq!(Interval { every: Unit::Week, count: 156 }.check(), Ok(()));
}

#[test]
fn a_moment_in_the_hour_that_comes_twice_is_where_its_cycle_begins() {
    // Berlin, 31 October 2027: 02:30 at 00:30 UTC and at 01:30 UTC. Lord Howe's clocks go back by half an hour.
    for (zone, at) in [
        ("Europe/Berlin", "2027-10-31T00:30:00Z"),
        ("Europe/Berlin", "2027-10-31T01:30:00Z"),
        ("Europe/Berlin", "2027-03-28T01:00:00Z"),
        ("Australia/Lord_Howe", "2027-04-03T14:45:00Z"),
        ("Australia/Lord_Howe", "2027-04-03T15:15:00.123Z"),
    ] {
        let at: Timestamp = at.parse().unwrap();
        let cycle = Cycle::from_moment(zone.parse().unwrap(), at, Interval::MONTH, 7).unwrap();
        assert_eq!(cycle.boundary(7), Ok(at), "{zone} {at}");
        // From then on it is that time on the wall, which comes once.
        assert_eq!(cycle.zone.wall(cycle.boundary(8).unwrap()).time(), cycle.anchor.time());
        assert_eq!(cycle.again, cycle.zone.moment(cycle.anchor) != Ok(at));
    }
}
