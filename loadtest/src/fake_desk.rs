//! A stand-in for the driver's peer where people work together: a few tickets with claims, presence, drafts, held replies and
//! handovers, in the protocol's own words, which can be told to break its promises. Sockets are `fake_hub`'s matter too; the two
//! share nothing but how a connection is greeted.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use hub_core::ids::{TicketId, UserId};
use hub_core::time::UnixMs;
use hub_core::wire::Codec;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::fake_hub::{accept, welcome};
use crate::fleet::Fleet;

/// How often it does what is done by a timer.
const TICK: Duration = Duration::from_millis(20);
/// Changes of presence are gathered so long.
const GATHER: Duration = Duration::from_millis(100);
const GRACE: Duration = Duration::from_secs(5);
const COMPOSING: Duration = Duration::from_secs(8);
const LEASE_MS: i64 = 90_000;
const EPOCH_MS: i64 = 1_700_000_000_000;

/// A promise that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None.
    None,
    /// Blind replies pass.
    NeverStale,
    /// `stale` brings one event too few.
    MissesOne,
    /// Claims keep nobody away.
    ClaimsForNothing,
    /// Claims are judged before staleness.
    ClaimedFirst,
    /// Whoever takes a claim takes it from nobody.
    TwoHolders,
    /// The holder's reply leaves the claim.
    KeepsClaims,
    /// `forced` is not recorded.
    ForgetsForce,
    /// Who left stays.
    ForgetsLeaving,
    /// Every change is told at once, and told often.
    Floods,
    /// Customers are told who is there.
    TellsCustomers,
    /// Saves are acked and forgotten.
    ForgetsSaves,
    /// A refused reply loses its draft.
    RefusalSpendsDraft,
    /// A sent reply's draft stays.
    KeepsDrafts,
    /// Held replies are sent, and sent again.
    SendsTwice,
    /// Held replies are sent at once.
    SendsEarly,
    /// A lease shown is shorter than the one before.
    ShrinksLeases,
    /// Every ninth request is not answered.
    Silent,
    /// Busy, and does not say for how long.
    BusyForNow,
}

/// The desk; dropping it ends it.
pub struct FakeDesk {
    /// Where it listens.
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for FakeDesk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = Arc<Mutex<Desk>>;

struct Desk {
    fault: Fault,
    began: Instant,
    asked: u64,
    connections: u64,
    tickets: HashMap<TicketId, Ticket>,
    /// By person: what is told to all of its devices.
    people: Vec<(u64, UserId, UnboundedSender<Value>)>,
}

struct Ticket {
    id: TicketId,
    requester: Option<UserId>,
    log: Vec<Value>,
    holder: Option<(UserId, i64)>,
    drafts: HashMap<(UserId, String), (u64, Option<String>)>,
    held: Vec<Held>,
    there: BTreeMap<(UserId, u64), (String, Option<String>, Instant)>,
    lost: BTreeMap<UserId, Instant>,
    watchers: Vec<(u64, UserId, UnboundedSender<Value>)>,
    is_changed: bool,
    told: Option<Instant>,
}

struct Held {
    key: Value,
    user: UserId,
    frame: Value,
    due: Instant,
}

impl FakeDesk {
    /// Starts with the tickets of a fleet.
    pub async fn start(fleet: &Fleet, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let created = |requester: UserId| {
            let event = json!({"type": "ticket_created", "title": "Broken", "description": "It is", "source": "web", "number": 1, "status": "open"});
            json!({"seq": 1, "at": UnixMs(EPOCH_MS), "by": {"kind": "customer", "id": requester, "name": "Customer"}, "event": event})
        };
        let tickets = fleet.tickets.iter().map(|ticket| {
            let log = vec![created(ticket.requester_id)];
            (ticket.id, Ticket::new(ticket.id, ticket.requester_id, log))
        });
        let desk = Desk { fault, began: Instant::now(), asked: 0, connections: 0, tickets: tickets.collect(), people: vec![] };
        let task = tokio::spawn(serve(listener, Arc::new(Mutex::new(desk))));
        Self { address, task }
    }

    /// Where its socket is.
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }
}

fn lock(desk: &Shared) -> MutexGuard<'_, Desk> {
    desk.lock().expect("not poisoned")
}

