//! One WebSocket, as an actor: turns what comes in into inputs of the protocol core, and the core's effects into frames and
//! requests. The only file that names `actix_web_actors`, which is marked deprecated upstream: leaving it means this file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use actix::{Actor, ActorContext, AsyncContext, Handler, Message, StreamHandler};
use actix_http::ws::{CloseCode as WsCloseCode, CloseReason, Item, Message as WsMessage, ProtocolError};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{WebsocketContext, WsResponseBuilder};
use actors::fanout::{
    Attach, ConnectionId, FanoutHandle, Going, Outbox, OutboxLimits, SetPresence, Subscribe, Unsubscribe, WatchRows,
};
use bytes::Bytes;
use hub_core::ids::{TicketId, TicketKey};
use hub_core::ports::{Mark, SignIn};
use hub_core::rules::intent::{Asker, Intent};
use hub_core::rules::presence::Said;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::wire::{
    Audience, CloseCode, Codec, ErrorCode, MAX_CLIENT_MESSAGE_BYTES, Me, Problem, ServerFrame, WorkspaceInfo,
};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::core::{DraftChange, Effect, SessionCore};
use super::fragments::{BadText, Fragments, Whole};
use super::header_guard::{HeaderGuard, Seen};
use super::judge::Offence;
use super::kill::KillSwitch;
use super::pace::Pace;
use super::sockets::{Ending, OpenSocket};
use super::under_way::UnderWay;
use super::worker;
use crate::Doors;
use crate::auth::Token;
use crate::limits::Claim;
use crate::metrics::SocketLife;

type Context = WebsocketContext<Session>;

/// Messages of the session's own mailbox: one wake-up and a few endings.
const MAILBOX: usize = 16;

/// Upgrades a request to a WebSocket and starts its session.
pub fn start(
    request: &HttpRequest,
    body: web::Payload,
    doors: Doors,
    codec: Codec,
    token: Option<String>,
    claim: Claim,
) -> Result<HttpResponse, actix_web::Error> {
    let (body, seen) = HeaderGuard::new(body, MAX_CLIENT_MESSAGE_BYTES);
    let fanout = worker::fanout(&doors.tickets);
    let limits = doors.settings.sockets;
    let connection = ConnectionId::next();
    // Within the request's span: from here on the connection's number goes on in the log where the request's id ends.
    tracing::debug!(connection = connection.number(), "a socket opened");
    let session = Session {
        life: SocketLife::begin(),
        core: SessionCore::new(codec, Instant::now(), limits.hello_within, limits.heartbeat),
        codec,
        carried_token: token,
        connection,
        fanout,
        kill: KillSwitch::of(request.conn_data::<KillSwitch>()),
        seen,
        fragments: Fragments::default(),
        outbox: None,
        place: None,
        going: Going::Lost,
        present: None,
        in_flight: Arc::new(AtomicUsize::new(0)),
        pace: Pace::new(&limits),
        claim: Some(claim),
        doors,
    };
    let name = codec.subprotocol();
    WsResponseBuilder::new(session, request, body).protocols(&[name]).frame_size(MAX_CLIENT_MESSAGE_BYTES).start()
}

/// One socket.
struct Session {
    doors: Doors,
    life: SocketLife,
    core: SessionCore,
    codec: Codec,
    /// From the handshake: a cookie or a bearer token.
    carried_token: Option<String>,
    connection: ConnectionId,
    fanout: FanoutHandle,
    kill: KillSwitch,
    seen: Seen,
    fragments: Fragments,
    outbox: Option<Arc<Outbox>>,
    /// Where and who, once signed in.
    place: Option<(SignIn, Arc<WorkspaceFacts>)>,
    /// How its person goes when it ends: without a word the connection broke.
    going: Going,
    /// Its person is here, for as long as this is.
    present: Option<actors::Present>,
    /// Commands that have not been answered.
    in_flight: Arc<AtomicUsize>,
    pace: Pace,
    /// The handshake, which counts until somebody we know has said hello.
    claim: Option<Claim>,
}

/// Something waits in the outbox.
#[derive(Message)]
#[rtype(result = "()")]
struct Wake;

/// The hub ends the session.
#[derive(Message)]
#[rtype(result = "()")]
struct End(Ending);

