//! People and sign-ins over Postgres.

use std::time::Duration;

use hub_core::ids::{SessionId, UserId};
use hub_core::ports::{Accounts, Clock, NewSession};
use hub_core::rules::permissions::Role;
use uuid::Uuid;

use crate::world::{World, user};

const HOUR: Duration = Duration::from_secs(3_600);

fn session(world: &World, id: u128, person: u128, token: u8, ends_in: Duration) -> NewSession {
    NewSession {
        workspace: world.acme,
        session: SessionId::new(Uuid::from_u128(id)),
        user: UserId::new(Uuid::from_u128(person)),
        token_hash: [token; 32],
        expires_at: world.store.clock().now() + ends_in,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_found_by_workspace_and_address_in_any_case() {
    let world = World::new().await;
    world.owner.users(world.acme, &[user(1, "Ana@Acme.test", Role::Agent)]).await.expect("people");
    world.owner.users(world.globex, &[user(2, "ana@acme.test", Role::Customer)]).await.expect("people");
    let find = async |slug: &str, email: &str| world.store.find(slug.into(), email.into()).await.expect("answers");

    let found = find("acme", "ANA@acme.TEST").await.expect("there");
    assert_eq!((found.workspace, found.user.uuid()), (world.acme, Uuid::from_u128(1)));
    assert!(found.password_hash.starts_with("$argon2id$"));
    assert_eq!(find("globex", "ana@acme.test").await.map(|account| account.user.uuid()), Some(Uuid::from_u128(2)));
    assert_eq!(find("acme", "bo@acme.test").await, None);
    assert_eq!(find("nowhere", "ana@acme.test").await, None);
    let superuser = world.db.superuser().await;
    superuser
        .execute("UPDATE users SET is_active = false WHERE workspace_id = $1", &[&world.acme.uuid()])
        .await
        .expect("a change");
    assert_eq!(find("acme", "ana@acme.test").await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_lives_until_it_is_ended_expires_or_its_person_goes() {
    let world = World::new().await;
    let people = [user(1, "ana@acme.test", Role::Agent), user(2, "bo@acme.test", Role::Agent)];
    world.owner.users(world.acme, &people).await.expect("people");
    for new in [session(&world, 1, 1, 1, HOUR), session(&world, 2, 2, 2, HOUR), session(&world, 3, 1, 3, Duration::ZERO)] {
        world.store.open_session(new).await.expect("remembered");
    }
    let find = async |token: u8| world.store.session(world.acme, [token; 32]).await.expect("answers");

    let ana = find(1).await.expect("signed in");
    assert_eq!((ana.email.as_str(), ana.name.as_str(), ana.role), ("ana@acme.test", "Person 1", Role::Agent));
    assert_eq!(ana.session.uuid(), Uuid::from_u128(1));
    assert!(find(2).await.is_some());
    assert_eq!(find(3).await, None, "expired");
    assert_eq!(find(9).await, None, "unknown");
    assert_eq!(world.store.session(world.globex, [1; 32]).await.expect("answers"), None, "of another workspace");

    let asked: Vec<_> = [(1, Role::Agent), (2, Role::Agent), (3, Role::Agent), (9, Role::Agent)]
        .map(|(id, role)| (SessionId::new(Uuid::from_u128(id)), role))
        .to_vec();
    let ended = async || {
        let mut ended = world.store.ended(world.acme, asked.clone()).await.expect("answers");
        ended.sort();
        ended.iter().map(|session| session.uuid().as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(ended().await, [3, 9]);
    world.store.close_session(world.acme, SessionId::new(Uuid::from_u128(1))).await.expect("ended");
    world.store.close_session(world.acme, SessionId::new(Uuid::from_u128(1))).await.expect("ended already");
    assert_eq!((find(1).await, ended().await), (None, vec![1, 3, 9]));
    let superuser = world.db.superuser().await;
    superuser.execute("UPDATE users SET role = 'viewer' WHERE id = $1", &[&Uuid::from_u128(2)]).await.expect("a change");
    assert_eq!(find(2).await.map(|sign_in| sign_in.role), Some(Role::Viewer));
    assert_eq!(ended().await, [1, 2, 3, 9], "who has another role signs in anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_tells_the_databases_time() {
    let world = World::new().await;
    let row = world.db.superuser().await.query_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", &[]).await;
    let database: i64 = row.expect("answers").get(0);
    let told = world.store.clock().now().0;
    assert!((told - database).abs() < 1_000, "{told} against {database}");
}
