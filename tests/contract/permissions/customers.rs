//! The customers' side: what is a customer's is there for that customer, and for nobody else.
//!
//! Ines and Nora have one of everything each. Every operation for owners, persons and shoppers is asked about what is
//! Ines's: by her, by whoever else there is in the marketplace, and by those of the marketplace next door. Who is not
//! her gets a 404, and writes nothing; what is otherwise is listed, with the reason.

use super::{Asked, Bazaar, Things, filled, ordered, sign_up, signed_up};
use crate::files::none;
use admin::{Opening, open_marketplace};
use domain::id::{MarketplaceId, derive};
use domain::marketplace::{Marketplace, Settings};
use edge::identity::subject;
use edge::routes::{Audience, Operation};
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::issuer::{AUDIENCE, ISSUER};
use std::collections::BTreeSet;
use table::access::Issuer;
use tests::paying::payment_id;
use tests::storefront::by_card;
use tests::subscribing::{address, card, publish, terms};
use tests::{Contents, OPERATOR, SECRET, STOREFRONT, Shop, at, forged, part};

/// Each person's own, whatever a path or a body says: nothing in them leads to another's.
const OWN: [&str; 20] = [
    "carts.current",
    "carts.open",
    "customer_addresses.add",
    "customer_addresses.list",
    "customer_addresses.prefer",
    "customer_addresses.remove",
    "customer_addresses.set",
    "customer_orders.list",
    "customers.change",
    "customers.erase_me",
    "customers.me",
    "customers.register",
    "customers.store_credit",
    "merchants.apply",
    "reviews.list_own",
    "stock_alerts.cancel",
    "stock_alerts.list",
    "stock_alerts.wait",
    "wish_lists.list",
    "wish_lists.open",
];

/// For whoever shops: what is sold, and what is said of it in public.
const PUBLIC: [&str; 12] = [
    "plans.offered",
    "ratings.merchant",
    "ratings.product",
    "reviews.helpful",
    "reviews.list",
    "reviews.report",
    "shop.categories",
    "shop.collection_products",
    "shop.collections",
    "shop.product",
    "shop.products",
    "shop.sheet",
];

/// A signed link or a secret is the proof, whoever holds it.
const HELD: [&str; 8] = [
    "carts.restore",
    "merchants.accept_invitation",
    "order_pages.show",
    "review_links.send_photo",
    "review_links.show",
    "review_links.withdraw",
    "review_links.write",
    "wish_lists.shared",
];

/// Operators look for whatever customer they like, and find those of their own marketplace.
const SOUGHT: [&str; 4] = ["entitlements.list", "invoices.list", "invoices.statement", "subscriptions.list"];

/// After these the things are gone, so they are asked for at the end.
const LAST: [&str; 9] = [
    "wish_lists.to_cart",
    "checkouts.pay",
    "customer_addresses.remove",
    "wish_lists.share",
    "wish_lists.unshare",
    "subscriptions.cancel",
    "review_links.withdraw",
    "reviews.withdraw_own",
    "customers.erase_me",
];

/// What is known of Ines as a person, which no link tells.
const PERSONAL: [&str; 3] = ["Ines Groß", "ines@post.example", "Lindenweg 5"];

/// The issuer of the people next door.
const NEXT_DOOR: &str = "https://login.next-door.example";

/// Whoever asks.
struct Role {
    who: &'static str,
    bearer: String,
    /// What comes of asking for what is another's; none where it is for the asker to have.
    refused: fn(Audience) -> Option<u16>,
}

fn to_a_person(_: Audience) -> Option<u16> {
    Some(404)
}

fn to_a_guest(audience: Audience) -> Option<u16> {
    Some(if audience == Audience::Shoppers { 404 } else { 403 })
}

/// Who has all scopes, as a person.
fn to_an_operator(audience: Audience) -> Option<u16> {
    (audience != Audience::Owners).then_some(404)
}

/// The same as a system.
fn to_a_system(audience: Audience) -> Option<u16> {
    (audience != Audience::Owners).then_some(403)
}

