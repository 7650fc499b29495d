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
mod open_files;
mod oracle;
mod plan;
mod pulse;
mod report;
mod reread;
mod rest;
mod scenario;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Parser;

use cli::{Cli, Command, Common, Replying, Scenario};
use client::life::Backoff;
use client::route::{Endpoint, Routes};
use fleet::Fleet;
use plan::Shares;
use report::Report;
use scenario::resume::Until;
use scenario::{Outcome, Setup, resume, thread};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(scenario) => run_to_the_end(&scenario),
        Command::Report { report, output } => report::files::draw(&report, &output).map(|()| ExitCode::SUCCESS),
        Command::Compare { first, second, output } => report::files::compare(&first, &second, output.as_deref()).map(|text| {
            print!("{text}");
            ExitCode::SUCCESS
        }),
    };
    done.unwrap_or_else(|error| {
        eprintln!("loadtest: {error:#}");
        ExitCode::from(2)
    })
}

fn run_to_the_end(scenario: &Scenario) -> anyhow::Result<ExitCode> {
    // Looks at clocks and sockets after a few tasks, not after 61: a busy driver must still know what time it is.
    let runtime = tokio::runtime::Builder::new_multi_thread().event_interval(7).enable_all().build();
    let report = runtime.context("no threads to run on")?.block_on(run(scenario))?;
    Ok(if report.breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn run(scenario: &Scenario) -> anyhow::Result<Report> {
    let (name, common, replying) = match scenario {
        Scenario::Thread { common, replying, .. } => ("thread", common, replying),
        Scenario::Resume { common, replying, .. } => ("resume", common, replying),
    };
    let setup = set_up(common, replying)?;
    let outcome = tokio::select! {
        outcome = play(scenario, &setup) => outcome?,
        () = interrupted_twice() => bail!("interrupted twice, so nothing was judged"),
    };
    let report = Report::new(name, &setup, &common.urls, &outcome);
    print!("{}", report.table());
    report::files::save(&report, common.json.as_deref(), common.html.as_deref())?;
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

fn set_up(common: &Common, replying: &Replying) -> anyhow::Result<Setup> {
    let Replying { tickets, subscribers, rate, ramp, duration, .. } = *replying;
    let tickets = Fleet::read(&common.tokens)?.seats(tickets as usize, subscribers as usize)?;
    open_files::allow(tickets.iter().map(Vec::len).sum())?;
    Ok(Setup {
        routes: routes(common)?,
        tickets,
        rate,
        ramp,
        duration,
        seed: common.seed,
        shares: Shares { customer: replying.customer_share, note: replying.note_share, force: replying.force_share },
        body_bytes: replying.body_bytes as usize,
        backoff: Backoff::QUICK,
        grace: common.grace,
        shows_progress: !common.quiet,
    })
}

fn routes(common: &Common) -> anyhow::Result<Arc<Routes>> {
    let endpoints: Vec<Endpoint> = common.urls.iter().map(|url| Endpoint::parse(url)).collect::<Result<_, _>>()?;
    if let Some(far) = endpoints.iter().find(|endpoint| !endpoint.is_loopback()) {
        eprintln!("loadtest: {} is not this machine; the network is part of the figures", far.authority);
    }
    let sources = common.from.clone().unwrap_or_default();
    Ok(Arc::new(Routes { endpoints, codecs: common.codec.into(), sources }))
}
