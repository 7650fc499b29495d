//! Commands: one append in flight, what waits is decided together, one effect per key.

use hub_core::rules::intent::{Intent, Step};
use hub_core::rules::permissions::Role;
use hub_core::testing::{asker, workspace_facts};
use hub_core::wire::{Audience, ErrorCode, Patch, Priority, Source};

use crate::desk::{Desk, LONG, TICKET, ana, bo, cleo, code, note, public};

#[actix_rt::test]
async fn what_comes_while_an_append_is_under_way_is_written_together() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let before = desk.journal.committed();
    desk.journal.appends.close();
    let commands: Vec<_> = (0..10)
        .map(|n| {
            actix_rt::spawn({
                let tickets = desk.tickets.clone();
                async move { tickets.submit(TICKET, note(ana(), n)).await }
            })
        })
        .collect();
    desk.settle().await;
    assert_eq!(desk.journal.appends.waiting(), 1);
    desk.journal.appends.open();
    let mut seqs = Vec::new();
    for command in commands {
        seqs.push(command.await.expect("not cancelled").expect("a note").seq);
    }
    assert_eq!(seqs, (2..=11).collect::<Vec<_>>());
    assert_eq!(desk.journal.committed() - before, 2);
}

#[actix_rt::test]
async fn of_two_who_reply_at_once_one_is_told_what_came_in_between() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (first, second) = tokio::join!(desk.reply(ana(), 1, 1), desk.reply(bo(), 2, 1));
    assert_eq!(code(first), Ok(2));
    let problem = second.expect_err("blind");
    assert_eq!(problem.code, ErrorCode::Stale);
    let events = problem.detail["events"].as_array().expect("the missed events");
    assert_eq!(events.iter().map(|e| e["seq"].as_u64()).collect::<Vec<_>>(), [Some(2)]);
    assert_eq!(events[0]["event"]["body"], "reply 1");
    // The refused key was not spent.
    assert_eq!(code(desk.reply(bo(), 2, 2).await), Ok(3));
}

#[actix_rt::test]
async fn missed_events_come_from_the_log_where_memory_does_not_reach() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for n in 0..5 {
        desk.reply(ana(), n, n as u64 + 1).await.expect("not stale");
    }
    // Nobody watches, so nothing is remembered.
    let problem = desk.reply(bo(), 99, 3).await.expect_err("blind");
    let seqs: Vec<_> = problem.detail["events"].as_array().expect("events").iter().map(|e| e["seq"].as_u64()).collect();
    assert_eq!(seqs, [Some(4), Some(5), Some(6)]);
}

#[actix_rt::test]
async fn a_key_has_one_effect_however_often_and_whenever_it_comes() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let first = desk.reply(ana(), 1, 1).await.expect("not stale");
    assert_eq!(desk.reply(ana(), 1, 1).await, Ok(first));
    desk.reply(bo(), 2, 2).await.expect("not stale");
    // Stale by now, and long forgotten: still the same answer.
    for n in 100..200 {
        desk.tickets.submit(TICKET, note(bo(), n)).await.expect("a note");
    }
    assert_eq!(desk.reply(ana(), 1, 1).await, Ok(first));
    tokio::time::sleep(LONG).await;
    assert_eq!(desk.reply(ana(), 1, 1).await, Ok(first));
    assert_eq!(code(desk.reply(ana(), 1, 2).await), Err(ErrorCode::Invalid));
    assert_eq!(code(desk.reply(bo(), 1, 1).await), Err(ErrorCode::Invalid));
    assert_eq!(desk.journal.peek(TICKET).expect("there").seq, 103);
    let twice = tokio::join!(desk.tickets.submit(TICKET, note(ana(), 7)), desk.tickets.submit(TICKET, note(ana(), 7)));
    assert_eq!(twice.0, twice.1);
}

