//! The journal in memory keeps the contract of a journal, and its mishaps do what they say.
#![cfg(feature = "testing")]

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use hub_core::for_each_contract;
use hub_core::ids::TicketKey;
use hub_core::ports::{Appended, Drafts, Journal, Notifications, StoreError};
use hub_core::testing::contract::{self, Subject};
use hub_core::testing::{MemoryJournal, Sample, block_on, ticket_key};

#[derive(Default)]
struct InMemory {
    journal: MemoryJournal,
    tickets: AtomicU64,
}

impl Subject for InMemory {
    fn journal(&self) -> &dyn Journal {
        &self.journal
    }

    fn drafts(&self) -> &dyn Drafts {
        &self.journal
    }

    fn notifications(&self) -> &dyn Notifications {
        &self.journal
    }

    fn fresh(&self) -> TicketKey {
        ticket_key(1, u128::from(self.tickets.fetch_add(1, Ordering::SeqCst)) + 1)
    }

    fn erase(&self, ticket: TicketKey, seq: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.journal.erase(ticket, seq);
        Box::pin(std::future::ready(()))
    }
}

macro_rules! in_memory {
    ($name:ident) => {
        #[test]
        fn $name() {
            block_on(contract::$name(&InMemory::default()));
        }
    };
}
for_each_contract!(in_memory);

#[test]
fn mishaps_happen_in_order_and_once() {
    let journal = MemoryJournal::new();
    let mut sample = Sample::of(ticket_key(1, 1));
    let creation = sample.creation();
    journal.refuse_next_append();
    journal.fail_next_append();
    journal.fill_next_append();
    let append = || block_on(journal.append(creation.clone()));
    assert!(matches!(append(), Ok(Appended::Refused)));
    assert!(matches!(append(), Err(StoreError::Unavailable(_))));
    assert!(matches!(append(), Err(StoreError::Full)));
    assert_eq!(journal.peek(sample.ticket), None);
    assert!(matches!(append(), Ok(Appended::Committed { .. })));
}

#[test]
fn a_lost_answer_was_written_all_the_same() {
    let journal = MemoryJournal::new();
    let mut sample = Sample::of(ticket_key(1, 1));
    let creation = sample.creation();
    journal.lose_next_answer();
    assert!(matches!(block_on(journal.append(creation)), Err(StoreError::Unavailable(_))));
    assert_eq!(journal.peek_events(sample.ticket).len(), 1);
}

#[test]
fn a_closed_gate_holds_appends_until_it_opens() {
    let journal = MemoryJournal::new();
    let mut sample = Sample::of(ticket_key(1, 1));
    journal.appends.close();
    let answer = journal.append(sample.creation());
    assert_eq!((journal.appends.waiting(), journal.committed()), (1, 0));
    let waiting = std::thread::spawn(move || block_on(answer));
    journal.appends.open();
    assert!(matches!(waiting.join().expect("no panic"), Ok(Appended::Committed { .. })));
    assert_eq!(journal.committed(), 1);
}
