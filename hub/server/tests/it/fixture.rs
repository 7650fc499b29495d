//! Two workspaces with the people of the demo, made cheaply: `acme` with the simple workflow, `globex` with the full one.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use hub_core::ids::{CategoryId, TeamId, UserId, WorkspaceId};
use hub_core::rules::permissions::Role;
use hub_core::rules::workflow::Workflow;
use storage::testing::TestDatabase;
use storage::{NewUser, NewWorkspace};
use uuid::Uuid;

/// Everybody's password.
pub const PASSWORD: &str = "demo";
/// Argon2id of it, made cheap: 64 KiB, one pass.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let cheap = Params::new(64, 1, 1, None).expect("small and allowed");
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, cheap);
    hasher.hash_password(PASSWORD.as_bytes()).expect("hashes").to_string()
});

/// The hash of [`PASSWORD`], for people whom a test adds.
pub fn password_hash() -> String {
    HASH.clone()
}

pub const ACME: WorkspaceId = WorkspaceId::new(Uuid::from_u128(0xacce));
pub const GLOBEX: WorkspaceId = WorkspaceId::new(Uuid::from_u128(0x910b));
pub const PLATFORM: WorkspaceId = WorkspaceId::new(Uuid::from_u128(0x91a7));
/// A team of acme.
pub const ACME_TEAM: TeamId = TeamId::new(Uuid::from_u128(0x7ea4));
/// A category of acme.
pub const ACME_CATEGORY: CategoryId = CategoryId::new(Uuid::from_u128(0xca7e));

/// Workspace, address, name, role.
const PEOPLE: [(&str, &str, &str, Role); 12] = [
    ("acme", "owner@acme.test", "Olga Owner", Role::Owner),
    ("acme", "admin@acme.test", "Adam Admin", Role::Admin),
    ("acme", "lead@acme.test", "Lea Lead", Role::Manager),
    ("acme", "ana@acme.test", "Ana Agent", Role::Agent),
    ("acme", "bo@acme.test", "Bo Agent", Role::Agent),
    ("acme", "viewer@acme.test", "Vic Viewer", Role::Viewer),
    ("acme", "cleo@customer.test", "Cleo Customer", Role::Customer),
    ("acme", "dan@customer.test", "Dan Customer", Role::Customer),
    ("globex", "owner@globex.test", "Otto Owner", Role::Owner),
    ("globex", "gil@globex.test", "Gil Agent", Role::Agent),
    ("globex", "eve@customer.test", "Eve Customer", Role::Customer),
    ("platform", "root@platform.test", "Root", Role::PlatformAdmin),
];

/// The id of a person: derived from the address, so that tests can name people.
pub fn person(email: &str) -> UserId {
    let at =
        PEOPLE.iter().position(|(_, known, ..)| *known == email).unwrap_or_else(|| panic!("nobody has the address {email}"));
    UserId::new(Uuid::from_u128(0xbe05_0000 + at as u128))
}

/// Fills a fresh database.
pub async fn fill(database: &TestDatabase) {
    let owner = database.owner().await;
    for (slug, id, workflow) in
        [("acme", ACME, Workflow::simple()), ("globex", GLOBEX, Workflow::full()), ("platform", PLATFORM, Workflow::simple())]
    {
        let name = format!("{}{}", slug[..1].to_uppercase(), &slug[1..]);
        let new = NewWorkspace { id, slug: slug.into(), name, number_prefix: "TKT".into(), workflow, first_number: 1 };
        owner.workspace(&new).await.expect("a workspace");
        let people = PEOPLE.iter().filter(|(workspace, ..)| *workspace == slug);
        let users: Vec<NewUser> = people.map(|(_, email, name, role)| user(email, name, *role)).collect();
        owner.users(id, &users).await.expect("people");
    }
    owner.team(ACME, ACME_TEAM, "First line", &[person("ana@acme.test")]).await.expect("a team");
    owner.category(ACME, ACME_CATEGORY, "Printers").await.expect("a category");
}

fn user(email: &str, name: &str, role: Role) -> NewUser {
    NewUser { id: person(email), email: email.into(), name: name.into(), role, password_hash: HASH.clone() }
}
