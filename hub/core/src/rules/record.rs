//! An event with its place in the log, and its two stored parts: `data`, which is never personal, and `private`,
//! the only part that may ever be erased.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::audit::{self, Hash};
use crate::ids::{CommandKey, TicketId, TicketKey, UserId, WorkspaceId};
use crate::time::UnixMs;
use crate::wire::{Actor, ActorKind, Audience, Event, EventRecord, MAX_BODY_BYTES};

/// The version of the stored form.
const VERSION: u64 = 1;
/// What stands where a name was erased.
const ERASED: &str = "(erased)";

/// One event of one ticket, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// 1, 2, 3… in the ticket.
    pub seq: u64,
    /// 1, 2, 3… in the thread; none for what customers never see.
    pub thread_seq: Option<u64>,
    /// Database time; never goes back within the ticket.
    pub at: UnixMs,
    /// Who.
    pub by: Actor,
    /// On the first event of an intent.
    pub key: Option<CommandKey>,
    /// What.
    pub event: Event,
}

/// The two parts of a stored event, with its place in the audit chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Canonical JSON: one line, keys sorted. Never personal.
    pub data: Vec<u8>,
    /// Canonical JSON: names and what people wrote.
    pub private: Vec<u8>,
    /// Hides what is in `private` even from guesses.
    pub salt: [u8; 16],
    /// `sha256(salt ‖ private)`.
    pub commitment: Hash,
    /// Chained to the event before.
    pub hash: Hash,
}

/// Where an event belongs, as its own bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The ticket, in its workspace.
    pub ticket: TicketKey,
    /// Its number there.
    pub seq: u64,
}

/// What stands in `data`, beside the public part of the event.
#[derive(Serialize, Deserialize)]
struct Data {
    at: UnixMs,
    by: ActorKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by_id: Option<UserId>,
    event: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<CommandKey>,
    seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thread_seq: Option<u64>,
    ticket: uuid::Uuid,
    v: u64,
    workspace: uuid::Uuid,
}

/// Why stored bytes are no event.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not the JSON that was written.
    #[error("a stored event cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by a newer hub.
    #[error("a stored event has version {0}, this hub reads {VERSION}")]
    Version(u64),
}

impl Data {
    fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let data: Self = serde_json::from_slice(bytes)?;
        if data.v == VERSION { Ok(data) } else { Err(Unreadable::Version(data.v)) }
    }
}

/// Where the event with these `data` belongs: for comparing with where it was found.
///
/// # Errors
/// [`Unreadable`], when the bytes are not the data of an event.
pub fn place(data: &[u8]) -> Result<Place, Unreadable> {
    let data = Data::read(data)?;
    let ticket = TicketKey { workspace: WorkspaceId::new(data.workspace), ticket: TicketId::new(data.ticket) };
    Ok(Place { ticket, seq: data.seq })
}

impl Happened {
    /// True for what customers see too.
    pub const fn is_public(event: &Event) -> bool {
        match event {
            Event::TicketCreated { .. } | Event::StatusChanged { .. } => true,
            Event::ReplyPosted { audience, .. } => matches!(audience, Audience::Public),
            Event::ReplyHeld { .. }
            | Event::HeldCancelled { .. }
            | Event::Assigned { .. }
            | Event::HandedOver { .. }
            | Event::HandoffAcknowledged {}
            | Event::TagsChanged { .. }
            | Event::ClaimTaken { .. }
            | Event::ClaimReleased { .. }
            | Event::ClaimExpired { .. }
            | Event::Watched { .. }
            | Event::FieldChanged { .. }
            | Event::NothingChanged {}
            | Event::Notified { .. } => false,
        }
    }

    /// Whose intent it was: its author; of what time did by itself, the one it was about.
    pub fn intent_of(&self) -> Option<UserId> {
        match &self.event {
            Event::ClaimExpired { by } => Some(by.id),
            _ => self.by.id,
        }
    }

    /// The event as agents see it, in the ticket's numbering.
    pub fn for_agents(&self) -> EventRecord {
        EventRecord { seq: self.seq, at: self.at, by: self.by.clone(), key: self.key, event: cut(self.event.clone()) }
    }

