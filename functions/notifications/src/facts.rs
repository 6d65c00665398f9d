//! What the words of a message are filled in with: what is known of its occasion, as a reader of a language reads it.

use domain::Money;
use domain::dunning::Step;
use domain::id::OfferId;
use domain::message::Kind;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is known of an occasion, whoever reads it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) number: Option<String>,
    pub(crate) merchant: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) lines: Vec<Bought>,
    pub(crate) sums: Vec<(Sum, Money)>,
    pub(crate) amount: Option<Money>,
    pub(crate) date: Option<Date>,
    pub(crate) arrives: Option<(Date, Date)>,
    pub(crate) carrier: Option<String>,
    pub(crate) tracking: Option<String>,
    pub(crate) reason: Option<String>,
    /// What somebody wrote to the reader.
    pub(crate) said: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) step: Option<Step>,
    pub(crate) orders: Option<u64>,
    /// Nothing of the order is left.
    pub(crate) whole: bool,
    /// The customer has to confirm.
    pub(crate) action: bool,
    /// Money became store credit.
    pub(crate) credit: bool,
    /// Where the button leads; the shop itself, if nothing else is said.
    pub(crate) link: Option<String>,
    /// A link per star, from one to five.
    pub(crate) stars: Vec<String>,
}

/// Some units of a thing.
#[derive(Debug, Clone)]
pub(crate) struct Bought {
    pub(crate) title: String,
    pub(crate) quantity: u32,
    pub(crate) amount: Money,
    pub(crate) offer: Option<OfferId>,
}

/// A line below the goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    Delivery,
    Total,
}

/// Known things in the words of a language: what a template may name.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Facts {
    shop: String,
    shop_link: String,
    locale: String,
    name: Option<String>,
    /// What the message tells of, in a word.
    why: String,
    unsubscribe: Option<String>,
    number: Option<String>,
    merchant: Option<String>,
    title: Option<String>,
    lines: Vec<LineFacts>,
    sums: Vec<SumFacts>,
    amount: Option<String>,
    date: Option<String>,
    arrives: Option<String>,
    carrier: Option<String>,
    tracking: Option<String>,
    reason: Option<String>,
    said: Option<String>,
    code: Option<String>,
    step: Option<Step>,
    orders: Option<u64>,
    whole: bool,
    action: bool,
    credit: bool,
    link: Option<String>,
    stars: Vec<StarFacts>,
}

#[derive(Debug, Clone, Serialize)]
struct LineFacts {
    title: String,
    quantity: u32,
    amount: String,
    /// Of a tile that stands where there is no picture.
    color: &'static str,
    initial: String,
    /// What it shows stands beside it.
    picture: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct SumFacts {
    label: &'static str,
    amount: String,
}

#[derive(Debug, Clone, Serialize)]
struct StarFacts {
    count: usize,
    link: String,
}

/// Who writes to whom.
#[derive(Debug, Clone)]
pub(crate) struct Between<'a> {
    pub(crate) shop: &'a str,
    pub(crate) shop_link: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) locale: &'a str,
    pub(crate) kind: Kind,
    pub(crate) unsubscribe: Option<&'a str>,
    /// Of the products that are offered so: addresses of what every reader shows.
    pub(crate) pictures: &'a BTreeMap<OfferId, String>,
}

impl Facts {
    pub(crate) fn of(known: &Known, between: &Between<'_>) -> Self {
        let tongue = Tongue::of(between.locale);
        let known = known.clone();
        let line = |line: Bought| LineFacts {
            color: color(&line.title),
            initial: line.title.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default(),
            quantity: line.quantity,
            amount: tongue.money(line.amount),
            title: line.title,
            picture: line.offer.and_then(|offer| between.pictures.get(&offer).cloned()),
        };
        let sum = |(sum, amount)| SumFacts { label: tongue.label(sum), amount: tongue.money(amount) };
        let star = |(count, link)| StarFacts { count, link };
        Self {
            shop: between.shop.to_owned(),
            shop_link: between.shop_link.to_owned(),
            locale: between.locale.to_owned(),
            name: between.name.map(str::to_owned),
            why: tongue.because(between.kind).to_owned(),
            unsubscribe: between.unsubscribe.map(str::to_owned),
            number: known.number,
            merchant: known.merchant,
            title: known.title,
            lines: known.lines.into_iter().map(line).collect(),
            sums: known.sums.into_iter().map(sum).collect(),
            amount: known.amount.map(|amount| tongue.money(amount)),
            date: known.date.map(|date| tongue.date(date)),
            arrives: known.arrives.map(|days| tongue.days(days)),
            carrier: known.carrier,
            tracking: known.tracking,
            reason: known.reason,
            said: known.said,
            code: known.code,
            step: known.step,
            orders: known.orders,
            whole: known.whole,
            action: known.action,
            credit: known.credit,
            link: known.link.or_else(|| Some(between.shop_link.to_owned())),
            stars: (1_usize..).zip(known.stars).map(star).collect(),
        }
    }
}

