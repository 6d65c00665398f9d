//! A request that reads: who asks, and for lists which page.

use crate::check::Check;
use crate::identity::{Caller, Reach};
use crate::problem::Problem;
use crate::routes::Admitted;
use crate::world::World;
use axum::extract::FromRequestParts;
use domain::id::{CustomerId, MerchantId};
use http::request::Parts;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use table::{Cursor, Page};

/// A request without a body: the caller and the parameters of the query string.
#[derive(Debug, Clone)]
pub struct Query<T> {
    pub caller: Caller,
    /// Whose objects the operation's scope lets the caller see.
    pub reach: Reach,
    pub parameters: T,
}

/// For requests without parameters; any is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct None {}

impl<T: DeserializeOwned + Send> FromRequestParts<World> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &World) -> Result<Self, Problem> {
        let Admitted { caller, reach } = Admitted::of(&mut parts.extensions)?;
        let parameters = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        let axum::extract::Query(parameters) =
            parameters.map_err(|error| Problem::malformed(error.body_text()))?;
        Ok(Self { caller, reach, parameters })
    }
}

impl<T> Query<T> {
    /// Which customer's things are asked for: the one that is named, else the caller's own; none where an operator asks
    /// for all. Another's are not there.
    pub fn whose(&self, check: &mut Check, named: Option<&str>) -> Result<Option<CustomerId>, Problem> {
        match named.map(|text| check.parse::<CustomerId>("customer", text)) {
            Some(Some(customer)) if !self.caller.owns(&self.reach, &customer) => {
                Err(Problem::not_found("customer"))
            }
            Some(customer) => Ok(customer),
            Option::None if self.reach == Reach::All => Ok(Option::None),
            Option::None => self.caller.customer().map(Some),
        }
    }
}

/// The parameters of a list that can only be paged.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PageOf {
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

impl PageOf {
    /// The page that is asked for, or a 422.
    pub fn read(&self) -> Result<Paging, Problem> {
        let mut check = Check::new();
        let paging = Paging::read(&mut check, self.limit.as_deref(), self.cursor.as_deref());
        check.done()?;
        Ok(paging)
    }
}

/// The parameters of a list of what one merchant keeps, or the marketplace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PageOfKeeper {
    /// A merchant's; the marketplace's own, if an operator does not say it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

impl Query<PageOfKeeper> {
    /// Whose things are asked for (none: the marketplace's), and which page of them.
    pub fn kept(&self) -> Result<(Option<MerchantId>, Paging), Problem> {
        let PageOfKeeper { merchant, limit, cursor } = &self.parameters;
        let mut check = Check::new();
        let paging = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
        let merchant = self.reach.keeper(&mut check, merchant.as_deref())?;
        check.done()?;
        Ok((merchant, paging))
    }
}

/// Which page of a list: 1 to 100 items (20 if not said), after a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    pub limit: u16,
    pub after: Option<Cursor>,
}

impl Paging {
    /// Reads `limit` and `cursor` as they stand in a query string.
    pub fn read(check: &mut Check, limit: Option<&str>, cursor: Option<&str>) -> Self {
        let limit = match limit.map(str::parse::<u16>) {
            Option::None => 20,
            Some(Ok(limit)) if (1..=100).contains(&limit) => limit,
            Some(_) => {
                check.wrong("limit", "range", "want a whole number from 1 to 100");
                20
            }
        };
        let after = cursor.and_then(|text| {
            let cursor = Cursor::parse(text);
            if cursor.is_none() {
                check.wrong("cursor", "format", "want the `next` of an earlier page");
            }
            cursor
        });
        Self { limit, after }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "{T}Page"))]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// The `cursor` of the next page; absent on the last one. A page may be short or empty and still have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Listing<T> {
    pub fn of<S>(page: Page<S>, show: impl Fn(S) -> T) -> Self {
        let next = page.next.map(|cursor| cursor.to_string());
        Self { items: page.items.into_iter().map(show).collect(), next }
    }
}
