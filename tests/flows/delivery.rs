//! Delivery: a merchant sets its table as a whole, and whoever may read asks what it comes to.
//!
//! The clock stands at Monday 2026-03-02, 10:00 in Berlin, before the cut-off at 14:00: begun on Monday, one working
//! day of handling, so a parcel leaves on Tuesday the 3rd. Working days after that: 1 Wed 4 · 2 Thu 5 · (Fri 6 is
//! closed) · 3 Mon 9 · 4 Tue 10 · 5 Wed 11 · 6 Thu 12 · 7 Fri 13 · 8 Mon 16 · 9 Tue 17 · 10 Wed 18 · 11 Thu 19 ·
//! 12 Fri 20 · 13 Mon 23 · 14 Tue 24 · 15 Wed 25.

use serde_json::{Value, json};
use souk::api::Api;
use tests::*;

/// The options of a place and a parcel, each in one line; or why there are none.
async fn told(api: &Api, merchant: &str, query: &str) -> Vec<String> {
    let answer = api.get(&format!("/v1/delivery/{merchant}/options?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    assert_eq!(answer.text("/merchant"), merchant);
    let options = answer.body["options"].as_array().unwrap();
    let line = |option: &Value| {
        let (price, regular) = (eur_at(option, "/price"), eur_at(option, "/regular"));
        let word = |name: &str| at(option, name).to_owned();
        let (service, zone) = (word("/service"), word("/zone"));
        format!(
            "{service} {zone} {price} of {regular} {}..{}",
            &word("/earliest")[5..],
            &word("/latest")[5..]
        )
    };
    if options.is_empty() {
        return vec![format!("{}: {}", answer.text("/code"), answer.text("/reason"))];
    }
    assert_eq!((answer.body.get("code"), answer.body.get("reason")), (None, None));
    options.iter().map(line).collect()
}

fn set(merchant: &str) -> String {
    format!("/v1/delivery/{merchant}/set")
}

/// The table with another value at a place.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = delivery_rates();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn a_merchant_sets_its_table_and_shoppers_see_what_it_comes_to() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.member("ann", &alma, &["delivery:write"]).await;
    shop.key("sk_front", &["delivery:read"], None).await;
    let (ann, front) = (shop.person("ann"), shop.calls_as("sk_front"));
    let shown = format!("/v1/delivery/{alma}");
    assert_problem(&front.get(&shown).await, 404, "not_found");
    assert_problem(&front.get(&format!("{shown}/options?country=DE")).await, 404, "not_found");

    let first = ann.post(&set(&alma), &delivery_rates(), "").await;
    assert_eq!(
        (first.status.as_u16(), first.headers.get("idempotent-replayed")),
        (200, None),
        "{}",
        first.body
    );
    let seen = front.get(&shown).await;
    assert_eq!((&seen.body, &seen.headers["etag"]), (&first.body, &first.headers["etag"]));
    assert_eq!(
        (at(&seen.body, "/merchant"), &seen.body["zones"]),
        (alma.as_str(), &delivery_rates()["zones"])
    );
    assert_eq!(seen.body["calendar"], delivery_rates()["calendar"]);

    for (query, want) in [
        // The first band goes up to and including 2000 g; transit 1 to 3.
        (
            "country=DE&postal=10115&grams=2000&value=20.00",
            vec!["standard germany 4.90 of 4.90 03-04..03-09", "express germany 12.00 of 12.00 03-04..03-04"],
        ),
        // One gram more is the second band; goods of 50.00 travel free, by standard only.
        (
            "country=DE&postal=10115&grams=2001&value=50.00",
            vec!["standard germany 0.00 of 9.90 03-04..03-09", "express germany 12.00 of 12.00 03-04..03-04"],
        ),
        (
            "country=DE&postal=10115&grams=2001&value=49.99",
            vec!["standard germany 9.90 of 9.90 03-04..03-09", "express germany 12.00 of 12.00 03-04..03-04"],
        ),
        // Too heavy for standard: what is left is offered.
        ("country=DE&grams=10001", vec!["express germany 12.00 of 12.00 03-04..03-04"]),
        // An estimate by country, and by a prefix that may or may not become an island.
        (
            "country=DE",
            vec!["standard germany 4.90 of 4.90 03-04..03-09", "express germany 12.00 of 12.00 03-04..03-04"],
        ),
        (
            "country=DE&postal=259",
            vec!["standard germany 4.90 of 4.90 03-04..03-09", "express germany 12.00 of 12.00 03-04..03-04"],
        ),
        // Transit 3 to 6, over the weekend; nothing is free there.
        ("country=DE&postal=25938&value=60.00", vec!["standard islands 14.90 of 14.90 03-09..03-12"]),
        (
            "country=DE&postal=26548&grams=2001",
            vec!["too_heavy: 2001 g are too heavy for every service to zone islands"],
        ),
        // Transit 5 to 15; bands of value go up to and including their limit.
        ("country=JP&value=100.00", vec!["standard world 25.00 of 25.00 03-11..03-25"]),
        ("country=JP&value=100.01", vec!["standard world 60.00 of 60.00 03-11..03-25"]),
        (
            "country=JP&value=1000.01",
            vec!["too_dear: goods of 1000.01 EUR are worth too much for every service to zone world"],
        ),
        ("country=US&region=NY", vec!["standard world 25.00 of 25.00 03-11..03-25"]),
        ("country=US&region=CA", vec!["no_service: zone california has no service"]),
    ] {
        assert_eq!(told(&front, &alma, query).await, want, "{query}");
    }
    // 14:00 in Berlin: begun on Tuesday, it leaves on Wednesday and is there on Thursday.
    shop.wait_until("2026-03-02T12:59:59Z").await;
    assert_eq!(
        told(&front, &alma, "country=DE&grams=10001").await,
        ["express germany 12.00 of 12.00 03-04..03-04"]
    );
    shop.wait_until("2026-03-02T13:00:00Z").await;
    assert_eq!(
        told(&front, &alma, "country=DE&grams=10001").await,
        ["express germany 12.00 of 12.00 03-05..03-05"]
    );
}

#[tokio::test]
async fn the_same_table_again_is_no_change_and_another_one_takes_its_place() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let path = set(&alma);
    let first = shop.api.post(&path, &delivery_rates(), "first").await;
    assert_eq!((first.status.as_u16(), &first.headers["etag"]), (200, &"\"1\"".parse().unwrap()));
    shop.settle().await;
    let before = shop.contents().await;
    for key in ["first", "second"] {
        let again = shop.api.post(&path, &delivery_rates(), key).await;
        assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
        assert_eq!(again.headers["idempotent-replayed"], "true", "{key}");
        assert_eq!(again.headers["etag"], "\"1\"", "{key}");
    }
    assert!(shop.contents().await == before, "a table that is there already was written again");

    let home = json!([delivery_rates()["zones"][0]]);
    let next = shop.api.post(&path, &with("/zones", home.clone()), "third").await;
    assert_eq!(
        (next.headers.get("idempotent-replayed"), &next.body["zones"]),
        (None, &home),
        "{}",
        next.body
    );
    assert_eq!(next.headers["etag"], "\"2\"");
    assert_eq!(told(&shop.api, &alma, "country=JP").await, ["no_zone: the merchant does not deliver there"]);
    let with_tag = [("if-match", "\"1\""), ("idempotency-key", "fourth")];
    let body = delivery_rates().to_string();
    let stale = shop.api.send_with(http::Method::POST, &path, &body, &with_tag).await;
    assert_problem(&stale, 409, "stale");

    shop.settle().await;
    let events = shop.events(&alma).await;
    let events = events.iter().filter(|event| event.name == "delivery.rates_changed.v1");
    let told: Vec<(&str, &Value)> = events.map(|event| (event.id.as_str(), &event.data)).collect();
    let (one, two) = (format!("{alma}-delivery.1"), format!("{alma}-delivery.2"));
    let data = json!({"merchant": alma});
    assert_eq!(told, [(one.as_str(), &data), (two.as_str(), &data)]);
}

