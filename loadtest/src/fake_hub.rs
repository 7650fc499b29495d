//! A stand-in for the driver's peer in its own tests: one hub of a few lines on a real socket, which can die, come back with
//! what it had committed, and be told to break its promises.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use hub_core::ids::{CommandKey, StreamId, TicketId, UserId};
use hub_core::time::UnixMs;
use hub_core::wire::client::Request;
use hub_core::wire::{Actor, ActorKind, Audience, ClientFrame, Codec, Event, EventRecord, Source, Topic};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request as Upgrade, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use uuid::Uuid;

use crate::fleet::{Fleet, FleetTicket, Member};

const STREAM: StreamId = StreamId::new(Uuid::from_u128(42));
/// Who does not take a frame for so long is cut off.
const SLOW: Duration = Duration::from_millis(300);
/// Events of a snapshot; older ones come by REST.
const SNAPSHOT_EVENTS: usize = 30;

/// A promise that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None.
    None,
    /// What was acked since the last death is forgotten by the next.
    ForgetsWhenKilled,
    /// Every seventh event is left out for whoever listens.
    SkipsEvents,
    /// Keys are not remembered.
    ForgetsKeys,
    /// Blind replies pass.
    NeverStale,
}

/// The hub; dropping it kills it.
pub struct FakeHub {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    alive: watch::Sender<bool>,
}

struct State {
    fault: Fault,
    tickets: HashMap<TicketId, Log>,
    /// Commands that are refused `busy` before one is taken.
    busy_first: u32,
    /// Upgrades that are refused with 503 before one is made.
    turned_away: u32,
    /// Connections that were welcomed.
    greeted: usize,
    /// Commands taken a second, and those that were taken in this one.
    capacity: Option<(f64, Instant, f64)>,
}

#[derive(Default)]
struct Log {
    requester: Option<UserId>,
    events: Vec<EventRecord>,
    committed: usize,
    watchers: Vec<mpsc::UnboundedSender<Topic>>,
}

/// A fleet of this size, as `hub seed --fleet` would write it.
pub fn fleet(agents: u128, customers: u128, tickets: u128) -> Fleet {
    let member = |kind: u128, n: u128| {
        let user_id = UserId::new(Uuid::from_u128(kind * 1_000 + n));
        Member { email: format!("{kind}-{n}@fleet.test"), token: user_id.to_string(), user_id }
    };
    let customers: Vec<Member> = (0..customers).map(|n| member(2, n)).collect();
    let ticket = |n: u128| FleetTicket {
        id: TicketId::new(Uuid::from_u128(9_000 + n)),
        requester_id: customers[usize::try_from(n).expect("few") % customers.len()].user_id,
    };
    Fleet { agents: (0..agents).map(|n| member(1, n)).collect(), tickets: (0..tickets).map(ticket).collect(), customers }
}

impl FakeHub {
    /// Starts with the tickets of a fleet.
    pub async fn start(fleet: &Fleet, fault: Fault) -> Self {
        let log = |ticket: &FleetTicket| {
            let by = Actor { kind: ActorKind::Customer, id: Some(ticket.requester_id), name: "Customer".into() };
            let (title, description, status) = ("Broken".into(), "It is".into(), "open".into());
            let event = Event::TicketCreated { title, description, source: Source::Web, number: 1, status, priority: None };
            let events = vec![EventRecord { seq: 1, at: UnixMs(1), by, key: None, event }];
            (ticket.id, Log { requester: Some(ticket.requester_id), events, committed: 1, watchers: vec![] })
        };
        let state = State {
            fault,
            tickets: fleet.tickets.iter().map(log).collect(),
            busy_first: 3,
            turned_away: 0,
            greeted: 0,
            capacity: None,
        };
        let listener = listen("127.0.0.1:0".parse().expect("an address"));
        let address = listener.local_addr().expect("bound");
        let (state, alive) = (Arc::new(Mutex::new(state)), watch::Sender::new(true));
        tokio::spawn(serve(listener, Arc::clone(&state), alive.subscribe()));
        Self { address, state, alive }
    }

