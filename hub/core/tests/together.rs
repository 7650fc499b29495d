//! The rules of working together: claims, held replies, handoffs, tags, watchers. As tables, and for any interleaving.
#![cfg(feature = "testing")]

mod log;

use std::time::Duration;

use hub_core::ids::{CommandKey, TeamId, UserId};
use hub_core::rules::claim::LEASE;
use hub_core::rules::drafts::{DraftEffect, effects};
use hub_core::rules::intent::{Asker, Refusal, Step};
use hub_core::rules::notify::notices;
use hub_core::rules::record::Happened;
use hub_core::rules::ticket::TicketState;
use hub_core::testing::key;
use hub_core::wire::{Audience, Draft, ErrorCode, Event, MAX_BODY_BYTES, Patch, PersonRef, Reason};
use proptest::prelude::*;
use uuid::Uuid;

use log::{Log, ana, bo, cleo, code, note, public, status, viewer};

const TAKE: Step = Step::TakeClaim { force: false };
const TAKE_OVER: Step = Step::TakeClaim { force: true };
const RELEASE: Step = Step::ReleaseClaim { force: false };

fn holder(log: &Log) -> Option<UserId> {
    log.state().claim.as_ref().map(|claim| claim.by.id)
}

fn held(body: &str, based_on: u64, then_status: Option<&str>) -> Step {
    Step::HoldReply {
        body: body.into(),
        audience: Audience::Public,
        based_on: Some(based_on),
        force: false,
        mentions: vec![],
        then_status: then_status.map(str::to_owned),
        hold_ms: 8_000,
    }
}

fn hand_to(whom: &Asker, with_draft: bool) -> Step {
    Step::HandOver { to_id: Some(whom.user), to_team_id: None, note: "She has called twice.".into(), with_draft }
}

fn kinds(events: &[Event]) -> Vec<String> {
    let kind = |event: &Event| serde_json::to_value(event).expect("JSON")["type"].as_str().expect("a type").to_owned();
    events.iter().map(kind).collect()
}

fn draft(body: &str, authors: &[Asker]) -> Draft {
    let authors = authors.iter().map(Asker::person).collect();
    Draft { audience: Audience::Public, revision: 3, body: body.into(), based_on: 1, updated_at: Log::created().now, authors }
}

#[test]
fn a_claim_is_taken_once_taken_over_on_purpose_and_given_up() {
    let mut log = Log::created();
    let taken = log.wants(ana(), vec![TAKE]).expect("free");
    let until = log.now + LEASE;
    assert_eq!(taken, vec![Event::ClaimTaken { by: ana().person(), until, from: None }]);
    assert_eq!(log.wants(ana(), vec![TAKE]), Ok(vec![Event::NothingChanged {}]), "it is hers already");
    assert_eq!(log.wants(bo(), vec![TAKE]), Err(Refusal::Claimed { by: ana().person(), until }));
    assert_eq!(code(log.wants(bo(), vec![RELEASE])), Err(ErrorCode::Claimed));
    assert_eq!(code(log.wants(viewer(), vec![TAKE])), Err(ErrorCode::Forbidden));
    assert_eq!(code(log.wants(cleo(), vec![TAKE])), Err(ErrorCode::Forbidden));
    let over = log.wants(bo(), vec![TAKE_OVER]).expect("on purpose");
    assert_eq!(over, vec![Event::ClaimTaken { by: bo().person(), until, from: Some(ana().person()) }]);
    assert_eq!(log.wants(bo(), vec![RELEASE]), Ok(vec![Event::ClaimReleased { by: bo().person() }]));
    assert_eq!(log.wants(bo(), vec![RELEASE]), Ok(vec![Event::NothingChanged {}]), "nobody has it");
}

