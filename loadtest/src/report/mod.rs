//! What a run came to: one set of figures, as a table for people and as JSON for programs.

pub mod files;
mod made;
pub mod own;
mod page;
mod spread;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hub_core::ids::CommandKey;
use hub_core::wire::Limits;
use serde::{Deserialize, Serialize};

use crate::oracle::history::{History, Step};
use crate::plan::Shares;
use crate::pulse::Series;
use crate::scenario::{Outcome, Setup};
use crate::tally::PROMPT_US;
pub use made::Made;
use own::Own;
pub use spread::Spread;

/// Own lag below this, in milliseconds at the 99th percentile, is never called a bottleneck.
const OWN_LAG_LIMIT_MS: f64 = 20.0;
/// Own lag up to this share of the latency of acks, both at the 99th percentile, neither.
const OWN_LAG_SHARE: f64 = 0.25;

/// The figures of a run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Its name on the command line, such as `thread`.
    pub scenario: String,
    /// Which program made it, told what, when and where.
    #[serde(default)]
    pub made: Made,
    /// What was asked for.
    pub load: Load,
    /// What the hubs told of themselves in `welcome`.
    pub hubs: Vec<Hub>,
    /// Replies: how many were due, and what became of them.
    pub replies: Replies,
    /// From the time a reply was due to its ack, in milliseconds.
    pub ack_ms: Spread,
    /// From the time a reply was due to its arrival at each other subscriber, in milliseconds.
    pub delivery_ms: Spread,
    /// Arrivals at other subscribers per second.
    pub deliveries_per_s: f64,
    /// Connections.
    pub connections: Connections,
    /// The driver's own slowness.
    pub driver: Driver,
    /// The search for a sustained rate: each rate with the share acked within a second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<(f64, f64)>,
    /// How it went, second by second, from connecting to the last answer.
    #[serde(default)]
    pub series: Series,
    /// What only this scenario tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
    /// What the oracle found: empty when every guarantee held.
    pub breaches: Vec<String>,
    /// What else the scenario demands and did not get, in words.
    #[serde(default)]
    pub unmet: Vec<String>,
}

/// What was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Load {
    pub urls: Vec<String>,
    pub codec: String,
    pub tickets: usize,
    pub clients: usize,
    pub rate_per_s: f64,
    pub ramp_s: f64,
    pub measured_s: f64,
    pub seed: u64,
    pub shares: Shares,
    pub body_bytes: usize,
}

/// One node of the hub.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hub {
    pub node: String,
    pub heartbeat_ms: u64,
    pub limits: Limits,
}

/// What became of the replies that were due in the measured time; refusals and repeats are those of the whole run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Replies {
    pub offered: u64,
    pub sent: u64,
    pub acked: u64,
    pub acked_share: f64,
    pub acked_within_1s_share: f64,
    pub acked_per_s: f64,
    pub acked_in_whole_run: u64,
    pub refusals: BTreeMap<String, u64>,
    pub sent_again: u64,
    pub forced: u64,
    pub not_settled: u64,
    pub refused_for_good: u64,
    /// Waited for a connection, or for room within the hub's limit of commands in flight.
    pub held_back: u64,
}

/// Connections and what came over them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Connections {
    pub cut_by_driver: u64,
    pub ended_by_hub: u64,
    pub failed_connects: u64,
    /// The same by kind.
    #[serde(default)]
    pub failures: BTreeMap<String, u64>,
    pub closes: BTreeMap<u16, u64>,
    pub resumed_with_tail: u64,
    pub resumed_with_reset: u64,
    pub events: u64,
    pub signals: u64,
    pub ignored: u64,
}

/// The driver's own slowness: what of the latencies is not the hub's.
#[derive(Debug, Serialize, Deserialize)]
pub struct Driver {
    /// How late a ticker of the driver fired, in milliseconds.
    pub tick_lag_ms: Spread,
    /// How late replies were put on the wire although nothing kept them, in milliseconds.
    pub send_lag_ms: Spread,
    /// Replies the driver had no room for.
    pub overflowed: u64,
    /// Processors this driver kept busy.
    pub processors: Option<f64>,
    /// Share of the machine's processors that were busy, by whomever.
    pub machine_busy: Option<f64>,
    /// True when the figures tell more of the driver than of the hub.
    pub was_bottleneck: bool,
}

