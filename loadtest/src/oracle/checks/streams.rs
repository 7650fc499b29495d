//! Did this client see every number once, in order, without a gap between resets, and the same event as everybody?

use std::collections::BTreeSet;

use hub_core::ids::StreamId;

use super::super::Fault;
use super::super::history::{ClientHistory, Fact, Step, Tail, TicketHistory, View};
use super::{About, Docket};

pub(super) fn check(ticket: &TicketHistory, client: &ClientHistory, docket: &mut Docket<'_>) {
    let mut reader = Reader { client, position: None, missing: BTreeSet::new() };
    for step in &client.steps {
        reader.take(step, docket);
    }
    let head = match client.view {
        View::Ticket => ticket.heads.after,
        View::Thread => ticket.heads.thread_after,
    };
    let reached = reader.position.map_or(0, |(_, seq)| seq);
    if reached < head {
        reader.note(reached + 1, Fault::Behind { reached, head }, docket);
    }
    for words in &client.oddities {
        docket.note(client.view, About { user: Some(client.user), ..About::default() }, Fault::Odd(words.clone()));
    }
}

/// Where a client stands while its steps are read again.
struct Reader<'a> {
    client: &'a ClientHistory,
    position: Option<(StreamId, u64)>,
    missing: BTreeSet<u64>,
}

impl Reader<'_> {
    fn note(&self, seq: u64, fault: Fault, docket: &mut Docket<'_>) {
        let key = docket.at(self.client.view, seq).and_then(|fact| fact.key);
        docket.note(self.client.view, About { seq: Some(seq), key, user: Some(self.client.user) }, fault);
    }

    fn take(&mut self, step: &Step, docket: &mut Docket<'_>) {
        match step {
            Step::Event { fact, .. } => self.take_event(fact, docket),
            Step::Tail(tail) => self.take_tail(tail, docket),
            Step::Reset(tail) => self.take_reset(tail, docket),
            Step::Ended(code) => {
                let reached = self.position.map_or(0, |(_, seq)| seq);
                self.note(reached, Fault::Ended(*code), docket);
            }
        }
    }

    fn take_event(&mut self, fact: &Fact, docket: &mut Docket<'_>) {
        self.compare(fact, docket);
        let Some((stream, reached)) = self.position else {
            self.note(fact.seq, Fault::Odd("an event came before the topic was subscribed".into()), docket);
            return;
        };
        if fact.seq <= reached {
            let fault = if self.missing.remove(&fact.seq) { Fault::Reordered } else { Fault::Doubled };
            self.note(fact.seq, fault, docket);
            return;
        }
        if fact.seq > reached + 1 {
            self.note(fact.seq, Fault::Gap { expected: reached + 1 }, docket);
            self.missing.extend(reached + 1..fact.seq);
        }
        self.position = Some((stream, fact.seq));
    }

    /// Exactly `position + 1 ..= seq`, in the same life of the log.
    fn take_tail(&mut self, tail: &Tail, docket: &mut Docket<'_>) {
        self.same_life_not_behind(tail, docket);
        let expected = self.position.map(|(_, reached)| reached + 1..=tail.seq);
        let numbers = tail.events.iter().map(|fact| fact.seq);
        if !expected.is_some_and(|range| range.eq(numbers)) {
            self.note(tail.seq, Fault::TailNotExact, docket);
        }
        self.arrive(tail, docket);
    }

    /// The newest events up to `seq`, however many; at least one when there is any.
    fn take_reset(&mut self, tail: &Tail, docket: &mut Docket<'_>) {
        self.same_life_not_behind(tail, docket);
        let first = (tail.seq + 1).checked_sub(tail.events.len() as u64);
        let is_run = first.is_some_and(|first| (first..=tail.seq).eq(tail.events.iter().map(|fact| fact.seq)));
        if !is_run || first == Some(0) || (tail.events.is_empty() && tail.seq > 0) {
            self.note(tail.seq, Fault::TailNotExact, docket);
        }
        self.arrive(tail, docket);
    }

    fn same_life_not_behind(&self, tail: &Tail, docket: &mut Docket<'_>) {
        match self.position {
            Some((stream, _)) if stream != tail.stream => self.note(tail.seq, Fault::StreamChanged, docket),
            Some((_, reached)) if tail.seq < reached => self.note(reached, Fault::WentBack, docket),
            Some(_) | None => {}
        }
    }

    fn arrive(&mut self, tail: &Tail, docket: &mut Docket<'_>) {
        for fact in &tail.events {
            self.compare(fact, docket);
        }
        self.position = Some((tail.stream, tail.seq));
        self.missing.clear();
    }

    /// The event is the one of the log, and may be shown here.
    fn compare(&self, fact: &Fact, docket: &mut Docket<'_>) {
        if self.client.view == View::Thread && (!fact.is_public() || fact.has_internal_fields) {
            self.note(fact.seq, Fault::InternalShown, docket);
        }
        let fault = match docket.at(self.client.view, fact.seq) {
            None => Fault::NotInLog,
            Some(truth) if truth.digest != fact.digest => Fault::Differs,
            Some(_) => return,
        };
        let about = About { seq: Some(fact.seq), key: fact.key, user: Some(self.client.user) };
        docket.note(self.client.view, about, fault);
    }
}
