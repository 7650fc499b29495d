//! No blind replies: has a public reply or a status change by someone else come since I last looked?

use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// The newest public deed, and the newest one by anybody else: enough to judge any writer against any position,
/// however long the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicDeeds {
    newest: Option<Deed>,
    /// The newest whose author is not the author of `newest`.
    newest_by_another: Option<Deed>,
}

/// A public reply or a status change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Deed {
    /// The system has no id, and is somebody else to everyone.
    by: Option<UserId>,
    seq: u64,
    thread_seq: u64,
}

/// In which numbering a position is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// All events: what agents count in.
    Ticket,
    /// Public events: what customers count in.
    Thread,
}

impl PublicDeeds {
    /// Remembers a public reply or status change.
    #[must_use]
    pub fn after(self, by: Option<UserId>, seq: u64, thread_seq: u64) -> Self {
        let deed = Deed { by, seq, thread_seq };
        let newest_by_another = match self.newest {
            Some(before) if before.by != by || by.is_none() => Some(before),
            Some(_) | None => self.newest_by_another,
        };
        Self { newest: Some(deed), newest_by_another }
    }

    /// True when somebody other than `writer` did something public after `based_on`.
    pub fn missed_by(&self, writer: Option<UserId>, based_on: u64, numbering: Numbering) -> bool {
        let by_others = match self.newest {
            Some(deed) if deed.by.is_none() || deed.by != writer => Some(deed),
            Some(_) | None => self.newest_by_another,
        };
        by_others.is_some_and(|deed| match numbering {
            Numbering::Ticket => deed.seq > based_on,
            Numbering::Thread => deed.thread_seq > based_on,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn user(n: u8) -> Option<UserId> {
        (n > 0).then(|| UserId::new(Uuid::from_u128(u128::from(n))))
    }

    proptest! {
        /// Two remembered deeds answer as the whole log would.
        #[test]
        fn two_deeds_judge_like_the_whole_log(log in prop::collection::vec(0_u8..4, 0..30), writer in 0_u8..4, based_on in 0_u64..35) {
            let mut deeds = PublicDeeds::default();
            for (at, by) in log.iter().enumerate() {
                deeds = deeds.after(user(*by), at as u64 + 1, at as u64 + 1);
            }
            let by_the_log = log.iter().enumerate().any(|(at, by)| at as u64 + 1 > based_on && (*by == 0 || *by != writer));
            prop_assert_eq!(deeds.missed_by(user(writer), based_on, Numbering::Ticket), by_the_log);
            prop_assert_eq!(deeds.missed_by(user(writer), based_on, Numbering::Thread), by_the_log);
        }
    }
}
