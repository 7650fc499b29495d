//! Answers that do not arrive: a relay between hub and server keeps them back. Commits happened all the same, and reads hold on
//! to their connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::select;
use hub_core::ports::{Appended, Journal, StoreError};
use hub_core::testing::Sample;
use storage::{Store, StoreConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::world::{World, eventually};

/// What the server says no longer passes while `is_mute`; `cut` ends every connection.
#[derive(Default)]
struct Relay {
    is_mute: AtomicBool,
    cut: Notify,
}

impl Relay {
    /// Listens; answers the port.
    async fn begin(self: &Arc<Self>, server: String) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let relay = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((hub, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let relay = Arc::clone(&relay);
                tokio::spawn(async move {
                    tokio::select! {
                        () = relay.pass(hub, server) => {}
                        () = relay.cut.notified() => {}
                    }
                });
            }
        });
        port
    }

    /// The same; answers how the hub's role reaches the database of `world` through it.
    async fn before(self: &Arc<Self>, world: &World) -> StoreConfig {
        let url = &world.db.app_url;
        let address = url.split('@').nth(1).and_then(|rest| rest.split('/').next()).expect("host and port").to_owned();
        let port = self.begin(address.clone()).await;
        StoreConfig::new(url.replace(&address, &format!("127.0.0.1:{port}")))
    }

    async fn pass(&self, hub: TcpStream, server: TcpStream) {
        let ((mut from_hub, mut to_hub), (mut from_server, mut to_server)) = (hub.into_split(), server.into_split());
        let asking = async { tokio::io::copy(&mut from_hub, &mut to_server).await.map(drop) };
        let answering = async {
            let mut bytes = vec![0; 64 * 1024];
            loop {
                let read = from_server.read(&mut bytes).await?;
                if read == 0 {
                    return Ok(());
                }
                if !self.is_mute.load(Ordering::SeqCst) {
                    to_hub.write_all(&bytes[..read]).await?;
                }
            }
        };
        let _: Result<((), ()), std::io::Error> = tokio::try_join!(asking, answering);
    }
}

async fn events_of(world: &World) -> i64 {
    world.db.superuser().await.query_one("SELECT count(*) FROM events", &[]).await.expect("answers").get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_is_found_by_its_hash_and_not_written_twice() {
    let world = World::new().await;
    let relay = Arc::new(Relay::default());
    let store = Store::connect(relay.before(&world).await, Handle::current()).await.expect("starts through the relay");
    let mut samples: Vec<_> = (0..5).map(|_| Sample::of(world.fresh())).collect();
    for sample in &mut samples {
        let creation = sample.creation();
        assert!(matches!(sample.write(&store, creation).await, Ok(Appended::Committed { .. })));
    }

    relay.is_mute.store(true, Ordering::SeqCst);
    let answers: Vec<_> = samples
        .iter_mut()
        .map(|sample| {
            let reply = sample.reply("did it arrive?");
            store.append(reply)
        })
        .collect();
    // the first of them at least is committed while nobody hears of it; others may still wait in the queue
    eventually("a commit without an answer", async || events_of(&world).await > 5).await;
    relay.is_mute.store(false, Ordering::SeqCst);
    relay.cut.notify_waiters();

    for answer in answers {
        let answer = answer.await;
        assert!(matches!(answer, Ok(Appended::Committed { .. })), "{answer:?}");
    }
    assert_eq!(events_of(&world).await, 10);
    let report = storage::audit::verify_workspace(&world.db.app_url, "acme").await.expect("readable").expect("there");
    assert_eq!((report.broken, report.events), (vec![], 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_too_long_for_a_connection_is_told_that_there_is_no_room_for_nothing_was_asked() {
    let world = World::new().await;
    let relay = Arc::new(Relay::default());
    let config = StoreConfig { pool_size: 1, ..relay.before(&world).await };
    let store = Store::connect(config, Handle::current()).await.expect("starts through the relay");
    let read = || store.load(world.fresh());
    assert!(matches!(read().await, Ok(None)));

    relay.is_mute.store(true, Ordering::SeqCst);
    // one of them has the only connection, and waits longer for its answer than the other for the connection
    let (refused, holder) = select(read(), read()).await.factor_first();
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");

    relay.is_mute.store(false, Ordering::SeqCst);
    relay.cut.notify_waiters();
    drop(holder);
    eventually("the connection is made anew", async || matches!(read().await, Ok(None))).await;
}
