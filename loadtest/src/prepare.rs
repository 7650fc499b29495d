//! From the command line to a scenario that can be run: reads the fleet, seats the clients, refuses what cannot be.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;

use crate::cli::{Common, MannerName, Replying, Scenario};
use crate::client::life::Backoff;
use crate::client::route::{Endpoint, Routes};
use crate::fleet::{Fleet, Seat, Topics, shared_out};
use crate::oracle::history::View;
use crate::plan::Shares;
use crate::scenario::collide::{self, Collide, Manner};
use crate::scenario::connect::{self, Connect};
use crate::scenario::overload::{self, Overload};
use crate::scenario::resident::{self, Resident};
use crate::scenario::resume::{self, Until};
use crate::scenario::stall::{self, Stall};
use crate::scenario::storm::{self, Storm};
use crate::scenario::{Outcome, Setup, thread};

/// A scenario with what only it is told.
#[derive(Debug)]
pub enum Play {
    /// See [`thread`].
    Thread {
        /// Search the highest rate.
        sustain: bool,
    },
    /// See [`resume`].
    Resume {
        /// Mean time between cuts.
        cut_every: Duration,
        /// When it ends.
        until: Until,
    },
    /// See [`connect`].
    Connect(Connect),
    /// See [`storm`].
    Storm(Storm),
    /// See [`stall`].
    Stall(Stall),
    /// See [`overload`].
    Overload(Overload),
    /// See [`resident`].
    Resident(Resident),
    /// See [`collide`].
    Collide(Collide),
}

impl Play {
    /// Runs it.
    ///
    /// # Errors
    /// In words, when the run cannot be done or not be judged.
    pub async fn run(&self, setup: &Setup) -> anyhow::Result<Outcome> {
        match self {
            Self::Thread { sustain } => thread::run(setup, *sustain).await,
            Self::Resume { cut_every, until } => resume::run(setup, *cut_every, *until).await,
            Self::Connect(connect) => connect::run(setup, connect).await,
            Self::Storm(storm) => storm::run(setup, *storm).await,
            Self::Stall(stall) => stall::run(setup, stall).await,
            Self::Overload(overload) => overload::run(setup, *overload).await,
            Self::Resident(resident) => resident::run(setup, resident).await,
            Self::Collide(collide) => collide::run(setup, collide).await,
        }
    }
}

/// Reads what the command line names, and puts the run together.
///
/// # Errors
/// In words: what is missing, or asks for the impossible.
pub fn prepare(scenario: &Scenario) -> anyhow::Result<(Setup, Play)> {
    arrange(scenario, &Fleet::read(&scenario.common().tokens)?)
}