impl Report {
    /// The figures of an outcome.
    pub fn new(scenario: &str, setup: &Setup, urls: &[String], outcome: &Outcome) -> Self {
        let measured_s = outcome.measured.as_secs_f64().max(0.001);
        let acks = ack_latencies_us(&outcome.history);
        let deliveries = delivery_latencies_us(&outcome.history);
        let deliveries_per_s = deliveries.len() as f64 / measured_s;
        let replies = replies(outcome, &acks, measured_s);
        let ack_ms = Spread::of_us(acks);
        let tally = &outcome.tally;
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        Self {
            scenario: scenario.to_owned(),
            made: Made::here(),
            load: Load {
                urls: urls.to_vec(),
                codec: setup.routes.codecs.name().to_owned(),
                tickets: setup.tickets.len(),
                clients: setup.clients(),
                rate_per_s: outcome.rate,
                ramp_s: setup.ramp.as_secs_f64(),
                measured_s,
                seed: setup.seed,
                shares: setup.shares,
                body_bytes: setup.body_bytes,
            },
            hubs: outcome
                .greetings
                .values()
                .map(|hub| Hub { node: hub.node.clone(), heartbeat_ms: hub.heartbeat_ms, limits: hub.limits })
                .collect(),
            replies,
            driver: Driver::new(outcome, own_answers_p99_ms(outcome).unwrap_or(ack_ms.p99)),
            ack_ms,
            delivery_ms: Spread::of_us(deliveries),
            deliveries_per_s,
            connections: Connections {
                cut_by_driver: count(&tally.cut),
                ended_by_hub: count(&tally.dropped),
                failed_connects: count(&tally.failed_connects),
                failures: tally.failures(),
                closes: tally.closes(),
                resumed_with_tail: count(&tally.tails),
                resumed_with_reset: count(&tally.resets),
                events: count(&tally.events),
                signals: count(&tally.signals),
                ignored: count(&tally.ignored),
            },
            trials: outcome.trials.clone(),
            series: tally.pulse.series(),
            own: outcome.own.clone(),
            breaches: outcome.breaches.iter().map(ToString::to_string).collect(),
            unmet: outcome.unmet.clone(),
        }
    }
}

/// Where replies are not all that is asked: how late answers were.
fn own_answers_p99_ms(outcome: &Outcome) -> Option<f64> {
    match &outcome.own {
        Some(Own::Collide(figures)) => Some(figures.answer_ms.p99),
        Some(Own::Connect(_) | Own::Storm(_) | Own::Stall(_) | Own::Overload(_) | Own::Resident(_)) | None => None,
    }
}

impl Report {
    /// True when every guarantee held and the scenario got what it demands.
    pub fn is_clean(&self) -> bool {
        self.breaches.is_empty() && self.unmet.is_empty()
    }
}

impl Driver {
    fn new(outcome: &Outcome, ack_p99_ms: f64) -> Self {
        let tick_lag_ms = Spread::of_us(outcome.lag.lateness_us.iter().copied());
        let send_lag_ms = Spread::of_us(outcome.send_lateness_us.iter().copied());
        let overflowed = outcome.tally.overflowed.load(Relaxed);
        Self {
            was_bottleneck: overflowed > 0 || is_too_slow(tick_lag_ms.p99.max(send_lag_ms.p99), ack_p99_ms),
            tick_lag_ms,
            send_lag_ms,
            overflowed,
            processors: outcome.lag.driver_processors,
            machine_busy: outcome.lag.machine_busy,
        }
    }
}

/// True when the driver's own lag is enough to be mistaken for the hub's.
fn is_too_slow(own_p99_ms: f64, ack_p99_ms: f64) -> bool {
    own_p99_ms > OWN_LAG_LIMIT_MS && own_p99_ms > ack_p99_ms * OWN_LAG_SHARE
}

