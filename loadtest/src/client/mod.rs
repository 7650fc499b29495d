//! One client of the protocol, without its socket: what it says next, given what it heard. It keeps its place in the topic,
//! sends unanswered commands again after a reconnect, reads what it missed when refused `stale`, and notes everything down.

mod answers;
pub mod asker;
mod commands;
pub mod life;
pub mod line;
mod outage;
pub mod route;
pub mod shelf;
pub mod socket;
#[cfg(test)]
mod tests;
mod topic;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hub_core::ids::StreamId;
use hub_core::wire::client::Request;
use hub_core::wire::{ClientFrame, ClientInfo, ErrorCode, EventRecord, Limits, PROTOCOL_VERSION, ServerFrame};

use crate::fleet::Seat;
use crate::oracle::history::{Answer, ClientHistory, Step, View};
use crate::plan::{Intent, Words};
use crate::tally::Tally;
pub use outage::Outage;
use shelf::Shelf;

/// What all clients of a run share.
#[derive(Clone, Debug)]
pub struct Company {
    /// Keys and bodies.
    pub words: Words,
    /// Counters.
    pub tally: Arc<Tally>,
    /// How long anybody waits for an ack before giving a reply up, in microseconds; none: for ever.
    pub patience_us: Option<u64>,
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
    /// How long the hub asked to stay away after this connection.
    stay_away: Option<Duration>,
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
    outages: Vec<Outage>,
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
            stay_away: None,
            flight: HashMap::new(),
            waiting: VecDeque::new(),
            put_off: Vec::new(),
            until_read: Vec::new(),
            intents: Vec::new(),
            history: ClientHistory { user, view, steps: vec![], commands: vec![], oddities: vec![] },
            greeting: None,
            out: Vec::new(),
            lateness_us: Vec::new(),
            outages: Vec::new(),
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
    pub fn disconnected(&mut self, now_us: u64) {
        if self.stage == Stage::Live {
            self.company.tally.live.fetch_sub(1, Relaxed);
            self.lose(now_us);
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
            ServerFrame::Goodbye { reconnect_after_ms, .. } => {
                self.stay_away = Some(Duration::from_millis(reconnect_after_ms));
            }
            ServerFrame::Pong { .. } => {}
        }
        Ok(())
    }

    /// Sends no command any more, not even again.
    pub fn fall_silent(&mut self) {
        self.in_flight_limit = 0;
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

    /// How long the hub asked to stay away, when it did; told once.
    pub fn take_stay_away(&mut self) -> Option<Duration> {
        self.stay_away.take()
    }

    /// True when there is room for another intent.
    pub fn has_room(&self) -> bool {
        const BACKLOG: usize = 256;
        // Who has no patience keeps nothing waiting.
        self.company.patience_us.is_some() || self.waiting.len() + self.put_off.len() + self.until_read.len() < BACKLOG
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

    /// What it noted down: the history, what the hub told of itself, when it was without its subscription, and how late intents
    /// were put on the wire by the driver's own fault, in microseconds.
    pub fn finish(self) -> (Seat, ClientHistory, Option<Greeting>, Vec<Outage>, Vec<u64>) {
        (self.seat, self.history, self.greeting, self.outages, self.lateness_us)
    }

    fn ask(&mut self, frame: ClientFrame) -> u64 {
        self.next_id += 1;
        self.out.push(Request { id: Some(self.next_id), frame });
        self.next_id
    }

    /// True for clients that may insist.
    const fn is_agent(&self) -> bool {
        match self.seat.view {
            View::Ticket => true,
            View::Thread => false,
        }
    }
}
