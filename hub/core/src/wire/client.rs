//! What a client says. How it is read, and form judged before anything else, is in `read`; how it is written in `write`.

mod read;
mod write;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

pub use read::{DraftFields, HandoverFields, ReplyFields, TagFields};

#[cfg(doc)]
use super::MAX_BODY_BYTES;
use super::event::Audience;
use super::fields::{self, FieldErrors, Fields};
use super::live::Activity;
use super::ticket::Priority;
use super::topic::Topic;
use super::{Codec, ErrorCode, Problem, value};
use crate::ids::{CategoryId, CommandKey, StreamId, TeamId, TicketId, UserId};
use crate::time::UnixMs;

/// Longest title, in bytes of UTF-8.
pub const MAX_TITLE_BYTES: usize = 500;
/// Longest note on a change of status, in bytes of UTF-8.
pub const MAX_NOTE_BYTES: usize = 4 * 1024;
/// Largest map of custom fields, in bytes of JSON.
pub const MAX_CUSTOM_BYTES: usize = 16 * 1024;
/// Longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 256;
/// Longest name of a status, in bytes.
pub const MAX_STATUS_BYTES: usize = 64;
/// Most attachments or mentions of one reply.
pub const MAX_LIST: usize = 20;
/// Longest that a reply is held back, in milliseconds.
pub const MAX_HOLD_MS: u64 = 30_000;
/// Most tags of one ticket, and in one change of them.
pub const MAX_TAGS: usize = 50;
/// Longest tag, in bytes of UTF-8.
pub const MAX_TAG_BYTES: usize = 50;
/// Longest name of a field somebody has open, in bytes.
pub const MAX_FIELD_BYTES: usize = 64;
/// Most rows of a list whose presence one socket is told.
pub const MAX_ROWS: usize = 200;

/// A field that is kept (absent), cleared (null) or set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Absent: leave it.
    #[default]
    Keep,
    /// Null: have none.
    Clear,
    /// A value.
    Set(T),
}

impl<T> Patch<T> {
    /// True when the field was left out.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

/// The fields of a ticket that are simply set. Which of them may be cleared is the ticket's rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldPatches {
    /// One line, at most [`MAX_TITLE_BYTES`] bytes; never cleared.
    pub title: Patch<String>,
    /// How much it matters, `p1` the most; never cleared.
    pub priority: Patch<Priority>,
    /// How soon it matters: `low`, `normal` or `high`; never cleared.
    pub urgency: Patch<String>,
    /// The category.
    pub category_id: Patch<CategoryId>,
    /// All custom fields together, at most [`MAX_CUSTOM_BYTES`] bytes of JSON.
    pub custom: Patch<Map<String, Value>>,
    /// When it is to be done.
    pub due_at: Patch<UnixMs>,
    /// When work is planned.
    pub scheduled_at: Patch<UnixMs>,
}

impl FieldPatches {
    /// Reads the patches out of a frame or a REST body.
    pub fn read(f: &mut Fields<'_>) -> Self {
        let patches = Self {
            title: f.patch("title", fields::filled_text(MAX_TITLE_BYTES)),
            priority: f.patch("priority", fields::parsed("p1, p2, p3 or p4")),
            urgency: f.patch("urgency", |v| match v.as_str() {
                Some(urgency @ ("low" | "normal" | "high")) => Ok(urgency.to_owned()),
                Some(_) | None => Err("must be low, normal or high"),
            }),
            category_id: f.patch("category_id", fields::id),
            custom: f.patch("custom", fields::object(MAX_CUSTOM_BYTES)),
            due_at: f.patch("due_at", fields::instant),
            scheduled_at: f.patch("scheduled_at", fields::instant),
        };
        for (name, cleared) in [
            ("title", matches!(patches.title, Patch::Clear)),
            ("priority", matches!(patches.priority, Patch::Clear)),
            ("urgency", matches!(patches.urgency, Patch::Clear)),
        ] {
            if cleared {
                f.complain(name, "cannot be cleared");
            }
        }
        patches
    }

    /// True when no field is touched.
    pub const fn is_empty(&self) -> bool {
        self.title.is_keep()
            && self.priority.is_keep()
            && self.urgency.is_keep()
            && self.category_id.is_keep()
            && self.custom.is_keep()
            && self.due_at.is_keep()
            && self.scheduled_at.is_keep()
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        fn entry<M: SerializeMap, T: Serialize>(map: &mut M, name: &'static str, patch: &Patch<T>) -> Result<(), M::Error> {
            if patch.is_keep() { Ok(()) } else { map.serialize_entry(name, patch) }
        }
        entry(map, "title", &self.title)?;
        entry(map, "priority", &self.priority)?;
        entry(map, "urgency", &self.urgency)?;
        entry(map, "category_id", &self.category_id)?;
        entry(map, "custom", &self.custom)?;
        entry(map, "due_at", &self.due_at)?;
        entry(map, "scheduled_at", &self.scheduled_at)
    }
}

