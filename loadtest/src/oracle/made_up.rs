//! Made-up runs for the oracle's own tests: a hub of a few lines that keeps every guarantee, driven by arbitrary deeds.

use std::sync::Arc;

use hub_core::ids::{CommandKey, StreamId, TicketId, UserId};
use hub_core::time::UnixMs;
use hub_core::wire::{Actor, ActorKind, Audience, ErrorCode, Event, EventRecord, Source};
use uuid::Uuid;

use super::history::{
    Answer, Attempt, ClientHistory, Command, Fact, Heads, History, Step, Tail, TicketHistory, View, body_digest,
};

/// What somebody does in a made-up run.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// Replies, having seen what it has seen; refused `stale`, it reads and sends again, or insists.
    Post { who: usize, note: bool, insists: bool },
    /// Is shown up to so many more events.
    Read { who: usize, events: u64 },
    /// Loses its connection with a command under way, which had its effect or not.
    Cut { who: usize, done: bool },
    /// Comes back and is given the tail, or a reset.
    Return { who: usize, reset: bool },
}

/// Two agents, a second tab of the first agent, and the customer.
pub const CLIENTS: usize = 4;
const STREAM: StreamId = StreamId::new(Uuid::from_u128(77));

/// The run that these deeds make; all guarantees hold in it.
pub fn run(deeds: &[Deed]) -> History {
    let mut world = World::new();
    for deed in deeds {
        world.us += 10;
        match *deed {
            Deed::Post { who, note, insists } => world.post(who, note, insists),
            Deed::Read { who, events } => world.read(who, events),
            Deed::Cut { who, done } => world.cut(who, done),
            Deed::Return { who, reset } => world.come_back(who, reset),
        }
    }
    world.end()
}

struct World {
    us: u64,
    log: Vec<Arc<Fact>>,
    thread: Vec<Arc<Fact>>,
    members: Vec<Member>,
    made: u128,
}

struct Member {
    history: ClientHistory,
    is_up: bool,
    seen: u64,
}

impl World {
    fn new() -> Self {
        let member = |(user, view)| Member {
            history: ClientHistory {
                user: UserId::new(Uuid::from_u128(user)),
                view,
                steps: vec![],
                commands: vec![],
                oddities: vec![],
            },
            is_up: false,
            seen: 0,
        };
        let members = [(1, View::Ticket), (2, View::Ticket), (1, View::Ticket), (9, View::Thread)].map(member).into();
        let by = Actor { kind: ActorKind::Customer, id: Some(UserId::new(Uuid::from_u128(9))), name: "Cleo".into() };
        let created = Event::TicketCreated {
            title: "Broken".into(),
            description: "It is".into(),
            source: Source::Web,
            number: 1,
            status: "open".into(),
            priority: None,
        };
        let mut world = Self { us: 0, log: vec![], thread: vec![], members, made: 0 };
        world.enter(EventRecord { seq: 1, at: UnixMs(1), by, key: None, event: created });
        (0..CLIENTS).for_each(|who| world.come_back(who, true));
        world
    }

    /// Appends to the log, and to the thread what customers see.
    fn enter(&mut self, mut record: EventRecord) {
        self.log.push(Arc::new(Fact::of(&record)));
        match &mut record.event {
            Event::ReplyPosted { audience: Audience::Internal, .. } => return,
            Event::ReplyPosted { forced, missed, .. } => (*forced, *missed) = (None, None),
            _ => {}
        }
        record.seq = self.thread.len() as u64 + 1;
        self.thread.push(Arc::new(Fact::of(&record)));
    }

    fn facts(&self, view: View) -> &[Arc<Fact>] {
        match view {
            View::Ticket => &self.log,
            View::Thread => &self.thread,
        }
    }

    fn post(&mut self, who: usize, note: bool, insists: bool) {
        if !self.members[who].is_up {
            return;
        }
        let index = self.want(who, note);
        self.send(who, index, false);
        let last = |world: &Self| world.members[who].history.commands[index].attempts.last().cloned().expect("was sent");
        if matches!(last(self).answer, Answer::Refused { .. }) {
            let head = self.log.len() as u64;
            self.send_having_seen(who, index, head, insists);
        }
    }

    fn want(&mut self, who: usize, note: bool) -> usize {
        self.made += 1;
        let member = &mut self.members[who].history;
        member.commands.push(Command {
            key: CommandKey::new(Uuid::from_u128(1_000 + self.made)),
            body: body_digest(&format!("words {}", self.made)),
            is_note: note && member.view == View::Ticket,
            intended_us: self.us,
            measured: true,
            attempts: vec![],
        });
        member.commands.len() - 1
    }

    fn send(&mut self, who: usize, index: usize, force: bool) {
        self.send_having_seen(who, index, self.members[who].seen, force);
    }

