//! The rules of a ticket: as tables where the product says so, as properties where it must always hold.
#![cfg(feature = "testing")]

mod log;

use hub_core::ids::{TeamId, UserId};
use hub_core::rules::audit::{GENESIS, verify};
use hub_core::rules::intent::{Asker, Intent, Refusal, Step};
use hub_core::rules::permissions::Role;
use hub_core::rules::record::Happened;
use hub_core::rules::stale::Numbering;
use hub_core::rules::ticket::TicketState;
use hub_core::rules::workflow::Workflow;
use hub_core::testing::{asker, create, key};
use hub_core::time::UnixMs;
use hub_core::wire::{Audience, ErrorCode, Event, FieldPatches, Patch, Priority};
use proptest::prelude::*;
use uuid::Uuid;

use log::{Log, ana, bo, cleo, code, fields, note, public, status, viewer};

#[test]
fn a_reply_is_refused_when_somebody_else_was_faster_and_only_then() {
    let mut log = Log::created();
    assert_eq!(code(log.wants(ana(), vec![public("a", Some(1))])), Ok(1));
    assert_eq!(code(log.wants(bo(), vec![public("b", Some(1))])), Err(ErrorCode::Stale));
    assert_eq!(code(log.wants(bo(), vec![status("in_progress", 1)])), Err(ErrorCode::Stale));
    assert_eq!(code(log.wants(ana(), vec![public("own words do not count", Some(1))])), Ok(1));
    assert_eq!(code(log.wants(bo(), vec![note(Some(1))])), Ok(1));
    assert_eq!(code(log.wants(ana(), vec![public("nor do notes", Some(3))])), Ok(1));
    assert_eq!(code(log.wants(bo(), vec![public("b", Some(5))])), Ok(1));
    assert_eq!(code(log.wants(cleo(), vec![public("customers are never refused", Some(1))])), Ok(1));
    assert_eq!(code(log.wants(bo(), vec![public("but count", Some(6))])), Err(ErrorCode::Stale));
    let forced =
        Step::PostReply { body: "b".into(), audience: Audience::Public, based_on: None, force: true, mentions: vec![] };
    assert_eq!(code(log.wants(bo(), vec![forced])), Ok(1));
    let last = log.events.last().expect("the forced one");
    assert!(matches!(last.event, Event::ReplyPosted { forced: Some(true), .. }));
}

#[test]
fn notes_and_customers_are_told_what_they_missed() {
    let mut log = Log::created();
    log.wants(ana(), vec![public("a", Some(1))]).expect("not stale");
    for (by, steps) in [(bo(), vec![note(Some(1))]), (cleo(), vec![public("c", Some(1))])] {
        let events = log.wants(by, steps).expect("never refused");
        assert!(matches!(events[0], Event::ReplyPosted { missed: Some(true), .. }), "{events:?}");
    }
}

#[test]
fn form_is_judged_before_existence_existence_before_rights_rights_before_state() {
    let blind = vec![public("a", None)];
    let mut nothing = Log::empty();
    assert_eq!(code(nothing.wants(ana(), blind.clone())), Err(ErrorCode::Invalid));
    assert_eq!(code(nothing.wants(ana(), vec![public("a", Some(0))])), Err(ErrorCode::NotFound));
    let mut log = Log::created();
    assert_eq!(code(log.wants(asker(Role::Customer, 77), blind.clone())), Err(ErrorCode::NotFound));
    assert_eq!(code(log.wants(asker(Role::PlatformAdmin, 78), vec![note(None)])), Err(ErrorCode::NotFound));
    assert_eq!(code(log.wants(viewer(), vec![public("a", Some(99))])), Err(ErrorCode::Forbidden));
    assert_eq!(code(log.wants(cleo(), vec![note(None)])), Err(ErrorCode::Forbidden));
    assert_eq!(code(log.wants(ana(), vec![public("a", Some(99))])), Err(ErrorCode::Invalid));
    assert_eq!(code(log.wants(cleo(), blind)), Ok(1));
}

