//! The truth as JSON: every ticket's log, read from scratch by clients that took no part, with every field it holds. The newest
//! events come with the snapshot of a fresh subscription, the older ones by REST.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use hub_core::ids::TicketId;
use serde_json::{Value, json};

use super::actor::Testimony;
use crate::client::line::Line;
use crate::client::route::Route;
use crate::fleet::Seat;
use crate::oracle::history::{Fact, Step, View};
use crate::oracle::together::history::Entry;
use crate::oracle::together::read;
use crate::rest;
use crate::scenario::Setup;

/// Readers at a time.
const READERS: usize = 4;

/// The logs of one ticket, as records of the wire.
#[derive(Debug, Default)]
pub struct Log {
    /// In the ticket's numbering.
    pub ticket: Vec<Value>,
    /// In the thread's; none when no customer took part.
    pub thread: Option<Vec<Value>>,
}

type Facts = Vec<Arc<Fact>>;

impl Log {
    /// As the checks want it: the entries, the same as facts, and the thread.
    ///
    /// # Errors
    /// In words, when an event cannot be read.
    pub fn read(&self, epoch_ms: i64) -> Result<(Vec<Entry>, Facts, Option<Facts>), String> {
        let facts = |records: &[Value]| -> Result<Facts, String> {
            let fact = |record| Fact::read(record).map(Arc::new).ok_or_else(|| format!("cannot read {record}"));
            records.iter().map(fact).collect()
        };
        let entries = self.ticket.iter().map(|record| read::entry(record, epoch_ms)).collect::<Result<_, _>>()?;
        Ok((entries, facts(&self.ticket)?, self.thread.as_deref().map(facts).transpose()?))
    }
}

/// Reads the logs of all tickets from scratch: each by one of its agents and by its customer, if that takes part. When a hub is
/// away or busy, each is tried again for as long as the setup's grace.
///
/// # Errors
/// In words, when a log cannot be read.
pub async fn read(setup: &Setup) -> anyhow::Result<BTreeMap<TicketId, Log>> {
    let route = setup.routes.route(0, 0);
    let firsts = setup.tickets.iter().flat_map(|seats| {
        let first = |view| seats.iter().find(|seat| seat.view == view).cloned();
        first(View::Ticket).into_iter().chain(first(View::Thread))
    });
    let reads = stream::iter(firsts.map(|seat| {
        let route = route.clone();
        async move {
            let deadline = Instant::now() + setup.grace;
            loop {
                match read_one(&route, &seat).await {
                    Ok(log) => break Ok((seat.ticket, seat.view, log)),
                    Err(error) if Instant::now() > deadline => {
                        break Err(error.context(format!("{} cannot be read, so nothing can be judged", seat.topic())));
                    }
                    Err(_) => tokio::time::sleep(super::LOOK).await,
                }
            }
        }
    }));
    let mut logs = BTreeMap::<TicketId, Log>::new();
    for (ticket, view, records) in reads.buffer_unordered(READERS).try_collect::<Vec<_>>().await? {
        let log = logs.entry(ticket).or_default();
        match view {
            View::Ticket => log.ticket = records,
            View::Thread => log.thread = Some(records),
        }
    }
    Ok(logs)
}

async fn read_one(route: &Route, seat: &Seat) -> anyhow::Result<Vec<Value>> {
    let mut line = Line::open(route, &seat.member.token).await?;
    let mut answer = line.ask(json!({"type": "subscribe", "topic": seat.topic()})).await?;
    let Value::Array(newest) = answer["snapshot"]["events"].take() else {
        bail!("the hub answered subscribe with {answer}");
    };
    line.close().await;
    with_older(route, seat, newest).await
}

/// Puts before the newest events what came before them.
async fn with_older(route: &Route, seat: &Seat, newest: Vec<Value>) -> anyhow::Result<Vec<Value>> {
    let seq = |record: &Value| record["seq"].as_u64().unwrap_or(0);
    let mut pages = vec![newest];
    while let Some(first) = pages.last().and_then(|page| page.first()).map(seq).filter(|seq| *seq > 1) {
        let path = format!("/api/v1/tickets/{}/events?before={first}&limit=100", seat.ticket);
        let mut answer = rest::get(&route.endpoint.authority, &path, &seat.member.token).await?;
        let Value::Array(mut page) = answer["events"].take() else { bail!("{path}: the answer holds no `events`") };
        page.sort_by_key(seq);
        if page.last().map(seq) != Some(first - 1) {
            bail!("{path} does not end with event {}", first - 1);
        }
        pages.push(page);
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

/// The database time at which the run began: by the quickest of all events from the database to a device.
pub fn epoch_ms(logs: &BTreeMap<TicketId, Log>, testimonies: &[Testimony]) -> i64 {
    let steps = testimonies.iter().flat_map(|testimony| &testimony.steps);
    let epochs = steps.filter_map(|step| match step {
        Step::Event { fact, at_us } => Some(fact.at_ms.saturating_sub_unsigned(at_us / 1_000)),
        Step::Tail(_) | Step::Reset(_) | Step::Ended(_) => None,
    });
    // Nobody was shown an event while the run went on: then everything is older.
    let newest = || logs.values().filter_map(|log| Some(Fact::read(log.ticket.last()?)?.at_ms)).max();
    epochs.max().or_else(newest).unwrap_or(0)
}

/// A log that cannot be read is told with its ticket.
pub fn told<T>(read: Result<T, String>, ticket: TicketId) -> anyhow::Result<T> {
    read.map_err(anyhow::Error::msg).with_context(|| format!("ticket {ticket}"))
}
