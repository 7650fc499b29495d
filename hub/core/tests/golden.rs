//! Golden bytes: one file per frame and codec in `tests/golden`. Rust writes and reads exactly these, the web reads and
//! writes the same. `UPDATE=1` writes them anew; a change of bytes is a change of the contract.

use std::path::{Path, PathBuf};

use hub_core::ids::{CategoryId, CommandKey, SessionId, StreamId, TeamId, TicketId, UserId, WorkspaceId};
use hub_core::rules::permissions::Role;
use hub_core::rules::workflow::Workflow;
use hub_core::time::UnixMs;
use hub_core::wire::client::{ClientInfo, Request};
use hub_core::wire::server::TeamRef;
use hub_core::wire::{
    Activity, Actor, ActorKind, AgentTicket, Audience, Availability, Claim, ClientFrame, Codec, CustomerTicket, Draft,
    ErrorCode, Event, EventRecord, FieldPatches, Handoff, HandoffDraft, Held, Limits, Live, Me, Online, Patch, PersonRef,
    Presence, PresenceSignal, Priority, Problem, ReadCursor, Reason, ServerFrame, Signal, Snapshot, Source, Support,
    TicketView, Topic, WorkspaceInfo,
};
use serde_json::{Map, json};
use uuid::Uuid;

const fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n)
}

const TICKET: TicketId = TicketId::new(uuid(1));
const KEY: CommandKey = CommandKey::new(uuid(2));
const OTHER_KEY: CommandKey = CommandKey::new(uuid(10));
const STREAM: StreamId = StreamId::new(uuid(3));
const ANA: UserId = UserId::new(uuid(4));
const CLEO: UserId = UserId::new(uuid(5));
const TEAM: TeamId = TeamId::new(uuid(6));
const CATEGORY: CategoryId = CategoryId::new(uuid(7));
const NOON: UnixMs = UnixMs(1_763_726_400_123);