/// One of a few that white letters can be read on; the same for the same thing.
fn color(title: &str) -> &'static str {
    const COLORS: [&str; 6] = ["#0b5cad", "#8a3b12", "#2f6b3a", "#6b3fa0", "#a02c4a", "#3d5a6c"];
    let sum = title.bytes().fold(0_usize, |sum, byte| sum.wrapping_add(usize::from(byte)));
    COLORS.get(sum % COLORS.len()).copied().unwrap_or("#3d5a6c")
}

/// How amounts and days are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tongue {
    English,
    German,
}

const ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const GERMAN: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

impl Tongue {
    fn of(locale: &str) -> Self {
        if locale.split('-').next() == Some("de") { Self::German } else { Self::English }
    }

    /// Why somebody gets a message of this kind.
    fn because(self, kind: Kind) -> &'static str {
        let (english, german) = match kind {
            Kind::OrderConfirmed
            | Kind::Shipped
            | Kind::Delivered
            | Kind::Canceled
            | Kind::Refunded
            | Kind::PaymentProblem => ("your order", "deine Bestellung"),
            Kind::Dunning | Kind::TrialEnding => ("your subscription", "dein Abonnement"),
            Kind::CartReminder => ("the cart that you left", "dein Warenkorb"),
            Kind::ReviewRequest => ("what you have bought", "dein Einkauf"),
            Kind::ReviewReply => ("your review", "deine Bewertung"),
            Kind::BackInStock => ("what you wait for", "dein Wunsch"),
            Kind::MerchantInvited
            | Kind::MerchantApproved
            | Kind::MerchantOrder
            | Kind::Payout
            | Kind::BalanceCritical => ("what you sell there", "dein Verkauf dort"),
            Kind::WebhookSuspended => ("your webhook endpoint", "dein Webhook-Endpunkt"),
        };
        match self {
            Self::English => english,
            Self::German => german,
        }
    }

    fn label(self, sum: Sum) -> &'static str {
        match (self, sum) {
            (Self::English, Sum::Delivery) => "Delivery",
            (Self::English, Sum::Total) => "Total",
            (Self::German, Sum::Delivery) => "Versand",
            (Self::German, Sum::Total) => "Summe",
        }
    }

    /// Exact: the decimals of the currency, in groups of three.
    fn money(self, money: Money) -> String {
        let text = money.decimal().to_string();
        let (minus, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("−", digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (group, point) = match self {
            Self::English => (',', '.'),
            Self::German => ('.', ','),
        };
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && whole.len().saturating_sub(at) % 3 == 0 {
                grouped.push(group);
            }
            grouped.push(digit);
        }
        if !fraction.is_empty() {
            grouped.push(point);
            grouped.push_str(fraction);
        }
        let sign = match money.currency.code() {
            "EUR" => "€",
            "USD" => "$",
            "GBP" => "£",
            other => return format!("{minus}{grouped}\u{a0}{other}"),
        };
        match self {
            Self::English => format!("{minus}{sign}{grouped}"),
            Self::German => format!("{minus}{grouped}\u{a0}{sign}"),
        }
    }

    fn month(self, date: Date) -> &'static str {
        let months = match self {
            Self::English => ENGLISH,
            Self::German => GERMAN,
        };
        let at = usize::try_from(date.month()).unwrap_or(1).saturating_sub(1);
        months.get(at).copied().unwrap_or_default()
    }

    fn date(self, date: Date) -> String {
        let dot = if self == Self::German { "." } else { "" };
        format!("{}{dot} {} {}", date.day(), self.month(date), date.year())
    }

    /// The days of one month share its name.
    fn days(self, (from, until): (Date, Date)) -> String {
        let dot = if self == Self::German { "." } else { "" };
        if from == until {
            return self.date(from);
        }
        let one_month = (from.year(), from.month()) == (until.year(), until.month());
        let first = if one_month { format!("{}{dot}", from.day()) } else { self.date(from) };
        let dash = if one_month { "–" } else { " – " };
        format!("{first}{dash}{}", self.date(until))
    }
}