async fn serve(listener: TcpListener, desk: Shared) {
    let mut connections = JoinSet::new();
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            Ok((tcp, _)) = listener.accept() => {
                connections.spawn(talk(tcp, Arc::clone(&desk)));
            }
            _ = ticks.tick() => lock(&desk).tick(),
        }
    }
}

async fn talk(tcp: TcpStream, desk: Shared) -> Option<()> {
    let (mut socket, codec) = accept(tcp).await?;
    let (sender, mut frames) = mpsc::unbounded_channel();
    let connection = {
        let mut desk = lock(&desk);
        desk.connections += 1;
        desk.connections
    };
    let mut user = None;
    let served = serve_one(&mut socket, codec, &desk, connection, &mut user, &sender, &mut frames).await;
    if let Some(user) = user {
        lock(&desk).lose(user, connection);
    }
    served
}

type Upgraded = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn serve_one(
    socket: &mut Upgraded,
    codec: Codec,
    desk: &Shared,
    connection: u64,
    user: &mut Option<UserId>,
    sender: &UnboundedSender<Value>,
    frames: &mut UnboundedReceiver<Value>,
) -> Option<()> {
    loop {
        tokio::select! {
            message = socket.next() => match message?.ok()? {
                message @ (Message::Text(_) | Message::Binary(_)) => {
                    let frame: Value = codec.decode(&message.into_data()).expect("the driver's own frames");
                    let mut desk = lock(desk);
                    if frame["type"] == "hello" {
                        let who: UserId = frame["token"].as_str()?.parse().ok()?;
                        *user = Some(who);
                        desk.people.push((connection, who, sender.clone()));
                        sender.send(welcome(frame["id"].as_u64()?, who)).ok()?;
                    } else {
                        desk.answer((*user)?, connection, sender, &frame);
                    }
                }
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            },
            Some(frame) = frames.recv() => {
                let message = match codec {
                    Codec::Json => Message::text(frame.to_string()),
                    Codec::MsgPack => Message::binary(codec.encode(&frame)),
                };
                socket.send(message).await.ok()?;
            }
        }
    }
}

type Answer = Result<Value, Value>;

fn refusal(code: &str) -> Value {
    json!({"type": "error", "code": code, "message": "No.", "retry_after_ms": 5})
}

impl Desk {
    fn now_ms(&self) -> i64 {
        EPOCH_MS + i64::try_from(self.began.elapsed().as_millis()).expect("a short run")
    }

    fn answer(&mut self, user: UserId, connection: u64, sender: &UnboundedSender<Value>, frame: &Value) {
        self.asked += 1;
        let answer = match frame["type"].as_str().unwrap_or_default() {
            "subscribe" => self.subscribe(user, connection, sender, frame),
            "unsubscribe" => self.leave(user, connection, frame),
            _ if self.asked.is_multiple_of(13) && frame["key"].is_string() => {
                let mut busy = refusal("busy");
                if self.fault == Fault::BusyForNow {
                    busy.as_object_mut().expect("a map").remove("retry_after_ms");
                }
                Err(busy)
            }
            _ => self.command(user, connection, frame),
        };
        let mut answer = answer.unwrap_or_else(|refusal| refusal);
        let is_swallowed = self.fault == Fault::Silent && self.asked.is_multiple_of(9) && answer["type"] == "ack";
        if frame["id"].is_u64() && !is_swallowed {
            answer["id"] = frame["id"].clone();
            // Whoever has gone hears nothing.
            let _ = sender.send(answer);
        }
    }