fn arrange(scenario: &Scenario, fleet: &Fleet) -> anyhow::Result<(Setup, Play)> {
    let basic = basic(scenario.common())?;
    Ok(match scenario {
        Scenario::Thread { replying, sustain, .. } => {
            (replying_setup(basic, fleet, replying)?, Play::Thread { sustain: *sustain })
        }
        Scenario::Resume { replying, cut_every, replies, .. } => {
            let until = replies.map_or(Until::Time, Until::Acked);
            (replying_setup(basic, fleet, replying)?, Play::Resume { cut_every: *cut_every, until })
        }
        Scenario::Connect { sockets, rate, duration, topics, .. } => {
            let topics = (*topics).into();
            let people = fleet.people(*sockets as usize, topics)?;
            let setup = Setup { rate: *rate, duration: *duration, clients_beside: people.len(), ..basic };
            (setup, Play::Connect(Connect { people, topics }))
        }
        Scenario::Storm { sockets, tickets, rate, cut, repeat, calm, within, body_bytes, .. } => {
            ensure!(
                sockets / 2 >= *tickets,
                "--sockets {sockets} at --tickets {tickets}: a ticket takes at least two, its customer and an agent"
            );
            let storm = Storm { cut: (*cut).into(), repeat: *repeat, calm: *calm, within: *within };
            let tickets = fleet.crowd(&shared_out(*sockets as usize, *tickets as usize))?;
            let (rate, body_bytes) = (*rate, *body_bytes as usize);
            (Setup { tickets, rate, body_bytes, backoff: Backoff::POLITE, ..basic }, Play::Storm(storm))
        }
        Scenario::Stall { sockets, stalled, tickets, rate, ramp, duration, body_bytes, receive_buffer, cut_within, .. } => {
            ensure!(
                sockets >= tickets,
                "--sockets {sockets} at --tickets {tickets}: each ticket takes at least one that watches"
            );
            if let Some(within) = cut_within {
                let run = *ramp + *duration;
                ensure!(*within <= run, "--cut-within {within:?}, but --ramp and --duration end the run after {run:?}");
            }
            let shape =
                StallShape { watching: *sockets as usize, percent: *stalled as usize, tickets: *tickets as usize, rate: *rate };
            let basic = Setup { ramp: *ramp, duration: *duration, body_bytes: *body_bytes as usize, ..basic };
            let (setup, mut stall) = stall(basic, fleet, shape, *receive_buffer)?;
            stall.cut_within = *cut_within;
            (setup, Play::Stall(stall))
        }
        Scenario::Overload { replying, overload, baseline, recovery, patience, .. } => {
            let setup = Setup { patience: Some(*patience), ..replying_setup(basic, fleet, replying)? };
            (setup, Play::Overload(Overload { factor: *overload, baseline: *baseline, recovery: *recovery }))
        }
        Scenario::Collide { agents, tickets, manner, every, cut_every, duration, refusals, .. } => {
            ensure!(agents >= tickets, "--agents {agents} on --tickets {tickets}: each ticket takes at least one");
            let manner = match manner {
                MannerName::Walk => Manner::Walk,
                MannerName::Crowd => Manner::Crowd,
                MannerName::Blind => Manner::Blind { refusals: *refusals },
            };
            // Without a customer's word there is nothing to overlook.
            let with_customer = if matches!(manner, Manner::Blind { .. }) { 1 } else { 2 };
            // Every fifth agent sits at two devices.
            let tickets = fleet.teams(&shared_out(*agents as usize, *tickets as usize), 5, with_customer)?;
            let setup = Setup { tickets, duration: *duration, ..basic };
            (setup, Play::Collide(Collide { manner, every: *every, cut_every: *cut_every }))
        }
        Scenario::Resident { tickets, sockets, in_flight, .. } => {
            let held = fleet.tickets.len();
            ensure!(held >= *tickets as usize, "--tickets {tickets}, but the tokens file holds {held} tickets");
            ensure!(sockets <= tickets, "--sockets {sockets} for --tickets {tickets}: a socket wakes at least one ticket");
            let agents = fleet.people(*sockets as usize, Topics::Workspace)?.into_iter().map(|(agent, _)| agent).collect();
            let tickets = fleet.tickets.iter().take(*tickets as usize).map(|ticket| ticket.id).collect();
            let setup = Setup { clients_beside: *sockets as usize, ..basic };
            (setup, Play::Resident(Resident { agents, tickets, in_flight: *in_flight as usize }))
        }
    })
}

/// Who watches, who stops reading, and how much is written on each ticket.
#[derive(Clone, Copy, Debug)]
struct StallShape {
    watching: usize,
    percent: usize,
    tickets: usize,
    rate: f64,
}

/// Writing is the same however many stop reading: by the customer and some agents of its own, who write notes, which are never
/// refused as stale.
fn stall(basic: Setup, fleet: &Fleet, shape: StallShape, receive_buffer: u32) -> anyhow::Result<(Setup, Stall)> {
    /// Replies a second that a writer may be asked for: half of what a hub grants by default.
    const EACH: f64 = 10.0;
    let StallShape { watching, percent, tickets, rate } = shape;
    let agents = (1..=1_000).find(|agents| f64::from(*agents) * EACH >= rate).unwrap_or(1_000);
    let writers = 1 + agents as usize;
    let asleep = watching * percent / 100;
    let sizes: Vec<usize> = shared_out(watching - asleep, tickets).into_iter().map(|watching| writers + watching).collect();
    let seated = fleet.crowd(&sizes)?;
    let begin = sizes.iter().map(|size| size - 1).sum::<usize>();
    let stalled: Vec<Seat> = (0..asleep)
        .map(|index| {
            let member = fleet.agents[(begin + index) % fleet.agents.len()].clone();
            Seat { member, ticket: fleet.tickets[index % tickets].id, view: View::Ticket }
        })
        .collect();
    let setup = Setup {
        tickets: seated,
        rate: rate * tickets as f64,
        shares: Shares { customer: (EACH / rate).min(0.2), note: 1.0, force: 0.0 },
        writers,
        clients_beside: asleep,
        ..basic
    };
    Ok((setup, Stall { stalled, watching, receive_buffer, cut_within: None }))
}

