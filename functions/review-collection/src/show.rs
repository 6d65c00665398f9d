//! What everybody sees: published reviews, and what they come to.
//!
//! The list by itself is the newest first, whatever the stars; every order shows every review in the end, and the
//! distribution stands beside it. Nothing here leaves a review out for its stars.

use axum::extract::{Path, State};
use domain::id::{MarketplaceId, MerchantId, ProductId, ReviewId};
use domain::review::rating::{Distribution, score};
use domain::review::{Photo, PhotoState, Reply as Answer, Review, Stage, Stars, Unusable};
use edge::query::None as NoParameters;
use edge::query::Paging;
use edge::shown::{Front, MediaView};
use edge::{Check, Listing, Problem, Query, Reply, World};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::review::{RatingAdjustment, Reviewed};
use table::{Held, Key};

/// The word for a review's stage.
pub(crate) fn status(stage: &Stage) -> &'static str {
    match stage {
        Stage::Pending { .. } => "pending",
        Stage::Published { .. } => "published",
        Stage::Rejected { .. } => "rejected",
        Stage::Withdrawn { .. } => "withdrawn",
    }
}

/// What views are made with.
pub(crate) struct Shown {
    front: Front,
    marketplace: MarketplaceId,
    now: Timestamp,
}

impl Shown {
    pub(crate) fn new(world: &World, m: &MarketplaceId) -> Result<Self, Problem> {
        let front = Front::of(world, "MEDIA_ADDRESS").map_err(|unset| Problem::fault(&unset))?;
        Ok(Self { front, marketplace: m.clone(), now: world.now() })
    }
}

/// A picture of one's own review.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OwnPhoto {
    number: u8,
    /// `awaited` until it has been sent and looked at, then `ready` or `refused`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Unusable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<MediaView>,
}

pub(crate) fn shown_photos(shown: &Shown, review: &Review) -> Vec<OwnPhoto> {
    let own = |photo: &Photo| {
        let (status, refused, view) = match &photo.state {
            PhotoState::Awaited => ("awaited", None, None),
            PhotoState::Refused { why } => ("refused", Some(*why), None),
            PhotoState::Shown { shown: of } => {
                ("ready", None, shown.front.one(&shown.marketplace, of, shown.now))
            }
            PhotoState::Lost {} => return None,
        };
        Some(OwnPhoto { number: photo.number, status, refused, photo: view })
    };
    review.photos.iter().filter_map(own).collect()
}

/// The merchant's answer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReviewReply"))]
pub(crate) struct ReplyView {
    text: String,
    at: String,
    /// It said something else before.
    edited: bool,
}

impl ReplyView {
    pub(crate) fn of(reply: &Answer) -> Self {
        let (text, at) = (reply.text.to_string(), reply.at.to_string());
        Self { text, at, edited: !reply.before.is_empty() }
    }
}

/// A published review; whoever wrote it has bought and got the goods.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PublicReview"))]
pub(crate) struct PublicView {
    id: String,
    merchant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    stars: u8,
    /// Plain text: it is never markup, whatever it looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    at: String,
    /// Shoppers whom it has helped.
    helpful: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    photos: Vec<MediaView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<ReplyView>,
}

