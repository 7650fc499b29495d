//! Soft claims, live: answering takes one, working keeps it, going away gives it up, and whatever happens there is one holder at
//! most at any point of the log.

use std::time::Duration;

use actors::DraftSave;
use actors::fanout::ConnectionId;
use hub_core::ids::{CommandKey, UserId};
use hub_core::ports::{EventRange, From, Journal};
use hub_core::rules::claim::{GRACE, LEASE};
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::rules::presence::Doing;
use hub_core::rules::stale::Numbering;
use hub_core::testing::asker;
use hub_core::time::UnixMs;
use hub_core::wire::{ActorKind, Audience, Claim, ErrorCode, Event, Problem, ServerFrame, Signal, Topic};

use crate::desk::{Desk, OTHER, Socket, TICKET, ana, bo, cleo, command_key, note, public};

const TOPIC: Topic = Topic::Ticket(TICKET.ticket);

fn say(socket: &Socket, doing: Doing) {
    drop(socket.set_presence(TICKET.ticket, doing));
}

/// Composes for so long, as a page that says so every few seconds.
async fn compose(desk: &Desk, socket: &Socket, span: Duration) {
    let mut left = span;
    while !left.is_zero() {
        say(socket, Doing::ComposingReply);
        let step = Duration::from_secs(5).min(left);
        desk.pass(step).await;
        left -= step;
    }
}

fn claim_intent(by: Asker, number: u128, step: Step) -> Intent {
    Intent { key: command_key(number), by, steps: vec![step] }
}

/// What the log says about claims: `took 7`, `took 9 from 7`, `gave up 7`, `ran out 7`; checked as it is read.
async fn log(desk: &Desk) -> Vec<String> {
    let range = EventRange { numbering: Numbering::Ticket, from: From::After(0), limit: 500 };
    let events = desk.journal.events(TICKET, range).await.expect("memory");
    let mut holder: Option<UserId> = None;
    let mut words = Vec::new();
    for happened in &events {
        let short = |id: UserId| id.uuid().as_u128().to_string();
        match &happened.event {
            Event::ClaimTaken { by, from, .. } => {
                assert_eq!(from.as_ref().map(|from| from.id), holder, "{words:?}");
                holder = Some(by.id);
                let from = from.as_ref().map_or(String::new(), |from| format!(" from {}", short(from.id)));
                words.push(format!("took {}{from}", short(by.id)));
            }
            Event::ClaimReleased { by } => {
                assert_eq!(holder.take(), Some(by.id), "{words:?}");
                words.push(format!("gave up {}", short(by.id)));
            }
            Event::ClaimExpired { by } => {
                assert_eq!((holder.take(), happened.by.kind), (Some(by.id), ActorKind::System), "{words:?}");
                words.push(format!("ran out {}", short(by.id)));
            }
            _ => {}
        }
    }
    words
}

/// The claim as a newcomer is told of it.
async fn live_claim(desk: &Desk) -> Option<Claim> {
    let socket = desk.socket(asker(hub_core::rules::permissions::Role::Viewer, 70));
    socket.subscribe(1, TOPIC, None);
    desk.settle().await;
    let frames = socket.read();
    let [ServerFrame::Subscribed { live, .. }] = frames.as_slice() else { panic!("{frames:?}") };
    socket.detach();
    desk.settle().await;
    live.claim.clone()
}

fn now(desk: &Desk) -> UnixMs {
    hub_core::ports::Clock::now(desk.clock.as_ref())
}

fn renewals(frames: &[ServerFrame]) -> Vec<Option<UnixMs>> {
    let signals = frames.iter().filter_map(|frame| match frame {
        ServerFrame::Signal { signal: Signal::Claim { until, .. }, .. } => Some(*until),
        _ => None,
    });
    signals.collect()
}