fn replying_setup(basic: Setup, fleet: &Fleet, replying: &Replying) -> anyhow::Result<Setup> {
    let Replying { rate, ramp, duration, .. } = *replying;
    let tickets = fleet.seats(replying.tickets as usize, replying.subscribers as usize)?;
    let shares = Shares { customer: replying.customer_share, note: replying.note_share, force: replying.force_share };
    Ok(Setup { tickets, rate, ramp, duration, shares, body_bytes: replying.body_bytes as usize, ..basic })
}

/// What the command line says of every scenario; nobody sits yet.
fn basic(common: &Common) -> anyhow::Result<Setup> {
    let endpoints: Vec<Endpoint> = common.urls.iter().map(|url| Endpoint::parse(url)).collect::<Result<_, _>>()?;
    if let Some(far) = endpoints.iter().find(|endpoint| !endpoint.is_loopback()) {
        eprintln!("loadtest: {} is not this machine; the network is part of the figures", far.authority);
    }
    let sources = common.from.clone().unwrap_or_default();
    Ok(Setup {
        routes: Arc::new(Routes { endpoints, codecs: common.codec.into(), sources }),
        tickets: Vec::<Vec<Seat>>::new(),
        rate: 0.0,
        ramp: Duration::ZERO,
        duration: Duration::ZERO,
        seed: common.seed,
        shares: Shares { customer: 0.2, note: 0.1, force: 0.1 },
        body_bytes: 200,
        backoff: Backoff::QUICK,
        grace: common.grace,
        writers: usize::MAX,
        patience: None,
        clients_beside: 0,
        shows_progress: !common.quiet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use crate::fake_hub::fleet;

    fn asked(line: &str, fleet: &Fleet) -> anyhow::Result<(Setup, Play)> {
        let line = format!("loadtest {line} --tokens t.json --quiet");
        match <Cli as clap::Parser>::try_parse_from(line.split(' '))?.command {
            Command::Run(scenario) => arrange(&scenario, fleet),
            Command::Report { .. } | Command::Compare { .. } => panic!("a run"),
        }
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        let fleet = fleet(4, 2, 3);
        for (line, words) in [
            ("storm --sockets 5 --tickets 3", "takes at least two"),
            ("storm --sockets 500 --tickets 30", "holds 3 tickets"),
            ("stall --sockets 2 --tickets 3", "at least one that watches"),
            ("stall --stalled 101", "101"),
            ("stall --ramp 1s --duration 9s --cut-within 11s", "end the run after 10s"),
            ("resident --tickets 4", "holds 3 tickets"),
            ("resident --tickets 2 --sockets 3", "at least one ticket"),
            ("overload --overload 1", "more than 1"),
            ("connect --sockets 0", "0"),
            ("connect --from 300.1.1.1", "no address"),
            ("connect --url http://127.0.0.1:1/ws", "must begin with ws://"),
            ("thread --tickets 3 --subscribers 9", "needs 8 agents"),
        ] {
            let error = asked(line, &fleet).expect_err(line).to_string();
            assert!(error.contains(words), "{line}: {error}");
        }
    }

    #[test]
    fn the_writing_is_the_same_however_many_stop_reading() {
        let fleet = fleet(4, 2, 3);
        let of = |percent: u32| {
            let line = format!("stall --sockets 20 --stalled {percent} --tickets 2 --rate 25 --cut-within 20s");
            let (setup, Play::Stall(stall)) = asked(&line, &fleet).expect("large enough") else { panic!("stall") };
            (setup, stall)
        };
        let ((control, nobody), (setup, half)) = (of(0), of(50));
        assert_eq!(half.cut_within, Some(Duration::from_secs(20)));
        assert_eq!((nobody.stalled.len(), half.stalled.len(), half.watching), (0, 10, 20));
        assert_eq!((control.clients(), setup.clients()), (20 + 2 * 4, 20 + 2 * 4), "a customer and three agents write on each");
        assert_eq!((control.writers, setup.writers), (4, 4));
        let writers = |setup: &Setup| -> Vec<View> { setup.tickets[1].iter().take(4).map(|seat| seat.view).collect() };
        assert_eq!(writers(&control), writers(&setup));
    }
}
