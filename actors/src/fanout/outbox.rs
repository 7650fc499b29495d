//! What waits to be written to one socket. Lives outside the session's mailbox, because a client that stops reading
//! freezes the session: the outbox then fills, and whoever finds no room leaves the topic behind until there is some.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::metrics;

/// How much may wait for one socket.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Durable frames.
    pub frames: usize,
    /// Bytes of durable frames.
    pub bytes: usize,
    /// Signals: one slot each.
    pub signals: usize,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { frames: 1_024, bytes: 4 * 1024 * 1024, signals: 1_024 }
    }
}

/// There was no room: the client does not read what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the outbox is full")]
pub struct Overflow;

/// A bounded queue of encoded frames with one wake-up outstanding at most.
pub struct Outbox {
    waiting: Mutex<Waiting>,
    limits: OutboxLimits,
    /// Wakes the session; called at most once between two drains.
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// Signals in the order of their first appearance, each replaced in place.
    signal_order: VecDeque<Slot>,
    signals: HashMap<Slot, Bytes>,
    wake_is_out: bool,
    /// Since when the oldest of it waits; none while nothing does.
    since: Option<Instant>,
}

/// Topic-wide unique: a hash of the topic beside the slot within it.
type Slot = (u64, u128);

impl Outbox {
    /// An empty outbox. `wake` must not block and must not push into this outbox.
    pub fn new(limits: OutboxLimits, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { waiting: Mutex::default(), limits, wake: Box::new(wake) }
    }

    /// Queues a durable frame or an answer.
    ///
    /// # Errors
    /// [`Overflow`] when there is no room: the frame is not queued.
    pub fn push(&self, frame: Bytes) -> Result<(), Overflow> {
        let mut waiting = self.waiting.lock();
        let full = waiting.frames.len() >= self.limits.frames || waiting.bytes + frame.len() > self.limits.bytes;
        if full && !waiting.frames.is_empty() {
            metrics::outbox_overflowed();
            return Err(Overflow);
        }
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        self.wake(waiting);
        Ok(())
    }

    /// Queues a signal; one of the same topic and slot that still waits is replaced. Where all slots are taken the
    /// oldest signal gives way: signals may be skipped, durable frames may not.
    pub fn push_signal(&self, topic: u64, slot: u128, frame: Bytes) {
        let mut waiting = self.waiting.lock();
        if waiting.signals.insert((topic, slot), frame).is_none() {
            waiting.signal_order.push_back((topic, slot));
            if waiting.signal_order.len() > self.limits.signals
                && let Some(oldest) = waiting.signal_order.pop_front()
            {
                waiting.signals.remove(&oldest);
            }
        }
        self.wake(waiting);
    }

    /// Drops the signals of a topic that is no longer watched: nothing of it may follow the answer that says so.
    pub fn forget(&self, topic: u64) {
        let mut waiting = self.waiting.lock();
        waiting.signal_order.retain(|(of, _)| *of != topic);
        waiting.signals.retain(|(of, _), _| *of != topic);
    }

    /// Drops these signals of a topic: something newer that holds all of them is about to be queued.
    pub fn forget_slots(&self, topic: u64, slots: &[u128]) {
        let mut waiting = self.waiting.lock();
        let is_meant = |(of, slot): &Slot| *of == topic && slots.contains(slot);
        waiting.signal_order.retain(|slot| !is_meant(slot));
        waiting.signals.retain(|slot, _| !is_meant(slot));
    }

    /// True when at least half of the room is free: the client reads again.
    pub fn has_room(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.frames.len() <= self.limits.frames / 2 && waiting.bytes <= self.limits.bytes / 2
    }

    /// For how long nothing was taken although something waits: a session that is frozen by a client that does not read takes
    /// nothing.
    pub fn untaken_for(&self) -> Duration {
        self.waiting.lock().since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Takes everything that waits, durable frames first.
    pub fn drain(&self) -> Vec<Bytes> {
        let mut waiting = self.waiting.lock();
        let Waiting { frames, signal_order, signals, .. } = &mut *waiting;
        let signals = signal_order.drain(..).filter_map(|slot| signals.remove(&slot));
        let drained = frames.drain(..).chain(signals).collect();
        waiting.bytes = 0;
        waiting.wake_is_out = false;
        waiting.since = None;
        drained
    }

    fn wake(&self, mut waiting: parking_lot::MutexGuard<'_, Waiting>) {
        waiting.since.get_or_insert_with(Instant::now);
        let first = !std::mem::replace(&mut waiting.wake_is_out, true);
        drop(waiting);
        if first {
            (self.wake)();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn outbox(limits: OutboxLimits) -> (Outbox, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&wakes);
        (Outbox::new(limits, move || _ = counted.fetch_add(1, Ordering::SeqCst)), wakes)
    }

    #[test]
    fn many_pushes_wake_once_until_drained() {
        let (outbox, wakes) = outbox(OutboxLimits::default());
        for _ in 0..5 {
            outbox.push(Bytes::from_static(b"e")).expect("room");
        }
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
        assert_eq!(outbox.drain().len(), 5);
        outbox.push(Bytes::from_static(b"e")).expect("room");
        assert_eq!(wakes.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn too_many_frames_or_bytes_overflow_until_they_are_read() {
        let limits = OutboxLimits { frames: 2, bytes: 10, signals: 1 };
        let (by_count, _) = outbox(limits);
        let (by_bytes, _) = outbox(limits);
        for _ in 0..2 {
            by_count.push(Bytes::from_static(b"e")).expect("room");
        }
        assert_eq!(by_count.push(Bytes::from_static(b"e")), Err(Overflow));
        assert!(!by_count.has_room());
        assert_eq!(by_count.drain().len(), 2);
        assert!(by_count.has_room());
        by_count.push(Bytes::from_static(b"e")).expect("room again");
        by_bytes.push(Bytes::from_static(b"123456")).expect("room");
        assert_eq!(by_bytes.push(Bytes::from_static(b"123456")), Err(Overflow));
    }

    #[test]
    fn a_signal_is_replaced_in_place_and_comes_after_events() {
        let (outbox, _) = outbox(OutboxLimits { frames: 9, bytes: 99, signals: 2 });
        outbox.push_signal(1, 1, Bytes::from_static(b"old"));
        outbox.push_signal(1, 2, Bytes::from_static(b"other"));
        outbox.push(Bytes::from_static(b"event")).expect("room");
        outbox.push_signal(1, 1, Bytes::from_static(b"new"));
        assert_eq!(outbox.drain(), ["event", "new", "other"].map(|s| Bytes::from_static(s.as_bytes())));
        for slot in 0..3 {
            outbox.push_signal(1, slot, Bytes::from_static(b"s"));
        }
        assert_eq!(outbox.drain().len(), 2);
        outbox.push_signal(1, 1, Bytes::from_static(b"gone"));
        outbox.push_signal(2, 1, Bytes::from_static(b"stays"));
        outbox.forget(1);
        assert_eq!(outbox.drain(), [Bytes::from_static(b"stays")]);
    }

    #[test]
    fn what_an_answer_replaces_is_not_told_after_it() {
        let (outbox, _) = outbox(OutboxLimits { frames: 9, bytes: 99, signals: 9 });
        for (topic, slot) in [(1, 1), (1, 2), (2, 1)] {
            outbox.push_signal(topic, slot, Bytes::from(format!("{topic} {slot}")));
        }
        outbox.forget_slots(1, &[1, 3]);
        assert_eq!(outbox.drain(), ["1 2", "2 1"].map(|s| Bytes::from_static(s.as_bytes())));
    }
}
