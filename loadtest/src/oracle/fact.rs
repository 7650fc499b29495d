//! One event as somebody saw it, boiled down to what the checks compare.

use std::hash::{DefaultHasher, Hash, Hasher};

use hub_core::ids::{CommandKey, UserId};
use hub_core::time::UnixMs;
use hub_core::wire::{Actor, ActorKind, EventRecord, MAX_BODY_BYTES};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One event as somebody saw it, small enough to keep millions of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The number in the reader's numbering.
    pub seq: u64,
    /// Database time, in milliseconds since 1970.
    pub at_ms: i64,
    /// In which capacity.
    pub by_kind: ActorKind,
    /// Who; none for the system.
    pub by: Option<UserId>,
    /// The intent.
    pub key: Option<CommandKey>,
    /// What, as far as the checks ask.
    pub what: What,
    /// Digest of the whole content, in this reader's view.
    pub digest: u64,
    /// Digest of the part that agents and customers both see.
    pub shared: u64,
    /// Holds a field that customers are never shown.
    pub has_internal_fields: bool,
}

/// What happened, as far as the checks ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `ticket_created`.
    Created,
    /// `reply_posted` for the customer too.
    Reply {
        /// Digest of the body.
        body: u64,
        /// The sender insisted.
        forced: bool,
    },
    /// `reply_posted` for agents only.
    Note {
        /// Digest of the body.
        body: u64,
    },
    /// `status_changed`.
    StatusChanged,
    /// `merged`.
    Merged,
    /// Anything else, by its type: never in the thread.
    Internal(String),
}

impl Fact {
    /// The fact of an event as it stands on the wire.
    ///
    /// # Panics
    /// Never: events have text keys only, and what was written can be read.
    pub fn of(record: &EventRecord) -> Self {
        let event = serde_json::to_value(&record.event).expect("events have text keys only");
        Self::new(record.seq, record.at, &record.by, record.key, event)
    }

    /// The fact of an event as JSON, with every field it holds, known to this program or not; none when it is no event.
    pub fn read(record: &Value) -> Option<Self> {
        let by = Actor::deserialize(&record["by"]).ok()?;
        let key = record.get("key").map(CommandKey::deserialize).transpose().ok()?;
        let at = UnixMs::deserialize(&record["at"]).ok()?;
        record["event"]
            .is_object()
            .then(|| Self::new(record["seq"].as_u64().unwrap_or(0), at, &by, key, record["event"].clone()))
    }

    fn new(seq: u64, at: UnixMs, by: &Actor, key: Option<CommandKey>, event: Value) -> Self {
        let mut event = match event {
            Value::Object(map) => map,
            other => Map::from_iter([("event".to_owned(), other)]),
        };
        as_on_the_wire(&mut event);
        let what = what(&event);
        let digest = digest_of(&((seq, at.0, &by.name, by.kind, by.id, key), text(&event)));
        let before = event.len();
        event.retain(|name, _| !INTERNAL_FIELDS.contains(&name.as_str()));
        let has_internal_fields = event.len() < before;
        let shared = digest_of(&(at.0, &by.name, by.kind, by.id, key, text(&event)));
        Self { seq, at_ms: at.0, by_kind: by.kind, by: by.id, key, what, digest, shared, has_internal_fields }
    }

    /// True for what stands in the thread too.
    pub const fn is_public(&self) -> bool {
        match self.what {
            What::Created | What::Reply { .. } | What::StatusChanged | What::Merged => true,
            What::Note { .. } | What::Internal(_) => false,
        }
    }

    /// True for a public reply or a change of status: what nobody may overlook.
    pub const fn is_public_deed(&self) -> bool {
        match self.what {
            What::Reply { .. } | What::StatusChanged => true,
            What::Created | What::Note { .. } | What::Merged | What::Internal(_) => false,
        }
    }
}

/// Fields of an event that only agents see.
const INTERNAL_FIELDS: [&str; 7] = ["note", "forced", "missed", "mentions", "draft_authors", "held_key", "priority"];

/// A long mail is cut on the wire and whole by REST: both are the same event.
fn as_on_the_wire(event: &mut Map<String, Value>) {
    event.remove("truncated");
    if let Some(Value::String(body)) = event.get_mut("body") {
        body.truncate(body.floor_char_boundary(MAX_BODY_BYTES));
    }
}

fn what(event: &Map<String, Value>) -> What {
    let field = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    match field("type") {
        "ticket_created" => What::Created,
        "reply_posted" if field("audience") == "public" => {
            What::Reply { body: body_digest(field("body")), forced: event.get("forced") == Some(&Value::Bool(true)) }
        }
        "reply_posted" => What::Note { body: body_digest(field("body")) },
        "status_changed" => What::StatusChanged,
        "merged" => What::Merged,
        other => What::Internal(other.to_owned()),
    }
}

/// The digest by which a body is compared with the one that was sent.
pub fn body_digest(body: &str) -> u64 {
    digest_of(&body)
}

/// One text per content: the keys of the map are sorted.
fn text(event: &Map<String, Value>) -> String {
    let mut fields: Vec<_> = event.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    fields.into_iter().map(|(name, value)| format!("{name}={value};")).collect()
}

fn digest_of<T: Hash>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::time::UnixMs;
    use hub_core::wire::{Actor, Audience, Event};
    use uuid::Uuid;

    fn record(event: Event) -> EventRecord {
        let by = Actor { kind: ActorKind::Agent, id: Some(UserId::new(Uuid::from_u128(1))), name: "Ana".into() };
        EventRecord { seq: 3, at: UnixMs(7), by, key: None, event }
    }

    fn reply(body: &str, audience: Audience, forced: Option<bool>) -> EventRecord {
        let body = body.to_owned();
        record(Event::ReplyPosted {
            body,
            audience,
            attachments: vec![],
            mentions: vec![],
            forced,
            missed: None,
            truncated: None,
            draft_authors: vec![],
            held_key: None,
        })
    }

    #[test]
    fn what_agents_see_beyond_the_customer_changes_the_digest_and_not_the_shared_part() {
        let (agents, customers) =
            (Fact::of(&reply("hi", Audience::Public, Some(true))), Fact::of(&reply("hi", Audience::Public, None)));
        assert_ne!(agents.digest, customers.digest);
        assert_eq!(agents.shared, customers.shared);
        assert!(agents.has_internal_fields && !customers.has_internal_fields);
        assert!(matches!(agents.what, What::Reply { forced: true, .. }));
    }

    #[test]
    fn another_word_is_another_fact() {
        let (a, b) = (Fact::of(&reply("hi", Audience::Public, None)), Fact::of(&reply("ho", Audience::Public, None)));
        assert!(a.digest != b.digest && a.shared != b.shared && a.what != b.what);
    }

    #[test]
    fn a_long_mail_is_the_same_event_cut_and_whole() {
        let whole = reply(&"x".repeat(MAX_BODY_BYTES + 9), Audience::Public, None);
        let mut cut = reply(&"x".repeat(MAX_BODY_BYTES), Audience::Public, None);
        if let Event::ReplyPosted { truncated, .. } = &mut cut.event {
            *truncated = Some(true);
        }
        assert_eq!(Fact::of(&whole), Fact::of(&cut));
    }

    #[test]
    fn a_note_is_internal() {
        let note = Fact::of(&reply("psst", Audience::Internal, None));
        assert!(!note.is_public() && !note.is_public_deed());
        assert_eq!(note.what, What::Note { body: body_digest("psst") });
    }
}
