//! The oracle against made-up runs: a run that keeps its promises is never blamed, an injected fault always is.

use std::sync::Arc;

use hub_core::ids::{CommandKey, StreamId, UserId};
use hub_core::wire::ErrorCode;
use proptest::prelude::*;
use uuid::Uuid;

use super::history::{Answer, Command, Fact, History, Step, Tail, TicketHistory, View, What};
use super::made_up::{CLIENTS, Deed, run};
use super::{Fault, judge};

fn deed() -> impl Strategy<Value = Deed> {
    let who = 0..CLIENTS;
    prop_oneof![
        4 => (who.clone(), any::<bool>(), any::<bool>()).prop_map(|(who, note, insists)| Deed::Post { who, note, insists }),
        4 => (who.clone(), 0_u64..4).prop_map(|(who, events)| Deed::Read { who, events }),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, done)| Deed::Cut { who, done }),
        2 => (who, any::<bool>()).prop_map(|(who, reset)| Deed::Return { who, reset }),
    ]
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    prop::collection::vec(deed(), 0..60)
}

/// Enough of everything, so that every fault finds its place: replies seen live, refusals, notes, cuts, returns.
fn eventful() -> impl Strategy<Value = Vec<Deed>> {
    let post = |who, note| Deed::Post { who, note, insists: false };
    let read = |who| Deed::Read { who, events: 9 };
    let all: Vec<Deed> = (0..CLIENTS).map(read).collect();
    let fixed = [
        vec![post(0, false), post(1, false), post(3, false)],
        all.clone(),
        vec![post(0, true), post(1, false), post(0, false), post(3, false), post(1, true)],
        all.clone(),
        vec![Deed::Cut { who: 1, done: true }, post(3, false), Deed::Return { who: 1, reset: false }],
        all,
    ]
    .concat();
    (deeds(), deeds()).prop_map(move |(before, after)| {
        [before, (0..CLIENTS).map(|who| Deed::Return { who, reset: false }).collect(), fixed.clone(), after].concat()
    })
}

fn faults(history: &History) -> Vec<Fault> {
    judge(history).into_iter().map(|breach| breach.fault).collect()
}

fn ticket(history: &mut History) -> &mut TicketHistory {
    &mut history.tickets[0]
}

/// Somewhere in `0..len`, chosen by `at`.
fn pick(at: usize, len: usize) -> usize {
    assert!(len > 0, "the made-up run has no place for this fault");
    at % len
}

/// The places of `event` frames of one client, the `at`-th client that has at least `least` in a row.
fn live_run(ticket: &TicketHistory, at: usize, least: usize) -> (usize, Vec<usize>) {
    let runs: Vec<(usize, Vec<usize>)> = ticket
        .clients
        .iter()
        .enumerate()
        .flat_map(|(who, client)| {
            let is_event: Vec<bool> = client.steps.iter().map(|step| matches!(step, Step::Event { .. })).collect();
            (0..is_event.len().saturating_sub(least - 1))
                .filter(move |start| is_event[*start..*start + least].iter().all(|is| *is))
                .map(move |start| (who, (start..start + least).collect()))
                .collect::<Vec<_>>()
        })
        .collect();
    runs[pick(at, runs.len())].clone()
}

/// Changes the `at`-th command that passes.
fn change_command(history: &mut History, at: usize, pass: impl Fn(View, &Command) -> bool, change: impl FnOnce(&mut Command)) {
    let clients = &mut ticket(history).clients;
    let mut fitting: Vec<&mut Command> = clients
        .iter_mut()
        .flat_map(|client| client.commands.iter_mut().map(|command| (client.view, command)))
        .filter(|(view, command)| pass(*view, command))
        .map(|(_, command)| command)
        .collect();
    let len = fitting.len();
    change(fitting.swap_remove(pick(at, len)));
}

fn is_acked(command: &Command) -> bool {
    command.ack().is_some()
}

fn was_stale(command: &Command) -> bool {
    matches!(command.attempts[0].answer, Answer::Refused { code: ErrorCode::Stale, .. })
}

