//! What I write and have not sent yet. The same as `save_draft` and `discard_draft` on the socket; the revision is the ETag.

use actix_web::{HttpRequest, HttpResponse, web};
use actors::DraftSave;
use actors::fanout::ConnectionId;
use hub_core::wire::fields::{self, Fields};
use hub_core::wire::{Audience, MAX_BODY_BYTES, Problem};
use serde_json::json;

use super::body::Body;
use super::headers::{self, Position};
use super::path::TicketPath;
use super::shapes;
use crate::auth::Signed;
use crate::doors::Doors;
use crate::problem::Refused;

/// Reads my drafts on a ticket
///
/// At most one reply and one note. Live, they come with `subscribe` and, from my other devices, on the topic `me`.
#[utoipa::path(get, path = "/tickets/{id}/drafts", operation_id = "read_drafts", tag = "drafts", params(shapes::TicketParam),
    responses((status = 200, description = "My drafts", body = shapes::Drafts)))]
pub async fn list(doors: web::Data<Doors>, signed: Signed, path: TicketPath) -> Result<HttpResponse, Refused> {
    let drafts = doors.tickets.drafts(path.key(signed.sign_in.workspace)?, signed.asker()).await?;
    Ok(HttpResponse::Ok().json(json!({"drafts": drafts})))
}

/// Reads one of my drafts
///
/// `ETag` is its revision: what `If-Match` asks for.
#[utoipa::path(get, path = "/tickets/{id}/drafts/{audience}", operation_id = "read_draft", tag = "drafts", params(shapes::DraftParams),
    responses((status = 200, description = "The draft", body = shapes::Draft), (status = 304, description = "Unchanged since If-None-Match")))]
pub async fn read(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
) -> Result<HttpResponse, Refused> {
    let audience = audience(&request)?;
    let drafts = doors.tickets.drafts(path.key(signed.sign_in.workspace)?, signed.asker()).await?;
    let draft = drafts.into_iter().find(|draft| draft.audience == audience).ok_or_else(Problem::not_found)?;
    let etag = headers::etag(draft.revision);
    if headers::is_known(&request, draft.revision) {
        return Ok(HttpResponse::NotModified().insert_header(etag).finish());
    }
    Ok(HttpResponse::Ok().insert_header(etag).json(draft))
}

/// Saves a draft
///
/// Over the revision you saw last (`revision`, or `If-Match`); without one where you saw none. When another device was quicker it
/// is refused `stale`, with its `draft`. Answered when it is stored.
#[utoipa::path(put, path = "/tickets/{id}/drafts/{audience}", operation_id = "save_draft", tag = "drafts", request_body = shapes::NewDraft,
    params(shapes::DraftParams, shapes::IfMatchRevision),
    responses((status = 200, description = "The draft as it is stored", body = shapes::Draft)))]
pub async fn save(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
    body: Body,
) -> Result<HttpResponse, Refused> {
    let (revision, mut save) = body.read(read_save).await?;
    let position = Position::of(&request, None)?;
    if position.based_on.zip(revision).is_some_and(|(header, body)| header != body) {
        return Err(Problem::invalid_field("revision", "differs from If-Match").into());
    }
    save.revision = position.based_on.or(revision).unwrap_or(0);
    let (audience, ticket) = (audience(&request)?, path.key(signed.sign_in.workspace)?);
    let saved = doors.tickets.save_draft(ticket, signed.asker(), audience, save, ConnectionId::next()).await;
    let kept = saved.map_err(|problem| Refused::from(problem).under_if_match(position.from_header))?;
    Ok(HttpResponse::Ok().insert_header(headers::etag(kept.revision)).json(kept.into_wire()))
}

/// Throws a draft away
///
/// The one of this revision (`If-Match`), or whichever there is. Where there is none, nothing happens.
#[utoipa::path(delete, path = "/tickets/{id}/drafts/{audience}", operation_id = "discard_draft", tag = "drafts",
    params(shapes::DraftParams, shapes::IfMatchRevision), responses((status = 204, description = "There is none")))]
pub async fn discard(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
) -> Result<HttpResponse, Refused> {
    let Position { based_on: revision, from_header } = Position::of(&request, None)?;
    let (audience, ticket) = (audience(&request)?, path.key(signed.sign_in.workspace)?);
    let gone = doors.tickets.discard_draft(ticket, signed.asker(), audience, revision, ConnectionId::next()).await;
    gone.map_err(|problem| Refused::from(problem).under_if_match(from_header))?;
    Ok(HttpResponse::NoContent().finish())
}

/// The revision of the body, and what is to be saved.
pub(super) fn read_save(f: &mut Fields<'_>) -> Option<(Option<u64>, DraftSave)> {
    let body = f.required("body", fields::text(MAX_BODY_BYTES));
    let based_on = f.required("based_on", fields::integer(0));
    let revision = f.optional("revision", fields::integer(0));
    Some((revision, DraftSave { revision: 0, body: body?, based_on: based_on? }))
}

/// The `{audience}` of a path. Any other word names nothing.
fn audience(request: &HttpRequest) -> Result<Audience, Problem> {
    request.match_info().query("audience").parse().map_err(|()| Problem::not_found())
}
