//! What scenarios share: a crew of clients that is brought to its places, kept at a pace, and asked afterwards what it saw.

pub mod crew;
pub mod resume;
#[cfg(test)]
mod tests;
pub mod thread;
pub mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::client::Greeting;
use crate::client::life::Backoff;
use crate::client::route::Routes;
use crate::fleet::Seat;
use crate::lag::Lag;
use crate::oracle::Breach;
use crate::oracle::history::History;
use crate::plan::Shares;
use crate::tally::Tally;

/// What every scenario is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How clients get to the hubs.
    pub routes: Arc<Routes>,
    /// Who sits at which ticket.
    pub tickets: Vec<Vec<Seat>>,
    /// Replies per second, all together.
    pub rate: f64,
    /// How long the rate rises.
    pub ramp: Duration,
    /// How long it stays.
    pub duration: Duration,
    /// Decides who does what.
    pub seed: u64,
    /// Shares of the kinds of replies.
    pub shares: Shares,
    /// Length of a reply.
    pub body_bytes: usize,
    /// How long clients wait before they connect again.
    pub backoff: Backoff,
    /// How long to wait for what is outstanding at the end.
    pub grace: Duration,
    /// Shows how the run goes on.
    pub shows_progress: bool,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Everything that was seen.
    pub history: History,
    /// What broke, if anything.
    pub breaches: Vec<Breach>,
    /// What the hubs told of themselves, by node.
    pub greetings: BTreeMap<String, Greeting>,
    /// Counters.
    pub tally: Arc<Tally>,
    /// How late intents were put on the wire although nothing kept them, in microseconds.
    pub send_lateness_us: Vec<u64>,
    /// The driver's own slowness.
    pub lag: Lag,
    /// Replies that were due in the measured time.
    pub offered: u64,
    /// The rate that was asked for, or found.
    pub rate: f64,
    /// The measured time.
    pub measured: Duration,
    /// The search for a sustained rate, when there was one: rate and the share that was acked within a second.
    pub trials: Vec<(f64, f64)>,
}

/// A line on the terminal that tells how the run goes on; nothing where there is no terminal.
fn progress_line(setup: &Setup) -> ProgressBar {
    if !setup.shows_progress {
        return ProgressBar::hidden();
    }
    let line = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}") {
        line.set_style(style);
    }
    line.enable_steady_tick(Duration::from_millis(250));
    line
}
