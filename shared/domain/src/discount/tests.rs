use super::*;
use crate::order::tests::{eur, id, merchant};
use crate::pricing::tests::line;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

fn grant(name: &str, benefit: Benefit, scope: Scope) -> Grant {
    let borne_by = BorneBy::Marketplace;
    Grant {
        name: id(name),
        benefit,
        scope,
        borne_by,
        from: None,
        until: None,
        least: None,
        usage_limit: None,
        closed: false,
    }
}

fn unused(grant: Grant) -> Code {
    Code { grant, used: 0 }
}

fn ten() -> Grant {
    grant("TEN", Benefit::Percent(10.into()), Scope::Order)
}

/// Two mugs of 10.00 from one merchant, a book of 7.35 from another.
fn basket() -> Basket {
    let lines = vec![line(1, 1, "mugs", 2, 10_00), line(2, 2, "books", 1, 7_35)];
    Basket { currency: id("EUR"), lines, sellers: Vec::new(), discounts: Vec::new() }
}

/// The sources of what is judged, and why they do not hold.
fn told(grants: &Grants, codes: &[&str], basket: &Basket) -> Vec<(String, &'static str)> {
    let codes: Vec<Word> = codes.iter().map(|code| id(code)).collect();
    let judged = grants.judge(&codes, basket, now()).unwrap();
    let why = |judged: Judged| {
        let why = judged.holds.as_ref().map_or_else(NotGranted::code, |_| "");
        (judged.source.to_string(), why)
    };
    judged.into_iter().map(why).collect()
}

#[test]
fn agreements_come_first_then_codes_in_the_order_in_which_they_were_given() {
    let grants = Grants {
        agreements: vec![grant("staff", Benefit::Percent(5.into()), Scope::Order)],
        codes: [ten(), grant("Free", Benefit::FreeDelivery, Scope::Order)].map(unused).into(),
    };
    let want = [("agreement staff", ""), ("code Free", ""), ("code no", "unknown"), ("code TEN", "")];
    assert_eq!(
        told(&grants, &["FREE", "no", "ten"], &basket()),
        want.map(|(name, why)| (name.to_owned(), why))
    );
    // A name that both have is two discounts.
    let both = Grants { agreements: vec![ten()], codes: vec![unused(ten())] };
    assert_eq!(told(&both, &["Ten"], &basket()).len(), 2);
}

#[test]
fn what_does_not_hold_says_why() {
    let moment = Some(now());
    let usd = Money::new(1_00, id("USD"));
    let of_mugs = |minor| Grant { scope: Scope::Category(id("mugs")), least: Some(eur(minor)), ..ten() };
    for (grant, why) in [
        (ten(), ""),
        (Grant { closed: true, ..ten() }, "closed"),
        (Grant { from: moment, ..ten() }, ""),
        (Grant { from: Some(at("2026-03-02T10:00:00.001Z")), ..ten() }, "not_yet"),
        (Grant { until: Some(at("2026-03-02T10:00:00.001Z")), ..ten() }, ""),
        (Grant { until: moment, ..ten() }, "over"),
        (Grant { benefit: Benefit::Amount(usd), ..ten() }, "other_currency"),
        (Grant { least: Some(usd), ..ten() }, "other_currency"),
        (Grant { scope: Scope::Category(id("toys")), ..ten() }, "nothing_in_scope"),
        (Grant { scope: Scope::Merchant(merchant(3)), ..ten() }, "nothing_in_scope"),
        (Grant { scope: Scope::Merchant(merchant(2)), ..ten() }, ""),
        (Grant { least: Some(eur(27_35)), ..ten() }, ""),
        (Grant { least: Some(eur(27_36)), ..ten() }, "too_little"),
        // Only what it is for counts.
        (of_mugs(20_00), ""),
        (of_mugs(20_01), "too_little"),
    ] {
        let grants = Grants { agreements: Vec::new(), codes: vec![unused(grant.clone())] };
        assert_eq!(told(&grants, &["ten"], &basket()), [("code TEN".to_owned(), why)], "{grant:?}");
    }
    let empty = Basket { lines: Vec::new(), ..basket() };
    let grants = Grants { agreements: Vec::new(), codes: vec![unused(ten())] };
    assert_eq!(told(&grants, &["ten"], &empty), [("code TEN".to_owned(), "nothing_in_scope")]);
}

