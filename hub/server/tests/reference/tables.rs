//! The tables of the reference, each drawn from the types and held against the golden frames.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use actix_web::ResponseError;
use hub_core::wire::{CloseCode, Codec, ErrorCode, Problem};
use hub_server::Config;
use serde_json::Value;

use crate::golden;
use crate::types::{Field, Types, Variant};

/// Draws a table, or several.
type Draw = fn(&Types) -> String;

/// Every table, under the name of its place in the page.
pub const TABLES: [(&str, Draw); 11] = [
    ("client-frames", client_frames),
    ("server-frames", server_frames),
    ("events", events),
    ("signals", signals),
    ("shapes", shapes),
    ("topics", topics),
    ("errors", errors),
    ("closes", closes),
    ("limits", limits),
    ("roles", roles),
    ("bytes", bytes),
];

fn client_frames(types: &Types) -> String {
    let golden = golden::frames("client");
    let mut out = String::new();
    for frame in types.variants("ClientFrame") {
        let shown = golden.get(&frame.name).unwrap_or_else(|| panic!("no golden frame shows {}", frame.name));
        let required = golden::required(shown);
        let fields = flattened(types, frame);
        hold(&frame.name, &fields, &golden::keys(shown), &["type", "id"]);
        let rows = fields.iter().map(|field| {
            let words = types.words(&field.kind);
            let words = if required.contains(&field.name) { words } else { without_null(field, &words) };
            (name_of(field, !required.contains(&field.name)), words, field.doc.clone())
        });
        section(&mut out, &frame.name, &frame.doc, rows);
    }
    out
}

/// Fields that are one in Rust and several on the wire.
fn flattened(types: &Types, frame: &Variant) -> Vec<Field> {
    let one = |field: &Field| match field.name.as_str() {
        "patches" => types.fields("FieldPatches").to_vec(),
        "resume" => {
            let part = |name: &str, kind: &str| Field {
                name: name.into(),
                kind: syn::parse_str(kind).expect("a type"),
                ..field.clone()
            };
            vec![part("after", "Option<u64>"), part("stream", "Option<StreamId>")]
        }
        _ => vec![field.clone()],
    };
    frame.fields.iter().flat_map(one).collect()
}

/// A field that may be left out says null only where null means something else.
fn without_null(field: &Field, words: &str) -> String {
    let syn::Type::Path(path) = &field.kind else { return words.to_owned() };
    let is_patch = path.path.segments.last().is_some_and(|last| last.ident == "Patch");
    if is_patch && !field.doc.contains("never cleared") {
        words.to_owned()
    } else {
        words.trim_end_matches(" or null").to_owned()
    }
}

fn server_frames(types: &Types) -> String {
    let golden = golden::frames("server");
    let mut out = String::new();
    for frame in types.variants("ServerFrame") {
        let shown = golden.get(&frame.name).unwrap_or_else(|| panic!("no golden frame shows {}", frame.name));
        hold(&frame.name, &frame.fields, &golden::keys(shown), &["type"]);
        section(&mut out, &frame.name, &frame.doc, frame.fields.iter().map(|field| row(types, field)));
    }
    out
}

fn events(types: &Types) -> String {
    let golden = golden::events();
    let mut out = String::new();
    for event in types.variants("Event") {
        let shown = golden.get(&event.name).unwrap_or_else(|| panic!("no golden frame shows the event {}", event.name));
        let told: Vec<_> = shown.iter().map(golden::for_customers).collect();
        let in_thread = match told.iter().filter(|told| told.is_some()).count() {
            0 => "Not in the thread.",
            all if all == told.len() => "Also in the thread.",
            _ => "Also in the thread, where it is public.",
        };
        let values: Vec<_> =
            shown.iter().map(|event| serde_json::to_value(event).expect("JSON").as_object().cloned().expect("a map")).collect();
        hold(&event.name, &event.fields, &golden::keys(&values), &["type"]);
        // Notes are events that customers never see; their fields are those of replies.
        let told: BTreeSet<String> =
            shown.iter().filter_map(|event| golden::for_customers(&golden::public(event))).flatten().collect();
        let rows = event.fields.iter().map(|field| {
            let (name, kind, doc) = row(types, field);
            let staff =
                if told.is_empty() || told.contains(&field.name) || doc.contains("customers") { "" } else { " Staff only." };
            (name, kind, format!("{doc}{staff}"))
        });
        section(&mut out, &event.name, &format!("{} {in_thread}", event.doc), rows);
    }
    out
}

