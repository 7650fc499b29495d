//! Watching: resume exactly, order, and nothing after the last word.

use std::time::Duration;

use hub_core::ids::StreamId;
use hub_core::ports::Journal;
use hub_core::rules::permissions::Role;
use hub_core::testing::asker;
use hub_core::wire::{ErrorCode, Event, ServerFrame, Signal, Snapshot, Topic};
use uuid::Uuid;

use crate::desk::{Desk, LONG, TICKET, ana, bo, cleo, note, public};

const TOPIC: Topic = Topic::Ticket(TICKET.ticket);
const THREAD: Topic = Topic::Thread(TICKET.ticket);

#[actix_rt::test]
async fn agents_see_everything_and_customers_their_thread_each_in_their_own_numbers() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (agent, customer) = (desk.socket(ana()), desk.socket(cleo()));
    agent.subscribe(1, TOPIC, None);
    customer.subscribe(1, THREAD, None);
    desk.settle().await;
    assert_eq!(agent.read_words(), ["1 R1"]);
    assert_eq!(customer.read_words(), ["1 R1"]);
    desk.tickets.submit(TICKET, note(bo(), 1)).await.expect("a note");
    desk.reply(ana(), 2, 1).await.expect("not stale");
    desk.settle().await;
    assert_eq!(agent.read_words(), ["+2", "+3"]);
    let frames = customer.read();
    let [ServerFrame::Event { seq: 2, event: Event::ReplyPosted { body, .. }, .. }] = frames.as_slice() else {
        panic!("the reply and nothing else: {frames:?}");
    };
    assert_eq!(body, "reply 2");
}

#[actix_rt::test]
async fn a_topic_one_may_not_see_is_like_one_that_is_not_there() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let stranger = asker(Role::Customer, 77);
    let nowhere = Topic::Ticket(hub_core::testing::ticket_key(1, 999).ticket);
    for (by, topic) in [
        (stranger.clone(), THREAD),
        (stranger, TOPIC),
        (cleo(), TOPIC),
        (cleo(), Topic::Workspace),
        (ana(), THREAD),
        (ana(), nowhere),
        (asker(Role::PlatformAdmin, 78), TOPIC),
    ] {
        let socket = desk.socket(by);
        socket.subscribe(5, topic, None);
        desk.settle().await;
        let frames = socket.read();
        let [ServerFrame::Error { id: Some(5), code: ErrorCode::NotFound, detail, .. }] = frames.as_slice() else {
            panic!("{topic}: {frames:?}");
        };
        assert!(detail.is_empty());
    }
}

#[actix_rt::test]
async fn resuming_yields_exactly_what_came_after_or_a_reset() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for n in 0..6 {
        desk.tickets.submit(TICKET, note(ana(), n)).await.expect("a note");
    }
    let stream = desk.journal.stream();
    let other = StreamId::new(Uuid::from_u128(777));
    let first = desk.socket(ana());
    first.subscribe(1, TOPIC, None);
    desk.settle().await;
    for (position, expected) in [
        (Some((4, stream)), "9 =5,6,7@7"),
        (Some((7, stream)), "9 =@7"),
        (Some((0, stream)), "9 =1,2,3,4,5,6,7@7"),
        (Some((8, stream)), "9 R7"),
        (Some((7, other)), "9 R7"),
        (None, "9 R7"),
    ] {
        let socket = desk.socket(bo());
        socket.subscribe(9, TOPIC, position);
        desk.settle().await;
        assert_eq!(socket.read_words(), [expected], "{position:?}");
        // The second replaces the first.
        socket.subscribe(10, TOPIC, Some((6, stream)));
        desk.settle().await;
        assert_eq!(socket.read_words(), ["10 =7@7"]);
    }
}

#[actix_rt::test]
async fn a_client_ahead_of_memory_is_believed_when_the_log_agrees() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (watcher, ahead) = (desk.socket(ana()), desk.socket(bo()));
    watcher.subscribe(1, TOPIC, None);
    desk.settle().await;
    desk.write_elsewhere(&public(bo(), 1, 1)).await;
    ahead.subscribe(1, TOPIC, Some((2, desk.journal.stream())));
    desk.settle().await;
    assert_eq!(ahead.read_words(), ["1 =@2"]);
    // And whoever watched all the time is told what was found.
    assert_eq!(watcher.read_words(), ["1 R1", "+2"]);
}

#[actix_rt::test]
async fn events_that_are_committed_while_older_ones_are_read_are_not_lost() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for n in 0..5 {
        desk.tickets.submit(TICKET, note(ana(), n)).await.expect("a note");
    }
    desk.tickets.drafts(TICKET, ana()).await.expect("known from here on: nobody waits for them");
    let socket = desk.socket(ana());
    desk.journal.reads.close();
    socket.subscribe(1, TOPIC, Some((2, desk.journal.stream())));
    desk.settle().await;
    desk.reply(bo(), 50, 6).await.expect("not stale");
    desk.journal.reads.open();
    desk.settle().await;
    assert_eq!(socket.read_words(), ["1 =3,4,5,6,7@7"]);
    desk.reply(bo(), 51, 7).await.expect("not stale");
    desk.settle().await;
    assert_eq!(socket.read_words(), ["+8"]);
}

