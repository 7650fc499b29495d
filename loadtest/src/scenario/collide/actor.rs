//! One device without its socket: what it says next, given what it heard and what it feels like. It keeps its place in the topic,
//! sends unanswered intents again after a reconnect, and notes down everything it asked, was told and was shown.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hub_core::ids::{CommandKey, StreamId, UserId};
use hub_core::wire::{Audience, ErrorCode, Limits, PROTOCOL_VERSION};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use uuid::Uuid;

use super::choose::{Deed, LONG_NAP, Stand, choose};
use super::frames::{Extras, Want, want};
use super::{Company, Manner, Reached};
use crate::client::shelf::Shelf;
use crate::client::{Greeting, TurnedAway};
use crate::clock::micros;
use crate::fleet::Seat;
use crate::oracle::code_name;
use crate::oracle::history::{Fact, Step, Tail, View};
use crate::oracle::together::history::{Answer, Ask, Device, DraftSeen, Live, Moment, Seen, Sign, State};
use crate::oracle::together::read::{self, get};

/// A draft that has grown longer than this is begun anew.
const LONG_DRAFT: usize = 300;
/// So often an intent that keeps being refused is sent.
const MAX_ATTEMPTS: u32 = 6;
/// Devices of a crowd that look on.
const ONLOOKERS: usize = 10;

/// What a device brought home.
#[derive(Debug)]
pub struct Testimony {
    /// What it asked, was told and was shown.
    pub device: Device,
    /// The durable part of that.
    pub steps: Vec<Step>,
    /// What the hub told of itself.
    pub greeting: Option<Greeting>,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Down,
    Greeting {
        id: u64,
    },
    /// Welcomed, and not subscribed on purpose.
    Away,
    Subscribing,
    Live,
}

/// A draft as this device knows it.
#[derive(Clone, Debug, Default)]
struct Slot {
    revision: u64,
    body: String,
    is_saving: bool,
}

/// An ask under way.
#[derive(Clone, Debug)]
struct Open {
    want: Want,
    attempts: u32,
}

/// One device of one person at one ticket.
#[derive(Debug)]
pub struct Actor {
    seat: Seat,
    place: usize,
    colleagues: Arc<[UserId]>,
    shelf: Arc<Shelf>,
    company: Company,
    rng: StdRng,
    stage: Stage,
    position: Option<(u64, StreamId)>,
    seen: u64,
    deed: u64,
    next_id: u64,
    /// Requests whose answers are of no interest.
    minor: Vec<u64>,
    open: HashMap<u64, Open>,
    /// To be sent again: when, and what.
    again: Vec<(u64, Open)>,
    out: Vec<Value>,
    slots: HashMap<Audience, Slot>,
    held: Option<CommandKey>,
    was_handed: bool,
    is_settling: bool,
    is_rejoining: bool,
    has_rejoined: bool,
    act_at_us: u64,
    written: u64,
    device: Device,
    steps: Vec<Step>,
    greeting: Option<Greeting>,
    stay_away: Option<Duration>,
}

impl Actor {
    /// A device that has not connected yet. `shelf` is shared by all who watch the same topic.
    pub fn new(seat: Seat, place: usize, colleagues: Arc<[UserId]>, shelf: Arc<Shelf>, company: Company, seed: u64) -> Self {
        let (user, view) = (seat.member.user_id, seat.view);
        Self {
            seat,
            place,
            colleagues,
            shelf,
            company,
            rng: StdRng::seed_from_u64(seed ^ ((place as u64 + 1) << 20)),
            stage: Stage::Down,
            position: None,
            seen: 0,
            deed: 0,
            next_id: 0,
            minor: vec![],
            open: HashMap::new(),
            again: vec![],
            out: vec![],
            slots: HashMap::new(),
            held: None,
            was_handed: false,
            is_settling: false,
            is_rejoining: false,
            has_rejoined: false,
            act_at_us: 0,
            written: 0,
            device: Device { user, view, moments: vec![], oddities: vec![] },
            steps: vec![],
            greeting: None,
            stay_away: None,
        }
    }

