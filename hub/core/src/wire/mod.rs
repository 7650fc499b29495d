//! The wire: every frame that passes between a client and the hub, in both codecs. The only place that names a codec.
//!
//! Frames are maps tagged `type`, the same values in JSON and in MessagePack (named maps, ids and times as text).
//! What comes in is read strictly ([`value`]) and then field by field ([`fields`]), so that a refusal can name the fields.

pub mod client;
pub mod error;
pub mod event;
pub mod fields;
pub mod live;
pub mod server;
pub mod ticket;
pub mod topic;
pub mod value;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use client::{ClientFrame, ClientInfo, FieldPatches, Patch};
pub use error::{CloseCode, ErrorCode, Problem};
pub use event::{Actor, ActorKind, Audience, Event, EventRecord, Reason, Source};
pub use live::{Activity, Availability, Claim, Draft, Online, Presence, Support};
pub use server::{Limits, Live, Me, PresenceSignal, ReadCursor, ServerFrame, Signal, Snapshot, WorkspaceInfo};
pub use ticket::{AgentTicket, CustomerTicket, Handoff, HandoffDraft, Held, PersonRef, Priority, TicketView};
pub use topic::Topic;

/// The protocol this hub speaks.
pub const PROTOCOL_VERSION: u64 = 1;
/// Largest client message, in bytes, fragments together.
pub const MAX_CLIENT_MESSAGE_BYTES: usize = 64 * 1024;
/// Largest hub message, in bytes; a longer tail of events becomes a reset.
pub const MAX_HUB_MESSAGE_BYTES: usize = 256 * 1024;
/// Largest `body` of a reply, in bytes of UTF-8.
pub const MAX_BODY_BYTES: usize = 32 * 1024;
/// Deepest nesting a client message may have.
pub const MAX_DEPTH: usize = 16;
/// Largest integer on the wire: what a JavaScript number holds exactly.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// How frames become bytes. Chosen by the WebSocket subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Text frames, `tandem.v1.json`.
    Json,
    /// Binary frames, `tandem.v1.msgpack`.
    MsgPack,
}

impl Codec {
    /// Every codec, the preferred one first.
    pub const ALL: [Self; 2] = [Self::MsgPack, Self::Json];

    /// The name of the WebSocket subprotocol.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "tandem.v1.json",
            Self::MsgPack => "tandem.v1.msgpack",
        }
    }

    /// The codec of a subprotocol's name.
    pub fn of_subprotocol(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.subprotocol() == name)
    }

    /// Writes a frame.
    ///
    /// # Panics
    /// Never for the types of this module: they hold no map with keys that are not text.
    pub fn encode<T: Serialize>(self, frame: &T) -> Vec<u8> {
        match self {
            Self::Json => serde_json::to_vec(frame).expect("wire types have text keys only"),
            Self::MsgPack => {
                let mut bytes = Vec::with_capacity(256);
                let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map().with_human_readable();
                frame.serialize(&mut serializer).expect("wire types have text keys only");
                bytes
            }
        }
    }

    /// Reads a frame of the hub, leniently: for clients, load drivers and tests.
    ///
    /// # Errors
    /// Text for people, when the bytes are not such a frame.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, String> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|e| e.to_string()),
            Self::MsgPack => {
                let mut decoder = rmp_serde::Deserializer::new(bytes).with_human_readable();
                T::deserialize(&mut decoder).map_err(|e| e.to_string())
            }
        }
    }
}
