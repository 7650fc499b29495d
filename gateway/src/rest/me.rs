//! Who am I, and what has my workspace decided?

use actix_web::{HttpResponse, web};
use hub_core::rules::permissions::Side;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::wire::WorkspaceInfo;
use serde_json::{Value, json};

use super::sessions::me_of;
use super::shapes;
use crate::auth::Signed;
use crate::doors::Doors;
use crate::problem::Refused;

/// Who am I
#[utoipa::path(get, path = "/me", operation_id = "who_am_i", tag = "sessions", responses((status = 200, description = "The signed-in person", body = shapes::WhoAmI)))]
pub async fn me(doors: web::Data<Doors>, signed: Signed) -> Result<HttpResponse, Refused> {
    let facts = doors.tickets.facts(signed.sign_in.workspace).await?;
    let role = signed.sign_in.role;
    Ok(HttpResponse::Ok().json(json!({"user": me_of(&signed.sign_in), "workspace": info_of(&facts), "role": role})))
}

/// What the workspace has decided
///
/// Staff also get its people, teams and categories.
#[utoipa::path(get, path = "/workspace", operation_id = "read_workspace", tag = "workspace",
    responses((status = 200, description = "The workspace; the lists are for staff only", body = shapes::Workspace)))]
pub async fn workspace(doors: web::Data<Doors>, signed: Signed) -> Result<HttpResponse, Refused> {
    let facts = doors.tickets.facts(signed.sign_in.workspace).await?;
    let told = match signed.sign_in.role.side() {
        Side::Staff => json!({
            "workspace": info_of(&facts),
            "people": facts.staff,
            "teams": named(&facts.teams),
            "categories": named(&facts.categories),
            "workflow": facts.workflow,
        }),
        Side::Customer | Side::Platform => json!({"workspace": info_of(&facts)}),
    };
    Ok(HttpResponse::Ok().json(told))
}

/// A workspace, as told to everybody in it.
pub fn info_of(facts: &WorkspaceFacts) -> WorkspaceInfo {
    WorkspaceInfo { id: facts.id, slug: facts.slug.clone(), name: facts.name.clone(), workflow: facts.workflow.clone() }
}

fn named<Id: serde::Serialize>(list: &[(Id, String)]) -> Vec<Value> {
    list.iter().map(|(id, name)| json!({"id": id, "name": name})).collect()
}
