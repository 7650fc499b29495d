//! The open sockets of this node: for closing those whose sign-in ended, and for saying goodbye before the hub stops.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actors::fanout::{ConnectionId, Cut};
use hub_core::ids::{SessionId, UserId, WorkspaceId};
use hub_core::ports::Accounts;
use hub_core::rules::permissions::Role;
use hub_core::wire::CloseCode;
use parking_lot::Mutex;

use super::kill::KillSwitch;

/// How long a session gets to close itself before its socket is cut.
const CLOSE_WITHIN: Duration = Duration::from_millis(800);
/// How often sign-ins of open sockets are looked at: with the time to close, a revocation acts within two seconds.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How a session is told to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The close code.
    pub code: CloseCode,
    /// In words.
    pub why: &'static str,
    /// Said before closing, with a time to come back after.
    pub goodbye: Option<Duration>,
}

/// One open, greeted socket.
pub struct OpenSocket {
    /// Its sign-in.
    pub session: SessionId,
    /// Where.
    pub workspace: WorkspaceId,
    /// Whose.
    pub user: UserId,
    /// The role it was greeted with.
    pub role: Role,
    /// Tells the session.
    pub end: Box<dyn Fn(Ending) + Send + Sync>,
    /// For a session that does not listen any longer.
    pub kill: KillSwitch,
}

/// The registry. Cheap to clone; every clone is the same registry.
#[derive(Clone, Default)]
pub struct Sockets {
    open: Arc<Mutex<HashMap<ConnectionId, Arc<OpenSocket>>>>,
}

impl Sockets {
    /// Remembers a socket, unless its user has `per_user` already.
    #[must_use]
    pub fn add(&self, connection: ConnectionId, socket: OpenSocket, per_user: usize) -> bool {
        let mut open = self.open.lock();
        let same = |other: &Arc<OpenSocket>| other.user == socket.user && other.workspace == socket.workspace;
        // Counting walks all sockets; only those who open many pay for it.
        if open.len() >= per_user && open.values().filter(|other| same(other)).count() >= per_user {
            return false;
        }
        open.insert(connection, Arc::new(socket));
        true
    }

    /// Forgets a socket that closed.
    pub fn remove(&self, connection: ConnectionId) {
        self.open.lock().remove(&connection);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.open.lock().len()
    }

    /// Closes every socket of a sign-in with 4401; one that does not close itself is cut.
    pub fn close_session(&self, session: SessionId) {
        let sockets = self.all();
        let ended = sockets.into_iter().filter(|(_, socket)| socket.session == session).collect();
        self.end_all(ended, &Ending { code: CloseCode::Unauthenticated, why: "signed out", goodbye: None });
    }

    /// Ends one socket from outside. Who does not read sees the connection break.
    pub fn cut(&self, connection: ConnectionId, cut: Cut) {
        let socket = self.open.lock().get(&connection).map(Arc::clone);
        let sockets = socket.map(|socket| (connection, socket)).into_iter().collect();
        let ending = match cut {
            Cut::TooSlow => Ending { code: CloseCode::TooSlow, why: "too slow", goodbye: None },
            Cut::Lost => {
                Ending { code: CloseCode::Drain, why: "the hub lost its place; come back", goodbye: Some(come_back()) }
            }
        };
        self.end_all(sockets, &ending);
    }

    /// Says goodbye to everybody, in waves spread over `spread`, and waits until they are gone or the time is over.
    pub async fn goodbye(&self, spread: Duration) {
        let sockets = self.all();
        let pause = spread.checked_div(u32::try_from(sockets.len()).unwrap_or(u32::MAX)).unwrap_or(spread);
        for (connection, socket) in sockets {
            let ending = Ending { code: CloseCode::Drain, why: "the hub restarts", goodbye: Some(come_back()) };
            self.end_all(vec![(connection, socket)], &ending);
            tokio::time::sleep(pause).await;
        }
        let patience = tokio::time::Instant::now() + CLOSE_WITHIN * 2;
        while self.count() > 0 && tokio::time::Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Looks at the sign-ins of all open sockets, for ever: those that ended elsewhere, expired or changed their role are
    /// closed. Runs until it is dropped.
    pub async fn watch_sign_ins(self, accounts: Arc<dyn Accounts>) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            let mut by_workspace: HashMap<WorkspaceId, Vec<(SessionId, Role)>> = HashMap::new();
            for (_, socket) in self.all() {
                by_workspace.entry(socket.workspace).or_default().push((socket.session, socket.role));
            }
            for (workspace, mut sessions) in by_workspace {
                sessions.sort_by_key(|(session, _)| *session);
                sessions.dedup();
                match accounts.ended(workspace, sessions).await {
                    Ok(ended) => ended.into_iter().for_each(|session| self.close_session(session)),
                    Err(error) => tracing::warn!(%error, "the sign-ins of open sockets cannot be looked at"),
                }
            }
        }
    }

    fn end_all(&self, sockets: Vec<(ConnectionId, Arc<OpenSocket>)>, ending: &Ending) {
        for (connection, socket) in sockets {
            (socket.end)(ending.clone());
            let registry = self.clone();
            actix_web::rt::spawn(async move {
                tokio::time::sleep(CLOSE_WITHIN).await;
                if registry.open.lock().remove(&connection).is_some() {
                    socket.kill.cut();
                }
            });
        }
    }

    fn all(&self) -> Vec<(ConnectionId, Arc<OpenSocket>)> {
        self.open.lock().iter().map(|(connection, socket)| (*connection, Arc::clone(socket))).collect()
    }
}

/// When to come back: drawn at random, so that not all come at once.
fn come_back() -> Duration {
    Duration::from_millis(rand::random_range(500..3_000))
}
