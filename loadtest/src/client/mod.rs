//! One client of the protocol, without its socket: what it says next, given what it heard. It keeps its place in the topic,
//! sends unanswered commands again after a reconnect, reads what it missed when refused `stale`, and notes everything down.

mod answers;
pub mod life;
pub mod shelf;
pub mod socket;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hub_core::ids::StreamId;
use hub_core::wire::client::Request;
use hub_core::wire::{
    Audience, ClientFrame, ClientInfo, ErrorCode, EventRecord, Limits, PROTOCOL_VERSION, ServerFrame, Snapshot,
};

use crate::fleet::Seat;
use crate::oracle::history::{Answer, Attempt, ClientHistory, Command, Fact, Step, Tail, View, body_digest};
use crate::plan::{Intent, Words};
use crate::tally::Tally;
use shelf::Shelf;

/// What all clients of a run share.
#[derive(Clone, Debug)]
pub struct Company {
    /// Keys and bodies.
    pub words: Words,
    /// Counters.
    pub tally: Arc<Tally>,
}

/// The hub will not have this client, now or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// Why.
    pub code: ErrorCode,
    /// The hub's words, with whose client it is.
    pub words: String,
}

/// What the hub told about itself in `welcome`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Which node answered.
    pub node: String,
    /// What it refuses above.
    pub limits: Limits,
    /// How often it pings.
    pub heartbeat_ms: u64,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Down,
    Greeting {
        id: u64,
    },
    Subscribing {
        id: u64,
    },
    /// Subscribing was put off by the hub.
    SubscribeAt {
        at_us: u64,
    },
    Live,
}

/// One client.
#[derive(Debug)]
pub struct Client {
    seat: Seat,
    company: Company,
    shelf: Arc<Shelf>,
    stage: Stage,
    position: Option<(u64, StreamId)>,
    /// What it has read, from the topic or from a refusal: the next `based_on`.
    seen: u64,
    next_id: u64,
    in_flight_limit: usize,
    /// Since when it is subscribed without a break, in microseconds since the run began.
    live_since_us: u64,
    /// Request number to index of the command.
    flight: HashMap<u64, usize>,
    waiting: VecDeque<usize>,
    /// Put off by the hub: when, and which.
    put_off: Vec<(u64, usize)>,
    /// Refused `stale` without events: wait until the topic brings them.
    until_read: Vec<usize>,
    intents: Vec<Intent>,
    history: ClientHistory,
    greeting: Option<Greeting>,
    out: Vec<Request>,
    lateness_us: Vec<u64>,
}

impl Client {
    /// A client that has not connected yet. `shelf` is shared by all clients of the same topic.
    pub fn new(seat: Seat, company: Company, shelf: Arc<Shelf>) -> Self {
        let (user, view) = (seat.member.user_id, seat.view);
        Self {
            seat,
            company,
            shelf,
            stage: Stage::Down,
            position: None,
            seen: 0,
            next_id: 0,
            in_flight_limit: 1,
            live_since_us: 0,
            flight: HashMap::new(),
            waiting: VecDeque::new(),
            put_off: Vec::new(),
            until_read: Vec::new(),
            intents: Vec::new(),
            history: ClientHistory { user, view, steps: vec![], commands: vec![], oddities: vec![] },
            greeting: None,
            out: Vec::new(),
            lateness_us: Vec::new(),
        }
    }

    /// A connection is there: says hello.
    pub fn connected(&mut self) {
        let client = Some(ClientInfo { name: "loadtest".into(), version: env!("CARGO_PKG_VERSION").into() });
        let token = Some(self.seat.member.token.clone());
        let id = self.ask(ClientFrame::Hello { protocol: PROTOCOL_VERSION, token, client });
        self.stage = Stage::Greeting { id };
    }

    /// The connection is gone: what was under way may or may not have had its effect, and is to be sent again.
    pub fn disconnected(&mut self) {
        if self.stage == Stage::Live {
            self.company.tally.live.fetch_sub(1, Relaxed);
        }
        self.stage = Stage::Down;
        self.out.clear();
        let mut lost: Vec<usize> = self.flight.drain().map(|(_, index)| index).collect();
        lost.sort_unstable();
        for index in lost.iter().copied() {
            if let Some(attempt) = self.history.commands[index].attempts.last_mut() {
                attempt.answer = Answer::Lost;
            }
        }
        let later = self.put_off.drain(..).map(|(_, index)| index).chain(self.until_read.drain(..));
        self.waiting = lost.into_iter().chain(later).chain(self.waiting.drain(..)).collect();
    }