    fn subscribe(&mut self, user: UserId, connection: u64, sender: &UnboundedSender<Value>, frame: &Value) -> Answer {
        let topic = frame["topic"].as_str().unwrap_or_default();
        let live = json!({"presence": [], "claim": null, "drafts": [], "clocks": []});
        if topic == "me" {
            return Ok(
                json!({"type": "subscribed", "topic": "me", "stream": Uuid::nil(), "seq": 0, "live": live, "events": []}),
            );
        }
        let id = topic.split_once(':').and_then(|(_, id)| id.parse().ok());
        let ticket = id.and_then(|id: TicketId| self.tickets.get_mut(&id)).ok_or_else(|| refusal("not_found"))?;
        let is_customer = ticket.requester == Some(user);
        ticket.watchers.retain(|(whose, ..)| *whose != connection);
        ticket.watchers.push((connection, user, sender.clone()));
        let log = ticket.seen(is_customer);
        let mut subscribed = json!({"type": "subscribed", "topic": topic, "stream": Uuid::nil(), "seq": log.len()});
        subscribed["live"] = ticket.live(user, is_customer);
        match frame["after"].as_u64() {
            Some(after) => {
                subscribed["events"] = log.into_iter().filter(|record| record["seq"].as_u64() > Some(after)).collect()
            }
            None => {
                subscribed["reset"] = true.into();
                subscribed["snapshot"] = json!({"ticket": {}, "events": log});
            }
        }
        Ok(subscribed)
    }

    fn leave(&mut self, user: UserId, connection: u64, frame: &Value) -> Answer {
        let id = frame["topic"].as_str().and_then(|topic| topic.split_once(':')?.1.parse().ok());
        let fault = self.fault;
        let ticket = id.and_then(|id: TicketId| self.tickets.get_mut(&id)).ok_or_else(|| refusal("not_found"))?;
        ticket.watchers.retain(|(whose, ..)| *whose != connection);
        if fault != Fault::ForgetsLeaving {
            ticket.there.remove(&(user, connection));
            ticket.is_changed = true;
        }
        Ok(json!({"type": "ack"}))
    }

    fn lose(&mut self, user: UserId, connection: u64) {
        self.people.retain(|(whose, ..)| *whose != connection);
        for ticket in self.tickets.values_mut() {
            ticket.watchers.retain(|(whose, ..)| *whose != connection);
            if ticket.there.remove(&(user, connection)).is_some() && !ticket.is_there(user) {
                ticket.lost.insert(user, Instant::now() + GRACE);
            }
            ticket.is_changed = true;
        }
    }

    fn command(&mut self, user: UserId, connection: u64, frame: &Value) -> Answer {
        let id: TicketId = frame["ticket_id"].as_str().and_then(|id| id.parse().ok()).ok_or_else(|| refusal("invalid"))?;
        let (fault, now_ms) = (self.fault, self.now_ms());
        let people = self.people.clone();
        let ticket = self.tickets.get_mut(&id).ok_or_else(|| refusal("not_found"))?;
        let is_customer = ticket.requester == Some(user);
        let known =
            frame.get("key").and_then(|key| ticket.seen(is_customer).into_iter().find(|record| record.get("key") == Some(key)));
        if let Some(done) = known {
            return Ok(json!({"type": "ack", "seq": done["seq"]}));
        }
        let at = At { user, is_customer, now_ms, fault };
        let before = ticket.drafts.clone();
        let answer = ticket.command(&at, connection, frame);
        for ((whose, audience), (revision, body)) in &ticket.drafts {
            if before.get(&(*whose, audience.clone())) != Some(&(*revision, body.clone())) {
                let draft = body.as_ref().map(|body| json!({"audience": audience, "revision": revision, "body": body}));
                let signal = json!({"type": "draft_changed", "ticket_id": id, "audience": audience, "draft": draft});
                for (to, person, sender) in &people {
                    if person == whose && *to != connection {
                        let _ = sender.send(json!({"type": "signal", "topic": "me", "signal": signal}));
                    }
                }
            }
        }
        answer
    }

    fn tick(&mut self) {
        let (fault, now_ms) = (self.fault, self.now_ms());
        for ticket in self.tickets.values_mut() {
            ticket.tick(fault, now_ms);
        }
    }
}

/// Who asks, and when.
struct At {
    user: UserId,
    is_customer: bool,
    now_ms: i64,
    fault: Fault,
}

impl Ticket {
    fn new(id: TicketId, requester: UserId, log: Vec<Value>) -> Self {
        Self {
            id,
            requester: Some(requester),
            log,
            holder: None,
            drafts: HashMap::new(),
            held: vec![],
            there: BTreeMap::new(),
            lost: BTreeMap::new(),
            watchers: vec![],
            is_changed: false,
            told: None,
        }
    }

    fn is_there(&self, user: UserId) -> bool {
        self.there.keys().any(|(whose, _)| *whose == user)
    }

