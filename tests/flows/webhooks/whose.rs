//! A merchant's endpoint hears of what is the merchant's own, and of nothing else.

use super::*;
use events::audience::MERCHANTS;
use std::collections::BTreeSet;

/// Two merchants with a day of everything that happens to merchants, and what several have a part in.
async fn a_busy_week(shop: &Shop, alma: &str, birch: &str) {
    let lines = json!([line(alma, "mug", 2, "10.00"), line(birch, "novel", 1, "8.00")]);
    shop.delivered_order("A-1", lines.clone()).await;
    let canceled = at(&shop.place("A-2", lines, json!({})).await, "/id").to_owned();
    shop.settle().await;
    shop.done(&format!("/v1/orders/{canceled}/cancel"), &json!({"reason": "no more"})).await;
    for merchant in [alma, birch] {
        shop.stocked(merchant, &format!("sku-{merchant}"), 5).await;
        shop.done(&format!("/v1/delivery/{merchant}/set"), &delivery_rates()).await;
        let key = json!({"name": "shop", "scopes": ["orders:read"], "merchant": merchant});
        shop.done("/v1/api-keys", &key).await;
        let granted = json!({"policy": "merchant_not_open", "subject": merchant, "reason": "a trial",
            "evidence": "by telephone", "expires_at": "2026-04-01T00:00:00Z"});
        shop.done("/v1/overrides", &granted).await;
    }
    happens(shop, "mugs").await;
    shop.wait_days(5).await;
}

#[tokio::test]
async fn a1_2_a_merchants_endpoint_hears_of_nothing_of_others() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let (of_alma, of_birch, of_all) =
        (Receiver::open().await, Receiver::open().await, Receiver::open().await);
    endpoint(&shop, &of_all, &["*"], json!({})).await;
    endpoint(&shop, &of_alma, &["*"], json!({"merchant": alma})).await;
    endpoint(&shop, &of_birch, &["*"], json!({"merchant": birch})).await;
    let before: BTreeSet<String> = told(&shop).await.into_iter().map(|event| event.id).collect();
    for quiet in [&of_alma, &of_birch, &of_all] {
        quiet.take();
    }
    a_busy_week(&shop, &alma, &birch).await;

    let told: Vec<events::Envelope> =
        told(&shop).await.into_iter().filter(|event| !before.contains(&event.id)).collect();
    let ids = |got: &[Got]| -> BTreeSet<String> {
        let id = |got: &Got| at(&serde_json::from_str(&got.text).unwrap(), "/id").to_owned();
        got.iter().map(id).collect()
    };
    let all: BTreeSet<String> = told.iter().map(|event| event.id.clone()).collect();
    let got = of_all.take();
    assert_eq!((ids(&got), got.len()), (all.clone(), all.len()), "operators hear of everything, once");
    for (own, other, receiver) in [(&alma, &birch, &of_alma), (&birch, &alma, &of_birch)] {
        let got = receiver.take();
        let want = told.iter().filter(|event| MERCHANTS.contains(&event.name.as_str()));
        let want = want.filter(|event| event.data["merchant"] == json!(own));
        let want: BTreeSet<String> = want.map(|event| event.id.clone()).collect();
        assert!(want.len() > 10, "{want:?}");
        assert_eq!((ids(&got), got.len()), (want.clone(), want.len()));
        for got in &got {
            assert!(!got.text.contains(other.as_str()), "{}", got.text);
            for secret in ["actor", "correlation", "operator", "person:", "key:"] {
                assert!(!got.text.contains(secret), "{secret}: {}", got.text);
            }
            let name = got.name();
            for internal in ["api_key.", "operator.", "member.", "override.", "order.placed", "payment."] {
                assert!(!name.starts_with(internal), "{name}");
            }
        }
    }
}

/// Everything that was ever told.
async fn told(shop: &Shop) -> Vec<events::Envelope> {
    let mut after = None;
    let mut told = Vec::new();
    loop {
        let page = shop.market.world.table.scan_outbox(after.as_ref()).await.unwrap();
        told.extend(page.items.iter().flat_map(table::outbox::Entry::envelopes));
        after = page.next;
        if after.is_none() {
            return told;
        }
    }
}

#[tokio::test]
async fn a_merchants_people_keep_its_endpoints_and_see_no_others() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    shop.key("sk_alma", &["webhooks:write"], Some(&alma)).await;
    let own = shop.calls_as("sk_alma");
    let body = json!({"address": receiver.address, "events": ["merchant_order.*"]});
    let made = own.post(ENDPOINTS, &body, "a").await;
    assert_eq!((made.status.as_u16(), made.text("/merchant")), (201, alma.as_str()));
    let (marketplaces, _) = endpoint(&shop, &receiver, &["*"], json!({})).await;
    let (others, _) = endpoint(&shop, &receiver, &["*"], json!({"merchant": birch})).await;
    let listed = own.get(ENDPOINTS).await;
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed.text("/items/0/id"), made.text("/id"));
    assert_problem(&own.get(&format!("{ENDPOINTS}?merchant={birch}")).await, 404, "not_found");
    let body = json!({"address": receiver.address, "events": ["*"], "merchant": birch});
    assert_problem(&own.post(ENDPOINTS, &body, "b").await, 404, "not_found");
    for id in [&marketplaces, &others] {
        assert_problem(&own.get(&format!("{ENDPOINTS}/{id}")).await, 404, "not_found");
        assert_problem(&own.get(&format!("{ENDPOINTS}/{id}/deliveries")).await, 404, "not_found");
        let removed = own.post(&format!("{ENDPOINTS}/{id}/remove"), &json!({}), &format!("r{id}")).await;
        assert_problem(&removed, 404, "not_found");
    }
    happens(&shop, "mugs").await;
    let of_marketplace = log(&shop, &marketplaces, "").await;
    let path = format!("/v1/webhook-deliveries/{}", at(&of_marketplace[0], "/id"));
    assert_problem(&own.get(&path).await, 404, "not_found");
    assert_problem(&own.post(&format!("{path}/replay"), &json!({}), "c").await, 404, "not_found");
    let neighbor = shop.neighbor().await;
    assert_problem(&neighbor.get(&path).await, 404, "not_found");
    assert_problem(&neighbor.get(&format!("{ENDPOINTS}/{others}")).await, 404, "not_found");
}

#[tokio::test]
async fn a_neighbors_events_reach_nobody_here() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let neighbor = shop.neighbor().await;
    endpoint(&shop, &receiver, &["*"], json!({})).await;
    receiver.take();
    let category = json!({"handle": "mugs", "name": "Mugs"});
    assert_eq!(neighbor.post("/v1/categories", &category, "a").await.status.as_u16(), 201);
    shop.settle().await;
    assert_eq!(receiver.names(), Vec::<String>::new());
}