    /// Somebody wants a reply posted.
    pub fn want(&mut self, intent: Intent, now_us: u64) {
        let body = self.company.words.body(intent.number);
        self.history.commands.push(Command {
            key: self.company.words.key(intent.number),
            body: body_digest(&body),
            is_note: intent.is_note,
            intended_us: intent.intended_us,
            measured: intent.is_reported(),
            attempts: Vec::with_capacity(1),
        });
        if self.can_send() && self.waiting.is_empty() && self.live_since_us <= intent.intended_us {
            if intent.is_reported() {
                self.lateness_us.push(now_us.saturating_sub(intent.intended_us));
            }
        } else {
            self.company.tally.held_back.fetch_add(1, Relaxed);
        }
        self.intents.push(intent);
        self.waiting.push_back(self.intents.len() - 1);
        self.pump(now_us);
    }

    /// When [`Client::wake`] has something to do, in microseconds since the run began.
    pub fn wake_at_us(&self) -> Option<u64> {
        let subscribe = match self.stage {
            Stage::SubscribeAt { at_us } => Some(at_us),
            Stage::Down | Stage::Greeting { .. } | Stage::Subscribing { .. } | Stage::Live => None,
        };
        self.put_off.iter().map(|(at_us, _)| *at_us).chain(subscribe).min()
    }

    /// Sends what was put off until now.
    pub fn wake(&mut self, now_us: u64) {
        if matches!(self.stage, Stage::SubscribeAt { at_us } if at_us <= now_us) {
            self.subscribe();
        }
        let (due, later): (Vec<_>, Vec<_>) = self.put_off.drain(..).partition(|(at_us, _)| *at_us <= now_us);
        self.put_off = later;
        self.waiting.extend(due.into_iter().map(|(_, index)| index));
        self.pump(now_us);
    }

    /// Takes the hub's frame.
    ///
    /// # Errors
    /// When the hub will not have this client.
    pub fn hear(&mut self, frame: ServerFrame, now_us: u64) -> Result<(), TurnedAway> {
        match frame {
            ServerFrame::Welcome { id, node, heartbeat_ms, limits, .. } => {
                self.welcomed(id, Greeting { node, limits, heartbeat_ms });
            }
            ServerFrame::Subscribed { id, topic, stream, seq, events, reset, snapshot, .. } => {
                if topic != self.seat.topic() || !self.is_expected_answer(id) {
                    self.odd(format!("`subscribed` for {topic} with id {id:?} answers nothing that was asked"));
                    return Ok(());
                }
                self.subscribed(stream, seq, events, reset, snapshot, now_us);
            }
            ServerFrame::Event { topic, seq, at, by, key, event } => {
                if topic == self.seat.topic() {
                    let fact = self.shelf.keep(&EventRecord { seq, at, by, key, event });
                    self.hear_event(fact, now_us);
                } else {
                    self.odd(format!("an event of {topic}, which was not subscribed"));
                }
            }
            ServerFrame::Unsubscribed { topic, code } if topic == self.seat.topic() => {
                self.history.steps.push(Step::Ended(code))
            }
            ServerFrame::Unsubscribed { topic, .. } => {
                self.odd(format!("`unsubscribed` for {topic}, which was not subscribed"))
            }
            ServerFrame::Signal { .. } => {
                self.company.tally.signals.fetch_add(1, Relaxed);
            }
            ServerFrame::Ack { id, seq, result } => self.acked(id, seq, &result, now_us),
            ServerFrame::Error { id: Some(id), code, message, retry_after_ms, detail } => {
                return self.refused(id, code, &message, retry_after_ms, &detail, now_us);
            }
            ServerFrame::Error { id: None, code, message, .. } => {
                self.odd(format!("an error without id: {} ({message})", crate::oracle::code_name(code)));
            }
            ServerFrame::Pong { .. } | ServerFrame::Goodbye { .. } => {}
        }
        Ok(())
    }

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

    /// Notes something nobody can make sense of.
    pub fn odd(&mut self, words: String) {
        // A hub gone wrong says the same thing over and over; the first few say it all.
        const ENOUGH: usize = 20;
        if self.history.oddities.len() < ENOUGH {
            self.history.oddities.push(words);
        }
    }

