//! What happened, as an occasion to write to somebody: one function per event. Each loads what the words need, and
//! finds nothing to say where the thing is of nobody whom we know.

use crate::desk::Desk;
use crate::facts::{Bought, Known, Sum};
use crate::tell::{Cause, Concerns, Telling, tell};
use domain::Money;
use domain::cart::Cart;
use domain::catalog::Offer;
use domain::checkout::Stage;
use domain::dunning::{Case, Step};
use domain::id::{CustomerId, FollowUpId, MarketplaceId, MerchantId, MerchantOrderId, OrderId, ShipmentId};
use domain::invoice::{Invoice, Stage as InvoiceStage};
use domain::merchant::{Merchant, Status};
use domain::merchant_order::MerchantOrder;
use domain::message::Kind;
use domain::order::Order;
use domain::payment::To;
use domain::payout::day;
use domain::reminder::FollowUp;
use domain::review::Review;
use domain::subscription::{Renewal, Subscription, renew};
use domain::webhook::{Endpoint, Suspension};
use edge::links::{self, Link, Purpose};
use edge::sealed::order_page;
use edge::{Again, World};
use events::cart::{CartRemindedV1, OfferBackInStockV1};
use events::merchant::{MerchantContactChangedV1, MerchantInvitedV1, MerchantStatusChangedV1};
use events::merchant_order::{
    MerchantOrderOpenedV1, MerchantOrderRejectedV1, MerchantOrderShippedV1, ShipmentDeliveredV1,
};
use events::order::{OrderCanceledV1, OrderPlacedV1};
use events::payment::{PaymentActionRequiredV1, PaymentDeclinedV1, PaymentRefundedV1};
use events::payout::{MerchantBalanceCriticalV1, PayoutSentV1};
use events::review::{ReviewRepliedV1, ReviewRequestedV1};
use events::subscription::{DunningChangedV1, SubscriptionTrialEndingV1};
use events::webhook::WebhookEndpointSuspendedV1;
use events::{Amount, Envelope};
use jiff::SignedDuration;
use jiff::civil::Date;
use table::Key;
use table::delivery::DeliveryRates;

type Done = Result<(), Again>;

/// A reminder's link is good as long as its cart.
const CART_LINK: SignedDuration = SignedDuration::from_hours(30 * 24);

fn money(amount: &Amount) -> Option<Money> {
    amount.money(amount.currency.parse().ok()?).ok()
}

/// An order of somebody whom we can write to: bought here, not sold by a channel.
struct OfSomebody {
    order: Order,
    customer: CustomerId,
    page: String,
}

async fn of_somebody(desk: &mut Desk<'_>, id: &OrderId) -> Result<Option<OfSomebody>, Again> {
    let m = desk.m;
    desk.wants([Key::order_person(m, id)]);
    let Some(order) = desk.value::<Order>(&Key::order(m, id)).await? else { return Ok(None) };
    let (Some(customer), Some(bought)) = (order.customer.clone(), &order.bought) else { return Ok(None) };
    desk.wants([Key::customer(m, &customer), Key::data_key(m, &customer)]);
    let path = order_page(id, &bought.cart);
    let signature = path.rsplit_once('=').map_or("", |(_, signature)| signature);
    let page = format!("{}/#/order/{id}/{signature}", desk.shop().await?.trim_end_matches('/'));
    Ok(Some(OfSomebody { order, customer, page }))
}

fn bought(line: &domain::order::Line) -> Option<Bought> {
    let amount = line.priced.as_ref().map(|priced| priced.total);
    let title = line.title.as_ref().map_or_else(|| line.sku.to_string(), ToString::to_string);
    let amount = amount.or_else(|| line.items().ok())?;
    Some(Bought { title, quantity: line.quantity, amount, offer: line.offer.clone() })
}

impl OfSomebody {
    fn telling(self, kind: Kind, known: Known) -> Telling {
        let number = Some(self.order.id.to_string());
        let concerns = Concerns::Order(self.order.id, self.customer);
        Telling::of(kind, concerns, Known { number, link: Some(self.page), ..known })
    }

    fn lines(&self) -> Vec<Bought> {
        self.order.lines.iter().filter_map(bought).collect()
    }

