//! Made-up histories: an ordinary one that is innocent, and one for each promise in which it is broken.

use hub_core::ids::{CommandKey, TicketId, UserId};
use hub_core::wire::{ActorKind, Audience, ErrorCode};
use uuid::Uuid;

use super::super::Fault as Found;
use super::super::history::View;
use super::history::{Answer, Ask, ClaimSeen, Device, DraftSeen, Entry, Live, Moment, Present, Room, Seen, Sign, State, What};
use super::{Fault, given_up_unseen, judge};

const PUBLIC: Audience = Audience::Public;
const S: u64 = 1_000_000;

fn user(number: u128) -> UserId {
    UserId::new(Uuid::from_u128(number))
}

fn key(number: u128) -> CommandKey {
    CommandKey::new(Uuid::from_u128(number))
}

/// A history as it is told, in order of time.
struct Story {
    room: Room,
    at_us: u64,
    next_id: u64,
}

impl Story {
    /// Ana (1) at two devices (0, 1), Bo (2) at one (2), the customer (9) at one (3); all have joined and announced
    /// themselves, and nothing happened yet.
    fn new() -> Self {
        let device = |(whose, view)| Device { user: user(whose), view, moments: vec![], oddities: vec![] };
        let places = [(1, View::Ticket), (1, View::Ticket), (2, View::Ticket), (9, View::Thread)];
        let devices = places.into_iter().map(device).collect();
        let room = Room { id: TicketId::new(Uuid::nil()), log: vec![], before: 1, devices, ended_us: 1_000 * S, lag_us: 0 };
        let mut story = Self { room, at_us: 0, next_id: 0 };
        story.happens(9, None, What::Other("ticket_created".into()));
        for place in 0..4 {
            story.joins(place, Live::default());
            story.sees(place, Seen::Asked { id: None, ask: Ask::Presence { state: State::Viewing, audience: None } });
        }
        story
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.at_us += seconds * S;
        self
    }

    fn sees(&mut self, place: usize, seen: Seen) -> &mut Self {
        self.at_us += 1_000;
        self.room.devices[place].moments.push(Moment { at_us: self.at_us, seen });
        self
    }

    fn asks(&mut self, place: usize, ask: Ask) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        self.sees(place, Seen::Asked { id: Some(id), ask });
        id
    }

    fn acked(&mut self, place: usize, ask: Ask, seq: Option<u64>, revision: Option<u64>) -> &mut Self {
        let id = self.asks(place, ask);
        self.sees(place, Seen::Answered { id, answer: Answer::Acked { seq, revision } })
    }

    fn refused(&mut self, place: usize, ask: Ask, answer: Answer) -> &mut Self {
        let id = self.asks(place, ask);
        self.sees(place, Seen::Answered { id, answer })
    }

    fn joins(&mut self, place: usize, live: Live) -> &mut Self {
        let seq = self.room.log.len() as u64;
        self.asks(place, Ask::Subscribe);
        let id = self.next_id;
        self.sees(place, Seen::Joined { seq, live });
        self.sees(place, Seen::Answered { id, answer: Answer::Acked { seq: None, revision: None } })
    }

    /// An event, which every agent sees.
    fn happens(&mut self, by: u128, key: Option<CommandKey>, what: What) -> u64 {
        self.at_us += 1_000;
        let seq = self.room.log.len() as u64 + 1;
        let kind = if by == 9 { ActorKind::Customer } else { ActorKind::Agent };
        self.room.log.push(Entry { seq, at_us: self.at_us, kind, by: Some(user(by)), key, digest: seq * 7, what });
        seq
    }

    fn all_see(&mut self, seq: u64) -> &mut Self {
        for place in 0..3 {
            self.sees(place, Seen::Event { seq });
        }
        self
    }

    /// A public reply that passes.
    fn replies(&mut self, place: usize, number: u128, based_on: u64, force: bool) -> u64 {
        let by = self.room.devices[place].user.uuid().as_u128();
        let id = self.asks(place, post(number, based_on, force));
        let what = What::Reply { audience: PUBLIC, body: body(number), forced: force, held_key: None };
        let seq = self.happens(by, Some(key(number)), what);
        self.sees(place, Seen::Answered { id, answer: Answer::Acked { seq: Some(seq), revision: None } });
        seq
    }

    fn customer_writes(&mut self, number: u128) -> u64 {
        let id = self.asks(3, post(number, 1, false));
        let what = What::Reply { audience: PUBLIC, body: body(number), forced: false, held_key: None };
        let seq = self.happens(9, Some(key(number)), what);
        let thread_seq = 1 + self.room.log.iter().filter(|entry| entry.is_public_deed()).count() as u64;
        self.sees(3, Seen::Answered { id, answer: Answer::Acked { seq: Some(thread_seq), revision: None } });
        seq
    }

    fn takes(&mut self, place: usize, by: u128, from: Option<u128>) -> u64 {
        let id = self.asks(place, Ask::TakeClaim { force: from.is_some() });
        let seq = self.happens(by, None, What::Taken { by: user(by), from: from.map(user) });
        self.sees(place, Seen::Answered { id, answer: Answer::Acked { seq: None, revision: None } });
        seq
    }

    fn saves(&mut self, place: usize, over: u64, revision: u64, body: &str) -> &mut Self {
        let ask = Ask::SaveDraft { audience: PUBLIC, revision: over, body: body.into() };
        self.acked(place, ask, None, Some(revision))
    }

    fn found(&self) -> Vec<Fault> {
        let together = |fault| match fault {
            Found::Together(fault) => fault,
            other => panic!("{other}"),
        };
        judge(&self.room).into_iter().map(|breach| together(breach.fault)).collect()
    }

    fn is_innocent(&self) {
        assert_eq!(self.found(), []);
    }

    fn is_guilty_of(&self, fault: &Fault) {
        let found = self.found();
        assert!(found.contains(fault), "{fault}: {found:?}");
    }
}

