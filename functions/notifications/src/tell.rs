//! From an occasion to letters: whom it concerns, whether they may be written to, and each letter once.
//!
//! 1. rules say by which ways the kind goes to which readers; each address is looked up when it is needed;
//! 2. consent and the list of addresses to leave alone are looked at now, not when the occasion arose (A16(1));
//! 3. the intent is committed, 4. the carrier is called, 5. what became of it is kept.
//!
//! A crash between 3 and 5 leaves an intent of which nobody knows: `domain::message::again` says what is done with it.

use crate::desk::{Desk, Offered};
use crate::facts::{Between, Facts, Known};
use crate::mail::{Carried, Letter, carry};
use crate::render::{Rendered, render};
use crate::words;
use domain::cart::Cart;
use domain::customer::{Customer, Person, Profile, Purpose, Stage as CustomerStage};
use domain::id::{CustomerId, MarketplaceId, MerchantId, MessageId, OfferId, OrderId, sha256_hex};
use domain::marketplace::Marketplace;
use domain::message::{
    Because, Channel, Contact, Kind, Message, Nature, Next, NotSent, Reader, Recipient, Routing, Said, Stage,
    Suppression, again, channels, digest_of, locales, may_write, over,
};
use domain::text::{Email, Sha256};
use edge::links::{self, Link, Purpose as For};
use edge::sealed::{seal, unseal};
use edge::{Again, World};
use events::{Envelope, Payload};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use table::message::{KeptMessage, MerchantContact, MessageRouting, MessageTemplate, Source, Words};
use table::person::{CustomerAccount, DataKey, OrderPerson};
use table::{Held, Key};

/// A way out must be good as long as a message is kept.
const WAY_OUT: SignedDuration = domain::message::KEPT;

/// What a message tells of.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    /// The event's id: names the message.
    pub(crate) event: String,
    pub(crate) of: &'static str,
}

impl Cause {
    pub(crate) fn of<P: Payload>(event: &Envelope<P>) -> Self {
        Self { event: event.id.clone(), of: P::NAME }
    }
}

/// Whom it concerns.
#[derive(Debug, Clone)]
pub(crate) enum Concerns {
    /// Whoever has ordered: with an account, or a guest.
    Order(OrderId, CustomerId),
    Customer(CustomerId),
    Cart(Box<Cart>),
    Merchant(MerchantId),
    /// Nobody but those who run it.
    Marketplace,
}

impl Concerns {
    /// What says who that is.
    fn keys(&self, m: &MarketplaceId) -> Vec<Key> {
        let customer = |customer| [Key::customer(m, customer), Key::data_key(m, customer)];
        match self {
            Self::Order(order, of) => [Key::order_person(m, order)].into_iter().chain(customer(of)).collect(),
            Self::Customer(of) => customer(of).into(),
            Self::Cart(cart) => cart.customer.iter().flat_map(customer).collect(),
            Self::Merchant(merchant) => vec![Key::merchant_contact(m, merchant)],
            Self::Marketplace => Vec::new(),
        }
    }
}

/// An occasion for a message.
#[derive(Debug, Clone)]
pub(crate) struct Telling {
    pub(crate) kind: Kind,
    pub(crate) concerns: Concerns,
    pub(crate) known: Known,
    /// What it tells of has gone on: nothing is begun, and what is under way has its end.
    over: bool,
}

impl Telling {
    pub(crate) fn of(kind: Kind, concerns: Concerns, known: Known) -> Self {
        Self { kind, concerns, known, over: false }
    }

    pub(crate) fn over(kind: Kind, concerns: Concerns) -> Self {
        Self { kind, concerns, known: Known::default(), over: true }
    }
}

/// Somebody at an address.
#[derive(Debug, Clone)]
struct Addressee {
    to: Recipient,
    email: Option<Email>,
    phone: Option<String>,
    name: Option<String>,
    locale: Option<String>,
    /// What the words are sealed with.
    key: Option<DataKey>,
    said: Option<Said>,
}

/// What all readers share.
#[derive(Debug)]
struct Around {
    marketplace: Marketplace,
    routing: Routing,
    contact: Option<Contact>,
    /// Where links in messages lead.
    shop: String,
}

