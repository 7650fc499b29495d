//! What several people do to one ticket at once, held against guarantees 5 to 10: nothing passes blindly, a claim has one holder
//! and is a lease, presence is true, no text is lost, no signal is older than what was shown before, every ask is answered once.
//! Each file asks one of these questions of a recorded [`history::Room`]; `case` finds what they all look up.

mod answers;
mod case;
mod claims;
mod drafts;
mod effects;
mod held;
pub mod history;
mod posting;
mod presence;
pub mod read;
mod signals;
#[cfg(test)]
mod tests;

use std::fmt;

use hub_core::ids::{CommandKey, UserId};
use hub_core::wire::ErrorCode;

use super::history::View;
use super::{Breach, code_name};
use case::Case;
pub use drafts::given_up_unseen;
use history::Room;
pub use presence::most_in_a_second;

/// A claim that nobody renews is held so long, in microseconds.
pub const LEASE_US: u64 = 90_000_000;
/// Who lost the connection is there for so long, in microseconds.
pub const GRACE_US: u64 = 5_000_000;
/// Composing that is not repeated lasts so long, in microseconds.
pub const COMPOSING_US: u64 = 8_000_000;
/// What is to be so at once, is so after this, in microseconds: changes are gathered for a tenth of a second, the rest is for a
/// machine that has other things to do too.
pub const SLACK_US: u64 = 2_000_000;
/// Presence frames within a second that a viewer of a ticket may be shown: ten, and what a network bunches together.
pub const FRAMES_A_SECOND: u64 = 12;

/// All breaches of one ticket.
pub fn judge(room: &Room) -> Vec<Breach> {
    let mut case = Case::new(room);
    answers::check(&mut case);
    effects::check(&mut case);
    posting::check(&mut case);
    held::check(&mut case);
    claims::check(&mut case);
    presence::check(&mut case);
    drafts::check(&mut case);
    signals::check(&mut case);
    case.breaches
}

