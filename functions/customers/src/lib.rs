//! Customers: who has signed up, what they agree to, where things go, their orders; and how a person is forgotten.
//!
//! Routes: `/v1/customers…`. Reads: accounts, data keys, addresses to leave alone, agreements, store credit, orders
//! with who has ordered. Writes: accounts, data keys, the customer of an order that a guest has bought. Emits:
//! `customer.*.v1`, `order.claimed.v1`.
//!
//! A customer is whoever signs in with an issuer of the marketplace; the id follows from the token's subject. Before
//! sign-up there is no account: 404 `not_registered`. Name, e-mail, telephone and addresses lie sealed under a data key
//! of the customer's own, which a checkout makes too. Erasure deletes the key: accounts, and who has ordered, cannot be
//! read any more, in the table and in its copies; orders stay with amounts and ids (A16(3)). A cart that was left open
//! goes by itself, thirty days after its last edit. Whoever signs up again starts anew.
//!
//! Absent on purpose: a list of customers by name. There is nothing to search in what is sealed.

mod addresses;
mod claim;
mod credit;
mod erase;
mod orders;
mod profile;

use domain::customer::{Customer, Fact, Profile, Purpose, Stage};
use domain::id::{CustomerId, MarketplaceId};
use domain::message::{Suppressed, Suppression, digest_of};
use edge::sealed::{seal, unseal};
use edge::{Command, Function, Overtaken, Problem, Reply, Routes, World};
use events::customer::announce;
use jiff::Timestamp;
use serde::Serialize;
use table::person::{CustomerAccount, DataKey};
use table::{Commit, Held, Key, Story};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/customers/me", profile::me)
        .persons("customers.me", "The account of the person who has signed in")
        .create("/v1/customers/me", profile::register)
        .persons("customers.register", "A person signs up")
        .patch("/v1/customers/me", profile::change)
        .persons("customers.change", "Name, e-mail, telephone, language, and what is agreed to")
        .get("/v1/customers/me/addresses", addresses::list)
        .persons("customer_addresses.list", "Where things may go")
        .create("/v1/customers/me/addresses", addresses::add)
        .persons("customer_addresses.add", "One address more, in the spelling of its country")
        .post("/v1/customers/me/addresses/{address}/set", addresses::set)
        .persons("customer_addresses.set", "Another address in its place")
        .post("/v1/customers/me/addresses/{address}/remove", addresses::remove)
        .persons("customer_addresses.remove", "The address is forgotten")
        .post("/v1/customers/me/addresses/{address}/prefer", addresses::prefer)
        .persons("customer_addresses.prefer", "Where things go if nothing else is said")
        .get("/v1/customers/me/orders", orders::list)
        .persons("customer_orders.list", "The customer's orders, newest first")
        .get("/v1/customers/me/orders/{id}", orders::one)
        .persons("customer_orders.show", "An order of the customer, with the link to its page")
        .get("/v1/customers/me/store-credit", credit::show)
        .persons("customers.store_credit", "What refunds have given the customer to spend here")
        .post("/v1/customers/me/claim-order", claim::claim)
        .persons("customer_orders.claim", "What was bought as a guest becomes the customer's")
        .post("/v1/customers/me/erase", erase::me)
        .persons("customers.erase_me", "Nobody can read any more who the customer was")
        .get("/v1/customers/{id}", profile::one)
        .operators("customers:read", "customers.show", "A customer's account")
        .post("/v1/customers/{id}/erase", erase::one)
        .operators("customers:write", "customers.erase", "Nobody can read any more who the customer was");
    Function::new("customers", world).routes(routes)
}

/// What is known of a customer.
struct Known {
    account: Option<Held<CustomerAccount>>,
    key: Option<DataKey>,
    /// None where there is no account, or where nobody can read it any more.
    profile: Option<Profile>,
}

/// An account that can be read.
struct Registered {
    account: Held<CustomerAccount>,
    key: DataKey,
    profile: Profile,
}

