//! Rules of the house that no compiler keeps. A complaint names file and line and says how to repair it.
//!
//! `source.rs` the repository's sources, with tests and comments told apart · `places.rs` where things lie ·
//! `words.rs` what may stand in a line.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at what it cannot do")]

mod places;
mod source;
mod words;
