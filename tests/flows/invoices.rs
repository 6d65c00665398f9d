//! Invoices as documents: their numbers, files, lists and statements, and who may see them.

use axum::Router;
use domain::Money;
use domain::id::InvoiceId;
use domain::invoice::{Cause, Invoice, Kind, Line, Number, Stage, What};
use domain::period::Period;
use domain::tax::Reason;
use serde_json::{Value, json};
use souk::api::Api;
use tests::subscribing::*;
use tests::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn set_issuer(shop: &Shop, name: &str) {
    let body = json!({
        "name": name, "lines": ["Uferstraße 12", "20095 Hamburg"], "country": "DE", "tax_id": "DE123456788",
    });
    assert_eq!(at(&shop.done("/v1/invoices/set-issuer", &body).await, "/name"), name);
}

/// Numbers of a subscription's documents, the first first.
async fn numbers(by: &Api, subscription: &str) -> Vec<String> {
    let listed = by.get(&format!("/v1/invoices?subscription={subscription}")).await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    let items = listed.body["items"].as_array().unwrap();
    items.iter().rev().map(|item| at(item, "/number").to_owned()).collect()
}

/// What lies at the address that an answer names, fetched as a browser does.
async fn fetched(shop: &Shop, by: &Api, id: &str) -> Vec<u8> {
    let answer = by.get(&format!("/v1/invoices/{id}/pdf")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let host = "127.0.0.1:8081";
    let path = answer.text("/url").strip_prefix(&format!("http://{host}")).unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cloud = shop.market.cloud.clone();
    let served = tokio::spawn(async move { cloud.serve_aws(listener, Router::new()).await });
    let mut browser = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    browser.read_to_end(&mut said).await.unwrap();
    served.abort();
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&said[..end]).to_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/pdf"), "{head}");
    said[end + 4..].to_vec()
}

/// A further document of a subscription, put into the table.
async fn kept(market: &Subscriptions, subscription: &str, number: u32, lines: usize) -> Invoice {
    let eur = |minor| Money { minor, currency: "EUR".parse().unwrap() };
    let period = Period { from: moment("2026-03-01T00:00:00Z"), until: moment("2026-04-01T00:00:00Z") };
    let line = |n: usize| Line {
        what: What::Charge,
        plan: market.plan("ten").parse().unwrap(),
        quantity: u32::try_from(n).unwrap(),
        period,
        base: eur(1_00),
        tax: eur(19),
        percent: 19.into(),
        reason: Reason::Standard,
    };
    let subscription = subscription.parse().unwrap();
    let invoice = Invoice {
        id: InvoiceId::of(&subscription, number),
        subscription,
        customer: market.customer.parse().unwrap(),
        kind: Kind::Invoice,
        cause: Cause::Renewal,
        period,
        lines: (1..=lines).map(line).collect(),
        credit: eur(0),
        opened_at: period.from,
        bill_to: None,
        corrects: None,
        number: (lines > 1).then_some(Number { year: 2025, sequence: number }),
        stage: Stage::Open,
    };
    market.shop.keep(&invoice).await;
    invoice
}

#[tokio::test]
async fn invoices_and_credit_notes_are_numbered_in_one_series_and_a_new_year_begins_with_1() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("twenty", "tok_approved").await;
    market.shop.wait_minutes(31 * 12 * 60).await;
    market.act(&id, "change", json!({"plan": market.plan("ten")})).await;
    market.shop.wait_days(31).await;
    assert_eq!(numbers(&market.ines, &id).await, ["2026-000001", "2026-000002", "2026-000003"]);
    let documents = market.documents(&id).await;
    let note = market.ines.get(&format!("/v1/invoices/{}", documents[1].id)).await;
    assert_eq!((note.text("/kind"), note.text("/number")), ("credit_note", "2026-000002"));
    assert_eq!(note.text("/corrects"), documents[0].id.as_str());
    let first = market.ines.get(&format!("/v1/invoices/{}", documents[0].id)).await;
    assert_eq!((first.text("/status"), &first.body["corrects"]), ("paid", &Value::Null));
    let by_number = async |by: &Api, number: &str| {
        let found = by.get(&format!("/v1/invoices?number={number}")).await;
        let items = found.body["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| at(item, "/id").to_owned()).collect::<Vec<_>>()
    };
    let (omar, _) = sign_up(&market.shop, "omar").await;
    assert_eq!(by_number(&market.shop.api, "2026-000002").await, [documents[1].id.as_str()]);
    assert_eq!(by_number(&market.ines, "2026-000002").await, [documents[1].id.as_str()]);
    assert_eq!(by_number(&omar, "2026-000002").await, [""; 0]);
    assert_eq!(by_number(&market.shop.api, "2026-000004").await, [""; 0]);
    assert_problem(&market.ines.get("/v1/invoices?number=2").await, 422, "invalid_value");
    let all = market.shop.get("/v1/invoices?limit=2").await;
    let told = |items: &Value| {
        items.as_array().unwrap().iter().map(|one| at(one, "/number").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(&all["items"]), ["2026-000003", "2026-000002"]);
    let rest = market.shop.get(&format!("/v1/invoices?limit=2&cursor={}", at(&all, "/next"))).await;
    assert_eq!(told(&rest["items"]), ["2026-000001"]);
    market.shop.wait_until("2027-01-02T09:05:00Z").await;
    let given = numbers(&market.ines, &id).await;
    assert_eq!(given.len(), 12, "{given:?}");
    assert_eq!(given[10..], ["2026-000011", "2027-000001"]);
    market.books_are_right().await;
}

/// Write units (in hundredths) of the table since the last look: on the own way of what was asked, and
/// of this one.
fn spent(shop: &Shop) -> (u64, u64) {
    let lines = shop.market.cloud.meter().take();
    let sum = |of: &dyn Fn(&str) -> bool| {
        lines.iter().filter(|line| of(&line.label)).map(|line| line.write_units).sum::<u64>()
    };
    (sum(&|label| !BESIDE.contains(&label)), sum(&|label| label == "invoices"))
}

#[tokio::test]
async fn a_renewal_with_its_number_takes_twenty_write_units_at_most() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    market.shop.wait_until("2026-04-02T08:59:00Z").await;
    let _before = spent(&market.shop);
    market.shop.wait_until("2026-04-02T09:04:00Z").await;
    assert_eq!(numbers(&market.ines, &id).await, ["2026-000001", "2026-000002"]);
    // 16 for the renewal; for its number the series, the document, and the list of numbers.
    assert_eq!(spent(&market.shop), (19_00, 3_00));
}

