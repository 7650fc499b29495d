//! Agents who get in each other's way: they announce themselves, claim, draft, send (also blindly, on purpose), insist, hold, take
//! back, hand over and lose their connections at random, several at each ticket, some with two tabs, customers among them. What
//! happened is held against all guarantees, as histories: see [`crate::oracle::together`].

mod actor;
mod choose;
mod figures;
mod frames;
mod life;
#[cfg(test)]
mod tests;
mod truth;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, bail};
use hub_core::ids::{TicketId, UserId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Outcome, Setup, progress_line};
use crate::client::TurnedAway;
use crate::client::shelf::Shelf;
use crate::client::socket::Socket;
use crate::clock::{Clock, micros};
use crate::fleet::Seat;
use crate::lag::LagMeter;
use crate::oracle::history::{ClientHistory, Heads, History, TicketHistory, View};
use crate::oracle::together::history::Room;
use crate::oracle::{self, together};
use crate::pulse;
use crate::report::Spread;
use crate::report::own::Own;
use crate::tally::Tally;
use actor::{Actor, Testimony};
use truth::Log;

/// Devices that connect at the same time.
const CONNECTING: usize = 32;
/// How long a few devices may take to sit.
const SEATING_TIMEOUT: Duration = Duration::from_secs(30);
/// How often is looked whether everybody is done.
const LOOK: Duration = Duration::from_millis(20);
/// How late the hub may be with what it does by a timer, before nobody waits for it any more.
const TIMERS: Duration = Duration::from_secs(6);
/// How long everybody may take to be shown the last event.
const DELIVERY_GRACE: Duration = Duration::from_secs(10);

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Collide {
    /// How people behave.
    pub manner: Manner,
    /// Mean time between two deeds of one device.
    pub every: Duration,
    /// Mean time between two cuts of a device's connection.
    pub cut_every: Duration,
}

/// How people behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// At random, all that can be done.
    Walk,
    /// A few look on while everybody else comes and goes.
    Crowd,
    /// Agents send what is stale, and nothing else, until so many are refused.
    Blind {
        /// How many.
        refusals: u64,
    },
}

impl Manner {
    /// As it stands in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Crowd => "crowd",
            Self::Blind { .. } => "blind",
        }
    }
}

/// What the run asks of its devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Sit down, and do nothing yet.
    Sit,
    /// Do as you like.
    Act,
    /// Begin nothing new, and wait for what is under way.
    Settle,
    /// Have the topic told anew.
    Rejoin,
    /// Go home.
    End,
}

/// How far a device got, for whoever waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reached {
    seq: u64,
    is_seated: bool,
    is_done: bool,
    has_rejoined: bool,
}

/// What all devices of a run share.
#[derive(Clone, Debug)]
struct Company {
    collide: Collide,
    tally: Arc<Tally>,
    clock: Clock,
    /// Until when something is held at the latest, in microseconds since the run began.
    held_until_us: Arc<AtomicU64>,
    /// Refused `stale`.
    stale: Arc<AtomicU64>,
    /// When nobody begins anything new any more, in microseconds since the run began.
    ends_us: Arc<AtomicU64>,
}

impl Company {
    /// False once everything that was asked for is done.
    fn is_open(&self) -> bool {
        match self.collide.manner {
            Manner::Walk | Manner::Crowd => true,
            Manner::Blind { refusals } => self.stale.load(Relaxed) < refusals,
        }
    }

    fn time_left(&self, now_us: u64) -> Duration {
        Duration::from_micros(self.ends_us.load(Relaxed).saturating_sub(now_us))
    }
}

struct Crew {
    mates: Vec<Mate>,
    orders: watch::Sender<Order>,
    company: Company,
}

struct Mate {
    seat: Seat,
    reached: watch::Receiver<Reached>,
    task: JoinHandle<Result<Testimony, TurnedAway>>,
}

