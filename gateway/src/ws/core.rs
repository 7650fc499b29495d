//! The protocol of one socket, without the socket: messages and answers in, effects out. Time comes in as an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use actors::DraftSave;
use hub_core::ids::TicketId;
use hub_core::ports::{Mark, SignIn};
use hub_core::rules::intent::{Asker, Intent};
use hub_core::rules::presence::{Doing, Said};
use hub_core::rules::resume::Position;
use hub_core::wire::client::{BadRequest, Request};
use hub_core::wire::{Audience, ClientFrame, CloseCode, Codec, ErrorCode, PROTOCOL_VERSION, Problem, ServerFrame, Topic};

use super::dispatch;
use crate::metrics;

/// Undecodable messages a minute that a connection survives, less one.
const MAX_BAD_FRAMES: usize = 10;
/// The minute they are counted in.
const BAD_FRAME_WINDOW: Duration = Duration::from_secs(60);
/// Requests that may wait for the answer to `hello`.
const MAX_EARLY: usize = 32;

/// What the session is to do.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Write a frame.
    Send(Box<ServerFrame>),
    /// Find out who this is: by the token of the frame, else by what the handshake carried.
    Authenticate { token: Option<String> },
    /// Greet, and join the fan-out.
    Welcome { id: u64 },
    /// Watch.
    Subscribe { id: u64, topic: Topic, position: Position },
    /// Watch no longer.
    Unsubscribe { id: u64, topic: Topic },
    /// Tell who is at these rows of the lists.
    WatchRows { id: u64, tickets: Vec<TicketId> },
    /// Say what time it is.
    Pong { id: u64 },
    /// Carry to the ticket.
    Submit { id: u64, ticket: TicketId, intent: Box<Intent> },
    /// Say what this person does at a ticket; answered where it has a number.
    SetPresence { id: Option<u64>, ticket: TicketId, said: Said },
    /// Move this person's read cursor on a ticket.
    MarkRead { id: u64, ticket: TicketId, mark: Mark },
    /// Save what this person writes, or throw it away.
    ChangeDraft { id: u64, ticket: TicketId, audience: Audience, change: DraftChange },
    /// Say why, and end.
    Close(CloseCode, &'static str),
}

/// What is to become of a draft.
#[derive(Debug, PartialEq)]
pub enum DraftChange {
    /// Stored, over what was seen.
    Save(DraftSave),
    /// Thrown away, whichever there is.
    Discard,
}

/// Where the conversation is.
enum Phase {
    /// Nothing has been said; until then, or never.
    Greeting { until: Instant },
    /// `hello` is being judged; what comes meanwhile waits.
    Authenticating { id: u64, until: Instant, early: VecDeque<Request> },
    /// Signed in.
    Open { by: Asker },
    /// The last word was said.
    Ended,
}

/// The state of one socket's protocol.
pub struct SessionCore {
    codec: Codec,
    phase: Phase,
    bad_frames: VecDeque<Instant>,
    heartbeat: Duration,
    last_life: Instant,
}

impl SessionCore {
    /// A socket that has just been opened.
    pub fn new(codec: Codec, now: Instant, hello_within: Duration, heartbeat: Duration) -> Self {
        let phase = Phase::Greeting { until: now + hello_within };
        Self { codec, phase, bad_frames: VecDeque::new(), heartbeat, last_life: now }
    }

    /// Any frame came in, control frames included: the client lives.
    pub const fn alive(&mut self, now: Instant) {
        self.last_life = now;
    }

    /// A whole message came in, in the kind of frame its codec is written in.
    pub fn message(&mut self, bytes: &[u8], now: Instant) -> Vec<Effect> {
        let decoded = Request::decode(self.codec, bytes);
        metrics::received(&decoded);
        match (&mut self.phase, decoded) {
            (Phase::Ended, _) => Vec::new(),
            (Phase::Greeting { until }, Ok(Request { id: Some(id), frame: ClientFrame::Hello { protocol, token, .. } })) => {
                let until = *until;
                self.hello(id, protocol, token, until)
            }
            (Phase::Greeting { .. }, Ok(_)) => self.close(CloseCode::ProtocolAbuse, "the first frame must be hello"),
            (Phase::Greeting { .. }, Err(bad)) => {
                let mut effects = vec![refuse(bad)];
                effects.extend(self.close(CloseCode::ProtocolAbuse, "the first frame must be a hello that can be read"));
                effects
            }
            (Phase::Authenticating { .. } | Phase::Open { .. }, Err(bad)) => self.bad(bad, now),
            (Phase::Authenticating { early, .. }, Ok(request)) => {
                if early.len() >= MAX_EARLY {
                    return request.id.map(|id| error(id, Problem::busy(250))).into_iter().collect();
                }
                early.push_back(request);
                Vec::new()
            }
            (Phase::Open { by }, Ok(request)) => request_effect(request, by).into_iter().collect(),
        }
    }

