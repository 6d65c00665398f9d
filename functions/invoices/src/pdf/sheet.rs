//! Sheets: rows of cells, set on as many A4 pages as they need, and written as PDF/A-3b and PDF/UA-1.
//!
//! What is written here knows nothing of invoices. Rows of a table stand under its head, which is repeated on every
//! page that the table goes on to. Reading order is the order of the rows, cell by cell. Lengths are tenths of a point.

use super::Unprintable;
use super::letters::Face;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, SpanTag, TableHeaderScope, Tag, TagGroup, TagKind,
    TagTree,
};
use krilla::{Document, SerializeSettings};
use std::num::NonZeroU16;

const WIDTH: u64 = 5_953;
const HEIGHT: u64 = 8_419;
/// Of A4, in points.
const PAPER: (f32, f32) = (595.3, 841.9);
/// Around everything but the foot of a page.
pub(super) const MARGIN: u64 = 560;
/// Between the margins.
pub(super) const INNER: u64 = WIDTH - 2 * MARGIN;
const BOTTOM: u64 = HEIGHT - 760;
const FOOT: u64 = HEIGHT - 480;
const FOOT_SIZE: u16 = 75;
/// No cell has more lines: a row always fits on a page.
const LINES_MAX: usize = 30;

/// A line of cells beside each other.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// The room above it.
    pub(super) above: u64,
    /// A line over it, all along its cells.
    pub(super) ruled: bool,
    pub(super) part: Part,
}

/// What a row is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Part {
    #[default]
    Text,
    /// The head of a table: it comes again on every page that the table goes on to.
    Head,
    /// The first row of a table that has no head.
    First,
    Body,
}

#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) left: u64,
    pub(super) width: u64,
    pub(super) right_aligned: bool,
    pub(super) bold: bool,
    pub(super) size: u16,
    pub(super) role: Role,
}

/// What a cell is to somebody who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Title,
    Paragraph,
    ColumnHead,
    RowHead,
    Data,
}

/// What the file says of itself.
pub(super) struct About {
    pub(super) title: String,
    pub(super) author: String,
    pub(super) id: String,
    pub(super) on: jiff::civil::DateTime,
    /// At the foot of every page, before its number.
    pub(super) foot: String,
}

/// A line of letters in its place on a page.
struct Placed {
    left: u64,
    base: u64,
    text: String,
    bold: bool,
    size: u16,
    /// Row and cell; none of what is only repeated.
    of: Option<(usize, usize)>,
}

#[derive(Default)]
struct Page {
    letters: Vec<Placed>,
    /// From left to right, at this height.
    rules: Vec<(u64, u64, u64)>,
}

pub(super) struct Faces {
    pub(super) plain: Face,
    pub(super) bold: Face,
}

impl Faces {
    fn of(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.plain }
    }
}

pub(super) fn write(faces: &Faces, rows: &[Row], about: &About) -> Result<Vec<u8>, Unprintable> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_B)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| Unprintable::Refused(format!("{error:?}")))?;
    let mut document =
        Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let pages = set(faces, rows);
    let mut marks: Vec<Vec<Vec<Identifier>>> =
        rows.iter().map(|row| row.cells.iter().map(|_| Vec::new()).collect()).collect();
    for (at, page) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(PAPER.0, PAPER.1).ok_or(Unprintable::Paper)?;
        let mut sheet = document.start_page_with(settings);
        let mut surface = sheet.surface();
        surface.push_transform(&Transform::from_scale(0.1, 0.1));
        for &rule in &page.rules {
            draw_rule(&mut surface, rule);
        }
        for line in &page.letters {
            let mark = draw_letters(&mut surface, faces, line);
            let place = line.of.and_then(|(row, cell)| marks.get_mut(row)?.get_mut(cell));
            if let (Some(place), Some(mark)) = (place, mark) {
                place.push(mark);
            }
        }
        draw_foot(&mut surface, faces, about, (at.saturating_add(1), pages.len()));
        surface.pop();
        surface.finish();
        sheet.finish();
    }
    document.set_tag_tree(structure(faces, rows, marks));
    let mut outline = Outline::new();
    let begin = XyzDestination::new(0, Point::from_xy(0.0, 0.0));
    outline.push_child(OutlineNode::new(about.title.clone(), begin));
    document.set_outline(outline);
    document.set_metadata(described(about));
    document.finish().map_err(|error| Unprintable::Refused(error.to_string()))
}

