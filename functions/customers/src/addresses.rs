//! A customer's addresses: at most twenty, each in the spelling of its country.

use crate::{amend, load};
use axum::extract::{Path, State};
use domain::address::Address;
use domain::customer::{AddressBook, Profile, Refused};
use edge::address::AddressBody;
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, World};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AddressBook"))]
pub(crate) struct BookView {
    /// In the order in which they came.
    items: Vec<AddressEntry>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct AddressEntry {
    /// Its number in paths; never given again.
    number: u16,
    /// Where things go if nothing else is said.
    default: bool,
    address: AddressBody,
}

impl AddressEntry {
    pub(crate) fn all(book: &AddressBook) -> Vec<Self> {
        let entry = |entry: &domain::customer::Entry| Self {
            number: entry.number,
            default: book.default == Some(entry.number),
            address: AddressBody::of(entry.address.clone()),
        };
        book.entries.iter().map(entry).collect()
    }
}

fn view(book: &AddressBook) -> BookView {
    BookView { items: AddressEntry::all(book) }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct AddAddress {
    address: AddressBody,
    /// Whether things go there if nothing else is said; the first one is the default anyway.
    #[serde(default)]
    default: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetAddress {
    address: AddressBody,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NoWords"))]
pub(crate) struct Nothing {}

fn read(body: &AddressBody) -> Result<Address, Problem> {
    let mut check = Check::new();
    let address = body.read(&mut check, "address.");
    check.done()?;
    address.map(|checked| checked.address).ok_or_else(Problem::internal)
}

/// What is no number is the number of no address.
fn number(text: &str) -> Result<u16, Problem> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| Problem::not_found("address"))
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<BookView>, Problem> {
    let id = query.caller.customer()?;
    let found = load(&world, &query.caller.marketplace, &id).await?.registered()?;
    Ok(Reply::ok(view(&found.profile.book)).revision(found.account.revision()))
}

async fn write<T>(
    world: &World,
    command: &Command<T>,
    next: impl Fn(&AddressBook) -> Result<AddressBook, Refused>,
) -> Result<Reply<BookView>, Problem> {
    amend(
        world,
        command,
        |_, profile, _| Ok((Profile { book: next(&profile.book)?, ..profile.clone() }, None)),
        |_, profile| view(&profile.book),
    )
    .await
}

pub(crate) async fn add(
    State(world): State<World>,
    command: Command<AddAddress>,
) -> Result<Reply<BookView>, Problem> {
    let (address, default) = (read(&command.body.address)?, command.body.default);
    write(&world, &command, |book| book.add(address.clone(), default)).await.map(Reply::making)
}

pub(crate) async fn set(
    State(world): State<World>,
    Path(address): Path<String>,
    command: Command<SetAddress>,
) -> Result<Reply<BookView>, Problem> {
    let (number, address) = (number(&address)?, read(&command.body.address)?);
    write(&world, &command, |book| book.set(number, address.clone())).await
}

pub(crate) async fn remove(
    State(world): State<World>,
    Path(address): Path<String>,
    command: Command<Nothing>,
) -> Result<Reply<BookView>, Problem> {
    let number = number(&address)?;
    write(&world, &command, |book| book.remove(number)).await
}

pub(crate) async fn prefer(
    State(world): State<World>,
    Path(address): Path<String>,
    command: Command<Nothing>,
) -> Result<Reply<BookView>, Problem> {
    let number = number(&address)?;
    write(&world, &command, |book| book.prefer(number)).await
}
