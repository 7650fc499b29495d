//! What waits to be written: one line per tenant, bounded together, served in turn, so that no tenant's flood delays another.

use std::collections::{HashMap, HashSet, VecDeque};

use hub_core::ids::WorkspaceId;
use hub_core::ports::{Append, Appended, StoreError};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

/// Appends that may wait.
const MAX_APPENDS: usize = 8_192;
/// Bytes of events that may wait.
const MAX_BYTES: usize = 64 << 20;
/// Bytes of events in one batch; a single append may be larger.
const BATCH_BYTES: usize = 4 << 20;

/// An append on its way, and who waits for its answer.
pub(super) struct Pending {
    pub(super) append: Append,
    pub(super) answer: oneshot::Sender<Result<Appended, StoreError>>,
    bytes: usize,
}

impl Pending {
    /// Answers; nobody may be listening any more.
    pub(super) fn answer(self, answer: Result<Appended, StoreError>) {
        let _ = self.answer.send(answer);
    }
}

/// The queue between all callers and the writer.
pub(crate) struct Queue {
    lines: Mutex<Lines>,
    changed: Notify,
}

#[derive(Default)]
struct Lines {
    of_tenant: HashMap<WorkspaceId, VecDeque<Pending>>,
    /// Tenants with a line, next one first.
    turns: VecDeque<WorkspaceId>,
    appends: usize,
    bytes: usize,
    state: State,
}

