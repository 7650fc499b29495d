//! The writer: takes what queued while the last commit ran, writes it as one statement, answers. Owns one connection.
//!
//! A batch that the server refuses for what one row holds is tried append by append, so that the bad one fails alone. A commit
//! that was not answered is settled over a new connection by looking for our own hashes. A server that stays away makes
//! everything `Unavailable`, at once, until it is back.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hub_core::ids::StreamId;
use hub_core::ports::{Append, Appended, StoreError};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use tokio_postgres::{Client, Error as PgError};

use super::fence::Fence;
use super::queue::{Pending, Queue};
use super::settle::{Fate, settle};
use crate::connect::{Connection, Connector};
use crate::error::{describe, is_about_a_row, unavailable};
use crate::tenant::Failed;
use crate::{DbClock, sql};

/// How long the server may be away before waiting appends are answered.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an answer may take: the server gives up after 5 s, the rest is for a connection that went silent.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// Pauses between attempts to connect: doubling from the first to the last.
const PAUSES: [Duration; 2] = [Duration::from_millis(25), Duration::from_secs(1)];

/// One writer. Several may serve one queue; the fence keeps them apart.
pub(crate) struct Writer {
    pub(crate) queue: Arc<Queue>,
    pub(crate) connector: Connector,
    pub(crate) clock: Arc<DbClock>,
    pub(crate) stream: Arc<RwLock<StreamId>>,
    /// Appends in one transaction.
    pub(crate) max_batch: usize,
}

/// A connection with its statements.
struct Link {
    connection: Connection,
    fence: Fence,
}

/// What is known about the appends at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    /// None of them was ever sent.
    New,
    /// Sent, not answered: look before writing.
    InDoubt,
    /// Looked up and not there; but the first attempt may have been on its way still.
    Repeated,
}

impl Writer {
    /// Serves the queue until it is closed and empty.
    pub(crate) async fn run(self) {
        let mut link = None;
        while let Some(batch) = self.queue.take(self.max_batch).await {
            self.serve(&mut link, batch).await;
        }
    }

    /// Answers every append of the batch.
    async fn serve(&self, link: &mut Option<Link>, mut batch: Vec<Pending>) {
        let (mut knowledge, mut trouble) = (Knowledge::New, None);
        while !batch.is_empty() {
            let Some(ready) = self.connected(link, &mut trouble).await else {
                return self.give_up(link, batch).await;
            };
            match self.attempt(ready, &mut batch, knowledge).await {
                Ok(next) => knowledge = next,
                Err(Failed::RolledBack(error)) if batch.len() > 1 && is_about_a_row(&error) => {
                    tracing::warn!(error = describe(&error), appends = batch.len(), "a batch failed; trying one by one");
                    for one in std::mem::take(&mut batch) {
                        Box::pin(self.serve(link, vec![one])).await;
                    }
                }
                Err(Failed::RolledBack(error)) => return refuse(batch, &error),
                Err(Failed::Unknown(error)) => {
                    tracing::warn!(error, appends = batch.len(), "a commit was not answered; looking it up");
                    *link = None;
                    trouble.get_or_insert_with(Trouble::now);
                    knowledge = Knowledge::InDoubt;
                }
            }
        }
    }

    /// One step with a connection: looks up what is in doubt, else writes. What has its answer leaves the batch.
    async fn attempt(&self, link: &Link, batch: &mut Vec<Pending>, knowledge: Knowledge) -> Result<Knowledge, Failed> {
        let work = async {
            let client = &link.connection.client;
            let appends: Vec<&Append> = batch.iter().map(|pending| &pending.append).collect();
            match knowledge {
                Knowledge::New => {
                    let written = link.fence.append(client, &self.clock, &appends).await?;
                    Ok(appends
                        .iter()
                        .map(|a| written.get(&a.ticket).map_or(Fate::Overtaken, |done| Fate::Written(done.clone())))
                        .collect())
                }
                Knowledge::InDoubt => settle(&link.fence, client, &appends).await,
                Knowledge::Repeated => {
                    let written = link.fence.append(client, &self.clock, &appends).await?;
                    // who is absent now may have been written by the first attempt after all
                    let fates = settle(&link.fence, client, &appends).await?;
                    let fate = |(append, fate): (&&Append, Fate)| {
                        written.get(&append.ticket).map_or(fate, |done| Fate::Written(done.clone()))
                    };
                    let over = |fate| if matches!(fate, Fate::NotWritten) { Fate::Overtaken } else { fate };
                    Ok(appends.iter().zip(fates).map(fate).map(over).collect())
                }
            }
        };
        let late = |_| Err(Failed::Unknown("no answer in time".into()));
        let fates: Vec<Fate> = tokio::time::timeout(ANSWER_WITHIN, work).await.unwrap_or_else(late)?;
        let open = std::mem::take(batch).into_iter().zip(fates).filter_map(|(pending, fate)| tell(pending, fate));
        *batch = open.collect();
        Ok(Knowledge::Repeated)
    }

