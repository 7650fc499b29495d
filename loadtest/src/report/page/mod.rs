//! A report as one page that needs nothing else: no script, no font, no picture from elsewhere. It is drawn from the JSON, so that
//! a figure nobody here knows still stands in a table.

mod chart;
pub mod compare;
mod facts;
mod histogram;
mod html;
mod sheet;
#[cfg(test)]
mod tests;
mod throughput;

use serde_json::Value;

use crate::pulse::Series;
use facts::{Named, flat, number_at, others, spreads};
use html::{Row, count, number, percent, table, text};

/// Sections with a drawing or a table of their own.
const DRAWN: [&str; 14] = [
    "scenario",
    "made",
    "load",
    "hubs",
    "replies",
    "ack_ms",
    "delivery_ms",
    "deliveries_per_s",
    "connections",
    "driver",
    "trials",
    "series",
    "breaches",
    "unmet",
];

/// The page of one report.
pub fn page(report: &Value) -> String {
    let scenario = report["scenario"].as_str().unwrap_or("run");
    let body = [
        heading(report, scenario),
        tiles(report),
        throughput::section(&series(report)),
        histograms(report),
        percentiles(report),
        sections(report),
        made(report),
    ];
    sheet::sheet(&format!("loadtest {scenario}"), &body.concat())
}

fn heading(report: &Value, scenario: &str) -> String {
    let plan = plan_in_words(report);
    let mut page =
        format!("<header><p class=\"kind\">Load test</p><h1>{}</h1><p class=\"plan\">{}</p>", text(scenario), text(&plan));
    page += &verdict(report);
    page += &unmet(report);
    if report["driver"]["was_bottleneck"] == true {
        page += "<p class=\"verdict warn\"><b>The driver was too slow.</b> Its own lag is part of these figures: they tell less of \
                 the hub than they seem to.</p>";
    }
    page + "</header>"
}

fn verdict(report: &Value) -> String {
    let Some(breaches) = report["breaches"].as_array() else { return String::new() };
    if breaches.is_empty() && number_at(report, "/connections/events").is_none_or(|events| events == 0.0) {
        // Nobody saw anything that could be compared.
        return String::new();
    }
    if breaches.is_empty() {
        return "<p class=\"verdict good\"><b>Every guarantee held.</b> The oracle compared what every client saw with the log.</p>"
            .into();
    }
    /// What is shown; the JSON has all.
    const SHOWN: usize = 50;
    let items: String =
        breaches.iter().take(SHOWN).map(|breach| format!("<li>{}</li>", text(breach.as_str().unwrap_or("?")))).collect();
    let more = breaches.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("<p>… and {} more</p>", count(more as u64)) } else { String::new() };
    format!(
        "<div class=\"verdict bad\"><b>{} breaches.</b> A guarantee was broken; the figures are worth nothing.<ol>{items}</ol>{more}</div>",
        count(breaches.len() as u64)
    )
}

/// What else the scenario demanded and did not get.
fn unmet(report: &Value) -> String {
    let unmet: String = report["unmet"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|words| format!("<li>{}</li>", text(words)))
        .collect();
    if unmet.is_empty() { unmet } else { format!("<div class=\"verdict bad\"><b>Not met.</b><ol>{unmet}</ol></div>") }
}

/// What was asked for, as a sentence of its parts.
fn plan_in_words(report: &Value) -> String {
    let load = &report["load"];
    let mut parts = Vec::new();
    for (key, words) in [("tickets", "tickets"), ("clients", "clients"), ("rate_per_s", "replies a second")] {
        if let Some(value) = load[key].as_f64() {
            parts.push(format!("{} {words}", number(value)));
        }
    }
    if let Some(seconds) = load["measured_s"].as_f64() {
        parts.push(format!("{} s measured", number(seconds)));
    }
    parts.extend(load["codec"].as_str().map(str::to_owned));
    parts.extend(load["seed"].as_u64().map(|seed| format!("seed {seed}")));
    parts.join(" · ")
}