/// Runs for the setup's duration.
///
/// # Errors
/// In words, when the run cannot be done or not be judged.
pub async fn run(setup: &Setup, collide: &Collide) -> anyhow::Result<Outcome> {
    let progress = progress_line(setup);
    progress.set_message("connecting everybody");
    let mut crew = Crew::assemble(setup, *collide).await?;
    let company = crew.company.clone();
    let clock = company.clock;
    let (lag, before) = (LagMeter::start(), crew.heads());
    company.ends_us.store(clock.now_us() + micros(setup.duration), Relaxed);
    crew.orders.send_replace(Order::Act);
    company.tally.pulse.mark(clock.now_us(), "steady");
    let began_us = clock.now_us();
    let mut unmet = Vec::new();
    tokio::select! {
        () = last_for(setup.duration, &company) => {}
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            unmet.push("the run was interrupted".to_owned());
        }
    }
    if let Manner::Blind { refusals } = collide.manner
        && company.stale.load(Relaxed) < refusals
    {
        unmet.push(format!("{} of {refusals} stale replies were refused as such in time", company.stale.load(Relaxed)));
    }
    let measured = Duration::from_micros(clock.now_us() - began_us);
    company.tally.pulse.mark(clock.now_us(), "settling");
    progress.set_message("waiting for what is under way");
    crew.settle(setup.grace).await;
    let ended_us = clock.now_us();
    company.tally.pulse.end();
    let lag = lag.stop();
    crew.rejoin(setup.grace).await;
    progress.set_message("reading every ticket's log from scratch");
    let heads = heads_of(&truth::read(setup).await?);
    crew.wait_until_reached(&heads).await;
    let testimonies = crew.go_home().await?;
    // Leaving may have released claims: the log that is judged holds what everybody saw, and maybe more.
    let logs = truth::read(setup).await?;
    progress.set_message("asking the oracle");
    let outcome = judged(setup, testimonies, &logs, &Ends { before, heads, ended_us }, company, measured);
    progress.finish_and_clear();
    Ok(Outcome { lag, unmet, ..outcome? })
}

async fn last_for(duration: Duration, company: &Company) {
    let deadline = Instant::now() + duration;
    while Instant::now() < deadline && company.is_open() {
        sleep(LOOK).await;
    }
}

impl Crew {
    async fn assemble(setup: &Setup, collide: Collide) -> anyhow::Result<Self> {
        for route in setup.routes.samples() {
            Socket::open(&route).await?.close().await;
        }
        let company = Company {
            collide,
            tally: Arc::default(),
            clock: Clock::start(),
            held_until_us: Arc::default(),
            stale: Arc::default(),
            ends_us: Arc::default(),
        };
        pulse::watch(&company.tally, company.clock);
        let mut crew = Self { mates: vec![], orders: watch::Sender::new(Order::Sit), company };
        for seats in &setup.tickets {
            let shelves = [Arc::<Shelf>::default(), Arc::<Shelf>::default()];
            let colleagues: Arc<[UserId]> =
                seats.iter().filter(|seat| seat.view == View::Ticket).map(|seat| seat.member.user_id).collect();
            for seat in seats {
                let shelf = Arc::clone(&shelves[usize::from(seat.view == View::Thread)]);
                crew.engage(setup, seat, Arc::clone(&colleagues), shelf);
                if crew.mates.len().is_multiple_of(CONNECTING) {
                    crew.wait_for(|reached| reached.is_seated, SEATING_TIMEOUT).await?;
                }
            }
        }
        crew.wait_for(|reached| reached.is_seated, SEATING_TIMEOUT).await?;
        Ok(crew)
    }

    fn engage(&mut self, setup: &Setup, seat: &Seat, colleagues: Arc<[UserId]>, shelf: Arc<Shelf>) {
        let index = self.mates.len();
        let actor = Actor::new(seat.clone(), index, colleagues, shelf, self.company.clone(), setup.seed);
        let (tell, reached) = watch::channel(Reached::default());
        let around = life::Surroundings {
            routes: Arc::clone(&setup.routes),
            index,
            orders: self.orders.subscribe(),
            reached: tell,
            backoff: setup.backoff,
        };
        let task = tokio::spawn(life::live(actor, around));
        self.mates.push(Mate { seat: seat.clone(), reached, task });
    }

    /// Waits until all are as wanted.
    async fn wait_for(&mut self, is_there: impl Fn(&Reached) -> bool, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        for mate in &mut self.mates {
            loop {
                let wait = async { mate.reached.wait_for(|reached| is_there(reached)).await.map(drop) };
                match timeout_at(Instant::now() + LOOK, wait).await {
                    Ok(Ok(())) => break,
                    Ok(Err(_)) => return Err(turned_away(&mut mate.task).await),
                    Err(_) => self.company.tally.check_seating(Instant::now() > deadline)?,
                }
            }
        }
        Ok(())
    }

    /// Waits until everything is answered, and what is held had the time to be released.
    async fn settle(&mut self, grace: Duration) {
        self.orders.send_replace(Order::Settle);
        // Whoever got no answer is found by the oracle.
        let _ = self.wait_for(|reached| reached.is_done, grace).await;
        let held_until_us = self.company.held_until_us.load(Relaxed);
        if held_until_us > 0 {
            tokio::time::sleep_until(self.company.clock.instant(held_until_us + micros(TIMERS))).await;
        }
    }

    async fn rejoin(&mut self, grace: Duration) {
        self.orders.send_replace(Order::Rejoin);
        // Whoever is not told is found by the oracle.
        let _ = self.wait_for(|reached| reached.has_rejoined, grace).await;
    }