/// The same for what is of another marketplace.
fn to_a_system_next_door(audience: Audience) -> Option<u16> {
    Some(if audience == Audience::Owners { 404 } else { 403 })
}

struct Customers {
    bazaar: Bazaar,
    operations: Vec<Operation>,
    ines: Things,
    nora: Things,
    /// What nobody but Ines may read.
    words: Vec<String>,
}

/// One of everything that a person can have, and the words that are that person's alone.
async fn belongings(bazaar: &Bazaar, sub: &str) -> (Things, Vec<String>) {
    let (shop, all, own) = (&bazaar.shop, &bazaar.things, bazaar.shop.person(sub));
    let customer = signed_up(shop, sub).await;
    let done = async |path: &str, body: &Value| own.post(path, body, "").await.ok().unwrap();
    done("/v1/customers/me/addresses", &json!({"address": address()})).await;
    let mug = all.offer.as_str();
    let bought = filled(&own, &all.merchant, mug).await;
    let order = ordered(shop, &own, &bought).await;
    shop.fulfill(&part(&order, 1)).await;
    let page = own.get(&format!("/v1/customers/me/orders/{order}")).await.text("/page").to_owned();
    let signature = page.split_once("signature=").expect("the page's link is signed").1;
    let review = tests::reviewing::review_id(&order, 1);
    done(&format!("/v1/reviews/own/{review}"), &json!({"stars": 5})).await;
    let cart = filled(&own, &all.merchant, mug).await;
    let wish_list = at(&done("/v1/wish-lists", &json!({"name": format!("{sub}'s")})).await, "/id").to_owned();
    let wish = json!({"add": [{"offer": mug, "quantity": 1}]});
    done(&format!("/v1/wish-lists/{wish_list}/edit"), &wish).await;
    let shared = done(&format!("/v1/wish-lists/{wish_list}/share"), &json!({})).await;
    let rare = shop.stocked(&all.merchant, &format!("rare-{sub}"), 1).await;
    shop.done(&format!("/v1/stock/{rare}/adjust"), &json!({"by": -1, "reason": "broken"})).await;
    done("/v1/stock-alerts", &json!({"offer": rare})).await;
    let means = card("tok_approved");
    let twenty = at(&publish(shop, "twenty", terms("20.00")).await, "/id").to_owned();
    let start = json!({"plan": twenty, "address": address(), "payment": means});
    let subscription = at(&done("/v1/subscriptions", &start).await, "/id").to_owned();
    let invited = shop.done("/v1/merchants", &json!({"name": format!("{sub}'s own")})).await;
    shop.settle().await;
    let unpaid = own.get("/v1/invoices").await.text("/items/0/id").to_owned();
    let of = json!({"customer": customer});
    let photo = json!({"content_type": "image/png", "length": 9, "number": 1});
    let said = json!({
        "checkouts.pay": by_card("14.90", "tok_approved"),
        "customer_orders.claim": {"cart": bought},
        "customers.register": sign_up(sub),
        "entitlements.list": of,
        "invoices.list": of,
        "invoices.statement": {"customer": customer, "from_day": "2026-03-01", "to_day": "2026-03-31"},
        "merchants.accept_invitation": {"secret": at(&invited, "/invitation/secret")},
        "order_pages.show": {"signature": signature},
        "review_links.send_photo": photo,
        "reviews.send_own_photo": photo,
        "shop.sheet": {"channel": "web", "locale": "en"},
        "stock_alerts.wait": {"offer": rare},
        "subscriptions.change": {"quantity": 2},
        "subscriptions.check": {"change": {"quantity": 2}},
        "subscriptions.deliver_on": {"at": "2026-04-20T09:00:00Z"},
        "subscriptions.list": of,
        "subscriptions.set_payment_method": {"payment": means},
        "subscriptions.start": {"customer": customer, "plan": all.plan, "payment": means},
        "wish_lists.from_cart": {"cart": cart, "lines": [1]},
        "wish_lists.to_cart": {"cart": cart, "items": [1]},
    });
    let things = Things {
        customer: customer.clone(),
        cart: cart.clone(),
        link: shop.cart_link(&cart).await,
        wish_list: wish_list.clone(),
        shared: at(&shared, "/token").to_owned(),
        payment: payment_id(&order, 1),
        review_link: shop.review_link(&review).await,
        review,
        offer: rare,
        subscription: subscription.clone(),
        unpaid: unpaid.clone(),
        inviting: at(&invited, "/id").to_owned(),
        order: order.clone(),
        said,
        ..all.clone()
    };
    let name = at(&sign_up(sub), "/name").to_owned();
    let words = vec![customer, bought, order, cart, wish_list, subscription, unpaid, name];
    (things, words)
}

