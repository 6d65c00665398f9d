//! The figures as one picture: an SVG file that needs nothing else, light or dark as whoever looks has it. Each panel
//! says what it was measured with; bars tell their figures when they are pointed at.

use super::cold::{Cold, MOST, Start};
use super::cost::{Bill, Part, Sum};
use super::growth::Growth;
use super::orders::Orders;
use super::prices::Of;
use super::spike::Spike;
use super::{Figures, Measured, places, thousandths};
use crate::subscribers::grouped;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const WIDTH: i64 = 960;
const LEFT: i64 = 250;
const RIGHT: i64 = 40;
const PLOT: i64 = WIDTH - LEFT - RIGHT;
const MARGIN: i64 = 28;
/// A horizontal bar and the way to the next one.
const BAR: i64 = 16;
const ROW: i64 = 24;

/// Colors by class, told apart without color by their order; a surface of its own, because a file that is opened has
/// none.
const STYLE: &str = "
  svg { --surface: #fcfcfb; --ink: #0b0b0b; --soft: #52514e; --grid: #e4e3df; --limit: #c0322f;
    --c0: #2a78d6; --c1: #eda100; --c2: #1baf7a; --c3: #4a3aa7; --c4: #e0699b; --c5: #7a7974; --c6: #8c5a2b;
    --c7: #35b4c5; --c8: #b9b8b2; }
  @media (prefers-color-scheme: dark) {
    svg { --surface: #1a1a19; --ink: #ffffff; --soft: #c3c2b7; --grid: #32322f; --limit: #f0716e;
      --c0: #3987e5; --c1: #d39200; --c2: #199e70; --c3: #9085e9; --c4: #e585ae; --c5: #98978f; --c6: #b98552;
      --c7: #3fbccd; --c8: #5a5954; }
  }
  text { font-family: system-ui, sans-serif; font-size: 13px; fill: var(--soft); }
  .title { font-size: 21px; font-weight: 600; fill: var(--ink); }
  .head { font-size: 15px; font-weight: 600; fill: var(--ink); }
  .said { font-size: 11px; }
  .value { font-weight: 600; fill: var(--ink); font-variant-numeric: tabular-nums; }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  .grid { stroke: var(--grid); }
  .limit { stroke: var(--limit); stroke-dasharray: 4 3; } .over { fill: var(--limit); }
  .c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); }
  .c4 { fill: var(--c4); } .c5 { fill: var(--c5); } .c6 { fill: var(--c6); } .c7 { fill: var(--c7); }
  .c8 { fill: var(--c8); }
";

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum NotDrawn {
    #[error("{path}: the file cannot be read")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the figures of {bench} have another shape; measure again")]
    Shape { bench: &'static str, source: serde_json::Error },
    #[error("{0}: no file there has figures of a benchmark")]
    Nothing(PathBuf),
}

/// The picture of the latest figures of each kind in a folder.
pub fn chart(folder: &Path) -> Result<String, NotDrawn> {
    let latest = latest(folder)?;
    let mut picture = Picture { text: String::new(), y: 84 };
    if let Some(figures) = read::<Orders>(&latest)? {
        picture.orders(&figures);
    }
    if let Some(figures) = read::<Bill>(&latest)? {
        picture.cost(&figures);
    }
    if let Some(figures) = read::<Growth>(&latest)? {
        picture.growth(&figures);
    }
    if let Some(figures) = read::<Spike>(&latest)? {
        picture.spike(&figures);
    }
    if let Some(figures) = read::<Cold>(&latest)? {
        picture.cold(&figures);
    }
    if picture.text.is_empty() {
        return Err(NotDrawn::Nothing(folder.to_owned()));
    }
    Ok(picture.whole())
}

fn latest(folder: &Path) -> Result<BTreeMap<String, Figures<Value>>, NotDrawn> {
    let unreadable = |path: &Path, source| NotDrawn::File { path: path.to_owned(), source };
    let mut latest: BTreeMap<String, Figures<Value>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        // Other files may lie there too.
        let Ok(figures) = serde_json::from_str::<Figures<Value>>(&text) else { continue };
        if latest.get(&figures.bench).is_none_or(|known| known.at < figures.at) {
            latest.insert(figures.bench.clone(), figures);
        }
    }
    Ok(latest)
}

