//! Every key of the table, and no key anywhere else. `M` is the marketplace's id.
//!
//! | record           | PK                | SK                        | index: PK / SK |
//! |------------------|-------------------|---------------------------|----------------|
//! | marketplace      | `M#MKT`           | `MKT`                     | |
//! | order            | `M#ORD#<order>`   | `ORD`                     | 1 `M#CUS#<customer>` · 2 `M#ORDDAY#<day>#<shard>` · 3 `M#EXC` (open exception); SK `<ms>#<id>` |
//! | merchant order   | `M#ORD#<order>`   | `MOR#<part>`              | 1 `M#MOR#<merchant>` · 3 `M#OPEN#<merchant>` (not at its end); SK `<ms>#<id>` |
//! | payment          | `M#ORD#<order>`   | `PAY#<nn>`                | 3 `M#PAYALERT` (a person has to look); SK `<ms>#<id>` |
//! | merchant         | `M#MER#<merchant>`| `MER`                     | 2 `M#MERS`; SK `<id>` |
//! | merchant's entry | `M#MER#<merchant>`| `LED#<day>#<kind>#<cause>`| |
//! | delivery rates   | `M#MER#<merchant>`| `RAT`                     | |
//! | claimed through  | `M#MER#<merchant>`| `CLM`                     | |
//! | payout           | `M#MER#<merchant>`| `PYO#<day>`               | 2 `M#PYODAY#<day>#<shard>`; SK `<ms>#<id>` |
//! | order's person   | `M#ORD#<order>`   | `PER`                     | |
//! | customer         | `M#CUS#<customer>`| `PRF`                     | |
//! | data key         | `M#CUS#<customer>`| `KEY`                     | |
//! | agreements       | `M#CUS#<customer>`| `AGR`                     | |
//! | discount code    | `M#DSC#<name>`    | `DSC`                     | 2 `M#DSCS`; SK `<name>` |
//! | its uses         | `M#DSC#<name>`    | `USE`                     | |
//! | store credit     | `M#CUS#<customer>`| `STC#<currency>`          | |
//! | cart             | `M#CRT#<cart>`    | `CRT`                     | |
//! | current cart     | `M#CUS#<customer>`| `NOW`                     | |
//! | follow-up        | `M#FLW#<person>`  | `FLW`                     | 2 `M#FLWS#<month>`; SK `<ms>#<id>` |
//! | newest cart      | `M#FLW#<person>`  | `NEW`                     | |
//! | recovered order  | `M#ORD#<order>`   | `RCV`                     | 2 `M#RCVD#<month>`; SK `<ms>#<id>` |
//! | how it is reminded | `M#RMP`         | `RMP`                     | |
//! | reminders' figures | `M#RMM#<month>#<shard>` | `<arm>#<currency>`  | |
//! | category         | `M#CAT#<handle>`  | `CAT`                     | 2 `M#CATS`; SK `<handle>` |
//! | tax              | `M#TAX`           | `RUL`, `RAT#<country>`, `RAT#*` | |
//! | rates of exchange| `M#FX`            | `RAT`                     | |
//! | product          | `M#PRD#<product>` | `PRD`                     | 1 `M#INCAT#<first category>` · 2 `M#PRDS`; SK `<id>` |
//! | what it says     | `M#PRD#<product>` | `SHEET`                   | |
//! | version of that  | `M#PRD#<product>` | `VER#<version>`           | |
//! | attribute        | `M#ATT#<code>`    | `ATT`                     | 2 `M#ATTS`; SK `<code>` |
//! | family           | `M#FAM#<code>`    | `FAM`                     | 2 `M#FAMS`; SK `<code>` |
//! | sales channel    | `M#SCHS`          | `SCH#<code>`              | |
//! | proposal         | `M#PRP#<proposal>`| `PRP`                     | 2 `M#MERPRP#<merchant>` · 3 `M#PRPWAIT` (pending); SK `<ms>#<id>` |
//! | what waits for a person | `M#PRPP`   | `PRP`                     | |
//! | collection       | `M#COLS`          | `COL#<code>`              | |
//! | what is in it    | `M#COL#<code>`    | `MEM#<product>`           | 1 `M#COLPAGE#<code>`; SK its place |
//! | where a product is | `M#PRD#<product>` | `PLACED`                | |
//! | waits for its time | `M#SCG#<change>` | `SCG`                    | 1 `M#PRDSCG#<product>` · 2 `M#MERSCG#<merchant>` · 3 `M#SCGWAIT` (waiting); SK `<ms of its time>#<id>` |
//! | export           | `M#EXP#<export>`  | `EXP`                     | 2 `M#EXPS#<merchant>` (`*`: everybody's offers); SK `<ms>#<id>` |
//! | recognized by    | `M#PRD#<product>` | `TRAITS`                  | |
//! | has a mark       | `M#TRAIT#<mark>`  | `PRD#<product>`           | |
//! | may be one       | `M#DUP#<pair>`    | `DUP`                     | 3 `M#DUPWAIT` (open); SK `<ms>#<id>` |
//! | offer            | `M#OFF#<offer>`   | `OFF`                     | 1 `M#PRDOFF#<product>` · 2 `M#MEROFF#<merchant>`; SK `<id>` |
//! | stock            | `M#OFF#<offer>`   | `STK#<location>`; a hot offer's further bins `STK#<location>~<n>` | |
//! | wish list        | `M#WSH#<list>`    | `WSH`                     | 1 `M#CUSWSH#<customer>`; SK `<id>` |
//! | waits for an offer | `M#OFF#<offer>` | `WAI#<customer>`          | 1 `M#CUSWAI#<customer>` · 2 `M#MERWAI#<merchant>`; SK `<ms>#<id>` |
//! | plan             | `M#PLN#<plan>`    | `PLN`                     | 2 `M#PLNS`; SK `<id>` |
//! | terms of a plan  | `M#PLN#<plan>`    | `TRM#<version>`           | |
//! | subscription     | `M#SBN#<subscription>` | `SBN`                | 1 `M#CUSSBN#<customer>` · 2 `M#PLNSBN#<plan>`; SK `<id>` |
//! | invoice          | `M#SBN#<subscription>` | `INV#<number>`       | 2 `M#INVNO#<entity>` (once it has its number); SK `<year>-<number>` |
//! | recipient        | `M#SBN#<subscription>` | `RCP#<digest>`       | |
//! | dunning case     | `M#SBN#<subscription>` | `QDN#<invoice's number>` | 3 `M#DUNNING` (open), `M#DUNNED#<month>` (ended); SK `<ms>#<id>` |
//! | dunning's figures| `M#DNM#<month>#<shard>` | `<currency>`        | |
//! | has it already   | `M#CUS#<customer>`| `HAS#<plan>`              | |
//! | had its trial    | `M#CUS#<customer>`| `HAD#<plan>`              | |
//! | numbers          | `M#SER#<entity>`  | `<year>`                  | |
//! | issuer           | `M#ISR`           | `ISR`                     | |
//! | review           | `M#REV#<review>`  | `REV`                     | 1 `M#PRDREV#<product>#<stars>` · 2 `M#MERREV#<merchant>#<stars>` (published); 3 `M#REVWAIT` (waits); SK `<ms>#<id>` |
//! | its rank         | `M#REV#<review>`  | `RNK`                     | 1 `M#PRDHLP#<product>` · 2 `M#MERHLP#<merchant>` (published); SK `<helpful>#<ms>#<id>` · 3 `M#CUSREV#<customer>` |
//! | vote, report of it | `M#REV#<review>` | `VOT#<customer>`, `RPT#<report>` | 3 `M#REVRPT` (open report); SK `<ms>#<id>` |
//! | what was asked   | `M#ORD#<order>`   | `RVQ#<part>`              | |
//! | rules of reviews | `M#RVP`           | `RVP`                     | |
//! | rating           | `M#RTG#<product or merchant>` | `RTG`; a merchant's `CND`, `ADJ` | |
//! | asset            | `M#AST#<asset>`   | `AST`                     | 2 `M#ASTS#<merchant>` (`*`: the marketplace's own); SK `<ms>#<id>` |
//! | import           | `M#IMP#<import>`  | `IMP`                     | 2 `M#IMPS#<merchant>` (`*`: the marketplace's own); SK `<ms>#<id>` |
//! | its profile, a bad row of it | `M#IMP#<import>` | `PRF`, `ROW#<number>` | |
//! | profile of a source | `M#IPFS`       | `IPF#<code>`              | |
//! | who shows it     | `M#AST#<asset>`   | `USE#PRD#<product>`, `USE#REV#<review>` | |
//! | whose its name is | `M#AST#<asset>`  | `NAME`                    | |
//! | waits for goods of a name | `M#ASTNAME#<merchant>#<name>` | `WTG#<asset>` | |
//! | what a product shows | `M#PRD#<product>` | `SHOWN`               | |
//! | message          | `M#MSG#<message>` | `MSG`                     | 1 `M#CUSMSG#<customer>`, `M#MERMSG#<merchant>` · 2 `M#MSGDAY#<day>#<shard>`; SK `<ms>#<id>` |
//! | who gets what    | `M#MRT`           | `MRT`                     | |
//! | merchant's contact | `M#MER#<merchant>` | `TEL`                  | |
//! | template in force | `M#TPL#<kind>`   | `NOW#<locale>`            | |
//! | version of a template | `M#TPL#<kind>` | `VER#<locale>#<version>` | |
//! | not written to   | `M#SUP#<digest>`  | `SUP`                     | 2 `M#SUPS`; SK `<ms>#<digest>` |
//! | secret of links  | `M#LNK`           | `LNK`                     | |
//! | webhook endpoint | `M#WHE#<endpoint>`| `WHE`                     | 2 `M#WHES#<merchant>` (`*`: the marketplace's own); SK `<ms>#<id>` |
//! | who listens      | `M#WHL#<merchant>`, `M#WHL#*` | `WHL`         | |
//! | webhook message  | `M#WHD#<delivery>`| `WHD`                     | 1 `M#WHDS#<endpoint>` · 3 `M#WHFAILED#<endpoint>` (failed); SK `<ms>#<id>` |
//! | outbox           | that of its subject | `EVT#<subject SK>#<step>` | |
//! | refusal          | that of its subject's whole | `AUD#<ms>#<request>` | |
//! | merchant by name | `M#XID#MER#<external id>` | `XID`             | |
//! | idempotency      | `M#IDM#<digest>`  | `IDM`                     | |
//! | event handled    | `M#SEEN#<function>#<event>` | `SEEN`          | |
//! | ledger total     | `M#TOT#<account>#<shard>` | `<day>#<currency>` | |
//! | override         | `M#OVR#<override>`| `OVR`                     | 2 `M#OVRS`; SK `<id>` |
//! | override of a subject | `M#OVROF#<policy>#<subject>` | `OVR`     | |
//! | roles of a person| `M#SUB#<subject>` | `OPR`, `MER#<merchant>`   | 1 `M#MEM#<merchant>` (members); SK `<subject>` |
//! | API key          | `KEY#<sha256>`    | `KEY`                     | 2 `M#KEYS`; SK `<id>` |
//! | issuer           | `ISS#<sha256>`    | `ISS`                     | |
//! | due work         | `DUE#<kind>#<shard>` | `<minute>#M#<thing>`   | |
//!
//! An order, its parts, its payments and their stories share a partition: one query tells everything, `MOR#` to `ORD`
//! is the order with its parts, and on to `PAY#` with its payments. Times in keys are milliseconds in 13 digits, so
//! that text order is time order.
//!
//! An offer and its stock share one too. A document that moves stock (`mov_…`) has its story there as `EVT#<id>`; a
//! release touches many offers and has a partition of its own, `M#MOV#<id>`.
//!
//! Access: an order by (channel, external id) is a read of its derived id; lists by customer, by merchant and by day
//! are queries of an index, newest first; all open exceptions are index 3; a statement is a range of a merchant's
//! entries; what is due by a minute is one query per shard.

