//! Mail that comes back: who is not there or complains is left alone; reports of mail may be late, twice or forged.

use serde_json::{Value, json};
use souk::cloud::Returned;
use tests::storefront::Storefront;
use tests::*;

/// The mails by now, the first first.
fn names(shop: &Shop) -> Vec<String> {
    shop.market.cloud.mails().unwrap().into_iter().map(|mail| mail.name).collect()
}

async fn report(shop: &Shop, mail: &str, what: Returned) {
    shop.market.cloud.report_mail(mail, what).unwrap();
    shop.settle().await;
}

async fn message(shop: &Shop) -> Value {
    shop.get("/v1/messages").await["items"][0].clone()
}

async fn suppressed(shop: &Shop) -> Vec<String> {
    let list = shop.get("/v1/suppressions").await;
    list["items"].as_array().unwrap().iter().map(|one| at(one, "/why").to_owned()).collect()
}

#[tokio::test]
async fn an_address_where_nobody_is_gets_nothing_more_and_its_message_says_that_it_came_back() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    let order = store.order().await;
    let [mail] = names(shop).try_into().unwrap();
    report(shop, &mail, Returned::Bounced).await;
    let sent = message(shop).await;
    assert_eq!((at(&sent, "/status"), &sent["bounced_for_good"]), ("sent", &json!(true)), "{sent}");
    assert!(!at(&sent, "/bounced_at").is_empty());
    assert_eq!(suppressed(shop).await, ["bounced"]);
    shop.fulfill(&part(&order, 1)).await;
    shop.settle().await;
    assert_eq!(names(shop).len(), 1, "nothing more goes there, service or not");
    let list = shop.get("/v1/messages").await["items"].clone();
    let why = |one: &Value| (at(one, "/kind").to_owned(), one["not_sent_because"].clone());
    let mut whys: Vec<(String, Value)> = list.as_array().unwrap().iter().map(why).collect();
    whys.sort_by(|one, other| one.0.cmp(&other.0));
    let [delivered, confirmed, shipped] = whys.try_into().unwrap();
    assert_eq!((delivered.0.as_str(), &delivered.1), ("delivered", &json!("bounced")));
    assert_eq!((confirmed.0.as_str(), &confirmed.1), ("order_confirmed", &json!(null)));
    assert_eq!((shipped.0.as_str(), &shipped.1), ("shipped", &json!("bounced")));
}

#[tokio::test]
async fn a_mailbox_that_is_full_today_is_written_to_again() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    let order = store.order().await;
    report(shop, &names(shop)[0], Returned::BouncedForNow).await;
    assert_eq!(message(shop).await["bounced_for_good"], json!(false));
    assert!(suppressed(shop).await.is_empty());
    shop.fulfill(&part(&order, 1)).await;
    shop.settle().await;
    assert_eq!(names(shop).len(), 3, "sent, shipped, delivered");
}

#[tokio::test]
async fn a_complaint_after_a_bounce_weighs_more_and_neither_counts_twice() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    store.order().await;
    let mail = names(shop)[0].clone();
    for _ in 0..2 {
        for what in [Returned::Bounced, Returned::Complained, Returned::Bounced, Returned::BouncedForNow] {
            report(shop, &mail, what).await;
        }
    }
    assert_eq!(suppressed(shop).await, ["complained"]);
    let sent = message(shop).await;
    assert!(!at(&sent, "/complained_at").is_empty() && sent["bounced_for_good"] == json!(true), "{sent}");
    let digest = at(&shop.get("/v1/suppressions").await, "/items/0/digest").to_owned();
    let told = shop.get(&format!("/v1/audit/sup_{digest}")).await;
    let whys: Vec<&str> =
        told["items"].as_array().unwrap().iter().map(|one| at(one, "/facts/0/data/why")).collect();
    assert_eq!(whys, ["bounced", "complained"]);
}

#[tokio::test]
async fn a_report_that_is_there_before_the_answer_to_the_call_settles_that_the_mail_went() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    shop.market.cloud.trouble_mail([souk::cloud::Fate::NotHeard]);
    let cart = store.ready().await;
    store.pay(&cart, "57.15", "tok_approved").await;
    shop.market.cloud.settle().await.unwrap();
    let [mail] = names(shop).try_into().unwrap();
    assert_eq!(at(&message(shop).await, "/status"), "begun");
    shop.market.cloud.report_mail(&mail, Returned::Bounced).unwrap();
    shop.market.cloud.settle().await.unwrap();
    assert_eq!(at(&message(shop).await, "/status"), "sent");
    shop.wait_minutes(30).await;
    assert_eq!(names(shop), [mail], "not once more");
    assert_eq!(at(&message(shop).await, "/status"), "sent");
}

#[tokio::test]
async fn the_addresses_of_the_carriers_own_simulator_bounce_and_complain_here_too() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    for (address, why) in
        [("bounce@simulator.amazonses.com", "bounced"), ("complaint@simulator.amazonses.com", "complained")]
    {
        shop.left_cart(&store.alma, address).await;
        shop.wait_minutes(90).await;
        assert_eq!(suppressed(shop).await[0], why);
    }
}

/// What SES would say, changed.
fn told(m: &str, message: &str, address: &str) -> Value {
    json!({
        "eventType": "Bounce",
        "bounce": {
            "feedbackId": "f-1", "bounceType": "Permanent", "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": address, "action": "failed", "status": "5.1.1"}],
            "timestamp": "2026-03-02T10:00:00.123Z",
        },
        "mail": {
            "timestamp": "2026-03-02T09:59:00.000Z", "messageId": "0100", "source": "shop@souk.example",
            "destination": [address], "tags": {"marketplace": [m], "message": [message]},
        },
    })
}

#[tokio::test]
async fn a_report_of_no_message_of_ours_or_of_another_address_changes_nothing() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    store.order().await;
    let (m, id) = (marketplace_id().to_string(), at(&message(shop).await, "/id").to_owned());
    let (nobody, other) = ("msg_00000000000000000000000099", "mkt_00000000000000000000000099");
    let mut untagged = told(&m, &id, "ines@post.example");
    untagged["mail"]["tags"] = json!({});
    let mut delivered = told(&m, &id, "ines@post.example");
    (delivered["eventType"], delivered["bounce"]) = (json!("Delivery"), json!(null));
    let mut welcome = delivered.clone();
    welcome["complaint"] = json!({
        "feedbackId": "f-2", "complaintFeedbackType": "not-spam", "timestamp": "2026-03-02T10:00:00Z",
        "complainedRecipients": [{"emailAddress": "ines@post.example"}],
    });
    let forged = [
        told(&m, nobody, "ines@post.example"),
        told(other, &id, "ines@post.example"),
        told("../..", "msg_", "ines@post.example"),
        told(&m, &id, "omar@post.example"),
        told(&m, &id, "no address\r\n"),
        untagged,
        delivered,
        welcome,
    ];
    for body in &forged {
        let answer = shop.market.cloud.invoke("notifications", batch(&[body.to_string()])).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]), "{body}");
    }
    assert!(suppressed(shop).await.is_empty());
    assert_eq!(message(shop).await["bounced_at"], json!(null));
    // What is no report at all comes again, and ends with the dead letters.
    let odd = json!({"eventType": "Bounce"}).to_string();
    let answer = shop.market.cloud.invoke("notifications", batch(&[odd])).await.unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 1);
}