impl Serialize for FieldPatches {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.end()
    }
}

/// What the client program calls itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientInfo {
    /// Its name; cut after 100 characters.
    pub name: String,
    /// Its version; cut after 100 characters.
    pub version: String,
}

/// One frame of a client. Every frame carries the client's own request number beside it: see [`Request`].
///
/// The words on frames and fields are those of the protocol reference, which is made from them.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientFrame {
    /// Open the session. The first frame, and only the first.
    Hello {
        /// Which protocol: [`PROTOCOL_VERSION`].
        protocol: u64,
        /// Who, unless the handshake said so with a cookie or an `Authorization` header. At most [`MAX_TOKEN_BYTES`] bytes.
        token: Option<String>,
        /// What the client program calls itself.
        client: Option<ClientInfo>,
    },
    /// Watch a topic, or resynchronise one already watched.
    Subscribe {
        /// Which.
        topic: Topic,
        /// Where to go on: the last `seq` seen, and the `stream` it counts in. Both or neither.
        resume: Option<(u64, StreamId)>,
    },
    /// Watch no longer. Acked; nothing of the topic follows the ack.
    Unsubscribe {
        /// Which.
        topic: Topic,
    },
    /// Are you there? Answered by `pong`.
    Ping,
    /// A reply or an internal note.
    PostReply {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// To which ticket.
        ticket_id: TicketId,
        /// Markdown, at most [`MAX_BODY_BYTES`] bytes of UTF-8, not blank.
        body: String,
        /// Who is to read it.
        audience: Audience,
        /// The last `seq` seen. Staff need it (or `force`) for a public reply.
        based_on: Option<u64>,
        /// Send although something came in between. Recorded.
        force: bool,
        /// A status to move to in the same step, at most [`MAX_STATUS_BYTES`] bytes.
        then_status: Option<String>,
        /// Colleagues it calls for, by their ids; at most [`MAX_LIST`]. Staff only.
        mention_ids: Vec<UserId>,
        /// Keep it back on the hub for so long, at most [`MAX_HOLD_MS`] milliseconds, to be taken back; judged again then. Staff only.
        hold_ms: Option<u64>,
    },
    /// Take a held reply back; its text returns as my draft.
    CancelHeld {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// Of which ticket.
        ticket_id: TicketId,
        /// The key of the `post_reply` that is held.
        held_key: CommandKey,
    },
    /// Move in the workflow.
    ChangeStatus {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// Of which ticket.
        ticket_id: TicketId,
        /// A status of the workspace's workflow, at most [`MAX_STATUS_BYTES`] bytes.
        status: String,
        /// The last `seq` seen. Staff need it, or `force`.
        based_on: Option<u64>,
        /// A reason for colleagues, at most [`MAX_NOTE_BYTES`] bytes; never told to customers.
        note: Option<String>,
        /// Change although something came in between. Recorded.
        force: bool,
    },
    /// Who is to work on it.
    Assign {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// Which ticket.
        ticket_id: TicketId,
        /// The agent; null for nobody. Has to be there.
        assignee_id: Option<UserId>,
        /// The team; null for none, absent to leave it.
        team_id: Patch<TeamId>,
    },
    /// Give the ticket to a colleague or a team, with a note that stays pinned until it is acknowledged. Exactly one of `to_id` and
    /// `to_team_id`.
    HandOver {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// Which ticket.
        ticket_id: TicketId,
        /// The colleague.
        to_id: Option<UserId>,
        /// The team.
        to_team_id: Option<TeamId>,
        /// What the next one has to know, at most [`MAX_NOTE_BYTES`] bytes, not blank; never told to customers.
        note: String,
        /// Give my draft of a public reply along.
        with_draft: bool,
    },
    /// I have seen what was handed over to me or my team. A draft that came along becomes mine.
    AcknowledgeHandoff {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// Of which ticket.
        ticket_id: TicketId,
    },
    /// Set fields, any number of them.
    UpdateTicket {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// Which ticket.
        ticket_id: TicketId,
        /// The last `seq` seen; judged per field.
        based_on: u64,
        /// The fields.
        patches: FieldPatches,
    },
    /// Add and remove tags. Merges with what others do; never conflicts.
    ChangeTags {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// Of which ticket.
        ticket_id: TicketId,
        /// These are to be there; lower case, at most [`MAX_TAG_BYTES`] bytes each, at most [`MAX_TAGS`].
        add: Vec<String>,
        /// These are not.
        remove: Vec<String>,
    },
    /// Be told of what happens to a ticket, or no longer.
    Watch {
        /// One per intent; the same again for a repeat.
        key: CommandKey,
        /// Which ticket.
        ticket_id: TicketId,
        /// Whether.
        on: bool,
    },
    /// I am answering the customer now. Nobody is kept from anything by it.
    TakeClaim {
        /// Of which ticket.
        ticket_id: TicketId,
        /// Also when somebody else has it: who had it is told.
        force: bool,
    },
    /// I am not answering any longer.
    ReleaseClaim {
        /// Of which ticket.
        ticket_id: TicketId,
        /// Also when it is somebody else's.
        force: bool,
    },
    /// Keep what I am writing. Acked when it is stored.
    SaveDraft {
        /// To which ticket.
        ticket_id: TicketId,
        /// Who is to read it.
        audience: Audience,
        /// The last revision seen; 0 for none. Another one there is `stale`, with `detail.draft`.
        revision: u64,
        /// Markdown, at most [`MAX_BODY_BYTES`] bytes of UTF-8; may be empty.
        body: String,
        /// The last `seq` its author has seen.
        based_on: u64,
    },
    /// Throw my draft away.
    DiscardDraft {
        /// Of which ticket.
        ticket_id: TicketId,
        /// Of which audience.
        audience: Audience,
    },
    /// What I am doing at a ticket that this socket watches. Without `id` there is no answer.
    SetPresence {
        /// Which ticket.
        ticket_id: TicketId,
        /// What.
        state: Activity,
        /// Composing: for whom. Left out: publicly.
        audience: Option<Audience>,
        /// Which field I have open, at most [`MAX_FIELD_BYTES`] bytes: a hint for colleagues.
        field: Option<String>,
    },
    /// Whose presence I want in my list: these rows, in place of those before. Only while `workspace` is watched.
    WatchRows {
        /// At most [`MAX_ROWS`].
        ticket_ids: Vec<TicketId>,
    },
    /// I have read a ticket up to here.
    MarkRead {
        /// Which ticket.
        ticket_id: TicketId,
        /// The last event read, in my numbering; a lower one than before changes nothing, unless `back`.
        seq: u64,
        /// Mark what comes after as unread again.
        back: bool,
    },
}

