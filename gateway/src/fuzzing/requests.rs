//! What REST reads: bodies, query strings, cursors, ETags, tokens. What is read is within its limits, and what has one
//! canonical form is read from that form only.

use hub_core::ids::{SessionId, UserId, WorkspaceId};
use hub_core::ports::SignIn;
use hub_core::rules::permissions::Role;
use hub_core::time::UnixMs;
use hub_core::wire::fields::{FieldErrors, Fields};
use hub_core::wire::value::decode_strict;
use hub_core::wire::{Codec, MAX_BODY_BYTES, MAX_INTEGER, Problem};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Kind, kind, limits};
use crate::auth::Token;
use crate::rest::fuzzing::{change, cursor, draft, etag, handover, list, new_ticket, reply, sign_in, since, tags};

pub fn bodies(bytes: &[u8]) -> Kind {
    let Ok(Value::Object(map)) = decode_strict(Codec::Json, bytes) else { return 0 };
    let reply = read(&map, reply).map(|reply| {
        limits::body(&reply.body);
        limits::reply(&reply.mention_ids, reply.then_status.as_deref(), reply.hold_ms);
    });
    let handover = read(&map, handover)
        .map(|handover| limits::handover(handover.to_id.is_some(), handover.to_team_id.is_some(), &handover.note));
    let tags = read(&map, tags).map(|tags| limits::tags(&tags.add, &tags.remove));
    let ticket = read(&map, new_ticket).map(|(title, description)| {
        assert!(title.len() <= 500 && description.len() <= MAX_BODY_BYTES && !title.trim().is_empty());
    });
    let draft = read(&map, draft).map(|(revision, body)| {
        limits::draft(&body);
        assert!(revision.is_none_or(|revision| revision <= MAX_INTEGER));
    });
    kind([read(&map, sign_in), reply, ticket, read(&map, change), draft, handover, tags].map(|read| read.err()))
}

/// Reads a map the way a body is read; else the names of the fields that are wrong.
fn read<T>(map: &Map<String, Value>, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T, Vec<String>> {
    let mut fields = Fields::new(map);
    let result = read(&mut fields);
    fields.refuse_unknown();
    fields.finish(result).map_err(|errors: FieldErrors| {
        assert!(!errors.is_empty(), "a refusal says why");
        errors.into_keys().collect()
    })
}

pub fn queries(bytes: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(bytes);
    let listed = [Role::Agent, Role::Customer].map(|role| list(&text, &by(role)).map_err(names));
    for query in listed.iter().flatten() {
        assert!((1..=100).contains(&query.limit) && query.status.len() <= 100);
    }
    let since = since(&text).map_err(names);
    kind((listed.map(|listed| listed.err()), since.err()))
}

fn names(problem: Problem) -> Vec<String> {
    let fields = problem.detail.get("fields").and_then(Value::as_object);
    // Names of unknown parameters are the client's own words: one kind.
    let known = ["status", "assignee_id", "limit", "cursor", "after", "before", "created_from", "created_to", "query"];
    fields.map_or(vec![], |fields| fields.keys().filter(|name| known.contains(&name.as_str())).cloned().collect())
}

pub fn cursors_and_tags(bytes: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(bytes);
    let cursor = cursor(&text).map(|again| assert_eq!(again, text, "a cursor has one form")).is_some();
    let etag = etag(bytes).map(|seq| assert!(seq <= MAX_INTEGER)).is_some();
    let instant = UnixMs::parse(&text).map(|at| {
        let again = UnixMs::parse(&at.to_string());
        assert!(again.is_ok_and(|again| again == at), "{at} is read as {again:?}", again = UnixMs::parse(&at.to_string()));
    });
    kind((cursor, etag, instant.is_ok(), bytes.len().min(40)))
}

pub fn tokens(bytes: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(bytes);
    let token = Token::parse(&text);
    let is_token = token.is_some();
    if let Some(token) = token {
        assert_eq!(token.into_text(), text, "a token has one form");
    }
    kind((is_token, text.starts_with("tdm_"), bytes.len().min(90)))
}

fn by(role: Role) -> SignIn {
    SignIn {
        session: SessionId::new(Uuid::nil()),
        workspace: WorkspaceId::new(Uuid::nil()),
        user: UserId::new(Uuid::nil()),
        name: String::new(),
        email: String::new(),
        role,
        expires_at: UnixMs(0),
    }
}