    /// The connection, made anew when it is gone; none when the server stays away longer than patience lasts.
    async fn connected<'a>(&self, link: &'a mut Option<Link>, trouble: &mut Option<Trouble>) -> Option<&'a Link> {
        if link.as_ref().is_some_and(|link| link.connection.client.is_closed()) {
            *link = None;
        }
        while link.is_none() {
            let trouble = trouble.get_or_insert_with(Trouble::now);
            if trouble.since.elapsed() > PATIENCE {
                return None;
            }
            match self.open().await {
                Ok(opened) => *link = Some(opened),
                Err(error) => trouble.pause(&error).await,
            }
        }
        let is_too_late = trouble.as_ref().is_some_and(|trouble| trouble.since.elapsed() > 2 * PATIENCE);
        link.as_ref().filter(|_| !is_too_late)
    }

    async fn open(&self) -> Result<Link, PgError> {
        let connection = self.connector.open().await?;
        let fence = Fence::prepare(&connection.client).await?;
        *self.stream.write() = stream_of(&connection.client, &self.clock).await?;
        Ok(Link { connection, fence })
    }

    /// Tells everybody that the outcome is unknown, and refuses at once whatever comes, until the server is back.
    async fn give_up(&self, link: &mut Option<Link>, batch: Vec<Pending>) {
        let reason = "the database does not answer";
        for pending in batch {
            pending.answer(Err(StoreError::Unavailable(reason.into())));
        }
        self.queue.down(reason);
        tracing::error!("{reason}; refusing writes until it does");
        *link = None;
        let mut trouble = Trouble::now();
        while link.is_none() && !self.queue.is_closed() {
            match self.open().await {
                Ok(opened) => *link = Some(opened),
                Err(error) => trouble.pause(&error).await,
            }
        }
        self.queue.up();
        tracing::info!("the database answers again");
    }
}

/// Answers what is decided; gives back what has to be written again.
fn tell(pending: Pending, fate: Fate) -> Option<Pending> {
    match fate {
        Fate::Written(done) => {
            trace(&pending.append, "an append was written");
            pending.answer(Ok(done.into()));
        }
        Fate::Overtaken => {
            trace(&pending.append, "an append was overtaken by another owner, or its key was used");
            pending.answer(Ok(Appended::Refused));
        }
        Fate::NotWritten => return Some(pending),
    }
    None
}

/// One line per command, for those who follow one through the log.
fn trace(append: &Append, what: &'static str) {
    for (event, key) in append.events.iter().filter_map(|event| Some((event, event.key?))) {
        tracing::debug!(ticket = %append.ticket.ticket, key = %key.key, seq = event.happened.seq, "{what}");
    }
}

/// The server said no: for ever, when it is about what a row holds.
fn refuse(batch: Vec<Pending>, error: &PgError) {
    tracing::error!(error = describe(error), appends = batch.len(), "the database refuses to write");
    for pending in batch {
        pending.answer(Err(if is_about_a_row(error) { StoreError::Unreadable(describe(error)) } else { unavailable(error) }));
    }
}

/// A server that does not answer: since when, and how long to wait before the next try.
struct Trouble {
    since: Instant,
    pause: Duration,
}

impl Trouble {
    fn now() -> Self {
        Self { since: Instant::now(), pause: PAUSES[0] }
    }

    /// Waits, with jitter, longer each time.
    async fn pause(&mut self, error: &PgError) {
        tracing::warn!(error = describe(error), "no connection to the database; trying again");
        tokio::time::sleep(self.pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        self.pause = (self.pause * 2).min(PAUSES[1]);
    }
}

/// The life of the log, as the server tells it now.
pub(crate) async fn stream_of(client: &Client, clock: &DbClock) -> Result<StreamId, PgError> {
    let asked = Instant::now();
    let row = client.query_one(sql::JOURNAL_STREAM, &[]).await?;
    let at: SystemTime = row.try_get("at")?;
    clock.heard(asked, Instant::now(), at);
    let (system, database, restores): (i64, i64, i64) =
        (row.try_get("system")?, row.try_get("database")?, row.try_get("restores")?);
    let timeline: &str = row.try_get("timeline")?;
    let digest = Sha256::digest(format!("tandem stream {system} {timeline} {database} {restores}"));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    Ok(StreamId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid()))
}
