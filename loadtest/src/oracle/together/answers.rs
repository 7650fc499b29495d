//! Was every request answered, once, and every refusal for want of room with a time to come again?

use std::collections::HashSet;

use hub_core::wire::ErrorCode;

use super::case::{Case, Outcome};
use super::history::{Answer, Seen};
use super::{About, Fault};

pub(super) fn check(case: &mut Case<'_>) {
    for device in &case.room.devices {
        let about = About::user(device.user);
        let (mut open, mut answered) = (HashSet::new(), HashSet::new());
        for moment in &device.moments {
            match &moment.seen {
                Seen::Asked { id: Some(id), .. } => {
                    open.insert(*id);
                }
                Seen::Answered { id, answer } => {
                    if !open.contains(id) || !answered.insert(*id) {
                        case.note(device.view, about, Fault::AnsweredTwice);
                    }
                    if let Answer::Refused { code, retry_after_ms: None, .. } = answer
                        && matches!(code, ErrorCode::Busy | ErrorCode::RateLimited)
                    {
                        case.note(device.view, about, Fault::NoTimeToRetry(*code));
                    }
                }
                // What was asked before is never answered on the next connection.
                Seen::Lost => open.clear(),
                Seen::Asked { id: None, .. } | Seen::Joined { .. } | Seen::Event { .. } | Seen::Signal(_) | Seen::Left => {}
            }
        }
        for words in &device.oddities {
            case.note(device.view, about, Fault::Odd(words.clone()));
        }
    }
    let open = |exchange: &&super::case::Exchange<'_>| exchange.id.is_some() && matches!(exchange.outcome, Outcome::Open);
    for exchange in case.exchanges.iter().copied().filter(|exchange| open(&exchange)).collect::<Vec<_>>() {
        let about = About { key: exchange.ask.key(), ..About::user(exchange.device.user) };
        case.note(exchange.device.view, about, Fault::NoAnswer);
    }
}