#[test]
fn a_lease_runs_out_once_and_only_the_one_that_is_meant() {
    let mut log = Log::created();
    log.wants(ana(), vec![TAKE]).expect("free");
    let since = log.state().claim.as_ref().expect("taken").since;
    log.now = log.now + LEASE;
    log.wants(bo(), vec![TAKE_OVER]).expect("on purpose");
    assert_eq!(log.wants(ana(), vec![Step::ExpireClaim { since }]), Ok(vec![Event::NothingChanged {}]), "hers is gone");
    let since = log.state().claim.as_ref().expect("taken").since;
    assert_eq!(log.wants(bo(), vec![Step::ExpireClaim { since }]), Ok(vec![Event::ClaimExpired { by: bo().person() }]));
    assert_eq!(log.events.last().map(|happened| happened.by.id), Some(None), "time did it");
    assert_eq!(holder(&log), None);
}

#[test]
fn who_is_not_the_holder_neither_replies_nor_moves_the_ticket_unless_insisting() {
    let mut log = Log::created();
    log.wants(ana(), vec![TAKE]).expect("free");
    let seq = log.state().seq;
    assert_eq!(code(log.wants(bo(), vec![public("b", Some(seq))])), Err(ErrorCode::Claimed));
    assert_eq!(code(log.wants(bo(), vec![status("in_progress", seq)])), Err(ErrorCode::Claimed));
    assert_eq!(code(log.wants(bo(), vec![held("b", seq, None)])), Err(ErrorCode::Claimed));
    assert_eq!(code(log.wants(bo(), vec![note(Some(seq))])), Ok(1), "notes are never refused");
    assert_eq!(code(log.wants(cleo(), vec![public("c", Some(1))])), Ok(1), "nor are customers");
    assert_eq!(code(log.wants(bo(), vec![public("b", Some(seq))])), Err(ErrorCode::Stale), "stale is judged first");
    let forced =
        Step::PostReply { body: "b".into(), audience: Audience::Public, based_on: None, force: true, mentions: vec![] };
    assert_eq!(kinds(&log.wants(bo(), vec![forced]).expect("insists")), ["reply_posted"]);
    assert_eq!(holder(&log), Some(ana().user), "hers stays");
    let seq = log.state().seq;
    let sent = log.wants(ana(), vec![public("a", Some(seq)), status("resolved", seq)]).expect("hers");
    assert_eq!(kinds(&sent), ["reply_posted", "claim_released", "status_changed"], "sending gives it up");
}

