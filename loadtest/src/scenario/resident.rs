//! Wakes many tickets and leaves them without a subscriber, so that what a resting ticket costs can be read off the hub.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hub_core::ids::TicketId;
use hub_core::wire::{ClientFrame, ErrorCode, ServerFrame, Topic};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Outcome, Setup, progress_line};
use crate::client::Greeting;
use crate::client::asker::{Asker, Unanswered, answered};
use crate::client::route::Routes;
use crate::client::socket::Socket;
use crate::clock::{Clock, micros};
use crate::fleet::Member;
use crate::lag::LagMeter;
use crate::report::Spread;
use crate::report::own::{Own, Resident as ResidentFigures};
use crate::tally::Tally;

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections in a row that may fail, before a socket's tickets are given up.
const MAX_FAILURES: u32 = 8;
/// Wait so long when the hub names no time.
const DEFAULT_RETRY: Duration = Duration::from_millis(200);
/// How often progress is shown.
const SHOW: Duration = Duration::from_millis(500);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Resident {
    /// Who wakes: one socket each.
    pub agents: Vec<Member>,
    /// What is woken.
    pub tickets: Vec<TicketId>,
    /// Tickets a socket has under way at a time.
    pub in_flight: usize,
}

/// Subscribes to each ticket once, and unsubscribes.
///
/// # Errors
/// In words, when not even one connection can be made.
pub async fn run(setup: &Setup, resident: &Resident) -> anyhow::Result<Outcome> {
    for route in setup.routes.samples() {
        Socket::open(&route).await?.close().await;
    }
    let (lag, clock, progress) = (LagMeter::start(), Clock::start(), progress_line(setup));
    let waking = Arc::new(Waking::new(resident.tickets.clone(), resident.in_flight));
    let mut wakers = JoinSet::new();
    for (index, member) in resident.agents.iter().enumerate() {
        let waker = Waker {
            routes: Arc::clone(&setup.routes),
            index,
            token: member.token.clone(),
            waking: Arc::clone(&waking),
            again: Vec::new(),
            got_somewhere: false,
        };
        wakers.spawn(waker.work());
    }
    let all = async {
        let mut look = tokio::time::interval(SHOW);
        loop {
            tokio::select! {
                done = wakers.join_next() => if done.is_none() { break },
                _ = look.tick() => progress.set_message(format!("{} woken", waking.woken.load(Relaxed))),
            }
        }
    };
    tokio::select! {
        () = all => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    progress.finish_and_clear();
    Ok(outcome(resident, &waking, Duration::from_micros(clock.now_us()), lag.stop()))
}

fn outcome(resident: &Resident, waking: &Waking, took: Duration, lag: crate::lag::Lag) -> Outcome {
    let notes = std::mem::take(&mut *waking.notes());
    let (tickets, woken) = (resident.tickets.len() as u64, waking.woken.load(Relaxed));
    let figures = ResidentFigures {
        tickets,
        sockets: resident.agents.len() as u64,
        woken,
        seconds: took.as_secs_f64(),
        per_s: woken as f64 / took.as_secs_f64().max(0.001),
        wake_ms: Spread::of_us(notes.wake_us),
        failed: notes.failed,
    };
    let mut outcome = Outcome::without_history(Arc::clone(&waking.tally), lag, took);
    if woken < tickets {
        outcome.unmet.push(format!("{woken} of {tickets} tickets were woken"));
    }
    (outcome.greetings, outcome.own) = (notes.greetings, Some(Own::Resident(figures)));
    outcome
}

/// What all sockets share.
#[derive(Debug)]
struct Waking {
    tickets: Vec<TicketId>,
    next: AtomicUsize,
    in_flight: usize,
    woken: AtomicU64,
    tally: Arc<Tally>,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    wake_us: Vec<u64>,
    failed: BTreeMap<String, u64>,
    greetings: BTreeMap<String, Greeting>,
}

impl Waking {
    fn new(tickets: Vec<TicketId>, in_flight: usize) -> Self {
        let (next, woken) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { tickets, next, in_flight, woken, tally: Arc::default(), notes: Mutex::default() }
    }

    fn next(&self) -> Option<TicketId> {
        self.tickets.get(self.next.fetch_add(1, Relaxed)).copied()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn fail(&self, kind: String) {
        *self.notes().failed.entry(kind).or_default() += 1;
    }
}

/// One thing under way.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Being woken.
    Wake(TicketId),
    /// Being left.
    Leave(TicketId),
}

impl Step {
    const fn ticket(self) -> TicketId {
        match self {
            Self::Wake(ticket) | Self::Leave(ticket) => ticket,
        }
    }

    const fn frame(self) -> ClientFrame {
        match self {
            Self::Wake(ticket) => ClientFrame::Subscribe { topic: Topic::Ticket(ticket), resume: None },
            Self::Leave(ticket) => ClientFrame::Unsubscribe { topic: Topic::Ticket(ticket) },
        }
    }
}

/// One socket that wakes tickets until there are no more.
struct Waker {
    routes: Arc<Routes>,
    index: usize,
    token: String,
    waking: Arc<Waking>,
    /// To be woken anew: their connection was lost meanwhile.
    again: Vec<TicketId>,
    /// It woke something over this connection.
    got_somewhere: bool,
}

impl Waker {
    async fn work(mut self) {
        let mut failures = 0;
        while let Err(end) = self.connection().await {
            match &end {
                Unanswered::NotOpen(error) => self.waking.tally.fail_to_connect(&error.kind()),
                Unanswered::Closed(Some(code)) => self.waking.tally.close(*code),
                Unanswered::Closed(None)
                | Unanswered::Refused { .. }
                | Unanswered::Broken
                | Unanswered::TimedOut
                | Unanswered::Odd(_) => {}
            }
            failures = if std::mem::take(&mut self.got_somewhere) { 1 } else { failures + 1 };
            if failures > MAX_FAILURES {
                self.again.iter().for_each(|_| self.waking.fail(end.kind()));
                return;
            }
            sleep(DEFAULT_RETRY * failures).await;
        }
    }

    /// Wakes over one connection; an error when that is lost before there are no more tickets.
    async fn connection(&mut self) -> Result<(), Unanswered> {
        let mut asker = Asker::open(&self.routes.route(self.index, 0)).await?;
        let greeting = asker.hello(&self.token).await?;
        self.waking.notes().greetings.entry(greeting.node.clone()).or_insert(greeting);
        let mut window = Window::default();
        let done = self.fill_and_hear(&mut asker, &mut window).await;
        self.again.extend(window.tickets());
        done?;
        asker.socket.close().await;
        Ok(())
    }

    async fn fill_and_hear(&mut self, asker: &mut Asker, window: &mut Window) -> Result<(), Unanswered> {
        loop {
            while window.len() < self.waking.in_flight
                && let Some(ticket) = self.again.pop().or_else(|| self.waking.next())
            {
                window.send(asker, Step::Wake(ticket)).await?;
            }
            if window.len() == 0 {
                return Ok(());
            }
            tokio::select! {
                heard = timeout(ANSWER_TIMEOUT, asker.hear()) => {
                    let frame = heard.map_err(|_| Unanswered::TimedOut)??;
                    self.hear(frame, asker, window).await?;
                }
                () = at(window.first_due()) => window.send_due(asker).await?,
            }
        }
    }

    async fn hear(&mut self, frame: ServerFrame, asker: &mut Asker, window: &mut Window) -> Result<(), Unanswered> {
        let Some((step, sent)) = answered(&frame).and_then(|id| window.asked.remove(&id)) else { return Ok(()) };
        match (frame, step) {
            (ServerFrame::Subscribed { .. }, Step::Wake(ticket)) => {
                self.waking.notes().wake_us.push(micros(sent.elapsed()));
                window.send(asker, Step::Leave(ticket)).await?;
            }
            (ServerFrame::Ack { .. }, Step::Leave(_)) => {
                self.waking.woken.fetch_add(1, Relaxed);
                self.got_somewhere = true;
            }
            (ServerFrame::Error { code, retry_after_ms, .. }, step) => {
                self.waking.tally.refuse(code);
                match code {
                    ErrorCode::Busy | ErrorCode::RateLimited | ErrorCode::Unavailable => {
                        let pause = retry_after_ms.map_or(DEFAULT_RETRY, Duration::from_millis);
                        window.put_off.push((Instant::now() + pause, step));
                    }
                    _ => self.waking.fail(format!("refused {}", crate::oracle::code_name(code))),
                }
            }
            (other, step) => return Err(Unanswered::Odd(format!("{step:?} with {other:?}"))),
        }
        Ok(())
    }
}

/// What one connection has under way.
#[derive(Default)]
struct Window {
    asked: HashMap<u64, (Step, Instant)>,
    put_off: Vec<(Instant, Step)>,
}

impl Window {
    fn len(&self) -> usize {
        self.asked.len() + self.put_off.len()
    }

    fn tickets(&self) -> impl Iterator<Item = TicketId> {
        let put_off = self.put_off.iter().map(|(_, step)| step.ticket());
        self.asked.values().map(|(step, _)| step.ticket()).chain(put_off)
    }

    async fn send(&mut self, asker: &mut Asker, step: Step) -> Result<(), Unanswered> {
        let sent = Instant::now();
        match asker.send(step.frame()).await {
            Ok(id) => {
                self.asked.insert(id, (step, sent));
                Ok(())
            }
            Err(end) => {
                // To be woken anew over the next connection.
                self.put_off.push((sent, step));
                Err(end)
            }
        }
    }

    fn first_due(&self) -> Option<Instant> {
        self.put_off.iter().map(|(due, _)| *due).min()
    }

    async fn send_due(&mut self, asker: &mut Asker) -> Result<(), Unanswered> {
        let now = Instant::now();
        while let Some(index) = self.put_off.iter().position(|(due, _)| *due <= now) {
            let (_, step) = self.put_off.swap_remove(index);
            self.send(asker, step).await?;
        }
        Ok(())
    }
}

/// Waits for an instant; for ever when there is none.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
