//! One copy of every event of a topic, however many clients saw it: the same bytes are decoded once.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use hub_core::wire::EventRecord;

use crate::oracle::history::Fact;

/// Frames remembered by their bytes: how far the slowest client may lag before its frames are decoded again.
const RECENT_FRAMES: usize = 128;

/// The events of one topic, as frames and as facts.
#[derive(Debug, Default)]
pub struct Shelf {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    recent: VecDeque<Frame>,
    by_seq: HashMap<u64, Arc<Fact>>,
}

#[derive(Debug)]
struct Frame {
    hash: u64,
    bytes: Vec<u8>,
    fact: Arc<Fact>,
}

impl Shelf {
    /// The fact of a frame with exactly these bytes, when one was seen lately.
    pub fn find(&self, bytes: &[u8]) -> Option<Arc<Fact>> {
        let hash = hash(bytes);
        let books = self.lock();
        let frame = books.recent.iter().rev().find(|frame| frame.hash == hash && frame.bytes == bytes)?;
        Some(Arc::clone(&frame.fact))
    }

    /// The fact of an event; the one copy, when somebody saw the same before.
    pub fn keep(&self, record: &EventRecord) -> Arc<Fact> {
        self.share(Fact::of(record))
    }

    /// The one copy of a fact, when somebody saw the same before.
    pub fn share(&self, fact: Fact) -> Arc<Fact> {
        let mut books = self.lock();
        let kept = books.by_seq.entry(fact.seq).or_insert_with(|| Arc::new(fact.clone()));
        if **kept == fact { Arc::clone(kept) } else { Arc::new(fact) }
    }

    /// Like [`Shelf::keep`], and remembers the frame it came in.
    pub fn keep_frame(&self, bytes: &[u8], record: &EventRecord) -> Arc<Fact> {
        let fact = self.keep(record);
        let mut books = self.lock();
        if books.recent.len() == RECENT_FRAMES {
            books.recent.pop_front();
        }
        books.recent.push_back(Frame { hash: hash(bytes), bytes: bytes.to_vec(), fact: Arc::clone(&fact) });
        fact
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::time::UnixMs;
    use hub_core::wire::{Actor, ActorKind, Event};

    fn record(seq: u64) -> EventRecord {
        let by = Actor { kind: ActorKind::System, id: None, name: "Hub".into() };
        EventRecord { seq, at: UnixMs(1), by, key: None, event: Event::NothingChanged {} }
    }

    #[test]
    fn the_same_bytes_are_the_same_fact_and_other_bytes_are_not() {
        let shelf = Shelf::default();
        let first = shelf.keep_frame(b"one", &record(1));
        assert!(Arc::ptr_eq(&first, &shelf.find(b"one").expect("seen")));
        assert!(shelf.find(b"two").is_none());
        assert!(Arc::ptr_eq(&first, &shelf.keep(&record(1))));
    }

    #[test]
    fn another_content_under_the_same_number_stays_another_fact() {
        let shelf = Shelf::default();
        let first = shelf.keep(&record(1));
        let mut other = record(1);
        other.at = UnixMs(2);
        assert_ne!(*first, *shelf.keep(&other));
    }

    #[test]
    fn old_frames_are_forgotten_and_facts_are_not() {
        let shelf = Shelf::default();
        let first = shelf.keep_frame(b"first", &record(1));
        for seq in 2..=u64::try_from(RECENT_FRAMES).expect("small") + 1 {
            shelf.keep_frame(&seq.to_be_bytes(), &record(seq));
        }
        assert!(shelf.find(b"first").is_none());
        assert!(Arc::ptr_eq(&first, &shelf.keep(&record(1))));
    }
}
