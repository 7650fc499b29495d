//! Replies that are held back: begun, taken back by their author, or released when their time has come and judged again then.

use super::record::Happened;
use crate::ids::CommandKey;
use crate::wire::{Event, Held, MAX_BODY_BYTES, PersonRef};

/// Replies of one ticket that may be held back at a time.
const MOST: usize = 20;
/// What they may weigh together: they are part of the ticket, which has to fit into one message.
const MOST_BYTES: usize = 2 * MAX_BODY_BYTES;

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

/// Is there room for one more with this body?
pub fn has_room(held: &[Held], body: &str) -> bool {
    let weight: usize = held.iter().map(|one| one.body.len()).sum();
    held.len() < MOST && weight + body.len() <= MOST_BYTES
}

/// The held reply of this key.
pub fn find(held: &[Held], key: CommandKey) -> Option<&Held> {
    held.iter().find(|one| one.key == key)
}
