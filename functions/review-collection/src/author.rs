//! What authors do: see what is theirs to review, write, write anew, take it back. They come by a signed link, without
//! an account, or signed in, to the lines of their own orders.

use crate::change::{amend, story};
use crate::photos::{self, PhotoBody, SendView};
use crate::show::{Shown, shown_photos};
use axum::extract::{Path, State};
use domain::Decision;
use domain::catalog::Offer;
use domain::id::{CustomerId, MarketplaceId, ReviewId};
use domain::merchant::Merchant;
use domain::merchant_order::MerchantOrder;
use domain::order::Line;
use domain::review::ask::reviewable_since;
use domain::review::{Cause, Fact, Review, Stage, Stars, Written, first_stage};
use domain::text::{Opinion, PersonName};
use edge::links::{Link, Purpose};
use edge::query::None as NoParameters;
use edge::{Caller, Check, Command, Listing, Overtaken, PageOf, Problem, Query, Reply, World};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::{Commit, Held, Key};

/// A line that may be reviewed, and what was written about it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OwnReview"))]
pub(crate) struct OwnView {
    id: String,
    order: String,
    line: u16,
    merchant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    /// What the goods were called.
    title: String,
    /// `none` before anything is written, then `pending`, `published`, `rejected` or `withdrawn`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stars: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// As whom the author is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Why it waits or was rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    reasons: Vec<Cause>,
    /// What the operator says about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    photos: Vec<crate::show::OwnPhoto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<crate::show::ReplyView>,
}

/// A review as its author sees it, by itself.
pub(crate) fn own_view(shown: &Shown, review: &Review) -> OwnView {
    let (reasons, note) = match &review.stage {
        Stage::Pending { causes } => (causes.clone(), None),
        Stage::Rejected { reasons, note, .. } => (reasons.clone(), note.as_ref().map(ToString::to_string)),
        Stage::Published { .. } | Stage::Withdrawn { .. } => (Vec::new(), None),
    };
    OwnView {
        id: review.id.to_string(),
        order: review.order.to_string(),
        line: review.id.place().map_or(0, |(_, line)| line),
        merchant: review.merchant.to_string(),
        merchant_name: None,
        product: review.product.as_ref().map(ToString::to_string),
        title: review.title.as_ref().map(ToString::to_string).unwrap_or_default(),
        status: crate::show::status(&review.stage),
        stars: Some(review.stars.number()),
        text: review.text.as_ref().map(ToString::to_string),
        name: review.name.as_ref().map(ToString::to_string),
        reasons,
        note,
        photos: shown_photos(shown, review),
        reply: review.reply.as_ref().map(crate::show::ReplyView::of),
    }
}

/// A delivered line, and the review of it if there is one.
struct Scene {
    id: ReviewId,
    customer: Option<CustomerId>,
    part: MerchantOrder,
    line: Line,
    offer: Option<Offer>,
    merchant_name: Option<String>,
    delivered_at: Timestamp,
    review: Option<Held<Review>>,
}

/// Who says that the line is theirs.
enum Author {
    /// Whoever holds the link.
    Holder,
    Customer(CustomerId),
}

fn none() -> Problem {
    Problem::not_found("review")
}

/// What a link is about.
async fn of_link(world: &World, m: &MarketplaceId, token: &str) -> Result<ReviewId, Problem> {
    let link = Link::open(world, m, Purpose::Review, token).await?;
    link.about.parse().map_err(|_| none())
}