#[test]
fn a_code_for_so_many_orders_holds_until_they_have_it_and_is_taken_by_what_has_something_off() {
    let limit = NonZeroU32::new(3);
    let limited = Grant { usage_limit: limit, ..ten() };
    for (used, closed, why) in
        [(2, false, ""), (3, false, "used_up"), (4, false, "used_up"), (3, true, "closed")]
    {
        let code = Code { grant: Grant { closed, ..limited.clone() }, used };
        let grants = Grants { agreements: Vec::new(), codes: vec![code] };
        assert_eq!(told(&grants, &["ten"], &basket()), [("code TEN".to_owned(), why)], "{used}");
    }
    let grants = Grants {
        agreements: vec![limited.clone()],
        codes: [limited, grant("ALL", Benefit::FreeDelivery, Scope::Order)].map(unused).into(),
    };
    let came = |source, came_to| Granted { source, came_to };
    let granted = |minor| {
        [
            came(Source::Agreement(id("TEN")), Ok(eur(1_00))),
            came(Source::Code(id("ALL")), Ok(eur(4_90))),
            came(Source::Code(id("TEN")), minor),
        ]
    };
    let redemption = Redemption { code: id("TEN"), limit: limit.unwrap() };
    assert_eq!(grants.redeemed(&granted(Ok(eur(1)))), [redemption]);
    // What takes nothing off is not used: everything is free already, or it does not hold.
    assert_eq!(grants.redeemed(&granted(Ok(eur(0)))), []);
    assert_eq!(grants.redeemed(&granted(Err(NotGranted::Closed))), []);
}

#[test]
fn names_are_compared_without_case_in_every_script() {
    let same = |one: &str, other: &str| Spelling::of(&id(one)) == Spelling::of(&id(other));
    for (one, other) in [("Summer10", "sUMMER10"), ("GRÖSSE", "größe"), ("ΛΟΓΟΣ", "λογος"), ("夏", "夏")]
    {
        assert!(same(one, other), "{one} {other}");
    }
    assert!(!same("SUMMER10", "SUMMER1O"));
    assert_eq!(named_twice(&[ten(), grant("ten", Benefit::FreeDelivery, Scope::Order)]), Some(1));
    assert_eq!(named_twice(&[ten(), grant("two", Benefit::FreeDelivery, Scope::Order)]), None);
}

#[test]
fn a_grant_that_makes_no_sense_is_not_kept() {
    let percent = |text: &str| Grant { benefit: Benefit::Percent(text.parse().unwrap()), ..ten() };
    let amount = |minor| Grant { benefit: Benefit::Amount(eur(minor)), ..ten() };
    for good in [
        percent("0.01"),
        percent("100"),
        amount(1),
        Grant { borne_by: BorneBy::Merchant, scope: Scope::Merchant(merchant(1)), ..ten() },
        Grant { from: Some(now()), until: Some(now() + jiff::SignedDuration::from_millis(1)), ..ten() },
    ] {
        assert_eq!(good.check(), Ok(()), "{good:?}");
    }
    assert!(matches!(percent("0").check(), Err(BadGrant::Percent(_))));
    assert!(matches!(percent("-1").check(), Err(BadGrant::Percent(_))));
    assert!(matches!(percent("100.001").check(), Err(BadGrant::Percent(_))));
    assert!(matches!(amount(0).check(), Err(BadGrant::Amount(_))));
    assert!(matches!(amount(-5).check(), Err(BadGrant::Amount(_))));
    let least = |least| Grant { least: Some(least), ..amount(1) };
    assert!(matches!(least(eur(0)).check(), Err(BadGrant::Least(_))));
    assert!(matches!(least(Money::new(1, id("JPY"))).check(), Err(BadGrant::Currencies { .. })));
    let never = Grant { from: Some(now()), until: Some(now()), ..ten() };
    assert!(matches!(never.check(), Err(BadGrant::Period { .. })));
    for scope in [Scope::Order, Scope::Category(id("mugs"))] {
        assert_eq!(Grant { borne_by: BorneBy::Merchant, scope, ..ten() }.check(), Err(BadGrant::BorneBy));
    }
}

#[test]
fn a_grant_at_rest_keeps_its_shape() {
    let whole = Grant {
        from: Some(now()),
        least: Some(eur(20_00)),
        closed: true,
        ..grant("TEN", Benefit::Amount(eur(5_00)), Scope::Merchant(merchant(1)))
    };
    let text = serde_json::to_string(&whole).unwrap();
    assert_eq!(serde_json::from_str::<Grant>(&text).unwrap(), whole);
    assert_eq!(
        serde_json::to_string(&ten()).unwrap(),
        r#"{"name":"TEN","benefit":{"percent":"10"},"scope":"order","borne_by":"marketplace"}"#
    );
}

proptest! {
    /// However many there are, a basket takes them; and each that holds has its amount.
    #[test]
    fn a_basket_never_has_more_discounts_than_it_takes(agreements in 0_usize..40, codes in 0_usize..40) {
        let named = |kind: &str, count| -> Vec<Grant> {
            let named = |n| grant(&format!("{kind}{n}"), Benefit::Percent(1.into()), Scope::Order);
            (0..count).map(named).collect()
        };
        let codes_known = named("c", codes).into_iter().map(unused).collect();
        let grants = Grants { agreements: named("a", agreements), codes: codes_known };
        let typed: Vec<Word> = grants.codes.iter().map(|code| code.grant.name.clone()).collect();
        let judged = grants.judge(&typed, &basket(), now()).unwrap();
        prop_assert_eq!(judged.len(), agreements.min(AGREEMENTS_MAX) + codes.min(CODES_MAX));
        prop_assert!(judged.len() <= DISCOUNTS_MAX);
    }
}