impl Around {
    async fn of(desk: &mut Desk<'_>, merchant: Option<&MerchantId>) -> Result<Self, Again> {
        let contact = match merchant {
            Some(merchant) => desk.value(&Key::merchant_contact(desk.m, merchant)).await?,
            None => None,
        };
        let contact = contact.map(|kept: MerchantContact| kept.contact);
        let routing = desk.value(&Key::message_routing(desk.m)).await?;
        let routing = routing.map(|kept: MessageRouting| kept.routing).unwrap_or_default();
        Ok(Self { routing, contact, shop: desk.shop().await?, marketplace: desk.marketplace().await? })
    }
}

/// Writes to everybody whom an occasion concerns; each once, however often this is called.
pub(crate) async fn tell(desk: &mut Desk<'_>, cause: &Cause, telling: &Telling) -> Result<(), Again> {
    let merchant = match &telling.concerns {
        Concerns::Merchant(merchant) => Some(merchant),
        Concerns::Order(..) | Concerns::Customer(_) | Concerns::Cart(_) | Concerns::Marketplace => None,
    };
    desk.wants(telling.concerns.keys(desk.m));
    if telling.kind.nature() != Nature::Service {
        desk.wants([Key::link_secret(desk.m)]);
    }
    let around = Around::of(desk, merchant).await?;
    let offers = telling.known.lines.iter().filter_map(|line| line.offer.clone()).collect();
    let offered = desk.products(offers).await?;
    let (readers, _) = telling.kind.readers();
    for reader in readers {
        let (ways, because) = channels(telling.kind, *reader, &around.routing, around.contact.as_ref());
        if ways.is_empty() {
            continue;
        }
        for addressee in addressees(desk, &around, *reader, &telling.concerns).await? {
            let post = Post { cause, telling, around: &around, addressee: &addressee, offered: &offered };
            for channel in &ways {
                post.one(desk, *channel, because).await?;
            }
        }
    }
    Ok(())
}

async fn addressees(
    desk: &mut Desk<'_>,
    around: &Around,
    reader: Reader,
    concerns: &Concerns,
) -> Result<Vec<Addressee>, Again> {
    let at = |to: Recipient, email: &Email, locale: Option<String>| Addressee {
        to,
        email: Some(email.clone()),
        phone: None,
        name: None,
        locale,
        key: None,
        said: None,
    };
    match (reader, concerns) {
        (Reader::Operators, _) => {
            Ok(around.routing.operators.iter().map(|email| at(Recipient::Operators, email, None)).collect())
        }
        (Reader::Merchant, Concerns::Merchant(merchant)) => {
            let contact = around.contact.clone().unwrap_or_default();
            let locale = contact.locale.map(String::from);
            let to = || Recipient::Merchant { merchant: merchant.clone() };
            Ok(contact.emails.iter().map(|email| at(to(), email, locale.clone())).collect())
        }
        (Reader::Customer, Concerns::Order(order, customer)) => {
            Ok(customer_of(desk, customer, Some(order)).await?.into_iter().collect())
        }
        (Reader::Customer, Concerns::Customer(customer)) => {
            Ok(customer_of(desk, customer, None).await?.into_iter().collect())
        }
        (Reader::Customer, Concerns::Cart(cart)) => Ok(owner_of(desk, cart).await?.into_iter().collect()),
        (Reader::Merchant | Reader::Customer, _) => Ok(Vec::new()),
    }
}

fn said(customer: &Customer) -> Option<Said> {
    customer.said(Purpose::MarketingEmail).map(|said| Said { given: said.given, at: said.at })
}

