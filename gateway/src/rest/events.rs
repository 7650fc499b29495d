//! The log of one ticket, in the asker's numbering.

use actix_web::{HttpRequest, HttpResponse, web};
use hub_core::ports::{EventRange, From};
use hub_core::rules::permissions::{Act, Side, may};
use hub_core::rules::record::Happened;
use hub_core::wire::{Event, EventRecord, Problem};
use serde_json::json;

use super::path::TicketPath;
use super::query::Query;
use super::shapes;
use crate::auth::Signed;
use crate::doors::Doors;
use crate::problem::Refused;

const MAX_LIMIT: u64 = 100;

/// Reads the log of a ticket
///
/// Oldest first. `after` gives the first events after a number, `before` alone the last ones before it. Customers get the
/// thread in its own numbering: nothing internal shows, not even as a gap.
#[utoipa::path(get, path = "/tickets/{id}/events", operation_id = "read_events", tag = "tickets", params(shapes::TicketParam, shapes::EventParams),
    responses((status = 200, description = "The events", body = shapes::Events)))]
pub async fn read(
    doors: web::Data<Doors>,
    signed: Signed,
    request: HttpRequest,
    path: TicketPath,
) -> Result<HttpResponse, Refused> {
    let asked = Asked::read(request.query_string())?;
    let by = &signed.sign_in;
    let key = path.key(by.workspace)?;
    let ticket = doors.journal.load(key).await?.ok_or_else(Problem::not_found)?;
    may(by.role, by.user, ticket.requester.id, Act::Read).check()?;
    let range = EventRange { numbering: signed.asker().numbering(), from: asked.from, limit: asked.limit };
    let happened = doors.journal.events(key, range).await?;
    let seen = happened.iter().filter_map(|happened| whole(happened, by.role.side()));
    let events: Vec<EventRecord> = seen.take_while(|event| asked.until.is_none_or(|until| event.seq < until)).collect();
    Ok(HttpResponse::Ok().json(json!({"events": events})))
}

/// What a query asks for.
pub(super) struct Asked {
    from: From,
    /// With both ends given, where to stop.
    until: Option<u64>,
    limit: u32,
}

impl Asked {
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let mut q = Query::new(text)?;
        let (after, before) = (q.seq("after"), q.seq("before"));
        let limit = q.integer("limit", 1, MAX_LIMIT).unwrap_or(MAX_LIMIT);
        let (from, until) = match (after, before) {
            (None, None) => (From::After(0), None),
            (None, Some(before)) => (From::Before(before), None),
            (Some(after), until) => (From::After(after), until),
        };
        q.finish(Self { from, until, limit: u32::try_from(limit).unwrap_or(u32::MAX) })
    }
}

/// The event as `side` sees it. The wire cuts long bodies; here they are whole.
fn whole(happened: &Happened, side: Side) -> Option<EventRecord> {
    let mut record = match side {
        Side::Staff => happened.for_agents(),
        Side::Customer => happened.for_customers()?,
        Side::Platform => return None,
    };
    if let (Event::ReplyPosted { body, truncated, .. }, Event::ReplyPosted { body: stored, .. }) =
        (&mut record.event, &happened.event)
    {
        body.clone_from(stored);
        *truncated = None;
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::time::UnixMs;
    use hub_core::wire::{Actor, ActorKind, Audience, MAX_BODY_BYTES};

    #[test]
    fn a_long_mail_is_whole_here() {
        let event = Event::ReplyPosted {
            body: "x".repeat(2 * MAX_BODY_BYTES),
            audience: Audience::Public,
            attachments: vec![],
            mentions: vec![],
            forced: None,
            missed: Some(true),
            truncated: None,
            draft_authors: vec![],
            held_key: None,
        };
        let by = Actor { kind: ActorKind::Customer, id: None, name: "Cleo".into() };
        let happened = Happened { seq: 9, thread_seq: Some(4), at: UnixMs(0), by, key: None, event };
        for (side, seq) in [(Side::Staff, 9), (Side::Customer, 4)] {
            let record = whole(&happened, side).expect("seen");
            let Event::ReplyPosted { body, truncated, missed, .. } = record.event else { panic!("still a reply") };
            assert_eq!((record.seq, body.len(), truncated), (seq, 2 * MAX_BODY_BYTES, None));
            assert_eq!(missed, (side == Side::Staff).then_some(true));
        }
        assert_eq!(whole(&happened, Side::Platform), None);
    }
}
