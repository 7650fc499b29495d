//! From a client's command to the intent it means: one line per command.

use hub_core::ids::{CommandKey, TicketId};
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::wire::client::ReplyFields;
use hub_core::wire::{ClientFrame, Patch};

/// The ticket and the intent of a command; none for frames that are no commands.
pub fn intent(frame: ClientFrame, by: &Asker) -> Option<(TicketId, Intent)> {
    let (key, ticket_id, steps) = steps(frame)?;
    Some((ticket_id, Intent { key, by: by.clone(), steps }))
}

fn steps(frame: ClientFrame) -> Option<(CommandKey, TicketId, Vec<Step>)> {
    match frame {
        ClientFrame::PostReply { key, ticket_id, body, audience, based_on, force, then_status, mention_ids, hold_ms } => {
            let reply = ReplyFields { body, audience, based_on, force, then_status, mention_ids, hold_ms };
            Some((key, ticket_id, Step::of_reply(reply)))
        }
        ClientFrame::CancelHeld { key, ticket_id, held_key } => Some((key, ticket_id, vec![Step::CancelHeld { held_key }])),
        ClientFrame::HandOver { key, ticket_id, to_id, to_team_id, note, with_draft } => {
            Some((key, ticket_id, vec![Step::HandOver { to_id, to_team_id, note, with_draft }]))
        }
        ClientFrame::AcknowledgeHandoff { key, ticket_id } => Some((key, ticket_id, vec![Step::AcknowledgeHandoff])),
        ClientFrame::ChangeTags { key, ticket_id, add, remove } => {
            Some((key, ticket_id, vec![Step::ChangeTags { add, remove }]))
        }
        ClientFrame::Watch { key, ticket_id, on } => Some((key, ticket_id, vec![Step::Watch { on }])),
        ClientFrame::TakeClaim { ticket_id, force } => Some((own_key(), ticket_id, vec![Step::TakeClaim { force }])),
        ClientFrame::ReleaseClaim { ticket_id, force } => Some((own_key(), ticket_id, vec![Step::ReleaseClaim { force }])),
        ClientFrame::ChangeStatus { key, ticket_id, status, based_on, note, force } => {
            Some((key, ticket_id, vec![Step::ChangeStatus { status, based_on, note, force }]))
        }
        ClientFrame::Assign { key, ticket_id, assignee_id, team_id } => {
            let assignee_id = assignee_id.map_or(Patch::Clear, Patch::Set);
            Some((key, ticket_id, vec![Step::Assign { assignee_id, team_id }]))
        }
        ClientFrame::UpdateTicket { key, ticket_id, based_on, patches } => {
            Some((key, ticket_id, vec![Step::UpdateFields { based_on, patches }]))
        }
        ClientFrame::Hello { .. }
        | ClientFrame::Subscribe { .. }
        | ClientFrame::Unsubscribe { .. }
        | ClientFrame::Ping
        | ClientFrame::SaveDraft { .. }
        | ClientFrame::DiscardDraft { .. }
        | ClientFrame::SetPresence { .. }
        | ClientFrame::WatchRows { .. }
        | ClientFrame::MarkRead { .. } => None,
    }
}

/// A claim has no key of its client: taking it twice is taking it once.
fn own_key() -> CommandKey {
    CommandKey::new(uuid::Uuid::new_v4())
}
