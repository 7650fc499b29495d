//! What people write and have not sent: stored within a second, on every device, and never lost, whatever happens to the ticket, to
//! the database or between two tabs of one person.

use std::time::Duration;

use actors::DraftSave;
use actors::fanout::ConnectionId;
use hub_core::ids::UserId;
use hub_core::ports::Drafts;
use hub_core::rules::drafts::{DraftKey, DraftText, Kept};
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::rules::permissions::Role;
use hub_core::testing::asker;
use hub_core::time::UnixMs;
use hub_core::wire::{Audience, Draft, ErrorCode, Event, Problem, ServerFrame, Signal, Topic};
use tokio::task::JoinHandle;

use crate::desk::{Desk, Socket, TICKET, ana, bo, cleo, code, note, public};

const TOPIC: Topic = Topic::Ticket(TICKET.ticket);
const SECOND: Duration = Duration::from_secs(1);

/// One tab of a person.
struct Tab {
    by: Asker,
    origin: ConnectionId,
}

impl Tab {
    fn of(by: Asker) -> Self {
        Self { by, origin: ConnectionId::next() }
    }

    /// Begins to save a public draft.
    fn saves(&self, desk: &Desk, revision: u64, body: &str) -> JoinHandle<Result<Kept, Problem>> {
        self.saves_for(desk, Audience::Public, revision, body)
    }

    fn saves_for(&self, desk: &Desk, audience: Audience, revision: u64, body: &str) -> JoinHandle<Result<Kept, Problem>> {
        let (tickets, by, origin) = (desk.tickets.clone(), self.by.clone(), self.origin);
        let save = DraftSave { revision, body: body.into(), based_on: 1 };
        actix_rt::spawn(async move { tickets.save_draft(TICKET, by, audience, save, origin).await })
    }

    async fn discards(&self, desk: &Desk) -> Result<u64, ErrorCode> {
        revision(desk.tickets.discard_draft(TICKET, self.by.clone(), Audience::Public, None, self.origin).await)
    }
}

fn revision(answer: Result<Kept, Problem>) -> Result<u64, ErrorCode> {
    answer.map(|kept| kept.revision).map_err(|problem| problem.code)
}

async fn done(saving: JoinHandle<Result<Kept, Problem>>) -> Result<u64, ErrorCode> {
    revision(saving.await.expect("not cancelled"))
}

/// The draft that a `stale` carries: its revision and body, or nothing.
async fn theirs(saving: JoinHandle<Result<Kept, Problem>>) -> Option<(u64, String)> {
    let problem = saving.await.expect("not cancelled").expect_err("somebody was quicker");
    assert_eq!(problem.code, ErrorCode::Stale);
    let draft = problem.detail.get("draft").expect("told").clone();
    let draft: Option<Draft> = serde_json::from_value(draft).expect("a draft or null");
    draft.map(|draft| (draft.revision, draft.body))
}

const fn key(user: UserId, audience: Audience) -> DraftKey {
    DraftKey { user, audience }
}

impl Desk {
    /// What is stored of a person's public draft.
    fn stored(&self, by: &Asker) -> (u64, Option<String>) {
        let kept = self.journal.peek_draft(TICKET, key(by.user, Audience::Public));
        kept.map_or((0, None), |kept| (kept.revision, kept.text.map(|text| text.body)))
    }

    async fn listening(&self, by: Asker, topic: Topic) -> Socket {
        let socket = self.socket(by);
        socket.subscribe(1, topic, None);
        self.settle().await;
        socket
    }

    async fn let_pass(&self, span: Duration) {
        self.settle().await;
        tokio::time::advance(span).await;
        self.settle().await;
    }
}

/// Own drafts in the answer to `subscribe`.
fn told_drafts(frames: &[ServerFrame]) -> Vec<(Audience, u64, String)> {
    let drafts = frames.iter().find_map(|frame| match frame {
        ServerFrame::Subscribed { live, .. } => Some(&live.drafts),
        _ => None,
    });
    drafts.expect("subscribed").iter().map(|draft| (draft.audience, draft.revision, draft.body.clone())).collect()
}

fn signals(frames: &[ServerFrame]) -> Vec<Signal> {
    let signal = |frame: &ServerFrame| match frame {
        ServerFrame::Signal { signal, .. } => Some(signal.clone()),
        _ => None,
    };
    frames.iter().filter_map(signal).collect()
}

