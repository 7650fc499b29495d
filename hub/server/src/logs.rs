//! Where the log goes: standard error, as text for people or as one JSON object a line for programs.
//!
//! What stands in it: never a password, token, cookie or what people wrote. A request's line names its `X-Request-Id`, a socket's
//! its connection, and every line about a command its `key`: so whoever has one of them finds the rest.

use std::io::{IsTerminal, stderr};

use anyhow::{Context, Result};
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text where standard error is a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Begins to log what `filter` lets through.
///
/// # Errors
/// When `filter` cannot be read.
pub fn begin(filter: &str, format: LogFormat) -> Result<()> {
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("log: {filter:?} is no filter, such as info or info,gateway=debug"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let is_terminal = stderr().is_terminal();
    let as_text = match format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let begun =
        if as_text { log.with_ansi(is_terminal).with_target(false).try_init() } else { log.json().with_ansi(false).try_init() };
    begun.map_err(|error| anyhow::anyhow!("the log cannot begin: {error}"))
}