    /// A message in the wrong kind of frame: text for a binary codec, or binary for a text codec.
    pub fn wrong_kind(&mut self, now: Instant) -> Vec<Effect> {
        let kind = match self.codec {
            Codec::Json => "text",
            Codec::MsgPack => "binary",
        };
        let words = format!("This subprotocol is spoken in {kind} frames.");
        let bad = BadRequest { id: None, problem: Problem::new(ErrorCode::BadFrame, words) };
        match self.phase {
            Phase::Ended => Vec::new(),
            Phase::Greeting { .. } => {
                let mut effects = vec![refuse(bad)];
                effects.extend(self.close(CloseCode::ProtocolAbuse, "the first frame must be a hello that can be read"));
                effects
            }
            Phase::Authenticating { .. } | Phase::Open { .. } => self.bad(bad, now),
        }
    }

    /// The answer to [`Effect::Authenticate`].
    pub fn authenticated(&mut self, result: Result<SignIn, Problem>) -> Vec<Effect> {
        let Phase::Authenticating { id, early, .. } = std::mem::replace(&mut self.phase, Phase::Ended) else {
            return Vec::new();
        };
        match result {
            Ok(sign_in) => {
                let by = Asker { user: sign_in.user, name: sign_in.name, role: sign_in.role };
                let early = early.into_iter().filter_map(|request| request_effect(request, &by));
                let effects = std::iter::once(Effect::Welcome { id }).chain(early).collect();
                self.phase = Phase::Open { by };
                effects
            }
            Err(problem) => {
                let close = match problem.code {
                    ErrorCode::Unauthenticated => Effect::Close(CloseCode::Unauthenticated, "not signed in"),
                    _ => Effect::Close(CloseCode::Drain, "nobody can tell who this is right now; come back"),
                };
                vec![error(id, problem), close]
            }
        }
    }

    /// Time passed: the only thing that can end a silent socket. Asked at least once per heartbeat.
    pub fn tick(&mut self, now: Instant) -> Vec<Effect> {
        match &self.phase {
            Phase::Greeting { until } if now >= *until => {
                self.close(CloseCode::Unauthenticated, "no hello within the time for it")
            }
            // It said who it is; it is the hub that cannot tell. That must not read as signed out.
            Phase::Authenticating { until, .. } if now >= *until => {
                self.close(CloseCode::Drain, "nobody can tell who this is right now; come back")
            }
            Phase::Open { .. } if now.duration_since(self.last_life) >= self.heartbeat * 2 => {
                self.close(CloseCode::HeartbeatMissed, "two heartbeats missed")
            }
            Phase::Greeting { .. } | Phase::Authenticating { .. } | Phase::Open { .. } | Phase::Ended => Vec::new(),
        }
    }

    /// Ends the conversation: nothing that comes in matters any longer.
    pub fn close(&mut self, code: CloseCode, why: &'static str) -> Vec<Effect> {
        if matches!(self.phase, Phase::Ended) {
            return Vec::new();
        }
        self.phase = Phase::Ended;
        vec![Effect::Close(code, why)]
    }

    fn hello(&mut self, id: u64, protocol: u64, token: Option<String>, until: Instant) -> Vec<Effect> {
        if protocol != PROTOCOL_VERSION {
            let words = format!("This hub speaks protocol {PROTOCOL_VERSION}.");
            let mut effects = vec![error(id, Problem::new(ErrorCode::UnsupportedVersion, words))];
            effects.extend(self.close(CloseCode::ProtocolAbuse, "unsupported protocol version"));
            return effects;
        }
        self.phase = Phase::Authenticating { id, until, early: VecDeque::new() };
        vec![Effect::Authenticate { token }]
    }

    fn bad(&mut self, bad: BadRequest, now: Instant) -> Vec<Effect> {
        let undecodable = bad.problem.code == ErrorCode::BadFrame;
        let mut effects = vec![refuse(bad)];
        if undecodable {
            self.bad_frames.retain(|at| now.duration_since(*at) < BAD_FRAME_WINDOW);
            self.bad_frames.push_back(now);
            if self.bad_frames.len() >= MAX_BAD_FRAMES {
                effects.extend(self.close(CloseCode::ProtocolAbuse, "too many messages that do not decode"));
            }
        }
        effects
    }
}

