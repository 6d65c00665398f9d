//! What gateways are asked, as the log of the functions tells it: the sandbox keeps nothing that could be looked at.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Dispatch, Event, Level, Metadata};

/// Whose words are listened to.
const GATEWAYS: &str = "gateway";

/// A call of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Asked {
    pub(super) call: String,
    pub(super) minor: i64,
}

/// All calls, under their keys, in their order. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Wire(Arc<Mutex<Vec<(String, Asked)>>>);

impl Wire {
    pub(super) fn asked(&self) -> Vec<(String, Asked)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Listens in this thread until it is dropped; whoever has listened before goes on.
    pub(super) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let beside = tracing::dispatcher::get_default(Dispatch::clone);
        let most = LevelFilter::current().max(LevelFilter::INFO);
        tracing::subscriber::set_default(Listener { wire: self.clone(), beside, most })
    }
}

struct Listener {
    wire: Wire,
    beside: Dispatch,
    most: LevelFilter,
}

fn is_ours(of: &Metadata<'_>) -> bool {
    of.target() == GATEWAYS && *of.level() <= Level::INFO
}

impl Subscriber for Listener {
    fn register_callsite(&self, of: &'static Metadata<'static>) -> Interest {
        if is_ours(of) { Interest::always() } else { self.beside.register_callsite(of) }
    }

    fn enabled(&self, of: &Metadata<'_>) -> bool {
        is_ours(of) || self.beside.enabled(of)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.beside.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.beside.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.beside.record_follows_from(span, follows);
    }

    fn event(&self, event: &Event<'_>) {
        if is_ours(event.metadata()) {
            let mut heard = Heard::default();
            event.record(&mut heard);
            if let Some(key) = heard.key {
                self.wire.0.lock().unwrap_or_else(PoisonError::into_inner).push((key, heard.asked));
            }
        }
        if self.beside.enabled(event.metadata()) {
            self.beside.event(event);
        }
    }

    fn enter(&self, span: &Id) {
        self.beside.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.beside.exit(span);
    }
}

#[derive(Default)]
struct Heard {
    key: Option<String>,
    asked: Asked,
}

impl Visit for Heard {
    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "minor" {
            self.asked.minor = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "attempt" => self.key = Some(value.to_owned()),
            "call" => value.clone_into(&mut self.asked.call),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
