//! What the payments of a checkout come to: the order is placed, the cart is free again, or everything waits.
//!
//! Called with what was just told, by whoever heard it: the request that paid, the customer who is back, an event. What
//! is told joins with what is known, so whoever comes second finds the same and changes nothing (A9(4)).

use crate::hold::taking;
use crate::renew::{is_awaited, tell as tell_renewed};
use crate::subscribe::begin_with;
use domain::Decision;
use domain::cart::{Cart, HELD, PINNED, Verdict, verdict};
use domain::checkout::Stage;
use domain::customer::Person;
use domain::gateway::{Class, Decline, Outcome};
use domain::id::{AttemptId, CartId, CustomerId, MarketplaceId, OrderId, PaymentId};
use domain::order::Order;
use domain::payment::{self, Fact, Payment};
use domain::subscription::NotSent;
use edge::sealed::{data_key, seal};
use edge::{Again, Overtaken, Problem, World};
use events::Context;
use events::order::placed;
use gateway::{Gateway, Gateways, Till};
use jiff::Timestamp;
use table::due::Work;
use table::payment::look_that_is_new;
use table::person::{DataKey, OrderPerson};
use table::{Commit, Held, Key, Story, Uncommitted};

/// A checkout whose payment is on its way.
#[derive(Debug, Clone)]
pub(crate) struct Going {
    pub(crate) cart: Held<Cart>,
    /// Those of this try.
    pub(crate) payments: Vec<Held<Payment>>,
    pub(crate) data_key: Option<DataKey>,
}

/// What a gateway has told of an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) payment: PaymentId,
    pub(crate) attempt: u16,
    pub(crate) outcome: Outcome,
    /// The number of the question that it answers.
    pub(crate) ask: Option<u8>,
}

impl Told {
    fn is_of(&self, held: &Held<Payment>) -> bool {
        self.payment == held.value.id
    }
}

#[derive(Debug)]
pub(crate) enum Concluded {
    Placed(Box<Cart>, Vec<Payment>),
    Waits(Box<Cart>, Vec<Payment>),
    Failed(Option<Decline>),
    /// The stock was given to others while the outcome was not known.
    SoldOut,
}

/// What a commit met.
#[derive(Debug, Clone, Copy)]
enum Met {
    /// Another did the same first.
    Overtaken,
    /// A hold is gone.
    NotHeld,
}

/// `known`: as this process has just written it; else it is read.
pub(crate) async fn conclude(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    cart: &CartId,
    mut known: Option<Going>,
    told: &[Told],
) -> Result<Concluded, Problem> {
    world
        .until_free(|| {
            let known = known.take();
            async move {
                let going = match known {
                    Some(going) => Ok(going),
                    None => read(world, m, cart).await?,
                };
                let of_this = going.as_ref().map_or(&[][..], |going| &going.payments);
                let of_others = told.iter().filter(|told| !of_this.iter().any(|held| told.is_of(held)));
                keep(world, m, context, of_others.collect()).await?;
                match going {
                    Ok(going) => attempt(world, m, context, going, told).await,
                    Err(over) => Ok(over),
                }
            }
        })
        .await
}

/// What is told of payments that this try is not about, or not any more: the cart is free again, or paid otherwise.
/// Their agenda gives back what they hold.
async fn keep(world: &World, m: &MarketplaceId, context: &Context, told: Vec<&Told>) -> Result<(), Problem> {
    let gateways = Gateways::of(world);
    let till = Till { world, gateways: &gateways, m, context: context.clone() };
    for Told { payment, attempt, outcome, ask } in told {
        let kept = till.tell(&AttemptId::of(payment, *attempt), outcome.clone(), *ask).await;
        kept.map_err(|again| match again {
            Again::Busy => Problem::busy(),
            Again::Fault(fault) => fault.into(),
            Again::Early(_)
            | Again::Refused(_)
            | Again::Unreadable(_)
            | Again::Unknown(_)
            | Again::Call { .. } => Problem::fault(&again),
        })?;
    }
    Ok(())
}