mod asset;
mod catalog;
mod collection;
mod duplicate;
mod export;
mod follow_up;
mod import;
mod message;
mod places;
mod review;
mod scheduled;
mod webhook;
mod wish_list;

use crate::due::Work;
use crate::{number, record::Item, text};
use domain::Currency;
use domain::discount::Spelling;
use domain::id::{
    CartId, CustomerId, InvoiceId, MarketplaceId, MerchantId, MerchantOrderId, MovementId, OfferId, OrderId,
    OverrideId, PaymentId, PayoutId, PlanId, ProductId, SubscriptionId, derive, sha256_hex,
};
use domain::ledger::{Account, EntryKind};
use domain::overrides::Policy;
use domain::place::Country;
use domain::text::{Category, Location};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an item lies. Its JSON is that of the item's own key attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    #[serde(rename = "PK")]
    pub(crate) pk: String,
    #[serde(rename = "SK")]
    pub(crate) sk: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pk, self.sk)
    }
}

/// A place in one of the three indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub(crate) index: Index,
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// The secondary indexes, declared from the start because CloudFormation changes one per update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    Gsi1,
    Gsi2,
    Gsi3,
}

impl Index {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gsi1 => "GSI1",
            Self::Gsi2 => "GSI2",
            Self::Gsi3 => "GSI3",
        }
    }

    pub(crate) fn pk(self) -> &'static str {
        match self {
            Self::Gsi1 => "GSI1PK",
            Self::Gsi2 => "GSI2PK",
            Self::Gsi3 => "GSI3PK",
        }
    }

    pub(crate) fn sk(self) -> &'static str {
        match self {
            Self::Gsi1 => "GSI1SK",
            Self::Gsi2 => "GSI2SK",
            Self::Gsi3 => "GSI3SK",
        }
    }
}

