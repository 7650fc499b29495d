//! What a report holds, found by its shape: distributions wherever they are, and everything else as words with a value.

use serde_json::Value;

use super::super::Spread;
use super::html::{number, percent};

/// A distribution with its name.
pub struct Named {
    /// Where it stands, such as `/driver/tick_lag_ms`.
    pub path: String,
    /// The same in words.
    pub words: String,
    pub spread: Spread,
}

impl Named {
    /// True for what the driver tells of itself.
    pub fn is_of_driver(&self) -> bool {
        self.path.starts_with("/driver/")
    }
}

/// Every distribution of a report, in its order.
pub fn spreads(report: &Value) -> Vec<Named> {
    let mut found = Vec::new();
    collect(report, "", &mut found);
    // The hub's first, the driver's own last.
    found.sort_by_key(Named::is_of_driver);
    found
}

fn collect(value: &Value, path: &str, found: &mut Vec<Named>) {
    if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            collect(item, &format!("{path}/{}", label(item, index)), found);
        }
        return;
    }
    let Some(fields) = value.as_object() else { return };
    if is_spread(value) {
        if let Ok(spread) = serde_json::from_value(value.clone()) {
            let words = words(path.trim_start_matches('/').trim_start_matches("own/").trim_end_matches("_ms"));
            found.push(Named { path: path.to_owned(), words, spread });
        }
        return;
    }
    for (name, inner) in fields {
        collect(inner, &format!("{path}/{name}"), found);
    }
}

/// What to call one of several: by its own name, else by its number.
fn label(item: &Value, index: usize) -> String {
    item["name"].as_str().map_or_else(|| (index + 1).to_string(), str::to_owned)
}

fn is_spread(value: &Value) -> bool {
    ["count", "p50", "p99", "max"].iter().all(|name| value.get(name).is_some_and(Value::is_number))
}

/// Everything but distributions, as words with a value.
pub fn flat(value: &Value) -> impl Iterator<Item = (String, String)> {
    let mut rows = Vec::new();
    flatten(value, "", &mut rows);
    rows.into_iter()
}

fn flatten(value: &Value, path: &str, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(_) if is_spread(value) => {}
        Value::Object(fields) => {
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                flatten(inner, &path, rows);
            }
        }
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) if items[0].is_object() => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, &format!("{path}/{}", label(item, index)), rows);
            }
        }
        Value::Number(share) if is_share(path) => rows.push((words(path), percent(share.as_f64().unwrap_or(0.0)))),
        other => rows.push((words(path), told(other))),
    }
}

/// True for what is a part of one.
pub fn is_share(path: &str) -> bool {
    path.ends_with("share") || path.ends_with("busy") || path.contains("shares/")
}

fn told(value: &Value) -> String {
    /// Longer lists are counted.
    const SHOWN: usize = 12;
    match value {
        Value::String(text) => text.clone(),
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), number),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Array(items) if items.len() <= SHOWN => items.iter().map(told).collect::<Vec<_>>().join(", "),
        Value::Array(items) => format!("{} values", items.len()),
        Value::Object(_) | Value::Null => "-".into(),
    }
}

/// A name as words: `acked_within_1s_share` becomes `acked within 1s share`.
pub fn words(name: &str) -> String {
    name.replace('/', " · ").replace('_', " ")
}

/// Plain numbers of a section, no list's: in words, and where they stand.
pub fn numbers(section: &Value) -> Vec<(String, String)> {
    let fields = section.as_object().into_iter().flatten().filter(|(_, value)| value.is_number());
    fields.map(|(name, _)| (words(name), format!("/{name}"))).collect()
}

/// Sections that only some scenarios have, and those of a scenario's own: name and figures.
pub fn others<'a>(report: &'a Value, known: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let sections = report.as_object().into_iter().flatten().filter(|(name, _)| !known.contains(&name.as_str()));
    let own = report["own"].as_object().into_iter().flatten();
    own.chain(sections.filter(|(name, _)| *name != "own")).map(|(name, section)| (name.as_str(), section))
}

/// A number somewhere in a report.
pub fn number_at(report: &Value, path: &str) -> Option<f64> {
    report.pointer(path)?.as_f64()
}
