//! The page at `/`: a shop to click through, as a client of the API that knows no more than others do. Its files are
//! plain and lie in `page/`; nothing builds them.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;
use souk::demo::STOREFRONT;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const FILES: [(&str, &str, &str); 11] = [
    ("/shop/page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("/shop/main.js", SCRIPT, include_str!("page/main.js")),
    ("/shop/api.js", SCRIPT, include_str!("page/api.js")),
    ("/shop/dom.js", SCRIPT, include_str!("page/dom.js")),
    ("/shop/goods.js", SCRIPT, include_str!("page/goods.js")),
    ("/shop/basket.js", SCRIPT, include_str!("page/basket.js")),
    ("/shop/checkout.js", SCRIPT, include_str!("page/checkout.js")),
    ("/shop/order.js", SCRIPT, include_str!("page/order.js")),
    ("/shop/pictures.js", SCRIPT, include_str!("page/pictures.js")),
    ("/shop/reviews.js", SCRIPT, include_str!("page/reviews.js")),
    ("/shop/wishes.js", SCRIPT, include_str!("page/wishes.js")),
];

/// Nothing from elsewhere but pictures and films, nothing inline, no text that becomes markup, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self' http://127.0.0.1:8081; img-src data: http://127.0.0.1:8080; \
    media-src http://127.0.0.1:8080; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

pub(crate) fn routes() -> Router {
    let page = include_str!("page/index.html").replace("STOREFRONT_KEY", STOREFRONT);
    let shown = move || async move { served("text/html; charset=utf-8", page) };
    FILES.into_iter().fold(Router::new().route("/", get(shown)), |routes, (path, kind, text)| {
        routes.route(path, get(move || async move { served(kind, text) }))
    })
}

fn served(kind: &'static str, text: impl IntoResponse) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The next build may have another.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), text)
}
