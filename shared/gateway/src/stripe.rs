//! Stripe, over its own HTTP API (docs.stripe.com/api): payment intents that are confirmed at once and captured later.
//!
//! The attempt is the idempotency key and stands in the metadata, with marketplace and payment, so that notices and
//! questions find it. A payment method is kept for a renewal by `setup_future_usage`; only then is it attached to a
//! customer of Stripe's, a bare one: who it is stays with us. Absent on purpose: a second capture (not generally
//! available), and currencies whose amounts Stripe counts otherwise than ISO 4217 does.

mod words;

use crate::{NotANotice, Notice, PATIENCE, Secret, signature};
use domain::Money;
use domain::gateway::{Capabilities, Decline, GatewayToken, Method, Outcome, Request};
use domain::id::{AttemptId, MarketplaceId};
use domain::text::Word;
use edge::World;
use form_urlencoded::Serializer;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

pub(crate) const CAPABILITIES: Capabilities = Capabilities { multi_capture: false, renewal: true };

const ADDRESS: &str = "https://api.stripe.com";

/// Three decimals, none in ISO and two at Stripe, or two in ISO and none at Stripe (MGA).
const COUNTED_OTHERWISE: [&str; 10] = ["BHD", "IQD", "ISK", "JOD", "KWD", "LYD", "MGA", "OMR", "TND", "UGX"];

/// An intent was made within so many seconds around its call, by clocks that differ a little.
const MADE_BEFORE: i64 = 30;
const MADE_AFTER: i64 = 90;
/// So many pages of a hundred intents are looked through for one: eight a second.
const PAGES_MAX: usize = 10;

pub(crate) fn takes(method: Method) -> bool {
    match method {
        Method::Card | Method::Wallet | Method::Bnpl => true,
        Method::Voucher | Method::BankTransfer | Method::StoreCredit => false,
    }
}

#[derive(Debug, Clone)]
pub struct Stripe {
    address: String,
    key: Secret,
    webhook_secret: Secret,
    /// Where the customer's browser goes after a confirmation at the bank.
    return_url: Option<String>,
    patience: Duration,
}

/// One call of the API.
struct Call {
    get: bool,
    path: String,
    form: Vec<(String, String)>,
}

impl Call {
    fn get(path: String) -> Self {
        Self { get: true, path, form: Vec::new() }
    }

