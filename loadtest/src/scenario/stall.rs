//! Some sockets stop reading while events come: when does the hub cut each of them off, and what do the others notice? Those that
//! read are a crew like any other, held against the guarantees; those that do not are looked at from outside, by the kernel.

use std::collections::BTreeMap;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use hub_core::wire::ClientFrame;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::crew::Crew;
use super::verdict::{Figures, reach};
use super::{Outcome, Setup};
use crate::client::asker::Asker;
use crate::client::socket::Incoming;
use crate::clock::{Clock, micros};
use crate::fleet::Seat;
use crate::kernel::{self, EndState};
use crate::lag::LagMeter;
use crate::plan::Pace;
use crate::report::Spread;
use crate::report::own::{Own, Stall as StallFigures};
use crate::tally::Stretch;

/// How often the kernel is asked.
const LOOK: Duration = Duration::from_millis(50);
/// Stalled sockets that connect at the same time.
const CONNECTING: usize = 16;
/// After the run a socket that brings nothing for so long is still open.
const SILENCE: Duration = Duration::from_secs(1);
/// How long a stalled socket may read on after the run.
const READ_ON: Duration = Duration::from_secs(15);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Stall {
    /// Who does not read; the crew is in the setup.
    pub stalled: Vec<Seat>,
    /// Sockets that watch and do not write, those that do not read included.
    pub watching: usize,
    /// What the kernel may keep for who does not read, in bytes.
    pub receive_buffer: u32,
    /// How long after it stopped reading a socket may be there, if that is demanded; no longer than the run.
    pub cut_within: Option<Duration>,
}

/// Runs at the setup's rate for its duration.
///
/// # Errors
/// In words, when the run cannot be done or not be judged.
pub async fn run(setup: &Setup, stall: &Stall) -> anyhow::Result<Outcome> {
    kernel::ends().context("stall asks the kernel who is still connected, and this one has no /proc/net/tcp")?;
    let mut crew = Crew::assemble(setup, None).await?;
    let clock = Clock::start();
    let mut sleepers = fall_asleep(setup, stall, clock).await?;
    let stretch = Arc::<Stretch>::default();
    let (lag, began, over) = (LagMeter::start(), Clock::start(), watch::Sender::new(false));
    let observed = tokio::spawn(observe(sleepers.iter().map(Sleeper::place).collect(), clock, over.subscribe()));
    let pace = Pace { rate: setup.rate, ramp: setup.ramp, duration: Some(setup.duration) };
    let is_whole = tokio::select! {
        paced = crew.keep_pace(pace, &stretch, |_| false) => paced.map(|()| true)?,
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| false)?,
    };
    let measured = setup.duration.min(Duration::from_micros(began.now_us()).saturating_sub(setup.ramp));
    over.send_replace(true);
    let observed = observed.await.context("whoever asked the kernel broke down")??;
    let figures = Figures { offered: stretch.offered.load(Relaxed), rate: setup.rate, measured, trials: vec![] };
    let mut outcome = reach(crew, lag, setup, figures).await?;
    let found_at_end = read_on(&mut sleepers).await;
    outcome.unmet.extend(unmet(stall.cut_within, &observed, is_whole));
    outcome.own = Some(Own::Stall(figures_of(setup, stall, &observed, found_at_end)));
    Ok(outcome)
}

/// A socket that is subscribed and not read from.
struct Sleeper {
    asker: Asker,
    own: SocketAddrV4,
    hub: SocketAddrV4,
    stopped_us: u64,
}

/// Where a sleeper is, and since when.
type Place = (SocketAddrV4, SocketAddrV4, u64);

impl Sleeper {
    const fn place(&self) -> Place {
        (self.own, self.hub, self.stopped_us)
    }
}