/// What a request leads to. Only presence may be told without a number, and leads to no answer then.
fn request_effect(Request { id, frame }: Request, by: &Asker) -> Option<Effect> {
    if let ClientFrame::SetPresence { ticket_id, state, audience, field } = frame {
        let said = Said { doing: Doing::of(state, audience), field };
        return Some(Effect::SetPresence { id, ticket: ticket_id, said });
    }
    let id = id?;
    Some(match frame {
        ClientFrame::Hello { .. } => error(id, Problem::invalid_field("type", "hello was said already")),
        ClientFrame::Subscribe { topic, resume } => Effect::Subscribe { id, topic, position: resume },
        ClientFrame::Unsubscribe { topic } => Effect::Unsubscribe { id, topic },
        ClientFrame::Ping => Effect::Pong { id },
        ClientFrame::MarkRead { ticket_id, seq, back } => {
            Effect::MarkRead { id, ticket: ticket_id, mark: if back { Mark::BackTo(seq) } else { Mark::UpTo(seq) } }
        }
        ClientFrame::SaveDraft { ticket_id, audience, revision, body, based_on } => {
            let change = DraftChange::Save(DraftSave { revision, body, based_on });
            Effect::ChangeDraft { id, ticket: ticket_id, audience, change }
        }
        ClientFrame::DiscardDraft { ticket_id, audience } => {
            Effect::ChangeDraft { id, ticket: ticket_id, audience, change: DraftChange::Discard }
        }
        ClientFrame::WatchRows { ticket_ids } => Effect::WatchRows { id, tickets: ticket_ids },
        ClientFrame::SetPresence { .. } => {
            error(id, Problem::new(ErrorCode::UnknownType, "This hub does not know this frame yet."))
        }
        ClientFrame::PostReply { .. }
        | ClientFrame::CancelHeld { .. }
        | ClientFrame::ChangeStatus { .. }
        | ClientFrame::Assign { .. }
        | ClientFrame::HandOver { .. }
        | ClientFrame::AcknowledgeHandoff { .. }
        | ClientFrame::ChangeTags { .. }
        | ClientFrame::Watch { .. }
        | ClientFrame::TakeClaim { .. }
        | ClientFrame::ReleaseClaim { .. }
        | ClientFrame::UpdateTicket { .. } => {
            let submit = dispatch::intent(frame, by).map(|(ticket, intent)| (ticket, Box::new(intent)));
            submit.map_or_else(
                || error(id, Problem::new(ErrorCode::UnknownType, "This frame is no command.")),
                |(ticket, intent)| Effect::Submit { id, ticket, intent },
            )
        }
    })
}

fn refuse(BadRequest { id, problem }: BadRequest) -> Effect {
    Effect::Send(Box::new(ServerFrame::error(id, problem)))
}