/// Which line stands where.
fn set(faces: &Faces, rows: &[Row]) -> Vec<Page> {
    let mut done = Vec::new();
    let mut page = Page::default();
    let mut top = MARGIN;
    let mut head: Option<&Row> = None;
    for (at, row) in rows.iter().enumerate() {
        match row.part {
            Part::Head => head = Some(row),
            Part::Text | Part::First => head = None,
            Part::Body => {}
        }
        let lines = wrapped(faces, row);
        // A head does not stand alone at the end of a page.
        let room = if matches!(row.part, Part::Head | Part::First) { 3 } else { 1 };
        let needed = height(row, &lines).saturating_mul(room).saturating_add(row.above);
        if top.saturating_add(needed) > BOTTOM && top > MARGIN {
            done.push(std::mem::take(&mut page));
            top = MARGIN;
            if let Some(head) = head.filter(|_| row.part == Part::Body) {
                top = place(&mut page, top, head, &wrapped(faces, head), (None, faces));
            }
        } else {
            top = top.saturating_add(row.above);
        }
        top = place(&mut page, top, row, &lines, (Some(at), faces));
    }
    done.push(page);
    done
}

fn wrapped(faces: &Faces, row: &Row) -> Vec<Vec<String>> {
    let lines = |cell: &Cell| faces.of(cell.bold).lines(&cell.text, (cell.size, cell.width), LINES_MAX);
    row.cells.iter().map(lines).collect()
}

/// From line to line.
fn leading(size: u16) -> u64 {
    u64::from(size).saturating_mul(14) / 10
}

fn height(row: &Row, lines: &[Vec<String>]) -> u64 {
    let heights = row.cells.iter().zip(lines).map(|(cell, lines)| {
        leading(cell.size).saturating_mul(u64::try_from(lines.len()).unwrap_or_default())
    });
    heights.max().unwrap_or_default().saturating_add(if row.ruled { 40 } else { 0 })
}

/// Sets a row at this height and answers the height below it.
fn place(
    page: &mut Page,
    top: u64,
    row: &Row,
    lines: &[Vec<String>],
    (number, faces): (Option<usize>, &Faces),
) -> u64 {
    let begins = if row.ruled { top.saturating_add(40) } else { top };
    if row.ruled {
        let left = row.cells.iter().map(|cell| cell.left).min().unwrap_or_default();
        let right =
            row.cells.iter().map(|cell| cell.left.saturating_add(cell.width)).max().unwrap_or_default();
        page.rules.push((left, right, top.saturating_add(10)));
    }
    for (at, (cell, lines)) in row.cells.iter().zip(lines).enumerate() {
        let mut base = begins.saturating_add(u64::from(cell.size));
        for text in lines {
            let spare = cell.width.saturating_sub(faces.of(cell.bold).width(text.trim_end(), cell.size));
            let left = cell.left.saturating_add(if cell.right_aligned { spare } else { 0 });
            page.letters.push(Placed {
                left,
                base,
                text: text.clone(),
                bold: cell.bold,
                size: cell.size,
                of: number.map(|number| (number, at)),
            });
            base = base.saturating_add(leading(cell.size));
        }
    }
    top.saturating_add(height(row, lines))
}

/// A length as the writer takes it; none on a page is longer.
fn length(tenths: u64) -> f32 {
    f32::from(u16::try_from(tenths).unwrap_or(u16::MAX))
}

fn draw_letters(surface: &mut Surface<'_>, faces: &Faces, line: &Placed) -> Option<Identifier> {
    if line.text.is_empty() {
        return None;
    }
    let tag = match line.of {
        Some(_) => ContentTag::Span(SpanTag::empty()),
        None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)),
    };
    let mark = surface.start_tagged(tag);
    let face = faces.of(line.bold);
    let start = Point::from_xy(length(line.left), length(line.base));
    let glyphs = face.glyphs(&line.text);
    surface.draw_glyphs(start, &glyphs, face.font.clone(), &line.text, f32::from(line.size), false);
    surface.end_tagged();
    line.of.map(|_| mark)
}

