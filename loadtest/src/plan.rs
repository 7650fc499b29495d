//! What is wanted when, decided beforehand by rate and seed: the open loop. Nothing here depends on how the hub answers.

use std::sync::Arc;
use std::time::Duration;

use hub_core::ids::CommandKey;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use crate::clock::micros;
use crate::oracle::history::View;
use crate::tally::Stretch;

/// One reply somebody is to post.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Counts through the whole run: names key and words.
    pub number: u64,
    /// When it is due, in microseconds since the run began.
    pub intended_us: u64,
    /// An internal note; agents only.
    pub is_note: bool,
    /// Refused, it is sent again with `force` instead of reading first.
    pub insists: bool,
    /// Counted where it belongs: not while the rate is still rising.
    pub measured: bool,
    /// Where to count it.
    pub stretch: Arc<Stretch>,
}

impl Intent {
    /// True for what the report's figures are made of.
    pub fn is_reported(&self) -> bool {
        self.measured && !self.stretch.is_trial
    }
}

/// Keys and words of this run. The same number yields the same, so that neither need be kept; no other run has them.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    run: Uuid,
    body_bytes: usize,
}

impl Words {
    /// For a run that is named by `run`.
    pub const fn new(run: Uuid, body_bytes: usize) -> Self {
        Self { run, body_bytes }
    }

    /// The key of an intent: the first half names the run, the second counts.
    pub fn key(&self, number: u64) -> CommandKey {
        let mut bytes = *self.run.as_bytes();
        bytes[10..].copy_from_slice(&number.to_be_bytes()[2..]);
        CommandKey::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The body of an intent.
    pub fn body(&self, number: u64) -> String {
        const FILL: &str = "The printer on the second floor still jams; I have tried the other tray as you said. ";
        let mut body = format!("Reply {number} of run {}. ", self.run.simple());
        while body.len() < self.body_bytes {
            body.push_str(&FILL[..FILL.len().min(self.body_bytes - body.len())]);
        }
        body
    }
}

/// What share of the intents is of which kind.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Shares {
    /// By the customer; the rest by agents.
    pub customer: f64,
    /// Of the agents' share: internal notes.
    pub note: f64,
    /// Of the agents' public replies: sent again with `force` when refused.
    pub force: f64,
}

/// Who wants what next, by seed.
#[derive(Debug)]
pub struct Plan {
    rng: StdRng,
    shares: Shares,
    /// Indices of clients: per ticket the customers and the agents.
    tickets: Vec<(Vec<usize>, Vec<usize>)>,
}

impl Plan {
    /// A plan over clients whose tickets and views are given in the order of their indices, ticket by ticket. Of those at a
    /// ticket the first `writers` write.
    pub fn new(seed: u64, shares: Shares, tickets: &[Vec<View>], writers: usize) -> Self {
        let mut index = 0;
        let mut split = |views: &Vec<View>| {
            let mut sides = (Vec::new(), Vec::new());
            for (place, view) in views.iter().enumerate() {
                match view {
                    _ if place >= writers => {}
                    View::Thread => sides.0.push(index),
                    View::Ticket => sides.1.push(index),
                }
                index += 1;
            }
            sides
        };
        Self { rng: StdRng::seed_from_u64(seed), shares, tickets: tickets.iter().map(&mut split).collect() }
    }

    /// The client that is to act next, whether it writes a note, and whether it insists.
    pub fn next(&mut self) -> (usize, bool, bool) {
        let (customers, agents) = &self.tickets[self.rng.random_range(0..self.tickets.len())];
        let by_customer = self.rng.random_bool(self.shares.customer);
        let is_note = self.rng.random_bool(self.shares.note);
        let insists = self.rng.random_bool(self.shares.force);
        let side = if by_customer { customers } else { agents };
        let client = side[self.rng.random_range(0..side.len())];
        (client, is_note && !by_customer, insists && !by_customer)
    }
}

/// When the intents of one stretch are due: rising evenly from nothing to `rate` during `ramp`, then at `rate`.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Per second.
    pub rate: f64,
    /// How long it rises.
    pub ramp: Duration,
    /// How long it goes on after that; none for ever.
    pub duration: Option<Duration>,
}