fn tiles(report: &Value) -> String {
    let mut tiles = String::new();
    let mut tile = |words: &str, value: Option<String>, unit: &str| {
        if let Some(value) = value {
            tiles += &format!("<div><dt>{words}</dt><dd>{value}<span>{unit}</span></dd></div>");
        }
    };
    if number_at(report, "/replies/offered").is_some_and(|offered| offered > 0.0) {
        tile("acked", number_at(report, "/replies/acked_per_s").map(number), " /s");
        tile("acked in 1 s", number_at(report, "/replies/acked_within_1s_share").map(percent), "");
    }
    for (key, words) in [("ack_ms", "ack"), ("delivery_ms", "delivery")] {
        if number_at(report, &format!("/{key}/count")).is_some_and(|count| count > 0.0) {
            tile(&format!("{words}, median"), number_at(report, &format!("/{key}/p50")).map(number), " ms");
            tile(&format!("{words}, 99\u{a0}%"), number_at(report, &format!("/{key}/p99")).map(number), " ms");
        }
    }
    tile("deliveries", number_at(report, "/deliveries_per_s").filter(|rate| *rate > 0.0).map(number), " /s");
    if tiles.is_empty() { tiles } else { format!("<dl class=\"tiles\">{tiles}</dl>") }
}

/// Nothing, in a report that has none.
fn series(report: &Value) -> Series {
    serde_json::from_value(report["series"].clone()).unwrap_or_default()
}

fn histograms(report: &Value) -> String {
    let drawn: Vec<_> = spreads(report).into_iter().filter(|named| !named.is_of_driver() && named.spread.count > 0).collect();
    if drawn.is_empty() {
        return String::new();
    }
    let figures: String = drawn.iter().map(|named| histogram::figure(&named.words, &[("", &named.spread)])).collect();
    format!("<section><h2>How long it took</h2><div class=\"pair\">{figures}</div></section>")
}

fn percentiles(report: &Value) -> String {
    let rows = spreads(report).into_iter().filter(|named| named.spread.count > 0).map(|Named { words, spread: s, .. }| {
        let cells = [s.p50, s.p90, s.p99, s.p999, s.max].map(number).into_iter().chain([count(s.count)]).collect();
        Row { words, cells, is_marked: false }
    });
    table("Percentiles, in milliseconds", &["", "50 %", "90 %", "99 %", "99.9 %", "most", "samples"], rows)
}

/// Everything else that was counted: the known parts first, then whatever this page has no drawing for.
fn sections(report: &Value) -> String {
    let refusals = report["replies"]["refusals"].as_object().into_iter().flatten();
    let refusals = refusals.map(|(code, n)| Row::of(code, count(n.as_u64().unwrap_or(0))));
    let mut replies = report["replies"].clone();
    if let Some(replies) = replies.as_object_mut() {
        replies.remove("refusals");
    }
    let trials = report["trials"].as_array().into_iter().flatten();
    let trials = trials.map(|trial| {
        let (rate, share) = (trial[0].as_f64().unwrap_or(0.0), trial[1].as_f64().unwrap_or(0.0));
        Row::of(&format!("{} replies a second", number(rate)), percent(share))
    });
    let mut page = String::from("<section class=\"tables\">");
    page += &table("Search for the rate: acked within a second", &["", "share"], trials);
    if number_at(report, "/replies/offered").is_some_and(|offered| offered > 0.0) {
        page += &table("Replies", &["", ""], flat(&replies).map(Row::from));
    }
    page += &table("Refusals in the whole run", &["code", "count"], refusals);
    page += &table("Connections", &["", ""], flat(&report["connections"]).map(Row::from));
    for (name, section) in others(report, &DRAWN) {
        page += &table(&facts::words(name), &["", ""], flat(section).map(Row::from));
    }
    page += &table("The driver itself", &["", ""], flat(&report["driver"]).map(Row::from));
    page + "</section>"
}

fn made(report: &Value) -> String {
    let mut made = report["made"].clone();
    let command: Vec<&str> = made["command"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let command =
        if command.is_empty() { String::new() } else { format!("<pre><code>{}</code></pre>", text(&command.join(" "))) };
    if let Some(made) = made.as_object_mut() {
        made.remove("command");
    }
    let mut page = format!("<section><h2>What made this</h2>{command}<div class=\"tables\">");
    page += &table("Asked for", &["", ""], flat(&report["load"]).map(Row::from));
    for hub in report["hubs"].as_array().into_iter().flatten() {
        let name = format!("Hub {} and its limits", hub["node"].as_str().unwrap_or("?"));
        page += &table(&name, &["", ""], flat(hub).map(Row::from));
    }
    page += &table("Driver and machine", &["", ""], flat(&made).map(Row::from));
    page + "</div></section>"
}
