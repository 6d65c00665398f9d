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