#[actix_rt::test]
async fn a_repeated_creation_finds_the_same_ticket() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let new = || actors::NewTicket {
        title: "Door".into(),
        description: "Does not open.".into(),
        source: Source::Web,
        priority: Priority::P3,
    };
    let key = crate::desk::command_key(5);
    let create = || desk.tickets.create(TICKET.workspace, cleo(), key, new());
    let (one, two) = tokio::join!(create(), create());
    assert_eq!(one.as_ref().expect("made"), two.as_ref().expect("the same"));
    assert_eq!(create().await, one);
    let other = actors::NewTicket { title: "Window".into(), ..new() };
    let refused = desk.tickets.create(TICKET.workspace, cleo(), key, other).await.expect_err("another intent");
    assert_eq!(refused.code, ErrorCode::Invalid);
    let viewer = asker(Role::Viewer, 10);
    let refused = desk.tickets.create(TICKET.workspace, viewer, key, new()).await.expect_err("reads only");
    assert_eq!(refused.code, ErrorCode::Forbidden);
}

#[actix_rt::test]
async fn a_ticket_takes_so_many_commands_and_refuses_the_rest_at_once() {
    tokio::time::pause();
    let desk = Desk::with(|settings| settings.waiting_per_ticket = 3);
    desk.create_both().await;
    desk.journal.appends.close();
    let commands: Vec<_> = (0..10)
        .map(|n| {
            actix_rt::spawn({
                let tickets = desk.tickets.clone();
                async move { tickets.submit(TICKET, note(ana(), n)).await }
            })
        })
        .collect();
    desk.settle().await;
    desk.journal.appends.open();
    let mut codes = Vec::new();
    for command in commands {
        codes.push(code(command.await.expect("not cancelled")));
    }
    // One under way, three waiting, six refused: nothing of them happened.
    assert_eq!(codes.iter().filter(|c| c.is_ok()).count(), 4);
    assert_eq!(codes.iter().filter(|c| **c == Err(ErrorCode::Busy)).count(), 6);
    assert_eq!(desk.journal.peek(TICKET).expect("there").seq, 5);
}

#[actix_rt::test]
async fn a_node_takes_so_many_commands_and_refuses_the_rest_at_once() {
    tokio::time::pause();
    let desk = Desk::with(|settings| settings.commands_in_flight = 2);
    desk.create_both().await;
    desk.journal.appends.close();
    let (a, b) = (desk.tickets.submit(TICKET, note(ana(), 1)), desk.tickets.submit(TICKET, note(ana(), 2)));
    let open = async {
        desk.settle().await;
        assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 3)).await), Err(ErrorCode::Busy));
        desk.journal.appends.open();
    };
    let (a, b, ()) = tokio::join!(a, b, open);
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 3)).await), Ok(4));
}

#[actix_rt::test]
async fn a_command_runs_to_its_end_when_nobody_waits_for_it() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.journal.appends.close();
    let waiting = actix_rt::spawn({
        let tickets = desk.tickets.clone();
        async move { tickets.submit(TICKET, public(ana(), 1, 1)).await }
    });
    desk.settle().await;
    waiting.abort();
    desk.journal.appends.open();
    desk.settle().await;
    assert_eq!(desk.journal.peek(TICKET).expect("there").seq, 2);
}

#[actix_rt::test]
async fn foreign_and_missing_tickets_answer_alike() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let stranger = asker(Role::Customer, 77);
    let missing = hub_core::testing::ticket_key(1, 999);
    let reply = || hub_core::testing::reply(crate::desk::command_key(1), stranger.clone(), "x", Audience::Public, None);
    let foreign = desk.tickets.submit(TICKET, reply()).await.expect_err("not hers");
    let missing = desk.tickets.submit(missing, reply()).await.expect_err("not there");
    assert_eq!(foreign, missing);
}

#[actix_rt::test]
async fn somebody_who_joined_a_moment_ago_can_be_given_a_ticket() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let newcomer = asker(Role::Agent, 20);
    let give = |n| Intent {
        key: crate::desk::command_key(n),
        by: ana(),
        steps: vec![Step::Assign { assignee_id: Patch::Set(newcomer.user), team_id: Patch::Keep }],
    };
    assert_eq!(code(desk.tickets.submit(TICKET, give(1)).await), Err(ErrorCode::Invalid));
    desk.workspaces.set(workspace_facts(TICKET.workspace, &[ana(), bo(), newcomer.clone()]));
    tokio::time::sleep(actors::Settings::default().facts_for).await;
    assert_eq!(code(desk.tickets.submit(TICKET, give(2)).await), Ok(2));
}
