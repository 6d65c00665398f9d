//! How far a long command is: one bar a step, each left standing when the next begins.

use indicatif::{ProgressBar, ProgressStyle};
use souk::replay::Progress;
use std::sync::Mutex;

/// A bar per step, on a terminal; nothing where there is none.
#[derive(Debug, Default)]
pub(crate) struct Bar(Mutex<Option<(String, ProgressBar)>>);

impl Bar {
    /// What the step has come to so far, in the place of its name.
    pub(crate) fn note(&self, text: String) {
        if let Some((_, bar)) = &*self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            bar.set_message(text);
        }
    }

    pub(crate) fn done(&self) {
        if let Some((_, bar)) = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            bar.finish();
        }
    }
}

impl Progress for Bar {
    fn step(&self, name: &str, done: usize, of: usize) {
        let count = |n: usize| u64::try_from(n).unwrap_or_default();
        let mut held = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let same = held.as_ref().is_some_and(|(shown, _)| shown == name);
        if !same {
            if let Some((_, bar)) = held.take() {
                bar.finish();
            }
            let bar = ProgressBar::new(count(of));
            let style = "{msg:<10} {wide_bar} {pos}/{len} {per_sec} {eta}";
            bar.set_style(
                ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_message(name.to_owned());
            *held = Some((name.to_owned(), bar));
        }
        if let Some((_, bar)) = &*held {
            bar.set_position(count(done));
        }
    }
}