#[tokio::test]
async fn a_file_is_made_once_and_is_the_same_for_ever() {
    let market = Subscriptions::open().await;
    let shop = &market.shop;
    let id = market.subscribe("ten", "tok_approved").await;
    let invoice = market.documents(&id).await[0].id.to_string();
    let path = format!("/v1/invoices/{invoice}/pdf");
    assert_problem(&market.ines.get(&path).await, 409, "no_invoice_issuer");
    set_issuer(shop, "Corner Market GmbH").await;
    let (first, second) =
        tokio::join!(fetched(shop, &market.ines, &invoice), fetched(shop, &shop.api, &invoice));
    assert!(first.starts_with(b"%PDF-1.7") && first.ends_with(b"%%EOF"), "{} bytes", first.len());
    assert_eq!(first, second);
    set_issuer(shop, "Another GmbH").await;
    shop.wait_days(40).await;
    assert_eq!(fetched(shop, &market.ines, &invoice).await, first);
    let next = market.documents(&id).await[1].id.to_string();
    assert_ne!(fetched(shop, &market.ines, &next).await, first);

    let numberless = kept(&market, &id, 901, 1).await.id;
    let early = market.ines.get(&format!("/v1/invoices/{numberless}/pdf")).await;
    assert_problem(&early, 409, "invoice_not_numbered");
    assert!(early.text("/detail").contains("ask again"), "{}", early.body);
    let long = kept(&market, &id, 902, 300).await.id.to_string();
    let long = fetched(shop, &market.ines, &long).await;
    assert!(long.starts_with(b"%PDF-1.7") && long.len() > first.len(), "{} bytes", long.len());
}

#[tokio::test]
async fn anothers_documents_are_not_there() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    let invoice = market.documents(&id).await[0].id.clone();
    let (omar, _) = sign_up(&market.shop, "omar").await;
    let (customer, days) = (&market.customer, "from_day=2026-03-01&to_day=2026-03-31");
    for path in [
        format!("/v1/invoices/{invoice}"),
        format!("/v1/invoices/{invoice}/pdf"),
        format!("/v1/invoices?subscription={id}"),
        format!("/v1/invoices?customer={customer}"),
        format!("/v1/invoices/statement?customer={customer}&{days}"),
        "/v1/invoices/inv_00000000000000000000000000000001".to_owned(),
        "/v1/invoices/nonsense".to_owned(),
    ] {
        assert_problem(&omar.get(&path).await, 404, "not_found");
    }
    assert_eq!(omar.get("/v1/invoices").await.body["items"], json!([]));
    let issuer = omar.get("/v1/invoices/issuer").await;
    assert_problem(&issuer, 403, "forbidden");
    for by in [&market.ines, &market.shop.api] {
        let listed = by.get(&format!("/v1/invoices?customer={customer}")).await;
        assert_eq!(listed.body["items"].as_array().unwrap().len(), 1, "{}", listed.body);
    }
    assert_problem(&market.shop.guest().get("/v1/invoices").await, 403, "forbidden");
}

/// Opening, entries (what, amount, balance), closing.
async fn statement(by: &Api, of: &str) -> (String, Vec<(String, String, String)>, String) {
    let shown = by.get(&format!("/v1/invoices/statement?{of}")).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let accounts = shown.body["accounts"].as_array().unwrap();
    let Some(account) = accounts.first() else { return ("0.00".into(), Vec::new(), "0.00".into()) };
    assert_eq!(accounts.len(), 1, "{}", shown.body);
    let entry =
        |entry: &Value| (at(entry, "/what").to_owned(), eur_at(entry, "/amount"), eur_at(entry, "/balance"));
    let entries = account["entries"].as_array().unwrap().iter().map(entry).collect();
    (eur_at(account, "/opening"), entries, eur_at(account, "/closing"))
}