/// What was promised to people who work together, and is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An answer to a request that nobody made, or a second one.
    AnsweredTwice,
    /// A living connection never got its answer.
    NoAnswer,
    /// Refused for want of room, without saying when to come again.
    NoTimeToRetry(ErrorCode),
    /// The log holds what nobody asked for.
    NobodyAskedForIt,
    /// The event says something else than what was asked under its key.
    ContentChanged,
    /// Acked, and not where the ack says.
    AckedButLost,
    /// Refused, and yet it had its effect.
    RefusedButDone(ErrorCode),
    /// It passed although something public by somebody else came in between.
    Blind {
        /// What came in between.
        overlooked: u64,
    },
    /// It passed although somebody else held the claim.
    PassedAClaim {
        /// Who held it.
        holder: UserId,
    },
    /// `forced` says the opposite of what was asked.
    ForcedWrong,
    /// A note, a customer's reply or a forced one was refused.
    NeverRefusedRefused(ErrorCode),
    /// Refused `stale` although nothing public by anybody else came in between.
    StaleWithoutCause,
    /// `detail.events` is not exactly what was missed.
    MissedEventsWrong,
    /// Refused `claimed` although it was stale before.
    ClaimedBeforeStale,
    /// Refused `claimed` although nobody else held the claim, or not the one it names.
    ClaimedWithoutCause,
    /// What was held came too early.
    ReleasedEarly,
    /// What was held was neither released nor cancelled in time.
    HeldForgotten,
    /// What was held had two ends, or none of its own.
    HeldTwice,
    /// An event about a claim that fits nothing before it.
    ClaimMalformed,
    /// Its holder did nothing for longer than a lease, and still held it.
    HeldTooLong,
    /// Its holder was gone for longer than the grace, and still held it.
    HeldByNobodyThere,
    /// It expired although its holder had just renewed it.
    ExpiredEarly,
    /// The holder's reply did not release it.
    NotReleasedByReply,
    /// The holder handed the ticket over, and the claim did not move along.
    NotMovedByHandover,
    /// Somebody who left is shown.
    StillShown(UserId),
    /// Somebody whose connection is lost is shown as if it were there.
    NotMarkedLost(UserId),
    /// Somebody announced itself and is not shown.
    NotShown(UserId),
    /// Somebody is shown who was never there.
    Uninvited(UserId),
    /// Somebody is shown composing who did not say so.
    NotComposing(UserId),
    /// The same person is shown twice.
    ShownTwice(UserId),
    /// More presence frames within a second than a viewer may be shown.
    TooManyFrames(u64),
    /// A customer was shown what is not for customers.
    Secret(String),
    /// Customers see support composing while nobody composes a reply.
    SupportNotComposing,
    /// The revision of a draft did not go up.
    RevisionNotUp {
        /// The revision it was written over.
        over: u64,
        /// The one it was acked with.
        revision: u64,
        /// The highest that had been acked before it was sent, or to another save.
        before: u64,
    },
    /// Two saves over the same revision were both taken.
    SavedTwiceOver(u64),
    /// A draft refused as `stale` without the newer one, or although there is none.
    DraftStaleWrong {
        /// The revision it was written over.
        over: u64,
        /// The one that was shown; none when it is gone.
        shown: Option<u64>,
    },
    /// A text that was stored is nowhere any more.
    TextLost(String),
    /// A sent reply's draft is still there.
    DraftSurvived,
    /// A draft is gone that nobody sent or discarded.
    DraftVanished,
    /// A signal that is older than what was shown before.
    SignalOlder(&'static str),
    /// A frame nobody can make sense of.
    Odd(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::AnsweredTwice => "an answer to a request that nobody made, or a second one (guarantee 10)",
            Self::NoAnswer => "it got no answer on a connection that lived (guarantee 10)",
            Self::NoTimeToRetry(code) => {
                return write!(f, "it was refused {} without retry_after_ms (guarantee 10)", code_name(*code));
            }
            Self::NobodyAskedForIt => "the log holds what nobody asked for",
            Self::ContentChanged => "the event says something else than what was asked under its key",
            Self::AckedButLost => "it was acked and is not in the log where the ack says (guarantee 1)",
            Self::RefusedButDone(code) => {
                return write!(f, "it was refused ({}), and yet it is in the log (guarantee 4)", code_name(*code));
            }
            Self::Blind { overlooked } => {
                return write!(f, "it passed blindly: event {overlooked} was overlooked (guarantee 5)");
            }
            Self::PassedAClaim { holder } => {
                return write!(f, "it passed although {holder} held the claim (guarantee 5)");
            }
            Self::ForcedWrong => "`forced` says the opposite of what was asked (guarantee 5)",
            Self::NeverRefusedRefused(code) => {
                let code = code_name(*code);
                return write!(f, "a note, a customer's reply or a forced one was refused {code} (guarantee 5)");
            }
            Self::StaleWithoutCause => "it was refused stale although nothing came in between (guarantee 5)",
            Self::MissedEventsWrong => "detail.events is not exactly what was missed (guarantee 5)",
            Self::ClaimedBeforeStale => "it was refused claimed although it was stale: that is judged first (guarantee 5)",
            Self::ClaimedWithoutCause => "it was refused claimed although whom it names did not hold the claim (guarantee 5)",
            Self::ReleasedEarly => "a held reply was released before its time (guarantee 5)",
            Self::HeldForgotten => "a held reply was neither released nor cancelled in time (guarantee 5)",
            Self::HeldTwice => "a held reply has not exactly one end (guarantee 4)",
            Self::ClaimMalformed => "an event about a claim that does not fit what came before (guarantee 6)",
            Self::HeldTooLong => "the claim was held for longer than a lease after its holder did anything (guarantee 6)",
            Self::HeldByNobodyThere => "the claim was held for longer than the grace after its holder had gone (guarantee 6)",
            Self::ExpiredEarly => "the claim expired although its holder had renewed it (guarantee 6)",
            Self::NotReleasedByReply => "the holder's reply did not release the claim (guarantee 6)",
            Self::NotMovedByHandover => "the claim did not move with the handover (guarantee 6)",
            Self::StillShown(who) => return write!(f, "{who} is shown, and has left (guarantee 7)"),
            Self::NotMarkedLost(who) => return write!(f, "{who} is not marked as lost (guarantee 7)"),
            Self::NotShown(who) => return write!(f, "{who} announced itself and is not shown (guarantee 7)"),
            Self::Uninvited(who) => return write!(f, "{who} is shown, and was not there (guarantee 7)"),
            Self::NotComposing(who) => return write!(f, "{who} is shown composing, and did not say so (guarantee 7)"),
            Self::ShownTwice(who) => return write!(f, "{who} is shown twice (guarantee 7)"),
            Self::TooManyFrames(frames) => {
                return write!(f, "{frames} presence frames within a second for one viewer (guarantee 7)");
            }
            Self::Secret(words) => return write!(f, "a customer was shown {words} (guarantee 7)"),
            Self::SupportNotComposing => "a customer sees support composing, and nobody composes a reply (guarantee 7)",
            Self::RevisionNotUp { over, revision, before } => {
                return write!(f, "a draft over revision {over} was acked as {revision}, after {before} (guarantee 8)");
            }
            Self::SavedTwiceOver(revision) => {
                return write!(f, "two saves over revision {revision} were both taken (guarantee 8)");
            }
            Self::DraftStaleWrong { over, shown } => {
                return write!(
                    f,
                    "a draft over revision {over} was refused stale, and revision {shown:?} was shown (guarantee 8)"
                );
            }
            Self::TextLost(text) => return write!(f, "a stored draft is nowhere any more: {text:?} (guarantee 8)"),
            Self::DraftSurvived => "the draft of a sent reply is still there (guarantee 8)",
            Self::DraftVanished => "a draft is gone that nobody sent or discarded (guarantee 8)",
            Self::SignalOlder(slot) => return write!(f, "a signal ({slot}) older than what was shown before (guarantee 9)"),
            Self::Odd(words) => words,
        };
        f.write_str(words)
    }
}

/// Which event or intent a breach is about, as far as it is known.
#[derive(Clone, Copy, Default)]
struct About {
    seq: Option<u64>,
    key: Option<CommandKey>,
    user: Option<UserId>,
}

impl About {
    const fn entry(entry: &history::Entry) -> Self {
        Self { seq: Some(entry.seq), key: entry.key, user: entry.by }
    }

    const fn user(user: UserId) -> Self {
        Self { seq: None, key: None, user: Some(user) }
    }
}

impl Case<'_> {
    fn note(&mut self, view: View, about: About, fault: Fault) {
        let About { seq, key, user } = about;
        self.breaches.push(Breach { ticket: self.room.id, view, seq, key, user, fault: super::Fault::Together(fault) });
    }
}
