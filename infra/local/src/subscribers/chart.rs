//! The months as a picture: who was there, what comes in a month, what was invoiced and collected. One SVG file that
//! needs nothing else, light or dark as whoever looks has it; a bar tells its figures when it is pointed at.

use super::month::Month;
use domain::Currency;
use domain::money::decimal_text;
use std::fmt::Write;

const WIDTH: i64 = 960;
const LEFT: i64 = 76;
const RIGHT: i64 = 28;
/// Of a panel: from its heading to its axis, and down to the next one.
const HEADING: i64 = 44;
const PLOT: i64 = 190;
const BELOW: i64 = 46;
const TOP: i64 = 84;

/// Colors by class; a surface of its own, because a file that is opened has none.
const STYLE: &str = "
  svg { --surface: #fcfcfb; --ink: #0b0b0b; --soft: #52514e; --faint: #7a7974;
    --grid: #e4e3df; --axis: #b9b8b2;
    --active: #2a78d6; --trialing: #1baf7a; --paused: #eda100; --dunning: #e34948;
    --mrr: #4a3aa7; --invoiced: #2a78d6; --collected: #1baf7a; }
  @media (prefers-color-scheme: dark) {
    svg { --surface: #1a1a19; --ink: #ffffff; --soft: #c3c2b7; --faint: #98978f;
      --grid: #32322f; --axis: #5a5954;
      --active: #3987e5; --trialing: #199e70; --paused: #c98500; --dunning: #e66767;
      --mrr: #9085e9; --invoiced: #3987e5; --collected: #199e70; }
  }
  text { font-family: system-ui, sans-serif; font-size: 13px; fill: var(--soft); }
  .title { font-size: 21px; font-weight: 600; fill: var(--ink); }
  .head { font-size: 15px; font-weight: 600; fill: var(--ink); }
  .tick { font-size: 12px; fill: var(--faint); font-variant-numeric: tabular-nums; }
  .value { font-weight: 600; fill: var(--ink); font-variant-numeric: tabular-nums; }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  .grid { stroke: var(--grid); } .axis { stroke: var(--axis); }
  .active { fill: var(--active); } .trialing { fill: var(--trialing); }
  .paused { fill: var(--paused); } .dunning { fill: var(--dunning); }
  .invoiced { fill: var(--invoiced); } .collected { fill: var(--collected); }
  .mrr { fill: var(--mrr); stroke: var(--surface); stroke-width: 2; }
  .line { fill: none; stroke: var(--mrr); stroke-width: 2; stroke-linejoin: round; }
";

/// What a kind of bar is called, and how much of it a month has.
struct Series {
    class: &'static str,
    name: &'static str,
    of: fn(&Month) -> i64,
}

fn count(many: usize) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}

/// From the axis up.
const PEOPLE: [Series; 4] = [
    Series { class: "active", name: "active", of: |month| count(month.active) },
    Series { class: "trialing", name: "trialing", of: |month| count(month.trialing) },
    Series { class: "paused", name: "paused", of: |month| count(month.paused) },
    Series { class: "dunning", name: "in dunning", of: |month| count(month.in_dunning) },
];
const MONEY: [Series; 2] = [
    Series { class: "invoiced", name: "invoiced", of: |month| month.invoiced },
    Series { class: "collected", name: "collected", of: |month| month.collected },
];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The picture of these months.
pub fn svg(months: &[Month], currency: Currency) -> String {
    let mut picture = Picture { text: String::new(), months, currency };
    let height = TOP + 3 * (HEADING + PLOT + BELOW);
    let subscribed = months.last().map_or(0, |month| month.subscribed);
    let title = format!("{subscribed} subscribers over {} months", months.len());
    let summary = picture.summary();
    picture.put(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" role="img"
  viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">
<title>{title}</title>
<style>{STYLE}</style>
<rect width="{WIDTH}" height="{height}" fill="var(--surface)"/>
<text class="title" x="{LEFT}" y="40">{title}</text>
<text x="{LEFT}" y="62">{summary}</text>
"#
    ));
    picture.people(TOP);
    picture.mrr(TOP + HEADING + PLOT + BELOW);
    picture.money(TOP + 2 * (HEADING + PLOT + BELOW));
    picture.text + "</svg>\n"
}

struct Picture<'a> {
    text: String,
    months: &'a [Month],
    currency: Currency,
}

/// From nothing up to a round number that nothing exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scale {
    most: i64,
    step: i64,
}

