//! Who is on a ticket: two tabs are one person, who breaks off comes back or goes, notes stay inside, and nobody is told more
//! often than anybody can look.

use std::time::Duration;

use hub_core::rules::permissions::Role;
use hub_core::rules::presence::{COMPOSING_FOR, Doing, LOST_FOR};
use hub_core::testing::asker;
use hub_core::wire::{Activity, Audience, ErrorCode, Presence, PresenceSignal, ServerFrame, Signal, Support, Topic};

use crate::desk::{Desk, OTHER, Socket, TICKET, ana, bo, cleo, note};

const TOPIC: Topic = Topic::Ticket(TICKET.ticket);
const THREAD: Topic = Topic::Thread(TICKET.ticket);

/// Says it and lets everybody hear of it.
async fn say(desk: &Desk, socket: &Socket, doing: Doing) -> Result<(), ErrorCode> {
    let answered = socket.set_presence(TICKET.ticket, doing);
    desk.pass(Duration::from_millis(200)).await;
    answered.await.expect("an answer").map_err(|problem| problem.code)
}

/// What the presence signals in `frames` say, in few words; the last of them is what holds.
fn told(frames: &[ServerFrame]) -> Vec<String> {
    let signals = frames.iter().filter_map(|frame| match frame {
        ServerFrame::Signal { signal: Signal::Presence(presence), .. } => Some(presence),
        _ => None,
    });
    let say = |signal: &PresenceSignal| match signal {
        PresenceSignal::Staff { users, .. } => words(users),
        PresenceSignal::Customer { support: Some(Support::Composing) } => "composing".into(),
        PresenceSignal::Customer { support: None } => "nobody".into(),
    };
    signals.map(say).collect()
}

fn words(users: &[Presence]) -> String {
    let one = |p: &Presence| {
        let state = match (p.state, p.audience) {
            (Activity::Idle, _) => "idle",
            (Activity::Viewing, _) => "viewing",
            (Activity::Composing, Some(Audience::Internal)) => "note",
            (Activity::Composing, _) => "reply",
        };
        format!("{} {state}{}", p.id.uuid().as_u128(), if p.lost { " lost" } else { "" })
    };
    users.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn last(socket: &Socket) -> Option<String> {
    told(&socket.read()).pop()
}

#[actix_rt::test]
async fn two_tabs_are_one_person_and_closing_one_keeps_the_other() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (first, second, watcher) = (desk.watching(ana()).await, desk.watching(ana()).await, desk.watching(bo()).await);
    say(&desk, &first, Doing::Viewing).await.expect("may read");
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing"));
    say(&desk, &second, Doing::ComposingReply).await.expect("may write");
    assert_eq!(last(&watcher).as_deref(), Some("7 reply"));
    second.detach();
    desk.pass(Duration::from_millis(100)).await;
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing"));
    first.unsubscribe(2, TOPIC);
    desk.pass(Duration::from_millis(100)).await;
    assert_eq!(last(&watcher).as_deref(), Some(""), "gone at once");
}

#[actix_rt::test]
async fn a_socket_that_breaks_is_marked_at_once_and_gone_after_a_while() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (one, other, watcher) = (desk.watching(ana()).await, desk.watching(cleo()).await, desk.watching(bo()).await);
    say(&desk, &one, Doing::Viewing).await.expect("may read");
    say(&desk, &other, Doing::Viewing).await.expect("may read");
    watcher.read();
    one.breaks();
    desk.settle().await;
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing lost, 8 viewing"));
    // Coming back in time.
    let back = desk.watching(ana()).await;
    say(&desk, &back, Doing::Viewing).await.expect("may read");
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing, 8 viewing"));
    other.breaks();
    desk.pass(LOST_FOR - Duration::from_millis(100)).await;
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing, 8 viewing lost"));
    desk.pass(Duration::from_millis(200)).await;
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing"));
    desk.pass(Duration::from_millis(60_000)).await;
    assert_eq!(last(&watcher), None, "whoever looks stays");
}

