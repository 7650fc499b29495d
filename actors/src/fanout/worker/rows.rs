//! Which sockets of this worker want to know who is at which tickets of their lists.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use hub_core::ids::{TicketId, WorkspaceId};
use hub_core::rules::permissions::Side;
use hub_core::wire::{Problem, ServerFrame, Topic};

use super::{Fanout, WatchRows};
use crate::fanout::{ConnectionId, Frame, TopicKey, slot};
use crate::metrics;
use crate::workspace::WorkspaceMessage;

/// Rows by socket and by ticket.
#[derive(Default)]
pub(super) struct Rows {
    of_socket: HashMap<ConnectionId, (WorkspaceId, Vec<TicketId>)>,
    watched: HashMap<(WorkspaceId, TicketId), HashSet<ConnectionId>>,
}

impl Rows {
    /// These rows, in place of those before.
    fn replace(&mut self, connection: ConnectionId, workspace: WorkspaceId, tickets: Vec<TicketId>) {
        self.forget(connection);
        for ticket in &tickets {
            self.watched.entry((workspace, *ticket)).or_default().insert(connection);
        }
        if !tickets.is_empty() {
            self.of_socket.insert(connection, (workspace, tickets));
        }
    }

    /// The socket wants to know of no row any longer.
    pub fn forget(&mut self, connection: ConnectionId) {
        let Some((workspace, tickets)) = self.of_socket.remove(&connection) else { return };
        for ticket in tickets {
            let key = (workspace, ticket);
            if let Some(sockets) = self.watched.get_mut(&key) {
                sockets.remove(&connection);
                if sockets.is_empty() {
                    self.watched.remove(&key);
                }
            }
        }
    }
}

impl Fanout {
    /// A client's `watch_rows`: acked, and then told who is there.
    pub(super) fn watch_rows(&mut self, WatchRows { connection, id, tickets }: WatchRows) {
        let Some(entry) = self.connections.get(&connection) else { return };
        if entry.by.role.side() != Side::Staff || !entry.topics.contains_key(&Topic::Workspace) {
            let problem = Problem::invalid_field("ticket_ids", "are the rows of a list: subscribe to workspace first");
            return entry.send(&ServerFrame::error(Some(id), problem));
        }
        self.rows.replace(connection, entry.workspace, tickets);
        entry.send(&ServerFrame::Ack { id, seq: None, result: serde_json::Map::new() });
        self.ask_for_rows(connection);
    }

    /// Asks the workspace who is at the rows of a socket: when they change, and whenever the socket begins anew with the topic.
    pub(super) fn ask_for_rows(&self, connection: ConnectionId) {
        let (Some((workspace, tickets)), Some(worker)) = (self.rows.of_socket.get(&connection), self.handle.clone()) else {
            return;
        };
        let ask = WorkspaceMessage::Rows { tickets: tickets.clone(), connection, worker };
        if self.tickets.send_to_workspace(*workspace, ask).is_err() {
            tracing::debug!(%workspace, "a workspace had no room to say who is at some rows; each tells with its next change");
        }
    }

    /// Somebody came to a ticket, went, or does something else there.
    pub(super) fn row(&self, key: TopicKey, ticket: TicketId, frame: &Frame) {
        let Some(sockets) = self.rows.watched.get(&(key.workspace, ticket)) else { return };
        for connection in sockets {
            self.push_row(key, *connection, ticket, frame);
        }
    }

    /// Who is at the rows of one socket.
    pub(super) fn rows(&self, key: TopicKey, connection: ConnectionId, rows: &[(TicketId, Arc<Frame>)]) {
        for (ticket, frame) in rows {
            // It may look at other rows by now.
            if self.rows.watched.get(&(key.workspace, *ticket)).is_some_and(|sockets| sockets.contains(&connection)) {
                self.push_row(key, connection, *ticket, frame);
            }
        }
    }

    fn push_row(&self, key: TopicKey, connection: ConnectionId, ticket: TicketId, frame: &Frame) {
        // Only who watches the lists, as of now, is told.
        let is_watching = self.watched.get(&key).is_some_and(|watched| watched.connections.contains(&connection));
        if let Some(entry) = self.connections.get(&connection).filter(|_| is_watching) {
            entry.outbox.push_signal(self.slots.hash_one(key.topic), slot::presence(ticket), frame.bytes(entry.codec));
            metrics::queued("signal", 1);
        }
    }
}
