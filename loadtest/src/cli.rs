//! The command line: what can be asked for, and help that is enough to use it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hub_core::wire::Codec;

use crate::client::route::{Codecs, Sources};

/// Many clients that speak the hub's protocol, and an oracle that checks what they saw.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, about, long_about = LONG_ABOUT, after_long_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const LONG_ABOUT: &str = "\
Many clients that speak the hub's protocol, and an oracle that checks what they saw.

Every ticket is watched by its customer and by some agents. They reply to each other in an open loop: replies are due at \
times that the rate decides, not the hub, and every latency counts from the time a reply was due. After the run a fresh \
client reads every ticket's log from scratch, and the oracle holds what everybody saw against the protocol's guarantees: \
acked is durable, one history for everybody, exact resume, one effect per key, no blind replies.

Exit status of a run: 0 when every guarantee held, 1 when one was broken (each breach is printed with ticket, seq and key), \
2 when the run could not be done. Ctrl-C ends a run early and has it judged all the same; a second one ends everything.";

const EXAMPLES: &str = "\
Examples:
  Make users, tickets and tokens on a hub of this machine (by default it grants a user 10 connections: make enough agents):
    hub seed --fleet agents=50,customers=50,tickets=100 --tokens tokens.json

  100 tickets, 5 clients at each, 50 replies a second for a minute:
    loadtest thread --tokens tokens.json --tickets 100 --subscribers 5 --rate 50

  Find the highest rate that holds, then run there:
    loadtest thread --tokens tokens.json --tickets 100 --subscribers 5 --rate 100 --sustain --json report.json

  Cut every connection each second until 10,000 replies are acked; kill and restart the hub meanwhile:
    loadtest resume --tokens tokens.json --tickets 20 --subscribers 5 --rate 50 --cut-every 1s --replies 10000

  See a run as a page, and two of them side by side:
    loadtest thread --tokens tokens.json --rate 50 --json before.json --html before.html
    loadtest compare before.json after.json -o compared.html

  Spread the clients over two nodes:
    loadtest thread --tokens tokens.json --url ws://127.0.0.1:8080/ws --url ws://127.0.0.1:8081/ws";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A run.
    #[command(flatten)]
    Run(Scenario),
    /// Draw a saved report as a page: one file, to be opened in any browser.
    Report {
        /// What a run wrote with --json.
        report: PathBuf,
        /// The page.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Lay two saved reports side by side: how their plans differ, and every figure with its ratio.
    Compare {
        /// What the first run wrote with --json.
        first: PathBuf,
        /// The second.
        second: PathBuf,
        /// A page with the same, and with the distributions laid over each other.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
}

/// What clients do.
#[derive(Debug, Subcommand)]
pub enum Scenario {
    /// Replies into many threads at a steady rate.
    #[command(after_long_help = EXAMPLES)]
    Thread {
        /// What all scenarios share.
        #[command(flatten)]
        common: Common,
        /// Who replies, and how much.
        #[command(flatten)]
        replying: Replying,
        /// Search the highest rate of which at least 98 % is acked within a second, beginning at --rate, and run there.
        #[arg(long)]
        sustain: bool,
    },
    /// The same with connections that are cut at random, and hubs that may die and come back meanwhile.
    #[command(after_long_help = EXAMPLES)]
    Resume {
        /// What all scenarios share.
        #[command(flatten)]
        common: Common,
        /// Who replies, and how much.
        #[command(flatten)]
        replying: Replying,
        /// Mean time between two cuts of a client's connection.
        #[arg(long, default_value = "1s", value_parser = duration)]
        cut_every: Duration,
        /// End when so many replies are acked, instead of after --duration.
        #[arg(long)]
        replies: Option<u64>,
    },
}

/// What all scenarios share.
#[derive(Debug, Args)]
pub struct Common {
    /// A hub's socket. Several: the clients are spread over them; one that loses its hub tries the next.
    #[arg(long = "url", default_value = "ws://127.0.0.1:8080/ws")]
    pub urls: Vec<String>,
    /// The file that `hub seed --fleet … --tokens FILE` wrote.
    #[arg(long)]
    pub tokens: PathBuf,
    /// Own addresses to connect from, by turns: 127.0.0.2,127.0.0.3 or 127.0.0.2-127.0.0.9. One address has some 28,000 ports.
    #[arg(long)]
    pub from: Option<Sources>,
    /// Decides who does what when; the same seed, the same plan.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How frames become bytes.
    #[arg(long, value_enum, default_value_t = CodecName::Msgpack)]
    pub codec: CodecName,
    /// How long to wait for outstanding answers at the end, and for a hub that is away then.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub grace: Duration,
    /// Write the report as JSON to this file too.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Write the report as a page to this file too.
    #[arg(long)]
    pub html: Option<PathBuf>,
    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

/// Who replies, and how much.
#[derive(Debug, Args)]
pub struct Replying {
    /// How many tickets to use.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub tickets: u32,
    /// Clients at each ticket: its customer, the others agents.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..))]
    pub subscribers: u32,
    /// Replies per second, all tickets together, such as 50 or 50/s.
    #[arg(long, default_value = "20", value_parser = rate)]
    pub rate: f64,
    /// How long the rate rises from nothing; not part of the figures.
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub ramp: Duration,
    /// How long it then stays.
    #[arg(long, default_value = "60s", value_parser = duration)]
    pub duration: Duration,
    /// Share of the replies that customers write.
    #[arg(long, default_value_t = 0.2, value_parser = share)]
    pub customer_share: f64,
    /// Share of the agents' replies that are internal notes.
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    pub note_share: f64,
    /// Share of the agents' replies that are sent again with `force` when refused, instead of reading what was missed.
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    pub force_share: f64,
    /// Length of a reply in bytes.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=32_768))]
    pub body_bytes: u32,
}

/// A codec by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CodecName {
    /// `tandem.v1.msgpack`
    Msgpack,
    /// `tandem.v1.json`
    Json,
    /// Both, client by client.
    Mixed,
}

impl From<CodecName> for Codecs {
    fn from(name: CodecName) -> Self {
        match name {
            CodecName::Msgpack => Self::All(Codec::MsgPack),
            CodecName::Json => Self::All(Codec::Json),
            CodecName::Mixed => Self::Mixed,
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    const WORDS: &str = "must be a time such as 500ms, 60s or 2m";
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or(WORDS)?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| WORDS)?;
    let seconds = match unit {
        "ms" => number / 1_000.0,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3_600.0,
        _ => return Err(WORDS.into()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| WORDS.into())
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let rate: f64 = number.parse().map_err(|_| "must be a number per second such as 50 or 50/s")?;
    if rate.is_finite() && rate >= 0.01 { Ok(rate) } else { Err("must be at least 0.01 per second".into()) }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "must be a number from 0 to 1")?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("must be a number from 0 to 1".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_its_help_holds_examples() {
        Cli::command().debug_assert();
        for command in [Cli::command(), Cli::command().find_subcommand("resume").expect("a scenario").clone()] {
            let help = command.clone().render_long_help().to_string();
            assert!(help.contains("hub seed --fleet") && help.contains("--cut-every 1s"), "{help}");
        }
    }

    #[test]
    fn times_rates_and_shares_are_read() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        for wrong in ["", "5", "s", "5 s", "-1s", "1d"] {
            duration(wrong).expect_err(wrong);
        }
        assert_eq!(rate("50/s"), Ok(50.0));
        for wrong in ["", "0", "-1", "inf", "x"] {
            rate(wrong).expect_err(wrong);
        }
        share("1.1").expect_err("more than all");
    }

    fn scenario(line: &str) -> Scenario {
        match Cli::parse_from(line.split(' ')).command {
            Command::Run(scenario) => scenario,
            Command::Report { .. } | Command::Compare { .. } => panic!("a run"),
        }
    }

    #[test]
    fn a_whole_command_line_is_read() {
        let line = "loadtest resume --url ws://127.0.0.1:1/ws --url ws://127.0.0.1:2/ws --tokens t.json --cut-every 2s --replies 10 --codec mixed --from 127.0.0.2-127.0.0.5";
        let Scenario::Resume { common, replying, cut_every, replies } = scenario(line) else { panic!("resume") };
        assert_eq!(
            (common.urls.len(), cut_every, replies, common.codec, replying.subscribers),
            (2, Duration::from_secs(2), Some(10), CodecName::Mixed, 5)
        );
        assert_eq!(common.from.map(|sources| sources.addresses().len()), Some(4));
    }
}