/// The log and thread without the event of `key`, numbered anew.
fn forget(ticket: &mut TicketHistory, key: CommandKey) {
    let renumber = |log: &mut Vec<Arc<Fact>>| {
        log.retain(|fact| fact.key != Some(key));
        for (seq, fact) in (1..).zip(log.iter_mut()) {
            Arc::make_mut(fact).seq = seq;
        }
    };
    renumber(&mut ticket.log);
    ticket.thread.iter_mut().for_each(renumber);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_keeps_its_promises_is_never_blamed(deeds in deeds()) {
        prop_assert_eq!(judge(&run(&deeds)), vec![]);
    }

    #[test]
    fn an_eventful_run_that_keeps_its_promises_is_never_blamed(deeds in eventful()) {
        prop_assert_eq!(judge(&run(&deeds)), vec![]);
    }

    #[test]
    fn a_lost_event_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let (who, places) = live_run(ticket(&mut history), at, 2);
        ticket(&mut history).clients[who].steps.remove(places[0]);
        prop_assert!(faults(&history).iter().any(|f| matches!(f, Fault::Gap { .. } | Fault::TailNotExact)), "{:?}", faults(&history));
    }

    #[test]
    fn events_lost_at_the_end_are_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let clients = &mut ticket(&mut history).clients;
        let who = pick(at, clients.len());
        clients[who].steps.truncate(1);
        prop_assert!(faults(&history).iter().any(|f| matches!(f, Fault::Behind { .. })), "{:?}", faults(&history));
    }

    #[test]
    fn a_doubled_event_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let (who, places) = live_run(ticket(&mut history), at, 1);
        let steps = &mut ticket(&mut history).clients[who].steps;
        let again = steps[places[0]].clone();
        steps.insert(places[0], again);
        prop_assert_eq!(faults(&history), vec![Fault::Doubled]);
    }

    #[test]
    fn swapped_events_are_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let (who, places) = live_run(ticket(&mut history), at, 2);
        ticket(&mut history).clients[who].steps.swap(places[0], places[1]);
        prop_assert!(faults(&history).contains(&Fault::Reordered));
    }

    #[test]
    fn other_words_for_one_client_are_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let (who, places) = live_run(ticket(&mut history), at, 1);
        let Step::Event { fact, .. } = &mut ticket(&mut history).clients[who].steps[places[0]] else { unreachable!() };
        Arc::make_mut(fact).digest ^= 1;
        prop_assert_eq!(faults(&history), vec![Fault::Differs]);
    }

    #[test]
    fn a_wrong_number_in_an_ack_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| is_acked(c), |command| {
            for attempt in &mut command.attempts {
                if let Answer::Acked { seq: Some(seq), .. } = &mut attempt.answer { *seq += 1 }
            }
        });
        prop_assert!(faults(&history).iter().any(|f| matches!(f, Fault::AckSeqWrong { .. })), "{:?}", faults(&history));
    }

    #[test]
    fn an_ack_without_a_number_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| is_acked(c), |command| {
            for attempt in &mut command.attempts {
                if let Answer::Acked { seq, .. } = &mut attempt.answer { *seq = None }
            }
        });
        prop_assert_eq!(faults(&history), vec![Fault::AckWithoutSeq]);
    }

    #[test]
    fn another_ack_for_a_repeat_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| is_acked(c), |command| {
            let mut again = command.attempts.last().expect("acked").clone();
            if let Answer::Acked { seq: Some(seq), .. } = &mut again.answer { *seq += 1 }
            command.attempts.push(again);
        });
        prop_assert_eq!(faults(&history), vec![Fault::AcksDiffer]);
    }

    #[test]
    fn an_acked_event_that_the_log_lost_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let mut lost = None;
        change_command(&mut history, at, |_, c| is_acked(c), |command| lost = Some(command.key));
        forget(ticket(&mut history), lost.expect("chosen"));
        prop_assert!(faults(&history).contains(&Fault::AckedButLost));
    }

    #[test]
    fn a_key_with_two_events_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let keys: Vec<CommandKey> = ticket(&mut history).log.iter().filter_map(|fact| fact.key).collect();
        let (first, second) = (keys[pick(at, keys.len() - 1)], keys[keys.len() - 1]);
        for fact in &mut ticket(&mut history).log {
            if fact.key == Some(second) { Arc::make_mut(fact).key = Some(first) }
        }
        prop_assert!(faults(&history).contains(&Fault::KeyTwice));
    }

    #[test]
    fn an_event_nobody_sent_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let mut forgotten = None;
        change_command(&mut history, at, |_, c| is_acked(c), |command| forgotten = Some(command.key));
        for client in &mut ticket(&mut history).clients {
            client.commands.retain(|command| Some(command.key) != forgotten);
        }
        prop_assert_eq!(faults(&history), vec![Fault::NobodySentIt]);
    }

    #[test]
    fn words_under_somebody_elses_name_are_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| is_acked(c), |command| command.body ^= 1);
        prop_assert_eq!(faults(&history), vec![Fault::ContentChanged]);
    }

    #[test]
    fn a_note_shown_to_the_customer_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let ticket = ticket(&mut history);
        let notes: Vec<Arc<Fact>> = ticket.log.iter().filter(|fact| !fact.is_public()).cloned().collect();
        let note = Arc::clone(&notes[pick(at, notes.len())]);
        ticket.clients[CLIENTS - 1].steps.push(Step::Event { fact: note, at_us: 9 });
        prop_assert!(faults(&history).contains(&Fault::InternalShown));
    }

    #[test]
    fn a_note_in_the_thread_itself_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let thread = ticket(&mut history).thread.as_mut().expect("a customer took part");
        let place = pick(at, thread.len());
        Arc::make_mut(&mut thread[place]).what = What::Note { body: 0 };
        prop_assert!(faults(&history).contains(&Fault::InternalShown));
    }

    #[test]
    fn a_thread_that_is_not_the_public_part_is_found(deeds in eventful()) {
        let mut history = run(&deeds);
        let ticket = ticket(&mut history);
        ticket.thread.as_mut().expect("a customer took part").pop();
        ticket.heads.thread_after -= 1;
        prop_assert!(faults(&history).contains(&Fault::ThreadDiffers));
    }

    #[test]
    fn a_blind_reply_that_passed_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        // The refusal that stopped it is forgotten, and the ack stands with what had been seen at first.
        change_command(&mut history, at, |_, c| was_stale(c) && is_acked(c), |command| {
            let based_on = command.attempts[0].based_on;
            let mut passed = command.attempts.pop().expect("acked");
            passed.based_on = based_on;
            passed.force = false;
            command.attempts = vec![passed];
        });
        prop_assert!(faults(&history).iter().any(|f| matches!(f, Fault::BlindReply { .. })), "{:?}", faults(&history));
    }

    #[test]
    fn a_refusal_without_cause_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| was_stale(c), |command| {
            command.attempts[0].answer = Answer::Refused { code: ErrorCode::Stale, events: Some(vec![]) };
        });
        prop_assert_eq!(faults(&history), vec![Fault::StaleWithoutCause]);
    }

    #[test]
    fn wrong_events_in_a_refusal_are_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| was_stale(c), |command| {
            let Answer::Refused { events: Some(events), .. } = &mut command.attempts[0].answer else { unreachable!() };
            Arc::make_mut(&mut events[0]).digest ^= 1;
        });
        prop_assert_eq!(faults(&history), vec![Fault::StaleEventsWrong]);
    }

    #[test]
    fn a_customer_or_note_refused_as_stale_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |view, c| is_acked(c) && (view == View::Thread || c.is_note), |command| {
            let mut refused = command.attempts[0].clone();
            refused.answer = Answer::Refused { code: ErrorCode::Stale, events: None };
            command.attempts.insert(0, refused);
        });
        prop_assert_eq!(faults(&history), vec![Fault::NeverRefusedRefused]);
    }

    #[test]
    fn a_lie_about_what_was_missed_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |view, c| is_acked(c) && (view == View::Thread || c.is_note), |command| {
            let last = command.attempts.last_mut().expect("acked");
            if let Answer::Acked { missed, .. } = &mut last.answer { *missed = !*missed }
        });
        prop_assert_eq!(faults(&history), vec![Fault::MissedWrong]);
    }

    #[test]
    fn an_effect_after_a_refusal_is_found(deeds in eventful(), at in 0_usize..1000, lost_first in any::<bool>()) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| is_acked(c), |command| {
            let mut lost = command.attempts.last().expect("acked").clone();
            (lost.sent_us, lost.answer) = (command.attempts[0].sent_us, Answer::Lost);
            let mut refused = lost.clone();
            refused.answer = Answer::Refused { code: ErrorCode::Invalid, events: None };
            command.attempts = if lost_first { vec![lost, refused] } else { vec![refused] };
        });
        prop_assert_eq!(faults(&history), vec![Fault::RefusedButDone(ErrorCode::Invalid)]);
    }

    #[test]
    fn a_command_without_an_answer_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| is_acked(c), |command| {
            command.attempts.last_mut().expect("acked").answer = Answer::Open;
        });
        prop_assert_eq!(faults(&history), vec![Fault::NoAnswer]);
    }

    #[test]
    fn an_unanswered_command_may_have_had_its_effect_or_not(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_command(&mut history, at, |_, c| is_acked(c), |command| {
            command.attempts.last_mut().expect("acked").answer = Answer::Lost;
        });
        prop_assert_eq!(faults(&history), vec![]);
    }

    #[test]
    fn time_that_goes_back_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let log = &mut ticket(&mut history).log;
        let place = 1 + pick(at, log.len() - 1);
        let before = log[place - 1].at_ms;
        Arc::make_mut(&mut log[place]).at_ms = before - 1;
        prop_assert!(faults(&history).contains(&Fault::TimeWentBack));
    }

    #[test]
    fn a_tail_that_leaves_something_out_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_tail(&mut history, at, |tail| { tail.events.remove(0); });
        prop_assert!(faults(&history).contains(&Fault::TailNotExact));
    }

    #[test]
    fn a_hub_that_forgot_is_found(deeds in eventful()) {
        let mut history = run(&deeds);
        let ticket = ticket(&mut history);
        let forgetful = ticket.log.iter().take(2).cloned().collect();
        let stream = StreamId::new(Uuid::from_u128(77));
        ticket.clients[0].steps.push(Step::Reset(Box::new(Tail { stream, seq: 2, events: forgetful, at_us: 9 })));
        let found = faults(&history);
        prop_assert!(found.contains(&Fault::WentBack) && found.iter().any(|f| matches!(f, Fault::Behind { .. })), "{found:?}");
    }

    #[test]
    fn another_stream_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        change_tail(&mut history, at, |tail| tail.stream = StreamId::new(Uuid::from_u128(78)));
        prop_assert!(faults(&history).contains(&Fault::StreamChanged));
    }

    #[test]
    fn a_log_that_turns_the_order_round_is_found(deeds in eventful(), at in 0_usize..1000) {
        let mut history = run(&deeds);
        let seq_of = |c: &Command| c.ack().and_then(|(_, seq, _)| seq);
        let agents = ticket(&mut history).clients.iter().filter(|client| client.view == View::Ticket);
        let last = agents.flat_map(|client| &client.commands).filter_map(seq_of).max();
        // If one believes its sender, it was sent after the last one was acked.
        change_command(&mut history, at, |view, c| view == View::Ticket && is_acked(c) && seq_of(c) < last, |command| {
            for attempt in &mut command.attempts { attempt.sent_us = 1_000_000 }
        });
        prop_assert!(faults(&history).iter().any(|f| matches!(f, Fault::OrderBroken { .. })), "{:?}", faults(&history));
    }
}

