//! Chains are followed from the first event to the head, and whatever was tampered with is named.

use hub_core::ports::Appended;
use hub_core::rules::audit::Broken;
use hub_core::testing::Sample;
use storage::audit::{Fault, Report, verify_workspace};

use crate::world::World;

async fn filled(world: &World, tickets: usize) -> Vec<Sample> {
    let mut samples = Vec::new();
    for _ in 0..tickets {
        let mut sample = Sample::of(world.fresh());
        let creation = sample.creation();
        assert!(matches!(sample.write(&world.store, creation).await, Ok(Appended::Committed { .. })));
        for body in ["one", "two", "three"] {
            let reply = sample.reply(body);
            assert!(matches!(sample.write(&world.store, reply).await, Ok(Appended::Committed { .. })));
        }
        samples.push(sample);
    }
    samples
}

async fn report(world: &World) -> Report {
    verify_workspace(&world.db.app_url, "acme").await.expect("readable").expect("there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_journal_wrote_verifies_also_after_an_erasure() {
    let world = World::new().await;
    filled(&world, 5).await;
    let found = report(&world).await;
    assert_eq!((found.tickets, found.events, found.erased, found.holds()), (5, 20, 0, true));
    world
        .db
        .superuser()
        .await
        .batch_execute("UPDATE events SET private = NULL, salt = NULL WHERE seq = 2")
        .await
        .expect("erased");
    let found = report(&world).await;
    assert_eq!((found.events, found.erased, found.holds()), (20, 5, true));
    assert_eq!(verify_workspace(&world.db.owner_url, "acme").await.expect("readable"), Some(found));
    assert_eq!(verify_workspace(&world.db.app_url, "nowhere").await.expect("readable"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_tampered_with_is_named() {
    let world = World::new().await;
    let tickets: Vec<_> = filled(&world, 6).await.iter().map(|sample| sample.ticket.ticket).collect();
    let superuser = world.db.superuser().await;
    let changes = [
        "UPDATE events SET data = replace(convert_from(data, 'UTF8'), 'agent', 'Agent')::bytea WHERE ticket_id = $1 AND seq = 3",
        "UPDATE events SET private = private || 'x'::bytea WHERE ticket_id = $1 AND seq = 2",
        "DELETE FROM events WHERE ticket_id = $1 AND seq = 2",
        "DELETE FROM events WHERE ticket_id = $1 AND seq = 4",
        "DELETE FROM tickets WHERE id = $1",
    ];
    for (change, ticket) in changes.iter().zip(&tickets) {
        assert_eq!(superuser.execute(*change, &[&ticket.uuid()]).await.expect("a change"), 1);
    }
    let mut expected = vec![
        (tickets[0], Fault::Chain(Broken::Hash { seq: 3 })),
        (tickets[1], Fault::Chain(Broken::Private { seq: 2 })),
        (tickets[2], Fault::Chain(Broken::Gap { expected: 2, found: 3 })),
        (tickets[3], Fault::Chain(Broken::Head { head: 4, found: 3 })),
        (tickets[4], Fault::Orphan),
    ];
    let mut broken = report(&world).await.broken;
    broken.sort_by_key(|(ticket, _)| *ticket);
    expected.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(broken, expected);
}