    fn seen(&self, is_customer: bool) -> Vec<Value> {
        if !is_customer {
            return self.log.clone();
        }
        let public = self.log.iter().filter(|record| is_public(&record["event"])).cloned();
        public.zip(1_u64..).map(|(record, seq)| outside(record, seq)).collect()
    }

    fn live(&self, user: UserId, is_customer: bool) -> Value {
        let (mut presence, mut claim) = (json!([]), Value::Null);
        if !is_customer {
            presence = self.present();
            claim =
                self.holder.map_or(Value::Null, |(by, until)| json!({"by": {"id": by, "name": "A"}, "until": UnixMs(until)}));
        }
        let mine = self.drafts.iter().filter(|((whose, _), _)| *whose == user);
        let drafts: Vec<Value> = mine
            .filter_map(|((_, audience), (revision, body))| {
                Some(json!({"audience": audience, "revision": revision, "body": body.as_ref()?}))
            })
            .collect();
        json!({"presence": presence, "claim": claim, "drafts": drafts, "clocks": []})
    }

    /// Everybody once, in its most telling state.
    fn present(&self) -> Value {
        let mut people: BTreeMap<UserId, (String, Option<String>)> = BTreeMap::new();
        for ((user, _), (state, audience, _)) in &self.there {
            let kept = people.entry(*user).or_insert_with(|| (state.clone(), audience.clone()));
            if state == "composing" {
                *kept = (state.clone(), audience.clone());
            }
        }
        let there = people.into_iter().map(|(user, (state, audience))| {
            json!({"id": user, "name": "A", "kind": "agent", "state": state, "audience": audience, "since": UnixMs(EPOCH_MS)})
        });
        let lost = self.lost.keys().map(|user| {
            json!({"id": user, "name": "A", "kind": "agent", "state": "viewing", "since": UnixMs(EPOCH_MS), "lost": true})
        });
        there.chain(lost).collect()
    }

    fn append(&mut self, at: &At, kind: &str, key: Option<&Value>, event: Value) -> u64 {
        let seq = self.log.len() as u64 + 1;
        let mut record = json!({"seq": seq, "at": UnixMs(at.now_ms), "by": {"kind": kind, "id": at.user, "name": "Somebody"}, "event": event});
        if let Some(key) = key {
            record["key"] = key.clone();
        }
        self.log.push(record.clone());
        let thread_seq = self.log.iter().filter(|record| is_public(&record["event"])).count() as u64;
        for (_, user, sender) in &self.watchers {
            let is_customer = self.requester == Some(*user);
            let (topic, mut frame) =
                if is_customer { ("thread", outside(record.clone(), thread_seq)) } else { ("ticket", record.clone()) };
            if is_customer && !is_public(&record["event"]) {
                continue;
            }
            (frame["type"], frame["topic"]) = ("event".into(), format!("{topic}:{}", self.id).into());
            let _ = sender.send(frame);
        }
        seq
    }

    fn command(&mut self, at: &At, connection: u64, frame: &Value) -> Answer {
        let key = frame.get("key");
        let text = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
        let seq = match frame["type"].as_str().unwrap_or_default() {
            "post_reply" => return self.post(at, frame),
            "change_status" => {
                self.judge(at, frame)?;
                let forced = (frame["force"] == true).then_some(true);
                let event = json!({"type": "status_changed", "from": "open", "to": text("status"), "forced": forced});
                self.append(at, "agent", key, without_nulls(event))
            }
            "cancel_held" => self.cancel(at, frame)?,
            "hand_over" => self.hand_over(at, frame),
            "acknowledge_handoff" => self.append(at, "agent", key, json!({"type": "handoff_acknowledged"})),
            "change_tags" | "update_ticket" | "watch" => self.append(at, "agent", key, json!({"type": "nothing_changed"})),
            "take_claim" => {
                self.take(at, frame["force"] == true)?;
                0
            }
            "release_claim" => {
                if self.holder.is_some_and(|(by, _)| by == at.user) {
                    self.release(at);
                }
                0
            }
            "set_presence" => {
                self.there.insert(
                    (at.user, connection),
                    (text("state"), frame["audience"].as_str().map(str::to_owned), Instant::now()),
                );
                self.lost.remove(&at.user);
                self.is_changed = true;
                if !at.is_customer && frame["state"] == "composing" && frame["audience"] == "public" {
                    // Taken when it is free; renewed when it is mine.
                    let _ = self.take(at, false);
                }
                0
            }
            "save_draft" => return self.save(at, frame),
            "discard_draft" => {
                self.spend(at.user, &text("audience"));
                0
            }
            other => panic!("the driver asks for {other}"),
        };
        Ok(if seq > 0 { json!({"type": "ack", "seq": seq}) } else { json!({"type": "ack"}) })
    }