/// Of `draft_changed`: revision and body, or nothing.
fn changes(frames: &[ServerFrame]) -> Vec<Option<(u64, String)>> {
    let change = |signal| match signal {
        Signal::DraftChanged { draft, .. } => Some(draft.map(|draft: Draft| (draft.revision, draft.body))),
        _ => None,
    };
    signals(frames).into_iter().filter_map(change).collect()
}

/// Of `draft`: whose, and whether there is one.
fn hints(frames: &[ServerFrame]) -> Vec<(String, Audience, bool)> {
    let hint = |signal| match signal {
        Signal::Draft { by, audience, since } => Some((by.name, audience, since.is_some())),
        _ => None,
    };
    signals(frames).into_iter().filter_map(hint).collect()
}

fn some(revision: u64, body: &str) -> Option<(u64, String)> {
    Some((revision, body.to_owned()))
}

#[actix_rt::test]
async fn a_draft_is_stored_at_most_once_a_second_and_acked_when_it_is() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    assert_eq!(done(tab.saves(&desk, 0, "H")).await, Ok(1));
    assert_eq!(desk.stored(&ana()), (1, Some("H".into())));
    // Three more within the second, none of which has seen the ack of the one before.
    let saves = [tab.saves(&desk, 1, "He"), tab.saves(&desk, 0, "Hel"), tab.saves(&desk, 1, "Hell")];
    desk.let_pass(SECOND - Duration::from_millis(10)).await;
    assert!(saves.iter().all(|save| !save.is_finished()), "nothing is acked that is not stored");
    assert_eq!(desk.stored(&ana()), (1, Some("H".into())));
    desk.let_pass(Duration::from_millis(20)).await;
    assert_eq!(desk.stored(&ana()), (2, Some("Hell".into())), "one store for all of them");
    for save in saves {
        assert!(save.is_finished());
        assert_eq!(done(save).await, Ok(2));
    }
    // Another audience is another draft, and does not wait.
    assert_eq!(done(tab.saves_for(&desk, Audience::Internal, 0, "psst")).await, Ok(1));
}

#[actix_rt::test]
async fn of_two_tabs_the_slower_one_is_shown_what_the_other_wrote() {
    tokio::time::pause();
    let (desk, one, two) = (Desk::open().await, Tab::of(ana()), Tab::of(ana()));
    assert_eq!(done(one.saves(&desk, 0, "one")).await, Ok(1));
    let (first, second, third) =
        (one.saves(&desk, 1, "one, longer"), two.saves(&desk, 1, "two"), one.saves(&desk, 1, "one, longest"));
    desk.let_pass(SECOND).await;
    assert_eq!(done(first).await, Ok(2));
    assert_eq!(theirs(second).await, some(2, "one, longer"));
    desk.let_pass(SECOND).await;
    assert_eq!(done(third).await, Ok(3), "it follows its own");
    assert_eq!(done(two.saves(&desk, 3, "both")).await, Ok(4));
    desk.let_pass(SECOND).await;
    assert_eq!(theirs(one.saves(&desk, 3, "late")).await, some(4, "both"), "nobody's text is written over unseen");
    assert_eq!(two.discards(&desk).await, Ok(5));
    assert_eq!(theirs(one.saves(&desk, 4, "late")).await, None, "it was thrown away");
    desk.let_pass(SECOND).await;
    assert_eq!(done(one.saves(&desk, 0, "anew")).await, Ok(6));
}

#[actix_rt::test]
async fn a_draft_is_there_on_another_device_and_nobody_elses_is() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    done(tab.saves(&desk, 0, "Dear Cleo")).await.expect("stored");
    done(tab.saves_for(&desk, Audience::Internal, 0, "psst")).await.expect("stored");
    done(Tab::of(cleo()).saves(&desk, 0, "Still waiting")).await.expect("stored");
    let mine = [(Audience::Public, 1, "Dear Cleo".to_owned()), (Audience::Internal, 1, "psst".to_owned())];
    assert_eq!(told_drafts(&desk.listening(ana(), TOPIC).await.read()), mine);
    assert_eq!(told_drafts(&desk.listening(bo(), TOPIC).await.read()), []);
    let hers = desk.listening(cleo(), Topic::Thread(TICKET.ticket)).await;
    assert_eq!(told_drafts(&hers.read()), [(Audience::Public, 1, "Still waiting".to_owned())]);
    let listed = desk.tickets.drafts(TICKET, ana()).await.expect("mine");
    assert_eq!(listed.iter().map(|draft| draft.body.as_str()).collect::<Vec<_>>(), ["Dear Cleo", "psst"]);
    assert_eq!(listed[0].authors.iter().map(|author| author.id).collect::<Vec<_>>(), [ana().user]);
}