fn draw_rule(surface: &mut Surface<'_>, (left, right, at): (u64, u64, u64)) {
    let mut path = PathBuilder::new();
    path.move_to(length(left), length(at));
    path.line_to(length(right), length(at));
    let Some(path) = path.finish() else { return };
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke { width: 5.0, ..Stroke::default() }));
    surface.draw_path(&path);
    surface.set_stroke(None);
    surface.set_fill(Some(Fill::default()));
    surface.end_tagged();
}

fn draw_foot(surface: &mut Surface<'_>, faces: &Faces, about: &About, (page, pages): (usize, usize)) {
    let face = &faces.plain;
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
    let number = format!("{page} / {pages}");
    let number_left = MARGIN.saturating_add(INNER.saturating_sub(face.width(&number, FOOT_SIZE)));
    let room = INNER.saturating_sub(400);
    let foot = face.lines(&about.foot, (FOOT_SIZE, room), 1).into_iter().next().unwrap_or_default();
    for (left, text) in [(MARGIN, foot), (number_left, number)] {
        let start = Point::from_xy(length(left), length(FOOT));
        surface.draw_glyphs(
            start,
            &face.glyphs(&text),
            face.font.clone(),
            &text,
            f32::from(FOOT_SIZE),
            false,
        );
    }
    surface.end_tagged();
}

/// What is read aloud, and in which order: what stands beside a text comes after all of it.
fn structure(faces: &Faces, rows: &[Row], marks: Vec<Vec<Vec<Identifier>>>) -> TagTree {
    let mut tree = TagTree::new();
    let (mut table, mut beside): (Option<TagGroup>, Vec<TagGroup>) = (None, Vec::new());
    for (row, marks) in rows.iter().zip(marks) {
        if row.part != Part::Body
            && let Some(table) = table.take()
        {
            tree.push(table);
        }
        if row.part != Part::Text || row.cells.len() < 2 {
            beside.drain(..).for_each(|group| tree.push(group));
        }
        let cells = row.cells.iter().zip(marks);
        let cells = cells.filter(|(_, marks)| row.part != Part::Text || !marks.is_empty());
        let groups = cells.map(|(cell, marks)| {
            let mut group = TagGroup::new(tag(faces, cell));
            marks.into_iter().for_each(|mark| group.push(mark));
            (cell.left > MARGIN, group)
        });
        if row.part == Part::Text {
            groups.for_each(|(aside, group)| if aside { beside.push(group) } else { tree.push(group) });
        } else {
            let mut line = TagGroup::new(Tag::TR);
            groups.for_each(|(_, group)| line.push(group));
            table.get_or_insert_with(|| TagGroup::new(Tag::Table)).push(line);
        }
    }
    beside.into_iter().chain(table).for_each(|group| tree.push(group));
    tree
}

fn tag(faces: &Faces, cell: &Cell) -> TagKind {
    match cell.role {
        Role::Title => Tag::Hn(NonZeroU16::MIN, Some(faces.of(cell.bold).printable(&cell.text))).into(),
        Role::Paragraph => Tag::P.into(),
        Role::ColumnHead => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowHead => Tag::TH(TableHeaderScope::Row).into(),
        Role::Data => Tag::TD.into(),
    }
}

fn described(about: &About) -> Metadata {
    let on = about.on;
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    let date = DateTime::new(u16::try_from(on.year()).unwrap_or_default())
        .month(part(on.month()))
        .day(part(on.day()))
        .hour(part(on.hour()))
        .minute(part(on.minute()))
        .second(part(on.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(about.title.clone())
        .authors(vec![about.author.clone()])
        .language("en".to_owned())
        .creator("Souk".to_owned())
        .document_id(about.id.clone())
        .creation_date(date)
}
