//! What was stored once reads for ever: the golden items of every kind.

use super::*;
use crate::access::{ApiKey, Asked, Issuer, LinkSecret, Member, Operator};
use crate::asset::{AssetUse, AssetWaits};
use crate::cart::CurrentCart;
use crate::collection::{Named, Placement};
use crate::delivery::DeliveryRates;
use crate::discount::{Agreements, DiscountCode};
use crate::duplicate::{Bearer, Recognition};
use crate::follow_up::{Recovered, ReminderPolicy};
use crate::import::{BadRowOfImport, ImportProfile, ProfileOfImport};
use crate::invoice::Recipient;
use crate::merchant::MerchantName;
use crate::message::{KeptMessage, MerchantContact, MessageRouting, MessageTemplate, TemplateVersion};
use crate::overrides::Speaking;
use crate::person::{CustomerAccount, DataKey, OrderPerson};
use crate::proposal::ProposalPolicy;
use crate::review::{RatingAdjustment, ReviewPolicy, ReviewRank, ReviewReport, ReviewVote};
use crate::sheet::{Described, SheetVersion};
use crate::subscription::{HadTrial, HasPlan};
use crate::webhook::Listeners;
use crate::wish_list::Waiting;
use domain::asset::Asset;
use domain::asset::naming::NamedAsset;
use domain::asset::shown::Gallery;
use domain::cart::Cart;
use domain::catalog::{CategoryNode, Offer, Product};
use domain::credit::StoreCredit;
use domain::dunning::Case;
use domain::fx::Sheet as ExchangeRates;
use domain::import::Import;
use domain::invoice::{Invoice, Series};
use domain::ledger::MerchantEntry;
use domain::marketplace::Marketplace;
use domain::merchant::Merchant;
use domain::merchant_order::MerchantOrder;
use domain::message::Suppression;
use domain::order::Order;
use domain::overrides::Override;
use domain::payment::Payment;
use domain::payout::{Claimed, Payout};
use domain::pim::attribute::Attribute;
use domain::pim::duplicate::Duplicate;
use domain::pim::export::Export;
use domain::pim::family::{Family, PimChannel};
use domain::pim::proposal::Proposal;
use domain::pim::scheduled::ScheduledChange;
use domain::plan::{Plan, Terms};
use domain::reminder::{FollowUp, Newest};
use domain::review::Review;
use domain::review::ask::Asking;
use domain::subscription::Subscription;
use domain::tax::table::{Rules, Sheet};
use domain::webhook::{Delivery, Endpoint};
use domain::wish_list::WishList;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads an item as its kind, and writes it again.
type Again = fn(Item) -> Result<Item, Fault>;

fn again<R: Record>(item: Item) -> Result<Item, Fault> {
    // Keys and issuers lie outside the tenants; a list of theirs says whose they are.
    let listed = item.get("GSI2PK").and_then(|pk| pk.as_s().ok()).cloned().unwrap_or_default();
    let m = Key::marketplace_of(&Key::of_item(&item).pk).or_else(|| Key::marketplace_of(&listed));
    let m = m.unwrap_or(MarketplaceId::from_bits(0));
    let held = from_item::<R>(item)?;
    to_item(&m, &held.value, held.revision)
}

fn unread() -> Fault {
    Fault::Kind { want: "an item that reads", found: "one that does not".to_owned() }
}

/// Counters and marks have no value; entries of the outbox and refusals are read by their own code.
fn outbox(item: Item) -> Result<Item, Fault> {
    crate::outbox::Entry::read(&item)?.map(|_| item).ok_or_else(unread)
}

fn stock(item: Item) -> Result<Item, Fault> {
    crate::stock::stock_of(&item).map(|_| item).ok_or_else(unread)
}

fn total(item: Item) -> Result<Item, Fault> {
    crate::ledger::total_of(&item).map(|_| item).ok_or_else(unread)
}

fn refusal(item: Item) -> Result<Item, Fault> {
    let read = serde_dynamo::from_attribute_value::<_, crate::audit::Refusal>(item["value"].clone());
    read.map(|_| item).map_err(|source| Fault::Shape { kind: crate::audit::KIND, source })
}

