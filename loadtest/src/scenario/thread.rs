//! Replies into many threads at a steady rate, everybody staying connected. With a search for the highest rate that holds.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::crew::Crew;
use super::verdict::{Figures, reach};
use super::{Outcome, Setup};
use crate::clock::Clock;
use crate::lag::LagMeter;
use crate::plan::Pace;
use crate::tally::Stretch;

/// A rate is sustained when this share of what is due is acked within a second.
pub const SUSTAINED_SHARE: f64 = 0.98;
/// How long a rate is tried in the search.
const TRIAL: Duration = Duration::from_secs(5);
/// How long the rate rises before it is judged.
const TRIAL_RAMP: Duration = Duration::from_secs(1);
/// How long to wait after a trial until everything is answered, so that it does not burden the next one.
const TRIAL_GRACE: Duration = Duration::from_secs(20);
/// The search ends when the best rate that held and the lowest that did not lie this close together.
const CLOSE_ENOUGH: f64 = 1.06;
/// The highest rate that is tried, per second.
const MAX_RATE: f64 = 200_000.0;

/// Runs at the wanted rate, or at the highest that holds.
///
/// # Errors
/// In words, when the run cannot be done or not be judged.
pub async fn run(setup: &Setup, sustain: bool) -> anyhow::Result<Outcome> {
    let mut crew = Crew::assemble(setup, None).await?;
    let mut trials = Vec::new();
    let rate = if sustain { search(&mut crew, setup.rate, &mut trials).await? } else { setup.rate };
    let stretch = Arc::<Stretch>::default();
    let (lag, began) = (LagMeter::start(), Clock::start());
    let pace = Pace { rate, ramp: setup.ramp, duration: Some(setup.duration) };
    tokio::select! {
        paced = crew.keep_pace(pace, &stretch, |_| false) => paced?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    // Less than wanted, when somebody interrupted it.
    let measured = setup.duration.min(Duration::from_micros(began.now_us()).saturating_sub(setup.ramp));
    let offered = stretch.offered.load(Relaxed);
    reach(crew, lag, setup, Figures { offered, rate, measured, trials }).await
}

/// Doubles the rate until it does not hold, then halves the distance until that is small.
async fn search(crew: &mut Crew, start: f64, trials: &mut Vec<(f64, f64)>) -> anyhow::Result<f64> {
    let (mut search, lever) = (Search { held: None, failed: None }, crew.lever());
    while let Some(rate) = search.next_rate(start) {
        let share = try_rate(crew, rate, TRIAL).await?;
        trials.push((rate, share));
        lever.say(&format!("{rate:.0} replies/s: {:.1} % acked within a second", share * 100.0));
        search.learn(rate, share);
    }
    Ok(search.held.unwrap_or(1.0))
}

/// The share of what was due that was acked within a second; nothing, when answers are missing long after.
pub(super) async fn try_rate(crew: &mut Crew, rate: f64, duration: Duration) -> anyhow::Result<f64> {
    let stretch = Arc::new(Stretch { is_trial: true, ..Stretch::default() });
    crew.keep_pace(Pace { rate, ramp: TRIAL_RAMP, duration: Some(duration) }, &stretch, |_| false).await?;
    let all_answered = crew.settle(TRIAL_GRACE).await;
    Ok(if all_answered { stretch.prompt_share() } else { 0.0 })
}

/// What is known about which rates hold.
#[derive(Clone, Copy, Debug)]
struct Search {
    held: Option<f64>,
    failed: Option<f64>,
}

impl Search {
    /// The rate to try next; none when the answer is close enough.
    fn next_rate(self, start: f64) -> Option<f64> {
        match (self.held, self.failed) {
            (None, None) => Some(start),
            (Some(held), None) => (held < MAX_RATE).then_some(held * 2.0),
            (None, Some(failed)) => (failed > 1.0).then_some((failed / 2.0).max(1.0)),
            (Some(held), Some(failed)) => (failed / held > CLOSE_ENOUGH).then(|| (held * failed).sqrt()),
        }
    }

    fn learn(&mut self, rate: f64, share: f64) {
        if share >= SUSTAINED_SHARE {
            self.held = Some(self.held.map_or(rate, |held| held.max(rate)));
        } else {
            self.failed = Some(self.failed.map_or(rate, |failed| failed.min(rate)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(start: f64, limit: f64) -> (f64, usize) {
        let (mut search, mut tried) = (Search { held: None, failed: None }, 0);
        while let Some(rate) = search.next_rate(start) {
            tried += 1;
            search.learn(rate, if rate <= limit { 1.0 } else { 0.5 });
        }
        (search.held.unwrap_or(1.0), tried)
    }

    #[test]
    fn the_search_finds_the_limit_from_below_and_from_above() {
        for (start, limit) in [(10.0, 1_234.0), (5_000.0, 1_234.0), (100.0, 100.0), (1.0, 60_000.0), (50.0, 3.0)] {
            let (found, tried) = find(start, limit);
            assert!(found <= limit && found > limit / CLOSE_ENOUGH / 1.01, "{start} {limit}: {found}");
            assert!(tried < 24, "{tried}");
        }
    }

    #[test]
    fn a_hub_that_holds_nothing_ends_the_search() {
        assert_eq!(find(64.0, 0.0).0, 1.0);
    }
}