#[actix_rt::test]
async fn who_begins_to_answer_takes_the_claim_and_nothing_else_does() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (first, second, customer) = (desk.watching(ana()).await, desk.watching(bo()).await, desk.watching(cleo()).await);
    say(&customer, Doing::ComposingReply);
    say(&first, Doing::Viewing);
    say(&first, Doing::ComposingNote);
    desk.pass(Duration::from_millis(200)).await;
    assert!(log(&desk).await.is_empty());
    say(&first, Doing::ComposingReply);
    say(&first, Doing::ComposingReply);
    say(&second, Doing::ComposingReply);
    desk.pass(Duration::from_secs(2)).await;
    assert_eq!(log(&desk).await, ["took 7"]);
    let claim = live_claim(&desk).await.expect("somebody has it");
    assert_eq!(claim.by.id, ana().user);
    // The customer's numbers show nothing of it.
    assert!(customer.read().iter().all(|frame| matches!(frame, ServerFrame::Signal { .. })));
    let refused = desk.reply(bo(), 1, 2).await.expect_err("somebody else answers");
    assert_eq!((refused.code, &refused.detail["until"]), (ErrorCode::Claimed, &claim.until.to_string().into()));
    // Sending gives it up, and whoever still types takes it.
    desk.reply(ana(), 2, 2).await.expect("the holder may");
    assert_eq!(log(&desk).await, ["took 7", "gave up 7"]);
    say(&second, Doing::ComposingReply);
    desk.pass(Duration::from_millis(100)).await;
    assert_eq!(log(&desk).await, ["took 7", "gave up 7", "took 9"]);
}

#[actix_rt::test]
async fn working_keeps_the_claim_and_renewals_are_told_now_and_then() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (holder, watcher) = (desk.watching(ana()).await, desk.watching(bo()).await);
    say(&holder, Doing::ComposingReply);
    desk.settle().await;
    watcher.read();
    // Every second for two leases.
    let (mut told, mut last) = (0, None);
    for _ in 0..LEASE.as_secs() * 2 {
        say(&holder, Doing::ComposingReply);
        desk.pass(Duration::from_secs(1)).await;
        let renewals = renewals(&watcher.read());
        told += renewals.len();
        last = renewals.last().copied().flatten().or(last);
    }
    assert!((30..=37).contains(&told), "one in five seconds: {told}");
    let until = live_claim(&desk).await.expect("still held").until;
    assert!(last.is_some_and(|last| until - last <= Duration::from_secs(5)), "{last:?} {until}");
    assert!(until > now(&desk) + (LEASE - Duration::from_secs(2)));
    // Any command of the holder counts.
    desk.pass(Duration::from_secs(60)).await;
    desk.tickets.submit(TICKET, note(ana(), 50)).await.expect("a note");
    desk.pass(Duration::from_secs(60)).await;
    // So does what is being written.
    let (by, save) = (ana(), DraftSave { revision: 0, body: "Dear Cleo".into(), based_on: 3 });
    let tickets = desk.tickets.clone();
    let saved =
        actix_rt::spawn(async move { tickets.save_draft(TICKET, by, Audience::Public, save, ConnectionId::next()).await });
    desk.pass(Duration::from_secs(60)).await;
    saved.await.expect("joins").expect("stored");
    assert_eq!(log(&desk).await, ["took 7"]);
    watcher.read();
    desk.pass(Duration::from_secs(31)).await;
    assert_eq!(log(&desk).await, ["took 7", "ran out 7"], "nothing was done for a lease");
    assert_eq!(renewals(&watcher.read()).last(), Some(&None), "and colleagues know");
    assert_eq!(live_claim(&desk).await, None);
}

#[actix_rt::test]
async fn going_away_gives_the_claim_up_after_a_moment_and_coming_back_in_time_keeps_it() {
    tokio::time::pause();
    let desk = Desk::open().await;
    for (number, breaks) in [false, true].into_iter().enumerate() {
        let (tab, other) = (desk.watching(ana()).await, desk.watching(ana()).await);
        let go = |socket: &Socket| if breaks { socket.breaks() } else { socket.detach() };
        say(&other, Doing::Viewing);
        say(&tab, Doing::ComposingReply);
        desk.pass(Duration::from_secs(1)).await;
        go(&tab);
        desk.pass(GRACE * 2).await;
        assert_eq!(log(&desk).await.len(), number * 2 + 1, "the other tab is still here");
        go(&other);
        desk.pass(GRACE - Duration::from_secs(1)).await;
        let back = desk.watching(ana()).await;
        say(&back, Doing::Viewing);
        desk.pass(GRACE * 2).await;
        assert_eq!(log(&desk).await.len(), number * 2 + 1, "back in time");
        go(&back);
        desk.pass(GRACE - Duration::from_millis(100)).await;
        assert_eq!(log(&desk).await.len(), number * 2 + 1);
        desk.pass(Duration::from_millis(200)).await;
        assert_eq!(log(&desk).await[number * 2..], ["took 7", "gave up 7"]);
    }
}

