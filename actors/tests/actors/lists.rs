//! Live lists: rows that say who changed them, counters of each person, who is here, and who is at the rows one looks at.

use std::time::Duration;

use actors::Present;
use hub_core::ids::{TicketId, TicketKey};
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::rules::permissions::Role;
use hub_core::testing::{asker, key};
use hub_core::time::UnixMs;

use hub_core::wire::{Activity, ActorKind, Live, Patch, Presence, PresenceSignal, ServerFrame, Signal, Topic};

use crate::desk::{Desk, OTHER, Socket, TICKET, ana, bo, cleo, command_key, note};

/// Longer than anything is gathered for.
const SOON: Duration = Duration::from_millis(1_500);

/// What a list heard, in few words.
fn heard(socket: &Socket) -> Vec<String> {
    socket.read().iter().map(told).collect()
}

fn told(frame: &ServerFrame) -> String {
    let name = |ticket: TicketId| if ticket == TICKET.ticket { "first" } else { "other" };
    match frame {
        ServerFrame::Signal { topic: Topic::Workspace, signal } => match signal {
            Signal::Counters { open, unassigned, mine } => format!("{open} open, {unassigned} unassigned, {mine} mine"),
            Signal::TicketChanged { ticket, by, what } => {
                let by = by.as_ref().map_or("nobody", |by| &by.name);
                format!("{}: {} by {by}", name(ticket.id), what.as_deref().unwrap_or("nothing"))
            }
            Signal::People { people } => {
                format!("here: {}", people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join(", "))
            }
            Signal::Presence(PresenceSignal::Staff { ticket_id: Some(ticket), users }) => {
                format!("at {}: {}", name(*ticket), users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>().join(", "))
            }
            other => format!("{other:?}"),
        },
        ServerFrame::Subscribed { topic: Topic::Workspace, live: Live { people, .. }, .. } => {
            format!("list, here: {}", people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join(", "))
        }
        other => crate::desk::words(other),
    }
}

/// Only what is said of one kind of thing.
fn counters(heard: Vec<String>) -> Vec<String> {
    heard.into_iter().filter(|words| words.contains(" mine")).collect()
}

fn people(heard: Vec<String>) -> Vec<String> {
    heard.into_iter().filter(|words| words.starts_with("here: ")).collect()
}

/// A socket that watches the lists and has heard how they begin.
async fn watching(desk: &Desk, by: Asker) -> Socket {
    let socket = desk.socket(by);
    socket.subscribe(1, Topic::Workspace, None);
    desk.settle().await;
    socket
}

async fn pass(desk: &Desk, time: Duration) {
    tokio::time::sleep(time).await;
    desk.settle().await;
}

fn assign(by: Asker, key_number: u128, to: Option<&Asker>) -> Intent {
    let assignee_id = to.map_or(Patch::Clear, |to| Patch::Set(to.user));
    Intent { key: key(key_number), by, steps: vec![Step::Assign { assignee_id, team_id: Patch::Keep }] }
}

fn status(by: Asker, key_number: u128, to: &str) -> Intent {
    let step = Step::ChangeStatus { status: to.into(), based_on: None, note: None, force: true };
    Intent { key: key(key_number), by, steps: vec![step] }
}

fn at(user: &Asker) -> Presence {
    Presence {
        id: user.user,
        name: user.name.clone(),
        kind: ActorKind::Agent,
        state: Activity::Viewing,
        audience: None,
        field: None,
        since: UnixMs(1_700_000_000_000),
        lost: false,
    }
}

#[actix_rt::test]
async fn each_person_is_told_their_own_counters_and_only_when_they_change() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (first, second) = (watching(&desk, ana()).await, watching(&desk, bo()).await);
    assert_eq!(counters(heard(&first)), ["2 open, 2 unassigned, 0 mine"]);
    assert_eq!(counters(heard(&second)), ["2 open, 2 unassigned, 0 mine"]);
    let steps: [(Intent, &[&str], &[&str]); 5] = [
        (assign(bo(), 1, Some(&ana())), &["2 open, 1 unassigned, 1 mine"], &["2 open, 1 unassigned, 0 mine"]),
        (assign(bo(), 2, Some(&bo())), &["2 open, 1 unassigned, 0 mine"], &["2 open, 1 unassigned, 1 mine"]),
        (note(ana(), 3), &[], &[]),
        (status(bo(), 4, "resolved"), &["1 open, 1 unassigned, 0 mine"], &["1 open, 1 unassigned, 0 mine"]),
        (status(bo(), 5, "open"), &["2 open, 1 unassigned, 0 mine"], &["2 open, 1 unassigned, 1 mine"]),
    ];
    for (intent, for_ana, for_bo) in steps {
        desk.tickets.submit(TICKET, intent.clone()).await.expect("done");
        pass(&desk, SOON).await;
        assert_eq!(counters(heard(&first)), for_ana, "Ana after {intent:?}");
        assert_eq!(counters(heard(&second)), for_bo, "Bo after {intent:?}");
    }
}