fn signals(types: &Types) -> String {
    let golden = golden::frames("server").remove("signal").expect("signals");
    let mut out = String::new();
    for signal in types.variants("Signal") {
        let of_kind = |frame: &&serde_json::Map<String, Value>| frame["signal"]["type"] == signal.name.as_str();
        let shown: Vec<_> = golden.iter().filter(of_kind).filter_map(|frame| frame["signal"].as_object().cloned()).collect();
        assert!(!shown.is_empty(), "no golden frame shows the signal {}", signal.name);
        let fields = told_to_either_side(types, signal);
        hold(&signal.name, &fields, &golden::keys(&shown), &["type"]);
        section(&mut out, &signal.name, &signal.doc, fields.iter().map(|field| row(types, field)));
    }
    out
}

/// Presence is one signal that tells staff and customers different things.
fn told_to_either_side(types: &Types, signal: &Variant) -> Vec<Field> {
    if signal.name != "presence" {
        return signal.fields.clone();
    }
    let of_side = |side: &Variant| -> Vec<Field> {
        let told = |field: &Field| Field { doc: format!("{} {}", side.doc, field.doc), is_skipped: true, ..field.clone() };
        side.fields.iter().map(told).collect()
    };
    types.variants("PresenceSignal").iter().flat_map(of_side).collect()
}

/// What frames and events hold, in the order in which a reader meets it; then whatever else a field links to.
fn shapes(types: &Types) -> String {
    const FIRST: [&str; 3] = ["Actor", "EventRecord", "Snapshot"];
    let mut wanted: Vec<String> = FIRST.iter().map(|name| (*name).to_owned()).collect();
    let linked = |text: &str, wanted: &mut Vec<String>| {
        for name in text.split("[").skip(1).filter_map(|rest| rest.split_once("](#")).map(|(name, _)| name) {
            let is_new = !wanted.iter().any(|known| known == name);
            // Those three have parts of their own in the page.
            if is_new && name.starts_with(char::is_uppercase) && !["Event", "Signal", "Limits"].contains(&name) {
                wanted.push(name.to_owned());
            }
        }
    };
    linked(&[client_frames(types), server_frames(types), events(types), signals(types)].concat(), &mut wanted);
    let (mut out, mut at) = (String::new(), 0);
    while let Some(name) = wanted.get(at).cloned() {
        let drawn = shape(types, &name);
        linked(&drawn, &mut wanted);
        out.push_str(&drawn);
        at += 1;
    }
    out
}

fn shape(types: &Types, name: &str) -> String {
    let mut out = String::new();
    if let Some(variants) = types.choice(name) {
        let _ = write!(out, "\n### {name}\n\n{} One of:\n", types.doc(name));
        for variant in variants {
            let _ = write!(out, "\n{}\n", variant.doc);
            // A variant that only wraps a shape is that shape.
            match variant.fields.as_slice() {
                [field] if field.name.is_empty() => _ = writeln!(out, "{}.", types.words(&field.kind)),
                fields => table(&mut out, fields.iter().map(|field| row(types, field))),
            }
        }
        return out;
    }
    let _ = write!(out, "\n### {name}\n\n{}\n", types.doc(name));
    table(&mut out, types.fields(name).iter().map(|field| row(types, field)));
    out
}

fn topics(types: &Types) -> String {
    let rows = types.variants("Topic").iter().map(|topic| {
        let name = if topic.fields.is_empty() { topic.name.clone() } else { format!("{}:<id>", topic.name) };
        let with_id = name.replace("<id>", "01900000-0000-7000-8000-000000000001");
        let read: hub_core::wire::Topic = with_id.parse().unwrap_or_else(|_| panic!("{name} is no topic"));
        assert_eq!(read.to_string(), with_id);
        format!("| `{name}` | {} |\n", topic.doc)
    });
    format!("| topic | |\n| --- | --- |\n{}", rows.collect::<String>())
}

