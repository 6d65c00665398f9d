//! What carts hold: units off the shelf for a while, never twice, back by themselves; and many carts on few units.

use crate::races::polite;
use crate::turnstile::{Turnstile, Way};
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
        let table = Self::process(&shop);
        Self { shop, alma, table }
    }

    /// The table as a process sees it that has seen nothing yet, and that lets others go first.
    fn process(shop: &Shop) -> Table {
        let config = polite(shop.market.cloud.sdk_config("orders"));
        let name = shop.market.world.variable("TABLE").unwrap();
        Table::new(aws_sdk_dynamodb::Client::new(&config), name)
    }

    /// A process with something in the way of its calls.
    fn obstructed(&self, operation: &'static str, way: Way) -> (Table, std::sync::Arc<Turnstile>) {
        let config = self.shop.market.cloud.sdk_config("orders");
        let (config, turnstile) = Turnstile::in_the_way(config, operation, way);
        let name = self.shop.market.world.variable("TABLE").unwrap();
        (Table::new(aws_sdk_dynamodb::Client::new(&config), name), turnstile)
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

/// So many carts at once, each with what it wants of one offer; answers what each got.
async fn rush(
    store: &Store,
    carts: std::ops::Range<usize>,
    offer: &Offer,
    quantity: u32,
) -> Vec<Option<Vec<Hold>>> {
    let buy = |number| async move { store.ask(&cart(number), &[(offer, quantity)], &[]).await.ok() };
    join_all(carts.map(buy)).await
}

#[tokio::test]
async fn a_thousand_carts_on_a_hundred_units_get_exactly_a_hundred() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 100).await;
    let buy = |number| {
        let (store, mug) = (&store, &mug);
        async move {
            let cart = cart(number);
            let held = store.ask(&cart, &[(mug, 1)], &[]).await?;
            assert_eq!(units(&held), 1);
            store.place(&cart, mug, &held).await.expect("what is held can be placed");
            Ok::<_, Vec<Short>>(())
        }
    };
    let answers = join_all((0..1_000).map(buy)).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 100);
    // Whoever is refused hears of nothing that could be had.
    assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(|short| short[0].available == 0));
    assert_eq!(store.stock(&mug).await, (100, 100, 0));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn a_crowd_spreads_the_stock_over_bins_and_nobody_is_refused_while_units_are_free() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 100).await;
    assert_eq!(store.bins(&mug).await.len(), 1);
    let held = rush(&store, 0..11, &mug, 1).await;
    assert!(held.iter().flatten().flatten().all(|hold| hold.bin == 0));
    assert_eq!(store.bins(&mug).await.len(), 1);
    // The twelfth meets a crowd.
    store.hold(&cart(11), &[(&mug, 1)]).await;
    let bins = store.bins(&mug).await;
    let available: Vec<i64> = bins.iter().map(|bin| bin.levels.available).collect();
    assert_eq!((bins[0].more, available), (3, vec![22, 22, 22, 22]));
    assert_eq!(store.stock(&mug).await, (100, 0, 88));
    let view = store.shop.get(&format!("/v1/stock/{}", mug.id)).await;
    assert_eq!(view["locations"].as_array().unwrap().len(), 1, "how it lies in bins is nobody's concern");

    // Whoever comes now goes where its name falls on.
    let more = rush(&store, 12..20, &mug, 1).await;
    let met: std::collections::BTreeSet<u8> = more.iter().flatten().flatten().map(|hold| hold.bin).collect();
    assert!(met.len() > 1, "{met:?}");
    // 80 are free, in no bin more than 22: they can be had by one, though not by two.
    let refused = store.ask(&cart(20), &[(&mug, 81)], &[]).await.unwrap_err();
    assert_eq!(refused[0].available, 80);
    assert_eq!(store.stock(&mug).await, (100, 0, 80), "nothing stays held");
    let all = store.hold(&cart(20), &[(&mug, 80)]).await;
    assert_eq!((all.len(), units(&all)), (4, 80));
    assert!(rush(&store, 21..25, &mug, 1).await.iter().all(Option::is_none));
    store.place(&cart(20), &mug, &all).await.unwrap();
    assert_eq!(store.stock(&mug).await, (100, 80, 0));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn a_greater_crowd_makes_more_bins_each_with_its_share() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 1_000).await;
    for batch in 0..10 {
        let held = rush(&store, 30 * batch..30 * (batch + 1), &mug, 1).await;
        assert!(held.iter().all(Option::is_some));
    }
    let bins = store.bins(&mug).await;
    assert!(bins.len() >= 16, "{}", bins.len());
    assert_eq!(usize::from(bins[0].more) + 1, bins.len());
    assert_eq!(store.stock(&mug).await, (1_000, 0, 700));
    // Another process, which has seen none of it.
    let stranger = Store { table: Store::process(&store.shop), ..store };
    let held = stranger.hold(&cart(300), &[(&mug, 700)]).await;
    assert_eq!(units(&held), 700);
    let refused = stranger.ask(&cart(301), &[(&mug, 1)], &[]).await.unwrap_err();
    assert_eq!(refused[0].available, 0);
    stranger.release(&cart(300), &held).await;
    stranger.is_right(&mug).await;
}