#[actix_rt::test]
async fn other_devices_see_it_whole_colleagues_that_there_is_one_and_nobody_a_customers() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    let (device, colleague, his) =
        (desk.listening(ana(), Topic::Me).await, desk.listening(bo(), TOPIC).await, desk.listening(bo(), Topic::Me).await);
    let thread = desk.listening(cleo(), Topic::Thread(TICKET.ticket)).await;
    for socket in [&device, &colleague, &his, &thread] {
        socket.read();
    }
    done(tab.saves(&desk, 0, "secret words")).await.expect("stored");
    desk.let_pass(SECOND).await;
    done(tab.saves(&desk, 1, "secret words, more")).await.expect("stored");
    done(Tab::of(cleo()).saves(&desk, 0, "hers")).await.expect("stored");
    desk.settle().await;
    // The latest takes the place of the one before.
    assert_eq!(changes(&device.read()), [some(2, "secret words, more")]);
    let seen = colleague.read();
    assert_eq!(hints(&seen), [("agent 7".to_owned(), Audience::Public, true)]);
    assert!(!serde_json::to_string(&seen).expect("JSON").contains("secret"), "{seen:?}");
    assert_eq!((his.read_words(), thread.read_words()), (vec![], vec![]));

    assert_eq!(tab.discards(&desk).await, Ok(3), "whoever throws away does not wait");
    desk.settle().await;
    assert_eq!(changes(&device.read()), [None]);
    assert_eq!(hints(&colleague.read()), [("agent 7".to_owned(), Audience::Public, false)]);
}

#[actix_rt::test]
async fn a_sent_reply_spends_its_draft_and_a_refused_one_keeps_it() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    let device = desk.listening(ana(), Topic::Me).await;
    let colleague = desk.listening(bo(), TOPIC).await;
    done(tab.saves(&desk, 0, "Dear Cleo")).await.expect("stored");
    desk.reply(bo(), 1, 1).await.expect("nothing came in between");
    assert_eq!(code(desk.reply(ana(), 2, 1).await), Err(ErrorCode::Stale));
    assert_eq!(desk.stored(&ana()), (1, Some("Dear Cleo".into())));
    desk.settle().await;
    device.read();
    colleague.read();

    let late = tab.saves(&desk, 1, "Dear Cleo, typed while it was sent");
    desk.settle().await;
    assert_eq!(code(desk.reply(ana(), 3, 2).await), Ok(3));
    assert_eq!(desk.stored(&ana()), (2, None));
    assert_eq!(theirs(late).await, None, "what was not stored is still with whoever wrote it");
    desk.settle().await;
    assert_eq!(changes(&device.read()), [None]);
    assert_eq!(hints(&colleague.read()), [("agent 7".to_owned(), Audience::Public, false)]);
    desk.let_pass(SECOND * 3).await;
    assert_eq!(desk.stored(&ana()), (2, None), "nothing comes after it");
    // A note is another draft's.
    done(tab.saves(&desk, 0, "the next one")).await.expect("stored");
    assert!(desk.tickets.submit(TICKET, note(ana(), 4)).await.is_ok());
    assert_eq!(desk.stored(&ana()), (3, Some("the next one".into())));
}

