//! What carts hold: units off the shelf for a while, never twice, back by themselves; and many carts on few units.

use crate::races::polite;
use domain::catalog::Offer;
use domain::id::{CartId, MovementId, derive};
use domain::stock::{Allocation, Bin, Change, Hold, Movement, Shelves, Short};
use events::Context;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use table::{Commit, Fault, Key, Story, Table, Uncommitted};
use tests::*;

/// How long a cart holds.
const TEN_MINUTES: SignedDuration = SignedDuration::from_mins(10);

/// A shop with one seller, seen by carts.
struct Store {
    shop: Shop,
    alma: String,
    table: Table,
}

/// What the placing of an order may hear.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    PlacedBefore,
    HoldGone,
}

impl Store {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        let config = polite(shop.market.cloud.sdk_config("orders"));
        let name = shop.market.world.variable("TABLE").unwrap();
        let table = Table::new(aws_sdk_dynamodb::Client::new(&config), name);
        Self { shop, alma, table }
    }

    async fn stocked(&self, sku: &str, quantity: i64) -> Offer {
        self.offer(&self.shop.stocked(&self.alma, sku, quantity).await).await
    }

    async fn offer(&self, id: &str) -> Offer {
        let key = Key::offer(&marketplace_id(), &id.parse().unwrap());
        self.table.load::<Offer>(&key).await.unwrap().unwrap().value
    }

    fn now(&self) -> Timestamp {
        self.shop.market.clock.now()
    }

    async fn ask(
        &self,
        cart: &CartId,
        wanted: &[(&Offer, u32)],
        before: &[Hold],
    ) -> Result<Vec<Hold>, Vec<Short>> {
        let now = self.now();
        // As a function would: while the table is busy, again.
        for _ in 0..20 {
            let until = now + TEN_MINUTES;
            match self.table.hold(&marketplace_id(), cart, wanted, before, until, now).await {
                Err(Fault::Busy) => tokio::task::yield_now().await,
                held => return held.unwrap(),
            }
        }
        panic!("{cart} finds the table busy");
    }

    async fn hold(&self, cart: &CartId, wanted: &[(&Offer, u32)]) -> Vec<Hold> {
        self.ask(cart, wanted, &[]).await.unwrap()
    }

    async fn release(&self, cart: &CartId, holds: &[Hold]) {
        self.table.release(&marketplace_id(), cart, holds).await.unwrap();
    }

    async fn bins(&self, offer: &Offer) -> Vec<Bin> {
        self.table.bins(&marketplace_id(), &offer.id).await.unwrap()
    }

    /// What a cart's page shows.
    async fn available(&self, offer: &Offer, cart: Option<&CartId>) -> u32 {
        let offers = [offer.clone()];
        let shown = self.table.available(&marketplace_id(), &offers, cart, self.now()).await.unwrap();
        shown[&offer.id]
    }

    /// On hand, allocated and available.
    async fn stock(&self, offer: &Offer) -> (i64, i64, i64) {
        self.shop.stock(offer.id.as_str()).await
    }

    /// A cart's holds become promises of its order.
    async fn place(&self, cart: &CartId, offer: &Offer, holds: &[Hold]) -> Result<(), Uncommitted<Word>> {
        let quantity = holds.iter().map(|hold| hold.quantity).sum();
        let taken = Shelves::held(holds).allocate(&offer.id, quantity);
        let promise = |one: Allocation| {
            let allocated = |quantity| Change::Allocated { quantity };
            Movement::of(&offer.id, one, allocated).held_by(cart)
        };
        let story = Story::default().moving(taken.into_iter().map(promise).collect());
        let (m, id) = (marketplace_id(), MovementId::from_bits(derive(&["order", cart.as_str()])));
        let word = || "test".to_owned();
        let context = Context { at: self.now(), actor: word(), cause: word(), correlation: word() };
        let place = Key::movement(&m, None, &id);
        let commit = Commit::new(&m, &context).document(&place, id.as_str(), story, Word::PlacedBefore);
        commit.unless_held(Word::HoldGone).send(&self.table).await
    }

    fn pass(&self, time: SignedDuration) {
        self.shop.market.clock.advance(time);
    }

    /// The books agree, and no unit is promised or held that is not there.
    async fn is_right(&self, offer: &Offer) {
        for bin in self.bins(offer).await {
            let held: i64 = bin.holds.values().map(|held| i64::from(held.quantity)).sum();
            let levels = bin.levels;
            assert_eq!(levels.available, levels.on_hand - levels.allocated - held, "{bin:?}");
            assert!(levels.available >= 0, "{bin:?}");
        }
        self.shop.books_are_right().await;
    }
}

fn cart(number: usize) -> CartId {
    CartId::from_bits(derive(&["cart", &number.to_string()]))
}

fn units(holds: &[Hold]) -> u32 {
    holds.iter().map(|hold| hold.quantity).sum()
}

