//! The oracle: holds what was observed against the protocol's guarantees. Observations in, breaches out; no sockets, no clock.
//! `history` is what was observed, `checks` is what must be so whoever writes; `together` is about people at the same ticket.

pub mod checks;
mod fact;
pub mod history;
#[cfg(test)]
pub mod made_up;
#[cfg(test)]
mod tests;
pub mod together;

use std::fmt;

use hub_core::ids::{CommandKey, TicketId, UserId};
use hub_core::wire::ErrorCode;

use history::{History, View};

/// Holds a run against the guarantees. An empty answer means that all of them held.
pub fn judge(history: &History) -> Vec<Breach> {
    history.tickets.iter().flat_map(checks::judge_ticket).collect()
}

/// Holds logs, and what was shown of them, against guarantees 1 to 3; what people did to them is for [`together::judge`].
pub fn judge_shown(history: &History) -> Vec<Breach> {
    history.tickets.iter().flat_map(checks::judge_shown).collect()
}

/// One broken promise, with what is needed to look it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Where.
    pub ticket: TicketId,
    /// In which numbering `seq` counts.
    pub view: View,
    /// At which number, when there is one.
    pub seq: Option<u64>,
    /// By which intent, when there is one.
    pub key: Option<CommandKey>,
    /// Whose client noticed, when it was one.
    pub user: Option<UserId>,
    /// What.
    pub fault: Fault,
}

/// What was promised and is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The log itself skips or repeats a number.
    LogNotNumbered,
    /// Database time went back within the ticket.
    TimeWentBack,
    /// Two events carry the same key.
    KeyTwice,
    /// The thread is not the public part of the log.
    ThreadDiffers,
    /// The thread shows what is internal.
    InternalShown,
    /// The log holds a reply that nobody sent.
    NobodySentIt,
    /// The log holds a sent reply with another author or other words.
    ContentChanged,
    /// A number came that was missing before.
    Reordered,
    /// A number came twice.
    Doubled,
    /// Numbers are missing before this one.
    Gap {
        /// The number that should have come.
        expected: u64,
    },
    /// The same number says something else in the log.
    Differs,
    /// The log has no such number.
    NotInLog,
    /// A tail or snapshot is not exactly the events it should be.
    TailNotExact,
    /// The hub's head lies before what it had already shown.
    WentBack,
    /// The log got another life although nobody restored it.
    StreamChanged,
    /// The client was never shown the last events, although it had the time.
    Behind {
        /// Where it got to.
        reached: u64,
        /// Where the log was.
        head: u64,
    },
    /// The hub ended the subscription.
    Ended(ErrorCode),
    /// An acked event is not in the log.
    AckedButLost,
    /// The ack names another number than the one that carries the key.
    AckSeqWrong {
        /// Where the key stands.
        actual: u64,
    },
    /// The ack of a reply tells no number.
    AckWithoutSeq,
    /// A repeat was acked with another number.
    AcksDiffer,
    /// The command was refused, and yet it had its effect.
    RefusedButDone(ErrorCode),
    /// A living connection never got its answer.
    NoAnswer,
    /// A public reply passed although something public by somebody else came in between.
    BlindReply {
        /// What the sender had seen.
        based_on: Option<u64>,
        /// What came in between.
        overlooked: u64,
    },
    /// Refused `stale` although nothing public by anybody else came in between.
    StaleWithoutCause,
    /// `detail.events` is not exactly what came after `based_on`.
    StaleEventsWrong,
    /// A note, a customer's reply or a forced one was refused `stale`.
    NeverRefusedRefused,
    /// `ack.result.missed` says the opposite of the log.
    MissedWrong,
    /// It was sent after another command was acked, and stands before it.
    OrderBroken {
        /// Where the one that was acked first stands.
        acked_first_at: u64,
    },
    /// A frame nobody can make sense of.
    Odd(String),
    /// Of what people who work together were promised.
    Together(together::Fault),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::LogNotNumbered => "the log is not numbered 1, 2, 3… without a gap (guarantee 2)",
            Self::TimeWentBack => "the time of an event lies before the one of its predecessor",
            Self::KeyTwice => "one key stands on two events (guarantee 4)",
            Self::ThreadDiffers => "the thread is not the public part of the log (guarantee 2)",
            Self::InternalShown => "a customer was shown something internal",
            Self::NobodySentIt => "the log holds a reply that nobody sent",
            Self::ContentChanged => "the event says something else than what was sent under its key",
            Self::Reordered => "an event came after a later one (guarantee 2)",
            Self::Doubled => "an event came twice (guarantee 2)",
            Self::Gap { expected } => return write!(f, "a gap: event {expected} should have come (guarantee 2)"),
            Self::Differs => "the event differs from the one in the log (guarantee 2)",
            Self::NotInLog => "an event that was shown is not in the log (guarantee 1)",
            Self::TailNotExact => "the answer to subscribe does not hold exactly the events it should (guarantee 3)",
            Self::WentBack => "the hub forgot events it had shown (guarantee 1)",
            Self::StreamChanged => "the log got another stream although nobody restored it (guarantee 3)",
            Self::Behind { reached, head } => {
                return write!(f, "the client was shown events up to {reached} only, the log goes to {head} (guarantee 2)");
            }
            Self::Ended(code) => return write!(f, "the hub ended the subscription: {}", code_name(*code)),
            Self::AckedButLost => "it was acked and is not in the log (guarantee 1)",
            Self::AckSeqWrong { actual } => {
                return write!(f, "the ack names another event: the key stands on {actual} (guarantee 1)");
            }
            Self::AckWithoutSeq => "the ack tells no seq",
            Self::AcksDiffer => "a repeat of the same command got another ack (guarantee 4)",
            Self::RefusedButDone(code) => {
                return write!(f, "it was refused ({}), and yet it is in the log (guarantee 4)", code_name(*code));
            }
            Self::NoAnswer => "it got no answer on a connection that lived",
            Self::BlindReply { based_on, overlooked } => {
                let based_on = based_on.map_or_else(|| "nothing".to_owned(), |seq| seq.to_string());
                return write!(f, "a blind reply passed: based on {based_on}, event {overlooked} was overlooked (guarantee 5)");
            }
            Self::StaleWithoutCause => "it was refused stale although nothing came in between (guarantee 5)",
            Self::StaleEventsWrong => "detail.events of stale is not what came after based_on (guarantee 5)",
            Self::NeverRefusedRefused => "a note, a customer's reply or a forced one was refused stale (guarantee 5)",
            Self::MissedWrong => "ack.result.missed does not agree with the log (guarantee 5)",
            Self::OrderBroken { acked_first_at } => {
                return write!(f, "it was sent after event {acked_first_at} was acked, and stands before it (guarantee 4)");
            }
            Self::Odd(words) => words,
            Self::Together(fault) => return fault.fmt(f),
        };
        f.write_str(words)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbering = match self.view {
            View::Ticket => "ticket",
            View::Thread => "thread",
        };
        write!(f, "{numbering}:{}", self.ticket)?;
        if let Some(seq) = self.seq {
            write!(f, " seq {seq}")?;
        }
        if let Some(key) = self.key {
            write!(f, " key {key}")?;
        }
        if let Some(user) = self.user {
            write!(f, " user {user}")?;
        }
        write!(f, ": {}", self.fault)
    }
}

/// The name of a code as it stands on the wire.
pub fn code_name(code: ErrorCode) -> String {
    serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_else(|| format!("{code:?}"))
}
