//! Letters: which of them the font has, how wide they are, and where a line breaks.
//!
//! The font is Noto Sans, from a crate that has its license beside it: Latin, Greek and Cyrillic. What it does not have
//! is shown as U+FFFD, because an archived document may not point at a missing glyph; what has no shape of its own
//! (joiners, marks of direction, control characters) is left out. Absent on purpose: shaping, ligatures, other scripts.
//!
//! Lengths are tenths of a point, whole numbers.

use super::Unprintable;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::raw::TableProvider;
use skrifa::{FontRef, MetadataProvider};

/// One weight of the font.
pub(super) struct Face {
    pub(super) font: Font,
    file: FontRef<'static>,
    units: u64,
}

impl Face {
    pub(super) fn of(bytes: &'static [u8]) -> Result<Self, Unprintable> {
        let file = FontRef::new(bytes).map_err(|_| Unprintable::Font)?;
        let units = file.head().map_err(|_| Unprintable::Font)?.units_per_em();
        let font = Font::new(bytes.into(), 0).ok_or(Unprintable::Font)?;
        Ok(Self { font, file, units: u64::from(units.max(1)) })
    }

    /// The text with nothing in it that this font cannot show.
    pub(super) fn printable(&self, text: &str) -> String {
        let letters = self.file.charmap();
        let shown = |letter: char| match letter {
            '\t' | '\n' | '\r' => Some(' '),
            _ if letter.is_control() || is_invisible(letter) => None,
            _ if is_private(letter) || letters.map(letter).is_none() => Some('\u{fffd}'),
            _ => Some(letter),
        };
        text.chars().filter_map(shown).collect()
    }

    /// Of a printable text.
    pub(super) fn width(&self, text: &str, size: u16) -> u64 {
        let (letters, widths) = (self.file.charmap(), self.file.hmtx().ok());
        let one =
            |letter| u64::from(widths.as_ref()?.advance(letters.map(letter)?).unwrap_or_default()).into();
        let units: u64 = text.chars().filter_map(one).fold(0, u64::saturating_add);
        units.saturating_mul(u64::from(size)).div_ceil(self.units)
    }

    /// Of a printable text, letter by letter.
    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let letters = self.file.charmap();
        // Widths at the size of one are parts of the font size, as the writer wants them.
        let widths = self.file.glyph_metrics(Size::new(1.0), LocationRef::default());
        let one = |(at, letter): (usize, char)| {
            let glyph = letters.map(letter)?;
            Some(KrillaGlyph {
                glyph_id: GlyphId::new(glyph.to_u32()),
                text_range: at..at.saturating_add(letter.len_utf8()),
                x_advance: widths.advance_width(glyph).unwrap_or_default(),
                x_offset: 0.0,
                y_offset: 0.0,
                y_advance: 0.0,
                location: None,
            })
        };
        text.char_indices().filter_map(one).collect()
    }

    /// A text in lines of at most `width`, and no more than `most` of them. It breaks at blanks, which stay at the
    /// lines' ends, and inside of a word that is too long.
    pub(super) fn lines(&self, text: &str, (size, width): (u16, u64), most: usize) -> Vec<String> {
        let text = self.printable(text);
        let fits = |line: &str| self.width(line.trim_end(), size) <= width;
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for word in text.split_inclusive(' ') {
            if !line.is_empty() && !fits(&format!("{line}{word}")) {
                lines.push(std::mem::take(&mut line));
            }
            if fits(word) {
                line.push_str(word);
                continue;
            }
            for letter in word.chars() {
                if !line.is_empty() && !fits(&format!("{line}{letter}")) {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(letter);
            }
        }
        lines.push(line);
        if lines.len() > most {
            lines.truncate(most.max(1));
            if let Some(last) = lines.last_mut() {
                last.pop();
                last.push('…');
            }
        }
        lines
    }
}

/// Joiners, marks of direction, choices of a variant: nothing of them is to be seen.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Letters that mean nothing outside of one font; an archived document may not have them.
fn is_private(letter: char) -> bool {
    matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}