#[tokio::test]
async fn a7_1_available_is_on_hand_less_allocated_less_held() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 5).await;
    let held = store.hold(&cart(1), &[(&mug, 3)]).await;
    assert_eq!(store.stock(&mug).await, (5, 0, 2));
    let view = store.shop.get(&format!("/v1/stock/{}", mug.id)).await;
    assert_eq!((&view["available"], &view["locations"][0]["held"]), (&json!(2), &json!(3)));
    // Its own units count for the cart itself.
    assert_eq!(store.available(&mug, Some(&cart(1))).await, 5);
    assert_eq!(store.available(&mug, Some(&cart(2))).await, 2);
    assert_eq!(store.available(&mug, None).await, 2);
    store.place(&cart(1), &mug, &held).await.unwrap();
    assert_eq!(store.stock(&mug).await, (5, 3, 2));
    assert_eq!(store.bins(&mug).await[0].holds, [].into());
    store.is_right(&mug).await;
}

#[tokio::test]
async fn a7_1_a_hundred_carts_and_one_unit_give_one_hold() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 1).await;
    let carts: Vec<CartId> = (0..100).map(cart).collect();
    let wanted = [(&mug, 1)];
    let answers = join_all(carts.iter().map(|cart| store.ask(cart, &wanted, &[]))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let short = Short { offer: mug.id.clone(), wanted: 1, available: 0 };
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused, std::slice::from_ref(&short));
    }
    assert_eq!(store.stock(&mug).await, (1, 0, 0));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn a7_2_demand_of_two_lines_on_one_offer_is_summed_first() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 5).await;
    let refused = store.ask(&cart(1), &[(&mug, 3), (&mug, 3)], &[]).await.unwrap_err();
    assert_eq!(refused, [Short { offer: mug.id.clone(), wanted: 6, available: 5 }]);
    assert_eq!(store.stock(&mug).await, (5, 0, 5));
    let held = store.hold(&cart(1), &[(&mug, 3), (&mug, 2)]).await;
    assert_eq!((held.len(), units(&held)), (1, 5));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn the_same_hold_again_changes_nothing_but_its_end() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 5).await;
    let held = store.hold(&cart(1), &[(&mug, 3)]).await;
    store.pass(SignedDuration::from_mins(4));
    let end = (store.now() + TEN_MINUTES).as_millisecond();
    assert_eq!(store.ask(&cart(1), &[(&mug, 3)], &held).await.unwrap(), held);
    // Whoever has lost the answer finds it.
    assert_eq!(store.hold(&cart(1), &[(&mug, 3)]).await, held);
    let bin = &store.bins(&mug).await[0];
    assert_eq!((bin.levels.available, bin.holds.len()), (2, 1));
    assert_eq!((bin.own(&cart(1)), bin.holds[&cart(1)].until.as_millisecond()), (3, end));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn another_quantity_moves_the_difference_or_nothing() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 5).await;
    let held = store.hold(&cart(1), &[(&mug, 2)]).await;
    let held = store.ask(&cart(1), &[(&mug, 4)], &held).await.unwrap();
    assert_eq!((units(&held), store.stock(&mug).await), (4, (5, 0, 1)));
    let refused = store.ask(&cart(1), &[(&mug, 6)], &held).await.unwrap_err();
    assert_eq!(refused, [Short { offer: mug.id.clone(), wanted: 6, available: 5 }]);
    assert_eq!(store.stock(&mug).await, (5, 0, 1));
    let held = store.ask(&cart(1), &[(&mug, 1)], &held).await.unwrap();
    assert_eq!((units(&held), store.stock(&mug).await), (1, (5, 0, 4)));
    // A line that is gone needs no hold.
    assert_eq!(store.ask(&cart(1), &[], &held).await.unwrap(), []);
    assert_eq!(store.stock(&mug).await, (5, 0, 5));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn if_one_offer_is_short_nothing_new_stays_held() {
    let store = Store::open().await;
    let (mug, bowl) = (store.stocked("mug", 5).await, store.stocked("bowl", 1).await);
    // Of this one nothing has ever come in.
    let jug = store.offer(&store.shop.offer(&store.alma, "jug", "10.00").await).await;
    let before = store.hold(&cart(1), &[(&mug, 2)]).await;
    let wanted = [(&mug, 4), (&bowl, 2), (&jug, 1)];
    let mut refused = store.ask(&cart(1), &wanted, &before).await.unwrap_err();
    refused.sort_by_key(|short| short.wanted);
    let short = |offer: &Offer, wanted, available| Short { offer: offer.id.clone(), wanted, available };
    assert_eq!(refused, [short(&jug, 1, 0), short(&bowl, 2, 1)]);
    assert_eq!(store.stock(&mug).await, (5, 0, 3), "what was held before still is");
    assert_eq!(store.stock(&bowl).await, (1, 0, 1));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn an_expired_hold_goes_to_the_next_buyer_and_its_own_cart_hears_it() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 2).await;
    let late = store.hold(&cart(1), &[(&mug, 2)]).await;
    assert!(store.ask(&cart(2), &[(&mug, 1)], &[]).await.is_err());
    store.pass(TEN_MINUTES);
    assert!(store.ask(&cart(2), &[(&mug, 1)], &[]).await.is_err(), "its last moment is its own");
    store.pass(SignedDuration::from_millis(1));
    assert_eq!(store.available(&mug, Some(&cart(2))).await, 2);
    assert_eq!(store.stock(&mug).await, (2, 0, 2), "it counts as free");
    let held = store.hold(&cart(2), &[(&mug, 1)]).await;
    let gone = store.place(&cart(1), &mug, &late).await;
    assert!(matches!(gone, Err(Uncommitted::Refused(Word::HoldGone))), "{gone:?}");
    // It may have what is left.
    let refused = store.ask(&cart(1), &[(&mug, 2)], &late).await.unwrap_err();
    assert_eq!(refused, [Short { offer: mug.id.clone(), wanted: 2, available: 1 }]);
    let again = store.ask(&cart(1), &[(&mug, 1)], &late).await.unwrap();
    store.place(&cart(1), &mug, &again).await.unwrap();
    store.place(&cart(2), &mug, &held).await.unwrap();
    assert_eq!(store.stock(&mug).await, (2, 2, 0));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn an_expired_hold_that_nobody_has_taken_still_completes() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 2).await;
    let held = store.hold(&cart(1), &[(&mug, 2)]).await;
    store.pass(SignedDuration::from_hours(5));
    assert_eq!(store.available(&mug, Some(&cart(1))).await, 2);
    store.place(&cart(1), &mug, &held).await.unwrap();
    let again = store.place(&cart(1), &mug, &held).await;
    assert!(matches!(again, Err(Uncommitted::Refused(Word::PlacedBefore))), "{again:?}");
    assert_eq!(store.stock(&mug).await, (2, 2, 0));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn an_order_of_a_channel_takes_what_nobody_holds_any_more() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 2).await;
    store.hold(&cart(1), &[(&mug, 2)]).await;
    let ordered = |name| store.shop.place(name, json!([line(&store.alma, "mug", 1, "10.00")]), json!({}));
    assert_eq!(ordered("A-1").await["lines"][0]["short"], 1);
    store.pass(TEN_MINUTES + SignedDuration::from_secs(1));
    assert_eq!(ordered("A-2").await["lines"][0]["short"], 0);
    assert_eq!(store.stock(&mug).await, (2, 1, 1));
    store.shop.settle().await;
    store.is_right(&mug).await;
}

