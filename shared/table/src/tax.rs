//! Where tax lies: the rules and a sheet of rates per country, in one partition of the marketplace.

use crate::key::Key;
use crate::{Cursor, Fault, Held, Loaded, Page, Record, Table};
use domain::id::MarketplaceId;
use domain::place::Country;
use domain::tax::Policy;
use domain::tax::table::{Rules, Sheet};

impl Record for Rules {
    const KIND: &'static str = "tax_rules.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::tax_rules(m)
    }
}

impl Record for Sheet {
    const KIND: &'static str = "tax_sheet.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::tax_sheet(m, self.country)
    }
}

/// Where the policy of sales into a country lies.
pub(crate) fn policy_keys(m: &MarketplaceId, country: Country) -> [Key; 3] {
    [Key::tax_rules(m), Key::tax_sheet(m, Some(country)), Key::tax_sheet(m, None)]
}

impl Loaded {
    /// What was read under [`policy_keys`].
    pub(crate) fn policy(&mut self, m: &MarketplaceId, country: Country) -> Result<Policy, Fault> {
        let [rules, sheets @ ..] = policy_keys(m, country);
        let rules = self.take::<Rules>(&rules)?.map_or_else(Rules::first, |held| held.value);
        let mut found = Vec::new();
        for key in &sheets {
            found.extend(self.take::<Sheet>(key)?.map(|held| held.value));
        }
        Ok(rules.with(found))
    }
}

impl Table {
    /// What holds for sales into a country: the rules, its sheet and the world's, in one batch read.
    pub async fn tax_policy(&self, m: &MarketplaceId, country: Country) -> Result<Policy, Fault> {
        self.read(&policy_keys(m, country)).await?.policy(m, country)
    }

    /// The sheets of a marketplace by country, that of the world first.
    pub async fn tax_sheets(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Held<Sheet>>, Fault> {
        self.records(&Key::tax_rules(m).pk, Key::TAX_SHEETS, limit, after, true).await
    }
}
