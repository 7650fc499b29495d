//! How a client's frames are read: field by field, so that a refusal can name each field that is wrong.

use serde_json::Value;

use super::{
    ClientFrame, ClientInfo, FieldPatches, MAX_FIELD_BYTES, MAX_HOLD_MS, MAX_LIST, MAX_NOTE_BYTES, MAX_ROWS, MAX_STATUS_BYTES,
    MAX_TAG_BYTES, MAX_TAGS, MAX_TOKEN_BYTES, Patch,
};
use crate::ids::{CommandKey, StreamId, TeamId, TicketId, UserId};
use crate::wire::event::Audience;
use crate::wire::fields::{self, Complaint, Fields};
use crate::wire::{MAX_BODY_BYTES, Topic};

/// A frame whose type is known and whose fields may have been refused.
pub(super) enum Read {
    Frame(ClientFrame),
    Refused,
}

impl Read {
    pub(super) fn known(self) -> Option<ClientFrame> {
        match self {
            Self::Frame(frame) => Some(frame),
            Self::Refused => None,
        }
    }
}

impl From<Option<ClientFrame>> for Read {
    fn from(frame: Option<ClientFrame>) -> Self {
        frame.map_or(Self::Refused, Self::Frame)
    }
}

impl ClientFrame {
    /// `None` when the type is unknown.
    pub(super) fn read(kind: &str, f: &mut Fields<'_>) -> Option<Read> {
        let frame = match kind {
            "hello" => read_hello(f),
            "subscribe" => read_subscribe(f),
            "unsubscribe" => f.required("topic", topic).map(|topic| Self::Unsubscribe { topic }),
            "ping" => Some(Self::Ping),
            "post_reply" => read_post_reply(f),
            "change_status" => read_change_status(f),
            "assign" => read_assign(f),
            "update_ticket" => read_update_ticket(f),
            "mark_read" => read_mark_read(f),
            "cancel_held" => read_cancel_held(f),
            "hand_over" => read_hand_over(f),
            "acknowledge_handoff" => key_and_ticket(f).map(|(key, ticket_id)| Self::AcknowledgeHandoff { key, ticket_id }),
            "change_tags" => read_change_tags(f),
            "watch" => read_watch(f),
            "take_claim" => read_claim(f).map(|(ticket_id, force)| Self::TakeClaim { ticket_id, force }),
            "release_claim" => read_claim(f).map(|(ticket_id, force)| Self::ReleaseClaim { ticket_id, force }),
            "save_draft" => read_save_draft(f),
            "discard_draft" => read_discard_draft(f),
            "set_presence" => read_set_presence(f),
            "watch_rows" => read_watch_rows(f),
            _ => return None,
        };
        Some(frame.into())
    }
}

fn topic(value: &Value) -> Result<Topic, String> {
    fields::parsed("a topic such as ticket:<id>, thread:<id>, me, workspace or radar")(value)
}

fn read_hello(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let protocol = f.required("protocol", fields::integer(0));
    let token = f.optional("token", fields::text(MAX_TOKEN_BYTES));
    let client = f.optional("client", |v| {
        let part = |name| v.get(name).and_then(Value::as_str).map(|s| s.chars().take(100).collect::<String>());
        part("name")
            .zip(part("version"))
            .map(|(name, version)| ClientInfo { name, version })
            .ok_or("must be a map with name and version as text")
    });
    Some(ClientFrame::Hello { protocol: protocol?, token, client })
}

fn read_subscribe(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let topic = f.required("topic", topic);
    let after = f.optional("after", fields::integer(0));
    let stream = f.optional("stream", fields::id::<StreamId>);
    if after.is_some() != stream.is_some() {
        f.complain(if after.is_some() { "stream" } else { "after" }, "after and stream go together");
    }
    Some(ClientFrame::Subscribe { topic: topic?, resume: after.zip(stream) })
}

fn key_and_ticket(f: &mut Fields<'_>) -> Option<(CommandKey, TicketId)> {
    let key = f.required("key", fields::id);
    let ticket = f.required("ticket_id", fields::id);
    key.zip(ticket)
}

fn read_post_reply(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let target = key_and_ticket(f);
    let reply = ReplyFields::read(f);
    let (key, ticket_id) = target?;
    let ReplyFields { body, audience, based_on, force, then_status, mention_ids, hold_ms } = reply?;
    Some(ClientFrame::PostReply { key, ticket_id, body, audience, based_on, force, then_status, mention_ids, hold_ms })
}

