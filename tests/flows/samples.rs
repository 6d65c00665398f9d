//! The sample marketplace of the first look: it opens once, and it sells.

use jiff::SignedDuration;
use serde_json::json;
use souk::Market;
use souk::cloud::Pace;
use souk::demo::{OPERATOR, marketplace_id, seed};
use tests::*;

#[tokio::test]
async fn the_sample_marketplace_opens_once_and_sells() {
    let market = Market::in_memory(moment(START), Pace::Ordered).await.unwrap();
    assert!(seed(&market, SECRET).await.unwrap());
    assert!(!seed(&market, SECRET).await.unwrap(), "it is there already");
    let shop = Shop::in_market(market);
    shop.settle().await;
    assert_eq!(shop.get("/v1/marketplace").await["id"], json!(marketplace_id()));
    let merchants = shop.get("/v1/merchants").await;
    let mut names: Vec<_> = merchants["items"].as_array().unwrap().iter().collect();
    names.sort_by_key(|merchant| at(merchant, "/external_id"));
    let names: Vec<_> =
        names.iter().map(|merchant| (at(merchant, "/external_id"), at(merchant, "/status"))).collect();
    assert_eq!(names, ["alma", "birch", "cedar", "dune", "ember"].map(|name| (name, "open")));

    let alma = at(&shop.get("/v1/merchants?external_id=alma").await, "/items/0/id").to_owned();
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.wait_until("2026-03-17T01:00:00Z").await;
    let payouts = shop.payouts(&alma).await;
    assert_eq!((payouts.len(), eur_at(&payouts[0], "/amount")), (1, "8.80".into()));
    shop.books_are_right().await;

    // Tuesday 02:00 in Berlin: begun on that day, handed over on Wednesday, then 1 to 3 working days.
    let options = shop.get(&format!("/v1/delivery/{alma}/options?country=DE&value=49.99")).await;
    let options = options["options"].as_array().unwrap().iter();
    let options =
        options.map(|option| (at(option, "/service"), eur_at(option, "/price"), at(option, "/latest")));
    assert_eq!(
        options.collect::<Vec<_>>(),
        [("standard", "4.90".into(), "2026-03-23"), ("express", "9.90".into(), "2026-03-19")]
    );
    assert_eq!(eur_at(&shop.get("/v1/tax/quote?country=DE&amount=11.90").await, "/tax"), "1.90");

    // The operator signs in with a development token.
    let token = shop.market.issuer.token(OPERATOR, SignedDuration::from_hours(1)).unwrap();
    assert_eq!(shop.calls_as(token).get(&format!("/v1/orders/{order}")).await.status, 200);
}
