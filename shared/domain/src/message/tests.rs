use super::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

fn stopped(why: Suppressed) -> Suppression {
    Suppression { digest: sha256_hex(b"x").parse().unwrap(), why, at: at(5) }
}

fn message(kind: Kind, stage: Stage) -> Message {
    let digest = sha256_hex(b"ines@post.example").parse().unwrap();
    Message {
        id: MessageId::of("ord_1.1", &digest, Channel::Email),
        kind,
        channel: Channel::Email,
        to: Recipient::Guest,
        digest,
        event: "ord_1.1".to_owned(),
        of: "order.placed.v1".to_owned(),
        because: Because::Default,
        consent: None,
        locale: "en".parse().unwrap(),
        template: 0,
        made_at: at(0),
        stage,
        bounced: None,
        complained_at: None,
    }
}

fn report(what: Reported, hour: i64) -> Report {
    Report { what, at: at(hour), reference: "ses-1".to_owned(), taken_at: at(1) }
}

/// What comes of reports in an order.
fn after(first: Message, reports: &[Report]) -> Message {
    reports.iter().fold(first, |message, report| reported(&message, report).unwrap_or(message))
}

#[test]
fn a16_1_marketing_needs_a_consent_that_stands_and_keeps_its_moment() {
    let yes = Some(Said { given: true, at: at(3) });
    let no = Some(Said { given: false, at: at(3) });
    for kind in Kind::ALL {
        let (without, with, against) =
            (may_write(kind, None, None), may_write(kind, yes, None), may_write(kind, no, None));
        match kind.nature() {
            Nature::Marketing => {
                assert_eq!(
                    (without, with, against),
                    (Err(NotSent::NoConsent), Ok(Some(at(3))), Err(NotSent::NoConsent))
                );
            }
            Nature::Service | Nature::Courtesy => {
                assert_eq!((without, with, against), (Ok(None), Ok(None), Ok(None)));
            }
        }
    }
}

#[test]
fn who_is_on_the_list_hears_only_what_the_reason_leaves() {
    let table = [
        (Suppressed::Bounced, Err(NotSent::Bounced), Err(NotSent::Bounced), Err(NotSent::Bounced)),
        (
            Suppressed::Complained,
            Err(NotSent::Complained),
            Err(NotSent::Complained),
            Err(NotSent::Complained),
        ),
        (Suppressed::ByHand, Err(NotSent::ByHand), Err(NotSent::ByHand), Err(NotSent::ByHand)),
        (Suppressed::Unsubscribed, Ok(None), Err(NotSent::Unsubscribed), Err(NotSent::Unsubscribed)),
    ];
    let before = Some(Said { given: true, at: at(3) });
    for (why, service, courtesy, marketing) in table {
        let ask = |kind| may_write(kind, before, Some(&stopped(why)));
        assert_eq!(ask(Kind::OrderConfirmed), service, "{why:?}");
        assert_eq!(ask(Kind::ReviewRequest), courtesy, "{why:?}");
        assert_eq!(ask(Kind::CartReminder), marketing, "{why:?}");
    }
    let later = Some(Said { given: true, at: at(6) });
    assert_eq!(
        may_write(Kind::CartReminder, later, Some(&stopped(Suppressed::Unsubscribed))),
        Ok(Some(at(6)))
    );
}

#[test]
fn of_an_unknown_outcome_service_goes_once_more_and_the_rest_never() {
    let begun = |tries| Stage::Begun { since: at(1), tries };
    let soon = at(1) + SignedDuration::from_secs(59);
    assert_eq!(again(&message(Kind::Shipped, begun(1)), soon), Next::Wait);
    let Next::SendAgain(second) = again(&message(Kind::Shipped, begun(1)), at(2)) else { panic!("not sent") };
    assert_eq!(second.stage, Stage::Begun { since: at(2), tries: 2 });
    let unknown = Stage::NotSent { since: at(4), why: NotSent::Unknown };
    let Next::GiveUp(last) = again(&second, at(4)) else { panic!("sent a third time") };
    assert_eq!(last.stage, unknown);
    for kind in [Kind::CartReminder, Kind::ReviewRequest, Kind::BackInStock] {
        let Next::GiveUp(last) = again(&message(kind, begun(1)), at(4)) else {
            panic!("{kind:?} goes twice")
        };
        assert_eq!(last.stage, unknown);
    }
    for end in [Stage::Sent { since: at(1), reference: "1".to_owned() }, unknown] {
        assert_eq!(again(&message(Kind::Shipped, end), at(9)), Next::Nothing);
    }
}

