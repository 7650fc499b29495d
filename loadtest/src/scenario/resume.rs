//! The same with connections that are cut at random, also in the middle of commands, and hubs that may die and come back
//! meanwhile. Everybody resumes where it was and sends again what was not answered.

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

/// When a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After the setup's duration.
    Time,
    /// When so many replies are acked, however long that takes.
    Acked(u64),
}

/// Runs with each client's connection cut every `cut_every` on average.
///
/// # Errors
/// In words, when the run cannot be done or not be judged.
pub async fn run(setup: &Setup, cut_every: Duration, until: Until) -> anyhow::Result<Outcome> {
    let mut crew = Crew::assemble(setup, Some(cut_every)).await?;
    let stretch = Arc::<Stretch>::default();
    let (lag, began) = (LagMeter::start(), Clock::start());
    crew.begin_cutting();
    let (duration, enough) = match until {
        Until::Time => (Some(setup.duration), u64::MAX),
        Until::Acked(replies) => (None, replies),
    };
    let pace = Pace { rate: setup.rate, ramp: setup.ramp, duration };
    tokio::select! {
        paced = crew.keep_pace(pace, &stretch, |tally| tally.acked.load(Relaxed) >= enough) => paced?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    let passed = Duration::from_micros(began.now_us()).saturating_sub(setup.ramp);
    // Less than wanted, when somebody interrupted it.
    let measured = duration.map_or(passed, |wanted| wanted.min(passed));
    let figures = Figures { offered: stretch.offered.load(Relaxed), rate: setup.rate, measured, trials: vec![] };
    reach(crew, lag, setup, figures).await
}