#[actix_rt::test]
async fn a_reply_waits_for_what_its_sender_is_saving_and_nobody_elses_does() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    desk.journal.drafts.close();
    let saving = tab.saves(&desk, 0, "Dear Cleo");
    desk.settle().await;
    let submit = |by: Asker, n| {
        let tickets = desk.tickets.clone();
        actix_rt::spawn(async move { tickets.submit(TICKET, public(by, n, 1)).await })
    };
    assert!(desk.tickets.submit(TICKET, note(bo(), 1)).await.is_ok());
    let hers = submit(ana(), 2);
    desk.settle().await;
    assert!(!hers.is_finished());
    desk.journal.drafts.open();
    assert_eq!(done(saving).await, Ok(1));
    assert_eq!(code(hers.await.expect("not cancelled")), Ok(3));
    assert_eq!(desk.stored(&ana()), (2, None), "saved before it was sent, so it was spent");
    // The other way round: what is saved while a reply is written waits, and begins anew.
    desk.journal.appends.close();
    let hers = submit(ana(), 3);
    desk.settle().await;
    let next = tab.saves(&desk, 0, "the next one");
    desk.let_pass(SECOND).await;
    assert!(!next.is_finished());
    desk.journal.appends.open();
    assert_eq!(code(hers.await.expect("not cancelled")), Ok(4));
    assert_eq!(theirs(next).await, None, "it was written before the other was sent");
}

#[actix_rt::test]
async fn while_the_database_is_away_nothing_is_acked_and_nothing_is_lost() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    let device = desk.listening(ana(), Topic::Me).await;
    desk.journal.fail_next_draft();
    assert_eq!(done(tab.saves(&desk, 0, "Dear Cleo")).await, Err(ErrorCode::Unavailable));
    assert_eq!(desk.stored(&ana()), (0, None));
    desk.let_pass(SECOND).await;
    assert_eq!(done(tab.saves(&desk, 0, "Dear Cleo")).await, Ok(1), "the same again");
    desk.let_pass(SECOND).await;
    desk.journal.lose_next_draft_answer();
    assert_eq!(done(tab.saves(&desk, 1, "Dear Cleo, more")).await, Err(ErrorCode::Unavailable));
    desk.let_pass(SECOND).await;
    assert_eq!(done(Tab::of(ana()).saves(&desk, 1, "Dear Cleo, more")).await, Ok(2), "it had been stored: one save");
    assert_eq!(desk.stored(&ana()), (2, Some("Dear Cleo, more".into())));
    assert_eq!(changes(&device.read()).last(), Some(&some(2, "Dear Cleo, more")));

    // Drafts that cannot be read are not told as none.
    let watcher = desk.socket(bo());
    desk.let_pass(Duration::from_secs(200)).await;
    desk.journal.reads.close();
    watcher.subscribe(1, TOPIC, None);
    desk.settle().await;
    assert_eq!(watcher.read_words(), [""; 0]);
    desk.journal.fail_next_reads(2);
    desk.journal.reads.open();
    desk.let_pass(SECOND).await;
    assert_eq!(watcher.read_words(), ["err 1 Unavailable"]);
    watcher.subscribe(2, TOPIC, None);
    desk.let_pass(SECOND).await;
    assert_eq!(watcher.read_words(), ["2 R1"]);
}

#[actix_rt::test]
async fn another_owners_draft_is_found_in_its_place_and_not_written_over() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    let device = desk.listening(ana(), Topic::Me).await;
    done(tab.saves(&desk, 0, "here")).await.expect("stored");
    let authors = vec![hub_core::wire::PersonRef { id: ana().user, name: "agent 7".into() }];
    let text = DraftText { body: "there".into(), based_on: 1, authors };
    let elsewhere = Kept { key: key(ana().user, Audience::Public), revision: 2, updated_at: UnixMs(9), text: Some(text) };
    assert_eq!(desk.journal.save(TICKET, vec![elsewhere]).await.expect("memory").len(), 1);
    let late = tab.saves(&desk, 1, "here, more");
    desk.let_pass(SECOND).await;
    assert_eq!(theirs(late).await, some(2, "there"));
    desk.settle().await;
    assert_eq!(changes(&device.read()).last(), Some(&some(2, "there")));
    desk.let_pass(SECOND).await;
    assert_eq!(done(tab.saves(&desk, 2, "both")).await, Ok(3));
}

#[actix_rt::test]
async fn who_may_not_write_has_no_drafts() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let viewer = asker(Role::Viewer, 70);
    assert_eq!(done(Tab::of(viewer.clone()).saves(&desk, 0, "no")).await, Err(ErrorCode::Forbidden));
    assert_eq!(desk.tickets.drafts(TICKET, viewer).await.map_err(|problem| problem.code), Err(ErrorCode::Forbidden));
    let internal = Tab::of(cleo()).saves_for(&desk, Audience::Internal, 0, "no");
    assert_eq!(done(internal).await, Err(ErrorCode::Forbidden));
    let stranger = asker(Role::Customer, 80);
    assert_eq!(done(Tab::of(stranger).saves(&desk, 0, "no")).await, Err(ErrorCode::NotFound));
    let root = asker(Role::PlatformAdmin, 90);
    assert_eq!(done(Tab::of(root).saves(&desk, 0, "no")).await, Err(ErrorCode::NotFound));
    assert_eq!(Tab::of(ana()).discards(&desk).await, Ok(0), "there is none: it is so already");
}

