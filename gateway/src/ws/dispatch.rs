//! From a client's command to the intent it means: one line per command.

use hub_core::ids::{CommandKey, TicketId};
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::wire::{ClientFrame, Patch};

/// The ticket and the intent of a command; none for frames that are no commands.
pub fn intent(frame: ClientFrame, by: &Asker) -> Option<(TicketId, Intent)> {
    let (key, ticket_id, steps) = steps(frame)?;
    Some((ticket_id, Intent { key, by: by.clone(), steps }))
}

fn steps(frame: ClientFrame) -> Option<(CommandKey, TicketId, Vec<Step>)> {
    match frame {
        ClientFrame::PostReply { key, ticket_id, body, audience, based_on, force, then_status, mention_ids } => {
            let reply = Step::PostReply { body, audience, based_on, force, mentions: mention_ids };
            let then = then_status.map(|status| Step::ChangeStatus { status, based_on, note: None, force });
            Some((key, ticket_id, [Some(reply), then].into_iter().flatten().collect()))
        }
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
        | ClientFrame::MarkRead { .. } => None,
    }
}