/// The checkout as it is; or what has come of it already.
async fn read(world: &World, m: &MarketplaceId, cart: &CartId) -> Result<Result<Going, Concluded>, Problem> {
    let held =
        world.table.load::<Cart>(&Key::cart(m, cart)).await?.ok_or_else(|| Problem::not_found("cart"))?;
    let payments = world.table.payments(m, &OrderId::of_cart(cart)).await?;
    match held.value.stage {
        Stage::Completed { .. } => {
            let payments = payments.into_iter().map(|held| held.value).collect();
            return Ok(Err(Concluded::Placed(Box::new(held.value), payments)));
        }
        Stage::Open => {
            let last = payments.last().map(|held| held.value.stage());
            let decline = if let Some(payment::Stage::Declined { decline }) = last { decline } else { None };
            return Ok(Err(Concluded::Failed(decline)));
        }
        Stage::Locked { .. } => {}
    }
    let key = match &held.value.customer {
        Some(customer) => world.table.load::<DataKey>(&Key::data_key(m, customer)).await?,
        None => None,
    };
    let payments = payments.into_iter().filter(|held| held.value.closed.is_none()).collect();
    Ok(Ok(Going { cart: held, payments, data_key: key.map(|held| held.value) }))
}

/// Payments with the facts that are new of each, and as they are then.
type News<'a> = Vec<(&'a Held<Payment>, Vec<Fact>, Payment)>;

/// What comes of a checkout with what was just told of its payments. Busy: it is to be looked at again.
pub(crate) async fn attempt(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    going: Going,
    told: &[Told],
) -> Result<Concluded, Problem> {
    let Going { cart, payments, data_key } = &going;
    let now = context.at;
    let Some(draft) = cart.value.draft.as_deref() else { return Err(Problem::internal()) };
    let mut news: News<'_> = Vec::with_capacity(payments.len());
    for held in payments {
        let (mut facts, mut after) = (Vec::new(), held.value.clone());
        for Told { attempt, outcome, ask, .. } in told.iter().filter(|told| told.is_of(held)) {
            if let Decision::New(fact) = payment::settle(&after, *attempt, outcome.clone(), *ask, now)? {
                after = after.apply(&fact);
                facts.push(fact);
            }
        }
        news.push((held, facts, after));
    }
    let current: Vec<Payment> = news.iter().map(|(_, _, after)| after.clone()).collect();
    let verdict = match verdict(draft.total()?, &current) {
        // Whoever has ended the subscription meanwhile gets nothing of it, however late the gateway says yes.
        Verdict::Secured { .. } if !is_awaited(world, m, &cart.value).await? => {
            Verdict::Failed { decline: None }
        }
        verdict @ (Verdict::Secured { .. } | Verdict::Failed { .. } | Verdict::Waits) => verdict,
    };
    match verdict {
        Verdict::Waits => {
            let next = pinned(world, m, cart, now).await?;
            let mut commit = Commit::<Overtaken>::new(m, context);
            if next != cart.value {
                commit = commit.replace(cart, &next);
            }
            let (commit, payments) = tell(world, m, commit, &news, now, Overtaken).await?;
            let sent = commit.send(&world.table).await;
            if sent.is_err() && next != cart.value {
                unpinned(world, m, &next, now).await?;
            }
            sent?;
            Ok(Concluded::Waits(Box::new(next), payments))
        }
        Verdict::Failed { decline } => {
            // What was released before it could be used, or given up without an answer, may work another time.
            let class = decline.as_ref().map_or(Class::Soft, |decline| decline.class);
            fail(world, m, context, (cart, NotSent::Declined(class)), news).await?;
            Ok(Concluded::Failed(decline))
        }
        Verdict::Secured { promised } => {
            // Only an order that is placed knows of its money: where it is not, none of this has happened.
            let mut known = news.clone();
            for (_, facts, after) in &mut known {
                if let Decision::New(fact) = payment::finalize(after, now)? {
                    *after = after.clone().apply(&fact);
                    facts.push(fact);
                }
            }
            let order = Order { placed_at: now, ..draft.clone() };
            let order = if promised { order } else { order.secured() };
            let placed = Placing { cart, order: &order, news: &known, data_key: data_key.as_ref() };
            match place(world, m, context, &placed).await? {
                Ok(concluded) => Ok(concluded),
                Err(Met::NotHeld) => take_again(world, m, context, cart, news).await,
                // Whoever was first, also with the last use of a code, is found at the next look.
                Err(Met::Overtaken) => Err(Problem::busy()),
            }
        }
    }
}

