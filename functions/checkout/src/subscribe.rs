//! A subscription that begins with an order: the goods that its plan sends are in the cart, and this is the first time
//! they come. It is written in the transaction that places the order.

use crate::pay::Means;
use domain::cart::{Cart, Subscribing};
use domain::id::{MarketplaceId, OfferId, PlanId, SubscriptionId};
use domain::payment::Payment;
use domain::period::Zone;
use domain::plan::{Goods, Kind, Terms};
use domain::subscription::{Means as Kept, Start, Target, start_sent};
use edge::subscribing::subscribable;
use edge::{Check, Problem, World};
use events::Context;
use serde::Deserialize;
use std::fmt::Debug;
use table::invoice::Recipient;
use table::subscription::HasPlan;
use table::{Commit, Key};

/// What is subscribed to with an order. A plan that gives anything but goods has `POST /v1/subscriptions`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SubscribeWithOrder"))]
pub(crate) struct SubscribeBody {
    #[cfg_attr(feature = "schema", schemars(with = "PlanId"))]
    plan: String,
    /// Units of the plan: the cart has the goods of all of them.
    #[serde(default = "one")]
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Quantity"))]
    quantity: u32,
    /// IANA: deliveries come by the customer's own days. `UTC` if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Zone>"))]
    time_zone: Option<String>,
}

fn one() -> u32 {
    1
}

impl SubscribeBody {
    /// What is to begin, if it may: an account, a plan of goods that are in the cart, one means of payment that renews.
    pub(crate) async fn read(
        &self,
        world: &World,
        m: &MarketplaceId,
        cart: &Cart,
        means: &[Means],
    ) -> Result<Subscribing, Problem> {
        let mut check = Check::new();
        let plan = check.parse::<PlanId>("subscribe.plan", &self.plan);
        let zone = check.maybe::<Zone>("subscribe.time_zone", self.time_zone.as_deref());
        let renews = |means: &Means| means.tender.method.renews() && means.token.is_some();
        match means {
            [one] if renews(one) => {}
            [] | [_] | [_, _, ..] => {
                check.wrong("payments", "required", "one `card`, `wallet` or `bnpl` that pays renewals too")
            }
        }
        if cart.customer.is_none() {
            check.wrong("subscribe", "required", "who subscribes has signed in and claimed the cart");
        }
        check.done()?;
        let (Some(customer), Some(plan)) = (&cart.customer, plan) else { return Err(Problem::internal()) };
        let (plan, _) = subscribable(world, m, customer, &plan).await?;
        let terms = world.table.load::<Terms>(&Key::terms(m, &plan.id, plan.version)).await?;
        let terms = terms.ok_or_else(Problem::internal)?.value;
        let mut check = Check::new();
        terms.price_of(self.quantity)?;
        if terms.gives.kind() != Kind::Product {
            let why = "it gives more than goods: subscribe to it with POST /v1/subscriptions";
            check.wrong("subscribe.plan", "kind", why);
        }
        if plan.currency != cart.currency {
            let why = format!("the plan is in {}, the cart in {}", plan.currency, cart.currency);
            check.wrong("subscribe.plan", "currency", why);
        }
        let offer = |one: &Goods| OfferId::of(m, &one.merchant, one.sku.as_str());
        if !cart.brings(&terms.gives.goods, self.quantity, offer) {
            let why = "what the plan sends for so many units is not in the cart: put it in first";
            check.wrong("subscribe.plan", "goods_missing", why);
        }
        check.done()?;
        let zone = zone.unwrap_or_else(Zone::utc);
        Ok(Subscribing { plan: plan.id, version: plan.version, quantity: self.quantity, zone })
    }
}

/// The commit that places a cart's order, begun with the subscription that begins with it. A customer who has come to
/// have the plan since has the order alone. With what has begun.
pub(crate) async fn begin_with<'a, 'p, C: Debug + Clone>(
    world: &World,
    (m, context): (&'a MarketplaceId, &'a Context),
    (cart, mut payments): (&Cart, impl Iterator<Item = &'p Payment>),
    taken: C,
) -> Result<(Commit<'a, C>, Option<Subscribing>), Problem> {
    let commit = Commit::new(m, context);
    let (Some(begins), Some(customer), Some(address)) = (&cart.subscribes, &cart.customer, &cart.address)
    else {
        return Ok((commit, None));
    };
    let Some(paid) = payments.next() else { return Ok((commit, None)) };
    let has = Key::has_plan(m, customer, &begins.plan);
    if world.table.load::<HasPlan>(&has).await?.is_some() {
        return Ok((commit, None));
    }
    let id = SubscriptionId::of_cart(&cart.id);
    let Subscribing { plan, version, quantity, zone } = begins.clone();
    let (tax_id, address) = (cart.tax_id.clone(), address.clone());
    let recipient = Recipient { subscription: id.clone(), address, tax_id: tax_id.clone() };
    let target = Target { plan, version, quantity };
    let place = cart.place();
    let billing = world.table.first_billing(m, place.country, &target).await?;
    let start = Start {
        id,
        customer: customer.clone(),
        quantity,
        zone,
        place,
        tax_id,
        bill_to: recipient.digest(),
        means: Kept { gateway: paid.gateway.clone(), method: paid.method, token: paid.token.clone() },
        trial: false,
    };
    let step = start_sent(start, &billing.terms, &billing.taxes(), context.at)?;
    world.table.subscription_will_be_due(m, None, &step.next).await?;
    let commit = commit.subscription(m, None, &step, taken.clone())?.add(&recipient, taken);
    Ok((commit, Some(begins.clone())))
}