#[tokio::test]
async fn orders_parcels_counts_and_receipts_see_one_stock_however_it_lies() {
    let store = Store::open().await;
    let (shop, alma) = (&store.shop, &store.alma);
    let mug = store.stocked("mug", 100).await;
    let held = rush(&store, 0..12, &mug, 1).await;
    for (number, holds) in held.iter().enumerate() {
        store.release(&cart(number), holds.as_ref().unwrap()).await;
    }
    // 34, 22, 22, 22.
    assert_eq!((store.bins(&mug).await.len(), store.stock(&mug).await), (4, (100, 0, 100)));
    let order = shop.paid_order("A-1", json!([line(alma, "mug", 70, "10.00")])).await;
    assert_eq!(store.stock(&mug).await, (100, 70, 30));
    let shipment = shop.ship(&part(&order, 1), "t1", json!([{"line": 1, "quantity": 40}])).await;
    assert_eq!(store.stock(&mug).await, (60, 30, 30));
    shop.deliver(&part(&order, 1), &shipment).await;
    shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed mind"})).await;
    shop.settle().await;
    assert_eq!(store.stock(&mug).await, (60, 0, 60));

    let path = format!("/v1/stock/{}", mug.id);
    shop.refused(
        &format!("{path}/adjust"),
        &json!({"by": -61, "reason": "counted"}),
        409,
        "stock_below_zero",
    )
    .await;
    shop.done(&format!("{path}/adjust"), &json!({"by": -58, "reason": "counted"})).await;
    assert_eq!(store.stock(&mug).await, (2, 0, 2));
    shop.done(&format!("{path}/receive"), &json!({"quantity": 50})).await;
    assert_eq!(store.stock(&mug).await, (52, 0, 52));
    let listed = shop.get(&format!("{path}/movements")).await;
    let rows = listed["items"].as_array().unwrap().iter();
    let mut moved: Vec<(i64, &str)> = rows
        .map(|row| (row["by"].as_i64().or(row["quantity"].as_i64()).unwrap(), at(row, "/change")))
        .collect();
    moved.sort_unstable();
    assert_eq!(moved, [(-58, "adjusted"), (50, "received"), (100, "received")], "one row for each document");
    store.is_right(&mug).await;
}

