//! Signing up, and what an account says of its person.

use crate::addresses::AddressEntry;
use crate::{Known, amend, load, not_registered, sealed};
use axum::extract::{Path, State};
use domain::Decision;
use domain::customer::{AddressBook, Customer, Fact, Profile, Purpose, Stage, consent};
use domain::id::CustomerId;
use domain::text::{Email, Locale, PersonName, Word};
use edge::query::None as NoParameters;
use edge::sealed::data_key;
use edge::{Check, Command, Overtaken, Problem, Query, Reply, World};
use events::customer::announce;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use table::{Commit, Story};

type Answer = Result<Reply<CustomerView>, Problem>;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Customer"))]
pub(crate) struct CustomerView {
    id: String,
    /// `registered`; `no_account` of whom something was bought without one; `erased`.
    status: &'static str,
    /// Since when it is so, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// A BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    /// What was said to each purpose; of what is not here nothing was said, which is a no.
    consents: Vec<ConsentView>,
    addresses: Vec<AddressEntry>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Consent"))]
struct ConsentView {
    purpose: Purpose,
    given: bool,
    /// When it was said.
    at: String,
    /// What was said before, the last ten, oldest first.
    before: Vec<SaidView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConsentSaid"))]
struct SaidView {
    given: bool,
    at: String,
}

fn consents(customer: &Customer) -> Vec<ConsentView> {
    let view = |purpose: Purpose| {
        let said = customer.consents.iter().filter(|consent| consent.purpose == purpose);
        let mut said: Vec<SaidView> =
            said.map(|consent| SaidView { given: consent.given, at: consent.at.to_string() }).collect();
        let SaidView { given, at } = said.pop()?;
        Some(ConsentView { purpose, given, at, before: said })
    };
    Purpose::ALL.into_iter().filter_map(view).collect()
}

impl CustomerView {
    pub(crate) fn of(customer: &Customer, profile: &Profile) -> Self {
        let Profile { name, email, phone, locale, book } = profile;
        Self {
            name: Some(name.to_string()),
            email: Some(email.to_string()),
            phone: phone.as_ref().map(ToString::to_string),
            locale: locale.as_ref().map(ToString::to_string),
            consents: consents(customer),
            addresses: AddressEntry::all(book),
            ..Self::without_profile(&customer.id, Some(customer))
        }
    }

    /// Of whom nothing can be read.
    pub(crate) fn without_profile(id: &CustomerId, customer: Option<&Customer>) -> Self {
        let (status, since) = match customer.map(|customer| &customer.stage) {
            Some(Stage::Registered { since }) => ("registered", Some(since)),
            Some(Stage::Erased { since }) => ("erased", Some(since)),
            None => ("no_account", None),
        };
        Self {
            id: id.to_string(),
            status,
            since: since.map(ToString::to_string),
            name: None,
            email: None,
            phone: None,
            locale: None,
            consents: Vec::new(),
            addresses: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SignUp {
    #[cfg_attr(feature = "schema", schemars(with = "PersonName"))]
    name: String,
    #[cfg_attr(feature = "schema", schemars(with = "Email"))]
    email: String,
    #[serde(default)]
    phone: Option<String>,
    /// A BCP 47 tag: `de-AT`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Locale>"))]
    locale: Option<String>,
    #[serde(default)]
    consents: ConsentsBody,
}

/// What is absent stays as it is; null takes out what may be absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ChangeCustomer {
    #[cfg_attr(feature = "schema", schemars(with = "Option<PersonName>"))]
    name: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Option<Email>"))]
    email: Option<String>,
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    phone: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Locale>"))]
    locale: Option<Option<String>>,
    consents: ConsentsBody,
}

/// A yes or a no to each purpose that something is said to now.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SayConsents"))]
struct ConsentsBody {
    marketing_email: Option<bool>,
    marketing_phone: Option<bool>,
    personalization: Option<bool>,
}

impl ConsentsBody {
    fn said(&self) -> Vec<(Purpose, bool)> {
        let said = |purpose: Purpose| {
            let given = match purpose {
                Purpose::MarketingEmail => self.marketing_email,
                Purpose::MarketingPhone => self.marketing_phone,
                Purpose::Personalization => self.personalization,
            };
            Some((purpose, given?))
        };
        Purpose::ALL.into_iter().filter_map(said).collect()
    }
}

/// A member that is there, null or not.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn phone(check: &mut Check, text: Option<&str>) -> Option<Word> {
    domain::address::phone(text?).map_err(|error| check.wrong("phone", "format", error)).ok()
}

impl SignUp {
    fn read(&self) -> Result<Profile, Problem> {
        let mut check = Check::new();
        let name = check.parse::<PersonName>("name", &self.name);
        let email = check.parse::<Email>("email", &self.email);
        let phone = phone(&mut check, self.phone.as_deref());
        let locale = check.maybe::<Locale>("locale", self.locale.as_deref());
        check.done()?;
        let (Some(name), Some(email)) = (name, email) else { return Err(Problem::internal()) };
        Ok(Profile { name, email, phone, locale, book: AddressBook::default() })
    }

