//! Reviews: buyers are asked after delivery, write by a link or signed in, and everybody reads what is published.
//!
//! Routes: `/v1/review-links…`, `/v1/reviews…`, `/v1/ratings…`. Schedule: every five minutes, hands due questions to a
//! queue. Consumes: `review.request_due.v1` from that; `shipment.delivered.v1`, `merchant_order.delivered.v1` for the
//! questions; `merchant_order.opened.v1`, `merchant_order.shipped.v1`, `merchant_order.rejected.v1` for merchants'
//! scores; `order.claimed.v1`, `customer.erased.v1`; `asset.*.v1` of photos, but for `asset.created.v1`. Reads: orders
//! and their parts, offers, merchants, accounts, assets. Writes: reviews with votes and reports, what was asked,
//! counts; assets that are photos, and who shows them. Emits: `review.*.v1`, `merchant.rating_changed.v1`; of photos
//! `asset.created.v1`, `asset.changed.v1`, `asset.deleted.v1`.
//!
//! A review is one delivered line's (A4(1)); what it counts for changes in the transaction that changes its stage
//! (A4(3)). Absent on purpose: the mail that asks, which `notifications` writes; a way to sort or list by default that
//! leaves reviews out for their stars.

mod ask;
mod author;
mod change;
mod conduct;
mod crowd;
mod decide;
mod forget;
mod photos;
mod rules;
mod show;

use edge::{Function, Routes, World, due as work};
use table::due::Work;

const READ: &str = "reviews:read";
const WRITE: &str = "reviews:write";

pub fn function(world: &World) -> Function {
    Function::new("review-collection", world)
        .routes(decided(authors(public(Routes::new()))))
        .schedule(|world, input| async move {
            let queue = world.variable("REVIEW_COLLECTION_QUEUE").map(str::to_owned);
            work::hand_on(world, input, Work::Review, queue, ask::payload).await
        })
        .on(ask::due)
        .on(ask::arrived)
        .on(ask::complete)
        .on(conduct::opened)
        .on(conduct::shipped)
        .on(conduct::rejected)
        .on(forget::claimed)
        .on(forget::erased)
        .on(photos::ready)
        .on(photos::refused)
        .on(photos::changed)
        .on(photos::ended)
        .on(photos::deleted)
}

/// What everybody sees and says.
fn public(routes: Routes) -> Routes {
    routes
        .get("/v1/reviews", show::list)
        .shoppers(
            "reviews.list",
            "Published reviews of a product or a merchant: the newest first, or as asked; none is left out",
        )
        .get("/v1/ratings/products/{id}", show::product_rating)
        .shoppers("ratings.product", "How many stars a product has, and their mean")
        .get("/v1/ratings/merchants/{id}", show::merchant_rating)
        .shoppers("ratings.merchant", "How many stars a merchant has, their mean, and its score")
        .post("/v1/reviews/{id}/helpful", crowd::helpful)
        .persons("reviews.helpful", "A review has helped; once per customer")
        .create("/v1/reviews/{id}/report", crowd::report)
        .shoppers("reviews.report", "A review does not belong there: an operator looks at it")
}

/// By a signed link, or signed in.
fn authors(routes: Routes) -> Routes {
    routes
        .get("/v1/review-links/{token}", author::link_show)
        .shoppers("review_links.show", "What a link lets its holder review, and what was written")
        .create("/v1/review-links/{token}", author::link_write)
        .shoppers(
            "review_links.write",
            "The review of a delivered line: stars, and words if its author likes",
        )
        .post("/v1/review-links/{token}/withdraw", author::link_withdraw)
        .shoppers("review_links.withdraw", "The author takes the review back")
        .post("/v1/review-links/{token}/photos", author::link_photo)
        .shoppers("review_links.send_photo", "An address to which one photo can be sent, for some minutes")
        .get("/v1/reviews/own", author::own_list)
        .persons("reviews.list_own", "What the caller has written, the newest first")
        .get("/v1/reviews/own/{id}", author::own_show)
        .persons("reviews.show_own", "A line of the caller's own orders, and what was written about it")
        .create("/v1/reviews/own/{id}", author::own_write)
        .persons("reviews.write_own", "The review of a line of the caller's own orders")
        .post("/v1/reviews/own/{id}/withdraw", author::own_withdraw)
        .persons("reviews.withdraw_own", "The author takes the review back")
        .post("/v1/reviews/own/{id}/photos", author::own_photo)
        .persons("reviews.send_own_photo", "An address to which one photo can be sent, for some minutes")
}

/// By operators, and by the merchants that reviews are about.
fn decided(routes: Routes) -> Routes {
    routes
        .get("/v1/reviews/pending", decide::pending)
        .operators(READ, "reviews.pending", "Reviews that a person has to look at")
        .get("/v1/reviews/reports", crowd::reports)
        .operators(READ, "reviews.reports", "Complaints about reviews that nobody has closed")
        .get("/v1/reviews/{id}", decide::one)
        .merchants(READ, "reviews.show", "A review, whatever its status")
        .create("/v1/reviews/{id}/record", author::record)
        .operators(
            WRITE,
            "reviews.record",
            "A review of a delivered line that was given elsewhere, at its own time",
        )
        .post("/v1/reviews/{id}/publish", decide::publish)
        .operators(WRITE, "reviews.publish", "Everybody may read it, and it counts")
        .post("/v1/reviews/{id}/reject", decide::reject)
        .operators(WRITE, "reviews.reject", "Nobody may read it; the reasons are shown to its author")
        .post("/v1/reviews/{id}/close-report", crowd::close_report)
        .operators(WRITE, "reviews.close_report", "A complaint was looked at")
        .post("/v1/reviews/{id}/reply", decide::reply)
        .merchants(WRITE, "reviews.reply", "The merchant answers, once, for everybody to read")
        .patch("/v1/reviews/{id}/reply", decide::edit_reply)
        .merchants(WRITE, "reviews.edit_reply", "Another wording of the answer; the earlier ones are kept")
        .get("/v1/reviews/policy", rules::policy)
        .operators(READ, "reviews.policy", "Rules of asking, checking and rating")
        .post("/v1/reviews/set-policy", rules::set_policy)
        .operators(WRITE, "reviews.set_policy", "Other rules of asking, checking and rating")
        .get("/v1/reviews/scores/{merchant}", rules::merchant_score)
        .merchants(READ, "reviews.score", "A merchant's score, with everything that it is made of")
        .post("/v1/reviews/scores/{merchant}/adjust", rules::adjust)
        .operators(WRITE, "reviews.adjust_score", "An operator's adjustment of a score, with its reason")
}
