//! What may go wrong: panics, lost fences, unknown outcomes, a journal that is away. Nothing is lost, nobody waits for ever.

use actors::faults;
use hub_core::wire::{ErrorCode, Topic};

use crate::desk::{Desk, LONG, OTHER, TICKET, ana, bo, code, note, public};

const TOPIC: Topic = Topic::Ticket(TICKET.ticket);

#[actix_rt::test]
async fn a_panic_costs_one_ticket_a_moment_and_nobody_an_event() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (watcher, neighbour) = (desk.socket(ana()), desk.socket(bo()));
    watcher.subscribe(1, TOPIC, None);
    neighbour.subscribe(1, Topic::Ticket(OTHER.ticket), None);
    desk.settle().await;
    desk.journal.appends.close();
    let spawn = |n: u128| {
        let tickets = desk.tickets.clone();
        actix_rt::spawn(async move { tickets.submit(TICKET, note(ana(), n)).await })
    };
    let (under_way, waiting) = (spawn(1), spawn(2));
    desk.settle().await;
    faults::panic_at_next_command_here(TICKET.ticket);
    let poison = spawn(3);
    desk.settle().await;
    for answered in [under_way, waiting, poison] {
        assert!(answered.is_finished(), "answered at once");
        assert_eq!(code(answered.await.expect("not cancelled")), Err(ErrorCode::Unavailable));
    }
    desk.journal.appends.open();
    // The one under way was written all the same: the same key gets its answer.
    assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 1)).await), Ok(2));
    assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 2)).await), Ok(3));
    assert_eq!(code(desk.tickets.submit(OTHER, note(bo(), 9)).await), Ok(2));
    desk.settle().await;
    let words = watcher.read_words();
    let events: Vec<_> = words.iter().filter(|w| w.starts_with('+') || w.contains('=')).cloned().collect();
    // Told of 2 by the resynchronisation or as an event, and of 3; each once.
    let told = events.join(" ").replace("- =2@2", "+2").replace("- =@1", "").replace("- =@2", "");
    assert_eq!(told.split_whitespace().collect::<Vec<_>>(), ["+2", "+3"], "{words:?}");
    assert_eq!(neighbour.read_words(), ["1 R1", "+2"]);
}

#[actix_rt::test]
async fn who_loses_against_another_owner_reads_decides_again_and_misses_nothing() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let watcher = desk.socket(ana());
    watcher.subscribe(1, TOPIC, None);
    desk.settle().await;
    desk.write_elsewhere(&note(bo(), 100)).await;
    desk.write_elsewhere(&public(bo(), 101, 1)).await;
    // A note goes on top; a reply that had not seen the other one is refused.
    assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 1)).await), Ok(4));
    assert_eq!(code(desk.reply(ana(), 2, 1).await), Err(ErrorCode::Stale));
    desk.settle().await;
    assert_eq!(watcher.read_words(), ["1 R1", "+2", "+3", "+4"]);
}

#[actix_rt::test]
async fn a_key_that_another_owner_saw_first_gets_that_answer() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.write_elsewhere(&public(ana(), 1, 1)).await;
    desk.write_elsewhere(&note(bo(), 2)).await;
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Ok(2));
    assert_eq!(desk.journal.peek(TICKET).expect("there").seq, 3);
}

#[actix_rt::test]
async fn an_unknown_outcome_is_told_as_unknown_and_settled_by_the_same_key() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let watcher = desk.socket(bo());
    watcher.subscribe(1, TOPIC, None);
    desk.settle().await;
    desk.journal.lose_next_answer();
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Err(ErrorCode::Unavailable));
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Ok(2));
    desk.journal.fail_next_append();
    assert_eq!(code(desk.reply(ana(), 2, 2).await), Err(ErrorCode::Unavailable));
    assert_eq!(code(desk.reply(ana(), 2, 2).await), Ok(3));
    desk.settle().await;
    assert_eq!(watcher.read_words(), ["1 R1", "+2", "+3"]);
}

#[actix_rt::test]
async fn a_full_journal_is_busy_and_a_row_that_somebody_holds_is_tried_again() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.journal.fill_next_append();
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Err(ErrorCode::Busy));
    for _ in 0..5 {
        desk.journal.refuse_next_append();
    }
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Ok(2));
    for _ in 0..50 {
        desk.journal.refuse_next_append();
    }
    // For ever is not an answer: after so many losses it is refused, and nothing happened.
    assert_eq!(code(desk.reply(ana(), 2, 2).await), Err(ErrorCode::Busy));
}

#[actix_rt::test]
async fn while_the_journal_is_away_commands_are_answered_and_watchers_keep_their_place() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let watcher = desk.socket(bo());
    watcher.subscribe(1, TOPIC, None);
    desk.settle().await;
    desk.journal.fail_next_append();
    desk.journal.fail_next_reads(12);
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Err(ErrorCode::Unavailable));
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Err(ErrorCode::Unavailable));
    tokio::time::sleep(LONG).await;
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Ok(2));
    desk.settle().await;
    assert_eq!(watcher.read_words(), ["1 R1", "+2"]);
}