/// The fields of a reply, the same on the socket and in REST.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of post_reply")]
pub struct ReplyFields {
    pub body: String,
    pub audience: Audience,
    pub based_on: Option<u64>,
    pub force: bool,
    pub then_status: Option<String>,
    pub mention_ids: Vec<UserId>,
    pub hold_ms: Option<u64>,
}

impl ReplyFields {
    /// Reads them; `None` after noting complaints. What this hub cannot do is refused, never ignored.
    pub fn read(f: &mut Fields<'_>) -> Option<Self> {
        let body = f.required("body", fields::filled_text(MAX_BODY_BYTES));
        let audience = f.required("audience", fields::parsed("public or internal"));
        let based_on = f.optional("based_on", fields::integer(0));
        let force = f.optional("force", fields::boolean).unwrap_or(false);
        let then_status = f.optional("then_status", fields::filled_text(MAX_STATUS_BYTES));
        let not_offered = |list: Vec<uuid::Uuid>| list.is_empty();
        if !f.optional("attachment_ids", fields::ids(MAX_LIST)).is_none_or(not_offered) {
            f.complain("attachment_ids", "names no attachment of this ticket");
        }
        let mut mention_ids: Vec<UserId> =
            f.optional("mention_ids", fields::ids(MAX_LIST)).unwrap_or_default().into_iter().map(UserId::new).collect();
        mention_ids.sort_unstable();
        mention_ids.dedup();
        let hold_ms = f.optional("hold_ms", fields::integer(0)).filter(|ms| *ms > 0);
        if hold_ms.is_some_and(|ms| ms > MAX_HOLD_MS) {
            f.complain("hold_ms", format!("must be at most {MAX_HOLD_MS}"));
        }
        Some(Self { body: body?, audience: audience?, based_on, force, then_status, mention_ids, hold_ms })
    }
}

fn read_change_status(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let target = key_and_ticket(f);
    let status = f.required("status", fields::filled_text(MAX_STATUS_BYTES));
    let based_on = f.optional("based_on", fields::integer(0));
    let note = f.optional("note", fields::filled_text(MAX_NOTE_BYTES));
    let force = f.optional("force", fields::boolean).unwrap_or(false);
    let (key, ticket_id) = target?;
    Some(ClientFrame::ChangeStatus { key, ticket_id, status: status?, based_on, note, force })
}

fn read_assign(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let target = key_and_ticket(f);
    let assignee_id = f.patch("assignee_id", fields::id);
    let team_id = f.patch("team_id", fields::id);
    let assignee_id = match assignee_id {
        Patch::Keep => {
            f.complain("assignee_id", "is missing; null for nobody");
            None
        }
        Patch::Clear => None,
        Patch::Set(id) => Some(id),
    };
    let (key, ticket_id) = target?;
    Some(ClientFrame::Assign { key, ticket_id, assignee_id, team_id })
}

fn read_update_ticket(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let target = key_and_ticket(f);
    let based_on = f.required("based_on", fields::integer(0));
    let patches = FieldPatches::read(f);
    let (key, ticket_id) = target?;
    Some(ClientFrame::UpdateTicket { key, ticket_id, based_on: based_on?, patches })
}

fn read_mark_read(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let ticket_id = f.required("ticket_id", fields::id);
    let seq = f.required("seq", fields::integer(0));
    let back = f.optional("back", fields::boolean).unwrap_or(false);
    Some(ClientFrame::MarkRead { ticket_id: ticket_id?, seq: seq?, back })
}

fn read_cancel_held(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let target = key_and_ticket(f);
    let held_key = f.required("held_key", fields::id);
    let (key, ticket_id) = target?;
    Some(ClientFrame::CancelHeld { key, ticket_id, held_key: held_key? })
}

fn read_hand_over(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let target = key_and_ticket(f);
    let handover = HandoverFields::read(f);
    let (key, ticket_id) = target?;
    let HandoverFields { to_id, to_team_id, note, with_draft } = handover?;
    Some(ClientFrame::HandOver { key, ticket_id, to_id, to_team_id, note, with_draft })
}

/// The fields of a handover, the same on the socket and in REST. Exactly one of `to_id` and `to_team_id` is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of hand_over")]
pub struct HandoverFields {
    pub to_id: Option<UserId>,
    pub to_team_id: Option<TeamId>,
    pub note: String,
    pub with_draft: bool,
}

