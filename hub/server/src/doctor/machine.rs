//! The machine: how many files the hub may open, and how much room is left where it keeps its own.

use std::fs;
use std::path::Path;

use rustix::fs::statvfs;

use super::Finding;
use crate::config::Config;

/// Descriptors beside those of visitors: the database, files, the runtime.
const OWN_DESCRIPTORS: usize = 128;
const MIB: u64 = 1 << 20;
/// Less room than this is worth a word: a private Postgres of `make run` lives there too.
const LITTLE_ROOM_MIB: u64 = 1_024;
/// With less than this a database stops.
const NO_ROOM_MIB: u64 = 100;

/// Looks at descriptors and disk.
pub fn examine(config: &Config) -> Vec<Finding> {
    vec![descriptors(config.max_connections), disk(&config.data)]
}

fn descriptors(max_connections: usize) -> Finding {
    const ABOUT: &str = "open files";
    // Each connection has a second descriptor, by which a client that does not read is cut off.
    let wanted = max_connections.saturating_mul(2).saturating_add(OWN_DESCRIPTORS);
    match open_files() {
        None => Finding::fine(ABOUT, "this system does not say how many there may be"),
        Some(limit) if limit < wanted => Finding::doubtful(
            ABOUT,
            format!("at most {limit}, and {max_connections} connections want {wanted}"),
            format!("raise the limit (`ulimit -n {wanted}`, LimitNOFILE= in systemd), or lower TANDEM_MAX_CONNECTIONS"),
        ),
        Some(limit) => Finding::fine(ABOUT, format!("up to {limit}")),
    }
}

/// The soft limit of this process; nothing where the system does not say.
fn open_files() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

/// Where the folder is, or will be made.
fn disk(folder: &Path) -> Finding {
    const ABOUT: &str = "disk";
    let here = Path::new(".");
    let there = folder.ancestors().find(|part| !part.as_os_str().is_empty() && part.exists()).unwrap_or(here);
    let shown = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Finding::wrong(ABOUT, format!("{shown} is no folder"), "name a folder in TANDEM_DATA");
    }
    match statvfs(there) {
        Ok(volume) => room(&format!("{shown}"), volume.f_bavail.saturating_mul(volume.f_frsize) / MIB),
        Err(error) => Finding::doubtful(
            ABOUT,
            format!("nobody can tell how much room {shown} has: {error}"),
            "let the hub's user read that folder, or name another in TANDEM_DATA",
        ),
    }
}

fn room(folder: &str, left_mib: u64) -> Finding {
    const ABOUT: &str = "disk";
    let what = format!("{left_mib} MiB left for {folder}");
    let remedy = "make room, or name a folder on another volume in TANDEM_DATA";
    match left_mib {
        0..NO_ROOM_MIB => Finding::wrong(ABOUT, what, remedy),
        NO_ROOM_MIB..LITTLE_ROOM_MIB => Finding::doubtful(ABOUT, what, remedy),
        _ => Finding::fine(ABOUT, what),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::mark;
    use super::*;

    #[test]
    fn little_room_is_worth_a_word_and_none_is_wrong() {
        for (left, expected) in [(0, "wrong"), (99, "wrong"), (100, "warn"), (1_023, "warn"), (1_024, "ok")] {
            assert_eq!(mark(&room("there", left)), expected, "{left}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_where_it_will_be_and_a_file_is_none() {
        assert_ne!(mark(&disk(&std::env::temp_dir().join("not/there/yet"))), "wrong");
        let file = std::env::current_exe().expect("this test");
        assert_eq!(mark(&disk(&file)), "wrong");
    }
}