    fn lines_of(&self, numbers: &[u16]) -> impl Iterator<Item = Bought> {
        self.order.lines.iter().filter(|line| numbers.contains(&line.number)).filter_map(bought)
    }
}

async fn name_of(desk: &mut Desk<'_>, id: &MerchantId) -> Result<Option<String>, Again> {
    let merchant: Option<Merchant> = desk.value(&Key::merchant(desk.m, id)).await?;
    Ok(merchant.map(|merchant| merchant.name.to_string()))
}

pub(crate) async fn placed(world: World, event: Envelope<OrderPlacedV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    let Some(of) = of_somebody(desk, &event.data.order).await? else { return Ok(()) };
    desk.wants(of.order.lines.iter().filter_map(|line| Some(Key::offer(desk.m, line.offer.as_ref()?))));
    let delivery = of.order.delivery_total()?;
    let known = Known {
        date: Some(day(of.order.placed_at)),
        arrives: arrives(desk, &of.order).await?,
        lines: of.lines(),
        sums: vec![(Sum::Delivery, delivery), (Sum::Total, of.order.total()?)],
        ..Known::default()
    };
    tell(desk, &Cause::of(&event), &of.telling(Kind::OrderConfirmed, known)).await
}

/// From the earliest parcel to the latest, by what the merchants say now.
async fn arrives(desk: &mut Desk<'_>, order: &Order) -> Result<Option<(Date, Date)>, Again> {
    let Some(bought) = &order.bought else { return Ok(None) };
    let keys: Vec<Key> =
        bought.deliveries.iter().map(|of| Key::delivery_rates(desk.m, &of.merchant)).collect();
    desk.wants(keys.iter().cloned());
    let mut all: Option<(Date, Date)> = None;
    for (of, key) in bought.deliveries.iter().zip(&keys) {
        let Some(rates) = desk.value::<DeliveryRates>(key).await? else { continue };
        let expected = rates.table.expected(&bought.to, of.service, order.placed_at);
        let wider = |(from, until): (Date, Date)| {
            all.map_or((from, until), |(first, last)| (first.min(from), last.max(until)))
        };
        all = expected.map(wider).or(all);
    }
    Ok(all)
}

/// The order that a part is of, with its merchant's name.
async fn of_part(
    desk: &mut Desk<'_>,
    id: &MerchantOrderId,
    merchant: &MerchantId,
) -> Result<Option<(OfSomebody, Option<String>)>, Again> {
    let Some((order, _)) = id.place() else { return Ok(None) };
    desk.wants([Key::merchant(desk.m, merchant)]);
    let Some(of) = of_somebody(desk, &order).await? else { return Ok(None) };
    Ok(Some((of, name_of(desk, merchant).await?)))
}

fn tracking(part: &MerchantOrder, shipment: &ShipmentId) -> Option<(String, String)> {
    let shipment = part.shipments.iter().find(|held| held.id == *shipment)?;
    Some((shipment.carrier.to_string(), shipment.tracking_number.to_string()))
}

pub(crate) async fn shipped(world: World, event: Envelope<MerchantOrderShippedV1>) -> Done {
    let (desk, data) = (&mut Desk::of(&world, &event.marketplace), &event.data);
    let found = of_part(desk, &data.merchant_order, &data.merchant).await?;
    let Some((of, merchant)) = found else { return Ok(()) };
    let sent = |units: &domain::merchant_order::Units| {
        let line = of.order.lines.iter().find(|line| line.number == units.line)?;
        let title = line.title.as_ref().map_or_else(|| line.sku.to_string(), ToString::to_string);
        let whole = line.priced.as_ref().map(|priced| priced.total).or_else(|| line.items().ok())?;
        let amount = whole.share(units.quantity, line.quantity);
        Some(Bought { title, quantity: units.quantity, amount, offer: line.offer.clone() })
    };
    let known = Known {
        merchant,
        carrier: Some(data.carrier.clone()),
        tracking: Some(data.tracking_number.clone()),
        lines: data.lines.iter().filter_map(sent).collect(),
        ..Known::default()
    };
    tell(desk, &Cause::of(&event), &of.telling(Kind::Shipped, known)).await
}

