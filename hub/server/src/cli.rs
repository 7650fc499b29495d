//! The command line: what the hub can be asked to do.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};

use crate::config::{Config, DEFAULTS, Secret};
use crate::{demo, doctor, logs, seed, serve, wiring};

/// Tandem's hub: a helpdesk in which several people work one ticket at the same time.
#[derive(Debug, Parser)]
#[command(name = "hub", version, after_help = EXAMPLES, after_long_help = long_help())]
pub struct Cli {
    /// A file of settings, in TOML.
    #[arg(long, global = true, env = "TANDEM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Serve, until SIGTERM or Ctrl-C; then say goodbye and stop within 30 s
    Serve,
    /// Bring the database up to date (needs DATABASE_OWNER_URL)
    Migrate,
    /// Fill the database with accounts and tickets (needs DATABASE_OWNER_URL; loopback hubs only)
    Seed(Seed),
    /// Look at everything the hub needs, and say what is wrong and how to mend it; exit status 1 when something is wrong
    Doctor {
        /// For programs: one JSON object with `is_well` and, for each thing, `about`, `verdict`, `what` and `remedy`
        #[arg(long)]
        json: bool,
    },
    /// Look at the audit chain
    #[command(subcommand)]
    Audit(Audit),
    /// Look at the settings
    #[command(subcommand)]
    Config(ShowConfig),
}

#[derive(Args, Debug)]
#[group(skip)]
struct Seed {
    /// The demo: workspaces acme and globex, password `demo` for everybody
    #[arg(long, required_unless_present = "fleet", conflicts_with_all = ["fleet", "tokens"])]
    demo: bool,
    /// Users with tokens for load tests, such as agents=20,customers=100,tickets=500
    #[arg(long, value_name = "COUNTS", requires = "tokens")]
    fleet: Option<Fleet>,
    /// Where the tokens of the fleet go
    #[arg(long, value_name = "FILE", requires = "fleet")]
    tokens: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Find where the log of a workspace, or a column that repeats it, was changed behind the hub's back
    ///
    /// Follows the chain of every ticket from its first event to the head in its row, and compares every column that repeats
    /// what events say. So it finds a changed byte, an event that is missing, moved or inserted, and a row that says something
    /// else than its log. Of tickets with erased events the title, priority, category and state are not compared; what a key
    /// was used for (key_digest, key_missed) is not compared either.
    ///
    /// It knows nothing but the database. Whoever may write there can cut off the end of a log and move the row back to fit,
    /// delete a ticket together with its log, or compute a chain anew from a changed event to the head: finding that takes
    /// checkpoints kept outside the database, which do not exist yet.
    Verify {
        /// The workspace's short name
        #[arg(long, value_name = "SLUG")]
        workspace: String,
    },
}

#[derive(Debug, Subcommand)]
enum ShowConfig {
    /// Print the settings in force, without the secrets
    Print,
    /// Print every setting with its default and what it means
    Defaults,
}

/// How big a fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Fleet {
    pub agents: u32,
    pub customers: u32,
    pub tickets: u32,
}

impl FromStr for Fleet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut fleet = Self { agents: 0, customers: 0, tickets: 0 };
        for part in text.split(',') {
            let (name, count) = part.split_once('=').ok_or("write it like agents=20,customers=100,tickets=500")?;
            let count: u32 = count.trim().parse().map_err(|_| format!("{name} needs a whole number"))?;
            match name.trim() {
                "agents" => fleet.agents = count,
                "customers" => fleet.customers = count,
                "tickets" => fleet.tickets = count,
                _ => return Err(format!("there are agents, customers and tickets, but no {name}")),
            }
        }
        if fleet.agents == 0 { Err("a fleet needs at least one agent".into()) } else { Ok(fleet) }
    }
}

const EXAMPLES: &str = "Examples:
  hub migrate                                   bring the database up to date
  hub seed --demo                               make the demo's workspaces
  hub serve                                     serve on http://127.0.0.1:8080
  TANDEM_PORT=9000 hub serve                    serve elsewhere
  hub doctor                                    what is wrong here, and how to mend it
  hub audit verify --workspace acme             check the log of a workspace
  hub config print                              what is in force, and
  hub config defaults                           what there is to set

`hub --help` also lists the environment.";

fn long_help() -> String {
    format!(
        "{EXAMPLES}\n\nEnvironment (each may also stand in the file, under its lower-case name without TANDEM_):\n{}",
        environment()
    )
}

/// The names of all settings with the first line of what the defaults say about them.
fn environment() -> String {
    let mut lines = vec![
        "  DATABASE_URL, DATABASE_OWNER_URL              the database: as the hub, as its owner (or …_FILE)".to_owned(),
        "  TANDEM_CONFIG                                 a file of settings".to_owned(),
    ];
    let settings = DEFAULTS.lines().filter_map(|line| line.split_once(" = ")).filter(|(key, _)| !key.starts_with('#'));
    lines.extend(settings.map(|(key, default)| format!("  TANDEM_{:<38} {default}", key.to_uppercase())));
    lines.join("\n")
}

