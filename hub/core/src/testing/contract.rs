//! The contract of a journal: every sentence here holds for the twin in memory and for Postgres.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::build::{Sample, by_seq};
use crate::ids::TicketKey;
use crate::ids::UserId;
use crate::ports::{
    Append, Appended, Drafts, EventRange, From, Inbox, Journal, KeyRecord, Mark, Marked, Notifications, Notified, Reader,
};
use crate::rules::drafts::{DraftEffect, DraftKey, DraftText, Kept};
use crate::rules::intent::{Intent, Step};
use crate::rules::permissions::Side;
use crate::rules::record::Happened;
use crate::rules::stale::Numbering;
use crate::time::UnixMs;
use crate::wire::{Audience, Event, Patch, PersonRef, ReadCursor, Reason};

/// A journal under test.
pub trait Subject: Sync {
    /// Notifications over the same memory.
    fn notifications(&self) -> &dyn Notifications;
    /// Drafts over the same memory.
    fn drafts(&self) -> &dyn Drafts;
    /// The journal.
    fn journal(&self) -> &dyn Journal;
    /// A ticket that nobody used before, in a workspace that exists.
    fn fresh(&self) -> TicketKey;
    /// Takes away the private parts of one event.
    fn erase(&self, ticket: TicketKey, seq: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A journal with the events 1 (public), 2 (note), 3 (public), 4 (note), 5 (public): the thread is 1, 3, 5.
async fn five_events(subject: &dyn Subject) -> Sample {
    let journal = subject.journal();
    let mut sample = Sample::of(subject.fresh());
    let creation = sample.creation();
    committed(sample.write(journal, creation).await);
    for body in ["two", "three", "four", "five"] {
        let append = if matches!(body, "two" | "four") { sample.note(body) } else { sample.reply(body) };
        committed(sample.write(journal, append).await);
    }
    sample
}

fn committed(answer: Result<Appended, crate::ports::StoreError>) {
    assert!(matches!(answer, Ok(Appended::Committed { .. })), "{answer:?}");
}

fn refused(answer: Result<Appended, crate::ports::StoreError>) {
    assert!(matches!(answer, Ok(Appended::Refused)), "{answer:?}");
}

async fn read(subject: &dyn Subject, ticket: TicketKey, numbering: Numbering, from: From, limit: u32) -> Vec<Happened> {
    subject.journal().events(ticket, EventRange { numbering, from, limit }).await.expect("readable")
}

/// What was appended is loaded and read back, to the last field.
pub async fn what_was_appended_is_read_back_whole(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = Sample::of(subject.fresh());
    assert_eq!(journal.load(sample.ticket).await.expect("answers"), None);
    let mut written = Vec::new();
    let creation = sample.creation();
    written.extend(creation.events.iter().map(|event| event.happened.clone()));
    committed(sample.write(journal, creation).await);
    let reply = sample.reply("Grüße, 世界 🦀 — \"quoted\" \\ and a\ttab\nand a line");
    written.extend(reply.events.iter().map(|event| event.happened.clone()));
    committed(sample.write(journal, reply).await);

    assert_eq!(journal.load(sample.ticket).await.expect("answers"), sample.state);
    assert_eq!(read(subject, sample.ticket, Numbering::Ticket, From::After(0), 100).await, written);
}

/// An intent with several events is written in one piece, and only its first event carries the key.
pub async fn an_intent_of_several_events_is_one_append(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = five_events(subject).await;
    let steps = vec![
        Step::PostReply { body: "done".into(), audience: Audience::Public, based_on: Some(5), force: false, mentions: vec![] },
        Step::ChangeStatus { status: "resolved".into(), based_on: Some(5), note: Some("easy".into()), force: false },
    ];
    let intent = Intent { key: sample.fresh_key(), by: sample.agent.clone(), steps };
    let append = sample.append_of(&intent);
    committed(sample.write(journal, append).await);
    let tail = read(subject, sample.ticket, Numbering::Ticket, From::After(5), 10).await;
    assert_eq!(by_seq(&tail), [6, 7]);
    assert_eq!((tail[0].key, tail[1].key), (Some(intent.key), None));
    assert_eq!(journal.load(sample.ticket).await.expect("answers").map(|state| state.status), Some("resolved".into()));
}

/// Ranges: after, before, limits, in the ticket's numbering.
pub async fn events_are_read_in_the_tickets_numbering(subject: &dyn Subject) {
    let ticket = five_events(subject).await.ticket;
    let cases: [(From, u32, &[u64]); 9] = [
        (From::After(0), 100, &[1, 2, 3, 4, 5]),
        (From::After(0), 2, &[1, 2]),
        (From::After(3), 100, &[4, 5]),
        (From::After(5), 100, &[]),
        (From::After(9_007_199_254_740_991), 100, &[]),
        (From::Before(100), 2, &[4, 5]),
        (From::Before(4), 2, &[2, 3]),
        (From::Before(1), 100, &[]),
        (From::Before(3), 0, &[]),
    ];
    for (from, limit, expected) in cases {
        let found = read(subject, ticket, Numbering::Ticket, from, limit).await;
        assert_eq!(by_seq(&found), expected, "{from:?} limit {limit}");
    }
}

/// The same in the thread's numbering: notes are not even gaps.
pub async fn events_are_read_in_the_threads_numbering(subject: &dyn Subject) {
    let ticket = five_events(subject).await.ticket;
    type Case<'a> = (From, u32, &'a [(u64, u64)]);
    let cases: [Case<'_>; 6] = [
        (From::After(0), 100, &[(1, 1), (2, 3), (3, 5)]),
        (From::After(1), 1, &[(2, 3)]),
        (From::After(3), 100, &[]),
        (From::Before(100), 2, &[(2, 3), (3, 5)]),
        (From::Before(3), 1, &[(2, 3)]),
        (From::Before(1), 100, &[]),
    ];
    for (from, limit, expected) in cases {
        let found = read(subject, ticket, Numbering::Thread, from, limit).await;
        let numbers: Vec<_> = found.iter().map(|happened| (happened.thread_seq.unwrap_or(0), happened.seq)).collect();
        assert_eq!(numbers, expected, "{from:?} limit {limit}");
    }
}

/// Who thinks the ticket ends elsewhere is refused, and nothing was written.
pub async fn a_writer_at_another_head_is_refused(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = Sample::of(subject.fresh());
    let creation = sample.creation();
    committed(sample.write(journal, creation).await);
    let at_one = sample.reply("written at 1");
    let too_late = sample.reply("also written at 1");
    committed(sample.write(journal, at_one).await);
    let head = sample.state.clone();

    refused(journal.append(too_late.clone()).await);
    let ahead = Append { expected_seq: 7, ..too_late };
    refused(journal.append(renumbered(ahead, 7)).await);
    assert_eq!(journal.load(sample.ticket).await.expect("answers"), head);
    assert_eq!(by_seq(&read(subject, sample.ticket, Numbering::Ticket, From::After(0), 100).await), [1, 2]);
}

/// The append as its writer would have made it, had the ticket ended at `head`.
fn renumbered(mut append: Append, head: u64) -> Append {
    for (at, event) in append.events.iter_mut().enumerate() {
        event.happened.seq = head + 1 + at as u64;
        event.happened.thread_seq = None;
        append.state.seq = event.happened.seq;
    }
    append
}

/// A key has one effect, for ever; the repeat is refused whatever it says, and the effect can be looked up.
pub async fn a_key_is_used_once(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = five_events(subject).await;
    let key = sample.fresh_key();
    let intent = super::build::reply(key, sample.agent.clone(), "once", Audience::Public, Some(5));
    let append = sample.append_of(&intent);
    let used = append.events[0].key.expect("the first event carries the key");
    committed(sample.write(journal, append).await);

    let found = journal.find_key(sample.ticket, key).await.expect("answers");
    assert_eq!(found, Some(KeyRecord { used, seq: 6, thread_seq: Some(4), missed: false }));
    assert_eq!(journal.find_key(sample.ticket, super::build::key(0xABCD)).await.expect("answers"), None);
    assert_eq!(journal.find_key(subject.fresh(), key).await.expect("answers"), None);

    let again = super::build::reply(key, sample.customer.clone(), "twice", Audience::Public, None);
    let again = sample.append_of(&again);
    refused(journal.append(again).await);
    assert_eq!(journal.load(sample.ticket).await.expect("answers"), sample.state);
}

/// The same key on another ticket is another key.
pub async fn keys_belong_to_their_ticket(subject: &dyn Subject) {
    for _ in 0..2 {
        let mut sample = Sample::of(subject.fresh());
        let creation = sample.creation();
        assert_eq!(creation.events[0].key.map(|used| used.key), Some(super::build::key(1)));
        committed(sample.write(subject.journal(), creation).await);
    }
}

/// A note's key has no place in the thread; what its writer had missed is remembered with it.
pub async fn a_key_remembers_what_its_writer_missed(subject: &dyn Subject) {
    let mut sample = five_events(subject).await;
    let key = sample.fresh_key();
    let other = super::build::asker(crate::rules::permissions::Role::Agent, 9);
    let note = super::build::reply(key, other, "did not see it", Audience::Internal, Some(1));
    let append = sample.append_of(&note);
    assert!(matches!(append.events[0].happened.event, Event::ReplyPosted { missed: Some(true), .. }));
    committed(sample.write(subject.journal(), append).await);
    let found = subject.journal().find_key(sample.ticket, key).await.expect("answers").expect("used");
    assert_eq!((found.seq, found.thread_seq, found.missed), (6, None, true));
}

/// Two appends at the same head: exactly one is written.
pub async fn of_two_racing_appends_one_wins(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = five_events(subject).await;
    let (one, other) = (sample.reply("one"), sample.reply("other"));
    one_of_both(journal, one, other).await;
    assert_eq!(by_seq(&read(subject, sample.ticket, Numbering::Ticket, From::After(0), 100).await), [1, 2, 3, 4, 5, 6]);
}

/// Two creations of the same ticket: exactly one is written, with all its events.
pub async fn of_two_racing_creations_one_wins(subject: &dyn Subject) {
    let mut sample = Sample::of(subject.fresh());
    let (one, other) = (sample.creation(), sample.creation());
    one_of_both(subject.journal(), one, other).await;
    assert_eq!(by_seq(&read(subject, sample.ticket, Numbering::Ticket, From::After(0), 100).await), [1]);
}

async fn one_of_both(journal: &dyn Journal, one: Append, other: Append) {
    let states = [(*one.state).clone(), (*other.state).clone()];
    let ticket = one.ticket;
    // both are under way before either is waited for
    let (one, other) = (journal.append(one), journal.append(other));
    let answers = [one.await.expect("answers"), other.await.expect("answers")];
    let winners: Vec<_> = (0..2).filter(|at| matches!(answers[*at], Appended::Committed { .. })).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert_eq!(journal.load(ticket).await.expect("answers").as_ref(), Some(&states[winners[0]]));
}

/// A write runs to its end, also when nobody waits for it any more.
pub async fn a_write_that_nobody_waits_for_is_written(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = Sample::of(subject.fresh());
    let creation = sample.creation();
    committed(sample.write(journal, creation).await);
    let dropped = sample.reply("never waited for");
    let state = (*dropped.state).clone();
    drop(journal.append(dropped));
    let deadline = Instant::now() + Duration::from_secs(10);
    while journal.load(sample.ticket).await.expect("answers").as_ref() != Some(&state) {
        assert!(Instant::now() < deadline, "never written");
    }
    sample.state = Some(state);
    let next = sample.reply("after it");
    committed(sample.write(journal, next).await);
}

/// Where private parts were erased the event still opens, and says so.
pub async fn an_erased_event_still_opens(subject: &dyn Subject) {
    let sample = five_events(subject).await;
    subject.erase(sample.ticket, 3).await;
    let events = read(subject, sample.ticket, Numbering::Ticket, From::After(0), 100).await;
    assert_eq!(by_seq(&events), [1, 2, 3, 4, 5]);
    let body = |at: usize| match &events[at].event {
        Event::ReplyPosted { body, .. } => body.clone(),
        other => panic!("no reply: {other:?}"),
    };
    assert_eq!((body(1).as_str(), body(2).as_str(), body(3).as_str()), ("two", "(erased)", "four"));
}

/// Tickets of one workspace are not there for another.
pub async fn a_ticket_of_another_workspace_is_not_there(subject: &dyn Subject) {
    let journal = subject.journal();
    let sample = five_events(subject).await;
    let elsewhere = TicketKey { workspace: subject.fresh().workspace, ..sample.ticket };
    let foreign = TicketKey { workspace: crate::ids::WorkspaceId::new(uuid::Uuid::from_u128(0xF0)), ..sample.ticket };
    for key in [elsewhere, foreign].into_iter().filter(|key| *key != sample.ticket) {
        assert_eq!(journal.load(key).await.expect("answers"), None);
        assert_eq!(read(subject, key, Numbering::Ticket, From::After(0), 100).await, []);
        assert_eq!(journal.find_key(key, super::build::key(1)).await.expect("answers"), None);
    }
}

/// Each person's notifications are numbered without a gap over all tickets, in the transaction of what they tell of; an append
/// that is refused makes none.
pub async fn notifications_are_numbered_for_each_person(subject: &dyn Subject) {
    let journal = subject.journal();
    let (mut one, mut other) = (Sample::of(subject.fresh()), Sample::of(subject.fresh()));
    let cleo = one.customer.user;
    let already = subject.notifications().inbox(one.ticket.workspace, cleo, None, 1).await.expect("answers").seq();
    for sample in [&mut one, &mut other] {
        let creation = sample.creation();
        assert_eq!(notified(sample.write(journal, creation).await), []);
    }
    for (sample, number) in [(&mut one, 1), (&mut other, 2)] {
        let reply = sample.reply("have you tried?");
        let told = Notified { user: cleo, seq: already + number, reason: Reason::Replied, ticket_seq: 2 };
        assert_eq!(notified(sample.write(journal, reply).await), [told]);
    }
    let (written, too_late) = (one.reply("in time"), one.reply("too late"));
    assert_eq!(notified(one.write(journal, written).await).len(), 1);
    refused(journal.append(too_late).await);

    let inbox = inbox(subject, &one, cleo, None, 10).await;
    assert_eq!(inbox.seq(), already + 3);
    let newest: Vec<_> =
        inbox.notifications.iter().rev().take(3).map(|n| (n.seq - already, n.ticket, n.happened.seq)).collect();
    assert_eq!(newest, [(3, one.ticket.ticket, 3), (2, other.ticket.ticket, 2), (1, one.ticket.ticket, 2)]);
    let last = inbox.notifications.last().expect("three");
    assert_eq!((last.reason, last.title.as_str()), (Reason::Replied, "The door does not open"));
    assert!(matches!(&last.happened.event, Event::ReplyPosted { body, .. } if body == "in time"));
    let before = subject.notifications().inbox(one.ticket.workspace, cleo, Some(already + 3), 1).await.expect("answers");
    assert_eq!(before.notifications.iter().map(|n| n.seq - already).collect::<Vec<_>>(), [2]);
    let nobody = UserId::new(uuid::Uuid::from_u128(0xDEAD));
    assert_eq!(self::inbox(subject, &one, nobody, None, 10).await, Inbox::default());
}

/// One append may tell several people of several events: each in order.
pub async fn one_append_tells_several_people_in_order(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = five_events(subject).await;
    let (agent, cleo, workspace) = (sample.agent.clone(), sample.customer.user, sample.ticket.workspace);
    let told_before =
        |user| async move { subject.notifications().inbox(workspace, user, None, 1).await.expect("answers").seq() };
    let (agents, cleos) = (told_before(agent.user).await, told_before(cleo).await);
    let boss = super::build::asker(crate::rules::permissions::Role::Agent, 9);
    let steps = vec![
        Step::Assign { assignee_id: Patch::Set(agent.user), team_id: Patch::Keep },
        Step::PostReply {
            body: "yours".into(),
            audience: Audience::Public,
            based_on: None,
            force: true,
            mentions: vec![agent.user],
        },
    ];
    let intent = Intent { key: sample.fresh_key(), by: boss, steps };
    let append = sample.append_of(&intent);
    let mut told = notified(sample.write(journal, append).await);
    told.sort_by_key(|told| (told.user != agent.user, told.seq));
    let expected = [
        Notified { user: agent.user, seq: agents + 1, reason: Reason::Assigned, ticket_seq: 6 },
        Notified { user: agent.user, seq: agents + 2, reason: Reason::Mentioned, ticket_seq: 7 },
        Notified { user: cleo, seq: cleos + 1, reason: Reason::Replied, ticket_seq: 7 },
    ];
    assert_eq!(told, expected);
}

/// A ticket is due from when its first held reply is to go out or its lease ends, and until nothing of that is left.
pub async fn a_ticket_is_due_as_long_as_something_of_it_is(subject: &dyn Subject) {
    let mut sample = five_events(subject).await;
    let (journal, ticket, agent) = (subject.journal(), sample.ticket, sample.agent.clone());
    let is_due = |until| async move { journal.due(until, 1_000).await.expect("answers").contains(&ticket) };
    let far = UnixMs(4_000_000_000_000);
    assert!(!is_due(far).await);
    let mut wants = async |step: Step| {
        let intent = Intent { key: sample.fresh_key(), by: agent.clone(), steps: vec![step] };
        let append = sample.append_of(&intent);
        committed(sample.write(journal, append).await);
        sample.state.clone().expect("made")
    };
    let hold = Step::HoldReply {
        body: "in a moment".into(),
        audience: Audience::Public,
        based_on: Some(5),
        force: false,
        mentions: vec![],
        then_status: None,
        hold_ms: 8_000,
    };
    let state = wants(hold).await;
    let release_at = state.updated_at + Duration::from_secs(8);
    assert!(!is_due(UnixMs(release_at.0 - 1)).await);
    assert!(is_due(release_at).await);
    wants(Step::TakeClaim { force: false }).await;
    wants(Step::CancelHeld { held_key: state.held[0].key }).await;
    assert!(!is_due(release_at).await, "the lease ends later");
    assert!(is_due(far).await);
    wants(Step::ReleaseClaim { force: false }).await;
    assert!(!is_due(far).await);
}

/// A cursor goes forward only, unless it is set back on purpose; never beyond the end, and only on what its reader may see.
pub async fn a_read_cursor_goes_forward_only(subject: &dyn Subject) {
    let sample = five_events(subject).await;
    let (agent, cleo, workspace) = (sample.agent.user, sample.customer.user, sample.ticket.workspace);
    let ticket = sample.ticket.ticket;
    let mark = |user, side, ticket, seq| async move {
        subject.notifications().mark_read(workspace, Reader { user, side }, ticket, Mark::UpTo(seq)).await.expect("answers")
    };
    assert_eq!(mark(agent, Side::Staff, ticket, 3).await, Marked::At(3));
    assert_eq!(mark(agent, Side::Staff, ticket, 1).await, Marked::At(3));
    assert_eq!(mark(agent, Side::Staff, ticket, 5).await, Marked::At(5));
    assert_eq!(mark(agent, Side::Staff, ticket, 6).await, Marked::Ahead);
    // the thread of five events ends at 3
    assert_eq!(mark(cleo, Side::Customer, ticket, 4).await, Marked::Ahead);
    assert_eq!(mark(agent, Side::Customer, ticket, 1).await, Marked::NoTicket);
    assert_eq!(mark(agent, Side::Platform, ticket, 1).await, Marked::NoTicket);
    assert_eq!(mark(agent, Side::Staff, subject.fresh().ticket, 0).await, Marked::NoTicket);
    assert_eq!(mark(cleo, Side::Customer, ticket, 2).await, Marked::At(2));
    let back = subject.notifications().mark_read(workspace, Reader { user: agent, side: Side::Staff }, ticket, Mark::BackTo(2));
    assert_eq!(back.await.expect("answers"), Marked::At(2));
    let inbox = inbox(subject, &sample, cleo, None, 100).await;
    assert!(inbox.read.contains(&ReadCursor { ticket_id: ticket, seq: 2 }), "{:?}", inbox.read);
}

fn notified(answer: Result<Appended, crate::ports::StoreError>) -> Vec<Notified> {
    match answer {
        Ok(Appended::Committed { notified, .. }) => notified,
        other => panic!("not committed: {other:?}"),
    }
}

async fn inbox(subject: &dyn Subject, sample: &Sample, user: UserId, before: Option<u64>, limit: u32) -> Inbox {
    subject.notifications().inbox(sample.ticket.workspace, user, before, limit).await.expect("answers")
}

/// Drafts are read back as they were written, each only where it follows the present revision.
pub async fn a_draft_is_written_only_after_the_revision_it_follows(subject: &dyn Subject) {
    let sample = five_events(subject).await;
    let (mine, hers) = (draft_key(&sample.agent, Audience::Public), draft_key(&sample.customer, Audience::Public));
    let note = draft_key(&sample.agent, Audience::Internal);
    let save = async |drafts: Vec<Kept>| subject.drafts().save(sample.ticket, drafts).await.expect("answers");
    assert_eq!(subject.drafts().of_ticket(sample.ticket).await.expect("answers"), []);
    assert_eq!(save(vec![]).await, []);
    assert_eq!(save(vec![kept(mine, 2, Some("ahead of nothing"))]).await, []);

    let mut written =
        save(vec![kept(mine, 1, Some("Grüße, 世界 🦀")), kept(hers, 1, Some("")), kept(note, 3, Some("no"))]).await;
    written.sort_by_key(|key| key.user);
    assert_eq!(written, [mine, hers]);
    for revision in [1, 3] {
        assert_eq!(save(vec![kept(mine, revision, Some("does not follow"))]).await, []);
    }
    assert_eq!(save(vec![kept(mine, 2, None), kept(hers, 2, Some("Hello?"))]).await.len(), 2);
    assert_eq!(save(vec![kept(mine, 3, Some("anew"))]).await, [mine]);
    assert_eq!(save(vec![kept(mine, 4, None)]).await, [mine]);

    let read = subject.drafts().of_ticket(sample.ticket).await.expect("answers");
    assert_eq!(read, [kept(hers, 2, Some("Hello?")), kept(mine, 4, None)], "those with a text first");
    assert_eq!(subject.drafts().of_ticket(subject.fresh()).await.expect("answers"), []);
    let foreign = TicketKey { workspace: crate::ids::WorkspaceId::new(uuid::Uuid::from_u128(0xF0)), ..sample.ticket };
    assert_eq!(subject.drafts().of_ticket(foreign).await.expect("answers"), []);
}

/// However many have written to a ticket, the draft of each is found: whoever's is not could never save again.
pub async fn the_drafts_of_a_crowd_are_all_found(subject: &dyn Subject) {
    let sample = five_events(subject).await;
    let key = |number| DraftKey { user: crate::ids::UserId::new(uuid::Uuid::from_u128(number)), audience: Audience::Public };
    for (revision, text) in [(1, Some("mine")), (2, None)] {
        let drafts = (1_000..1_600).map(|number| kept(key(number), revision, text)).collect();
        assert_eq!(subject.drafts().save(sample.ticket, drafts).await.expect("answers").len(), 600);
    }
    assert_eq!(subject.drafts().of_ticket(sample.ticket).await.expect("answers").len(), 600);
}

/// A reply spends the draft of its author for its audience, and no other, in its own transaction; a refused one spends none.
pub async fn a_reply_spends_the_draft_of_its_author(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = five_events(subject).await;
    let keys = [
        draft_key(&sample.agent, Audience::Public),
        draft_key(&sample.agent, Audience::Internal),
        draft_key(&sample.customer, Audience::Public),
    ];
    let drafts = keys.iter().map(|key| kept(*key, 1, Some("text"))).collect();
    assert_eq!(subject.drafts().save(sample.ticket, drafts).await.expect("answers").len(), 3);
    let (in_time, too_late) = (sample.reply("in time"), sample.note("too late"));
    committed(sample.write(journal, in_time).await);
    refused(journal.append(too_late).await);

    let revisions = draft_revisions(subject, &sample, &keys).await;
    assert_eq!(revisions, [(2, None), (1, Some("text".into())), (1, Some("text".into()))]);
    // where there is no text there is nothing to spend
    let again = sample.reply("again");
    committed(sample.write(journal, again).await);
    assert_eq!(draft_revisions(subject, &sample, &keys).await, revisions);
    let elsewhere = five_events(subject).await;
    assert_eq!(subject.drafts().of_ticket(elsewhere.ticket).await.expect("answers"), [], "no draft, no row");
}

/// A handover takes exactly the text along that it carries: one that another writer stored meanwhile stays.
pub async fn a_handover_spends_the_text_that_it_carries_and_no_other(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = five_events(subject).await;
    let keys = [draft_key(&sample.agent, Audience::Public), draft_key(&sample.agent, Audience::Internal)];
    let drafts = keys.iter().map(|key| kept(*key, 1, Some("text"))).collect();
    assert_eq!(subject.drafts().save(sample.ticket, drafts).await.expect("answers").len(), 2);
    let mut carrier = sample.reply("a carrier");
    carrier.events[0].drafts =
        vec![DraftEffect::HandOver(keys[0], "text".into()), DraftEffect::HandOver(keys[1], "text, as it was".into())];
    committed(sample.write(journal, carrier).await);
    assert_eq!(draft_revisions(subject, &sample, &keys).await, [(2, None), (1, Some("text".into()))]);
}

/// A text that comes back follows what is there, or stands alone; with what was spent in the same append it is one change.
pub async fn a_text_that_comes_back_follows_what_is_there(subject: &dyn Subject) {
    let journal = subject.journal();
    let mut sample = five_events(subject).await;
    let keys = [draft_key(&sample.agent, Audience::Public), draft_key(&sample.agent, Audience::Internal)];
    let author = PersonRef { id: sample.customer.user, name: "Cleo".into() };
    let text = |body: &str| DraftText { body: body.into(), based_on: 2, authors: vec![author.clone()] };
    assert_eq!(subject.drafts().save(sample.ticket, vec![kept(keys[0], 1, Some("there"))]).await.expect("answers"), [keys[0]]);
    let mut first = sample.reply("a carrier");
    first.events[0].drafts = keys.iter().map(|key| DraftEffect::GiveBack(*key, text("back"))).collect();
    let at = first.state.updated_at;
    committed(sample.write(journal, first).await);
    let mut expected = [kept(keys[0], 2, Some("there\n\nback")), kept(keys[1], 1, Some("back"))];
    for draft in &mut expected {
        draft.updated_at = at;
        let text = draft.text.as_mut().expect("a text");
        (text.based_on, text.authors) = (2, vec![author.clone()]);
    }
    expected[0].text.as_mut().expect("a text").authors.insert(0, person_of(keys[0]));
    let mut read = subject.drafts().of_ticket(sample.ticket).await.expect("answers");
    read.sort_by_key(|draft| draft.key.audience == Audience::Internal);
    assert_eq!(read, expected);

    let mut second = sample.reply("another carrier");
    second.events[0].drafts = vec![
        DraftEffect::GiveBack(keys[1], text("and more")),
        DraftEffect::Spend(keys[0]),
        DraftEffect::GiveBack(keys[0], text("one")),
        DraftEffect::GiveBack(keys[0], text("two")),
    ];
    committed(sample.write(journal, second).await);
    let revisions = draft_revisions(subject, &sample, &keys).await;
    assert_eq!(revisions, [(4, Some("one\n\ntwo".into())), (2, Some("back\n\nand more".into()))]);
}

fn draft_key(by: &crate::rules::intent::Asker, audience: Audience) -> DraftKey {
    DraftKey { user: by.user, audience }
}

fn person_of(key: DraftKey) -> PersonRef {
    PersonRef { id: key.user, name: "its owner".into() }
}

/// A draft of its owner's own, a second per revision.
fn kept(key: DraftKey, revision: u64, body: Option<&str>) -> Kept {
    let text = body.map(|body| DraftText { body: body.into(), based_on: 5, authors: vec![person_of(key)] });
    let updated_at = UnixMs(1_700_000_000_000 + i64::try_from(revision).expect("small") * 1_000);
    Kept { key, revision, updated_at, text }
}

/// Revision and body of some drafts.
async fn draft_revisions(subject: &dyn Subject, sample: &Sample, keys: &[DraftKey]) -> Vec<(u64, Option<String>)> {
    let read = subject.drafts().of_ticket(sample.ticket).await.expect("answers");
    let found = |key: &DraftKey| {
        let draft = read.iter().find(|draft| draft.key == *key);
        draft.map_or((0, None), |draft| (draft.revision, draft.text.as_ref().map(|text| text.body.clone())))
    };
    keys.iter().map(found).collect()
}

/// Calls `$test!(name)` for every sentence of the contract.
#[macro_export]
macro_rules! for_each_contract {
    ($test:ident) => {
        $test!(what_was_appended_is_read_back_whole);
        $test!(an_intent_of_several_events_is_one_append);
        $test!(events_are_read_in_the_tickets_numbering);
        $test!(events_are_read_in_the_threads_numbering);
        $test!(a_writer_at_another_head_is_refused);
        $test!(a_key_is_used_once);
        $test!(keys_belong_to_their_ticket);
        $test!(a_key_remembers_what_its_writer_missed);
        $test!(of_two_racing_appends_one_wins);
        $test!(of_two_racing_creations_one_wins);
        $test!(a_write_that_nobody_waits_for_is_written);
        $test!(an_erased_event_still_opens);
        $test!(a_ticket_of_another_workspace_is_not_there);
        $test!(notifications_are_numbered_for_each_person);
        $test!(one_append_tells_several_people_in_order);
        $test!(a_read_cursor_goes_forward_only);
        $test!(a_ticket_is_due_as_long_as_something_of_it_is);
        $test!(a_draft_is_written_only_after_the_revision_it_follows);
        $test!(the_drafts_of_a_crowd_are_all_found);
        $test!(a_reply_spends_the_draft_of_its_author);
        $test!(a_handover_spends_the_text_that_it_carries_and_no_other);
        $test!(a_text_that_comes_back_follows_what_is_there);
    };
}
