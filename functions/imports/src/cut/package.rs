//! What a workbook is opened with. Whoever opens it makes far more of these few parts than they are: each style has
//! its font's name and its format anew, each sheet the place of its part, and room is made for as many texts as there
//! are said to be. So they are looked at before.

use super::WORKBOOK_STYLES_MAX;

pub(super) const RELATIONS: &str = "_rels/.rels";
/// A style or a sheet takes as much, however short its texts are.
const BESIDES: usize = 512;
/// A text is no shorter: `<si/>`.
const TEXT_MIN: u64 = 5;
/// What is held once more, or takes much.
const MADE_ANEW: [&str; 5] = ["xf", "font", "fill", "border", "sheet"];

/// How a part is found: whatever its case, and whichever slashes it has.
pub(super) fn key(name: &str) -> String {
    name.replace('\\', "/").to_ascii_lowercase()
}

/// The package that a workbook is, as it says where its parts are.
pub(super) struct Package {
    target: String,
    texts: String,
    /// Their tags are what is made more of: how many there are, and the longest.
    held: [String; 3],
    many: usize,
    longest: usize,
}

impl Package {
    /// None if the relations do not say plainly where the workbook is.
    pub(super) fn of(relations: &str) -> Option<Self> {
        let says = |tag: &&str| ['"', '\''].iter().any(|end| tag.contains(&format!("/officeDocument{end}")));
        let (_, rest) = relations.split('<').find(says)?.split_once("Target=")?;
        let end = rest.chars().next().filter(|end| matches!(end, '"' | '\''))?;
        let (target, _) = rest.get(1..)?.split_once(end)?;
        if target.contains(['&', '\\', '"', '>']) {
            return None;
        }
        let path = key(target.strip_prefix('/').unwrap_or(target));
        let (folder, name) = path
            .rsplit_once('/')
            .map_or(("", path.as_str()), |(_, name)| (path.strip_suffix(name).unwrap_or_default(), name));
        let held = [path.clone(), format!("{folder}_rels/{name}.rels"), format!("{folder}styles.xml")];
        let texts = format!("{folder}sharedstrings.xml");
        Some(Self { target: target.to_owned(), texts, held, many: 0, longest: BESIDES })
    }

    /// The relations that say nothing else.
    pub(super) fn relations(&self) -> String {
        let of = format!("Type=\"/relationships/officeDocument\" Target=\"{}\"", self.target);
        format!("<Relationships><Relationship {of}/></Relationships>")
    }

    pub(super) fn opens_with(&self, key: &str) -> bool {
        key == self.texts || self.held.iter().any(|held| held == key)
    }

    /// Looks at a part that it is opened with; what is wrong with it, or with all of them until now.
    pub(super) fn look(&mut self, key: &str, part: &[u8]) -> Result<(), String> {
        // As UTF-16 it would be read, and not be seen here.
        if part.iter().any(|byte| *byte < b' ' && !byte.is_ascii_whitespace()) {
            return Err(format!("its `{key:.80}` has control characters: save it anew"));
        }
        let text = String::from_utf8_lossy(part);
        if key == self.texts {
            let most = said_to_be(&text);
            let bytes = u64::try_from(part.len()).unwrap_or(u64::MAX);
            let wrong = || format!("it says that it has {most} texts, in {bytes} bytes: save it anew");
            return if most > bytes / TEXT_MIN { Err(wrong()) } else { Ok(()) };
        }
        let (many, longest) = tags(&text).unwrap_or_else(|| (text.matches('<').count(), text.len()));
        self.many = self.many.saturating_add(many);
        self.longest = self.longest.max(longest);
        if self.many.saturating_mul(self.longest) > WORKBOOK_STYLES_MAX {
            let (many, longest) = (self.many, self.longest);
            return Err(format!(
                "its styles and sheets are {many}, of up to {longest} bytes: send it as CSV"
            ));
        }
        Ok(())
    }
}

/// As many texts as are announced.
fn said_to_be(texts: &str) -> u64 {
    let number = |rest: &str| {
        let rest =
            rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '"' | '\''));
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end).and_then(|digits| digits.parse::<u64>().ok())
    };
    texts.split("uniqueCount").skip(1).filter_map(number).max().unwrap_or_default()
}

/// How many tags are made anew, and the longest of all; None where that is not plain, as beside comments.
fn tags(text: &str) -> Option<(usize, usize)> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut rest = if text.starts_with("<?") { text.split_once("?>")?.1 } else { text };
    let (mut many, mut longest) = (0_usize, 0_usize);
    while let Some((_, tag)) = rest.split_once('<') {
        let mut quote = None;
        let closes = |c: char| match quote {
            Some(end) => {
                quote = quote.filter(|_| c != end);
                false
            }
            None => {
                quote = Some(c).filter(|c| matches!(c, '"' | '\''));
                c == '>'
            }
        };
        let (tag, behind) = tag.split_at(tag.find(closes)?);
        if tag.starts_with(['!', '?']) || tag.starts_with('/') && tag.contains(['"', '\'']) {
            return None;
        }
        let name = tag.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
        let name = name.rsplit(':').next().unwrap_or_default();
        many = many.saturating_add(usize::from(MADE_ANEW.contains(&name)));
        longest = longest.max(tag.len());
        rest = behind;
    }
    Some((many, longest))
}
