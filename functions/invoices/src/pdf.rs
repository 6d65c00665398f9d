//! A document as a PDF that may be archived (PDF/A-3b) and read aloud (PDF/UA-1).
//!
//! A pure function: the same document, issuer and recipient give the same bytes; its dates are its own. Without a
//! number there is no PDF. Absent on purpose: the machine-readable copy that PDF/A-3 has room for (EN 16931 as
//! Factur-X): its fields have no source here yet, and half of one is worse than none. The words are English.

mod letters;
mod sheet;

use domain::id::PlanId;
use domain::invoice::{Invoice, Kind, Line, Number, Stage, What};
use domain::money::{Money, MoneyError};
use domain::period::{Period, Zone};
use domain::tax::Reason;
use domain::text::Name;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use letters::Face;
use rust_decimal::Decimal;
use sheet::{About, Cell, Faces, INNER, MARGIN, Part, Role, Row};
use std::collections::BTreeMap;
use table::invoice::{Issuer, Recipient};

const SMALL: u16 = 80;
const PLAIN: u16 = 90;
const LARGE: u16 = 200;
/// Of the two blocks at the head, and of the totals.
const HALF: u64 = INNER / 2;

/// What a document shows.
pub(crate) struct Printed<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) recipient: Option<&'a Recipient>,
    pub(crate) invoice: &'a Invoice,
    /// The number of the document that charged what it credits.
    pub(crate) corrects: Option<Number>,
    /// Names of its plans, as they are now.
    pub(crate) plans: &'a BTreeMap<PlanId, Name>,
    /// In which its service days are counted.
    pub(crate) zone: &'a Zone,
}

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unprintable {
    #[error("the document has no number yet")]
    NotNumbered,
    #[error("the font cannot be read")]
    Font,
    #[error("the paper has no size")]
    Paper,
    #[error("the file would not be PDF/A-3b and PDF/UA-1: {0}")]
    Refused(String),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

pub(crate) fn write(printed: &Printed<'_>) -> Result<Vec<u8>, Unprintable> {
    let invoice = printed.invoice;
    let number = invoice.number.ok_or(Unprintable::NotNumbered)?;
    let faces = Faces { plain: Face::of(notosans::REGULAR_TTF)?, bold: Face::of(notosans::BOLD_TTF)? };
    let mut rows = head(printed, number);
    rows.extend(lines(printed)?);
    rows.extend(rates(invoice)?);
    rows.extend(totals(invoice)?);
    rows.extend(notes(invoice));
    let title = format!("{} {number}", kind(invoice.kind));
    let author = faces.plain.printable(printed.issuer.name.as_str());
    let foot = format!("{title} · {}", printed.issuer.name);
    let on = invoice.opened_at.to_zoned(TimeZone::UTC).datetime();
    sheet::write(&faces, &rows, &About { title, author, id: invoice.id.to_string(), on, foot })
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoice => "Invoice",
        Kind::CreditNote => "Credit note",
    }
}

fn cell(text: impl Into<String>, left: u64, width: u64, role: Role) -> Cell {
    Cell { text: text.into(), left, width, right_aligned: false, bold: false, size: PLAIN, role }
}

fn paragraph(text: impl Into<String>) -> Cell {
    cell(text, MARGIN, INNER, Role::Paragraph)
}

fn text(cells: Vec<Cell>, above: u64) -> Row {
    Row { cells, above, ..Row::default() }
}

/// Who issues it, what it is, to whom.
fn head(printed: &Printed<'_>, number: Number) -> Vec<Row> {
    let (issuer, invoice) = (printed.issuer, printed.invoice);
    let mut rows = vec![text(vec![Cell { bold: true, ..paragraph(issuer.name.as_str()) }], 0)];
    let own = issuer.lines.iter().map(Name::to_string).chain([issuer.country.code().to_owned()]);
    let tax_id = issuer.tax_id.iter().map(|id| format!("Tax id {id}"));
    rows.extend(own.chain(tax_id).map(|line| text(vec![Cell { size: SMALL, ..paragraph(line) }], 0)));
    let title = format!("{} {number}", kind(invoice.kind));
    let title = Cell { text: title, bold: true, size: LARGE, role: Role::Title, ..paragraph("") };
    rows.push(text(vec![title], 420));
    let to = addressed_to(printed);
    let mut facts = vec![
        format!("Date {}", invoice.opened_at.to_zoned(TimeZone::UTC).date()),
        format!("Service period {}", days(invoice.period, printed.zone)),
        format!("Document {}", invoice.id),
        format!("Subscription {}", invoice.subscription),
    ];
    facts.extend(printed.corrects.map(|number| format!("Corrects invoice {number}")));
    facts.extend((printed.recipient.is_some()).then(|| format!("Customer {}", invoice.customer)));
    let height = to.len().max(facts.len());
    let blank = || std::iter::repeat_with(String::new);
    let pairs = to.into_iter().chain(blank()).zip(facts.into_iter().chain(blank())).take(height);
    rows.extend(pairs.enumerate().map(|(at, (to, fact))| {
        let to = cell(to, MARGIN, HALF.saturating_sub(150), Role::Paragraph);
        let fact = cell(fact, MARGIN.saturating_add(HALF), HALF, Role::Paragraph);
        text(vec![to, fact], if at == 0 { 160 } else { 0 })
    }));
    rows
}