async fn fall_asleep(setup: &Setup, stall: &Stall, clock: Clock) -> anyhow::Result<Vec<Sleeper>> {
    let seated: usize = setup.tickets.iter().map(Vec::len).sum();
    let asleep = stall.stalled.iter().enumerate().map(|(index, seat)| async move {
        let mut route = setup.routes.route(seated + index, 0);
        route.receive_buffer = Some(stall.receive_buffer);
        let mut asker = Asker::open(&route).await?;
        let whose = || format!("a socket of {} that was going to stop reading", seat.member.email);
        asker.hello(&seat.member.token).await.with_context(whose)?;
        asker.ask(ClientFrame::Subscribe { topic: seat.topic(), resume: None }).await.with_context(whose)?;
        let tcp = asker.socket.tcp();
        let (SocketAddr::V4(own), SocketAddr::V4(hub)) = (tcp.local_addr()?, tcp.peer_addr()?) else {
            bail!("stall asks the kernel about IPv4 connections; give the hub's IPv4 address as --url");
        };
        Ok(Sleeper { asker, own, hub, stopped_us: clock.now_us() })
    });
    stream::iter(asleep).buffered(CONNECTING).try_collect().await
}

/// What was seen of one sleeper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Observed {
    stopped_us: u64,
    /// When bytes for it were last taken by the kernel at either end.
    full_us: u64,
    /// When its connection had been ended.
    cut_us: Option<u64>,
    /// The most that waited for it.
    bytes_max: u64,
    bytes: u64,
}

impl Observed {
    /// Takes what the kernel says of its own end, and of the hub's where that is on this machine.
    fn look(&mut self, own: Option<EndState>, hub: Option<EndState>, is_hub_here: bool, now_us: u64) {
        if self.cut_us.is_some() {
            return;
        }
        let is_there = |end: Option<EndState>| end.is_some_and(|end| end.is_established);
        if !is_there(own) || (is_hub_here && !is_there(hub)) {
            self.cut_us = Some(now_us);
            return;
        }
        let bytes = own.map_or(0, |end| end.unread) + hub.map_or(0, |end| end.unsent);
        if bytes > self.bytes {
            self.full_us = now_us;
        }
        self.bytes = bytes;
        self.bytes_max = self.bytes_max.max(bytes);
    }
}

/// Asks the kernel about all of them again and again.
async fn observe(places: Vec<Place>, clock: Clock, mut over: watch::Receiver<bool>) -> anyhow::Result<Vec<Observed>> {
    let start = |(_, _, stopped_us): &Place| Observed { stopped_us: *stopped_us, full_us: *stopped_us, ..Observed::default() };
    let mut observed: Vec<Observed> = places.iter().map(start).collect();
    while !places.is_empty() {
        let ends = tokio::task::spawn_blocking(kernel::ends).await??;
        let now_us = clock.now_us();
        for ((own, hub, _), observed) in places.iter().zip(&mut observed) {
            let (ours, theirs) = (ends.get(&(*own, *hub)).copied(), ends.get(&(*hub, *own)).copied());
            observed.look(ours, theirs, hub.ip().is_loopback(), now_us);
        }
        if *over.borrow() {
            break;
        }
        // The last look is at the end of the run.
        let _ = timeout(LOOK, over.wait_for(|is_over| *is_over)).await;
    }
    Ok(observed)
}

/// Reads what is left for every sleeper, and tells how that ends.
async fn read_on(sleepers: &mut [Sleeper]) -> BTreeMap<String, u64> {
    let read = |sleeper| async { timeout(READ_ON, end_of(sleeper)).await.unwrap_or_else(|_| "still open".into()) };
    let ends: Vec<String> = stream::iter(sleepers.iter_mut().map(read)).buffer_unordered(CONNECTING).collect().await;
    let mut found = BTreeMap::new();
    for end in ends {
        *found.entry(end).or_default() += 1;
    }
    found
}

async fn end_of(sleeper: &mut Sleeper) -> String {
    loop {
        tokio::select! {
            incoming = sleeper.asker.socket.next() => match incoming {
                Incoming::Text(_) | Incoming::Binary(_) => {}
                Incoming::Closed(Some(code)) => return format!("closed {code}"),
                Incoming::Closed(None) => return "closed without a code".into(),
                Incoming::Broken => return "connection broke".into(),
            },
            () = sleep(SILENCE) => return "still open".into(),
        }
    }
}