#[actix_rt::test]
async fn a_customer_sees_that_somebody_answers_and_nothing_of_notes_and_colleagues_see_the_customer_type() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (agent, customer) = (desk.watching(ana()).await, desk.watching(cleo()).await);
    for doing in [Doing::Viewing, Doing::ComposingNote, Doing::Idle, Doing::ComposingNote] {
        say(&desk, &agent, doing).await.expect("may");
        assert!(customer.read().is_empty(), "{doing:?} stays inside");
    }
    say(&desk, &agent, Doing::ComposingReply).await.expect("may");
    let frames = customer.read();
    assert_eq!(told(&frames), ["composing"]);
    let raw = String::from_utf8(hub_core::wire::Codec::Json.encode(&frames[0])).expect("JSON");
    assert!(!raw.contains("agent 7") && !raw.contains("users"), "{raw}");
    let late = desk.socket(cleo());
    late.subscribe(9, THREAD, None);
    desk.settle().await;
    let frames = late.read();
    let [ServerFrame::Subscribed { live, .. }] = frames.as_slice() else { panic!("{frames:?}") };
    assert_eq!((live.support, live.presence.len()), (Some(Support::Composing), 0));
    // Not said again: only looking.
    desk.pass(COMPOSING_FOR).await;
    assert_eq!(told(&customer.read()), ["nobody"]);
    agent.read();
    say(&desk, &customer, Doing::ComposingReply).await.expect("may write");
    assert_eq!(last(&agent).as_deref(), Some("7 viewing, 8 reply"));
    assert!(customer.read().is_empty());
}

#[actix_rt::test]
async fn presence_counts_where_a_socket_watches_and_for_what_its_person_may_do() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let watcher = desk.watching(bo()).await;
    let elsewhere = desk.socket(ana());
    assert_eq!(say(&desk, &elsewhere, Doing::Viewing).await, Err(ErrorCode::NotFound));
    // Asked for and not yet granted: it waits.
    elsewhere.subscribe(1, TOPIC, None);
    let answered = elsewhere.set_presence(TICKET.ticket, Doing::Viewing);
    desk.settle().await;
    assert!(answered.await.expect("an answer").is_ok());
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing"));
    elsewhere.unsubscribe(2, TOPIC);
    desk.settle().await;
    assert_eq!(say(&desk, &elsewhere, Doing::Viewing).await, Err(ErrorCode::NotFound));
    // Asked for in vain.
    let stranger = desk.socket(asker(Role::Customer, 77));
    stranger.subscribe(1, THREAD, None);
    assert_eq!(say(&desk, &stranger, Doing::Viewing).await, Err(ErrorCode::NotFound));
    watcher.read();
    let viewer = desk.watching(asker(Role::Viewer, 78)).await;
    for (doing, verdict) in [
        (Doing::Viewing, Ok(())),
        (Doing::ComposingNote, Err(ErrorCode::Forbidden)),
        (Doing::ComposingReply, Err(ErrorCode::Forbidden)),
    ] {
        assert_eq!(say(&desk, &viewer, doing).await, verdict, "{doing:?}");
    }
    assert_eq!(last(&watcher).as_deref(), Some("78 viewing"));
    let customer = desk.watching(cleo()).await;
    assert_eq!(say(&desk, &customer, Doing::ComposingNote).await, Err(ErrorCode::Forbidden));
    assert_eq!(last(&watcher), None);
}

#[actix_rt::test]
async fn while_a_ticket_is_read_anew_people_come_and_go_as_ever() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (agent, watcher, ahead) = (desk.watching(ana()).await, desk.watching(bo()).await, desk.socket(bo()));
    desk.journal.reads.close();
    // Ahead of this hub: it has to look at the log before it can say so, and the log is away.
    ahead.subscribe(1, TOPIC, Some((99, hub_core::ports::Journal::stream(&desk.journal))));
    desk.settle().await;
    assert!(ahead.read().is_empty(), "it is being read");
    say(&desk, &agent, Doing::Viewing).await.expect("may read");
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing"));
    agent.unsubscribe(2, TOPIC);
    desk.settle().await;
    assert_eq!(last(&watcher).as_deref(), Some(""));
    desk.journal.reads.open();
    desk.settle().await;
    assert_eq!(ahead.read_words(), ["1 R1"]);
}