impl Customers {
    async fn open() -> Self {
        let bazaar = Bazaar::open().await;
        let (ines, words) = belongings(&bazaar, "ines").await;
        let (nora, _) = belongings(&bazaar, "nora").await;
        let theirs = |one: &&Operation| {
            matches!(one.audience, Audience::Owners | Audience::Persons | Audience::Shoppers)
        };
        let mut operations: Vec<Operation> = bazaar.operations.iter().filter(theirs).cloned().collect();
        operations.sort_by_key(|one| LAST.iter().position(|last| *last == one.name).map_or(0, |at| at + 1));
        Self { bazaar, operations, ines, nora, words }
    }

    fn token(&self, issuer: &str, sub: &str) -> String {
        let issuing = &self.bazaar.shop.market.issuer;
        issuing.token_of(issuer, AUDIENCE, sub, SignedDuration::from_hours(1)).unwrap()
    }

    /// Who is of this marketplace and is not Ines.
    async fn others(&self) -> Vec<Role> {
        self.bazaar.shop.member("mona", &self.ines.merchant, &["*"]).await;
        let person = |who| Role { who, bearer: self.token(ISSUER, who), refused: to_a_person };
        let operator = Role { refused: to_an_operator, ..person(OPERATOR) };
        let guest = Role { who: "a guest", bearer: STOREFRONT.to_owned(), refused: to_a_guest };
        let system = Role { who: "a system", bearer: SECRET.to_owned(), refused: to_a_system };
        // Paul has no account, Mona has all rights in the merchant.
        vec![person("nora"), person("paul"), person("mona"), operator, system, guest]
    }

    /// Who is of the marketplace next door, where an Ines is too.
    async fn next_door(&self) -> Vec<Role> {
        open_next_door(&self.bazaar.shop).await;
        let person = |who| Role { who, bearer: self.token(NEXT_DOOR, who), refused: to_a_person };
        let system = |who, key: &str, refused| Role { who, bearer: key.to_owned(), refused };
        let key = system("a system", "sk_next_door", to_a_system_next_door);
        vec![person("ines"), person(OPERATOR), key, system("a guest", "pk_next_door", to_a_guest)]
    }

    async fn ask(&mut self, things: &Things, bearer: &str, operation: &Operation) -> Asked {
        self.bazaar.things = things.clone();
        self.bazaar.ask(bearer, operation, Some("*")).await
    }

    /// All of a request that says whose things it is about.
    fn says(&mut self, things: &Things, operation: &Operation) -> (String, String) {
        self.bazaar.things = things.clone();
        (self.bazaar.path(operation), self.bazaar.body(operation))
    }

    /// Requests about what is Ines's, in the path, in what is said, or both; and with links that others were given.
    fn about_ines(&mut self, operation: &Operation) -> Vec<Things> {
        let (ines, nora) = (self.ines.clone(), self.nora.clone());
        let in_the_path = Things { said: nora.said.clone(), ..ines.clone() };
        let in_words = Things { said: ines.said.clone(), ..nora.clone() };
        let mut said = BTreeSet::from([self.says(&nora, operation)]);
        if HELD.contains(&operation.name) {
            said.insert(self.says(&ines, operation));
        }
        let forged = Things {
            link: forged(&ines.link),
            shared: forged(&ines.shared),
            review_link: forged(&ines.review_link),
            ..ines.clone()
        };
        let about = [ines, in_the_path, in_words, forged].into_iter();
        about.filter(|things| said.insert(self.says(things, operation))).collect()
    }

