//! Between rows and the types of `hub_core`.

use std::time::{Duration, SystemTime};

use hub_core::ports::StoreError;
use hub_core::rules::audit::Hash;
use hub_core::rules::permissions::Role;
use hub_core::rules::ticket::TicketState;
use hub_core::time::UnixMs;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Json};

/// The version of `tickets.state` this hub writes, and the only one it reads.
pub(crate) const STATE_VERSION: i16 = 1;

/// One column of a row.
pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| unreadable(format!("column {column}: {error}")))
}

/// The ticket's state in a row that has `state_version` and `state`.
pub(crate) fn state(row: &Row) -> Result<TicketState, StoreError> {
    let version: i16 = get(row, "state_version")?;
    if version != STATE_VERSION {
        return Err(unreadable(format!("a ticket's state has version {version}, this hub reads {STATE_VERSION}")));
    }
    get::<Json<TicketState>>(row, "state").map(|Json(state)| state)
}

pub(crate) fn role(row: &Row) -> Result<Role, StoreError> {
    let name: &str = get(row, "role")?;
    name.parse().map_err(|()| unreadable(format!("{name:?} is no role")))
}

pub(crate) fn hash(row: &Row, column: &str) -> Result<Hash, StoreError> {
    let bytes: &[u8] = get(row, column)?;
    bytes.try_into().map_err(|_| unreadable(format!("column {column}: {} bytes are no digest", bytes.len())))
}

/// A number that counts from 0 or 1.
pub(crate) fn counter(row: &Row, column: &str) -> Result<u64, StoreError> {
    let number: i64 = get(row, column)?;
    u64::try_from(number).map_err(|_| unreadable(format!("column {column}: {number} is negative")))
}

pub(crate) fn instant(row: &Row, column: &str) -> Result<UnixMs, StoreError> {
    get(row, column).map(from_system_time)
}

pub(crate) fn unreadable(words: impl Into<String>) -> StoreError {
    StoreError::Unreadable(words.into())
}

/// A number for a `bigint`; what is beyond it is beyond every log too.
pub(crate) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An instant for a `timestamptz`. Years that Postgres cannot hold are refused by it.
pub(crate) fn to_system_time(at: UnixMs) -> SystemTime {
    let span = Duration::from_millis(at.0.unsigned_abs());
    let moved = if at.0 < 0 { SystemTime::UNIX_EPOCH.checked_sub(span) } else { SystemTime::UNIX_EPOCH.checked_add(span) };
    moved.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whole milliseconds, rounded down.
pub(crate) fn from_system_time(at: SystemTime) -> UnixMs {
    UnixMs(micros(at).div_euclid(1_000))
}

/// Microseconds since 1970, as exact as Postgres is.
pub(crate) fn micros(at: SystemTime) -> i64 {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_the_way_to_the_database_and_back() {
        for ms in [0, 1, 999, 1_700_000_000_123, -1, -86_400_001] {
            assert_eq!(from_system_time(to_system_time(UnixMs(ms))), UnixMs(ms));
        }
    }
}
