//! What was seen of one ticket that several people work on at once: its log, and what every device asked, was told and was
//! shown, in order of arrival. Plain data for the checks; reading it off the wire is `read`'s matter.

use hub_core::ids::{CommandKey, TicketId, UserId};
use hub_core::wire::{ActorKind, Audience, ErrorCode};

use super::super::history::View;

/// One ticket and everybody who worked on it.
#[derive(Clone, Debug)]
pub struct Room {
    /// Which.
    pub id: TicketId,
    /// The log in the ticket's numbering, read from scratch after the run.
    pub log: Vec<Entry>,
    /// The head before the first command of the run.
    pub before: u64,
    /// Every device at it: one place of one person, whatever connections it had.
    pub devices: Vec<Device>,
    /// When the run ended, in microseconds since it began.
    pub ended_us: u64,
    /// How late answers were in the whole run, at the 99th percentile, in microseconds: what is to be so at once is judged by it,
    /// as a machine that is late with every answer is late with that, too.
    pub lag_us: u64,
}

/// One event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// When, in microseconds since the run began; what is older is 0.
    pub at_us: u64,
    /// In which capacity.
    pub kind: ActorKind,
    /// Who; none for the system.
    pub by: Option<UserId>,
    /// The intent, on its first event.
    pub key: Option<CommandKey>,
    /// Digest of the whole content.
    pub digest: u64,
    /// What, as far as the checks ask.
    pub what: What,
}

/// What happened, as far as the checks ask; by the protocol's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Reply { audience: Audience, body: String, forced: bool, held_key: Option<CommandKey> },
    Status { forced: bool },
    Held { audience: Audience, body: String, based_on: Option<u64>, forced: bool, release_at_us: u64 },
    HeldCancelled { held_key: CommandKey },
    HandedOver { to: Option<UserId>, draft: Option<String> },
    Acknowledged,
    Taken { by: UserId, from: Option<UserId> },
    Released { by: UserId },
    Expired { by: UserId },
    Other(String),
}

impl Entry {
    /// True for a public reply or a change of status: what nobody may overlook.
    pub const fn is_public_deed(&self) -> bool {
        matches!(self.what, What::Reply { audience: Audience::Public, .. } | What::Status { .. })
    }

    /// The text that it keeps.
    pub fn text(&self) -> Option<&str> {
        match &self.what {
            What::Reply { body, .. } | What::Held { body, .. } => Some(body),
            What::HandedOver { draft, .. } => draft.as_deref(),
            What::Status { .. }
            | What::HeldCancelled { .. }
            | What::Acknowledged
            | What::Taken { .. }
            | What::Released { .. }
            | What::Expired { .. }
            | What::Other(_) => None,
        }
    }
}

/// One place of one person.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whose.
    pub user: UserId,
    /// As what.
    pub view: View,
    /// What it asked, was told and was shown, in that order.
    pub moments: Vec<Moment>,
    /// Frames it could not read or did not expect, in words.
    pub oddities: Vec<String>,
}

/// One thing, and when.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Microseconds since the run began.
    pub at_us: u64,
    /// What.
    pub seen: Seen,
}

/// What a device did or was shown.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It put a frame on the wire; without `id` it wants no answer. Numbers are never used twice.
    Asked {
        /// The request number.
        id: Option<u64>,
        /// What.
        ask: Ask,
    },
    /// It got an answer.
    Answered {
        /// To which request.
        id: u64,
        /// Which.
        answer: Answer,
    },
    /// The topic is subscribed: what is so right now.
    Joined {
        /// The head.
        seq: u64,
        /// Replaces all that was ephemeral.
        live: Live,
    },
    /// An event of the topic.
    Event {
        /// Its number in this view.
        seq: u64,
    },
    /// Something is so right now.
    Signal(Sign),
    /// It left the topic: acked, on a connection that goes on.
    Left,
    /// Its connection is gone.
    Lost,
}

/// What is asked, by the protocol's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Subscribe,
    Leave,
    Post { key: CommandKey, audience: Audience, body: String, based_on: Option<u64>, force: bool, hold_ms: u64 },
    Status { key: CommandKey, based_on: Option<u64>, force: bool },
    CancelHeld { key: CommandKey, held_key: CommandKey },
    HandOver { key: CommandKey, to: Option<UserId>, with_draft: bool },
    Acknowledge { key: CommandKey },
    Other { key: CommandKey, kind: &'static str },
    TakeClaim { force: bool },
    ReleaseClaim { force: bool },
    SaveDraft { audience: Audience, revision: u64, body: String },
    Discard { audience: Audience },
    Presence { state: State, audience: Option<Audience> },
}

