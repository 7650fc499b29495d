//! More than a hub can take, in an open loop, and what comes after: how much it still accepts in time, what becomes of the rest,
//! and how long it takes until acks are as prompt as before.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::crew::Crew;
use super::verdict::{Figures, reach};
use super::{Outcome, Setup};
use crate::clock::{Clock, micros};
use crate::lag::LagMeter;
use crate::oracle::code_name;
use crate::oracle::history::{Answer, Command, History};
use crate::plan::Pace;
use crate::report::Spread;
use crate::report::own::{Overload as OverloadFigures, Own, Phase};
use crate::tally::Stretch;

/// Recovery is looked at in windows of this length, in microseconds.
const WINDOW_US: u64 = 500_000;
/// So many windows in a row must be prompt.
const IN_A_ROW: usize = 3;
/// As prompt as before: up to so many times as long …
const PROMPT_FACTOR: f64 = 1.5;
/// … or so many milliseconds longer.
const PROMPT_MORE_MS: f64 = 20.0;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Overload {
    /// How many times the rate.
    pub factor: f64,
    /// How long at the plain rate before.
    pub baseline: Duration,
    /// How long at the plain rate afterwards.
    pub recovery: Duration,
}

/// Runs at the setup's rate, for the setup's duration at a multiple of it, and at the rate again.
///
/// # Errors
/// In words, when the run cannot be done or not be judged.
pub async fn run(setup: &Setup, overload: Overload) -> anyhow::Result<Outcome> {
    let mut crew = Crew::assemble(setup, None).await?;
    let (lag, lever) = (LagMeter::start(), crew.lever());
    let parts = [
        ("baseline", setup.rate, setup.ramp, overload.baseline),
        ("overload", setup.rate * overload.factor, Duration::ZERO, setup.duration),
        ("recovery", setup.rate, Duration::ZERO, overload.recovery),
    ];
    let (mut phases, began) = (Vec::new(), Clock::start());
    let all = async {
        for (name, rate, ramp, duration) in parts {
            let (stretch, start_us) = (Arc::<Stretch>::default(), lever.now_us() + micros(ramp));
            crew.keep_pace(Pace { rate, ramp, duration: Some(duration) }, &stretch, |_| false).await?;
            phases.push(Part { name, rate, span_us: start_us..lever.now_us(), offered: stretch.offered.load(Relaxed) });
        }
        anyhow::Ok(())
    };
    let is_whole = tokio::select! {
        all = all => all.map(|()| true)?,
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| false)?,
    };
    let measured = Duration::from_micros(began.now_us()).saturating_sub(setup.ramp);
    let offered = phases.iter().map(|part| part.offered).sum();
    let mut outcome = reach(crew, lag, setup, Figures { offered, rate: setup.rate, measured, trials: vec![] }).await?;
    let figures = figures_of(&outcome.history, &phases, overload.factor, setup.patience.unwrap_or(Duration::MAX));
    match figures.recovered_after_ms {
        _ if !is_whole => outcome.unmet.push("the overload was interrupted".into()),
        Some(_) => {}
        None => {
            outcome.unmet.push(format!("acks were not as prompt as before within {:?} after the overload", overload.recovery))
        }
    }
    outcome.own = Some(Own::Overload(figures));
    Ok(outcome)
}

/// One part of the run.
struct Part {
    name: &'static str,
    rate: f64,
    /// What was due in this time belongs to it, in microseconds since the run began.
    span_us: Range<u64>,
    offered: u64,
}

fn figures_of(history: &History, parts: &[Part], factor: f64, patience: Duration) -> OverloadFigures {
    let clients = || history.tickets.iter().flat_map(|ticket| &ticket.clients);
    let due_in = |span: &Range<u64>| -> Vec<&Command> {
        clients().flat_map(|client| &client.commands).filter(|command| span.contains(&command.intended_us)).collect()
    };
    let phases: Vec<Phase> = parts.iter().map(|part| phase(part, &due_in(&part.span_us), micros(patience))).collect();
    let usual_ms = phases.first().map_or(0.0, |phase| phase.ack_ms.p99);
    let prompt_p99_ms = (usual_ms * PROMPT_FACTOR).max(usual_ms + PROMPT_MORE_MS);
    let recovery = parts.get(2).map(|part| (part, due_in(&part.span_us)));
    OverloadFigures {
        factor,
        patience_ms: patience.as_secs_f64() * 1_000.0,
        phases,
        recovered_after_ms: recovery.and_then(|(part, due)| recovered_after_ms(&part.span_us, &due, prompt_p99_ms)),
        prompt_p99_ms,
    }
}