    /// A connection is there: says hello.
    pub fn connected(&mut self) {
        let client = json!({"name": "loadtest", "version": env!("CARGO_PKG_VERSION")});
        let id = self.say(json!({
            "type": "hello", "protocol": PROTOCOL_VERSION, "token": self.seat.member.token, "client": client,
        }));
        self.stage = Stage::Greeting { id };
    }

    /// The connection is gone: intents that were not answered are sent again, everything else is left as it is.
    pub fn disconnected(&mut self, now_us: u64) {
        if self.stage == Stage::Live {
            self.company.tally.live.fetch_sub(1, Relaxed);
            self.company.tally.lost.fetch_add(1, Relaxed);
        }
        // What was never put on the wire was not asked for either, but that cannot be told from here: it counts as lost.
        self.out.clear();
        self.minor.clear();
        self.is_rejoining = false;
        self.stage = Stage::Down;
        self.note(now_us, Seen::Lost);
        let lost = self.open.drain().filter(|(_, open)| open.want.ask.key().is_some());
        self.again.extend(lost.map(|(_, open)| (0, open)));
        for slot in self.slots.values_mut() {
            slot.is_saving = false;
        }
    }

    /// Takes the hub's frame.
    ///
    /// # Errors
    /// When the hub will not have this device.
    pub fn hear(&mut self, frame: &Value, now_us: u64) -> Result<(), TurnedAway> {
        let is_mine = frame["topic"] == self.topic();
        match frame["type"].as_str().unwrap_or_default() {
            "welcome" => self.welcomed(frame, now_us),
            "subscribed" if is_mine => self.joined(frame, now_us),
            "event" if is_mine => self.happened(frame, now_us),
            "signal" => self.signalled(frame, is_mine, now_us),
            "ack" | "error" => return self.answered(frame, now_us),
            "unsubscribed" if is_mine => {
                let code = get(frame, "code").unwrap_or(ErrorCode::NotFound);
                self.steps.push(Step::Ended(code));
            }
            "goodbye" => self.stay_away = get(frame, "reconnect_after_ms").map(Duration::from_millis),
            "subscribed" | "event" | "unsubscribed" | "pong" => {}
            other => self.odd(format!("a frame of type {other:?}")),
        }
        Ok(())
    }

    /// True when there is something to be done at `now_us`; does it.
    pub fn act(&mut self, now_us: u64) {
        self.send_again(now_us);
        if self.act_at_us > now_us || !self.is_free() {
            return;
        }
        self.act_at_us = now_us + self.pause_us();
        let mut stand = self.stand();
        stand.left = self.company.time_left(now_us);
        if let Some(deed) = choose(self.company.collide.manner, &stand, &mut self.rng) {
            self.do_it(deed, now_us);
        }
    }

    /// When [`Actor::act`] begins something new; none while it waits for somebody.
    pub fn act_at_us(&self) -> Option<u64> {
        self.is_free().then_some(self.act_at_us)
    }

    /// When [`Actor::send_again`] has something to do.
    pub fn again_at_us(&self) -> Option<u64> {
        self.again.iter().filter(|(_, open)| self.can_send(open)).map(|(at_us, _)| *at_us).min()
    }

    /// Begins nothing new.
    pub fn settle(&mut self) {
        self.is_settling = true;
    }

    /// Has its topic told anew, once.
    pub fn rejoin(&mut self, now_us: u64) {
        if !self.is_rejoining && matches!(self.stage, Stage::Live | Stage::Away) {
            self.is_rejoining = true;
            self.stage = if self.stage == Stage::Away { Stage::Subscribing } else { self.stage };
            self.subscribe(now_us);
        }
    }

    /// How far it got.
    pub fn reached(&self) -> Reached {
        Reached {
            seq: self.position.map_or(0, |(seq, _)| seq),
            is_seated: matches!(self.stage, Stage::Live | Stage::Away),
            is_done: self.is_settling && self.open.is_empty() && self.again.is_empty() && self.stage != Stage::Down,
            has_rejoined: self.has_rejoined,
        }
    }

