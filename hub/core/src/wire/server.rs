//! What the hub says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{ErrorCode, Problem};
use super::event::{Actor, Audience, Event, EventRecord};
use super::live::{Claim, Draft, Online, Presence, Support};
use super::ticket::{PersonRef, TicketView};
use super::topic::Topic;
use crate::ids::{CommandKey, SessionId, StreamId, TicketId, UserId, WorkspaceId};
use crate::rules::permissions::Role;
use crate::rules::workflow::Workflow;
use crate::time::UnixMs;

/// One frame of the hub. Every client frame with an `id` gets exactly one answer that carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `hello`.
    Welcome {
        /// Of the `hello`.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        id: u64,
        /// This sign-in.
        session_id: SessionId,
        /// Who I am.
        user: Me,
        /// Where I am.
        workspace: WorkspaceInfo,
        /// Which node answers.
        node: String,
        /// Database time, to correct the client's clock by.
        server_time: UnixMs,
        /// How often the hub pings.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        heartbeat_ms: u64,
        /// What is refused above.
        limits: Limits,
    },
    /// The answer to `subscribe`; without `id` when the hub itself resynchronises a topic.
    /// Either `events` (exactly `after + 1 … seq`) or `reset` with `snapshot`.
    Subscribed {
        /// Of the `subscribe`; absent when the hub began it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
        id: Option<u64>,
        /// What is watched.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        topic: Topic,
        /// The life of the log that `seq` counts in.
        stream: StreamId,
        /// The head: the number of the topic's last event.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        seq: u64,
        /// Replaces all ephemeral state the client had of the topic.
        live: Live,
        /// What came after the client's `after`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        events: Option<Vec<EventRecord>>,
        /// True when the client must start over from `snapshot`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        reset: Option<bool>,
        /// The topic as it stands at `seq`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        snapshot: Option<Snapshot>,
    },
    /// The hub ended a subscription.
    Unsubscribed {
        /// What was watched.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        topic: Topic,
        /// Why.
        code: ErrorCode,
    },
    /// Something happened. Durable, in order, without a gap.
    Event {
        /// Where.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        topic: Topic,
        /// Its number in the topic.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        seq: u64,
        /// When.
        at: UnixMs,
        /// Who.
        by: Actor,
        /// Of the intent that caused it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        key: Option<CommandKey>,
        /// What.
        event: Event,
    },
    /// Something is so right now. The latest wins per type and subject.
    Signal {
        /// Where.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        topic: Topic,
        /// What.
        signal: Signal,
    },
    /// Done: durable where it has a `seq`.
    Ack {
        /// Of the client's frame.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        id: u64,
        /// The number of the event that carries the intent's key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
        seq: Option<u64>,
        /// Facts, by kind of intent.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<std::collections::HashMap<String, serde_json::Value>>"))]
        result: Map<String, Value>,
    },
    /// Not done.
    Error {
        /// Of the client's frame, when it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
        id: Option<u64>,
        /// What clients branch on.
        code: ErrorCode,
        /// One sentence for people.
        message: String,
        /// When to try again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
        retry_after_ms: Option<u64>,
        /// Facts, by code.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<std::collections::HashMap<String, serde_json::Value>>"))]
        detail: Map<String, Value>,
    },
    /// The answer to `ping`.
    Pong {
        /// Of the `ping`.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        id: u64,
        /// Database time.
        server_time: UnixMs,
    },
    /// The hub is about to close.
    Goodbye {
        /// In words.
        reason: String,
        /// Wait this long before coming back.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        reconnect_after_ms: u64,
    },
}

impl ServerFrame {
    /// A refusal as a frame.
    pub fn error(id: Option<u64>, problem: Problem) -> Self {
        let Problem { code, message, retry_after_ms, detail } = problem;
        Self::Error { id, code, message, retry_after_ms, detail }
    }

    /// An event as a frame of its topic.
    pub fn event(topic: Topic, record: EventRecord) -> Self {
        let EventRecord { seq, at, by, key, event } = record;
        Self::Event { topic, seq, at, by, key, event }
    }
}

/// The signed-in person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Me {
    /// Who.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// The address signed in with.
    pub email: String,
    /// What this person may do.
    pub role: Role,
}

/// The workspace of the signed-in person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WorkspaceInfo {
    /// Which.
    pub id: WorkspaceId,
    /// Its short name at sign-in.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its statuses and moves.
    pub workflow: Workflow,
}

