//! From an occasion to letters: whom it concerns, whether they may be written to, and each letter once.
//!
//! 1. rules say by which ways the kind goes to which readers; each address is looked up when it is needed;
//! 2. consent and the list of addresses to leave alone are looked at now, not when the occasion arose (A16(1));
//! 3. the intent is committed, 4. the carrier is called, 5. what became of it is kept.
//!
//! A crash between 3 and 5 leaves an intent of which nobody knows: `domain::message::again` says what is done with it.

use crate::facts::{Between, Bought, Facts, Known};
use crate::mail::{Carried, Letter, carry};
use crate::render::{Rendered, render};
use crate::words;
use domain::cart::Cart;
use domain::catalog::{Offer, Product};
use domain::customer::{Customer, Person, Profile, Purpose};
use domain::id::{CustomerId, MarketplaceId, MerchantId, MessageId, OfferId, OrderId, ProductId, sha256_hex};
use domain::marketplace::Marketplace;
use domain::message::{
    Because, Channel, Contact, Kind, Message, Nature, Next, NotSent, Reader, Recipient, Routing, Said, Stage,
    Suppression, again, channels, digest_of, locales, may_write,
};
use domain::text::{Email, Sha256};
use edge::links::{self, Link, Purpose as For};
use edge::sealed::{seal, unseal};
use edge::shown::Front;
use edge::{Again, World};
use events::{Envelope, Payload};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use table::message::{KeptMessage, MerchantContact, MessageRouting, MessageTemplate, Source, Words};
use table::person::{CustomerAccount, DataKey, OrderPerson};
use table::{Held, Key};

/// A way out must be good as long as a message is kept.
const WAY_OUT: SignedDuration = domain::message::KEPT;

/// What a message tells of.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) m: MarketplaceId,
    /// The event's id: names the message.
    pub(crate) event: String,
    pub(crate) of: &'static str,
}

impl Cause {
    pub(crate) fn of<P: Payload>(event: &Envelope<P>) -> Self {
        Self { m: event.marketplace.clone(), event: event.id.clone(), of: P::NAME }
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

/// An occasion for a message.
#[derive(Debug, Clone)]
pub(crate) struct Telling {
    pub(crate) kind: Kind,
    pub(crate) concerns: Concerns,
    pub(crate) known: Known,
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
    async fn of(world: &World, m: &MarketplaceId, merchant: Option<&MerchantId>) -> Result<Self, Again> {
        let (own, routing) = (Key::marketplace(m), Key::message_routing(m));
        let contact = merchant.map(|merchant| Key::merchant_contact(m, merchant));
        let keys: Vec<Key> = [&own, &routing].into_iter().chain(&contact).cloned().collect();
        let mut read = world.table.glance(&keys).await?;
        let marketplace = read.take::<Marketplace>(&own)?.ok_or_else(|| Again::Early(m.to_string()))?.value;
        let contact = match &contact {
            Some(key) => read.take::<MerchantContact>(key)?.map(|held| held.value.contact),
            None => None,
        };
        let routing = read.take::<MessageRouting>(&routing)?.map(|held| held.value.routing);
        let shop = shop_of(world, &marketplace);
        Ok(Self { routing: routing.unwrap_or_default(), contact, shop, marketplace })
    }
}

/// The storefront, or the API's own address.
pub(crate) fn shop_of(world: &World, marketplace: &Marketplace) -> String {
    let own = marketplace.settings.storefront.as_ref().map(|address| address.as_str().to_owned());
    own.unwrap_or_else(|| world.variable("PUBLIC_ADDRESS").unwrap_or_default().to_owned())
}

/// Writes to everybody whom an occasion concerns; each once, however often this is called.
pub(crate) async fn tell(world: &World, cause: &Cause, telling: &Telling) -> Result<(), Again> {
    let merchant = match &telling.concerns {
        Concerns::Merchant(merchant) => Some(merchant),
        Concerns::Order(..) | Concerns::Customer(_) | Concerns::Cart(_) | Concerns::Marketplace => None,
    };
    let around = Around::of(world, &cause.m, merchant).await?;
    let (readers, _) = telling.kind.readers();
    for reader in readers {
        let (ways, because) = channels(telling.kind, *reader, &around.routing, around.contact.as_ref());
        if ways.is_empty() {
            continue;
        }
        for addressee in addressees(world, &cause.m, &around, *reader, &telling.concerns).await? {
            for channel in &ways {
                one(world, cause, telling, &around, &addressee, (*channel, because)).await?;
            }
        }
    }
    Ok(())
}

async fn addressees(
    world: &World,
    m: &MarketplaceId,
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
            Ok(customer_of(world, m, customer, Some(order)).await?.into_iter().collect())
        }
        (Reader::Customer, Concerns::Customer(customer)) => {
            Ok(customer_of(world, m, customer, None).await?.into_iter().collect())
        }
        (Reader::Customer, Concerns::Cart(cart)) => Ok(owner_of(world, m, cart).await?.into_iter().collect()),
        (Reader::Merchant | Reader::Customer, _) => Ok(Vec::new()),
    }
}

