//! Imports: catalogs that come as files, from the permission to send one to the last of its rows.
//!
//! Routes: `/v1/imports…`, `/v1/import-profiles…`. Consumes: files that come to the bucket of imports;
//! `import.advanced.v1`. Reads: imports, profiles of sources, merchants, marketplace, categories, products, sheets,
//! offers, attributes, families, sales channels. Writes: imports, bad rows, profiles of sources, products, sheets and
//! their versions, offers, categories, attributes; files of the bucket. Emits: `import.*.v1`,
//! `import_profile.changed.v1`, `product.*.v1`, `offer.*.v1`, `category.changed.v1`, `attribute.changed.v1`.
//!
//! A file is first cut into parts of so many rows, whatever its format, so that everything that is wrong with it as a
//! whole is known before anything is written. Then part after part is written: each product is a transaction, and where
//! nothing is said otherwise there is none; place, counts and bad rows are one more, whose event brings the next part.
//! A row is what its profile makes of it, and that of products, categories or translations, as the import says; the
//! profile `translations`, for files that `exports` has made for translators, is there from the start.
//! Absent on purpose: stock and pictures of what is imported.

mod arrive;
mod cancel;
pub mod cut;
mod place;
mod products;
mod profiles;
mod rows;
mod send;
mod show;
mod slice;
mod translations;
mod tree;
mod wish;

use edge::{Function, Routes, World};

/// What is imported is the catalog, so whoever may write that may import.
const READ: &str = "catalog:read";
const WRITE: &str = "catalog:write";

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/import-profiles", profiles::list)
        .everyone(READ, "import_profiles.list", "How rows of sources are read")
        .get("/v1/import-profiles/{code}", profiles::one)
        .everyone(READ, "import_profiles.show", "How rows of a source are read")
        .post("/v1/import-profiles/{code}/set", profiles::set_one)
        .operators(WRITE, "import_profiles.set", "A source is new, or its rows are read otherwise")
        .create("/v1/imports", send::create)
        .merchants(WRITE, "imports.create", "An import, and an address to which its file can be sent")
        .get("/v1/imports", show::list)
        .merchants(READ, "imports.list", "Imports of a merchant, or the operators' own: the youngest first")
        .get("/v1/imports/{id}", show::one)
        .merchants(READ, "imports.show", "An import, how far it is, and what became of its rows")
        .get("/v1/imports/{id}/errors", show::errors)
        .merchants(READ, "imports.errors", "Rows that were refused, in the order of the file, and why")
        .post("/v1/imports/{id}/cancel", cancel::cancel)
        .merchants(WRITE, "imports.cancel", "It goes no further; what was written stays");
    Function::new("imports", world).routes(routes).on(slice::advanced).objects(arrive::arrived)
}