pub(crate) async fn delivered(world: World, event: Envelope<ShipmentDeliveredV1>) -> Done {
    let (desk, data) = (&mut Desk::of(&world, &event.marketplace), &event.data);
    let Some(key) = Key::merchant_order(desk.m, &data.merchant_order) else { return Ok(()) };
    desk.wants([key.clone()]);
    let found = of_part(desk, &data.merchant_order, &data.merchant).await?;
    let Some((of, merchant)) = found else { return Ok(()) };
    let Some(part) = desk.value::<MerchantOrder>(&key).await? else { return Ok(()) };
    let (carrier, tracking) = tracking(&part, &data.shipment).unzip();
    let date = Some(day(data.delivered_at.0));
    let known = Known { merchant, date, carrier, tracking, ..Known::default() };
    tell(desk, &Cause::of(&event), &of.telling(Kind::Delivered, known)).await
}

pub(crate) async fn canceled(world: World, event: Envelope<OrderCanceledV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    let Some(of) = of_somebody(desk, &event.data.order).await? else { return Ok(()) };
    let known = Known {
        whole: event.data.whole,
        reason: Some(event.data.reason.clone()),
        amount: money(&event.data.refund).filter(|amount| amount.minor > 0),
        ..Known::default()
    };
    tell(desk, &Cause::of(&event), &of.telling(Kind::Canceled, known)).await
}

pub(crate) async fn rejected(world: World, event: Envelope<MerchantOrderRejectedV1>) -> Done {
    let (desk, data) = (&mut Desk::of(&world, &event.marketplace), &event.data);
    let found = of_part(desk, &data.merchant_order, &data.merchant).await?;
    let Some((of, merchant)) = found else { return Ok(()) };
    let known = Known {
        merchant,
        reason: Some(data.reason.clone()),
        amount: money(&data.value).filter(|amount| amount.minor > 0),
        ..Known::default()
    };
    tell(desk, &Cause::of(&event), &of.telling(Kind::Canceled, known)).await
}

pub(crate) async fn refunded(world: World, event: Envelope<PaymentRefundedV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    let Some(of) = of_somebody(desk, &event.data.order).await? else { return Ok(()) };
    let credit = event.data.to == To::StoreCredit;
    let known = Known { amount: money(&event.data.amount), credit, ..Known::default() };
    tell(desk, &Cause::of(&event), &of.telling(Kind::Refunded, known)).await
}

/// While its cart is still one, the shopper sees it in the checkout; and once it is an order, what went wrong before is
/// over.
pub(crate) async fn declined(world: World, event: Envelope<PaymentDeclinedV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    let of = of_somebody(desk, &event.data.order).await?;
    let Some(of) = of.filter(|of| of.order.placed_at <= event.at) else { return Ok(()) };
    tell(desk, &Cause::of(&event), &of.telling(Kind::PaymentProblem, Known::default())).await
}

pub(crate) async fn action_required(world: World, event: Envelope<PaymentActionRequiredV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    let of = of_somebody(desk, &event.data.order).await?;
    let Some(of) = of.filter(|of| of.order.placed_at <= event.at) else { return Ok(()) };
    let known = Known { action: true, ..Known::default() };
    tell(desk, &Cause::of(&event), &of.telling(Kind::PaymentProblem, known)).await
}

/// Nothing is said where the case has gone on since, which is told too, or where the invoice is open no more, which the
/// case will hear of.
pub(crate) async fn dunned(world: World, event: Envelope<DunningChangedV1>) -> Done {
    let (desk, data) = (&mut Desk::of(&world, &event.marketplace), &event.data);
    let keys = (Key::dunning(desk.m, &data.invoice), Key::invoice(desk.m, &data.invoice));
    let (Some(case), Some(invoice)) = keys else { return Ok(()) };
    desk.wants([case.clone(), invoice.clone()]);
    let (case, invoice) = (desk.value::<Case>(&case).await?, desk.value::<Invoice>(&invoice).await?);
    let (Some(case), Some(invoice)) = (case, invoice) else { return Ok(()) };
    let next_at = data.next_at.map(|at| at.0);
    let stands = (case.step(), case.next().map(|(at, _)| at)) == (data.step, next_at);
    let concerns = Concerns::Customer(data.customer.clone());
    if !stands || (case.is_open() && invoice.stage != InvoiceStage::Open) {
        return tell(desk, &Cause::of(&event), &Telling::over(Kind::Dunning, concerns)).await;
    }
    // Whoever is warned hears of the end, not of the restriction that comes before it.
    let date = if data.step == Step::LastWarning { Some(case.ends_at()) } else { next_at };
    let known =
        Known { step: Some(data.step), amount: money(&data.due), date: date.map(day), ..Known::default() };
    tell(desk, &Cause::of(&event), &Telling::of(Kind::Dunning, concerns, known)).await
}

