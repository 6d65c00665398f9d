use super::ask::{Agenda, Asking, agenda};
use super::check::causes;
use super::rating::{Adjustment, Distribution, Policy, Record, Weights, score};
use super::*;
use crate::order;
use proptest::prelude::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + hour * 3_600).unwrap()
}

fn written(stars: u8, text: &str) -> Written {
    let text = (!text.is_empty()).then(|| text.parse().unwrap());
    Written { stars: stars.try_into().unwrap(), text, name: None }
}

fn policy() -> Policy {
    Policy { words: vec!["swindle".parse().unwrap(), "cash back".parse().unwrap()], ..Policy::default() }
}

fn review(written: Written) -> Review {
    let order = OrderId::from_bits(5);
    Review {
        id: ReviewId::of(&order, 1),
        merchant_order: MerchantOrderId::of(&order, 1),
        order,
        merchant: MerchantId::from_bits(2),
        product: Some(ProductId::from_bits(3)),
        offer: None,
        customer: None,
        title: None,
        delivered_at: at(0),
        submitted_at: at(1),
        stage: first_stage(&written, &policy(), at(1)),
        stars: written.stars,
        text: written.text,
        name: written.name,
        photos: Vec::new(),
        reply: None,
        helpful: 0,
    }
}

fn said(text: &str, hour: i64) -> Said {
    Said { text: text.parse().unwrap(), at: at(hour), by: "person:anna".to_owned() }
}

fn done(review: &Review, decided: Result<Decision<Fact>, Refused>) -> Review {
    match decided.unwrap() {
        Decision::New(fact) => review.clone().apply(fact),
        Decision::Already => review.clone(),
    }
}

#[test]
fn rules_find_words_links_contacts_and_numbers_and_nothing_else() {
    use Cause::{Contact, Link, PersonalData, Word};
    let table: [(&str, &[Cause]); 20] = [
        ("Broken after two days, and nobody answers. Never again.", &[]),
        ("Cheap plastic. 2 of 10. Paid 1 299.00 for that in 2025.", &[]),
        ("A swindle!", &[Word]),
        ("Swindlers they are not.", &[]),
        ("They promised CASH  back", &[]),
        ("They promised CASH BACK, really", &[Word]),
        ("better at https://elsewhere.example/x", &[Link]),
        ("see www.elsewhere", &[Link]),
        ("go to elsewhere.com, cheaper", &[Link]),
        ("Nice.Really nice", &[]),
        ("It is 3.5 cm too short", &[]),
        ("write to me: ben@host.example", &[Contact]),
        ("ben (at) host", &[Contact]),
        ("call +49 (170) 555 12 34", &[Contact]),
        ("ordered 2024-11-02.", &[]),
        ("size 38, color 12", &[]),
        ("my account DE89 3704 0044 0532 0130 00", &[PersonalData]),
        ("my card 4111 1111 1111 1111", &[PersonalData]),
        ("<script>alert(1)</script>", &[]),
        ("swindle at shop.com, call 0170 5551234", &[Word, Link, Contact]),
    ];
    for (text, want) in table {
        assert_eq!(causes(&written(1, text), &policy()), want, "{text}");
        assert_eq!(causes(&written(5, text), &policy()), want, "stars make no difference: {text}");
    }
    let named = Written { name: Some("shop.com".parse().unwrap()), ..written(5, "Good") };
    assert_eq!(causes(&named, &policy()), [Link], "a name is looked at too");
    let always = Policy { publishes_clean: false, ..policy() };
    assert_eq!(causes(&written(3, ""), &always), [Cause::Always]);
}

#[test]
fn what_the_rules_find_nothing_in_is_published_and_anything_else_waits() {
    assert_eq!(review(written(1, "Never again")).stage, Stage::Published { since: at(1) });
    let waits = review(written(5, "see www.elsewhere"));
    assert_eq!(waits.stage, Stage::Pending { causes: vec![Cause::Link] });
    assert_eq!(done(&waits, waits.publish(at(2))).stage, Stage::Published { since: at(2) });
}