#[derive(Clone, Default)]
enum State {
    #[default]
    Open,
    /// The database has been away for too long: refuses at once, with the reason.
    Down(String),
    /// Takes nothing more; what waits is still written.
    Closed,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self { lines: Mutex::default(), changed: Notify::new() }
    }

    /// Puts an append at the end of its tenant's line. The answer comes whether or not anybody waits for it.
    pub(crate) fn push(&self, append: Append) -> Result<oneshot::Receiver<Result<Appended, StoreError>>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let bytes = append.events.iter().map(|event| event.sealed.data.len() + event.sealed.private.len()).sum();
        let mut lines = self.lines.lock();
        match &lines.state {
            State::Open => {}
            State::Down(reason) => return Err(StoreError::Unavailable(reason.clone())),
            State::Closed => return Err(StoreError::Unavailable("the hub is stopping".into())),
        }
        if lines.appends >= MAX_APPENDS || (lines.bytes + bytes > MAX_BYTES && lines.appends > 0) {
            return Err(StoreError::Full);
        }
        lines.push(Pending { append, answer, bytes });
        lines.tell();
        drop(lines);
        self.changed.notify_one();
        Ok(answered)
    }

    /// The next batch: at most `max` appends, one per ticket, tenants in turn. None when closed and empty.
    pub(super) async fn take(&self, max: usize) -> Option<Vec<Pending>> {
        loop {
            {
                let mut lines = self.lines.lock();
                let batch = lines.take(max);
                lines.tell();
                if !batch.is_empty() {
                    return Some(batch);
                }
                if matches!(lines.state, State::Closed) {
                    drop(lines);
                    // the next writer has to see it too
                    self.changed.notify_one();
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Refuses everything that waits and everything that comes, until [`Queue::up`].
    pub(super) fn down(&self, reason: &str) {
        let waiting = {
            let mut lines = self.lines.lock();
            if matches!(lines.state, State::Open) {
                lines.state = State::Down(reason.to_owned());
            }
            let all = lines.take_all();
            lines.tell();
            all
        };
        for pending in waiting {
            pending.answer(Err(StoreError::Unavailable(reason.to_owned())));
        }
    }

    /// The database is back.
    pub(super) fn up(&self) {
        let mut lines = self.lines.lock();
        if matches!(lines.state, State::Down(_)) {
            lines.state = State::Open;
        }
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        self.lines.lock().state = State::Closed;
        self.changed.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.lines.lock().state, State::Closed)
    }
}

impl Lines {
    /// How many wait, for whoever watches the hub.
    fn tell(&self) {
        metrics::gauge!("tandem_journal_queue_appends").set(u32::try_from(self.appends).map_or(f64::MAX, f64::from));
    }

    fn push(&mut self, pending: Pending) {
        let workspace = pending.append.ticket.workspace;
        self.appends += 1;
        self.bytes += pending.bytes;
        let line = self.of_tenant.entry(workspace).or_default();
        if line.is_empty() {
            self.turns.push_back(workspace);
        }
        line.push_back(pending);
    }

    /// In turn, the first of each line; a tenant whose next append is to a ticket of this batch waits for the next one.
    fn take(&mut self, max: usize) -> Vec<Pending> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let (mut tickets, mut waiting) = (HashSet::new(), VecDeque::new());
        while batch.len() < max && bytes < BATCH_BYTES {
            let Some(workspace) = self.turns.pop_front() else { break };
            let line = self.of_tenant.entry(workspace).or_default();
            let is_new = line.front().is_some_and(|pending| tickets.insert(pending.append.ticket));
            let Some(pending) = line.pop_front_if(|_| is_new) else {
                waiting.push_back(workspace);
                continue;
            };
            if line.is_empty() {
                self.of_tenant.remove(&workspace);
            } else {
                self.turns.push_back(workspace);
            }
            self.appends -= 1;
            self.bytes -= pending.bytes;
            bytes += pending.bytes;
            batch.push(pending);
        }
        waiting.append(&mut self.turns);
        self.turns = waiting;
        batch
    }

    fn take_all(&mut self) -> Vec<Pending> {
        (self.appends, self.bytes) = (0, 0);
        self.turns.clear();
        self.of_tenant.drain().flat_map(|(_, line)| line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::testing::{Sample, ticket_key};

    fn push(queue: &Queue, workspace: u128, ticket: u128) -> Result<(), StoreError> {
        queue.push(Sample::of(ticket_key(workspace, ticket)).creation()).map(drop)
    }

    fn taken(queue: &Queue, max: usize) -> Vec<(u128, u128)> {
        let batch = queue.lines.lock().take(max);
        batch.iter().map(|p| (p.append.ticket.workspace.uuid().as_u128(), p.append.ticket.ticket.uuid().as_u128())).collect()
    }

    #[test]
    fn a_flood_of_one_tenant_does_not_delay_another() {
        let queue = Queue::new();
        for ticket in 1..=5 {
            push(&queue, 1, ticket).expect("room");
        }
        push(&queue, 2, 1).expect("room");
        assert_eq!(taken(&queue, 3), [(1, 1), (2, 1), (1, 2)]);
        assert_eq!(taken(&queue, 9), [(1, 3), (1, 4), (1, 5)]);
        assert_eq!(taken(&queue, 9), []);
    }

    #[test]
    fn a_ticket_is_in_a_batch_once_and_keeps_its_order() {
        let queue = Queue::new();
        for (workspace, ticket) in [(1, 1), (1, 1), (1, 2), (2, 1)] {
            push(&queue, workspace, ticket).expect("room");
        }
        assert_eq!(taken(&queue, 9), [(1, 1), (2, 1)]);
        assert_eq!(taken(&queue, 9), [(1, 1), (1, 2)]);
    }

    #[test]
    fn a_full_queue_refuses_and_has_room_again_when_it_is_served() {
        let queue = Queue::new();
        for ticket in 0..MAX_APPENDS as u128 {
            push(&queue, 1, ticket).expect("room");
        }
        assert!(matches!(push(&queue, 2, 1), Err(StoreError::Full)));
        assert_eq!(taken(&queue, 256).len(), 256);
        push(&queue, 2, 1).expect("room again");
    }

    #[test]
    fn while_the_database_is_away_everything_is_refused_at_once() {
        let queue = Queue::new();
        let mut waiting = queue.push(Sample::of(ticket_key(1, 1)).creation()).expect("room");
        queue.down("away");
        assert!(matches!(waiting.try_recv(), Ok(Err(StoreError::Unavailable(_)))));
        assert!(matches!(push(&queue, 1, 2), Err(StoreError::Unavailable(_))));
        queue.up();
        push(&queue, 1, 2).expect("back");
        assert_eq!(taken(&queue, 9), [(1, 2)]);
    }
}