impl Pace {
    /// When the `index`-th intent is due after the stretch began, in microseconds, and whether it counts for the figures;
    /// none when the stretch is over by then.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "runs of hours at most"
    )]
    pub fn due(&self, index: u64) -> Option<(u64, bool)> {
        let (ramp, index) = (self.ramp.as_secs_f64(), index as f64);
        let in_ramp = self.rate * ramp / 2.0;
        let at = if index < in_ramp { (2.0 * index * ramp / self.rate).sqrt() } else { ramp + (index - in_ramp) / self.rate };
        let at_us = (at * 1e6).round() as u64;
        let end_us = self.duration.map(|duration| micros(self.ramp + duration));
        end_us.is_none_or(|end_us| at_us < end_us).then_some((at_us, index >= in_ramp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: Shares = Shares { customer: 0.25, note: 0.5, force: 0.5 };

    fn all(pace: Pace) -> Vec<(u64, bool)> {
        (0..).map_while(|index| pace.due(index)).collect()
    }

    #[test]
    fn a_steady_pace_is_even_and_ends() {
        let due = all(Pace { rate: 100.0, ramp: Duration::ZERO, duration: Some(Duration::from_secs(2)) });
        assert_eq!(due.len(), 200);
        assert!(due.iter().all(|(_, measured)| *measured));
        assert!(due.windows(2).all(|pair| (9_999..=10_001).contains(&(pair[1].0 - pair[0].0))));
    }

    #[test]
    fn a_ramp_rises_to_the_rate_and_does_not_count() {
        let due = all(Pace { rate: 100.0, ramp: Duration::from_secs(2), duration: Some(Duration::from_secs(1)) });
        assert_eq!(due.iter().filter(|(_, measured)| !measured).count(), 100);
        assert_eq!(due.iter().filter(|(_, measured)| *measured).count(), 100);
        assert!(due.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(due.iter().filter(|(at_us, _)| *at_us < 1_000_000).count(), 25);
        assert_eq!(due[100].0, 2_000_000);
    }

    #[test]
    fn keys_differ_by_number_and_by_run() {
        let (a, b) = (Words::new(Uuid::from_u128(1 << 100), 50), Words::new(Uuid::from_u128(1 << 101), 50));
        let keys: std::collections::HashSet<_> = (0..1000).flat_map(|n| [a.key(n), b.key(n)]).collect();
        assert_eq!(keys.len(), 2000);
        assert_eq!(a.key(7), a.key(7));
    }

    #[test]
    fn bodies_have_the_wanted_length_and_differ() {
        let words = Words::new(Uuid::from_u128(1), 300);
        assert_eq!(words.body(1).len(), 300);
        assert_ne!(words.body(1), words.body(2));
    }

    #[test]
    fn the_same_seed_plans_the_same_and_everybody_gets_a_turn() {
        let tickets = vec![vec![View::Thread, View::Ticket, View::Ticket]; 3];
        let (mut a, mut b) = (Plan::new(5, SHARES, &tickets, usize::MAX), Plan::new(5, SHARES, &tickets, 3));
        let turns: Vec<_> = (0..500).map(|_| a.next()).collect();
        assert_eq!(turns, (0..500).map(|_| b.next()).collect::<Vec<_>>());
        for client in 0..9 {
            assert!(turns.iter().any(|(who, ..)| *who == client));
        }
        assert!(turns.iter().all(|(who, note, insists)| who % 3 != 0 || !(*note || *insists)));
    }

    #[test]
    fn who_only_listens_gets_no_turn_and_changes_nobody_elses() {
        let many = vec![vec![View::Thread, View::Ticket, View::Ticket, View::Ticket]; 2];
        let few = vec![vec![View::Thread, View::Ticket]; 2];
        let (mut a, mut b) = (Plan::new(5, SHARES, &many, 2), Plan::new(5, SHARES, &few, 2));
        for _ in 0..500 {
            let ((who, ..), (same, ..)) = (a.next(), b.next());
            assert_eq!((who / 4, who % 4), (same / 2, same % 2));
        }
    }
}
