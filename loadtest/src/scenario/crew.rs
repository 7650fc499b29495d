//! All clients of a run: brought to their places a few at a time, handed what they are to post when it is due, waited for,
//! and sent home with what they saw.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use uuid::Uuid;

use super::{Setup, progress_line};
use crate::client::life::{Order, Reached, Surroundings, live};
use crate::client::shelf::Shelf;
use crate::client::socket::Socket;
use crate::client::{Client, Company, Greeting, Outage, TurnedAway};
use crate::clock::{Clock, micros};
use crate::fleet::Seat;
use crate::oracle::history::{ClientHistory, View};
use crate::plan::{Intent, Pace, Plan, Words};
use crate::pulse;
use crate::tally::{Stretch, Tally};

/// Clients that connect at the same time.
const CONNECTING: usize = 32;
/// How long a few clients may take to be subscribed.
const SEATING_TIMEOUT: Duration = Duration::from_secs(30);
/// Intents a client may be behind before the driver gives up on handing it more.
const INTENTS: usize = 4_096;
/// How often counters are looked at while waiting.
const LOOK: Duration = Duration::from_millis(20);

/// All clients of a run.
#[derive(Debug)]
pub struct Crew {
    mates: Vec<Mate>,
    orders: watch::Sender<Order>,
    plan: Plan,
    clock: Clock,
    next_number: u64,
    /// Counters of the run.
    pub tally: Arc<Tally>,
    /// Where the run shows how it goes on.
    pub progress: ProgressBar,
    is_talkative: bool,
}

#[derive(Debug)]
struct Mate {
    view: View,
    intents: mpsc::Sender<Intent>,
    reached: watch::Receiver<Reached>,
    task: JoinHandle<Result<Client, TurnedAway>>,
}

/// What it takes to steer a crew while it is kept at a pace.
#[derive(Debug)]
pub struct Lever {
    /// How many clients there are.
    pub clients: u64,
    orders: watch::Sender<Order>,
    tally: Arc<Tally>,
    clock: Clock,
    progress: ProgressBar,
    is_talkative: bool,
}

impl Lever {
    /// Tells everybody what to do.
    pub fn order(&self, order: Order) {
        self.orders.send_replace(order);
    }

    /// Clients that are subscribed right now.
    pub fn live(&self) -> u64 {
        self.tally.live.load(Relaxed)
    }

    /// Subscriptions that were lost so far.
    pub fn lost(&self) -> u64 {
        self.tally.lost.load(Relaxed)
    }

    /// Microseconds since the run began.
    pub fn now_us(&self) -> u64 {
        self.clock.now_us()
    }

    /// Says how the run goes on, so that it stays to be read; also where there is no terminal.
    pub fn say(&self, words: &str) {
        if !self.is_talkative {
            return;
        }
        if self.progress.is_hidden() { eprintln!("{words}") } else { self.progress.println(words) }
    }
}

/// What a client brought home.
#[derive(Debug)]
pub struct Testimony {
    /// Where it sat.
    pub seat: Seat,
    /// What it saw.
    pub history: ClientHistory,
    /// What the hub told of itself.
    pub greeting: Option<Greeting>,
    /// When it was without its subscription.
    pub outages: Vec<Outage>,
    /// How late it put intents on the wire although nothing kept it, in microseconds.
    pub lateness_us: Vec<u64>,
}

impl Crew {
    /// Connects and subscribes everybody.
    ///
    /// # Errors
    /// In words: the hub is not there, refuses a token, or does not get everybody subscribed in time.
    pub async fn assemble(setup: &Setup, cut_every: Option<Duration>) -> anyhow::Result<Self> {
        for route in setup.routes.samples() {
            Socket::open(&route).await?.close().await;
        }
        let views: Vec<Vec<View>> = setup.tickets.iter().map(|seats| seats.iter().map(|seat| seat.view).collect()).collect();
        let mut crew = Self {
            mates: Vec::new(),
            // Nobody is cut before everybody sits.
            orders: watch::Sender::new(Order::Settle),
            plan: Plan::new(setup.seed, setup.shares, &views, setup.writers),
            clock: Clock::start(),
            next_number: 0,
            tally: Arc::default(),
            progress: progress_line(setup),
            is_talkative: setup.shows_progress,
        };
        pulse::watch(&crew.tally, crew.clock);
        let company = Company {
            words: Words::new(Uuid::new_v4(), setup.body_bytes),
            tally: Arc::clone(&crew.tally),
            patience_us: setup.patience.map(micros),
        };
        let seats = with_shelves(&setup.tickets);
        for few in seats.chunks(CONNECTING) {
            for (seat, shelf) in few {
                let client = Client::new(seat.clone(), company.clone(), Arc::clone(shelf));
                crew.engage(client, setup, seat.view, cut_every);
            }
            crew.progress.set_message(format!("connecting {} of {}", crew.mates.len(), seats.len()));
            crew.wait_until_all_live(Instant::now() + SEATING_TIMEOUT).await?;
        }
        Ok(crew)
    }