fn client_frames() -> Vec<(&'static str, ClientFrame)> {
    let reply = |body: &str, audience, based_on, force, then_status: Option<&str>| ClientFrame::PostReply {
        key: KEY,
        ticket_id: TICKET,
        body: body.into(),
        audience,
        based_on,
        force,
        then_status: then_status.map(str::to_owned),
        mention_ids: vec![],
        hold_ms: None,
    };
    let patches = FieldPatches {
        title: Patch::Set("Printer on fire".into()),
        priority: Patch::Set(Priority::P1),
        urgency: Patch::Set("high".into()),
        category_id: Patch::Set(CATEGORY),
        custom: Patch::Set(json!({"floor": 3, "vip": true}).as_object().cloned().expect("a map")),
        due_at: Patch::Clear,
        scheduled_at: Patch::Set(NOON),
    };
    let hand_over = |to_id, to_team_id, with_draft| ClientFrame::HandOver {
        key: KEY,
        ticket_id: TICKET,
        to_id,
        to_team_id,
        note: "She has called twice.".into(),
        with_draft,
    };
    let client = Some(ClientInfo { name: "golden".into(), version: "1".into() });
    let change = |note: Option<&str>, based_on, force| ClientFrame::ChangeStatus {
        key: KEY,
        ticket_id: TICKET,
        status: "resolved".into(),
        based_on,
        note: note.map(str::to_owned),
        force,
    };
    vec![
        ("hello", ClientFrame::Hello { protocol: 1, token: Some("tdm_token".into()), client }),
        ("hello_cookie", ClientFrame::Hello { protocol: 1, token: None, client: None }),
        ("subscribe", ClientFrame::Subscribe { topic: Topic::Ticket(TICKET), resume: None }),
        ("subscribe_resume", ClientFrame::Subscribe { topic: Topic::Thread(TICKET), resume: Some((41, STREAM)) }),
        ("subscribe_workspace", ClientFrame::Subscribe { topic: Topic::Workspace, resume: None }),
        ("unsubscribe", ClientFrame::Unsubscribe { topic: Topic::Me }),
        ("ping", ClientFrame::Ping),
        ("post_reply", reply("Hé – it *works*.", Audience::Public, Some(41), false, Some("resolved"))),
        ("post_reply_forced_note", reply("note", Audience::Internal, None, true, None)),
        (
            "post_reply_mentions",
            ClientFrame::PostReply {
                key: KEY,
                ticket_id: TICKET,
                body: "@Ana, have a look.".into(),
                audience: Audience::Internal,
                based_on: None,
                force: false,
                then_status: None,
                mention_ids: vec![ANA],
                hold_ms: Some(8_000),
            },
        ),
        ("cancel_held", ClientFrame::CancelHeld { key: OTHER_KEY, ticket_id: TICKET, held_key: KEY }),
        ("hand_over", hand_over(Some(ANA), None, true)),
        ("hand_over_team", hand_over(None, Some(TEAM), false)),
        ("acknowledge_handoff", ClientFrame::AcknowledgeHandoff { key: KEY, ticket_id: TICKET }),
        (
            "change_tags",
            ClientFrame::ChangeTags { key: KEY, ticket_id: TICKET, add: vec!["vip".into()], remove: vec!["printer".into()] },
        ),
        ("watch", ClientFrame::Watch { key: KEY, ticket_id: TICKET, on: true }),
        ("take_claim", ClientFrame::TakeClaim { ticket_id: TICKET, force: false }),
        ("take_claim_forced", ClientFrame::TakeClaim { ticket_id: TICKET, force: true }),
        ("release_claim", ClientFrame::ReleaseClaim { ticket_id: TICKET, force: false }),
        ("release_claim_forced", ClientFrame::ReleaseClaim { ticket_id: TICKET, force: true }),
        (
            "save_draft",
            ClientFrame::SaveDraft {
                ticket_id: TICKET,
                audience: Audience::Public,
                revision: 3,
                body: "Hé – almost".into(),
                based_on: 41,
            },
        ),
        ("discard_draft", ClientFrame::DiscardDraft { ticket_id: TICKET, audience: Audience::Internal }),
        (
            "set_presence",
            ClientFrame::SetPresence {
                ticket_id: TICKET,
                state: Activity::Composing,
                audience: Some(Audience::Internal),
                field: None,
            },
        ),
        (
            "set_presence_field",
            ClientFrame::SetPresence {
                ticket_id: TICKET,
                state: Activity::Viewing,
                audience: None,
                field: Some("status".into()),
            },
        ),
        ("watch_rows", ClientFrame::WatchRows { ticket_ids: vec![TICKET] }),
        ("mark_read", ClientFrame::MarkRead { ticket_id: TICKET, seq: 42, back: false }),
        ("mark_read_back", ClientFrame::MarkRead { ticket_id: TICKET, seq: 12, back: true }),
        ("change_status", change(Some("done"), Some(41), false)),
        ("change_status_forced", change(None, None, true)),
        ("assign", ClientFrame::Assign { key: KEY, ticket_id: TICKET, assignee_id: Some(ANA), team_id: Patch::Set(TEAM) }),
        ("assign_nobody", ClientFrame::Assign { key: KEY, ticket_id: TICKET, assignee_id: None, team_id: Patch::Keep }),
        ("assign_no_team", ClientFrame::Assign { key: KEY, ticket_id: TICKET, assignee_id: None, team_id: Patch::Clear }),
        ("update_ticket", ClientFrame::UpdateTicket { key: KEY, ticket_id: TICKET, based_on: 41, patches }),
    ]
}

fn ana() -> Actor {
    Actor { kind: ActorKind::Agent, id: Some(ANA), name: "Ana Lindqvist".into() }
}

fn bo() -> PersonRef {
    PersonRef { id: UserId::new(uuid(11)), name: "Bo Kim".into() }
}

fn cleo() -> PersonRef {
    PersonRef { id: CLEO, name: "Cleo Marsh".into() }
}

fn agent_ticket() -> AgentTicket {
    AgentTicket {
        id: TICKET,
        number: "TKT-1042".into(),
        title: "Printer on fire".into(),
        description: "It *burns*.".into(),
        status: "open".into(),
        priority: Priority::P2,
        urgency: "normal".into(),
        category_id: None,
        tags: vec!["printer".into()],
        custom: Map::new(),
        requester: cleo(),
        assignee_id: Some(ANA),
        team_id: None,
        source: Source::Web,
        due_at: None,
        scheduled_at: Some(NOON),
        created_at: NOON,
        updated_at: NOON,
        watcher_ids: vec![],
        handoff: None,
        held: vec![],
        seq: 42,
    }
}