#[test]
fn what_has_gone_on_meanwhile_ends_what_was_to_tell_of_it() {
    let ended = |stage: Stage, now| match over(&message(Kind::Dunning, stage), now) {
        Next::GiveUp(Message { stage: Stage::NotSent { since, why }, .. }) => Some((since, why)),
        Next::Nothing => None,
        other @ (Next::Wait | Next::SendAgain(_) | Next::GiveUp(_)) => panic!("{other:?}"),
    };
    // Which no carrier has, and of which nobody knows.
    assert_eq!(ended(Stage::Waiting { since: at(1) }, at(1)), Some((at(1), NotSent::Over)));
    for tries in [1, 2] {
        assert_eq!(ended(Stage::Begun { since: at(1), tries }, at(2)), Some((at(2), NotSent::Unknown)));
    }
    assert_eq!(ended(Stage::Sent { since: at(1), reference: "1".to_owned() }, at(9)), None);
    assert_eq!(ended(Stage::NotSent { since: at(1), why: NotSent::Bounced }, at(9)), None);
    let soon = at(1) + SignedDuration::from_secs(59);
    let begun = message(Kind::Dunning, Stage::Begun { since: at(1), tries: 1 });
    assert_eq!(over(&begun, soon), Next::Wait, "somebody may be at it");
}

#[test]
fn the_merchants_word_counts_before_the_marketplaces_and_both_before_none() {
    let rule =
        |reader, channels: &[Channel]| Rule { kind: Kind::Payout, reader, channels: channels.to_vec() };
    let bare = Routing::default();
    let ask = |reader, routing: &Routing, contact: Option<&Contact>| {
        channels(Kind::Payout, reader, routing, contact)
    };
    assert_eq!(ask(Reader::Merchant, &bare, None), (vec![Channel::Email], Because::Default));
    assert_eq!(ask(Reader::Operators, &bare, None), (Vec::new(), Because::Default));
    let routing = Routing {
        rules: vec![rule(Reader::Merchant, &[]), rule(Reader::Operators, &[Channel::Sms])],
        ..bare
    };
    assert_eq!(ask(Reader::Merchant, &routing, None), (Vec::new(), Because::Marketplace));
    assert_eq!(ask(Reader::Operators, &routing, None), (vec![Channel::Sms], Because::Marketplace));
    let own = Contact { rules: vec![rule(Reader::Merchant, &[Channel::Push])], ..Contact::default() };
    assert_eq!(ask(Reader::Merchant, &routing, Some(&own)), (vec![Channel::Push], Because::Merchant));
    assert_eq!(ask(Reader::Operators, &routing, Some(&own)), (vec![Channel::Sms], Because::Marketplace));
}

#[test]
fn an_address_is_one_however_it_is_spelled_and_a_message_one_per_event_reader_and_way() {
    let digest = |text: &str| digest_of(&text.parse().unwrap()).unwrap();
    assert_eq!(digest("Ines@Post.Example"), digest("ines@post.example"));
    let (ines, ben) = (digest("ines@post.example"), digest("ben@post.example"));
    let ids = [
        MessageId::of("ord_1.1", &ines, Channel::Email),
        MessageId::of("ord_1.2", &ines, Channel::Email),
        MessageId::of("ord_1.1", &ben, Channel::Email),
        MessageId::of("ord_1.1", &ines, Channel::Sms),
    ];
    let different: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
    assert_eq!(ids[0], MessageId::of("ord_1.1", &ines, Channel::Email));
}