struct Placing<'a> {
    cart: &'a Held<Cart>,
    order: &'a Order,
    news: &'a News<'a>,
    data_key: Option<&'a DataKey>,
}

/// The one transaction that makes the order. The inner error is what it has met.
async fn place(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    placing: &Placing<'_>,
) -> Result<Result<Concluded, Met>, Problem> {
    let Placing { cart, order, news, data_key } = placing;
    let held = |movement: domain::stock::Movement| movement.held_by(&cart.value.id);
    let movements = order.movements().into_iter().map(held).collect();
    let story = Story::new(placed(order)?).posting(order.sale()?).moving(movements);
    let current = news.iter().map(|(_, _, after)| after);
    let (commit, subscribes) =
        begin_with(world, (m, context), (&cart.value, current), Met::Overtaken).await?;
    let next = Cart { subscribes, ..cart.value.completed(order.id.clone(), context.at) };
    let commit = commit.replace(cart, &next).redeem(cart.value.to_redeem(), &Met::Overtaken);
    let mut commit = commit.begin(*order, order.id.as_str(), story, Met::Overtaken).unless_held(Met::NotHeld);
    if order.stage == domain::order::Stage::AwaitingPayment {
        let marketplace = world.table.marketplace(m).await?.ok_or_else(Problem::internal)?;
        commit = commit.due_if_unpaid(order, &marketplace.value.settings, context.at);
    }
    let (commit, payments) = tell(world, m, commit, news, context.at, Met::Overtaken).await?;
    let commit = tell_renewed(world, m, commit, (&cart.value, None), Met::Overtaken).await?;
    let commit = remember_person(world, commit, &cart.value, order, *data_key)?;
    match commit.send(&world.table).await {
        Ok(()) => Ok(Ok(Concluded::Placed(Box::new(next), payments))),
        Err(Uncommitted::Refused(met)) => Ok(Err(met)),
        Err(Uncommitted::Busy) => Err(Problem::busy()),
        Err(Uncommitted::Fault(fault)) => Err(fault.into()),
    }
}

/// Who has ordered lies apart, sealed under the customer's key.
fn remember_person<'a>(
    world: &World,
    commit: Commit<'a, Met>,
    cart: &Cart,
    order: &Order,
    known: Option<&DataKey>,
) -> Result<Commit<'a, Met>, Problem> {
    let customer = cart.customer.clone().unwrap_or_else(|| CustomerId::of_guest(&cart.id));
    let (commit, key) = match known {
        Some(key) => (commit, key.clone()),
        None => {
            let key = data_key(world, &customer).map_err(|error| Problem::fault(&error))?;
            (commit.add(&key, Met::Overtaken), key)
        }
    };
    let person = Person { contact: cart.contact.clone(), address: cart.address.clone() };
    let sealed = seal(world, &key, order.id.as_str(), &person)?;
    let person = OrderPerson { order: order.id.clone(), customer, sealed };
    Ok(commit.add(&person, Met::Overtaken))
}

/// What is told of the payments, when each is looked at next, and what of their customer's credit is free again.
async fn tell<'a, C: std::fmt::Debug>(
    world: &World,
    m: &MarketplaceId,
    mut commit: Commit<'a, C>,
    news: &News<'_>,
    now: Timestamp,
    taken: C,
) -> Result<(Commit<'a, C>, Vec<Payment>), table::Fault> {
    let gateways = Gateways::of(world);
    let mut payments = Vec::with_capacity(news.len());
    for (held, facts, after) in news {
        payments.push(after.clone());
        if facts.is_empty() {
            continue;
        }
        let (told, next) = commit.payment(held, facts)?;
        commit = told;
        let able = gateways.find(next.gateway.as_str()).map(Gateway::capabilities);
        if let Some(at) = able.and_then(|able| look_that_is_new((Some(&held.value), &next), able, now)) {
            commit = commit.due(Work::Payment, next.id.as_str(), at);
        }
    }
    let changes: Vec<_> = news.iter().map(|(held, _, after)| (&held.value, after)).collect();
    let moved = world.table.credit_moved(m, &changes).await?;
    Ok((commit.credit(moved, taken), payments))
}

