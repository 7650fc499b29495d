//! The stranger's client of the docs: written from the protocol's page alone, run against a real hub; and the session of it that
//! the page shows, held to what it really says and hears. `UPDATE=1` writes the session anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::hub::TestHub;

/// Whether the first try took effect before the connection broke is a matter of timing; one of so many runs goes as shown.
const RUNS: usize = 10;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Runs it, and answers what it printed.
async fn client(hub: &TestHub, ticket: &Value, trace: &str) -> String {
    let run = tokio::process::Command::new("python3")
        .arg(docs().join("examples/client.py"))
        .args([&hub.url(), "acme", "ana@acme.test", crate::fixture::PASSWORD, ticket["id"].as_str().expect("an id")])
        .env("TRACE", trace)
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::null())
        .output();
    let output = tokio::time::timeout(crate::socket::PATIENCE, run).await.expect("ends by itself").expect("python3 is there");
    let words = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{words}\n{}", String::from_utf8_lossy(&output.stderr));
    words
}

#[actix_rt::test]
async fn the_python_client_of_the_docs_signs_in_replies_and_resumes() {
    let hub = TestHub::start().await;
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "A stranger answers").await;
    client(&hub, &ticket, "").await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let path = format!("/tickets/{}/events", ticket["id"].as_str().expect("an id"));
    let log = hub.api(&ana, "GET", &path).send().await.expect(200);
    let replies = log["events"].as_array().expect("events").iter().filter(|e| e["event"]["type"] == "reply_posted").count();
    assert_eq!(replies, 1, "sent twice under one key, done once: {log}");
}

#[actix_rt::test]
async fn the_session_of_the_docs_is_what_the_client_says_and_hears() {
    let page = docs().join("protocol.md");
    let text = fs::read_to_string(&page).expect("the reference");
    let (before, rest) = text.split_once("<!-- session -->\n").expect("a place for the session");
    let (shown, after) = rest.split_once("<!-- end -->").expect("its end");
    let hub = TestHub::start().await;
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let mut seen = String::new();
    for _ in 0..RUNS {
        let ticket = hub.ticket(&cleo, "A stranger answers").await;
        seen = told(&client(&hub, &ticket, "1").await);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&page, format!("{before}<!-- session -->\n\n{seen}\n<!-- end -->{after}")).expect("written");
            return;
        }
        if seen.trim() == shown.trim() {
            return;
        }
    }
    panic!("the session in docs/protocol.md is stale: UPDATE=1 writes it anew. It is now:\n{seen}");
}

/// The frames of a run, as the page shows them: times and ids are the same each time, and what is long is left out.
fn told(printed: &str) -> String {
    let (mut names, mut out) = (BTreeMap::new(), String::new());
    for line in printed.lines() {
        let frame = ["→ ", "← "].iter().find_map(|way| Some((*way, line.strip_prefix(way)?)));
        if let Some((way, frame)) = frame {
            let mut frame: Value = serde_json::from_str(frame).expect("a frame");
            shorten(&mut frame, "", &mut names);
            out.push_str(&wrapped(&format!("{way}{}", written(frame)).replace(r#"{"…":"…"}"#, "{…}")));
        } else if line.contains("coming back") {
            out.push_str("    (the connection broke; coming back)\n");
        }
    }
    out
}

/// Type and number first, as people read it.
fn written(mut frame: Value) -> String {
    let map = frame.as_object_mut().expect("a frame is a map");
    let first: Vec<String> =
        ["type", "id"].iter().filter_map(|name| Some(format!("\"{name}\":{}", map.remove(*name)?))).collect();
    let rest = frame.to_string();
    format!("{{{},{}", first.join(","), &rest[1..])
}

/// At most so wide, broken between fields, as the rest of the page.
fn wrapped(frame: &str) -> String {
    let (mut out, mut line) = (String::new(), String::from("    "));
    for part in frame.split_inclusive(",\"") {
        // The quote belongs to the next field.
        let part = part.strip_suffix('"').map_or_else(|| part.to_owned(), |part| format!("{part} \""));
        if line.len() + part.len() > 120 {
            out.push_str(line.trim_end_matches('"').trim_end());
            out.push('\n');
            line = String::from("      \"");
            line.push_str(part.trim_start());
        } else {
            line.push_str(&part);
        }
    }
    format!("{out}{line}\n")
}

fn shorten(value: &mut Value, name: &str, names: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) if ["user", "limits", "workflow", "ticket", "live"].contains(&name) && !map.is_empty() => {
            *map = [("…".to_owned(), Value::from("…"))].into_iter().collect();
        }
        Value::Object(map) => map.iter_mut().for_each(|(name, value)| shorten(value, name, names)),
        Value::Array(list) => list.iter_mut().for_each(|value| shorten(value, name, names)),
        Value::String(text) if text.starts_with("tdm_") => *text = "tdm_…".into(),
        Value::String(text) if is_time(text) => *text = "2026-01-02T03:04:05.678Z".into(),
        Value::String(text) => {
            let (topic, id) = text.rsplit_once(':').map_or(("", text.as_str()), |(topic, id)| (topic, id));
            if uuid::Uuid::parse_str(id).is_ok() && id.len() == 36 {
                let count = names.len() + 1;
                let short = names.entry(id.to_owned()).or_insert_with(|| format!("0190…{count:04}"));
                let colon = if topic.is_empty() { "" } else { ":" };
                *text = format!("{topic}{colon}{short}");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_time(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}
