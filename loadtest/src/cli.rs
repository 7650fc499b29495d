//! The command line: what can be asked for, and help that is enough to use it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hub_core::wire::Codec;

use crate::client::route::{Codecs, Sources};
use crate::fleet::Topics;
use crate::scenario::storm::Cut;

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

Exit status of a run: 0 when every guarantee held, 1 when one was broken (each breach is printed with ticket, seq and key) or when the \
scenario did not get what it demands (sockets alive, everybody lost and back, cut off in time, acks prompt again, tickets woken; printed as NOT MET), \
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

  5,000 idle sockets from two addresses, 500 new ones a second, held for a minute:
    loadtest connect --tokens tokens.json --sockets 5000 --rate 500/s --from 127.0.0.2,127.0.0.3

  2,000 sockets lose their connection at once, three times; or whenever somebody restarts the hub:
    loadtest storm --tokens tokens.json --sockets 2000 --tickets 100 --cut rst --repeat 3
    loadtest storm --tokens tokens.json --sockets 2000 --tickets 100 --cut kill

  A tenth of 200 sockets stops reading at 50 events a second; and the control run:
    loadtest stall --tokens tokens.json --sockets 200 --stalled 10 --rate 50 --cut-within 20s
    loadtest stall --tokens tokens.json --sockets 200 --stalled 0 --rate 50

  Three times what the hub can take for 30 s, and how long it takes to recover:
    loadtest overload --tokens tokens.json --tickets 100 --subscribers 5 --rate 500 --overload 3 --duration 30s

  300 agents who get in each other's way on 60 tickets, for five minutes; 200 who come and go; 10,000 blind replies:
    loadtest collide --tokens tokens.json
    loadtest collide --tokens tokens.json --manner crowd --agents 200 --tickets 1 --every 5s --duration 10s
    loadtest collide --tokens tokens.json --manner blind --refusals 10000

  Wake 100,000 tickets (seed as many, and raise the hub's socket_frames_per_second):
    loadtest resident --tokens tokens.json --tickets 100000 --sockets 200

  Spread the clients over two nodes:
    loadtest thread --tokens tokens.json --url ws://127.0.0.1:8080/ws --url ws://127.0.0.1:8081/ws";

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, read once")]
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
    /// Many idle sockets: opened at a rate, welcomed, and held with the hub's pings answered.
    #[command(after_long_help = EXAMPLES)]
    Connect {
        /// What all scenarios share.
        #[command(flatten)]
        common: Common,
        /// Sockets to open.
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        sockets: u32,
        /// How many of them a second, such as 500 or 500/s.
        #[arg(long, default_value = "500", value_parser = rate)]
        rate: f64,
        /// How long to hold them, once all are there.
        #[arg(long, default_value = "60s", value_parser = duration)]
        duration: Duration,
        /// What each socket watches.
        #[arg(long, value_enum, default_value_t = TopicsName::None)]
        topics: TopicsName,
    },
    /// All sockets lose their connection at once and come back, while a few keep writing so that there is something to resume.
    #[command(after_long_help = EXAMPLES)]
    Storm {
        /// What all scenarios share.
        #[command(flatten)]
        common: Common,
        /// Sockets, spread evenly over the tickets.
        #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
        sockets: u32,
        /// How many tickets to use; each has its customer and at least one agent.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        tickets: u32,
        /// Replies per second meanwhile, all tickets together.
        #[arg(long, default_value = "20", value_parser = rate)]
        rate: f64,
        /// How connections end.
        #[arg(long, value_enum, default_value_t = CutName::Rst)]
        cut: CutName,
        /// How often.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        repeat: u32,
        /// The quiet before each storm.
        #[arg(long, default_value = "2s", value_parser = duration)]
        calm: Duration,
        /// How long it may take until all are back (and, with --cut kill, until somebody ends the hub).
        #[arg(long, default_value = "120s", value_parser = duration)]
        within: Duration,
        /// Length of a reply in bytes.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=32_768))]
        body_bytes: u32,
    },
    /// Some sockets stop reading while events come: when does the hub cut them off, and what do the others notice?
    #[command(after_long_help = EXAMPLES)]
    Stall {
        /// What all scenarios share.
        #[command(flatten)]
        common: Common,
        /// Sockets that watch, spread evenly over the tickets; those that write come on top.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        sockets: u32,
        /// How many percent of them stop reading. 0 is the control run: the same writing with the same seed.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100))]
        stalled: u32,
        /// How many tickets to use; with one, everybody watches the same.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        tickets: u32,
        /// Events per second on each ticket.
        #[arg(long, default_value = "50", value_parser = rate)]
        rate: f64,
        /// How long the rate rises from nothing; not part of the figures.
        #[arg(long, default_value = "2s", value_parser = duration)]
        ramp: Duration,
        /// How long it then stays.
        #[arg(long, default_value = "60s", value_parser = duration)]
        duration: Duration,
        /// Length of a reply in bytes: how soon nothing more fits into the kernel's buffers.
        #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=32_768))]
        body_bytes: u32,
        /// What the kernel keeps for a socket that does not read, in bytes.
        #[arg(long, default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=8_388_608))]
        receive_buffer: u32,
        /// Demand that each socket that stopped reading is cut off so soon after that; not longer than --ramp and --duration.
        #[arg(long, value_parser = duration)]
        cut_within: Option<Duration>,
    },
    /// More replies than the hub can take, in an open loop, and how it recovers: at --rate, then a multiple of it, then --rate.
    #[command(after_long_help = EXAMPLES)]
    Overload {
        /// What all scenarios share.
        #[command(flatten)]
        common: Common,
        /// Who replies, and how much; --duration is that of the overload.
        #[command(flatten)]
        replying: Replying,
        /// How many times the rate.
        #[arg(long, default_value_t = 3.0, value_parser = factor)]
        overload: f64,
        /// How long at the plain rate before.
        #[arg(long, default_value = "10s", value_parser = duration)]
        baseline: Duration,
        /// How long at the plain rate afterwards.
        #[arg(long, default_value = "30s", value_parser = duration)]
        recovery: Duration,
        /// How long anybody waits for an ack: what comes later is no goodput, what is refused after that is given up, and what is
        /// due while a client has as much under way as the hub allows is not sent.
        #[arg(long, default_value = "2s", value_parser = duration)]
        patience: Duration,
    },
    /// Agents who get in each other's way: claims, drafts, blind replies, held ones, handovers and lost connections at random, and
    /// guarantees 5 to 10 as histories.
    #[command(after_long_help = EXAMPLES)]
    Collide {
        /// What all scenarios share.
        #[command(flatten)]
        common: Common,
        /// How many agents take part, spread evenly over the tickets; some on two devices.
        #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        agents: u32,
        /// How many tickets they work on; every other with its customer.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
        tickets: u32,
        /// How people behave.
        #[arg(long, value_enum, default_value_t = MannerName::Walk)]
        manner: MannerName,
        /// Mean time between two deeds of one device.
        #[arg(long, default_value = "2s", value_parser = duration)]
        every: Duration,
        /// Mean time between two cuts of a device's connection.
        #[arg(long, default_value = "40s", value_parser = duration)]
        cut_every: Duration,
        /// How long.
        #[arg(long, default_value = "5m", value_parser = duration)]
        duration: Duration,
        /// With --manner blind: end when so many stale replies were refused; it is demanded that they are.
        #[arg(long, default_value_t = 10_000)]
        refusals: u64,
    },
    /// Wakes many tickets and leaves them without a subscriber, so that what one costs can be read off the hub.
    #[command(after_long_help = EXAMPLES)]
    Resident {
        /// What all scenarios share.
        #[command(flatten)]
        common: Common,
        /// How many tickets to wake, each once.
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
        tickets: u32,
        /// Over how many sockets.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        sockets: u32,
        /// Tickets a socket has under way at a time.
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        in_flight: u32,
    },
}