#[test]
fn a_text_is_looked_for_from_the_nearest_tag_to_english() {
    assert_eq!(locales(Some("de-AT"), "fr"), ["de-AT", "de", "fr", "en"]);
    assert_eq!(locales(None, "sr-Latn-RS"), ["sr-Latn-RS", "sr-Latn", "sr", "en"]);
    assert_eq!(locales(Some("en"), "en-GB"), ["en", "en-GB"]);
}

#[test]
fn a_kind_has_a_word_of_its_own_and_goes_to_readers_that_it_may_go_to() {
    for kind in Kind::ALL {
        assert_eq!(Kind::of_word(kind.word()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        let (may, first) = kind.readers();
        assert!(first.iter().all(|reader| may.contains(reader)) && !first.is_empty());
    }
    assert_eq!(Kind::of_word("nothing"), None);
}

#[test]
fn reports_of_a_carrier_come_to_the_same_in_any_order_and_as_often_as_they_come() {
    let sent = Stage::Sent { since: at(1), reference: "ses-1".to_owned() };
    let soft = report(Reported::Bounced { permanent: false }, 2);
    let hard = report(Reported::Bounced { permanent: true }, 3);
    let unwanted = report(Reported::Complained, 4);
    let all = Message {
        bounced: Some(Bounce { at: at(3), permanent: true }),
        complained_at: Some(at(4)),
        ..message(Kind::Shipped, sent.clone())
    };
    for order in [
        [&soft, &hard, &unwanted],
        [&soft, &unwanted, &hard],
        [&hard, &soft, &unwanted],
        [&hard, &unwanted, &soft],
        [&unwanted, &soft, &hard],
        [&unwanted, &hard, &soft],
    ] {
        let twice: Vec<Report> = order.iter().chain(&order).map(|report| (*report).clone()).collect();
        assert_eq!(after(message(Kind::Shipped, sent.clone()), &twice), all, "{order:?}");
    }
    assert_eq!(reported(&all, &hard), None, "it says nothing new");
}

#[test]
fn whatever_is_reported_of_was_sent_also_where_nobody_knew() {
    let hard = report(Reported::Bounced { permanent: true }, 3);
    let sent = Stage::Sent { since: at(1), reference: "ses-1".to_owned() };
    for (stage, then) in [
        (Stage::Waiting { since: at(1) }, sent.clone()),
        (Stage::Begun { since: at(1), tries: 1 }, sent.clone()),
        (Stage::NotSent { since: at(2), why: NotSent::Unknown }, sent.clone()),
        (sent.clone(), sent),
        (
            Stage::NotSent { since: at(2), why: NotSent::NoConsent },
            Stage::NotSent { since: at(2), why: NotSent::NoConsent },
        ),
    ] {
        let next = reported(&message(Kind::Shipped, stage.clone()), &hard).unwrap();
        assert_eq!(next.stage, then, "{stage:?}");
    }
}

#[test]
fn of_two_reasons_to_leave_an_address_alone_the_stronger_stays() {
    use Suppressed::{Bounced, ByHand, Complained, Unsubscribed};
    let order = [Unsubscribed, Bounced, Complained, ByHand];
    for (at_first, first) in order.into_iter().enumerate() {
        assert_eq!(leave_alone(None, stopped(first)), Some(stopped(first)));
        for (at_then, then) in order.into_iter().enumerate() {
            let kept = leave_alone(Some(&stopped(first)), stopped(then));
            assert_eq!(kept.is_some(), at_then > at_first, "{first:?}, then {then:?}");
        }
    }
    let later = Suppression { at: at(6), ..stopped(Unsubscribed) };
    assert_eq!(leave_alone(Some(&stopped(Unsubscribed)), later.clone()), Some(later));
    assert_eq!(Reported::Bounced { permanent: false }.suppresses(), None, "a mailbox that is full today");
}