#[tokio::test]
async fn nobody_is_refused_for_a_unit_that_moved_while_the_bins_were_read() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 100).await;
    // A dozen single units in the first bin, and all but one of the rest, which is in the last.
    let singles = rush(&store, 0..12, &mug, 1).await;
    store.hold(&cart(12), &[(&mug, 87)]).await;
    let free = |bins: Vec<Bin>| -> Vec<i64> { bins.iter().map(|bin| bin.levels.available).collect() };
    assert_eq!(free(store.bins(&mug).await), [0, 0, 0, 1]);

    let (halting, turnstile) = store.obstructed("BatchGetItem", Way::Halts(2));
    let (m, now, buyer, wanted) = (marketplace_id(), store.now(), cart(13), [(&mug, 1)]);
    let buys = halting.hold(&m, &buyer, &wanted, &[], now + TEN_MINUTES, now);
    // The first bin is read and empty, the others are not yet. A unit comes back to the first, the last one's goes:
    // at every moment one was free, and the reading shows none.
    let meanwhile = async {
        turnstile.is_reached().await;
        store.release(&cart(0), singles[0].as_ref().unwrap()).await;
        let other = (14..).map(cart).find(|cart| domain::stock::hold::turn(cart, 4) == 3).unwrap();
        store.hold(&other, &[(&mug, 1)]).await;
        assert_eq!(free(store.bins(&mug).await), [1, 0, 0, 0]);
        turnstile.opens();
    };
    let (held, ()) = futures::join!(buys, meanwhile);
    let held = held.unwrap().expect("one was free all the time");
    assert_eq!((held[0].bin, units(&held)), (0, 1));
    assert_eq!(store.stock(&mug).await, (100, 0, 0));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn an_expired_hold_that_its_cart_extends_meanwhile_is_not_taken() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 1).await;
    let held = store.hold(&cart(1), &[(&mug, 1)]).await;
    store.pass(TEN_MINUTES + SignedDuration::from_secs(1));
    // The first write shows the expired hold, the second would take it away.
    let (halting, turnstile) = store.obstructed("UpdateItem", Way::Halts(2));
    let (m, now, buyer, wanted) = (marketplace_id(), store.now(), cart(2), [(&mug, 1)]);
    let buys = halting.hold(&m, &buyer, &wanted, &[], now + TEN_MINUTES, now);
    let meanwhile = async {
        turnstile.is_reached().await;
        assert_eq!(store.ask(&cart(1), &[(&mug, 1)], &held).await.unwrap(), held);
        turnstile.opens();
    };
    let (refused, ()) = futures::join!(buys, meanwhile);
    assert_eq!(refused.unwrap().unwrap_err()[0].available, 0);
    store.place(&cart(1), &mug, &held).await.unwrap();
    store.is_right(&mug).await;
}

#[tokio::test]
async fn a_promise_takes_the_whole_hold_as_it_was_answered_or_hears_that_it_is_gone() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 5).await;
    let old = store.hold(&cart(1), &[(&mug, 2)]).await;
    let held = store.ask(&cart(1), &[(&mug, 3)], &old).await.unwrap();
    for wrong in [old, Vec::from([Hold { quantity: 4, ..held[0].clone() }])] {
        let gone = store.place(&cart(1), &mug, &wrong).await;
        assert!(matches!(gone, Err(Uncommitted::Refused(Word::HoldGone))), "{gone:?}");
    }
    store.place(&cart(1), &mug, &held).await.unwrap();
    assert_eq!(store.stock(&mug).await, (5, 3, 2));
    store.is_right(&mug).await;
}

