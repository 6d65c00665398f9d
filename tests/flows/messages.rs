//! Messages to people: who is written to, what it says, and that nothing is sent twice.

use serde_json::json;
use souk::cloud::Mail;
use tests::storefront::{Storefront, by_card};
use tests::*;

fn mails(shop: &Shop) -> Vec<Mail> {
    shop.market.cloud.mails().unwrap()
}

#[tokio::test]
async fn a_guest_who_has_ordered_gets_one_confirmation_with_the_lines_and_the_expected_days() {
    let store = Storefront::open().await;
    let order = store.order().await;
    let mails = mails(&store.shop);
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    assert_eq!(mail.to, ["ines@post.example"]);
    assert_eq!(mail.header("Subject"), format!("Your order {order}"));
    for words in [
        "Thank you, Ines Groß. We have your order",
        "2 × mug  €20.00",
        "Delivery: €9.80",
        "Total: €57.15",
        "Expected delivery: ",
        &format!("http://127.0.0.1:8080/#/order/{order}/"),
    ] {
        assert!(mail.text().contains(words), "{words}\n{}", mail.text());
    }
    assert!(!mail.raw.contains("List-Unsubscribe"), "service has no way out");
    let list = store.shop.get("/v1/messages").await;
    let sent = &list["items"][0];
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!((at(sent, "/kind"), at(sent, "/status")), ("order_confirmed", "sent"));
    assert_eq!((at(sent, "/of"), at(sent, "/because")), ("order.placed.v1", "default"));
    let whole = store.shop.get(&format!("/v1/messages/{}", at(sent, "/id"))).await;
    assert_eq!(whole["subject"], json!(format!("Your order {order}")));
    assert!(at(&whole, "/text").contains("Total: €57.15"));
}

#[tokio::test]
async fn a_reminder_shows_the_cart_leads_back_to_it_and_its_way_out_stops_its_like() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    shop.left_cart(&store.alma, "ines@post.example").await;
    shop.wait_minutes(70).await;
    let first = mails(shop);
    let [mail] = first.as_slice() else { panic!("{} mails", first.len()) };
    for words in ["1 × mug  €10.00", "http://127.0.0.1:8080/#/cart/", "http://127.0.0.1:8080/#/unsubscribe/"]
    {
        assert!(mail.text().contains(words), "{words}\n{}", mail.text());
    }
    assert_eq!(mail.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let sent = shop.get("/v1/messages").await["items"][0].clone();
    assert_eq!((at(&sent, "/kind"), at(&sent, "/recipient")), ("cart_reminder", "guest"));
    assert!(!at(&sent, "/consent_at").is_empty(), "the consent keeps its moment (A16(1))");
    let link = mail.header("List-Unsubscribe");
    let path = link.trim_matches(['<', '>']).trim_start_matches("http://127.0.0.1:8080").to_owned();
    for _ in 0..2 {
        let stopped = shop.calls_as("").post(&path, &json!({}), "").await;
        assert_eq!(
            (stopped.status.as_u16(), stopped.text("/why")),
            (200, "unsubscribed"),
            "{}",
            stopped.body
        );
    }
    shop.wait_days(4).await;
    assert_eq!(mails(shop).len(), 1, "nothing more of its like");
    assert_eq!(shop.get("/v1/messages").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(at(&shop.get("/v1/abandoned-carts").await, "/items/0/stopped_by"), "not_wanted");
}

#[tokio::test]
async fn a_lost_answer_sends_service_once_more_with_the_same_message_id_and_a_reminder_never() {
    let store = Storefront::open().await;
    let cloud = &store.shop.market.cloud;
    cloud.trouble_mail([souk::cloud::Fate::NotHeard]);
    let cart = store.ready().await;
    store.pay(&cart, "57.15", "tok_approved").await;
    cloud.settle().await.unwrap();
    store.shop.wait_minutes(30).await;
    let ids: Vec<String> = mails(&store.shop).iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 2, "once more, and then it is known");
    assert_eq!(ids[0], ids[1]);
    assert_eq!(at(&store.shop.get("/v1/messages").await, "/items/0/status"), "sent");
}

/// The token at the end of a link of a mail.
fn token_of(mail: &souk::cloud::Mail, page: &str) -> String {
    let text = mail.text();
    let (_, after) = text.split_once(&format!("/#/{page}/")).expect("the link is there");
    after.chars().take_while(|c| !c.is_whitespace() && *c != '/').collect()
}

