//! Making and changing carts: one put each.

use crate::show::CartView;
use axum::extract::{Path, State};
use domain::Currency;
use domain::cart::{Add, Asked, Cart, Chosen, Contact, Edit, NotSold, Wares};
use domain::delivery::Service;
use domain::discount::CODES_MAX;
use domain::fx;
use domain::id::{CartId, MarketplaceId, MerchantId, OfferId};
use domain::order::LINES_MAX;
use domain::payout::day;
use domain::period::Zone;
use domain::place::Place;
use domain::tax::id::TaxId;
use domain::text::{Email, Sku, Word};
use edge::address::AddressBody;
use edge::area::place;
use edge::shopping::AtHand;
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use table::{Commit, Held, Key};

pub(crate) type Answer = Result<Reply<CartView>, Problem>;

/// Where it would go: what is not known of it yet falls to the wider zone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OpenCart {
    /// ISO 3166-1: `DE`.
    #[cfg_attr(feature = "schema", schemars(with = "domain::place::Country"))]
    country: String,
    /// Its code within the country: `CA`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    region: Option<String>,
    /// The postal code, or its first characters.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    postal: Option<String>,
    /// In which it is paid (ISO 4217), for good; the marketplace's, if not said. Other prices are converted, with the
    /// rate and its margin shown.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Currency>"))]
    currency: Option<String>,
}

/// Where it would go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartDestination"))]
struct DestinationBody {
    #[cfg_attr(feature = "schema", schemars(with = "domain::place::Country"))]
    country: String,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    region: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    postal: Option<String>,
}

/// What is absent stays as it is. Quantities of lines are set first, then units are added.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct EditCart {
    /// Units of offers; an offer that is in the cart gets more of them.
    add: Vec<AddBody>,
    /// Quantities of lines; 0 takes a line out.
    set: Vec<SetBody>,
    contact: Option<ContactBody>,
    /// Where it goes.
    address: Option<AddressBody>,
    /// Where it would go, as long as there is no address.
    destination: Option<DestinationBody>,
    /// The buyer's tax id, of the country that it goes to; null takes it out.
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    tax_id: Option<Option<String>>,
    /// How merchants are to bring their parts.
    delivery: Vec<ChosenBody>,
    codes: CodesBody,
}