#[actix_rt::test]
async fn nothing_of_a_topic_follows_the_ack_of_unsubscribe() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = desk.socket(ana());
    desk.journal.reads.close();
    socket.subscribe(1, TOPIC, Some((0, desk.journal.stream())));
    socket.unsubscribe(2, TOPIC);
    socket.subscribe(3, TOPIC, None);
    socket.unsubscribe(4, TOPIC);
    desk.settle().await;
    assert!(socket.read().is_empty());
    desk.journal.reads.open();
    desk.settle().await;
    desk.reply(bo(), 1, 1).await.expect("not stale");
    desk.settle().await;
    assert_eq!(socket.read_words(), ["1 =1@1", "ack 2", "3 R1", "ack 4"]);
    socket.unsubscribe(5, TOPIC);
    desk.settle().await;
    assert_eq!(socket.read_words(), ["ack 5"]);
}

#[actix_rt::test]
async fn a_long_absence_or_a_heavy_tail_is_a_reset_and_a_snapshot_holds_the_newest_events() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for n in 0..1_010 {
        desk.tickets.submit(TICKET, note(ana(), n)).await.expect("a note");
    }
    let socket = desk.socket(ana());
    socket.subscribe(1, TOPIC, Some((3, desk.journal.stream())));
    desk.settle().await;
    let frames = socket.read();
    let [ServerFrame::Subscribed { reset: Some(true), seq: 1_011, snapshot: Some(Snapshot::Ticket { events, .. }), .. }] =
        frames.as_slice()
    else {
        panic!("{:?}", frames.len());
    };
    let seqs: Vec<_> = events.iter().map(|e| e.seq).collect();
    assert_eq!(seqs, (912..=1_011).collect::<Vec<_>>());
    // A thousand of these weigh more than a message may.
    socket.subscribe(2, TOPIC, Some((11, desk.journal.stream())));
    desk.settle().await;
    assert_eq!(socket.read_words(), ["2 R1011"]);
    socket.subscribe(3, TOPIC, Some((611, desk.journal.stream())));
    desk.settle().await;
    let frames = socket.read();
    let [ServerFrame::Subscribed { events: Some(events), .. }] = frames.as_slice() else { panic!("a tail") };
    assert_eq!(events.len(), 400);
}

#[actix_rt::test]
async fn lists_are_told_of_every_change() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = desk.socket(bo());
    socket.subscribe(1, Topic::Workspace, None);
    desk.settle().await;
    let frames = socket.read();
    let [ServerFrame::Subscribed { seq: 0, snapshot: Some(Snapshot::Workspace { people, .. }), .. }, counters] =
        frames.as_slice()
    else {
        panic!("{frames:?}");
    };
    assert_eq!(people.len(), 2);
    assert!(matches!(counters, ServerFrame::Signal { signal: Signal::Counters { open: 2, .. }, .. }), "{counters:?}");
    desk.reply(ana(), 1, 1).await.expect("not stale");
    desk.reply(ana(), 2, 2).await.expect("not stale");
    desk.settle().await;
    let frames = socket.read();
    // The latest wins while nobody has read.
    let [ServerFrame::Signal { signal: Signal::TicketChanged { ticket, .. }, .. }] = frames.as_slice() else {
        panic!("{frames:?}");
    };
    assert_eq!((ticket.id, ticket.seq), (TICKET.ticket, 3));
}

#[actix_rt::test]
async fn a_ticket_sleeps_when_nobody_needs_it_and_not_before() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = desk.socket(ana());
    socket.subscribe(1, TOPIC, None);
    desk.settle().await;
    tokio::time::sleep(LONG).await;
    // Awake: what another node writes goes unnoticed until this one has to look.
    desk.write_elsewhere(&public(bo(), 1, 1)).await;
    socket.detach();
    desk.settle().await;
    tokio::time::sleep(LONG).await;
    // It slept: on waking it reads the log, so nothing is stale in memory.
    let fresh = desk.socket(ana());
    fresh.subscribe(1, TOPIC, None);
    desk.settle().await;
    assert_eq!(fresh.read_words(), ["1 R2"]);
}

#[actix_rt::test]
async fn one_who_does_not_read_holds_nobody_up_and_is_cut_off_after_a_while() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let limits = actors::fanout::OutboxLimits { frames: 10, bytes: 1 << 20, signals: 10 };
    let (slow, fast) = (desk.socket_with(ana(), limits), desk.socket(bo()));
    for socket in [&slow, &fast] {
        socket.subscribe(1, TOPIC, None);
    }
    desk.settle().await;
    for n in 0..20 {
        desk.tickets.submit(TICKET, note(ana(), n)).await.expect("a note");
        desk.settle().await;
        assert_eq!(fast.read().len(), if n == 0 { 2 } else { 1 });
    }
    let was_cut = |socket: &crate::desk::Socket| socket.cut.load(std::sync::atomic::Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_secs(9)).await;
    assert!(!was_cut(&slow), "it has time to read");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert!(was_cut(&slow) && !was_cut(&fast));
}

