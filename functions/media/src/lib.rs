//! Assets: pictures, films, models and documents that storefronts show, from the file that is sent to what is shown.
//!
//! Routes: `/v1/assets…`. Schedule: every five minutes, hands assets whose rights begin or end to a queue. Consumes:
//! `asset.rights_due.v1` from that; files that come to the bucket of media; `asset.deleted.v1`. Reads: assets, who
//! shows them, merchants. Writes: assets; files of the bucket. Emits: `asset.*.v1`.
//!
//! A file is sent straight to the bucket, at an address signed for its type and length, and told of through a queue,
//! one at a time. What it is and what is made of it is `assets`' to say; here it is put where everybody can fetch it,
//! and committed. What was made of each file lies below it, so that it goes with it: nothing is counted or shared.
//! Absent on purpose: which product a picture is of, which is the catalog's to know.

mod arrive;
mod change;
mod check;
mod made;
mod place;
mod send;
mod show;

pub use check::{Checked, check};
use edge::{Function, Routes, World, due as work};
use events::asset::AssetRightsDueV1;
use table::due::Work;

const READ: &str = "assets:read";
const WRITE: &str = "assets:write";

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .create("/v1/assets", send::create)
        .merchants(WRITE, "assets.create", "An asset, and an address to which its file can be sent")
        .get("/v1/assets", show::list)
        .merchants(READ, "assets.list", "Assets of a merchant, or the marketplace's own: the youngest first")
        .get("/v1/assets/{id}", show::one)
        .merchants(READ, "assets.show", "An asset, with the addresses of what was made of its file")
        .get("/v1/assets/{id}/usages", show::usages)
        .merchants(READ, "assets.usages", "Who shows it: products, and reviews")
        .patch("/v1/assets/{id}", change::describe)
        .merchants(WRITE, "assets.change", "Its name, words for who does not see it, and rights")
        .post("/v1/assets/{id}/replace", send::replace)
        .merchants(
            WRITE,
            "assets.replace",
            "Another file may be sent; until it is there the one before is shown",
        )
        .post("/v1/assets/{id}/delete", change::delete)
        .merchants(WRITE, "assets.delete", "The asset is gone for good, with everything made of it");
    Function::new("media", world)
        .routes(routes)
        .schedule(|world, input| async move {
            let queue = world.variable("MEDIA_QUEUE").map(str::to_owned);
            let payload = |id: &str| Some(AssetRightsDueV1 { asset: id.parse().ok()? });
            work::hand_on(world, input, Work::Rights, queue, payload).await
        })
        .on(arrive::rights)
        .on(arrive::deleted)
        .objects(arrive::arrived)
}
