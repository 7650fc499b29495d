//! The limit of open files: every client is a socket, and a shell's usual 1,024 would break a run off in the middle.

use anyhow::ensure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Beside the clients: the runtime's own, standard streams, readers of the truth.
const OTHERS: u64 = 128;

/// Raises this process's limit of open files as far as so many clients need.
///
/// # Errors
/// In words, when the system does not allow so many.
pub fn allow(clients: usize) -> anyhow::Result<()> {
    let wanted = clients as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    let Some(raised) = raised(limit, wanted) else { return Ok(()) };
    ensure!(
        setrlimit(Resource::Nofile, raised).is_ok(),
        "{clients} clients need {wanted} open files, and the system allows {} at most; raise that as root with: ulimit -Hn {wanted}",
        limit.maximum.unwrap_or(u64::MAX)
    );
    Ok(())
}

/// The limit that allows `wanted` open files; none when the present one does. Above the hard limit only root may go.
fn raised(limit: Rlimit, wanted: u64) -> Option<Rlimit> {
    limit
        .current
        .is_some_and(|current| current < wanted)
        .then(|| Rlimit { current: Some(wanted), maximum: limit.maximum.map(|maximum| maximum.max(wanted)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_only_as_far_as_needed() {
        let limit = |current, maximum| Rlimit { current, maximum };
        assert_eq!(raised(limit(Some(1_024), Some(4_096)), 1_000), None);
        assert_eq!(raised(limit(None, None), 1_000_000), None);
        assert_eq!(raised(limit(Some(1_024), Some(4_096)), 2_000), Some(limit(Some(2_000), Some(4_096))));
        assert_eq!(raised(limit(Some(1_024), Some(4_096)), 9_000), Some(limit(Some(9_000), Some(9_000))));
        assert_eq!(raised(limit(Some(1_024), None), 9_000), Some(limit(Some(9_000), None)));
    }

    #[test]
    fn more_clients_than_descriptors_can_exist_are_refused_in_words() {
        // Above fs.nr_open not even root gets.
        let error = allow(1 << 40).expect_err("too many").to_string();
        assert!(error.contains("open files"), "{error}");
        allow(10).expect("few");
    }
}
