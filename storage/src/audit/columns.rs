//! The columns that repeat what events say, for lists and indexes: which of them differ from the events.
//!
//! A column that cannot be read differs too. Two are not judged, for events do not tell them: `key_digest` and `key_missed`.

use hub_core::rules::record::{Happened, Place};
use hub_core::rules::ticket::TicketState;
use serde_json::{Map, Value};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::rows::{bigint, state, to_system_time};

/// The columns of an event's row that differ from the event.
pub(super) fn differing_beside_event(row: &Row, place: &Place, happened: &Happened) -> Vec<&'static str> {
    let key_by = happened.key.and(happened.intent_of());
    differing([
        ("workspace_id", holds(row, "workspace_id", place.ticket.workspace.uuid())),
        ("ticket_id", holds(row, "ticket_id", place.ticket.ticket.uuid())),
        ("seq", holds(row, "seq", bigint(place.seq))),
        ("thread_seq", holds(row, "thread_seq", happened.thread_seq.map(bigint))),
        ("at", holds(row, "at", to_system_time(happened.at))),
        ("key", holds(row, "key", happened.key.map(|key| key.uuid()))),
        ("key_by", holds(row, "key_by", key_by.map(|id| id.uuid()))),
    ])
}

/// The columns of a ticket's row that differ from what its events made of it. Where events were erased, what they had said in
/// private is unknown: title, priority, category and the whole state are not compared.
pub(super) fn differing_in_ticket(row: &Row, ticket: &TicketState, has_erased: bool) -> Vec<&'static str> {
    differing([
        ("number", holds(row, "number", bigint(ticket.number))),
        ("title", has_erased || holds(row, "title", ticket.title.as_str())),
        ("status", holds(row, "status", ticket.status.as_str())),
        ("priority", has_erased || holds(row, "priority", ticket.priority.name())),
        ("category_id", has_erased || holds(row, "category_id", ticket.category_id.map(|id| id.uuid()))),
        ("assignee_id", holds(row, "assignee_id", ticket.assignee_id.map(|id| id.uuid()))),
        ("team_id", holds(row, "team_id", ticket.team_id.map(|id| id.uuid()))),
        ("requester_id", holds(row, "requester_id", ticket.requester.id.uuid())),
        ("created_at", holds(row, "created_at", to_system_time(ticket.created_at))),
        ("updated_at", holds(row, "updated_at", to_system_time(ticket.updated_at))),
        ("thread_updated_at", holds(row, "thread_updated_at", to_system_time(ticket.thread_updated_at))),
        ("last_seq", holds(row, "last_seq", bigint(ticket.seq))),
        ("last_thread_seq", holds(row, "last_thread_seq", bigint(ticket.thread_seq))),
        ("state", has_erased || holds_state(row, ticket)),
    ])
}

fn differing<const N: usize>(columns: [(&'static str, bool); N]) -> Vec<&'static str> {
    columns.into_iter().filter_map(|(column, holds)| (!holds).then_some(column)).collect()
}

fn holds<'a, T: FromSql<'a> + PartialEq>(row: &'a Row, column: &str, expected: T) -> bool {
    row.try_get::<_, T>(column).is_ok_and(|found| found == expected)
}

fn holds_state(row: &Row, expected: &TicketState) -> bool {
    let Ok(mut found) = state(row) else { return false };
    let custom = std::mem::take(&mut found.custom);
    same_fields(&custom, &expected.custom) && found == TicketState { custom: Map::new(), ..expected.clone() }
}

fn same_fields(found: &Map<String, Value>, expected: &Map<String, Value>) -> bool {
    found.len() == expected.len()
        && found.iter().all(|(name, value)| expected.get(name).is_some_and(|expected| same(value, expected)))
}

/// The same value; a fraction may have lost its last digit on the way through `jsonb`, which writes it differently.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) if found.is_f64() || expected.is_f64() => {
            let (found, expected) = (found.as_f64().unwrap_or(f64::NAN), expected.as_f64().unwrap_or(f64::NAN));
            (found - expected).abs() <= expected.abs() * 1e-14
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| same(found, expected))
        }
        (Value::Object(found), Value::Object(expected)) => same_fields(found, expected),
        (found, expected) => found == expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fractions_may_differ_in_their_last_digit_and_nothing_else_may() {
        assert!(same(&json!({"a": [0.1, {"b": 1e20}]}), &json!({"a": [0.100_000_000_000_000_02, {"b": 1e20}]})));
        for (found, expected) in [
            (json!(0.1), json!(0.2)),
            (json!(1), json!(2)),
            (json!({"a": 1}), json!({"b": 1})),
            (json!({"a": 1}), json!({"a": 1, "b": 1})),
            (json!([1]), json!([1, 2])),
            (json!("1"), json!(1)),
        ] {
            assert!(!same(&found, &expected), "{found} and {expected}");
        }
    }
}