#[tokio::test]
async fn an_item_that_is_in_the_way_more_than_once_is_spread_and_one_that_stays_so_is_busy() {
    let store = Store::open().await;
    let mug = store.stocked("mug", 100).await;
    let (m, now) = (marketplace_id(), store.now());
    let wanted = [(&mug, 1)];
    let (busy, _) = store.obstructed("UpdateItem", Way::Refuses(4));
    let answer = busy.hold(&m, &cart(1), &wanted, &[], now + TEN_MINUTES, now).await;
    assert!(matches!(answer, Err(Fault::Busy)), "{answer:?}");
    assert_eq!((store.bins(&mug).await.len(), store.stock(&mug).await), (1, (100, 0, 100)));
    let (once, _) = store.obstructed("UpdateItem", Way::Refuses(1));
    once.hold(&m, &cart(2), &wanted, &[], now + TEN_MINUTES, now).await.unwrap().unwrap();
    assert_eq!(store.bins(&mug).await.len(), 1);
    let (twice, _) = store.obstructed("UpdateItem", Way::Refuses(2));
    twice.hold(&m, &cart(3), &wanted, &[], now + TEN_MINUTES, now).await.unwrap().unwrap();
    assert_eq!((store.bins(&mug).await.len(), store.stock(&mug).await), (4, (100, 0, 98)));
    store.is_right(&mug).await;
}

/// A number below `of` that follows from names.
fn pick(of: u128, names: &[usize]) -> u32 {
    let names: Vec<String> = names.iter().map(usize::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    u32::try_from(derive(&names) % of).unwrap()
}

/// A shopper who holds, changes, gives up, buys or forgets, as the seed has it. Answers what it has bought.
async fn shopper(store: &Store, mug: &Offer, seed: usize, number: usize) -> u32 {
    let (mut life, mut holds, mut bought) = (0, Vec::new(), 0);
    for step in 0..12 {
        let own = cart(10_000 * (seed + 1) + 100 * number + life);
        match pick(8, &[seed, number, step, 0]) {
            0..4 => {
                let wanted = pick(7, &[seed, number, step, 1]);
                if let Ok(held) = store.ask(&own, &[(mug, wanted)], &holds).await {
                    assert_eq!(units(&held), wanted);
                    holds = held;
                }
            }
            4 => {
                store.release(&own, &holds).await;
                holds = Vec::new();
            }
            5 => store.pass(SignedDuration::from_mins(3)),
            6 if !holds.is_empty() => match store.place(&own, mug, &holds).await {
                Ok(()) => {
                    bought += units(&holds);
                    (life, holds) = (life + 1, Vec::new());
                }
                Err(gone) => assert!(matches!(gone, Uncommitted::Refused(Word::HoldGone)), "{gone:?}"),
            },
            _ => (life, holds) = (life + 1, Vec::new()),
        }
    }
    bought
}

#[tokio::test]
async fn whatever_carts_do_at_once_no_unit_is_held_twice_and_none_is_lost() {
    for seed in 0..6 {
        let store = Store::open().await;
        let mug = store.stocked("mug", 40).await;
        let path = format!("/v1/stock/{}/receive", mug.id);
        store.shop.done(&path, &json!({"quantity": 10, "location": "north"})).await;
        let mug = store.offer(mug.id.as_str()).await;
        if seed % 2 == 1 {
            // Half of the worlds begin spread, with a dozen holds that will expire.
            rush(&store, 0..12, &mug, 1).await;
        }
        let watch = async {
            for _ in 0..200 {
                for bin in store.bins(&mug).await {
                    let held: i64 = bin.holds.values().map(|held| i64::from(held.quantity)).sum();
                    assert!(bin.levels.available >= 0 && bin.levels.allocated + held <= bin.levels.on_hand);
                }
            }
        };
        let shoppers = join_all((0..10).map(|number| shopper(&store, &mug, seed, number)));
        let (bought, ()) = futures::join!(shoppers, watch);
        let bought: u32 = bought.iter().sum();
        assert!(bought > 0, "seed {seed}");
        // When all holds are over, all that was not bought can be had by one.
        store.pass(SignedDuration::from_hours(1));
        assert_eq!(store.available(&mug, None).await, 50 - bought);
        let rest = store.hold(&cart(1_000_000), &[(&mug, 50 - bought)]).await;
        store.place(&cart(1_000_000), &mug, &rest).await.unwrap();
        assert_eq!(store.stock(&mug).await, (50, 50, 0));
        store.is_right(&mug).await;
    }
}
