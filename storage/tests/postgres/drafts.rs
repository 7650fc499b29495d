//! Drafts that are saved while replies spend them and texts come back: nobody waits for ever, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hub_core::ids::UserId;
use hub_core::ports::{Appended, Drafts};
use hub_core::rules::drafts::{DraftEffect, DraftKey, DraftText, Kept};
use hub_core::testing::Sample;
use hub_core::time::UnixMs;
use hub_core::wire::{Audience, PersonRef};
use uuid::Uuid;

use crate::world::World;

const PEOPLE: u128 = 12;

/// Both drafts of everybody.
fn keys() -> Vec<DraftKey> {
    let user = |number| UserId::new(Uuid::from_u128(number));
    let both = |number| [Audience::Public, Audience::Internal].map(|audience| DraftKey { user: user(number), audience });
    (1..=PEOPLE).flat_map(both).collect()
}

fn text(body: String, key: DraftKey) -> DraftText {
    DraftText { body, based_on: 1, authors: vec![PersonRef { id: key.user, name: "Somebody".into() }] }
}

/// Savings of all drafts, in one order and in the other, race with appends that change all of them: 0 deadlocks, and each text
/// that came back is there, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn savings_and_replies_that_meet_neither_deadlock_nor_lose_a_text() {
    const ROUNDS: usize = 60;
    let world = World::new().await;
    let mut sample = Sample::of(world.fresh());
    let creation = sample.creation();
    assert!(matches!(sample.write(&world.store, creation).await, Ok(Appended::Committed { .. })));
    let (ticket, stop) = (sample.ticket, Arc::new(AtomicBool::new(false)));
    let savers: Vec<_> = [false, true]
        .into_iter()
        .map(|backwards| {
            let (store, stop) = (world.store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let mut next: Vec<Kept> = store.of_ticket(ticket).await.expect("answers");
                    for draft in &mut next {
                        draft.revision += 1;
                        if let Some(text) = &mut draft.text {
                            text.based_on += 1;
                        }
                    }
                    next.sort_by_key(|draft| (draft.key.user, draft.key.audience == Audience::Internal));
                    if backwards {
                        next.reverse();
                    }
                    store.save(ticket, next).await.expect("no deadlock");
                }
            })
        })
        .collect();
    for round in 0..ROUNDS {
        let mut append = sample.note("a carrier");
        let backs = keys().into_iter().map(|key| DraftEffect::GiveBack(key, text(format!("w{round}."), key)));
        append.events[0].drafts = if round % 2 == 0 { backs.collect() } else { backs.rev().collect() };
        let written = sample.write(&world.store, append).await;
        assert!(matches!(written, Ok(Appended::Committed { .. })), "{written:?}");
    }
    stop.store(true, Ordering::Relaxed);
    for saver in savers {
        saver.await.expect("no deadlock");
    }
    let drafts = world.store.of_ticket(ticket).await.expect("answers");
    assert_eq!(drafts.len(), keys().len());
    for draft in drafts {
        let body = draft.text.expect("nobody spent it").body;
        for round in 0..ROUNDS {
            assert_eq!(body.matches(&format!("w{round}.")).count(), 1, "round {round} of {:?}", draft.key);
        }
    }
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks: i64 = world.db.superuser().await.query_one(sql, &[]).await.expect("answers").get(0);
    assert_eq!(deadlocks, 0);
}

/// What was written may be taken away for good; what is left counts on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_draft_is_one_without_a_text() {
    let world = World::new().await;
    let (ticket, key) = (world.fresh(), keys()[0]);
    let kept = Kept { key, revision: 1, updated_at: UnixMs(1_000), text: Some(text("personal".into(), key)) };
    assert_eq!(world.store.save(ticket, vec![kept.clone()]).await.expect("answers"), [key]);
    let erase = "UPDATE drafts SET body = NULL, based_on = NULL, authors = NULL";
    assert_eq!(world.db.superuser().await.execute(erase, &[]).await.expect("erasable"), 1);
    let left = world.store.of_ticket(ticket).await.expect("answers");
    assert_eq!(left, [Kept { text: None, ..kept.clone() }]);
    assert_eq!(world.store.save(ticket, vec![Kept { revision: 2, ..kept }]).await.expect("answers"), [key]);
}
