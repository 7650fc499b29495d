//! How a client's frames are written: by load drivers and tests, byte for byte as the web does it.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{ClientFrame, Request};

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Counted entries first: MessagePack writes the length of a map before its entries.
        let Value::Object(map) = to_map(self).map_err(serde::ser::Error::custom)? else {
            return Err(serde::ser::Error::custom("a request is a map"));
        };
        map.serialize(serializer)
    }
}

fn to_map(request: &Request) -> Result<Value, serde_json::Error> {
    use serde_json::json;
    let mut map = match &request.frame {
        ClientFrame::Hello { protocol, token, client } => {
            json!({"type": "hello", "protocol": protocol, "token": token, "client": client})
        }
        ClientFrame::Subscribe { topic, resume } => {
            let (after, stream) = resume.unzip();
            json!({"type": "subscribe", "topic": topic, "after": after, "stream": stream})
        }
        ClientFrame::Unsubscribe { topic } => json!({"type": "unsubscribe", "topic": topic}),
        ClientFrame::Ping => json!({"type": "ping"}),
        ClientFrame::PostReply { key, ticket_id, body, audience, based_on, force, then_status, mention_ids, hold_ms } => {
            json!({
                "type": "post_reply", "key": key, "ticket_id": ticket_id, "body": body, "audience": audience,
                "based_on": based_on, "force": force.then_some(true), "then_status": then_status,
                "mention_ids": (!mention_ids.is_empty()).then_some(mention_ids), "hold_ms": hold_ms,
            })
        }
        ClientFrame::ChangeStatus { key, ticket_id, status, based_on, note, force } => json!({
            "type": "change_status", "key": key, "ticket_id": ticket_id, "status": status,
            "based_on": based_on, "note": note, "force": force.then_some(true),
        }),
        ClientFrame::CancelHeld { key, ticket_id, held_key } => {
            json!({"type": "cancel_held", "key": key, "ticket_id": ticket_id, "held_key": held_key})
        }
        ClientFrame::HandOver { key, ticket_id, to_id, to_team_id, note, with_draft } => json!({
            "type": "hand_over", "key": key, "ticket_id": ticket_id, "to_id": to_id, "to_team_id": to_team_id, "note": note,
            "with_draft": with_draft.then_some(true),
        }),
        ClientFrame::AcknowledgeHandoff { key, ticket_id } => {
            json!({"type": "acknowledge_handoff", "key": key, "ticket_id": ticket_id})
        }
        ClientFrame::ChangeTags { key, ticket_id, add, remove } => {
            json!({"type": "change_tags", "key": key, "ticket_id": ticket_id, "add": add, "remove": remove})
        }
        ClientFrame::Watch { key, ticket_id, on } => json!({"type": "watch", "key": key, "ticket_id": ticket_id, "on": on}),
        ClientFrame::TakeClaim { ticket_id, force } => {
            json!({"type": "take_claim", "ticket_id": ticket_id, "force": force.then_some(true)})
        }
        ClientFrame::ReleaseClaim { ticket_id, force } => {
            json!({"type": "release_claim", "ticket_id": ticket_id, "force": force.then_some(true)})
        }
        ClientFrame::SaveDraft { ticket_id, audience, revision, body, based_on } => json!({
            "type": "save_draft", "ticket_id": ticket_id, "audience": audience, "revision": revision, "body": body,
            "based_on": based_on,
        }),
        ClientFrame::DiscardDraft { ticket_id, audience } => {
            json!({"type": "discard_draft", "ticket_id": ticket_id, "audience": audience})
        }
        ClientFrame::SetPresence { ticket_id, state, audience, field } => {
            json!({"type": "set_presence", "ticket_id": ticket_id, "state": state, "audience": audience, "field": field})
        }
        ClientFrame::WatchRows { ticket_ids } => json!({"type": "watch_rows", "ticket_ids": ticket_ids}),
        ClientFrame::MarkRead { ticket_id, seq, back } => {
            json!({"type": "mark_read", "ticket_id": ticket_id, "seq": seq, "back": back.then_some(true)})
        }
        ClientFrame::Assign { .. } | ClientFrame::UpdateTicket { .. } => json!({}),
    };
    let fields = map.as_object_mut().expect("written as a map above");
    fields.retain(|_, value| !value.is_null());
    // In these two, null is not absence.
    match &request.frame {
        ClientFrame::Assign { key, ticket_id, assignee_id, team_id } => {
            *fields = object(json!({"type": "assign", "key": key, "ticket_id": ticket_id, "assignee_id": assignee_id}));
            if !team_id.is_keep() {
                fields.insert("team_id".into(), serde_json::to_value(team_id)?);
            }
        }
        ClientFrame::UpdateTicket { key, ticket_id, based_on, patches } => {
            *fields = object(serde_json::to_value(patches)?);
            fields.extend(object(json!({"type": "update_ticket", "key": key, "ticket_id": ticket_id, "based_on": based_on})));
        }
        ClientFrame::Hello { .. }
        | ClientFrame::Subscribe { .. }
        | ClientFrame::Unsubscribe { .. }
        | ClientFrame::Ping
        | ClientFrame::PostReply { .. }
        | ClientFrame::ChangeStatus { .. }
        | ClientFrame::CancelHeld { .. }
        | ClientFrame::HandOver { .. }
        | ClientFrame::AcknowledgeHandoff { .. }
        | ClientFrame::ChangeTags { .. }
        | ClientFrame::Watch { .. }
        | ClientFrame::TakeClaim { .. }
        | ClientFrame::ReleaseClaim { .. }
        | ClientFrame::SaveDraft { .. }
        | ClientFrame::DiscardDraft { .. }
        | ClientFrame::SetPresence { .. }
        | ClientFrame::WatchRows { .. }
        | ClientFrame::MarkRead { .. } => {}
    }
    if let Some(id) = request.id {
        fields.insert("id".into(), id.into());
    }
    Ok(map)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