#[tokio::test]
async fn only_the_merchant_itself_and_operators_set_a_table_that_everyone_sees() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    shop.member("ben", &birch, &["delivery:write"]).await;
    shop.member("eve", &alma, &["delivery:read"]).await;
    let (ben, eve) = (shop.person("ben"), shop.person("eve"));
    let before = shop.contents().await;
    assert_problem(&ben.post(&set(&alma), &delivery_rates(), "").await, 404, "not_found");
    // Whether it would be taken or not.
    assert_problem(&ben.post(&set(&alma), &with("/zones/0/name", json!("")), "").await, 404, "not_found");
    assert_problem(&eve.post(&set(&alma), &delivery_rates(), "").await, 403, "forbidden");
    for nobody in ["mer_00000000000000000000000000", "x", "%FF"] {
        assert_problem(&shop.post(&set(nobody), &delivery_rates()).await, 404, "not_found");
        assert_problem(&shop.api.get(&format!("/v1/delivery/{nobody}")).await, 404, "not_found");
        let options = format!("/v1/delivery/{nobody}/options?country=DE");
        assert_problem(&shop.api.get(&options).await, 404, "not_found");
    }
    assert!(shop.contents().await == before, "a request that was refused wrote something");
    shop.done(&set(&alma), &delivery_rates()).await;
    let seen = ben.get(&format!("/v1/delivery/{alma}")).await;
    assert_eq!((seen.status.as_u16(), seen.text("/calendar/time_zone")), (200, "Europe/Berlin"));
    assert_eq!(told(&ben, &alma, "country=JP").await.len(), 1);
    let neighbor = shop.neighbor().await;
    assert_problem(&neighbor.get(&format!("/v1/delivery/{alma}")).await, 404, "not_found");
    assert_problem(&neighbor.post(&set(&alma), &delivery_rates(), "k").await, 404, "not_found");
}

