//! People and their sign-ins over Postgres.

use hub_core::ids::{SessionId, UserId, WorkspaceId};
use hub_core::ports::{Account, Accounts, Answer, NewSession, SignIn, StoreError};
use hub_core::rules::audit::Hash;
use hub_core::rules::permissions::Role;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::reads::Lease;
use crate::rows::{get, instant, role, to_system_time};
use crate::sql;
use crate::store::Store;

impl Accounts for Store {
    fn find(&self, workspace_slug: String, email: String) -> Answer<Option<Account>> {
        let asked = std::sync::Arc::new((workspace_slug, email.to_lowercase()));
        self.reads().read(move |db| {
            let asked = std::sync::Arc::clone(&asked);
            async move { find(&db, &asked.0, &asked.1).await }
        })
    }

    fn open_session(&self, session: NewSession) -> Answer<()> {
        self.reads().write(move |db| async move {
            let (workspace, id, user) = (session.workspace.uuid(), session.session.uuid(), session.user.uuid());
            let (token, expires_at) = (session.token_hash.as_slice(), to_system_time(session.expires_at));
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [&workspace, &id, &user, &token, &expires_at];
            db.rows(session.workspace, sql::ACCOUNT_SESSION_OPEN, &params).await.map(drop)
        })
    }

    fn session(&self, workspace: WorkspaceId, token_hash: Hash) -> Answer<Option<SignIn>> {
        self.reads().read(move |db| async move {
            let (id, token) = (workspace.uuid(), token_hash.as_slice());
            let rows = db.rows(workspace, sql::ACCOUNT_SESSION, &[&id, &token]).await?;
            rows.first().map(|row| sign_in(workspace, row)).transpose()
        })
    }

    fn close_session(&self, workspace: WorkspaceId, session: SessionId) -> Answer<()> {
        // tried again after a break: what is closed stays closed
        self.reads().read(move |db| async move {
            let (id, session) = (workspace.uuid(), session.uuid());
            db.rows(workspace, sql::ACCOUNT_SESSION_CLOSE, &[&id, &session]).await.map(drop)
        })
    }

    fn ended(&self, workspace: WorkspaceId, sessions: Vec<(SessionId, Role)>) -> Answer<Vec<SessionId>> {
        let ids: Vec<Uuid> = sessions.iter().map(|(session, _)| session.uuid()).collect();
        let roles: Vec<&'static str> = sessions.iter().map(|(_, role)| role.name()).collect();
        let asked = std::sync::Arc::new((ids, roles));
        self.reads().read(move |db| {
            let asked = std::sync::Arc::clone(&asked);
            async move {
                let rows = db.rows(workspace, sql::ACCOUNT_SESSIONS_ENDED, &[&workspace.uuid(), &asked.0, &asked.1]).await?;
                rows.iter().map(|row| get(row, "id").map(SessionId::new)).collect()
            }
        })
    }
}

async fn find(db: &Lease, slug: &str, email: &str) -> Result<Option<Account>, StoreError> {
    let Some(workspace) = workspace_of(db, slug).await? else { return Ok(None) };
    let rows = db.rows(workspace, sql::ACCOUNT_FIND, &[&workspace.uuid(), &email]).await?;
    let account =
        |row: &Row| Ok(Account { workspace, user: UserId::new(get(row, "id")?), password_hash: get(row, "password_hash")? });
    rows.first().map(account).transpose()
}

/// The workspace of a short name; the one question that is asked before the tenant is known.
pub(crate) async fn workspace_of(db: &Lease, slug: &str) -> Result<Option<WorkspaceId>, StoreError> {
    let rows = db.rows_without_tenant(sql::ACCOUNT_WORKSPACE, &[&slug]).await?;
    rows.first().map(|row| get(row, "workspace_id").map(WorkspaceId::new)).transpose()
}

fn sign_in(workspace: WorkspaceId, row: &Row) -> Result<SignIn, StoreError> {
    Ok(SignIn {
        session: SessionId::new(get(row, "id")?),
        workspace,
        user: UserId::new(get(row, "user_id")?),
        name: get(row, "name")?,
        email: get(row, "email")?,
        role: role(row)?,
        expires_at: instant(row, "expires_at")?,
    })
}
