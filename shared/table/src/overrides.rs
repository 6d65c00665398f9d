//! Where overrides lie, and which one speaks for a subject.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{MarketplaceId, OverrideId};
use domain::overrides::{Override, Policy};
use domain::text::Word;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

impl Record for Override {
    const KIND: &'static str = "override.1";
    type Summary = Override;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::override_(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::override_(m, &self.id)]
    }

    fn summary(&self) -> Option<Override> {
        Some(self.clone())
    }
}

/// The youngest override of a policy for a subject: it alone speaks, whatever older ones say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaking {
    pub policy: Policy,
    pub subject: Word,
    pub id: OverrideId,
}

impl Record for Speaking {
    const KIND: &'static str = "override_mark.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::override_of(m, self.policy, self.subject.as_str())
    }
}

impl Table {
    /// The override that sets a policy aside for a subject at `now`, strongly consistent.
    pub async fn override_for(
        &self,
        m: &MarketplaceId,
        policy: Policy,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<Override>, Fault> {
        let Some(mark) = self.load::<Speaking>(&Key::override_of(m, policy, subject)).await? else {
            return Ok(None);
        };
        let held = self.load::<Override>(&Key::override_(m, &mark.value.id)).await?;
        Ok(held.map(|held| held.value).filter(|found| found.counts(policy, subject, now)))
    }

    /// A marketplace's overrides, newest first.
    pub async fn overrides(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Override>, Fault> {
        self.list::<Override>(&List::new(Index::Gsi2, Place::overrides(m)), limit, after).await
    }
}