fn phase(part: &Part, due: &[&Command], patience_us: u64) -> Phase {
    let seconds = (part.span_us.end - part.span_us.start) as f64 / 1e6;
    let acks_us: Vec<u64> = due.iter().filter_map(|command| ack_us(command)).collect();
    let accepted = acks_us.iter().filter(|us| **us <= patience_us).count() as u64;
    let sent = due.iter().filter(|command| !command.attempts.is_empty()).count() as u64;
    let unanswered = due.iter().filter(|command| command.ack().is_none() && command.is_outcome_unknown()).count() as u64;
    let mut refused = BTreeMap::new();
    for attempt in due.iter().flat_map(|command| &command.attempts) {
        if let Answer::Refused { code, .. } = &attempt.answer {
            *refused.entry(code_name(*code)).or_default() += 1;
        }
    }
    Phase {
        name: part.name.into(),
        rate_per_s: part.rate,
        seconds,
        offered: part.offered,
        accepted,
        goodput_per_s: accepted as f64 / seconds.max(0.001),
        accepted_late: acks_us.len() as u64 - accepted,
        given_up: sent - acks_us.len() as u64 - unanswered,
        unanswered,
        not_sent: part.offered.saturating_sub(sent),
        refused,
        ack_ms: Spread::of_us(acks_us),
    }
}

/// From when it was due to its ack.
fn ack_us(command: &Command) -> Option<u64> {
    command.ack().map(|(_, _, at_us)| at_us.saturating_sub(command.intended_us))
}

/// When the first of some prompt windows in a row began, in milliseconds after the span did.
fn recovered_after_ms(span_us: &Range<u64>, due: &[&Command], prompt_p99_ms: f64) -> Option<f64> {
    let mut windows = BTreeMap::<u64, Vec<&Command>>::new();
    for command in due {
        windows.entry((command.intended_us - span_us.start) / WINDOW_US).or_default().push(command);
    }
    let prompt: Vec<(u64, bool)> = windows.iter().map(|(window, due)| (*window, is_prompt(due, prompt_p99_ms))).collect();
    let found = prompt.windows(IN_A_ROW).find(|row| row.iter().all(|(_, is_prompt)| *is_prompt))?;
    Some((found[0].0 * WINDOW_US) as f64 / 1_000.0)
}

/// True when the 99th percentile is prompt; what was never acked is not.
fn is_prompt(due: &[&Command], prompt_p99_ms: f64) -> bool {
    let late = due.iter().filter(|command| ack_us(command).is_none_or(|us| us as f64 / 1_000.0 > prompt_p99_ms)).count();
    late * 100 <= due.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::ids::CommandKey;
    use hub_core::wire::ErrorCode;
    use uuid::Uuid;

    use crate::oracle::history::Attempt;

    fn command(intended_us: u64, answers: Vec<Answer>) -> Command {
        let attempts = answers.into_iter().map(|answer| Attempt { sent_us: intended_us, based_on: None, force: false, answer });
        Command {
            key: CommandKey::new(Uuid::nil()),
            body: 0,
            is_note: false,
            intended_us,
            measured: true,
            attempts: attempts.collect(),
        }
    }

    fn acked(intended_us: u64, after_us: u64) -> Command {
        command(intended_us, vec![Answer::Acked { seq: Some(1), missed: false, at_us: intended_us + after_us }])
    }

    #[test]
    fn every_reply_counts_once_as_what_became_of_it() {
        let busy = || Answer::Refused { code: ErrorCode::Busy, events: None };
        let all = [
            acked(0, 1_000),
            acked(1, 3_000_000),
            command(2, vec![busy(), busy()]),
            command(3, vec![]),
            command(4, vec![Answer::Open]),
            command(5, vec![Answer::Lost]),
        ];
        let due: Vec<&Command> = all.iter().collect();
        let phase = phase(&Part { name: "overload", rate: 3.0, span_us: 0..2_000_000, offered: 9 }, &due, 2_000_000);
        assert_eq!((phase.accepted, phase.accepted_late, phase.given_up, phase.unanswered), (1, 1, 1, 2));
        assert_eq!(phase.not_sent, 4, "nobody ever had it, or had no hand free for it");
        assert_eq!(phase.refused, BTreeMap::from([("busy".to_owned(), 2)]));
        assert!((phase.goodput_per_s - 0.5).abs() < 1e-9);
    }

    #[test]
    fn recovery_begins_with_the_first_of_three_prompt_windows() {
        let slow = [true, false, true, true, false, false, false, false];
        let all: Vec<Command> = (0_u64..)
            .zip(slow)
            .flat_map(|(window, is_slow)| {
                (0..10).map(move |n| acked(window * WINDOW_US + n * 1_000, if is_slow { 900_000 } else { 5_000 }))
            })
            .collect();
        let due: Vec<&Command> = all.iter().collect();
        assert_eq!(recovered_after_ms(&(0..4_000_000), &due, 50.0), Some(2_000.0));
        assert_eq!(recovered_after_ms(&(0..4_000_000), &due, 1.0), None);
        assert_eq!(recovered_after_ms(&(0..4_000_000), &due[..40], 50.0), None);
    }
}