#[actix_rt::test]
async fn whoever_comes_sees_who_is_there_and_nothing_older_after_it() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (agent, watcher) = (desk.watching(ana()).await, desk.watching(bo()).await);
    say(&desk, &agent, Doing::Viewing).await.expect("may read");
    // The signal still waits to be read when the watcher asks anew.
    agent.unsubscribe(2, TOPIC);
    desk.settle().await;
    watcher.subscribe(3, TOPIC, None);
    desk.settle().await;
    let frames = watcher.read();
    let [ServerFrame::Subscribed { live, .. }] = frames.as_slice() else { panic!("the answer and nothing older: {frames:?}") };
    assert!(live.presence.is_empty());
    desk.pass(Duration::from_millis(100)).await;
    assert_eq!(last(&watcher), None, "that is all there is to tell");
}

#[actix_rt::test]
async fn two_hundred_who_come_and_go_within_ten_seconds_are_told_in_few_frames() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let watcher = desk.watching(bo()).await;
    let mut sockets = Vec::new();
    let mut frames = 0;
    let mut settled = |watcher: &Socket| frames += told(&watcher.read()).len();
    for n in 0..200_u128 {
        let socket = desk.socket(asker(Role::Agent, 1_000 + n));
        socket.subscribe(1, TOPIC, None);
        drop(socket.set_presence(TICKET.ticket, Doing::Viewing));
        sockets.push(socket);
        tokio::time::advance(Duration::from_millis(25)).await;
        desk.settle().await;
        settled(&watcher);
    }
    for socket in &sockets {
        socket.detach();
        tokio::time::advance(Duration::from_millis(25)).await;
        desk.settle().await;
        settled(&watcher);
    }
    assert!(frames > 50, "told as it goes: {frames}");
    assert!(frames <= 100, "at most ten a second: {frames}");
    desk.pass(Duration::from_millis(100)).await;
    let newcomer = desk.socket(ana());
    newcomer.subscribe(1, TOPIC, None);
    desk.settle().await;
    let frames = newcomer.read();
    let [ServerFrame::Subscribed { live, .. }] = frames.as_slice() else { panic!("{frames:?}") };
    assert!(live.presence.is_empty(), "all have gone");
}

#[actix_rt::test]
async fn a_ticket_that_panics_knows_again_who_is_there_and_only_those() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (stays, writes, goes) = (desk.watching(ana()).await, desk.watching(bo()).await, desk.watching(cleo()).await);
    say(&desk, &stays, Doing::Viewing).await.expect("may read");
    say(&desk, &goes, Doing::Viewing).await.expect("may read");
    say(&desk, &writes, Doing::ComposingReply).await.expect("may write");
    assert_eq!(last(&stays).as_deref(), Some("7 viewing, 8 viewing, 9 reply"));
    actors::faults::panic_at_next_command_here(TICKET.ticket);
    let lost = desk.tickets.submit(TICKET, note(ana(), 1)).await.expect_err("it panicked");
    assert_eq!(lost.code, ErrorCode::Unavailable);
    goes.detach();
    desk.pass(Duration::from_millis(300)).await;
    assert_eq!(last(&stays).as_deref(), Some("7 viewing, 9 reply"));
    // What was said before is as old as it was.
    desk.pass(COMPOSING_FOR - Duration::from_millis(400)).await;
    assert_eq!(last(&stays).as_deref(), Some("7 viewing, 9 viewing"));
}

/// What a list is told of the ticket's row.
fn rows(socket: &Socket) -> Vec<String> {
    let frames = socket.read();
    let signals = frames.iter().filter_map(|frame| match frame {
        ServerFrame::Signal { signal: Signal::Presence(PresenceSignal::Staff { ticket_id: Some(_), users }), .. } => {
            Some(users)
        }
        _ => None,
    });
    signals.map(|users| words(users)).collect()
}