#[actix_rt::test]
async fn who_gives_the_claim_up_by_hand_does_not_get_it_back_by_typing_on() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let holder = desk.watching(ana()).await;
    compose(&desk, &holder, Duration::from_secs(20)).await;
    desk.tickets.submit(TICKET, claim_intent(ana(), 1, Step::ReleaseClaim { force: false })).await.expect("the holder's own");
    compose(&desk, &holder, Duration::from_secs(20)).await;
    assert_eq!(log(&desk).await, ["took 7", "gave up 7"]);
    say(&holder, Doing::Viewing);
    compose(&desk, &holder, Duration::from_secs(1)).await;
    assert_eq!(log(&desk).await, ["took 7", "gave up 7", "took 7"], "that is another answer");
}

#[actix_rt::test]
async fn a_worker_that_stumbles_costs_nobody_the_claim() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let holder = desk.watching(ana()).await;
    say(&holder, Doing::ComposingReply);
    desk.pass(Duration::from_secs(1)).await;
    actors::faults::panic_at_next_here(actors::faults::Point::Subscribe, OTHER.ticket);
    holder.subscribe(5, Topic::Ticket(OTHER.ticket), None);
    desk.settle().await;
    assert!(holder.was_cut());
    desk.pass(GRACE * 3).await;
    assert_eq!(log(&desk).await, ["took 7"], "it was the hub's doing");
}

#[actix_rt::test]
async fn whom_the_hub_sends_away_keeps_the_claim_for_its_time() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let (holder, watcher) = (desk.watching(ana()).await, desk.watching(bo()).await);
    say(&holder, Doing::ComposingReply);
    desk.pass(Duration::from_secs(1)).await;
    watcher.read();
    holder.is_sent_away();
    desk.pass(LEASE - Duration::from_secs(2)).await;
    assert_eq!(log(&desk).await, ["took 7"], "perhaps it works elsewhere");
    desk.pass(Duration::from_secs(2)).await;
    assert_eq!(log(&desk).await, ["took 7", "ran out 7"]);
}

#[actix_rt::test]
async fn a_ticket_does_not_sleep_on_a_claim_and_nobody_need_be_there_for_it_to_end() {
    tokio::time::pause();
    let desk = Desk::with(|settings| settings.passivate_after = Duration::from_secs(1));
    desk.create_both().await;
    desk.tickets.submit(TICKET, claim_intent(ana(), 1, Step::TakeClaim { force: false })).await.expect("free");
    desk.pass(LEASE - Duration::from_secs(1)).await;
    assert_eq!(log(&desk).await, ["took 7"]);
    desk.pass(Duration::from_secs(2)).await;
    assert_eq!(log(&desk).await, ["took 7", "ran out 7"]);
}

#[actix_rt::test]
async fn after_a_crash_a_claim_is_honoured_for_a_lease_and_no_longer_and_its_holder_keeps_it_by_coming_back() {
    tokio::time::pause();
    // Taken with a hub that is gone, and renewed there perhaps: by the log its time was over long ago.
    let after = Desk::after(|before| async move {
        before.tickets.submit(TICKET, claim_intent(ana(), 1, Step::TakeClaim { force: false })).await.expect("free");
        before.clock.advance(LEASE * 2);
    });
    let began = now(&after);
    assert_eq!(live_claim(&after).await.map(|claim| claim.until), Some(began + LEASE));
    after.pass(LEASE / 2).await;
    let back = after.watching(ana()).await;
    compose(&after, &back, Duration::from_secs(10)).await;
    after.pass(LEASE - Duration::from_secs(20)).await;
    assert_eq!(log(&after).await, ["took 7"], "it is at work again");
    after.pass(Duration::from_secs(20)).await;
    assert_eq!(log(&after).await, ["took 7", "ran out 7"]);
}

#[actix_rt::test]
async fn a_ticket_that_panics_keeps_the_claim_of_whoever_is_there() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let holder = desk.watching(ana()).await;
    compose(&desk, &holder, LEASE * 2).await;
    actors::faults::panic_at_next_command_here(TICKET.ticket);
    desk.tickets.submit(TICKET, note(bo(), 1)).await.expect_err("it panicked");
    desk.pass(GRACE * 2).await;
    assert_eq!(log(&desk).await, ["took 7"]);
    assert!(live_claim(&desk).await.is_some_and(|claim| claim.until > now(&desk) + (LEASE - Duration::from_secs(20))));
    holder.detach();
    desk.pass(GRACE + Duration::from_secs(1)).await;
    assert_eq!(log(&desk).await, ["took 7", "gave up 7"]);
}

