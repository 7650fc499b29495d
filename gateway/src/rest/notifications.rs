//! What concerns the person who asks, and how far that person has read. The same, live, is the topic `me`.

use actix_web::{HttpRequest, HttpResponse, web};
use hub_core::ports::Mark;
use hub_core::wire::fields;
use serde_json::json;

use super::body::Body;
use super::path::TicketPath;
use super::query::Query;
use super::shapes;
use crate::auth::Signed;
use crate::doors::Doors;
use crate::problem::Refused;

const MAX_LIMIT: u64 = 100;

/// Reads my notifications
///
/// The newest, or the last ones before a number; oldest first. New ones come live on the topic `me`.
#[utoipa::path(get, path = "/me/notifications", operation_id = "read_notifications", tag = "notifications", params(shapes::NotificationParams),
    responses((status = 200, description = "The notifications", body = shapes::Notifications)))]
pub async fn read(doors: web::Data<Doors>, signed: Signed, request: HttpRequest) -> Result<HttpResponse, Refused> {
    let mut q = Query::new(request.query_string())?;
    let (before, limit) = (q.seq("before"), q.integer("limit", 1, MAX_LIMIT).unwrap_or(MAX_LIMIT));
    let (before, limit) = q.finish((before, u32::try_from(limit).unwrap_or(u32::MAX)))?;
    let workspace = signed.sign_in.workspace;
    let (records, read) = doors.tickets.notifications(workspace, &signed.asker(), before, limit).await?;
    // Numbers have no gap: before the first one there is nothing.
    let next_before = records.first().map(|oldest| oldest.seq).filter(|seq| *seq > 1);
    Ok(HttpResponse::Ok().json(json!({"notifications": records, "read": read, "next_before": next_before})))
}

/// Says how far I have read a ticket
///
/// In my numbering. The cursor never goes back, unless `back` says so; the answer says where it stands.
#[utoipa::path(put, path = "/tickets/{id}/read", operation_id = "mark_read", tag = "notifications", params(shapes::TicketParam),
    request_body = shapes::NewReadCursor, responses((status = 200, description = "Where the cursor stands", body = shapes::ReadCursor)))]
pub async fn mark_read(doors: web::Data<Doors>, signed: Signed, path: TicketPath, body: Body) -> Result<HttpResponse, Refused> {
    let mark = body
        .read(|f| {
            let back = f.optional("back", fields::boolean).unwrap_or(false);
            f.required("seq", fields::integer(0)).map(|seq| if back { Mark::BackTo(seq) } else { Mark::UpTo(seq) })
        })
        .await?;
    let key = path.key(signed.sign_in.workspace)?;
    let seq = doors.tickets.mark_read(key.workspace, &signed.asker(), key.ticket, mark).await?;
    Ok(HttpResponse::Ok().json(json!({"ticket_id": key.ticket, "seq": seq})))
}
