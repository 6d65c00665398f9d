//! Operators' own texts of messages: tried out, saved, in force at once, and given back.

use serde_json::{Value, json};
use tests::storefront::Storefront;
use tests::*;

/// A text of three parts with this subject.
fn text(subject: &str) -> Value {
    let mjml = "<mjml><mj-body><mj-section><mj-column><mj-text>{% for line in lines %}{{ line.title }}{% endfor %}\
                </mj-text></mj-column></mj-section></mj-body></mjml>";
    json!({"subject": subject, "mjml": mjml, "text": "{{ number }}"})
}

#[tokio::test]
async fn an_operators_text_is_in_force_once_it_is_saved_and_the_platforms_again_after_a_reset() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    let own = "/v1/message-templates/order_confirmed/en";
    let tried = shop.done(&format!("{own}/check"), &text("{{ shop }}: {{ number }}")).await;
    assert!(at(&tried, "/subject").starts_with("Corner Market: "), "{tried}");
    assert_eq!(shop.get(own).await["version"], 0, "to try changes nothing");
    shop.done(&format!("{own}/save"), &text("{{ shop }}: {{ number }}")).await;
    assert_eq!(shop.get(own).await["version"], 1);
    let order = store.order().await;
    let subjects = || -> Vec<String> {
        shop.market.cloud.mails().unwrap().iter().map(|mail| mail.header("Subject")).collect()
    };
    let [first] = subjects().try_into().unwrap();
    assert!(first.ends_with(&format!(": {order}")), "{first}");
    shop.done(&format!("{own}/reset"), &json!({})).await;
    let order = store.order().await;
    assert_eq!(subjects()[1], format!("Your order {order}"));
}

#[tokio::test]
async fn a_text_that_names_what_no_message_knows_is_refused_with_the_name() {
    let shop = Shop::open().await;
    let path = "/v1/message-templates/order_confirmed/en/save";
    let refused = shop.api.post(path, &text("Your order {{ nmuber }}"), "slip").await;
    assert_problem(&refused, 422, "invalid_value");
    let error = &refused.body["errors"][0];
    assert_eq!(
        (at(error, "/field"), at(error, "/message")),
        ("subject", "it names `nmuber`, which no message knows")
    );
    assert_eq!(shop.get("/v1/message-templates/order_confirmed/en").await["version"], 0);
}

#[tokio::test]
async fn an_operator_may_begin_with_the_platforms_own_text_of_every_kind_in_every_language() {
    let shop = Shop::open().await;
    for kind in domain::message::Kind::ALL.map(domain::message::Kind::word) {
        for locale in ["en", "de"] {
            let path = format!("/v1/message-templates/{kind}/{locale}");
            let own = shop.get(&path).await;
            let source = json!({"subject": own["subject"], "mjml": own["mjml"], "text": own["text"]});
            let shown = shop.done(&format!("{path}/check"), &source).await;
            let subject = at(&shown, "/subject");
            assert!(!subject.is_empty() && !subject.contains(['{', '}']), "{kind} {locale}: {subject}");
        }
    }
}
