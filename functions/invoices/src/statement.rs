//! A customer's statement between two days.

use axum::extract::State;
use domain::invoice::statement::{Account, Entry, What, statement};
use edge::{Check, Problem, Query, Reply, World};
use events::Amount;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// A year, leap days and both ends included.
const DAYS_MAX: i32 = 367;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StatementOf"))]
pub(crate) struct Of {
    /// Whose; a customer who has signed in may leave it out.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::CustomerId>"))]
    customer: Option<String>,
    /// The first day, in UTC.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Day"))]
    from_day: String,
    /// The last day, at most a year later.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Day"))]
    to_day: String,
}

/// What was invoiced, credited and paid.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Statement"))]
pub(crate) struct StatementView {
    customer: String,
    from_day: String,
    to_day: String,
    /// One for each currency that the customer was invoiced in.
    accounts: Vec<AccountView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StatementAccount"))]
struct AccountView {
    currency: String,
    /// Owed before the first day; less than zero is credit of the customer's.
    opening: Amount,
    entries: Vec<EntryView>,
    /// Owed after the last day.
    closing: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StatementEntry"))]
struct EntryView {
    at: String,
    what: What,
    invoice: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    /// By which what is owed grows; less than zero where it falls.
    amount: Amount,
    /// Owed after it.
    balance: Amount,
}

impl EntryView {
    fn of(entry: Entry) -> Self {
        Self {
            at: entry.at.to_string(),
            what: entry.what,
            invoice: entry.document.to_string(),
            number: entry.number.map(|number| number.to_string()),
            amount: entry.amount.into(),
            balance: entry.balance.into(),
        }
    }
}

pub(crate) async fn show(
    State(world): State<World>,
    query: Query<Of>,
) -> Result<Reply<StatementView>, Problem> {
    let (m, of) = (&query.caller.marketplace, &query.parameters);
    let mut check = Check::new();
    let customer = query.whose(&mut check, of.customer.as_deref())?;
    if customer.is_none() && of.customer.is_none() {
        check.wrong("customer", "required", "say whose");
    }
    let from = check.parse::<Date>("from_day", &of.from_day);
    let to = check.parse::<Date>("to_day", &of.to_day);
    if let (Some(from), Some(to)) = (from, to)
        && !(0..DAYS_MAX).contains(&to.since(from).map_or(DAYS_MAX, |span| span.get_days()))
    {
        check.wrong("to_day", "range", "want a day from `from_day` to a year later");
    }
    check.done()?;
    let (Some(customer), Some(from), Some(to)) = (customer, from, to) else {
        return Err(Problem::internal());
    };
    let documents = world.table.documents_of_customer(m, &customer).await?;
    let documents: Vec<_> = documents.into_iter().map(|held| held.value).collect();
    let accounts = statement(&documents, (begin(from), begin(to.saturating_add(1.day()))))?;
    let shown = accounts.into_iter().map(|(currency, account)| {
        let Account { opening, entries, closing } = account;
        AccountView {
            currency: currency.code().to_owned(),
            opening: opening.into(),
            entries: entries.into_iter().map(EntryView::of).collect(),
            closing: closing.into(),
        }
    });
    Ok(Reply::ok(StatementView {
        customer: customer.to_string(),
        from_day: from.to_string(),
        to_day: to.to_string(),
        accounts: shown.collect(),
    }))
}

fn begin(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}