/// What the run lacks: its whole time, and every socket that did not read cut off in time where that is demanded.
fn unmet(cut_within: Option<Duration>, observed: &[Observed], is_whole: bool) -> Vec<String> {
    let mut unmet = Vec::new();
    if !is_whole {
        unmet.push("the run was interrupted".to_owned());
    }
    if let Some(within) = cut_within {
        let is_in_time = |seen: &Observed| seen.cut_us.is_some_and(|cut_us| cut_us - seen.stopped_us <= micros(within));
        let late = observed.iter().filter(|seen| !is_in_time(seen)).count();
        if late > 0 {
            let stalled = observed.len();
            unmet.push(format!("{late} of {stalled} sockets that stopped reading were not cut off within {within:?}"));
        }
    }
    unmet
}

fn figures_of(setup: &Setup, stall: &Stall, observed: &[Observed], found_at_end: BTreeMap<String, u64>) -> StallFigures {
    let cut = || observed.iter().filter_map(|seen| Some((seen, seen.cut_us?)));
    StallFigures {
        sockets: stall.watching as u64,
        stalled: stall.stalled.len() as u64,
        events_per_s: setup.rate / setup.tickets.len().max(1) as f64,
        cut_after_stop_ms: Spread::of_us(cut().map(|(seen, cut_us)| cut_us - seen.stopped_us)),
        cut_after_full_ms: Spread::of_us(cut().map(|(seen, cut_us)| cut_us - seen.full_us)),
        not_cut: observed.iter().filter(|seen| seen.cut_us.is_none()).count() as u64,
        found_at_end,
        kernel_bytes_max: observed.iter().map(|seen| seen.bytes_max).max().unwrap_or(0),
        look_every_ms: micros(LOOK) as f64 / 1_000.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_full_when_no_more_is_taken_for_it_and_cut_when_either_end_is_gone() {
        let end = |unsent, unread| Some(EndState { is_established: true, unsent, unread });
        let ended = Some(EndState { is_established: false, unsent: 9, unread: 0 });
        let mut seen = Observed { stopped_us: 100, full_us: 100, ..Observed::default() };
        seen.look(end(0, 10), end(0, 0), true, 200);
        seen.look(end(0, 10), end(50, 0), true, 300);
        seen.look(end(0, 10), end(50, 0), true, 400);
        assert_eq!((seen.full_us, seen.cut_us, seen.bytes_max), (300, None, 60));
        let (mut far, mut gone) = (seen, seen);
        seen.look(end(0, 10), ended, true, 500);
        seen.look(None, None, true, 600);
        assert_eq!((seen.full_us, seen.cut_us), (300, Some(500)));
        // Where the hub is elsewhere, only the own end is seen.
        far.look(end(0, 10), None, false, 500);
        assert_eq!(far.cut_us, None);
        gone.look(None, None, false, 500);
        assert_eq!(gone.cut_us, Some(500));
    }

    #[test]
    fn whoever_is_cut_off_late_or_never_is_told_where_that_is_demanded_and_so_is_an_interruption() {
        let cut = |cut_us| Observed { stopped_us: 1_000_000, cut_us, ..Observed::default() };
        let observed = [cut(Some(3_000_000)), cut(Some(3_000_001)), cut(None)];
        let of = |seconds: Option<u64>, is_whole| unmet(seconds.map(Duration::from_secs), &observed, is_whole);
        assert_eq!(of(Some(2), true), ["2 of 3 sockets that stopped reading were not cut off within 2s"]);
        assert_eq!(of(None, true), [""; 0]);
        assert_eq!(of(None, false), ["the run was interrupted"]);
        assert_eq!(unmet(Some(Duration::from_secs(2)), &observed[..1], true), [""; 0]);
    }
}