/// By the profile where there is an account, else by what was said with the order; none after an erasure.
async fn customer_of(
    desk: &mut Desk<'_>,
    customer: &CustomerId,
    order: Option<&OrderId>,
) -> Result<Option<Addressee>, Again> {
    let m = desk.m;
    let (account, key) = (Key::customer(m, customer), Key::data_key(m, customer));
    let Some(data_key) = desk.value::<DataKey>(&key).await? else { return Ok(None) };
    let account: Option<CustomerAccount> = desk.value(&account).await?;
    let person = match order {
        Some(order) => {
            let kept: Option<OrderPerson> = desk.value(&Key::order_person(m, order)).await?;
            kept.and_then(|kept| unseal::<Person>(&data_key, order.as_str(), &kept.sealed))
        }
        None => None,
    };
    let profile = account.as_ref().and_then(|account| account.sealed.as_ref());
    let profile = profile.and_then(|sealed| unseal::<Profile>(&data_key, customer.as_str(), sealed));
    let contact = person.as_ref().and_then(|person| person.contact.as_ref());
    let agreed = contact.and_then(|contact| contact.agreed_at).map(|at| Said { given: true, at });
    let name = person.as_ref().and_then(|person| person.address.as_ref());
    let name = name.map(|address| address.name.to_string());
    Ok(Some(Addressee {
        to: Recipient::Customer { customer: customer.clone() },
        email: profile
            .as_ref()
            .map(|profile| profile.email.clone())
            .or_else(|| contact.and_then(|contact| contact.email.clone())),
        phone: contact.and_then(|contact| contact.phone.as_ref()).map(ToString::to_string),
        name: profile.as_ref().map(|profile| profile.name.to_string()).or(name),
        locale: profile.and_then(|profile| profile.locale).map(String::from),
        key: Some(data_key),
        said: account.as_ref().and_then(|account| said(&account.customer)).or(agreed),
    }))
}

/// Whoever fills a cart; what an account says counts before what the cart says. None after an erasure.
async fn owner_of(desk: &mut Desk<'_>, cart: &Cart) -> Result<Option<Addressee>, Again> {
    let contact = cart.contact.clone();
    let agreed = contact.as_ref().and_then(|contact| contact.agreed_at).map(|at| Said { given: true, at });
    let known = match &cart.customer {
        Some(customer) => customer_of(desk, customer, None).await?,
        None => None,
    };
    if let (Some(customer), None) = (&cart.customer, &known) {
        let account: Option<CustomerAccount> = desk.value(&Key::customer(desk.m, customer)).await?;
        if account.is_some_and(|account| matches!(account.customer.stage, CustomerStage::Erased { .. })) {
            return Ok(None);
        }
    }
    let email = contact.as_ref().and_then(|contact| contact.email.clone());
    if let Some(known) = known {
        let (email, said) = (email.or_else(|| known.email.clone()), known.said.or(agreed));
        return Ok(Some(Addressee { email, said, ..known }));
    }
    Ok(email.map(|email| Addressee {
        to: Recipient::Guest,
        email: Some(email),
        phone: None,
        name: None,
        locale: None,
        key: None,
        said: agreed,
    }))
}

/// What stands for an address; none where there is none for the way.
fn digest(addressee: &Addressee, channel: Channel) -> Option<Sha256> {
    match (channel, &addressee.to) {
        (Channel::Email, _) => addressee.email.as_ref().and_then(digest_of),
        (Channel::Sms, _) => sha256_hex(addressee.phone.as_ref()?.as_bytes()).parse().ok(),
        (Channel::Push, Recipient::Customer { customer }) => {
            sha256_hex(customer.as_str().as_bytes()).parse().ok()
        }
        (Channel::Push, Recipient::Guest | Recipient::Merchant { .. } | Recipient::Operators) => None,
    }
}

/// Languages in the order in which they are tried, and where an operator's texts of them lie.
fn texts(m: &MarketplaceId, kind: Kind, addressee: &Addressee, around: &Around) -> (Vec<String>, Vec<Key>) {
    let tried = locales(addressee.locale.as_deref(), &around.marketplace.locale);
    let keys = tried.iter().map(|locale| Key::message_template(m, kind, locale)).collect();
    (tried, keys)
}

/// The first language that there is a text of; in it the operator's before the platform's.
fn choose(kind: Kind, tried: &[String], saved: &[MessageTemplate]) -> Option<(String, u32, Source)> {
    tried.iter().find_map(|locale| {
        let own = saved.iter().find(|template| template.locale.as_str() == locale);
        let own = own.and_then(|template| Some((template.version, template.source.clone()?)));
        let (version, source) = own.or_else(|| words::of(kind, locale).map(|source| (0, source)))?;
        Some((locale.clone(), version, source))
    })
}

fn ended(held: &Held<KeptMessage>, message: Message) -> KeptMessage {
    KeptMessage { message, ..held.value.clone() }
}

async fn keep(
    world: &World,
    m: &MarketplaceId,
    before: Option<&Held<KeptMessage>>,
    next: KeptMessage,
) -> Result<Held<KeptMessage>, Again> {
    let revision = world.table.put(m, before, &next).await?;
    Ok(Held::written(next, revision))
}