fn public_view(shown: &Shown, review: &Review) -> PublicView {
    let photos = shown_photos(shown, review).into_iter().filter_map(|photo| photo.photo).collect();
    PublicView {
        id: review.id.to_string(),
        merchant: review.merchant.to_string(),
        product: review.product.as_ref().map(ToString::to_string),
        title: review.title.as_ref().map(ToString::to_string),
        stars: review.stars.number(),
        text: review.text.as_ref().map(ToString::to_string),
        name: review.name.as_ref().map(ToString::to_string),
        at: review.submitted_at.to_string(),
        helpful: review.helpful,
        photos,
        reply: review.reply.as_ref().map(ReplyView::of),
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Reviews of this product …
    #[cfg_attr(feature = "schema", schemars(with = "Option<ProductId>"))]
    product: Option<String>,
    /// … or of all that this merchant sells.
    #[cfg_attr(feature = "schema", schemars(with = "Option<MerchantId>"))]
    merchant: Option<String>,
    /// Only those with so many stars.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[1-5]$")))]
    stars: Option<String>,
    /// `newest` (if not said), `helpful`, `best` or `worst`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^(newest|helpful|best|worst)$")))]
    sort: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

enum Sort {
    Newest,
    Helpful,
    Best,
    Worst,
}

impl Which {
    fn of(&self, check: &mut Check) -> Option<Reviewed> {
        let product = check.maybe::<ProductId>("product", self.product.as_deref());
        let merchant = check.maybe::<MerchantId>("merchant", self.merchant.as_deref());
        match (&self.product, &self.merchant) {
            (Some(_), None) => product.map(Reviewed::Product),
            (None, Some(_)) => merchant.map(Reviewed::Merchant),
            (None, None) | (Some(_), Some(_)) => {
                check.wrong("product", "required", "say either `product` or `merchant`");
                None
            }
        }
    }

    fn sort(&self, check: &mut Check, stars: Option<Stars>) -> Sort {
        let sort = match self.sort.as_deref() {
            None | Some("newest") => return Sort::Newest,
            Some("helpful") => Sort::Helpful,
            Some("best") => Sort::Best,
            Some("worst") => Sort::Worst,
            Some(_) => {
                check.wrong("sort", "unknown", "want `newest`, `helpful`, `best` or `worst`");
                return Sort::Newest;
            }
        };
        if stars.is_some() {
            check.wrong("sort", "conflict", "reviews with so many stars are listed by time");
        }
        sort
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<PublicView>>, Problem> {
    let (m, which) = (&query.caller.marketplace, &query.parameters);
    let mut check = Check::new();
    let paging = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let stars = check.maybe::<Stars>("stars", which.stars.as_deref());
    let (of, sort) = (which.of(&mut check), which.sort(&mut check, stars));
    check.done()?;
    let Some(of) = of else { return Err(Problem::internal()) };
    let (limit, after, table) = (paging.limit, paging.after.as_ref(), &world.table);
    let page = match sort {
        Sort::Newest => table.newest_reviews(m, &of, stars, limit, after).await?,
        Sort::Helpful => table.most_helpful_reviews(m, &of, limit, after).await?,
        Sort::Best => table.reviews_by_stars(m, &of, true, limit, after).await?,
        Sort::Worst => table.reviews_by_stars(m, &of, false, limit, after).await?,
    };
    let ids = page.items.iter().map(|row| &row.id);
    let shown = Shown::new(&world, m)?;
    let mut items = Vec::new();
    for held in loaded(&world, m, ids).await? {
        // An index may be behind: what is not published any more is not shown.
        if held.value.is_published() {
            items.push(public_view(&shown, &held.value));
        }
    }
    Ok(Reply::ok(Listing { items, next: page.next.map(|next| next.to_string()) }))
}

/// The reviews of a page, as they are now.
pub(crate) async fn loaded(
    world: &World,
    m: &MarketplaceId,
    ids: impl Iterator<Item = &ReviewId>,
) -> Result<Vec<Held<Review>>, Problem> {
    let keys: Vec<Key> = ids.map(|id| Key::review(m, id)).collect();
    Ok(world.table.load_all::<Review>(&keys).await?)
}

/// How many reviews have how many stars.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct StarCounts {
    five: u64,
    four: u64,
    three: u64,
    two: u64,
    one: u64,
}

impl From<&Distribution> for StarCounts {
    fn from(distribution: &Distribution) -> Self {
        let [five, four, three, two, one] = Stars::ALL.map(|stars| distribution.of(stars));
        Self { five, four, three, two, one }
    }
}

/// What published reviews come to, exact at once after each change.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Rating"))]
pub(crate) struct RatingView {
    count: u64,
    /// Two decimals: `4.33`; absent where there is no review.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<String>,
    stars: StarCounts,
    /// Of a merchant: 0 to 100, from reviews and from how it delivers.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u64>,
}

fn rating(distribution: &Distribution, score: Option<u64>) -> RatingView {
    RatingView { count: distribution.count(), mean: distribution.mean(), stars: distribution.into(), score }
}

pub(crate) async fn product_rating(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<RatingView>, Problem> {
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let of = world.table.distribution(&query.caller.marketplace, &Reviewed::Product(id)).await?;
    Ok(Reply::ok(rating(&of, None)))
}

pub(crate) async fn merchant_rating(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<RatingView>, Problem> {
    let id: MerchantId = id.parse().map_err(|_| Problem::not_found("merchant"))?;
    let (m, table) = (&query.caller.marketplace, &world.table);
    let of = table.distribution(m, &Reviewed::Merchant(id.clone())).await?;
    let conduct = table.conduct(m, &id).await?;
    let (policy, _) = table.review_policy(m).await?;
    let adjusted = table.load::<RatingAdjustment>(&Key::rating_adjustment(m, &id)).await?;
    let adjustment = adjusted.and_then(|held| held.value.adjustment);
    let score = score(&of, &conduct, &policy.weights, adjustment.as_ref());
    Ok(Reply::ok(rating(&of, score.score)))
}
