//! Whatever charges a subscription while the table, the gateway, the queues and the clocks misbehave: each period is
//! charged once, paid is what the gateway has taken, and in the end all is settled.

mod at_once;
pub(crate) mod cuts;

use crate::faults::stripe::{Call, Fault, Stripe};
use crate::recurring::cuts::{CUTS, Cuts};
use domain::gateway::Method;
use domain::id::{OrderId, PaymentId};
use domain::invoice::{Cause, Invoice, Kind, Stage as InvoiceStage};
use domain::payment::{Alert, Payment};
use domain::period::Period;
use domain::subscription::Stage;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use souk::api::{Answer, Api};
use std::sync::atomic::{AtomicUsize, Ordering};
use table::Held;
use tests::subscribing::*;
use tests::*;

const CARD: &str = "pm_card_visa";
const NO_FUNDS: Fault =
    Fault::Fails(402, r#"{"error": {"type": "card_error", "decline_code": "insufficient_funds"}}"#);

/// What charges a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charge {
    First,
    Renewal,
    Upgrade,
    Retry,
    /// An open invoice is paid with something else than it was tried with.
    OtherMethod,
}

const CHARGES: [Charge; 5] =
    [Charge::First, Charge::Renewal, Charge::Upgrade, Charge::Retry, Charge::OtherMethod];

/// Customers of a plan by the week, whose cards go to a gateway of somebody else's.
struct Scene {
    market: Subscriptions,
    gateway: Stripe,
    cuts: Cuts,
    people: AtomicUsize,
}

/// A customer and what it has subscribed to.
struct Subscriber {
    api: Api,
    id: String,
    quantity: u32,
}

impl Scene {
    async fn open() -> Self {
        let (gateway, shop) = Stripe::shop().await;
        let market = Subscriptions::open_in(shop).await;
        let mut weekly = terms("10.00");
        weekly["interval"] = json!({"every": "week"});
        publish(&market.shop, "weekly", weekly).await;
        market.shop.settle().await;
        let cuts = Cuts::in_the_way(&market.shop);
        Self { market, gateway, cuts, people: AtomicUsize::new(0) }
    }

    fn shop(&self) -> &Shop {
        &self.market.shop
    }

    async fn person(&self) -> Api {
        let number = self.people.fetch_add(1, Ordering::SeqCst);
        sign_up(self.shop(), &format!("person-{number}")).await.0
    }

    /// Somebody who has subscribed without any trouble.
    async fn subscriber(&self) -> Subscriber {
        let api = self.person().await;
        let answer = self.subscribes(&api, "").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        self.shop().settle().await;
        Subscriber { api, id: answer.text("/id").to_owned(), quantity: 1 }
    }

    async fn subscribes(&self, api: &Api, key: &str) -> Answer {
        api.post("/v1/subscriptions", &self.market.body("weekly", CARD), key).await
    }

    /// Time goes by, and what fails is tried again.
    async fn pass(&self, by: SignedDuration) {
        self.shop().market.cloud.advance(by).await.unwrap();
    }

    async fn minutes(&self, minutes: i64) {
        self.pass(SignedDuration::from_mins(minutes)).await;
    }

    /// A minute before time brings the next thing to a subscription.
    async fn just_before(&self, id: &str) {
        let due = self.market.kept(id).await.due_at().unwrap().unwrap();
        let missing = due.duration_since(self.shop().market.clock.now()) - SignedDuration::from_mins(1);
        self.pass(missing).await;
    }

    /// Charges a subscriber once more while `trouble` is there; two days later all is well. Answers with whom it was.
    async fn charge(&self, how: Charge, of: &mut Subscriber, trouble: impl FnOnce()) -> String {
        match how {
            Charge::First => return self.first(trouble).await,
            Charge::Renewal => {
                self.just_before(&of.id).await;
                trouble();
            }
            Charge::Upgrade => {
                self.just_before(&of.id).await;
                self.minutes(24 * 60).await;
                of.quantity += 1;
                let body = json!({"quantity": of.quantity});
                let path = format!("/v1/subscriptions/{}/change", of.id);
                let key = self.shop().fresh();
                trouble();
                self.asks(of, &path, &body, &key).await;
            }
            Charge::Retry | Charge::OtherMethod => {
                self.just_before(&of.id).await;
                self.gateway.misbehaves(Call::Authorize, &[NO_FUNDS]);
                self.minutes(30).await;
                trouble();
            }
        }
        if how == Charge::OtherMethod {
            // A card after a wallet, a wallet after a card.
            let kept = self.market.kept(&of.id).await;
            let other = if kept.means.method == Method::Card { "wallet" } else { "card" };
            let body = json!({"payment": {"method": other, "token": CARD}});
            let path = format!("/v1/subscriptions/{}/set-payment-method", of.id);
            self.asks(of, &path, &body, &self.shop().fresh()).await;
        }
        self.pass(SignedDuration::from_hours(48)).await;
        of.id.clone()
    }

    /// A request, and once more where nothing was heard.
    async fn asks(&self, of: &Subscriber, path: &str, body: &Value, key: &str) {
        let mut answer = of.api.post(path, body, key).await;
        if answer.status.is_server_error() {
            answer = of.api.post(path, body, key).await;
        }
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }

    /// Somebody subscribes while `trouble` is there, and again with the same key where nothing was heard.
    async fn first(&self, trouble: impl FnOnce()) -> String {
        let (api, key) = (self.person().await, self.shop().fresh());
        trouble();
        let mut answer = self.subscribes(&api, &key).await;
        if answer.status.is_server_error() {
            answer = self.subscribes(&api, &key).await;
        }
        self.pass(SignedDuration::from_hours(30)).await;
        let id = answer.text("/id").to_owned();
        let never = match answer.status.as_u16() {
            402 => true,
            _ => matches!(self.market.kept(&id).await.stage, Stage::Ended { .. }),
        };
        if !never {
            return id;
        }
        // It came to nothing, and nothing is in the way of another one.
        if !id.is_empty() {
            self.is_right(&id, Charge::First).await;
        }
        let again = self.subscribes(&api, &self.shop().fresh()).await;
        assert_eq!(again.status, 201, "{}", again.body);
        self.shop().settle().await;
        again.text("/id").to_owned()
    }

    /// What the gateway has taken for an invoice.
    fn taken_for(&self, invoice: &Invoice) -> i64 {
        let order = OrderId::of_invoice(&invoice.id);
        let payments: Vec<String> = (1..=9).map(|n| PaymentId::of(&order, n).to_string()).collect();
        let intents = self.gateway.intents().into_iter();
        intents.filter(|intent| payments.contains(&intent.payment())).map(|intent| intent.received).sum()
    }

    /// What a person is shown as money for nothing.
    async fn stray_of(&self, invoice: &Invoice) -> i64 {
        let order = OrderId::of_invoice(&invoice.id);
        let table = &self.shop().market.world.table;
        let payments = table.payments(&marketplace_id(), &order).await.unwrap();
        let alert = |held: &Held<Payment>| match held.value.alerts().next() {
            Some(Alert::Stray { amount }) => amount.minor,
            _ => 0,
        };
        payments.iter().map(alert).sum()
    }

    /// Nothing is open, every invoice was paid once with what it says, and no two are for the same time.
    async fn is_paid_as_it_says(&self, id: &str, case: impl std::fmt::Debug) -> Option<Timestamp> {
        assert!(self.gateway.has_misbehaved(), "{case:?}: what was to go wrong has not");
        let documents = self.market.documents(id).await;
        let mut until: Option<Timestamp> = None;
        for document in &documents {
            let paid = matches!(document.stage, InvoiceStage::Paid { .. });
            assert_ne!(document.stage, InvoiceStage::Open, "{case:?}: {document:?}");
            let want = if paid { document.due().unwrap().minor } else { 0 };
            // Who ends it while it is being charged waits for a person to send the money back.
            let stray = match document.stage {
                InvoiceStage::Uncollectible { .. } | InvoiceStage::Void { .. } => {
                    self.stray_of(document).await
                }
                InvoiceStage::Open | InvoiceStage::Paid { .. } => 0,
            };
            assert_eq!(self.taken_for(document), want + stray, "{case:?}: {document:?}");
            if let (Kind::Invoice, Cause::Start | Cause::Renewal) = (document.kind, document.cause) {
                let from = document.period.from;
                assert!(until.is_none_or(|until| until <= from), "{case:?}: {documents:?}");
                until = Some(document.period.until);
            }
        }
        until
    }

    /// The same, and its periods touch; it is paid for up to where the next one is due.
    async fn is_right(&self, id: &str, case: impl std::fmt::Debug) {
        let until = self.is_paid_as_it_says(id, &case).await;
        let documents = self.market.documents(id).await;
        let renewals = documents.iter().filter(|one| matches!(one.cause, Cause::Start | Cause::Renewal));
        let periods: Vec<Period> = renewals.map(|one| one.period).collect();
        let gap = periods.windows(2).find(|two| two[0].until != two[1].from);
        assert_eq!(gap, None, "{case:?}");
        let kept = self.market.kept(id).await;
        match kept.stage {
            Stage::Active => {
                assert!(until.unwrap() > self.shop().market.clock.now(), "{case:?}: {documents:?}");
                assert_eq!(kept.due_at().unwrap(), until, "{case:?}");
            }
            Stage::Ended { .. } => {}
            Stage::Incomplete { .. } | Stage::Trialing { .. } | Stage::Paused { .. } => {
                panic!("{case:?}: {kept:?}")
            }
        }
    }

    /// Nothing is left over anywhere, and the books agree with the gateway's.
    async fn all_is_right(&self, case: impl std::fmt::Debug) {
        assert_eq!(self.shop().get("/v1/dunning").await["items"], json!([]), "{case:?}");
        assert_eq!(self.shop().market.cloud.dead_letters().unwrap(), [], "{case:?}");
        let taken: i64 = self.gateway.intents().iter().map(|intent| intent.received).sum();
        let accounts = self.shop().accounts().await;
        let cleared = format!("{}.{:02}", taken / 100, taken % 100);
        assert_eq!(accounts["gateway_clearing"], cleared, "{case:?}: {accounts:?}");
        assert!(!accounts.contains_key("receivable"), "{case:?}: {accounts:?}");
        self.market.books_are_right().await;
    }
}

