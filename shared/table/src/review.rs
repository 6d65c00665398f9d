//! Where reviews lie, the counts that move with them, and the lists that show them.
//!
//! A review's stage and the counts of its product and merchant change in one transaction, so the distribution is exact
//! at once (A4(3)). Lists tell ids from an index; who shows them reads the reviews themselves, strongly consistent.

use crate::due::Work;
use crate::key::{Key, Place};
use crate::list::List;
use crate::record::{Item, whole};
use crate::{Commit, Cursor, Fault, Held, Page, Record, Story, Table};
use domain::id::{CustomerId, MarketplaceId, MerchantId, MerchantOrderId, ProductId, ReportId, ReviewId};
use domain::review::ask::Asking;
use domain::review::rating::{Adjustment, Distribution, Policy, Record as Conduct};
use domain::review::{Review, Stage, Stars, moved};
use domain::text::Reason;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

const RATING: &str = "rating.1";
const CONDUCT: &str = "merchant_conduct.1";

/// What lists tell of a review: which one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRow {
    pub id: ReviewId,
    pub at: Timestamp,
}

impl Record for Review {
    const KIND: &'static str = "review.1";
    type Summary = ReviewRow;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::review(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let (at, id) = (self.submitted_at, self.id.as_str());
        match self.stage {
            Stage::Pending { .. } => vec![Place::pending_review(m, at, id)],
            Stage::Published { .. } => {
                let of_product = |product| Place::review_of_product(m, product, self.stars, at, id);
                let mut places = vec![Place::review_of_merchant(m, &self.merchant, self.stars, at, id)];
                places.extend(self.product.as_ref().map(of_product));
                places
            }
            Stage::Rejected { .. } | Stage::Withdrawn { .. } => Vec::new(),
        }
    }

    fn summary(&self) -> Option<ReviewRow> {
        Some(ReviewRow { id: self.id.clone(), at: self.submitted_at })
    }
}

/// The same review in the lists that are ordered otherwise: by what helps, and its author's. It follows the review in
/// every commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRank {
    pub id: ReviewId,
    pub at: Timestamp,
    pub merchant: MerchantId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// None while it is not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helpful: Option<u32>,
}

impl ReviewRank {
    fn of(review: &Review) -> Self {
        Self {
            id: review.id.clone(),
            at: review.submitted_at,
            merchant: review.merchant.clone(),
            product: review.product.clone(),
            customer: review.customer.clone(),
            helpful: review.is_published().then_some(review.helpful),
        }
    }
}

impl Record for ReviewRank {
    const KIND: &'static str = "review_rank.1";
    type Summary = ReviewRow;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::review_rank(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let (at, id) = (self.at, self.id.as_str());
        let mut places: Vec<Place> =
            self.customer.iter().map(|customer| Place::review_of_customer(m, customer, at, id)).collect();
        if let Some(helpful) = self.helpful {
            places.push(Place::helpful_of_merchant(m, &self.merchant, helpful, at, id));
            let of_product = |product| Place::helpful_of_product(m, product, helpful, at, id);
            places.extend(self.product.as_ref().map(of_product));
        }
        places
    }

    fn summary(&self) -> Option<ReviewRow> {
        Some(ReviewRow { id: self.id.clone(), at: self.at })
    }
}

/// That a customer found a review helpful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewVote {
    pub review: ReviewId,
    pub by: CustomerId,
    pub at: Timestamp,
}

impl Record for ReviewVote {
    const KIND: &'static str = "review_vote.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::review_vote(m, &self.review, &self.by)
    }
}

/// A complaint about a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewReport {
    pub id: ReportId,
    pub review: ReviewId,
    pub at: Timestamp,
    pub reason: Reason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
}

impl Record for ReviewReport {
    const KIND: &'static str = "review_report.1";
    type Summary = ReviewReport;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::review_report(m, &self.review, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let open = self.closed_by.is_none();
        open.then(|| Place::open_report(m, self.at, self.id.as_str())).into_iter().collect()
    }

    fn summary(&self) -> Option<ReviewReport> {
        Some(self.clone())
    }
}

impl Record for Asking {
    const KIND: &'static str = "asking.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        // The id of a part is made from its order, so the form always fits.
        Key::asking(m, &self.merchant_order).unwrap_or_else(|| Key::order(m, &self.order))
    }
}

/// How a marketplace asks, checks and rates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewPolicy {
    pub policy: Policy,
}

