//! What made a report: which program, told what, when, on which machine. Figures without this cannot be compared.

use hub_core::time::UnixMs;
use hub_core::wire::PROTOCOL_VERSION;
use serde::{Deserialize, Serialize};

use crate::pulse::now;

/// What made a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// This program's version.
    pub version: String,
    /// The version of the protocol it speaks.
    pub protocol: u64,
    /// What it was told, as it stood on the command line.
    pub command: Vec<String>,
    /// When it ended, by this machine's clock.
    pub at: UnixMs,
    /// Where it ran.
    pub machine: Machine,
}

/// The machine of the driver. Empty where `/proc` is missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Processors this program may use.
    pub processors: usize,
    /// Their model.
    pub model: String,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Kernel and its version.
    pub kernel: String,
}

impl Made {
    /// By this process, now.
    pub fn here() -> Self {
        let mut command: Vec<String> = std::env::args().collect();
        if let Some(program) = command.first_mut() {
            // Where it lies says nothing about the run.
            *program = program.rsplit('/').next().unwrap_or_default().to_owned();
        }
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            protocol: PROTOCOL_VERSION,
            command,
            at: now(),
            machine: Machine::here(),
        }
    }
}

impl Machine {
    fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Self {
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            model: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
            memory_bytes: memory_kib.unwrap_or(0) * 1_024,
            kernel: format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_made_it_and_where_without_naming_folders() {
        let made = Made::here();
        assert!(made.machine.processors > 0 && made.machine.memory_bytes > 1 << 20, "{made:?}");
        assert!(made.at > UnixMs(1_700_000_000_000) && !made.version.is_empty() && made.protocol > 0, "{made:?}");
        assert!(!made.command[0].is_empty() && !made.command[0].contains('/'), "{made:?}");
    }
}
