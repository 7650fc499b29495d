//! Who watches a ticket: judging, and bringing a watcher exactly to the present. From the grant on it is told each event.

use std::sync::Arc;

use actix::Context;
use hub_core::ports::{EventRange, From};
use hub_core::rules::permissions::{Act, Side, may};
use hub_core::rules::record::Happened;
use hub_core::rules::resume::{MAX_TAIL_EVENTS, Resume, Why, resume};
use hub_core::rules::stale::Numbering;
use hub_core::wire::{EventRecord, MAX_HUB_MESSAGE_BYTES, Problem, ServerFrame, Snapshot, Topic};

use super::actor::{Life, TicketActor};
use crate::fanout::{Watch, WatchAnswer};

/// Events in a snapshot at most; older ones come by REST.
const SNAPSHOT_EVENTS: u32 = 100;
/// What a `subscribed` may weigh in JSON, leaving room for the frame around the events and the ticket.
const MAX_EVENTS_BYTES: usize = MAX_HUB_MESSAGE_BYTES - 8 * 1024;
/// How often a read is tried again because the ticket ran away from it meanwhile.
const MAX_CHASES: u32 = 3;
/// Watchers that may wait for a ticket to be read.
const MAX_WAITING: usize = 10_000;

/// Whether the head was read from the database since the watcher asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reread {
    Yes,
    No,
}

impl TicketActor {
    /// Judges a watcher and answers: with the tail, with a reset, or with a refusal.
    pub(super) fn watch(&mut self, ctx: &mut Context<Self>, watch: Watch, reread: Reread) {
        if matches!(self.life, Life::Reading) || !self.drafts.are_known() {
            if self.watchers_waiting.len() >= MAX_WAITING {
                return watch.answer(WatchAnswer::Refused(Problem::busy(1_000)));
            }
            self.watchers_waiting.push(watch);
            return self.read_drafts(ctx);
        }
        let numbering = match self.judge(&watch) {
            Ok(numbering) => numbering,
            Err(problem) => return watch.answer(WatchAnswer::Refused(problem)),
        };
        let head = self.head(numbering);
        match resume(watch.position, self.shared.ports.journal.stream(), head) {
            Resume::Reset(Why::Ahead) if reread == Reread::No => {
                // Perhaps another owner wrote: the database is asked before anybody is told to be ahead; where an append is
                // under way, when that is known to have happened or not.
                let published = self.state().map_or(0, |state| state.seq);
                self.watchers_waiting.push(watch);
                if self.in_flight.is_none() {
                    self.read(ctx, 0, Some(published), Vec::new());
                }
            }
            Resume::Reset(_) => self.reset(ctx, watch, numbering),
            Resume::Tail { after } => self.tail(ctx, watch, numbering, after, 0),
        }
    }

    /// May it be watched, and in which numbering? What does not exist and what is not mine answer alike.
    fn judge(&self, watch: &Watch) -> Result<Numbering, Problem> {
        let state = self.state().ok_or_else(Problem::not_found)?;
        let numbering = match (watch.topic.topic, watch.by.role.side()) {
            (Topic::Ticket(_), Side::Staff) => Numbering::Ticket,
            (Topic::Thread(_), Side::Customer) => Numbering::Thread,
            (Topic::Ticket(_) | Topic::Thread(_) | Topic::Me | Topic::Workspace | Topic::Radar, _) => {
                return Err(Problem::not_found());
            }
        };
        may(watch.by.role, watch.by.user, state.requester.id, Act::Read).check()?;
        Ok(numbering)
    }

    fn head(&self, numbering: Numbering) -> u64 {
        self.state().map_or(0, |state| match numbering {
            Numbering::Ticket => state.seq,
            Numbering::Thread => state.thread_seq,
        })
    }

    /// Exactly what came after `after`; from memory where it reaches, else from the database.
    fn tail(&mut self, ctx: &mut Context<Self>, watch: Watch, numbering: Numbering, after: u64, chases: u32) {
        if let Some(events) = self.history.after(after, numbering, self.head(numbering)) {
            return self.grant_tail(ctx, watch, numbering, &events);
        }
        if chases >= MAX_CHASES {
            return watch.answer(WatchAnswer::Refused(Problem::busy(500)));
        }
        let limit = u32::try_from(MAX_TAIL_EVENTS).unwrap_or(u32::MAX);
        let range = EventRange { numbering, from: From::After(after), limit };
        self.read_events(ctx, range, watch, move |actor, ctx, watch, mut events| {
            // What was committed since the read is in memory: the history is kept while reads are under way.
            let read_to = events.last().map_or(after, |happened| number(happened, numbering));
            match actor.history.after(read_to, numbering, actor.head(numbering)) {
                Some(news) => {
                    events.extend(news);
                    actor.grant_tail(ctx, watch, numbering, &events);
                }
                None => actor.tail(ctx, watch, numbering, after, chases + 1),
            }
        });
    }

    fn grant_tail(&mut self, ctx: &mut Context<Self>, watch: Watch, numbering: Numbering, events: &[Arc<Happened>]) {
        let records = self.up_to_head(records(events, numbering), numbering);
        if weight(&records) > self.room_for_events(&watch) {
            return self.reset(ctx, watch, numbering);
        }
        self.grant(watch, numbering, |frame| frame.events = Some(records));
    }

    /// What the events of an answer may weigh beside what is told of here and now.
    fn room_for_events(&self, watch: &Watch) -> usize {
        let live = serde_json::to_vec(&self.live(&watch.by)).map_or(0, |bytes| bytes.len());
        MAX_EVENTS_BYTES.saturating_sub(live)
    }