fn errors(types: &Types) -> String {
    let variants = types.variants("ErrorCode");
    assert_eq!(variants.len(), ErrorCode::ALL.len(), "ErrorCode::ALL is not all");
    let rows = variants.iter().zip(ErrorCode::ALL).map(|(variant, code)| {
        assert_eq!(serde_json::to_value(code).expect("JSON"), variant.name.as_str(), "the order of ErrorCode::ALL");
        let status = gateway::Refused::from(Problem::new(code, "")).status_code().as_u16();
        format!("| `{}` | {status} | {} |\n", variant.name, variant.doc)
    });
    format!("| code | HTTP | what it means, and what to do |\n| --- | --- | --- |\n{}", rows.collect::<String>())
}

fn closes(types: &Types) -> String {
    let variants = types.variants("CloseCode");
    assert_eq!(variants.len(), CloseCode::ALL.len(), "CloseCode::ALL is not all");
    let rows = variants.iter().zip(CloseCode::ALL).map(|(variant, code)| {
        assert_eq!(format!("{code:?}").to_lowercase(), variant.name.replace('_', ""), "the order of CloseCode::ALL");
        format!("| {} | {} |\n", code.number(), variant.doc)
    });
    format!("| code | why |\n| --- | --- |\n{}", rows.collect::<String>())
}

/// With what a hub says whose settings nobody changed.
fn limits(types: &Types) -> String {
    let config = Config::read(None, []).expect("the defaults stand alone");
    let told = config.doors(config.port).expect("the defaults are fine").sockets.told();
    let told = serde_json::to_value(told).expect("JSON");
    let rows =
        types.fields("Limits").iter().map(|field| format!("| `{}` | {} | {} |\n", field.name, told[&field.name], field.doc));
    format!("| limit | unless set otherwise | of what |\n| --- | --- | --- |\n{}", rows.collect::<String>())
}

fn roles(types: &Types) -> String {
    let rows = types.variants("Role").iter().map(|role| format!("| `{}` | {} |\n", role.name, role.doc));
    format!("| role | |\n| --- | --- |\n{}", rows.collect::<String>())
}

/// The same frame in both codecs, byte for byte.
fn bytes(_: &Types) -> String {
    const FRAME: &str = "client_subscribe_resume";
    let json = String::from_utf8(golden::bytes(FRAME, Codec::Json)).expect("text");
    let packed = golden::bytes(FRAME, Codec::MsgPack);
    let mut dump = String::new();
    for row in packed.chunks(16) {
        let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = row.iter().map(|byte| if (32..127).contains(byte) { char::from(*byte) } else { '.' }).collect();
        let _ = writeln!(dump, "    {:<47}  {text}", hex.join(" "));
    }
    format!(
        "As `{}`, {} bytes of text:\n\n    {json}\n\nAs `{}`, {} bytes:\n\n{dump}",
        Codec::Json.subprotocol(),
        json.len(),
        Codec::MsgPack.subprotocol(),
        packed.len()
    )
}

/// Every field that was seen is in the table, and the other way round.
#[track_caller]
fn hold(name: &str, fields: &[Field], seen: &BTreeSet<&str>, beside: &[&str]) {
    let told: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).chain(beside.iter().copied()).collect();
    let (untold, unseen): (Vec<_>, Vec<_>) = (seen.difference(&told).collect(), told.difference(seen).collect());
    assert!(untold.is_empty(), "{name}: the golden frames have {untold:?}, which its type does not tell");
    assert!(unseen.is_empty(), "{name}: no golden frame shows {unseen:?}");
}

fn row(types: &Types, field: &Field) -> (String, String, String) {
    let words = types.words(&field.kind);
    let words = if field.is_skipped { words.trim_end_matches(" or null").to_owned() } else { words };
    (name_of(field, field.is_skipped), words, field.doc.clone())
}

fn name_of(field: &Field, may_be_absent: bool) -> String {
    format!("`{}`{}", field.name, if may_be_absent { "?" } else { "" })
}

fn section(out: &mut String, name: &str, doc: &str, rows: impl Iterator<Item = (String, String, String)>) {
    let _ = write!(out, "\n### `{name}`\n\n{doc}\n");
    table(out, rows);
}

fn table(out: &mut String, rows: impl Iterator<Item = (String, String, String)>) {
    let rows: Vec<String> = rows.map(|(name, kind, doc)| format!("| {name} | {kind} | {doc} |\n")).collect();
    if !rows.is_empty() {
        let _ = write!(out, "\n| field | type | |\n| --- | --- | --- |\n{}", rows.concat());
    }
}
