//! The HTTP API: what a function is given and what becomes of its answer.

use super::*;
use axum::body::Bytes;
use http::{Request, Response};

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
    let builder = Request::builder().method(method).uri(path);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    builder.body(Bytes::from(body.to_owned())).unwrap()
}

fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_request_becomes_the_event_of_format_two() {
    let cloud = in_memory().await;
    let seen = Seen::default();
    let answer = json!({
        "statusCode": 201, "headers": { "etag": "\"1\"", "content-type": "application/json" },
        "body": "{\"ok\":true}", "cookies": ["a=1", "b=2"], "isBase64Encoded": false,
    });
    cloud.register("orders", seen.events(answer));
    let headers =
        [("Content-Type", "application/json"), ("Cookie", "x=1; y=2"), ("X-Twice", "a"), ("X-Twice", "b")];
    let path = "/v1/orders/a%2Fb?tag=1&tag=2&q=a+b%21";
    let response = cloud.http(request("GET", path, &headers, r#"{"a":1}"#)).await;
    assert_eq!((response.status().as_u16(), body(&response)), (201, json!({ "ok": true })));
    assert_eq!(header(&response, "etag"), Some("\"1\""));
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);

    let mut event = seen.all().remove(0);
    assert!(event["requestContext"]["requestId"].take().is_string());
    let expected = json!({
        "version": "2.0",
        "routeKey": "GET /v1/orders/{id}",
        "rawPath": "/v1/orders/a%2Fb",
        "rawQueryString": "tag=1&tag=2&q=a+b%21",
        "cookies": ["x=1", "y=2"],
        "headers": { "content-type": "application/json", "x-twice": "a,b" },
        "queryStringParameters": { "tag": "1,2", "q": "a b!" },
        "pathParameters": { "id": "a/b" },
        "requestContext": {
            "accountId": "000000000000", "apiId": "souk", "domainPrefix": "souk",
            "domainName": "souk.execute-api.us-east-1.amazonaws.com",
            "http": {
                "method": "GET", "path": "/v1/orders/a%2Fb", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": "",
            },
            "requestId": null, "routeKey": "GET /v1/orders/{id}", "stage": "$default",
            "time": "23/Nov/2026:05:00:00 +0000", "timeEpoch": 1_795_410_000_000_i64,
        },
        "body": "{\"a\":1}",
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn paths_without_a_route_of_their_own_go_to_the_default() {
    let cloud = in_memory().await;
    let seen = Seen::default();
    cloud.register("orders", seen.events(json!({ "statusCode": 204 })));
    for (method, path) in [("POST", "/v1/orders/7/lines"), ("DELETE", "/v1/orders/7"), ("GET", "/nowhere")] {
        assert_eq!(cloud.http(request(method, path, &[], "")).await.status(), 204);
    }
    let keys: Vec<_> = seen.all().iter().map(|event| event["routeKey"].clone()).collect();
    assert_eq!(keys, ["ANY /v1/orders/{proxy+}", "ANY /v1/orders/{proxy+}", "$default"]);
}

#[tokio::test]
async fn what_goes_wrong_in_a_function_is_a_plain_500() {
    let cloud = in_memory().await;
    for broken in [
        handler(|_| Err("boom".to_owned())),
        handler(|_| panic!("a bug")),
        handler(|_| Ok(json!({ "statusCode": "many" }))),
    ] {
        cloud.register("orders", broken);
        let response = cloud.http(request("GET", "/", &[], "")).await;
        assert_eq!(response.status(), 500);
        assert_eq!(body(&response), json!({ "message": "Internal Server Error" }));
    }
}

#[tokio::test]
async fn a_body_that_is_no_text_comes_in_base_64_and_a_large_one_not_at_all() {
    let cloud = in_memory().await;
    let seen = Seen::default();
    cloud.register(
        "orders",
        seen.events(json!({ "statusCode": 200, "body": "aGk=", "isBase64Encoded": true })),
    );
    let kind = [("content-type", "application/octet-stream")];
    let response = cloud.http(request("POST", "/v1/orders/x/y", &kind, "hi")).await;
    assert_eq!(response.body(), "hi");
    assert_eq!((&seen.all()[0]["body"], &seen.all()[0]["isBase64Encoded"]), (&json!("aGk="), &json!(true)));
    let response = cloud.http(request("POST", "/", &[], &"x".repeat(10 * 1_024 * 1_024 + 1))).await;
    assert_eq!((response.status().as_u16(), body(&response)["code"].clone()), (413, json!("body_too_large")));
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn the_gateway_answers_preflights_and_shares_with_allowed_origins_only() {
    let cloud = in_memory().await;
    let seen = Seen::default();
    let answer = json!({ "statusCode": 200, "headers": { "access-control-allow-origin": "*" } });
    cloud.register("orders", seen.events(answer));
    let shop = [("origin", "https://shop.example"), ("access-control-request-method", "POST")];
    let response = cloud.http(request("OPTIONS", "/v1/orders/1", &shop, "")).await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(header(&response, "access-control-allow-methods"), Some("GET,POST"));
    assert_eq!(header(&response, "access-control-max-age"), Some("600"));
    assert_eq!(seen.len(), 0);
    let response = cloud.http(request("GET", "/", &shop, "")).await;
    assert_eq!(header(&response, "access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(header(&response, "access-control-expose-headers"), Some("etag"));
    let response = cloud.http(request("GET", "/", &[("origin", "https://evil.example")], "")).await;
    assert_eq!(header(&response, "access-control-allow-origin"), None);
}