    fn judge(&self, at: &At, frame: &Value) -> Result<(), Value> {
        if at.is_customer || frame["force"] == true || frame["audience"] == "internal" {
            return Ok(());
        }
        let based_on = frame["based_on"].as_u64().unwrap_or(0);
        let user = json!(at.user);
        let is_missed = |record: &&Value| {
            record["seq"].as_u64() > Some(based_on) && record["by"]["id"] != user && is_deed(&record["event"])
        };
        let stale = || {
            let mut missed: Vec<Value> =
                self.log.iter().filter(|record| record["seq"].as_u64() > Some(based_on)).cloned().collect();
            if at.fault == Fault::MissesOne {
                missed.remove(0);
            }
            let mut stale = refusal("stale");
            stale["detail"] = json!({"events": missed});
            stale
        };
        let is_stale = at.fault != Fault::NeverStale && self.log.iter().any(|record| is_missed(&record));
        if is_stale && at.fault != Fault::ClaimedFirst {
            return Err(stale());
        }
        if let Some((by, until)) = self.holder.filter(|(by, _)| *by != at.user && at.fault != Fault::ClaimsForNothing) {
            let mut claimed = refusal("claimed");
            claimed["detail"] = json!({"by": {"id": by, "name": "A"}, "until": UnixMs(until)});
            return Err(claimed);
        }
        if is_stale { Err(stale()) } else { Ok(()) }
    }

    fn post(&mut self, at: &At, frame: &Value) -> Answer {
        let audience = frame["audience"].as_str().unwrap_or_default().to_owned();
        if let Err(refusal) = self.judge(at, frame) {
            if at.fault == Fault::RefusalSpendsDraft {
                self.spend(at.user, &audience);
            }
            return Err(refusal);
        }
        let kind = if at.is_customer { "customer" } else { "agent" };
        let forced = (frame["force"] == true && at.fault != Fault::ForgetsForce).then_some(true);
        let hold_ms = frame["hold_ms"].as_u64().filter(|_| at.fault != Fault::SendsEarly).unwrap_or(0);
        if at.fault != Fault::KeepsDrafts {
            self.spend(at.user, &audience);
        }
        if frame["hold_ms"].is_u64() {
            let release_at = at.now_ms + i64::try_from(frame["hold_ms"].as_u64().unwrap_or(0)).expect("short");
            let event = json!({
                "type": "reply_held", "body": frame["body"], "audience": audience, "based_on": frame["based_on"], "forced": forced,
                "release_at": UnixMs(release_at),
            });
            let seq = self.append(at, kind, frame.get("key"), without_nulls(event));
            let due = Instant::now() + Duration::from_millis(hold_ms);
            self.held.push(Held { key: frame["key"].clone(), user: at.user, frame: frame.clone(), due });
            return Ok(json!({"type": "ack", "seq": seq}));
        }
        let event =
            json!({"type": "reply_posted", "body": frame["body"], "audience": audience, "attachments": [], "forced": forced});
        let seq = self.append(at, kind, frame.get("key"), without_nulls(event));
        self.release_after_reply(at, &audience);
        let seq = if at.is_customer { self.seen(true).len() as u64 } else { seq };
        Ok(json!({"type": "ack", "seq": seq}))
    }

    fn release_after_reply(&mut self, at: &At, audience: &str) {
        if audience == "public" && self.holder.is_some_and(|(by, _)| by == at.user) && at.fault != Fault::KeepsClaims {
            self.release(at);
        }
    }

    fn release(&mut self, at: &At) {
        self.holder = None;
        self.append(at, "agent", None, json!({"type": "claim_released", "by": {"id": at.user, "name": "A"}}));
    }

