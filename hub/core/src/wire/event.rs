//! What happened to a ticket, as clients see it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ticket::{HandoffDraft, PersonRef};
use crate::ids::{CommandKey, TeamId, TicketId, UserId};
use crate::time::UnixMs;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Actor {
    /// In which capacity.
    pub kind: ActorKind,
    /// The person; absent for the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub id: Option<UserId>,
    /// The name at that time.
    pub name: String,
}

/// In which capacity somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Somebody of the workspace's staff.
    Agent,
    /// Somebody who asks for help.
    Customer,
    /// The hub itself: timers, rules.
    System,
    /// A program with an API key.
    ApiKey,
}

/// Who is to read a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The customer too.
    Public,
    /// Agents only: a note.
    Internal,
}

impl Audience {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
        }
    }
}

impl FromStr for Audience {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "public" => Ok(Self::Public),
            "internal" => Ok(Self::Internal),
            _ => Err(()),
        }
    }
}

/// Where a ticket came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The console or the portal.
    Web,
    /// A program.
    Api,
    /// A mail.
    Email,
    /// The widget on a customer's page.
    Widget,
    /// A form of the service catalog.
    Catalog,
}

/// One thing that happened. The fields a client may rely on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The first event of every ticket.
    TicketCreated {
        /// One line.
        title: String,
        /// The first message, Markdown.
        description: String,
        /// Where it came from.
        source: Source,
        /// Its number in the workspace, without the prefix.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        number: u64,
        /// Where the workflow begins.
        status: String,
        /// How much it matters; not told to customers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        priority: Option<super::Priority>,
    },
    /// A reply or an internal note.
    ReplyPosted {
        /// Markdown. Cut to the body limit when `truncated`.
        body: String,
        /// Who is to read it.
        audience: Audience,
        /// Files; always present, may be empty.
        attachments: Vec<Value>,
        /// Colleagues it calls for; not told to customers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<UserId>>"))]
        mentions: Vec<UserId>,
        /// Sent although something came in between.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        forced: Option<bool>,
        /// Written without having seen a public reply or status change by someone else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        missed: Option<bool>,
        /// The stored body is longer; it is whole by REST.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        truncated: Option<bool>,
        /// Who wrote it, where that was not its sender alone: who began it first, then who went on. Not told to customers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<PersonRef>>"))]
        draft_authors: Vec<PersonRef>,
        /// It was held back: the key of the `post_reply` that began it. Not told to customers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        held_key: Option<CommandKey>,
    },
    /// A reply that is held back, and may be taken back until `release_at`. `key` is that of the reply.
    ReplyHeld {
        /// Markdown.
        body: String,
        /// Who is to read it.
        audience: Audience,
        /// Colleagues it calls for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<UserId>>"))]
        mentions: Vec<UserId>,
        /// A status to move to in the same step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        then_status: Option<String>,
        /// What its author had seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
        based_on: Option<u64>,
        /// To be sent although something came in between.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        forced: Option<bool>,
        /// When it goes out.
        release_at: UnixMs,
        /// Who wrote it, where that was not its sender alone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<PersonRef>>"))]
        draft_authors: Vec<PersonRef>,
    },
    /// A held reply did not go out; its text is its author's draft again.
    HeldCancelled {
        /// The key of the `post_reply` that was held.
        held_key: CommandKey,
        /// Why the hub did not send it: `stale`, `claimed` or another code; absent when its author took it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        why: Option<super::ErrorCode>,
    },
    /// The ticket moved in its workflow.
    StatusChanged {
        /// The status it had.
        from: String,
        /// The status it has.
        to: String,
        /// A reason for colleagues.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        note: Option<String>,
        /// Changed although something came in between.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        forced: Option<bool>,
    },
    /// Who is to work on it.
    Assigned {
        /// The agent, or nobody.
        assignee_id: Option<UserId>,
        /// The team, or none.
        team_id: Option<TeamId>,
    },
    /// Somebody gave the ticket to a colleague or a team. Pinned until it is acknowledged.
    HandedOver {
        /// Who gave it.
        from_id: UserId,
        /// The colleague, or nobody in particular.
        to_id: Option<UserId>,
        /// The team, or none.
        to_team_id: Option<TeamId>,
        /// What the next one has to know.
        note: String,
        /// A draft that comes along.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        draft: Option<HandoffDraft>,
    },
    /// What was handed over was seen by whoever goes on.
    HandoffAcknowledged {},
    /// Tags came and went.
    TagsChanged {
        /// Those that are there now and were not; sorted.
        added: Vec<String>,
        /// Those that were there and are not; sorted.
        removed: Vec<String>,
    },
    /// Somebody is answering the customer.
    ClaimTaken {
        /// Who.
        by: PersonRef,
        /// When the lease ends, unless it is renewed.
        until: UnixMs,
        /// Who had it before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        from: Option<PersonRef>,
    },
    /// Nobody is answering any longer.
    ClaimReleased {
        /// Whose claim it was.
        by: PersonRef,
    },
    /// Nobody is answering any longer: the lease ran out.
    ClaimExpired {
        /// Whose claim it was.
        by: PersonRef,
    },
    /// Somebody follows the ticket, or no longer.
    Watched {
        /// Who.
        user_id: UserId,
        /// Whether.
        on: bool,
    },
    /// One field has another value.
    FieldChanged {
        /// `title`, `priority`, `urgency`, `category_id`, `custom`, `due_at` or `scheduled_at`.
        field: String,
        /// The value it had; null for none.
        from: Value,
        /// The value it has; null for none.
        to: Value,
    },
    /// The intent asked for what was so already.
    NothingChanged {},
    /// Only in `me`, never in a ticket: something happened that concerns me. `by` and `at` are those of what happened.
    Notified {
        /// Why I am told.
        reason: Reason,
        /// Of which ticket.
        ticket_id: TicketId,
        /// The number people say, with its prefix.
        number: String,
        /// The ticket's title.
        title: String,
        /// The event that I am told of, in my numbering of the ticket: read once my cursor is there.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        ticket_seq: u64,
        /// How its text begins, on one line; only where it has a text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        excerpt: Option<String>,
    },
}

