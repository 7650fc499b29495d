//! The truth: every ticket's log, read from scratch by clients that took no part in the run. The newest events come with the
//! snapshot of a fresh subscription, the older ones by REST.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hub_core::ids::TicketId;
use hub_core::wire::{ClientFrame, EventRecord, ServerFrame, Snapshot};
use tokio::task::JoinSet;

use crate::client::asker::Asker;
use crate::client::route::Route;
use crate::fleet::Seat;
use crate::oracle::history::{Fact, View};
use crate::rest;

/// Readers at a time.
const READERS: usize = 4;
/// The pause before reading is tried again.
const AGAIN: Duration = Duration::from_millis(300);

/// The logs of one ticket.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// In the ticket's numbering.
    pub log: Vec<Arc<Fact>>,
    /// In the thread's numbering.
    pub thread: Vec<Arc<Fact>>,
}

impl Truth {
    /// The number of the last event, in the numbering of `view`.
    pub fn head(&self, view: View) -> u64 {
        let log = match view {
            View::Ticket => &self.log,
            View::Thread => &self.thread,
        };
        log.last().map_or(0, |fact| fact.seq)
    }
}

/// Reads the logs of all tickets from scratch: each by one of its agents and by its customer. When a hub is away or busy, each
/// log is tried again for as long as `grace`.
///
/// # Errors
/// In words, when a log cannot be read.
pub async fn read(route: &Route, tickets: &[Vec<Seat>], grace: Duration) -> anyhow::Result<BTreeMap<TicketId, Truth>> {
    let mut jobs: Vec<Vec<Seat>> = vec![Vec::new(); READERS];
    for (index, seats) in tickets.iter().enumerate() {
        let first = |view| seats.iter().find(|seat| seat.view == view).cloned();
        jobs[index % READERS].extend(first(View::Ticket));
        jobs[index % READERS].extend(first(View::Thread));
    }
    let mut readers = JoinSet::new();
    for seats in jobs {
        readers.spawn(read_all(route.clone(), seats, grace));
    }
    let mut truths = BTreeMap::<TicketId, Truth>::new();
    while let Some(read) = readers.join_next().await {
        for (ticket, view, log) in read.context("a reader broke down")?? {
            let truth = truths.entry(ticket).or_default();
            match view {
                View::Ticket => truth.log = log,
                View::Thread => truth.thread = log,
            }
        }
    }
    Ok(truths)
}

type Log = (TicketId, View, Vec<Arc<Fact>>);

async fn read_all(route: Route, seats: Vec<Seat>, grace: Duration) -> anyhow::Result<Vec<Log>> {
    let mut logs = Vec::with_capacity(seats.len());
    for seat in seats {
        let deadline = Instant::now() + grace;
        let log = loop {
            match read_one(&route, &seat).await {
                Ok(log) => break log,
                Err(error) if Instant::now() > deadline => {
                    return Err(error.context(format!("{} cannot be read, so nothing can be judged", seat.topic())));
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        };
        logs.push((seat.ticket, seat.view, log));
    }
    Ok(logs)
}

async fn read_one(route: &Route, seat: &Seat) -> anyhow::Result<Vec<Arc<Fact>>> {
    let mut reader = Asker::open(route).await?;
    reader.hello(&seat.member.token).await.with_context(|| format!("the token of {}", seat.member.email))?;
    let newest = match reader.ask(ClientFrame::Subscribe { topic: seat.topic(), resume: None }).await? {
        ServerFrame::Subscribed { snapshot: Some(Snapshot::Ticket { events, .. }), .. } => events,
        other => bail!("the hub answered subscribe with {other:?}"),
    };
    reader.socket.close().await;
    let records = with_older(route, seat, newest).await?;
    Ok(records.iter().map(|record| Arc::new(Fact::of(record))).collect())
}

/// Puts before the newest events what came before them.
async fn with_older(route: &Route, seat: &Seat, newest: Vec<EventRecord>) -> anyhow::Result<Vec<EventRecord>> {
    let mut pages = vec![newest];
    while let Some(first) = pages.last().and_then(|page| page.first()).map(|record| record.seq).filter(|seq| *seq > 1) {
        let path = format!("/api/v1/tickets/{}/events?before={first}&limit=100", seat.ticket);
        let mut answer = rest::get(&route.endpoint.authority, &path, &seat.member.token).await?;
        let events = answer.get_mut("events").map(serde_json::Value::take).context("the answer holds no `events`")?;
        let mut page: Vec<EventRecord> = serde_json::from_value(events).context("`events` of the answer")?;
        page.sort_by_key(|record| record.seq);
        if page.last().map(|record| record.seq) != Some(first - 1) {
            bail!("{path} does not end with event {}", first - 1);
        }
        pages.push(page);
    }
    Ok(pages.into_iter().rev().flatten().collect())
}
