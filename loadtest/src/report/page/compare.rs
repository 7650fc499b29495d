//! Two runs side by side: what was asked of each, and what came of it, with their ratio. As a page, and as text for a terminal.

use std::fmt::Write as _;

use serde_json::Value;

use super::facts::{Named, flat, is_share, number_at, numbers, others, spreads};
use super::html::{Row, number, percent, table, text};
use super::{DRAWN, histogram, sheet};

/// A run and what to call it.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Such as the name of its file.
    pub name: &'a str,
    pub report: &'a Value,
}

/// A fact of both runs' plans.
#[derive(Debug, PartialEq)]
pub struct Fact {
    words: String,
    sides: [String; 2],
}

/// A figure of both runs; none where a run has no such figure.
#[derive(Debug, PartialEq)]
pub struct Figure {
    words: String,
    sides: [Option<f64>; 2],
    is_share: bool,
}

/// Figures that are compared, beside the percentiles of every distribution.
const FIGURES: [(&str, &str); 8] = [
    ("/replies/acked_per_s", "acked per second"),
    ("/replies/acked_share", "acked, share"),
    ("/replies/acked_within_1s_share", "acked within a second, share"),
    ("/replies/sent_again", "sent again"),
    ("/deliveries_per_s", "deliveries per second"),
    ("/connections/ended_by_hub", "connections ended by the hub"),
    ("/driver/processors", "processors the driver used"),
    ("/driver/machine_busy", "machine busy, share"),
];

/// The page of two runs.
pub fn page(a: Side<'_>, b: Side<'_>) -> String {
    let plan = plan(a.report, b.report);
    let mut body = format!(
        "<header><p class=\"kind\">Load test, two runs</p><h1>{} against {}</h1>{}{}</header>",
        text(a.name),
        text(b.name),
        verdict(a),
        verdict(b)
    );
    let differing: Vec<&str> = plan.iter().filter(|fact| fact.differs()).map(|fact| fact.words.as_str()).collect();
    body += &if differing.is_empty() {
        "<p class=\"verdict good\"><b>The same plan.</b> Both runs were asked for the same, of the same hub limits.</p>"
            .to_owned()
    } else {
        format!("<p class=\"verdict warn\"><b>The plans differ</b> in {}.</p>", text(&differing.join(", ")))
    };
    body += "<section><h2>How long it took</h2><div class=\"pair\">";
    for (named, other) in pairs(a.report, b.report).iter().filter(|(named, _)| !named.is_of_driver()) {
        body += &histogram::figure(&named.words, &[(a.name, &named.spread), (b.name, &other.spread)]);
    }
    body += "</div></section><section>";
    let head = ["", a.name, b.name, "second / first"];
    body += &table("Figures", &head, figures(a.report, b.report).into_iter().map(Row::from));
    body += "</section><section>";
    let rows = plan.into_iter().map(|fact| Row { is_marked: fact.differs(), words: fact.words, cells: fact.sides.into() });
    body += &table("What was asked for, of whom, where", &head[..3], rows);
    sheet::sheet(&format!("{} against {}", a.name, b.name), &(body + "</section>"))
}

/// The same as a table for a terminal.
///
/// # Panics
/// Never: writing to text cannot fail.
pub fn as_text(a: Side<'_>, b: Side<'_>) -> String {
    let mut t = String::new();
    write_text(&mut t, a, b).expect("writing to text cannot fail");
    t
}

fn write_text(t: &mut String, a: Side<'_>, b: Side<'_>) -> std::fmt::Result {
    writeln!(t, "first:  {}{}", a.name, breaches(a.report))?;
    writeln!(t, "second: {}{}", b.name, breaches(b.report))?;
    let differing: Vec<Fact> = plan(a.report, b.report).into_iter().filter(Fact::differs).collect();
    if differing.is_empty() {
        writeln!(t, "the plans are the same")?;
    } else {
        writeln!(t, "THE PLANS DIFFER:")?;
        for Fact { words, sides: [first, second] } in differing {
            writeln!(t, "  {words}: {first} | {second}")?;
        }
    }
    writeln!(t, "\n  {:<36} {:>12} {:>12} {:>15}", "", "first", "second", "second / first")?;
    for figure in figures(a.report, b.report) {
        let [first, second] = figure.cells();
        writeln!(t, "  {:<36} {first:>12} {second:>12} {:>15}", figure.words, figure.ratio())?;
    }
    Ok(())
}

/// What both were asked for, of whom and where, in the order of the first; a fact of the second alone comes last.
fn plan(a: &Value, b: &Value) -> Vec<Fact> {
    let (of_a, of_b) = (plan_of(a), plan_of(b));
    let find = |side: &[(String, String)], words: &str| {
        side.iter().find(|(other, _)| other == words).map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
    };
    let only_b = of_b.iter().filter(|(words, _)| !of_a.iter().any(|(other, _)| other == words));
    let names = of_a.iter().chain(only_b).map(|(words, _)| words);
    names.map(|words| Fact { words: words.clone(), sides: [find(&of_a, words), find(&of_b, words)] }).collect()
}