    /// What is to be said now.
    pub fn take_out(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.out)
    }

    /// How long the hub asked to stay away, when it did; told once.
    pub fn take_stay_away(&mut self) -> Option<Duration> {
        self.stay_away.take()
    }

    /// For whoever cuts its connection.
    pub fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// What all devices share.
    pub const fn company(&self) -> &Company {
        &self.company
    }

    /// Notes something nobody can make sense of.
    pub fn odd(&mut self, words: String) {
        /// A hub gone wrong says the same thing over and over; the first few say it all.
        const ENOUGH: usize = 20;
        if self.device.oddities.len() < ENOUGH {
            self.device.oddities.push(words);
        }
    }

    /// What it noted down.
    pub fn finish(self) -> Testimony {
        Testimony { device: self.device, steps: self.steps, greeting: self.greeting }
    }

    // --- what it does -------------------------------------------------------------------------------------------------

    /// One thing at a time; and in a settled run nothing more.
    fn is_free(&self) -> bool {
        let limit = self.greeting.as_ref().map_or(1, |hub| usize::try_from(hub.limits.commands_in_flight).unwrap_or(1)).min(2);
        let is_sitting = matches!(self.stage, Stage::Live | Stage::Away);
        let is_leaving = self.open.values().any(|open| open.want.ask == Ask::Leave);
        is_sitting && !is_leaving && !self.is_settling && self.open.len() + self.again.len() < limit && self.company.is_open()
    }

    /// Exponential: as likely right away as at any other time.
    fn pause_us(&mut self) -> u64 {
        let uniform: f64 = self.rng.random_range(0.0..1.0);
        micros(self.company.collide.every.mul_f64(-(1.0 - uniform).ln()))
    }

    fn stand(&self) -> Stand {
        Stand {
            view: self.seat.view,
            is_there: self.stage == Stage::Live,
            is_onlooker: self.is_onlooker(),
            has_draft: self.slots.get(&Audience::Public).is_some_and(|slot| !slot.body.is_empty()),
            has_held: self.held.is_some(),
            was_handed: self.was_handed,
            deed: self.deed,
            has_written: self.written > 0,
            left: Duration::ZERO,
        }
    }

    const fn is_onlooker(&self) -> bool {
        self.place < ONLOOKERS
    }

    fn do_it(&mut self, deed: Deed, now_us: u64) {
        use Audience::{Internal, Public};
        let key = new_key();
        let nothing = Value::Null;
        match deed {
            Deed::Compose(audience) => self.announce(State::Composing, Some(audience), now_us),
            Deed::View => self.announce(State::Viewing, None, now_us),
            Deed::Idle => self.announce(State::Idle, None, now_us),
            Deed::Save(audience) => self.save(audience, now_us),
            Deed::Discard(audience) => self.ask(Ask::Discard { audience }, &nothing, now_us),
            Deed::Reply => self.post(Public, self.seen, false, 0, now_us),
            Deed::ReplyBlindly => {
                let most =
                    if matches!(self.company.collide.manner, Manner::Blind { .. }) { self.deed } else { self.seen.max(1) };
                let based_on = self.rng.random_range(0..most);
                self.post(Public, based_on, false, 0, now_us);
            }
            Deed::ReplyForced => self.post(Public, self.seen.saturating_sub(1), true, 0, now_us),
            Deed::Note => self.post(Internal, self.seen, false, 0, now_us),
            Deed::Hold => {
                let hold_ms = self.rng.random_range(300..3_000);
                let force = self.rng.random_bool(0.4);
                self.post(Public, self.seen, force, hold_ms, now_us);
            }
            Deed::CancelHeld => {
                if let Some(held_key) = self.held.take() {
                    self.ask(Ask::CancelHeld { key, held_key }, &nothing, now_us);
                }
            }
            Deed::TakeClaim => self.ask(Ask::TakeClaim { force: false }, &nothing, now_us),
            Deed::TakeOver => self.ask(Ask::TakeClaim { force: true }, &nothing, now_us),
            Deed::ReleaseClaim => self.ask(Ask::ReleaseClaim { force: false }, &nothing, now_us),
            Deed::HandOver | Deed::HandOverWithDraft => {
                let others: Vec<UserId> =
                    self.colleagues.iter().copied().filter(|user| *user != self.seat.member.user_id).collect();
                if others.is_empty() {
                    return;
                }
                let to = Some(others[self.rng.random_range(0..others.len())]);
                self.ask(Ask::HandOver { key, to, with_draft: deed == Deed::HandOverWithDraft }, &nothing, now_us);
            }
            Deed::Acknowledge => {
                self.was_handed = false;
                self.ask(Ask::Acknowledge { key }, &nothing, now_us);
            }
            Deed::ChangeTags => {
                const TAGS: [&str; 4] = ["paper", "printer", "vip", "on-site"];
                let (add, remove) = (TAGS[self.rng.random_range(0..2)], TAGS[self.rng.random_range(2..4)]);
                let (add, remove) = if self.rng.random_bool(0.5) { (add, remove) } else { (remove, add) };
                self.ask(Ask::Other { key, kind: "change_tags" }, &json!({"add": [add], "remove": [remove]}), now_us);
            }
            Deed::UpdateFields => {
                let priority = ["p1", "p2", "p3", "p4"][self.rng.random_range(0..4)];
                let mut fields = json!({"based_on": self.seen, "priority": priority});
                if self.rng.random_bool(0.3) {
                    fields["title"] = format!("It is broken in another way, said {}", self.words()).into();
                }
                self.ask(Ask::Other { key, kind: "update_ticket" }, &fields, now_us);
            }
            Deed::Watch => {
                let on = self.rng.random_bool(0.5);
                self.ask(Ask::Other { key, kind: "watch" }, &json!({ "on": on }), now_us);
            }
            Deed::ChangeStatus => {
                let status = ["open", "in_progress", "resolved"][self.rng.random_range(0..3)];
                let ask = Ask::Status { key, based_on: Some(self.seen), force: self.rng.random_bool(0.2) };
                self.ask(ask, &json!({ "status": status }), now_us);
            }
            Deed::Leave => self.ask(Ask::Leave, &nothing, now_us),
            Deed::Join => {
                self.stage = Stage::Subscribing;
                self.subscribe(now_us);
            }
            Deed::SleepOnClaim => {
                self.ask(Ask::TakeClaim { force: false }, &nothing, now_us);
                self.act_at_us = now_us + micros(LONG_NAP);
            }
            Deed::Nap(span) => self.act_at_us = now_us + micros(span).max(self.pause_us()),
        }
    }

    /// Half of the time without waiting for an answer, as pages do.
    fn announce(&mut self, state: State, audience: Option<Audience>, now_us: u64) {
        let ask = Ask::Presence { state, audience };
        if self.rng.random_bool(0.5) {
            self.ask(ask, &Value::Null, now_us);
        } else {
            let Want { ask, frame } = want(&self.seat, ask, &Extras { seen: self.seen, fields: &Value::Null });
            self.note(now_us, Seen::Asked { id: None, ask });
            self.out.push(frame);
        }
    }

    fn save(&mut self, audience: Audience, now_us: u64) {
        let words = self.words();
        let slot = self.slots.entry(audience).or_default();
        if slot.is_saving {
            return;
        }
        slot.is_saving = true;
        let body = if slot.body.len() > LONG_DRAFT || slot.body.is_empty() { words } else { format!("{} {words}", slot.body) };
        let revision = slot.revision;
        self.ask(Ask::SaveDraft { audience, revision, body }, &Value::Null, now_us);
    }

    /// Sends the draft where there is one.
    fn post(&mut self, audience: Audience, based_on: u64, force: bool, hold_ms: u64, now_us: u64) {
        let drafted = self.slots.get(&audience).filter(|slot| !slot.body.is_empty()).map(|slot| slot.body.clone());
        let body = drafted.unwrap_or_else(|| self.words());
        let key = new_key();
        if hold_ms > 0 {
            let until_us = now_us + hold_ms * 1_000;
            self.company.held_until_us.fetch_max(until_us, Relaxed);
        }
        self.ask(Ask::Post { key, audience, body, based_on: Some(based_on), force, hold_ms }, &Value::Null, now_us);
    }

    /// Words that nobody else writes.
    fn words(&mut self) -> String {
        self.written += 1;
        format!("[{} {}.{}]", &self.seat.ticket.to_string()[24..], self.place, self.written)
    }

    fn subscribe(&mut self, now_us: u64) {
        let mut fields = Value::Null;
        if let Some((after, stream)) = self.position.filter(|_| !self.is_rejoining) {
            fields = json!({"after": after, "stream": stream});
        }
        self.ask(Ask::Subscribe, &fields, now_us);
    }

    fn ask(&mut self, ask: Ask, fields: &Value, now_us: u64) {
        let want = want(&self.seat, ask, &Extras { seen: self.seen, fields });
        self.company.tally.sent.fetch_add(1, Relaxed);
        self.send(Open { want, attempts: 0 }, now_us);
    }

    fn send(&mut self, mut open: Open, now_us: u64) {
        open.attempts += 1;
        let id = self.say(open.want.frame.clone());
        self.note(now_us, Seen::Asked { id: Some(id), ask: open.want.ask.clone() });
        self.open.insert(id, open);
    }

    /// Sends what was put off until now, as far as this connection takes it.
    pub fn send_again(&mut self, now_us: u64) {
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.again).into_iter().partition(|(at_us, open)| *at_us <= now_us && self.can_send(open));
        self.again = later;
        for (_, open) in due {
            self.company.tally.sent_again.fetch_add(1, Relaxed);
            self.send(open, now_us);
        }
    }

    fn can_send(&self, open: &Open) -> bool {
        match self.stage {
            Stage::Live | Stage::Away => true,
            Stage::Subscribing => open.want.ask == Ask::Subscribe,
            Stage::Down | Stage::Greeting { .. } => false,
        }
    }

    fn say(&mut self, mut frame: Value) -> u64 {
        self.next_id += 1;
        frame["id"] = self.next_id.into();
        self.out.push(frame);
        self.next_id
    }

    fn note(&mut self, at_us: u64, seen: Seen) {
        self.device.moments.push(Moment { at_us, seen });
    }

    fn topic(&self) -> String {
        self.seat.topic().to_string()
    }

    // --- what it hears ------------------------------------------------------------------------------------------------

    fn welcomed(&mut self, frame: &Value, now_us: u64) {
        let limits: Option<Limits> = get(frame, "limits");
        let (Stage::Greeting { .. }, Some(limits)) = (self.stage, limits) else {
            self.odd("a `welcome` that nobody asked for, or without limits".into());
            return;
        };
        let node = frame["node"].as_str().unwrap_or_default().to_owned();
        let heartbeat_ms = frame["heartbeat_ms"].as_u64().unwrap_or(0);
        self.greeting = Some(Greeting { node, limits, heartbeat_ms });
        if self.seat.view == View::Ticket && self.company.collide.manner == Manner::Walk {
            // Where my other devices tell what became of my drafts.
            let id = self.say(json!({"type": "subscribe", "topic": "me"}));
            self.minor.push(id);
        }
        let starts_away = self.company.collide.manner == Manner::Crowd && !self.is_onlooker() && !self.is_settling;
        if starts_away {
            self.stage = Stage::Away;
        } else {
            self.stage = Stage::Subscribing;
            self.subscribe(now_us);
        }
    }

    fn joined(&mut self, frame: &Value, now_us: u64) {
        let live = read::live(&frame["live"], self.seat.view).unwrap_or_else(|words| {
            self.odd(words);
            Live::default()
        });
        let (stream, seq) = (get(frame, "stream"), frame["seq"].as_u64());
        let records = frame.get("events").or_else(|| frame["snapshot"].get("events")).and_then(Value::as_array);
        let (Some(stream), Some(seq), Some(records)) = (stream, seq, records) else {
            self.odd("a `subscribed` without stream, seq or events".into());
            return;
        };
        let is_reset = frame["reset"] == true;
        let events = records.iter().filter_map(|record| self.fact(record)).collect();
        let tail = Box::new(Tail { stream, seq, events, at_us: now_us });
        let first = self.position.is_none();
        for fact in &tail.events {
            self.learn(fact);
        }
        self.steps.push(if is_reset { Step::Reset(tail) } else { Step::Tail(tail) });
        if !first {
            let counter = if is_reset { &self.company.tally.resets } else { &self.company.tally.tails };
            counter.fetch_add(1, Relaxed);
        }
        self.adopt_all(&live);
        self.note(now_us, Seen::Joined { seq, live });
        self.position = Some((seq, stream));
        self.seen = self.seen.max(seq);
        if self.stage != Stage::Live {
            self.company.tally.live.fetch_add(1, Relaxed);
        }
        self.stage = Stage::Live;
        let id = frame["id"].as_u64();
        if id.is_some_and(|id| self.open.remove(&id).is_some()) {
            self.note(now_us, Seen::Answered { id: id.unwrap_or(0), answer: Answer::Acked { seq: None, revision: None } });
            self.has_rejoined = self.is_rejoining;
        }
        if self.company.collide.manner == Manner::Crowd && !self.is_rejoining {
            self.announce(State::Viewing, None, now_us);
        }
        self.send_again(now_us);
    }

    fn fact(&mut self, record: &Value) -> Option<Arc<Fact>> {
        let fact = Fact::read(record);
        if fact.is_none() {
            self.odd(format!("an event that cannot be read: {record}"));
        }
        fact.map(|fact| self.shelf.share(fact))
    }

    fn happened(&mut self, frame: &Value, now_us: u64) {
        self.company.tally.events.fetch_add(1, Relaxed);
        let Some(fact) = self.fact(frame) else { return };
        if let Some((seq, _)) = &mut self.position {
            *seq = (*seq).max(fact.seq);
        }
        self.seen = self.seen.max(fact.seq);
        self.learn(&fact);
        let event = &frame["event"];
        if event["type"] == "handed_over" {
            self.was_handed = get(event, "to_id") == Some(self.seat.member.user_id);
        }
        self.note(now_us, Seen::Event { seq: fact.seq });
        self.steps.push(Step::Event { fact, at_us: now_us });
    }

    fn learn(&mut self, fact: &Fact) {
        if fact.is_public_deed() && fact.by != Some(self.seat.member.user_id) {
            self.deed = self.deed.max(fact.seq);
        }
    }

    fn signalled(&mut self, frame: &Value, is_mine: bool, now_us: u64) {
        self.company.tally.signals.fetch_add(1, Relaxed);
        let signal = &frame["signal"];
        let is_my_draft = signal["type"] == "draft_changed" && get(signal, "ticket_id") == Some(self.seat.ticket);
        if !is_mine && !is_my_draft {
            return;
        }
        match read::sign(signal, self.seat.view) {
            Err(words) => self.odd(words),
            Ok(sign) => {
                if let Sign::DraftChanged(audience, draft) = &sign {
                    self.adopt(*audience, draft.as_ref());
                }
                self.note(now_us, Seen::Signal(sign));
            }
        }
    }

    /// What is stored is what I go on with.
    fn adopt(&mut self, audience: Audience, draft: Option<&DraftSeen>) {
        let slot = self.slots.entry(audience).or_default();
        (slot.revision, slot.body) = draft.map_or((0, String::new()), |draft| (draft.revision, draft.body.clone()));
    }

    fn adopt_all(&mut self, live: &Live) {
        for audience in [Audience::Public, Audience::Internal] {
            self.adopt(audience, live.drafts.iter().find(|draft| draft.audience == audience));
        }
    }

    fn answered(&mut self, frame: &Value, now_us: u64) -> Result<(), TurnedAway> {
        let Some(id) = frame["id"].as_u64() else {
            self.odd(format!("an error without id: {}", frame["message"]));
            return Ok(());
        };
        if let Some(index) = self.minor.iter().position(|minor| *minor == id) {
            self.minor.swap_remove(index);
            return Ok(());
        }
        let answer = match read::answer(frame) {
            Ok(answer) => answer,
            Err(words) => {
                self.odd(words);
                return Ok(());
            }
        };
        if let Answer::Refused { code, retry_after_ms, .. } = &answer {
            self.company.tally.refuse(*code);
            if self.stage == (Stage::Greeting { id }) {
                self.stay_away = retry_after_ms.map(Duration::from_millis);
                return if is_for_now(*code) { Ok(()) } else { Err(self.turned_away(*code, frame)) };
            }
        }
        self.note(now_us, Seen::Answered { id, answer: answer.clone() });
        let Some(open) = self.open.remove(&id) else { return Ok(()) };
        if let (Ask::Subscribe, Answer::Refused { code, .. }) = (&open.want.ask, &answer)
            && !is_for_now(*code)
        {
            return Err(self.turned_away(*code, frame));
        }
        match answer {
            Answer::Acked { revision, .. } => self.done(&open.want.ask, revision, now_us),
            Answer::Refused { code, retry_after_ms, draft, events, .. } => {
                if let Some((last, _)) = events.iter().flatten().next_back() {
                    self.seen = self.seen.max(*last);
                }
                self.refused(open, code, retry_after_ms, draft, now_us);
            }
        }
        Ok(())
    }

    fn turned_away(&self, code: ErrorCode, frame: &Value) -> TurnedAway {
        let (topic, whose) = (self.topic(), &self.seat.member.email);
        let words = format!("the hub refused {whose} at {topic}: {} ({})", code_name(code), frame["message"]);
        TurnedAway { code, words }
    }

    fn done(&mut self, ask: &Ask, revision: Option<u64>, now_us: u64) {
        self.company.tally.acked.fetch_add(1, Relaxed);
        match ask {
            Ask::Post { key, audience, hold_ms, .. } => {
                self.adopt(*audience, None);
                if *hold_ms > 0 {
                    self.held = Some(*key);
                }
            }
            Ask::HandOver { with_draft: true, .. } => self.adopt(Audience::Public, None),
            Ask::Discard { audience } => self.adopt(*audience, None),
            Ask::SaveDraft { audience, body, .. } => {
                let revision = revision.unwrap_or(0);
                let slot = self.slots.entry(*audience).or_default();
                slot.is_saving = false;
                if revision > slot.revision {
                    (slot.revision, slot.body) = (revision, body.clone());
                }
            }
            Ask::Leave => {
                self.note(now_us, Seen::Left);
                self.company.tally.live.fetch_sub(1, Relaxed);
                self.stage = Stage::Away;
            }
            Ask::Subscribe
            | Ask::Status { .. }
            | Ask::CancelHeld { .. }
            | Ask::HandOver { .. }
            | Ask::Acknowledge { .. }
            | Ask::Other { .. }
            | Ask::TakeClaim { .. }
            | Ask::ReleaseClaim { .. }
            | Ask::Presence { .. } => {}
        }
    }

    fn refused(
        &mut self,
        mut open: Open,
        code: ErrorCode,
        retry_after_ms: Option<u64>,
        draft: Option<Option<DraftSeen>>,
        now_us: u64,
    ) {
        if let Ask::SaveDraft { audience, .. } = open.want.ask {
            self.slots.entry(audience).or_default().is_saving = false;
            if let Some(newer) = draft {
                self.adopt(audience, newer.as_ref());
            }
        }
        if is_for_now(code) && (open.want.ask.key().is_some() || open.want.ask == Ask::Subscribe) {
            self.again.push((now_us + retry_after_ms.unwrap_or(100) * 1_000, open));
            return;
        }
        if code == ErrorCode::Stale {
            self.company.stale.fetch_add(1, Relaxed);
        }
        let Ask::Post { based_on, force, .. } = &mut open.want.ask else { return };
        let is_blind = matches!(self.company.collide.manner, Manner::Blind { .. });
        if is_blind || self.is_settling || open.attempts >= MAX_ATTEMPTS || *force {
            return;
        }
        let luck: f64 = self.rng.random_range(0.0..1.0);
        match code {
            // Reads what came, and sends it again; or insists; or leaves it, and keeps the draft.
            ErrorCode::Stale if luck < 0.5 => *based_on = Some(self.seen),
            ErrorCode::Stale | ErrorCode::Claimed if luck < 0.7 => *force = true,
            _ => return,
        }
        let Want { ask, .. } = open.want;
        let want = want(&self.seat, ask, &Extras { seen: self.seen, fields: &Value::Null });
        self.again.push((now_us, Open { want, attempts: open.attempts }));
    }
}

/// Not from the seed: two runs on the same tickets must not share a key.
fn new_key() -> CommandKey {
    CommandKey::new(Uuid::new_v4())
}

/// True for what may be taken a little later.
const fn is_for_now(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Busy | ErrorCode::RateLimited | ErrorCode::Unavailable)
}
