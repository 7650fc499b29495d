//! Working together by REST: handing over, tags, following, claims, and taking a held reply back. Each is one intent, and goes to
//! the same actor as its frame on the socket.

use actix_web::{HttpRequest, HttpResponse, web};
use hub_core::ids::CommandKey;
use hub_core::rules::intent::{Intent, Step};
use hub_core::wire::Problem;
use hub_core::wire::client::{HandoverFields, TagFields};
use hub_core::wire::fields;
use serde_json::json;

use super::body::Body;
use super::headers;
use super::path::TicketPath;
use super::query::Query;
use super::shapes;
use crate::auth::Signed;
use crate::doors::Doors;
use crate::problem::Refused;

/// Hands a ticket over
///
/// To a colleague or to a team, with a note that stays pinned until it is acknowledged. My claim moves along, and my draft of a
/// public reply where `with_draft` says so.
#[utoipa::path(post, path = "/tickets/{id}/handoff", operation_id = "hand_over", tag = "collaboration",
    request_body = shapes::NewHandoff, params(shapes::TicketParam, shapes::RequiredKey),
    responses((status = 201, description = "Handed over: the number of its event", body = shapes::Written)))]
pub async fn hand_over(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
    body: Body,
) -> Result<HttpResponse, Refused> {
    let key = headers::required_key(&request, &signed.sign_in)?;
    let HandoverFields { to_id, to_team_id, note, with_draft } = body.read(HandoverFields::read).await?;
    let step = Step::HandOver { to_id, to_team_id, note, with_draft };
    Ok(HttpResponse::Created().json(carry_out(&doors, &signed, path, key, step).await?))
}

/// Acknowledges a handoff
///
/// It is pinned no longer. A draft that came along becomes that of whoever acknowledges; a ticket that was handed to a team and
/// is nobody's becomes theirs.
#[utoipa::path(post, path = "/tickets/{id}/handoff/acknowledgement", operation_id = "acknowledge_handoff", tag = "collaboration",
    params(shapes::TicketParam, shapes::RequiredKey),
    responses((status = 201, description = "Acknowledged: the number of its event", body = shapes::Written)))]
pub async fn acknowledge(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
) -> Result<HttpResponse, Refused> {
    let key = headers::required_key(&request, &signed.sign_in)?;
    Ok(HttpResponse::Created().json(carry_out(&doors, &signed, path, key, Step::AcknowledgeHandoff).await?))
}

/// Adds and removes tags
///
/// Merges with what others do at the same time; never conflicts.
#[utoipa::path(post, path = "/tickets/{id}/tags", operation_id = "change_tags", tag = "collaboration",
    request_body = shapes::TagChange, params(shapes::TicketParam, shapes::RequiredKey),
    responses((status = 201, description = "Changed: the number of its event", body = shapes::Written)))]
pub async fn change_tags(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
    body: Body,
) -> Result<HttpResponse, Refused> {
    let key = headers::required_key(&request, &signed.sign_in)?;
    let TagFields { add, remove } = body.read(TagFields::read).await?;
    Ok(HttpResponse::Created().json(carry_out(&doors, &signed, path, key, Step::ChangeTags { add, remove }).await?))
}

/// Follows a ticket, or no longer
#[utoipa::path(put, path = "/tickets/{id}/watch", operation_id = "watch", tag = "collaboration", request_body = shapes::Watching,
    params(shapes::TicketParam, shapes::OptionalKey),
    responses((status = 200, description = "So it is: the number of its event", body = shapes::Written)))]
pub async fn watch(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
    body: Body,
) -> Result<HttpResponse, Refused> {
    let key = headers::optional_key(&request, &signed.sign_in)?.unwrap_or_else(headers::fresh_key);
    let on = body.read(|f| f.required("on", fields::boolean)).await?;
    Ok(HttpResponse::Ok().json(carry_out(&doors, &signed, path, key, Step::Watch { on }).await?))
}

/// Takes the claim
///
/// I am answering the customer now. Where somebody else is: `claimed`, unless `force`; who had it is told.
#[utoipa::path(put, path = "/tickets/{id}/claim", operation_id = "take_claim", tag = "collaboration",
    request_body = shapes::ClaimWish, params(shapes::TicketParam),
    responses((status = 200, description = "Mine: the number of its event", body = shapes::Written)))]
pub async fn take_claim(
    doors: web::Data<Doors>,
    signed: Signed,
    path: TicketPath,
    body: Body,
) -> Result<HttpResponse, Refused> {
    let force = body.read(|f| Some(f.optional("force", fields::boolean).unwrap_or(false))).await?;
    let step = Step::TakeClaim { force };
    Ok(HttpResponse::Ok().json(carry_out(&doors, &signed, path, headers::fresh_key(), step).await?))
}

/// Releases the claim
///
/// With `force` also when it is somebody else's.
#[utoipa::path(delete, path = "/tickets/{id}/claim", operation_id = "release_claim", tag = "collaboration",
    params(shapes::TicketParam, shapes::ReleaseParams),
    responses((status = 200, description = "Free: the number of its event", body = shapes::Written)))]
pub async fn release_claim(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
) -> Result<HttpResponse, Refused> {
    let mut q = Query::new(request.query_string())?;
    let force = q.one("force", |text| text.parse::<bool>().map_err(|_| "must be true or false".to_owned()));
    let step = Step::ReleaseClaim { force: q.finish(force)?.unwrap_or(false) };
    Ok(HttpResponse::Ok().json(carry_out(&doors, &signed, path, headers::fresh_key(), step).await?))
}

/// Takes a held reply back
///
/// `key` is the `Idempotency-Key` (or the key) it was sent with. Its text is its author's draft again.
#[utoipa::path(delete, path = "/tickets/{id}/held/{key}", operation_id = "cancel_held", tag = "collaboration",
    params(shapes::TicketParam, shapes::HeldParam, shapes::OptionalKey),
    responses((status = 200, description = "Taken back: the number of its event", body = shapes::Written)))]
pub async fn cancel_held(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
) -> Result<HttpResponse, Refused> {
    let key = headers::optional_key(&request, &signed.sign_in)?.unwrap_or_else(headers::fresh_key);
    let held_key = CommandKey::from_text(signed.sign_in.workspace, signed.sign_in.user, request.match_info().query("key"));
    Ok(HttpResponse::Ok().json(carry_out(&doors, &signed, path, key, Step::CancelHeld { held_key }).await?))
}

async fn carry_out(
    doors: &Doors,
    signed: &Signed,
    path: TicketPath,
    key: CommandKey,
    step: Step,
) -> Result<serde_json::Value, Problem> {
    let by = signed.asker();
    let numbering = by.numbering();
    let intent = Intent { key, by, steps: vec![step] };
    intent.check_form()?;
    let receipt = doors.tickets.submit(path.key(signed.sign_in.workspace)?, intent).await?;
    Ok(json!({"seq": receipt.seq_for(numbering)}))
}