/// Every step from every stage; what is refused keeps its stage.
#[test]
fn the_table_of_stages() {
    let published = review(written(4, "Good"));
    let pending = review(written(4, "see www.elsewhere"));
    let rejected = done(&published, published.reject(vec![Cause::Abuse], None, at(2)));
    let Decision::New(fact) = published.withdraw(at(2)) else { panic!("it is withdrawn") };
    let withdrawn = published.clone().apply(fact);
    let mut page = String::new();
    for (name, from) in
        [("pending", &pending), ("published", &published), ("rejected", &rejected), ("withdrawn", &withdrawn)]
    {
        let steps: [(&str, Result<Decision<Fact>, Refused>); 6] = [
            ("write clean", Ok(from.write(written(2, "Bad"), &policy(), at(3)))),
            ("write with a link", Ok(from.write(written(2, "www.x"), &policy(), at(3)))),
            ("publish", from.publish(at(3))),
            ("reject", from.reject(vec![Cause::Abuse], None, at(3))),
            ("withdraw", Ok(from.withdraw(at(3)))),
            ("reply", from.answer(said("Sorry", 3))),
        ];
        for (step, decided) in steps {
            let becomes = match decided {
                Ok(Decision::New(fact)) => match from.clone().apply(fact).stage {
                    Stage::Pending { .. } => "pending",
                    Stage::Published { .. } => "published",
                    Stage::Rejected { .. } => "rejected",
                    Stage::Withdrawn { .. } => "withdrawn",
                },
                Ok(Decision::Already) => "as it is",
                Err(_) => "refused",
            };
            page.push_str(&format!("{name:<9} | {step:<17} | {becomes}\n"));
        }
    }
    insta::assert_snapshot!(page, @r"
    pending   | write clean       | published
    pending   | write with a link | pending
    pending   | publish           | published
    pending   | reject            | rejected
    pending   | withdraw          | withdrawn
    pending   | reply             | refused
    published | write clean       | published
    published | write with a link | pending
    published | publish           | as it is
    published | reject            | rejected
    published | withdraw          | withdrawn
    published | reply             | published
    rejected  | write clean       | pending
    rejected  | write with a link | pending
    rejected  | publish           | published
    rejected  | reject            | as it is
    rejected  | withdraw          | withdrawn
    rejected  | reply             | refused
    withdrawn | write clean       | published
    withdrawn | write with a link | pending
    withdrawn | publish           | refused
    withdrawn | reject            | refused
    withdrawn | withdraw          | as it is
    withdrawn | reply             | refused
    ");
}

#[test]
fn what_was_rejected_is_never_published_by_its_author_whatever_the_detour() {
    let published = review(written(4, "Good"));
    let rejected = done(&published, published.reject(vec![Cause::Abuse], None, at(2)));
    let again = done(&rejected, Ok(rejected.write(written(5, "So good"), &policy(), at(3))));
    assert_eq!(again.stage, Stage::Pending { causes: vec![Cause::Rewritten] });
    let twice = done(&again, Ok(again.write(written(5, "Really"), &policy(), at(4))));
    assert_eq!(twice.stage, Stage::Pending { causes: vec![Cause::Rewritten] });
    let withdrawn = done(&twice, Ok(twice.withdraw(at(5))));
    let back = done(&withdrawn, Ok(withdrawn.write(written(5, "Good"), &policy(), at(6))));
    assert_eq!(back.stage, Stage::Pending { causes: vec![Cause::Rewritten] });
    let allowed = done(&back, back.publish(at(7)));
    let clean = done(&allowed, Ok(allowed.write(written(3, "Good enough"), &policy(), at(8))));
    assert_eq!(clean.counts(), Some(3.try_into().unwrap()), "a person has published it since");
}

#[test]
fn a4_2_a_reply_cannot_overwrite_a_reply() {
    let first = review(written(1, "Late"));
    let first = done(&first, first.answer(said("We are sorry", 2)));
    assert_eq!(first.answer(said("We are sorry", 3)), Ok(Decision::Already));
    assert_eq!(first.answer(said("It was not us", 3)), Err(Refused::Replied));
    let edited = done(&first, first.edit_reply(said("It was the carrier", 4)));
    let reply = edited.reply.unwrap();
    assert_eq!((reply.text.as_str(), reply.at), ("It was the carrier", at(4)));
    assert_eq!(reply.before, [said("We are sorry", 2)], "what it said before is kept");
    let waits = review(written(1, "www.x"));
    assert_eq!(waits.answer(said("x", 2)), Err(Refused::NotPublished));
    assert_eq!(waits.edit_reply(said("x", 2)), Err(Refused::NoReply));
}

fn asset_after(asset: &Asset, decided: Decision<asset::Fact>) -> Asset {
    match decided {
        Decision::New(fact) => asset.clone().apply(fact),
        Decision::Already => panic!("it is news"),
    }
}

#[test]
fn a_photo_of_before_is_lost_and_another_may_be_sent() {
    let kept = r#"{"number": 1, "state": {"is": "ready", "sha256": "00", "width": 3, "height": 2}}"#;
    let photo: Photo = serde_json::from_str(kept).unwrap();
    assert_eq!(photo.state, PhotoState::Lost {});
    let one = Review { photos: vec![photo], ..review(written(4, "")) };
    let asset = AssetId::from_bits(1);
    let awaited = Fact::PhotoAwaited { number: 1, asset: asset.clone() };
    assert_eq!(one.await_photo(1, &asset), Ok(Decision::New(awaited)));
}

#[test]
fn a_photo_has_a_place_until_it_is_refused_or_gone() {
    let one = review(written(4, ""));
    let ids = [1, 2].map(AssetId::from_bits);
    assert_eq!(one.await_photo(0, &ids[0]), Err(Refused::NoPlace));
    assert_eq!(one.await_photo(PHOTOS_MAX + 1, &ids[0]), Err(Refused::NoPlace));
    let one = done(&one, one.await_photo(2, &ids[0]));
    assert_eq!(one.await_photo(2, &ids[1]), Ok(Decision::Already), "asked twice");
    let awaited = Asset::begin(ids[0].clone(), None, "photo 2".parse().unwrap(), Timestamp::UNIX_EPOCH);
    assert_eq!(one.settle_photo(&awaited), Decision::Already, "nothing has come yet");
    let why = (asset::Unusable::TooManyPixels, "1,000 × 1,000,000".parse().unwrap());
    let refused = asset_after(&awaited, awaited.judge(1, Err(why), Timestamp::UNIX_EPOCH));
    let one = done(&one, Ok(one.settle_photo(&refused)));
    assert_eq!(one.photos[0].state, PhotoState::Refused { why: Unusable::TooManyPixels });
    assert_eq!(one.settle_photo(&refused), Decision::Already, "told twice");
    let other = Asset { id: ids[1].clone(), ..refused.clone() };
    assert_eq!(one.settle_photo(&other), Decision::Already, "it is none of its photos");
    let one = done(&one, one.await_photo(2, &ids[1]));
    assert_eq!(one.photos[0].asset.as_ref(), Some(&ids[0]), "the same asset gets another file");
    let sent = refused.clone().apply(refused.replace(Timestamp::UNIX_EPOCH).unwrap());
    let shown = asset::File { sha256: "0".repeat(64).parse().unwrap(), bytes: 1 };
    let kind = asset::Kind::Document { shown: shown.clone() };
    let media = asset::Media { file: 2, sha256: shown.sha256, bytes: 1, kind };
    let ready = asset_after(&sent, sent.judge(2, Ok(media), Timestamp::UNIX_EPOCH));
    let one = done(&one, Ok(one.settle_photo(&ready)));
    assert_eq!(one.photos[0].state, PhotoState::Shown { shown: Box::new(Shown::of(&ready)) });
    assert_eq!(one.await_photo(2, &ids[1]), Err(Refused::PlaceTaken));
    let gone = asset_after(&ready, ready.delete(Timestamp::UNIX_EPOCH));
    let one = done(&one, Ok(one.settle_photo(&gone)));
    assert_eq!((one.photos.len(), one.settle_photo(&gone)), (0, Decision::Already));
}

#[test]
fn a_mean_is_the_exact_fraction_to_two_decimals() {
    for (counts, want) in [
        ([0, 0, 0, 0, 0], None),
        ([0, 0, 0, 0, 1], Some("5.00")),
        ([1, 0, 0, 0, 2], Some("3.67")),
        ([0, 0, 0, 2, 1], Some("4.33")),
        ([199, 1, 0, 0, 0], Some("1.01")),
        ([0, 0, 0, 1, 199], Some("5.00")),
    ] {
        assert_eq!(Distribution { counts }.mean().as_deref(), want, "{counts:?}");
    }
}

#[test]
fn a_score_shows_each_part_and_the_adjustment() {
    let reviews = Distribution { counts: [1, 0, 0, 0, 3] };
    let record = Record { opened: 20, shipped: 10, late: 3, canceled: 1, disputed: 0 };
    let weights = Weights { reviews: 60, shipped_on_time: 15, not_canceled: 15, not_disputed: 10 };
    let plain = score(&reviews, &record, &weights, None);
    // (16 − 4) / 16 = 75; 7 of 10 = 70; 19 of 20 = 95; 20 of 20 = 100.
    assert_eq!(plain.parts.map(|part| part.points), [Some(75), Some(70), Some(95), Some(100)]);
    // (60 × 75 + 15 × 70 + 15 × 95 + 10 × 100) / 100 = 79.75.
    assert_eq!((plain.computed, plain.score), (Some(80), Some(80)));
    let (reason, by) = ("counterfeits were found".parse().unwrap(), "person:op".to_owned());
    let adjustment = Adjustment { points: -30, reason, by, at: at(0) };
    let adjusted = score(&reviews, &record, &weights, Some(&adjustment));
    assert_eq!((adjusted.computed, adjusted.score), (Some(80), Some(50)));
    let nothing = score(&Distribution::default(), &Record::default(), &weights, Some(&adjustment));
    assert_eq!((nothing.computed, nothing.score), (None, None), "of nothing there is no score");
    let new = score(&reviews, &Record::default(), &weights, None);
    assert_eq!(new.computed, Some(75), "a part without anything to go by does not count");
}

#[derive(Debug, Clone)]
enum Step {
    Write(u8, bool),
    Publish,
    Reject,
    Withdraw,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        ((1_u8..=5), any::<bool>()).prop_map(|(stars, clean)| Step::Write(stars, clean)),
        Just(Step::Publish),
        Just(Step::Reject),
        Just(Step::Withdraw),
    ]
}

