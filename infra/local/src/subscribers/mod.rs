//! A year of subscriptions, as a demonstration: people sign up, subscribe, change their minds, their cards fail; time
//! passes on the local clock, and each month shows what it came to.
//!
//! `plans.json` the plans · `life.rs` what each subscriber will want, drawn from a seed · here how that is carried out,
//! through the API · `month.rs` a month's figures and their check against the ledger · `chart.rs` the picture.
//!
//! Once a day everybody who wants something comes; between, all schedules run. A refusal by state is an answer like any
//! other: it is counted. The same seed gives the same figures.

mod chart;
mod life;
mod month;
mod plans;

use crate::api::{Answer, Api, Refusal};
use crate::books::Books;
use crate::cloud::{CloudError, Pace};
use crate::demo::{self, NoDemo};
use crate::issuer::NoKey;
use crate::market::{Market, NotOpen};
use crate::replay::Progress;
use domain::Currency;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use life::{GOOD, Life, Wish, hopeless};
use plans::{Plans, Which};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) use chart::grouped;
pub use chart::svg;
pub use month::Month;

/// The first day of the first month.
const OPENING: Date = date(2026, 1, 1);
/// When people come, every day.
const HOUR: i8 = 12;

#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub subscribers: usize,
    pub months: u16,
    pub seed: u64,
}