fn body(number: u128) -> String {
    format!("words {number}")
}

fn post(number: u128, based_on: u64, force: bool) -> Ask {
    Ask::Post { key: key(number), audience: PUBLIC, body: body(number), based_on: Some(based_on), force, hold_ms: 0 }
}

fn stale(events: &[u64]) -> Answer {
    let events = Some(events.iter().map(|seq| (*seq, seq * 7)).collect());
    Answer::Refused { code: ErrorCode::Stale, retry_after_ms: None, events, is_reset: false, by: None, draft: None }
}

fn claimed(by: u128) -> Answer {
    let by = Some(user(by));
    Answer::Refused { code: ErrorCode::Claimed, retry_after_ms: None, events: None, is_reset: false, by, draft: None }
}

fn present(who: u128, state: State) -> Present {
    let audience = (state == State::Composing).then_some(PUBLIC);
    Present { user: user(who), state, audience, is_lost: false }
}

fn shows(set: &[Present]) -> Seen {
    Seen::Signal(Sign::Presence(set.to_vec()))
}

fn draft(revision: u64, body: &str) -> DraftSeen {
    DraftSeen { audience: PUBLIC, revision, body: body.into() }
}

fn with_draft(revision: u64, body: &str) -> Live {
    Live { drafts: vec![draft(revision, body)], ..Live::default() }
}

#[test]
fn an_ordinary_history_is_innocent() {
    let mut story = Story::new();
    story.sees(0, Seen::Asked { id: None, ask: Ask::Presence { state: State::Composing, audience: Some(PUBLIC) } });
    let taken = story.takes(0, 1, None);
    story.all_see(taken).sees(2, shows(&[present(1, State::Composing), present(2, State::Viewing)]));
    story.sees(3, Seen::Signal(Sign::Support(true)));
    story.saves(0, 0, 1, "words 10").saves(1, 1, 2, "words 10 and 20");
    story.refused(2, post(30, 2, false), claimed(1));
    let asked = story.customer_writes(40);
    story.all_see(asked);
    story.refused(0, post(50, 2, false), stale(&[3]));
    let id = story.asks(
        0,
        Ask::Post {
            key: key(60),
            audience: PUBLIC,
            body: "words 10 and 20".into(),
            based_on: Some(3),
            force: false,
            hold_ms: 0,
        },
    );
    let what = What::Reply { audience: PUBLIC, body: "words 10 and 20".into(), forced: false, held_key: None };
    let sent = story.happens(1, Some(key(60)), what);
    story.happens(1, None, What::Released { by: user(1) });
    story.sees(0, Seen::Answered { id, answer: Answer::Acked { seq: Some(sent), revision: None } });
    story.replies(2, 70, 2, true);
    story.acked(2, Ask::Leave, None, None).sees(2, Seen::Left);
    story.sees(0, shows(&[present(1, State::Viewing)])).after(3).sees(0, shows(&[present(1, State::Viewing)]));
    story.sees(0, Seen::Lost).sees(1, Seen::Lost).after(1).joins(0, Live::default());
    story.is_innocent();
    assert_eq!(given_up_unseen(&story.room), 0);
}