#[actix_rt::test]
async fn a_storm_of_changes_is_told_a_few_times_a_second() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = watching(&desk, ana()).await;
    heard(&socket);
    let mut told = Vec::new();
    for n in 0..100_u128 {
        let to = [Some(ana()), Some(bo()), None][usize::try_from(n % 3).expect("small")].clone();
        desk.tickets.submit(TICKET, assign(bo(), n + 1, to.as_ref())).await.expect("done");
        pass(&desk, Duration::from_millis(33)).await;
        told.extend(counters(heard(&socket)));
    }
    pass(&desk, SOON).await;
    told.extend(counters(heard(&socket)));
    // 3.3 seconds, gathered for a quarter each.
    assert!((3..=14).contains(&told.len()), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("2 open, 1 unassigned, 1 mine"));
}

#[actix_rt::test]
async fn what_changes_while_everything_is_counted_is_counted_once() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.journal.reads.close();
    let socket = watching(&desk, ana()).await;
    assert_eq!(counters(heard(&socket)), [""; 0], "nothing is known yet");
    desk.tickets.submit(TICKET, assign(bo(), 1, Some(&ana()))).await.expect("done");
    desk.settle().await;
    // Only now it looks; what it finds holds the assignment, which was told before.
    desk.journal.reads.open();
    pass(&desk, SOON).await;
    assert_eq!(counters(heard(&socket)).last().map(String::as_str), Some("2 open, 1 unassigned, 1 mine"));
    desk.tickets.submit(TICKET, assign(bo(), 2, None)).await.expect("done");
    pass(&desk, SOON).await;
    assert_eq!(counters(heard(&socket)), ["2 open, 2 unassigned, 0 mine"]);
}

#[actix_rt::test]
async fn what_another_hub_wrote_is_counted_within_the_minute() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = watching(&desk, ana()).await;
    assert_eq!(counters(heard(&socket)), ["2 open, 2 unassigned, 0 mine"]);
    desk.write_elsewhere_to(OTHER, &assign(bo(), 1, Some(&ana()))).await;
    pass(&desk, Duration::from_secs(80)).await;
    assert_eq!(counters(heard(&socket)), ["2 open, 1 unassigned, 1 mine"]);
}

#[actix_rt::test]
async fn a_count_that_fails_is_tried_again() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.journal.fail_next_reads(2);
    let socket = watching(&desk, ana()).await;
    assert_eq!(counters(heard(&socket)), [""; 0]);
    pass(&desk, Duration::from_secs(15)).await;
    assert_eq!(counters(heard(&socket)), ["2 open, 2 unassigned, 0 mine"]);
}

#[actix_rt::test]
async fn who_asks_once_is_answered_as_who_watches_and_customers_are_not() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.tickets.submit(TICKET, assign(bo(), 1, Some(&ana()))).await.expect("done");
    for (by, expected) in [(ana(), (2, 1, 1)), (bo(), (2, 1, 0)), (asker(Role::Viewer, 70), (2, 1, 0))] {
        let counters = desk.tickets.counters(TICKET.workspace, by).await.expect("staff may count");
        assert_eq!((counters.open, counters.unassigned, counters.mine), expected);
    }
    for by in [cleo(), asker(Role::PlatformAdmin, 71)] {
        let refused = desk.tickets.counters(TICKET.workspace, by).await.expect_err("not theirs to see");
        assert_eq!(refused.code, hub_core::wire::ErrorCode::NotFound);
    }
}

#[actix_rt::test]
async fn a_row_says_who_changed_it_and_how() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = watching(&desk, ana()).await;
    heard(&socket);
    desk.tickets.submit(TICKET, assign(bo(), 1, Some(&bo()))).await.expect("done");
    desk.settle().await;
    assert_eq!(heard(&socket), [format!("first: assigned by {}", bo().name)]);
    desk.tickets.submit(OTHER, status(ana(), 2, "resolved")).await.expect("done");
    desk.settle().await;
    assert_eq!(heard(&socket), [format!("other: status_changed by {}", ana().name)]);
}

