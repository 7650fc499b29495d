//! What is so right now at a ticket or in a workspace, and is kept nowhere: who is here, who is answering, what I am writing.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::event::{ActorKind, Audience};
use super::ticket::PersonRef;
use crate::ids::UserId;
use crate::time::UnixMs;

/// What somebody does at a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Has it open and is elsewhere.
    Idle,
    /// Looks at it.
    Viewing,
    /// Writes.
    Composing,
}

impl FromStr for Activity {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "idle" => Ok(Self::Idle),
            "viewing" => Ok(Self::Viewing),
            "composing" => Ok(Self::Composing),
            _ => Err(()),
        }
    }
}

/// Somebody at a ticket, over all tabs and devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Presence {
    /// Who.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// `agent` or `customer`.
    pub kind: ActorKind,
    /// What this person does, at the tab where most is done.
    pub state: Activity,
    /// Composing: for whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub audience: Option<Audience>,
    /// Which field this person has open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub field: Option<String>,
    /// Since when.
    pub since: UnixMs,
    /// The connection broke; gone in a moment, unless it comes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub lost: bool,
}

/// What a customer is told of those who help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Somebody writes an answer.
    Composing,
}

/// Who is answering the customer: a lease, never a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Claim {
    /// Who.
    pub by: PersonRef,
    /// When it ends, unless it is renewed.
    pub until: UnixMs,
    /// Since when.
    pub since: UnixMs,
}

/// What I am writing, as the hub has stored it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Draft {
    /// Who is to read it.
    pub audience: Audience,
    /// Counts every change, for ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub revision: u64,
    /// Markdown.
    pub body: String,
    /// The last `seq` that its author had seen.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub based_on: u64,
    /// When it was last changed.
    pub updated_at: UnixMs,
    /// Who wrote it: who began it first, then who went on.
    pub authors: Vec<PersonRef>,
}

/// Somebody of the staff who is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Online {
    /// Who.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// What this person is here for.
    pub state: Availability,
}

/// Whether somebody takes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Here.
    Available,
    /// Here, and takes no work.
    Away,
}
