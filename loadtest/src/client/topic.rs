//! The client's place in its topic: subscribing, resuming, and reading what comes.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hub_core::ids::StreamId;
use hub_core::wire::{ClientFrame, EventRecord, Snapshot};

use super::{Client, Greeting, Stage};
use crate::oracle::history::{Fact, Step, Tail};

impl Client {
    /// Takes an event of the topic.
    pub fn hear_event(&mut self, fact: Arc<Fact>, now_us: u64) {
        self.company.tally.events.fetch_add(1, Relaxed);
        if let Some((seq, _)) = &mut self.position {
            *seq = (*seq).max(fact.seq);
            self.seen = self.seen.max(*seq);
        }
        self.history.steps.push(Step::Event { fact, at_us: now_us });
        self.go_on_after_reading(now_us);
    }

    pub(super) fn subscribe(&mut self) {
        let id = self.ask(ClientFrame::Subscribe { topic: self.seat.topic(), resume: self.position });
        self.stage = Stage::Subscribing { id };
    }

    pub(super) fn welcomed(&mut self, id: u64, greeting: Greeting) {
        if self.stage != (Stage::Greeting { id }) {
            self.odd(format!("`welcome` with id {id} answers nothing that was asked"));
            return;
        }
        self.in_flight_limit = usize::try_from(greeting.limits.commands_in_flight).unwrap_or(usize::MAX).max(1);
        self.greeting = Some(greeting);
        self.subscribe();
    }

    /// The hub may resynchronise a watched topic by itself, without an id.
    pub(super) fn is_expected_answer(&self, id: Option<u64>) -> bool {
        match (self.stage, id) {
            (Stage::Subscribing { id: asked }, Some(id)) => asked == id,
            (Stage::Live, None) => true,
            (Stage::Down | Stage::Greeting { .. } | Stage::SubscribeAt { .. } | Stage::Live | Stage::Subscribing { .. }, _) => {
                false
            }
        }
    }

    pub(super) fn subscribed(
        &mut self,
        stream: StreamId,
        seq: u64,
        events: Option<Vec<EventRecord>>,
        reset: Option<bool>,
        snapshot: Option<Snapshot>,
        now_us: u64,
    ) {
        let is_first = self.position.is_none();
        let (step, records): (fn(Box<Tail>) -> Step, _) = match (events, reset, snapshot) {
            (Some(events), None | Some(false), None) => (Step::Tail, events),
            (None, Some(true), Some(Snapshot::Ticket { events, .. })) => (Step::Reset, events),
            (events, reset, _) => {
                self.odd(format!(
                    "`subscribed` with {} and reset {reset:?} is neither a tail nor a reset",
                    if events.is_some() { "events" } else { "no events" }
                ));
                return;
            }
        };
        let events = records.iter().map(|record| self.shelf.keep(record)).collect();
        let step = step(Box::new(Tail { stream, seq, events, at_us: now_us }));
        if !is_first {
            let counter = if matches!(step, Step::Reset(_)) { &self.company.tally.resets } else { &self.company.tally.tails };
            counter.fetch_add(1, Relaxed);
        }
        self.history.steps.push(step);
        self.position = Some((seq, stream));
        self.seen = self.seen.max(seq);
        if self.stage != Stage::Live {
            self.company.tally.live.fetch_add(1, Relaxed);
            self.live_since_us = now_us;
            self.is_back(now_us);
        }
        self.stage = Stage::Live;
        self.go_on_after_reading(now_us);
        self.pump(now_us);
    }

    /// What was refused until the topic brings more is sent again once it has.
    pub(super) fn go_on_after_reading(&mut self, now_us: u64) {
        if self.until_read.is_empty() {
            return;
        }
        let reached = self.reached();
        let has_read = |index: &usize| {
            let based_on = self.history.commands[*index].attempts.last().and_then(|attempt| attempt.based_on);
            based_on.is_none_or(|based_on| based_on < reached)
        };
        let (ready, still): (Vec<usize>, Vec<usize>) = self.until_read.iter().partition(|index| has_read(index));
        self.until_read = still;
        self.waiting.extend(ready);
        self.pump(now_us);
    }
}
