//! Keys of what products are described with, and of what each of them says.
//!
//! A sheet lies beside its product, so both are one batch read; its versions lie behind them and are read by nobody who
//! does not ask for history. All sort after `EVT#`, so that a trail reads none of them.

use crate::key::{Index, Key, Place};
use domain::id::{MarketplaceId, MerchantId, ProductId, ProposalId};
use domain::text::{Channel, Code};
use jiff::Timestamp;

impl Key {
    pub fn attribute(m: &MarketplaceId, code: &Code) -> Self {
        Self::new(format!("{m}#ATT#{code}"), "ATT")
    }

    pub fn family(m: &MarketplaceId, code: &Code) -> Self {
        Self::new(format!("{m}#FAM#{code}"), "FAM")
    }

    /// All channels share a partition: whoever describes a product needs every one of them.
    pub fn sales_channel(m: &MarketplaceId, code: &Channel) -> Self {
        Self::new(Self::sales_channels(m), format!("SCH#{code}"))
    }

    pub(crate) fn sales_channels(m: &MarketplaceId) -> String {
        format!("{m}#SCHS")
    }

    /// The bounds of the channels, without their stories.
    pub(crate) const SALES_CHANNELS: (&'static str, &'static str) = ("SCH#", "SCH#~");

    pub fn sheet(m: &MarketplaceId, product: &ProductId) -> Self {
        Self::new(Self::product(m, product).pk, "SHEET")
    }

    pub fn sheet_version(m: &MarketplaceId, product: &ProductId, version: u32) -> Self {
        Self::new(Self::product(m, product).pk, Self::version(version))
    }

    pub fn proposal(m: &MarketplaceId, id: &ProposalId) -> Self {
        Self::new(format!("{m}#PRP#{}", id.tail()), "PRP")
    }

    pub fn proposal_policy(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#PRPP"), "PRP")
    }

    fn version(version: u32) -> String {
        format!("VER#{version:010}")
    }

    /// The bounds of all versions of a sheet, and of those after one.
    pub(crate) const SHEET_VERSIONS: (&'static str, &'static str) = ("VER#", "VER#~");

    pub(crate) fn versions_after(version: u32) -> String {
        Self::version(version.saturating_add(1))
    }
}

impl Place {
    pub(crate) fn attribute(m: &MarketplaceId, code: &Code) -> Self {
        Self { index: Index::Gsi2, pk: Self::attributes(m), sk: code.as_str().to_owned() }
    }

    pub(crate) fn attributes(m: &MarketplaceId) -> String {
        format!("{m}#ATTS")
    }

    pub(crate) fn family(m: &MarketplaceId, code: &Code) -> Self {
        Self { index: Index::Gsi2, pk: Self::families(m), sk: code.as_str().to_owned() }
    }

    pub(crate) fn families(m: &MarketplaceId) -> String {
        format!("{m}#FAMS")
    }

    pub(crate) fn proposal_of(m: &MarketplaceId, merchant: &MerchantId, at: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi2, format!("{m}#MERPRP#{}", merchant.tail()), at, id)
    }

    /// Sparse: proposals that wait for a person.
    pub(crate) fn pending_proposal(m: &MarketplaceId, at: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi3, format!("{m}#PRPWAIT"), at, id)
    }
}
