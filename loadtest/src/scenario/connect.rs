//! Many idle sockets: opened at a rate, held, counted. What a hub's sockets cost is asked of the hub; here is how it takes them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hub_core::wire::{ClientFrame, Topic};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::{Outcome, Setup, progress_line};
use crate::client::Greeting;
use crate::client::asker::{Asker, Unanswered};
use crate::client::route::Route;
use crate::client::socket::Incoming;
use crate::clock::Clock;
use crate::fleet::{Member, Topics};
use crate::lag::LagMeter;
use crate::plan::Pace;
use crate::report::Spread;
use crate::report::own::{Connect as ConnectFigures, Own};
use crate::tally::Tally;

/// How long the last ones may take to be welcomed.
const SETTLE: Duration = Duration::from_secs(45);
/// How often it is looked whether all have arrived.
const LOOK: Duration = Duration::from_millis(50);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Whose sockets, and what each watches.
    pub people: Vec<(Member, Option<Topic>)>,
    /// What they watch, for the report.
    pub topics: Topics,
}

/// Opens one socket for each of the people at the setup's rate, and holds them for its duration.
///
/// # Errors
/// In words, when not even one connection can be made.
pub async fn run(setup: &Setup, connect: &Connect) -> anyhow::Result<Outcome> {
    for route in setup.routes.samples() {
        crate::client::socket::Socket::open(&route).await?.close().await;
    }
    let (lag, clock) = (LagMeter::start(), Clock::start());
    let gathered = Arc::<Gathered>::default();
    crate::pulse::watch(&gathered.tally, clock);
    let over = watch::Sender::new(false);
    let mut sockets = JoinSet::new();
    let held = tokio::select! {
        held = open_and_hold(setup, connect, clock, &gathered, &over, &mut sockets) => Some(held),
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| None)?,
    };
    let alive_at_end = gathered.tally.live.load(Relaxed);
    gathered.tally.pulse.end();
    let lag = lag.stop();
    over.send_replace(true);
    while sockets.join_next().await.is_some() {}
    Ok(outcome(setup, connect, &gathered, alive_at_end, held, lag))
}

/// Opens all of them, and tells how long they were held.
async fn open_and_hold(
    setup: &Setup,
    connect: &Connect,
    clock: Clock,
    gathered: &Arc<Gathered>,
    over: &watch::Sender<bool>,
    sockets: &mut JoinSet<()>,
) -> Duration {
    let (progress, total) = (progress_line(setup), connect.people.len() as u64);
    let pace = Pace { rate: setup.rate, ramp: Duration::ZERO, duration: None };
    for (index, (member, topic)) in (0..).zip(&connect.people) {
        let due_us = pace.due(index).map_or(0, |(due_us, _)| due_us);
        sleep_until(clock.instant(due_us)).await;
        let idle = Idle {
            route: setup.routes.route(usize::try_from(index).unwrap_or(usize::MAX), 0),
            token: member.token.clone(),
            topic: *topic,
            due_us,
            clock,
            gathered: Arc::clone(gathered),
        };
        sockets.spawn(idle.live(over.subscribe()));
        if index % 64 == 0 {
            progress.set_message(format!("{index} of {total} opened, {} alive", gathered.tally.live.load(Relaxed)));
        }
    }
    let arrived = async {
        while gathered.arrived.load(Relaxed) < total {
            sleep(LOOK).await;
        }
    };
    // Who is late is counted as missing.
    let _ = timeout(SETTLE, arrived).await;
    let began_us = clock.now_us();
    progress.set_message(format!("holding {} of {total}", gathered.tally.live.load(Relaxed)));
    gathered.tally.pulse.mark(began_us, "holding");
    sleep(setup.duration).await;
    progress.finish_and_clear();
    Duration::from_micros(clock.now_us() - began_us)
}

/// What all sockets tell.
#[derive(Debug, Default)]
struct Gathered {
    tally: Arc<Tally>,
    /// Welcomed (and subscribed), or failed.
    arrived: AtomicU64,
    pings: AtomicU64,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    handshake_us: Vec<u64>,
    welcome_us: Vec<u64>,
    subscribe_us: Vec<u64>,
    failed: BTreeMap<String, u64>,
    lost: BTreeMap<String, u64>,
    greetings: BTreeMap<String, Greeting>,
}