impl Event {
    /// The type, as it stands on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TicketCreated { .. } => "ticket_created",
            Self::ReplyPosted { .. } => "reply_posted",
            Self::ReplyHeld { .. } => "reply_held",
            Self::HeldCancelled { .. } => "held_cancelled",
            Self::StatusChanged { .. } => "status_changed",
            Self::Assigned { .. } => "assigned",
            Self::HandedOver { .. } => "handed_over",
            Self::HandoffAcknowledged { .. } => "handoff_acknowledged",
            Self::TagsChanged { .. } => "tags_changed",
            Self::ClaimTaken { .. } => "claim_taken",
            Self::ClaimReleased { .. } => "claim_released",
            Self::ClaimExpired { .. } => "claim_expired",
            Self::Watched { .. } => "watched",
            Self::FieldChanged { .. } => "field_changed",
            Self::NothingChanged { .. } => "nothing_changed",
            Self::Notified { .. } => "notified",
        }
    }
}

/// Why somebody is told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The ticket was given to me.
    Assigned,
    /// A reply or note calls for me.
    Mentioned,
    /// Somebody wrote on a ticket that is mine: given to me, or asked by me.
    Replied,
    /// The ticket was handed over to me.
    HandedOver,
    /// Somebody wrote on a ticket that I follow.
    Watched,
    /// A reply of mine that was held back did not go out: it is my draft again.
    NotSent,
    /// Somebody took over my claim.
    ClaimTaken,
}

impl Reason {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Mentioned => "mentioned",
            Self::Replied => "replied",
            Self::HandedOver => "handed_over",
            Self::Watched => "watched",
            Self::NotSent => "not_sent",
            Self::ClaimTaken => "claim_taken",
        }
    }

    /// Every reason.
    pub const ALL: [Self; 7] =
        [Self::Assigned, Self::Mentioned, Self::Replied, Self::HandedOver, Self::Watched, Self::NotSent, Self::ClaimTaken];
}

impl FromStr for Reason {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|reason| reason.name() == text).ok_or(())
    }
}

/// One event with its place in the log, in the numbering of the reader's topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct EventRecord {
    /// 1, 2, 3… without a gap within its topic.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seq: u64,
    /// When, in database time. Never goes back within a ticket.
    pub at: UnixMs,
    /// Who.
    pub by: Actor,
    /// The intent that caused it, on that intent's first event: tells a client that it is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub key: Option<CommandKey>,
    /// What.
    pub event: Event,
}