    fn take(&mut self, at: &At, force: bool) -> Result<(), Value> {
        let until = at.now_ms + LEASE_MS;
        match self.holder {
            Some((by, before)) if by == at.user => {
                let until = if at.fault == Fault::ShrinksLeases { before - 10 } else { until };
                self.holder = Some((by, until));
                let signal = json!({"type": "claim", "by": {"id": by, "name": "A"}, "until": UnixMs(until)});
                self.tell_agents(&signal);
                Ok(())
            }
            Some((by, until)) if !force && at.fault != Fault::TwoHolders => {
                let mut claimed = refusal("claimed");
                claimed["detail"] = json!({"by": {"id": by, "name": "A"}, "until": UnixMs(until)});
                Err(claimed)
            }
            before => {
                self.holder = Some((at.user, until));
                let from = before.filter(|_| at.fault != Fault::TwoHolders).map(|(by, _)| json!({"id": by, "name": "A"}));
                let event =
                    json!({"type": "claim_taken", "by": {"id": at.user, "name": "A"}, "until": UnixMs(until), "from": from});
                self.append(at, "agent", None, without_nulls(event));
                Ok(())
            }
        }
    }

    fn hand_over(&mut self, at: &At, frame: &Value) -> u64 {
        let draft =
            (frame["with_draft"] == true).then(|| self.drafts.get(&(at.user, "public".to_owned()))?.1.clone()).flatten();
        let draft = draft.map(|body| json!({"body": body, "based_on": 1, "authors": []}));
        if draft.is_some() {
            self.spend(at.user, "public");
        }
        let event =
            json!({"type": "handed_over", "from_id": at.user, "to_id": frame["to_id"], "note": frame["note"], "draft": draft});
        let seq = self.append(at, "agent", frame.get("key"), without_nulls(event));
        let to: Option<UserId> = frame["to_id"].as_str().and_then(|id| id.parse().ok());
        if let (Some((by, _)), Some(to)) = (self.holder.filter(|(by, _)| *by == at.user), to) {
            let until = at.now_ms + LEASE_MS;
            self.holder = Some((to, until));
            let (by, to) = (json!({"id": by, "name": "A"}), json!({"id": to, "name": "A"}));
            self.append(at, "agent", None, json!({"type": "claim_taken", "by": to, "until": UnixMs(until), "from": by}));
        }
        seq
    }

    fn cancel(&mut self, at: &At, frame: &Value) -> Result<u64, Value> {
        let index = self.held.iter().position(|held| held.key == frame["held_key"] && held.user == at.user);
        let held = self.held.remove(index.ok_or_else(|| refusal("not_found"))?);
        let event = json!({"type": "held_cancelled", "held_key": held.key});
        let seq = self.append(at, "agent", frame.get("key"), event);
        self.give_back(&held);
        Ok(seq)
    }

    fn give_back(&mut self, held: &Held) {
        let audience = held.frame["audience"].as_str().unwrap_or_default().to_owned();
        let body = held.frame["body"].as_str().unwrap_or_default();
        let (revision, before) = self.drafts.entry((held.user, audience)).or_default();
        *revision += 1;
        *before = Some(before.take().map_or_else(|| body.to_owned(), |before| format!("{before}\n\n{body}")));
    }

    fn save(&mut self, at: &At, frame: &Value) -> Answer {
        let audience = frame["audience"].as_str().unwrap_or_default().to_owned();
        let (revision, body) = self.drafts.entry((at.user, audience.clone())).or_default();
        let over = frame["revision"].as_u64().unwrap_or(0);
        let fits = over == *revision || (over == 0 && body.is_none());
        if !fits {
            let newer = body.as_ref().map(|body| json!({"audience": audience, "revision": revision, "body": body}));
            let mut stale = refusal("stale");
            stale["detail"] = json!({"draft": newer});
            return Err(stale);
        }
        *revision += 1;
        *body = frame["body"].as_str().filter(|_| at.fault != Fault::ForgetsSaves).map(str::to_owned);
        Ok(json!({"type": "ack", "result": {"revision": revision}}))
    }

    fn spend(&mut self, user: UserId, audience: &str) {
        if let Some((revision, body @ Some(_))) = self.drafts.get_mut(&(user, audience.to_owned())) {
            *revision += 1;
            *body = None;
        }
    }