    fn post(path: String, form: &[(&str, &str)]) -> Self {
        let form = form.iter().copied().map(owned).collect();
        Self { get: false, path, form }
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// What came back: a status and a body that is JSON, or nothing that says anything.
type Answer = Option<(u16, Value)>;

impl Stripe {
    pub(crate) fn of(world: &World) -> Self {
        let variable = |name| world.variable(name).ok().filter(|text| !text.is_empty());
        let secret = |text: Option<&str>| Secret::new(text.unwrap_or_default(), &world.aws);
        Self {
            address: variable("STRIPE_ADDRESS").unwrap_or(ADDRESS).trim_end_matches('/').to_owned(),
            key: secret(variable("STRIPE_KEY")),
            webhook_secret: secret(variable("STRIPE_WEBHOOK_SECRET")),
            return_url: variable("STRIPE_RETURN_URL").map(str::to_owned),
            patience: PATIENCE,
        }
    }

    /// For tests against something that speaks like Stripe.
    pub fn at(address: &str, key: Secret, webhook_secret: Secret, patience: Duration) -> Self {
        Self { address: address.to_owned(), key, webhook_secret, return_url: None, patience }
    }

    pub(crate) async fn call(&self, m: &MarketplaceId, request: &Request) -> Outcome {
        match request {
            Request::Authorize { key, method, token, amount, off_session, capture, .. } => {
                let Some(token) = token else { return words::declined("token_missing") };
                if !takes(*method) {
                    return words::declined("payment_method_not_available");
                }
                if COUNTED_OTHERWISE.contains(&amount.currency.code()) {
                    return words::declined("currency_not_supported");
                }
                let mut call = self.authorize(m, key, token.as_str(), (*amount, *capture));
                let customer = match self.owner(m, token).await {
                    Ok(customer) => customer.to_string(),
                    // Nothing of the money is asked for yet.
                    Err(outcome) => return outcome,
                };
                let (when, which) = if *off_session {
                    ("off_session", "true")
                } else {
                    ("setup_future_usage", "off_session")
                };
                call.form.extend([("customer", &*customer), (when, which)].map(owned));
                words::intent(&self.send(call, Some(key.as_str())).await)
            }
            Request::Capture { key, authorization, amount, .. } => {
                let call = capture(key, authorization, *amount);
                words::captured(key, &self.send(call, Some(key.as_str())).await)
            }
            Request::Void { key, authorization } => {
                let call = Call::post(format!("/v1/payment_intents/{authorization}/cancel"), &[]);
                words::canceled(key, &self.send(call, Some(key.as_str())).await)
            }
            Request::Refund { key, authorization, amount } => {
                let minor = amount.minor.to_string();
                let form = [("payment_intent", authorization.as_str()), ("amount", &minor)];
                let mut call = Call::post("/v1/refunds".to_owned(), &form);
                call.form.extend(metadata(m, key));
                words::refund(&self.send(call, Some(key.as_str())).await)
            }
            // The port itself answers these.
            Request::Credit { .. } => Outcome::Unknown,
            Request::Ask { reference, about, called } => self.ask(reference.as_ref(), about, *called).await,
        }
    }

    fn authorize(
        &self,
        m: &MarketplaceId,
        key: &AttemptId,
        token: &str,
        (amount, capture): (Money, bool),
    ) -> Call {
        let (minor, currency) = (amount.minor.to_string(), amount.currency.code().to_lowercase());
        let form = [
            ("amount", minor.as_str()),
            ("currency", &currency),
            ("payment_method", token),
            ("payment_method_types[]", "card"),
            ("capture_method", if capture { "automatic" } else { "manual" }),
            ("confirm", "true"),
            ("expand[]", "latest_charge"),
        ];
        let mut call = Call::post("/v1/payment_intents".to_owned(), &form);
        call.form.extend(metadata(m, key));
        call.form.extend(self.return_url.iter().map(|url| ("return_url".to_owned(), url.clone())));
        call
    }

    /// The customer of Stripe's whose payment method it is, made for its first use: what is nobody's is good for one
    /// payment, and an order has one for each merchant. Those are begun side by side, and one of them makes it.
    async fn owner(&self, m: &MarketplaceId, token: &GatewayToken) -> Result<Word, Outcome> {
        let (token, key) = (token.as_str(), format!("{}-customer", token.as_str()));
        for pause in [100, 300, 900] {
            let held = Call::get(format!("/v1/payment_methods/{token}"));
            if let Some(customer) = words::owner(&self.send(held, None).await)? {
                return Ok(customer);
            }
            let form = [("payment_method", token), ("metadata[marketplace]", m.as_str())];
            let made = self.send(Call::post("/v1/customers".to_owned(), &form), Some(&key)).await;
            if !matches!(made, Some((409, _))) {
                return words::customer(&made);
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Err(Outcome::Unknown)
    }

    /// What became of a call. A question that is refused says nothing of what was asked about.
    async fn ask(&self, reference: Option<&Word>, about: &Request, called: Timestamp) -> Outcome {
        match about {
            Request::Authorize { key, .. } => match reference {
                Some(id) => words::intent(&self.look(intent(id)).await),
                None => self.find(key, called).await,
            },
            Request::Capture { key, authorization, .. } => {
                words::captured(key, &self.look(intent(authorization)).await)
            }
            Request::Void { key, authorization } => {
                words::canceled(key, &self.look(intent(authorization)).await)
            }
            Request::Refund { key, authorization, .. } => {
                let call = Call::get(format!("/v1/refunds?payment_intent={authorization}&limit=100"));
                words::refund_of(key, &self.look(call).await)
            }
            Request::Credit { .. } | Request::Ask { .. } => Outcome::Unknown,
        }
    }

    /// The answer to a question, if it is one.
    async fn look(&self, call: Call) -> Answer {
        self.send(call, None).await.filter(|(status, _)| (200..300).contains(status))
    }

    /// The payment intent that is not named yet, among all that were made when it was called for. Stripe's search does
    /// not know what was made a moment ago, in bad times an hour ago; its lists do.
    async fn find(&self, key: &AttemptId, called: Timestamp) -> Outcome {
        let from = called.as_second().saturating_sub(MADE_BEFORE);
        let to = called.as_second().saturating_add(MADE_AFTER);
        let created = format!("created[gte]={from}&created[lte]={to}");
        let list = format!("/v1/payment_intents?{created}&limit=100&expand[]=data.latest_charge");
        let mut page = list.clone();
        for _ in 0..PAGES_MAX {
            match words::listed(key, &self.look(Call::get(page)).await) {
                Ok(outcome) => return outcome,
                Err(last) => page = format!("{list}&starting_after={last}"),
            }
        }
        Outcome::Unknown
    }

    /// None: no answer in time, or none that can be read. The cause is logged, without what was sent.
    async fn send(&self, call: Call, key: Option<&str>) -> Answer {
        let secret = self.key.value().await?;
        let address = format!("{}{}", self.address, call.path);
        let sent = async {
            let client = reqwest::Client::builder().timeout(self.patience).build()?;
            let request = if call.get { client.get(&address) } else { client.post(&address) };
            let mut request = request.header("authorization", format!("Bearer {secret}"));
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            if !call.get {
                let form = Serializer::new(String::new()).extend_pairs(&call.form).finish();
                request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
            }
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        };
        let (status, body) = match sent.await {
            Ok(answer) => answer,
            Err(error) => {
                let error = edge::chain(&error.without_url());
                tracing::warn!(error, attempt = key, "Stripe does not answer");
                return None;
            }
        };
        match serde_json::from_slice(&body) {
            Ok(body) => Some((status, body)),
            Err(_) => {
                tracing::warn!(status, attempt = key, "Stripe's answer is no JSON");
                None
            }
        }
    }

    pub(crate) async fn read_notice(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Notice>, NotANotice> {
        let secret = self.webhook_secret.value().await.ok_or(NotANotice::NoSecret)?;
        signature::holds_stripe(&secret, headers, body, now)?;
        let event: Value = serde_json::from_slice(body).map_err(|_| NotANotice::Unreadable)?;
        let mut told = words::notice(&event);
        // When an authorization ends is not in the event.
        if let Some(Notice { outcome, .. }) = &mut told
            && let Outcome::Approved { reference, expires_at: None } = outcome
            && event["type"] == words::AUTHORIZED
            && let after @ Outcome::Approved { .. } = words::intent(&self.send(intent(reference), None).await)
        {
            *outcome = after;
        }
        Ok(told.into_iter().collect())
    }
}

fn intent(id: &Word) -> Call {
    Call::get(format!("/v1/payment_intents/{id}?expand[]=latest_charge"))
}

fn capture(key: &AttemptId, authorization: &Word, amount: Money) -> Call {
    let minor = amount.minor.to_string();
    // The notice of it names the capture and not the authorization alone.
    let form = [("amount_to_capture", minor.as_str()), ("metadata[capture]", key.as_str())];
    Call::post(format!("/v1/payment_intents/{authorization}/capture"), &form)
}

fn metadata(m: &MarketplaceId, key: &AttemptId) -> Vec<(String, String)> {
    let payment = key.place().map(|(payment, _)| payment.to_string()).unwrap_or_default();
    let named = [("marketplace", m.to_string()), ("payment", payment), ("attempt", key.to_string())];
    named.map(|(name, value)| (format!("metadata[{name}]"), value)).into()
}

fn decline(code: &str) -> Option<Decline> {
    Some(Decline::of(code.parse().ok()?))
}

#[cfg(test)]
mod tests;