    /// The event as customers see it, in the thread's numbering; none for what they never see.
    pub fn for_customers(&self) -> Option<EventRecord> {
        let seq = self.thread_seq?;
        let event = match cut(self.event.clone()) {
            Event::ReplyPosted { body, audience, attachments, truncated, .. } => Event::ReplyPosted {
                body,
                audience,
                attachments,
                mentions: vec![],
                forced: None,
                missed: None,
                truncated,
                draft_authors: vec![],
                held_key: None,
            },
            Event::StatusChanged { from, to, .. } => Event::StatusChanged { from, to, note: None, forced: None },
            Event::TicketCreated { title, description, source, number, status, .. } => {
                Event::TicketCreated { title, description, source, number, status, priority: None }
            }
            event => event,
        };
        Some(EventRecord { seq, at: self.at, by: self.by.clone(), key: self.key, event })
    }

    /// Splits the event into its stored parts and chains it to the event before it.
    ///
    /// # Panics
    /// Never: events have text keys only.
    pub fn seal(&self, ticket: TicketKey, previous: &Hash, salt: [u8; 16]) -> Sealed {
        let Value::Object(mut event) = serde_json::to_value(&self.event).expect("events have text keys only") else {
            unreachable!("events are tagged maps")
        };
        let mut private = Map::new();
        private.insert("by".into(), self.by.name.clone().into());
        for name in personal_fields(&self.event) {
            if let Some(value) = event.remove(*name) {
                private.insert((*name).into(), value);
            }
        }
        for (field, name) in PERSONS {
            if let Some(words) = event.get_mut(field).and_then(Value::as_object_mut).and_then(|person| person.remove("name")) {
                private.insert(name.into(), words);
            }
        }
        let data = Data {
            at: self.at,
            by: self.by.kind,
            by_id: self.by.id,
            event: Value::Object(event),
            key: self.key,
            seq: self.seq,
            thread_seq: self.thread_seq,
            ticket: ticket.ticket.uuid(),
            v: VERSION,
            workspace: ticket.workspace.uuid(),
        };
        let data = serde_json::to_vec(&data).expect("data has text keys only");
        let private = serde_json::to_vec(&private).expect("private has text keys only");
        let commitment = audit::commitment(&salt, &private);
        let hash = audit::link(previous, &data, &commitment);
        Sealed { data, private, salt, commitment, hash }
    }

    /// Puts a stored event together again; `private` is none after an erasure.
    ///
    /// # Errors
    /// [`Unreadable`], when the bytes are not such an event.
    pub fn open(data: &[u8], private: Option<&[u8]>) -> Result<Self, Unreadable> {
        let data = Data::read(data)?;
        let mut event = data.event;
        let mut private: Map<String, Value> = private.map(serde_json::from_slice).transpose()?.unwrap_or_default();
        let name = private.remove("by").and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_else(|| ERASED.into());
        if let Value::Object(fields) = &mut event {
            let is_claim = matches!(fields.get("type").and_then(Value::as_str), Some(kind) if kind.starts_with("claim_"));
            for (field, name) in PERSONS.into_iter().filter(|_| is_claim) {
                if let Some(person) = fields.get_mut(field).and_then(Value::as_object_mut) {
                    person.insert("name".into(), private.remove(name).unwrap_or_else(|| ERASED.into()));
                }
            }
            fields.extend(private);
            fill_erased(fields);
        }
        Ok(Self {
            seq: data.seq,
            thread_seq: data.thread_seq,
            at: data.at,
            by: Actor { kind: data.by, id: data.by_id, name },
            key: data.key,
            event: serde_json::from_value(event)?,
        })
    }
}

/// People that an event names (a claim's): their ids stay, their names go into `private` under these names.
const PERSONS: [(&str, &str); 2] = [("by", "by_name"), ("from", "from_name")];