impl Session {
    fn perform(&mut self, effects: Vec<Effect>, ctx: &mut Context) {
        for effect in effects {
            match effect {
                Effect::Send(frame) => self.send(&frame, ctx),
                Effect::Authenticate { token } => self.authenticate(token, ctx),
                Effect::Welcome { id } => self.welcome(id, ctx),
                Effect::Subscribe { id, topic, position } => {
                    let connection = self.connection;
                    self.ask(id, Subscribe { connection, id, topic, position }, ctx);
                }
                Effect::Unsubscribe { id, topic } => {
                    let connection = self.connection;
                    self.ask(id, Unsubscribe { connection, id, topic }, ctx);
                }
                Effect::WatchRows { id, tickets } => {
                    let connection = self.connection;
                    self.ask(id, WatchRows { connection, id, tickets }, ctx);
                }
                Effect::Pong { id } => {
                    let server_time = self.doors.clock.now();
                    self.send(&ServerFrame::Pong { id, server_time }, ctx);
                }
                Effect::Submit { id, ticket, intent } => self.submit(id, ticket, *intent, ctx),
                Effect::SetPresence { id, ticket, said } => self.set_presence(id, ticket, said, ctx),
                Effect::MarkRead { id, ticket, mark } => self.mark_read(id, ticket, mark, ctx),
                Effect::ChangeDraft { id, ticket, audience, change } => self.change_draft(id, (ticket, audience), change, ctx),
                Effect::Close(code, why) => self.close(code, why, ctx),
            }
        }
    }

    fn authenticate(&self, token: Option<String>, ctx: &mut Context) {
        let doors = self.doors.clone();
        let token = token.or_else(|| self.carried_token.clone());
        let found_out = async move {
            let Some(token) = token else {
                return Err(Problem::new(ErrorCode::Unauthenticated, "Say hello with a token, or sign in first."));
            };
            let found = doors.authenticator.authenticate(&token).await;
            if let Some(token) = Token::parse(&token) {
                doors.rates.learn(token.hash(), &found);
            }
            let sign_in = found?;
            let facts = doors.tickets.facts(sign_in.workspace).await?;
            Ok((sign_in, facts))
        };
        let found_out = actix::fut::wrap_future::<_, Self>(found_out);
        ctx.spawn(actix::ActorFutureExt::map(found_out, |found, session, ctx| {
            let result = found.map(|(sign_in, facts)| {
                session.place = Some((sign_in.clone(), facts));
                sign_in
            });
            if let Err(problem) = &result
                && let Some(claim) = session.claim.take()
            {
                claim.was_refused(problem);
            }
            let effects = session.core.authenticated(result);
            session.perform(effects, ctx);
        }));
    }

    /// Greets, and from now on belongs to the fan-out and to the registry of open sockets.
    fn welcome(&mut self, id: u64, ctx: &mut Context) {
        let Some((sign_in, facts)) = self.place.clone() else { return };
        let limits = self.doors.settings.sockets;
        let address = ctx.address();
        let end = move |ending| {
            // A session that takes no message is cut by whoever ends it.
            drop(address.try_send(End(ending)));
        };
        let socket = OpenSocket {
            session: sign_in.session,
            workspace: sign_in.workspace,
            user: sign_in.user,
            role: sign_in.role,
            end: Box::new(end),
            kill: self.kill.clone(),
        };
        if !self.doors.sockets.add(self.connection, socket, limits.per_user) {
            let problem = Problem::new(ErrorCode::LimitReached, "This person has too many connections.");
            self.send(&ServerFrame::error(Some(id), problem), ctx);
            let effects = self.core.close(CloseCode::TooMany, "this person has too many connections");
            return self.perform(effects, ctx);
        }
        if let Some(claim) = self.claim.take() {
            claim.give_back();
        }
        tracing::debug!(connection = self.connection.number(), session = %sign_in.session, user = %sign_in.user, "a socket was greeted");
        self.send(&greeting(id, &sign_in, &facts, &self.doors), ctx);
        let address = ctx.address();
        let outbox = Arc::new(Outbox::new(OutboxLimits::default(), move || {
            // One wake-up is out at most, so there is room for it; a session that is gone needs none.
            drop(address.try_send(Wake));
        }));
        self.outbox = Some(Arc::clone(&outbox));
        let by = Asker { user: sign_in.user, name: sign_in.name, role: sign_in.role };
        self.present = self.doors.tickets.arrive(sign_in.workspace, &by);
        let (sockets, connection) = (self.doors.sockets.clone(), self.connection);
        let attach = Attach {
            connection: self.connection,
            outbox,
            codec: self.codec,
            by,
            workspace: sign_in.workspace,
            max_topics: limits.subscriptions,
            cut: Arc::new(move |cut| sockets.cut(connection, cut)),
        };
        if self.fanout.request(attach).is_err() {
            let effects = self.core.close(CloseCode::Drain, "the hub has no room right now; come back");
            self.perform(effects, ctx);
        }
    }