fn replies(outcome: &Outcome, acks_us: &[u64], measured_s: f64) -> Replies {
    let tally = &outcome.tally;
    let count = |counter: &AtomicU64| counter.load(Relaxed);
    let share = |part: u64| if outcome.offered == 0 { 0.0 } else { part as f64 / outcome.offered as f64 };
    let commands = || outcome.history.tickets.iter().flat_map(|t| &t.clients).flat_map(|client| &client.commands);
    let acked = acks_us.len() as u64;
    let (acked_in_whole_run, settled) = (count(&tally.acked), count(&tally.settled));
    Replies {
        offered: outcome.offered,
        sent: commands().filter(|command| command.measured && !command.attempts.is_empty()).count() as u64,
        acked,
        acked_share: share(acked),
        acked_within_1s_share: share(acks_us.iter().filter(|us| **us <= PROMPT_US).count() as u64),
        acked_per_s: acked as f64 / measured_s,
        acked_in_whole_run,
        refusals: tally.refusals(),
        sent_again: count(&tally.sent_again),
        forced: count(&tally.forced),
        not_settled: (commands().count() as u64).saturating_sub(settled),
        refused_for_good: settled.saturating_sub(acked_in_whole_run),
        held_back: count(&tally.held_back),
    }
}

/// From when a reply was due to its ack.
fn ack_latencies_us(history: &History) -> Vec<u64> {
    let clients = history.tickets.iter().flat_map(|ticket| &ticket.clients);
    let commands = clients.flat_map(|client| &client.commands).filter(|command| command.measured);
    commands.filter_map(|command| Some(command.ack()?.2.saturating_sub(command.intended_us))).collect()
}

/// From when a reply was due to its arrival at each other client of its ticket.
fn delivery_latencies_us(history: &History) -> Vec<u64> {
    let mut latencies = Vec::new();
    for ticket in &history.tickets {
        let due: HashMap<CommandKey, (usize, u64)> = ticket
            .clients
            .iter()
            .enumerate()
            .flat_map(|(who, client)| client.commands.iter().map(move |command| (who, command)))
            .filter(|(_, command)| command.measured)
            .map(|(who, command)| (command.key, (who, command.intended_us)))
            .collect();
        for (who, client) in ticket.clients.iter().enumerate() {
            let mut arrived = |key: Option<CommandKey>, at_us: u64| match key.and_then(|key| due.get(&key)) {
                Some((sender, intended_us)) if *sender != who => latencies.push(at_us.saturating_sub(*intended_us)),
                Some(_) | None => {}
            };
            for step in &client.steps {
                match step {
                    Step::Event { fact, at_us } => arrived(fact.key, *at_us),
                    Step::Tail(tail) => tail.events.iter().for_each(|fact| arrived(fact.key, tail.at_us)),
                    // A snapshot shows again what was seen before.
                    Step::Reset(_) | Step::Ended(_) => {}
                }
            }
        }
    }
    latencies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::made_up::{Deed, run};

    #[test]
    fn latencies_count_from_when_a_reply_was_due() {
        let post = Deed::Post { who: 0, note: false, insists: false };
        let history = run(&[post, Deed::Read { who: 1, events: 5 }, post]);
        // Due at 10 and 50; each sent 10 later and acked 5 after that, in the made-up hub's time.
        let due: Vec<u64> = history.tickets[0].clients[0].commands.iter().map(|command| command.intended_us).collect();
        assert_eq!(due, [10, 50]);
        assert_eq!(ack_latencies_us(&history), [15, 15]);
        // The second agent read the first reply at 40; all else is shown at the end, at 70.
        let mut deliveries = delivery_latencies_us(&history);
        deliveries.sort_unstable();
        assert_eq!(deliveries, [20, 20, 20, 30, 60, 60]);
    }

    #[test]
    fn the_driver_is_blamed_for_lag_that_matters_only() {
        for (own_p99_ms, ack_p99_ms, is_blamed) in
            [(5.0, 6.0, false), (40.0, 470.0, false), (40.0, 100.0, true), (700.0, 800.0, true)]
        {
            assert_eq!(is_too_slow(own_p99_ms, ack_p99_ms), is_blamed, "{own_p99_ms} of {ack_p99_ms}");
        }
    }
}
