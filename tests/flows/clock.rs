//! The local cloud's clock is kept as it moves: what it has made due never lies in the future of the next run.

use futures::FutureExt;
use jiff::SignedDuration;
use souk::Market;
use tests::*;

#[tokio::test]
async fn a_clock_that_is_stopped_on_its_way_goes_on_from_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open_in(Market::open(folder.path(), None).await.unwrap(), HOLD_DAYS).await;
    let start = shop.market.clock.now();
    {
        let mut advance = std::pin::pin!(shop.market.advance(SignedDuration::from_hours(24 * 30)));
        // Dropped in the middle, as a kill would stop it.
        while shop.market.clock.now().duration_since(start) < SignedDuration::from_hours(24) {
            assert!(advance.as_mut().now_or_never().is_none(), "thirty days take more than one look");
            tokio::task::yield_now().await;
        }
    }
    let stopped = shop.market.clock.now();
    drop(shop);
    let market = Market::open(folder.path(), None).await.unwrap();
    let gone_on = market.clock.now().duration_since(stopped);
    assert!((SignedDuration::ZERO..SignedDuration::from_hours(1)).contains(&gone_on), "{gone_on}");
}