fn addressed_to(printed: &Printed<'_>) -> Vec<String> {
    let Some(Recipient { address, tax_id, .. }) = printed.recipient else {
        return vec![format!("Customer {}", printed.invoice.customer)];
    };
    let words = |word: &Option<domain::text::Word>| word.as_ref().map(ToString::to_string);
    let city =
        [words(&address.postal_code), address.city.as_ref().map(Name::to_string), words(&address.region)];
    let city = city.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = address.company.iter().chain([&address.name]).map(Name::to_string).collect();
    lines.extend(address.lines.iter().map(Name::to_string));
    lines.extend([city, address.country.code().to_owned()].into_iter().filter(|line| !line.is_empty()));
    lines.extend(tax_id.iter().map(|id| format!("Tax id {id}")));
    lines
}

/// The first and the last day. A period ends where the next begins: at midnight the day before is its last.
fn days(period: Period, zone: &Zone) -> String {
    let last = period.until.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(period.until);
    let (first, last) = (zone.date(period.from), zone.date(last.max(period.from)));
    if first == last { first.to_string() } else { format!("{first} – {last}") }
}

/// Title, width and whether it holds numbers.
const COLUMNS: [(&str, u64, bool); 6] = [
    ("Description", 1_273, false),
    ("Service period", 1_170, false),
    ("Quantity", 470, true),
    ("Tax", 760, true),
    ("Tax amount", 580, true),
    ("Net", 580, true),
];
const GAP: u64 = 60;

fn columns<'a>(texts: impl IntoIterator<Item = String> + 'a, roles: [Role; 6], bold: bool) -> Vec<Cell> {
    let mut left = MARGIN;
    let cells = texts.into_iter().zip(COLUMNS).zip(roles).map(|((text, (_, width, right_aligned)), role)| {
        // The last column ends where the page's text does.
        let gap = if left.saturating_add(width) < MARGIN.saturating_add(INNER) { GAP } else { 0 };
        let own = cell(text, left, width.saturating_sub(gap), role);
        left = left.saturating_add(width);
        Cell { right_aligned, bold, size: SMALL, ..own }
    });
    cells.collect()
}

fn lines(printed: &Printed<'_>) -> Result<Vec<Row>, Unprintable> {
    let heads = COLUMNS.map(|(title, ..)| title.to_owned());
    let head = columns(heads, [Role::ColumnHead; 6], true);
    let mut rows = vec![Row { cells: head, above: 400, ruled: false, part: Part::Head }];
    let [rest @ .., _] = [Role::Data; 6];
    let [a, b, c, d, e] = rest;
    for line in &printed.invoice.lines {
        let texts = [
            description(line, printed.plans),
            days(line.period, printed.zone),
            line.quantity.to_string(),
            rate(line.percent, line.reason),
            amount(line.tax),
            amount(line.base),
        ];
        let cells = columns(texts, [Role::RowHead, a, b, c, d, e], false);
        rows.push(Row { cells, above: 30, ruled: true, part: Part::Body });
    }
    Ok(rows)
}

fn description(line: &Line, plans: &BTreeMap<PlanId, Name>) -> String {
    let plan = plans.get(&line.plan).map_or(line.plan.as_str(), Name::as_str);
    match line.what {
        What::Charge => plan.to_owned(),
        What::Credit => format!("{plan}: not used, credited"),
        What::SetupFee => format!("{plan}: set-up"),
    }
}

fn rate(percent: Decimal, reason: Reason) -> String {
    format!("{} % {}", percent.normalize(), said(reason))
}