/// What people wrote: goes into `private`.
const fn personal_fields(event: &Event) -> &'static [&'static str] {
    match event {
        Event::TicketCreated { .. } => &["title", "description"],
        Event::ReplyPosted { .. } => &["body", "attachments", "draft_authors"],
        Event::ReplyHeld { .. } => &["body", "draft_authors"],
        Event::HandedOver { .. } => &["note", "draft"],
        Event::TagsChanged { .. } => &["added", "removed"],
        Event::StatusChanged { .. } => &["note"],
        Event::FieldChanged { .. } => &["from", "to"],
        Event::Notified { .. } => &["number", "title", "excerpt"],
        Event::HeldCancelled { .. }
        | Event::Assigned { .. }
        | Event::HandoffAcknowledged {}
        | Event::ClaimTaken { .. }
        | Event::ClaimReleased { .. }
        | Event::ClaimExpired { .. }
        | Event::Watched { .. }
        | Event::NothingChanged {} => &[],
    }
}

/// After an erasure, the fields that must be there are there and say so.
fn fill_erased(fields: &mut Map<String, Value>) {
    let wanted: &[(&str, Value)] = match fields.get("type").and_then(Value::as_str) {
        Some("ticket_created") => &[("title", Value::Null), ("description", Value::Null)],
        Some("reply_posted") => &[("body", Value::Null), ("attachments", Value::Array(Vec::new()))],
        Some("reply_held") => &[("body", Value::Null)],
        Some("handed_over") => &[("note", Value::Null)],
        Some("tags_changed") => &[("added", Value::Array(Vec::new())), ("removed", Value::Array(Vec::new()))],
        Some("field_changed") => &[("from", Value::Null), ("to", Value::Null)],
        Some(_) | None => &[],
    };
    let changed_field = fields.contains_key("field");
    for (name, value) in wanted {
        let value = if value.is_null() && !changed_field { ERASED.into() } else { value.clone() };
        fields.entry(*name).or_insert(value);
    }
}