    /// What is there that has to do with Ines.
    async fn kept(&self) -> Contents {
        let mut kept = self.bazaar.shop.contents().await;
        // Keys have ids without what they begin with.
        let ids: Vec<&str> = self.words.iter().filter_map(|word| Some(word.split_once('_')?.1)).collect();
        kept.retain(|_, item| {
            let text = format!("{item:?}");
            ids.iter().any(|id| text.contains(id))
        });
        kept
    }

    /// What a text has in it that is for Ines alone.
    fn named(&self, text: &str) -> Option<&str> {
        self.words.iter().map(String::as_str).find(|word| text.contains(word))
    }
}

/// Whether an id of another's leads nowhere by itself, or to what is for all.
fn is_open(operation: &Operation) -> bool {
    OWN.contains(&operation.name) || PUBLIC.contains(&operation.name)
}

/// What was written between two looks.
fn written(before: &Contents, after: &Contents) -> Vec<String> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).map(|key| format!("{key:?}")).collect()
}

/// A marketplace beside the shop, with an issuer and a storefront of its own.
pub(super) async fn open_next_door(shop: &Shop) {
    let id = MarketplaceId::from_bits(derive(&["next door"]));
    let (currency, jwks_uri) = ("EUR".parse().unwrap(), shop.market.issuer.jwks_uri());
    let (issuer, audience) = (NEXT_DOOR.to_owned(), AUDIENCE.to_owned());
    let keys = [("operator", "sk_next_door"), ("storefront", "pk_next_door")];
    let opening = Opening {
        issuer: Some(Issuer { issuer, audience, marketplace: id.clone(), jwks_uri }),
        operators: vec![subject(NEXT_DOOR, OPERATOR)],
        keys: keys.map(|(name, secret)| (name.to_owned(), secret.to_owned())).into(),
        marketplace: Marketplace {
            id,
            name: "Next door".parse().unwrap(),
            currency,
            locale: "en".to_owned(),
            settings: Settings::first(currency),
            merchant_terms: Vec::new(),
        },
    };
    open_marketplace(&shop.market.world, opening).await.expect("the marketplace opens");
    shop.settle().await;
}

#[tokio::test]
async fn what_is_a_customers_is_there_for_the_customer_and_for_operators_by_their_scope() {
    let mut complaints = Vec::new();
    for who in ["ines", OPERATOR] {
        let mut all = Customers::open().await;
        let (bearer, ines) = (all.token(ISSUER, who), all.ines.clone());
        for operation in all.operations.clone() {
            if who == OPERATOR && operation.audience != Audience::Owners {
                continue;
            }
            let Asked { status, body } = all.ask(&ines, &bearer, &operation).await;
            // A conflict is about what was done before.
            if !(200..300).contains(&status) && status != 409 && status != 410 {
                complaints.push(format!("{}: {status} to {who}: {body}", operation.name));
            }
        }
    }
    none(complaints, "where the least that an operation takes is refused, say more in `belongings`");
}

#[tokio::test]
async fn what_is_a_customers_is_not_there_for_anybody_else() {
    let mut all = Customers::open().await;
    let roles = all.others().await;
    let before = all.bazaar.shop.contents().await;
    let mut complaints = Vec::new();
    for operation in all.operations.clone().iter().filter(|one| !is_open(one)) {
        let about = all.about_ines(operation);
        if about.is_empty() {
            complaints.push(format!("{}: it does not say whose things it is about", operation.name));
        }
        for things in about {
            for Role { who, bearer, refused } in &roles {
                let Some(want) = refused(operation.audience) else { continue };
                let Asked { status, body } = all.ask(&things, bearer, operation).await;
                if status != want {
                    let (path, said) = all.says(&things, operation);
                    let told = format!("{status} and not {want} to {who}: {body}");
                    complaints.push(format!("{}: {told} ({path} {said})", operation.name));
                }
            }
        }
    }
    complaints.extend(written(&before, &all.bazaar.shop.contents().await));
    none(complaints, "ask `caller.owns` or `shopper.may_see`; what is nobody's in particular is listed here");
}