    fn tell_agents(&self, signal: &Value) {
        for (.., sender) in self.watchers.iter().filter(|(_, user, _)| self.requester != Some(*user)) {
            let _ = sender.send(json!({"type": "signal", "topic": format!("ticket:{}", self.id), "signal": signal}));
        }
    }

    fn tick(&mut self, fault: Fault, now_ms: i64) {
        let now = Instant::now();
        let due: Vec<usize> = (0..self.held.len()).rev().filter(|index| self.held[*index].due <= now).collect();
        for index in due {
            let held = self.held.remove(index);
            self.release_held(&held, fault, now_ms);
        }
        let before = (self.lost.len(), self.there.values().filter(|(state, ..)| state == "composing").count());
        let gone: Vec<UserId> = self.lost.iter().filter(|(_, until)| **until <= now).map(|(user, _)| *user).collect();
        for user in gone {
            self.lost.remove(&user);
        }
        for (state, audience, said) in self.there.values_mut() {
            if state == "composing" && said.elapsed() > COMPOSING {
                (*state, *audience) = ("viewing".into(), None);
            }
        }
        self.is_changed |= before != (self.lost.len(), self.there.values().filter(|(state, ..)| state == "composing").count());
        let is_gone = |by: UserId| !self.watchers.iter().any(|(_, user, _)| *user == by) && !self.lost.contains_key(&by);
        if let Some((by, _)) = self.holder.filter(|(by, _)| is_gone(*by)) {
            self.release(&At { user: by, is_customer: false, now_ms, fault });
        }
        let is_time = self.told.is_none_or(|told| told + GATHER <= now) || fault == Fault::Floods;
        if self.is_changed && is_time {
            (self.is_changed, self.told) = (false, Some(now));
            for _ in 0..if fault == Fault::Floods { 9 } else { 1 } {
                self.tell_presence(fault);
            }
        }
    }

    fn tell_presence(&self, fault: Fault) {
        let users = self.present();
        self.tell_agents(&json!({"type": "presence", "users": users}));
        let composes = self.there.iter().any(|((user, _), (state, audience, _))| {
            self.requester != Some(*user) && state == "composing" && audience.as_deref() == Some("public")
        });
        let mut signal = json!({"type": "presence", "support": composes.then_some("composing")});
        if fault == Fault::TellsCustomers {
            signal["users"] = users;
        }
        for (.., sender) in self.watchers.iter().filter(|(_, user, _)| self.requester == Some(*user)) {
            let _ = sender.send(json!({"type": "signal", "topic": format!("thread:{}", self.id), "signal": signal}));
        }
    }

    fn release_held(&mut self, held: &Held, fault: Fault, now_ms: i64) {
        let at = At { user: held.user, is_customer: false, now_ms, fault };
        if self.judge(&at, &held.frame).is_err() {
            self.append(&at, "system", None, json!({"type": "held_cancelled", "held_key": held.key, "why": "stale"}));
            self.give_back(held);
            return;
        }
        let audience = held.frame["audience"].as_str().unwrap_or_default().to_owned();
        let forced = (held.frame["force"] == true).then_some(true);
        let event = json!({
            "type": "reply_posted", "body": held.frame["body"], "audience": audience, "attachments": [], "forced": forced,
            "held_key": held.key,
        });
        for _ in 0..if fault == Fault::SendsTwice { 2 } else { 1 } {
            self.append(&at, "agent", Some(&json!(Uuid::new_v4())), without_nulls(event.clone()));
        }
        self.release_after_reply(&at, &audience);
    }
}

fn is_deed(event: &Value) -> bool {
    event["type"] == "status_changed" || (event["type"] == "reply_posted" && event["audience"] == "public")
}

fn is_public(event: &Value) -> bool {
    is_deed(event) || event["type"] == "ticket_created"
}

/// A record as customers see it.
fn outside(mut record: Value, seq: u64) -> Value {
    record["seq"] = seq.into();
    if let Some(event) = record["event"].as_object_mut() {
        event.retain(|name, _| !["forced", "missed", "held_key", "note"].contains(&name.as_str()));
    }
    record
}

fn without_nulls(mut event: Value) -> Value {
    event.as_object_mut().expect("a map").retain(|_, value| !value.is_null());
    event
}