#[test]
fn a_status_moves_as_the_workflow_allows_and_staying_changes_nothing() {
    let mut log = Log::created();
    assert_eq!(code(log.wants(ana(), vec![status("nowhere", 1)])), Err(ErrorCode::Invalid));
    assert_eq!(log.wants(ana(), vec![status("open", 1)]), Ok(vec![Event::NothingChanged {}]));
    assert_eq!(code(log.wants(ana(), vec![status("closed", 1)])), Ok(1));
    assert_eq!(code(log.wants(ana(), vec![status("resolved", 3)])), Err(ErrorCode::IllegalTransition));
    // A reply together with a status: both, or neither.
    let seq = log.state().seq;
    assert_eq!(
        code(log.wants(ana(), vec![public("a", Some(seq)), status("resolved", seq)])),
        Err(ErrorCode::IllegalTransition)
    );
    assert_eq!(log.state().seq, seq);
    assert_eq!(code(log.wants(ana(), vec![public("a", Some(seq)), status("open", seq)])), Ok(2));
}

#[test]
fn a_customer_who_writes_again_takes_up_what_was_done() {
    let mut log = Log::created();
    log.wants(ana(), vec![status("resolved", 1)]).expect("allowed");
    let events = log.wants(cleo(), vec![public("not yet", None)]).expect("never refused");
    let reopened = Event::StatusChanged { from: "resolved".into(), to: "open".into(), note: None, forced: None };
    assert_eq!(events[1], reopened);
    assert_eq!(code(log.wants(cleo(), vec![public("and more", None)])), Ok(1));
}

#[test]
fn tickets_are_given_only_to_those_who_work_on_them() {
    let mut log = Log::created();
    let give = |assignee_id, team_id| vec![Step::Assign { assignee_id, team_id }];
    let nobody = UserId::new(Uuid::from_u128(555));
    for wrong in [nobody, viewer().user, cleo().user] {
        assert_eq!(code(log.wants(ana(), give(Patch::Set(wrong), Patch::Keep))), Err(ErrorCode::Invalid));
    }
    let no_team = TeamId::new(Uuid::from_u128(555));
    assert_eq!(code(log.wants(ana(), give(Patch::Keep, Patch::Set(no_team)))), Err(ErrorCode::Invalid));
    let team = log.facts.teams[0].0;
    log.wants(ana(), give(Patch::Set(bo().user), Patch::Set(team))).expect("allowed");
    assert_eq!((log.state().assignee_id, log.state().team_id), (Some(bo().user), Some(team)));
    log.wants(ana(), give(Patch::Clear, Patch::Keep)).expect("allowed");
    assert_eq!((log.state().assignee_id, log.state().team_id), (None, Some(team)));
    assert_eq!(log.wants(ana(), give(Patch::Clear, Patch::Keep)), Ok(vec![Event::NothingChanged {}]));
}

#[test]
fn a_field_is_refused_only_where_that_field_changed_since() {
    let mut log = Log::created();
    let urgent = |p: &mut FieldPatches| p.priority = Patch::Set(Priority::P1);
    log.wants(ana(), vec![fields(1, urgent)]).expect("fresh");
    log.wants(bo(), vec![fields(1, |p| p.title = Patch::Set("Other".into()))]).expect("another field");
    log.wants(bo(), vec![fields(1, urgent)]).expect("what is so already is no conflict");
    let lower = vec![fields(1, |p| {
        p.priority = Patch::Set(Priority::P4);
        p.urgency = Patch::Set("high".into());
    })];
    let refused = log.wants(bo(), lower).expect_err("the priority changed since");
    assert_eq!(refused, Refusal::Stale { after: 1, fields: vec!["priority".into()] });
    assert_eq!(log.state().urgency, "normal");
    log.wants(bo(), vec![fields(4, |p| p.due_at = Patch::Set(UnixMs(5)))]).expect("fresh");
    log.wants(bo(), vec![fields(5, |p| p.due_at = Patch::Clear)]).expect("fresh");
    assert_eq!((log.state().due_at, log.state().priority), (None, Priority::P1));
    assert_eq!(code(log.wants(bo(), vec![fields(99, urgent)])), Err(ErrorCode::Invalid));
}

#[test]
fn an_intent_is_known_again_by_its_content_and_not_by_its_number() {
    let (a, b) = (create(key(1), cleo(), 7), create(key(1), cleo(), 8));
    assert_eq!(a.digest(), b.digest());
    let reply = |body: &str| Intent { key: key(1), by: ana(), steps: vec![public(body, Some(1))] };
    assert_ne!(reply("a").digest(), reply("b").digest());
}