#[tokio::test]
async fn what_is_open_to_others_tells_them_nothing_of_a_customer_and_leaves_what_is_the_customers() {
    let mut all = Customers::open().await;
    let (roles, ines, mut complaints) = (all.others().await, all.ines.clone(), Vec::new());
    // Others speak for themselves where no link proves anything.
    let others = Things { said: all.nora.said.clone(), ..ines.clone() };
    for (list, things) in [(&OWN[..], &others), (&PUBLIC, &others), (&HELD, &ines)] {
        let before = all.kept().await;
        for Role { who, bearer, refused } in &roles {
            for operation in all.operations.clone().iter().filter(|one| list.contains(&one.name)) {
                let Some(refused) = refused(operation.audience) else { continue };
                let Asked { status, body } = all.ask(things, bearer, operation).await;
                let told = body.to_string();
                let named = match list == HELD {
                    true => PERSONAL.into_iter().find(|word| told.contains(word)),
                    false => all.named(&told),
                };
                // Who has nothing does not find it, but Nora has one of everything.
                let fits = match refused {
                    404 if *who == "nora" => ![401, 403, 404].contains(&status),
                    404 => ![401, 403].contains(&status),
                    refused => status == refused,
                };
                if !fits || status >= 500 || named.is_some() {
                    complaints.push(format!("{}: {status} to {who}, {named:?} in {told}", operation.name));
                }
            }
            // What one has taken back is gone before the next one comes.
            all.bazaar.shop.settle().await;
        }
        if list == OWN {
            complaints.extend(written(&before, &all.kept().await));
        }
    }
    let known = |name: &&&str| all.operations.iter().any(|operation| operation.name == **name);
    let listed = OWN.iter().chain(&PUBLIC).chain(&HELD).chain(&SOUGHT).chain(&LAST);
    let gone: Vec<_> = listed.filter(|name| !known(name)).collect();
    complaints.extend(gone.iter().map(|name| format!("{name}: it is no operation of theirs")));
    none(complaints, "what is refused to Nora needs no place in a list; what others see names no customer");
}

#[tokio::test]
async fn nothing_of_a_customer_is_there_next_door() {
    let mut all = Customers::open().await;
    let (roles, ines, mut complaints) = (all.next_door().await, all.ines.clone(), Vec::new());
    // Nothing of the whole marketplace is, so people next door speak for themselves.
    let own = Things { said: all.nora.said.clone(), ..ines.clone() };
    all.words.extend([ines.merchant.clone(), ines.product.clone(), ines.review.clone()]);
    let before = all.bazaar.shop.contents().await;
    for operation in all.operations.clone() {
        let name = operation.name;
        for Role { who, bearer, refused } in &roles {
            let Some(want) = refused(operation.audience) else { continue };
            let things = if is_open(&operation) { &own } else { &ines };
            let Asked { status, body } = all.ask(things, bearer, &operation).await;
            let told = body.to_string();
            let sought = SOUGHT.contains(&name) && [OPERATOR, "a system"].contains(who);
            // A filter that nothing fits is told back.
            let named = all.named(&told.replace(&ines.customer, "")).is_some();
            let fits = match want {
                404 if is_open(&operation) => ![401, 403].contains(&status) && status < 500,
                404 if sought => status == 200,
                want => status == want,
            };
            if !fits || named {
                complaints.push(format!("{name}: {status} and not {want} to {who} of next door: {told}"));
            }
        }
    }
    let mut after = all.bazaar.shop.contents().await;
    after.retain(|key, _| before.contains_key(key));
    complaints.extend(written(&before, &after));
    none(complaints, "begin every key with `caller.marketplace`");
}