/// Every write of a charge, each wrong in every way.
async fn cut_everywhere(how: Charge) {
    let scene = Scene::open().await;
    let mut of = scene.subscriber().await;
    let id = scene.charge(how, &mut of, || scene.cuts.none()).await;
    let writes = scene.cuts.writes();
    assert!(writes >= 2, "a charge commits before and after its call");
    scene.is_right(&id, how).await;
    for nth in 1..=writes {
        let mut came = false;
        for cut in CUTS {
            let id = scene.charge(how, &mut of, || scene.cuts.cut(nth, cut)).await;
            came |= scene.cuts.has_come();
            scene.cuts.none();
            scene.is_right(&id, (how, nth, cut)).await;
        }
        scene.all_is_right((how, nth)).await;
        Cuts::must_have_come(came, nth, writes);
    }
}

#[tokio::test]
async fn a13_3_a_first_payment_whose_every_write_may_fail_is_charged_once_or_never() {
    cut_everywhere(Charge::First).await;
}

#[tokio::test]
async fn a13_3_a_renewal_whose_every_write_may_fail_charges_its_period_once() {
    cut_everywhere(Charge::Renewal).await;
}

#[tokio::test]
async fn an_upgrade_whose_every_write_may_fail_is_charged_once() {
    cut_everywhere(Charge::Upgrade).await;
}

#[tokio::test]
async fn a_retry_whose_every_write_may_fail_charges_its_period_once() {
    cut_everywhere(Charge::Retry).await;
}

#[tokio::test]
async fn an_invoice_that_is_paid_otherwise_is_charged_once_though_every_write_may_fail() {
    cut_everywhere(Charge::OtherMethod).await;
}

/// What a gateway does to one call.
const GATEWAY_FAULTS: [Fault; 8] = [
    Fault::Says(500, ""),
    Fault::Says(502, "<html><body>Bad gateway</body></html>"),
    Fault::Says(200, "{\"id\": 7, \"status\": [\"succeeded\"]}"),
    Fault::Breaks,
    Fault::Fails(500, "{\"error\": {\"type\": \"api_error\"}}"),
    Fault::Fails(429, "{\"error\": {\"type\": \"rate_limit_error\"}}"),
    Fault::TellsFirst(1),
    Fault::TellsFirst(2),
];

#[tokio::test]
async fn a9_1_a_gateway_that_fails_breaks_off_or_tells_twice_is_paid_once() {
    let scene = Scene::open().await;
    for how in CHARGES {
        let mut of = scene.subscriber().await;
        for fault in GATEWAY_FAULTS {
            let id = scene.charge(how, &mut of, || scene.gateway.misbehaves(Call::Authorize, &[fault])).await;
            scene.is_right(&id, (how, fault)).await;
            // What was told is told again, the last first: no news.
            let bills = scene.market.bills(&id).await;
            for intent in scene.gateway.intents().iter().rev().take(3) {
                for _ in 0..2 {
                    assert_eq!(scene.gateway.notice(intent, SignedDuration::ZERO).await.status, 200);
                }
            }
            scene.minutes(10).await;
            assert_eq!(scene.market.bills(&id).await, bills, "{how:?}, {fault:?}");
            scene.is_right(&id, (how, fault)).await;
        }
        scene.all_is_right(how).await;
        // It is left alone from here on.
        let (path, now) = (format!("/v1/subscriptions/{}/cancel", of.id), json!({"at": "now"}));
        assert_eq!(of.api.post(&path, &now, "").await.status, 200);
    }
}

#[tokio::test]
async fn a9_1_questions_that_fail_too_leave_it_open_and_the_next_one_settles_it() {
    let scene = Scene::open().await;
    let mut of = scene.subscriber().await;
    for how in [Charge::First, Charge::Renewal, Charge::Upgrade, Charge::Retry] {
        for asked in [Fault::Fails(500, ""), Fault::Breaks, Fault::Says(200, "[]")] {
            let trouble = || {
                scene.gateway.misbehaves(Call::Authorize, &[Fault::Says(500, "")]);
                scene.gateway.misbehaves(Call::Ask, &[asked]);
            };
            let id = scene.charge(how, &mut of, trouble).await;
            scene.is_right(&id, (how, asked)).await;
            scene.all_is_right((how, asked)).await;
        }
    }
}

#[tokio::test]
async fn a_renewal_whose_card_nobody_can_name_the_owner_of_is_tried_again() {
    let scene = Scene::open().await;
    let mut of = scene.subscriber().await;
    for fault in [Fault::Fails(500, ""), Fault::Breaks, Fault::Says(200, "<html>"), Fault::Fails(429, "{}")] {
        let trouble = || scene.gateway.misbehaves(Call::Owner, &[fault]);
        let id = scene.charge(Charge::Renewal, &mut of, trouble).await;
        scene.is_right(&id, fault).await;
        scene.all_is_right(fault).await;
    }
}
