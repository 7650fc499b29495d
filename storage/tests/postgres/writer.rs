//! The writer: bad rows fail alone, racing owners never fork, broken connections are settled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hub_core::ids::WorkspaceId;
use hub_core::ports::{Append, Appended, Journal, StoreError};
use hub_core::testing::Sample;
use storage::Store;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::world::{World, eventually, fresh_in};

async fn made(world: &World) -> Sample {
    let mut sample = Sample::of(world.fresh());
    let creation = sample.creation();
    assert!(matches!(sample.write(&world.store, creation).await, Ok(Appended::Committed { .. })));
    sample
}

/// Every ticket's log has the numbers 1, 2, 3… up to its head, and its chain holds.
async fn nothing_is_torn(world: &World) -> u64 {
    let report = storage::audit::verify_workspace(&world.db.app_url, "acme").await.expect("readable").expect("there");
    assert_eq!(report.broken, []);
    report.events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_append_fails_alone() {
    let world = World::new().await;
    let mut good = Vec::new();
    for _ in 0..20 {
        good.push(made(&world).await);
    }
    // a workspace that is not there, and text that Postgres cannot hold
    let mut nowhere = Sample::of(fresh_in(WorkspaceId::new(Uuid::from_u128(99))));
    let mut nul = made(&world).await;
    let mut poisoned = nul.reply("a zero byte");
    poisoned.state.title = "zero \0 byte".into();

    // a lock holds up the writer, so that all the others wait together and share a batch
    let mut superuser = world.db.superuser().await;
    let lock = superuser.transaction().await.expect("begins");
    lock.batch_execute("LOCK TABLE tickets IN EXCLUSIVE MODE").await.expect("locked");
    let mut first = Sample::of(world.fresh());
    let first = world.store.append(first.creation());
    eventually("the writer waits", async || waits_for_a_lock(&world).await).await;
    let bad = [world.store.append(nowhere.creation()), world.store.append(poisoned)];
    let answers: Vec<_> = good
        .iter_mut()
        .map(|sample| {
            let reply = sample.reply("fine");
            world.store.append(reply)
        })
        .collect();
    lock.rollback().await.expect("let go");

    assert!(matches!(first.await, Ok(Appended::Committed { .. })));
    for answer in bad {
        let answer = answer.await;
        assert!(matches!(answer, Err(StoreError::Unreadable(_))), "{answer:?}");
    }
    for answer in answers {
        let answer = answer.await;
        assert!(matches!(answer, Ok(Appended::Committed { .. })), "{answer:?}");
    }
    let row = superuser.query_one("SELECT count(DISTINCT xmin::text) FROM events WHERE seq = 2", &[]).await.expect("answers");
    assert_eq!(row.get::<_, i64>(0), 20, "the batch failed and was tried one by one");
    assert_eq!(nothing_is_torn(&world).await, 42);
    let again = nul.reply("without it");
    assert!(matches!(nul.write(&world.store, again).await, Ok(Appended::Committed { .. })), "the ticket itself is unharmed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_that_wait_together_are_committed_together() {
    let world = World::new().await;
    let mut samples = Vec::new();
    for _ in 0..300 {
        samples.push(Sample::of(world.fresh()));
    }
    let answers: Vec<_> = samples.iter_mut().map(|sample| world.store.append(sample.creation())).collect();
    for answer in answers {
        assert!(matches!(answer.await, Ok(Appended::Committed { .. })));
    }
    assert_eq!(nothing_is_torn(&world).await, 300);
    let superuser = world.db.superuser().await;
    let row = superuser.query_one("SELECT count(DISTINCT xmin::text) FROM tickets", &[]).await.expect("answers");
    let transactions: i64 = row.get(0);
    assert!(transactions < 100, "300 appends took {transactions} transactions");
}

async fn waits_for_a_lock(world: &World) -> bool {
    let sql =
        "SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name = 'tandem writer' AND wait_event_type = 'Lock'";
    !world.db.administrator().await.query(sql, &[&world.db.name]).await.expect("answers").is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_somebody_else_holds_is_refused_at_once() {
    let world = World::new().await;
    let (mut held, mut free) = (made(&world).await, made(&world).await);
    let mut superuser = world.db.superuser().await;
    let holder = superuser.transaction().await.expect("begins");
    let id = held.ticket.ticket.uuid();
    holder.query("SELECT FROM tickets WHERE id = $1 FOR UPDATE", &[&id]).await.expect("held");
    let begun = Instant::now();
    let (one, other) = (held.reply("refused"), free.reply("written"));
    let (one, other) = (world.store.append(one), world.store.append(other));
    assert!(matches!(one.await, Ok(Appended::Refused)));
    assert!(matches!(other.await, Ok(Appended::Committed { .. })));
    assert!(begun.elapsed() < Duration::from_secs(1), "nobody waits for a row");
    holder.rollback().await.expect("let go");
}

/// Two owners of the same 100 tickets, each reloading when it loses: 0 forks, 0 holes, 0 deadlocks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_never_fork_a_ticket() {
    const TICKETS: usize = 100;
    let world = World::new().await;
    let mut tickets = Vec::new();
    for _ in 0..TICKETS {
        tickets.push(world.fresh());
    }
    let others = world.db.store().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (wins, losses) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut racers = Vec::new();
    for (store, owner) in [(world.store.clone(), 1_u128 << 64), (others.clone(), 2 << 64)] {
        for ticket in &tickets {
            let (store, ticket, stop) = (store.clone(), *ticket, Arc::clone(&stop));
            let (wins, losses) = (Arc::clone(&wins), Arc::clone(&losses));
            racers.push(tokio::spawn(async move {
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    round += 1;
                    match race(&store, ticket, owner + round).await {
                        Appended::Committed { .. } => wins.fetch_add(1, Ordering::Relaxed),
                        Appended::Refused => losses.fetch_add(1, Ordering::Relaxed),
                    };
                }
            }));
        }
    }
    eventually("a long race", async || wins.load(Ordering::Relaxed) > 20 * TICKETS && losses.load(Ordering::Relaxed) > TICKETS)
        .await;
    stop.store(true, Ordering::Relaxed);
    for racer in racers {
        racer.await.expect("no error, no deadlock");
    }
    let wins = wins.load(Ordering::Relaxed);
    assert_eq!(nothing_is_torn(&world).await, wins as u64);
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks: i64 = world.db.superuser().await.query_one(sql, &[]).await.expect("answers").get(0);
    assert_eq!(deadlocks, 0);
}

/// Loads, then appends one event with a key of its own.
async fn race(store: &Store, ticket: hub_core::ids::TicketKey, key: u128) -> Appended {
    let mut sample = Sample::of(ticket);
    sample.state = store.load(ticket).await.expect("answers");
    let append = append_with(&mut sample, key);
    store.append(append).await.expect("answers")
}

fn append_with(sample: &mut Sample, key: u128) -> Append {
    let key = hub_core::testing::key(key);
    match &sample.state {
        None => {
            let number = u64::try_from(sample.ticket.ticket.uuid().as_u128() & 0xFFFF_FFFF_FFFF).expect("48 bits");
            let intent = hub_core::testing::create(key, sample.customer.clone(), number);
            sample.append_of(&intent)
        }
        Some(state) => {
            let audience = hub_core::wire::Audience::Public;
            let intent = hub_core::testing::reply(key, sample.agent.clone(), "mine", audience, Some(state.seq));
            sample.append_of(&intent)
        }
    }
}

/// The writer's connection is killed over and over while commits are in flight: nothing acked is lost, nothing is written
/// twice, and everything gets an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_dies_mid_commit_is_settled() {
    const TICKETS: usize = 16;
    let world = World::new().await;
    let superuser = world.db.superuser().await;
    let stop = Arc::new(AtomicBool::new(false));
    let all_acks = Arc::new(AtomicUsize::new(0));
    let mut lanes = Vec::new();
    for _ in 0..TICKETS {
        let (store, stop, ticket) = (world.store.clone(), Arc::clone(&stop), world.fresh());
        let all_acks = Arc::clone(&all_acks);
        lanes.push(tokio::spawn(async move {
            let mut sample = Sample::of(ticket);
            let (mut key, mut acked) = (0, 0_u64);
            while !stop.load(Ordering::Relaxed) {
                key += 1;
                let append = append_with(&mut sample, key);
                match sample.write(&store, append).await.expect("settled before patience ends") {
                    Appended::Committed { .. } => {
                        acked += 1;
                        all_acks.fetch_add(1, Ordering::Relaxed);
                    }
                    Appended::Refused => panic!("the only owner was refused"),
                }
            }
            acked
        }));
    }
    // Each kill waits until the writer is at work again: how fast that is depends on the machine.
    for _ in 0..60 {
        let before = all_acks.load(Ordering::Relaxed);
        eventually("an ack after a kill", async || all_acks.load(Ordering::Relaxed) > before + 2).await;
        kill_writers(&superuser, &world).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut acked = 0;
    for lane in lanes {
        acked += lane.await.expect("no lane failed");
    }
    assert!(acked > 100, "{acked} acks");
    assert_eq!(nothing_is_torn(&world).await, acked, "what is acked is written, and nothing else");
}

/// Kills the writer's connection while it works; answers how many there were.
async fn kill_writers(superuser: &Client, world: &World) -> usize {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = $1 AND application_name = 'tandem writer' AND state <> 'idle'";
    superuser.query(sql, &[&world.db.name]).await.expect("killed").len()
}

/// Nobody can connect any more: waiting appends are answered within patience, new ones at once; and all is well when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stays_away_refuses_writes_at_once_and_comes_back() {
    let world = World::new().await;
    let mut sample = made(&world).await;
    let superuser = world.db.administrator().await;
    superuser.batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", world.db.name)).await.expect("shut");
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
    superuser.query(sql, &[&world.db.name]).await.expect("killed");

    let begun = Instant::now();
    let lost = sample.reply("not now");
    let answer = world.store.append(lost.clone()).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(4) && waited < Duration::from_secs(9), "{waited:?}");
    eventually("refuses at once", async || {
        let begun = Instant::now();
        let answer = world.store.append(lost.clone()).await;
        matches!(answer, Err(StoreError::Unavailable(_))) && begun.elapsed() < Duration::from_millis(50)
    })
    .await;

    superuser.batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", world.db.name)).await.expect("open");
    let world = &world;
    eventually("writes again", async || matches!(world.store.append(lost.clone()).await, Ok(Appended::Committed { .. }))).await;
    assert_eq!(nothing_is_torn(world).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_when_the_store_closes_is_still_written() {
    let world = World::new().await;
    let mut samples: Vec<_> = (0..50).map(|_| Sample::of(world.fresh())).collect();
    let answers: Vec<_> = samples.iter_mut().map(|sample| world.store.append(sample.creation())).collect();
    world.store.close().await;
    for answer in answers {
        assert!(matches!(answer.await, Ok(Appended::Committed { .. })));
    }
    let late = world.store.append(Sample::of(world.fresh()).creation()).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
}
