//! What scenarios share: a crew of clients that is brought to its places, kept at a pace, and asked afterwards what it saw.

pub mod collide;
pub mod connect;
pub mod crew;
pub mod overload;
pub mod resident;
pub mod resume;
pub mod stall;
pub mod storm;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_storms;
pub mod thread;
pub mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::client::life::Backoff;
use crate::client::route::Routes;
use crate::client::{Greeting, Outage};
use crate::fleet::Seat;
use crate::lag::Lag;
use crate::oracle::Breach;
use crate::oracle::history::History;
use crate::plan::Shares;
use crate::report::own::Own;
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
    /// How many of the clients at each ticket write, from the first on.
    pub writers: usize,
    /// How long anybody waits for an ack before giving a reply up; none: for ever.
    pub patience: Option<Duration>,
    /// Clients that do not sit at a ticket.
    pub clients_beside: usize,
    /// Shows how the run goes on.
    pub shows_progress: bool,
}

impl Setup {
    /// How many clients there will be: each is a socket.
    pub fn clients(&self) -> usize {
        self.tickets.iter().map(Vec::len).sum::<usize>() + self.clients_beside
    }
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
    /// Every time a client was without its subscription.
    pub outages: Vec<Outage>,
    /// What only this scenario tells.
    pub own: Option<Own>,
    /// What else the scenario demands and did not get, in words.
    pub unmet: Vec<String>,
    /// The search for a sustained rate, when there was one: rate and the share that was acked within a second.
    pub trials: Vec<(f64, f64)>,
}

impl Outcome {
    /// Of a run in which nobody wrote anything.
    fn without_history(tally: Arc<Tally>, lag: Lag, measured: Duration) -> Self {
        Self {
            history: History::default(),
            breaches: vec![],
            greetings: BTreeMap::new(),
            tally,
            send_lateness_us: vec![],
            lag,
            offered: 0,
            rate: 0.0,
            measured,
            outages: vec![],
            own: None,
            unmet: vec![],
            trials: vec![],
        }
    }
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