    /// Where everybody stands, by ticket: the lowest that an agent was shown.
    fn heads(&self) -> BTreeMap<TicketId, u64> {
        let mut heads = BTreeMap::new();
        for mate in self.mates.iter().filter(|mate| mate.seat.view == View::Ticket) {
            let seq = mate.reached.borrow().seq;
            if seq == 0 {
                // It has not come yet.
                continue;
            }
            heads.entry(mate.seat.ticket).and_modify(|head: &mut u64| *head = seq.min(*head)).or_insert(seq);
        }
        heads
    }

    async fn wait_until_reached(&mut self, heads: &BTreeMap<TicketId, (u64, u64)>) {
        let deadline = Instant::now() + DELIVERY_GRACE;
        for mate in &mut self.mates {
            let (ticket, thread) = heads.get(&mate.seat.ticket).copied().unwrap_or_default();
            let head = if mate.seat.view == View::Ticket { ticket } else { thread };
            // Who is late is found by the oracle.
            let _ = timeout_at(deadline, async { drop(mate.reached.wait_for(|reached| reached.seq >= head).await) }).await;
        }
    }

    async fn go_home(self) -> anyhow::Result<Vec<Testimony>> {
        self.orders.send_replace(Order::End);
        let mut testimonies = Vec::with_capacity(self.mates.len());
        for mate in self.mates {
            let testimony = mate.task.await.context("a device broke down")?;
            testimonies.push(testimony.map_err(|why| anyhow::anyhow!(why.words))?);
        }
        Ok(testimonies)
    }
}

async fn turned_away(task: &mut JoinHandle<Result<Testimony, TurnedAway>>) -> anyhow::Error {
    match task.await {
        Ok(Err(why)) => anyhow::anyhow!(why.words),
        Ok(Ok(_)) => anyhow::anyhow!("a device ended early"),
        Err(error) => anyhow::anyhow!("a device broke down: {error}"),
    }
}

fn heads_of(logs: &BTreeMap<TicketId, Log>) -> BTreeMap<TicketId, (u64, u64)> {
    let last = |log: &[serde_json::Value]| log.last().map_or(0, |record| record["seq"].as_u64().unwrap_or(0));
    logs.iter().map(|(id, log)| (*id, (last(&log.ticket), last(log.thread.as_deref().unwrap_or_default())))).collect()
}

/// Where the numberings stood when, and when the run ended.
struct Ends {
    before: BTreeMap<TicketId, u64>,
    heads: BTreeMap<TicketId, (u64, u64)>,
    ended_us: u64,
}

fn judged(
    setup: &Setup,
    testimonies: Vec<Testimony>,
    logs: &BTreeMap<TicketId, Log>,
    ends: &Ends,
    company: Company,
    measured: Duration,
) -> anyhow::Result<Outcome> {
    let epoch_ms = truth::epoch_ms(logs, &testimonies);
    let answers = Spread::of_us(testimonies.iter().flat_map(|one| figures::answers_us(&one.device)));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a run")]
    let lag_us = (answers.p99 * 1_000.0) as u64;
    let greetings = testimonies.iter().filter_map(|one| one.greeting.clone()).map(|hub| (hub.node.clone(), hub)).collect();
    let (mut rooms, mut shown) = (Vec::new(), History::default());
    let mut testimonies = testimonies.into_iter();
    for seats in &setup.tickets {
        let Some(id) = seats.first().map(|seat| seat.ticket) else { continue };
        let Some(log) = logs.get(&id) else { bail!("the log of ticket {id} was not read") };
        let (mut devices, mut clients) = (Vec::new(), Vec::new());
        for Testimony { device, steps, .. } in testimonies.by_ref().take(seats.len()) {
            clients.push(ClientHistory { user: device.user, view: device.view, steps, commands: vec![], oddities: vec![] });
            devices.push(device);
        }
        let (after, thread_after) = ends.heads.get(&id).copied().unwrap_or_default();
        let before = ends.before.get(&id).copied().unwrap_or(0);
        let (entries, facts, thread) = truth::told(log.read(epoch_ms), id)?;
        shown.tickets.push(TicketHistory { id, log: facts, thread, heads: Heads { before, after, thread_after }, clients });
        rooms.push(Room { id, log: entries, before, devices, ended_us: ends.ended_us, lag_us });
    }
    let mut breaches = oracle::judge_shown(&shown);
    breaches.extend(rooms.iter().flat_map(together::judge));
    let own = Own::Collide(figures::of(&rooms, company.collide.manner, measured, answers));
    let lag = crate::lag::Lag { lateness_us: vec![], driver_processors: None, machine_busy: None };
    let without = Outcome::without_history(company.tally, lag, measured);
    Ok(Outcome { history: shown, breaches, greetings, own: Some(own), ..without })
}