#[actix_rt::test]
async fn a_ticket_that_panics_loses_no_stored_draft_and_leaves_nobody_waiting() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    let colleague = desk.listening(bo(), TOPIC).await;
    done(tab.saves(&desk, 0, "stored")).await.expect("stored");
    let waiting = tab.saves(&desk, 1, "stored, and more");
    desk.settle().await;
    actors::faults::panic_at_next_command_here(TICKET.ticket);
    assert_eq!(code(desk.tickets.submit(TICKET, note(bo(), 1)).await), Err(ErrorCode::Unavailable));
    desk.settle().await;
    assert!(waiting.is_finished());
    assert_eq!(done(waiting).await, Err(ErrorCode::Unavailable));
    assert_eq!(done(tab.saves(&desk, 1, "stored, and more")).await, Ok(2));
    assert_eq!(colleague.read_words().iter().filter(|word| word.starts_with("err")).count(), 0);
}

#[actix_rt::test]
async fn a_ticket_with_a_draft_rests_when_nobody_needs_it_and_the_draft_is_there_again() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    done(tab.saves(&desk, 0, "stored")).await.expect("stored");
    desk.let_pass(Duration::from_secs(500)).await;
    assert_eq!(told_drafts(&desk.listening(ana(), TOPIC).await.read()), [(Audience::Public, 1, "stored".to_owned())]);
    let stale = theirs(Tab::of(ana()).saves(&desk, 0, "another")).await;
    assert_eq!(stale, some(1, "stored"));
}

fn does(by: Asker, number: u128, step: Step) -> Intent {
    Intent { key: hub_core::testing::key(number), by, steps: vec![step] }
}

fn holds(by: Asker, number: u128, body: &str) -> Intent {
    let (audience, based_on) = (Audience::Public, Some(1));
    let (force, mentions, then_status) = (true, vec![], None);
    does(by, number, Step::HoldReply { body: body.into(), audience, based_on, force, mentions, then_status, hold_ms: 20_000 })
}

fn hands_over(by: Asker, number: u128, to: &Asker) -> Intent {
    let step = Step::HandOver { to_id: Some(to.user), to_team_id: None, note: "Yours now".into(), with_draft: true };
    does(by, number, step)
}

impl Desk {
    async fn sees_done(&self, intent: Intent) {
        self.tickets.submit(TICKET, intent).await.expect("allowed");
        self.settle().await;
    }
}

#[actix_rt::test]
async fn a_reply_that_is_taken_back_is_a_draft_again_behind_what_was_written_since() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    let (device, colleague) = (desk.listening(ana(), Topic::Me).await, desk.listening(bo(), TOPIC).await);
    done(tab.saves(&desk, 0, "first")).await.expect("stored");
    desk.sees_done(holds(ana(), 1, "first")).await;
    assert_eq!(desk.stored(&ana()), (2, None), "what is held back is no draft");
    desk.let_pass(SECOND).await;
    done(tab.saves(&desk, 0, "second")).await.expect("stored");
    device.read();
    colleague.read();
    let held_key = hub_core::testing::key(1);
    desk.sees_done(does(ana(), 2, Step::CancelHeld { held_key })).await;
    assert_eq!(desk.stored(&ana()), (4, Some("second\n\nfirst".into())));
    assert_eq!(changes(&device.read()), [some(4, "second\n\nfirst")]);
    assert_eq!(theirs(tab.saves(&desk, 3, "second, on")).await, some(4, "second\n\nfirst"), "the tab sees what came back");

    // With an empty desk, and before anybody needed the drafts, whoever is there is told as well.
    desk.sees_done(holds(bo(), 3, "his")).await;
    let his = desk.listening(bo(), Topic::Me).await;
    his.read();
    desk.sees_done(does(bo(), 4, Step::CancelHeld { held_key: hub_core::testing::key(3) })).await;
    assert_eq!(changes(&his.read()), [some(1, "his")]);
}

