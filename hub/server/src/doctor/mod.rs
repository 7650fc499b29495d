//! `hub doctor`: looks at everything the hub needs before anybody depends on it, and says in words what is wrong and how to mend
//! it. Changes nothing. What the start of the hub refuses is judged by the start's own checks.

mod database;
mod doors;
mod finding;
mod machine;
mod settings;

use anyhow::{Result, bail};
use serde_json::json;

pub use finding::{Finding, Trouble, Verdict};

use crate::config::Config;

/// Who reads what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// One line and its remedy for each thing.
    People,
    /// One JSON object: `is_well`, `findings`.
    Programs,
}

/// Looks at everything and prints what it found. `config` may be what the settings refused to be: then that is all there is to see.
///
/// # Errors
/// When something is wrong, with how many things.
pub async fn run(config: Result<Config>, readers: Readers) -> Result<()> {
    let findings = match config {
        Ok(config) => examine(&config).await,
        Err(error) => {
            vec![Finding::wrong("settings", format!("{error:#}"), "correct it; `hub config defaults` tells every setting")]
        }
    };
    let wrong = findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Wrong(_))).count();
    match readers {
        Readers::People => findings.iter().for_each(|finding| println!("{finding}")),
        Readers::Programs => {
            let findings: Vec<_> = findings.iter().map(Finding::as_json).collect();
            println!("{:#}", json!({"is_well": wrong == 0, "findings": findings}));
        }
    }
    match wrong {
        0 => Ok(()),
        1 => bail!("one thing is wrong"),
        wrong => bail!("{wrong} things are wrong"),
    }
}

/// Looks at everything. Must be awaited on a tokio runtime.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = database::examine(config).await;
    findings.extend(doors::examine(config));
    findings.extend(settings::examine(config));
    findings.extend(machine::examine(config));
    findings
}