/// Marketplace-wide lists spread their writes over this many partitions a day.
pub const DAY_SHARDS: u8 = 4;
/// Ledger totals spread their updates over this many partitions per account.
pub const TOTAL_SHARDS: u8 = 16;

/// A shard that follows from a name.
pub(crate) fn shard(name: &str, of: u8) -> u8 {
    u8::try_from(derive(&["shard", name]) % u128::from(of)).unwrap_or_default()
}

/// Milliseconds since 1970 in 13 digits; what lies before is taken as 1970.
pub(crate) fn millis(at: Timestamp) -> String {
    format!("{:013}", at.as_millisecond().max(0))
}

/// A minute in keys; text order is time order.
pub(crate) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%MZ").to_string()
}

/// Reads what [`minute`] wrote, and the whole hours of before: `2026-03-09T01Z`.
pub(crate) fn minute_of(text: &str) -> Option<Timestamp> {
    let of_an_hour = || format!("{}:00Z", text.strip_suffix('Z')?).parse().ok();
    text.parse().ok().or_else(of_an_hour)
}

/// The first whole minute that is not before: work is never looked at before its time.
fn whole_minute(at: Timestamp) -> Timestamp {
    let second = at.as_second().saturating_add(i64::from(at.subsec_nanosecond() > 0));
    let rest = second.rem_euclid(60);
    let up = if rest == 0 { 0 } else { 60_i64.saturating_sub(rest) };
    Timestamp::from_second(second.saturating_add(up)).unwrap_or(at)
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    pub fn marketplace(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#MKT"), "MKT")
    }

    pub fn order(m: &MarketplaceId, id: &OrderId) -> Self {
        Self::new(format!("{m}#ORD#{}", id.tail()), "ORD")
    }

    /// None where the id does not have the form of a merchant order's: then there is no such thing.
    pub fn merchant_order(m: &MarketplaceId, id: &MerchantOrderId) -> Option<Self> {
        let (order, part) = id.place()?;
        Some(Self::new(Self::order(m, &order).pk, format!("MOR#{part:02}")))
    }

    pub fn merchant(m: &MarketplaceId, id: &MerchantId) -> Self {
        Self::new(format!("{m}#MER#{}", id.tail()), "MER")
    }

    pub fn merchant_by_external_id(m: &MarketplaceId, external_id: &str) -> Self {
        Self::new(format!("{m}#XID#MER#{external_id}"), "XID")
    }

    /// None where the id does not have the form of a payment's.
    pub fn payment(m: &MarketplaceId, id: &PaymentId) -> Option<Self> {
        let (order, number) = id.place()?;
        Some(Self::new(Self::order(m, &order).pk, format!("PAY#{number:02}")))
    }

    /// The bounds of an order's payments, and of order, parts and payments.
    pub(crate) const PAYMENTS: (&'static str, &'static str) = ("PAY#", "PAY#~");
    pub(crate) const WITH_PAYMENTS: (&'static str, &'static str) = ("MOR#", "PAY#~");

    pub fn merchant_entry(
        m: &MarketplaceId,
        id: &MerchantId,
        day: Date,
        kind: EntryKind,
        cause: &str,
    ) -> Self {
        Self::new(Self::merchant(m, id).pk, format!("LED#{day}#{}#{cause}", kind.word()))
    }

    /// The bounds of a merchant's entries with `after < payable day ≤ through`.
    pub(crate) fn merchant_entries(after: Date, through: Date) -> (String, String) {
        (format!("LED#{after}#~"), format!("LED#{through}#~"))
    }

    pub fn claimed(m: &MarketplaceId, id: &MerchantId) -> Self {
        Self::new(Self::merchant(m, id).pk, "CLM")
    }

    /// What a merchant delivers where. Not between `AUD#` and `EVT#`, so that a trail does not read it.
    pub fn delivery_rates(m: &MarketplaceId, id: &MerchantId) -> Self {
        Self::new(Self::merchant(m, id).pk, "RAT")
    }

    /// None where the id does not have the form of a payout's.
    pub fn payout(m: &MarketplaceId, id: &PayoutId) -> Option<Self> {
        let (merchant, through) = id.place()?;
        Some(Self::new(Self::merchant(m, &merchant).pk, format!("PYO#{through}")))
    }

    /// After `EVT#` in text order, so that a trail does not read it.
    pub fn customer(m: &MarketplaceId, id: &CustomerId) -> Self {
        Self::new(Self::data_key(m, id).pk, "PRF")
    }

    /// Before `AUD#` in text order, so that a trail does not read it.
    pub fn agreements(m: &MarketplaceId, customer: &CustomerId) -> Self {
        Self::new(Self::data_key(m, customer).pk, "AGR")
    }

    pub fn discount_code(m: &MarketplaceId, name: &Spelling) -> Self {
        Self::new(format!("{m}#DSC#{}", name.as_str()), "DSC")
    }

    /// How many orders have a code that is for so many.
    pub fn uses_of_code(m: &MarketplaceId, name: &Spelling) -> Self {
        Self::new(Self::discount_code(m, name).pk, "USE")
    }

    pub fn data_key(m: &MarketplaceId, customer: &CustomerId) -> Self {
        Self::new(format!("{m}#CUS#{}", customer.tail()), "KEY")
    }

    /// After `EVT#` in text order, so that a trail does not read it.
    pub fn store_credit(m: &MarketplaceId, customer: &CustomerId, currency: Currency) -> Self {
        Self::new(Self::data_key(m, customer).pk, format!("STC#{currency}"))
    }

    /// The bounds of a customer's credit.
    pub(crate) const STORE_CREDITS: (&'static str, &'static str) = ("STC#", "STC#~");

    /// After the order and its payments in text order, so that no reader of those reads it.
    pub fn order_person(m: &MarketplaceId, order: &OrderId) -> Self {
        Self::new(Self::order(m, order).pk, "PER")
    }

    pub fn cart(m: &MarketplaceId, id: &CartId) -> Self {
        Self::new(format!("{m}#CRT#{}", id.tail()), "CRT")
    }

    /// Which cart a customer's devices share. After `EVT#` in text order, so that a trail does not read it.
    pub fn current_cart(m: &MarketplaceId, customer: &CustomerId) -> Self {
        Self::new(Self::data_key(m, customer).pk, "NOW")
    }

    pub fn category(m: &MarketplaceId, handle: &Category) -> Self {
        Self::new(format!("{m}#CAT#{handle}"), "CAT")
    }

    pub fn tax_rules(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#TAX"), "RUL")
    }

    pub fn fx_rates(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#FX"), "RAT")
    }

    /// None is the sheet of the world, which lies before all countries.
    pub fn tax_sheet(m: &MarketplaceId, country: Option<Country>) -> Self {
        let country = country.map_or_else(|| "*".to_owned(), |country| country.to_string());
        Self::new(Self::tax_rules(m).pk, format!("RAT#{country}"))
    }

    pub fn product(m: &MarketplaceId, id: &ProductId) -> Self {
        Self::new(format!("{m}#PRD#{}", id.tail()), "PRD")
    }

    pub fn offer(m: &MarketplaceId, id: &OfferId) -> Self {
        Self::new(format!("{m}#OFF#{}", id.tail()), "OFF")
    }

    /// A location has no `~` in its name.
    pub fn stock(m: &MarketplaceId, offer: &OfferId, location: &Location, bin: u8) -> Self {
        let bin = if bin == 0 { String::new() } else { format!("~{bin:02}") };
        Self::new(Self::offer(m, offer).pk, format!("STK#{location}{bin}"))
    }

    /// The bounds of an offer's stock items.
    pub(crate) fn stock_range() -> (&'static str, &'static str) {
        ("STK#", "STK#~")
    }

    /// The location of a stock item and its number there, from its key.
    pub(crate) fn bin(&self) -> Option<(Location, u8)> {
        let place = self.sk.strip_prefix("STK#")?;
        let (location, bin) = place.split_once('~').unwrap_or((place, "0"));
        Some((location.parse().ok()?, bin.parse().ok()?))
    }

    pub fn plan(m: &MarketplaceId, id: &PlanId) -> Self {
        Self::new(format!("{m}#PLN#{}", id.tail()), "PLN")
    }

    /// After `EVT#` in text order, so that a trail does not read it.
    pub fn terms(m: &MarketplaceId, plan: &PlanId, version: u32) -> Self {
        Self::new(Self::plan(m, plan).pk, format!("TRM#{version:06}"))
    }

    /// The bounds of a plan's versions.
    pub(crate) const TERMS: (&'static str, &'static str) = ("TRM#", "TRM#~");

    pub fn subscription(m: &MarketplaceId, id: &SubscriptionId) -> Self {
        Self::new(format!("{m}#SBN#{}", id.tail()), "SBN")
    }

    /// What is told of a trial's end; no item of its own lies here.
    pub fn trial_end(m: &MarketplaceId, id: &SubscriptionId, at: Timestamp) -> Self {
        Self::subscription(m, id).part(&format!("TRIAL#{}", at.as_millisecond()))
    }

    /// None where the id does not have the form of an invoice's. After `EVT#` in text order.
    pub fn invoice(m: &MarketplaceId, id: &InvoiceId) -> Option<Self> {
        let (subscription, number) = id.place()?;
        Some(Self::new(Self::subscription(m, &subscription).pk, format!("INV#{number:06}")))
    }

    /// The bounds of a subscription's invoices.
    pub(crate) const INVOICES: (&'static str, &'static str) = ("INV#", "INV#~");

    /// The case of an invoice; none where the id does not have its form. After `EVT#` in text order.
    pub fn dunning(m: &MarketplaceId, invoice: &InvoiceId) -> Option<Self> {
        let (subscription, number) = invoice.place()?;
        Some(Self::new(Self::subscription(m, &subscription).pk, format!("QDN#{number:06}")))
    }

    pub(crate) fn dunning_month(m: &MarketplaceId, at: Timestamp, shard: u8) -> String {
        format!("{m}#DNM#{}#{shard}", at.strftime("%Y-%m"))
    }

    pub(crate) fn dunning_figures(m: &MarketplaceId, at: Timestamp, shard: u8, currency: Currency) -> Self {
        Self::new(Self::dunning_month(m, at, shard), currency.code())
    }

    pub fn recipient(m: &MarketplaceId, subscription: &SubscriptionId, digest: &str) -> Self {
        Self::new(Self::subscription(m, subscription).pk, format!("RCP#{digest}"))
    }

    /// The bounds of whom a subscription's documents are addressed to.
    pub(crate) const RECIPIENTS: (&'static str, &'static str) = ("RCP#", "RCP#~");

    /// There is one while a subscription of the customer's to the plan lives.
    pub fn has_plan(m: &MarketplaceId, customer: &CustomerId, plan: &PlanId) -> Self {
        Self::new(Self::data_key(m, customer).pk, format!("HAS#{}", plan.tail()))
    }

    /// The bounds of the plans that a customer has.
    pub(crate) const HAS_PLANS: (&'static str, &'static str) = ("HAS#", "HAS#~");

    /// There is one since the customer's trial of the plan began.
    pub fn had_trial(m: &MarketplaceId, customer: &CustomerId, plan: &PlanId) -> Self {
        Self::new(Self::data_key(m, customer).pk, format!("HAD#{}", plan.tail()))
    }

    pub fn series(m: &MarketplaceId, entity: &str, year: i16) -> Self {
        Self::new(format!("{m}#SER#{entity}"), year.to_string())
    }

    pub fn issuer_of_invoices(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#ISR"), "ISR")
    }

    pub fn link_secret(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#LNK"), "LNK")
    }

    /// Where a movement document has its story: with the one offer that it moves, or alone.
    pub fn movement(m: &MarketplaceId, offer: Option<&OfferId>, id: &MovementId) -> Self {
        match offer {
            Some(offer) => Self::new(Self::offer(m, offer).pk, id.as_str()),
            None => Self::new(format!("{m}#MOV#{}", id.tail()), id.as_str()),
        }
    }

    pub fn idempotency(m: &MarketplaceId, digest: &str) -> Self {
        Self::new(format!("{m}#IDM#{digest}"), "IDM")
    }

    pub fn seen(m: &MarketplaceId, function: &str, event: &str) -> Self {
        Self::new(format!("{m}#SEEN#{function}#{event}"), "SEEN")
    }

    pub(crate) fn total(m: &MarketplaceId, account: &Account, shard: u8, day: Date, currency: &str) -> Self {
        Self::new(format!("{m}#TOT#{account}#{shard:02}"), format!("{day}#{currency}"))
    }

    pub fn roles(m: &MarketplaceId, subject: &str) -> Self {
        Self::new(format!("{m}#SUB#{subject}"), "OPR")
    }

    /// The sheets of rates in the partition of tax.
    pub(crate) const TAX_SHEETS: (&'static str, &'static str) = ("RAT#", "RAT#~");
    /// The bounds of a person's roles, without their stories.
    pub(crate) const ROLES: (&'static str, &'static str) = ("MER#", "OPR");

    pub fn membership(m: &MarketplaceId, subject: &str, merchant: &MerchantId) -> Self {
        Self::new(Self::roles(m, subject).pk, format!("MER#{}", merchant.tail()))
    }

    pub fn override_(m: &MarketplaceId, id: &OverrideId) -> Self {
        Self::new(format!("{m}#OVR#{}", id.tail()), "OVR")
    }

    /// Where the youngest override of a policy for a subject is named.
    pub fn override_of(m: &MarketplaceId, policy: Policy, subject: &str) -> Self {
        Self::new(format!("{m}#OVROF#{}#{subject}", policy.word()), "OVR")
    }

    /// By the digest of the secret: the key itself is nowhere.
    pub fn api_key(secret: &str) -> Self {
        Self::by_digest(&sha256_hex(secret.as_bytes()))
    }

    /// By the digest itself, as a list of keys shows it.
    pub fn by_digest(digest: &str) -> Self {
        Self::new(format!("KEY#{digest}"), "KEY")
    }

    pub fn issuer(issuer: &str) -> Self {
        Self::new(format!("ISS#{}", sha256_hex(issuer.as_bytes())), "ISS")
    }

    /// Work on a thing that is due at `run`.
    pub fn due(m: &MarketplaceId, work: Work, thing: &str, run: Timestamp) -> Self {
        let sk = format!("{}#{m}#{thing}", minute(whole_minute(run)));
        Self::new(Self::due_partition(work, shard(thing, work.shards())), sk)
    }

    pub(crate) fn due_partition(work: Work, shard: u8) -> String {
        format!("{}{shard}", Self::due_partitions(work))
    }

    /// How all partitions with due work of a kind begin, and no other key.
    pub fn due_partitions(work: Work) -> String {
        format!("DUE#{}#", work.word())
    }

    /// A part of this whole, by its name.
    pub(crate) fn part(&self, name: &str) -> Self {
        Self::new(self.pk.clone(), format!("{}#{name}", self.sk))
    }

    /// The outbox item of a subject's change; steps are padded so that text order is number order. A subject that is a
    /// part keeps its number apart from the whole's.
    pub fn outbox(subject: &Self, step: u64) -> Self {
        Self::new(subject.pk.clone(), format!("EVT#{}#{step:012}", subject.sk))
    }

    /// What was asked of something in this partition and refused. Before the stories in text order, so that one range
    /// is the whole trail.
    pub(crate) fn refusal(whole: &Self, at: Timestamp, request: &str) -> Self {
        Self::new(whole.pk.clone(), format!("AUD#{}#{request}", millis(at)))
    }

    /// The bounds of refusals and outbox items in a partition.
    pub(crate) const TRAIL: (&'static str, &'static str) = ("AUD#", "EVT#~");

    /// The marketplace that a partition belongs to, if it belongs to one.
    pub(crate) fn marketplace_of(pk: &str) -> Option<MarketplaceId> {
        pk.split('#').next()?.parse().ok()
    }

    /// The marketplace whose item lies here, if it is one's.
    pub fn tenant(&self) -> Option<MarketplaceId> {
        Self::marketplace_of(&self.pk)
    }

    pub(crate) fn item(&self) -> Item {
        Item::from([("PK".to_owned(), text(&self.pk)), ("SK".to_owned(), text(&self.sk))])
    }

    /// Where an item lies, as a stream or a query shows it.
    pub fn of_item(item: &Item) -> Self {
        let part = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
        Self { pk: part("PK"), sk: part("SK") }
    }
}