proptest! {
    #[test]
    fn a4_3_counters_that_follow_the_stages_equal_a_recount(
        steps in prop::collection::vec((0_usize..4, step()), 0..60),
    ) {
        let mut reviews: Vec<Review> = (1..=4).map(|stars| review(written(stars, "Fine"))).collect();
        let mut kept = Distribution { counts: [1, 1, 1, 1, 0] };
        for (which, step) in steps {
            let before = reviews[which].clone();
            let decided = match step {
                Step::Write(stars, clean) => {
                    let text = if clean { "So it is" } else { "www.x" };
                    Ok(before.write(written(stars, text), &policy(), at(2)))
                }
                Step::Publish => before.publish(at(2)),
                Step::Reject => before.reject(vec![Cause::Abuse], None, at(2)),
                Step::Withdraw => Ok(before.withdraw(at(2))),
            };
            let Ok(Decision::New(fact)) = decided else { continue };
            let after = before.clone().apply(fact);
            for (stars, by) in moved(Some(&before), &after) {
                let count = &mut kept.counts[usize::from(stars.number()) - 1];
                *count = count.checked_add_signed(by.into()).unwrap();
            }
            reviews[which] = after;
        }
        let mut recount = Distribution::default();
        for stars in reviews.iter().filter_map(Review::counts) {
            recount.counts[usize::from(stars.number()) - 1] += 1;
        }
        prop_assert_eq!(kept, recount);
    }
}

