//! Real connections to this machine, names that resolve to whatever a test says, and receivers that misbehave.

use super::*;
use domain::id::WebhookEndpointId;
use domain::webhook::{Stage, Verdict};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn at() -> Timestamp {
    Timestamp::from_second(1_780_000_000).unwrap()
}

fn endpoint(address: &str) -> Endpoint {
    Endpoint {
        id: WebhookEndpointId::from_bits(1),
        merchant: None,
        address: address.to_owned(),
        description: None,
        events: Vec::new(),
        stage: Stage::Active,
        secret: "whsec_c2VjcmV0".to_owned(),
        earlier: None,
        failing_since: None,
        created_at: at(),
    }
}

async fn call(receivers: &Receivers, address: &str) -> Heard {
    let endpoint = endpoint(address);
    let delivery = Delivery::new(&endpoint, "ord_1.2", "order.paid.v1", "{}".to_owned(), at());
    receivers.call(at(), &endpoint, &delivery).await
}

/// A name resolves to these, one after the other; how often it was asked.
fn resolving(to: &[&str]) -> (LookUp, Arc<AtomicUsize>) {
    let to: Vec<IpAddr> = to.iter().map(|ip| ip.parse().unwrap()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let look_up: LookUp = Arc::new(move |_| {
        let at = count.fetch_add(1, Ordering::SeqCst);
        let ip = to[at.min(to.len() - 1)];
        Box::pin(async move { Ok(vec![ip]) })
    });
    (look_up, asked)
}

/// A receiver at an address of this machine that answers each connection with these bytes; what it was sent.
async fn receiver(ip: &str, port: u16, answer: String) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((ip, port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&got);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 65_536];
            let read = socket.read(&mut bytes).await.unwrap();
            heard.lock().unwrap().push(String::from_utf8_lossy(&bytes[..read]).into_owned());
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, got)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn code(heard: &Heard) -> Option<u16> {
    match heard.call.answer {
        Answer::Status { code, .. } => Some(code),
        Answer::None(_) => None,
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_an_address_within_a_house_is_not_called() {
    for ip in [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "198.51.100.1",
        "255.255.255.255",
        "::1",
        "::ffff:127.0.0.1",
        "fd00::1",
        "fe80::1",
        "64:ff9b::a00:1",
    ] {
        let (look_up, asked) = resolving(&[ip]);
        let heard = call(&Receivers::resolving(Net::Public, look_up), "https://hooks.example/").await;
        assert_eq!(heard.call.answer, Answer::None(Trouble::AddressRefused), "{ip}");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_name_with_one_forbidden_address_is_refused_as_a_whole() {
    let look_up: LookUp =
        Arc::new(|_| Box::pin(async { Ok(vec!["8.8.8.8".parse().unwrap(), "10.0.0.1".parse().unwrap()]) }));
    let heard = call(&Receivers::resolving(Net::Public, look_up), "https://hooks.example/").await;
    assert_eq!(heard.call.answer, Answer::None(Trouble::AddressRefused));
}

#[tokio::test]
async fn the_address_that_was_judged_is_the_one_that_is_called() {
    let (port, first) = receiver("127.0.0.1", 0, answer("204 No Content", "", "")).await;
    let (_, second) = receiver("127.0.0.2", port, answer("204 No Content", "", "")).await;
    // The second answer of the same name would lead elsewhere.
    let (look_up, asked) = resolving(&["127.0.0.1", "127.0.0.2"]);
    let receivers = Receivers::resolving(Net::Local, look_up);
    let heard = call(&receivers, &format!("http://localhost:{port}/hooks")).await;
    assert_eq!(code(&heard), Some(204));
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a name is resolved once for a call");
    assert_eq!((first.lock().unwrap().len(), second.lock().unwrap().len()), (1, 0));
    // A rebound name is judged anew with the next call.
    let (look_up, _) = resolving(&["127.0.0.1", "10.0.0.1"]);
    let receivers = Receivers::resolving(Net::Local, look_up);
    assert_eq!(code(&call(&receivers, &format!("http://localhost:{port}/")).await), Some(204));
    let heard = call(&receivers, &format!("http://localhost:{port}/")).await;
    assert_eq!(heard.call.answer, Answer::None(Trouble::AddressRefused));
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let (inner, got) = receiver("127.0.0.1", 0, answer("200 OK", "", "secret")).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let to = format!("location: http://127.0.0.1:{inner}/latest/meta-data\r\n");
        let (port, _) = receiver("127.0.0.1", 0, answer(status, &to, "")).await;
        let receivers = Receivers::resolving(Net::Local, by_the_system());
        let heard = call(&receivers, &format!("http://127.0.0.1:{port}/")).await;
        assert_eq!(heard.call.answer.verdict(), Verdict::Not, "{status}");
        assert_eq!(code(&heard), status[..3].parse().ok());
    }
    assert_eq!(got.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn an_address_that_was_kept_under_older_rules_is_judged_again() {
    let (look_up, asked) = resolving(&["8.8.8.8"]);
    let receivers = Receivers::resolving(Net::Public, look_up);
    for address in ["http://hooks.example/", "https://10.0.0.1/", "https://me@hooks.example/", "nonsense"] {
        let heard = call(&receivers, address).await;
        assert_eq!(heard.call.answer, Answer::None(Trouble::AddressRefused), "{address}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_kilobyte_of_the_answer_is_kept_however_long_it_is() {
    let (port, got) = receiver("127.0.0.1", 0, answer("500 Oh", "", &"é".repeat(100_000))).await;
    let receivers = Receivers::resolving(Net::Local, by_the_system());
    let heard = call(&receivers, &format!("http://127.0.0.1:{port}/")).await;
    let Answer::Status { code: 500, body } = heard.call.answer else { panic!("{heard:?}") };
    assert_eq!(body, "é".repeat(512));
    let sent = got.lock().unwrap()[0].to_lowercase();
    assert!(sent.starts_with("post / http/1.1\r\n") && sent.ends_with("\r\n\r\n{}"));
    for header in
        ["webhook-id: whd_", "webhook-timestamp: ", "webhook-signature: v1,", "user-agent: souk-webhooks/1"]
    {
        assert!(sent.contains(header), "{header}");
    }
    assert!(!sent.contains("authorization") && !sent.contains("cookie"));
}

#[tokio::test]
async fn what_a_receiver_asks_for_is_read_as_seconds_or_a_date() {
    let later = Clock::System.now() + SignedDuration::from_hours(1);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&later).unwrap();
    for (given, fits) in [("120", 120..=120), (date.as_str(), 3_590..=3_600)] {
        let header = format!("retry-after: {given}\r\n");
        let (port, _) = receiver("127.0.0.1", 0, answer("503 Busy", &header, "")).await;
        let receivers = Receivers::resolving(Net::Local, by_the_system());
        let heard = call(&receivers, &format!("http://127.0.0.1:{port}/")).await;
        assert!(fits.contains(&heard.retry_after.unwrap().as_secs()), "{given}: {heard:?}");
    }
    for odd in ["soon", "-5", "99999999999999999999", ""] {
        let header = format!("retry-after: {odd}\r\n");
        let (port, _) = receiver("127.0.0.1", 0, answer("503 Busy", &header, "")).await;
        let receivers = Receivers::resolving(Net::Local, by_the_system());
        let heard = call(&receivers, &format!("http://127.0.0.1:{port}/")).await;
        assert_eq!((code(&heard), heard.retry_after), (Some(503), None), "{odd}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_answer_are_two_troubles() {
    let receivers = Receivers::resolving(Net::Local, by_the_system());
    let (port, _) = receiver("127.0.0.1", 0, String::new()).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let heard = call(&receivers, &format!("http://127.0.0.1:{free}/")).await;
    assert_eq!(heard.call.answer, Answer::None(Trouble::NoConnection));
    let heard = call(&receivers, &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(heard.call.answer, Answer::None(Trouble::NoAnswer));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_has_not_taken_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let receivers = Receivers::resolving(Net::Local, by_the_system());
    assert_eq!(receivers.patience, Duration::from_secs(10));
    let hasty = Receivers { patience: Duration::from_millis(20), ..receivers };
    let heard = call(&hasty, &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(heard.call.answer, Answer::None(Trouble::TimedOut));
    drop(listener);
}

#[tokio::test]
async fn a_status_counts_also_where_its_body_does_not_end() {
    let endless = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nthanks".to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let held = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _read = socket.read(&mut [0; 65_536]).await.unwrap();
        socket.write_all(endless.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let receivers = Receivers::resolving(Net::Local, by_the_system());
    let hasty = Receivers { patience: Duration::from_millis(200), ..receivers };
    let heard = call(&hasty, &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(heard.call.answer, Answer::Status { code: 200, body: "thanks".to_owned() });
    held.abort();
}