/// While nobody knows, the stock stays held longer than the gateway is asked.
async fn pinned(
    world: &World,
    m: &MarketplaceId,
    cart: &Held<Cart>,
    now: Timestamp,
) -> Result<Cart, Problem> {
    let long = now.saturating_add(HELD).unwrap_or(now);
    if cart.value.holds.is_empty() || cart.value.held_until.is_some_and(|until| until > long) {
        return Ok(cart.value.clone());
    }
    let mut wares = world.table.wares(m, &cart.value).await?;
    let next = taking(world, m, cart.value.clone(), &mut wares, PINNED, now).await?;
    // Units that others have taken meanwhile are looked for again when the money is there.
    Ok(if next.holds.is_empty() { cart.value.clone() } else { next.promised() })
}

/// Whoever placed the order meanwhile has used the holds it knew of: what was held anew after that is held for nobody.
/// Where the cart is free again it is held for as long as the cart knows.
async fn unpinned(world: &World, m: &MarketplaceId, pinned: &Cart, now: Timestamp) -> Result<(), Problem> {
    let Some(held) = world.table.load::<Cart>(&Key::cart(m, &pinned.id)).await? else { return Ok(()) };
    let cart = held.value;
    let until = match cart.stage {
        Stage::Completed { .. } => None,
        Stage::Open => cart.held_until.filter(|until| now < *until),
        // Whoever concludes it finds them.
        Stage::Locked { .. } => return Ok(()),
    };
    let Some(until) = until else { return Ok(world.table.release(m, &cart.id, &pinned.holds).await?) };
    let wares = world.table.wares(m, &cart).await?;
    let wanted = cart.wanted(&wares.offers);
    let _short = world.table.hold(m, &cart.id, &wanted, &pinned.holds, until, now).await?;
    Ok(())
}

/// Nothing more is wanted of the payments, and the cart is free.
async fn fail(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    (cart, why): (&Held<Cart>, NotSent),
    mut news: News<'_>,
) -> Result<(), Problem> {
    let now = context.at;
    for (_, facts, after) in &mut news {
        if let Decision::New(fact) = payment::close(after, now) {
            *after = after.clone().apply(&fact);
            facts.push(fact);
        }
    }
    let mut next = cart.value.unpaid();
    // Its stock may be held for days, whatever it knows of that.
    if !next.holds.is_empty() {
        let mut wares = world.table.wares(m, &next).await?;
        next = taking(world, m, next, &mut wares, HELD, now).await?;
    }
    let commit = Commit::<Overtaken>::new(m, context).replace(cart, &next);
    let commit = commit.free_codes(cart.value.redeemed());
    let (commit, _) = tell(world, m, commit, &news, now, Overtaken).await?;
    let commit = tell_renewed(world, m, commit, (&cart.value, Some(why)), Overtaken).await?;
    Ok(commit.send(&world.table).await?)
}

/// The money is there and a hold is not: taken again if there is still enough, else everything goes back.
async fn take_again(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    cart: &Held<Cart>,
    news: News<'_>,
) -> Result<Concluded, Problem> {
    let now = context.at;
    let mut wares = world.table.wares(m, &cart.value).await?;
    let next = taking(world, m, cart.value.clone(), &mut wares, HELD, now).await?;
    if next.holds.is_empty() {
        fail(world, m, context, (cart, NotSent::Unavailable), news).await?;
        return Ok(Concluded::SoldOut);
    }
    // Where nothing is to be paid no lock is kept.
    let next = if news.is_empty() { next.unpaid() } else { next.promised() };
    world.table.put(m, Some(cart), &next).await?;
    // As it is kept now, with what was told, from the beginning.
    Err(Problem::busy())
}