fn kinds() -> BTreeMap<&'static str, Again> {
    let mut kinds: BTreeMap<&'static str, Again> = BTreeMap::new();
    macro_rules! records {
        ($($record:ty),* $(,)?) => { $(kinds.insert(<$record>::KIND, again::<$record>);)* };
    }
    records!(
        CurrentCart,
        CustomerAccount,
        FollowUp,
        Newest,
        Recovered,
        Waiting,
        WishList,
        ReminderPolicy,
        Agreements,
        Asking,
        Asset,
        Import,
        ImportProfile,
        ProfileOfImport,
        BadRowOfImport,
        Bearer,
        Duplicate,
        Export,
        crate::collection::Member,
        Named,
        Placement,
        Recognition,
        ScheduledChange,
        NamedAsset,
        AssetUse,
        AssetWaits,
        Gallery,
        ApiKey,
        Asked,
        Cart,
        Case,
        Attribute,
        CategoryNode,
        Claimed,
        Described,
        Family,
        PimChannel,
        SheetVersion,
        DataKey,
        DeliveryRates,
        ExchangeRates,
        DiscountCode,
        HadTrial,
        HasPlan,
        Invoice,
        Issuer,
        LinkSecret,
        crate::invoice::Issuer,
        KeptMessage,
        MerchantContact,
        MessageRouting,
        MessageTemplate,
        TemplateVersion,
        Suppression,
        Marketplace,
        Member,
        Merchant,
        MerchantEntry,
        MerchantName,
        MerchantOrder,
        Offer,
        Operator,
        Order,
        OrderPerson,
        Override,
        Payment,
        Payout,
        Plan,
        Product,
        Proposal,
        ProposalPolicy,
        RatingAdjustment,
        Recipient,
        Review,
        ReviewPolicy,
        ReviewRank,
        ReviewReport,
        ReviewVote,
        Rules,
        Series,
        Sheet,
        Speaking,
        StoreCredit,
        Subscription,
        Terms,
        Endpoint,
        Delivery,
        Listeners,
    );
    kinds.insert("outbox.1", outbox);
    kinds.insert("stock.1", stock);
    kinds.insert("ledger_total.1", total);
    kinds.insert("refusal.1", refusal);
    kinds.insert("due.1", Ok);
    kinds.insert("seen.1", Ok);
    kinds.insert("dunning_figures.1", Ok);
    kinds.insert("reminder_figures.1", Ok);
    kinds.insert("rating.1", Ok);
    kinds.insert("merchant_conduct.1", Ok);
    kinds
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|members| members.iter().next()).expect("one member");
    match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().unwrap().to_owned()),
        "N" => AttributeValue::N(value.as_str().unwrap().to_owned()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(true),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(item(value)),
        other => panic!("no record stores {other}"),
    }
}

fn item(value: &Value) -> Item {
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// The golden items by kind.
fn golden() -> Vec<(String, Item)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (kind, item(&serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()))
    };
    files.map(read).collect()
}

/// Whether everything of `old` is in `new`; a newer shape may say more.
fn keeps(old: &AttributeValue, new: &AttributeValue) -> bool {
    match (old, new) {
        (AttributeValue::M(old), AttributeValue::M(new)) => {
            old.iter().all(|(name, old)| new.get(name).is_some_and(|new| keeps(old, new)))
        }
        (AttributeValue::L(old), AttributeValue::L(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| keeps(old, new))
        }
        (old, new) => old == new,
    }
}

#[test]
fn what_was_stored_once_reads_for_ever_and_loses_nothing() {
    let kinds = kinds();
    for (kind, old) in golden() {
        let again = kinds.get(kind.as_str()).unwrap_or_else(|| panic!("{kind} has no reader here"));
        let new = again(old.clone()).unwrap_or_else(|fault| panic!("{kind} does not read: {fault:?}"));
        for (name, value) in old.iter().filter(|(name, _)| name.as_str() != "expires") {
            let kept = new.get(name).is_some_and(|new| keeps(value, new));
            assert!(kept, "{kind}: {name} was {value:?}, is {:?}", new.get(name));
        }
    }
}

#[test]
fn every_kind_that_is_written_has_a_golden_item() {
    let there: Vec<String> = golden().into_iter().map(|(kind, _)| kind).collect();
    let kinds = kinds();
    let missing: Vec<&&str> = kinds.keys().filter(|kind| !there.iter().any(|there| there == *kind)).collect();
    assert!(missing.is_empty(), "shared/table/golden lacks {missing:?}: see tests/contract/shapes.rs");
}