#[test]
fn what_passes_blindly_or_over_a_claim_is_found() {
    let mut story = Story::new();
    let asked = story.customer_writes(1);
    story.replies(0, 2, 1, false);
    story.is_guilty_of(&Fault::Blind { overlooked: asked });
    let mut story = Story::new();
    story.takes(0, 1, None);
    story.replies(2, 2, 2, false);
    story.is_guilty_of(&Fault::PassedAClaim { holder: user(1) });
}

#[test]
fn insisting_that_is_recorded_wrongly_is_found() {
    let mut story = Story::new();
    let seq = story.replies(0, 1, 1, true);
    story.is_innocent();
    let index = usize::try_from(seq).expect("small") - 1;
    story.room.log[index].what = What::Reply { audience: PUBLIC, body: body(1), forced: false, held_key: None };
    story.is_guilty_of(&Fault::ForcedWrong);
}

#[test]
fn wrong_refusals_are_found() {
    let missed = |events: &[u64]| {
        let mut story = Story::new();
        let asked = story.customer_writes(1);
        story.all_see(asked).refused(0, post(2, 1, false), stale(events));
        story
    };
    missed(&[2]).is_innocent();
    missed(&[]).is_guilty_of(&Fault::MissedEventsWrong);
    missed(&[1, 2]).is_guilty_of(&Fault::MissedEventsWrong);
    missed(&[2, 3]).is_guilty_of(&Fault::MissedEventsWrong);
    let mut story = Story::new();
    story.refused(0, post(2, 1, false), stale(&[]));
    story.is_guilty_of(&Fault::StaleWithoutCause);
    let mut story = Story::new();
    let asked = story.customer_writes(1);
    story.all_see(asked).refused(0, post(2, 1, true), stale(&[2]));
    story.is_guilty_of(&Fault::NeverRefusedRefused(ErrorCode::Stale));
    let mut story = Story::new();
    story.refused(3, post(2, 1, false), claimed(1));
    story.is_guilty_of(&Fault::NeverRefusedRefused(ErrorCode::Claimed));
    let mut story = Story::new();
    story.refused(0, post(2, 1, false), claimed(2));
    story.is_guilty_of(&Fault::ClaimedWithoutCause);
    let mut story = Story::new();
    let asked = story.customer_writes(1);
    let taken = story.takes(2, 2, None);
    story.all_see(asked).all_see(taken).refused(0, post(2, 1, false), claimed(2));
    story.is_guilty_of(&Fault::ClaimedBeforeStale);
}

#[test]
fn effects_that_nobody_was_told_or_asked_for_are_found() {
    let mut story = Story::new();
    story.acked(0, post(1, 1, false), Some(2), None);
    story.is_guilty_of(&Fault::AckedButLost);
    let mut story = Story::new();
    story.refused(0, post(1, 1, false), claimed(2));
    story.happens(1, Some(key(1)), What::Reply { audience: PUBLIC, body: body(1), forced: false, held_key: None });
    story.is_guilty_of(&Fault::RefusedButDone(ErrorCode::Claimed));
    let mut story = Story::new();
    story.happens(1, Some(key(1)), What::Reply { audience: PUBLIC, body: body(1), forced: false, held_key: None });
    story.is_guilty_of(&Fault::NobodyAskedForIt);
    let mut story = Story::new();
    let seq = story.replies(0, 1, 1, false);
    story.room.log[usize::try_from(seq).expect("small") - 1].by = Some(user(2));
    story.is_guilty_of(&Fault::ContentChanged);
}

