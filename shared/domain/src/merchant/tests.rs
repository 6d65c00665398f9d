use super::*;
use crate::id::MarketplaceId;
use crate::marketplace::{Document, Marketplace, Settings};
use crate::text::Sha256;

fn approve(missing: Vec<Requirement>, overridden: bool) -> Request {
    Request::Approve { missing, overridden }
}

#[test]
fn every_status_answers_every_request() {
    let statuses = [Status::Pending, Status::Open, Status::Suspended, Status::Closing, Status::Terminated];
    let nothing = Unfinished { orders: 0, payouts: 0, owed: false, settles_at: None };
    let requests = [
        ("approve", approve(vec![], false)),
        ("approve, incomplete", approve(vec![Requirement::Terms], false)),
        ("approve, overridden", approve(vec![Requirement::Terms], true)),
        ("suspend", Request::Suspend),
        ("reopen", Request::Reopen),
        ("close", Request::Close),
        ("terminate", Request::Terminate(nothing)),
        ("terminate, 2 orders", Request::Terminate(Unfinished { orders: 2, ..nothing })),
        ("terminate, owed", Request::Terminate(Unfinished { owed: true, ..nothing })),
        (
            "terminate, too soon",
            Request::Terminate(Unfinished { settles_at: Some(Timestamp::UNIX_EPOCH), ..nothing }),
        ),
    ];
    let mut page = String::new();
    for status in statuses {
        for (name, request) in &requests {
            let answer = match decide(status, request) {
                Ok(Decision::New(next)) => next.word().to_owned(),
                Ok(Decision::Already) => "already".to_owned(),
                Err(refused) => format!("no: {refused}"),
            };
            page.push_str(&format!("{:<11}{name:<21}{answer}\n", status.word()));
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn a2_2_termination_is_refused_with_open_orders_or_payouts() {
    let open = Request::Terminate(Unfinished { orders: 0, payouts: 1, owed: true, settles_at: None });
    assert_eq!(decide(Status::Closing, &open), Err(Refused::StillOpen { orders: 0, payouts: 1 }));
}

#[test]
fn an_iban_is_known_by_its_check_digits() {
    // The example of the ECBS registry for Germany, and the same with one digit off.
    assert!("DE89 3704 0044 0532 0130 00".parse::<Iban>().is_ok());
    assert_eq!("DE89370400440532013000".parse::<Iban>().unwrap().masked(), "DE…3000");
    for text in ["DE89370400440532013001", "", "DE", "de89370400440532013000", "DE8937040044053201300É"] {
        assert!(text.parse::<Iban>().is_err(), "{text}");
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hash(digit: char) -> Sha256 {
    digit.to_string().repeat(64).parse().unwrap()
}

fn document(digit: char, effective_at: &str) -> Document {
    let (url, sha256) = ("https://shop.example/terms".parse().unwrap(), hash(digit));
    Document { url, sha256, effective_at: at(effective_at) }
}

fn merchant() -> Merchant {
    Merchant {
        id: MerchantId::from_bits(1),
        name: "Alma".parse().unwrap(),
        external_id: None,
        country: None,
        currency: None,
        status: Status::Open,
        commission: Vec::new(),
        schedule: Schedule::Day {},
        account: PayoutAccount::Missing,
        invitation: None,
        accepted_terms: Vec::new(),
        closures: Vec::new(),
        closing_since: None,
    }
}

fn marketplace() -> Marketplace {
    let currency = "EUR".parse().unwrap();
    let (id, name, settings) =
        (MarketplaceId::from_bits(1), "Shop".parse().unwrap(), Settings::first(currency));
    Marketplace { id, name, currency, locale: "en".to_owned(), settings, merchant_terms: Vec::new() }
}

#[test]
fn a2_1_the_checklist_asks_for_what_is_effective_and_for_what_the_marketplace_wants() {
    let (now, later) = (at("2026-03-02T00:00:00Z"), at("2026-03-09T00:00:00Z"));
    let mut shop = marketplace();
    assert_eq!(merchant().missing(&shop, now), []);
    shop.settings.requirements = vec![Requirement::PayoutAccount];
    assert_eq!(merchant().missing(&shop, now), [Requirement::PayoutAccount]);
    let shop = shop.with_terms(document('a', "2026-03-02T00:00:00Z"), now);
    let both = [Requirement::Terms, Requirement::PayoutAccount];
    assert_eq!(merchant().missing(&shop, now), both);

    // Accepted once; the next version asks again when it is effective, and may be accepted before.
    let Ok(Decision::New(first)) = accept_terms(&merchant(), &shop, &hash('a'), "ann", now) else { panic!() };
    let alma = merchant().accepting(first);
    assert_eq!(accept_terms(&alma, &shop, &hash('a'), "ann", now), Ok(Decision::Already));
    assert_eq!(accept_terms(&alma, &shop, &hash('b'), "ann", now), Err(Refused::OtherTerms));
    let shop = shop.with_terms(document('b', "2026-03-09T00:00:00Z"), now);
    assert_eq!(alma.missing(&shop, now), [Requirement::PayoutAccount]);
    assert_eq!(alma.missing(&shop, later), both);
    let Ok(Decision::New(next)) = accept_terms(&alma, &shop, &hash('b'), "ann", now) else { panic!() };
    let alma = alma.accepting(next);
    for time in [now, later] {
        assert_eq!(alma.missing(&shop, time), [Requirement::PayoutAccount], "{time}");
    }
    // The same text with a newer date asks again too.
    let shop = shop.with_terms(document('b', "2026-03-10T00:00:00Z"), later);
    assert_eq!(alma.missing(&shop, at("2026-03-10T00:00:00Z")), both);
}

#[test]
fn a2_3_a_closure_window_blocks_new_orders_without_changing_the_status() {
    let (from, to) = (jiff::civil::date(2026, 12, 24), jiff::civil::date(2026, 12, 26));
    let alma = Merchant { closures: vec![Closure { from, to }], ..merchant() };
    assert_eq!(alma.takes_orders(at("2026-12-23T23:59:59Z")), Ok(()));
    for time in ["2026-12-24T00:00:00Z", "2026-12-26T23:59:59Z"] {
        assert_eq!(alma.takes_orders(at(time)), Err(NoOrders::Closed(to)), "{time}");
    }
    assert_eq!(alma.takes_orders(at("2026-12-27T00:00:00Z")), Ok(()));
    assert_eq!(alma.status, Status::Open);
    let policy = |status| Merchant { status, ..merchant() }.takes_orders(at("2026-01-01T00:00:00Z"));
    assert_eq!(policy(Status::Suspended).unwrap_err().policy(), Some(Policy::MerchantNotOpen));
    for status in [Status::Pending, Status::Closing, Status::Terminated] {
        assert_eq!(policy(status).unwrap_err().policy(), None, "{}", status.word());
    }
}

#[test]
fn an_invitation_lets_one_person_in_within_its_time() {
    let (start, late) = (at("2026-03-02T00:00:00Z"), at("2026-03-16T00:00:00Z"));
    let invited = Merchant { invitation: Some(Invitation::new("d".to_owned(), start)), ..merchant() };
    assert_eq!(accept_invitation(&merchant(), "d", "ann", start), Err(Refused::NoInvitation));
    assert_eq!(accept_invitation(&invited, "x", "ann", start), Err(Refused::NoInvitation));
    assert_eq!(accept_invitation(&invited, "d", "ann", late), Err(Refused::InvitationExpired));
    let Ok(Decision::New(used)) = accept_invitation(&invited, "d", "ann", start) else { panic!() };
    let joined = Merchant { invitation: Some(used), ..invited };
    assert_eq!(accept_invitation(&joined, "d", "ann", late), Ok(Decision::Already));
    assert_eq!(accept_invitation(&joined, "d", "bob", start), Err(Refused::InvitationUsed));
}

#[test]
fn a_merchant_and_a_marketplace_of_before_still_read() {
    let merchant: Merchant = serde_json::from_value(serde_json::json!({
        "id": "mer_00000000000000000000000001", "name": "Alma", "status": "open", "schedule": {"every": "day"},
        "account": {"state": "missing"},
    }))
    .unwrap();
    assert_eq!(merchant, self::merchant());
    let marketplace: Marketplace = serde_json::from_value(serde_json::json!({
        "id": "mkt_00000000000000000000000001", "name": "Shop", "currency": "EUR", "locale": "en",
        "settings": {"hold_days": 14, "commission": [], "critical_balance": [0, "EUR"]},
    }))
    .unwrap();
    assert_eq!(marketplace, self::marketplace());
}
