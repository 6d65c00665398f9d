//! The files of an export: what is in them, and where they lie.

use bucket::{Bucket, Fault};
use domain::Money;
use domain::id::{ExportId, MarketplaceId, sha256_hex};
use domain::pim::exchange::{csv_line, disarmed};
use domain::pim::export::{Counts, Export, Format, Row, csv_head, csv_removed};
use domain::pim::translation::file;
use edge::World;
use serde_json::json;
use std::collections::BTreeMap;

/// More is no file that people open, or that a channel fetches.
pub(crate) const BYTES_MAX: usize = 200_000_000;

const FEED_HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n";
const FEED_END: &str = "</channel>\n</rss>\n";

pub(crate) fn bucket(world: &World) -> Result<Bucket, Fault> {
    Bucket::of(world, "EXPORTS")
}

pub(crate) fn file_name(m: &MarketplaceId, export: &Export) -> String {
    let ending = match export.format {
        Format::Csv => "csv",
        Format::JsonLines => "jsonl",
        Format::GoogleXml => "xml",
    };
    let source = export.translations.as_ref().map(|of| format!("-{}", of.from)).unwrap_or_default();
    format!("{m}/{}/{}{source}-{}.{ending}", export.id, export.channel, export.locale)
}

pub(crate) fn left_out_name(m: &MarketplaceId, id: &ExportId) -> String {
    format!("{m}/{id}/left-out.jsonl")
}

/// The digest of each row, by offer: what a later export compares with.
pub(crate) fn digests_name(m: &MarketplaceId, id: &ExportId) -> String {
    format!("{m}/{id}/digests.json")
}

pub(crate) fn content_type(format: Format) -> &'static str {
    match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::JsonLines => "application/jsonl",
        Format::GoogleXml => "application/xml",
    }
}

/// By offer.
pub(crate) type Digests = BTreeMap<String, String>;

/// The files as they grow.
pub(crate) struct Files<'a> {
    export: &'a Export,
    before: Option<Digests>,
    pub(crate) rows: Vec<u8>,
    pub(crate) left_out: Vec<u8>,
    pub(crate) digests: Digests,
    pub(crate) counts: Counts,
}

impl<'a> Files<'a> {
    /// `before` are the digests of the export that this one follows.
    pub(crate) fn begin(export: &'a Export, before: Option<Digests>) -> Self {
        let head = match export.format {
            Format::Csv if export.translations.is_some() => file::csv_head(),
            Format::Csv => csv_head(&export.attributes),
            Format::JsonLines => String::new(),
            Format::GoogleXml => FEED_HEAD.to_owned(),
        };
        let (left_out, digests, counts) = (Vec::new(), Digests::new(), Counts::default());
        Self { export, before, rows: head.into_bytes(), left_out, digests, counts }
    }

    pub(crate) fn put(&mut self, row: &Row, price: Money) {
        let line = match self.export.format {
            Format::Csv => row.csv(&self.export.attributes),
            Format::JsonLines => format!("{}\n", json!({"set": row})),
            Format::GoogleXml => match row.google(price) {
                Ok(item) => item.xml(),
                Err(lacks) => {
                    return self.leave_out(row.id.as_str(), lacks);
                }
            },
        };
        let id = row.id.to_string();
        let digest = sha256_hex(line.as_bytes());
        let same = self.before.as_mut().and_then(|before| before.remove(&id)).as_ref() == Some(&digest);
        self.digests.insert(id, digest);
        if same {
            self.counts.unchanged = self.counts.unchanged.saturating_add(1);
        } else {
            self.counts.set = self.counts.set.saturating_add(1);
            self.rows.extend_from_slice(line.as_bytes());
        }
    }

    /// A row for translators. It is disarmed in every format, for imports arm what comes in any.
    pub(crate) fn put_cells(&mut self, cells: &file::Cells) {
        let line = match self.export.format {
            Format::Csv => csv_line(cells.iter().map(String::as_str)),
            Format::JsonLines | Format::GoogleXml => {
                let cells = file::COLUMNS.iter().zip(cells);
                let named = cells.map(|((name, _), cell)| ((*name).to_owned(), disarmed(cell).into()));
                format!("{}\n", serde_json::Value::Object(named.collect()))
            }
        };
        self.counts.set = self.counts.set.saturating_add(1);
        self.rows.extend_from_slice(line.as_bytes());
    }

    /// Field and reason of each thing that the channel does not take.
    pub(crate) fn leave_out(&mut self, id: &str, reasons: impl IntoIterator<Item = (String, String)>) {
        let reasons = reasons.into_iter().map(|(field, why)| json!({"field": field, "why": why}));
        let line = json!({"id": id, "reasons": reasons.collect::<Vec<_>>()});
        self.left_out.extend_from_slice(format!("{line}\n").as_bytes());
        self.counts.left_out = self.counts.left_out.saturating_add(1);
    }

    pub(crate) fn is_too_large(&self) -> bool {
        self.rows.len().max(self.left_out.len()) > BYTES_MAX
    }

    /// What was there before and is there no more, and the end of the file.
    pub(crate) fn end(&mut self) {
        for id in self.before.take().unwrap_or_default().into_keys() {
            let line = match self.export.format {
                Format::Csv => csv_removed(&id, &self.export.attributes),
                Format::JsonLines => format!("{}\n", json!({"removed": {"id": id}})),
                Format::GoogleXml => continue,
            };
            self.counts.removed = self.counts.removed.saturating_add(1);
            self.rows.extend_from_slice(line.as_bytes());
        }
        if self.export.format == Format::GoogleXml {
            self.rows.extend_from_slice(FEED_END.as_bytes());
        }
        self.counts.bytes = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
    }
}