impl Record for ReviewPolicy {
    const KIND: &'static str = "review_policy.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::review_policy(m)
    }
}

/// An operator's word on a merchant's score; none takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingAdjustment {
    pub merchant: MerchantId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustment: Option<Adjustment>,
}

impl Record for RatingAdjustment {
    const KIND: &'static str = "rating_adjustment.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::rating_adjustment(m, &self.merchant)
    }
}

/// What is counted of a merchant's orders, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Opened,
    Shipped { late: bool },
    Canceled,
    Disputed,
}

/// Of what reviews are: a product, or all that a merchant sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviewed {
    Product(ProductId),
    Merchant(MerchantId),
}

impl Reviewed {
    fn with(&self, m: &MarketplaceId, stars: Stars) -> List {
        let at = Timestamp::UNIX_EPOCH;
        List::of(match self {
            Self::Product(product) => Place::review_of_product(m, product, stars, at, ""),
            Self::Merchant(merchant) => Place::review_of_merchant(m, merchant, stars, at, ""),
        })
    }

    fn key(&self, m: &MarketplaceId) -> Key {
        match self {
            Self::Product(product) => Key::product_rating(m, product),
            Self::Merchant(merchant) => Key::merchant_rating(m, merchant),
        }
    }
}

/// The attribute that counts reviews with so many stars.
fn counter(stars: Stars) -> &'static str {
    match stars.number() {
        1 => "stars1",
        2 => "stars2",
        3 => "stars3",
        4 => "stars4",
        _ => "stars5",
    }
}

impl<C: Debug> Commit<'_, C> {
    /// A review that is new or has changed, what is told of it, and the counts that move with it.
    pub fn review(self, held: Option<&Held<Review>>, next: &Review, story: Story, taken: C) -> Self {
        let commit = self.counts(held.map(|held| &held.value), next).put_any(&ReviewRank::of(next));
        match held {
            Some(held) if story.facts.is_empty() => commit.replace(held, next),
            Some(held) => commit.change(held, next, next.id.as_str(), story),
            None => commit.begin(next, next.id.as_str(), story, taken),
        }
    }

    fn counts(self, before: Option<&Review>, next: &Review) -> Self {
        let amounts: Vec<(&'static str, i128)> =
            moved(before, next).into_iter().map(|(stars, by)| (counter(stars), i128::from(by))).collect();
        if amounts.is_empty() {
            return self;
        }
        let m = self.marketplace();
        let product = next.product.as_ref().map(|product| Key::product_rating(m, product));
        let merchant = Key::merchant_rating(m, &next.merchant);
        let rated = product.into_iter().chain([merchant]);
        rated.fold(self, |commit, key| commit.count(key, RATING, amounts.clone()))
    }

    /// One order more in what is known of how a merchant delivers.
    pub fn conduct(self, merchant: &MerchantId, counted: Counted) -> Self {
        let amounts = match counted {
            Counted::Opened => vec![("opened", 1)],
            Counted::Shipped { late } => vec![("shipped", 1), ("late", i128::from(late))],
            Counted::Canceled => vec![("canceled", 1)],
            Counted::Disputed => vec![("disputed", 1)],
        };
        let key = Key::merchant_conduct(self.marketplace(), merchant);
        self.count(key, CONDUCT, amounts)
    }
}

fn number(item: Option<&Item>, name: &str) -> u64 {
    item.and_then(|item| whole(item, name)).unwrap_or_default()
}

impl Table {
    /// How many reviews count with which stars, strongly consistent.
    pub async fn distribution(&self, m: &MarketplaceId, of: &Reviewed) -> Result<Distribution, Fault> {
        let item = self.item(&of.key(m)).await?;
        let count = |stars: u8| stars.try_into().map_or(0, |stars| number(item.as_ref(), counter(stars)));
        Ok(Distribution { counts: [1, 2, 3, 4, 5].map(count) })
    }

    /// What is known of how a merchant delivers.
    pub async fn conduct(&self, m: &MarketplaceId, merchant: &MerchantId) -> Result<Conduct, Fault> {
        let item = self.item(&Key::merchant_conduct(m, merchant)).await?;
        let count = |name| number(item.as_ref(), name);
        Ok(Conduct {
            opened: count("opened"),
            shipped: count("shipped"),
            late: count("late"),
            canceled: count("canceled"),
            disputed: count("disputed"),
        })
    }

