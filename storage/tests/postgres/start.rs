//! The hub refuses to serve where row security would not bind it, or where the tables are not those it knows.

use hub_core::ports::{Appended, Drafts, Journal};
use hub_core::testing::Sample;
use storage::testing::TestDatabase;
use storage::{StartError, Store, StoreConfig, expected_version, migrate};
use tokio::runtime::Handle;
use tokio_postgres::NoTls;

use crate::world::World;

async fn refusal(url: &str) -> StartError {
    match Store::connect(StoreConfig::new(url), Handle::current()).await {
        Ok(_) => panic!("started"),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts_as_a_plain_member_of_tandem_app() {
    let db = TestDatabase::fresh().await;
    let store = db.store().await;
    assert_eq!(Journal::stream(&store), Journal::stream(&db.store().await));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_refuses_superusers_owners_and_who_bypasses() {
    let db = TestDatabase::fresh().await;
    let error = refusal(&db.superuser_url).await;
    assert!(matches!(error, StartError::Superuser { .. }), "{error}");
    let error = refusal(&db.owner_url).await;
    assert!(matches!(error, StartError::OwnsTables { .. }), "{error}");

    let superuser = db.superuser().await;
    let role = format!("{}_bypass", db.name);
    superuser
        .batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x' BYPASSRLS IN ROLE tandem_app"))
        .await
        .expect("a role");
    let url = db.app_url.replace("tandem_test_app:tandem@", &format!("{role}:x@"));
    let error = refusal(&url).await;
    assert!(matches!(error, StartError::BypassesRowSecurity { .. }), "{error}");
    superuser
        .batch_execute(&format!("ALTER ROLE {role} NOBYPASSRLS; GRANT CREATE ON SCHEMA public TO {role}"))
        .await
        .expect("rights");
    let error = refusal(&url).await;
    assert!(matches!(error, StartError::MayCreate { .. }), "{error}");
    superuser
        .batch_execute(&format!("REVOKE CREATE ON SCHEMA public FROM {role}; GRANT tandem_test_owner TO {role}"))
        .await
        .expect("rights");
    let error = refusal(&url).await;
    assert!(matches!(error, StartError::OwnsTables { .. }), "who may become the owner: {error}");
    superuser.batch_execute(&format!("DROP ROLE {role}")).await.expect("the role goes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_refuses_tables_that_are_not_as_they_should_be() {
    let db = TestDatabase::fresh().await;
    let superuser = db.superuser().await;
    let run = async |sql: &str| superuser.batch_execute(sql).await.expect("a change");

    run("ALTER TABLE tickets NO FORCE ROW LEVEL SECURITY").await;
    let error = refusal(&db.app_url).await;
    assert!(matches!(&error, StartError::Unprotected { table } if table == "tickets"), "{error}");
    run("ALTER TABLE tickets FORCE ROW LEVEL SECURITY; REVOKE INSERT ON events FROM tandem_app").await;
    let error = refusal(&db.app_url).await;
    assert!(matches!(&error, StartError::LacksRight { missing, .. } if missing == "events: INSERT"), "{error}");
    run("GRANT INSERT ON events TO tandem_app; DELETE FROM refinery_schema_history").await;
    let error = refusal(&db.app_url).await;
    assert!(matches!(error, StartError::Behind { found: 0, .. }), "{error}");
    run("INSERT INTO refinery_schema_history VALUES (1000, 'from_the_future', now()::text, '0')").await;
    db.try_store().await.expect("a newer database is served: it works with the code before it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_refuses_what_is_no_database_of_ours() {
    let db = TestDatabase::fresh().await;
    let error = refusal("postgres://").await;
    assert!(matches!(error, StartError::Address(_) | StartError::Unreachable(_)), "{error}");
    let error = refusal("not an address").await;
    assert!(matches!(error, StartError::Address(_)), "{error}");
    let error = refusal("postgres://tandem_app:x@127.0.0.1:1/tandem").await;
    assert!(matches!(error, StartError::Unreachable(_)), "{error}");
    let error = refusal(&db.app_url.replace(&db.name, "postgres")).await;
    assert!(matches!(error, StartError::Behind { found: 0, .. } | StartError::MayCreate { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_twice_and_at_the_same_time_changes_nothing() {
    let db = TestDatabase::fresh().await;
    let (one, other) = tokio::join!(migrate(&db.owner_url), migrate(&db.owner_url));
    assert!(one.expect("runs").is_empty() && other.expect("runs").is_empty());
    assert!(expected_version() >= 1);
}

/// A database of the version before, with a ticket in it: the newest migration adds to it, and it goes on where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_version_two_goes_on_where_it_was() {
    let world = World::new().await;
    let mut sample = Sample::of(world.fresh());
    let creation = sample.creation();
    assert!(matches!(sample.write(&world.store, creation).await, Ok(Appended::Committed { .. })));
    world.store.close().await;
    // as it was before
    let back = "DROP TABLE drafts, due; DROP INDEX tickets_by_queue;
                CREATE INDEX tickets_by_status ON tickets (workspace_id, status, updated_at);
                DELETE FROM refinery_schema_history WHERE version = 3";
    let owner = world.db.owner_url.parse::<tokio_postgres::Config>().expect("our own address");
    let (owner, driver) = owner.connect(NoTls).await.expect("the owner connects");
    tokio::spawn(driver);
    owner.batch_execute(back).await.expect("what came with version 3 goes");
    let error = refusal(&world.db.app_url).await;
    assert!(matches!(error, StartError::Behind { found: 2, .. }), "{error}");
    assert_eq!(migrate(&world.db.owner_url).await.expect("runs"), [3]);

    let store = world.db.store().await;
    assert_eq!(store.load(sample.ticket).await.expect("answers"), sample.state);
    let reply = sample.reply("and on");
    assert!(matches!(sample.write(&store, reply).await, Ok(Appended::Committed { .. })));
    assert_eq!(store.of_ticket(sample.ticket).await.expect("answers"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_is_another_stream() {
    let db = TestDatabase::fresh().await;
    let before = Journal::stream(&db.store().await);
    db.superuser().await.execute("UPDATE stream SET restores = restores + 1", &[]).await.expect("a restore");
    assert_ne!(Journal::stream(&db.store().await), before);
}