/// Holds a reply that is due in a second; what ends it comes `after` seconds.
fn held(after: u64, ends: &[What]) -> Story {
    let mut story = Story::new();
    let ask = Ask::Post { key: key(1), audience: PUBLIC, body: body(1), based_on: Some(1), force: false, hold_ms: 1_000 };
    let release_at_us = story.at_us + S;
    let what = What::Held { audience: PUBLIC, body: body(1), based_on: Some(1), forced: false, release_at_us };
    let id = story.asks(0, ask);
    let seq = story.happens(1, Some(key(1)), what);
    story.sees(0, Seen::Answered { id, answer: Answer::Acked { seq: Some(seq), revision: None } }).after(after);
    for (number, end) in (100..).zip(ends) {
        story.happens(1, Some(key(number)), end.clone());
    }
    story
}

#[test]
fn a_held_reply_has_one_end_in_time_and_is_judged_again() {
    let sent = || What::Reply { audience: PUBLIC, body: body(1), forced: false, held_key: Some(key(1)) };
    let back = || What::HeldCancelled { held_key: key(1) };
    held(1, &[sent()]).is_innocent();
    held(0, &[back()]).is_innocent();
    held(0, &[sent()]).is_guilty_of(&Fault::ReleasedEarly);
    held(60, &[sent()]).is_guilty_of(&Fault::HeldForgotten);
    held(1, &[]).is_guilty_of(&Fault::HeldForgotten);
    held(1, &[sent(), sent()]).is_guilty_of(&Fault::HeldTwice);
    held(1, &[back(), sent()]).is_guilty_of(&Fault::HeldTwice);
    let other = What::Reply { audience: PUBLIC, body: "other".into(), forced: false, held_key: Some(key(1)) };
    held(1, &[other]).is_guilty_of(&Fault::ContentChanged);
    let mut story = held(0, &[]);
    let asked = story.customer_writes(7);
    story.after(1).happens(1, Some(key(100)), sent());
    story.is_guilty_of(&Fault::Blind { overlooked: asked });
}

#[test]
fn claims_that_fit_nothing_are_found() {
    let cases = [
        vec![What::Taken { by: user(1), from: Some(user(2)) }],
        vec![What::Taken { by: user(1), from: None }, What::Taken { by: user(2), from: None }],
        vec![What::Taken { by: user(1), from: None }, What::Taken { by: user(1), from: Some(user(1)) }],
        vec![What::Released { by: user(1) }],
        vec![What::Taken { by: user(1), from: None }, What::Expired { by: user(2) }],
    ];
    for events in cases {
        let mut story = Story::new();
        for what in events {
            story.happens(1, None, what);
        }
        story.is_guilty_of(&Fault::ClaimMalformed);
    }
}

#[test]
fn a_claim_ends_with_the_reply_moves_with_the_handover_and_is_no_longer_than_a_lease() {
    let mut story = Story::new();
    story.takes(0, 1, None);
    story.replies(0, 1, 1, false);
    story.is_guilty_of(&Fault::NotReleasedByReply);
    let mut story = Story::new();
    story.takes(0, 1, None);
    let id = story.asks(0, Ask::HandOver { key: key(1), to: Some(user(2)), with_draft: false });
    let seq = story.happens(1, Some(key(1)), What::HandedOver { to: Some(user(2)), draft: None });
    story.sees(0, Seen::Answered { id, answer: Answer::Acked { seq: Some(seq), revision: None } });
    story.is_guilty_of(&Fault::NotMovedByHandover);
    let expires = |seconds: u64| {
        let mut story = Story::new();
        story.takes(0, 1, None);
        story.after(seconds).happens(1, None, What::Expired { by: user(1) });
        story
    };
    expires(90).is_innocent();
    expires(120).is_guilty_of(&Fault::HeldTooLong);
    expires(60).is_guilty_of(&Fault::ExpiredEarly);
    let gone = |seconds: u64| {
        let mut story = Story::new();
        story.takes(0, 1, None);
        story.sees(0, Seen::Lost).sees(1, Seen::Lost).after(seconds).happens(1, None, What::Released { by: user(1) });
        story
    };
    gone(5).is_innocent();
    gone(15).is_guilty_of(&Fault::HeldByNobodyThere);
}