#[actix_rt::test]
async fn a_ticket_that_cannot_be_read_is_tried_anew_by_the_next_who_comes() {
    tokio::time::pause();
    let desk = Desk::open().await;
    tokio::time::sleep(LONG).await;
    desk.journal.fail_next_reads(1);
    let early = desk.socket(ana());
    early.subscribe(1, TOPIC, None);
    desk.settle().await;
    assert_eq!(early.read_words(), ["err 1 Unavailable"]);
    assert_eq!(code(desk.reply(ana(), 1, 1).await), Ok(2));
}

#[actix_rt::test]
async fn a_ticket_that_keeps_dying_rests_and_its_neighbours_work_on() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for n in 0..3 {
        faults::panic_at_next_command_here(TICKET.ticket);
        assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), n)).await), Err(ErrorCode::Unavailable));
    }
    let refused = desk.tickets.submit(TICKET, note(ana(), 10)).await.expect_err("it rests");
    assert_eq!(refused.code, ErrorCode::Busy);
    assert!(refused.retry_after_ms.is_some_and(|ms| ms > 50_000 && ms <= 60_000), "{refused:?}");
    assert_eq!(code(desk.tickets.submit(OTHER, note(bo(), 11)).await), Ok(2));
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 10)).await), Ok(2));
}

#[actix_rt::test]
async fn a_subscribe_that_a_panic_caught_is_answered_and_the_topic_lives_on() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for n in 0..3 {
        desk.tickets.submit(TICKET, note(ana(), n)).await.expect("a note");
    }
    let socket = desk.socket(ana());
    desk.journal.reads.close();
    socket.subscribe(1, TOPIC, Some((1, hub_core::ports::Journal::stream(&desk.journal))));
    desk.settle().await;
    faults::panic_at_next_command_here(TICKET.ticket);
    assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 9)).await), Err(ErrorCode::Unavailable));
    desk.journal.reads.open();
    desk.settle().await;
    assert_eq!(socket.read_words(), ["err 1 Busy"]);
    socket.subscribe(2, TOPIC, None);
    socket.unsubscribe(3, TOPIC);
    socket.subscribe(4, TOPIC, None);
    desk.settle().await;
    assert_eq!(socket.read_words(), ["2 R4", "ack 3", "4 R4"]);
    desk.tickets.submit(TICKET, note(bo(), 10)).await.expect("a note");
    desk.settle().await;
    assert_eq!(socket.read_words(), ["+5"]);
}

#[actix_rt::test]
async fn after_a_panic_the_ticket_still_sleeps_when_its_watchers_have_gone() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = desk.socket(ana());
    for id in 1..=5 {
        socket.subscribe(id, TOPIC, None);
    }
    desk.settle().await;
    faults::panic_at_next_command_here(TICKET.ticket);
    desk.tickets.submit(TICKET, note(ana(), 1)).await.expect_err("it panics");
    desk.settle().await;
    socket.detach();
    desk.settle().await;
    tokio::time::sleep(LONG).await;
    // What another node writes shows only when the ticket is read anew.
    desk.write_elsewhere(&note(bo(), 2)).await;
    let fresh = desk.socket(ana());
    fresh.subscribe(1, TOPIC, None);
    desk.settle().await;
    assert_eq!(fresh.read_words(), ["1 R2"]);
}

#[actix_rt::test]
async fn a_position_that_another_owner_made_is_believed_when_the_log_agrees() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.tickets.submit(TICKET, note(ana(), 1)).await.expect("a note");
    desk.write_elsewhere(&public(bo(), 2, 2)).await;
    assert_eq!(code(desk.reply(ana(), 3, 3).await), Ok(4));
    assert_eq!(code(desk.reply(ana(), 4, 99).await), Err(ErrorCode::Invalid));
}

