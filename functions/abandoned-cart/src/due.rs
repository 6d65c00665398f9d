//! `cart.reminder_due.v1`: a person's newest cart was left long enough to be looked at.
//!
//! Two glances, at half the units of strong reads: what is committed holds only on the revision that was seen, and
//! whoever writes the message loads the cart once more.

use domain::cart::Cart;
use domain::customer::{Purpose, Stage};
use domain::discount::Grant;
use domain::id::{FollowUpId, MarketplaceId};
use domain::message::{Kind, Said, Suppression, may_write};
use domain::pricing::{Benefit, BorneBy, Scope};
use domain::reminder::{FollowUp, Incentive, Look, Newest, Policy, Seen, Write, look};
use domain::text::Word;
use edge::{Again, Overtaken, World};
use events::cart::{CartRemindedV1, CartReminderDueV1};
use events::{Announced, Context, Envelope};
use jiff::{SignedDuration, Timestamp};
use table::discount::DiscountCode;
use table::follow_up::ReminderPolicy;
use table::person::CustomerAccount;
use table::{Commit, Held, Key, Story};

pub(crate) async fn due(world: World, event: Envelope<CartReminderDueV1>) -> Result<(), Again> {
    let m = &event.marketplace;
    let Some(around) = Around::of(&world, m, &event.data.follow_up).await? else { return Ok(()) };
    let now = world.now();
    let context = Context::follows(&event, now, "abandoned-cart");
    let Around { cart, held, policy, wanted } = &around;
    let seen = Seen { cart, held: held.as_ref().map(|held| &held.value), wanted: *wanted };
    match look(policy, seen, now) {
        Look::Over => Ok(()),
        // The clock here is behind that of whoever sent the message, and still has the look on its list.
        Look::Later(at) if at <= event.at => Err(Again::Early(event.data.follow_up.to_string())),
        Look::Later(at) => Ok(world.table.look_at_cart(m, &event.data.follow_up, at).await?),
        Look::Ends(next) => {
            let Some(held) = held else { return Ok(()) };
            let commit: Commit<'_, Overtaken> = Commit::new(m, &context);
            commit.replace(held, &next).send(&world.table).await.map_err(Again::from)
        }
        Look::Write(write) => remind(&world, m, &context, &around, *write).await,
    }
}

/// All that a look needs to know.
struct Around {
    cart: Cart,
    held: Option<Held<FollowUp>>,
    policy: Policy,
    wanted: bool,
}

impl Around {
    /// None where the cart is gone, or has become another person's since.
    async fn of(world: &World, m: &MarketplaceId, id: &FollowUpId) -> Result<Option<Self>, Again> {
        let (newest, held, policy) =
            (Key::newest_cart(m, id), Key::follow_up(m, id), Key::reminder_policy(m));
        let mut read = world.table.glance(&[newest.clone(), held.clone(), policy.clone()]).await?;
        let Some(newest) = read.take::<Newest>(&newest)?.map(|held| held.value) else { return Ok(None) };
        let cart = Key::cart(m, &newest.cart);
        let account = newest.customer.as_ref().map(|customer| Key::customer(m, customer));
        let stop = newest.mailbox.as_ref().map(|mailbox| Key::suppression(m, mailbox));
        let keys: Vec<Key> = [&cart].into_iter().chain(&account).chain(&stop).cloned().collect();
        let mut found = world.table.glance(&keys).await?;
        let cart = found.take::<Cart>(&cart)?.map(|held| held.value);
        let Some(cart) = cart.filter(|cart| cart.follow_up.as_ref() == Some(id)) else { return Ok(None) };
        let account = match &account {
            Some(key) => found.take::<CustomerAccount>(key)?.map(|held| held.value),
            None => None,
        };
        let stop = match &stop {
            Some(key) => found.take::<Suppression>(key)?.map(|held| held.value),
            None => None,
        };
        let policy = read.take::<ReminderPolicy>(&policy)?.map(|held| held.value.policy);
        Ok(Some(Self {
            held: read.take::<FollowUp>(&held)?,
            policy: policy.unwrap_or_else(Policy::first),
            wanted: wanted(&cart, account.as_ref(), stop.as_ref()),
            cart,
        }))
    }
}

/// What was said in the account counts before what was said in the cart (A16(1)); whoever is erased wants nothing more,
/// whatever a cart still says (A16(3)).
fn wanted(cart: &Cart, account: Option<&CustomerAccount>, stop: Option<&Suppression>) -> bool {
    if account.is_some_and(|account| matches!(account.customer.stage, Stage::Erased { .. })) {
        return false;
    }
    let said = account.and_then(|account| account.customer.said(Purpose::MarketingEmail));
    let said = said.map(|said| Said { given: said.given, at: said.at });
    let agreed = || cart.contact.as_ref().and_then(|contact| contact.agreed_at);
    let said = said.or_else(|| agreed().map(|at| Said { given: true, at }));
    may_write(Kind::CartReminder, said, stop).is_ok()
}

async fn remind(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    around: &Around,
    write: Write,
) -> Result<(), Again> {
    let Around { cart, held, policy, .. } = around;
    let Write { mut next, step, incentive, then } = write;
    if let Some(at) = then {
        world.table.look_at_cart(m, &next.id, at).await?;
    }
    let mut commit: Commit<'_, Overtaken> = Commit::new(m, context);
    let mut made = None;
    if let Some(grant) = code(world, cart, incentive, context.at)? {
        let code = DiscountCode { grant, bound_to: Some(cart.id.clone()) };
        commit = commit.add(&code, Overtaken);
        next = next.with_code(code.grant.name.clone());
        made = Some(code.grant);
    }
    let of = u8::try_from(policy.steps.len()).unwrap_or(u8::MAX);
    let facts = step.map(|step| {
        Announced::of(&CartRemindedV1 {
            follow_up: next.id.clone(),
            customer: next.customer.clone(),
            number: u8::try_from(step.saturating_add(1)).unwrap_or(u8::MAX),
            of,
            code: made.as_ref().map(|grant| grant.name.to_string()),
            code_until: made.as_ref().and_then(|grant| grant.until).map(Into::into),
        })
    });
    let story = Story::new(facts);
    let commit = match held.as_ref().filter(|held| held.value.cart == next.cart) {
        Some(held) => commit.change(held, &next, next.id.as_str(), story),
        None => commit.follow_up_begins(held.as_ref(), &next, cart.currency, story, Overtaken),
    };
    Ok(commit.send(&world.table).await?)
}

/// A code that nobody guesses, for this cart alone. Money off another currency is none.
fn code(
    world: &World,
    cart: &Cart,
    incentive: Option<Incentive>,
    now: Timestamp,
) -> Result<Option<Grant>, Again> {
    let Some(Incentive { benefit, valid_hours }) = incentive else { return Ok(None) };
    if matches!(&benefit, Benefit::Amount(amount) if amount.currency != cart.currency) {
        return Ok(None);
    }
    let secret = world.secret("").map_err(|error| Again::call("draw a code", error))?;
    let name = format!("BACK-{}", secret.get(..12).unwrap_or(&secret).to_uppercase());
    let name: Word = name.parse().map_err(|error| Again::call("name a code", error))?;
    let until = now.checked_add(SignedDuration::from_hours(i64::from(valid_hours))).ok();
    let (scope, borne_by) = (Scope::Order, BorneBy::Marketplace);
    Ok(Some(Grant {
        name,
        benefit,
        scope,
        borne_by,
        from: None,
        until,
        least: None,
        usage_limit: None,
        closed: false,
    }))
}
