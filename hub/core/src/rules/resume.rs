//! Resuming a topic: exactly what came after the client's position, or a reset. Never a part, never silence.

use crate::ids::StreamId;

/// Most events a resume carries; a longer tail is a reset.
pub const MAX_TAIL_EVENTS: u64 = 1_000;

/// What the client says it has seen: `after` in the life `stream` of the log; nothing on a first subscribe.
pub type Position = Option<(u64, StreamId)>;

/// How a subscribe is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// The events `after + 1 ..= head`.
    Tail {
        /// The last number the client has.
        after: u64,
    },
    /// Start over from a snapshot.
    Reset(Why),
}

/// Why a client has to start over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has nothing yet.
    First,
    /// Its position is in another life of the log: the database was restored.
    OtherStream,
    /// More came since than a resume carries.
    TooOld,
    /// It is ahead of the log. Say so only after re-reading the head from the database.
    Ahead,
}

/// Judges a position against the log's `stream` and `head`.
pub fn resume(position: Position, stream: StreamId, head: u64) -> Resume {
    match position {
        None => Resume::Reset(Why::First),
        Some((_, theirs)) if theirs != stream => Resume::Reset(Why::OtherStream),
        Some((after, _)) if after > head => Resume::Reset(Why::Ahead),
        Some((after, _)) if head - after > MAX_TAIL_EVENTS => Resume::Reset(Why::TooOld),
        Some((after, _)) => Resume::Tail { after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const STREAM: StreamId = StreamId::new(Uuid::from_u128(1));
    const RESTORED: StreamId = StreamId::new(Uuid::from_u128(2));

    #[test]
    fn a_position_is_answered_with_its_tail_or_with_a_reset() {
        for (position, head, expected) in [
            (None, 5, Resume::Reset(Why::First)),
            (Some((3, RESTORED)), 5, Resume::Reset(Why::OtherStream)),
            (Some((6, STREAM)), 5, Resume::Reset(Why::Ahead)),
            (Some((5, STREAM)), 5, Resume::Tail { after: 5 }),
            (Some((0, STREAM)), 1_000, Resume::Tail { after: 0 }),
            (Some((0, STREAM)), 1_001, Resume::Reset(Why::TooOld)),
            (Some((u64::MAX, STREAM)), 0, Resume::Reset(Why::Ahead)),
        ] {
            assert_eq!(resume(position, STREAM, head), expected, "{position:?} at {head}");
        }
    }
}