fn part(lines: &[(u16, u32, u32, u32, Option<i64>)]) -> crate::merchant_order::MerchantOrder {
    let mut part: crate::merchant_order::MerchantOrder = serde_json::from_value(serde_json::json!({
        "id": MerchantOrderId::of(&OrderId::from_bits(5), 1),
        "merchant": MerchantId::from_bits(2),
        "currency": "EUR",
        "placed_at": at(0),
        "lines": [],
        "delivery": [0, "EUR"],
        "stage": { "at": "open", "since": at(0) },
    }))
    .unwrap();
    for (number, quantity, delivered, refunded, when) in lines {
        part.lines.push(
            serde_json::from_value(serde_json::json!({
                "number": number, "sku": "x", "quantity": quantity,
                "items": [100, "EUR"], "delivery": [0, "EUR"], "fees": [0, "EUR"],
                "progress": { "accepted": true, "delivered": delivered, "refunded": refunded, "shipped": quantity },
            }))
            .unwrap(),
        );
        let id = crate::id::ShipmentId::from_bits(u128::from(*number));
        part.shipments.push(
            serde_json::from_value(serde_json::json!({
                "id": id, "carrier": "dhl", "tracking_number": "1",
                "lines": [{ "line": number, "quantity": quantity }],
                "shipped_at": at(1), "delivered_at": when.map(at),
            }))
            .unwrap(),
        );
    }
    part
}