/// What is charged at the end, to the cent: the renewal itself, not committed. Nothing is said where it was canceled,
/// or its end moved, since; and an end that is past is told by what was charged.
pub(crate) async fn trial_ending(world: World, event: Envelope<SubscriptionTrialEndingV1>) -> Done {
    let (m, data) = (&event.marketplace, &event.data);
    let key = Key::subscription(m, &data.subscription);
    let Some(trial) = world.table.load::<Subscription>(&key).await?.map(|held| held.value) else {
        return Ok(());
    };
    let (desk, cause) = (&mut Desk::of(&world, m), Cause::of(&event));
    let concerns = Concerns::Customer(data.customer.clone());
    if trial.ends_its_trial(world.now()) != Some(data.ends_at.0) {
        return tell(desk, &cause, &Telling::over(Kind::TrialEnding, concerns)).await;
    }
    let (renews, billing) = world.table.renewing(m, &trial).await?;
    let first = match renew(&renews, &billing.terms, &billing.taxes(), data.ends_at.0)? {
        Renewal::Due(step) => step.document.map(|document| document.total()).transpose()?,
        Renewal::NotDue => None,
    };
    let amount = first.filter(|amount| amount.minor > 0);
    let known = Known { date: Some(trial.cycle.zone.date(data.ends_at.0)), amount, ..Known::default() };
    tell(desk, &cause, &Telling::of(Kind::TrialEnding, concerns, known)).await
}

/// The cart is as it is now: whoever has ordered or emptied it is not reminded (A16(2)).
pub(crate) async fn reminded(world: World, event: Envelope<CartRemindedV1>) -> Done {
    let m = &event.marketplace;
    let Some(cart) = cart_of(&world, m, &event.data.follow_up).await? else { return Ok(()) };
    let (desk, cause) = (&mut Desk::of(&world, m), Cause::of(&event));
    if cart.lines.is_empty() || cart.merged.is_some() || cart.stage != Stage::Open {
        let Some(concerns) = of_ended(desk, cart).await? else { return Ok(()) };
        return tell(desk, &cause, &Telling::over(Kind::CartReminder, concerns)).await;
    }
    let offers: Vec<Key> = cart.lines.iter().map(|line| Key::offer(m, &line.offer)).collect();
    desk.wants(offers.iter().cloned().chain([Key::link_secret(m)]));
    let mut lines = Vec::with_capacity(cart.lines.len());
    for (line, key) in cart.lines.iter().zip(&offers) {
        let Some(offer) = desk.value::<Offer>(key).await? else { continue };
        let amount = line.added_at.times(line.quantity)?;
        let (title, offer) = (offer.title.to_string(), Some(line.offer.clone()));
        lines.push(Bought { title, quantity: line.quantity, amount, offer });
    }
    let until = world.now().checked_add(CART_LINK).unwrap_or(jiff::Timestamp::MAX);
    let link = Link { purpose: Purpose::Cart, about: cart.id.to_string(), until };
    let token = desk.token(&link).await?;
    let known = Known {
        lines,
        code: event.data.code.clone(),
        date: event.data.code_until.map(|at| day(at.0)),
        link: Some(links::address(&desk.shop().await?, Purpose::Cart, &token)),
        ..Known::default()
    };
    let concerns = Concerns::Cart(Box::new(cart));
    tell(desk, &cause, &Telling::of(Kind::CartReminder, concerns, known)).await
}

/// An ordered cart says no more whose it was; its order does.
async fn of_ended(desk: &mut Desk<'_>, cart: Cart) -> Result<Option<Concerns>, Again> {
    let Stage::Completed { order, .. } = &cart.stage else { return Ok(Some(Concerns::Cart(Box::new(cart)))) };
    let of = of_somebody(desk, order).await?;
    Ok(of.map(|of| Concerns::Order(of.order.id, of.customer)))
}