    /// Passes a request of the client to the fan-out, which answers through the outbox.
    fn ask<M>(&mut self, id: u64, request: M, ctx: &mut Context)
    where
        M: Message<Result = ()> + Send + 'static,
        actors::fanout::Fanout: Handler<M>,
    {
        if let Err(problem) = self.fanout.request(request) {
            self.send(&ServerFrame::error(Some(id), problem), ctx);
        }
    }

    /// Carries a command to its ticket. It runs to its end there, whatever becomes of this socket.
    fn submit(&mut self, id: u64, ticket: TicketId, intent: Intent, ctx: &mut Context) {
        self.carry(id, ctx, move |tickets, sign_in| async move {
            let numbering = intent.by.numbering();
            let receipt = tickets.submit(TicketKey { workspace: sign_in.workspace, ticket }, intent).await?;
            let mut result = serde_json::Map::new();
            if receipt.missed {
                result.insert("missed".into(), true.into());
            }
            Ok(ServerFrame::Ack { id, seq: receipt.seq_for(numbering), result })
        });
    }

    fn mark_read(&mut self, id: u64, ticket: TicketId, mark: Mark, ctx: &mut Context) {
        self.carry(id, ctx, move |tickets, sign_in| async move {
            let by = Asker { user: sign_in.user, name: sign_in.name, role: sign_in.role };
            tickets.mark_read(sign_in.workspace, &by, ticket, mark).await?;
            Ok(ServerFrame::Ack { id, seq: None, result: serde_json::Map::new() })
        });
    }

    /// Passes on what this person does at a ticket, in order with what the socket watches. Without a number nobody waits for it.
    fn set_presence(&mut self, id: Option<u64>, ticket: TicketId, said: Said, ctx: &mut Context) {
        let (answer, answered) = oneshot::channel();
        let (fanout, request) = (self.fanout.clone(), SetPresence { connection: self.connection, ticket, said, answer });
        let Some(id) = id else {
            if fanout.request(request).is_err() {
                tracing::debug!(connection = self.connection.number(), "presence found no room; the next one tells all");
            }
            return;
        };
        self.carry(id, ctx, move |_, _| {
            let asked = fanout.request(request);
            async move {
                asked?;
                answered.await.unwrap_or_else(|_| Err(Problem::unavailable()))?;
                Ok(ServerFrame::Ack { id, seq: None, result: serde_json::Map::new() })
            }
        });
    }

    /// Acked when it is stored, with the revision that it then has.
    fn change_draft(&mut self, id: u64, (ticket, audience): (TicketId, Audience), change: DraftChange, ctx: &mut Context) {
        let origin = self.connection;
        self.carry(id, ctx, move |tickets, sign_in| async move {
            let by = Asker { user: sign_in.user, name: sign_in.name, role: sign_in.role };
            let ticket = TicketKey { workspace: sign_in.workspace, ticket };
            let kept = match change {
                DraftChange::Save(save) => tickets.save_draft(ticket, by, audience, save, origin).await?,
                DraftChange::Discard => tickets.discard_draft(ticket, by, audience, None, origin).await?,
            };
            let result = serde_json::Map::from_iter([("revision".to_owned(), kept.revision.into())]);
            Ok(ServerFrame::Ack { id, seq: None, result })
        });
    }

    /// Does something that takes a while, beside the session; at most so many at once.
    fn carry<F, W>(&mut self, id: u64, ctx: &mut Context, work: W)
    where
        F: Future<Output = Result<ServerFrame, Problem>> + 'static,
        W: FnOnce(actors::Tickets, SignIn) -> F + 'static,
    {
        let (Some((sign_in, _)), Some(outbox)) = (&self.place, &self.outbox) else { return };
        if self.in_flight.load(Ordering::Relaxed) >= self.doors.settings.sockets.commands_in_flight {
            return self.send(&ServerFrame::error(Some(id), Problem::busy(250)), ctx);
        }
        let work = work(self.doors.tickets.clone(), sign_in.clone());
        let command = UnderWay::begin(id, self.codec, Arc::clone(outbox), Arc::clone(&self.in_flight), self.kill.clone());
        // Who sent it; what becomes of it is logged by its key. Costs a look at a flag where nobody debugs.
        let span = tracing::debug_span!("socket", connection = self.connection.number(), request = id);
        actix_web::rt::spawn(command.carry_out(work).instrument(span));
    }

