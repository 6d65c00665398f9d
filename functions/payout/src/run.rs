//! One merchant's due run: claim what is payable, then send it to the bank.

use crate::bank;
use domain::fx;
use domain::id::{MarketplaceId, PayoutId};
use domain::merchant::Merchant;
use domain::payout::{Claim, Claimed, Payout, Stage, Told, claim, claimable_through, day, decide};
use domain::{Currency, Decision, Money};
use edge::{Again, World};
use events::payout::{MerchantBalanceCriticalV1, PayoutBlockedV1, PayoutDueV1, announce, created};
use events::{Announced, Context, Envelope};
use jiff::civil::Date;
use table::{Commit, Held, Key, Story};

/// The run's claim was made by another delivery.
#[derive(Debug)]
pub(crate) struct ClaimedBefore;

pub(crate) async fn run(world: World, event: Envelope<PayoutDueV1>) -> Result<(), Again> {
    let m = &event.marketplace;
    let now = world.now();
    let early = || Again::Early(event.data.merchant.to_string());
    let marketplace = world.table.marketplace(m).await?.ok_or_else(early)?.value;
    let merchant = world.table.load::<Merchant>(&Key::merchant(m, &event.data.merchant)).await?;
    let merchant = merchant.ok_or_else(early)?.value;
    let claimed = world.table.load::<Claimed>(&Key::claimed(m, &merchant.id)).await?;

    // A claim whose sending was cut short comes first.
    if let Some(claimed) = &claimed {
        send_claimed(&world, &event, &PayoutId::of(&merchant.id, claimed.value.through)).await?;
    }
    let through = claimable_through(now);
    let after = claimed.as_ref().map_or(Date::ZERO, |held| held.value.through);
    // The clock here is behind that of whoever sent the message: it comes again, or nothing would.
    if through < claimable_through(event.at) {
        return Err(early());
    }
    if through <= after {
        return Ok(());
    }
    let currency = merchant.settles_in(marketplace.currency);
    let totals = world.table.earned(m, &merchant.id, currency, (after, through)).await?;
    let state =
        claimed.as_ref().map_or_else(|| Claimed::nothing(merchant.id.clone()), |held| held.value.clone());
    match claim(&state, &merchant.account, totals, through, now)? {
        Claim::New { payout, claimed: next, posting } => {
            let context = Context::follows(&event, now, "payout");
            let story = Story::new([created(&payout)]).posting(posting);
            let commit = Commit::new(m, &context).begin(&*payout, payout.id.as_str(), story, ClaimedBefore);
            let commit = match &claimed {
                Some(held) => commit.replace(held, &next),
                None => commit.add(&next, ClaimedBefore),
            };
            commit.send(&world.table).await?;
            send_claimed(&world, &event, &payout.id).await
        }
        Claim::Nothing { balance } => {
            let limit = critical(&world, m, currency, marketplace.settings.critical_balance).await?;
            if balance.minor.saturating_add(limit.minor) >= 0 {
                return Ok(());
            }
            let told = Announced::of(&MerchantBalanceCriticalV1 {
                merchant: merchant.id.clone(),
                balance: balance.into(),
            });
            tell(&world, &event, claimed.as_ref(), &state, told).await
        }
        Claim::NoAccount { balance } => {
            // It stays open: the next run of the schedule looks again.
            world.table.payout_is_due(m, &merchant.id, merchant.schedule.run_after(day(now))).await?;
            let told =
                Announced::of(&PayoutBlockedV1 { merchant: merchant.id.clone(), balance: balance.into() });
            tell(&world, &event, claimed.as_ref(), &state, told).await
        }
    }
}

/// The limit in the merchant's currency; without a rate of today every debt is worth a word.
async fn critical(
    world: &World,
    m: &MarketplaceId,
    currency: Currency,
    limit: Money,
) -> Result<Money, Again> {
    if currency == limit.currency {
        return Ok(limit);
    }
    let sheet = world.table.load::<fx::Sheet>(&Key::fx_rates(m)).await?;
    let rates = sheet.map(|held| held.value.rates).unwrap_or_default();
    let rate = fx::find(&rates, currency, limit.currency, day(world.now()));
    let Ok(rate) = rate else { return Ok(Money::zero(currency)) };
    // More than an amount can be is never owed.
    Ok(rate.own(limit).unwrap_or(Money::new(i64::MAX, currency)))
}

/// Orders the bank to pay a payout that is only created. The bank knows it by its id, so a repeat pays once.
async fn send_claimed(world: &World, event: &Envelope<PayoutDueV1>, id: &PayoutId) -> Result<(), Again> {
    let m = &event.marketplace;
    let Some(key) = Key::payout(m, id) else { return Ok(()) };
    let Some(held) = world.table.load::<Payout>(&key).await? else { return Ok(()) };
    if held.value.stage != Stage::Created {
        return Ok(());
    }
    let reference = bank::order(world, m, &held.value).await?;
    let now = world.now();
    let Decision::New(fact) = decide(&held.value, Told::Sent { reference }, now)? else { return Ok(()) };
    let next = held.value.clone().apply(&fact);
    let context = Context::follows(event, now, "payout");
    let story = Story::new([announce(&next, &fact)]);
    Commit::<()>::new(m, &context).change(&held, &next, next.id.as_str(), story).send(&world.table).await?;
    Ok(())
}

/// Tells something of a merchant's account that changes nothing in it; once per due message.
async fn tell(
    world: &World,
    event: &Envelope<PayoutDueV1>,
    held: Option<&Held<Claimed>>,
    state: &Claimed,
    told: Announced,
) -> Result<(), Again> {
    let context = Context::follows(event, world.now(), "payout");
    let commit = Commit::new(&event.marketplace, &context).mark("payout", &event.id, ClaimedBefore);
    let (subject, story) = (format!("{}-account", state.merchant), Story::new([told]));
    let commit = match held {
        Some(held) => commit.change(held, state, &subject, story),
        None => commit.begin(state, &subject, story, ClaimedBefore),
    };
    match commit.send(&world.table).await {
        Ok(()) | Err(table::Uncommitted::Refused(ClaimedBefore)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
