//! Known numbers, as `souk bench` has them: what an order takes of AWS, and that it stays so as the table grows.

use rust_decimal::Decimal;
use souk::bench::chart::{NotDrawn, chart};
use souk::bench::cost::{Part, cost};
use souk::bench::growth::growth;
use souk::bench::prices::Of;
use souk::bench::{Figures, Measured};
use tests::Unwatched;

#[tokio::test]
async fn the_bill_of_an_order_is_the_sum_of_what_was_counted() {
    let bill = cost().await.unwrap();
    let sum = |part: Part| bill.sums.iter().find(|sum| sum.part == part).unwrap();
    let up_to_the_split = &sum(Part::ToTheSplit).work.usage;
    let count = |of: Of| up_to_the_split.get(of);
    assert_eq!(count(Of::ApiRequests), Decimal::from(5), "a request for each of a shopper's steps");
    assert_eq!(count(Of::Mails), Decimal::ZERO, "mail stands apart");
    assert_eq!(count(Of::ScheduledRuns), Decimal::ZERO);
    // An order that is alone: its message is sent, received and deleted by itself.
    let queued: Decimal = bill
        .rows
        .iter()
        .filter(|row| row.part == Part::ToTheSplit && row.step == "order-split")
        .map(|row| row.work.usage.get(Of::QueueRequests))
        .sum();
    assert_eq!(queued, Decimal::from(3));
    assert!(count(Of::Invocations) >= count(Of::ApiRequests) + Decimal::from(3), "outbox, split and ledger");
    assert!(count(Of::WriteUnits) > Decimal::from(40) && count(Of::ReadUnits) > Decimal::from(20));
    assert_eq!(sum(Part::Mail).work.usage.get(Of::FilesPut), Decimal::ZERO);
    assert_eq!(
        sum(Part::Payout).work.usage.get(Of::FilesPut),
        Decimal::from(2),
        "a file for the bank, of each merchant"
    );

    for sum in &bill.sums {
        let rows = bill.rows.iter().filter(|row| row.part == sum.part);
        assert_eq!(sum.dollars, rows.map(|row| row.dollars).sum::<Decimal>(), "{:?}", sum.part);
        assert_eq!(sum.dollars, sum.by_service.values().sum::<Decimal>(), "{:?}", sum.part);
    }
    let order = bill.sums.iter().filter(|sum| sum.part != Part::Browsing);
    assert_eq!(bill.dollars, order.map(|sum| sum.dollars).sum::<Decimal>());

    let folder = tempfile::tempdir().unwrap();
    let figures = serde_json::to_string(&Figures::of("cost", &bill)).unwrap();
    std::fs::write(folder.path().join("some.json"), figures).unwrap();
    let picture = chart(folder.path()).unwrap();
    assert!(picture.contains("<title>up to the split: DynamoDB $"), "{picture}");
}

#[test]
fn a_folder_without_figures_gives_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("other.json"), "{}").unwrap();
    assert!(matches!(chart(folder.path()), Err(NotDrawn::Nothing(_))));
}

#[tokio::test]
async fn a_checkout_costs_the_same_in_a_table_ten_times_as_large() {
    let folder = tempfile::tempdir().unwrap();
    let growth = growth(&[10, 100], folder.path(), &Unwatched).await.unwrap();
    assert_eq!(growth.wrong(), Vec::<String>::new());
    assert_eq!(growth.ratio, Decimal::ONE, "{:#?}", growth.table());
    let at = |size: usize| growth.rows.iter().filter(|row| row.size == size).count();
    assert!(at(10) > 5 && at(10) == at(100));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of it");
}
