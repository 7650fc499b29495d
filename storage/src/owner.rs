//! What only the owner of the tables does: make workspaces, people and sign-ins, and write the logs of seeds.
//!
//! Row security binds the owner too (it is forced), so all of it goes through the same two settings as the hub's own work.

use hub_core::ids::{CategoryId, SessionId, TeamId, TicketKey, UserId, WorkspaceId};
use hub_core::ports::{Append, Appended, Clock, NewSession};
use hub_core::rules::permissions::Role;
use hub_core::rules::workflow::Workflow;
use hub_core::time::UnixMs;
use tokio::runtime::Handle;
use tokio_postgres::types::{Json, ToSql};
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use crate::connect::{Connection, Connector, Purpose};
use crate::error::{SetupError, StartError, describe};
use crate::journal::fence::{Fence, Written};
use crate::journal::stream_of;
use crate::rows::{bigint, counter, get, to_system_time};
use crate::tenant::{self, Failed};
use crate::{DbClock, sql};

/// A workspace to be made.
#[derive(Clone, Debug)]
pub struct NewWorkspace {
    /// Which.
    pub id: WorkspaceId,
    /// Its short name at sign-in: small letters, digits and hyphens.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What stands before a ticket's number.
    pub number_prefix: String,
    /// Its statuses and moves.
    pub workflow: Workflow,
    /// The first ticket number the hub may give out; those before it are the seeds'.
    pub first_number: u64,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Who.
    pub id: UserId,
    /// The address; case is ignored.
    pub email: String,
    /// The name to show.
    pub name: String,
    /// What this person may do.
    pub role: Role,
    /// A PHC string.
    pub password_hash: String,
}

/// A connection of the owner. Everything it makes is left alone when it is there already.
pub struct Owner {
    connection: Connection,
    fence: Fence,
    set_workspace: Statement,
    clock: DbClock,
}

impl Owner {
    /// Connects to a migrated database. Must be awaited on a tokio runtime, and used there.
    ///
    /// # Errors
    /// When nobody answers, or the tables are not there.
    pub async fn connect(owner_url: &str) -> Result<Self, SetupError> {
        let connector = Connector::new(owner_url, Purpose::Setup, Handle::current())?;
        let connection = connector.open().await.map_err(|error| StartError::Unreachable(describe(&error)))?;
        let fence = Fence::prepare(&connection.client).await?;
        let set_workspace = connection.client.prepare(sql::SESSION_SET_WORKSPACE).await?;
        let clock = DbClock::new();
        stream_of(&connection.client, &clock).await?;
        Ok(Self { connection, fence, set_workspace, clock })
    }

    /// The database's time.
    pub fn now(&self) -> UnixMs {
        self.clock.now()
    }