/// Fields and the codes of what is wrong with them.
type Errors<'a> = Vec<(&'a str, &'a str)>;

/// The fields and codes of a 422.
fn errors(body: &Value) -> Errors<'_> {
    let errors = body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().map(|error| (at(error, "/field"), at(error, "/code"))).collect()
}

#[tokio::test]
async fn a_bad_value_is_told_with_its_field_and_nothing_is_written() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let rate = delivery_rates()["zones"][0]["rates"][1].clone();
    let of_service = |service: &str| {
        let mut rate = rate.clone();
        rate["service"] = json!(service);
        rate
    };
    let band = |grams: u64| json!({"up_to_grams": grams, "price": eur("1.00")});
    let rising = |count: u64| (1..=count).map(band).collect::<Vec<_>>();
    let zones = |count: usize| vec![delivery_rates()["zones"][0].clone(); count];
    let usd = json!({"amount": "1.00", "currency": "USD"});
    let (area, free, transit) =
        ("/zones/0/areas/0", "/zones/0/rates/0/free_from", "/zones/0/rates/0/transit_days");
    let (rates, price) = ("/zones/0/rates", "/zones/0/rates/0/price");
    let (days, closed, hour) = ("/calendar/working_days", "/calendar/closed", "/calendar/cut_off_hour");
    let limit = json!({"by_value": [{"up_to": eur("1.005"), "price": usd}]});
    let cases: Vec<(&str, Value, Errors<'_>)> = vec![
        ("/calendar/time_zone", json!("Berlin"), vec![("calendar.time_zone", "unknown")]),
        ("/calendar/time_zone", json!(""), vec![("calendar.time_zone", "format")]),
        (days, json!([]), vec![("calendar.working_days", "required")]),
        (
            days,
            json!([0, 5, 8]),
            vec![("calendar.working_days[0]", "range"), ("calendar.working_days[2]", "range")],
        ),
        (days, json!(vec![1; 8]), vec![("calendar.working_days", "range")]),
        (
            closed,
            json!(["2026-02-30", "soon"]),
            vec![("calendar.closed[0]", "format"), ("calendar.closed[1]", "format")],
        ),
        (closed, json!(vec!["2026-12-24"; 101]), vec![("calendar.closed", "range")]),
        (hour, json!(25), vec![("calendar.cut_off_hour", "range")]),
        (hour, json!(-1), vec![("calendar.cut_off_hour", "range")]),
        ("/zones/0/name", json!(""), vec![("zones[0].name", "format")]),
        ("/zones/1/areas", json!([]), vec![("zones[1].areas", "required")]),
        ("/zones/1/areas", json!(vec![json!({}); 201]), vec![("zones[1].areas", "range")]),
        (area, json!({"country": "XX"}), vec![("zones[0].areas[0].country", "format")]),
        (area, json!({"region": "CA"}), vec![("zones[0].areas[0].country", "required")]),
        (
            area,
            json!({"country": "DE", "region": "BE", "postal": "1"}),
            vec![("zones[0].areas[0].postal", "conflict")],
        ),
        (
            rates,
            json!([
                of_service("standard"),
                of_service("express"),
                of_service("pickup"),
                of_service("pickup")
            ]),
            vec![("zones[0].rates", "range")],
        ),
        (
            rates,
            json!([of_service("pickup"), of_service("pickup"), of_service("express")]),
            vec![("zones[0].rates[1].service", "twice")],
        ),
        (price, json!({}), vec![("zones[0].rates[0].price", "required")]),
        (
            price,
            json!({"flat": eur("1.00"), "by_weight": [band(1)]}),
            vec![("zones[0].rates[0].price", "conflict")],
        ),
        (price, json!({"flat": eur("-0.01")}), vec![("zones[0].rates[0].price.flat", "amount")]),
        (price, json!({"flat": usd}), vec![("zones[0].rates[0].price.flat", "amount")]),
        (price, json!({"by_weight": []}), vec![("zones[0].rates[0].price.by_weight", "required")]),
        (price, json!({"by_weight": [band(2), band(2)]}), vec![("zones[0].rates[0].price", "not_rising")]),
        (price, json!({"by_weight": rising(51)}), vec![("zones[0].rates[0].price.by_weight", "range")]),
        (
            price,
            limit,
            vec![
                ("zones[0].rates[0].price.by_value[0].up_to", "amount"),
                ("zones[0].rates[0].price.by_value[0].price", "amount"),
            ],
        ),
        (free, usd.clone(), vec![("zones[0].rates[0].free_from", "amount")]),
        (transit, json!([3, 1]), vec![("zones[0].rates[0].transit_days", "range")]),
        ("/zones", json!(zones(51)), vec![("zones", "range")]),
    ];
    for (pointer, value, want) in cases {
        let answer = shop.refused(&set(&alma), &with(pointer, value.clone()), 422, "invalid_value").await;
        assert_eq!(errors(&answer.body), want, "{pointer} = {value}");
    }
    for (pointer, value) in [
        (days, json!(["1"])),
        (days, json!([300])),
        (hour, json!(13.5)),
        ("/calendar/handling_days", json!(-1)),
        ("/zones/0/rates/0/service", json!("drone")),
        (price, json!({"by_volume": []})),
        (transit, json!([1])),
        (transit, json!([1, 2, 3])),
        (area, json!({"city": "Berlin"})),
    ] {
        shop.refused(&set(&alma), &with(pointer, value), 400, "malformed_request").await;
    }
    assert_problem(&shop.api.get(&format!("/v1/delivery/{alma}")).await, 404, "not_found");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_table_is_told_at_once() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let band = |limit: &str| json!({"up_to": eur(limit), "price": eur("1.00")});
    let rate = |price: Value| json!({"service": "pickup", "price": price, "transit_days": [2, 1]});
    let falling = json!({"by_value": [band("2.00"), band("1.99")]});
    let body = json!({
        "calendar": {
            "time_zone": "Mars/Base",
            "working_days": [9],
            "closed": ["x"],
            "cut_off_hour": 99,
            "handling_days": 0,
        },
        "zones": [
            {"name": "", "areas": [{"country": "de"}], "rates": [rate(falling), rate(json!({}))]},
            {"name": "far", "areas": [], "rates": []},
        ],
    });
    let answer = shop.refused(&set(&alma), &body, 422, "invalid_value").await;
    let want = [
        ("calendar.time_zone", "unknown"),
        ("calendar.working_days[0]", "range"),
        ("calendar.closed[0]", "format"),
        ("calendar.cut_off_hour", "range"),
        ("zones[0].name", "format"),
        ("zones[0].areas[0].country", "format"),
        ("zones[0].rates[0].price", "not_rising"),
        ("zones[0].rates[0].transit_days", "range"),
        ("zones[0].rates[1].service", "twice"),
        ("zones[0].rates[1].price", "required"),
        ("zones[0].rates[1].transit_days", "range"),
        ("zones[1].areas", "required"),
    ];
    assert_eq!(errors(&answer.body), want);
}

