//! What concerns somebody reaches every socket of that person: at once, in order, once, whoever wrote it and whatever fails.

use std::time::Duration;

use hub_core::ids::TicketKey;
use hub_core::ports::Journal;
use hub_core::ports::Mark;
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::wire::{Audience, ErrorCode, Event, Patch, Reason, ServerFrame, Signal, Topic};

use crate::desk::{Desk, LONG, OTHER, Socket, TICKET, ana, bo, cleo, command_key};

fn give_to(whom: &Asker, key: u128) -> Intent {
    let steps = vec![Step::Assign { assignee_id: Patch::Set(whom.user), team_id: Patch::Keep }];
    Intent { key: command_key(key), by: ana(), steps }
}

fn says(by: Asker, key: u128, body: &str) -> Intent {
    let step = Step::PostReply { body: body.into(), audience: Audience::Public, based_on: None, force: true, mentions: vec![] };
    Intent { key: command_key(key), by, steps: vec![step] }
}

fn calls_for(whom: &Asker, key: u128) -> Intent {
    let mentions = vec![whom.user];
    let step = Step::PostReply { body: "Look!".into(), audience: Audience::Internal, based_on: None, force: false, mentions };
    Intent { key: command_key(key), by: ana(), steps: vec![step] }
}

impl Desk {
    async fn does(&self, ticket: TicketKey, intent: Intent) {
        self.tickets.submit(ticket, intent).await.expect("allowed");
        self.settle().await;
    }

    /// A desk where both tickets are Bo's, told to him as 1 and 2.
    async fn with_bo_at_work() -> Self {
        let desk = Self::open().await;
        desk.does(TICKET, give_to(&bo(), 1)).await;
        desk.does(OTHER, give_to(&bo(), 2)).await;
        desk
    }

    async fn mine(&self, by: Asker) -> Socket {
        let socket = self.socket(by);
        socket.subscribe(1, Topic::Me, None);
        self.settle().await;
        socket
    }
}

fn notified(frames: &[ServerFrame]) -> Vec<(u64, Reason, u64)> {
    let told = frames.iter().filter_map(|frame| match frame {
        ServerFrame::Event { topic: Topic::Me, seq, event: Event::Notified { reason, ticket_seq, .. }, .. } => {
            Some((*seq, *reason, *ticket_seq))
        }
        _ => None,
    });
    told.collect()
}

#[actix_rt::test]
async fn whoever_it_concerns_is_told_at_once_on_every_socket_and_nobody_else() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let (one, two, hers, customers) =
        (desk.mine(bo()).await, desk.mine(bo()).await, desk.mine(ana()).await, desk.mine(cleo()).await);
    for socket in [&one, &two] {
        assert_eq!(socket.read_words(), ["1 R2"]);
    }
    assert_eq!(hers.read_words(), ["1 R0"]);
    assert_eq!(customers.read_words(), ["1 R0"]);
    desk.does(TICKET, says(cleo(), 10, "Still shut.")).await;
    desk.does(OTHER, calls_for(&bo(), 11)).await;
    desk.does(TICKET, says(bo(), 12, "Push it.")).await;
    for socket in [&one, &two] {
        assert_eq!(notified(&socket.read()), [(3, Reason::Replied, 3), (4, Reason::Mentioned, 3)]);
    }
    assert_eq!(hers.read_words(), [""; 0]);
    // The ticket's fourth event is the thread's third: notes and assignments are not even a gap.
    assert_eq!(notified(&customers.read()), [(1, Reason::Replied, 3)]);
}

#[actix_rt::test]
async fn a_position_is_answered_with_exactly_what_came_after_it_or_with_a_reset() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let stream = desk.journal.stream();
    for n in 0..3 {
        desk.does(TICKET, says(cleo(), 20 + n, "Hello?")).await;
    }
    let socket = desk.socket(bo());
    let asks = |id, position| {
        socket.subscribe(id, Topic::Me, position);
        id
    };
    asks(1, Some((2, stream)));
    desk.settle().await;
    asks(2, Some((5, stream)));
    desk.settle().await;
    asks(3, Some((6, stream)));
    desk.settle().await;
    asks(4, Some((0, hub_core::ids::StreamId::new(uuid::Uuid::from_u128(99)))));
    desk.settle().await;
    assert_eq!(socket.read_words(), ["1 =3,4,5@5", "2 =@5", "3 R5", "4 R5"]);
    for n in 0..120 {
        desk.does(OTHER, says(cleo(), 100 + n, "And?")).await;
    }
    asks(5, Some((24, stream)));
    asks(6, Some((25, stream)));
    desk.settle().await;
    let words = socket.read_words();
    assert_eq!(words.iter().filter(|word| word.starts_with('+')).count(), 120);
    assert_eq!(words.iter().find(|word| word.starts_with("5 ")).map(String::as_str), Some("5 R125"));
    assert!(words.iter().any(|word| word.starts_with("6 =26,27,")), "{words:?}");
}

