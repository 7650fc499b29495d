//! No row of one tenant ever reaches another.

use std::sync::Arc;
use std::time::Duration;

use hub_core::ids::{SessionId, TicketKey, UserId};
use hub_core::ports::{Accounts, Appended, Journal, NewSession, Workspaces};
use hub_core::testing::Sample;
use hub_core::time::UnixMs;
use storage::{Store, StoreConfig};
use tokio::runtime::Handle;
use tokio_postgres::NoTls;

use crate::world::{World, fresh_in};

/// Interleaved reads and writes of two tenants over one pooled connection, some of them failing, some given up in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_interleaved_transactions_never_cross() {
    const ROUNDS: usize = 10_000;
    let world = World::new().await;
    let config = StoreConfig { pool_size: 1, ..StoreConfig::new(&world.db.app_url) };
    let store = Store::connect(config, Handle::current()).await.expect("starts");
    let mut tickets = Vec::new();
    for workspace in [world.acme, world.globex] {
        let mut sample = Sample::of(fresh_in(workspace));
        let creation = sample.creation();
        assert!(matches!(sample.write(&store, creation).await, Ok(Appended::Committed { .. })));
        tickets.push(sample.ticket);
    }
    let (store, tickets) = (Arc::new(store), Arc::new(tickets));
    let rounds = (0..8).map(|lane| {
        let (store, tickets) = (Arc::clone(&store), Arc::clone(&tickets));
        tokio::spawn(async move {
            for round in (lane..ROUNDS).step_by(8) {
                one_round(&store, tickets[round % 2], tickets[(round + 1) % 2], round).await;
            }
        })
    });
    for round in rounds.collect::<Vec<_>>() {
        round.await.expect("no crossing");
    }
}

async fn one_round(store: &Store, own: TicketKey, other: TicketKey, round: usize) {
    let foreign = TicketKey { workspace: own.workspace, ..other };
    match round % 5 {
        0 => assert!(store.load(own).await.expect("answers").is_some()),
        1 => assert!(store.load(foreign).await.expect("answers").is_none(), "a foreign ticket was seen"),
        2 => {
            let facts = store.facts(own.workspace).await.expect("answers").expect("there");
            assert_eq!(facts.id, own.workspace);
        }
        // fails inside the transaction: a sign-in of nobody
        3 => {
            let nobody = UserId::new(uuid::Uuid::from_u128(round as u128));
            let (session, token_hash) = (SessionId::new(nobody.uuid()), [7; 32]);
            let new = NewSession { workspace: own.workspace, session, user: nobody, token_hash, expires_at: UnixMs(0) };
            assert!(store.open_session(new).await.is_err());
        }
        // given up at once: runs to its end all the same
        _ => {
            let _ = tokio::time::timeout(Duration::from_micros(50), store.load(own)).await;
        }
    }
}

/// The rows a bare connection of the hub's role sees, with this tenant set, of a query that names no tenant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_forgets_the_tenant_sees_only_the_tenant_that_is_set() {
    let world = World::new().await;
    for workspace in [world.acme, world.globex] {
        let mut sample = Sample::of(fresh_in(workspace));
        let creation = sample.creation();
        assert!(matches!(sample.write(&world.store, creation).await, Ok(Appended::Committed { .. })));
    }
    let (mut client, driver) = tokio_postgres::connect(&world.db.app_url, NoTls).await.expect("connects");
    tokio::spawn(driver);
    for table in ["tickets", "events", "workspaces"] {
        let all = format!("SELECT workspace_id FROM {table}");
        assert!(client.query(&all, &[]).await.expect("allowed").is_empty(), "{table}: rows without a tenant");
        for workspace in [world.acme.uuid(), world.globex.uuid()] {
            let transaction = client.transaction().await.expect("begins");
            transaction.query(storage::sql::SESSION_SET_WORKSPACE, &[&workspace.to_string()]).await.expect("set");
            let seen: Vec<uuid::Uuid> =
                transaction.query(&all, &[]).await.expect("rows").iter().map(|row| row.get(0)).collect();
            assert_eq!(seen, [workspace], "{table}");
            transaction.commit().await.expect("commits");
        }
        // the setting ended with its transaction, and reads as '' from now on
        assert!(client.query(&all, &[]).await.expect("no cast error").is_empty(), "{table}: rows after the transaction");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_writes_into_another_tenant() {
    let world = World::new().await;
    let (mut client, driver) = tokio_postgres::connect(&world.db.app_url, NoTls).await.expect("connects");
    tokio::spawn(driver);
    let transaction = client.transaction().await.expect("begins");
    transaction.query(storage::sql::SESSION_SET_WORKSPACE, &[&world.acme.uuid().to_string()]).await.expect("set");
    let insert = "INSERT INTO events (workspace_id, ticket_id, seq, at, data, commitment, hash)
                  VALUES ($1, $1, 1, now(), '', sha256(''), sha256(''))";
    let error = transaction.execute(insert, &[&world.globex.uuid()]).await.expect_err("row security");
    assert!(error.to_string().contains("db error") && format!("{error:?}").contains("row-level security"), "{error:?}");
    drop(transaction);
    for forbidden in
        ["UPDATE events SET seq = 2", "DELETE FROM events", "DELETE FROM tickets", "TRUNCATE events", "CREATE TABLE mine ()"]
    {
        let error = client.batch_execute(forbidden).await.expect_err("no right");
        assert_eq!(error.code(), Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE), "{forbidden}");
    }
}