/// A client frame with the client's request number.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The client's own number, echoed in the one answer; only `set_presence` may be without, and is not answered then.
    pub id: Option<u64>,
    /// What is asked.
    pub frame: ClientFrame,
}

/// Bytes that are no request, with the number to answer to when there was one.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRequest {
    /// The client's own number, when it could be read.
    pub id: Option<u64>,
    /// `bad_frame`, `unknown_type` or `invalid`.
    pub problem: Problem,
}

impl Request {
    /// Reads one client message.
    ///
    /// # Errors
    /// [`BadRequest`], ready to be answered; the connection lives on.
    pub fn decode(codec: Codec, bytes: &[u8]) -> Result<Self, BadRequest> {
        let bad_frame = |why: String| BadRequest {
            id: None,
            problem: Problem::new(ErrorCode::BadFrame, format!("This is no frame: {why}.")),
        };
        match value::decode_strict(codec, bytes).map_err(bad_frame)? {
            Value::Object(map) => Self::read(&map),
            _ => Err(bad_frame("it is not a map".into())),
        }
    }

    fn read(map: &Map<String, Value>) -> Result<Self, BadRequest> {
        let mut f = Fields::new(map);
        let is_announcement = map.get("type").and_then(Value::as_str) == Some("set_presence");
        let id = if is_announcement { f.optional("id", fields::integer(1)) } else { f.required("id", fields::integer(1)) };
        let refuse = |problem| BadRequest { id, problem };
        let Some(kind) = f.required("type", |v| v.as_str().map(str::to_owned).ok_or("must be text")) else {
            return Err(refuse(Problem::invalid(f.finish::<()>(None).err().unwrap_or_default())));
        };
        let Some(frame) = ClientFrame::read(&kind, &mut f) else {
            return Err(refuse(Problem::new(ErrorCode::UnknownType, format!("This hub knows no frame of type {kind:?}."))));
        };
        f.finish(frame.known()).map(|frame| Self { id, frame }).map_err(|errors: FieldErrors| refuse(Problem::invalid(errors)))
    }

    /// Writes the request: for load drivers and tests.
    pub fn encode(&self, codec: Codec) -> Vec<u8> {
        codec.encode(self)
    }
}