impl Scenario {
    /// Its name, as it stands on the command line and in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Thread { .. } => "thread",
            Self::Resume { .. } => "resume",
            Self::Connect { .. } => "connect",
            Self::Storm { .. } => "storm",
            Self::Stall { .. } => "stall",
            Self::Overload { .. } => "overload",
            Self::Resident { .. } => "resident",
            Self::Collide { .. } => "collide",
        }
    }

    /// What all scenarios share.
    pub const fn common(&self) -> &Common {
        match self {
            Self::Thread { common, .. }
            | Self::Resume { common, .. }
            | Self::Connect { common, .. }
            | Self::Storm { common, .. }
            | Self::Stall { common, .. }
            | Self::Overload { common, .. }
            | Self::Collide { common, .. }
            | Self::Resident { common, .. } => common,
        }
    }
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

/// What idle clients watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TopicsName {
    /// Nothing.
    None,
    /// The list of tickets, as agents do.
    Workspace,
    /// One ticket each, customers and agents by turns.
    Thread,
}

impl From<TopicsName> for Topics {
    fn from(name: TopicsName) -> Self {
        match name {
            TopicsName::None => Self::None,
            TopicsName::Workspace => Self::Workspace,
            TopicsName::Thread => Self::Thread,
        }
    }
}

/// How people behave who get in each other's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MannerName {
    /// At random, all that can be done.
    Walk,
    /// A few look on while everybody else comes and goes.
    Crowd,
    /// Agents send what is stale, and nothing else.
    Blind,
}

/// How a storm begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CutName {
    /// The clients reset their connections.
    Rst,
    /// The clients close them.
    Close,
    /// Somebody ends or restarts the hub; the clients wait for that.
    Kill,
}

impl From<CutName> for Cut {
    fn from(name: CutName) -> Self {
        match name {
            CutName::Rst => Self::Rst,
            CutName::Close => Self::Close,
            CutName::Kill => Self::Kill,
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

fn factor(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "must be a number such as 3")?;
    if factor.is_finite() && factor > 1.0 { Ok(factor) } else { Err("must be more than 1".into()) }
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
        let is_run = |command: &&clap::Command| !["report", "compare"].contains(&command.get_name());
        let scenarios: Vec<_> = Cli::command().get_subcommands().filter(is_run).cloned().collect();
        assert_eq!(scenarios.len(), 8);
        for command in scenarios.into_iter().chain([Cli::command()]) {
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
        assert_eq!(factor("2.5"), Ok(2.5));
        for wrong in ["1", "0", "inf", "x"] {
            factor(wrong).expect_err(wrong);
        }
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
