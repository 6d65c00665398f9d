//! What one product says: values of attributes for itself and for its variants, its family, its pictures in order.
//!
//! A [`Content`] is flat: each thing that can be said has a [`Path`], so a change is a list of paths with what was
//! there before and after. [`Sheet::patch`] is the only way in: objects merge, scalars and arrays are replaced,
//! null removes, another type is refused (A3(1)); it tells all that is wrong, or changes nothing. A value of a
//! variant stands before the product's own. Invariant: a sheet and a change of it each fit into an item of the
//! table.

use crate::id::{AssetId, ProductId};
use crate::pim::attribute::{Flaw, Place, Wrong, shown};
use crate::pim::data::{Data, enclosed, text_size};
use crate::pim::family::Model;
use crate::pim::history::Diff;
use crate::text::{Channel, Code, Locale};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a content's JSON, and of a change's: an item has 400 KB, keys and the rest included.
pub const SIZE_MAX: usize = 300 * 1024;
pub const ASSETS_MAX: usize = 100;
/// So many complaints are told of one patch.
pub const WRONGS_MAX: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    pub product: ProductId,
    /// Counted by changes; nothing said yet is 0.
    pub version: u32,
    pub content: Content,
}

/// A value's name: whose, of which attribute, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// None: the product's own.
    pub variant: Option<u16>,
    pub attribute: Code,
    pub place: Place,
}

/// One thing that is said. As text: `family`, `assets`, `values/color/de/web`, `variants/2/values/color`,
/// `translations/color/de`; a place without locale is `values/color//web`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Path {
    Family,
    /// Ids of pictures, films and models, in the order that they are shown in.
    Assets,
    Value(Slot),
    /// What a value was translated from: [`crate::pim::translation`] owns it.
    Translation(Slot),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path: want one like `values/color/de/web`")]
pub struct NotAPath(String);

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (room, slot) = match self {
            Self::Family => return f.write_str("family"),
            Self::Assets => return f.write_str("assets"),
            Self::Value(slot) => ("values", slot),
            Self::Translation(slot) => ("translations", slot),
        };
        if let Some(number) = slot.variant {
            write!(f, "variants/{number}/")?;
        }
        write!(f, "{room}/{}", slot.attribute)?;
        match (&slot.place.locale, &slot.place.channel) {
            (None, None) => Ok(()),
            (Some(locale), None) => write!(f, "/{locale}"),
            (None, Some(channel)) => write!(f, "//{channel}"),
            (Some(locale), Some(channel)) => write!(f, "/{locale}/{channel}"),
        }
    }
}

impl std::str::FromStr for Path {
    type Err = NotAPath;
    fn from_str(text: &str) -> Result<Self, NotAPath> {
        let read = || {
            let (variant, rest) = match text.strip_prefix("variants/") {
                Some(rest) => {
                    let (number, rest) = rest.split_once('/')?;
                    (Some(variant_number(number)?), rest)
                }
                None => (None, text),
            };
            let (room, rest) = rest.split_once('/')?;
            let mut parts = rest.splitn(3, '/');
            let attribute = parts.next()?.parse().ok()?;
            let some = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
            let locale = some(parts.next()).map(Locale::try_from).transpose().ok()?;
            let channel = some(parts.next()).map(Channel::try_from).transpose().ok()?;
            let slot = Slot { variant, attribute, place: Place { locale, channel } };
            match room {
                "values" => Some(Self::Value(slot)),
                "translations" => Some(Self::Translation(slot)),
                _ => None,
            }
        };
        match text {
            "family" => Ok(Self::Family),
            "assets" => Ok(Self::Assets),
            _ => read().ok_or_else(|| NotAPath(text.chars().take(80).collect())),
        }
    }
}

impl TryFrom<String> for Path {
    type Error = NotAPath;
    fn try_from(text: String) -> Result<Self, NotAPath> {
        text.parse()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

fn variant_number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|number: &u16| *number > 0 && number.to_string() == text)
}

/// All that is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Content(BTreeMap<Path, Data>);

impl Content {
    pub fn get(&self, path: &Path) -> Option<&Data> {
        self.0.get(path)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Data)> {
        self.0.iter()
    }

    /// Puts what is known to be right; nothing removes.
    pub(crate) fn set(&mut self, path: Path, data: Option<Data>) {
        match data {
            Some(data) => self.0.insert(path, data),
            None => self.0.remove(&path),
        };
    }

