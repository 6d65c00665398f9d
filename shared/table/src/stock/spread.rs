//! The stock of a hot offer is spread over more bins; the rule is `domain::stock::bin`'s.

use super::{Bin, Sum, further, read, write};
use crate::key::Key;
use crate::{Fault, Table};
use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::id::{MarketplaceId, OfferId};
use domain::stock::Levels;
use domain::stock::bin::spread;

impl Table {
    /// Makes four bins of each of a location's, in one transaction. Not done, and no fault, where others write them.
    pub(super) async fn spread(&self, m: &MarketplaceId, offer: &OfferId, first: &Bin) -> Result<(), Fault> {
        let mut bins = vec![first.clone()];
        let keys = further(m, offer, first);
        if !keys.is_empty() {
            let found = self.read(&keys).await?.found;
            bins.extend(keys.iter().filter_map(|key| found.get(key).and_then(read)));
        }
        let bins_before = first.more.saturating_add(1);
        if bins.len() != usize::from(bins_before) {
            return Ok(());
        }
        let more = (first.more, bins_before.saturating_mul(4).saturating_sub(1));
        let mut actions: Vec<TransactWriteItem> = Vec::new();
        for share in spread(&bins) {
            let key = |bin| Key::stock(m, offer, &first.location, bin);
            let units = i64::from(share.units);
            let given = units.saturating_mul(3);
            let more = (share.from == 0).then_some(more);
            if given > 0 || more.is_some() {
                let needs = Levels { available: given, ..Levels::default() };
                let effect = moved(given.saturating_neg());
                let sum = Sum { effect, needs, ..Sum::default() };
                actions.push(write(&key(share.from), &sum, more, &self.name)?);
            }
            for to in share.to {
                let sum = Sum { effect: moved(units), ..Sum::default() };
                actions.push(write(&key(to), &sum, None, &self.name)?);
            }
        }
        let sent = self.client.transact_write_items().set_transact_items(Some(actions)).send().await;
        if sent.is_ok() {
            self.hot.learns(Key::stock(m, offer, &first.location, 0), more.1);
        }
        Ok(())
    }
}

/// Units go from one bin to another: nothing physical moves.
fn moved(by: i64) -> Levels {
    Levels { on_hand: by, allocated: 0, available: by }
}
