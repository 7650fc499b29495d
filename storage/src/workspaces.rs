//! Workspaces over Postgres: their facts and their numbers.

use std::sync::Arc;

use futures_util::future::try_join4;
use hub_core::ids::{CategoryId, TeamId, UserId, WorkspaceId};
use hub_core::ports::{Answer, StoreError, Workspaces};
use hub_core::rules::permissions::{Role, Side};
use hub_core::rules::workflow::Workflow;
use hub_core::rules::workspace::{StaffMember, WorkspaceFacts};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::reads::Lease;
use crate::rows::{counter, get, role, unreadable};
use crate::sql;
use crate::store::Store;

impl Workspaces for Store {
    fn facts(&self, workspace: WorkspaceId) -> Answer<Option<Arc<WorkspaceFacts>>> {
        self.reads().read(move |db| async move { facts(&db, workspace).await.map(|facts| facts.map(Arc::new)) })
    }

    fn lease_numbers(&self, workspace: WorkspaceId, count: u32) -> Answer<u64> {
        // tried again after a break: a block that nobody uses is a gap, and gaps are allowed
        self.reads().read(move |db| async move {
            let (id, count) = (workspace.uuid(), i64::from(count));
            let rows = db.rows(workspace, sql::WORKSPACE_LEASE_NUMBERS, &[&id, &count]).await?;
            let row = rows.first().ok_or_else(|| unreadable(format!("there is no workspace {workspace}")))?;
            counter(row, "first")
        })
    }
}

async fn facts(db: &Lease, workspace: WorkspaceId) -> Result<Option<WorkspaceFacts>, StoreError> {
    let id = workspace.uuid();
    let staff_roles: Vec<&str> = Role::ALL.into_iter().filter(|role| role.side() == Side::Staff).map(Role::name).collect();
    let about = db.prepare(sql::WORKSPACE_FACTS).await?;
    let staff = db.prepare(sql::WORKSPACE_STAFF).await?;
    let teams = db.prepare(sql::WORKSPACE_TEAMS).await?;
    let categories = db.prepare(sql::WORKSPACE_CATEGORIES).await?;
    let client = db.client();
    let (about_params, staff_params): (
        [&(dyn tokio_postgres::types::ToSql + Sync); 1],
        [&(dyn tokio_postgres::types::ToSql + Sync); 2],
    ) = ([&id], [&id, &staff_roles]);
    let all = try_join4(
        client.query(&about, &about_params),
        client.query(&staff, &staff_params),
        client.query(&teams, &about_params),
        client.query(&categories, &about_params),
    );
    let (about, staff, teams, categories) = db.in_tenant(workspace, all).await?;
    let Some(about) = about.first() else { return Ok(None) };
    let Json(workflow) = get::<Json<Workflow>>(about, "workflow")?;
    Ok(Some(WorkspaceFacts {
        id: workspace,
        slug: get(about, "slug")?,
        name: get(about, "name")?,
        number_prefix: get(about, "number_prefix")?,
        workflow,
        staff: staff.iter().map(member).collect::<Result<_, _>>()?,
        teams: teams.iter().map(|row| Ok((TeamId::new(id_of(row)?), get(row, "name")?))).collect::<Result<_, StoreError>>()?,
        categories: categories
            .iter()
            .map(|row| Ok((CategoryId::new(id_of(row)?), get(row, "name")?)))
            .collect::<Result<_, StoreError>>()?,
    }))
}

fn id_of(row: &Row) -> Result<Uuid, StoreError> {
    get(row, "id")
}

fn member(row: &Row) -> Result<StaffMember, StoreError> {
    Ok(StaffMember { id: UserId::new(id_of(row)?), name: get(row, "name")?, role: role(row)? })
}