#[actix_rt::test]
async fn who_is_here_is_told_over_all_tabs_once_a_second_at_most() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let come = |by: Asker| desk.tickets.arrive(TICKET.workspace, &by);
    let mut here: Vec<Option<Present>> = vec![come(ana())];
    let socket = desk.socket(ana());
    socket.subscribe(1, Topic::Workspace, None);
    desk.settle().await;
    assert!(heard(&socket).contains(&format!("list, here: {}", ana().name)));

    here.push(come(bo()));
    here.push(come(bo()));
    assert!(come(cleo()).is_none(), "customers are not named");
    pass(&desk, SOON).await;
    let both = format!("here: {}, {}", ana().name, bo().name);
    assert_eq!(people(heard(&socket)), [both]);

    here.pop();
    pass(&desk, Duration::from_secs(20)).await;
    assert_eq!(people(heard(&socket)), [""; 0], "the other tab is still open");

    // Reloaded: gone for a second.
    here.pop();
    pass(&desk, Duration::from_secs(1)).await;
    here.push(come(bo()));
    pass(&desk, Duration::from_secs(20)).await;
    assert_eq!(people(heard(&socket)), [""; 0], "who comes back at once never went");

    here.pop();
    pass(&desk, Duration::from_secs(4)).await;
    assert_eq!(people(heard(&socket)), [""; 0]);
    pass(&desk, Duration::from_secs(6)).await;
    assert_eq!(people(heard(&socket)), [format!("here: {}", ana().name)], "gone within ten seconds");

    let mut told = 0;
    for n in 0..50_u128 {
        here.push(come(asker(Role::Agent, 1_000 + n)));
        pass(&desk, Duration::from_millis(100)).await;
        told += people(heard(&socket)).len();
    }
    assert!((4..=6).contains(&told), "{told} times in five seconds");
    pass(&desk, SOON).await;
    let last = people(heard(&socket));
    assert_eq!(last.last().map(|words| words.matches(',').count()), Some(50));
}

#[actix_rt::test]
async fn who_watches_rows_is_told_who_is_there_and_of_no_other_row() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (socket, elsewhere) = (watching(&desk, ana()).await, watching(&desk, bo()).await);
    desk.tickets.row_presence(TICKET, vec![at(&bo())]).expect("room");
    desk.settle().await;
    heard(&socket);
    heard(&elsewhere);

    socket.watch_rows(5, &[TICKET, OTHER]);
    desk.settle().await;
    let by_bo = format!("at first: {}", bo().name);
    assert_eq!(heard(&socket), ["ack 5", &by_bo], "who is there already");
    desk.tickets.row_presence(OTHER, vec![at(&ana()), at(&bo())]).expect("room");
    desk.settle().await;
    assert_eq!(heard(&socket), [format!("at other: {}, {}", ana().name, bo().name)]);

    socket.watch_rows(6, &[OTHER]);
    desk.settle().await;
    heard(&socket);
    desk.tickets.row_presence(TICKET, vec![at(&ana())]).expect("room");
    desk.tickets.row_presence(OTHER, vec![]).expect("room");
    desk.settle().await;
    assert_eq!(heard(&socket), ["at other: "], "the first row is not looked at any longer");

    // A row of the same id in another workspace is another row.
    desk.tickets
        .row_presence(TicketKey { workspace: hub_core::testing::ticket_key(2, 1).workspace, ..OTHER }, vec![at(&bo())])
        .expect("room");
    desk.settle().await;
    assert_eq!(heard(&socket), [""; 0]);
    assert_eq!(heard(&elsewhere), [""; 0], "who watches no rows is told of none");
}

#[actix_rt::test]
async fn rows_are_for_those_who_watch_the_lists() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.tickets.row_presence(TICKET, vec![at(&bo())]).expect("room");
    for by in [ana(), cleo()] {
        let socket = desk.socket(by);
        socket.watch_rows(5, &[TICKET]);
        desk.settle().await;
        assert_eq!(heard(&socket), ["err 5 Invalid"]);
    }
    let (customer, socket) = (desk.socket(cleo()), desk.socket(ana()));
    for socket in [&customer, &socket] {
        socket.subscribe(1, Topic::Workspace, None);
        socket.watch_rows(5, &[TICKET]);
    }
    desk.settle().await;
    let mut of_customer = heard(&customer);
    of_customer.sort();
    assert_eq!(of_customer, ["err 1 NotFound", "err 5 Invalid"]);
    assert!(heard(&socket).contains(&format!("at first: {}", bo().name)), "also when it was asked before the list came");

    socket.unsubscribe(7, Topic::Workspace);
    desk.tickets.row_presence(TICKET, vec![]).expect("room");
    desk.settle().await;
    assert_eq!(heard(&socket), ["ack 7"]);
    socket.subscribe(8, Topic::Workspace, None);
    desk.settle().await;
    desk.tickets.row_presence(TICKET, vec![at(&bo())]).expect("room");
    desk.settle().await;
    assert!(!heard(&socket).iter().any(|words| words.starts_with("at ")), "the rows went with the subscription");
}