#[tokio::test]
async fn what_is_released_is_free_once() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 5).await;
    let old = store.hold(&cart(1), &[(&mug, 2)]).await;
    let held = store.ask(&cart(1), &[(&mug, 3)], &old).await.unwrap();
    // Whatever the quantity has become: what the cart holds there is released.
    store.release(&cart(1), &old).await;
    assert_eq!(store.stock(&mug).await, (5, 0, 5));
    store.release(&cart(1), &held).await;
    assert_eq!(store.stock(&mug).await, (5, 0, 5));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn one_location_that_has_all_is_held_before_two_that_have_parts() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 2).await;
    let path = format!("/v1/stock/{}/receive", mug.id);
    store.shop.done(&path, &json!({"quantity": 4, "location": "north"})).await;
    let mug = store.offer(mug.id.as_str()).await;
    let places = |holds: &[Hold]| -> Vec<(String, u32)> {
        holds.iter().map(|hold| (hold.location.to_string(), hold.quantity)).collect()
    };
    let one = store.hold(&cart(1), &[(&mug, 3)]).await;
    assert_eq!(places(&one), [("north".to_owned(), 3)]);
    let both = store.hold(&cart(2), &[(&mug, 3)]).await;
    assert_eq!(places(&both), [("main".to_owned(), 2), ("north".to_owned(), 1)]);
    let refused = store.ask(&cart(3), &[(&mug, 1)], &[]).await.unwrap_err();
    assert_eq!(refused[0].available, 0);
    store.release(&cart(1), &one).await;
    // What the cart holds already stays where it is.
    let more = store.ask(&cart(2), &[(&mug, 5)], &both).await.unwrap();
    assert_eq!(places(&more), [("main".to_owned(), 2), ("north".to_owned(), 3)]);
    store.place(&cart(2), &mug, &more).await.unwrap();
    assert_eq!(store.stock(&mug).await, (6, 5, 1));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn what_keeps_no_stock_needs_no_hold() {
    let store = Store::open().await;
    let mut song = store.stocked("song", 1).await;
    song.keeps_stock = false;
    assert_eq!(store.hold(&cart(1), &[(&song, 7)]).await, []);
}