fn said(customer: &Customer) -> Option<Said> {
    customer.said(Purpose::MarketingEmail).map(|said| Said { given: said.given, at: said.at })
}

/// By the profile where there is an account, else by what was said with the order; none after an erasure.
async fn customer_of(
    world: &World,
    m: &MarketplaceId,
    customer: &CustomerId,
    order: Option<&OrderId>,
) -> Result<Option<Addressee>, Again> {
    let (account, key) = (Key::customer(m, customer), Key::data_key(m, customer));
    let person = order.map(|order| Key::order_person(m, order));
    let keys: Vec<Key> = [&account, &key].into_iter().chain(&person).cloned().collect();
    let mut read = world.table.read(&keys).await?;
    let Some(data_key) = read.take::<DataKey>(&key)?.map(|held| held.value) else { return Ok(None) };
    let account = read.take::<CustomerAccount>(&account)?.map(|held| held.value);
    let person = match (&person, order) {
        (Some(key), Some(order)) => read
            .take::<OrderPerson>(key)?
            .and_then(|held| unseal::<Person>(&data_key, order.as_str(), &held.value.sealed)),
        (Some(_) | None, Some(_) | None) => None,
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

/// Whoever fills a cart; what an account says counts before what the cart says.
async fn owner_of(world: &World, m: &MarketplaceId, cart: &Cart) -> Result<Option<Addressee>, Again> {
    let contact = cart.contact.clone();
    let agreed = contact.as_ref().and_then(|contact| contact.agreed_at).map(|at| Said { given: true, at });
    let known = match &cart.customer {
        Some(customer) => customer_of(world, m, customer, None).await?,
        None => None,
    };
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

/// One message: to one reader, by one way.
async fn one(
    world: &World,
    cause: &Cause,
    telling: &Telling,
    around: &Around,
    addressee: &Addressee,
    (channel, because): (Channel, Because),
) -> Result<(), Again> {
    let Some(digest) = digest(addressee, channel) else { return Ok(()) };
    let (m, now) = (&cause.m, world.now());
    let id = MessageId::of(&cause.event, &digest, channel);
    let (own, list) = (Key::message(m, &id), Key::suppression(m, &digest));
    let (tried, texts) = texts(m, telling.kind, addressee, around);
    let keys: Vec<Key> = [&own, &list].into_iter().chain(&texts).cloned().collect();
    let mut read = world.table.read(&keys).await?;
    let held = read.take::<KeptMessage>(&own)?;
    let suppression = read.take::<Suppression>(&list)?.map(|held| held.value);
    let mut saved = Vec::new();
    for key in &texts {
        saved.extend(read.take::<MessageTemplate>(key)?.map(|held| held.value));
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
    let before = match &held {
        None => fresh,
        Some(held) => match again(&held.value.message, now) {
            Next::Nothing => return Ok(()),
            Next::Wait => return Err(Again::Refused("the message may be on its way".to_owned())),
            Next::GiveUp(message) => return keep(world, m, Some(held), ended(held, message)).await.map(drop),
            Next::SendAgain(message) => message,
        },
    };
    let message = match may_write(telling.kind, addressee.said, suppression.as_ref()) {
        Ok(consent) => Message { consent, ..before },
        Err(why) => return not_sent(world, m, held.as_ref(), before, why).await,
    };
    let chosen = choose(telling.kind, &tried, &saved);
    let post = Post { world, cause, telling, around, addressee };
    post.send(held.as_ref(), message, chosen).await
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

/// The first picture of the product of each line that has one, as small as it is drawn.
async fn pictures(
    world: &World,
    m: &MarketplaceId,
    lines: &[Bought],
) -> Result<BTreeMap<OfferId, String>, Again> {
    let offers: BTreeSet<&OfferId> = lines.iter().filter_map(|line| line.offer.as_ref()).collect();
    let mut shown = BTreeMap::new();
    if offers.is_empty() {
        return Ok(shown);
    }
    let front = Front::of(world, "MEDIA_ADDRESS")
        .map_err(|unset| Again::call("find where pictures are shown", unset))?;
    let keys: Vec<Key> = offers.iter().map(|offer| Key::offer(m, offer)).collect();
    let mut read = world.table.glance(&keys).await?;
    let mut products: BTreeMap<ProductId, Vec<OfferId>> = BTreeMap::new();
    for key in &keys {
        if let Some(offer) = read.take::<Offer>(key)?.map(|held| held.value) {
            products.entry(offer.product).or_default().push(offer.id);
        }
    }
    let keys: Vec<Key> = products.keys().map(|product| Key::product(m, product)).collect();
    let mut read = world.table.glance(&keys).await?;
    for ((_, offers), key) in products.into_iter().zip(&keys) {
        let cover = read.take::<Product>(key)?.and_then(|held| held.value.cover);
        if let Some(address) = front.thumbnail(m, cover.as_ref(), world.now()) {
            shown.extend(offers.into_iter().map(|offer| (offer, address.clone())));
        }
    }
    Ok(shown)
}

/// All that a letter is made of.
struct Post<'a> {
    world: &'a World,
    cause: &'a Cause,
    telling: &'a Telling,
    around: &'a Around,
    addressee: &'a Addressee,
}

impl Post<'_> {
    async fn send(
        &self,
        held: Option<&Held<KeptMessage>>,
        message: Message,
        chosen: Option<(String, u32, Source)>,
    ) -> Result<(), Again> {
        let (world, m) = (self.world, &self.cause.m);
        let (out, post) = self.ways_out(&message).await?;
        let pictures = pictures(world, m, &self.telling.known.lines).await?;
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
        let intent = self.with_words(message, &rendered)?;
        let begun = keep(world, m, held, intent).await?;
        let carried = match begun.value.message.channel {
            Channel::Email => self.by_mail(&begun.value.message, rendered, post).await,
            Channel::Sms | Channel::Push => logged(&begun.value.message),
        };
        self.settle(&begun, carried).await
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
    async fn ways_out(&self, message: &Message) -> Result<(Option<String>, Option<String>), Again> {
        let (world, m) = (self.world, &self.cause.m);
        if message.kind.nature() == Nature::Service {
            return Ok((None, None));
        }
        let until = world.now().checked_add(WAY_OUT).unwrap_or(Timestamp::MAX);
        let link = Link { purpose: For::Unsubscribe, about: message.digest.to_string(), until };
        let token = link.sign(world, m).await.map_err(|error| Again::call("sign a link", error))?;
        let api = world.variable("PUBLIC_ADDRESS").unwrap_or_default().trim_end_matches('/');
        let post = format!("{api}/v1/unsubscribe/{token}");
        Ok((Some(links::address(&self.around.shop, For::Unsubscribe, &token)), Some(post)))
    }

    fn with_words(&self, message: Message, rendered: &Rendered) -> Result<KeptMessage, Again> {
        let words = Words { subject: rendered.subject.clone(), text: rendered.text.clone() };
        match (&message.to, &self.addressee.key) {
            (Recipient::Customer { .. }, Some(key)) => {
                let sealed = seal(self.world, key, message.id.as_str(), &words);
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

    async fn by_mail(&self, message: &Message, rendered: Rendered, unsubscribe: Option<String>) -> Carried {
        let Some(to) = self.addressee.email.clone() else { return Carried::Refused("no address".to_owned()) };
        let Rendered { subject, html, text } = rendered;
        let letter = Letter {
            id: message.id.clone(),
            marketplace: self.cause.m.clone(),
            sender: self.around.marketplace.name.to_string(),
            to,
            reply_to: self.around.routing.reply_to.clone(),
            subject,
            html,
            text,
            unsubscribe,
            at: self.world.now(),
        };
        carry(self.world, &letter).await
    }

    async fn settle(&self, begun: &Held<KeptMessage>, carried: Carried) -> Result<(), Again> {
        let (world, m, since) = (self.world, &self.cause.m, self.world.now());
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
