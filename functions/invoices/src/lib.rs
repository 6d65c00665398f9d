//! Invoices and credit notes of subscriptions as documents: lists, numbers, files, statements.
//!
//! Routes: `/v1/invoices…`. Consumes: `invoice.opened.v1`, many at once. Reads: invoices, subscriptions, plans,
//! recipients, issuer. Writes: the numbers of invoices and their series, the issuer; PDF files in the documents bucket.
//! Emits: `invoice.issuer_changed.v1`.
//!
//! Customers see what is theirs, operators everything. What a document says is decided where it is made
//! (`subscriptions`, `recurring-billing`); here it gets its number and its form.

mod file;
mod issuer;
mod numbers;
mod pdf;
mod show;
mod statement;

use edge::{Function, Routes, World};

const READ: &str = "invoices:read";
const WRITE: &str = "invoices:write";

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/invoices", show::list)
        .owners(
            READ,
            "invoices.list",
            "Invoices and credit notes, newest first: a customer's, a subscription's, or all with a number",
        )
        .get("/v1/invoices/{id}", show::one)
        .owners(READ, "invoices.show", "An invoice or a credit note")
        .get("/v1/invoices/{id}/pdf", file::pdf)
        .owners(READ, "invoices.pdf", "Where its PDF can be fetched; it never changes")
        .get("/v1/invoices/statement", statement::show)
        .owners(
            READ,
            "invoices.statement",
            "What a customer was invoiced, credited and has paid between two days",
        )
        .get("/v1/invoices/issuer", issuer::show)
        .operators(READ, "invoices.issuer", "The legal entity that issues invoices")
        .post("/v1/invoices/set-issuer", issuer::set_issuer)
        .operators(
            WRITE,
            "invoices.set_issuer",
            "Another legal entity on what is not printed yet, and for the tax",
        );
    Function::new("invoices", world).routes(routes).on_batch(numbers::give)
}
