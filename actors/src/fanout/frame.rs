//! A frame on its way to many sockets: encoded when the first of them needs it, once per codec.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hub_core::wire::{Codec, ServerFrame};

/// A frame and its encodings.
pub struct Frame {
    frame: ServerFrame,
    made: Instant,
    json: OnceLock<Bytes>,
    msgpack: OnceLock<Bytes>,
}

impl Frame {
    /// A frame that is not encoded yet.
    pub fn new(frame: ServerFrame) -> Arc<Self> {
        Arc::new(Self { frame, made: Instant::now(), json: OnceLock::new(), msgpack: OnceLock::new() })
    }

    /// How long ago it was made: for an event, right after its commit.
    pub fn age(&self) -> Duration {
        self.made.elapsed()
    }

    /// Its bytes: the same buffer for everybody.
    pub fn bytes(&self, codec: Codec) -> Bytes {
        let slot = match codec {
            Codec::Json => &self.json,
            Codec::MsgPack => &self.msgpack,
        };
        slot.get_or_init(|| codec.encode(&self.frame).into()).clone()
    }
}