    /// What is to be said now.
    pub fn take_out(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.out)
    }

    /// True when there is room for another intent.
    pub fn has_room(&self) -> bool {
        const BACKLOG: usize = 256;
        self.waiting.len() + self.put_off.len() + self.until_read.len() < BACKLOG
    }

    /// True while the topic is subscribed.
    pub fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }

    /// The last number of the topic that it was shown.
    pub fn reached(&self) -> u64 {
        self.position.map_or(0, |(seq, _)| seq)
    }

    /// The topic's shared facts.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// What it noted down: the history, what the hub told of itself, and how late intents were put on the wire by the
    /// driver's own fault, in microseconds.
    pub fn finish(self) -> (Seat, ClientHistory, Option<Greeting>, Vec<u64>) {
        (self.seat, self.history, self.greeting, self.lateness_us)
    }

    fn ask(&mut self, frame: ClientFrame) -> u64 {
        self.next_id += 1;
        self.out.push(Request { id: self.next_id, frame });
        self.next_id
    }

    fn subscribe(&mut self) {
        let id = self.ask(ClientFrame::Subscribe { topic: self.seat.topic(), resume: self.position });
        self.stage = Stage::Subscribing { id };
    }

    fn welcomed(&mut self, id: u64, greeting: Greeting) {
        if self.stage != (Stage::Greeting { id }) {
            self.odd(format!("`welcome` with id {id} answers nothing that was asked"));
            return;
        }
        self.in_flight_limit = usize::try_from(greeting.limits.commands_in_flight).unwrap_or(usize::MAX).max(1);
        self.greeting = Some(greeting);
        self.subscribe();
    }

    /// The hub may resynchronise a watched topic by itself, without an id.
    fn is_expected_answer(&self, id: Option<u64>) -> bool {
        match (self.stage, id) {
            (Stage::Subscribing { id: asked }, Some(id)) => asked == id,
            (Stage::Live, None) => true,
            (Stage::Down | Stage::Greeting { .. } | Stage::SubscribeAt { .. } | Stage::Live | Stage::Subscribing { .. }, _) => {
                false
            }
        }
    }

    fn subscribed(
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
        }
        self.stage = Stage::Live;
        self.go_on_after_reading(now_us);
        self.pump(now_us);
    }

    /// What was refused until the topic brings more is sent again once it has.
    fn go_on_after_reading(&mut self, now_us: u64) {
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

    fn can_send(&self) -> bool {
        self.stage == Stage::Live && self.flight.len() < self.in_flight_limit
    }

    fn pump(&mut self, now_us: u64) {
        while self.can_send()
            && let Some(index) = self.waiting.pop_front()
        {
            self.send(index, now_us);
        }
    }

    fn send(&mut self, index: usize, now_us: u64) {
        let (number, is_note) = (self.intents[index].number, self.intents[index].is_note);
        let (based_on, force) = self.stance(index);
        let tally = &self.company.tally;
        if self.history.commands[index].attempts.is_empty() { &tally.sent } else { &tally.sent_again }.fetch_add(1, Relaxed);
        let id = self.ask(ClientFrame::PostReply {
            key: self.history.commands[index].key,
            ticket_id: self.seat.ticket,
            body: self.company.words.body(number),
            audience: if is_note { Audience::Internal } else { Audience::Public },
            based_on,
            force,
            then_status: None,
        });
        self.history.commands[index].attempts.push(Attempt { sent_us: now_us, based_on, force, answer: Answer::Open });
        self.flight.insert(id, index);
    }

    /// What a command says it has seen, and whether it insists. A repeat says the same again; only after a refusal that asks
    /// to look again it looks again.
    fn stance(&self, index: usize) -> (Option<u64>, bool) {
        match self.history.commands[index].attempts.last() {
            None => (Some(self.seen), false),
            Some(Attempt { answer: Answer::Refused { code: ErrorCode::Stale | ErrorCode::Claimed, .. }, .. }) => {
                (Some(self.seen), self.intents[index].insists)
            }
            Some(last) => (last.based_on, last.force),
        }
    }

    /// True for clients that may insist.
    const fn is_agent(&self) -> bool {
        match self.seat.view {
            View::Ticket => true,
            View::Thread => false,
        }
    }
}