/// What a preview is filled in with: every fact that a kind may have.
pub(crate) fn sample(kind: Kind, locale: &str) -> Facts {
    let eur = |minor| Some(Money::new(minor, "EUR".parse().ok()?));
    let line = |title: &str, quantity, minor| {
        Some(Bought { title: title.to_owned(), quantity, amount: eur(minor)?, offer: None })
    };
    let day = |day| Date::new(2026, 3, day).ok();
    let stars = if kind == Kind::ReviewRequest { 5 } else { 0 };
    let known = Known {
        number: Some("ord_00000000000000000000000001".to_owned()),
        merchant: Some("Alma".to_owned()),
        title: Some("Stoneware mug".to_owned()),
        lines: [line("Stoneware mug", 2, 29_00), line("Linen towel", 1, 12_50)]
            .into_iter()
            .flatten()
            .collect(),
        sums: [(Sum::Delivery, eur(4_90)), (Sum::Total, eur(46_40))]
            .into_iter()
            .filter_map(|(sum, amount)| Some((sum, amount?)))
            .collect(),
        amount: eur(46_40),
        date: day(2),
        arrives: day(5).zip(day(7)),
        carrier: Some("dhl".to_owned()),
        tracking: Some("00340434161094042557".to_owned()),
        reason: Some("Sold out".to_owned()),
        said: Some("Thank you. The next one is on its way.".to_owned()),
        code: Some("BACK-0123456789AB".to_owned()),
        step: Some(Step::RetryScheduled),
        orders: Some(3),
        whole: true,
        action: false,
        credit: false,
        link: Some("https://shop.example/#/".to_owned()),
        stars: (1..=stars).map(|star| format!("https://shop.example/#/review/token/{star}")).collect(),
    };
    let marketing = kind.nature() != domain::message::Nature::Service;
    let unsubscribe = marketing.then_some("https://shop.example/#/unsubscribe/token");
    let pictures = BTreeMap::new();
    let between = Between {
        shop: "Corner Market",
        shop_link: "https://shop.example",
        name: Some("Ines"),
        locale,
        kind,
        unsubscribe,
        pictures: &pictures,
    };
    Facts::of(&known, &between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_days_are_written_as_readers_read_them_to_the_last_cent() {
        let money = |minor, currency: &str| Money::new(minor, currency.parse().unwrap());
        for (amount, english, german) in [
            (money(57_15, "EUR"), "€57.15", "57,15\u{a0}€"),
            (money(123_456_700, "EUR"), "€1,234,567.00", "1.234.567,00\u{a0}€"),
            (money(-50_00, "USD"), "−$50.00", "−50,00\u{a0}$"),
            (money(1_500, "JPY"), "1,500\u{a0}JPY", "1.500\u{a0}JPY"),
            (money(0, "GBP"), "£0.00", "0,00\u{a0}£"),
        ] {
            assert_eq!(Tongue::English.money(amount), english);
            assert_eq!(Tongue::German.money(amount), german);
        }
        let day = |month, day| Date::new(2026, month, day).unwrap();
        assert_eq!(Tongue::English.date(day(3, 2)), "2 March 2026");
        assert_eq!(Tongue::of("de-AT").date(day(3, 2)), "2. März 2026");
        assert_eq!(Tongue::English.days((day(3, 5), day(3, 7))), "5–7 March 2026");
        assert_eq!(Tongue::German.days((day(3, 30), day(4, 1))), "30. März 2026 – 1. April 2026");
        assert_eq!(Tongue::German.days((day(3, 5), day(3, 5))), "5. März 2026");
    }
}