/// With everything that may be left out.
fn busy_ticket() -> AgentTicket {
    let handoff = Handoff {
        from: bo(),
        to_id: Some(ANA),
        to_team_id: None,
        note: "She has called twice.".into(),
        draft: Some(handed_draft()),
        at: NOON,
    };
    let held = Held {
        key: KEY,
        by: bo(),
        body: "In a moment.".into(),
        audience: Audience::Public,
        mentions: vec![ANA],
        then_status: Some("resolved".into()),
        based_on: Some(41),
        forced: true,
        draft_authors: vec![bo()],
        release_at: NOON,
    };
    AgentTicket { watcher_ids: vec![ANA], handoff: Some(handoff), held: vec![held], ..agent_ticket() }
}

fn handed_draft() -> HandoffDraft {
    HandoffDraft { body: "Dear Cleo,".into(), based_on: 41, authors: vec![bo()] }
}

fn presence(id: UserId, kind: ActorKind, state: Activity) -> Presence {
    let is_composing = state == Activity::Composing;
    Presence {
        id,
        name: "Somebody".into(),
        kind,
        state,
        audience: is_composing.then_some(Audience::Public),
        field: (!is_composing).then(|| "status".into()),
        since: NOON,
        lost: !is_composing,
    }
}

fn draft() -> Draft {
    Draft {
        audience: Audience::Public,
        revision: 4,
        body: "Hé – almost".into(),
        based_on: 41,
        updated_at: NOON,
        authors: vec![bo()],
    }
}

fn customer_ticket() -> CustomerTicket {
    CustomerTicket {
        id: TICKET,
        number: "TKT-1042".into(),
        title: "Printer on fire".into(),
        description: "It *burns*.".into(),
        status: "open".into(),
        requester: cleo(),
        source: Source::Web,
        created_at: NOON,
        updated_at: NOON,
        seq: 17,
    }
}

fn record(seq: u64, event: Event) -> EventRecord {
    EventRecord { seq, at: NOON, by: ana(), key: Some(KEY), event }
}

fn events() -> Vec<(&'static str, Event)> {
    let reply = |audience, flag: Option<bool>| Event::ReplyPosted {
        body: "Hé – it *works*.".into(),
        audience,
        attachments: vec![],
        mentions: flag.map(|_| ANA).into_iter().collect(),
        forced: flag,
        missed: flag,
        truncated: flag,
        draft_authors: flag.map(|_| bo()).into_iter().collect(),
        held_key: flag.map(|_| KEY),
    };
    vec![
        (
            "ticket_created",
            Event::TicketCreated {
                title: "Printer on fire".into(),
                description: "It *burns*.".into(),
                source: Source::Web,
                number: 1042,
                status: "open".into(),
                priority: Some(Priority::P3),
            },
        ),
        ("reply_posted", reply(Audience::Public, None)),
        ("reply_posted_flags", reply(Audience::Internal, Some(true))),
        (
            "status_changed",
            Event::StatusChanged { from: "open".into(), to: "resolved".into(), note: Some("done".into()), forced: None },
        ),
        (
            "status_changed_forced",
            Event::StatusChanged { from: "open".into(), to: "closed".into(), note: None, forced: Some(true) },
        ),
        (
            "reply_held",
            Event::ReplyHeld {
                body: "In a moment.".into(),
                audience: Audience::Public,
                mentions: vec![ANA],
                then_status: Some("resolved".into()),
                based_on: Some(41),
                forced: Some(true),
                release_at: NOON,
                draft_authors: vec![bo()],
            },
        ),
        ("held_cancelled", Event::HeldCancelled { held_key: KEY, why: None }),
        ("held_cancelled_stale", Event::HeldCancelled { held_key: KEY, why: Some(ErrorCode::Stale) }),
        (
            "handed_over",
            Event::HandedOver {
                from_id: ANA,
                to_id: None,
                to_team_id: Some(TEAM),
                note: "She has called twice.".into(),
                draft: Some(handed_draft()),
            },
        ),
        ("handoff_acknowledged", Event::HandoffAcknowledged {}),
        ("tags_changed", Event::TagsChanged { added: vec!["vip".into()], removed: vec![] }),
        ("claim_taken", Event::ClaimTaken { by: bo(), until: NOON, from: Some(cleo()) }),
        ("claim_released", Event::ClaimReleased { by: bo() }),
        ("claim_expired", Event::ClaimExpired { by: bo() }),
        ("watched", Event::Watched { user_id: ANA, on: true }),
        ("assigned", Event::Assigned { assignee_id: Some(ANA), team_id: None }),
        ("field_changed", Event::FieldChanged { field: "priority".into(), from: json!("p3"), to: json!("p1") }),
        ("nothing_changed", Event::NothingChanged {}),
    ]
}