#[actix_rt::test]
async fn what_another_owner_wrote_is_told_as_soon_as_anything_is() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let socket = desk.mine(bo()).await;
    desk.write_elsewhere(&says(cleo(), 30, "Written elsewhere.")).await;
    desk.does(OTHER, says(cleo(), 31, "Written here.")).await;
    assert_eq!(socket.read_words(), ["1 R2", "+3", "+4"]);
}

#[actix_rt::test]
async fn who_comes_sees_what_another_owner_wrote_though_nobody_here_was_told() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let watching = desk.mine(bo()).await;
    desk.write_elsewhere(&says(cleo(), 35, "Written elsewhere.")).await;
    tokio::time::advance(Duration::from_secs(2)).await;
    let coming = desk.mine(bo()).await;
    assert_eq!((watching.read_words(), coming.read_words()), (vec!["1 R2".into(), "+3".into()], vec!["1 R3".into()]));
}

#[actix_rt::test]
async fn a_commit_that_was_not_answered_is_told_all_the_same() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let socket = desk.mine(bo()).await;
    desk.journal.lose_next_answer();
    let lost = desk.tickets.submit(TICKET, says(cleo(), 40, "Are you there?")).await;
    assert_eq!(lost.map_err(|problem| problem.code), Err(ErrorCode::Unavailable));
    tokio::time::advance(LONG).await;
    desk.settle().await;
    assert_eq!(socket.read_words(), ["1 R2", "+3"]);
}

#[actix_rt::test]
async fn what_is_read_on_one_device_is_read_on_all_and_never_unread_again() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let (phone, desktop) = (desk.mine(bo()).await, desk.mine(bo()).await);
    for socket in [&phone, &desktop] {
        socket.read();
    }
    for (seq, stands_at) in [(2, 2), (1, 2)] {
        assert_eq!(desk.tickets.mark_read(TICKET.workspace, &bo(), TICKET.ticket, Mark::UpTo(seq)).await, Ok(stands_at));
        desk.settle().await;
        for socket in [&phone, &desktop] {
            let told = socket.read();
            let [ServerFrame::Signal { topic: Topic::Me, signal: Signal::Read { ticket_id, seq, .. } }] = told.as_slice()
            else {
                panic!("{told:?}")
            };
            assert_eq!((*ticket_id, *seq), (TICKET.ticket, stands_at));
        }
    }
    let later = desk.mine(bo()).await.read();
    let [ServerFrame::Subscribed { live, .. }] = later.as_slice() else { panic!("{later:?}") };
    assert_eq!(live.read.iter().map(|cursor| (cursor.ticket_id, cursor.seq)).collect::<Vec<_>>(), [(TICKET.ticket, 2)]);

    let ahead = desk.tickets.mark_read(TICKET.workspace, &bo(), TICKET.ticket, Mark::UpTo(3)).await;
    assert_eq!(ahead.map_err(|problem| problem.code), Err(ErrorCode::Invalid));
    let stranger = hub_core::testing::asker(hub_core::rules::permissions::Role::Customer, 55);
    let foreign = desk.tickets.mark_read(TICKET.workspace, &stranger, TICKET.ticket, Mark::UpTo(1)).await;
    assert_eq!(foreign.map_err(|problem| problem.code), Err(ErrorCode::NotFound));
}

