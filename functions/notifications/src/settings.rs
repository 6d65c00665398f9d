//! Who gets which message by which way: a marketplace's rules, and where a merchant reads.

use axum::extract::{Path, State};
use domain::id::MerchantId;
use domain::merchant::Merchant;
use domain::message::{Channel, Contact, Kind, RULES_MAX, Reader, Routing, Rule};
use domain::text::{Email, Locale};
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, World, change};
use events::Announced;
use events::merchant::MerchantContactChangedV1;
use events::message::MessageRoutingChangedV1;
use serde::{Deserialize, Serialize};
use table::message::{MerchantContact, MessageRouting};
use table::{Key, Story};

/// What stories of the rules are told under.
const SUBJECT: &str = "message-routing";
/// Addresses of one reader.
const EMAILS_MAX: usize = 10;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageRoute"))]
struct RuleBody {
    kind: Kind,
    reader: Reader,
    /// None: it is not written.
    channels: Vec<Channel>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageRouting"))]
pub(crate) struct RoutingBody {
    /// Where nothing is said, each kind goes by mail to whom it is made for.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = RULES_MAX)))]
    rules: Vec<RuleBody>,
    /// Where operators read; at most ten.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Email>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = EMAILS_MAX)))]
    operators: Vec<String>,
    /// Where answers go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Email>"))]
    reply_to: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MerchantContact"))]
pub(crate) struct ContactBody {
    /// At most ten; none: the merchant gets no messages.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Email>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = EMAILS_MAX)))]
    emails: Vec<String>,
    /// In which it reads, like `de-AT`; the marketplace's, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Locale>"))]
    locale: Option<String>,
    /// Before those of the marketplace; for its own messages only.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = RULES_MAX)))]
    rules: Vec<RuleBody>,
}

fn rules(check: &mut Check, bodies: &[RuleBody], own: bool) -> Vec<Rule> {
    if bodies.len() > RULES_MAX {
        check.wrong("rules", "range", format!("at most {RULES_MAX} rules"));
    }
    for (at, body) in bodies.iter().enumerate() {
        let (may, _) = body.kind.readers();
        if !may.contains(&body.reader) || (own && body.reader != Reader::Merchant) {
            let why = format!("`{}` does not go to such a reader here", body.kind.word());
            check.wrong(format!("rules[{at}].reader"), "reader", why);
        }
    }
    let rule =
        |body: &RuleBody| Rule { kind: body.kind, reader: body.reader, channels: body.channels.clone() };
    bodies.iter().map(rule).collect()
}

fn emails(check: &mut Check, field: &str, texts: &[String]) -> Vec<Email> {
    if texts.len() > EMAILS_MAX {
        check.wrong(field, "range", format!("at most {EMAILS_MAX} addresses"));
    }
    check.all(field, texts)
}

fn bodies(rules: &[Rule]) -> Vec<RuleBody> {
    let body =
        |rule: &Rule| RuleBody { kind: rule.kind, reader: rule.reader, channels: rule.channels.clone() };
    rules.iter().map(body).collect()
}

impl RoutingBody {
    fn of(routing: &Routing) -> Self {
        Self {
            rules: bodies(&routing.rules),
            operators: routing.operators.iter().map(ToString::to_string).collect(),
            reply_to: routing.reply_to.as_ref().map(ToString::to_string),
        }
    }

    fn read(&self) -> Result<Routing, Problem> {
        let mut check = Check::new();
        let routing = Routing {
            rules: rules(&mut check, &self.rules, false),
            operators: emails(&mut check, "operators", &self.operators),
            reply_to: check.maybe("reply_to", self.reply_to.as_deref()),
        };
        check.done()?;
        Ok(routing)
    }
}

impl ContactBody {
    fn of(contact: &Contact) -> Self {
        Self {
            emails: contact.emails.iter().map(ToString::to_string).collect(),
            locale: contact.locale.as_ref().map(ToString::to_string),
            rules: bodies(&contact.rules),
        }
    }

    fn read(&self) -> Result<Contact, Problem> {
        let mut check = Check::new();
        let contact = Contact {
            emails: emails(&mut check, "emails", &self.emails),
            locale: check.maybe::<Locale>("locale", self.locale.as_deref()),
            rules: rules(&mut check, &self.rules, true),
        };
        check.done()?;
        Ok(contact)
    }
}

/// Nothing is said at first: then every kind goes by mail to whom it is made for.
pub(crate) async fn show(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<RoutingBody>, Problem> {
    let held = world.table.load::<MessageRouting>(&Key::message_routing(&query.caller.marketplace)).await?;
    Ok(match held {
        Some(held) => Reply::ok(RoutingBody::of(&held.value.routing)).revision(held.revision()),
        None => Reply::ok(RoutingBody::of(&Routing::default())),
    })
}

pub(crate) async fn set(
    State(world): State<World>,
    command: Command<RoutingBody>,
) -> Result<Reply<RoutingBody>, Problem> {
    let thing = MessageRouting { routing: command.body.read()? };
    let rules = u16::try_from(thing.routing.rules.len()).unwrap_or(u16::MAX);
    let told = || Story::new([Announced::of(&MessageRoutingChangedV1 { rules })]);
    change::set(&world, &command, (&thing, SUBJECT), told, |kept| RoutingBody::of(&kept.routing)).await
}

/// The merchant, if the caller may see it.
fn reached(id: &str, covers: impl Fn(&MerchantId) -> bool) -> Result<MerchantId, Problem> {
    let none = || Problem::not_found("merchant");
    let id: MerchantId = id.parse().map_err(|_| none())?;
    if covers(&id) { Ok(id) } else { Err(none()) }
}

pub(crate) async fn contact(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ContactBody>, Problem> {
    let m = &query.caller.marketplace;
    let id = reached(&id, |id| query.reach.covers(id))?;
    let (merchant, own) = (Key::merchant(m, &id), Key::merchant_contact(m, &id));
    let mut read = world.table.read(&[merchant.clone(), own.clone()]).await?;
    read.take::<Merchant>(&merchant)?.ok_or_else(|| Problem::not_found("merchant"))?;
    Ok(match read.take::<MerchantContact>(&own)? {
        Some(held) => Reply::ok(ContactBody::of(&held.value.contact)).revision(held.revision()),
        None => Reply::ok(ContactBody::of(&Contact::default())),
    })
}

pub(crate) async fn set_contact(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ContactBody>,
) -> Result<Reply<ContactBody>, Problem> {
    let m = &command.caller.marketplace;
    let id = reached(&id, |id| command.reach.covers(id))?;
    let contact = command.body.read()?;
    let merchant = world.table.load::<Merchant>(&Key::merchant(m, &id)).await?;
    merchant.ok_or_else(|| Problem::not_found("merchant"))?;
    let subject = format!("{id}-contact");
    let told = || Story::new([Announced::of(&MerchantContactChangedV1 { merchant: id.clone() })]);
    let thing = MerchantContact { merchant: id.clone(), contact };
    change::set(&world, &command, (&thing, &subject), told, |kept| ContactBody::of(&kept.contact)).await
}
