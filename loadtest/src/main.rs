//! Many clients that speak the hub's protocol, and an oracle that checks what they saw.
//!
//! Knows nothing of the hub but its wire: connects like a stranger, replies in an open loop, notes everything it hears, and
//! holds it against the protocol's guarantees. Exit status 0: they held; 1: one was broken; 2: the run could not be done.

mod cli;
mod client;
mod clock;
#[cfg(test)]
mod fake_hub;
mod fleet;
mod lag;
mod oracle;
mod plan;
mod pulse;
mod report;
mod reread;
mod rest;
mod scenario;
mod tally;

use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::Parser;

use cli::{Cli, Common, Scenario};
use client::socket::Endpoint;
use fleet::Fleet;
use plan::Shares;
use report::Report;
use scenario::resume::Until;
use scenario::{Outcome, Setup, resume, thread};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Looks at clocks and sockets after a few tasks, not after 61: a busy driver must still know what time it is.
    let runtime = tokio::runtime::Builder::new_multi_thread().event_interval(7).enable_all().build();
    let done = runtime.context("no threads to run on").and_then(|runtime| runtime.block_on(run(&cli)));
    match done {
        Ok(report) if report.breaches.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("loadtest: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: &Cli) -> anyhow::Result<Report> {
    let (name, common) = match &cli.scenario {
        Scenario::Thread { common, .. } => ("thread", common),
        Scenario::Resume { common, .. } => ("resume", common),
    };
    let setup = set_up(common)?;
    let outcome = tokio::select! {
        outcome = play(&cli.scenario, &setup) => outcome?,
        () = interrupted_twice() => bail!("interrupted twice, so nothing was judged"),
    };
    let report = Report::new(name, &setup, &common.urls, &outcome);
    print!("{}", report.table());
    if let Some(path) = &common.json {
        let json = serde_json::to_vec_pretty(&report)?;
        std::fs::write(path, json).with_context(|| format!("cannot write the report to {}", path.display()))?;
    }
    Ok(report)
}

async fn play(scenario: &Scenario, setup: &Setup) -> anyhow::Result<Outcome> {
    match scenario {
        Scenario::Thread { sustain, .. } => thread::run(setup, *sustain).await,
        Scenario::Resume { cut_every, replies, .. } => {
            resume::run(setup, *cut_every, replies.map_or(Until::Time, Until::Acked)).await
        }
    }
}

/// The first Ctrl-C ends a run early and has it judged; the second ends everything.
async fn interrupted_twice() {
    for _ in 0..2 {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nobody can interrupt here.
            std::future::pending().await
        }
    }
}

fn set_up(common: &Common) -> anyhow::Result<Setup> {
    let endpoints: Vec<Endpoint> = common.urls.iter().map(|url| Endpoint::parse(url)).collect::<Result<_, _>>()?;
    if let Some(far) = endpoints.iter().find(|endpoint| !endpoint.is_loopback()) {
        eprintln!("loadtest: {} is not this machine; the network is part of the figures", far.authority);
    }
    let tickets = Fleet::read(&common.tokens)?.seats(common.tickets as usize, common.subscribers as usize)?;
    enough_file_descriptors(tickets.iter().map(Vec::len).sum())?;
    let shares = Shares { customer: common.customer_share, note: common.note_share, force: common.force_share };
    Ok(Setup {
        endpoints,
        codec: common.codec.into(),
        tickets,
        rate: common.rate,
        ramp: common.ramp,
        duration: common.duration,
        seed: common.seed,
        shares,
        body_bytes: common.body_bytes as usize,
        grace: common.grace,
        shows_progress: !common.quiet,
    })
}

/// Every client is a socket; a run that would break off in the middle is refused before it begins.
fn enough_file_descriptors(clients: usize) -> anyhow::Result<()> {
    /// Beside the clients: the runtime's own, standard streams, readers of the truth.
    const OTHERS: usize = 64;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let Some(limit) = line.and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok()) else { return Ok(()) };
    ensure!(
        clients + OTHERS <= limit,
        "{clients} clients need more file descriptors than the {limit} this shell allows; raise it with: ulimit -n {}",
        clients + OTHERS
    );
    Ok(())
}