/// A stored body over the limit (mail) is cut on the wire.
fn cut(mut event: Event) -> Event {
    if let Event::ReplyPosted { body, truncated, .. } = &mut event
        && body.len() > MAX_BODY_BYTES
    {
        body.truncate(body.floor_char_boundary(MAX_BODY_BYTES));
        *truncated = Some(true);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::audit::{GENESIS, Link, verify};
    use crate::wire::{HandoffDraft, PersonRef, Source};
    use uuid::Uuid;

    const KEY: TicketKey =
        TicketKey { workspace: WorkspaceId::new(Uuid::from_u128(1)), ticket: TicketId::new(Uuid::from_u128(2)) };

    fn happened(seq: u64, event: Event) -> Happened {
        let ana = Actor { kind: ActorKind::Agent, id: Some(UserId::new(Uuid::from_u128(7))), name: "Ana".into() };
        let thread_seq = Happened::is_public(&event).then_some(seq);
        Happened { seq, thread_seq, at: UnixMs(1_700_000_000_000), by: ana, key: None, event }
    }

    fn person(name: &str) -> PersonRef {
        PersonRef { id: UserId::new(Uuid::from_u128(8)), name: name.into() }
    }

    fn one_of_each() -> Vec<Happened> {
        let reply = |audience| Event::ReplyPosted {
            body: "secret words".into(),
            audience,
            attachments: vec![],
            mentions: vec![UserId::new(Uuid::from_u128(9))],
            forced: Some(true),
            missed: None,
            truncated: None,
            draft_authors: vec![person("secret words")],
            held_key: None,
        };
        [
            Event::TicketCreated {
                title: "secret words".into(),
                description: "secret words".into(),
                source: Source::Web,
                number: 7,
                status: "open".into(),
                priority: Some(crate::wire::Priority::P1),
            },
            reply(Audience::Public),
            reply(Audience::Internal),
            Event::StatusChanged { from: "open".into(), to: "closed".into(), note: Some("secret words".into()), forced: None },
            Event::Assigned { assignee_id: None, team_id: None },
            Event::FieldChanged { field: "title".into(), from: "secret words".into(), to: Value::Null },
            Event::ReplyHeld {
                body: "secret words".into(),
                audience: Audience::Public,
                mentions: vec![],
                then_status: Some("closed".into()),
                based_on: Some(3),
                forced: None,
                release_at: UnixMs(1_700_000_000_500),
                draft_authors: vec![person("secret words")],
            },
            Event::HeldCancelled { held_key: CommandKey::new(Uuid::from_u128(5)), why: Some(crate::wire::ErrorCode::Stale) },
            Event::HandedOver {
                from_id: UserId::new(Uuid::from_u128(7)),
                to_id: Some(UserId::new(Uuid::from_u128(9))),
                to_team_id: None,
                note: "secret words".into(),
                draft: Some(HandoffDraft { body: "secret words".into(), based_on: 3, authors: vec![person("secret words")] }),
            },
            Event::HandoffAcknowledged {},
            Event::TagsChanged { added: vec!["secret words".into()], removed: vec![] },
            Event::ClaimTaken {
                by: person("secret words"),
                until: UnixMs(1_700_000_090_000),
                from: Some(person("secret words")),
            },
            Event::ClaimReleased { by: person("secret words") },
            Event::ClaimExpired { by: person("secret words") },
            Event::Watched { user_id: UserId::new(Uuid::from_u128(7)), on: true },
            Event::NothingChanged {},
        ]
        .into_iter()
        .enumerate()
        .map(|(at, event)| happened(at as u64 + 1, event))
        .collect()
    }

    #[test]
    fn what_is_sealed_opens_the_same_and_keeps_personal_words_out_of_the_data() {
        for event in one_of_each() {
            let sealed = event.seal(KEY, &GENESIS, [9; 16]);
            assert_eq!(Happened::open(&sealed.data, Some(&sealed.private)).expect("own bytes"), event);
            assert_eq!(place(&sealed.data).expect("own bytes"), Place { ticket: KEY, seq: event.seq });
            let data = String::from_utf8(sealed.data).expect("JSON");
            assert!(!data.contains("secret words") && !data.contains("Ana"), "{data}");
        }
    }

    #[test]
    fn an_erased_event_still_opens_and_says_so() {
        for event in one_of_each() {
            let sealed = event.seal(KEY, &GENESIS, [9; 16]);
            let opened = Happened::open(&sealed.data, None).expect("erased, not broken");
            assert_eq!(opened.by.name, ERASED);
            assert!(!format!("{opened:?}").contains("secret words"));
        }
    }

    #[test]
    fn customers_see_the_public_part_only() {
        let seen: Vec<_> = one_of_each().iter().filter_map(Happened::for_customers).collect();
        assert_eq!(seen.len(), 3);
        for record in seen {
            let text = serde_json::to_string(&record).expect("JSON");
            assert!(
                !text.contains("note")
                    && !text.contains("forced")
                    && !text.contains("mentions")
                    && !text.contains("internal")
                    && !text.contains("priority"),
                "{text}"
            );
        }
    }

    #[test]
    fn sealed_events_form_a_chain() {
        let (mut previous, mut links) = (GENESIS, Vec::new());
        for event in one_of_each() {
            let s = event.seal(KEY, &previous, [3; 16]);
            previous = s.hash;
            let private = Some((s.salt.to_vec(), s.private));
            links.push(Link { seq: event.seq, data: s.data, private, commitment: s.commitment, hash: s.hash });
        }
        assert_eq!(verify(&links, links.len() as u64, &previous), Ok(()));
    }

    #[test]
    fn a_long_stored_body_is_cut_between_characters() {
        let body = "é".repeat(MAX_BODY_BYTES);
        let event = happened(
            1,
            Event::ReplyPosted {
                body,
                audience: Audience::Public,
                attachments: vec![],
                mentions: vec![],
                forced: None,
                missed: None,
                truncated: None,
                draft_authors: vec![],
                held_key: None,
            },
        );
        let Event::ReplyPosted { body, truncated, .. } = event.for_agents().event else { panic!("still a reply") };
        assert!(body.len() <= MAX_BODY_BYTES && truncated == Some(true));
    }
}