impl Gathered {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// One socket. What it keeps is little: ten thousand fit into one process.
struct Idle {
    route: Route,
    token: String,
    topic: Option<Topic>,
    due_us: u64,
    clock: Clock,
    gathered: Arc<Gathered>,
}

impl Idle {
    async fn live(self, mut over: watch::Receiver<bool>) {
        let arrived = self.arrive().await;
        self.gathered.arrived.fetch_add(1, Relaxed);
        match arrived {
            Ok(mut asker) => {
                self.gathered.tally.live.fetch_add(1, Relaxed);
                tokio::select! {
                    lost = hold(&mut asker) => {
                        self.gathered.tally.live.fetch_sub(1, Relaxed);
                        self.count_end(&lost);
                        *self.gathered.notes().lost.entry(lost.kind()).or_default() += 1;
                    }
                    _ = over.wait_for(|is_over| *is_over) => {}
                }
                self.gathered.pings.fetch_add(asker.socket.pings(), Relaxed);
                asker.socket.hang_up().await;
            }
            Err(error) => {
                if let Unanswered::NotOpen(error) = &error {
                    self.gathered.tally.fail_to_connect(&error.kind());
                }
                self.count_end(&error);
                *self.gathered.notes().failed.entry(error.kind()).or_default() += 1;
            }
        }
    }

    async fn arrive(&self) -> Result<Asker, Unanswered> {
        let mut asker = Asker::open(&self.route).await?;
        let opened_us = self.clock.now_us();
        self.gathered.notes().handshake_us.push(opened_us.saturating_sub(self.due_us));
        let greeting = asker.hello(&self.token).await?;
        let welcomed_us = self.clock.now_us();
        {
            let mut notes = self.gathered.notes();
            notes.welcome_us.push(welcomed_us - opened_us);
            notes.greetings.entry(greeting.node.clone()).or_insert(greeting);
        }
        if let Some(topic) = self.topic {
            asker.ask(ClientFrame::Subscribe { topic, resume: None }).await?;
            self.gathered.notes().subscribe_us.push(self.clock.now_us() - welcomed_us);
        }
        Ok(asker)
    }

    fn count_end(&self, end: &Unanswered) {
        match end {
            Unanswered::Closed(Some(code)) => self.gathered.tally.close(*code),
            Unanswered::Refused { code, .. } => self.gathered.tally.refuse(*code),
            Unanswered::Closed(None)
            | Unanswered::NotOpen(_)
            | Unanswered::Broken
            | Unanswered::TimedOut
            | Unanswered::Odd(_) => {}
        }
    }
}

/// Hears pings, which are answered, and everything else, which is of no interest, until the connection is gone.
async fn hold(asker: &mut Asker) -> Unanswered {
    loop {
        match asker.socket.next().await {
            Incoming::Text(_) | Incoming::Binary(_) => {}
            Incoming::Closed(code) => return Unanswered::Closed(code),
            Incoming::Broken => return Unanswered::Broken,
        }
    }
}

/// What the run came to; `held` is none when it was interrupted.
fn outcome(
    setup: &Setup,
    connect: &Connect,
    gathered: &Gathered,
    alive_at_end: u64,
    held: Option<Duration>,
    lag: crate::lag::Lag,
) -> Outcome {
    let notes = std::mem::take(&mut *gathered.notes());
    let sockets = connect.people.len() as u64;
    let figures = ConnectFigures {
        sockets,
        rate_per_s: setup.rate,
        topics: connect.topics.name().into(),
        handshake_ms: Spread::of_us(notes.handshake_us),
        welcome_ms: Spread::of_us(notes.welcome_us),
        subscribe_ms: Spread::of_us(notes.subscribe_us),
        held_s: held.unwrap_or_default().as_secs_f64(),
        alive_at_end,
        pings_answered: gathered.pings.load(Relaxed),
        failed: notes.failed,
        lost: notes.lost,
    };
    let mut unmet = Vec::new();
    if held.is_none() {
        unmet.push("the sockets were not held as long as wanted: interrupted".to_owned());
    }
    if alive_at_end < sockets {
        let hint = if gathered.tally.closes().contains_key(&4429) {
            "; 4429 is too many of one user: make a larger fleet, or raise the hub's sockets_per_user"
        } else {
            ""
        };
        unmet.push(format!("{alive_at_end} of {sockets} sockets were alive at the end{hint}"));
    }
    let mut outcome = Outcome::without_history(Arc::clone(&gathered.tally), lag, held.unwrap_or_default());
    (outcome.greetings, outcome.rate) = (notes.greetings, setup.rate);
    (outcome.own, outcome.unmet) = (Some(Own::Connect(figures)), unmet);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::wire::Codec;

    use crate::fake_hub::Fault;
    use crate::scenario::tests;

    #[tokio::test]
    async fn an_interrupted_run_did_not_get_what_it_demands() {
        let setup = tests::setup(&tests::hub(Fault::None).await, Codec::Json, 1.0, 0);
        let connect = Connect { people: vec![], topics: Topics::None };
        for (held, expected) in [(Some(Duration::from_secs(1)), 0), (None, 1)] {
            let outcome = outcome(&setup, &connect, &Arc::default(), 0, held, LagMeter::start().stop());
            assert_eq!(outcome.unmet.len(), expected, "{:?}", outcome.unmet);
        }
    }
}