/// What the hub refuses above, told so that clients need not guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Limits {
    /// Bytes of one message of a client, fragments together. More closes with 4413.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub message_bytes: u64,
    /// Bytes of a `body`, in UTF-8. More is `too_large`.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub body_bytes: u64,
    /// Maps and lists within each other in a message. More is `bad_frame`.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub depth: u64,
    /// Topics watched at once by one socket. More is `limit_reached`.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub subscriptions: u64,
    /// Commands of one socket that may wait for their answers. More is `busy`.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub commands_in_flight: u64,
}

/// The ephemeral state of a topic. Empty lists where there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Live {
    /// Who is here: staff see everybody, customers nobody.
    pub presence: Vec<Presence>,
    /// For customers: whether somebody writes an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub support: Option<Support>,
    /// Who holds the claim, or nobody. Staff only.
    pub claim: Option<Claim>,
    /// My drafts.
    pub drafts: Vec<Draft>,
    /// Deadlines.
    pub clocks: Vec<Value>,
    /// Of `workspace`: who of the staff is here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<Online>>"))]
    pub people: Vec<Online>,
    /// Of `me`: how far I have read the tickets of my newest notifications, on any device. A ticket that is not named here is
    /// unread from its beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<ReadCursor>>"))]
    pub read: Vec<ReadCursor>,
}

/// How far I have read a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ReadCursor {
    /// Which.
    pub ticket_id: TicketId,
    /// The last event read, in my numbering. Never goes back.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seq: u64,
}

/// A topic as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Snapshot {
    /// Of `ticket:` and `thread:`: the newest events up to the size limit; older ones by REST (`before`).
    Ticket {
        /// At `seq`.
        ticket: TicketView,
        /// Oldest first, without a gap, up to `seq`.
        events: Vec<EventRecord>,
    },
    /// Of `workspace`.
    Workspace {
        /// The staff that can be assigned, by name.
        people: Vec<PersonRef>,
        /// The teams, by name.
        teams: Vec<TeamRef>,
    },
    /// Of `me`: my newest notifications; older ones by REST (`before`).
    Me {
        /// Oldest first, without a gap, up to `seq`.
        events: Vec<EventRecord>,
    },
}

/// A team by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct TeamRef {
    /// Which.
    pub id: crate::ids::TeamId,
    /// The name to show.
    pub name: String,
}

/// What is so right now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Signal {
    /// A row of the workspace's lists changed, or is new.
    TicketChanged {
        /// The row; `description` is cut as in lists.
        ticket: Box<super::ticket::AgentTicket>,
        /// Who changed it last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        by: Option<Actor>,
        /// By what: the type of the event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        what: Option<String>,
    },
    /// A row left what I may see.
    TicketLeft {
        /// Which.
        ticket_id: TicketId,
        /// Why.
        why: String,
    },
    /// Who is at a ticket: the whole set, gathered for at most a tenth of a second.
    Presence(PresenceSignal),
    /// The claim was renewed; both null when nobody has it.
    Claim {
        /// Who has it.
        by: Option<PersonRef>,
        /// When it ends, unless it is renewed.
        until: Option<UnixMs>,
    },
    /// A colleague has begun a draft, or has none any longer. Never its text.
    Draft {
        /// Whose.
        by: PersonRef,
        /// Who is to read it.
        audience: Audience,
        /// Since when; null when it is gone.
        since: Option<UnixMs>,
    },
    /// Of `me`: a draft of mine is now so, on any device.
    DraftChanged {
        /// Of which ticket.
        ticket_id: TicketId,
        /// Of which audience.
        audience: Audience,
        /// As it is stored; null when it is gone.
        draft: Option<Draft>,
    },
    /// Of `workspace`: how many tickets there are, as far as I may see them.
    Counters {
        /// Neither resolved nor closed.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        open: u64,
        /// Of these: nobody works on them.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        unassigned: u64,
        /// Of these: mine.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        mine: u64,
    },
    /// Of `workspace`: who of the staff is here. The whole set.
    People {
        /// By name.
        people: Vec<Online>,
    },
    /// Of `me`: I have read a ticket, here or on another device.
    Read {
        /// Which.
        ticket_id: TicketId,
        /// The last event read, in my numbering.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        seq: u64,
        /// What comes after was marked as unread again: also where that is less than before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
        back: bool,
    },
}

/// Who is at a ticket, as far as the reader is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(untagged)]
pub enum PresenceSignal {
    /// For staff: everybody.
    Staff {
        /// On `workspace`: at which ticket.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        ticket_id: Option<TicketId>,
        /// Who.
        users: Vec<Presence>,
    },
    /// For customers: no more than whether somebody writes an answer.
    Customer {
        /// Null when nobody does.
        support: Option<Support>,
    },
}
