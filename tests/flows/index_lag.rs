//! Indexes lag in every journey here: until all is quiet they show what was there before. Lists may be late; decisions
//! about money and stock never ask an index, so the other files pass with it.

use serde_json::json;
use tests::*;

#[tokio::test]
async fn a_list_is_late_and_everything_that_is_decided_is_not() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.settle().await;
    let paid = json!({"payments": [{"method": "card", "amount": eur("25.00")}]});
    let lines = json!([line(&alma, "mug", 2, "10.00")]);
    let order = at(&shop.place("A-1", lines.clone(), paid.clone()).await, "/id").to_owned();

    let listed = async |path: &str| shop.get(path).await["items"].as_array().unwrap().len();
    let own = format!("/v1/merchant-orders?merchant={alma}");
    for list in ["/v1/orders", "/v1/orders?exception=open", &own] {
        assert_eq!(listed(list).await, 0, "{list} shows what its index shows");
    }
    assert_eq!(listed("/v1/orders?channel=web&external_id=A-1").await, 1, "a name is no index");
    let again = shop.post("/v1/orders", &order_body("A-1", lines.clone(), paid)).await;
    assert_eq!((again.status.as_u16(), at(&again.body, "/id")), (200, order.as_str()), "a repeat is known");
    shop.refused("/v1/orders", &order_body("A-1", lines, json!({})), 409, "external_id_taken").await;

    shop.settle().await;
    for list in ["/v1/orders", "/v1/orders?exception=open", &own] {
        assert_eq!(listed(list).await, 1, "{list} has caught up");
    }
    shop.books_are_right().await;
}
