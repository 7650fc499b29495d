//! What a client can watch.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ids::TicketId;

/// A topic, as text on the wire: `ticket:<id>`, `thread:<id>`, `me`, `workspace`, `radar`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// For staff: every event of the ticket. Customers get `not_found`.
    Ticket(TicketId),
    /// For the ticket's customer: the public events, with a numbering of their own, so that nothing internal shows, not even as a
    /// gap. Staff get `not_found`.
    Thread(TicketId),
    /// What concerns me, numbered for me alone: notifications, and by signals how far I have read, on any device.
    Me,
    /// For staff: changes of the ticket list, counters, who is here and who is at the rows of `watch_rows`. Signals only; `seq` is
    /// 0, always a snapshot `{people, teams}`.
    Workspace,
    /// Deadlines. This hub does not offer them yet: `not_found`.
    Radar,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ticket(id) => write!(f, "ticket:{id}"),
            Self::Thread(id) => write!(f, "thread:{id}"),
            Self::Me => f.write_str("me"),
            Self::Workspace => f.write_str("workspace"),
            Self::Radar => f.write_str("radar"),
        }
    }
}

/// The text names no topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a topic")]
pub struct NoTopic;

impl FromStr for Topic {
    type Err = NoTopic;
    fn from_str(text: &str) -> Result<Self, NoTopic> {
        match text {
            "me" => return Ok(Self::Me),
            "workspace" => return Ok(Self::Workspace),
            "radar" => return Ok(Self::Radar),
            _ => {}
        }
        let (kind, id) = text.split_once(':').ok_or(NoTopic)?;
        let id = id.parse().map_err(|_| NoTopic)?;
        match kind {
            "ticket" => Ok(Self::Ticket(id)),
            "thread" => Ok(Self::Thread(id)),
            _ => Err(NoTopic),
        }
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_reads_as_it_is_written() {
        let id = TicketId::new(uuid::Uuid::from_u128(7));
        for topic in [Topic::Ticket(id), Topic::Thread(id), Topic::Me, Topic::Workspace, Topic::Radar] {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        for text in ["", "ticket", "ticket:", "ticket:7", "inbox:00000000-0000-0000-0000-000000000007", "ME"] {
            assert_eq!(text.parse::<Topic>(), Err(NoTopic), "{text}");
        }
    }
}