fn error(id: u64, problem: Problem) -> Effect {
    Effect::Send(Box::new(ServerFrame::error(Some(id), problem)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::ids::{SessionId, UserId, WorkspaceId};
    use hub_core::rules::permissions::Role;
    use hub_core::time::UnixMs;
    use uuid::Uuid;

    const BEAT: Duration = Duration::from_secs(20);

    fn opened(now: Instant) -> SessionCore {
        SessionCore::new(Codec::Json, now, Duration::from_secs(5), BEAT)
    }

    fn sign_in() -> SignIn {
        SignIn {
            session: SessionId::new(Uuid::from_u128(1)),
            workspace: WorkspaceId::new(Uuid::from_u128(2)),
            user: UserId::new(Uuid::from_u128(3)),
            name: "Ana".into(),
            email: "ana@acme.test".into(),
            role: Role::Agent,
            expires_at: UnixMs(0),
        }
    }

    fn greeted(now: Instant) -> SessionCore {
        let mut core = opened(now);
        assert_eq!(core.message(br#"{"type":"hello","id":1,"protocol":1}"#, now), [Effect::Authenticate { token: None }]);
        assert_eq!(core.authenticated(Ok(sign_in())), [Effect::Welcome { id: 1 }]);
        core
    }

    fn codes(effects: &[Effect]) -> Vec<String> {
        let code = |effect: &Effect| match effect {
            Effect::Send(frame) => match frame.as_ref() {
                ServerFrame::Error { id, code, .. } => format!("{code:?} {id:?}"),
                other => format!("{other:?}"),
            },
            Effect::Close(code, _) => code.number().to_string(),
            other => format!("{other:?}"),
        };
        effects.iter().map(code).collect()
    }

    #[test]
    fn anything_but_hello_first_ends_with_4400() {
        let now = Instant::now();
        assert_eq!(codes(&opened(now).message(br#"{"type":"ping","id":1}"#, now)), ["4400"]);
        assert_eq!(codes(&opened(now).message(b"{", now)), ["BadFrame None", "4400"]);
        assert_eq!(codes(&opened(now).message(br#"{"type":"hello","id":1}"#, now)), ["Invalid Some(1)", "4400"]);
        assert_eq!(codes(&opened(now).wrong_kind(now)), ["BadFrame None", "4400"]);
        let newer = br#"{"type":"hello","id":1,"protocol":2}"#;
        assert_eq!(codes(&opened(now).message(newer, now)), ["UnsupportedVersion Some(1)", "4400"]);
    }

    #[test]
    fn a_refused_token_ends_with_4401() {
        let now = Instant::now();
        let mut core = opened(now);
        core.message(br#"{"type":"hello","id":7,"protocol":1,"token":"x"}"#, now);
        let refused = core.authenticated(Err(Problem::new(ErrorCode::Unauthenticated, "no")));
        assert_eq!(codes(&refused), ["Unauthenticated Some(7)", "4401"]);
        assert!(core.message(br#"{"type":"ping","id":2}"#, now).is_empty());
    }

    #[test]
    fn what_comes_while_hello_is_judged_is_answered_after_it_in_order() {
        let now = Instant::now();
        let mut core = opened(now);
        core.message(br#"{"type":"hello","id":1,"protocol":1}"#, now);
        for id in 2..=(MAX_EARLY as u64 + 1) {
            assert!(core.message(format!(r#"{{"type":"ping","id":{id}}}"#).as_bytes(), now).is_empty());
        }
        assert_eq!(codes(&core.message(br#"{"type":"ping","id":99}"#, now)), ["Busy Some(99)"]);
        let effects = core.authenticated(Ok(sign_in()));
        assert_eq!(effects.len(), MAX_EARLY + 1);
        assert_eq!(effects[..2], [Effect::Welcome { id: 1 }, Effect::Pong { id: 2 }]);
    }

    #[test]
    fn the_tenth_undecodable_message_in_a_minute_closes() {
        let now = Instant::now();
        let mut core = greeted(now);
        for _ in 0..9 {
            assert_eq!(codes(&core.message(b"{", now)), ["BadFrame None"]);
        }
        let later = now + BAD_FRAME_WINDOW;
        assert_eq!(codes(&core.message(b"{", later)), ["BadFrame None"]);
        for _ in 0..8 {
            core.message(b"{", later);
        }
        assert_eq!(codes(&core.message(b"{", later)), ["BadFrame None", "4400"]);
    }

    #[test]
    fn unknown_types_and_wrong_fields_are_answered_and_the_connection_lives_on() {
        let now = Instant::now();
        let mut core = greeted(now);
        for _ in 0..50 {
            assert_eq!(codes(&core.message(br#"{"type":"dance","id":5}"#, now)), ["UnknownType Some(5)"]);
            assert_eq!(codes(&core.message(br#"{"type":"post_reply","id":6}"#, now)), ["Invalid Some(6)"]);
            assert_eq!(codes(&core.message(br#"{"type":"hello","id":8,"protocol":1}"#, now)), ["Invalid Some(8)"]);
        }
        assert_eq!(core.message(br#"{"type":"ping","id":9}"#, now), [Effect::Pong { id: 9 }]);
    }

    #[test]
    fn presence_is_the_one_thing_said_without_a_number() {
        let now = Instant::now();
        let mut core = greeted(now);
        let ticket = uuid::Uuid::from_u128(5);
        let say = |rest: &str| format!(r#"{{"type":"set_presence","ticket_id":"{ticket}"{rest}}}"#);
        let said = |doing, field: Option<&str>| Said { doing, field: field.map(str::to_owned) };
        for (rest, id, said) in [
            (r#","state":"viewing""#, None, said(Doing::Viewing, None)),
            (r#","state":"composing","id":7"#, Some(7), said(Doing::ComposingReply, None)),
            (r#","state":"composing","audience":"internal","field":"title""#, None, said(Doing::ComposingNote, Some("title"))),
        ] {
            let effects = core.message(say(rest).as_bytes(), now);
            assert_eq!(effects, [Effect::SetPresence { id, ticket: TicketId::new(ticket), said }]);
        }
        assert_eq!(codes(&core.message(say(r#","state":"dancing""#).as_bytes(), now)), ["Invalid None"]);
        assert_eq!(codes(&core.message(br#"{"type":"ping"}"#, now)), ["Invalid None"]);
    }

    #[test]
    fn silence_ends_a_socket() {
        let now = Instant::now();
        let mut silent = opened(now);
        assert!(silent.tick(now + Duration::from_secs(4)).is_empty());
        assert_eq!(codes(&silent.tick(now + Duration::from_secs(5))), ["4401"]);
        let mut unknown = opened(now);
        unknown.message(br#"{"type":"hello","id":1,"protocol":1}"#, now);
        assert_eq!(codes(&unknown.tick(now + Duration::from_secs(5))), ["1012"]);
        let mut core = greeted(now);
        core.alive(now + BEAT);
        assert!(core.tick(now + BEAT * 2).is_empty());
        assert_eq!(codes(&core.tick(now + BEAT * 3)), ["4408"]);
        assert!(core.tick(now + BEAT * 9).is_empty());
    }
}
