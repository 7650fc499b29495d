//! Lists of tickets: which ones, page by page, and how many.

use actix_web::{HttpRequest, HttpResponse, web};
use hub_core::ports::{AssigneeFilter, SignIn, TicketQuery};
use hub_core::rules::counters::Counters;
use hub_core::rules::intent::Asker;
use hub_core::rules::permissions::{Act, Side, may};
use hub_core::wire::Problem;
use hub_core::wire::client::MAX_STATUS_BYTES;
use serde_json::json;
use uuid::Uuid;

use super::query::Query;
use super::{cursor, shapes};
use crate::auth::Signed;
use crate::doors::Doors;
use crate::problem::Refused;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u64 = 100;
const MAX_STATUSES: usize = 32;

/// Lists tickets
///
/// Newest change first; descriptions are cut to 280 characters. Staff see all tickets of the workspace, customers their own.
#[utoipa::path(get, path = "/tickets", operation_id = "list_tickets", tag = "tickets", params(shapes::ListParams),
    responses((status = 200, description = "One page", body = shapes::TicketPage)))]
pub async fn list(doors: web::Data<Doors>, signed: Signed, request: HttpRequest) -> Result<HttpResponse, Refused> {
    let SignIn { workspace, user, role, .. } = signed.sign_in;
    let query = read(request.query_string(), &signed.sign_in)?;
    may(role, user, user, Act::Read).check()?;
    let facts = doors.tickets.facts(workspace).await?;
    let page = doors.lists.list(workspace, query).await?;
    let rows = page.tickets.into_iter().filter_map(|(id, mut ticket)| {
        ticket.cut_for_lists();
        ticket.view(role.side(), id, &facts)
    });
    let next_cursor = page.next.map(cursor::write);
    Ok(HttpResponse::Ok().json(json!({"tickets": rows.collect::<Vec<_>>(), "next_cursor": next_cursor})))
}

/// Counts tickets
///
/// What the lists of the console begin with; live as the signal `counters` of the topic `workspace`. Staff only.
#[utoipa::path(get, path = "/tickets/counters", operation_id = "count_tickets", tag = "tickets",
    responses((status = 200, description = "As the asker sees them", body = shapes::Counters)))]
pub async fn counters(doors: web::Data<Doors>, signed: Signed) -> Result<HttpResponse, Refused> {
    let SignIn { workspace, user, name, role, .. } = signed.sign_in;
    let Counters { open, unassigned, mine } = doors.tickets.counters(workspace, Asker { user, name, role }).await?;
    Ok(HttpResponse::Ok().json(json!({"open": open, "unassigned": unassigned, "mine": mine})))
}

pub(super) fn read(text: &str, by: &SignIn) -> Result<TicketQuery, Problem> {
    let mut q = Query::new(text)?;
    let side = by.role.side();
    let query = TicketQuery {
        side,
        user: by.user,
        status: statuses(&mut q),
        assignee: assignee(&mut q, by, side),
        created_from: q.instant("created_from"),
        created_until: q.instant("created_until"),
        updated_from: q.instant("updated_from"),
        updated_until: q.instant("updated_until"),
        cursor: q.one("cursor", cursor::read),
        limit: q.integer("limit", 1, MAX_LIMIT).and_then(|n| u32::try_from(n).ok()).unwrap_or(DEFAULT_LIMIT),
    };
    q.finish(query)
}

/// `status=open&status=closed` and `status=open,closed` are the same.
fn statuses(q: &mut Query) -> Vec<String> {
    let mut statuses: Vec<String> = q.all("status").iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
    statuses.sort();
    statuses.dedup();
    let is_wrong = |status: &String| status.is_empty() || status.len() > MAX_STATUS_BYTES || status.contains('\0');
    if statuses.len() > MAX_STATUSES || statuses.iter().any(is_wrong) {
        q.complain("status", format!("must be at most {MAX_STATUSES} names of statuses"));
    }
    statuses
}

fn assignee(q: &mut Query, by: &SignIn, side: Side) -> AssigneeFilter {
    let filter = q.one("assignee_id", |text| match text {
        "none" => Ok(AssigneeFilter::Unassigned),
        "me" => Ok(AssigneeFilter::User(by.user)),
        id => Uuid::try_parse(id)
            .map(|id| AssigneeFilter::User(hub_core::ids::UserId::new(id)))
            .map_err(|_| "must be a UUID, none or me".into()),
    });
    // Who works on a ticket is not told to customers, and so neither by leaving rows out.
    if filter.is_some() && side == Side::Customer {
        q.complain("assignee_id", "is not a parameter of this request");
    }
    filter.unwrap_or(AssigneeFilter::Any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::ids::{SessionId, UserId, WorkspaceId};
    use hub_core::rules::permissions::Role;
    use hub_core::time::UnixMs;

    fn by(role: Role) -> SignIn {
        SignIn {
            session: SessionId::new(Uuid::from_u128(1)),
            workspace: WorkspaceId::new(Uuid::from_u128(2)),
            user: UserId::new(Uuid::from_u128(3)),
            name: "Ana".into(),
            email: "ana@acme.test".into(),
            role,
            expires_at: UnixMs(0),
        }
    }

    #[test]
    fn filters_are_read() {
        let query =
            read("status=open,closed&status=open&assignee_id=me&created_from=2026-01-02T00:00:00Z&limit=7", &by(Role::Agent));
        let query = query.expect("well-formed");
        assert_eq!(query.status, ["closed", "open"]);
        assert_eq!(query.assignee, AssigneeFilter::User(UserId::new(Uuid::from_u128(3))));
        assert_eq!(query.created_from, Some(UnixMs(1_767_312_000_000)));
        assert_eq!((query.limit, query.cursor, query.side), (7, None, Side::Staff));
        let all = read("", &by(Role::Agent)).expect("no filter");
        assert_eq!((all.limit, all.assignee), (DEFAULT_LIMIT, AssigneeFilter::Any));
        assert_eq!(read("assignee_id=none", &by(Role::Agent)).map(|q| q.assignee), Ok(AssigneeFilter::Unassigned));
    }

    #[test]
    fn what_this_hub_cannot_filter_by_is_refused_and_so_is_what_makes_no_sense() {
        for text in [
            "limit=0",
            "limit=101",
            "limit=+5",
            "cursor=x",
            "status=",
            "status=a%00b",
            "assignee_id=bo",
            "q=printer",
            "sort=title",
            "limit=1&limit=2",
        ] {
            assert!(read(text, &by(Role::Agent)).is_err(), "{text}");
        }
        assert!(read("assignee_id=none", &by(Role::Customer)).is_err());
    }
}