/// Does what was asked.
///
/// # Errors
/// In words for whoever asked.
pub fn run(cli: Cli) -> Result<()> {
    let file = cli.config.as_deref();
    let config = Config::read(file, std::env::vars());
    match cli.command {
        Command::Serve => {
            let config = config?;
            logs::begin(&config.log, config.log_format)?;
            serve::until_signalled(&config)
        }
        Command::Migrate => {
            let config = config?;
            with_io(|| migrate(&config))
        }
        Command::Seed(seed) => {
            let config = config?;
            with_io(|| fill(&config, &seed))
        }
        // Settings that are refused are a finding too.
        Command::Doctor { json } => {
            let readers = if json { doctor::Readers::Programs } else { doctor::Readers::People };
            with_io(|| doctor::run(config, readers))
        }
        Command::Audit(Audit::Verify { workspace }) => {
            let config = config?;
            with_io(|| verify(&config, &workspace))
        }
        Command::Config(ShowConfig::Print) => print_config(&config?, file),
        Command::Config(ShowConfig::Defaults) => {
            print!("{DEFAULTS}");
            Ok(())
        }
    }
}

fn print_config(config: &Config, file: Option<&Path>) -> Result<()> {
    print!("{}", config.shown(file, std::env::vars())?);
    Ok(())
}

fn with_io<F: Future<Output = Result<()>>>(work: impl FnOnce() -> F) -> Result<()> {
    wiring::io_runtime()?.block_on(work())
}

async fn migrate(config: &Config) -> Result<()> {
    let url = owner_url(&config.database_owner_url)?;
    storage::migrate(url).await.context("the database cannot be migrated")?;
    println!("the database is up to date (version {})", storage::expected_version());
    Ok(())
}

async fn fill(config: &Config, seed: &Seed) -> Result<()> {
    demo::refuse_to_seed_for_a_network(config.bind)?;
    let url = owner_url(&config.database_owner_url)?;
    match (seed.fleet, &seed.tokens) {
        (Some(Fleet { agents, customers, tickets }), Some(tokens)) => {
            let size = seed::FleetSize { agents, customers, tickets };
            println!("{}", seed::fleet(url, size, tokens).await?);
        }
        (Some(_), None) => bail!("--fleet needs --tokens FILE"),
        (None, _) => println!("{}", seed::demo(url).await?),
    }
    Ok(())
}

async fn verify(config: &Config, workspace: &str) -> Result<()> {
    let urls = [&config.database_owner_url, &config.database_url];
    let url = urls.into_iter().find(|url| !url.is_empty()).context("set DATABASE_URL or DATABASE_OWNER_URL")?;
    let report = storage::audit::verify_workspace(url.expose(), workspace).await?;
    let report = report.with_context(|| format!("there is no workspace {workspace:?}"))?;
    for (ticket, fault) in &report.broken {
        println!("{ticket}: {fault}");
    }
    println!("{workspace}: {} events of {} tickets, {} of them erased", report.events, report.tickets, report.erased);
    if report.partly_compared > 0 {
        println!("{} tickets have erased events: title, priority, category and state not compared", report.partly_compared);
    }
    if !report.holds() {
        bail!("{} tickets do not hold", report.broken_tickets());
    }
    println!("every chain holds, and every row says what its log says");
    Ok(())
}

fn owner_url(secret: &Secret) -> Result<&str> {
    if secret.is_empty() {
        bail!("DATABASE_OWNER_URL is not set: it takes the owner of the tables to do this");
    }
    Ok(secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_fleet_is_counted_in_words() {
        assert_eq!("agents=2,customers=3, tickets=5".parse(), Ok(Fleet { agents: 2, customers: 3, tickets: 5 }));
        for wrong in ["", "agents", "agents=x", "robots=1", "customers=3", "agents=0"] {
            assert!(wrong.parse::<Fleet>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_seed_is_the_demo_or_a_fleet_with_a_file_for_its_tokens() {
        for (line, is_fine) in [
            ("hub seed --demo", true),
            ("hub seed --fleet agents=1 --tokens t.json", true),
            ("hub seed", false),
            ("hub seed --fleet agents=1", false),
            ("hub seed --demo --tokens t.json", false),
            ("hub seed --demo --fleet agents=1 --tokens t.json", false),
            ("hub audit verify --workspace acme", true),
            ("hub --config hub.toml serve", true),
            ("hub serve --config hub.toml", true),
        ] {
            assert_eq!(Cli::try_parse_from(line.split(' ')).is_ok(), is_fine, "{line}");
        }
    }

    #[test]
    fn the_help_names_every_setting() {
        let help = Cli::command().render_long_help().to_string();
        let settings: toml::Table = DEFAULTS.parse().expect("TOML");
        for key in settings.keys() {
            assert!(help.contains(&format!("TANDEM_{}", key.to_uppercase())), "{key}");
        }
    }
}