#[actix_rt::test]
async fn a_database_that_is_away_costs_those_who_come_a_refusal_and_those_who_watch_nothing() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let watching = desk.mine(bo()).await;
    desk.write_elsewhere(&says(cleo(), 50, "Written elsewhere.")).await;
    desk.journal.fail_next_reads(1);
    // Ahead of what is known here: the database is asked, in vain.
    let coming = desk.socket(bo());
    coming.subscribe(1, Topic::Me, Some((3, desk.journal.stream())));
    desk.settle().await;
    assert_eq!(coming.read_words(), ["err 1 Unavailable"]);
    tokio::time::advance(LONG).await;
    desk.settle().await;
    assert_eq!(watching.read_words(), ["1 R2", "+3"]);
    coming.subscribe(2, Topic::Me, Some((3, desk.journal.stream())));
    desk.settle().await;
    assert_eq!(coming.read_words(), ["2 =@3"]);
}

#[actix_rt::test]
async fn what_found_no_room_is_read_as_soon_as_there_is_some() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let socket = desk.mine(bo()).await;
    desk.write_elsewhere(&says(cleo(), 70, "Lost on its way to Bo.")).await;
    desk.tickets.lose_something_for_people();
    desk.does(OTHER, give_to(&ana(), 71)).await;
    assert_eq!(socket.read_words(), ["1 R2", "- =3@3"]);
}

#[actix_rt::test]
async fn who_has_gone_is_forgotten_and_read_again_when_they_come_back() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let socket = desk.mine(bo()).await;
    socket.detach();
    desk.settle().await;
    tokio::time::advance(LONG).await;
    desk.settle().await;
    desk.does(TICKET, says(cleo(), 60, "Anybody?")).await;
    desk.journal.reads.close();
    let back = desk.mine(bo()).await;
    assert_eq!((back.read_words().len(), desk.journal.reads.waiting()), (0, 1), "asks the database");
    desk.journal.reads.open();
    desk.settle().await;
    assert_eq!(back.read_words(), ["1 R3"]);
}

#[actix_rt::test]
async fn what_was_written_while_its_ticket_panicked_is_told_all_the_same() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let socket = desk.mine(bo()).await;
    desk.journal.appends.close();
    let (tickets, reply) = (desk.tickets.clone(), says(cleo(), 80, "Can you hear me?"));
    let under_way = actix_rt::spawn(async move { tickets.submit(TICKET, reply).await });
    desk.settle().await;
    assert_eq!(desk.journal.appends.waiting(), 1);
    actors::faults::panic_at_next_command_here(TICKET.ticket);
    let died = desk.tickets.submit(TICKET, says(cleo(), 81, "And now?")).await;
    assert_eq!(died.map_err(|problem| problem.code), Err(ErrorCode::Unavailable));
    let unknown = under_way.await.expect("ran to its end");
    assert_eq!(unknown.map_err(|problem| problem.code), Err(ErrorCode::Unavailable));
    desk.journal.appends.open();
    desk.settle().await;
    assert_eq!(socket.read_words(), ["1 R2", "+3"]);
}

#[actix_rt::test]
async fn a_commit_in_doubt_of_a_ticket_that_cannot_be_read_is_told_when_the_database_is_back() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let socket = desk.mine(bo()).await;
    desk.journal.lose_next_answer();
    // Of Bo's first reading and of the ticket's, which nobody watches.
    desk.journal.fail_next_reads(2);
    let lost = desk.tickets.submit(TICKET, says(cleo(), 82, "Are you there?")).await;
    assert_eq!(lost.map_err(|problem| problem.code), Err(ErrorCode::Unavailable));
    for _ in 0..20 {
        tokio::time::advance(std::time::Duration::from_millis(20)).await;
        desk.settle().await;
    }
    assert_eq!(socket.read_words(), ["1 R2", "+3"]);
}

#[actix_rt::test]
async fn two_who_are_one_person_and_count_differently_do_not_make_it_read_for_ever() {
    tokio::time::pause();
    let desk = Desk::with_bo_at_work().await;
    let before = Asker { role: hub_core::rules::permissions::Role::Customer, ..bo() };
    let (one, two) = (desk.socket(before), desk.socket(bo()));
    desk.journal.reads.close();
    one.subscribe(1, Topic::Me, None);
    two.subscribe(1, Topic::Me, None);
    desk.settle().await;
    for _ in 0..10 {
        desk.journal.reads.let_one_through();
        desk.settle().await;
    }
    assert_eq!(desk.journal.reads.waiting(), 0, "it is read once");
    assert_eq!((one.read_words(), two.read_words()), (vec!["err 1 Busy".to_owned()], vec!["1 R2".to_owned()]));
}