    /// Tells the planner how many rows there are now, instead of letting it find out in a minute.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn refresh_statistics(&self) -> Result<(), SetupError> {
        Ok(self.connection.client.batch_execute("ANALYZE users, sessions, tickets, events").await?)
    }

    /// Makes a workspace that can be found by its short name.
    ///
    /// # Errors
    /// When the server refuses, as it does a short name that another workspace has.
    pub async fn workspace(&self, new: &NewWorkspace) -> Result<(), SetupError> {
        let (id, first) = (new.id.uuid(), bigint(new.first_number));
        let workflow = Json(&new.workflow);
        let params: [&(dyn ToSql + Sync); 6] = [&id, &new.slug, &new.name, &new.number_prefix, &workflow, &first];
        self.run(new.id, sql::PROVISION_WORKSPACE, &params).await?;
        self.run(new.id, sql::PROVISION_SLUG, &[&new.slug, &id]).await?;
        let found = self.workspace_of(&new.slug).await?;
        if found == Some(new.id) {
            return Ok(());
        }
        Err(SetupError::Refused(format!("the short name {:?} belongs to another workspace", new.slug)))
    }

    /// The workspace of a short name.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn workspace_of(&self, slug: &str) -> Result<Option<WorkspaceId>, SetupError> {
        let row = self.connection.client.query_opt(sql::ACCOUNT_WORKSPACE, &[&slug]).await?;
        row.map(|row| get(&row, "workspace_id").map(WorkspaceId::new).map_err(unreadable)).transpose()
    }

    /// Makes accounts.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn users(&self, workspace: WorkspaceId, users: &[NewUser]) -> Result<(), SetupError> {
        let ids: Vec<Uuid> = users.iter().map(|user| user.id.uuid()).collect();
        let emails: Vec<String> = users.iter().map(|user| user.email.to_lowercase()).collect();
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let roles: Vec<&str> = users.iter().map(|user| user.role.name()).collect();
        let hashes: Vec<&str> = users.iter().map(|user| user.password_hash.as_str()).collect();
        let params: [&(dyn ToSql + Sync); 6] = [&workspace.uuid(), &ids, &emails, &names, &roles, &hashes];
        self.run(workspace, sql::PROVISION_USERS, &params).await.map(drop)
    }

    /// Makes a team and puts people into it.
    ///
    /// # Errors
    /// When the server refuses, as it does members that are not there.
    pub async fn team(&self, workspace: WorkspaceId, id: TeamId, name: &str, members: &[UserId]) -> Result<(), SetupError> {
        let (tenant, team) = (workspace.uuid(), id.uuid());
        let members: Vec<Uuid> = members.iter().map(|member| member.uuid()).collect();
        self.run(workspace, sql::PROVISION_TEAM, &[&tenant, &team, &name]).await?;
        self.run(workspace, sql::PROVISION_TEAM_MEMBERS, &[&tenant, &team, &members]).await.map(drop)
    }

    /// Makes a category.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn category(&self, workspace: WorkspaceId, id: CategoryId, name: &str) -> Result<(), SetupError> {
        self.run(workspace, sql::PROVISION_CATEGORY, &[&workspace.uuid(), &id.uuid(), &name]).await.map(drop)
    }

    /// Remembers sign-ins of one workspace.
    ///
    /// # Errors
    /// When the server refuses, as it does sign-ins of people who are not there.
    pub async fn sessions(&self, workspace: WorkspaceId, sessions: &[NewSession]) -> Result<(), SetupError> {
        let ids: Vec<Uuid> = sessions.iter().map(|session| SessionId::uuid(session.session)).collect();
        let users: Vec<Uuid> = sessions.iter().map(|session| session.user.uuid()).collect();
        let tokens: Vec<&[u8]> = sessions.iter().map(|session| session.token_hash.as_slice()).collect();
        let expiries: Vec<_> = sessions.iter().map(|session| to_system_time(session.expires_at)).collect();
        let params: [&(dyn ToSql + Sync); 5] = [&workspace.uuid(), &ids, &users, &tokens, &expiries];
        self.run(workspace, sql::PROVISION_SESSIONS, &params).await.map(drop)
    }

    /// Marks as read, for everybody who was told of them, the tickets that nobody touched since `until`.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn read_until(&self, workspace: WorkspaceId, until: UnixMs) -> Result<(), SetupError> {
        self.run(workspace, sql::PROVISION_READ_CURSORS, &[&workspace.uuid(), &to_system_time(until)]).await.map(drop)
    }

    /// How many tickets a workspace has.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn ticket_count(&self, workspace: WorkspaceId) -> Result<u64, SetupError> {
        let rows = self.run(workspace, sql::PROVISION_TICKET_COUNT, &[&workspace.uuid()]).await?;
        rows.first().map_or(Ok(0), |row| counter(row, "tickets").map_err(unreadable))
    }

    /// Writes to many tickets by the same statement as the hub, each ticket at most once; answers in the same order.
    ///
    /// # Errors
    /// When the server refuses, or goes away: then nothing is known of these appends.
    pub async fn append(&self, appends: &[Append]) -> Result<Vec<Appended>, SetupError> {
        let all: Vec<&Append> = appends.iter().collect();
        let written = self.fence.append(&self.connection.client, &self.clock, &all).await.map_err(|failed| match failed {
            Failed::RolledBack(error) => SetupError::Refused(describe(&error)),
            Failed::Unknown(words) => SetupError::Refused(words),
        })?;
        Ok(appends.iter().map(|append| became(append.ticket, &written)).collect())
    }

    async fn run(&self, workspace: WorkspaceId, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, SetupError> {
        let client = &self.connection.client;
        let statement = client.prepare(sql).await?;
        Ok(tenant::query(client, &self.set_workspace, workspace, client.query(&statement, params)).await?)
    }
}

fn became(ticket: TicketKey, written: &Written) -> Appended {
    written.get(&ticket).cloned().map_or(Appended::Refused, Appended::from)
}

fn unreadable(error: hub_core::ports::StoreError) -> SetupError {
    SetupError::Unreadable(error.to_string())
}
