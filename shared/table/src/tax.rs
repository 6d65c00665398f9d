//! Where tax lies: the rules and a sheet of rates per country, in one partition of the marketplace.

use crate::key::Key;
use crate::{Cursor, Fault, Held, Page, Record, Table};
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

impl Table {
    /// What holds for sales into a country: the rules, its sheet and the world's, in one batch read.
    pub async fn tax_policy(&self, m: &MarketplaceId, country: Country) -> Result<Policy, Fault> {
        let (rules, sheets) =
            (Key::tax_rules(m), [Key::tax_sheet(m, Some(country)), Key::tax_sheet(m, None)]);
        let keys: Vec<Key> = sheets.iter().cloned().chain([rules.clone()]).collect();
        let mut read = self.read(&keys).await?;
        let rules = read.take::<Rules>(&rules)?.map_or_else(Rules::first, |held| held.value);
        let mut found = Vec::new();
        for key in &sheets {
            found.extend(read.take::<Sheet>(key)?.map(|held| held.value));
        }
        Ok(rules.with(found))
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