impl Scene {
    /// A1(2): another's line is not there. A4(1): nor one that has not arrived.
    async fn of(world: &World, m: &MarketplaceId, id: &ReviewId, author: &Author) -> Result<Self, Problem> {
        let (order, number) = id.place().ok_or_else(none)?;
        let whole = world.table.whole_order(m, &order).await?.ok_or_else(none)?;
        let customer = whole.order.value.customer.clone();
        match author {
            Author::Holder => {}
            Author::Customer(own) if customer.as_ref() == Some(own) => {}
            Author::Customer(_) => return Err(none()),
        }
        let line = whole.order.value.lines.iter().find(|line| line.number == number).cloned();
        let part = whole.parts.into_iter().map(|held| held.value);
        let part = part.into_iter().find(|part| part.lines.iter().any(|line| line.number == number));
        let not_yet = || {
            Problem::new(409, "not_delivered", "It has not been delivered yet")
                .with("what has arrived can be reviewed")
        };
        let (line, part) = (line.ok_or_else(none)?, part.ok_or_else(not_yet)?);
        let delivered_at = reviewable_since(&part, number).ok_or_else(not_yet)?;
        let (review, merchant) = (Key::review(m, id), Key::merchant(m, &part.merchant));
        let offer = line.offer.as_ref().map(|offer| Key::offer(m, offer));
        let keys: Vec<Key> = [review.clone(), merchant.clone()].into_iter().chain(offer.clone()).collect();
        let mut read = world.table.read(&keys).await?;
        let review = read.take::<Review>(&review)?;
        let merchant_name = read.take::<Merchant>(&merchant)?.map(|held| held.value.name.to_string());
        let offer = offer.map(|key| read.take::<Offer>(&key)).transpose()?.flatten().map(|held| held.value);
        let id = id.clone();
        Ok(Self { id, customer, part, line, offer, merchant_name, delivered_at, review })
    }

    fn title(&self) -> Option<domain::text::Name> {
        self.line.title.clone().or_else(|| self.offer.as_ref().map(|offer| offer.title.clone()))
    }

    /// A first review of the line.
    fn begin(&self, written: Written, stage: Stage, now: Timestamp) -> Review {
        let Written { stars, text, name } = written;
        Review {
            id: self.id.clone(),
            order: self.id.place().map_or_else(|| domain::id::OrderId::from_bits(0), |(order, _)| order),
            merchant_order: self.part.id.clone(),
            merchant: self.part.merchant.clone(),
            product: self.offer.as_ref().map(|offer| offer.product.clone()),
            offer: self.line.offer.clone(),
            customer: self.customer.clone(),
            title: self.title(),
            delivered_at: self.delivered_at,
            submitted_at: now,
            stars,
            text,
            name,
            stage,
            photos: Vec::new(),
            reply: None,
            helpful: 0,
        }
    }

    /// As it is.
    fn reply(&self, shown: &Shown) -> Reply<OwnView> {
        match &self.review {
            Some(held) => Reply::ok(self.view(shown, Some(&held.value))).revision(held.revision()),
            None => Reply::ok(self.view(shown, None)),
        }
    }

    fn view(&self, shown: &Shown, review: Option<&Review>) -> OwnView {
        let title = self.title().map_or_else(|| self.line.sku.to_string(), |title| title.to_string());
        let merchant_name = self.merchant_name.clone();
        if let Some(review) = review {
            return OwnView { title, merchant_name, ..own_view(shown, review) };
        }
        OwnView {
            id: self.id.to_string(),
            order: self.id.place().map(|(order, _)| order.to_string()).unwrap_or_default(),
            line: self.line.number,
            merchant: self.part.merchant.to_string(),
            merchant_name,
            product: self.offer.as_ref().map(|offer| offer.product.to_string()),
            title,
            status: "none",
            stars: None,
            text: None,
            name: None,
            reasons: Vec::new(),
            note: None,
            photos: Vec::new(),
            reply: None,
        }
    }
}

async fn show(
    world: &World,
    m: &MarketplaceId,
    id: &ReviewId,
    author: &Author,
) -> Result<Reply<OwnView>, Problem> {
    let scene = Scene::of(world, m, id, author).await?;
    Ok(scene.reply(&Shown::new(world, m)?))
}