    fn send_having_seen(&mut self, who: usize, index: usize, based_on: u64, force: bool) {
        self.us += 10;
        let sent_us = self.us;
        let answer = self.judge(who, index, based_on, force);
        self.us += 10;
        self.members[who].history.commands[index].attempts.push(Attempt { sent_us, based_on: Some(based_on), force, answer });
    }

    /// The hub: repeated keys are acked again, blind replies refused, everything else appended.
    fn judge(&mut self, who: usize, index: usize, based_on: u64, force: bool) -> Answer {
        let ClientHistory { user, view, ref commands, .. } = self.members[who].history;
        let command = commands[index].clone();
        let facts = self.facts(view);
        let done = facts.iter().find(|fact| fact.key == Some(command.key));
        let until = done.map_or(u64::MAX, |fact| fact.seq);
        let missed = facts.iter().any(|f| f.seq > based_on && f.seq < until && f.is_public_deed() && f.by != Some(user));
        if let Some(done) = done {
            return Answer::Acked { seq: Some(done.seq), missed, at_us: self.us + 5 };
        }
        if missed && view == View::Ticket && !command.is_note && !force {
            let events = facts.iter().filter(|fact| fact.seq > based_on).cloned().collect();
            return Answer::Refused { code: ErrorCode::Stale, events: Some(events) };
        }
        self.append(user, view, &command, force, missed);
        let seq = self.facts(view).last().map(|fact| fact.seq);
        Answer::Acked { seq, missed, at_us: self.us + 5 }
    }

    fn append(&mut self, user: UserId, view: View, command: &Command, force: bool, missed: bool) {
        let kind = if view == View::Thread { ActorKind::Customer } else { ActorKind::Agent };
        self.enter(EventRecord {
            seq: self.log.len() as u64 + 1,
            at: UnixMs(self.us.cast_signed()),
            by: Actor { kind, id: Some(user), name: "Somebody".into() },
            key: Some(command.key),
            event: Event::ReplyPosted {
                body: format!("words {}", command.key.uuid().as_u128() - 1_000),
                audience: if command.is_note { Audience::Internal } else { Audience::Public },
                attachments: vec![],
                mentions: vec![],
                forced: force.then_some(true),
                missed: missed.then_some(true),
                truncated: None,
                draft_authors: vec![],
                held_key: None,
            },
        });
    }

    fn read(&mut self, who: usize, events: u64) {
        let facts = self.facts(self.members[who].history.view).to_vec();
        let member = &mut self.members[who];
        for _ in 0..if member.is_up { events } else { 0 } {
            let Some(fact) = facts.get(usize::try_from(member.seen).expect("a few events")) else { return };
            member.seen += 1;
            member.history.steps.push(Step::Event { fact: Arc::clone(fact), at_us: self.us });
        }
    }

    fn cut(&mut self, who: usize, done: bool) {
        if !self.members[who].is_up {
            return;
        }
        let index = self.want(who, false);
        let (sent_us, based_on) = (self.us, self.members[who].seen);
        if done {
            self.judge(who, index, based_on, false);
        }
        let member = &mut self.members[who];
        member.is_up = false;
        let lost = Attempt { sent_us, based_on: Some(based_on), force: false, answer: Answer::Lost };
        member.history.commands[index].attempts.push(lost);
    }

    fn come_back(&mut self, who: usize, reset: bool) {
        if self.members[who].is_up {
            return;
        }
        let facts = self.facts(self.members[who].history.view).to_vec();
        let seq = facts.len() as u64;
        let member = &mut self.members[who];
        member.is_up = true;
        let skip = if reset { seq.saturating_sub(3) } else { member.seen };
        let events = facts.into_iter().filter(|fact| fact.seq > skip).collect();
        let tail = Box::new(Tail { stream: STREAM, seq, events, at_us: self.us });
        member.history.steps.push(if reset { Step::Reset(tail) } else { Step::Tail(tail) });
        member.seen = seq;
        let lost = |command: &Command| matches!(command.attempts.last().map(|a| &a.answer), Some(Answer::Lost));
        let unanswered: Vec<usize> =
            (0..member.history.commands.len()).filter(|i| lost(&member.history.commands[*i])).collect();
        for index in unanswered {
            let based_on = self.members[who].history.commands[index].attempts[0].based_on.expect("always told");
            self.send_having_seen(who, index, based_on, false);
        }
    }

    fn end(mut self) -> History {
        for who in 0..CLIENTS {
            self.come_back(who, who % 2 == 0);
        }
        (0..CLIENTS).for_each(|who| self.read(who, u64::MAX));
        let (log, thread) = (self.log, self.thread);
        let heads = Heads { before: 1, after: log.len() as u64, thread_after: thread.len() as u64 };
        let id = TicketId::new(Uuid::from_u128(5));
        let clients = self.members.into_iter().map(|member| member.history).collect();
        History { tickets: vec![TicketHistory { id, log, thread: Some(thread), heads, clients }] }
    }
}