async fn not_sent(
    world: &World,
    m: &MarketplaceId,
    held: Option<&Held<KeptMessage>>,
    message: Message,
    why: NotSent,
) -> Result<(), Again> {
    let message = Message { stage: Stage::NotSent { since: world.now(), why }, ..message };
    let next = match held {
        Some(held) => ended(held, message),
        None => KeptMessage { message, sealed: None, words: None },
    };
    keep(world, m, held, next).await.map(drop)
}

/// All that a letter is made of.
struct Post<'a> {
    cause: &'a Cause,
    telling: &'a Telling,
    around: &'a Around,
    addressee: &'a Addressee,
    offered: &'a Offered,
}

impl Post<'_> {
    /// One message: to one reader, by one way.
    async fn one(&self, desk: &mut Desk<'_>, channel: Channel, because: Because) -> Result<(), Again> {
        let Self { cause, telling, around, addressee, .. } = *self;
        let Some(digest) = digest(addressee, channel) else { return Ok(()) };
        let (world, m) = (desk.world, desk.m);
        let now = world.now();
        let id = MessageId::of(&cause.event, &digest, channel);
        let (own, list) = (Key::message(m, &id), Key::suppression(m, &digest));
        let (tried, texts) = texts(m, telling.kind, addressee, around);
        desk.wants([list.clone()].into_iter().chain(texts.iter().cloned()));
        let held: Option<Held<KeptMessage>> = desk.find(&own).await?;
        let suppression: Option<Suppression> = desk.value(&list).await?;
        let mut saved = Vec::new();
        for key in &texts {
            saved.extend(desk.value::<MessageTemplate>(key).await?);
        }
        let fresh = Message {
            id,
            kind: telling.kind,
            channel,
            to: addressee.to.clone(),
            digest,
            event: cause.event.clone(),
            of: cause.of.to_owned(),
            because,
            consent: None,
            locale: "en".parse().map_err(|_| Again::Refused("a locale is a word".to_owned()))?,
            template: 0,
            made_at: now,
            stage: Stage::Begun { since: now, tries: 1 },
            bounced: None,
            complained_at: None,
        };
        let comes_again = if telling.over { over } else { again };
        let before = match &held {
            None if telling.over => return Ok(()),
            None => fresh,
            Some(held) => match comes_again(&held.value.message, now) {
                Next::Nothing => return Ok(()),
                Next::Wait => return Err(Again::Refused("the message may be on its way".to_owned())),
                Next::GiveUp(message) => {
                    return keep(world, m, Some(held), ended(held, message)).await.map(drop);
                }
                Next::SendAgain(message) => message,
            },
        };
        let message = match may_write(telling.kind, addressee.said, suppression.as_ref()) {
            Ok(consent) => Message { consent, ..before },
            Err(why) => return not_sent(world, m, held.as_ref(), before, why).await,
        };
        let chosen = choose(telling.kind, &tried, &saved);
        self.send(desk, held.as_ref(), message, chosen).await
    }

    async fn send(
        &self,
        desk: &mut Desk<'_>,
        held: Option<&Held<KeptMessage>>,
        message: Message,
        chosen: Option<(String, u32, Source)>,
    ) -> Result<(), Again> {
        let (world, m) = (desk.world, desk.m);
        let (out, post) = self.ways_out(desk, &message).await?;
        let pictures = desk.pictures(self.offered).await?;
        let rendered = chosen.and_then(|(locale, version, source)| {
            let between = self.between(&locale, out.as_deref(), &pictures);
            let facts = Facts::of(&self.telling.known, &between);
            let rendered = render(&source, &facts);
            if let Err(broken) = &rendered {
                tracing::error!(
                    error = edge::chain(broken),
                    kind = message.kind.word(),
                    version,
                    "no message"
                );
            }
            Some((locale.parse().ok()?, version, rendered.ok()?))
        });
        let Some((locale, template, rendered)) = rendered else {
            return not_sent(world, m, held, message, NotSent::Template).await;
        };
        let message = Message { locale, template, ..message };
        let intent = self.with_words(world, message, &rendered)?;
        let begun = keep(world, m, held, intent).await?;
        let carried = match begun.value.message.channel {
            Channel::Email => self.by_mail(desk, &begun.value.message, rendered, post).await,
            Channel::Sms | Channel::Push => logged(&begun.value.message),
        };
        self.settle(desk, &begun, carried).await
    }

    fn between<'a>(
        &'a self,
        locale: &'a str,
        unsubscribe: Option<&'a str>,
        pictures: &'a BTreeMap<OfferId, String>,
    ) -> Between<'a> {
        Between {
            shop: self.around.marketplace.name.as_str(),
            shop_link: &self.around.shop,
            name: self.addressee.name.as_deref(),
            locale,
            kind: self.telling.kind,
            unsubscribe,
            pictures,
        }
    }

    /// Where a reader, and where a mail program says that it is enough; service has none.
    async fn ways_out(
        &self,
        desk: &mut Desk<'_>,
        message: &Message,
    ) -> Result<(Option<String>, Option<String>), Again> {
        if message.kind.nature() == Nature::Service {
            return Ok((None, None));
        }
        let until = desk.world.now().checked_add(WAY_OUT).unwrap_or(Timestamp::MAX);
        let link = Link { purpose: For::Unsubscribe, about: message.digest.to_string(), until };
        let token = desk.token(&link).await?;
        let api = desk.world.variable("PUBLIC_ADDRESS").unwrap_or_default().trim_end_matches('/');
        let post = format!("{api}/v1/unsubscribe/{token}");
        Ok((Some(links::address(&self.around.shop, For::Unsubscribe, &token)), Some(post)))
    }

    fn with_words(&self, world: &World, message: Message, rendered: &Rendered) -> Result<KeptMessage, Again> {
        let words = Words { subject: rendered.subject.clone(), text: rendered.text.clone() };
        match (&message.to, &self.addressee.key) {
            (Recipient::Customer { .. }, Some(key)) => {
                let sealed = seal(world, key, message.id.as_str(), &words);
                let sealed = sealed.map_err(|problem| Again::Refused(problem.title.to_owned()))?;
                Ok(KeptMessage { message, sealed: Some(sealed), words: None })
            }
            // Nothing that could be erased with the person.
            (Recipient::Customer { .. } | Recipient::Guest, None | Some(_)) => {
                Ok(KeptMessage { message, sealed: None, words: None })
            }
            (Recipient::Merchant { .. } | Recipient::Operators, _) => {
                Ok(KeptMessage { message, sealed: None, words: Some(words) })
            }
        }
    }

    async fn by_mail(
        &self,
        desk: &Desk<'_>,
        message: &Message,
        rendered: Rendered,
        unsubscribe: Option<String>,
    ) -> Carried {
        let Some(to) = self.addressee.email.clone() else { return Carried::Refused("no address".to_owned()) };
        let Rendered { subject, html, text } = rendered;
        let letter = Letter {
            id: message.id.clone(),
            marketplace: desk.m.clone(),
            sender: self.around.marketplace.name.to_string(),
            to,
            reply_to: self.around.routing.reply_to.clone(),
            subject,
            html,
            text,
            unsubscribe,
            at: desk.world.now(),
        };
        carry(desk.world, &letter).await
    }

    async fn settle(
        &self,
        desk: &Desk<'_>,
        begun: &Held<KeptMessage>,
        carried: Carried,
    ) -> Result<(), Again> {
        let (world, m) = (desk.world, desk.m);
        let since = world.now();
        let (stage, again) = match carried {
            Carried::Taken(reference) => (Stage::Sent { since, reference }, None),
            Carried::Refused(why) => {
                tracing::warn!(
                    why,
                    message = begun.value.message.id.as_str(),
                    "the carrier does not take it"
                );
                (Stage::NotSent { since, why: NotSent::Refused }, None)
            }
            Carried::Later(why) => (Stage::Waiting { since }, Some(Again::Refused(why))),
            Carried::Unknown(error) => return Err(Again::call("send a message", error)),
        };
        let message = Message { stage, ..begun.value.message.clone() };
        keep(world, m, Some(begun), ended(begun, message)).await?;
        again.map_or(Ok(()), Err)
    }
}

/// The adapter of ways that have no carrier yet: a line in the log, without words and address.
fn logged(message: &Message) -> Carried {
    tracing::info!(message = message.id.as_str(), channel = message.channel.word(), "would be sent");
    Carried::Taken("log".to_owned())
}
