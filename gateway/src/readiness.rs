//! Whether this node wants visitors, and why not. Alive is something else: a process that answers is alive.

use std::sync::Arc;

use parking_lot::RwLock;

/// Why a node wants no visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// Not everything is up yet.
    Starting,
    /// The database does not answer.
    Database,
    /// On the way out.
    Draining,
}

impl NotReady {
    /// One word for `/readyz`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Database => "database",
            Self::Draining => "draining",
        }
    }
}

/// The state that `/readyz` tells; shared by all who hold a clone. Begins as [`NotReady::Starting`].
#[derive(Clone)]
pub struct Readiness {
    reason: Arc<RwLock<Option<NotReady>>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { reason: Arc::new(RwLock::new(Some(NotReady::Starting))) }
    }
}

impl Readiness {
    /// Why not, or nothing when ready.
    pub fn reason(&self) -> Option<NotReady> {
        *self.reason.read()
    }

    /// Visitors are welcome. Who drains stays draining.
    pub fn ready(&self) {
        self.become_unless_draining(None);
    }

    /// Visitors should go elsewhere. Who drains stays draining.
    pub fn not_ready(&self, why: NotReady) {
        self.become_unless_draining(Some(why));
    }

    fn become_unless_draining(&self, next: Option<NotReady>) {
        let mut reason = self.reason.write();
        if *reason != Some(NotReady::Draining) {
            *reason = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_drains_never_becomes_ready_again() {
        let readiness = Readiness::default();
        assert_eq!(readiness.reason(), Some(NotReady::Starting));
        readiness.ready();
        assert_eq!(readiness.reason(), None);
        readiness.not_ready(NotReady::Draining);
        readiness.ready();
        readiness.not_ready(NotReady::Database);
        assert_eq!(readiness.reason(), Some(NotReady::Draining));
    }
}