    /// Whether this is what an account says already.
    fn is_said(&self, asked: &Profile, customer: &Customer, known: &Profile) -> bool {
        let same = Profile { book: known.book.clone(), ..asked.clone() } == *known;
        same && consent(customer, &self.consents.said(), Timestamp::UNIX_EPOCH) == Decision::Already
    }
}

/// Signs up. Who asks again for what is there finds it; another account of the same person is a 409.
pub(crate) async fn register(State(world): State<World>, command: Command<SignUp>) -> Answer {
    let asked = command.body.read()?;
    world.until_free(|| sign_up(&world, &command, &asked)).await
}

async fn sign_up(world: &World, command: &Command<SignUp>, asked: &Profile) -> Answer {
    let (m, id, now) = (&command.caller.marketplace, command.caller.customer()?, world.now());
    let Known { account, key, profile } = load(world, m, &id).await?;
    let before = command.before(world, profile.is_none()).await?;
    match (account.as_ref().zip(profile.as_ref()), before) {
        (Some((held, known)), before) => {
            if before.is_none() && !command.body.is_said(asked, &held.value.customer, known) {
                return Err(Problem::new(409, "already_registered", "There is an account already")
                    .with("change it with PATCH /v1/customers/me"));
            }
            let view = CustomerView::of(&held.value.customer, known);
            return Ok(Reply::ok(view).revision(held.revision()).replayed());
        }
        // Asked before, and erased since.
        (None, Some(_)) => return Err(not_registered()),
        (None, None) => {}
    }
    let mut facts = vec![Fact::Registered { at: now }];
    let mut customer = Customer::registered(id.clone(), now);
    if let Decision::New(fact) = consent(&customer, &command.body.consents.said(), now) {
        customer = customer.apply(&fact);
        facts.push(fact);
    }
    let context = command.context(now);
    let mut commit = Commit::new(m, &context);
    let key = match key {
        Some(key) => key,
        None => {
            let key = data_key(world, &id).map_err(|error| Problem::fault(&error))?;
            commit = commit.add(&key, Overtaken);
            key
        }
    };
    let kept = sealed(world, &key, customer.clone(), asked)?;
    let story = Story::new(facts.iter().map(|fact| announce(&id, fact)));
    let revision = account.as_ref().map_or(1, table::Held::next_step);
    commit = match &account {
        Some(held) => commit.change(held, &kept, id.as_str(), story),
        None => commit.begin(&kept, id.as_str(), story, Overtaken),
    };
    command.remember(commit, now, 201, id.as_str(), Overtaken).send(&world.table).await?;
    Ok(Reply::created(CustomerView::of(&customer, asked)).revision(revision))
}

/// The parts of a profile that a PATCH may change, read before anything is loaded.
struct Changes {
    name: Option<PersonName>,
    email: Option<Email>,
    phone: Option<Option<Word>>,
    locale: Option<Option<Locale>>,
}

impl ChangeCustomer {
    fn read(&self) -> Result<Changes, Problem> {
        let mut check = Check::new();
        let name = check.maybe::<PersonName>("name", self.name.as_deref());
        let email = check.maybe::<Email>("email", self.email.as_deref());
        let phone = self.phone.as_ref().map(|text| phone(&mut check, text.as_deref()));
        let locale = self.locale.as_ref().map(|text| check.maybe::<Locale>("locale", text.as_deref()));
        check.done()?;
        Ok(Changes { name, email, phone, locale })
    }
}

pub(crate) async fn change(State(world): State<World>, command: Command<ChangeCustomer>) -> Answer {
    let changes = command.body.read()?;
    let said = command.body.consents.said();
    amend(
        &world,
        &command,
        |customer, profile, now| {
            let Changes { name, email, phone, locale } = &changes;
            let next = Profile {
                name: name.clone().unwrap_or_else(|| profile.name.clone()),
                email: email.clone().unwrap_or_else(|| profile.email.clone()),
                phone: phone.clone().unwrap_or_else(|| profile.phone.clone()),
                locale: locale.clone().unwrap_or_else(|| profile.locale.clone()),
                book: profile.book.clone(),
            };
            let fact = match consent(customer, &said, now) {
                Decision::New(fact) => Some(fact),
                Decision::Already => None,
            };
            Ok((next, fact))
        },
        CustomerView::of,
    )
    .await
}

pub(crate) async fn me(State(world): State<World>, query: Query<NoParameters>) -> Answer {
    let id = query.caller.customer()?;
    let found = load(&world, &query.caller.marketplace, &id).await?.registered()?;
    let view = CustomerView::of(&found.account.value.customer, &found.profile);
    Ok(Reply::ok(view).revision(found.account.revision()))
}

/// Also of whom has bought without an account, and of whom is erased: then there is no more to see than that.
pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Answer {
    let id: CustomerId = id.parse().map_err(|_| Problem::not_found("customer"))?;
    let Known { account, key, profile } = load(&world, &query.caller.marketplace, &id).await?;
    if account.is_none() && key.is_none() {
        return Err(Problem::not_found("customer"));
    }
    let customer = account.as_ref().map(|held| &held.value.customer);
    let view = match (customer, &profile) {
        (Some(customer), Some(profile)) => CustomerView::of(customer, profile),
        (Some(_) | None, Some(_) | None) => CustomerView::without_profile(&id, customer),
    };
    Ok(match &account {
        Some(held) => Reply::ok(view).revision(held.revision()),
        None => Reply::ok(view),
    })
}