#[actix_rt::test]
async fn a_fan_out_that_panics_over_an_event_costs_those_who_watch_it_their_connection_and_nobody_an_event() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (first, second, neighbour) = (desk.socket(ana()), desk.socket(bo()), desk.socket(bo()));
    first.subscribe(1, TOPIC, None);
    second.subscribe(1, TOPIC, None);
    neighbour.subscribe(1, Topic::Ticket(OTHER.ticket), None);
    desk.settle().await;
    for socket in [&first, &second, &neighbour] {
        assert_eq!(socket.read_words(), ["1 R1"]);
    }
    faults::panic_at_next_here(faults::Point::Event, TICKET.ticket);
    assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 1)).await), Ok(2));
    desk.settle().await;
    // One was told and one was not; which of them is no longer known, so both come back.
    let told = [first.read_words(), second.read_words()];
    assert!(told == [vec!["+2".to_owned()], vec![]] || told == [vec![], vec!["+2".to_owned()]], "{told:?}");
    assert!(first.was_cut() && second.was_cut() && !neighbour.was_cut());
    let stream = hub_core::ports::Journal::stream(&desk.journal);
    let (told, untold) = (desk.socket(ana()), desk.socket(bo()));
    told.subscribe(1, TOPIC, Some((2, stream)));
    untold.subscribe(1, TOPIC, Some((1, stream)));
    desk.settle().await;
    assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), 2)).await), Ok(3));
    assert_eq!(code(desk.tickets.submit(OTHER, note(bo(), 3)).await), Ok(2));
    desk.settle().await;
    assert_eq!(told.read_words(), ["1 =@2", "+3"]);
    assert_eq!(untold.read_words(), ["1 =2@2", "+3"]);
    assert_eq!(neighbour.read_words(), ["+2"]);
    // What the cut ones ask is nobody's business any longer, and nothing more is sent to them.
    first.subscribe(9, TOPIC, None);
    desk.settle().await;
    assert!(first.read_words().is_empty() && second.read_words().is_empty());
}

#[actix_rt::test]
async fn a_fan_out_that_panics_over_one_request_costs_one_connection() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (poison, other) = (desk.socket(ana()), desk.socket(bo()));
    poison.subscribe(1, Topic::Ticket(OTHER.ticket), None);
    other.subscribe(1, TOPIC, None);
    desk.settle().await;
    faults::panic_at_next_here(faults::Point::Subscribe, TICKET.ticket);
    poison.subscribe(2, TOPIC, None);
    desk.settle().await;
    assert!(poison.was_cut() && !other.was_cut());
    desk.tickets.submit(TICKET, note(bo(), 1)).await.expect("a note");
    desk.settle().await;
    assert_eq!(other.read_words(), ["1 R1", "+2"]);
    // Its place was given back to the ticket it watched, which may sleep.
    poison.read();
    tokio::time::sleep(LONG).await;
    desk.write_elsewhere_to(OTHER, &note(bo(), 2)).await;
    let fresh = desk.socket(ana());
    fresh.subscribe(1, Topic::Ticket(OTHER.ticket), None);
    desk.settle().await;
    assert_eq!(fresh.read_words(), ["1 R2"]);
}

#[actix_rt::test]
async fn a_shard_that_panics_over_a_ticket_lives_on_and_the_ticket_begins_anew() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (watcher, neighbour) = (desk.socket(ana()), desk.socket(bo()));
    watcher.subscribe(1, TOPIC, None);
    neighbour.subscribe(1, Topic::Ticket(OTHER.ticket), None);
    desk.settle().await;
    desk.journal.appends.close();
    let spawn = |n: u128| {
        let tickets = desk.tickets.clone();
        actix_rt::spawn(async move { tickets.submit(TICKET, note(ana(), n)).await })
    };
    let (under_way, waiting) = (spawn(1), spawn(2));
    desk.settle().await;
    faults::panic_at_next_here(faults::Point::Shard, TICKET.ticket);
    let poison = spawn(3);
    desk.settle().await;
    for answered in [under_way, waiting, poison] {
        assert!(answered.is_finished(), "answered at once");
        assert_eq!(code(answered.await.expect("not cancelled")), Err(ErrorCode::Unavailable));
    }
    desk.journal.appends.open();
    for (n, seq) in [(1, 2), (2, 3), (3, 4)] {
        assert_eq!(code(desk.tickets.submit(TICKET, note(ana(), n)).await), Ok(seq), "each key once");
    }
    assert_eq!(code(desk.tickets.submit(OTHER, note(bo(), 9)).await), Ok(2));
    desk.settle().await;
    let told: String = watcher.read_words().join(" ").replace("- =2@2", "+2").replace("- =@1", "");
    assert_eq!(told.split_whitespace().skip(2).collect::<Vec<_>>(), ["+2", "+3", "+4"], "{told}");
    assert_eq!(neighbour.read_words(), ["1 R1", "+2"]);
    assert!(!watcher.was_cut() && !neighbour.was_cut());
}

#[actix_rt::test]
async fn a_subscribe_that_a_panicking_shard_dropped_is_answered_and_a_ticket_that_keeps_killing_it_rests() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let socket = desk.socket(ana());
    for id in 1..=3 {
        faults::panic_at_next_here(faults::Point::Shard, TICKET.ticket);
        socket.subscribe(id, TOPIC, None);
        desk.settle().await;
    }
    assert_eq!(socket.read_words(), ["err 1 Busy", "err 2 Busy", "err 3 Busy"]);
    let refused = desk.tickets.submit(TICKET, note(ana(), 10)).await.expect_err("it rests");
    assert!(refused.code == ErrorCode::Busy && refused.retry_after_ms.is_some_and(|ms| ms > 50_000), "{refused:?}");
    assert_eq!(code(desk.tickets.submit(OTHER, note(bo(), 11)).await), Ok(2));
}