#[actix_rt::test]
async fn a_held_reply_that_goes_out_leaves_what_its_author_writes_by_then() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    desk.sees_done(holds(ana(), 1, "first")).await;
    done(tab.saves(&desk, 0, "the next one")).await.expect("stored");
    desk.clock.advance(Duration::from_secs(21));
    desk.sees_done(does(ana(), 2, Step::ReleaseHeld { held_key: hub_core::testing::key(1) })).await;
    let posted = desk.journal.peek_events(TICKET).pop().expect("released");
    assert!(matches!(&posted.event, Event::ReplyPosted { body, .. } if body == "first"), "{posted:?}");
    assert_eq!(desk.stored(&ana()), (1, Some("the next one".into())));
}

#[actix_rt::test]
async fn a_draft_goes_along_with_a_handover_to_whoever_acknowledges_it_and_says_who_wrote_it() {
    tokio::time::pause();
    let (desk, hers, his) = (Desk::open().await, Tab::of(ana()), Tab::of(bo()));
    done(hers.saves(&desk, 0, "Dear Cleo")).await.expect("stored");
    // The newest words are not stored yet: they go along all the same.
    let newest = hers.saves(&desk, 1, "Dear Cleo, it");
    desk.settle().await;
    assert!(!newest.is_finished());
    desk.sees_done(hands_over(ana(), 1, &bo())).await;
    assert_eq!(done(newest).await, Ok(2), "stored before it was handed over");
    assert_eq!(desk.stored(&ana()), (3, None));

    let device = desk.listening(bo(), Topic::Me).await;
    device.read();
    desk.sees_done(does(bo(), 2, Step::AcknowledgeHandoff)).await;
    assert_eq!(desk.stored(&bo()), (1, Some("Dear Cleo, it".into())));
    assert_eq!(changes(&device.read()), [some(1, "Dear Cleo, it")]);
    done(his.saves(&desk, 1, "Dear Cleo, it works")).await.expect("stored");
    let head = desk.journal.peek(TICKET).expect("a ticket").seq;
    desk.reply(bo(), 3, head).await.expect("nothing came in between");
    let posted = desk.journal.peek_events(TICKET).pop().expect("posted");
    let Event::ReplyPosted { draft_authors, .. } = &posted.event else { panic!("{posted:?}") };
    assert_eq!(draft_authors.iter().map(|author| author.id).collect::<Vec<_>>(), [ana().user, bo().user]);
    assert_eq!(posted.by.id, Some(bo().user), "begun by one, gone on with and sent by the other");
    assert_eq!(desk.stored(&bo()).1, None);
}

#[actix_rt::test]
async fn a_handover_whose_draft_cannot_be_read_does_not_happen() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    done(tab.saves(&desk, 0, "Dear Cleo")).await.expect("stored");
    // The ticket rests, and is awake again without its drafts.
    desk.let_pass(Duration::from_secs(500)).await;
    desk.tickets.submit(TICKET, note(bo(), 1)).await.expect("awake");
    desk.journal.fail_next_reads(1);
    assert_eq!(code(desk.tickets.submit(TICKET, hands_over(ana(), 2, &bo())).await), Err(ErrorCode::Busy));
    assert_eq!(desk.stored(&ana()), (1, Some("Dear Cleo".into())));
    desk.sees_done(hands_over(ana(), 2, &bo())).await;
    let handoff = desk.journal.peek(TICKET).expect("a ticket").handoff.expect("pinned");
    assert_eq!(handoff.draft.expect("it goes along").body, "Dear Cleo");
}

#[actix_rt::test]
async fn a_handover_behind_a_reply_has_nothing_saved_over_what_the_reply_spends() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    done(tab.saves(&desk, 0, "Dear Cleo")).await.expect("stored");
    let submit = |intent: Intent| {
        let tickets = desk.tickets.clone();
        actix_rt::spawn(async move { code(tickets.submit(TICKET, intent).await) })
    };
    desk.journal.appends.close();
    let first = submit(note(bo(), 1));
    desk.settle().await;
    let newest = tab.saves(&desk, 1, "Dear Cleo, it");
    let (reply, handover) = (submit(public(ana(), 2, 1)), submit(hands_over(ana(), 3, &bo())));
    desk.settle().await;
    desk.journal.appends.open();
    for (command, seq) in [(first, 2), (reply, 3), (handover, 4)] {
        assert_eq!(command.await.expect("not cancelled"), Ok(seq));
    }
    assert_eq!(theirs(newest).await, None, "it was written before the reply was sent, and is not acked and gone");
    assert_eq!(desk.stored(&ana()), (2, None));
}

