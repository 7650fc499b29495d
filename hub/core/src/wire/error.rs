//! What can go wrong, as closed sets that clients branch on.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::Complaint;

/// Why a frame or request was not carried out. `unavailable`: the outcome is unknown. Every other code: nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Bytes that do not decode, hold a key twice, go on after the end, or nest too deep. Mend them: the tenth in a minute
    /// closes.
    BadFrame,
    /// A `type` this hub does not know.
    UnknownType,
    /// Wrong or missing fields; `detail.fields` names them, with reasons. Mend them.
    Invalid,
    /// Nobody is signed in, or the token is wrong, expired or revoked. Sign in.
    Unauthenticated,
    /// You see it, but may not do this.
    Forbidden,
    /// Does not exist, or is not yours to see: the two answer alike.
    NotFound,
    /// Something came in between; `detail.events` holds it. Look, then send again with the new `based_on`, or `force`.
    Stale,
    /// Somebody else holds the claim; `detail.by` and `detail.until` say who and how long.
    Claimed,
    /// The workflow does not allow this move.
    IllegalTransition,
    /// No more of these are allowed.
    LimitReached,
    /// Too often. Wait `retry_after_ms`.
    RateLimited,
    /// A field or body over its limit; `detail.fields` names them.
    TooLarge,
    /// No room right now; nothing happened. Wait `retry_after_ms`.
    Busy,
    /// The outcome is unknown. Send the same `key` again, after `retry_after_ms`.
    Unavailable,
    /// The hub speaks another protocol.
    UnsupportedVersion,
}

impl ErrorCode {
    /// Every code, in the order of the protocol reference.
    pub const ALL: [Self; 15] = [
        Self::BadFrame,
        Self::UnknownType,
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Stale,
        Self::Claimed,
        Self::IllegalTransition,
        Self::LimitReached,
        Self::RateLimited,
        Self::TooLarge,
        Self::Busy,
        Self::Unavailable,
        Self::UnsupportedVersion,
    ];
}

/// A refusal on its way to a client: the closed code, words for people, and facts for programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What clients branch on.
    pub code: ErrorCode,
    /// One sentence for people. Never a secret, never another tenant's data.
    pub message: String,
    /// When to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// `fields`, `events`, `by`, `until`, … by code.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
}

impl Problem {
    /// A problem with words only.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None, detail: Map::new() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub const fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// The one answer for what does not exist and what may not be seen: byte for byte alike.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is no such thing here.")
    }

    /// Wrong or missing fields: `invalid`; `too_large` where all that is wrong with them is their size.
    pub fn invalid(fields: super::fields::FieldErrors) -> Self {
        let only_too_large = !fields.is_empty() && fields.values().all(|complaint| matches!(complaint, Complaint::TooLarge(_)));
        let fields: Map<String, Value> = fields.into_iter().map(|(k, v)| (k, Value::String(v.into_words()))).collect();
        let (code, words) = if only_too_large {
            (ErrorCode::TooLarge, "Some fields are over their limit.")
        } else {
            (ErrorCode::Invalid, "Some fields are missing or wrong.")
        };
        Self::new(code, words).with("fields", fields)
    }

    /// One wrong field.
    pub fn invalid_field(name: &str, reason: impl Into<String>) -> Self {
        Self::invalid([(name.to_owned(), Complaint::Wrong(reason.into()))].into())
    }

    /// No room right now.
    pub fn busy(retry_after_ms: u64) -> Self {
        Self::new(ErrorCode::Busy, "The hub has no room for this right now. Nothing happened; try again shortly.")
            .retry_after_ms(retry_after_ms)
    }

    /// The outcome is unknown.
    pub fn unavailable() -> Self {
        Self::new(ErrorCode::Unavailable, "The hub cannot tell whether this took effect. Send it again with the same key.")
            .retry_after_ms(1_000)
    }
}

/// Why the hub closes a WebSocket, beyond the codes of RFC 6455.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    /// The hub restarts or has no room; `goodbye` with `reconnect_after_ms` comes before it where there is time.
    Drain,
    /// Not the protocol: first frame no `hello`, too many undecodable frames.
    ProtocolAbuse,
    /// Not signed in, expired or revoked, or no `hello` in time. Sign in before coming back.
    Unauthenticated,
    /// Two heartbeats missed.
    HeartbeatMissed,
    /// Does not read what it asked for. Best effort: who does not read at all sees 1006.
    TooSlow,
    /// A message over the limit.
    TooLarge,
    /// Too many connections or frames.
    TooMany,
}

impl CloseCode {
    /// Every code, in the order of the protocol reference.
    pub const ALL: [Self; 7] = [
        Self::Drain,
        Self::ProtocolAbuse,
        Self::Unauthenticated,
        Self::HeartbeatMissed,
        Self::TooSlow,
        Self::TooLarge,
        Self::TooMany,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::Drain => 1012,
            Self::ProtocolAbuse => 4400,
            Self::Unauthenticated => 4401,
            Self::HeartbeatMissed => 4408,
            Self::TooSlow => 4409,
            Self::TooLarge => 4413,
            Self::TooMany => 4429,
        }
    }
}