    /// A read may see a commit whose answer is still on its way here: what it wrote is told when it is known, not before.
    fn up_to_head(&self, mut records: Vec<EventRecord>, numbering: Numbering) -> Vec<EventRecord> {
        let head = self.head(numbering);
        records.retain(|record| record.seq <= head);
        records
    }

    /// The ticket as it stands, with its newest events.
    fn reset(&mut self, ctx: &mut Context<Self>, watch: Watch, numbering: Numbering) {
        let head = self.head(numbering);
        let in_memory: Vec<_> = self.history.events().cloned().collect();
        let enough = records(&in_memory, numbering).len() >= SNAPSHOT_EVENTS as usize
            || in_memory.first().is_some_and(|happened| happened.seq == 1);
        if enough {
            return self.grant_reset(watch, numbering, in_memory);
        }
        let range = EventRange { numbering, from: From::Before(head + 1), limit: SNAPSHOT_EVENTS };
        self.read_events(ctx, range, watch, move |actor, ctx, watch, mut events| {
            let read_to = events.last().map_or(0, |happened| number(happened, numbering));
            match actor.history.after(read_to, numbering, actor.head(numbering)) {
                Some(news) => {
                    events.extend(news);
                    actor.grant_reset(watch, numbering, events);
                }
                None => actor.reset(ctx, watch, numbering),
            }
        });
    }

    fn grant_reset(&mut self, watch: Watch, numbering: Numbering, events: Vec<Arc<Happened>>) {
        let (Some(state), Some(facts)) = (self.state(), &self.facts) else {
            return watch.answer(WatchAnswer::Refused(Problem::busy(500)));
        };
        let Some(ticket) = state.view(watch.by.role.side(), self.key.ticket, facts) else {
            return watch.answer(WatchAnswer::Refused(Problem::not_found()));
        };
        let mut room = self.room_for_events(&watch).saturating_sub(serde_json::to_vec(&ticket).map_or(0, |bytes| bytes.len()));
        let mut newest = self.up_to_head(records(&events, numbering), numbering);
        let skip = newest.len().saturating_sub(SNAPSHOT_EVENTS as usize);
        newest.drain(..skip);
        let fitting = newest.iter().rev().take_while(|record| {
            let weight = weight(std::slice::from_ref(record));
            let fits = weight <= room;
            room = room.saturating_sub(weight);
            fits
        });
        let kept = fitting.count();
        newest.drain(..newest.len() - kept);
        self.grant(watch, numbering, |frame| {
            frame.reset = true;
            frame.snapshot = Some(Snapshot::Ticket { ticket, events: newest });
        });
    }

    /// From here on the watcher is told each event; the grant goes to its worker before any of them.
    fn grant(&mut self, watch: Watch, numbering: Numbering, fill: impl FnOnce(&mut Content)) {
        let seq = self.head(numbering);
        let mut content = Content { events: None, reset: false, snapshot: None };
        fill(&mut content);
        let frame = Box::new(ServerFrame::Subscribed {
            id: watch.request,
            topic: watch.topic.topic,
            stream: self.shared.ports.journal.stream(),
            seq,
            live: self.live(&watch.by),
            events: content.events,
            reset: content.reset.then_some(true),
            snapshot: content.snapshot,
        });
        let interest = match numbering {
            Numbering::Ticket => &mut self.agents,
            Numbering::Thread => &mut self.customers,
        };
        let grant = interest.grant(&watch.worker);
        watch.answer(WatchAnswer::Granted { seq, grant, frame });
    }

    fn read_events(
        &mut self,
        ctx: &mut Context<Self>,
        range: EventRange,
        watch: Watch,
        turn: impl FnOnce(&mut Self, &mut Context<Self>, Watch, Vec<Arc<Happened>>) + 'static,
    ) {
        self.reads += 1;
        let events = self.shared.ports.journal.events(self.key, range);
        self.later(ctx, events, move |actor, ctx, events| {
            match events {
                // The ticket is being read anew meanwhile: the watcher waits for that.
                Ok(_) if matches!(actor.life, Life::Reading) => actor.watch(ctx, watch, Reread::No),
                Ok(events) => turn(actor, ctx, watch, events.into_iter().map(Arc::new).collect()),
                Err(error) => {
                    tracing::warn!(ticket = %actor.key.ticket, %error, "events cannot be read for a watcher");
                    watch.answer(WatchAnswer::Refused(Problem::unavailable()));
                }
            }
            actor.reads -= 1;
        });
    }
}

/// What a grant carries: events, or a reset with a snapshot.
struct Content {
    events: Option<Vec<EventRecord>>,
    reset: bool,
    snapshot: Option<Snapshot>,
}

fn number(happened: &Happened, numbering: Numbering) -> u64 {
    match numbering {
        Numbering::Ticket => happened.seq,
        Numbering::Thread => happened.thread_seq.unwrap_or(0),
    }
}

fn records(events: &[Arc<Happened>], numbering: Numbering) -> Vec<EventRecord> {
    match numbering {
        Numbering::Ticket => events.iter().map(|happened| happened.for_agents()).collect(),
        Numbering::Thread => events.iter().filter_map(|happened| happened.for_customers()).collect(),
    }
}

/// What events weigh on the wire, in the wordier of the two codecs.
fn weight(records: &[EventRecord]) -> usize {
    records.iter().map(|record| serde_json::to_vec(record).map_or(0, |bytes| bytes.len() + 1)).sum()
}
