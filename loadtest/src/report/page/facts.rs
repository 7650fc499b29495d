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
    let Some(fields) = value.as_object() else { return };
    if is_spread(value) {
        if let Ok(spread) = serde_json::from_value(value.clone()) {
            let words = words(path.trim_start_matches('/').trim_end_matches("_ms"));
            found.push(Named { path: path.to_owned(), words, spread });
        }
        return;
    }
    for (name, inner) in fields {
        collect(inner, &format!("{path}/{name}"), found);
    }
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
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{} {}", words(name), told(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Null => "-".into(),
    }
}

/// A name as words: `acked_within_1s_share` becomes `acked within 1s share`.
pub fn words(name: &str) -> String {
    name.replace('/', " · ").replace('_', " ")
}

/// A number somewhere in a report.
pub fn number_at(report: &Value, path: &str) -> Option<f64> {
    report.pointer(path)?.as_f64()
}