#[actix_rt::test]
async fn lists_are_told_who_is_at_a_row_once_a_second_at_most_and_are_left_with_nobody_who_is_gone() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (list, agent, other) = (desk.socket(bo()), desk.watching(ana()).await, desk.watching(cleo()).await);
    list.subscribe(1, Topic::Workspace, None);
    list.watch_rows(2, &[TICKET]);
    desk.settle().await;
    rows(&list);
    let mut told = Vec::new();
    for n in 0..50 {
        drop(agent.set_presence(TICKET.ticket, if n % 2 == 0 { Doing::Viewing } else { Doing::ComposingNote }));
        desk.pass(Duration::from_millis(100)).await;
        told.extend(rows(&list));
    }
    assert!((4..=6).contains(&told.len()), "once a second for five seconds: {told:?}");
    desk.pass(Duration::from_secs(1)).await;
    assert_eq!(rows(&list), ["7 note"]);
    say(&desk, &other, Doing::Viewing).await.expect("may read");
    desk.pass(Duration::from_secs(10)).await;
    assert_eq!(rows(&list).last().map(String::as_str), Some("7 viewing, 8 viewing"));
    // As a workspace that began anew.
    desk.tickets.row_presence(TICKET, Vec::new()).expect("room");
    desk.settle().await;
    assert_eq!(rows(&list), [""]);
    desk.pass(TELL_ROWS_AGAIN + Duration::from_secs(1)).await;
    assert_eq!(rows(&list), ["7 viewing, 8 viewing"]);
    // The ticket panics while everybody goes.
    actors::faults::panic_at_next_command_here(TICKET.ticket);
    agent.detach();
    other.detach();
    desk.tickets.submit(TICKET, note(bo(), 1)).await.expect_err("it panicked");
    desk.pass(Duration::from_secs(2)).await;
    assert_eq!(rows(&list).last().map(String::as_str), Some(""));
    desk.pass(TELL_ROWS_AGAIN * 2).await;
    assert_eq!(rows(&list), [""; 0]);
}

#[actix_rt::test]
async fn who_goes_while_the_lists_are_about_to_be_told_again_is_not_left_in_them() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (list, agent) = (desk.socket(bo()), desk.watching(ana()).await);
    list.subscribe(1, Topic::Workspace, None);
    list.watch_rows(2, &[TICKET]);
    say(&desk, &agent, Doing::Viewing).await.expect("may read");
    // Told a moment before it is to be told again: that then waits for the rest of the second.
    desk.pass(TELL_ROWS_AGAIN - Duration::from_millis(400)).await;
    say(&desk, &agent, Doing::Idle).await.expect("may read");
    desk.pass(Duration::from_millis(500)).await;
    assert_eq!(rows(&list).last().map(String::as_str), Some("7 idle"));
    agent.detach();
    desk.pass(Duration::from_secs(2)).await;
    assert_eq!(rows(&list), [""]);
}

/// How often a ticket tells the lists again who is there.
const TELL_ROWS_AGAIN: Duration = Duration::from_secs(20);

#[actix_rt::test]
async fn a_worker_that_stumbles_leaves_nobody_behind() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (stumbles, watcher) = (desk.watching(ana()).await, desk.watching(bo()).await);
    say(&desk, &stumbles, Doing::Viewing).await.expect("may read");
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing"));
    actors::faults::panic_at_next_here(actors::faults::Point::Subscribe, OTHER.ticket);
    stumbles.subscribe(5, Topic::Ticket(OTHER.ticket), None);
    desk.settle().await;
    assert!(stumbles.was_cut());
    assert_eq!(last(&watcher).as_deref(), Some("7 viewing lost"));
    desk.pass(LOST_FOR + Duration::from_millis(100)).await;
    assert_eq!(last(&watcher).as_deref(), Some(""));
}
