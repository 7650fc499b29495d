//! The shapes of REST bodies, for the OpenAPI document only: what travels is written by the wire types themselves, and a
//! test holds the two together.
#![expect(missing_docs, reason = "every doc comment here is text of the OpenAPI document; the rest is said by the names")]

use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(ToSchema)]
pub struct SignIn {
    /// The workspace's short name.
    #[schema(example = "acme")]
    pub workspace: String,
    #[schema(example = "ana@acme.test")]
    pub email: String,
    #[schema(example = "demo", max_length = 1024)]
    pub password: String,
    #[schema(inline, required = false)]
    pub grant: Grant,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case", default = "cookie")]
pub enum Grant {
    Cookie,
    Token,
}

#[derive(ToSchema)]
pub struct SignedIn {
    /// With `grant: "token"` only.
    pub token: Option<String>,
    #[schema(format = DateTime)]
    pub expires_at: String,
    pub user: User,
}

#[derive(ToSchema)]
pub struct User {
    pub id: Uuid,
    pub name: String,
    pub email: String,
    pub role: Role,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Role {
    PlatformAdmin,
    Owner,
    Admin,
    Manager,
    Agent,
    Viewer,
    Customer,
}

#[derive(ToSchema)]
pub struct WhoAmI {
    pub user: User,
    pub workspace: WorkspaceInfo,
    pub role: Role,
}

#[derive(ToSchema)]
pub struct WorkspaceInfo {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub workflow: Workflow,
}

#[derive(ToSchema)]
pub struct Workflow {
    pub name: String,
    /// The first is where tickets begin.
    pub statuses: Vec<Status>,
    /// Where a customer's reply brings a ticket that was pending, resolved or closed.
    pub reopens_to: String,
}

#[derive(ToSchema)]
pub struct Status {
    pub id: String,
    pub label: String,
    /// `new`, `active`, `pending`, `scheduled`, `resolved` or `closed`.
    pub kind: String,
    pub pauses_sla: bool,
    /// Where a ticket may go from here.
    pub moves: Vec<String>,
}

#[derive(ToSchema)]
pub struct Workspace {
    pub workspace: WorkspaceInfo,
    /// For staff only.
    pub people: Option<Vec<StaffMember>>,
    /// For staff only.
    pub teams: Option<Vec<Named>>,
    /// For staff only.
    pub categories: Option<Vec<Named>>,
    /// For staff only; the same as in `workspace`.
    pub workflow: Option<Workflow>,
}

#[derive(ToSchema)]
pub struct StaffMember {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
}

#[derive(ToSchema)]
pub struct Named {
    pub id: Uuid,
    pub name: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Priority {
    P1,
    P2,
    P3,
    P4,
}

/// A ticket in the view of who asks.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Ticket {
    Agent(Box<AgentTicket>),
    Customer(Box<CustomerTicket>),
}

/// A ticket as the staff sees it; `seq` counts all events.
#[derive(ToSchema)]
pub struct AgentTicket {
    pub id: Uuid,
    #[schema(example = "TKT-1234")]
    pub number: String,
    pub title: String,
    /// Markdown.
    pub description: String,
    pub status: String,
    pub priority: Priority,
    pub urgency: String,
    #[schema(required)]
    pub category_id: Option<Uuid>,
    pub tags: Vec<String>,
    #[schema(value_type = Object)]
    pub custom: Value,
    pub requester: Named,
    #[schema(required)]
    pub assignee_id: Option<Uuid>,
    #[schema(required)]
    pub team_id: Option<Uuid>,
    pub source: String,
    #[schema(required, format = DateTime)]
    pub due_at: Option<String>,
    #[schema(required, format = DateTime)]
    pub scheduled_at: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// Those who follow it.
    pub watcher_ids: Option<Vec<Uuid>>,
    /// What was handed over and is not acknowledged: `{from, to_id, to_team_id, note, draft?, at}`.
    #[schema(value_type = Option<Object>)]
    pub handoff: Option<Value>,
    /// Replies that are held back: `{key, by, body, audience, release_at, …}`; left out in lists.
    #[schema(value_type = Option<Vec<Object>>)]
    pub held: Option<Vec<Value>>,
    pub seq: u64,
}

/// A ticket as its customer sees it; `seq` counts the events of the thread.
#[derive(ToSchema)]
pub struct CustomerTicket {
    pub id: Uuid,
    #[schema(example = "TKT-1234")]
    pub number: String,
    pub title: String,
    /// Markdown.
    pub description: String,
    pub status: String,
    pub requester: Named,
    pub source: String,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub updated_at: String,
    pub seq: u64,
}

#[derive(ToSchema)]
pub struct NewTicket {
    #[schema(max_length = 500)]
    pub title: String,
    /// Markdown, at most 32 KiB.
    pub description: String,
    /// For staff only; `p3` when left out.
    pub priority: Option<Priority>,
}

/// What is left out stays; null clears.
#[derive(ToSchema)]
pub struct TicketPatch {
    pub status: Option<String>,
    /// A reason for colleagues; goes with `status`.
    pub note: Option<String>,
    pub assignee_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub title: Option<String>,
    pub priority: Option<Priority>,
    /// `low`, `normal` or `high`.
    pub urgency: Option<String>,
    pub category_id: Option<Uuid>,
    /// All custom fields together.
    #[schema(value_type = Option<Object>)]
    pub custom: Option<Value>,
    #[schema(format = DateTime)]
    pub due_at: Option<String>,
    #[schema(format = DateTime)]
    pub scheduled_at: Option<String>,
    /// The last `seq` you saw; may come as `If-Match` instead.
    pub based_on: Option<u64>,
    /// Change the status although something came in between; is recorded.
    pub force: Option<bool>,
}

#[derive(ToSchema)]
pub struct NewComment {
    /// Markdown, at most 32 KiB.
    pub body: String,
    pub audience: Audience,
    /// The last `seq` you saw; may come as `If-Match` instead.
    pub based_on: Option<u64>,
    /// Send although something came in between; is recorded.
    pub force: Option<bool>,
    /// Change the status in the same step.
    pub then_status: Option<String>,
    /// Colleagues it calls for, at most 20. Staff only.
    pub mention_ids: Option<Vec<Uuid>>,
    /// Keep it back for so long, at most 30,000 milliseconds, to be taken back; judged again then. Staff only.
    pub hold_ms: Option<u64>,
}

#[derive(ToSchema)]
pub struct Drafts {
    pub drafts: Vec<Draft>,
}

/// What I write and have not sent yet, as it is stored.
#[derive(ToSchema)]
pub struct Draft {
    pub audience: Audience,
    /// Counts every change, for ever.
    pub revision: u64,
    /// Markdown.
    pub body: String,
    /// The last `seq` its author had seen.
    pub based_on: u64,
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// Who began it first, then who went on.
    pub authors: Vec<Named>,
}

#[derive(ToSchema)]
pub struct NewDraft {
    /// Markdown, at most 32 KiB; may be empty.
    pub body: String,
    /// The last `seq` you saw.
    pub based_on: u64,
    /// The last revision you saw; 0, or nothing, for none. May come as `If-Match` instead.
    pub revision: Option<u64>,
}

#[derive(ToSchema)]
pub struct Notifications {
    /// Oldest first, without a gap: events of the type `notified`.
    pub notifications: Vec<EventRecord>,
    /// How far their tickets are read; one that is not named is unread from its beginning.
    pub read: Vec<ReadCursor>,
    /// `before` of the page with the older ones; null on the last.
    #[schema(required)]
    pub next_before: Option<u64>,
}

#[derive(ToSchema)]
pub struct ReadCursor {
    pub ticket_id: Uuid,
    /// The last event read, in your numbering.
    pub seq: u64,
}

#[derive(ToSchema)]
pub struct NewReadCursor {
    /// The last event read, in your numbering; a lower one than before changes nothing, unless `back`.
    pub seq: u64,
    /// Mark what comes after as unread again.
    pub back: Option<bool>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Audience {
    Public,
    Internal,
}

#[derive(ToSchema)]
pub struct Written {
    /// The number of the event, in your numbering.
    pub seq: u64,
    /// Something public by someone else came after your position.
    pub missed: Option<bool>,
}

#[derive(ToSchema)]
pub struct Counters {
    /// Tickets that are neither resolved nor closed.
    pub open: u64,
    /// Those of them that nobody works on.
    pub unassigned: u64,
    /// Those of them that are mine.
    pub mine: u64,
}

#[derive(ToSchema)]
pub struct TicketPage {
    /// Descriptions are cut to 280 characters.
    pub tickets: Vec<Ticket>,
    /// For the next page; null on the last.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

#[derive(ToSchema)]
pub struct Events {
    pub events: Vec<EventRecord>,
}

#[derive(ToSchema)]
pub struct EventRecord {
    /// 1, 2, 3… without a gap, in your numbering.
    pub seq: u64,
    #[schema(format = DateTime)]
    pub at: String,
    pub by: Actor,
    /// The intent that caused it.
    pub key: Option<Uuid>,
    /// `{type, …}`: the event types of the protocol reference.
    #[schema(value_type = Object)]
    pub event: Value,
}

#[derive(ToSchema)]
pub struct Actor {
    /// `agent`, `customer`, `system` or `api_key`.
    pub kind: String,
    pub id: Option<Uuid>,
    pub name: String,
}

/// A refusal (RFC 9457).
#[derive(ToSchema)]
pub struct Problem {
    pub r#type: String,
    pub title: String,
    pub status: u16,
    pub code: Code,
    /// One sentence for people.
    pub detail: String,
    pub retry_after_ms: Option<u64>,
    /// What finds this request in the hub's log; also in `X-Request-Id`.
    pub request_id: Option<String>,
    /// With `invalid`: field → what is wrong with it.
    #[schema(value_type = Option<Object>)]
    pub fields: Option<Value>,
    /// With `stale`: what came in between.
    pub events: Option<Vec<EventRecord>>,
    /// With `stale`, in place of `events`: too much came in between to tell here.
    pub reset: Option<bool>,
    /// With `stale` of a draft: the present one; null where there is none.
    pub draft: Option<Draft>,
    /// With `stale` of fields: which of them changed.
    pub changed: Option<Vec<String>>,
    /// With `illegal_transition`: the status the ticket has.
    pub from: Option<String>,
    /// With `illegal_transition`: the status that was asked for.
    pub to: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Code {
    BadFrame,
    UnknownType,
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Stale,
    Claimed,
    IllegalTransition,
    LimitReached,
    RateLimited,
    TooLarge,
    Busy,
    Unavailable,
    UnsupportedVersion,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TicketParam {
    pub id: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DraftParams {
    pub id: Uuid,
    /// `public` for a reply, `internal` for a note.
    #[param(inline)]
    pub audience: Audience,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatchRevision {
    /// The ETag you saw last, in place of `revision`; `stale` is then 412.
    #[param(rename = "If-Match")]
    pub if_match: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Any of these statuses; may stand several times, or separated by commas.
    pub status: Option<String>,
    /// A UUID, `none` or `me`. Not for customers.
    pub assignee_id: Option<String>,
    #[param(format = DateTime)]
    pub created_from: Option<String>,
    #[param(format = DateTime)]
    pub created_until: Option<String>,
    #[param(format = DateTime)]
    pub updated_from: Option<String>,
    #[param(format = DateTime)]
    pub updated_until: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventParams {
    /// The first events after this number.
    pub after: Option<u64>,
    /// The last events before this number; with `after`, where to stop.
    pub before: Option<u64>,
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationParams {
    /// The last ones before this number; the newest without it.
    pub before: Option<u64>,
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

#[derive(ToSchema)]
pub struct NewHandoff {
    /// The colleague; exactly one of the two.
    pub to_id: Option<Uuid>,
    /// The team.
    pub to_team_id: Option<Uuid>,
    /// What the next one has to know, at most 4 KiB.
    pub note: String,
    /// Give my draft of a public reply along.
    pub with_draft: Option<bool>,
}

#[derive(ToSchema)]
pub struct TagChange {
    /// These are to be there; lower case, at most 50 bytes each.
    pub add: Option<Vec<String>>,
    /// These are not.
    pub remove: Option<Vec<String>>,
}

#[derive(ToSchema)]
pub struct Watching {
    pub on: bool,
}

#[derive(ToSchema)]
pub struct ClaimWish {
    /// Also when somebody else has it.
    pub force: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReleaseParams {
    /// Also when it is somebody else's.
    pub force: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct HeldParam {
    /// The key of the reply that is held.
    pub key: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct RequiredKey {
    /// Any text of your own, new for each intent: a repeat has no second effect.
    #[param(rename = "Idempotency-Key", max_length = 255)]
    pub idempotency_key: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct OptionalKey {
    /// Any text of your own, new for each intent: a repeat has no second effect.
    #[param(rename = "Idempotency-Key", max_length = 255)]
    pub idempotency_key: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatch {
    /// The ETag you saw last, in place of `based_on`; `stale` is then 412.
    #[param(rename = "If-Match")]
    pub if_match: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::openapi;
    use hub_core::ids::{TicketId, UserId, WorkspaceId};
    use hub_core::rules::intent::{Asker, Circumstances, Intent, Step};
    use hub_core::rules::permissions::Role;
    use hub_core::rules::ticket::TicketState;
    use hub_core::rules::workflow::Workflow;
    use hub_core::rules::workspace::{StaffMember, WorkspaceFacts};
    use hub_core::time::UnixMs;
    use hub_core::wire::{ErrorCode, Event, Priority, Source};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use uuid::Uuid;

    fn keys(value: &Value) -> BTreeSet<&str> {
        value.as_object().expect("a map").keys().map(String::as_str).collect()
    }

    /// Every key of what travels is described, and every required one travels.
    fn agrees(shape: &str, travels: &Value) {
        let document: Value = serde_json::from_str(openapi::text()).expect("JSON");
        let schema = &document["components"]["schemas"][shape];
        let required: BTreeSet<&str> =
            schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let (described, sent) = (keys(&schema["properties"]), keys(travels));
        assert!(sent.is_subset(&described), "{shape}: {sent:?} are sent, {described:?} are described");
        assert!(required.is_subset(&sent), "{shape}: {required:?} are required, {sent:?} are sent");
    }

    fn to_value(value: impl serde::Serialize) -> Value {
        serde_json::to_value(value).expect("text keys only")
    }

    #[test]
    fn the_described_shapes_are_the_ones_that_travel() {
        let user = UserId::new(Uuid::from_u128(1));
        let facts = WorkspaceFacts {
            id: WorkspaceId::new(Uuid::from_u128(2)),
            slug: "acme".into(),
            name: "Acme".into(),
            number_prefix: "TKT".into(),
            workflow: Workflow::simple(),
            staff: vec![StaffMember { id: user, name: "Ana".into(), role: Role::Agent }],
            teams: vec![],
            categories: vec![],
        };
        let by = Asker { user, name: "Ana".into(), role: Role::Agent };
        let create =
            Step::Create { title: "t".into(), description: "d".into(), source: Source::Web, priority: Priority::P1, number: 7 };
        let intent = Intent { key: super::super::headers::fresh_key(), by, steps: vec![create] };
        let decided = intent.decide(None, Circumstances::plain(&facts, UnixMs(0))).expect("an agent may create");
        let happened = intent.record(None, decided, UnixMs(0));
        let ticket = TicketState::replay(None, happened.iter().map(|h| (h, [0; 32]))).expect("a ticket");
        let id = TicketId::new(Uuid::from_u128(3));

        agrees("AgentTicket", &to_value(ticket.for_agents(id, &facts)));
        agrees("CustomerTicket", &to_value(ticket.for_customers(id, &facts)));
        agrees("EventRecord", &to_value(happened[0].for_agents()));
        agrees("Actor", &to_value(&happened[0].by));
        agrees("WorkspaceInfo", &to_value(super::super::me::info_of(&facts)));
        agrees("Workflow", &to_value(&facts.workflow));
        agrees("Status", &to_value(&facts.workflow.statuses[0]));
        agrees("StaffMember", &to_value(&facts.staff[0]));
        agrees("ReadCursor", &to_value(hub_core::wire::ReadCursor { ticket_id: id, seq: 1 }));
        let key = hub_core::rules::drafts::DraftKey { user, audience: hub_core::wire::Audience::Public };
        let kept = hub_core::rules::drafts::Kept::none(key).save(0, "b", 1, &ticket.requester, UnixMs(0));
        agrees("Draft", &to_value(kept.expect("the first").expect("a text").into_wire()));
        agrees("Named", &to_value(&ticket.requester));
        assert!(matches!(happened[0].event, Event::TicketCreated { .. }));
    }

    #[test]
    fn the_described_codes_and_roles_are_all_of_them() {
        let document: Value = serde_json::from_str(openapi::text()).expect("JSON");
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Code"]["enum"], json!(ErrorCode::ALL));
        assert_eq!(schemas["Role"]["enum"], json!(Role::ALL));
    }
}
