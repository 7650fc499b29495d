//! The golden frames: what really passes between a client and the hub, to hold the tables against.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use hub_core::rules::record::Happened;
use hub_core::time::UnixMs;
use hub_core::wire::client::Request;
use hub_core::wire::{Actor, ActorKind, Audience, Codec, Event, ServerFrame};
use serde_json::{Map, Value};

use crate::root;

/// The bytes of a golden frame.
pub fn bytes(name: &str, codec: Codec) -> Vec<u8> {
    let ending = match codec {
        Codec::Json => "json",
        Codec::MsgPack => "msgpack",
    };
    let path = root().join(format!("hub/core/tests/golden/{name}.{ending}"));
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// All golden frames of one side (`client`, `server`), as JSON, by type.
pub fn frames(side: &str) -> BTreeMap<String, Vec<Map<String, Value>>> {
    let mut frames: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
    let mut names: Vec<String> = fs::read_dir(root().join("hub/core/tests/golden"))
        .expect("the golden frames")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".json").filter(|name| name.starts_with(side)).map(str::to_owned))
        .collect();
    names.sort();
    for name in names {
        let frame: Map<String, Value> = serde_json::from_slice(&bytes(&name, Codec::Json)).expect("a map");
        frames.entry(frame["type"].as_str().expect("a type").to_owned()).or_default().push(frame);
    }
    frames
}

/// Every field that any of the frames has.
pub fn keys(frames: &[Map<String, Value>]) -> BTreeSet<&str> {
    frames.iter().flat_map(Map::keys).map(String::as_str).collect()
}

/// The fields that the hub wants of a client, whatever else is there: asked of its own reader.
pub fn required(frames: &[Map<String, Value>]) -> BTreeSet<String> {
    let without = |frame: &Map<String, Value>, field: &str| {
        let mut frame = frame.clone();
        frame.remove(field);
        Request::decode(Codec::Json, Value::Object(frame).to_string().as_bytes())
    };
    let is_required = |field: &&str| {
        frames.iter().filter(|frame| frame.contains_key(*field)).any(|frame| match without(frame, field) {
            Ok(_) => false,
            Err(refused) => refused.problem.detail["fields"].get(*field).is_some(),
        })
    };
    // `after` and `stream` miss each other, and nobody misses both; of a colleague and a team exactly one is wanted.
    let pairs = [("after", "stream"), ("to_id", "to_team_id")];
    let in_pair = |field: &str| pairs.iter().any(|(one, other)| field == *one || field == *other);
    keys(frames).into_iter().filter(|field| !in_pair(field)).filter(is_required).map(str::to_owned).collect()
}

/// The golden events, by type.
pub fn events() -> BTreeMap<String, Vec<Event>> {
    let mut events: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for frame in frames("server").remove("event").expect("events") {
        let frame: ServerFrame = serde_json::from_value(Value::Object(frame)).expect("a frame");
        if let ServerFrame::Event { event, .. } = frame {
            let kind = serde_json::to_value(&event).expect("JSON")["type"].as_str().expect("a type").to_owned();
            events.entry(kind).or_default().push(event);
        }
    }
    events
}

/// The event as it would be for the customer's eyes.
pub fn public(event: &Event) -> Event {
    let mut event = event.clone();
    if let Event::ReplyPosted { audience, .. } = &mut event {
        *audience = Audience::Public;
    }
    event
}

/// The fields of an event that its customer is told too; none where the customer is not told of it at all.
pub fn for_customers(event: &Event) -> Option<BTreeSet<String>> {
    let by = Actor { kind: ActorKind::System, id: None, name: String::new() };
    let thread_seq = Happened::is_public(event).then_some(1);
    let happened = Happened { seq: 1, thread_seq, at: UnixMs(0), by, key: None, event: event.clone() };
    let told = serde_json::to_value(happened.for_customers()?.event).expect("JSON");
    Some(told.as_object().expect("a map").keys().cloned().collect())
}