/// Stars, and if the author likes, words.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WriteReview"))]
pub(crate) struct WriteBody {
    /// 1 to 5.
    #[cfg_attr(feature = "schema", schemars(with = "domain::review::Stars"))]
    stars: i64,
    /// Plain text, up to 4,000 characters; nothing else is ever made of it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Opinion>"))]
    text: Option<String>,
    /// As whom the author wants to be shown; nobody's name, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<PersonName>"))]
    name: Option<String>,
}

impl WriteBody {
    fn read(&self) -> Result<Written, Problem> {
        let mut check = Check::new();
        let stars = u8::try_from(self.stars).ok().and_then(|stars| Stars::try_from(stars).ok());
        if stars.is_none() {
            check.wrong("stars", "range", format!("{} is not between 1 and 5", self.stars));
        }
        let text = check.maybe::<Opinion>("text", self.text.as_deref());
        let name = check.maybe::<PersonName>("name", self.name.as_deref());
        check.done()?;
        Ok(Written { stars: stars.ok_or_else(Problem::internal)?, text, name })
    }
}

/// The review is named by its line, so there is never a second one (A4(1)); a repeat of a request takes back nothing
/// that its author has written since.
async fn write<T>(
    world: &World,
    command: &Command<T>,
    id: &ReviewId,
    author: &Author,
    (written, occurred_at): (Written, Option<Timestamp>),
) -> Result<Reply<OwnView>, Problem> {
    let m = &command.caller.marketplace;
    let shown = Shown::new(world, m)?;
    world
        .until_free(|| async {
            let scene = Scene::of(world, m, id, author).await?;
            let (policy, _) = world.table.review_policy(m).await?;
            let now = world.now();
            // What was answered before the goods were there counts from then on.
            let at = occurred_at.map_or(now, |at| at.max(scene.delivered_at));
            let held = scene.review.as_ref();
            let decided = match held {
                None => {
                    let stage = first_stage(&written, &policy, at);
                    let fact = Fact::Written { written: written.clone(), stage: stage.clone() };
                    Decision::New((scene.begin(written.clone(), stage, at), fact))
                }
                Some(held) => match held.value.write(written.clone(), &policy, at) {
                    Decision::New(fact) => Decision::New((held.value.clone().apply(fact.clone()), fact)),
                    Decision::Already => Decision::Already,
                },
            };
            let before = command.before(world, matches!(decided, Decision::New(_))).await?;
            let (Decision::New((next, fact)), None) = (decided, before) else {
                return Ok(scene.reply(&shown).replayed());
            };
            let context = command.context(now);
            let story = story(held.map(|held| &held.value), &next, &fact);
            let commit = Commit::new(m, &context).review(held, &next, story, Overtaken);
            let status = if held.is_none() { 201 } else { 200 };
            command.remember(commit, now, status, id.as_str(), Overtaken).send(&world.table).await?;
            let revision = held.map_or(1, Held::next_step);
            let reply = Reply::ok(scene.view(&shown, Some(&next))).revision(revision);
            Ok(if held.is_none() { reply.making() } else { reply })
        })
        .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WithdrawReview"))]
pub(crate) struct Withdraw {}

async fn take_back(
    world: &World,
    command: &Command<Withdraw>,
    id: &ReviewId,
    author: &Author,
) -> Result<Reply<OwnView>, Problem> {
    let scene = Scene::of(world, &command.caller.marketplace, id, author).await?;
    let shown = Shown::new(world, &command.caller.marketplace)?;
    let (held, replayed) =
        amend(world, command, id, |_| Ok(()), |review, now| Ok(review.withdraw(now))).await?;
    let reply = Reply::ok(scene.view(&shown, Some(&held.value))).revision(held.revision());
    Ok(if replayed { reply.replayed() } else { reply })
}

pub(crate) async fn link_show(
    State(world): State<World>,
    Path(token): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<OwnView>, Problem> {
    let m = &query.caller.marketplace;
    show(&world, m, &of_link(&world, m, &token).await?, &Author::Holder).await
}

pub(crate) async fn link_write(
    State(world): State<World>,
    Path(token): Path<String>,
    command: Command<WriteBody>,
) -> Result<Reply<OwnView>, Problem> {
    let id = of_link(&world, &command.caller.marketplace, &token).await?;
    write(&world, &command, &id, &Author::Holder, (command.body.read()?, None)).await
}

/// A review that was given elsewhere, at its own time: to a channel, or to the shop of before.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RecordReview"))]
pub(crate) struct RecordBody {
    /// 1 to 5.
    #[cfg_attr(feature = "schema", schemars(with = "domain::review::Stars"))]
    stars: i64,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Opinion>"))]
    text: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<PersonName>"))]
    name: Option<String>,
    /// When it was given; now, if not said. Before the delivery it counts from the delivery on.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    occurred_at: Option<String>,
}

/// Of a delivered line, as every review is.
pub(crate) async fn record(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<RecordBody>,
) -> Result<Reply<OwnView>, Problem> {
    let RecordBody { stars, text, name, occurred_at } = command.body.clone();
    let id: ReviewId = id.parse().map_err(|_| none())?;
    let written = WriteBody { stars, text, name }.read()?;
    let mut check = Check::new();
    let at = occurred_at.map(|at| check.occurred_at("occurred_at", Some(&at), world.now()));
    check.done()?;
    write(&world, &command, &id, &Author::Holder, (written, at)).await
}

pub(crate) async fn link_withdraw(
    State(world): State<World>,
    Path(token): Path<String>,
    command: Command<Withdraw>,
) -> Result<Reply<OwnView>, Problem> {
    let id = of_link(&world, &command.caller.marketplace, &token).await?;
    take_back(&world, &command, &id, &Author::Holder).await
}

pub(crate) async fn link_photo(
    State(world): State<World>,
    Path(token): Path<String>,
    command: Command<PhotoBody>,
) -> Result<Reply<SendView>, Problem> {
    let id = of_link(&world, &command.caller.marketplace, &token).await?;
    photos::send(&world, &command, &id).await
}

fn own(caller: &Caller, id: &str) -> Result<(ReviewId, Author), Problem> {
    Ok((id.parse().map_err(|_| none())?, Author::Customer(caller.customer()?)))
}

pub(crate) async fn own_show(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<OwnView>, Problem> {
    let (id, author) = own(&query.caller, &id)?;
    show(&world, &query.caller.marketplace, &id, &author).await
}

pub(crate) async fn own_write(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<WriteBody>,
) -> Result<Reply<OwnView>, Problem> {
    let (id, author) = own(&command.caller, &id)?;
    write(&world, &command, &id, &author, (command.body.read()?, None)).await
}

pub(crate) async fn own_withdraw(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Withdraw>,
) -> Result<Reply<OwnView>, Problem> {
    let (id, author) = own(&command.caller, &id)?;
    take_back(&world, &command, &id, &author).await
}

pub(crate) async fn own_photo(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<PhotoBody>,
) -> Result<Reply<SendView>, Problem> {
    let (id, author) = own(&command.caller, &id)?;
    Scene::of(&world, &command.caller.marketplace, &id, &author).await?;
    photos::send(&world, &command, &id).await
}

/// What the caller has written, the newest first.
pub(crate) async fn own_list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<OwnView>>, Problem> {
    let (m, customer) = (&query.caller.marketplace, query.caller.customer()?);
    let paging = query.parameters.read()?;
    let page = world.table.reviews_of_customer(m, &customer, paging.limit, paging.after.as_ref()).await?;
    let keys: Vec<Key> = page.items.iter().map(|row| Key::review(m, &row.id)).collect();
    let shown = Shown::new(&world, m)?;
    let mut items = Vec::new();
    for held in world.table.load_all::<Review>(&keys).await? {
        items.push(own_view(&shown, &held.value));
    }
    Ok(Reply::ok(Listing { items, next: page.next.map(|next| next.to_string()) }))
}