    /// Where its socket is.
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// Refuses the next upgrades with 503, to come again after a second.
    pub fn turn_away(&self, upgrades: u32) {
        self.state.lock().expect("not poisoned").turned_away = upgrades;
    }

    /// Takes so many commands a second from now on; others are refused `busy`.
    pub fn limit_to(&self, per_second: f64) {
        self.state.lock().expect("not poisoned").capacity = Some((per_second, Instant::now(), 0.0));
    }

    /// Waits until it has welcomed so many connections.
    pub async fn has_greeted(&self, connections: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.state.lock().expect("not poisoned").greeted < connections {
            assert!(Instant::now() < deadline, "not {connections} connections");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until it has taken so many replies.
    pub async fn has_taken(&self, replies: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let taken = || self.state.lock().expect("not poisoned").tickets.values().map(|log| log.events.len() - 1).sum::<usize>();
        while taken() < replies {
            assert!(Instant::now() < deadline, "only {} of {replies} replies came", taken());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Dies at once with all connections, and comes back on the same port.
    pub async fn kill_and_restart(&mut self) {
        self.alive.send_replace(false);
        self.alive.closed().await;
        {
            let mut state = self.state.lock().expect("not poisoned");
            let forgets = state.fault == Fault::ForgetsWhenKilled;
            for log in state.tickets.values_mut() {
                log.watchers.clear();
                if forgets {
                    let committed = log.committed;
                    log.events.truncate(committed);
                }
                log.committed = log.events.len();
            }
        }
        self.alive = watch::Sender::new(true);
        let listener = listen(self.address);
        tokio::spawn(serve(listener, Arc::clone(&self.state), self.alive.subscribe()));
    }
}

/// Its kernel keeps little for who does not read.
fn listen(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("before it is bound");
    socket.set_send_buffer_size(64 * 1024).expect("before it listens");
    socket.bind(address).expect("a free port");
    socket.listen(1_024).expect("listens")
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>, mut alive: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((tcp, _)) = listener.accept() => {
                connections.spawn(greet(tcp, Arc::clone(&state)));
            }
            // Dead, or dropped: everything goes with it.
            () = async { drop(alive.wait_for(|alive| !alive).await) } => {
                drop(listener);
                connections.shutdown().await;
                return;
            }
        }
    }
}

async fn greet(tcp: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mut first = [0; 8];
    tcp.peek(&mut first).await.ok()?;
    if first.starts_with(b"GET /api") {
        return rest(tcp, &state).await;
    }
    let is_turned_away = {
        let mut state = state.lock().ok()?;
        let is_turned_away = state.turned_away > 0;
        state.turned_away = state.turned_away.saturating_sub(1);
        is_turned_away
    };
    if is_turned_away { turn_away(tcp).await } else { Connection::open(tcp, state).await?.talk().await }
}

async fn turn_away(mut tcp: TcpStream) -> Option<()> {
    read_head(&mut tcp).await?;
    tcp.write_all(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n").await.ok()
}

async fn read_head(tcp: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(tcp.read_u8().await.ok()?);
    }
    String::from_utf8(request).ok()
}

/// `GET /api/v1/tickets/{id}/events?before=N&limit=M`
async fn rest(mut tcp: TcpStream, state: &Mutex<State>) -> Option<()> {
    let request = read_head(&mut tcp).await?;
    let id = request.split('/').nth(4)?.parse().ok()?;
    let number = |name: &str| -> Option<u64> { request.split(name).nth(1)?.split(['&', ' ']).next()?.parse().ok() };
    let user: UserId = request.split("Bearer ").nth(1)?.split('\r').next()?.parse().ok()?;
    let (before, limit) = (number("before=")?, number("limit=")?);
    let events: Vec<EventRecord> = {
        let state = state.lock().ok()?;
        let log = state.tickets.get(&id)?;
        let seen = log.seen(if log.requester == Some(user) { Topic::Thread(id) } else { Topic::Ticket(id) });
        seen.into_iter().filter(|event| event.seq < before && event.seq + limit >= before).collect()
    };
    let body = json!({"events": events}).to_string();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    tcp.write_all(answer.as_bytes()).await.ok()
}

impl Log {
    /// The log as it is seen on a topic.
    fn seen(&self, topic: Topic) -> Vec<EventRecord> {
        let is_public = |event: &&EventRecord| !matches!(event.event, Event::ReplyPosted { audience: Audience::Internal, .. });
        match topic {
            Topic::Thread(_) => (1..)
                .zip(self.events.iter().filter(is_public))
                .map(|(seq, event)| {
                    let mut event = EventRecord { seq, ..event.clone() };
                    if let Event::ReplyPosted { forced, missed, .. } = &mut event.event {
                        (*forced, *missed) = (None, None);
                    }
                    event
                })
                .collect(),
            _ => self.events.clone(),
        }
    }
}

struct Connection {
    socket: tokio_tungstenite::WebSocketStream<TcpStream>,
    codec: Codec,
    state: Arc<Mutex<State>>,
    user: Option<UserId>,
    /// The topic, and the last number that was sent.
    watched: Option<(Topic, u64)>,
    news: mpsc::UnboundedReceiver<Topic>,
    news_to_me: mpsc::UnboundedSender<Topic>,
}

impl Connection {
    async fn open(tcp: TcpStream, state: Arc<Mutex<State>>) -> Option<Self> {
        let (socket, codec) = accept(tcp).await?;
        let (news_to_me, news) = mpsc::unbounded_channel();
        Some(Self { socket, codec, state, user: None, watched: None, news, news_to_me })
    }

    async fn talk(mut self) -> Option<()> {
        loop {
            let frames = tokio::select! {
                message = self.socket.next() => match message?.ok()? {
                    message @ (Message::Text(_) | Message::Binary(_)) => self.answer(&message.into_data()),
                    Message::Close(_) => return None,
                    Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => vec![],
                },
                _ = self.news.recv() => self.events(),
            };
            for frame in frames {
                let message = match self.codec {
                    Codec::Json => Message::text(frame.to_string()),
                    Codec::MsgPack => Message::binary(self.codec.encode(&frame)),
                };
                if timeout(SLOW, self.socket.send(message)).await.ok()?.is_err() {
                    return None;
                }
            }
        }
    }

    fn answer(&mut self, bytes: &[u8]) -> Vec<Value> {
        let Request { id, frame } = match Request::decode(self.codec, bytes) {
            Ok(request) => request,
            Err(bad) => return vec![json!({"type": "error", "id": bad.id, "code": "bad_frame", "message": "No."})],
        };
        // Only presence may come without a number, and has no answer then.
        let Some(id) = id else { return vec![] };
        match frame {
            ClientFrame::Hello { token, .. } => {
                let Some(user) = token.and_then(|token| token.parse().ok()) else {
                    return vec![json!({"type": "error", "id": id, "code": "unauthenticated", "message": "No such token."})];
                };
                self.user = Some(user);
                self.state.lock().expect("not poisoned").greeted += 1;
                vec![welcome(id, user)]
            }
            ClientFrame::Subscribe { topic: Topic::Workspace, .. } => {
                let snapshot = json!({"people": [], "teams": []});
                let live = json!({"presence": [], "claim": null, "drafts": [], "clocks": []});
                vec![json!({
                    "type": "subscribed", "id": id, "topic": Topic::Workspace, "stream": STREAM, "seq": 0, "live": live, "reset": true,
                    "snapshot": snapshot,
                })]
            }
            ClientFrame::Unsubscribe { .. } => {
                self.watched = None;
                vec![json!({"type": "ack", "id": id})]
            }
            ClientFrame::Subscribe { topic, resume } => self.subscribe(id, topic, resume),
            ClientFrame::PostReply { key, ticket_id, body, audience, based_on, force, .. } => {
                let result = self.post(key, ticket_id, body, audience, based_on, force);
                let mut answer = result.unwrap_or_else(|refusal| refusal);
                answer["id"] = id.into();
                // The events first: both orders are allowed.
                let mut frames = self.events();
                frames.push(answer);
                frames
            }
            other => vec![json!({"type": "error", "id": id, "code": "unknown_type", "message": format!("{other:?}")})],
        }
    }

    fn subscribe(&mut self, id: u64, topic: Topic, resume: Option<(u64, StreamId)>) -> Vec<Value> {
        let mut state = self.state.lock().expect("not poisoned");
        let ticket = match topic {
            Topic::Ticket(ticket) | Topic::Thread(ticket) => ticket,
            Topic::Me | Topic::Workspace | Topic::Radar => TicketId::new(Uuid::nil()),
        };
        let Some(log) = state.tickets.get_mut(&ticket) else {
            return vec![json!({"type": "error", "id": id, "code": "not_found", "message": "There is no such thing here."})];
        };
        log.watchers.push(self.news_to_me.clone());
        let events = log.seen(topic);
        let head = events.len() as u64;
        self.watched = Some((topic, head));
        let live = json!({"presence": [], "claim": null, "drafts": [], "clocks": []});
        let mut frame = json!({"type": "subscribed", "id": id, "topic": topic, "stream": STREAM, "seq": head, "live": live});
        match resume {
            Some((after, STREAM)) if after <= head => {
                frame["events"] = json!(events.into_iter().filter(|event| event.seq > after).collect::<Vec<_>>());
            }
            Some(_) | None => {
                let newest = &events[events.len().saturating_sub(SNAPSHOT_EVENTS)..];
                frame["reset"] = true.into();
                frame["snapshot"] = json!({"ticket": ticket_view(ticket, head), "events": newest});
            }
        }
        vec![frame]
    }

    /// What came on the watched topic since the last look.
    fn events(&mut self) -> Vec<Value> {
        let state = self.state.lock().expect("not poisoned");
        let Some((topic, sent)) = &mut self.watched else { return vec![] };
        let (Topic::Ticket(ticket) | Topic::Thread(ticket)) = *topic else { return vec![] };
        let Some(log) = state.tickets.get(&ticket) else { return vec![] };
        let new: Vec<EventRecord> = log.seen(*topic).into_iter().filter(|event| event.seq > *sent).collect();
        *sent = new.last().map_or(*sent, |event| event.seq);
        let is_told = |event: &EventRecord| state.fault != Fault::SkipsEvents || !event.seq.is_multiple_of(7);
        new.into_iter()
            .filter(is_told)
            .map(|event| {
                let mut frame = json!(event);
                (frame["type"], frame["topic"]) = ("event".into(), json!(topic));
                frame
            })
            .collect()
    }

    fn post(
        &mut self,
        key: CommandKey,
        ticket: TicketId,
        body: String,
        audience: Audience,
        based_on: Option<u64>,
        force: bool,
    ) -> Result<Value, Value> {
        let refusal = |code: &str| json!({"type": "error", "code": code, "message": "No.", "retry_after_ms": 5});
        let user = self.user.ok_or_else(|| refusal("unauthenticated"))?;
        let mut state = self.state.lock().expect("not poisoned");
        if state.busy_first > 0 {
            state.busy_first -= 1;
            return Err(refusal("busy"));
        }
        if let Some((per_second, since, taken)) = &mut state.capacity {
            let room = since.elapsed().as_secs_f64() * *per_second;
            // Nothing is saved up for later.
            *taken = taken.max(room - 5.0) + 1.0;
            if *taken > room {
                *taken -= 1.0;
                return Err(refusal("busy"));
            }
        }
        let fault = state.fault;
        let log = state.tickets.get_mut(&ticket).ok_or_else(|| refusal("not_found"))?;
        let is_customer = log.requester == Some(user);
        let seen = log.seen(if is_customer { Topic::Thread(ticket) } else { Topic::Ticket(ticket) });
        let done = seen.iter().find(|event| event.key == Some(key) && fault != Fault::ForgetsKeys);
        let until = done.map_or(u64::MAX, |event| event.seq);
        let based_on = based_on.unwrap_or(0);
        let is_deed = |event: &&EventRecord| matches!(event.event, Event::ReplyPosted { audience: Audience::Public, .. });
        let missed =
            seen.iter().filter(is_deed).any(|event| event.seq > based_on && event.seq < until && event.by.id != Some(user));
        let ack = |seq: u64| json!({"type": "ack", "seq": seq, "result": {"missed": missed}});
        if let Some(done) = done {
            return Ok(ack(done.seq));
        }
        if missed && !is_customer && audience == Audience::Public && !force && fault != Fault::NeverStale {
            let mut stale = refusal("stale");
            stale["detail"] = json!({"events": seen.into_iter().filter(|event| event.seq > based_on).collect::<Vec<_>>()});
            return Err(stale);
        }
        let seq = log.events.len() as u64 + 1;
        let kind = if is_customer { ActorKind::Customer } else { ActorKind::Agent };
        let (forced, missed_flag) = (force.then_some(true), missed.then_some(true));
        log.events.push(EventRecord {
            seq,
            at: UnixMs(1 + seq.cast_signed()),
            by: Actor { kind, id: Some(user), name: "Somebody".into() },
            key: Some(key),
            event: Event::ReplyPosted {
                body,
                audience,
                attachments: vec![],
                mentions: vec![],
                forced,
                missed: missed_flag,
                truncated: None,
                draft_authors: vec![],
                held_key: None,
            },
        });
        for watcher in &log.watchers {
            // Whoever left does not listen.
            let _ = watcher.send(Topic::Ticket(ticket));
        }
        Ok(ack(seen.len() as u64 + 1))
    }
}

/// Upgrades a connection, in the codec that is asked for.
pub async fn accept(tcp: TcpStream) -> Option<(tokio_tungstenite::WebSocketStream<TcpStream>, Codec)> {
    let mut codec = None;
    #[expect(clippy::result_large_err, reason = "the library's own type")]
    let agree = |upgrade: &Upgrade, mut response: Response| -> Result<Response, ErrorResponse> {
        let name = upgrade.headers().get(SEC_WEBSOCKET_PROTOCOL).cloned().ok_or_else(ErrorResponse::default)?;
        codec = name.to_str().ok().and_then(Codec::of_subprotocol);
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, name);
        Ok(response)
    };
    let socket = accept_hdr_async(tcp, agree).await.ok()?;
    Some((socket, codec?))
}

/// The answer to `hello`.
pub fn welcome(id: u64, user: UserId) -> Value {
    let nil = Uuid::nil();
    json!({
        "type": "welcome", "id": id, "session_id": nil, "node": "fake", "server_time": "2026-01-01T00:00:00.000Z", "heartbeat_ms": 20_000,
        "user": {"id": user, "name": "Somebody", "email": "x@fleet.test", "role": "agent"},
        "workspace": {"id": nil, "slug": "acme", "name": "Acme", "workflow": {"name": "simple", "statuses": [], "reopens_to": "open"}},
        "limits": {"message_bytes": 65_536, "body_bytes": 32_768, "depth": 16, "subscriptions": 100, "commands_in_flight": 4},
    })
}

fn ticket_view(id: TicketId, seq: u64) -> Value {
    json!({
        "id": id, "number": "TKT-1", "title": "Broken", "description": "It is", "status": "open", "source": "web", "seq": seq,
        "requester": {"id": Uuid::nil(), "name": "Customer"},
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    })
}