#[tokio::test]
async fn a_review_is_asked_for_with_a_link_per_star_and_an_answer_to_it_is_told() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    let order = store.order().await;
    shop.fulfill(&part(&order, 2)).await;
    shop.wait_days(10).await;
    let asked = mails(shop).into_iter().filter(|mail| mail.header("Subject") == "How was it?");
    let [mail] = asked.collect::<Vec<_>>().try_into().expect("one letter for the one parcel");
    assert_eq!(mail.to, ["ines@post.example"]);
    let token = token_of(&mail, "review");
    for star in 1..=5 {
        assert!(mail.text().contains(&format!("/#/review/{token}/{star}")), "{}", mail.text());
    }
    assert!(mail.header("List-Unsubscribe").contains("/v1/unsubscribe/"), "whoever wants no more says so");
    let written = shop.guest().post(&format!("/v1/review-links/{token}"), &json!({"stars": 2}), "").await;
    assert_eq!((written.status.as_u16(), written.text("/status")), (201, "published"), "{}", written.body);
    let reply = json!({"text": "We are sorry, and send another one."});
    let path = format!("/v1/reviews/{}/reply", written.text("/id"));
    shop.done(&path, &reply).await;
    shop.settle().await;
    let told = mails(shop).pop().expect("a letter");
    assert_eq!(told.header("Subject"), "birch has answered to your review");
    assert!(told.text().contains("We are sorry, and send another one."), "{}", told.text());
    // An edit of the answer is not worth a letter.
    let edit = json!({"text": "We are sorry."}).to_string();
    let edited = shop.api.send_with(http::Method::PATCH, &path, &edit, &[("if-match", "*")]).await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    shop.wait_days(10).await;
    assert_eq!(mails(shop).pop(), Some(told), "nothing more, and no reminder of what was answered");
}

#[tokio::test]
async fn whoever_waits_for_goods_gets_one_letter_when_they_are_there_again() {
    let store = Storefront::stocked(1).await;
    let shop = &store.shop;
    let ines = shop.person("ines");
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example", "locale": "de-AT"});
    ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
    let stock = format!("/v1/stock/{}", store.mug);
    shop.done(&format!("{stock}/adjust"), &json!({"by": -1, "reason": "broken"})).await;
    ines.post("/v1/stock-alerts", &json!({"offer": store.mug}), "").await.ok().unwrap();
    for _ in 0..2 {
        shop.done(&format!("{stock}/receive"), &json!({"quantity": 3})).await;
        shop.settle().await;
    }
    let [mail] = mails(shop).try_into().expect("one letter");
    // In her language: that of Austria falls back to German.
    assert_eq!(mail.header("Subject"), "mug ist wieder da");
    assert!(mail.text().contains("http://127.0.0.1:8080/#/product/prd_"), "{}", mail.text());
}

#[tokio::test]
async fn a_card_that_was_declined_before_another_one_paid_is_no_news_of_the_order() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    let cart = store.ready().await;
    // Nothing is delivered before the order is there.
    store.pay(&cart, "57.15", "tok_declined_insufficient_funds").await;
    shop.market.clock.advance(jiff::SignedDuration::from_secs(30));
    let paid = store.pay(&cart, "57.15", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    shop.settle().await;
    let list = shop.get("/v1/messages").await;
    let kinds: Vec<&str> = list["items"].as_array().unwrap().iter().map(|one| at(one, "/kind")).collect();
    assert_eq!(kinds, ["order_confirmed"]);
}

#[tokio::test]
async fn a16_3_whoever_is_erased_is_written_to_no_more_and_read_no_more() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    let ines = shop.person("ines");
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example"});
    ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
    let cart = store.ready().await;
    ines.post(&format!("/v1/carts/{cart}/claim"), &json!({}), "").await.ok().unwrap();
    let paid = ines.post(&format!("/v1/checkouts/{cart}/pay"), &by_card("57.15", "tok_approved"), "").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    shop.settle().await;
    let sent = shop.get("/v1/messages").await["items"][0].clone();
    let path = format!("/v1/messages/{}", at(&sent, "/id"));
    assert!(shop.get(&path).await["text"].as_str().unwrap().contains("57.15"));
    ines.post("/v1/customers/me/erase", &json!({}), "").await.ok().unwrap();
    shop.settle().await;
    let whole = shop.get(&path).await;
    assert_eq!((&whole["text"], &whole["subject"]), (&json!(null), &json!(null)), "{whole}");
    shop.fulfill(&part(paid.text("/order/id"), 1)).await;
    shop.settle().await;
    assert_eq!(mails(shop).len(), 1, "nobody is known whom to write to");
}