/// Changes the `at`-th answer with a tail that is not empty.
fn change_tail(history: &mut History, at: usize, change: impl FnOnce(&mut Tail)) {
    let mut tails: Vec<&mut Box<Tail>> = ticket(history)
        .clients
        .iter_mut()
        .flat_map(|client| &mut client.steps)
        .filter_map(|step| match step {
            Step::Tail(tail) if !tail.events.is_empty() => Some(tail),
            Step::Event { .. } | Step::Tail(_) | Step::Reset(_) | Step::Ended(_) => None,
        })
        .collect();
    let len = tails.len();
    change(tails.swap_remove(pick(at, len)));
}

#[test]
fn a_subscription_that_the_hub_ended_is_found() {
    let mut history = run(&[]);
    ticket(&mut history).clients[1].steps.push(Step::Ended(ErrorCode::NotFound));
    assert_eq!(faults(&history), vec![Fault::Ended(ErrorCode::NotFound)]);
}

#[test]
fn a_frame_that_makes_no_sense_is_told() {
    let mut history = run(&[]);
    ticket(&mut history).clients[1].oddities.push("a second answer to request 3".into());
    assert_eq!(faults(&history), vec![Fault::Odd("a second answer to request 3".into())]);
}

#[test]
fn a_breach_names_ticket_number_key_and_user() {
    let mut history = run(&[Deed::Post { who: 0, note: false, insists: false }]);
    ticket(&mut history).clients[0].commands[0].body ^= 1;
    let breach = judge(&history).pop().expect("found").to_string();
    let user = UserId::new(Uuid::from_u128(1)).to_string();
    for part in ["ticket:00000000-0000-0000-0000-000000000005", "seq 2", "key 00000000-0000-0000-0000-0000000003e9", &user] {
        assert!(breach.contains(part), "{breach}");
    }
}