    /// What is said there of the product itself, or of a variant, which may leave it to its product.
    pub fn value(&self, variant: Option<u16>, attribute: &Code, place: &Place) -> Option<&Data> {
        let at = |variant| Path::Value(Slot { variant, attribute: attribute.clone(), place: place.clone() });
        let own = variant.and_then(|number| self.get(&at(Some(number))));
        own.or_else(|| self.get(&at(None)))
    }

    /// Every value with its name.
    pub fn values(&self) -> impl Iterator<Item = (&Slot, &Data)> {
        self.0.iter().filter_map(|(path, data)| match path {
            Path::Value(slot) => Some((slot, data)),
            Path::Family | Path::Assets | Path::Translation(_) => None,
        })
    }

    pub fn family(&self) -> Option<Code> {
        self.get(&Path::Family)?.as_text()?.parse().ok()
    }

    pub fn assets(&self) -> Vec<AssetId> {
        let listed = self.get(&Path::Assets).and_then(Data::as_list).unwrap_or_default();
        listed.iter().filter_map(|id| id.as_text()?.parse().ok()).collect()
    }

    /// Bytes of its JSON.
    pub fn size(&self) -> usize {
        enclosed(self.0.iter().map(|(path, data)| text_size(&path.to_string()) + 1 + data.size()))
    }

    /// As the API shows it: `values: {"color": [{"locale": "de", "channel": "web", "data": …}]}`, and the same for
    /// each variant that has values of its own. [`Patch::read`] reads it.
    pub fn show(&self) -> Data {
        let mut own: BTreeMap<Option<u16>, BTreeMap<String, Data>> = BTreeMap::new();
        for (slot, data) in self.values() {
            let mut shown = BTreeMap::from([("data".to_owned(), data.clone())]);
            let locale = slot.place.locale.as_ref().map(|locale| ("locale", locale.as_str()));
            let channel = slot.place.channel.as_ref().map(|channel| ("channel", channel.as_str()));
            let place = locale.into_iter().chain(channel);
            shown.extend(place.map(|(name, text)| (name.to_owned(), Data::text(text))));
            let values = own.entry(slot.variant).or_default();
            let listed = values.entry(slot.attribute.to_string()).or_insert(Data::List(Vec::new()));
            if let Data::List(listed) = listed {
                listed.push(Data::Map(shown));
            }
        }
        let mut all = BTreeMap::new();
        let said = |path| self.get(&path).cloned();
        all.extend(said(Path::Family).map(|family| ("family".to_owned(), family)));
        all.extend(said(Path::Assets).map(|assets| ("assets".to_owned(), assets)));
        all.extend(own.remove(&None).map(|values| ("values".to_owned(), Data::Map(values))));
        let variant = |(number, values): (Option<u16>, _)| {
            (number.unwrap_or_default().to_string(), Data::map([("values", Data::Map(values))]))
        };
        let variants: BTreeMap<String, Data> = own.into_iter().map(variant).collect();
        if !variants.is_empty() {
            all.insert("variants".to_owned(), Data::Map(variants));
        }
        Data::Map(all)
    }
}

/// All values of an attribute, or all of a variant: removed before anything else is done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cleared {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<Code>,
}

/// What is to become different. Null removes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Patch {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub edits: BTreeMap<Path, Data>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cleared: BTreeSet<Cleared>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Each with its place.
    #[error("{} of it is wrong, first: {}", .0.len(), .0.first().map(Wrong::to_string).unwrap_or_default())]
    Wrong(Vec<Wrong>),
    #[error("it would have {bytes} bytes, {over} more than the {SIZE_MAX} that fit")]
    TooLarge { bytes: usize, over: usize },
    #[error("the change alone has {bytes} bytes, {over} more than the {SIZE_MAX} that fit: make it in parts")]
    ChangeTooLarge { bytes: usize, over: usize },
}

impl Patch {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.cleared.is_empty()
    }

    /// Reads what [`Content::show`] shows, with nulls in it. Tells all that cannot be read.
    pub fn read(data: &Data) -> Result<Self, Vec<Wrong>> {
        let mut reading = Reading::default();
        for (name, part) in reading.object(data, "").into_iter().flatten() {
            match name.as_str() {
                "family" => reading.edit(Path::Family, part),
                "assets" => reading.edit(Path::Assets, part),
                "values" => reading.values(None, part, "values"),
                "variants" => reading.variants(part),
                other => reading.wrong(other, Flaw::Unknown(shown(other))),
            }
        }
        reading.wrongs.truncate(WRONGS_MAX);
        if reading.wrongs.is_empty() { Ok(reading.patch) } else { Err(reading.wrongs) }
    }
}

#[derive(Default)]
struct Reading {
    patch: Patch,
    wrongs: Vec<Wrong>,
}

