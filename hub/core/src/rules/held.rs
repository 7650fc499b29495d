//! Replies that are held back: begun, taken back by their author, or released when their time has come and judged again then.

use super::record::Happened;
use crate::ids::CommandKey;
use crate::wire::{Event, Held, PersonRef};

/// Replies of one ticket that may be held back at a time.
pub const MOST: usize = 20;

/// The held reply that a `reply_held` begins.
pub fn begun(happened: &Happened) -> Option<Held> {
    let Event::ReplyHeld { body, audience, mentions, then_status, based_on, forced, release_at, draft_authors } =
        &happened.event
    else {
        return None;
    };
    Some(Held {
        key: happened.key?,
        by: PersonRef { id: happened.by.id?, name: happened.by.name.clone() },
        body: body.clone(),
        audience: *audience,
        mentions: mentions.clone(),
        then_status: then_status.clone(),
        based_on: *based_on,
        forced: forced.unwrap_or(false),
        draft_authors: draft_authors.clone(),
        release_at: *release_at,
    })
}

/// The held reply of this key.
pub fn find(held: &[Held], key: CommandKey) -> Option<&Held> {
    held.iter().find(|one| one.key == key)
}
