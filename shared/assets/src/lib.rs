//! Files that shops show: what one is by its content, and what is made of it. Bytes in, facts and renditions out.
//!
//! `sniff.rs` what it is · `header.rs` how large it would be, before anything is decoded · `picture.rs` pixels, upright
//! and in sRGB · `renditions.rs` sizes and zoom tiles · `look.rs` placeholder and fingerprint · `video.rs` MP4 ·
//! `model.rs` glTF binary · `refused.rs` why something is not taken.
//!
//! Why a crate apart: it needs neither table nor SDK, so it builds and is tried alone in seconds. It is for one
//! function, so that no other package of code gets its weight; what others are sent goes through that one's queue.
//!
//! Invariants: nothing is allocated for a picture before its header was found small enough; what is made holds pixels
//! and no metadata; the same bytes always make the same files under the same keys.
//! Absent on purpose: where bytes come from and go to, a clock, threads.

pub mod header;
pub mod look;
pub mod model;
pub mod picture;
pub mod refused;
pub mod renditions;
pub mod sniff;
pub mod video;

pub use look::Look;
pub use picture::Picture;
pub use refused::Refused;
pub use renditions::{Made, Plan, Role};
pub use sniff::{Kind, sniff};

use sha2::{Digest, Sha256};

/// SHA-256 in hex: what keys are made of.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
