//! Everybody loses the connection at once and comes back: how long until all have their subscription again, while a few keep
//! writing so that there is something to resume.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{bail, ensure};
use tokio::time::{Instant, sleep};

use super::crew::{Crew, Lever};
use super::verdict::{Figures, reach};
use super::{Outcome, Setup};
use crate::client::Outage;
use crate::client::life::{Order, Parting};
use crate::clock::Clock;
use crate::lag::LagMeter;
use crate::plan::Pace;
use crate::report::Spread;
use crate::report::own::{Own, Round, Storm as StormFigures};
use crate::tally::Stretch;

/// How often it is looked whether all are back.
const LOOK: Duration = Duration::from_millis(10);
/// All are back when nobody is missing for so long, where somebody else cuts: not everybody notices at the same time.
const STEADY: Duration = Duration::from_secs(2);

/// How connections end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The clients reset them.
    Rst,
    /// The clients close them.
    Close,
    /// Somebody ends the hub, or stops it; the clients wait for that.
    Kill,
}

impl Cut {
    const fn name(self) -> &'static str {
        match self {
            Self::Rst => "rst",
            Self::Close => "close",
            Self::Kill => "kill",
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// How connections end.
    pub cut: Cut,
    /// How often.
    pub repeat: u32,
    /// The quiet before each.
    pub calm: Duration,
    /// How long it may take until all are back; and, with [`Cut::Kill`], until somebody ends the hub.
    pub within: Duration,
}

/// Runs storm after storm.
///
/// # Errors
/// In words, when the run cannot be done or not be judged.
pub async fn run(setup: &Setup, storm: Storm) -> anyhow::Result<Outcome> {
    let mut crew = Crew::assemble(setup, None).await?;
    let stretch = Arc::<Stretch>::default();
    let (lag, began, lever) = (LagMeter::start(), Clock::start(), crew.lever());
    let mut ends_us = Vec::new();
    let pace = Pace { rate: setup.rate, ramp: setup.ramp, duration: None };
    tokio::select! {
        paced = crew.keep_pace(pace, &stretch, |_| false) => paced?,
        blown = blow(&lever, storm, &mut ends_us) => blown?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    let measured = Duration::from_micros(began.now_us()).saturating_sub(setup.ramp);
    let figures = Figures { offered: stretch.offered.load(Relaxed), rate: setup.rate, measured, trials: vec![] };
    let mut outcome = reach(crew, lag, setup, figures).await?;
    let rounds = rounds(&outcome.outages, &ends_us);
    if rounds.len() < storm.repeat as usize {
        outcome.unmet.push(format!("{} of {} storms were run: interrupted", rounds.len(), storm.repeat));
    }
    outcome.unmet.extend(unmet(storm, lever.clients, &rounds));
    outcome.own = Some(Own::Storm(StormFigures { cut: storm.cut.name().into(), rounds }));
    Ok(outcome)
}

/// What rounds that were run lack: everybody lost, as far as the clients cut, and everybody back.
fn unmet(storm: Storm, clients: u64, rounds: &[Round]) -> Vec<String> {
    let mut unmet = Vec::new();
    for (number, Round { lost, not_back, .. }) in (1..).zip(rounds) {
        match storm.cut {
            Cut::Rst | Cut::Close if *lost < clients => {
                unmet.push(format!("storm {number}: {lost} of {clients} sockets lost their connection"));
            }
            // Whom the end of a hub hits, where there are several, is not for the clients to say.
            Cut::Rst | Cut::Close | Cut::Kill => {}
        }
        if *not_back > 0 {
            unmet.push(format!("storm {number}: {not_back} of {lost} sockets were not back within {:?}", storm.within));
        }
    }
    unmet
}

/// Cuts everybody, waits until all are back, and again; notes when each round ended.
async fn blow(lever: &Lever, storm: Storm, ends_us: &mut Vec<u64>) -> anyhow::Result<()> {
    for number in 1..=storm.repeat {
        sleep(storm.calm).await;
        ensure!(
            lever.live() == lever.clients,
            "{} of {} sockets are not there before the storm",
            lever.clients - lever.live(),
            lever.clients
        );
        let lost_before = lever.lost();
        match storm.cut {
            Cut::Rst => lever.order(Order::Part(Parting::Reset)),
            Cut::Close => lever.order(Order::Part(Parting::Close)),
            Cut::Kill => wait_for_the_end(lever, lost_before, number, storm).await?,
        }
        let all_lost = match storm.cut {
            Cut::Rst | Cut::Close => lost_before + lever.clients,
            Cut::Kill => lost_before + 1,
        };
        wait_until_back(lever, all_lost, storm).await;
        ends_us.push(lever.now_us());
    }
    Ok(())
}

async fn wait_for_the_end(lever: &Lever, lost_before: u64, number: u32, storm: Storm) -> anyhow::Result<()> {
    lever.say(&format!("storm {number}: waiting for somebody to end or restart the hub"));
    let deadline = Instant::now() + storm.within;
    while lever.lost() == lost_before {
        if Instant::now() > deadline {
            bail!("--cut kill: nobody ended the hub within {:?}", storm.within);
        }
        sleep(LOOK).await;
    }
    Ok(())
}

async fn wait_until_back(lever: &Lever, all_lost: u64, storm: Storm) {
    let deadline = Instant::now() + storm.within;
    let mut whole_since = None;
    while Instant::now() < deadline {
        let is_whole = lever.lost() >= all_lost && lever.live() == lever.clients;
        let since = *whole_since.get_or_insert_with(Instant::now);
        match storm.cut {
            _ if !is_whole => whole_since = None,
            Cut::Rst | Cut::Close => return,
            Cut::Kill if since.elapsed() >= STEADY => return,
            Cut::Kill => {}
        }
        sleep(LOOK).await;
    }
}

/// Which outage belongs to which storm: those that began before it ended.
fn rounds(outages: &[Outage], ends_us: &[u64]) -> Vec<Round> {
    let mut from_us = 0;
    let mut round = |end_us: &u64| {
        let of_it: Vec<&Outage> = outages.iter().filter(|outage| (from_us..*end_us).contains(&outage.lost_us)).collect();
        from_us = *end_us;
        let back: Vec<(u64, u64)> =
            of_it.iter().filter_map(|o| Some((o.lost_us, o.back_us.filter(|us| us <= end_us)?))).collect();
        let began_us = of_it.iter().map(|outage| outage.lost_us).min().unwrap_or(*end_us);
        let last_us = back.iter().map(|(_, back_us)| *back_us).max().unwrap_or(began_us);
        Round {
            lost: of_it.len() as u64,
            not_back: (of_it.len() - back.len()) as u64,
            resume_ms: Spread::of_us(back.iter().map(|(lost_us, back_us)| back_us - lost_us)),
            all_back_ms: last_us.saturating_sub(began_us) as f64 / 1_000.0,
            attempts: of_it.iter().map(|outage| outage.attempts).sum(),
        }
    };
    ends_us.iter().map(&mut round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outage_counts_in_the_storm_it_began_in() {
        let outage = |lost_us, back_us| Outage { lost_us, back_us, attempts: 2 };
        let outages =
            [outage(1_000, Some(5_000)), outage(2_000, Some(9_000)), outage(20_000, Some(99_000)), outage(21_000, None)];
        let rounds = rounds(&outages, &[10_000, 50_000]);
        let told: Vec<_> = rounds.iter().map(|r| (r.lost, r.not_back, r.resume_ms.count, r.all_back_ms, r.attempts)).collect();
        assert_eq!(told, [(2, 0, 2, 8.0, 4), (2, 2, 0, 0.0, 4)]);
    }

    #[test]
    fn clients_that_cut_must_all_be_lost_and_all_be_back() {
        let back = |lost, not_back| Round { lost, not_back, resume_ms: Spread::of_us([]), all_back_ms: 1.0, attempts: lost };
        let of = |cut, round| {
            let storm = Storm { cut, repeat: 1, calm: Duration::ZERO, within: Duration::from_secs(9) };
            unmet(storm, 40, &[back(40, 0), round])
        };
        for cut in [Cut::Rst, Cut::Close] {
            assert_eq!(of(cut, back(40, 0)), [""; 0]);
            assert_eq!(of(cut, back(39, 0)), ["storm 2: 39 of 40 sockets lost their connection"]);
            assert_eq!(of(cut, back(40, 3)), ["storm 2: 3 of 40 sockets were not back within 9s"]);
        }
        assert_eq!(of(Cut::Kill, back(20, 0)), [""; 0]);
        assert_eq!(of(Cut::Kill, back(20, 3)).len(), 1);
    }
}