#[test]
fn a_held_reply_goes_out_once_with_everything_that_was_asked() {
    let mut log = Log::created();
    log.drafts = vec![draft("Dear Cleo", &[bo(), ana()])];
    let events = log.wants(ana(), vec![held("Dear Cleo", 1, Some("resolved"))]).expect("fresh");
    assert_eq!(kinds(&events), ["reply_held"]);
    assert_eq!(log.state().next_due(), Some(log.now + Duration::from_secs(8)));
    let held_key = log.state().held[0].key;
    log.drafts = vec![];
    let events = log.wants(ana(), vec![Step::ReleaseHeld { held_key }]).expect("by the hub");
    assert_eq!(kinds(&events), ["reply_posted", "status_changed"]);
    let Event::ReplyPosted { body, draft_authors, held_key: of, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((body.as_str(), *of), ("Dear Cleo", Some(held_key)));
    assert_eq!(draft_authors, &[bo().person(), ana().person()]);
    assert_eq!((log.state().held.len(), log.state().next_due()), (0, None));
    assert_eq!(log.wants(ana(), vec![Step::ReleaseHeld { held_key }]), Ok(vec![Event::NothingChanged {}]));
    assert_eq!(code(log.wants(ana(), vec![Step::CancelHeld { held_key }])), Err(ErrorCode::IllegalTransition));
}

#[test]
fn a_held_reply_that_was_overtaken_or_taken_back_is_a_draft_again() {
    type Meanwhile = fn(&mut Log);
    let cases: [(&str, Meanwhile, Option<ErrorCode>); 5] = [
        ("nothing", |_| {}, None),
        ("an answer", |log| drop(log.wants(bo(), vec![public("faster", Some(2))])), Some(ErrorCode::Stale)),
        ("a customer", |log| drop(log.wants(cleo(), vec![public("and", None)])), Some(ErrorCode::Stale)),
        ("a claim", |log| drop(log.wants(bo(), vec![TAKE])), Some(ErrorCode::Claimed)),
        ("its author left", |log| log.facts.staff.retain(|member| member.id != ana().user), Some(ErrorCode::Forbidden)),
    ];
    for (what, meanwhile, why) in cases {
        let mut log = Log::created();
        log.wants(ana(), vec![held("mine", 1, None)]).expect("fresh");
        meanwhile(&mut log);
        let held_key = log.state().held[0].key;
        let before = log.state().clone();
        let events = log.wants(ana(), vec![Step::ReleaseHeld { held_key }]).expect("by the hub");
        let Some(why) = why else {
            assert_eq!(kinds(&events), ["reply_posted"], "{what}");
            continue;
        };
        assert_eq!(events, vec![Event::HeldCancelled { held_key, why: Some(why) }], "{what}");
        let happened = log.events.last().expect("cancelled");
        let given_back = effects(Some(&before), happened);
        assert!(matches!(&given_back[..], [DraftEffect::GiveBack(of, text)] if of.user == ana().user && text.body == "mine"));
        let told = notices(Some(&before), happened);
        assert_eq!(told.iter().map(|notice| (notice.user, notice.reason)).collect::<Vec<_>>(), [(ana().user, Reason::NotSent)]);
    }
    let mut log = Log::created();
    log.wants(ana(), vec![held("mine", 1, None)]).expect("fresh");
    let held_key = log.state().held[0].key;
    assert_eq!(code(log.wants(bo(), vec![Step::CancelHeld { held_key }])), Err(ErrorCode::Forbidden));
    assert_eq!(log.wants(ana(), vec![Step::CancelHeld { held_key }]), Ok(vec![Event::HeldCancelled { held_key, why: None }]));
    assert_eq!(notices(None, log.events.last().expect("cancelled")), vec![], "she did it herself");
}

#[test]
fn customers_hold_nothing_back_and_a_move_that_cannot_be_made_is_said_at_once() {
    let mut log = Log::created();
    assert_eq!(code(log.wants(cleo(), vec![held("c", 1, None)])), Err(ErrorCode::Invalid));
    assert_eq!(code(log.wants(ana(), vec![held("a", 1, Some("nowhere"))])), Err(ErrorCode::Invalid));
    log.wants(ana(), vec![status("closed", 1)]).expect("allowed");
    assert_eq!(code(log.wants(ana(), vec![held("a", 2, Some("resolved"))])), Err(ErrorCode::IllegalTransition));
}

#[test]
fn a_handover_assigns_moves_the_claim_and_carries_the_draft_until_it_is_acknowledged() {
    let mut log = Log::created();
    log.wants(ana(), vec![TAKE]).expect("free");
    log.drafts = vec![draft("Dear Cleo", &[ana()])];
    let before = log.state().clone();
    let events = log.wants(ana(), vec![hand_to(&bo(), true)]).expect("allowed");
    assert_eq!(kinds(&events), ["handed_over", "assigned", "claim_taken"]);
    assert_eq!((holder(&log), log.state().assignee_id), (Some(bo().user), Some(bo().user)));
    let spent = effects(Some(&before), &log.events[log.events.len() - 3]);
    assert!(
        matches!(&spent[..], [DraftEffect::HandOver(of, text)] if of.user == ana().user && text == "Dear Cleo"),
        "{spent:?}"
    );
    assert_eq!(told(&log, &before, 3), [(bo().user, Reason::HandedOver)], "once, although it was assigned as well");
    log.drafts = vec![];
    let pinned = log.state().handoff.clone().expect("pinned");
    assert_eq!((pinned.from, pinned.note.as_str()), (ana().person(), "She has called twice."));
    assert_eq!(code(log.wants(viewer(), vec![Step::AcknowledgeHandoff])), Err(ErrorCode::Forbidden));
    let before = log.state().clone();
    assert_eq!(log.wants(bo(), vec![Step::AcknowledgeHandoff]), Ok(vec![Event::HandoffAcknowledged {}]));
    let given = effects(Some(&before), log.events.last().expect("acknowledged"));
    assert!(matches!(&given[..], [DraftEffect::GiveBack(of, text)] if of.user == bo().user && text.body == "Dear Cleo"));
    assert_eq!(log.wants(bo(), vec![Step::AcknowledgeHandoff]), Ok(vec![Event::NothingChanged {}]));
}

#[test]
fn a_second_handover_keeps_the_text_of_the_first() {
    let mut log = Log::created();
    log.drafts = vec![draft("first", &[ana()])];
    log.wants(ana(), vec![hand_to(&bo(), true)]).expect("allowed");
    log.drafts = vec![draft("second", &[bo()])];
    log.wants(bo(), vec![hand_to(&ana(), true)]).expect("allowed");
    let handoff = log.state().handoff.clone().expect("pinned");
    let draft = handoff.draft.expect("came along");
    assert_eq!((draft.body.as_str(), draft.authors), ("first\n\nsecond", vec![ana().person(), bo().person()]));
}

/// What is held and what came along are part of the ticket, and the ticket has to fit into one message.
#[test]
fn what_is_held_back_and_what_comes_along_have_their_bounds_and_lists_show_neither() {
    let mut log = Log::created();
    let half = "x".repeat(MAX_BODY_BYTES);
    for _ in 0..2 {
        log.wants(ana(), vec![held(&half, 1, None)]).expect("room");
    }
    assert_eq!(code(log.wants(bo(), vec![held("one more", 1, None)])), Err(ErrorCode::LimitReached));
    let held_key = log.state().held[0].key;
    log.wants(ana(), vec![Step::CancelHeld { held_key }]).expect("hers");
    log.wants(bo(), vec![held("one more", 1, None)]).expect("room again");

    log.drafts = vec![draft(&half, &[ana()])];
    log.wants(ana(), vec![hand_to(&bo(), true)]).expect("room");
    log.drafts = vec![draft(&half, &[bo()])];
    assert_eq!(code(log.wants(bo(), vec![hand_to(&ana(), true)])), Err(ErrorCode::LimitReached), "and its text stays a draft");
    log.wants(bo(), vec![hand_to(&ana(), false)]).expect("without it");
    let mut row = log.state().clone();
    row.cut_for_lists();
    let handoff = row.handoff.expect("pinned");
    assert_eq!((row.held, handoff.draft, handoff.note.is_empty()), (vec![], None, false));
}

#[test]
fn a_team_takes_up_what_is_handed_to_it_by_whoever_acknowledges() {
    let mut log = Log::created();
    let team = log.facts.teams[0].0;
    let to_team = |team| Step::HandOver { to_id: None, to_team_id: Some(team), note: "n".into(), with_draft: false };
    assert_eq!(code(log.wants(ana(), vec![to_team(TeamId::new(Uuid::from_u128(555)))])), Err(ErrorCode::Invalid));
    assert_eq!(code(log.wants(ana(), vec![hand_to(&ana(), false)])), Err(ErrorCode::Invalid), "to oneself");
    assert_eq!(code(log.wants(ana(), vec![hand_to(&viewer(), false)])), Err(ErrorCode::Invalid), "who does not work");
    log.wants(ana(), vec![TAKE]).expect("free");
    let events = log.wants(ana(), vec![to_team(team)]).expect("allowed");
    assert_eq!(kinds(&events), ["handed_over", "assigned", "claim_released"]);
    let events = log.wants(bo(), vec![Step::AcknowledgeHandoff]).expect("of the team");
    assert_eq!(events[1], Event::Assigned { assignee_id: Some(bo().user), team_id: Some(team) });
}

#[test]
fn those_who_follow_are_told_once() {
    let mut log = Log::created();
    log.wants(bo(), vec![Step::Watch { on: true }]).expect("allowed");
    assert_eq!(log.wants(bo(), vec![Step::Watch { on: true }]), Ok(vec![Event::NothingChanged {}]));
    assert_eq!(code(log.wants(cleo(), vec![Step::Watch { on: true }])), Err(ErrorCode::Forbidden));
    let before = log.state().clone();
    log.wants(ana(), vec![note(None)]).expect("allowed");
    assert_eq!(told(&log, &before, 1), [(bo().user, Reason::Watched)]);
    let give = Step::Assign { assignee_id: Patch::Set(bo().user), team_id: Patch::Keep };
    log.wants(ana(), vec![give]).expect("allowed");
    let before = log.state().clone();
    log.wants(ana(), vec![note(None)]).expect("allowed");
    assert_eq!(told(&log, &before, 1), [(bo().user, Reason::Replied)], "it is his: never twice");
    log.wants(bo(), vec![Step::Watch { on: false }]).expect("allowed");
    assert_eq!(log.state().watchers, []);
}

/// Who was told by the last `count` events.
fn told(log: &Log, before: &TicketState, count: usize) -> Vec<(UserId, Reason)> {
    let mut state = Some(before.clone());
    let mut told = Vec::new();
    for (happened, link) in log.events.iter().zip(&log.links).skip(log.events.len() - count) {
        told.extend(notices(state.as_ref(), happened).into_iter().map(|notice| (notice.user, notice.reason)));
        state = TicketState::replay(state, [(happened, link.hash)]);
    }
    told
}

/// What somebody does, and how the clock goes on.
#[derive(Clone, Debug)]
enum Deed {
    Take {
        over: bool,
    },
    Release {
        force: bool,
    },
    Reply {
        sees_all: bool,
        force: bool,
    },
    Move {
        force: bool,
    },
    Note,
    HandTo(u8),
    Hold,
    CancelHeld,
    ReleaseHeld,
    /// The hub ends a lease: the present one, or one of before.
    Expire {
        present: bool,
    },
    Acknowledge,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        any::<bool>().prop_map(|over| Deed::Take { over }),
        any::<bool>().prop_map(|force| Deed::Release { force }),
        any::<(bool, bool)>().prop_map(|(sees_all, force)| Deed::Reply { sees_all, force }),
        any::<bool>().prop_map(|force| Deed::Move { force }),
        Just(Deed::Note),
        (0_u8..3).prop_map(Deed::HandTo),
        Just(Deed::Hold),
        Just(Deed::CancelHeld),
        Just(Deed::ReleaseHeld),
        any::<bool>().prop_map(|present| Deed::Expire { present }),
        Just(Deed::Acknowledge),
    ]
}

