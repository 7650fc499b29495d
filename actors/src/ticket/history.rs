//! The last events of a ticket, kept while somebody watches, so that most who come back need no database.

use std::collections::VecDeque;
use std::sync::Arc;

use hub_core::rules::record::Happened;
use hub_core::rules::stale::Numbering;

/// Events kept per ticket.
const MAX_EVENTS: usize = 256;
/// Bodies kept per ticket, in bytes, roughly.
const MAX_BYTES: usize = 512 * 1024;

/// A gap-free run of the newest events, oldest first.
#[derive(Default)]
pub struct History {
    events: VecDeque<Arc<Happened>>,
    bytes: usize,
}

impl History {
    /// Adds the next event; a gap before it makes the run begin anew.
    pub fn push(&mut self, happened: Arc<Happened>) {
        if self.events.back().is_some_and(|last| last.seq + 1 != happened.seq) {
            self.clear();
        }
        self.bytes += weight(&happened);
        self.events.push_back(happened);
        while self.events.len() > MAX_EVENTS || (self.bytes > MAX_BYTES && self.events.len() > 1) {
            if let Some(oldest) = self.events.pop_front() {
                self.bytes -= weight(&oldest);
            }
        }
    }

    pub fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    /// Everything after `after`, when the run reaches that far back. `head` is where the ticket ends.
    pub fn after(&self, after: u64, numbering: Numbering, head: u64) -> Option<Vec<Arc<Happened>>> {
        if after >= head {
            return Some(Vec::new());
        }
        let number = |happened: &Happened| match numbering {
            Numbering::Ticket => Some(happened.seq),
            Numbering::Thread => happened.thread_seq,
        };
        let numbered = || self.events.iter().filter(|happened| number(happened).is_some());
        let first = numbered().next().and_then(|happened| number(happened))?;
        (first <= after + 1).then(|| numbered().filter(|happened| number(happened) > Some(after)).cloned().collect())
    }

    /// The whole run.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Arc<Happened>> {
        self.events.iter()
    }
}

fn weight(happened: &Happened) -> usize {
    use hub_core::wire::Event;
    match &happened.event {
        Event::ReplyPosted { body, .. } => body.len() + 200,
        Event::ReplyHeld { body, .. } => body.len() + 400,
        Event::HandedOver { note, draft, .. } => note.len() + draft.as_ref().map_or(0, |draft| draft.body.len()) + 400,
        Event::TicketCreated { description, .. } => description.len() + 200,
        Event::TagsChanged { added, removed } => added.iter().chain(removed).map(String::len).sum::<usize>() + 200,
        Event::StatusChanged { .. }
        | Event::HeldCancelled { .. }
        | Event::Assigned { .. }
        | Event::HandoffAcknowledged {}
        | Event::ClaimTaken { .. }
        | Event::ClaimReleased { .. }
        | Event::ClaimExpired { .. }
        | Event::Watched { .. }
        | Event::FieldChanged { .. }
        | Event::NothingChanged {}
        | Event::Notified { .. } => 400,
    }
}

#[cfg(test)]
mod tests {
    use hub_core::time::UnixMs;
    use hub_core::wire::{Actor, ActorKind, Audience, Event};

    use super::*;

    fn happened(seq: u64, thread_seq: Option<u64>, bytes: usize) -> Arc<Happened> {
        let by = Actor { kind: ActorKind::System, id: None, name: String::new() };
        let event = Event::ReplyPosted {
            body: "x".repeat(bytes),
            audience: Audience::Public,
            attachments: vec![],
            mentions: vec![],
            forced: None,
            missed: None,
            truncated: None,
            draft_authors: vec![],
            held_key: None,
        };
        Arc::new(Happened { seq, thread_seq, at: UnixMs(0), by, key: None, event })
    }

    fn seqs(events: Option<Vec<Arc<Happened>>>) -> Option<Vec<u64>> {
        events.map(|events| events.iter().map(|happened| happened.seq).collect())
    }

    #[test]
    fn it_answers_only_what_it_holds_without_a_gap() {
        let mut history = History::default();
        for seq in 5..=8 {
            history.push(happened(seq, (seq % 2 == 0).then_some(seq / 2), 1));
        }
        assert_eq!(seqs(history.after(4, Numbering::Ticket, 8)), Some(vec![5, 6, 7, 8]));
        assert_eq!(seqs(history.after(6, Numbering::Ticket, 8)), Some(vec![7, 8]));
        assert_eq!(seqs(history.after(8, Numbering::Ticket, 8)), Some(vec![]));
        assert_eq!(seqs(history.after(3, Numbering::Ticket, 8)), None);
        assert_eq!(seqs(history.after(2, Numbering::Thread, 4)), Some(vec![6, 8]));
        assert_eq!(seqs(history.after(1, Numbering::Thread, 4)), None);
        history.push(happened(10, None, 1));
        assert_eq!(seqs(history.after(8, Numbering::Ticket, 10)), None);
    }

    #[test]
    fn it_is_bounded_by_count_and_by_bytes() {
        let mut history = History::default();
        for seq in 1..=1_000 {
            history.push(happened(seq, Some(seq), 1));
        }
        assert_eq!(history.events().count(), MAX_EVENTS);
        for seq in 1_001..=1_100 {
            history.push(happened(seq, Some(seq), 32 * 1024));
        }
        assert!(history.events().count() * 32 * 1024 <= MAX_BYTES);
    }
}
