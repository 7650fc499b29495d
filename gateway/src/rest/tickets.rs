//! One ticket: open it, read it, change it.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::NewTicket;
use hub_core::ids::{TeamId, TicketKey, UserId};
use hub_core::ports::SignIn;
use hub_core::rules::intent::{Intent, Step};
use hub_core::rules::permissions::{Act, Side, may};
use hub_core::wire::client::{MAX_NOTE_BYTES, MAX_STATUS_BYTES, MAX_TITLE_BYTES};
use hub_core::wire::fields::{self, Fields};
use hub_core::wire::{FieldPatches, MAX_BODY_BYTES, Patch, Priority, Problem, Source, TicketView};

use super::body::Body;
use super::headers::{self, Position};
use super::path::TicketPath;
use super::shapes;
use crate::auth::{Carrier, Signed};
use crate::doors::Doors;
use crate::problem::Refused;

/// Opens a ticket
///
/// The id derives from workspace, user and `Idempotency-Key`: a repeat with the same content finds the same ticket.
#[utoipa::path(post, path = "/tickets", operation_id = "create_ticket", tag = "tickets", request_body = shapes::NewTicket, params(shapes::RequiredKey),
    responses((status = 201, description = "The ticket, with its address in Location", body = shapes::Ticket)))]
pub async fn create(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Refused> {
    let by = &signed.sign_in;
    let key = headers::required_key(&request, by)?;
    let source = match signed.carrier {
        Carrier::Cookie => Source::Web,
        Carrier::Bearer => Source::Api,
    };
    let new = body.read(|f| read_new(f, source, by.role.side())).await?;
    let (ticket, _) = doors.tickets.create(by.workspace, signed.asker(), key, new).await?;
    let view = visible(&doors, by, TicketKey { workspace: by.workspace, ticket }).await?;
    let location = format!("{}/tickets/{ticket}", super::routes::BASE);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).insert_header(headers::etag(view.seq())).json(view))
}

/// Reads a ticket
///
/// `ETag` is its `seq`: what `based_on` and `If-Match` ask for. Customers always get the whole ticket: their numbering does not
/// count changes of fields.
#[utoipa::path(get, path = "/tickets/{id}", operation_id = "read_ticket", tag = "tickets", params(shapes::TicketParam),
    responses((status = 200, description = "The ticket, in the view of who asks", body = shapes::Ticket), (status = 304, description = "Unchanged since If-None-Match; staff only")))]
pub async fn read(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
) -> Result<HttpResponse, Refused> {
    let view = visible(&doors, &signed.sign_in, path.key(signed.sign_in.workspace)?).await?;
    // The thread's number stays while a title changes: for customers it is no version of what they see.
    let seq_is_version = match signed.sign_in.role.side() {
        Side::Staff => true,
        Side::Customer | Side::Platform => false,
    };
    if seq_is_version && headers::is_known(&request, view.seq()) {
        return Ok(HttpResponse::NotModified().insert_header(headers::etag(view.seq())).finish());
    }
    Ok(HttpResponse::Ok().insert_header(headers::etag(view.seq())).json(view))
}

/// Changes a ticket
///
/// All of it happens, or nothing. `based_on` (or `If-Match`) is the last `seq` you saw: required with `status` (unless
/// `force`) and with fields.
#[utoipa::path(patch, path = "/tickets/{id}", operation_id = "change_ticket", tag = "tickets", request_body = shapes::TicketPatch,
    params(shapes::TicketParam, shapes::OptionalKey, shapes::IfMatch),
    responses((status = 200, description = "The ticket after the change", body = shapes::Ticket)))]
pub async fn change(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
    body: Body,
) -> Result<HttpResponse, Refused> {
    let by = &signed.sign_in;
    let key = headers::optional_key(&request, by)?.unwrap_or_else(headers::fresh_key);
    let change = body.read(Change::read).await?;
    let position = Position::of(&request, change.based_on)?;
    let intent = Intent { key, by: signed.asker(), steps: change.into_steps(position.based_on)? };
    intent.check_form()?;
    let ticket = path.key(by.workspace)?;
    let refused = |problem: Problem| Refused::from(problem).under_if_match(position.from_header);
    doors.tickets.submit(ticket, intent).await.map_err(refused)?;
    let view = visible(&doors, by, ticket).await?;
    Ok(HttpResponse::Ok().insert_header(headers::etag(view.seq())).json(view))
}

/// The ticket in the view of who asks.
///
/// # Errors
/// `not_found` for what is missing, and for what this person may not see.
async fn visible(doors: &Doors, by: &SignIn, key: TicketKey) -> Result<TicketView, Refused> {
    let ticket = doors.journal.load(key).await?.ok_or_else(Problem::not_found)?;
    may(by.role, by.user, ticket.requester.id, Act::Read).check()?;
    let facts = doors.tickets.facts(by.workspace).await?;
    Ok(ticket.view(by.role.side(), key.ticket, &facts).ok_or_else(Problem::not_found)?)
}

pub(super) fn read_new(f: &mut Fields<'_>, source: Source, side: Side) -> Option<NewTicket> {
    let title = f.required("title", fields::filled_text(MAX_TITLE_BYTES));
    let description = f.required("description", fields::filled_text(MAX_BODY_BYTES));
    // How much a ticket matters is the staff's to say: for customers the field does not exist.
    let priority = match side {
        Side::Staff => f.optional("priority", fields::parsed("p1, p2, p3 or p4")),
        Side::Customer | Side::Platform => None,
    };
    Some(NewTicket { title: title?, description: description?, source, priority: priority.unwrap_or(Priority::P3) })
}

/// What a PATCH asks for.
pub(super) struct Change {
    status: Option<String>,
    note: Option<String>,
    assignee_id: Patch<UserId>,
    team_id: Patch<TeamId>,
    patches: FieldPatches,
    based_on: Option<u64>,
    force: bool,
}

impl Change {
    pub(super) fn read(f: &mut Fields<'_>) -> Option<Self> {
        let change = Self {
            status: f.optional("status", fields::filled_text(MAX_STATUS_BYTES)),
            note: f.optional("note", fields::filled_text(MAX_NOTE_BYTES)),
            assignee_id: f.patch("assignee_id", fields::id),
            team_id: f.patch("team_id", fields::id),
            patches: FieldPatches::read(f),
            based_on: f.optional("based_on", fields::integer(0)),
            force: f.optional("force", fields::boolean).unwrap_or(false),
        };
        if change.note.is_some() && change.status.is_none() {
            f.complain("note", "goes with status");
        }
        Some(change)
    }

    /// One step per kind of change, in an order that judges them all against the same ticket.
    fn into_steps(self, based_on: Option<u64>) -> Result<Vec<Step>, Problem> {
        let Self { status, note, assignee_id, team_id, patches, based_on: _, force } = self;
        let mut steps = Vec::new();
        if !(assignee_id.is_keep() && team_id.is_keep()) {
            steps.push(Step::Assign { assignee_id, team_id });
        }
        if !patches.is_empty() {
            let based_on = based_on.ok_or_else(|| Problem::invalid_field("based_on", "is required: the last seq you saw"))?;
            steps.push(Step::UpdateFields { based_on, patches });
        }
        if let Some(status) = status {
            steps.push(Step::ChangeStatus { status, based_on, note, force });
        }
        if steps.is_empty() {
            return Err(Problem::invalid_field("status", "or another field to change is missing"));
        }
        Ok(steps)
    }
}