fn read<T: Measured + DeserializeOwned>(
    latest: &BTreeMap<String, Figures<Value>>,
) -> Result<Option<Figures<T>>, NotDrawn> {
    let Some(Figures { bench, command, at, machine, figures }) = latest.get(T::NAME).cloned() else {
        return Ok(None);
    };
    let figures =
        serde_json::from_value(figures).map_err(|source| NotDrawn::Shape { bench: T::NAME, source })?;
    Ok(Some(Figures { bench, command, at, machine, figures }))
}

struct Picture {
    text: String,
    /// Where the next thing goes.
    y: i64,
}

/// Parts with a bar: what mail costs is another order of things.
fn drawn(bill: &Bill) -> impl Iterator<Item = &Sum> {
    bill.sums.iter().filter(|sum| ![Part::Browsing, Part::Mail].contains(&sum.part))
}

/// Words as they may stand in XML.
fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// So many pixels of a plot that goes to `most`.
fn pixels(value: Decimal, most: Decimal) -> i64 {
    let part = value.max(Decimal::ZERO).checked_div(most).unwrap_or_default().min(Decimal::ONE);
    (part * Decimal::from(PLOT)).round().to_i64().unwrap_or_default()
}

impl Picture {
    fn whole(self) -> String {
        let height = self.y;
        let (title, below) =
            ("Souk, measured", "The local cloud in one process; a cost is what AWS would ask for it.");
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" role="img"
  viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">
<title>{title}</title>
<style>{STYLE}</style>
<rect width="{WIDTH}" height="{height}" fill="var(--surface)"/>
<text class="title" x="{MARGIN}" y="40">{title}</text>
<text x="{MARGIN}" y="62">{below}</text>
{}</svg>
"#,
            self.text
        )
    }

    fn words(&mut self, class: &str, x: i64, y: i64, words: &str) {
        let words = escaped(words);
        self.text += &format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{words}</text>\n");
    }

    fn bar(&mut self, class: &str, (x, y): (i64, i64), (wide, high): (i64, i64), said: &str) {
        let said = escaped(said);
        self.text += &format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\">\
             <title>{said}</title></rect>\n"
        );
    }

    fn stroke(&mut self, class: &str, from: (i64, i64), to: (i64, i64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.text += &format!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>\n");
    }

    fn head<T>(&mut self, head: &str, figures: &Figures<T>) {
        let day = figures.at.strftime("%Y-%m-%d");
        self.stroke("grid", (MARGIN, self.y), (WIDTH - MARGIN, self.y));
        self.words("head", MARGIN, self.y + 26, head);
        self.words(
            "said",
            MARGIN,
            self.y + 44,
            &format!("{} · {} · {day}", figures.command, figures.machine),
        );
        self.y += 58;
    }

    /// A named bar of a whole, with what it says beside its end.
    fn row(&mut self, name: &str, class: &str, wide: i64, said: &str) {
        self.words("end", LEFT - 10, self.y + 13, name);
        self.bar(class, (LEFT, self.y), (wide.max(1), BAR), &format!("{name}: {said}"));
        self.words("value", LEFT + wide + 8, self.y + 13, said);
        self.y += ROW;
    }

    fn legend<'a>(&mut self, entries: impl Iterator<Item = (String, &'a str)>) {
        // One text, so that whoever draws it spaces it.
        let entry =
            |(class, name): (String, &str)| format!("<tspan class=\"{class}\">■</tspan> {name} \u{2002}");
        let legend: String = entries.map(entry).collect();
        self.text += &format!("<text x=\"{MARGIN}\" y=\"{}\">{legend}</text>\n", self.y + 12);
        self.y += 26;
    }

    fn orders(&mut self, all: &Figures<Orders>) {
        let figures = &all.figures;
        self.head("Complete checkouts a second, 3 lines from 2 merchants", all);
        let most = figures.rounds.iter().map(|round| round.orders_per_second).max().unwrap_or_default();
        // Room for what is said behind the longest one.
        let most = most * Decimal::new(3, 0);
        for round in &figures.rounds {
            let last = round.steps.last().map(|step| step.microseconds).unwrap_or_default();
            let (p50, p99) = (thousandths(last.p50), thousandths(last.p99));
            let said =
                format!("{} orders/s; pay and place p50 {p50} ms, p99 {p99} ms", round.orders_per_second);
            let name = if round.clients == 1 {
                "1 shopper".to_owned()
            } else {
                format!("{} shoppers at once", round.clients)
            };
            self.row(&name, "c0", pixels(round.orders_per_second, most), &said);
        }
        self.y += 14;
    }

    fn cost(&mut self, all: &Figures<Bill>) {
        let bill = &all.figures;
        let head = format!(
            "Dollars for a million orders: {} up to the split, {} in all",
            places(bill.sum(Part::ToTheSplit), 2),
            places(bill.dollars, 2)
        );
        self.head(&head, all);
        let mut services: BTreeMap<&str, Decimal> = BTreeMap::new();
        for (service, dollars) in drawn(bill).flat_map(|sum| &sum.by_service) {
            *services.entry(service).or_default() += *dollars;
        }
        let mut services: Vec<(&str, Decimal)> = services.into_iter().collect();
        services.sort_by_key(|(_, dollars)| std::cmp::Reverse(*dollars));
        let class = |at: usize| format!("c{}", at.min(8));
        self.legend(services.iter().enumerate().map(|(at, (service, _))| (class(at), *service)));
        let most = drawn(bill).map(|sum| sum.dollars).max().unwrap_or_default();
        let most = most.max(bill.most_up_to_the_split) * Decimal::new(115, 2);
        let top = self.y;
        for sum in drawn(bill) {
            self.words("end", LEFT - 10, self.y + 13, sum.part.word());
            let mut so_far = Decimal::ZERO;
            for (at, (service, _)) in services.iter().enumerate() {
                let dollars = sum.by_service.get(*service).copied().unwrap_or_default();
                let (from, to) = (pixels(so_far, most), pixels(so_far + dollars, most));
                let said = format!("{}: {service} ${}", sum.part.word(), places(dollars, 2));
                // A line of the surface keeps neighbors apart.
                let wide = (to - from - i64::from(to - from > 2)).max(0);
                self.bar(&class(at), (LEFT + from, self.y), (wide, BAR), &said);
                so_far += dollars;
            }
            let said = format!("${}", places(sum.dollars, 2));
            self.words("value", LEFT + pixels(so_far, most) + 8, self.y + 13, &said);
            self.y += ROW;
        }
        let x = LEFT + pixels(bill.most_up_to_the_split, most);
        self.stroke("limit", (x, top - 4), (x, top + ROW));
        let mails = bill.sums.iter().filter(|sum| sum.part == Part::Mail);
        let mails: Decimal = mails.map(|sum| sum.work.usage.get(Of::Mails)).sum();
        let mail = format!(
            "and ${} for {} mails, reminders and requests for reviews, most of it SES",
            places(bill.sum(Part::Mail), 2),
            places(mails, 0)
        );
        self.words("", LEFT, self.y + 13, &mail);
        let said = format!(
            "List prices of {} as of {}; free tiers not counted; the dashed line is the target, ${}.",
            bill.region,
            bill.prices_as_of,
            places(bill.most_up_to_the_split, 0)
        );
        self.words("said", LEFT, self.y + 34, &said);
        self.y += 54;
    }

    fn growth(&mut self, all: &Figures<Growth>) {
        let rows = &all.figures.rows;
        let mut sizes: Vec<usize> = rows.iter().map(|row| row.size).collect();
        sizes.dedup();
        let said: Vec<String> = sizes.iter().map(|size| grouped(&size.to_string()) + " products").collect();
        let ratio = places(all.figures.ratio, 3);
        let head = format!("As the table grows: the dearest checkout by the cheapest, {ratio}");
        self.head(&head, all);
        let named = said.iter().enumerate().map(|(at, size)| (format!("c{}", at.min(8)), size.as_str()));
        self.legend(named);
        let longest = rows.iter().map(|row| row.microseconds.p50).max().unwrap_or_default();
        let most = Decimal::from(longest) * Decimal::new(16, 1);
        let mut operations: Vec<&str> = Vec::new();
        for row in rows {
            if !operations.contains(&row.operation.as_str()) {
                operations.push(&row.operation);
            }
        }
        for operation in operations {
            self.words("end", LEFT - 10, self.y + 13, operation);
            for (at, size) in sizes.iter().enumerate() {
                let found = rows.iter().find(|row| row.size == *size && row.operation == operation);
                let Some(row) = found else { continue };
                let wide = pixels(Decimal::from(row.microseconds.p50), most);
                let said = format!(
                    "p50 {} ms, {} calls, ${} a million",
                    thousandths(row.microseconds.p50),
                    places(row.work.table_calls, 1),
                    places(row.dollars, 2)
                );
                let class = format!("c{}", at.min(8));
                self.bar(
                    &class,
                    (LEFT, self.y + 2),
                    (wide.max(1), 10),
                    &format!("{size}: {operation}: {said}"),
                );
                self.words("said", LEFT + wide + 8, self.y + 11, &said);
                self.y += 14;
            }
            self.y += 8;
        }
        self.words(
            "said",
            LEFT,
            self.y + 8,
            "Products with their offers, and as many orders, in the table; a checkout with its mail.",
        );
        self.y += 28;
    }

    fn spike(&mut self, all: &Figures<Spike>) {
        let spike = &all.figures;
        let (buyers, units) = (grouped(&spike.plan.buyers.to_string()), spike.plan.units);
        self.head(&format!("{buyers} buyers of {units} units: {} orders", spike.orders), all);
        let rush = spike.rushes.iter().copied().sum::<u64>();
        let mut lines = vec![format!(
            "all at the checkout in {} s; writes refused by a condition and decided again: {}",
            thousandths(rush),
            grouped(&spike.retries.to_string())
        )];
        lines.extend(spike.steps.iter().skip(3).map(|step| {
            let (p50, p99) = (thousandths(step.microseconds.p50), thousandths(step.microseconds.p99));
            format!("{}: p50 {p50} ms, p99 {p99} ms", step.step)
        }));
        for line in lines {
            self.words("", LEFT, self.y + 10, &line);
            self.y += 20;
        }
        self.y += 14;
    }

    fn cold(&mut self, all: &Figures<Cold>) {
        let Cold { empty, client, functions } = &all.figures;
        self.head("From exec to the first question for work, median, ms", all);
        let limit = client.median.saturating_add(MOST);
        let slowest = functions.iter().map(|start| start.median).max().unwrap_or_default();
        let most = Decimal::from(slowest.max(limit)) * Decimal::new(125, 2);
        let mut sorted: Vec<&Start> = functions.iter().collect();
        sorted.sort_by_key(|start| start.median);
        let top = self.y;
        for (class, start) in
            [("c5", empty), ("c2", client)].into_iter().chain(sorted.into_iter().map(|one| ("c0", one)))
        {
            let class = if start.median > limit { "over" } else { class };
            let wide = pixels(Decimal::from(start.median), most);
            self.words("said end", LEFT - 10, self.y + 10, &start.name);
            let said = format!("{} ms", thousandths(start.median));
            self.bar(class, (LEFT, self.y + 1), (wide.max(1), 10), &format!("{}: {said}", start.name));
            let bytes = start.bytes.div_euclid(100_000);
            let said = format!("{said}, {}.{} MB", bytes.div_euclid(10), bytes.rem_euclid(10));
            // Where no bar is, and not the line.
            self.words("said end", WIDTH - RIGHT, self.y + 10, &said);
            self.y += 14;
        }
        let x = LEFT + pixels(Decimal::from(limit), most);
        self.stroke("limit", (x, top - 4), (x, self.y));
        let said = format!("The dashed line: the table's client alone, and {} ms.", thousandths(MOST));
        self.words("said", LEFT, self.y + 14, &said);
        self.y += 30;
    }
}
