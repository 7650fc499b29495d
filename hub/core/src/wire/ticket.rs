//! A ticket as clients see it: agents everything, customers the public part.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Audience, Source};
use crate::ids::{CategoryId, CommandKey, TeamId, TicketId, UserId};
use crate::time::UnixMs;

/// A person by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PersonRef {
    /// Who.
    pub id: UserId,
    /// The name to show.
    pub name: String,
}

/// How much it matters; P1 is the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Priority {
    P1,
    P2,
    P3,
    P4,
}

impl Priority {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P1 => "p1",
            Self::P2 => "p2",
            Self::P3 => "p3",
            Self::P4 => "p4",
        }
    }
}

impl FromStr for Priority {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::P1, Self::P2, Self::P3, Self::P4].into_iter().find(|p| p.name() == text).ok_or(())
    }
}

/// A ticket as agents see it. `seq` counts all events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AgentTicket {
    /// The ticket.
    pub id: TicketId,
    /// Prefix and number, such as `TKT-1234`.
    pub number: String,
    /// One line.
    pub title: String,
    /// The first message, Markdown. Cut to 280 characters in lists.
    pub description: String,
    /// A status of the workspace's workflow.
    pub status: String,
    /// How much it matters.
    pub priority: Priority,
    /// How soon it matters: `low`, `normal`, `high`.
    pub urgency: String,
    /// Its category, or none.
    pub category_id: Option<CategoryId>,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// The workspace's own fields.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, unknown>"))]
    pub custom: Map<String, Value>,
    /// Who asked.
    pub requester: PersonRef,
    /// Who works on it, or nobody.
    pub assignee_id: Option<UserId>,
    /// Which team works on it, or none.
    pub team_id: Option<TeamId>,
    /// Where it came from.
    pub source: Source,
    /// When it is to be done.
    pub due_at: Option<UnixMs>,
    /// When work is planned.
    pub scheduled_at: Option<UnixMs>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When its last event happened.
    pub updated_at: UnixMs,
    /// Those who follow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<UserId>>"))]
    pub watcher_ids: Vec<UserId>,
    /// What was handed over and is not acknowledged yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub handoff: Option<Handoff>,
    /// Replies that are held back; left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<Held>>"))]
    pub held: Vec<Held>,
    /// The number of its last event.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seq: u64,
}

/// A ticket was handed over: pinned until it is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Handoff {
    /// Who gave it.
    pub from: PersonRef,
    /// The colleague who is to go on, or nobody in particular.
    pub to_id: Option<UserId>,
    /// The team that is to go on, or none.
    pub to_team_id: Option<TeamId>,
    /// What the next one has to know.
    pub note: String,
    /// A draft that comes along: becomes that of whoever acknowledges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub draft: Option<HandoffDraft>,
    /// When.
    pub at: UnixMs,
}

/// A draft that is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HandoffDraft {
    /// Markdown.
    pub body: String,
    /// The last `seq` that its author had seen.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub based_on: u64,
    /// Who wrote it: who began it first, then who went on.
    pub authors: Vec<PersonRef>,
}

/// A reply that is held back, to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Held {
    /// The key of its `post_reply`.
    pub key: CommandKey,
    /// Who wrote it.
    pub by: PersonRef,
    /// Markdown.
    pub body: String,
    /// Who is to read it.
    pub audience: Audience,
    /// Colleagues it calls for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<UserId>>"))]
    pub mentions: Vec<UserId>,
    /// A status to move to in the same step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub then_status: Option<String>,
    /// What its author had seen; it is judged by that again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub based_on: Option<u64>,
    /// To be sent although something came in between.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub forced: bool,
    /// Who wrote its draft, where that was not its sender alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<PersonRef>>"))]
    pub draft_authors: Vec<PersonRef>,
    /// When it goes out.
    pub release_at: UnixMs,
}

/// A ticket as its customer sees it. `seq` counts the events of the thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CustomerTicket {
    /// The ticket.
    pub id: TicketId,
    /// Prefix and number, such as `TKT-1234`.
    pub number: String,
    /// One line.
    pub title: String,
    /// The first message, Markdown. Cut to 280 characters in lists.
    pub description: String,
    /// A status of the workspace's workflow.
    pub status: String,
    /// Who asked.
    pub requester: PersonRef,
    /// Where it came from.
    pub source: Source,
    /// When it was made.
    pub created_at: UnixMs,
    /// When the last event of the thread happened.
    pub updated_at: UnixMs,
    /// The number of the thread's last event.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seq: u64,
}

/// A ticket in the view of whoever asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(untagged)]
pub enum TicketView {
    /// Everything.
    Agent(Box<AgentTicket>),
    /// The public part.
    Customer(Box<CustomerTicket>),
}

impl TicketView {
    /// The number of the last event in this view's numbering: the ETag of REST.
    pub const fn seq(&self) -> u64 {
        match self {
            Self::Agent(ticket) => ticket.seq,
            Self::Customer(ticket) => ticket.seq,
        }
    }
}
