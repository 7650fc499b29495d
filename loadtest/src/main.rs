//! Many clients that speak the hub's protocol, and an oracle that checks what they saw.
//!
//! Knows nothing of the hub but its wire: connects like a stranger, replies in an open loop, notes everything it hears, and
//! holds it against the protocol's guarantees. Exit status 0: they held; 1: one was broken; 2: the run could not be done.

mod cli;
mod client;
mod clock;
#[cfg(test)]
mod fake_desk;
#[cfg(test)]
mod fake_hub;
mod fleet;
mod kernel;
mod lag;
mod open_files;
mod oracle;
mod plan;
mod prepare;
mod pulse;
mod report;
mod reread;
mod rest;
mod scenario;
mod tally;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;

use cli::{Cli, Command, Scenario};
use prepare::prepare;
use report::Report;

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
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn run(scenario: &Scenario) -> anyhow::Result<Report> {
    let common = scenario.common();
    let (setup, play) = prepare(scenario)?;
    open_files::allow(setup.clients())?;
    let outcome = tokio::select! {
        outcome = play.run(&setup) => outcome?,
        () = interrupted_twice() => bail!("interrupted twice, so nothing was judged"),
    };
    let report = Report::new(scenario.name(), &setup, &common.urls, &outcome);
    print!("{}", report.table());
    report::files::save(&report, common.json.as_deref(), common.html.as_deref())?;
    Ok(report)
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