fn said(reason: Reason) -> &'static str {
    match reason {
        Reason::Standard => "standard",
        Reason::Reduced => "reduced",
        Reason::ZeroRated => "zero-rated",
        Reason::Exempt => "exempt",
        Reason::ReverseCharge => "reverse charge",
        Reason::OutsideScope => "outside scope",
        Reason::NotConfigured => "not charged",
    }
}

/// With its currency's decimals; the currency itself stands with the totals.
fn amount(money: Money) -> String {
    money.decimal().to_string().replace('-', "−")
}

fn with_currency(money: Money) -> String {
    format!("{} {}", amount(money), money.currency)
}

/// Net and tax by rate, where there is more than one.
fn rates(invoice: &Invoice) -> Result<Vec<Row>, Unprintable> {
    let mut sums: BTreeMap<(Decimal, Reason), (Money, Money)> = BTreeMap::new();
    for line in &invoice.lines {
        let zero = Money::zero(invoice.currency());
        let (base, tax) = sums.entry((line.percent, line.reason)).or_insert((zero, zero));
        (*base, *tax) = (base.plus(line.base)?, tax.plus(line.tax)?);
    }
    let row = |((percent, reason), (base, tax)): (&(Decimal, Reason), &(Money, Money))| {
        let said = format!("{} on {}", rate(*percent, *reason), with_currency(*base));
        (said, with_currency(*tax))
    };
    Ok(table(sums.iter().map(row).collect(), 300))
}

/// Two columns on the right: what it is, how much.
fn table(facts: Vec<(String, String)>, above: u64) -> Vec<Row> {
    let rows = facts.into_iter().enumerate().map(|(at, (said, amount))| {
        let (left, half) = (MARGIN.saturating_add(HALF).saturating_sub(400), HALF.saturating_add(400));
        let width = half.saturating_sub(1_050);
        let said = cell(said, left, width.saturating_sub(GAP), Role::RowHead);
        let amount = cell(amount, left.saturating_add(width), 1_050, Role::Data);
        let amount = Cell { right_aligned: true, ..amount };
        let (part, above) = if at == 0 { (Part::First, above) } else { (Part::Body, 15) };
        Row { cells: vec![said, amount], above, ruled: false, part }
    });
    rows.collect()
}

fn totals(invoice: &Invoice) -> Result<Vec<Row>, Unprintable> {
    let total = invoice.total()?;
    let mut facts = vec![
        ("Subtotal".to_owned(), with_currency(invoice.subtotal()?)),
        ("Tax".to_owned(), with_currency(invoice.tax()?)),
        ("Total".to_owned(), with_currency(total)),
    ];
    match invoice.kind {
        Kind::Invoice => {
            if invoice.credit.minor != 0 {
                facts.push(("Credit taken".to_owned(), with_currency(invoice.credit.negated())));
            }
            let void = matches!(invoice.stage, Stage::Void { .. });
            let due = if void { Money::zero(invoice.currency()) } else { invoice.due()? };
            facts.push((standing(&invoice.stage), with_currency(due)));
        }
        Kind::CreditNote => {
            facts.push(("Added to the subscription's credit".to_owned(), with_currency(total.negated())));
        }
    }
    let last = facts.len().saturating_sub(1);
    let rows = table(facts, 200).into_iter().enumerate();
    let strong = |row: Row| Row {
        cells: row.cells.into_iter().map(|cell| Cell { bold: true, ..cell }).collect(),
        ruled: true,
        ..row
    };
    Ok(rows.map(|(at, row)| if at == last { strong(row) } else { row }).collect())
}

fn standing(stage: &Stage) -> String {
    let on = |since: &Timestamp| since.to_zoned(TimeZone::UTC).date();
    match stage {
        Stage::Open | Stage::Uncollectible { .. } => "Due".to_owned(),
        Stage::Paid { since } => format!("Paid on {}", on(since)),
        Stage::Void { since } => format!("Void since {}, due", on(since)),
    }
}

/// What the law wants said in words.
fn notes(invoice: &Invoice) -> Vec<Row> {
    let mut said: Vec<&str> = Vec::new();
    if invoice.kind == Kind::CreditNote {
        said.push(
            "This credit note takes back what was charged for time that is not used. \
             It pays what comes next.",
        );
    }
    if invoice.lines.iter().any(|line| line.reason == Reason::ReverseCharge) {
        said.push("Reverse charge: the recipient owes the tax.");
    }
    said.into_iter()
        .enumerate()
        .map(|(at, note)| {
            let note = Cell { size: SMALL, ..paragraph(note) };
            text(vec![note], if at == 0 { 300 } else { 30 })
        })
        .collect()
}

#[cfg(test)]
mod tests;