    fn engage(&mut self, client: Client, setup: &Setup, view: View, cut_every: Option<Duration>) {
        let index = self.mates.len();
        let (intents, to_post) = mpsc::channel(INTENTS);
        let (tell, reached) = watch::channel(Reached::default());
        let around = Surroundings {
            routes: Arc::clone(&setup.routes),
            index,
            intents: to_post,
            orders: self.orders.subscribe(),
            reached: tell,
            cut_every,
            backoff: setup.backoff,
            rng: StdRng::seed_from_u64(setup.seed ^ ((index as u64 + 1) << 20)),
            clock: self.clock,
            tally: Arc::clone(&self.tally),
        };
        self.mates.push(Mate { view, intents, reached, task: tokio::spawn(live(client, around)) });
    }

    async fn wait_until_all_live(&mut self, deadline: Instant) -> anyhow::Result<()> {
        for mate in &mut self.mates {
            let reached = &mut mate.reached;
            loop {
                let is_live = async { reached.wait_for(|reached| reached.is_live).await.map(drop) };
                match timeout_at(Instant::now() + LOOK, is_live).await {
                    Ok(Ok(())) => break,
                    Ok(Err(_)) => return Err(turned_away(&mut mate.task).await),
                    Err(_) => self.tally.check_seating(Instant::now() > deadline)?,
                }
            }
        }
        Ok(())
    }

    /// Lets connections be cut from now on.
    pub fn begin_cutting(&self) {
        self.orders.send_replace(Order::Run);
    }

    /// Hands out intents when they are due, until the pace ends or `is_over` says so.
    ///
    /// # Errors
    /// When the hub turned a client away meanwhile.
    pub async fn keep_pace(
        &mut self,
        pace: Pace,
        stretch: &Arc<Stretch>,
        is_over: impl Fn(&Tally) -> bool,
    ) -> anyhow::Result<()> {
        let (began, mut shown) = (self.clock.now_us(), Shown::default());
        if !pace.ramp.is_zero() {
            self.tally.pulse.mark(began, "rising");
        }
        self.tally.pulse.mark(began + micros(pace.ramp), "steady");
        for index in 0.. {
            let Some((due_us, measured)) = pace.due(index) else { break };
            let intended_us = began + due_us;
            if intended_us > self.clock.now_us() {
                self.show(&mut shown, pace.rate);
                sleep_until(self.clock.instant(intended_us)).await;
            }
            if is_over(&self.tally) {
                break;
            }
            self.hand_out(intended_us, measured, stretch).await?;
        }
        if let Some(duration) = pace.duration {
            // The last interval counts too.
            let end = began + micros(pace.ramp + duration);
            if !is_over(&self.tally) {
                sleep_until(self.clock.instant(end)).await;
            }
        }
        Ok(())
    }

