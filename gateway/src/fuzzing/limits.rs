//! What holds of everything that was read, whether it came in a frame or in a body: the limits that the protocol names.

use hub_core::ids::UserId;
use hub_core::wire::MAX_BODY_BYTES;
use hub_core::wire::client::{MAX_HOLD_MS, MAX_LIST, MAX_NOTE_BYTES, MAX_STATUS_BYTES, MAX_TAG_BYTES, MAX_TAGS};

/// A text that says something.
fn filled(text: &str, most: usize) {
    assert!(text.len() <= most && !text.trim().is_empty() && !text.contains('\0'), "{text:?}");
}

pub fn body(body: &str) {
    filled(body, MAX_BODY_BYTES);
}

/// A text that may be empty.
pub fn draft(body: &str) {
    assert!(body.len() <= MAX_BODY_BYTES && !body.contains('\0'), "{body:?}");
}

/// What a reply has beside its body.
pub fn reply(mentions: &[UserId], then_status: Option<&str>, hold_ms: Option<u64>) {
    assert!(mentions.len() <= MAX_LIST && mentions.is_sorted_by(|one, next| one < next), "each once: {mentions:?}");
    then_status.into_iter().for_each(|status| filled(status, MAX_STATUS_BYTES));
    assert!(hold_ms.is_none_or(|ms| (1..=MAX_HOLD_MS).contains(&ms)), "{hold_ms:?}");
}

pub fn handover(to_somebody: bool, to_team: bool, note: &str) {
    assert!(to_somebody != to_team, "to one of both");
    filled(note, MAX_NOTE_BYTES);
}

/// Each once, in the one form that it has; none is to come and to go.
pub fn tags(add: &[String], remove: &[String]) {
    for tags in [add, remove] {
        assert!(tags.len() <= MAX_TAGS && tags.is_sorted_by(|one, next| one < next), "{tags:?}");
        for tag in tags {
            filled(tag, MAX_TAG_BYTES);
            assert!(*tag == tag.trim().to_lowercase(), "{tag:?}");
        }
    }
    assert!(add.iter().all(|tag| !remove.contains(tag)), "{add:?} {remove:?}");
}