#[actix_rt::test]
async fn a_reply_names_those_who_wrote_its_draft_also_where_nobody_looked_at_the_ticket() {
    tokio::time::pause();
    let (desk, hers) = (Desk::open().await, Tab::of(ana()));
    done(hers.saves(&desk, 0, "Dear Cleo")).await.expect("stored");
    desk.sees_done(hands_over(ana(), 1, &bo())).await;
    desk.sees_done(does(bo(), 2, Step::AcknowledgeHandoff)).await;
    desk.let_pass(Duration::from_secs(500)).await;
    let head = desk.journal.peek(TICKET).expect("a ticket").seq;
    desk.reply(bo(), 3, head).await.expect("nothing came in between");
    let posted = desk.journal.peek_events(TICKET).pop().expect("posted");
    let Event::ReplyPosted { draft_authors, .. } = &posted.event else { panic!("{posted:?}") };
    assert_eq!(draft_authors.iter().map(|author| author.id).collect::<Vec<_>>(), [ana().user]);
}

#[actix_rt::test]
async fn a_text_that_came_back_is_told_although_it_could_not_be_read_at_once() {
    tokio::time::pause();
    let (desk, hers) = (Desk::open().await, Tab::of(ana()));
    done(hers.saves(&desk, 0, "Dear Cleo")).await.expect("stored");
    desk.sees_done(hands_over(ana(), 1, &bo())).await;
    desk.let_pass(Duration::from_secs(500)).await;
    let device = desk.listening(bo(), Topic::Me).await;
    device.read();
    // Awake again, without its drafts.
    desk.sees_done(note(bo(), 2)).await;
    desk.journal.fail_next_reads(1);
    desk.sees_done(does(bo(), 3, Step::AcknowledgeHandoff)).await;
    assert_eq!(changes(&device.read()), []);
    desk.let_pass(SECOND + Duration::from_millis(10)).await;
    assert_eq!(changes(&device.read()), [some(1, "Dear Cleo")]);
}

#[actix_rt::test]
async fn a_draft_that_fits_into_no_message_is_not_told_in_one() {
    tokio::time::pause();
    let (desk, tab) = (Desk::open().await, Tab::of(ana()));
    let device = desk.listening(ana(), Topic::Me).await;
    done(tab.saves(&desk, 0, "short")).await.expect("stored");
    device.read();
    let text = DraftText { body: "x".repeat(300 * 1024), based_on: 1, authors: vec![ana().person()] };
    let long = Kept { key: key(ana().user, Audience::Public), revision: 2, updated_at: UnixMs(2_000), text: Some(text) };
    desk.journal.save(TICKET, vec![long]).await.expect("memory");
    desk.let_pass(SECOND).await;
    let slower = tab.saves(&desk, 1, "shorter");
    desk.let_pass(SECOND).await;
    assert!(slower.is_finished());
    assert_eq!(changes(&device.read()).len(), 0);
    assert_eq!(desk.tickets.drafts(TICKET, ana()).await.expect("hers")[0].body.len(), 300 * 1024, "it is read by REST");
}

#[actix_rt::test]
async fn what_waits_behind_a_handover_whose_draft_cannot_be_read_goes_on() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.sees_done(note(bo(), 1)).await;
    let submit = |intent: Intent| {
        let tickets = desk.tickets.clone();
        actix_rt::spawn(async move { code(tickets.submit(TICKET, intent).await) })
    };
    desk.journal.reads.close();
    let (handover, behind) = (submit(hands_over(ana(), 2, &bo())), submit(note(bo(), 3)));
    desk.settle().await;
    desk.journal.fail_next_reads(1);
    desk.journal.reads.open();
    assert_eq!(handover.await.expect("not cancelled"), Err(ErrorCode::Busy));
    desk.settle().await;
    assert!(behind.is_finished(), "nothing else comes that would wake it");
    assert_eq!(behind.await.expect("not cancelled"), Ok(3));
}