/// Somebody wants something; positions are told as a share of the log.
fn any_want() -> impl Strategy<Value = (u8, u8, u8, bool)> {
    (0_u8..5, 0_u8..7, 0_u8..=10, any::<bool>())
}

fn somebody(n: u8) -> Asker {
    match n {
        0 => ana(),
        1 => bo(),
        2 => cleo(),
        3 => viewer(),
        _ => asker(Role::Customer, 77),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever people want, in whatever order: one history, without a gap, that replays to the same ticket and verifies;
    /// and no public reply or status change of staff that had not seen the last one by somebody else, unless forced.
    #[test]
    fn any_history_is_whole_and_never_blind(wants in prop::collection::vec(any_want(), 1..60), full: bool, steps_ms in 0_i64..50) {
        let mut log = Log::empty();
        if full { log.facts.workflow = Workflow::full(); }
        log.carry_out(&create(key(999), cleo(), 42)).expect("a customer opens a ticket");
        for (who, what, share, force) in wants {
            let by = somebody(who);
            let head = match by.numbering() { Numbering::Ticket => log.state().seq, Numbering::Thread => log.state().thread_seq };
            let based_on = head * u64::from(share) / 10;
            let statuses = log.facts.workflow.statuses.clone();
            let to = statuses[usize::from(what) * 3 % statuses.len()].id.clone();
            let step = match what {
                0 | 1 => Step::PostReply { body: format!("{what}"), audience: Audience::Public, based_on: Some(based_on), force, mentions: vec![] },
                2 => note(Some(based_on)),
                3 => Step::ChangeStatus { status: to, based_on: Some(based_on), note: None, force },
                4 => Step::Assign { assignee_id: if force { Patch::Set(bo().user) } else { Patch::Clear }, team_id: Patch::Keep },
                5 => fields(based_on, |p| p.priority = Patch::Set(if force { Priority::P1 } else { Priority::P2 })),
                _ => fields(based_on, |p| p.title = Patch::Set(format!("title {share}"))),
            };
            let is_blind_kind = matches!(step, Step::PostReply { audience: Audience::Public, .. } | Step::ChangeStatus { .. });
            let before = log.events.clone();
            let staff = by.role == Role::Agent;
            let result = log.wants(by.clone(), vec![step]);
            let missed_public = before.iter().any(|h| h.seq > based_on && h.by.id != Some(by.user) && matches!(
                h.event, Event::ReplyPosted { audience: Audience::Public, .. } | Event::StatusChanged { .. }));
            if staff && is_blind_kind && missed_public && !force {
                prop_assert!(result.is_err(), "a blind deed passed: {:?}", result);
            }
            if result.is_err() { prop_assert_eq!(&before, &log.events); }
            log.now = UnixMs(log.now.0 + steps_ms - 20);
        }
        let seqs: Vec<_> = log.events.iter().map(|h| h.seq).collect();
        prop_assert_eq!(&seqs, &(1..=seqs.len() as u64).collect::<Vec<_>>());
        let threads: Vec<_> = log.events.iter().filter_map(|h| h.thread_seq).collect();
        prop_assert_eq!(&threads, &(1..=threads.len() as u64).collect::<Vec<_>>());
        prop_assert!(log.events.windows(2).all(|pair| pair[0].at <= pair[1].at), "time went back");
        let state = log.state();
        prop_assert_eq!(verify(&log.links, state.seq, &state.head_hash), Ok(()));
        let opened: Vec<_> = log.links.iter().map(|l| {
            let private = l.private.as_ref().map(|(_, private)| private.as_slice());
            (Happened::open(&l.data, private).expect("own bytes"), l.hash)
        }).collect();
        let replayed = TicketState::replay(None, opened.iter().map(|(h, hash)| (h, *hash)));
        prop_assert_eq!(replayed.as_ref(), Some(state));
        let stored: TicketState = serde_json::from_value(serde_json::to_value(state).expect("JSON")).expect("JSON");
        prop_assert_eq!(&stored, state);
        prop_assert_ne!(state.head_hash, GENESIS);
    }
}