    async fn hand_out(&mut self, intended_us: u64, measured: bool, stretch: &Arc<Stretch>) -> anyhow::Result<()> {
        let (who, is_note, insists) = self.plan.next();
        if measured {
            stretch.offered.fetch_add(1, Relaxed);
        }
        let intent = Intent { number: self.next_number, intended_us, is_note, insists, measured, stretch: Arc::clone(stretch) };
        self.next_number += 1;
        match self.mates[who].intents.try_send(intent) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.tally.overflowed.fetch_add(1, Relaxed);
                Ok(())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(turned_away(&mut self.mates[who].task).await),
        }
    }

    fn show(&self, shown: &mut Shown, rate: f64) {
        let now = Instant::now();
        if now.duration_since(shown.at) < Duration::from_millis(500) {
            return;
        }
        let seconds = now.duration_since(shown.at).as_secs_f64();
        let (acked, events) = (self.tally.acked.load(Relaxed), self.tally.events.load(Relaxed));
        let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        self.progress.set_message(format!(
            "{} of {} connected · {rate:.0} replies/s wanted · {:.0} acked/s · {:.0} events/s · {acked} acked · {} outstanding",
            self.tally.live.load(Relaxed),
            self.mates.len(),
            per_second(acked, shown.acked),
            per_second(events, shown.events),
            self.outstanding(),
        ));
        *shown = Shown { at: now, acked, events };
    }

    /// Intents that were handed out and are not settled.
    pub fn outstanding(&self) -> u64 {
        let handed_out = self.next_number - self.tally.overflowed.load(Relaxed);
        handed_out.saturating_sub(self.tally.settled.load(Relaxed))
    }

    /// Waits until everything is answered; false when that took longer than `grace`.
    pub async fn settle(&mut self, grace: Duration) -> bool {
        let deadline = Instant::now() + grace;
        self.tally.pulse.mark(self.clock.now_us(), "settling");
        while self.outstanding() > 0 {
            if Instant::now() > deadline {
                return false;
            }
            self.progress.set_message(format!("waiting for {} answers", self.outstanding()));
            sleep(LOOK).await;
        }
        true
    }

    /// Has everybody listen, and send nothing any more.
    pub fn fall_silent(&self) {
        self.orders.send_replace(Order::Listen);
    }

    /// What steers the crew while it is kept at a pace.
    pub fn lever(&self) -> Lever {
        Lever {
            clients: self.mates.len() as u64,
            orders: self.orders.clone(),
            tally: Arc::clone(&self.tally),
            clock: self.clock,
            progress: self.progress.clone(),
            is_talkative: self.is_talkative,
        }
    }

    /// Ends the cutting of connections.
    pub fn end_cutting(&self) {
        self.orders.send_replace(Order::Settle);
    }

    /// Waits until everybody was shown the head of its ticket, in its numbering; no longer than `grace`.
    /// `heads` are asked by the index of the client.
    pub async fn wait_until_reached(&mut self, heads: impl Fn(usize, View) -> u64, grace: Duration) {
        let deadline = Instant::now() + grace;
        for (index, mate) in self.mates.iter_mut().enumerate() {
            let head = heads(index, mate.view);
            // Who is late or was turned away is found by the oracle.
            let is_there = async { drop(mate.reached.wait_for(|reached| reached.seq >= head).await) };
            let _ = timeout_at(deadline, is_there).await;
        }
    }

    /// Ends the run and collects what everybody saw.
    ///
    /// # Errors
    /// When the hub turned a client away.
    pub async fn go_home(self) -> anyhow::Result<Vec<Testimony>> {
        self.orders.send_replace(Order::End);
        let mut testimonies = Vec::with_capacity(self.mates.len());
        for mate in self.mates {
            drop(mate.intents);
            let client = mate.task.await.context("a client broke down")?.map_err(|why| anyhow::anyhow!(why.words))?;
            let (seat, history, greeting, outages, lateness_us) = client.finish();
            testimonies.push(Testimony { seat, history, greeting, outages, lateness_us });
        }
        Ok(testimonies)
    }
}

/// Every seat with the facts of its topic, which are shared by all who watch it.
fn with_shelves(tickets: &[Vec<Seat>]) -> Vec<(Seat, Arc<Shelf>)> {
    let mut seats = Vec::new();
    for at_ticket in tickets {
        let (ticket, thread) = (Arc::<Shelf>::default(), Arc::<Shelf>::default());
        seats.extend(at_ticket.iter().map(|seat| match seat.view {
            View::Ticket => (seat.clone(), Arc::clone(&ticket)),
            View::Thread => (seat.clone(), Arc::clone(&thread)),
        }));
    }
    seats
}

/// What the progress line showed last.
struct Shown {
    at: Instant,
    acked: u64,
    events: u64,
}

impl Default for Shown {
    fn default() -> Self {
        Self { at: Instant::now(), acked: 0, events: 0 }
    }
}

/// The words of a client that ended early.
async fn turned_away(task: &mut JoinHandle<Result<Client, TurnedAway>>) -> anyhow::Error {
    match task.await {
        Ok(Err(why)) => anyhow::anyhow!(why.words),
        Ok(Ok(_)) => anyhow::anyhow!("a client ended early"),
        Err(error) => anyhow::anyhow!("a client broke down: {error}"),
    }
}
