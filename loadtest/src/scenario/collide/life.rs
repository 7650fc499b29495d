//! A device's life on the network: connects, serves the connection, loses it (or cuts it on purpose), comes back.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rand::RngExt;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::actor::{Actor, Testimony};
use super::{Order, Reached};
use crate::client::TurnedAway;
use crate::client::life::Backoff;
use crate::client::route::Routes;
use crate::client::socket::{Incoming, Socket};

/// What a device lives by.
#[derive(Debug)]
pub struct Surroundings {
    /// How it gets to the hub.
    pub routes: Arc<Routes>,
    /// Which of the run's devices it is.
    pub index: usize,
    /// What the run asks.
    pub(super) orders: watch::Receiver<Order>,
    /// Where it tells how far it got.
    pub(super) reached: watch::Sender<Reached>,
    /// How long it waits before it connects again.
    pub backoff: Backoff,
}

/// How a connection ended.
enum Ended {
    Ordered,
    Cut { with_reset: bool },
    Dropped,
}

/// Lives until ordered to end.
///
/// # Errors
/// When the hub will not have this device.
pub async fn live(mut actor: Actor, mut around: Surroundings) -> Result<Testimony, TurnedAway> {
    let mut failures = 0;
    while *around.orders.borrow() != Order::End {
        let asked = match Socket::open(&around.routes.route(around.index, failures)).await {
            Ok(socket) => {
                failures = if serve(&mut actor, &mut around, socket).await? { 0 } else { failures + 1 };
                actor.take_stay_away()
            }
            Err(error) => {
                actor.company().tally.fail_to_connect(&error.kind());
                failures += 1;
                error.retry_after()
            }
        };
        let pause = around.backoff.pause(failures, asked, actor.rng());
        // Ordered to end, the pause ends too.
        let _ = timeout(pause, around.orders.wait_for(|order| *order == Order::End)).await;
    }
    Ok(actor.finish())
}

/// Serves one connection to its end; true when it got as far as a place.
async fn serve(actor: &mut Actor, around: &mut Surroundings, mut socket: Socket) -> Result<bool, TurnedAway> {
    let mut was_seated = false;
    let ended = talk(actor, around, &mut socket, &mut was_seated).await;
    let now_us = actor.company().clock.now_us();
    let tally = Arc::clone(&actor.company().tally);
    match ended? {
        Ended::Ordered => {
            // Nothing is lost by going home: what has no answer by now never got one.
            socket.close().await;
            return Ok(true);
        }
        Ended::Cut { with_reset } => {
            tally.cut.fetch_add(1, Relaxed);
            if with_reset { socket.reset() } else { socket.hang_up().await }
        }
        Ended::Dropped => {
            tally.dropped.fetch_add(1, Relaxed);
        }
    }
    actor.disconnected(now_us);
    tell(actor, around);
    Ok(was_seated)
}

async fn talk(
    actor: &mut Actor,
    around: &mut Surroundings,
    socket: &mut Socket,
    was_seated: &mut bool,
) -> Result<Ended, TurnedAway> {
    actor.connected();
    let cut_at = next_cut(actor);
    let with_reset = actor.rng().random_bool(0.5);
    loop {
        let order = *around.orders.borrow();
        let now_us = actor.company().clock.now_us();
        match order {
            Order::Sit => actor.send_again(now_us),
            Order::Act => actor.act(now_us),
            Order::Settle => {
                actor.settle();
                actor.act(now_us);
            }
            Order::Rejoin => {
                actor.send_again(now_us);
                actor.rejoin(now_us);
            }
            Order::End => return Ok(Ended::Ordered),
        }
        let frames = actor.take_out();
        if !frames.is_empty() && socket.send_values(&frames).await.is_err() {
            return Ok(Ended::Dropped);
        }
        tell(actor, around);
        *was_seated |= actor.reached().is_seated;
        let act_at = actor.act_at_us().filter(|_| order == Order::Act);
        let act_at = act_at.into_iter().chain(actor.again_at_us()).min();
        let act_at = act_at.map(|at_us| actor.company().clock.instant(at_us));
        let cut_at = cut_at.filter(|_| order == Order::Act);
        tokio::select! {
            incoming = socket.next() => {
                let bytes = match &incoming {
                    Incoming::Text(text) => text.as_bytes(),
                    Incoming::Binary(bytes) => bytes.as_ref(),
                    Incoming::Closed(code) => {
                        if let Some(code) = code {
                            actor.company().tally.close(*code);
                        }
                        return Ok(Ended::Dropped);
                    }
                    Incoming::Broken => return Ok(Ended::Dropped),
                };
                let now_us = actor.company().clock.now_us();
                match socket.codec().decode::<Value>(bytes) {
                    Ok(frame) => actor.hear(&frame, now_us)?,
                    Err(error) => actor.odd(format!("a frame of {} bytes that cannot be read: {error}", bytes.len())),
                }
            }
            () = at(act_at) => {}
            () = at(cut_at) => return Ok(Ended::Cut { with_reset }),
            changed = around.orders.changed() => {
                if changed.is_err() {
                    return Ok(Ended::Ordered);
                }
            }
        }
    }
}

/// Exponential waiting times: as many cuts right after connecting as at any other time.
fn next_cut(actor: &mut Actor) -> Option<Instant> {
    let mean = actor.company().collide.cut_every;
    let uniform: f64 = actor.rng().random_range(0.0..1.0);
    (mean < Duration::MAX).then(|| Instant::now() + mean.mul_f64(-(1.0 - uniform).ln()))
}

fn tell(actor: &Actor, around: &Surroundings) {
    let reached = actor.reached();
    around.reached.send_if_modified(|told| {
        let is_news = *told != reached;
        *told = reached;
        is_news
    });
}

/// Waits for an instant; for ever when there is none.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
