//! Replies and internal notes.

use actix_web::{HttpRequest, HttpResponse, web};
use hub_core::rules::intent::{Intent, Step};
use hub_core::wire::Problem;
use hub_core::wire::client::ReplyFields;
use serde_json::json;

use super::body::Body;
use super::headers::{self, Position};
use super::path::TicketPath;
use super::shapes;
use crate::auth::Signed;
use crate::doors::Doors;
use crate::problem::Refused;

/// Writes a reply or an internal note
///
/// A public reply of the staff needs `based_on` (or `If-Match`), the last `seq` seen, or `force`. When something public came
/// in between it is refused `stale`, with the events that were missed. Notes and customers are never refused: `missed` tells.
#[utoipa::path(post, path = "/tickets/{id}/comments", operation_id = "post_comment", tag = "tickets", request_body = shapes::NewComment,
    params(shapes::TicketParam, shapes::RequiredKey, shapes::IfMatch),
    responses((status = 201, description = "Written: the number of its event", body = shapes::Written)))]
pub async fn post(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
    body: Body,
) -> Result<HttpResponse, Refused> {
    let key = headers::required_key(&request, &signed.sign_in)?;
    let reply = body.read(ReplyFields::read).await?;
    let position = Position::of(&request, reply.based_on)?;
    let by = signed.asker();
    let numbering = by.numbering();
    let intent = Intent { key, by, steps: Step::of_reply(ReplyFields { based_on: position.based_on, ..reply }) };
    intent.check_form()?;
    let ticket = path.key(signed.sign_in.workspace)?;
    let refused = |problem: Problem| Refused::from(problem).under_if_match(position.from_header);
    let receipt = doors.tickets.submit(ticket, intent).await.map_err(refused)?;
    let mut written = json!({"seq": receipt.seq_for(numbering)});
    if receipt.missed {
        written["missed"] = true.into();
    }
    Ok(HttpResponse::Created().json(written))
}