#[actix_rt::test]
async fn one_who_reads_again_in_time_has_missed_nothing() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let limits = actors::fanout::OutboxLimits { frames: 10, bytes: 1 << 20, signals: 10 };
    let slow = desk.socket_with(ana(), limits);
    slow.subscribe(1, TOPIC, None);
    desk.settle().await;
    slow.read();
    for n in 0..30 {
        desk.tickets.submit(TICKET, note(bo(), n)).await.expect("a note");
        desk.settle().await;
    }
    let first: Vec<_> = (2..=11).map(|seq| format!("+{seq}")).collect();
    assert_eq!(slow.read_words(), first);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    desk.settle().await;
    let rest: Vec<_> = (12..=31).map(|seq| seq.to_string()).collect();
    assert_eq!(slow.read_words(), [format!("- ={}@31", rest.join(","))]);
    desk.tickets.submit(TICKET, note(bo(), 99)).await.expect("a note");
    desk.settle().await;
    assert_eq!(slow.read_words(), ["+32"]);
}

#[actix_rt::test]
async fn a_resume_ends_at_its_own_seq_even_when_the_log_is_ahead_of_the_actor() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for n in 0..3 {
        desk.tickets.submit(TICKET, note(ana(), n)).await.expect("a note");
    }
    let socket = desk.socket(ana());
    desk.journal.reads.close();
    socket.subscribe(1, TOPIC, Some((2, desk.journal.stream())));
    desk.settle().await;
    // Committed, but this actor has not been told.
    desk.write_elsewhere(&note(bo(), 50)).await;
    desk.journal.reads.open();
    desk.settle().await;
    assert_eq!(socket.read_words(), ["1 =3,4@4"]);
    desk.tickets.submit(TICKET, note(ana(), 51)).await.expect("a note");
    desk.settle().await;
    assert_eq!(socket.read_words(), ["+5", "+6"]);
}

#[actix_rt::test]
async fn a_signal_does_not_follow_the_ack_of_unsubscribe() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = desk.socket(ana());
    socket.subscribe(1, Topic::Workspace, None);
    desk.settle().await;
    socket.read();
    desk.tickets.submit(TICKET, note(bo(), 1)).await.expect("a note");
    desk.settle().await;
    socket.unsubscribe(2, Topic::Workspace);
    desk.settle().await;
    assert_eq!(socket.read_words(), ["ack 2"]);
}

#[actix_rt::test]
async fn a_client_that_asks_for_more_than_it_reads_is_told_to_wait() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let limits = actors::fanout::OutboxLimits { frames: 4, bytes: 1 << 20, signals: 10 };
    let socket = desk.socket_with(ana(), limits);
    for id in 1..=6 {
        socket.subscribe(id, TOPIC, None);
        desk.settle().await;
    }
    assert_eq!(socket.read_words()[..3], ["1 R1", "2 R1", "3 R1"]);
    assert!(!socket.cut.load(std::sync::atomic::Ordering::SeqCst) || socket.read_words().is_empty());
    socket.subscribe(9, TOPIC, None);
    desk.settle().await;
    assert_eq!(socket.read_words(), ["9 R1"]);
}

#[actix_rt::test]
async fn one_who_reads_nothing_is_cut_off_however_little_waits() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (reads, does_not) = (desk.socket(ana()), desk.socket(bo()));
    for socket in [&reads, &does_not] {
        socket.subscribe(1, TOPIC, None);
    }
    desk.settle().await;
    for _ in 0..9 {
        tokio::time::advance(Duration::from_secs(1)).await;
        desk.settle().await;
        reads.read();
    }
    let was_cut = |socket: &crate::desk::Socket| socket.cut.load(std::sync::atomic::Ordering::SeqCst);
    assert!(!was_cut(&does_not), "it has time to read");
    for _ in 0..2 {
        tokio::time::advance(Duration::from_secs(1)).await;
        desk.settle().await;
    }
    assert!(was_cut(&does_not) && !was_cut(&reads));
}

#[actix_rt::test]
async fn a_clients_own_subscribe_is_answered_or_the_client_is_cut_off() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for n in 0..3 {
        desk.tickets.submit(TICKET, note(ana(), n)).await.expect("a note");
    }
    let limits = actors::fanout::OutboxLimits { frames: 2, bytes: 1 << 20, signals: 10 };
    let socket = desk.socket_with(ana(), limits);
    socket.subscribe(1, TOPIC, None);
    desk.settle().await;
    socket.read();
    desk.journal.reads.close();
    socket.subscribe(2, TOPIC, Some((1, desk.journal.stream())));
    desk.settle().await;
    for n in 10..13 {
        desk.tickets.submit(TICKET, note(bo(), n)).await.expect("a note");
        desk.settle().await;
    }
    assert!(!socket.cut.load(std::sync::atomic::Ordering::SeqCst));
    // The answer finds the outbox full of events.
    desk.journal.reads.open();
    desk.settle().await;
    assert!(socket.cut.load(std::sync::atomic::Ordering::SeqCst), "{:?}", socket.read_words());
}
