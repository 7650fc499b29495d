//! Puts fragmented messages together. The sizes were judged by the header guard; the text is judged here, as a whole.

use bytes::{Bytes, BytesMut};

/// A whole message, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Text; not yet known to be UTF-8 when it came in fragments.
    Text(Bytes),
    /// Binary.
    Binary(Bytes),
}

/// A message that is open.
#[derive(Default)]
pub struct Fragments {
    open: Option<(IsText, BytesMut)>,
}

type IsText = bool;

impl Fragments {
    /// The first fragment of a message.
    pub fn begin(&mut self, is_text: bool, bytes: &[u8]) {
        self.open = Some((is_text, BytesMut::from(bytes)));
    }

    /// A fragment in the middle. One that continues nothing is refused by the frame parser before it gets here.
    pub fn go_on(&mut self, bytes: &[u8]) {
        if let Some((_, message)) = &mut self.open {
            message.extend_from_slice(bytes);
        }
    }

    /// The last fragment.
    pub fn end(&mut self, bytes: &[u8]) -> Option<Whole> {
        self.go_on(bytes);
        let (is_text, message) = self.open.take()?;
        Some(if is_text { Whole::Text(message.freeze()) } else { Whole::Binary(message.freeze()) })
    }
}
