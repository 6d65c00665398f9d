//! In and out of a function: everything that touches the outside besides the table.
//!
//! A [`Function`] has doors (routes, events, a stream, schedules) and is called with the JSON that AWS sends. Its
//! handlers get a [`World`]: table, clock, ids, SDK configuration, environment. Absent on purpose: business rules.
//!
//! `world.rs` what a handler may reach · `function.rs` doors and dispatch · `routes.rs` who may come in and to whom it
//! leads · `command.rs` a request that changes something, `change.rs` the common way of one, `precondition.rs` its
//! If-Match · `query.rs` one that reads · `identity.rs` who asks and what they may · `problem.rs` every "no" ·
//! `queue.rs` why a message must come again · `stream.rs` items that could never be handled · `due.rs` work that has
//! fallen due · `check.rs` words of a body, checked all at once · `cardless.rs` bodies where people pay ·
//! `address.rs` and `area.rs` those of places · `rules.rs` fee rules in a body · `sealed.rs` personal data and
//! an order's link · `labels.rs` what things are called by language · `links.rs` links in messages ·
//! `objects.rs` structs are read from objects alone ·
//! `sheet.rs` what a product says · `signed.rs` messages that prove their sender · `shopping.rs` what cart and checkout
//! share · `shown.rs` what everybody may fetch of assets · `clock.rs` where "now" comes from · `fetch.rs` a text from
//! an address · `aws_call.rs` one signed call of a service

pub mod address;
pub mod area;
pub mod aws_call;
pub mod billing;
pub mod cardless;
pub mod change;
pub mod check;
pub mod clock;
pub mod command;
pub mod due;
pub mod fetch;
pub mod function;
pub mod identity;
pub mod labels;
pub mod links;
pub mod problem;
pub mod query;
pub mod queue;
pub mod routes;
pub mod rules;
pub mod sealed;
pub mod sheet;
pub mod shopping;
pub mod shown;
pub mod signed;
pub mod stream;
pub mod subscribing;
pub mod world;

mod objects;
mod precondition;

pub use area::AreaBody;
pub use cardless::Cardless;
pub use check::Check;
pub use clock::Clock;
pub use command::{Command, Overtaken, Reply};
pub use function::Function;
pub use identity::Caller;
pub use problem::Problem;
pub use query::{Listing, PageOf, PageOfKeeper, Query};
pub use queue::Again;
pub use routes::Routes;
pub use rules::RuleBody;
pub use world::World;

/// The chain of causes on one line: each error says its part, none repeats its source.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