#[tokio::test]
async fn a_table_may_be_large_and_not_too_large() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let free = json!([{"service": "pickup", "price": {"flat": eur("0.00")}, "transit_days": [0, 0]}]);
    let table = |zones: usize| {
        let area = |n: usize| json!({"country": "DE", "postal": format!("{n:05}")});
        let areas = |zone: usize| (0..200).map(|n| area(zone * 200 + n)).collect::<Vec<_>>();
        let zone = |n: usize| json!({"name": format!("zone-{n}"), "areas": areas(n), "rates": free});
        with("/zones", json!((0..zones).map(zone).collect::<Vec<_>>()))
    };
    // 30 zones of 200 areas: an area at rest is {"postal":["DE","00000"]} and a comma, 26 bytes; 156,000 of them.
    shop.done(&set(&alma), &table(30)).await;
    // 40 of them: 208,000.
    let answer = shop.refused(&set(&alma), &table(40), 422, "invalid_value").await;
    assert_eq!(errors(&answer.body), [("zones", "size")]);
    // Zone 29 has the areas from 05800 to 05999. Pickup takes no day on the way: it is there when it is handed over.
    assert_eq!(
        told(&shop.api, &alma, "country=DE&postal=05999").await,
        ["pickup zone-29 0.00 of 0.00 03-03..03-03"]
    );
}