#[tokio::test]
async fn a_statement_is_opening_and_lines_and_closing_and_what_the_ledger_says() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("twenty", "tok_approved").await;
    market.shop.wait_minutes(31 * 12 * 60).await;
    market.act(&id, "change", json!({"plan": market.plan("ten")})).await;
    let entry =
        |what: &str, amount: &str, balance: &str| (what.to_owned(), amount.to_owned(), balance.to_owned());
    let march = statement(&market.ines, "from_day=2026-03-01&to_day=2026-03-31").await;
    let want = vec![
        entry("invoice", "20.00", "20.00"),
        entry("payment", "-20.00", "0.00"),
        entry("credit_note", "-5.00", "-5.00"),
    ];
    assert_eq!(march, ("0.00".to_owned(), want, "-5.00".to_owned()));
    assert_eq!(market.shop.accounts().await.get("subscription_credit").map(String::as_str), Some("-5.00"));

    let (omar, customer) = sign_up(&market.shop, "omar").await;
    let failing = market.body("ten", "tok_away_fails_9_insufficient_funds");
    assert_eq!(omar.post("/v1/subscriptions", &failing, "").await.status, 201);
    market.shop.wait_days(32).await;
    let own = format!("customer={}&from_day=2026-04-01&to_day=2027-04-01", market.customer);
    let april = statement(&market.shop.api, &own).await;
    let want = vec![entry("invoice", "10.00", "5.00"), entry("payment", "-5.00", "0.00")];
    assert_eq!(april, ("-5.00".to_owned(), want, "0.00".to_owned()));
    let of_omar = format!("customer={customer}&from_day=2026-04-01&to_day=2026-12-31");
    let want = [entry("invoice", "10.00", "10.00")];
    let (opening, entries, closing) = statement(&market.shop.api, &of_omar).await;
    assert_eq!(
        (opening.as_str(), &entries[entries.len() - 1..], closing.as_str()),
        ("0.00", &want[..], "10.00")
    );
    let accounts = market.shop.accounts().await;
    assert_eq!(accounts.get("receivable").map(String::as_str), Some("10.00"), "{accounts:?}");
    assert!(!accounts.contains_key("subscription_credit"), "{accounts:?}");
    let empty = statement(&market.ines, "from_day=2025-01-01&to_day=2025-12-31").await;
    assert_eq!(empty.1.len(), 0);
    market.books_are_right().await;
}

#[tokio::test]
async fn a_statement_of_no_days_and_an_issuer_of_nobody_are_refused_with_what_is_wrong() {
    let market = Subscriptions::open().await;
    let customer = &market.customer;
    let wrong = |answer: &souk::api::Answer| -> Vec<String> {
        let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| at(error, "/field").to_owned()).collect()
    };
    for (days, fields) in [
        ("from_day=2026-03-01", vec!["to_day"]),
        ("from_day=today&to_day=2026-02-30", vec!["from_day", "to_day"]),
        ("from_day=2026-03-02&to_day=2026-03-01", vec!["to_day"]),
        ("from_day=2026-03-01&to_day=2027-03-04", vec!["to_day"]),
        ("from_day=9999-12-31&to_day=99999-12-31", vec!["to_day"]),
    ] {
        let answer = market.ines.get(&format!("/v1/invoices/statement?{days}")).await;
        assert_problem(&answer, 422, "invalid_value");
        let told = wrong(&answer).join(" ");
        assert!(fields.iter().all(|field| told.contains(field)), "{days}: {}", answer.body);
    }
    let whose = market.shop.api.get("/v1/invoices/statement?from_day=2026-03-01&to_day=2026-03-01").await;
    assert_problem(&whose, 422, "invalid_value");
    let both = format!("/v1/invoices?customer={customer}&subscription=sub_00000000000000000000000001");
    assert_problem(&market.shop.api.get(&both).await, 422, "invalid_value");

    assert_problem(&market.shop.api.get("/v1/invoices/issuer").await, 404, "not_found");
    let good = json!({"name": "Corner", "lines": ["Uferstraße 12"], "country": "DE"});
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(300))),
        ("lines", json!([])),
        ("lines", json!(vec!["one"; 7])),
        ("lines", json!([""])),
        ("country", json!("XX")),
        ("tax_id", json!("")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = market.shop.post("/v1/invoices/set-issuer", &body).await;
        assert_problem(&answer, 422, "invalid_value");
        assert!(wrong(&answer).join(" ").contains(field), "{}", answer.body);
    }
    assert_problem(&market.ines.post("/v1/invoices/set-issuer", &good, "").await, 403, "forbidden");
    market.shop.done("/v1/invoices/set-issuer", &good).await;
    assert_eq!(at(&market.shop.get("/v1/invoices/issuer").await, "/name"), "Corner");
}
