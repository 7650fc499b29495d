//! Telling people over two stores at once: heads that both need are taken in one order, whatever order the notices have.

use hub_core::ids::UserId;
use hub_core::ports::{Append, Appended, Notifications};
use hub_core::rules::notify::Notice;
use hub_core::testing::Sample;
use hub_core::wire::Reason;
use storage::Store;
use uuid::Uuid;

use crate::world::World;

fn tell(mut append: Append, users: impl IntoIterator<Item = u128>) -> Append {
    let notices = users.into_iter().map(|user| Notice { user: UserId::new(Uuid::from_u128(user)), reason: Reason::Mentioned });
    append.events[0].notices = notices.collect();
    append
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_by_two_hubs_at_once_gets_every_number_once_and_nobody_waits_in_a_circle() {
    const TICKETS: usize = 40;
    const ROUNDS: usize = 15;
    const PEOPLE: u128 = 6;
    let world = World::new().await;
    let others = world.db.store().await;
    let mut writers = Vec::new();
    for (store, turn) in [(world.store.clone(), 0), (others, 3)] {
        for at in 0..TICKETS {
            let (store, ticket) = (store.clone(), world.fresh());
            writers.push(tokio::spawn(async move { keep_telling(&store, Sample::of(ticket), turn + at as u128).await }));
        }
    }
    for writer in writers {
        writer.await.expect("every append was written");
    }
    for user in 1..=PEOPLE {
        let user = UserId::new(Uuid::from_u128(user));
        let inbox = world.store.inbox(world.acme, user, None, 10_000).await.expect("answers");
        let numbers: Vec<u64> = inbox.notifications.iter().map(|told| told.seq).collect();
        assert_eq!(numbers, (1..=(2 * TICKETS * ROUNDS) as u64).collect::<Vec<_>>());
    }
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks: i64 = world.db.superuser().await.query_one(sql, &[]).await.expect("answers").get(0);
    assert_eq!(deadlocks, 0);

    async fn keep_telling(store: &Store, mut sample: Sample, turn: u128) {
        let creation = sample.creation();
        sample.write(store, creation).await.expect("answers");
        for round in 0..ROUNDS as u128 {
            let note = sample.note("look");
            let note = tell(note, (0..PEOPLE).map(|at| 1 + (at * 5 + turn + round) % PEOPLE));
            assert!(matches!(sample.write(store, note).await.expect("answers"), Appended::Committed { .. }));
        }
    }
}
