//! What a client says, and how it is read: form is judged here, before anything else.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::event::Audience;
use super::fields::{self, FieldErrors, Fields};
use super::ticket::Priority;
use super::topic::Topic;
use super::{Codec, ErrorCode, MAX_BODY_BYTES, Problem, value};
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
    /// I have read a ticket up to here.
    MarkRead {
        /// Which ticket.
        ticket_id: TicketId,
        /// The last event read, in my numbering; a lower one than before changes nothing.
        seq: u64,
    },
}

/// A client frame with the client's request number.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The client's own number, echoed in the one answer.
    pub id: u64,
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
        let id = f.required("id", fields::integer(1));
        let refuse = |problem| BadRequest { id, problem };
        let Some(kind) = f.required("type", |v| v.as_str().map(str::to_owned).ok_or("must be text")) else {
            return Err(refuse(Problem::invalid(f.finish::<()>(None).err().unwrap_or_default())));
        };
        let Some(frame) = ClientFrame::read(&kind, &mut f) else {
            return Err(refuse(Problem::new(ErrorCode::UnknownType, format!("This hub knows no frame of type {kind:?}."))));
        };
        let both = id.zip(frame.known());
        f.finish(both).map(|(id, frame)| Self { id, frame }).map_err(|errors: FieldErrors| refuse(Problem::invalid(errors)))
    }

    /// Writes the request: for load drivers and tests.
    pub fn encode(&self, codec: Codec) -> Vec<u8> {
        codec.encode(self)
    }
}

/// A frame whose type is known and whose fields may have been refused.
enum Read {
    Frame(ClientFrame),
    Refused,
}

impl Read {
    fn known(self) -> Option<ClientFrame> {
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
    fn read(kind: &str, f: &mut Fields<'_>) -> Option<Read> {
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
    let ReplyFields { body, audience, based_on, force, then_status, mention_ids } = reply?;
    Some(ClientFrame::PostReply { key, ticket_id, body, audience, based_on, force, then_status, mention_ids })
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
        if f.optional("hold_ms", fields::integer(0)).is_some_and(|ms| ms > 0) {
            f.complain("hold_ms", "holding a reply back is not offered by this hub");
        }
        Some(Self { body: body?, audience: audience?, based_on, force, then_status, mention_ids })
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
    Some(ClientFrame::MarkRead { ticket_id: ticket_id?, seq: seq? })
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Counted entries first: MessagePack writes the length of a map before its entries.
        let Value::Object(map) = to_map(self).map_err(serde::ser::Error::custom)? else {
            return Err(serde::ser::Error::custom("a request is a map"));
        };
        map.serialize(serializer)
    }
}

fn to_map(request: &Request) -> Result<Value, serde_json::Error> {
    use serde_json::json;
    let mut map = match &request.frame {
        ClientFrame::Hello { protocol, token, client } => {
            json!({"type": "hello", "protocol": protocol, "token": token, "client": client})
        }
        ClientFrame::Subscribe { topic, resume } => {
            let (after, stream) = resume.unzip();
            json!({"type": "subscribe", "topic": topic, "after": after, "stream": stream})
        }
        ClientFrame::Unsubscribe { topic } => json!({"type": "unsubscribe", "topic": topic}),
        ClientFrame::Ping => json!({"type": "ping"}),
        ClientFrame::PostReply { key, ticket_id, body, audience, based_on, force, then_status, mention_ids } => json!({
            "type": "post_reply", "key": key, "ticket_id": ticket_id, "body": body, "audience": audience,
            "based_on": based_on, "force": force.then_some(true), "then_status": then_status,
            "mention_ids": (!mention_ids.is_empty()).then_some(mention_ids),
        }),
        ClientFrame::ChangeStatus { key, ticket_id, status, based_on, note, force } => json!({
            "type": "change_status", "key": key, "ticket_id": ticket_id, "status": status,
            "based_on": based_on, "note": note, "force": force.then_some(true),
        }),
        ClientFrame::MarkRead { ticket_id, seq } => json!({"type": "mark_read", "ticket_id": ticket_id, "seq": seq}),
        ClientFrame::Assign { .. } | ClientFrame::UpdateTicket { .. } => json!({}),
    };
    let fields = map.as_object_mut().expect("written as a map above");
    fields.retain(|_, value| !value.is_null());
    // In these two, null is not absence.
    match &request.frame {
        ClientFrame::Assign { key, ticket_id, assignee_id, team_id } => {
            *fields = object(json!({"type": "assign", "key": key, "ticket_id": ticket_id, "assignee_id": assignee_id}));
            if !team_id.is_keep() {
                fields.insert("team_id".into(), serde_json::to_value(team_id)?);
            }
        }
        ClientFrame::UpdateTicket { key, ticket_id, based_on, patches } => {
            *fields = object(serde_json::to_value(patches)?);
            fields.extend(object(json!({"type": "update_ticket", "key": key, "ticket_id": ticket_id, "based_on": based_on})));
        }
        ClientFrame::Hello { .. }
        | ClientFrame::Subscribe { .. }
        | ClientFrame::Unsubscribe { .. }
        | ClientFrame::Ping
        | ClientFrame::PostReply { .. }
        | ClientFrame::ChangeStatus { .. }
        | ClientFrame::MarkRead { .. } => {}
    }
    fields.insert("id".into(), request.id.into());
    Ok(map)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