    /// Sends an answer: through the outbox where there is one, so that it keeps its place among the topics' frames.
    fn send(&mut self, frame: &ServerFrame, ctx: &mut Context) {
        actors::metrics::sent(frame);
        let bytes: Bytes = self.codec.encode(frame).into();
        match &self.outbox {
            Some(outbox) if outbox.push(bytes.clone()).is_ok() => {}
            Some(_) => self.kill.cut(),
            None => self.write(bytes, ctx),
        }
    }

    fn write(&self, bytes: Bytes, ctx: &mut Context) {
        match self.codec {
            Codec::MsgPack => ctx.binary(bytes),
            Codec::Json => match bytestring::ByteString::try_from(bytes) {
                Ok(text) => ctx.text(text),
                Err(error) => tracing::error!(%error, "JSON that is no UTF-8"),
            },
        }
    }

    fn flush(&self, ctx: &mut Context) {
        for bytes in self.outbox.iter().flat_map(|outbox| outbox.drain()) {
            self.write(bytes, ctx);
        }
    }

    fn close(&self, code: CloseCode, why: &str, ctx: &mut Context) {
        self.life.closed_by_hub(code);
        self.close_raw(WsCloseCode::Other(code.number()), why, ctx);
    }

    fn close_raw(&self, code: WsCloseCode, why: &str, ctx: &mut Context) {
        self.life.broke_the_rules(&code);
        self.flush(ctx);
        ctx.close(Some(CloseReason { code, description: Some(why.to_owned()) }));
        ctx.stop();
    }

    /// A whole message of the client.
    fn message(&mut self, whole: Whole, ctx: &mut Context) {
        let now = Instant::now();
        let effects = match (self.codec, whole) {
            (Codec::Json, Whole::Text(bytes)) | (Codec::MsgPack, Whole::Binary(bytes)) => match self.may_go_on() {
                Ok(()) => self.core.message(&bytes, now),
                Err(problem) => self.too_fast(&bytes, problem, now),
            },
            (Codec::Json, Whole::Binary(_)) | (Codec::MsgPack, Whole::Text(_)) => self.core.wrong_kind(now),
        };
        self.perform(effects, ctx);
    }

    /// The pace of this socket, then of the person behind it.
    fn may_go_on(&self) -> Result<(), Problem> {
        self.pace.message()?;
        let person = self.place.as_ref().map(|(sign_in, _)| (sign_in.workspace, sign_in.user));
        person.map_or(Ok(()), |(workspace, user)| self.doors.rates.person(workspace, user))
    }

    /// Too fast: refused with a time to come back, and not carried out. Who goes on regardless is let go.
    fn too_fast(&mut self, bytes: &[u8], problem: Problem, now: Instant) -> Vec<Effect> {
        if !self.pace.refuses_patiently() {
            return self.core.close(CloseCode::TooMany, "too many frames");
        }
        let Ok(request) = hub_core::wire::client::Request::decode(self.codec, bytes) else {
            return self.core.message(bytes, now);
        };
        // Presence that came without a number has no answer: the next one tells all.
        let answer = |id| Effect::Send(Box::new(ServerFrame::error(Some(id), problem)));
        request.id.map(answer).into_iter().collect()
    }

    /// A fragment of a message came in, or the last one of it.
    fn fragment(&mut self, item: Item, ctx: &mut Context) -> Result<(), BadText> {
        match item {
            Item::FirstText(bytes) => self.fragments.begin(true, &bytes),
            Item::FirstBinary(bytes) => self.fragments.begin(false, &bytes),
            Item::Continue(bytes) => self.fragments.go_on(&bytes),
            Item::Last(bytes) => {
                if let Some(whole) = self.fragments.end(&bytes)? {
                    self.message(whole, ctx);
                }
                Ok(())
            }
        }
    }

    fn bad_text(&self, ctx: &mut Context) {
        self.close_raw(WsCloseCode::Invalid, "text that is no UTF-8", ctx);
    }

    /// The frame parser gave up. What it sees was judged before, but for text that is no UTF-8, which its stream reports like
    /// a broken connection.
    fn broken(&self, error: &ProtocolError, ctx: &mut Context) {
        match error {
            ProtocolError::Io(_) => self.bad_text(ctx),
            _ => self.close_raw(WsCloseCode::Protocol, "a breach of RFC 6455", ctx),
        }
    }
}