/// A member that is there, null or not.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The offer by its id, or by its merchant and SKU.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AddToCart"))]
struct AddBody {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<OfferId>"))]
    offer: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<MerchantId>"))]
    merchant: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Sku>"))]
    sku: Option<String>,
    /// 1 to a million.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Quantity"))]
    quantity: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SetCartLine"))]
struct SetBody {
    line: u16,
    /// 0 to a million.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = domain::order::QUANTITY_MAX)))]
    quantity: i64,
}

/// At least one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CartContact"))]
struct ContactBody {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Email>"))]
    email: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    phone: Option<String>,
    /// Whether the shopper agrees to be reminded and told of offers by mail; a no, if not said.
    #[serde(default)]
    marketing: bool,
    /// Of the IANA database, as a browser tells it: `Europe/Berlin`. Whoever sleeps there is not written to.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Zone>"))]
    time_zone: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChooseDelivery"))]
struct ChosenBody {
    #[cfg_attr(feature = "schema", schemars(with = "MerchantId"))]
    merchant: String,
    service: Service,
}

/// Codes, each at most 64 characters, compared without case; first some are taken out, then others put in. One that
/// does not hold stays in the cart and says why.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EditCartCodes"))]
struct CodesBody {
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Word>"))]
    add: Vec<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Word>"))]
    remove: Vec<String>,
}

pub(crate) async fn open(State(world): State<World>, command: Command<OpenCart>) -> Answer {
    let m = &command.caller.marketplace;
    let shopper = command.caller.shopper()?;
    let mut check = Check::new();
    let OpenCart { country, region, postal, currency } = &command.body;
    let to = place(&mut check, country, region.as_deref(), postal.as_deref());
    let wanted = check.maybe::<Currency>("currency", currency.as_deref());
    check.done()?;
    let Some(to) = to else { return Err(Problem::internal()) };
    world
        .until_free(|| async {
            if let Some(asked) = command.before(&world, true).await? {
                let held = AtHand::of(&world, &command.caller, &asked.resource).await?.cart;
                let view = priced(&world, m, &held.value).await?;
                return Ok(Reply::ok(view).revision(held.revision()).replayed());
            }
            let currency = sold_in(&world, m, wanted).await?;
            let id = world.unguessable().map_err(|error| Problem::fault(&error))?;
            let now = world.now();
            let customer = shopper.customer();
            let cart = Cart::open(CartId::from_bits(id), currency, customer.cloned(), to.clone(), now);
            if customer.is_none() && command.key_and_body().is_none() {
                world.table.put(m, None, &cart).await?;
            } else {
                let context = command.context(now);
                let mut commit = Commit::new(m, &context).add(&cart, Overtaken);
                if let Some(customer) = customer {
                    let before = world.table.current_cart(m, customer).await?;
                    commit = commit.share_cart(before.as_ref(), customer, &cart.id, Overtaken);
                }
                command.remember(commit, now, 201, cart.id.as_str(), Overtaken).send(&world.table).await?;
            }
            Ok(Reply::created(priced(&world, m, &cart).await?).revision(1))
        })
        .await
}

/// The marketplace's currency, or another that its prices can be converted into today.
async fn sold_in(world: &World, m: &MarketplaceId, wanted: Option<Currency>) -> Result<Currency, Problem> {
    let marketplace = world.table.marketplace(m).await?;
    let own = marketplace.ok_or_else(|| Problem::not_found("marketplace"))?.value.currency;
    let Some(wanted) = wanted.filter(|wanted| *wanted != own) else { return Ok(own) };
    let sheet = world.table.load::<fx::Sheet>(&Key::fx_rates(m)).await?;
    let rates = sheet.map(|held| held.value.rates).unwrap_or_default();
    let mut check = Check::new();
    if let Err(error) = fx::find(&rates, own, wanted, day(world.now())) {
        check.wrong("currency", "no_exchange_rate", format!("a cart cannot be in {wanted}: {error}"));
    }
    check.done()?;
    Ok(wanted)
}

pub(crate) async fn priced(world: &World, m: &MarketplaceId, cart: &Cart) -> Result<CartView, Problem> {
    let wares = world.table.wares_and_stock(m, cart, &[], world.now()).await?;
    CartView::of(cart, &wares, world.now())
}

pub(crate) async fn edit(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<EditCart>,
) -> Answer {
    // Before anything is read: each of them costs a read.
    let count = command.body.add.len().max(command.body.set.len()).max(command.body.delivery.len());
    if count > LINES_MAX {
        return Err(domain::cart::Refused::LineCount.into());
    }
    let CodesBody { add, remove } = &command.body.codes;
    if add.len().max(remove.len()) > CODES_MAX {
        return Err(domain::cart::Refused::CodeCount.into());
    }
    world.until_free(|| attempt(&world, &id, &command)).await
}

async fn attempt(world: &World, id: &str, command: &Command<EditCart>) -> Answer {
    let m = &command.caller.marketplace;
    let AtHand { cart: held, .. } = AtHand::of(world, &command.caller, id).await?;
    if is_repeat(&held, command)? {
        let view = priced(world, m, &held.value).await?;
        return Ok(Reply::ok(view).revision(held.revision()).replayed());
    }
    let now = world.now();
    let mut check = Check::new();
    let offers = offers(&mut check, m, &command.body.add);
    let rest = read(&mut check, &held.value, &command.body, now);
    check.done()?;
    // The tax of where it will go, which the edit may change.
    let moved = held
        .value
        .edit(Edit { add: Vec::new(), set: Vec::new(), services: Vec::new(), ..rest.clone() }, now)?;
    let wares = world.table.wares_and_stock(m, &moved, &offers, now).await?;
    let mut check = Check::new();
    let add = add(&mut check, &wares, &offers, &command.body.add, &moved, now);
    check.done()?;
    let next = held.value.edit(Edit { add, ..rest }, now)?;
    let mut next = world.table.followed(m, next, now).await?;
    remember(&mut next, command);
    // A cart that nobody could look at is not kept.
    let view = CartView::of(&next, &wares, now)?;
    let revision = world.table.put(m, Some(&held), &next).await?;
    Ok(Reply::ok(view).revision(revision))
}

/// Whether the cart has seen this very request.
fn is_repeat<T>(held: &Held<Cart>, command: &Command<T>) -> Result<bool, Problem> {
    let Some((key, body)) = command.key_and_body() else { return Ok(false) };
    match held.value.asked_before(short(key)) {
        Some(before) if before.body != short(body) => Err(Problem::key_reused()),
        before => Ok(before.is_some()),
    }
}

fn remember<T>(cart: &mut Cart, command: &Command<T>) {
    if let Some((key, body)) = command.key_and_body() {
        cart.remember(Asked { key: short(key).to_owned(), body: short(body).to_owned() });
    }
}

/// Enough of a digest among eight.
fn short(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

/// The offers that are to be added, in the order of the body.
fn offers(check: &mut Check, m: &MarketplaceId, add: &[AddBody]) -> Vec<OfferId> {
    let mut offers = Vec::with_capacity(add.len());
    for (at, body) in add.iter().enumerate() {
        let AddBody { offer, merchant, sku, .. } = body;
        match (offer, merchant, sku) {
            (Some(offer), None, None) => {
                offers.extend(check.parse::<OfferId>(format!("add[{at}].offer"), offer))
            }
            (None, Some(merchant), Some(sku)) => {
                let merchant = check.parse::<MerchantId>(format!("add[{at}].merchant"), merchant);
                let sku = check.parse::<Sku>(format!("add[{at}].sku"), sku);
                offers
                    .extend(merchant.zip(sku).map(|(merchant, sku)| OfferId::of(m, &merchant, sku.as_str())));
            }
            (Some(_) | None, Some(_) | None, Some(_) | None) => {
                let why = "say either `offer`, or `merchant` and `sku`";
                check.wrong(format!("add[{at}].offer"), "required", why);
            }
        }
    }
    offers
}

/// What is to be added, at the price of now. What cannot be bought is not put in.
fn add(
    check: &mut Check,
    wares: &Wares,
    offers: &[OfferId],
    add: &[AddBody],
    cart: &Cart,
    now: Timestamp,
) -> Vec<Add> {
    let mut found = Vec::with_capacity(add.len());
    for (at, (id, body)) in offers.iter().zip(add).enumerate() {
        let quantity = check.quantity(format!("add[{at}].quantity"), body.quantity);
        match (wares.sold_at(id, cart, now), quantity) {
            (Ok(price), Some(quantity)) => {
                let merchant = wares.offer(id).map(|offer| offer.merchant.clone());
                let add = merchant.map(|merchant| Add { offer: id.clone(), merchant, price, quantity });
                found.extend(add);
            }
            (Err(not), _) => {
                let code = match &not {
                    NotSold::Unknown(_) => "unknown",
                    NotSold::Unavailable(_) => "unavailable",
                    NotSold::NoRate(_) => "no_exchange_rate",
                };
                check.wrong(format!("add[{at}].offer"), code, not);
            }
            (Ok(_), None) => {}
        }
    }
    found
}

/// Everything but the offers: every bad value is told at once.
fn read(check: &mut Check, cart: &Cart, body: &EditCart, now: Timestamp) -> Edit {
    let mut set = Vec::with_capacity(body.set.len());
    for (at, SetBody { line, quantity }) in body.set.iter().enumerate() {
        match u32::try_from(*quantity) {
            Ok(0) => set.push((*line, 0)),
            Ok(_) | Err(_) => {
                let quantity = check.quantity(format!("set[{at}].quantity"), *quantity);
                set.extend(quantity.map(|quantity| (*line, quantity)));
            }
        }
    }
    let address = body.address.as_ref().and_then(|address| address.read(check, "address."));
    let address = address.map(|checked| checked.address);
    let estimate = body
        .destination
        .as_ref()
        .and_then(|to| place(check, &to.country, to.region.as_deref(), to.postal.as_deref()));
    let goes = address.as_ref().map(domain::address::Address::place).or(estimate.clone());
    let tax_id =
        body.tax_id.as_ref().map(|text| tax_id(check, text.as_deref(), &goes.unwrap_or(cart.place())));
    let mut services = Vec::with_capacity(body.delivery.len());
    for (at, ChosenBody { merchant, service }) in body.delivery.iter().enumerate() {
        let merchant = check.parse::<MerchantId>(format!("delivery[{at}].merchant"), merchant);
        services.extend(merchant.map(|merchant| Chosen { merchant, service: *service }));
    }
    let contact = body.contact.as_ref().and_then(|contact| contact_of(check, cart, contact, now));
    let zone = body.contact.as_ref().and_then(|contact| contact.time_zone.as_deref());
    let zone = check.maybe::<Zone>("contact.time_zone", zone);
    let codes_in = check.all::<Word>("codes.add", &body.codes.add);
    let codes_out = check.all::<Word>("codes.remove", &body.codes.remove);
    Edit { add: Vec::new(), set, contact, zone, address, estimate, tax_id, services, codes_in, codes_out }
}

fn tax_id(check: &mut Check, text: Option<&str>, to: &Place) -> Option<TaxId> {
    match TaxId::parse(to.country, text?) {
        Ok(id) => Some(id),
        Err(error) => {
            check.wrong("tax_id", "format", error);
            None
        }
    }
}

/// Who has agreed before keeps the moment.
fn contact_of(check: &mut Check, cart: &Cart, body: &ContactBody, now: Timestamp) -> Option<Contact> {
    let email = check.maybe::<Email>("contact.email", body.email.as_deref());
    let phone = check.maybe::<Word>("contact.phone", body.phone.as_deref());
    if body.email.is_none() && body.phone.is_none() {
        check.wrong("contact", "required", "give `email` or `phone`");
    }
    let before = cart.contact.as_ref().filter(|before| before.email == email);
    let agreed_at = body.marketing.then(|| before.and_then(|before| before.agreed_at).unwrap_or(now));
    (email.is_some() || phone.is_some()).then_some(Contact { email, phone, agreed_at })
}
