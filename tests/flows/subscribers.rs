//! The demonstration of subscriptions in small: people who come, change, fail to pay and leave, over some months.

use souk::subscribers::{Demonstration, Scale, demonstrate, svg};
use tests::Unwatched;

async fn four_months() -> Demonstration {
    demonstrate(Scale { subscribers: 30, months: 4, seed: 1 }, &Unwatched).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_subscribers_over_four_months_add_up_with_the_ledger_and_are_the_same_every_time() {
    let [first, again] = [(); 2].map(|()| tokio::spawn(four_months()));
    let (shown, again) = (first.await.unwrap(), again.await.unwrap());
    assert_eq!(shown.wrong, Vec::<String>::new());
    let names: Vec<&str> = shown.months.iter().map(|month| month.month.as_str()).collect();
    assert_eq!(names, ["2026-01", "2026-02", "2026-03", "2026-04"]);
    let (mut subscribed, mut ended) = (0, 0);
    for month in &shown.months {
        let there = month.trialing + month.active + month.in_dunning + month.paused;
        assert_eq!((month.subscribed, month.ended), (subscribed + month.joined, ended + month.churned));
        assert_eq!((there + month.ended, month.ledger), (month.subscribed, 0), "{month:?}");
        assert!(month.unpaid <= month.churned, "{month:?}");
        (subscribed, ended) = (month.subscribed, month.ended);
    }
    assert_eq!((subscribed, shown.done["subscribed"]), (30, 30));
    assert_eq!(shown, again);
    assert_eq!(svg(&shown.months, shown.currency), svg(&again.months, again.currency));
}