fn notified(seq: u64) -> EventRecord {
    let event = Event::Notified {
        reason: Reason::Replied,
        ticket_id: TICKET,
        number: "TKT-1042".into(),
        title: "Printer on fire".into(),
        ticket_seq: 41,
        excerpt: Some("It *still* burns.".into()),
    };
    EventRecord { key: None, ..record(seq, event) }
}

fn server_frames() -> Vec<(String, ServerFrame)> {
    let subscribed = |id, topic, seq, events, reset, snapshot| ServerFrame::Subscribed {
        id,
        topic,
        stream: STREAM,
        seq,
        live: Live::default(),
        events,
        reset,
        snapshot,
    };
    let snapshot = Snapshot::Ticket {
        ticket: TicketView::Agent(Box::new(agent_ticket())),
        events: vec![record(42, Event::NothingChanged {})],
    };
    let thread = Snapshot::Ticket { ticket: TicketView::Customer(Box::new(customer_ticket())), events: vec![] };
    let workspace = Snapshot::Workspace {
        people: vec![PersonRef { id: ANA, name: "Ana Lindqvist".into() }],
        teams: vec![TeamRef { id: TEAM, name: "First line".into() }],
    };
    let error = |id, problem| ServerFrame::error(id, problem);
    let signal = |topic, signal| ServerFrame::Signal { topic, signal };
    let everybody =
        || vec![presence(ANA, ActorKind::Agent, Activity::Composing), presence(CLEO, ActorKind::Customer, Activity::Idle)];
    let online = || Online { id: ANA, name: "Ana Lindqvist".into(), state: Availability::Available };
    let mut frames: Vec<(String, ServerFrame)> = vec![
        (
            "welcome".into(),
            ServerFrame::Welcome {
                id: 1,
                session_id: SessionId::new(uuid(8)),
                user: Me { id: ANA, name: "Ana Lindqvist".into(), email: "ana@acme.test".into(), role: Role::Agent },
                workspace: WorkspaceInfo {
                    id: WorkspaceId::new(uuid(9)),
                    slug: "acme".into(),
                    name: "Acme".into(),
                    workflow: Workflow::simple(),
                },
                node: "hub-0".into(),
                server_time: NOON,
                heartbeat_ms: 20_000,
                limits: Limits {
                    message_bytes: 65_536,
                    body_bytes: 32_768,
                    depth: 16,
                    subscriptions: 100,
                    commands_in_flight: 16,
                },
            },
        ),
        (
            "subscribed_tail".into(),
            subscribed(Some(2), Topic::Ticket(TICKET), 42, Some(vec![record(42, Event::NothingChanged {})]), None, None),
        ),
        ("subscribed_nothing_new".into(), subscribed(Some(2), Topic::Thread(TICKET), 17, Some(vec![]), None, None)),
        ("subscribed_reset".into(), subscribed(Some(3), Topic::Ticket(TICKET), 42, None, Some(true), Some(snapshot))),
        ("subscribed_thread".into(), subscribed(Some(3), Topic::Thread(TICKET), 17, None, Some(true), Some(thread))),
        ("subscribed_workspace".into(), subscribed(None, Topic::Workspace, 0, None, Some(true), Some(workspace))),
        (
            "subscribed_me".into(),
            ServerFrame::Subscribed {
                id: Some(3),
                topic: Topic::Me,
                stream: STREAM,
                seq: 12,
                live: Live { read: vec![ReadCursor { ticket_id: TICKET, seq: 40 }], ..Live::default() },
                events: None,
                reset: Some(true),
                snapshot: Some(Snapshot::Me { events: vec![notified(12)] }),
            },
        ),
        ("event_notified".into(), ServerFrame::event(Topic::Me, notified(13))),
        (
            "signal_read_back".into(),
            ServerFrame::Signal { topic: Topic::Me, signal: Signal::Read { ticket_id: TICKET, seq: 12, back: true } },
        ),
        (
            "signal_read".into(),
            ServerFrame::Signal { topic: Topic::Me, signal: Signal::Read { ticket_id: TICKET, seq: 42, back: false } },
        ),
        ("unsubscribed".into(), ServerFrame::Unsubscribed { topic: Topic::Ticket(TICKET), code: ErrorCode::NotFound }),
        (
            "signal_ticket_changed".into(),
            signal(Topic::Workspace, Signal::TicketChanged { ticket: Box::new(agent_ticket()), by: None, what: None }),
        ),
        (
            "signal_ticket_changed_by".into(),
            signal(
                Topic::Workspace,
                Signal::TicketChanged { ticket: Box::new(busy_ticket()), by: Some(ana()), what: Some("assigned".into()) },
            ),
        ),
        (
            "signal_presence".into(),
            signal(Topic::Ticket(TICKET), Signal::Presence(PresenceSignal::Staff { ticket_id: None, users: everybody() })),
        ),
        (
            "signal_presence_row".into(),
            signal(Topic::Workspace, Signal::Presence(PresenceSignal::Staff { ticket_id: Some(TICKET), users: vec![] })),
        ),
        (
            "signal_presence_support".into(),
            signal(Topic::Thread(TICKET), Signal::Presence(PresenceSignal::Customer { support: Some(Support::Composing) })),
        ),
        (
            "signal_presence_no_support".into(),
            signal(Topic::Thread(TICKET), Signal::Presence(PresenceSignal::Customer { support: None })),
        ),
        ("signal_claim".into(), signal(Topic::Ticket(TICKET), Signal::Claim { by: Some(bo()), until: Some(NOON) })),
        ("signal_claim_free".into(), signal(Topic::Ticket(TICKET), Signal::Claim { by: None, until: None })),
        (
            "signal_draft".into(),
            signal(Topic::Ticket(TICKET), Signal::Draft { by: bo(), audience: Audience::Internal, since: Some(NOON) }),
        ),
        (
            "signal_draft_changed".into(),
            signal(Topic::Me, Signal::DraftChanged { ticket_id: TICKET, audience: Audience::Public, draft: Some(draft()) }),
        ),
        (
            "signal_draft_gone".into(),
            signal(Topic::Me, Signal::DraftChanged { ticket_id: TICKET, audience: Audience::Public, draft: None }),
        ),
        ("signal_counters".into(), signal(Topic::Workspace, Signal::Counters { open: 120, unassigned: 7, mine: 12 })),
        ("signal_people".into(), signal(Topic::Workspace, Signal::People { people: vec![online()] })),
        (
            "subscribed_live".into(),
            ServerFrame::Subscribed {
                id: Some(3),
                topic: Topic::Ticket(TICKET),
                stream: STREAM,
                seq: 42,
                live: Live {
                    presence: everybody(),
                    support: Some(Support::Composing),
                    claim: Some(Claim { by: bo(), until: NOON, since: NOON }),
                    drafts: vec![draft()],
                    people: vec![online()],
                    ..Live::default()
                },
                events: Some(vec![]),
                reset: None,
                snapshot: None,
            },
        ),
        (
            "signal_ticket_left".into(),
            ServerFrame::Signal {
                topic: Topic::Workspace,
                signal: Signal::TicketLeft { ticket_id: TICKET, why: "reassigned".into() },
            },
        ),
        ("ack".into(), ServerFrame::Ack { id: 4, seq: Some(42), result: Map::new() }),
        (
            "ack_missed".into(),
            ServerFrame::Ack { id: 4, seq: Some(42), result: json!({"missed": true}).as_object().cloned().expect("a map") },
        ),
        ("ack_ephemeral".into(), ServerFrame::Ack { id: 5, seq: None, result: Map::new() }),
        ("error_not_found".into(), error(Some(6), Problem::not_found())),
        ("error_invalid".into(), error(Some(7), Problem::invalid_field("body", "is missing"))),
        ("error_busy".into(), error(Some(8), Problem::busy(250))),
        ("error_bad_frame".into(), error(None, Problem::new(ErrorCode::BadFrame, "This is no frame."))),
        ("pong".into(), ServerFrame::Pong { id: 9, server_time: NOON }),
        ("goodbye".into(), ServerFrame::Goodbye { reason: "the hub restarts".into(), reconnect_after_ms: 1_500 }),
    ];
    frames.extend(
        events()
            .into_iter()
            .map(|(name, event)| (format!("event_{name}"), ServerFrame::event(Topic::Ticket(TICKET), record(42, event)))),
    );
    frames
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Holds bytes to their file, or writes them.
fn hold(name: &str, codec: Codec, bytes: &[u8]) {
    let ending = match codec {
        Codec::Json => "json",
        Codec::MsgPack => "msgpack",
    };
    let path = folder().join(format!("{name}.{ending}"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, bytes).expect("written");
    }
    let golden = std::fs::read(&path).unwrap_or_default();
    assert!(golden == bytes, "{} differs from what the hub speaks (UPDATE=1 writes it anew)", path.display());
}

#[test]
fn every_client_frame_is_written_and_read_in_golden_bytes() {
    for (at, (name, frame)) in client_frames().into_iter().enumerate() {
        let request = Request { id: Some(at as u64 + 1), frame };
        for codec in Codec::ALL {
            let bytes = request.encode(codec);
            hold(&format!("client_{name}"), codec, &bytes);
            assert_eq!(Request::decode(codec, &bytes).as_ref(), Ok(&request), "{name} {codec:?}");
        }
    }
}

#[test]
fn every_server_frame_is_written_and_read_in_golden_bytes() {
    for (name, frame) in server_frames() {
        for codec in Codec::ALL {
            let bytes = codec.encode(&frame);
            hold(&format!("server_{name}"), codec, &bytes);
            assert_eq!(codec.decode::<ServerFrame>(&bytes).as_ref(), Ok(&frame), "{name} {codec:?}");
        }
    }
}

#[test]
fn no_golden_file_is_left_over() {
    let mut known: Vec<String> = client_frames().iter().map(|(name, _)| format!("client_{name}")).collect();
    known.extend(server_frames().into_iter().map(|(name, _)| format!("server_{name}")));
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(known.contains(&name), "{} belongs to no frame", path.display());
    }
}

