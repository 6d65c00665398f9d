//! Messages to people: who is written to, what it says, and that nothing is sent twice.

use serde_json::json;
use souk::cloud::Mail;
use tests::storefront::Storefront;
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