fn order_of(categories: &[(u16, &str)]) -> order::Order {
    let line = |(number, category): &(u16, &str)| {
        serde_json::json!({
            "number": number, "merchant": MerchantId::from_bits(2), "sku": "x", "quantity": 1,
            "category": category, "unit_price": [100, "EUR"], "delivery": [0, "EUR"],
        })
    };
    serde_json::from_value(serde_json::json!({
        "id": OrderId::from_bits(5), "channel": "web", "currency": "EUR", "placed_at": at(0),
        "lines": categories.iter().map(line).collect::<Vec<_>>(), "delivery": [0, "EUR"], "payments": [],
        "stage": { "at": "paid", "since": at(0) }, "refunded": [0, "EUR"], "difference": [0, "EUR"],
        "fingerprint": "",
    }))
    .unwrap()
}

#[test]
fn each_line_is_asked_about_after_its_own_delivery_and_reminded_once() {
    let policy = Policy { by_category: vec![("mattress".parse().unwrap(), 30)], ..Policy::default() };
    let order = order_of(&[(1, "cups"), (2, "mattress"), (3, "cups"), (4, "cups"), (5, "cups")]);
    // Delivered on the first day; the same, a month to try; on its way; sent back; half of it there.
    let part = part(&[
        (1, 1, 1, 0, Some(24)),
        (2, 1, 1, 0, Some(24)),
        (3, 1, 0, 0, None),
        (4, 1, 1, 1, Some(24)),
        (5, 2, 1, 0, Some(24)),
    ]);
    let look =
        |asked: Option<&Asking>, reviewed: &[u16], now| agenda(&order, &part, asked, reviewed, &policy, now);
    let day = |days: i64| at(24 * (days + 1));
    assert_eq!(look(None, &[], day(6)), Agenda { next: Some(day(7)), ..Agenda::default() });
    let first = look(None, &[], day(7));
    let want = Agenda { ask: vec![1], remind: vec![], next: Some(day(14)), until: Some(day(120)) };
    assert_eq!(first, want);
    let asked = Asking::after(None, &part, &order.id, &first, day(7));
    assert_eq!(look(Some(&asked), &[], day(7)).ask, Vec::<u16>::new(), "asked once");
    let again = look(Some(&asked), &[], day(14));
    assert_eq!((again.ask.as_slice(), again.remind.as_slice()), ([].as_slice(), [1].as_slice()));
    assert_eq!(look(Some(&asked), &[1], day(14)).remind, Vec::<u16>::new(), "not who has answered");
    let reminded = Asking::after(Some(&asked), &part, &order.id, &again, day(14));
    assert_eq!(look(Some(&reminded), &[], day(29)).remind, Vec::<u16>::new(), "reminded once");
    assert_eq!(look(Some(&reminded), &[], day(30)).ask, [2], "by its category");
    assert_eq!(look(None, &[], day(121)), Agenda::default(), "what nobody may answer is not asked");
    let canceled = order::Order {
        stage: order::Stage::Canceled { since: at(0), reason: "gone".parse().unwrap() },
        ..order.clone()
    };
    assert_eq!(agenda(&canceled, &part, None, &[], &policy, day(7)), Agenda::default());
}
