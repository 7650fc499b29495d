//! Handing a ticket over: what stays pinned until whoever goes on has seen it.

use super::record::Happened;
use crate::wire::{Event, Handoff, HandoffDraft, MAX_BODY_BYTES, PersonRef};

/// What drafts that come along may weigh together: they are part of the ticket, which has to fit into one message.
const MOST_BYTES: usize = 2 * MAX_BODY_BYTES;

/// Is there room for this draft beside the one that came along before and was never acknowledged?
pub fn has_room(before: Option<&Handoff>, draft: &HandoffDraft) -> bool {
    let weight = before.and_then(|before| before.draft.as_ref()).map_or(0, |before| before.body.len() + 2);
    weight + draft.body.len() <= MOST_BYTES
}

/// What is pinned after a `handed_over`. A draft that came with one before and was never acknowledged goes along: no text is lost.
pub fn pinned(before: Option<Box<Handoff>>, happened: &Happened) -> Option<Box<Handoff>> {
    let Event::HandedOver { from_id, to_id, to_team_id, note, draft } = &happened.event else { return before };
    let from = PersonRef { id: *from_id, name: happened.by.name.clone() };
    let draft = match (before.and_then(|before| before.draft), draft.clone()) {
        (Some(first), Some(second)) => Some(joined(first, second)),
        (first, second) => second.or(first),
    };
    Some(Box::new(Handoff { from, to_id: *to_id, to_team_id: *to_team_id, note: note.clone(), draft, at: happened.at }))
}

/// Both texts, one after the other; it counts as based on the older view.
fn joined(first: HandoffDraft, second: HandoffDraft) -> HandoffDraft {
    let mut authors = first.authors;
    for author in second.authors {
        if authors.iter().all(|known| known.id != author.id) {
            authors.push(author);
        }
    }
    HandoffDraft { body: format!("{}\n\n{}", first.body, second.body), based_on: first.based_on.min(second.based_on), authors }
}