#[tokio::test]
async fn a_place_or_parcel_that_cannot_be_is_refused() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.done(&set(&alma), &delivery_rates()).await;
    let path = format!("/v1/delivery/{alma}/options");
    let everything = format!("country=&region=&postal={}&grams=&value=", "x".repeat(65));
    for (query, want) in [
        ("country=XX", vec![("country", "format")]),
        ("country=de", vec![("country", "format")]),
        ("country=DE&grams=-1", vec![("grams", "range")]),
        ("country=DE&grams=1.5", vec![("grams", "range")]),
        ("country=DE&value=1.005", vec![("value", "amount")]),
        ("country=DE&value=-1", vec![("value", "amount")]),
        ("country=DE&value=10000000000000.01", vec![("value", "amount")]),
        (
            everything.as_str(),
            vec![
                ("country", "format"),
                ("region", "format"),
                ("postal", "format"),
                ("grams", "range"),
                ("value", "amount"),
            ],
        ),
    ] {
        let answer = shop.api.get(&format!("{path}?{query}")).await;
        assert_problem(&answer, 422, "invalid_value");
        assert_eq!(errors(&answer.body), want, "{query}");
    }
    for query in ["", "?postal=1", "?country=DE&weight=1", "?country=DE&country=FR"] {
        assert_problem(&shop.api.get(&format!("{path}{query}")).await, 400, "malformed_request");
    }
}

#[tokio::test]
async fn a_merchant_that_is_always_closed_says_so() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    // Mondays only, and the next 60 of them closed: more than the year that is looked through.
    let monday = moment(START).to_zoned(jiff::tz::TimeZone::UTC).date();
    let closed: Vec<String> =
        (0..60).map(|week| monday.checked_add(jiff::Span::new().weeks(week)).unwrap().to_string()).collect();
    let mut body = with("/calendar/working_days", json!([1]));
    body["calendar"]["closed"] = json!(closed);
    shop.done(&set(&alma), &body).await;
    let why = "never_open: no day within a year is a working day";
    assert_eq!(told(&shop.api, &alma, "country=DE").await, [why]);
}

#[tokio::test]
async fn no_area_and_no_name_is_in_two_zones() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for (member, field) in [("areas", "zones.areas"), ("name", "zones.name")] {
        let mut body = delivery_rates();
        body["zones"][1][member] = body["zones"][0][member].clone();
        let answer = shop.refused(&set(&alma), &body, 422, "invalid_value").await;
        assert_eq!(errors(&answer.body), [(field, "twice")]);
    }
}

#[tokio::test]
async fn an_address_comes_back_in_the_spelling_of_its_country_or_with_all_that_is_wrong() {
    let shop = Shop::open().await;
    let typed = |country: &str, postal: &str, city: &str| {
        let (name, lines) = ("M. Visser", ["Street 1"]);
        json!({"country": country, "name": name, "lines": lines, "city": city, "postal_code": postal})
    };
    for (body, postal, confidence) in [
        (typed("NL", "1015 CJ", "Amsterdam"), "1015 CJ", "verified_format"),
        (typed("nl", "1015cj", " Amsterdam"), "1015 CJ", "normalized"),
        (typed("DE", "D-10115", "Berlin"), "10115", "normalized"),
        (typed("AQ", "any", "McMurdo"), "any", "unknown_country_format"),
        // Any script is a name; nothing in it is anything else than text.
        (typed("JP", "1000001", "\u{6771}\u{4eac}<script>"), "100-0001", "normalized"),
    ] {
        let mut body = body;
        if body["country"] == "JP" {
            body["region"] = json!("Tokyo");
        }
        let checked = shop.done("/v1/addresses/check", &body).await;
        let found = (at(&checked, "/address/postal_code"), at(&checked, "/confidence"));
        assert_eq!(found, (postal, confidence), "{body}");
    }
    let before = shop.contents().await;
    let answer = shop.refused("/v1/addresses/check", &typed("DE", "1011", ""), 422, "invalid_value").await;
    assert_eq!(errors(&answer.body), [("city", "required"), ("postal_code", "format")]);
    let turned = json!({"country": "XX", "name": "\u{202e}live", "lines": []});
    let answer = shop.refused("/v1/addresses/check", &turned, 422, "invalid_value").await;
    assert_eq!(errors(&answer.body), [("country", "format"), ("name", "format"), ("lines", "required")]);
    assert!(shop.contents().await == before, "an address is kept nowhere");
    let format = shop.get("/v1/addresses/formats/NL").await;
    assert_eq!(format["required"], json!(["country", "name", "lines", "city", "postal_code"]));
    assert_eq!(format["postal_forms"], json!(["#### ??"]));
}
