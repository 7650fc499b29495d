//! Who is who: every id has a type of its own, and is a UUID as text on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::time::UnixMs;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        pub struct $name(#[cfg_attr(feature = "ts", ts(type = "string"))] pub Uuid);

        impl $name {
            /// The id that carries this UUID.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID, for drivers.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// One tenant.
    WorkspaceId
);
id!(
    /// One person of a workspace: agent or customer.
    UserId
);
id!(
    /// One ticket, unique within its workspace.
    TicketId
);
id!(
    /// One team of agents.
    TeamId
);
id!(
    /// A category of tickets.
    CategoryId
);
id!(
    /// One sign-in: revoking it closes its sockets.
    SessionId
);
id!(
    /// One intent of a client, made by the client. A key has one effect on its ticket, for ever.
    CommandKey
);
id!(
    /// One life of the log: changes when the database was restored to an older state.
    StreamId
);

impl TicketId {
    /// The id a new ticket gets: derived from who asks and the intent's key, so that a repeat finds the same ticket.
    pub fn derived(workspace: WorkspaceId, user: UserId, key: CommandKey) -> Self {
        Self(derive("tandem ticket", &[workspace.0.as_bytes(), user.0.as_bytes(), key.0.as_bytes()]))
    }
}

impl CommandKey {
    /// The key of an `Idempotency-Key` header: the UUID itself, or one derived from any other text and its sender.
    pub fn from_text(workspace: WorkspaceId, user: UserId, text: &str) -> Self {
        Uuid::parse_str(text)
            .map_or_else(|_| Self(derive("tandem key", &[workspace.0.as_bytes(), user.0.as_bytes(), text.as_bytes()])), Self)
    }
}

impl CommandKey {
    /// A key made of random bytes, for what has none of its client.
    pub const fn drawn(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid())
    }

    /// The key under which the hub lets a held reply go: the same on every node, so that it goes out once.
    pub fn of_release(ticket: TicketId, held: Self) -> Self {
        Self(derive("tandem release", &[ticket.0.as_bytes(), held.0.as_bytes()]))
    }

    /// The key of something that the hub does by itself to `ticket`: `what`, about what began at `since`. The same on every node,
    /// so that it happens once.
    pub fn derived(ticket: TicketId, what: &str, since: UnixMs) -> Self {
        Self(derive("tandem own key", &[ticket.0.as_bytes(), what.as_bytes(), &since.0.to_be_bytes()]))
    }
}

/// A version 8 UUID from SHA-256 over length-prefixed parts; `domain` keeps the kinds apart.
fn derive(domain: &str, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(domain.as_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// One ticket in one workspace: what a mailbox, a lock and a row are named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketKey {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The ticket.
    pub ticket: TicketId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_of_the_same_intent_finds_the_same_ticket() {
        let (w, u, k) = (WorkspaceId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)), CommandKey(Uuid::from_u128(3)));
        assert_eq!(TicketId::derived(w, u, k), TicketId::derived(w, u, k));
        assert_ne!(TicketId::derived(w, u, k), TicketId::derived(w, u, CommandKey(Uuid::from_u128(4))));
    }

    #[test]
    fn a_text_key_belongs_to_its_sender() {
        let w = WorkspaceId(Uuid::from_u128(1));
        let (ana, bo) = (UserId(Uuid::from_u128(2)), UserId(Uuid::from_u128(3)));
        assert_ne!(CommandKey::from_text(w, ana, "order-7"), CommandKey::from_text(w, bo, "order-7"));
        let uuid = Uuid::from_u128(9);
        assert_eq!(CommandKey::from_text(w, ana, &uuid.to_string()), CommandKey(uuid));
    }
}