impl Ask {
    /// The intent, where the ask carries one.
    pub const fn key(&self) -> Option<CommandKey> {
        match self {
            Self::Post { key, .. }
            | Self::Status { key, .. }
            | Self::CancelHeld { key, .. }
            | Self::HandOver { key, .. }
            | Self::Acknowledge { key }
            | Self::Other { key, .. } => Some(*key),
            Self::Subscribe
            | Self::Leave
            | Self::TakeClaim { .. }
            | Self::ReleaseClaim { .. }
            | Self::SaveDraft { .. }
            | Self::Discard { .. }
            | Self::Presence { .. } => None,
        }
    }

    /// What to count it as.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Leave => "leave",
            Self::Post { hold_ms: 1.., .. } => "hold",
            Self::Post { force: true, .. } => "reply_forced",
            Self::Post { audience: Audience::Public, .. } => "reply",
            Self::Post { audience: Audience::Internal, .. } => "note",
            Self::Status { .. } => "change_status",
            Self::CancelHeld { .. } => "cancel_held",
            Self::HandOver { with_draft: true, .. } => "hand_over_with_draft",
            Self::HandOver { .. } => "hand_over",
            Self::Acknowledge { .. } => "acknowledge_handoff",
            Self::Other { kind, .. } => kind,
            Self::TakeClaim { force: true } => "take_over_claim",
            Self::TakeClaim { .. } => "take_claim",
            Self::ReleaseClaim { .. } => "release_claim",
            Self::SaveDraft { .. } => "save_draft",
            Self::Discard { .. } => "discard_draft",
            Self::Presence { state: State::Composing, .. } => "compose",
            Self::Presence { .. } => "presence",
        }
    }
}

/// What somebody is doing at a ticket, by the protocol's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Viewing,
    Composing,
    Idle,
}

/// What the hub said to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Acked {
        /// The number of the event that carries the key.
        seq: Option<u64>,
        /// `result.revision` of a saved draft.
        revision: Option<u64>,
    },
    /// Not done; with `unavailable`, unknown.
    Refused {
        /// Why.
        code: ErrorCode,
        /// When to try again.
        retry_after_ms: Option<u64>,
        /// `detail.events` of `stale`: number and digest; none when there are none, or too many.
        events: Option<Vec<(u64, u64)>>,
        /// `detail.reset`: the events are too many.
        is_reset: bool,
        /// `detail.by` of `claimed`.
        by: Option<UserId>,
        /// `detail.draft` of a draft that is `stale`; none when the field is missing, null when it was deleted.
        draft: Option<Option<DraftSeen>>,
    },
}

/// All that is ephemeral on a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Who is there.
    pub presence: Vec<Present>,
    /// Who holds the claim, and until when.
    pub claim: Option<ClaimSeen>,
    /// My drafts.
    pub drafts: Vec<DraftSeen>,
    /// For customers: whether support is composing.
    pub is_support_composing: bool,
}

/// What is so right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Who is there: the whole set.
    Presence(Vec<Present>),
    /// For customers: whether support is composing.
    Support(bool),
    /// Who holds the claim.
    Claim(Option<ClaimSeen>),
    /// One of my drafts changed on another device; none when it is gone.
    DraftChanged(Audience, Option<DraftSeen>),
    /// Something customers are never told, in words.
    Secret(String),
    /// Anything else.
    Other,
}

/// Somebody who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub user: UserId,
    /// Doing what.
    pub state: State,
    /// For whom, when composing.
    pub audience: Option<Audience>,
    /// The connection is lost, and may come back.
    pub is_lost: bool,
}

/// A claim as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimSeen {
    /// Whose.
    pub by: UserId,
    /// Until when, in database time.
    pub until_ms: i64,
}

/// A draft as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftSeen {
    /// For whom.
    pub audience: Audience,
    /// Counts up for ever.
    pub revision: u64,
    /// The text.
    pub body: String,
}