impl Scale {
    /// In four or five steps of 1, 2 or 5 times a power of ten.
    fn up_to(most: i64) -> Self {
        let most = most.max(1);
        let mut power: i64 = 1;
        loop {
            for step in [1, 2, 5].map(|factor: i64| factor.saturating_mul(power)) {
                if step.saturating_mul(5) >= most {
                    let steps = most.saturating_add(step - 1) / step;
                    return Self { most: step.saturating_mul(steps), step };
                }
            }
            power = power.saturating_mul(10);
        }
    }

    /// So many pixels of a panel.
    fn pixels(self, value: i64) -> i64 {
        let pixels = i128::from(value.clamp(0, self.most)) * i128::from(PLOT) / i128::from(self.most);
        i64::try_from(pixels).unwrap_or_default()
    }
}

impl Picture<'_> {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // A text takes whatever it is given.
        let _never = self.text.write_fmt(text);
    }

    fn amount(&self, minor: i64) -> String {
        grouped(&decimal_text(i128::from(minor), self.currency))
    }

    fn summary(&self) -> String {
        let sum = |of: fn(&Month) -> i64| self.months.iter().map(of).sum::<i64>();
        let churned: usize = self.months.iter().map(|month| month.churned).sum();
        let recovered: usize = self.months.iter().map(|month| month.recovered).sum();
        format!(
            "{} {} invoiced, {} collected; payments recovered: {recovered}; subscriptions ended: {churned}",
            self.currency,
            self.amount(sum(|month| month.invoiced)),
            self.amount(sum(|month| month.collected))
        )
    }

    /// Where a month has its place.
    fn slot(&self, at: usize) -> (i64, i64) {
        let (many, at) = (count(self.months.len()).max(1), count(at));
        let wide = WIDTH - LEFT - RIGHT;
        (LEFT + wide * at / many, wide / many)
    }

    /// Heading, legend, lines and ticks of a panel; answers its axis.
    fn frame(&mut self, top: i64, head: &str, series: &[Series], scale: Scale, money: bool) -> i64 {
        let (axis, right) = (top + HEADING + PLOT, WIDTH - RIGHT);
        self.put(format_args!("<text class=\"head\" x=\"{LEFT}\" y=\"{}\">{head}</text>\n", top + 22));
        // One text, so that whoever draws it spaces it.
        let entry = |(at, one): (usize, &Series)| {
            let dx = if at == 0 { 0 } else { 14 };
            format!("<tspan class=\"{}\" dx=\"{dx}\">■</tspan> {}", one.class, one.name)
        };
        let legend: String = series.iter().enumerate().map(entry).collect();
        self.put(format_args!("<text class=\"end\" x=\"{right}\" y=\"{}\">{legend}</text>\n", top + 22));
        let mut value = 0;
        while value <= scale.most {
            let y = axis - scale.pixels(value);
            let class = if value == 0 { "axis" } else { "grid" };
            let tick = if money { value / 100 } else { value };
            let tick = grouped(&tick.to_string());
            self.put(format_args!(
                "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y}\" y2=\"{y}\"/>\n"
            ));
            let (x, y) = (LEFT - 10, y + 4);
            self.put(format_args!("<text class=\"tick end\" x=\"{x}\" y=\"{y}\">{tick}</text>\n"));
            value += scale.step;
        }
        self.names(axis);
        axis
    }

    /// The months under an axis, as many as there is room for; a year where it begins.
    fn names(&mut self, axis: i64) {
        let every = self.months.len().div_ceil(15).max(1);
        for (at, month) in self.months.iter().enumerate().step_by(every) {
            let (x, wide) = self.slot(at);
            let (year, number) = month.month.split_once('-').unwrap_or_default();
            let name = number.parse::<usize>().ok().and_then(|n| MONTHS.get(n.checked_sub(1)?));
            let year = if at == 0 || number == "01" { year } else { "" };
            let (x, name) = (x + wide / 2, name.copied().unwrap_or_default());
            let text = format!("{name} {year}");
            let (y, text) = (axis + 19, text.trim_end().to_owned());
            self.text += &format!("<text class=\"tick middle\" x=\"{x}\" y=\"{y}\">{text}</text>\n");
        }
    }

    fn bar(&mut self, class: &str, (x, y): (i64, i64), (wide, high): (i64, i64), said: &str) {
        if high > 0 {
            self.put(format_args!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\">\
                 <title>{said}</title></rect>\n"
            ));
        }
    }

    fn people(&mut self, top: i64) {
        let of = |month: &Month| PEOPLE.iter().map(|one| (one.of)(month)).sum();
        let scale = Scale::up_to(self.months.iter().map(of).max().unwrap_or_default());
        let axis = self.frame(top, "Subscriptions at the end of the month", &PEOPLE, scale, false);
        for (at, month) in self.months.iter().enumerate() {
            let (x, wide) = self.slot(at);
            let (x, wide) = (x + wide / 5, wide - 2 * (wide / 5));
            let mut below = 0;
            for one in &PEOPLE {
                let many = (one.of)(month);
                let (from, to) = (scale.pixels(below), scale.pixels(below + many));
                // A line of the surface keeps neighbors apart.
                let gap = i64::from(below > 0 && to - from > 2) * 2;
                let said = format!("{}: {many} {}", month.month, one.name);
                self.bar(one.class, (x, axis - to), (wide, to - from - gap), &said);
                below += many;
            }
            let (x, y) = (x + wide / 2, axis - scale.pixels(below) - 6);
            self.put(format_args!("<text class=\"value middle\" x=\"{x}\" y=\"{y}\">{below}</text>\n"));
        }
    }

    fn mrr(&mut self, top: i64) {
        let scale = Scale::up_to(self.months.iter().map(|month| month.mrr).max().unwrap_or_default());
        let head = format!("Monthly recurring revenue at the end of the month, {}", self.currency);
        let axis = self.frame(top, &head, &[], scale, true);
        let places = self.months.iter().enumerate().map(|(at, month)| {
            let (x, wide) = self.slot(at);
            (x + wide / 2, axis - scale.pixels(month.mrr))
        });
        let places: Vec<(i64, i64)> = places.collect();
        let line: Vec<String> = places.iter().map(|(x, y)| format!("{x},{y}")).collect();
        self.put(format_args!("<polyline class=\"line\" points=\"{}\"/>\n", line.join(" ")));
        for ((x, y), month) in places.iter().zip(self.months) {
            let said = format!("{}: {}", month.month, self.amount(month.mrr));
            self.put(format_args!(
                "<circle class=\"mrr\" cx=\"{x}\" cy=\"{y}\" r=\"5\"><title>{said}</title></circle>\n"
            ));
        }
        if let (Some((x, y)), Some(month)) = (places.last(), self.months.last()) {
            let (x, y, amount) = (x + 20, y - 12, self.amount(month.mrr));
            self.put(format_args!("<text class=\"value end\" x=\"{x}\" y=\"{y}\">{amount}</text>\n"));
        }
    }

    fn money(&mut self, top: i64) {
        let most = self.months.iter().map(|month| month.invoiced.max(month.collected)).max();
        let scale = Scale::up_to(most.unwrap_or_default());
        let head = format!("Invoiced and collected in the month, {}", self.currency);
        let axis = self.frame(top, &head, &MONEY, scale, true);
        for (at, month) in self.months.iter().enumerate() {
            let (x, wide) = self.slot(at);
            let (edge, each) = (wide / 6, wide / 3 - 1);
            for (place, one) in (0..).zip(&MONEY) {
                let high = scale.pixels((one.of)(month));
                let said = format!("{}: {} {}", month.month, self.amount((one.of)(month)), one.name);
                self.bar(one.class, (x + edge + place * (each + 2), axis - high), (each, high), &said);
            }
        }
    }
}

/// Thousands apart.
pub(crate) fn grouped(amount: &str) -> String {
    let (whole, rest) = amount.split_once('.').map_or((amount, None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(rest) = rest {
        text.push('.');
        text += rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_that_nothing_exceeds() {
        for (most, want) in [
            (0, (1, 1)),
            (4, (4, 1)),
            (7, (8, 2)),
            (21, (25, 5)),
            (611, (800, 200)),
            (2_450_000, (2_500_000, 500_000)),
        ] {
            let scale = Scale::up_to(most);
            assert_eq!((scale.most, scale.step), want, "{most}");
        }
        assert_eq!((Scale { most: 10, step: 5 }).pixels(5), PLOT / 2);
    }

    #[test]
    fn thousands_stand_apart() {
        for (amount, want) in
            [("0.00", "0.00"), ("999", "999"), ("-1234567.89", "-1,234,567.89"), ("12345", "12,345")]
        {
            assert_eq!(grouped(amount), want);
        }
    }
}