async fn cart_of(world: &World, m: &MarketplaceId, id: &FollowUpId) -> Result<Option<Cart>, Again> {
    let Some(follow_up) = world.table.load::<FollowUp>(&Key::follow_up(m, id)).await? else {
        return Ok(None);
    };
    let cart = world.table.load_live::<Cart>(&Key::cart(m, &follow_up.value.cart), world.now()).await?;
    Ok(cart.map(|held| held.value))
}

/// One letter for all lines of a parcel; each star of the first is a link of its own, so that one touch answers.
pub(crate) async fn review_requested(world: World, event: Envelope<ReviewRequestedV1>) -> Done {
    let (desk, data) = (&mut Desk::of(&world, &event.marketplace), &event.data);
    desk.wants([Key::link_secret(desk.m), Key::merchant(desk.m, &data.merchant)]);
    let Some(of) = of_somebody(desk, &data.order).await? else { return Ok(()) };
    let Some(review) = data.reviews.first() else { return Ok(()) };
    let link = Link { purpose: Purpose::Review, about: review.to_string(), until: data.until.0 };
    let token = desk.token(&link).await?;
    let form = links::address(&desk.shop().await?, Purpose::Review, &token);
    let asked: Vec<Bought> = of.lines_of(&data.lines).collect();
    let known = Known {
        merchant: name_of(desk, &data.merchant).await?,
        title: asked.first().map(|line| line.title.clone()),
        stars: (1..=5).map(|stars| format!("{form}/{stars}")).collect(),
        lines: asked,
        ..Known::default()
    };
    let mut telling = of.telling(Kind::ReviewRequest, known);
    telling.known.link = Some(form);
    tell(desk, &Cause::of(&event), &telling).await
}

/// The first answer only: an edit of it is not worth a letter.
pub(crate) async fn review_replied(world: World, event: Envelope<ReviewRepliedV1>) -> Done {
    let (desk, data) = (&mut Desk::of(&world, &event.marketplace), &event.data);
    if data.edited {
        return Ok(());
    }
    let key = Key::review(desk.m, &data.review);
    desk.wants([key.clone(), Key::merchant(desk.m, &data.merchant)]);
    let Some(of) = of_somebody(desk, &data.order).await? else { return Ok(()) };
    let line = data.review.place().map(|(_, line)| line);
    let title = line.and_then(|line| of.lines_of(&[line]).next()).map(|line| line.title);
    let review: Option<Review> = desk.value(&key).await?;
    let said = review.and_then(|review| review.reply).map(|reply| reply.text.to_string());
    let merchant = name_of(desk, &data.merchant).await?;
    let known = Known { merchant, title, said, ..Known::default() };
    tell(desk, &Cause::of(&event), &of.telling(Kind::ReviewReply, known)).await
}

pub(crate) async fn back_in_stock(world: World, event: Envelope<OfferBackInStockV1>) -> Done {
    let (desk, data) = (&mut Desk::of(&world, &event.marketplace), &event.data);
    desk.wants([Key::customer(desk.m, &data.customer), Key::data_key(desk.m, &data.customer)]);
    let Some(offer) = desk.value::<Offer>(&Key::offer(desk.m, &data.offer)).await? else { return Ok(()) };
    let shop = desk.shop().await?;
    let known = Known {
        title: Some(offer.title.to_string()),
        amount: Some(offer.price),
        link: Some(format!("{}/#/product/{}", shop.trim_end_matches('/'), data.product)),
        ..Known::default()
    };
    let concerns = Concerns::Customer(data.customer.clone());
    tell(desk, &Cause::of(&event), &Telling::of(Kind::BackInStock, concerns, known)).await
}

async fn to_merchant(desk: &mut Desk<'_>, cause: &Cause, id: &MerchantId, kind: Kind, known: Known) -> Done {
    desk.wants([Key::merchant_contact(desk.m, id)]);
    let Some(merchant) = name_of(desk, id).await? else { return Ok(()) };
    let known = Known { merchant: Some(merchant), ..known };
    tell(desk, cause, &Telling::of(kind, Concerns::Merchant(id.clone()), known)).await
}