#[actix_rt::test]
async fn two_hubs_that_end_the_same_claim_end_it_once() {
    tokio::time::pause();
    let one = Desk::open().await;
    let two = one.another();
    one.tickets.submit(TICKET, claim_intent(ana(), 1, Step::TakeClaim { force: false })).await.expect("free");
    let (_here, there) = (one.watching(bo()).await, two.watching(bo()).await);
    assert!(live_claim(&two).await.is_some());
    one.pass(LEASE + Duration::from_secs(5)).await;
    assert_eq!(log(&one).await, ["took 7", "ran out 7"]);
    assert_eq!((live_claim(&one).await, live_claim(&two).await), (None, None));
    assert!(there.read().iter().any(|frame| matches!(frame, ServerFrame::Event { event: Event::ClaimExpired { .. }, .. })));
}

#[actix_rt::test]
async fn a_claim_ends_although_somebody_used_the_key_of_its_end() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.tickets.submit(TICKET, claim_intent(ana(), 1, Step::TakeClaim { force: false })).await.expect("free");
    let since = desk.journal.peek(TICKET).expect("a ticket").claim.expect("taken").since;
    let key = CommandKey::derived(TICKET.ticket, "claim expired", since);
    desk.tickets.submit(TICKET, Intent { key, ..claim_intent(bo(), 2, Step::Watch { on: true }) }).await.expect("follows");
    desk.pass_coarsely(LEASE + Duration::from_secs(5)).await;
    assert_eq!(log(&desk).await, ["took 7", "ran out 7"]);
}

#[actix_rt::test]
async fn while_the_journal_is_away_a_claim_waits_for_its_end() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let _watcher = desk.watching(bo()).await;
    desk.tickets.submit(TICKET, claim_intent(ana(), 1, Step::TakeClaim { force: false })).await.expect("free");
    desk.journal.appends.close();
    desk.pass(LEASE + Duration::from_secs(30)).await;
    assert_eq!(log(&desk).await, ["took 7"]);
    desk.journal.appends.open();
    desk.pass(Duration::from_secs(5)).await;
    assert_eq!(log(&desk).await, ["took 7", "ran out 7"]);
}

/// Whatever people do, in whatever order, with crashes in between: `log` finds one holder at most all along.
#[actix_rt::test]
async fn whatever_happens_there_is_one_holder_at_most() {
    tokio::time::pause();
    for seed in 0..5_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let desk = Desk::open().await;
        let mut hubs = vec![desk.another()];
        let mut sockets: Vec<Socket> = Vec::new();
        let (mut number, mut panics) = (10, 0);
        for _ in 0..80 {
            number += 1;
            let by = [ana(), bo()][dice.below(2)].clone();
            let hub = dice.below(hubs.len());
            match dice.below(10) {
                0 => {
                    // Perhaps in vain: a ticket that keeps dying rests.
                    let socket = hubs[hub].socket(by);
                    socket.subscribe(1, TOPIC, None);
                    sockets.push(socket);
                }
                1 | 2 if !sockets.is_empty() => say(&sockets[dice.below(sockets.len())], Doing::ComposingReply),
                3 if !sockets.is_empty() => sockets.swap_remove(dice.below(sockets.len())).breaks(),
                4 if !sockets.is_empty() => sockets.swap_remove(dice.below(sockets.len())).detach(),
                5 => drop(intent(&hubs[hub], claim_intent(by, number, Step::TakeClaim { force: dice.below(2) == 0 })).await),
                6 => drop(intent(&hubs[hub], claim_intent(by, number, Step::ReleaseClaim { force: dice.below(4) == 0 })).await),
                7 => {
                    let head = desk.journal.peek(TICKET).map_or(0, |state| state.seq);
                    drop(intent(&hubs[hub], public(by, number, head)).await);
                }
                // Not so often that the ticket has to rest.
                8 if panics < 2 => {
                    panics += 1;
                    actors::faults::panic_at_next_command_here(TICKET.ticket);
                    drop(intent(&hubs[hub], note(by, number)).await);
                }
                9 if hubs.len() < 3 => hubs.push(desk.another()),
                _ => {}
            }
            let pause = [0, 50, 1_000, 6_000, 20_000][dice.below(5)];
            desk.pass_coarsely(Duration::from_millis(pause)).await;
        }
        let told = log(&desk).await;
        assert!(told.len() > 3, "seed {seed}: something happened: {told:?}");
    }
}

async fn intent(desk: &Desk, intent: Intent) -> Result<actors::Receipt, Problem> {
    desk.tickets.submit(TICKET, intent).await
}

/// A small generator (xorshift), so that a seed tells the whole story.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