#[actix_rt::test]
async fn who_begins_anew_with_the_lists_is_told_of_the_rows_anew() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = watching(&desk, ana()).await;
    socket.watch_rows(5, &[TICKET]);
    desk.tickets.row_presence(TICKET, vec![at(&bo())]).expect("room");
    desk.settle().await;
    heard(&socket);
    socket.subscribe(6, Topic::Workspace, None);
    desk.settle().await;
    let heard = heard(&socket);
    assert!(heard.contains(&format!("at first: {}", bo().name)), "{heard:?}");
    assert!(heard.contains(&"2 open, 2 unassigned, 0 mine".to_owned()), "{heard:?}");
}

#[actix_rt::test]
async fn what_a_ticket_tells_again_is_no_news_and_one_that_fell_silent_has_nobody() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = watching(&desk, ana()).await;
    socket.watch_rows(5, &[TICKET, OTHER]);
    desk.settle().await;
    heard(&socket);
    for _ in 0..5 {
        desk.tickets.row_presence(TICKET, vec![at(&bo())]).expect("room");
        pass(&desk, Duration::from_secs(20)).await;
    }
    desk.tickets.row_presence(OTHER, vec![at(&bo())]).expect("room");
    pass(&desk, SOON).await;
    assert_eq!(heard(&socket), [format!("at first: {}", bo().name), format!("at other: {}", bo().name)]);
    // The first dies without a word; the other goes on.
    for _ in 0..4 {
        pass(&desk, Duration::from_secs(20)).await;
        desk.tickets.row_presence(OTHER, vec![at(&bo())]).expect("room");
    }
    assert_eq!(heard(&socket), ["at first: "]);
}

#[actix_rt::test]
async fn a_workspace_that_panics_begins_anew_and_those_who_watch_are_told_everything_again() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let _present = desk.tickets.arrive(TICKET.workspace, &bo());
    let socket = watching(&desk, ana()).await;
    socket.watch_rows(5, &[TICKET]);
    desk.settle().await;
    heard(&socket);
    actors::faults::panic_at_next_here(actors::faults::Point::Row, TICKET.ticket);
    desk.tickets.submit(TICKET, assign(bo(), 1, Some(&ana()))).await.expect("a ticket does not need its workspace");
    pass(&desk, SOON).await;
    assert_eq!(heard(&socket), [format!("list, here: {}", bo().name), "2 open, 1 unassigned, 1 mine".into()]);
    // Tickets tell again who is there.
    desk.tickets.row_presence(TICKET, vec![at(&bo())]).expect("room");
    desk.tickets.submit(TICKET, assign(bo(), 2, None)).await.expect("done");
    pass(&desk, SOON).await;
    let mut heard = heard(&socket);
    heard.sort();
    let row = format!("first: assigned by {}", bo().name);
    assert_eq!(heard, ["2 open, 2 unassigned, 0 mine".into(), format!("at first: {}", bo().name), row]);
}

/// The numbers that new tickets get.
async fn next_number(desk: &Desk, key_number: u128) -> u64 {
    let new = actors::NewTicket {
        title: "Hello".into(),
        description: "Is anybody there?".into(),
        source: hub_core::wire::Source::Web,
        priority: hub_core::wire::Priority::P3,
    };
    let (ticket, _) = desk.tickets.create(TICKET.workspace, cleo(), command_key(key_number), new).await.expect("opened");
    desk.journal.peek(TicketKey { ticket, ..TICKET }).expect("it is there").number
}

#[actix_rt::test]
async fn a_workspace_that_nobody_watches_rests_and_a_watched_one_does_not() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let long = Duration::from_secs(600);
    assert_eq!(next_number(&desk, 1).await, 1);
    assert_eq!(next_number(&desk, 2).await, 2);
    pass(&desk, long).await;
    // It had drawn one more than it gave out.
    assert_eq!(next_number(&desk, 3).await, 4, "it rested");
    let socket = watching(&desk, ana()).await;
    assert_eq!(next_number(&desk, 4).await, 5);
    pass(&desk, long).await;
    assert_eq!(next_number(&desk, 5).await, 6, "somebody watches");
    assert_eq!(next_number(&desk, 6).await, 7);
    socket.detach();
    pass(&desk, long).await;
    assert_eq!(next_number(&desk, 7).await, 11, "it rested again, with three numbers in hand");
    let again = watching(&desk, bo()).await;
    assert_eq!(counters(heard(&again)), ["9 open, 9 unassigned, 0 mine"]);
}