/// What the protocol says of form, as a table: the bytes, and the codes and fields of the answer.
#[test]
fn wrong_frames_are_refused_with_the_code_and_the_fields() {
    let ticket = TICKET.to_string();
    let long = "x".repeat(32 * 1024 + 1);
    let table: Vec<(serde_json::Value, ErrorCode, Option<u64>, &[&str])> = vec![
        (json!([1, 2]), ErrorCode::BadFrame, None, &[]),
        (json!("hello"), ErrorCode::BadFrame, None, &[]),
        (json!({}), ErrorCode::Invalid, None, &["id", "type"]),
        (json!({"type": "ping"}), ErrorCode::Invalid, None, &["id"]),
        (json!({"type": "ping", "id": 0}), ErrorCode::Invalid, None, &["id"]),
        (json!({"type": "ping", "id": 1.5}), ErrorCode::Invalid, None, &["id"]),
        (json!({"type": "ping", "id": "1"}), ErrorCode::Invalid, None, &["id"]),
        (json!({"type": "ping", "id": 1_u64 << 53}), ErrorCode::Invalid, None, &["id"]),
        (json!({"type": 7, "id": 1}), ErrorCode::Invalid, Some(1), &["type"]),
        (json!({"type": "Ping", "id": 1}), ErrorCode::UnknownType, Some(1), &[]),
        (json!({"type": "dance"}), ErrorCode::UnknownType, None, &[]),
        (json!({"type": "subscribe", "id": 1, "topic": "tickets"}), ErrorCode::Invalid, Some(1), &["topic"]),
        (json!({"type": "subscribe", "id": 1, "topic": "me", "after": 3}), ErrorCode::Invalid, Some(1), &["stream"]),
        (
            json!({"type": "subscribe", "id": 1, "topic": "me", "after": -1, "stream": ticket}),
            ErrorCode::Invalid,
            Some(1),
            &["after"],
        ),
        (
            json!({"type": "subscribe", "id": 1, "topic": "me", "after": 1.0, "stream": ticket}),
            ErrorCode::Invalid,
            Some(1),
            &["after"],
        ),
        (json!({"type": "post_reply", "id": 1}), ErrorCode::Invalid, Some(1), &["audience", "body", "key", "ticket_id"]),
        (
            json!({"type": "post_reply", "id": 1, "key": ticket, "ticket_id": ticket, "body": long, "audience": "all"}),
            ErrorCode::Invalid,
            Some(1),
            &["audience", "body"],
        ),
        (
            json!({"type": "post_reply", "id": 1, "key": ticket, "ticket_id": ticket, "body": " \n", "audience": "public", "hold_ms": 30_001}),
            ErrorCode::Invalid,
            Some(1),
            &["body", "hold_ms"],
        ),
        (
            json!({"type": "post_reply", "id": 1, "key": ticket, "ticket_id": ticket, "body": "a\u{0}b", "audience": "public"}),
            ErrorCode::Invalid,
            Some(1),
            &["body"],
        ),
        (
            json!({"type": "post_reply", "id": 1, "key": ticket, "ticket_id": ticket, "body": long, "audience": "public"}),
            ErrorCode::TooLarge,
            Some(1),
            &["body"],
        ),
        (
            json!({"type": "hand_over", "id": 1, "key": ticket, "ticket_id": ticket}),
            ErrorCode::Invalid,
            Some(1),
            &["note", "to_id"],
        ),
        (
            json!({"type": "hand_over", "id": 1, "key": ticket, "ticket_id": ticket, "note": "n", "to_id": ticket, "to_team_id": ticket}),
            ErrorCode::Invalid,
            Some(1),
            &["to_id"],
        ),
        (
            json!({"type": "change_tags", "id": 1, "key": ticket, "ticket_id": ticket, "add": ["A"], "remove": ["a "]}),
            ErrorCode::Invalid,
            Some(1),
            &["remove"],
        ),
        (json!({"type": "set_presence", "state": "asleep"}), ErrorCode::Invalid, None, &["state", "ticket_id"]),
        (json!({"type": "set_presence", "id": 0, "state": "idle", "ticket_id": ticket}), ErrorCode::Invalid, None, &["id"]),
        (
            json!({"type": "save_draft", "id": 1, "ticket_id": ticket, "audience": "public", "revision": 0, "body": long, "based_on": 0}),
            ErrorCode::TooLarge,
            Some(1),
            &["body"],
        ),
        (
            json!({"type": "watch_rows", "id": 1, "ticket_ids": vec![&ticket; 201]}),
            ErrorCode::Invalid,
            Some(1),
            &["ticket_ids"],
        ),
        (json!({"type": "mark_read", "id": 1}), ErrorCode::Invalid, Some(1), &["seq", "ticket_id"]),
        (
            json!({"type": "post_reply", "id": 1, "key": ticket, "ticket_id": ticket, "body": "b", "audience": "public", "mention_ids": ["me"]}),
            ErrorCode::Invalid,
            Some(1),
            &["mention_ids"],
        ),
        (json!({"type": "assign", "id": 1, "key": ticket, "ticket_id": ticket}), ErrorCode::Invalid, Some(1), &["assignee_id"]),
        (
            json!({"type": "update_ticket", "id": 1, "key": ticket, "ticket_id": ticket, "title": null, "priority": "p9", "due_at": "soon"}),
            ErrorCode::Invalid,
            Some(1),
            &["based_on", "due_at", "priority", "title"],
        ),
    ];
    for (value, code, id, fields) in table {
        for codec in Codec::ALL {
            let refused = Request::decode(codec, &codec.encode(&value)).expect_err("should be refused");
            assert_eq!((refused.problem.code, refused.id), (code, id), "{codec:?} {value}");
            let named = refused.problem.detail.get("fields").and_then(|f| f.as_object()).cloned().unwrap_or_default();
            assert_eq!(named.keys().collect::<Vec<_>>(), fields, "{codec:?} {value}");
        }
    }
}

#[test]
fn unknown_extra_fields_are_ignored_and_null_is_absence_where_it_may_be() {
    let frame = json!({"type": "hello", "id": 1, "protocol": 1, "token": null, "mood": "good"});
    let read = Request::decode(Codec::Json, frame.to_string().as_bytes());
    assert_eq!(read, Ok(Request { id: Some(1), frame: ClientFrame::Hello { protocol: 1, token: None, client: None } }));
}

#[test]
fn presence_may_be_told_without_a_number_and_then_has_no_answer() {
    let frame = json!({"type": "set_presence", "ticket_id": TICKET.to_string(), "state": "idle"});
    for codec in Codec::ALL {
        let read = Request::decode(codec, &codec.encode(&frame)).expect("no number is needed");
        assert_eq!(read.id, None);
        assert_eq!(Request::decode(codec, &read.encode(codec)), Ok(read));
    }
}

#[test]
fn events_are_called_as_on_the_wire() {
    for (name, event) in events() {
        assert_eq!(serde_json::to_value(&event).expect("JSON")["type"], event.name(), "{name}");
    }
}