fn somebody(n: u8) -> Asker {
    match n {
        0 => ana(),
        1 => bo(),
        _ => cleo(),
    }
}

/// Follows the log by itself: who holds the claim at every point of it.
#[derive(Default)]
struct Witness {
    holder: Option<PersonRef>,
    held: Vec<(CommandKey, String)>,
}

impl Witness {
    fn see(&mut self, happened: &Happened) -> Result<(), TestCaseError> {
        match &happened.event {
            Event::ClaimTaken { by, from, .. } => {
                prop_assert_eq!(from, &self.holder, "taken from somebody who does not have it");
                prop_assert_ne!(Some(by), self.holder.as_ref());
                self.holder = Some(by.clone());
            }
            Event::ClaimReleased { by } | Event::ClaimExpired { by } => {
                let ended = self.holder.take();
                prop_assert_eq!(Some(by), ended.as_ref(), "ended although somebody else has it");
            }
            Event::ReplyHeld { body, .. } => self.held.push((happened.key.expect("a key"), body.clone())),
            Event::ReplyPosted { held_key: Some(key), body, .. } => {
                let at = self.held.iter().position(|(held, _)| held == key);
                prop_assert_eq!(&self.held.remove(at.expect("held")).1, body);
            }
            Event::HeldCancelled { held_key, .. } => {
                let at = self.held.iter().position(|(held, _)| held == held_key);
                self.held.remove(at.expect("ends once"));
            }
            _ => {}
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is taken, renewed by taking it again, taken over, left, expired, handed over, held and sent, in whatever order:
    /// at every point of the log at most one holder, each held reply ends once with its text, and no reply or move of staff
    /// passes somebody else's claim unless it insists.
    #[test]
    fn any_interleaving_keeps_one_holder_and_every_text(deeds in prop::collection::vec((0_u8..3, any_deed(), 0_i64..100_000), 1..60)) {
        let mut log = Log::created();
        let (mut witness, mut seen, mut leases) = (Witness::default(), 0, vec![]);
        for (who, deed, passed_ms) in deeds {
            let by = somebody(who);
            let (seq, first_held) = (log.state().seq, log.state().held.first().map(|held| (held.key, held.by.id)));
            let before = log.state().clone();
            log.drafts = vec![draft("words", std::slice::from_ref(&by))];
            let (by, step) = match deed {
                Deed::Take { over } => (by, Step::TakeClaim { force: over }),
                Deed::Release { force } => (by, Step::ReleaseClaim { force }),
                Deed::Reply { sees_all, force } => {
                    let based_on = Some(if sees_all { if who == 2 { before.thread_seq } else { seq } } else { 1 });
                    (by, Step::PostReply { body: "r".into(), audience: Audience::Public, based_on, force, mentions: vec![] })
                }
                Deed::Move { force } => {
                    let to = if before.status == "open" { "in_progress" } else { "open" };
                    (by, Step::ChangeStatus { status: to.into(), based_on: Some(seq), note: None, force })
                }
                Deed::Note => (by, note(None)),
                Deed::HandTo(whom) => (by, hand_to(&somebody(whom), true)),
                Deed::Hold => (by, held(&format!("text {seq}"), seq, None)),
                Deed::CancelHeld => (by, Step::CancelHeld { held_key: first_held.map_or(key(0), |(key, _)| key) }),
                Deed::ReleaseHeld => {
                    let by = first_held.map_or(by, |(_, author)| if author == bo().user { bo() } else { ana() });
                    (by, Step::ReleaseHeld { held_key: first_held.map_or(key(0), |(key, _)| key) })
                }
                Deed::Expire { present } => {
                    let since = if present { before.claim.as_ref().map(|claim| claim.since) } else { leases.first().copied() };
                    (by, Step::ExpireClaim { since: since.unwrap_or(log.now) })
                }
                Deed::Acknowledge => (by, Step::AcknowledgeHandoff),
            };
            let is_public_deed = matches!(step, Step::PostReply { .. } | Step::ChangeStatus { .. } | Step::HoldReply { .. })
                && !matches!(step, Step::PostReply { audience: Audience::Internal, .. });
            let insists = matches!(step, Step::PostReply { force: true, .. } | Step::ChangeStatus { force: true, .. });
            let result = log.wants(by.clone(), vec![step]);
            let is_claimed = before.claim.as_ref().is_some_and(|claim| claim.by.id != by.user);
            if is_public_deed && is_claimed && !insists && by.user != cleo().user {
                prop_assert!(result.is_err(), "passed a claim: {:?}", result);
            }
            for happened in &log.events[seen..] {
                witness.see(happened)?;
            }
            seen = log.events.len();
            leases.extend(log.state().claim.as_ref().map(|claim| claim.since));
            prop_assert_eq!(log.state().claim.as_ref().map(|claim| &claim.by), witness.holder.as_ref());
            let held: Vec<_> = log.state().held.iter().map(|held| (held.key, held.body.clone())).collect();
            prop_assert_eq!(&held, &witness.held);
            log.now = log.now + Duration::from_millis(passed_ms.unsigned_abs());
        }
        // A crash forgets all that is not in the log: the ticket that is read back is the same.
        let stored = serde_json::to_value(log.state()).expect("JSON");
        prop_assert_eq!(&serde_json::from_value::<TicketState>(stored).expect("JSON"), log.state());
    }
}