fn greeting(id: u64, sign_in: &SignIn, facts: &WorkspaceFacts, doors: &Doors) -> ServerFrame {
    let SignIn { session, user, name, email, role, .. } = sign_in.clone();
    ServerFrame::Welcome {
        id,
        session_id: session,
        user: Me { id: user, name, email, role },
        workspace: WorkspaceInfo {
            id: facts.id,
            slug: facts.slug.clone(),
            name: facts.name.clone(),
            workflow: facts.workflow.clone(),
        },
        node: doors.settings.node.clone(),
        server_time: doors.clock.now(),
        heartbeat_ms: u64::try_from(doors.settings.sockets.heartbeat.as_millis()).unwrap_or(u64::MAX),
        limits: doors.limits,
    }
}

impl Actor for Session {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        let limits = self.doors.settings.sockets;
        ctx.run_later(limits.hello_within, |session, ctx| {
            let effects = session.core.tick(Instant::now());
            session.perform(effects, ctx);
        });
        ctx.run_interval(limits.heartbeat, |session, ctx| {
            let effects = session.core.tick(Instant::now());
            session.perform(effects, ctx);
            ctx.ping(b"");
        });
    }

    /// The only clean-up that always runs: also when the connection broke, or the session panicked.
    fn stopped(&mut self, _: &mut Context) {
        tracing::debug!(connection = self.connection.number(), "a socket ended");
        self.doors.sockets.remove(self.connection);
        self.present = None;
        self.kill.finish_soon();
        if self.outbox.is_some() {
            self.fanout.detach(self.connection, self.going);
        }
    }
}

impl StreamHandler<Result<WsMessage, ProtocolError>> for Session {
    fn handle(&mut self, message: Result<WsMessage, ProtocolError>, ctx: &mut Context) {
        self.core.alive(Instant::now());
        if !self.pace.frame() {
            let effects = self.core.close(CloseCode::TooMany, "too many frames");
            return self.perform(effects, ctx);
        }
        match message {
            Ok(WsMessage::Text(text)) => self.message(Whole::Text(text.into_bytes()), ctx),
            Ok(WsMessage::Binary(bytes)) => self.message(Whole::Binary(bytes), ctx),
            Ok(WsMessage::Continuation(item)) => {
                if let Err(BadText) = self.fragment(item, ctx) {
                    self.bad_text(ctx);
                }
            }
            Ok(WsMessage::Ping(bytes)) => ctx.pong(&bytes),
            Ok(WsMessage::Pong(_) | WsMessage::Nop) => {}
            Ok(WsMessage::Close(reason)) => {
                self.life.closed_by_client();
                self.going = Going::Left;
                ctx.close(reason);
                ctx.stop();
            }
            Err(error) => self.broken(&error, ctx),
        }
    }

    /// Nothing more is read: the guard ended the stream, or the client has gone.
    fn finished(&mut self, ctx: &mut Context) {
        match self.seen.offence() {
            Some(Offence::TooLarge) => self.close(CloseCode::TooLarge, "a message over the limit", ctx),
            Some(Offence::Protocol) => self.close_raw(WsCloseCode::Protocol, "a breach of RFC 6455", ctx),
            Some(Offence::BadText) => self.bad_text(ctx),
            None => ctx.stop(),
        }
    }
}

impl Handler<Wake> for Session {
    type Result = ();
    fn handle(&mut self, _: Wake, ctx: &mut Context) {
        self.flush(ctx);
    }
}

impl Handler<End> for Session {
    type Result = ();
    fn handle(&mut self, End(Ending { code, why, goodbye }): End, ctx: &mut Context) {
        if let Some(back) = goodbye {
            let reconnect_after_ms = u64::try_from(back.as_millis()).unwrap_or(u64::MAX);
            self.send(&ServerFrame::Goodbye { reason: why.to_owned(), reconnect_after_ms }, ctx);
        }
        self.going = match code {
            CloseCode::Unauthenticated => Going::Left,
            CloseCode::Drain => Going::SentAway,
            CloseCode::ProtocolAbuse
            | CloseCode::HeartbeatMissed
            | CloseCode::TooSlow
            | CloseCode::TooLarge
            | CloseCode::TooMany => Going::Lost,
        };
        let effects = self.core.close(code, why);
        self.perform(effects, ctx);
    }
}
