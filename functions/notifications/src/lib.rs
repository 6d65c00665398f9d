//! Messages to people: what happened becomes a letter to whom it concerns, once, if they may be written to.
//!
//! Routes: `/v1/messages…`, `/v1/message-templates…`, `/v1/suppressions…`, `/v1/unsubscribe/{token}`. Consumes:
//! whatever somebody wants to hear of; what SES tells of bounces and complaints. Reads: orders, parts, carts,
//! subscriptions, invoices with their cases, merchants, payouts, accounts with their keys. Writes: messages, rules,
//! contacts of merchants, texts, addresses to leave alone. Emits: `message.*.v1`, `merchant.contact_changed.v1`.
//!
//! `occasions.rs` what an event has to say · `desk.rs` what is read for it · `tell.rs` to whom, and each once ·
//! `facts.rs` it in the words of a language · `words.rs` the platform's texts · `render.rs` texts filled in, with
//! bounds · `mail.rs` MIME and SES · `settings.rs` who gets what · `texts.rs` operators' texts · `stop.rs` who is left
//! alone · `reports.rs` what came back · `show.rs` what was sent.
//!
//! Absent on purpose: webhooks of systems, which are `webhooks`'; when something is asked or reminded of.

mod desk;
mod facts;
mod mail;
mod occasions;
mod render;
mod reports;
mod settings;
mod show;
mod stop;
mod tell;
mod texts;
mod words;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    Function::new("notifications", world)
        .routes(routes())
        .on(occasions::placed)
        .on(occasions::shipped)
        .on(occasions::delivered)
        .on(occasions::canceled)
        .on(occasions::rejected)
        .on(occasions::refunded)
        .on(occasions::declined)
        .on(occasions::action_required)
        .on(occasions::dunned)
        .on(occasions::trial_ending)
        .on(occasions::reminded)
        .on(occasions::invited)
        .on(occasions::contact_changed)
        .on(occasions::status_changed)
        .on(occasions::opened)
        .on(occasions::paid_out)
        .on(occasions::critical)
        .on(occasions::webhook_suspended)
        .on(occasions::review_requested)
        .on(occasions::review_replied)
        .on(occasions::back_in_stock)
        .mail(reports::told)
}

fn routes() -> Routes {
    Routes::new()
        .get("/v1/messages", show::list)
        .operators("messages:read", "messages.list", "What was sent to whom and why, the last first")
        .get("/v1/messages/routing", settings::show)
        .operators("messages:read", "messages.routing", "Who gets which message by which way")
        .post("/v1/messages/routing", settings::set)
        .operators("messages:write", "messages.set_routing", "Who gets what from now on, all of it at once")
        .get("/v1/messages/contacts/{merchant}", settings::contact)
        .merchants("messages:read", "messages.contact", "Where a merchant reads, and what it wants to")
        .post("/v1/messages/contacts/{merchant}", settings::set_contact)
        .merchants("messages:write", "messages.set_contact", "Where a merchant reads from now on")
        .get("/v1/message-templates/{kind}/{locale}", texts::show)
        .operators(
            "messages:read",
            "message_templates.show",
            "The text of a kind in a language, as it is in force",
        )
        .post("/v1/message-templates/{kind}/{locale}/save", texts::save)
        .operators("messages:write", "message_templates.save", "A version more, in force at once")
        .post("/v1/message-templates/{kind}/{locale}/reset", texts::reset)
        .operators("messages:write", "message_templates.reset", "The platform's own text is in force again")
        .get("/v1/message-templates/{kind}/{locale}/versions", texts::versions)
        .operators(
            "messages:read",
            "message_templates.versions",
            "What was in force, by whom and since when, the newest first",
        )
        .post("/v1/message-templates/{kind}/{locale}/restore", texts::restore)
        .operators("messages:write", "message_templates.restore", "An older version's text is in force again")
        .post("/v1/message-templates/{kind}/{locale}/check", texts::preview)
        .operators("messages:read", "message_templates.preview", "What a text comes to with sample data")
        .get("/v1/suppressions", stop::list)
        .operators("messages:read", "suppressions.list", "Addresses that are left alone, the last first")
        .post("/v1/suppressions/add", stop::add)
        .operators("messages:write", "suppressions.add", "Nothing is sent to an address any more")
        .post("/v1/unsubscribe/{token}", stop::unsubscribe)
        .signed("messages.unsubscribe", "Whoever has the link of a message gets no more of its like")
        .get("/v1/messages/{message}", show::one)
        .operators("messages:read", "messages.show", "A message, with its words while they may be read")
}