impl Reading {
    fn wrong(&mut self, at: &str, flaw: Flaw) {
        self.wrongs.push(Wrong::new(at, flaw));
    }

    fn edit(&mut self, path: Path, data: &Data) {
        if self.patch.edits.insert(path.clone(), data.clone()).is_some() {
            self.wrong(&path.to_string(), Flaw::Twice(path.to_string()));
        }
    }

    fn object<'a>(&mut self, data: &'a Data, at: &str) -> Option<&'a BTreeMap<String, Data>> {
        let map = data.as_map();
        if map.is_none() {
            self.wrong(at, Flaw::Type { want: "an object", is: data.shape() });
        }
        map
    }

    fn variants(&mut self, data: &Data) {
        for (number, said) in self.object(data, "variants").into_iter().flatten() {
            let at = format!("variants/{number}");
            let Some(number) = variant_number(number) else {
                self.wrong(&at, Flaw::Variant(shown(number)));
                continue;
            };
            if *said == Data::Null {
                self.patch.cleared.insert(Cleared { variant: Some(number), attribute: None });
                continue;
            }
            for (name, part) in self.object(said, &at).into_iter().flatten() {
                match name.as_str() {
                    "values" => self.values(Some(number), part, &format!("{at}/values")),
                    other => self.wrong(&at, Flaw::Unknown(shown(other))),
                }
            }
        }
    }

    fn values(&mut self, variant: Option<u16>, data: &Data, at: &str) {
        for (code, places) in self.object(data, at).into_iter().flatten() {
            let at = format!("{at}/{code}");
            let attribute = match code.parse::<Code>() {
                Ok(attribute) => attribute,
                Err(why) => {
                    self.wrong(&at, Flaw::Name(why.to_string()));
                    continue;
                }
            };
            match places {
                Data::Null => {
                    self.patch.cleared.insert(Cleared { variant, attribute: Some(attribute) });
                }
                Data::List(places) => {
                    for (number, entry) in places.iter().enumerate() {
                        self.entry(variant, &attribute, entry, &format!("{at}/{number}"));
                    }
                }
                Data::Bool(_) | Data::Whole(_) | Data::Text(_) | Data::Map(_) => {
                    let want = "an array of {locale, channel, data}";
                    self.wrong(&at, Flaw::Type { want, is: places.shape() });
                }
            }
        }
    }

    fn entry(&mut self, variant: Option<u16>, attribute: &Code, entry: &Data, at: &str) {
        let Some(parts) = self.object(entry, at) else { return };
        let told = self.wrongs.len();
        let mut place = Place::default();
        let mut value = None;
        for (name, part) in parts {
            let within = format!("{at}/{name}");
            match (name.as_str(), part) {
                ("data", data) => value = Some(data),
                ("locale" | "channel", Data::Null) => {}
                ("locale", Data::Text(text)) => match text.parse() {
                    Ok(locale) => place.locale = Some(locale),
                    Err(why) => self.wrong(&within, Flaw::Name(format!("{why}"))),
                },
                ("channel", Data::Text(text)) => match text.parse() {
                    Ok(channel) => place.channel = Some(channel),
                    Err(why) => self.wrong(&within, Flaw::Name(format!("{why}"))),
                },
                ("locale" | "channel", other) => {
                    self.wrong(&within, Flaw::Type { want: "a text", is: other.shape() });
                }
                (other, _) => self.wrong(at, Flaw::Unknown(shown(other))),
            }
        }
        match value {
            Some(data) if told == self.wrongs.len() => {
                let slot = Slot { variant, attribute: attribute.clone(), place };
                self.edit(Path::Value(slot), data);
            }
            Some(_) => {}
            None => self.wrong(at, Flaw::Missing("data")),
        }
    }
}

impl Sheet {
    /// Nothing said yet.
    pub fn blank(product: ProductId) -> Self {
        Self { product, version: 0, content: Content::default() }
    }

    /// The sheet after the patch, one version further; the same version, if the patch changes nothing.
    pub fn patch(&self, patch: &Patch, model: &Model, variants: &[u16]) -> Result<Self, Refused> {
        let mut content = self.content.clone();
        for cleared in &patch.cleared {
            content.clear(cleared);
        }
        let mut wrongs = Vec::new();
        for (path, edit) in &patch.edits {
            match edited(content.get(path), path, edit, model, variants) {
                Ok(data) => {
                    if let (Path::Value(slot), None) = (path, &data) {
                        content.set(Path::Translation(slot.clone()), None);
                    }
                    content.set(path.clone(), data);
                }
                Err(found) => wrongs.extend(found),
            }
        }
        if !wrongs.is_empty() {
            wrongs.truncate(WRONGS_MAX);
            return Err(Refused::Wrong(wrongs));
        }
        self.next(content)
    }

