//! A hub that serves: up, until it is told to stop, and then down in the order in which nobody loses anything.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use anyhow::{Context, Result};
use gateway::{Doors, NotReady};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::wiring::{self, Wired};
use crate::{demo, readiness};

/// Clients get this long to leave, whatever they do: a stop takes 30 s at most.
const LEAVE_WITHIN: Duration = Duration::from_secs(25);
/// What then still waits to be written gets this long.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);
/// Sockets are said goodbye to over this time at most, so that not all come back at once…
const GOODBYES_OVER: Duration = Duration::from_secs(10);
/// …and a few need less.
const PER_GOODBYE: Duration = Duration::from_millis(5);

/// Serves until SIGTERM or SIGINT. Blocks.
///
/// # Errors
/// When the hub cannot start; in words for the one who starts it.
pub fn until_signalled(config: &Config) -> Result<()> {
    run(config, signalled, |address, _| {
        tracing::info!(%address, "the hub is ready");
    })
}

/// Serves until `stop` is done. `ready` is told the address and the doors once requests are answered. Blocks.
///
/// # Errors
/// When the hub cannot start.
pub fn run<S, F>(config: &Config, stop: S, ready: impl FnOnce(SocketAddr, &Doors)) -> Result<()>
where
    S: FnOnce() -> F,
    F: Future<Output = ()>,
{
    let io = wiring::io_runtime()?;
    let system = actix_web::rt::System::new();
    system.block_on(async {
        let wired = wiring::join(config, io.handle()).await?;
        demo::refuse_on_a_network(config.bind, wired.doors.accounts.as_ref()).await?;
        serve(config, wired, stop, ready).await
    })?;
    io.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

async fn serve<S, F>(config: &Config, wired: Wired, stop: S, ready: impl FnOnce(SocketAddr, &Doors)) -> Result<()>
where
    S: FnOnce() -> F,
    F: Future<Output = ()>,
{
    let Wired { doors, listener, store } = wired;
    let address = listener.local_addr().context("the listener has no address")?;
    let server = gateway::serve(doors.clone(), listener).context("the HTTP server cannot start")?;
    let handle = server.handle();
    let mut running = actix_web::rt::spawn(server);
    let sign_ins = actix_web::rt::spawn(doors.sockets.clone().watch_sign_ins(doors.accounts.clone()));
    let database = actix_web::rt::spawn(readiness::watch(doors.readiness.clone(), doors.accounts.clone()));
    doors.readiness.ready();
    ready(address, &doors);
    tokio::select! {
        () = stop() => {}
        ended = &mut running => return ended.context("the HTTP server died")?.context("the HTTP server failed"),
    }
    database.abort();
    if timeout(LEAVE_WITHIN, drain(config, &doors, &handle)).await.is_err() {
        tracing::warn!("not everybody left in time; what is left is cut");
        // Not awaited: an ungraceful stop is immediate, and the process ends after it anyway.
        drop(handle.stop(false));
    }
    sign_ins.abort();
    running.abort();
    if timeout(FLUSH_WITHIN, store.close()).await.is_err() {
        tracing::error!("the journal did not finish in time");
    }
    Ok(())
}

/// Not ready, nobody new, goodbye to those who are here, the last requests, out.
async fn drain(config: &Config, doors: &Doors, handle: &ServerHandle) {
    let began = Instant::now();
    doors.readiness.not_ready(NotReady::Draining);
    sleep(Duration::from_millis(config.drain_notice_ms.into())).await;
    handle.pause().await;
    let sockets = doors.sockets.count();
    let spread = PER_GOODBYE.saturating_mul(u32::try_from(sockets).unwrap_or(u32::MAX)).min(GOODBYES_OVER);
    tracing::info!(sockets, "the hub is stopping");
    doors.sockets.goodbye(spread).await;
    handle.stop(true).await;
    tracing::info!(ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX), "the hub has stopped");
}

async fn signalled() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("this system delivers no signals; only a kill ends this hub");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
