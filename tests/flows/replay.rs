//! A made-up order history through the front door: exact figures, the same wherever it was cut and repeated.

use futures::FutureExt;
use souk::Market;
use souk::books::Books;
use souk::cloud::Pace;
use souk::replay::{Figures, History, MerchantFigures, Progress, replay, shop};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::pin;

const SECRET: &str = "sk_replay";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("history")
}

/// Stops the replay with a panic at a step, as a kill would; nowhere if none is named.
struct Cut(Option<(&'static str, usize)>);

impl Progress for Cut {
    fn step(&self, name: &str, done: usize, _of: usize) {
        assert!(self.0 != Some((name, done)), "cut");
    }
}

/// What the nine orders come to, by hand. Fees are 15 % of the items that were delivered, half-up per line.
fn expected() -> Figures {
    let merchant = |external_id: &str,
                    orders,
                    [items, freight, commission, payout]: [&str; 4],
                    (ratings, mean): (u64, &str)| MerchantFigures {
        external_id: external_id.to_owned(),
        orders,
        items: items.to_owned(),
        freight: freight.to_owned(),
        commission: commission.to_owned(),
        payout: payout.to_owned(),
        ratings,
        mean_rating: Some(mean.to_owned()),
    };
    Figures {
        orders: 9,
        lines: 11,
        merchants: 4,
        merchant_orders: 10,
        multi_merchant_orders: 2,
        // Order 3 was paid with interest, order 4 has no lines.
        exceptions: 2,
        items: "262.43".to_owned(),
        freight: "55.38".to_owned(),
        payments: "385.31".to_owned(),
        commission: "33.03".to_owned(),
        payouts: "235.44".to_owned(),
        ledger_balance: "0.00".to_owned(),
        // The last answer of order 1, that of order 2 from its delivery on, none of order 6, which is on its way.
        ratings: [(1, 1), (4, 1), (5, 2)].into(),
        orders_per_second: 0,
        by_merchant: vec![
            // 48.90 + 10.10 − 7.34 (7.335) of order 1; 2 × 25.00 − 2 × 3.00 of order 2.
            merchant("seller-a", 2, ["88.90", "20.10", "13.34", "95.66"], (2, "4.50")),
            // 37.87 − 4.52 (4.515) of order 2; 1.50 − 0.15 of order 9; order 5 is canceled.
            merchant("seller-b", 3, ["46.10", "11.27", "4.67", "34.70"], (2, "4.50")),
            // 120.00 − 15.00 of order 3; order 6 is on its way.
            merchant("seller-c", 2, ["112.34", "21.00", "15.00", "105.00"], (1, "1.00")),
            // 0.10 − 0.02 (0.015) of order 9; orders 7 and 8 are not shipped.
            merchant("seller-d", 3, ["15.09", "3.01", "0.02", "0.08"], (1, "5.00")),
        ],
    }
}

/// What the eight baskets come to for shoppers, by hand: a kettle costs 15.00, its last price, and each of the ten
/// merchant orders 10.00 of delivery; two vases are one line of 40.00. Everything is delivered.
fn expected_of_shoppers() -> Figures {
    let merchant = |external_id: &str, orders, [items, commission, payout]: [&str; 3]| MerchantFigures {
        external_id: external_id.to_owned(),
        orders,
        items: items.to_owned(),
        freight: format!("{orders}0.00"),
        commission: commission.to_owned(),
        payout: payout.to_owned(),
        ratings: 0,
        mean_rating: None,
    };
    Figures {
        orders: 8,
        ratings: [].into(),
        lines: 10,
        exceptions: 0,
        items: "247.33".to_owned(),
        freight: "100.00".to_owned(),
        payments: "347.33".to_owned(),
        commission: "37.11".to_owned(),
        payouts: "310.22".to_owned(),
        by_merchant: vec![
            // Fees: 7.34 (7.335) of the lamp, 6.00 of the vases.
            merchant("seller-a", 2, ["88.90", "13.34", "95.56"]),
            // 2.25 of each kettle, 0.15 of the spoon.
            merchant("seller-b", 3, ["31.00", "4.65", "56.35"]),
            // 15.00 of the bicycle, 1.85 (1.851) of the pump.
            merchant("seller-c", 2, ["112.34", "16.85", "115.49"]),
            // 1.50 (1.4985) of the pencil, 0.75 of the eraser, 0.02 (0.015) of the pin.
            merchant("seller-d", 3, ["15.09", "2.27", "42.82"]),
        ],
        ..expected()
    }
}

#[tokio::test]
async fn the_same_baskets_as_shoppers_come_to_the_sums_of_the_catalog() {
    let history = History::read(&folder()).unwrap();
    let market = market(&history).await;
    assert_eq!(shop(&market, &history, SECRET, &Cut(None)).await.unwrap(), 8);
    for again in [false, true] {
        let figures = Figures::read(&market, history.currency).await.unwrap();
        assert_eq!(figures, expected_of_shoppers(), "again: {again}");
        assert_eq!(Books::check(&market).await.unwrap().faults, Vec::<String>::new());
        assert_eq!(market.cloud.dead_letters().unwrap(), []);
        assert_eq!(shop(&market, &history, SECRET, &Cut(None)).await.unwrap(), 0, "nothing is new");
    }
}

async fn market(history: &History) -> Market {
    Market::in_memory(history.start().unwrap(), Pace::Ordered).await.unwrap()
}

async fn figures_are_right(market: &Market, history: &History) {
    let figures = Figures::read(market, history.currency).await.unwrap();
    assert_eq!(figures, expected());
    assert_eq!(Books::check(market).await.unwrap().faults, Vec::<String>::new());
    assert_eq!(market.cloud.dead_letters().unwrap(), []);
}

#[tokio::test]
async fn a_history_comes_to_its_figures_and_once_more_to_the_same() {
    let history = History::read(&folder()).unwrap();
    assert_eq!(history.start().unwrap().to_string(), "2017-01-05T10:00:00Z");
    let market = market(&history).await;
    assert_eq!(replay(&market, &history, SECRET, &Cut(None)).await.unwrap(), 9);
    figures_are_right(&market, &history).await;
    let books = Books::check(&market).await.unwrap();
    assert_eq!(replay(&market, &history, SECRET, &Cut(None)).await.unwrap(), 0, "nothing is new");
    figures_are_right(&market, &history).await;
    let again = Books::check(&market).await.unwrap();
    assert_eq!((again.outbox_items, again.postings), (books.outbox_items, books.postings));
}

/// Drops the work after so many polls, wherever it is then; answers whether it was done before.
async fn cut_after(polls: usize, work: impl Future) -> bool {
    let mut work = pin!(work);
    for _ in 0..polls {
        if futures::poll!(work.as_mut()).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn a_replay_that_was_cut_goes_on_to_the_same_figures() {
    let history = History::read(&folder()).unwrap();
    for first in [1, 2, 3, 5, 8, 13] {
        let market = market(&history).await;
        for polls in [first, first + 1] {
            cut_after(polls, replay(&market, &history, SECRET, &Cut(None))).await;
        }
        for step in [("merchants", 4), ("orders", 9), ("payouts", 0), ("payouts", 1)] {
            let run =
                AssertUnwindSafe(replay(&market, &history, SECRET, &Cut(Some(step)))).catch_unwind().await;
            assert!(run.is_err(), "{step:?}");
        }
        replay(&market, &history, SECRET, &Cut(None)).await.unwrap();
        figures_are_right(&market, &history).await;
    }
}

/// The history with one text replaced in one file.
fn spoiled(file: &str, text: &str, by: &str) -> tempfile::TempDir {
    let spoiled = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let mut content = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == file {
            assert_eq!(content.matches(text).count(), 1, "{text} in {file}");
            content = content.replace(text, by);
        }
        std::fs::write(spoiled.path().join(name), content).unwrap();
    }
    spoiled
}

#[test]
fn a_broken_row_is_told_with_its_file_and_line() {
    let (orders, items) = ("olist_orders_dataset.csv", "olist_order_items_dataset.csv");
    let (payments, sellers) = ("olist_order_payments_dataset.csv", "olist_sellers_dataset.csv");
    let cases = [
        (
            orders,
            "visit-3",
            "visit-0",
            "line 4: there is no customer `visit-0` in olist_customers_dataset.csv",
        ),
        (
            orders,
            "made-up-order-6",
            "made-up-order-2",
            "line 7: the order `made-up-order-2` stands twice in the file",
        ),
        (orders, "processing", "lost", "line 8: `lost` is no order_status"),
        (orders, "2017-02-14 06:00:00", "", "line 9: order_purchase_timestamp is empty"),
        (
            orders,
            "2017-01-11 08:00:00",
            "2017-02-30 08:00:00",
            "line 3: order_delivered_carrier_date is `2017-02-30 08:00:00`: want a time like \
             2017-01-05 12:01:20",
        ),
        (
            items,
            "made-up-order-7,1",
            "made-up-order-0,1",
            "line 9: there is no order `made-up-order-0` in olist_orders_dataset.csv",
        ),
        (
            items,
            "bicycle,seller-c",
            "bicycle,seller-z",
            "line 6: there is no seller `seller-z` in olist_sellers_dataset.csv",
        ),
        (items, "48.9,", "48.901,", "line 2: price: `48.901` has more decimals than BRL has (2)"),
        (
            items,
            "7.77",
            "-7.77",
            "line 3: freight_value: -7.77 BRL is negative where only zero or more makes sense",
        ),
        (items, "12.34", "R$ 12", "line 8: price: `R$ 12` is not a decimal amount like 19.99"),
        (
            payments,
            "order-4,1",
            "order-0,1",
            "line 6: there is no order `made-up-order-0` in olist_orders_dataset.csv",
        ),
        (payments, "121.5", "1e2", "line 5: payment_value: `1e2` is not a decimal amount like 19.99"),
    ];
    for (file, text, by, told) in cases {
        let folder = spoiled(file, text, by);
        let error = History::read(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("{file}, {told}"));
    }
    // A field too few, a column that is not there and a number that is none, in the reader's own words.
    let folder = spoiled(orders, ",visit-1,delivered", ",delivered");
    let error = History::read(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("olist_orders_dataset.csv, line 2: ") && error.contains("7 fields"), "{error}");
    let folder = spoiled(sellers, "seller_id,", "id,");
    let error = History::read(folder.path()).unwrap_err().to_string();
    assert!(
        error.starts_with("olist_sellers_dataset.csv, line 2: ") && error.contains("seller_id"),
        "{error}"
    );
    let folder = spoiled(items, "order-2,3,", "order-2,third,");
    let error = History::read(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("olist_order_items_dataset.csv, line 5: "), "{error}");
}

#[test]
fn a_folder_without_the_files_is_told_with_its_path() {
    let empty = tempfile::tempdir().unwrap();
    let error = History::read(empty.path()).unwrap_err().to_string();
    let path = empty.path().join("olist_customers_dataset.csv");
    assert!(error.starts_with(&format!("{} cannot be read: ", path.display())), "{error}");
}