    /// The rules of a marketplace, and which version they are; 0 of those that nobody has set.
    pub async fn review_policy(&self, m: &MarketplaceId) -> Result<(Policy, u64), Fault> {
        let held = self.load::<ReviewPolicy>(&Key::review_policy(m)).await?;
        Ok(held.map_or_else(Default::default, |held| (held.value.policy, held.revision)))
    }

    /// Published reviews, the newest first: all of them whatever their stars, or those with so many.
    pub async fn newest_reviews(
        &self,
        m: &MarketplaceId,
        of: &Reviewed,
        stars: Option<Stars>,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ReviewRow>, Fault> {
        if let Some(stars) = stars {
            return self.list::<Review>(&of.with(m, stars), limit, after).await;
        }
        let lists = Stars::ALL.map(|stars| of.with(m, stars));
        let pages = try_join_all(lists.iter().map(|list| self.list::<Review>(list, limit, after))).await?;
        let more = pages.iter().any(|page| page.next.is_some());
        let mut items: Vec<ReviewRow> = pages.into_iter().flat_map(|page| page.items).collect();
        items.sort_by(|a, b| (&b.at, &b.id).cmp(&(&a.at, &a.id)));
        let cut = items.len() > usize::from(limit);
        items.truncate(usize::from(limit));
        let next = items.last().filter(|_| more || cut).map(|row| Cursor::at(row.at, row.id.as_str()));
        Ok(Page { items, next })
    }

    /// Published reviews by their stars, the best or the worst first; among the same stars the newest first.
    pub async fn reviews_by_stars(
        &self,
        m: &MarketplaceId,
        of: &Reviewed,
        best_first: bool,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ReviewRow>, Fault> {
        let mut order = Stars::ALL;
        if !best_first {
            order.reverse();
        }
        let (begin, mut after) = match after.map(|cursor| cursor.within()) {
            Some(Some((head, cursor))) => {
                let stars: Stars = head.parse().map_err(|_| Fault::ForeignCursor)?;
                (order.iter().position(|one| *one == stars).unwrap_or_default(), cursor)
            }
            Some(None) => return Err(Fault::ForeignCursor),
            None => (0, None),
        };
        let mut items: Vec<ReviewRow> = Vec::new();
        for stars in order.into_iter().skip(begin) {
            let left = limit.saturating_sub(u16::try_from(items.len()).unwrap_or(limit));
            if left == 0 {
                return Ok(Page { items, next: Some(Cursor::head(&stars.number().to_string(), None)) });
            }
            let page = self.list::<Review>(&of.with(m, stars), left, after.take().as_ref()).await?;
            items.extend(page.items);
            if let Some(next) = page.next {
                return Ok(Page {
                    items,
                    next: Some(Cursor::head(&stars.number().to_string(), Some(&next))),
                });
            }
        }
        Ok(Page { items, next: None })
    }

    /// Published reviews, what has helped most first.
    pub async fn most_helpful_reviews(
        &self,
        m: &MarketplaceId,
        of: &Reviewed,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ReviewRow>, Fault> {
        let at = Timestamp::UNIX_EPOCH;
        let place = match of {
            Reviewed::Product(product) => Place::helpful_of_product(m, product, 0, at, ""),
            Reviewed::Merchant(merchant) => Place::helpful_of_merchant(m, merchant, 0, at, ""),
        };
        self.list::<ReviewRank>(&List::new(place.index, place.pk), limit, after).await
    }

    /// All that a customer has written, the newest first.
    pub async fn reviews_of_customer(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ReviewRow>, Fault> {
        let list = List::of(Place::review_of_customer(m, customer, Timestamp::UNIX_EPOCH, ""));
        self.list::<ReviewRank>(&list, limit, after).await
    }

    /// What waits for a person, the newest first.
    pub async fn pending_reviews(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ReviewRow>, Fault> {
        let list = List::of(Place::pending_review(m, Timestamp::UNIX_EPOCH, ""));
        self.list::<Review>(&list, limit, after).await
    }

    /// Complaints that nobody has closed, the newest first.
    pub async fn open_reports(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ReviewReport>, Fault> {
        let list = List::of(Place::open_report(m, Timestamp::UNIX_EPOCH, ""));
        self.list::<ReviewReport>(&list, limit, after).await
    }

    /// Puts a look at what is to be asked about a merchant order on the list of due work.
    pub async fn review_is_due(
        &self,
        m: &MarketplaceId,
        part: &MerchantOrderId,
        at: Timestamp,
    ) -> Result<(), Fault> {
        self.put_due(&Key::due(m, Work::Review, part.as_str(), at)).await
    }
}