#[test]
fn whoever_is_shown_or_not_shown_wrongly_is_found() {
    let leaves = |seen: &dyn Fn(&mut Story)| {
        let mut story = Story::new();
        story.sees(0, shows(&[present(1, State::Viewing), present(2, State::Viewing)]));
        seen(&mut story);
        story
    };
    let left = |story: &mut Story| {
        story.acked(2, Ask::Leave, None, None).sees(2, Seen::Left);
    };
    let lost = |story: &mut Story| {
        story.sees(2, Seen::Lost);
    };
    leaves(&left).is_guilty_of(&Fault::StillShown(user(2)));
    leaves(&lost).is_guilty_of(&Fault::StillShown(user(2)));
    leaves(&|story| {
        lost(story);
        story.after(4).sees(0, shows(&[present(1, State::Viewing)]));
    })
    .is_guilty_of(&Fault::NotMarkedLost(user(2)));
    leaves(&|story| {
        lost(story);
        story.sees(0, shows(&[Present { is_lost: true, ..present(2, State::Viewing) }])).after(5).sees(0, shows(&[]));
    })
    .is_innocent();
    leaves(&|story| {
        left(story);
        story.sees(0, shows(&[])).after(30).sees(0, shows(&[present(2, State::Viewing)]));
    })
    .is_guilty_of(&Fault::Uninvited(user(2)));
    let mut story = Story::new();
    story.room.devices[2].moments.pop();
    story.sees(0, shows(&[present(2, State::Viewing)]));
    story.is_guilty_of(&Fault::Uninvited(user(2)));
    let mut story = Story::new();
    story.sees(0, shows(&[present(2, State::Composing)]));
    story.is_guilty_of(&Fault::NotComposing(user(2)));
    let mut story = Story::new();
    story.sees(0, shows(&[present(2, State::Viewing), present(2, State::Viewing)]));
    story.is_guilty_of(&Fault::ShownTwice(user(2)));
    let mut story = Story::new();
    story.acked(2, Ask::Presence { state: State::Viewing, audience: None }, None, None).after(5).sees(0, shows(&[]));
    story.is_guilty_of(&Fault::NotShown(user(2)));
    let mut story = Story::new();
    for _ in 0..13 {
        story.sees(0, shows(&[present(2, State::Viewing)]));
    }
    story.is_guilty_of(&Fault::TooManyFrames(13));
}

#[test]
fn what_customers_must_not_see_is_found() {
    let mut story = Story::new();
    story.sees(0, Seen::Asked { id: None, ask: Ask::Presence { state: State::Composing, audience: Some(Audience::Internal) } });
    story.sees(3, Seen::Signal(Sign::Support(true)));
    story.is_guilty_of(&Fault::SupportNotComposing);
    let mut story = Story::new();
    story.sees(3, Seen::Signal(Sign::Secret("presence with users".into())));
    story.is_guilty_of(&Fault::Secret("presence with users".into()));
    let signal = serde_json::json!({"type": "presence", "support": "composing", "users": []});
    assert!(matches!(super::read::sign(&signal, View::Thread), Ok(Sign::Secret(_))));
}