fn plan_of(report: &Value) -> Vec<(String, String)> {
    let mut facts = vec![("scenario".to_owned(), report["scenario"].as_str().unwrap_or("?").to_owned())];
    // Addresses of hubs on throwaway ports differ in every run and mean nothing.
    facts.extend(flat(&report["load"]).filter(|(words, _)| words != "urls"));
    if let Some(hub) = report["hubs"].get(0) {
        facts.extend(flat(hub).filter(|(words, _)| words != "node").map(|(words, value)| (format!("hub · {words}"), value)));
    }
    facts.extend(flat(&report["made"]["machine"]).map(|(words, value)| (format!("machine · {words}"), value)));
    facts.extend(flat(&report["made"]).filter(|(words, _)| words == "version" || words == "protocol"));
    facts
}

impl Fact {
    fn differs(&self) -> bool {
        self.sides[0] != self.sides[1]
    }
}

/// Distributions that hold something in both, by their place.
fn pairs(a: &Value, b: &Value) -> Vec<(Named, Named)> {
    let mut of_b = spreads(b);
    let pair = |named: Named| {
        let index = of_b.iter().position(|other| other.path == named.path)?;
        Some((named, of_b.swap_remove(index)))
    };
    spreads(a).into_iter().filter_map(pair).filter(|(a, b)| a.spread.count > 0 && b.spread.count > 0).collect()
}

fn figures(a: &Value, b: &Value) -> Vec<Figure> {
    let sides = |path: &str| [number_at(a, path), number_at(b, path)];
    let figure = |words: String, path: &str| Figure { is_share: is_share(path), words, sides: sides(path) };
    let mut figures: Vec<Figure> = FIGURES.iter().map(|(path, words)| figure((*words).to_owned(), path)).collect();
    for (named, _) in pairs(a, b) {
        for (quantile, words) in [("p50", "50 %"), ("p90", "90 %"), ("p99", "99 %"), ("p999", "99.9 %"), ("max", "most")] {
            figures.push(figure(format!("{}, {words}, ms", named.words), &format!("{}/{quantile}", named.path)));
        }
    }
    for (name, section) in others(a, &DRAWN) {
        for (words, path) in numbers(section) {
            let at = |report: &Value| {
                let section = report.pointer(&format!("/own/{name}")).or_else(|| report.get(name))?;
                number_at(section, &path)
            };
            figures.push(Figure { words: format!("{name} · {words}"), sides: [at(a), at(b)], is_share: is_share(&path) });
        }
    }
    let refusals = |report: &Value| report["replies"]["refusals"].as_object().cloned().unwrap_or_default();
    let mut codes: Vec<String> = refusals(a).into_iter().chain(refusals(b)).map(|(code, _)| code).collect();
    codes.sort();
    codes.dedup();
    for code in codes {
        let count = |report: &Value| Some(report["replies"]["refusals"][&code].as_f64().unwrap_or(0.0));
        figures.push(Figure { words: format!("refused: {code}"), sides: [count(a), count(b)], is_share: false });
    }
    figures.retain(|figure| figure.sides.iter().any(Option::is_some));
    figures
}

impl Figure {
    fn cells(&self) -> [String; 2] {
        let cell = |side: Option<f64>| side.map_or_else(|| "-".to_owned(), if self.is_share { percent } else { number });
        self.sides.map(cell)
    }

    /// The second over the first; nothing where there is nothing to divide by.
    fn ratio(&self) -> String {
        match self.sides {
            [Some(a), Some(b)] if a > 0.0 => format!("{} ×", number(b / a)),
            [Some(_), Some(_)] | [None, _] | [_, None] => "-".into(),
        }
    }
}

impl From<Figure> for Row {
    fn from(figure: Figure) -> Self {
        let [first, second] = figure.cells();
        let ratio = figure.ratio();
        Self { words: figure.words, cells: vec![first, second, ratio], is_marked: false }
    }
}

fn verdict(side: Side<'_>) -> String {
    match side.report["breaches"].as_array().map(Vec::len) {
        None | Some(0) => String::new(),
        Some(n) => {
            format!("<p class=\"verdict bad\"><b>{}: {n} breaches.</b> Its figures are worth nothing.</p>", text(side.name))
        }
    }
}

fn breaches(report: &Value) -> String {
    match report["breaches"].as_array().map(Vec::len) {
        None | Some(0) => String::new(),
        Some(n) => format!(": {n} BREACHES, its figures are worth nothing"),
    }
}
