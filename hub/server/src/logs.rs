//! Where the log goes: standard error, for people when it is a terminal, as JSON lines otherwise.

use std::io::{IsTerminal, stderr};

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

/// Begins to log what `filter` lets through.
///
/// # Errors
/// When `filter` cannot be read.
pub fn begin(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("log: {filter:?} is no filter, such as info or info,gateway=debug"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let begun = if stderr().is_terminal() {
        log.with_ansi(true).with_target(false).try_init()
    } else {
        log.json().with_ansi(false).try_init()
    };
    begun.map_err(|error| anyhow::anyhow!("the log cannot begin: {error}"))
}