fn not_registered() -> Problem {
    Problem::new(404, "not_registered", "There is no account").with("sign up with POST /v1/customers/me")
}

async fn load(world: &World, m: &MarketplaceId, id: &CustomerId) -> Result<Known, Problem> {
    let (mut account, key) = world.table.customer_account(m, id).await?;
    let registered = account.as_ref().filter(|held| match held.value.customer.stage {
        Stage::Registered { .. } => true,
        Stage::Erased { .. } => false,
    });
    let sealed = registered.and_then(|held| held.value.sealed.as_ref()).zip(key.as_ref());
    let profile = sealed.and_then(|(sealed, key)| unseal::<Profile>(key, id.as_str(), sealed));
    if let (Some(held), Some(profile)) = (&mut account, &profile)
        && held.value.customer.agrees(Purpose::MarketingEmail)
        && let Some(at) = stopped_at(world, m, profile).await?
    {
        held.value.customer = held.value.customer.clone().stopped(at);
    }
    Ok(Known { account, key, profile })
}

/// When whoever reads the account's mail has said by a message's link that it is enough.
async fn stopped_at(world: &World, m: &MarketplaceId, of: &Profile) -> Result<Option<Timestamp>, Problem> {
    let Some(digest) = digest_of(&of.email) else { return Ok(None) };
    let held = world.table.load::<Suppression>(&Key::suppression(m, &digest)).await?;
    let stop = held.map(|held| held.value).filter(|stop| stop.why == Suppressed::Unsubscribed);
    Ok(stop.map(|stop| stop.at))
}

impl Known {
    fn registered(self) -> Result<Registered, Problem> {
        match (self.account, self.key, self.profile) {
            (Some(account), Some(key), Some(profile)) => Ok(Registered { account, key, profile }),
            (Some(_) | None, Some(_) | None, Some(_) | None) => Err(not_registered()),
        }
    }
}

/// The account as it is to be kept.
fn sealed(
    world: &World,
    key: &DataKey,
    customer: Customer,
    profile: &Profile,
) -> Result<CustomerAccount, Problem> {
    let sealed = Some(seal(world, key, customer.id.as_str(), profile)?);
    Ok(CustomerAccount { customer, sealed })
}

/// The caller's account, changed: what was agreed to is told, the rest is nobody's business.
async fn amend<T, V: Serialize>(
    world: &World,
    command: &Command<T>,
    decide: impl Fn(&Customer, &Profile, Timestamp) -> Result<(Profile, Option<Fact>), Problem>,
    show: impl Fn(&Customer, &Profile) -> V,
) -> Result<Reply<V>, Problem> {
    let m = &command.caller.marketplace;
    let id = command.caller.customer()?;
    world
        .until_free(|| async {
            let Registered { account, key, profile } = load(world, m, &id).await?.registered()?;
            let (customer, revision, now) = (&account.value.customer, account.revision(), world.now());
            let as_it_is = || Ok(Reply::ok(show(customer, &profile)).revision(revision).replayed());
            let decided = decide(customer, &profile, now);
            let differs = |(next, fact): &(Profile, Option<Fact>)| *next != profile || fact.is_some();
            if command.repeats(world, revision, decided.as_ref().is_ok_and(differs)).await? {
                return as_it_is();
            }
            let decided = decided?;
            if !differs(&decided) {
                return as_it_is();
            }
            let (next, fact) = decided;
            let context = command.context(now);
            let commit = Commit::new(m, &context);
            let after = fact.iter().fold(customer.clone(), Customer::apply);
            let kept = sealed(world, &key, after.clone(), &next)?;
            let commit = match &fact {
                Some(fact) => {
                    let story = Story::new([announce(&id, fact)]);
                    commit.change(&account, &kept, id.as_str(), story)
                }
                None => commit.replace(&account, &kept),
            };
            command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(show(&after, &next)).revision(account.next_step()))
        })
        .await
}