    /// The version after this one, if it says anything else and fits.
    pub(crate) fn next(&self, content: Content) -> Result<Self, Refused> {
        if content == self.content {
            return Ok(self.clone());
        }
        let over = |bytes: usize| bytes.checked_sub(SIZE_MAX).filter(|over| *over > 0);
        let bytes = content.size();
        if let Some(over) = over(bytes) {
            return Err(Refused::TooLarge { bytes, over });
        }
        let bytes = Diff::between(&self.content, &content).size();
        if let Some(over) = over(bytes) {
            return Err(Refused::ChangeTooLarge { bytes, over });
        }
        Ok(Self { product: self.product.clone(), version: self.version.saturating_add(1), content })
    }
}

impl Content {
    fn clear(&mut self, cleared: &Cleared) {
        self.0.retain(|path, _| match path {
            Path::Family | Path::Assets => true,
            Path::Value(slot) | Path::Translation(slot) => {
                let named = cleared.attribute.as_ref().is_none_or(|attribute| slot.attribute == *attribute);
                slot.variant != cleared.variant || !named
            }
        });
    }
}

/// What stands at a path after an edit; nothing, if it removes.
fn edited(
    before: Option<&Data>,
    path: &Path,
    edit: &Data,
    model: &Model,
    variants: &[u16],
) -> Result<Option<Data>, Vec<Wrong>> {
    let at = path.to_string();
    let wrong = |flaw| vec![Wrong::new(at.clone(), flaw)];
    if *edit == Data::Null {
        return Ok(None);
    }
    match path {
        Path::Family => {
            let text = edit.as_text().ok_or(Flaw::Type { want: "a family's code", is: edit.shape() });
            let text = text.map_err(wrong)?;
            let known = text.parse().is_ok_and(|code: Code| model.families.contains_key(&code));
            if known { Ok(Some(edit.clone())) } else { Err(wrong(Flaw::Unknown(shown(text)))) }
        }
        Path::Assets => listed(edit).map_err(|wrong| vec![wrong.under(&at)]),
        Path::Translation(_) => Ok(Some(edit.clone())),
        Path::Value(slot) => {
            if let Some(number) = slot.variant.filter(|number| !variants.contains(number)) {
                return Err(wrong(Flaw::Unknown(format!("variant {number}"))));
            }
            let attribute = model.attributes.get(&slot.attribute);
            let attribute = attribute.ok_or_else(|| wrong(Flaw::Attribute(slot.attribute.clone())))?;
            attribute.fit(&slot.place).map_err(wrong)?;
            model.shows(&slot.place).map_err(wrong)?;
            // A whole value in a short form, like a bare number for a measure, is no change of type.
            let edit = &attribute.check(edit).unwrap_or_else(|_| edit.clone());
            let merged = before.map_or_else(|| Ok(edit.without_nulls()), |before| before.merge(edit));
            let merged = merged.map_err(|changes| -> Vec<Wrong> {
                let told = changes.into_iter().map(|change| {
                    Wrong::new(change.at, Flaw::TypeChange { was: change.was, is: change.is }).under(&at)
                });
                told.collect()
            })?;
            attribute.check(&merged).map(Some).map_err(|wrong| vec![wrong.under(&at)])
        }
    }
}

/// Ids of assets, each once; an empty list is none.
fn listed(edit: &Data) -> Result<Option<Data>, Wrong> {
    let list = edit.as_list().ok_or(Flaw::Type { want: "an array of ids", is: edit.shape() });
    let list = list.map_err(|flaw| Wrong::new("", flaw))?;
    if list.len() > ASSETS_MAX {
        return Err(Wrong::new("", Flaw::Count { count: list.len(), max: ASSETS_MAX }));
    }
    for (at, id) in list.iter().enumerate() {
        let wrong = |flaw| Wrong::new(at.to_string(), flaw);
        let text = id.as_text().ok_or(Flaw::Type { want: "an id", is: id.shape() }).map_err(wrong)?;
        if text.parse::<AssetId>().is_err() {
            return Err(wrong(Flaw::Reference { id: shown(text), want: "an asset" }));
        }
        if list.iter().take(at).any(|other| other == id) {
            return Err(wrong(Flaw::Twice(shown(text))));
        }
    }
    Ok((!list.is_empty()).then(|| edit.clone()))
}

#[cfg(test)]
pub(crate) mod tests;
