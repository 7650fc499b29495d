//! A database with two workspaces and a store on it.

use std::time::{Duration, Instant};

use hub_core::ids::{TicketId, TicketKey, UserId, WorkspaceId};
use hub_core::rules::permissions::Role;
use hub_core::rules::workflow::Workflow;
use storage::testing::TestDatabase;
use storage::{NewUser, NewWorkspace, Owner, Store};
use uuid::Uuid;

/// Two tenants and what serves them.
pub struct World {
    pub store: Store,
    pub owner: Owner,
    pub acme: WorkspaceId,
    pub globex: WorkspaceId,
    /// Last, so that the connections are gone before the database is dropped.
    pub db: TestDatabase,
}

impl World {
    pub async fn new() -> Self {
        let db = TestDatabase::fresh().await;
        let owner = db.owner().await;
        let acme = workspace(&owner, "acme").await;
        let globex = workspace(&owner, "globex").await;
        Self { store: db.store().await, owner, acme, globex, db }
    }

    /// A ticket of acme that nobody used before.
    pub fn fresh(&self) -> TicketKey {
        fresh_in(self.acme)
    }
}

pub fn fresh_in(workspace: WorkspaceId) -> TicketKey {
    TicketKey { workspace, ticket: TicketId::new(Uuid::new_v4()) }
}

pub async fn workspace(owner: &Owner, slug: &str) -> WorkspaceId {
    let id = WorkspaceId::new(Uuid::new_v4());
    let new = NewWorkspace {
        id,
        slug: slug.into(),
        name: format!("The {slug} company"),
        number_prefix: "TKT".into(),
        workflow: Workflow::simple(),
        first_number: 1,
    };
    owner.workspace(&new).await.expect("a new workspace");
    id
}

pub fn user(number: u128, email: &str, role: Role) -> NewUser {
    NewUser {
        id: UserId::new(Uuid::from_u128(number)),
        email: email.into(),
        name: format!("Person {number}"),
        role,
        password_hash: format!("$argon2id$not-a-real-one${number}"),
    }
}

/// Waits for something that has to come true.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