impl HandoverFields {
    /// Reads them; `None` after noting complaints.
    pub fn read(f: &mut Fields<'_>) -> Option<Self> {
        let to_id = f.optional("to_id", fields::id);
        let to_team_id = f.optional("to_team_id", fields::id);
        if to_id.is_some() == to_team_id.is_some() {
            f.complain("to_id", "exactly one of to_id and to_team_id must be there");
        }
        let note = f.required("note", fields::filled_text(MAX_NOTE_BYTES));
        let with_draft = f.optional("with_draft", fields::boolean).unwrap_or(false);
        Some(Self { to_id, to_team_id, note: note?, with_draft })
    }
}

fn read_change_tags(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let target = key_and_ticket(f);
    let tags = TagFields::read(f);
    let (key, ticket_id) = target?;
    let TagFields { add, remove } = tags?;
    Some(ClientFrame::ChangeTags { key, ticket_id, add, remove })
}

/// The fields of a change of tags, the same on the socket and in REST.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of change_tags")]
pub struct TagFields {
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

impl TagFields {
    /// Reads them; `None` after noting complaints. Tags are trimmed and in lower case, sorted, each once.
    pub fn read(f: &mut Fields<'_>) -> Option<Self> {
        let add = f.optional("add", tags).unwrap_or_default();
        let remove = f.optional("remove", tags).unwrap_or_default();
        if add.iter().any(|tag| remove.contains(tag)) {
            f.complain("remove", "names a tag that is also to be added");
        }
        Some(Self { add, remove })
    }
}

fn tags(value: &Value) -> Result<Vec<String>, Complaint> {
    let list = value.as_array().filter(|list| list.len() <= MAX_TAGS).ok_or("must be a list of at most 50 tags")?;
    let mut tags = Vec::with_capacity(list.len());
    for tag in list {
        let tag = fields::filled_text(MAX_TAG_BYTES)(tag)?.trim().to_lowercase();
        // Some letters weigh more in lower case.
        if tag.len() > MAX_TAG_BYTES {
            return Err(format!("must be tags of at most {MAX_TAG_BYTES} bytes").into());
        }
        tags.push(tag);
    }
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}

fn read_watch(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let target = key_and_ticket(f);
    let on = f.required("on", fields::boolean);
    let (key, ticket_id) = target?;
    Some(ClientFrame::Watch { key, ticket_id, on: on? })
}

fn read_claim(f: &mut Fields<'_>) -> Option<(TicketId, bool)> {
    let ticket_id = f.required("ticket_id", fields::id);
    let force = f.optional("force", fields::boolean).unwrap_or(false);
    ticket_id.map(|ticket_id| (ticket_id, force))
}

fn read_save_draft(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let ticket_id = f.required("ticket_id", fields::id);
    let audience = f.required("audience", fields::parsed("public or internal"));
    let draft = DraftFields::read(f);
    let DraftFields { revision, body, based_on } = draft?;
    Some(ClientFrame::SaveDraft { ticket_id: ticket_id?, audience: audience?, revision, body, based_on })
}

/// The fields of a draft that is to be saved, the same on the socket and in REST.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of save_draft")]
pub struct DraftFields {
    pub revision: u64,
    pub body: String,
    pub based_on: u64,
}

impl DraftFields {
    /// Reads them; `None` after noting complaints.
    pub fn read(f: &mut Fields<'_>) -> Option<Self> {
        let revision = f.required("revision", fields::integer(0));
        let body = f.required("body", fields::text(MAX_BODY_BYTES));
        let based_on = f.required("based_on", fields::integer(0));
        Some(Self { revision: revision?, body: body?, based_on: based_on? })
    }
}

fn read_discard_draft(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let ticket_id = f.required("ticket_id", fields::id);
    let audience = f.required("audience", fields::parsed("public or internal"));
    Some(ClientFrame::DiscardDraft { ticket_id: ticket_id?, audience: audience? })
}

fn read_set_presence(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let ticket_id = f.required("ticket_id", fields::id);
    let state = f.required("state", fields::parsed("viewing, composing or idle"));
    let audience = f.optional("audience", fields::parsed("public or internal"));
    let field = f.optional("field", fields::filled_text(MAX_FIELD_BYTES));
    Some(ClientFrame::SetPresence { ticket_id: ticket_id?, state: state?, audience, field })
}

fn read_watch_rows(f: &mut Fields<'_>) -> Option<ClientFrame> {
    let ids = f.required("ticket_ids", fields::ids(MAX_ROWS))?;
    Some(ClientFrame::WatchRows { ticket_ids: ids.into_iter().map(TicketId::new).collect() })
}