/// When an item may be forgotten, as DynamoDB's TTL reads it: seconds since 1970.
pub(crate) fn expires(at: Timestamp) -> (String, aws_sdk_dynamodb::types::AttributeValue) {
    ("expires".to_owned(), number(at.as_second()))
}

/// Whether an item may be forgotten by now: `expires < :now`, as conditions say it.
pub(crate) fn has_expired(item: &Item, now: Timestamp) -> bool {
    let expires: Option<i64> = item.get("expires").and_then(|v| v.as_n().ok()?.parse().ok());
    expires.is_some_and(|expires| expires < now.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_work_is_put_under_a_minute_that_is_not_before_its_time() {
        for (at, want) in [
            ("2026-03-09T01:00:00Z", "2026-03-09T01:00Z"),
            ("2026-03-09T01:00:00.001Z", "2026-03-09T01:01Z"),
            ("2026-03-09T01:59:01Z", "2026-03-09T02:00Z"),
        ] {
            let put = minute(whole_minute(at.parse().unwrap()));
            assert_eq!(put, want);
            assert_eq!(minute_of(&put), want.parse().ok());
        }
        assert_eq!(minute_of("2026-03-09T01Z"), "2026-03-09T01:00:00Z".parse().ok());
        assert_eq!(minute_of("2026-03-09"), None);
    }
}
