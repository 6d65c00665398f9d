//! The mail box at `/mail`: everything that was sent, as its readers would see it. Nothing here leaves the machine.
//!
//! Words of a mail are text; its HTML is shown in a frame that may run nothing and reach nothing.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use souk::cloud::{Cloud, Mail};

/// The pages around a mail.
const POLICY: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";
/// A mail itself: its own styles, no script, no picture but those of goods.
const MAIL: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data: http://127.0.0.1:8080; \
    base-uri 'self'; sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'";

/// Headers that are shown.
const HEAD: [&str; 7] =
    ["From", "To", "Reply-To", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"];
const SHOP: &str = "<p><a href=\"/\">To the shop</a></p>";

pub(crate) fn routes(cloud: &Cloud) -> Router {
    let [list, one, html] = [(); 3].map(|()| cloud.clone());
    Router::new()
        .route("/mail", get(move || async move { box_of(&list) }))
        .route("/mail/{name}", get(move |name: Path<String>| async move { shown(&one, &name) }))
        .route("/mail/{name}/html", get(move |name: Path<String>| async move { framed(&html, &name) }))
}

fn served(policy: &'static str, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), body).into_response()
}

fn text(plain: &str) -> String {
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(title: &str, body: &str) -> Response {
    let title = text(title);
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/shop/page.css\"></head>\
         <body><main class=\"mail\"><h1>{title}</h1>{body}</main></body></html>"
    );
    served(POLICY, page)
}

fn nothing() -> Response {
    let body = page("There is no such mail", "<p><a href=\"/mail\">To the mail box</a></p>");
    (StatusCode::NOT_FOUND, body).into_response()
}

/// The newest first.
fn box_of(cloud: &Cloud) -> Response {
    let row = |mail: &Mail| {
        let (name, subject, to) =
            (text(&mail.name), text(&mail.header("Subject")), text(&mail.to.join(", ")));
        let date = text(&mail.header("Date"));
        format!("<li><a href=\"/mail/{name}\">{subject}</a> <span class=\"hint\">to {to}, {date}</span></li>")
    };
    match cloud.mails() {
        Ok(mails) if mails.is_empty() => page("Mail box", &format!("<p>Nothing was sent yet.</p>{SHOP}")),
        Ok(mails) => {
            let rows: String = mails.iter().rev().map(row).collect();
            page("Mail box", &format!("{SHOP}<ul class=\"mails\">{rows}</ul>"))
        }
        Err(error) => page("The mail box cannot be read", &format!("<p>{}</p>", text(&error.to_string()))),
    }
}

fn found(cloud: &Cloud, name: &str) -> Option<Mail> {
    cloud.mails().ok()?.into_iter().find(|mail| mail.name == name)
}

fn shown(cloud: &Cloud, name: &str) -> Response {
    let Some(mail) = found(cloud, name) else { return nothing() };
    let head = HEAD.map(|line| {
        let value = mail.header(line);
        if value.is_empty() { String::new() } else { format!("<dt>{line}</dt><dd>{}</dd>", text(&value)) }
    });
    let body = format!(
        "<p><a href=\"/mail\">To the mail box</a></p><dl>{}</dl>\
         <iframe title=\"The mail\" src=\"/mail/{}/html\" \
         sandbox=\"allow-popups allow-popups-to-escape-sandbox\"></iframe><h2>As text</h2><pre>{}</pre>",
        head.concat(),
        text(&mail.name),
        text(&mail.text())
    );
    page(&mail.header("Subject"), &body)
}

/// Links lead to a window of their own.
fn framed(cloud: &Cloud, name: &str) -> Response {
    let Some(mail) = found(cloud, name) else { return nothing() };
    served(MAIL, mail.html().replacen("<head>", "<head><base target=\"_blank\">", 1))
}