/// What a demonstration came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demonstration {
    pub currency: Currency,
    pub months: Vec<Month>,
    /// How often people did what; what was refused, by its code.
    pub done: BTreeMap<String, usize>,
    pub refused: BTreeMap<String, usize>,
    /// Every sentence that should be true and is not.
    pub wrong: Vec<String>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoDemonstration {
    #[error(transparent)]
    Market(#[from] NotOpen),
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Demo(#[from] NoDemo),
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("the table failed")]
    Table(#[from] table::Fault),
    #[error("plans.json is not understood")]
    Plans(#[from] serde_json::Error),
    #[error(transparent)]
    Key(#[from] NoKey),
    #[error(transparent)]
    Money(#[from] domain::money::MoneyError),
    #[error(transparent)]
    Price(#[from] domain::plan::NotPriced),
    #[error("{0} is no currency")]
    Currency(String),
    #[error("a day is out of range")]
    Day(#[from] jiff::Error),
}

/// In a sample marketplace of its own.
pub async fn demonstrate(scale: Scale, progress: &impl Progress) -> Result<Demonstration, NoDemonstration> {
    let opening = midnight(OPENING)?;
    // One thing after the other: with the same seed everything happens in the same order.
    let market = Market::in_memory(opening, Pace::Ordered).await?;
    demo::seed(&market, OPERATOR).await?;
    let plans = Plans::read()?;
    let operator = Api::new(&market.cloud, OPERATOR);
    plans.publish(&operator).await?;
    market.cloud.settle_with_retries().await?;
    let last = OPENING.checked_add(i64::from(scale.months).months())?;
    let days = since_opening(last);
    let lives = (0..scale.subscribers).map(|n| Life::of(scale.seed, n, days, &plans));
    let people = lives.enumerate().map(|(n, life)| Person::new(&market, n, life));
    let people = people.collect::<Result<Vec<_>, _>>()?;
    let (currency, length) = (plans.currency()?, usize::try_from(days).unwrap_or_default());
    let mut year = Year { market, operator, plans, people, done: BTreeMap::new(), refused: BTreeMap::new() };
    let (mut months, mut wrong): (Vec<Month>, Vec<String>) = (Vec::new(), Vec::new());
    for number in 0..i64::from(scale.months) {
        let from = OPENING.checked_add(number.months())?;
        let until = OPENING.checked_add((number + 1).months())?;
        let mut day = from;
        while day < until {
            let since = since_opening(day);
            year.live(day, since).await?;
            progress.step("days", usize::try_from(since + 1).unwrap_or_default(), length);
            day = day.tomorrow()?;
        }
        year.market.advance_to(midnight(until)?).await?;
        let before = months.last().map_or(0, |month| month.subscribed);
        let span = (midnight(from)?, midnight(until)?);
        let (month, off) = month::month(&year.market.world.table, (currency, before), span).await?;
        months.push(month);
        wrong.extend(off);
    }
    wrong.extend(Books::check(&year.market).await?.faults);
    wrong
        .extend(year.market.cloud.dead_letters()?.iter().map(|letter| format!("set aside: {}", letter.body)));
    let Year { done, refused, .. } = year;
    Ok(Demonstration { currency, months, done, refused, wrong })
}

/// The operator's key.
const OPERATOR: &str = "sk_demonstration";

fn midnight(day: Date) -> Result<Timestamp, jiff::Error> {
    Ok(day.to_zoned(TimeZone::UTC)?.timestamp())
}

/// Days.
fn since_opening(day: Date) -> u32 {
    u32::try_from(day.duration_since(OPENING).as_hours() / 24).unwrap_or_default()
}

/// A subscriber with what they want next.
struct Person {
    api: Api,
    number: usize,
    life: Life,
    /// Wishes that are done.
    past: usize,
    subscription: Option<String>,
    card: &'static str,
}

/// Everything that goes on.
struct Year {
    market: Market,
    operator: Api,
    plans: Plans,
    people: Vec<Person>,
    done: BTreeMap<String, usize>,
    refused: BTreeMap<String, usize>,
}

impl Person {
    fn new(market: &Market, number: usize, life: Life) -> Result<Self, NoKey> {
        let token = market.issuer.token(&format!("subscriber-{number}"), SignedDuration::from_hours(48))?;
        let api = Api::new(&market.cloud, token);
        Ok(Self { api, number, life, past: 0, subscription: None, card: GOOD })
    }

    /// The next wish whose day has come, each once.
    fn wants(&mut self, since: u32) -> Option<Wish> {
        let (_, wish) = self.life.wishes.get(self.past).copied().filter(|(day, _)| *day <= since)?;
        self.past += 1;
        Some(wish)
    }

    /// Signs up and subscribes; answers the subscription.
    async fn subscribe(&self, plan: &str) -> Result<String, Refusal> {
        let number = self.number;
        let name = format!("Subscriber {number}");
        let account = json!({"name": name, "email": format!("subscriber-{number}@post.example")});
        self.api.post("/v1/customers/me", &account, "").await.ok()?;
        let address = json!({
            "country": "DE", "name": name, "lines": ["Lindenweg 5"], "city": "Berlin", "postal_code": "10969",
        });
        let body = json!({
            "plan": plan,
            "quantity": self.life.quantity,
            "time_zone": "Europe/Berlin",
            "address": address,
            "payment": {"method": "card", "token": self.card},
        });
        let begun = self.api.post("/v1/subscriptions", &body, "").await.ok()?;
        Ok(text(&begun, "/id").to_owned())
    }
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl Year {
    /// Everybody who wants something comes at noon; before that, who has found their card failing brings another.
    async fn live(&mut self, day: Date, since: u32) -> Result<(), NoDemonstration> {
        let noon = midnight(day)?.checked_add(SignedDuration::from_hours(i64::from(HOUR)))?;
        self.market.advance_to(noon).await?;
        self.mend(noon).await?;
        for at in 0..self.people.len() {
            while let Some(wish) = self.people.get_mut(at).and_then(|person| person.wants(since)) {
                self.grant(at, wish, noon).await?;
            }
        }
        self.market.cloud.settle().await?;
        Ok(())
    }

    /// Who was told that their payment has failed, and does something about it, does so after some days.
    async fn mend(&mut self, now: Timestamp) -> Result<(), NoDemonstration> {
        let mut failing = BTreeMap::new();
        let mut cursor = String::new();
        loop {
            let page = self.operator.get(&format!("/v1/dunning?limit=100{cursor}")).await.ok()?;
            for case in page.pointer("/items").and_then(Value::as_array).into_iter().flatten() {
                failing.insert(text(case, "/subscription").to_owned(), text(case, "/opened_at").to_owned());
            }
            match text(&page, "/next") {
                "" => break,
                next => cursor = format!("&cursor={next}"),
            }
        }
        for at in 0..self.people.len() {
            let Some(person) = self.people.get(at).filter(|person| hopeless(person.card)) else { continue };
            let opened = person.subscription.as_ref().and_then(|id| failing.get(id));
            let Some(opened) = opened.and_then(|at| at.parse::<Timestamp>().ok()) else { continue };
            let waits = person.life.mends.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
            if waits.is_some_and(|waits| opened.saturating_add(waits).is_ok_and(|then| then <= now)) {
                self.grant(at, Wish::Card(GOOD), now).await?;
            }
        }
        Ok(())
    }

    /// Carries out a wish, if it makes sense now.
    async fn grant(&mut self, at: usize, wish: Wish, now: Timestamp) -> Result<(), NoDemonstration> {
        let m = demo::marketplace_id();
        let Some(person) = self.people.get_mut(at) else { return Ok(()) };
        let Some(id) = person.subscription.clone() else {
            if wish == Wish::Subscribe {
                let plan = self.plans.id(&m, person.life.plan);
                person.subscription = Some(person.subscribe(&plan).await?);
                *self.done.entry(wish.word().to_owned()).or_default() += 1;
            }
            return Ok(());
        };
        let shown = person.api.get(&format!("/v1/subscriptions/{id}")).await.ok()?;
        let runs = matches!(text(&shown, "/status"), "trialing" | "active" | "paused");
        let due = text(&shown, "/next_at").parse::<Timestamp>().is_ok_and(|at| at <= now);
        let plan = self.plans.find(&m, text(&shown, "/plan"));
        let (Some(plan), true, false) = (plan, runs, due) else { return Ok(()) };
        let Some((verb, body)) = self.plans.ask(wish, plan, &shown, now) else { return Ok(()) };
        if let Wish::Card(token) = wish {
            person.card = token;
        }
        let answer = person.api.post(&format!("/v1/subscriptions/{id}/{verb}"), &body, "").await;
        self.count(wish, answer)
    }

    fn count(&mut self, wish: Wish, answer: Answer) -> Result<(), NoDemonstration> {
        let by_state = answer.status == http::StatusCode::CONFLICT;
        let (of, word) = if by_state {
            (&mut self.refused, answer.text("/code").to_owned())
        } else {
            answer.ok()?;
            (&mut self.done, wish.word().to_owned())
        };
        *of.entry(word).or_default() += 1;
        Ok(())
    }
}

impl Plans {
    /// The request that a wish comes to; none where it makes no sense as things are.
    fn ask(&self, wish: Wish, plan: Which, shown: &Value, now: Timestamp) -> Option<(&'static str, Value)> {
        let quantity = shown.pointer("/quantity").and_then(Value::as_u64).unwrap_or(1);
        let quantity = u32::try_from(quantity).unwrap_or(1);
        let (paused, cancels) = (text(shown, "/status") == "paused", text(shown, "/next/will") == "end");
        let to = |which: Which, at: &str| {
            let quantity = quantity.min(self.most(which));
            json!({"plan": self.id(&demo::marketplace_id(), which), "quantity": quantity, "at": at})
        };
        Some(match wish {
            Wish::Subscribe => return None,
            Wish::Upgrade => ("change", to(self.bigger(plan)?, "now")),
            Wish::Downgrade => {
                ("change", to(Which { tier: plan.tier.checked_sub(1)?, ..plan }, "period_end"))
            }
            Wish::Annual if plan.annual => return None,
            Wish::Annual => ("change", to(Which { annual: true, ..plan }, "now")),
            Wish::Quantity(hundredths) => {
                let most = self.most(plan);
                let quantity = (most * hundredths / 100).max(1);
                ("change", json!({"quantity": quantity}))
            }
            Wish::Pause(days) => {
                let until = days
                    .and_then(|days| now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok());
                ("pause", until.map_or_else(|| json!({}), |until| json!({"until": until.to_string()})))
            }
            Wish::Resume if !paused => return None,
            Wish::Resume => ("resume", json!({})),
            Wish::CancelNow => ("cancel", json!({"at": "now"})),
            Wish::CancelLater => ("cancel", json!({"at": "period_end"})),
            Wish::Uncancel if !cancels => return None,
            Wish::Uncancel => ("uncancel", json!({})),
            Wish::Card(token) => {
                ("set-payment-method", json!({"payment": {"method": "card", "token": token}}))
            }
        })
    }
}
