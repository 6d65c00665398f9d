//! Why a file is not taken. Each says the figure or the place, so that its owner can repair it.

/// Where a file ends too early, or says what cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the file is empty")]
    Empty,
    #[error("this is no JPEG, PNG, WebP, GIF, MP4, glTF binary or PDF; it begins with {begins}")]
    Unknown { begins: String },
    #[error("{found} {why}")]
    NotTaken { found: &'static str, why: &'static str },
    #[error("{bytes} bytes are more than {most}")]
    TooManyBytes { bytes: u64, most: u64 },
    #[error("{width} × {height} pixels: a side is longer than {most}")]
    TooLong { width: u32, height: u32, most: u32 },
    #[error("{width} × {height} are {pixels} pixels, more than {most}")]
    TooManyPixels { width: u32, height: u32, pixels: u64, most: u64 },
    #[error("{count} {what} are more than {most}")]
    TooMany { what: &'static str, count: u64, most: u64 },
    #[error("{format} ends at byte {ends} in {part}, which begins at byte {at}: the file is cut off")]
    CutOff { format: &'static str, part: String, at: u64, ends: u64 },
    #[error("{format} at byte {at}: {why}")]
    BrokenAt { format: &'static str, at: u64, why: String },
    #[error("{format}: {why}")]
    Broken { format: &'static str, why: String },
}

impl Refused {
    /// For programs; it does not change when the words do.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unknown { .. } => "unknown-type",
            Self::NotTaken { .. } => "type-not-taken",
            Self::TooManyBytes { .. } => "too-many-bytes",
            Self::TooLong { .. } | Self::TooManyPixels { .. } => "too-many-pixels",
            Self::TooMany { .. } => "too-many-parts",
            Self::CutOff { .. } => "cut-off",
            Self::BrokenAt { .. } | Self::Broken { .. } => "broken",
        }
    }
}

/// Bytes of a format, read without leaving them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a> {
    pub(crate) all: &'a [u8],
    pub(crate) format: &'static str,
    /// Where in the file they begin.
    pub(crate) base: u64,
}

impl<'a> Bytes<'a> {
    pub(crate) fn place(&self, at: usize) -> u64 {
        self.base.saturating_add(u64::try_from(at).unwrap_or(u64::MAX))
    }

    /// So many bytes of a part, or where the file is cut off.
    pub(crate) fn take(&self, at: usize, count: usize, part: &str) -> Result<&'a [u8], Refused> {
        let taken = at.checked_add(count).and_then(|end| self.all.get(at..end));
        taken.ok_or_else(|| self.cut_off(at, part))
    }

    pub(crate) fn byte(&self, at: usize, part: &str) -> Result<u8, Refused> {
        self.all.get(at).copied().ok_or_else(|| self.cut_off(at, part))
    }

    pub(crate) fn u16_be(&self, at: usize, part: &str) -> Result<u16, Refused> {
        let taken = self.take(at, 2, part)?;
        Ok(taken.iter().fold(0, |sum, byte| (sum << 8) | u16::from(*byte)))
    }

    pub(crate) fn u16_le(&self, at: usize, part: &str) -> Result<u16, Refused> {
        self.u16_be(at, part).map(u16::swap_bytes)
    }

    pub(crate) fn u32_be(&self, at: usize, part: &str) -> Result<u32, Refused> {
        let taken = self.take(at, 4, part)?;
        Ok(taken.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
    }

    pub(crate) fn u64_be(&self, at: usize, part: &str) -> Result<u64, Refused> {
        let taken = self.take(at, 8, part)?;
        Ok(taken.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    pub(crate) fn u32_le(&self, at: usize, part: &str) -> Result<u32, Refused> {
        self.u32_be(at, part).map(u32::swap_bytes)
    }

    pub(crate) fn u24_le(&self, at: usize, part: &str) -> Result<u32, Refused> {
        let taken = self.take(at, 3, part)?;
        Ok(taken.iter().rev().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
    }

    pub(crate) fn cut_off(&self, at: usize, part: &str) -> Refused {
        let ends = self.place(self.all.len());
        // A part that would begin behind the end is missing where the file ends.
        let at = self.place(at).min(ends);
        Refused::CutOff { format: self.format, part: part.to_owned(), at, ends }
    }

    pub(crate) fn broken(&self, at: usize, why: impl Into<String>) -> Refused {
        Refused::BrokenAt { format: self.format, at: self.place(at), why: why.into() }
    }
}

/// A length as memory has it; on a machine of 64 bits every one fits.
pub(crate) fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