#[test]
fn drafts_that_are_overwritten_lost_or_kept_too_long_are_found() {
    let mut story = Story::new();
    story.saves(0, 0, 1, "words 1").saves(1, 1, 2, "words 2").saves(0, 1, 3, "words 3");
    story.joins(0, with_draft(3, "words 3"));
    story.is_guilty_of(&Fault::SavedTwiceOver(1));
    let mut story = Story::new();
    story.saves(0, 0, 2, "words 1").saves(1, 2, 1, "words 2").joins(0, with_draft(2, "words 2"));
    story.is_guilty_of(&Fault::RevisionNotUp { over: 2, revision: 1, before: 2 });
    let mut story = Story::new();
    story.saves(0, 0, 1, "words 1").joins(0, Live::default());
    story.is_guilty_of(&Fault::TextLost("words 1".into()));
    story.is_guilty_of(&Fault::DraftVanished);
    let mut story = Story::new();
    story.saves(0, 0, 1, "words 1");
    story.replies(0, 1, 1, false);
    story.joins(0, with_draft(1, "words 1"));
    story.is_guilty_of(&Fault::DraftSurvived);
    let stale = |draft| Answer::Refused {
        code: ErrorCode::Stale,
        retry_after_ms: None,
        events: None,
        is_reset: false,
        by: None,
        draft,
    };
    let save = || Ask::SaveDraft { audience: PUBLIC, revision: 1, body: "words 2".into() };
    for (shown, is_right) in
        [(None, false), (Some(Some(draft(1, "words 1"))), false), (Some(Some(draft(2, "words 3"))), true), (Some(None), true)]
    {
        let mut story = Story::new();
        story.saves(0, 0, 1, "words 1").refused(1, save(), stale(shown.clone())).joins(0, with_draft(1, "words 1"));
        let wrong = Fault::DraftStaleWrong { over: 1, shown: shown.flatten().map(|shown| shown.revision) };
        assert_eq!(story.found(), if is_right { vec![] } else { vec![wrong] });
    }
}

#[test]
fn a_text_that_its_author_sent_over_unseen_is_counted() {
    let mut story = Story::new();
    story.saves(1, 0, 1, "words 1");
    story.replies(0, 2, 1, false);
    story.joins(0, Live::default());
    story.is_innocent();
    assert_eq!(given_up_unseen(&story.room), 1);
}

#[test]
fn signals_older_than_what_was_shown_are_found() {
    let claim = |by, until_ms| Seen::Signal(Sign::Claim(Some(ClaimSeen { by: user(by), until_ms })));
    let mut story = Story::new();
    let taken = story.takes(0, 1, None);
    story.room.ended_us = 60 * S;
    story.all_see(taken).sees(2, claim(1, 100)).sees(2, claim(1, 200));
    story.is_innocent();
    story.sees(2, claim(1, 150));
    story.is_guilty_of(&Fault::SignalOlder("claim"));
    let mut story = Story::new();
    let (first, second) = (story.takes(0, 1, None), story.takes(2, 2, Some(1)));
    story.all_see(first).all_see(second).sees(0, claim(1, 300));
    story.is_guilty_of(&Fault::SignalOlder("claim"));
    let mut story = Story::new();
    for revision in [2, 1] {
        story.sees(0, Seen::Signal(Sign::DraftChanged(PUBLIC, Some(draft(revision, "words")))));
    }
    story.is_guilty_of(&Fault::SignalOlder("draft"));
}

#[test]
fn answers_that_are_missing_twice_or_without_a_time_are_found() {
    let mut story = Story::new();
    let id = story.asks(0, Ask::Discard { audience: PUBLIC });
    story.is_guilty_of(&Fault::NoAnswer);
    let ack = || Seen::Answered { id, answer: Answer::Acked { seq: None, revision: None } };
    story.sees(0, ack());
    story.is_innocent();
    story.sees(0, ack());
    story.is_guilty_of(&Fault::AnsweredTwice);
    let mut story = Story::new();
    let busy = |retry_after_ms| Answer::Refused {
        code: ErrorCode::Busy,
        retry_after_ms,
        events: None,
        is_reset: false,
        by: None,
        draft: None,
    };
    story.refused(0, Ask::Discard { audience: PUBLIC }, busy(Some(5)));
    story.is_innocent();
    story.refused(0, Ask::Discard { audience: PUBLIC }, busy(None));
    story.is_guilty_of(&Fault::NoTimeToRetry(ErrorCode::Busy));
    let mut story = Story::new();
    story.asks(0, Ask::Discard { audience: PUBLIC });
    story.sees(0, Seen::Lost);
    story.is_innocent();
}