/// Once per invitation and address, whichever comes first of the two. The secret is never sent.
async fn invitation(desk: &mut Desk<'_>, cause: Cause, id: &MerchantId) -> Done {
    desk.wants([Key::merchant_contact(desk.m, id)]);
    let merchant = desk.value::<Merchant>(&Key::merchant(desk.m, id)).await?;
    let Some(merchant) = merchant else { return Ok(()) };
    let Some(invitation) = &merchant.invitation else { return Ok(()) };
    let cause = Cause { event: format!("{id}.invitation.{}", invitation.expires_at.as_second()), ..cause };
    let open = merchant.status == Status::Pending
        && invitation.accepted_by.is_none()
        && invitation.expires_at > desk.world.now();
    if !open {
        let concerns = Concerns::Merchant(id.clone());
        return tell(desk, &cause, &Telling::over(Kind::MerchantInvited, concerns)).await;
    }
    to_merchant(desk, &cause, id, Kind::MerchantInvited, Known::default()).await
}

pub(crate) async fn invited(world: World, event: Envelope<MerchantInvitedV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    invitation(desk, Cause::of(&event), &event.data.merchant).await
}

pub(crate) async fn contact_changed(world: World, event: Envelope<MerchantContactChangedV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    invitation(desk, Cause::of(&event), &event.data.merchant).await
}

pub(crate) async fn status_changed(world: World, event: Envelope<MerchantStatusChangedV1>) -> Done {
    let (from, to) = (event.data.from.as_str(), event.data.to.as_str());
    if (from, to) != (Status::Pending.word(), Status::Open.word()) {
        return Ok(());
    }
    let (desk, cause) = (&mut Desk::of(&world, &event.marketplace), Cause::of(&event));
    to_merchant(desk, &cause, &event.data.merchant, Kind::MerchantApproved, Known::default()).await
}

pub(crate) async fn opened(world: World, event: Envelope<MerchantOrderOpenedV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    let known = Known { number: Some(event.data.merchant_order.to_string()), ..Known::default() };
    to_merchant(desk, &Cause::of(&event), &event.data.merchant, Kind::MerchantOrder, known).await
}

pub(crate) async fn paid_out(world: World, event: Envelope<PayoutSentV1>) -> Done {
    let (desk, data) = (&mut Desk::of(&world, &event.marketplace), &event.data);
    let Some(key) = Key::payout(desk.m, &data.payout) else { return Ok(()) };
    desk.wants([Key::merchant(desk.m, &data.merchant), Key::merchant_contact(desk.m, &data.merchant)]);
    let payout: Option<domain::payout::Payout> = desk.value(&key).await?;
    let known = Known {
        number: Some(data.payout.to_string()),
        amount: money(&data.amount),
        date: payout.as_ref().map(|payout| payout.through),
        orders: payout.as_ref().map(|payout| payout.totals.orders),
        ..Known::default()
    };
    to_merchant(desk, &Cause::of(&event), &data.merchant, Kind::Payout, known).await
}

pub(crate) async fn critical(world: World, event: Envelope<MerchantBalanceCriticalV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    let known = Known { amount: money(&event.data.balance), ..Known::default() };
    to_merchant(desk, &Cause::of(&event), &event.data.merchant, Kind::BalanceCritical, known).await
}

/// To whose endpoint it is; to operators in any case.
pub(crate) async fn webhook_suspended(world: World, event: Envelope<WebhookEndpointSuspendedV1>) -> Done {
    let desk = &mut Desk::of(&world, &event.marketplace);
    let WebhookEndpointSuspendedV1 { endpoint, merchant, reason, .. } = &event.data;
    let key = Key::webhook_endpoint(desk.m, endpoint);
    let Some(suspended) = desk.value::<Endpoint>(&key).await? else { return Ok(()) };
    let reason = match reason {
        Suspension::Gone => "gone",
        Suspension::Failing => "failing",
    };
    let known = Known {
        number: Some(endpoint.to_string()),
        title: Some(suspended.host().to_owned()),
        reason: Some(reason.to_owned()),
        ..Known::default()
    };
    let (cause, kind) = (Cause::of(&event), Kind::WebhookSuspended);
    match merchant {
        Some(merchant) => to_merchant(desk, &cause, merchant, kind, known).await,
        None => tell(desk, &cause, &Telling::of(kind, Concerns::Marketplace, known)).await,
    }
}
