//! A frame on its way to many sockets: encoded when the first of them needs it, once per codec.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use hub_core::wire::{Codec, ServerFrame};

/// A frame and its encodings.
pub struct Frame {
    frame: ServerFrame,
    json: OnceLock<Bytes>,
    msgpack: OnceLock<Bytes>,
}

impl Frame {
    /// A frame that is not encoded yet.
    pub fn new(frame: ServerFrame) -> Arc<Self> {
        Arc::new(Self { frame, json: OnceLock::new(), msgpack: OnceLock::new() })
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
