//! Workflows as data: which statuses a workspace has, and which moves it allows.

use serde::{Deserialize, Serialize};

/// What a status means to clocks, queues and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StatusKind {
    /// Nobody has begun.
    New,
    /// Somebody is on it.
    Active,
    /// Waiting for somebody else.
    Pending,
    /// Planned for later.
    Scheduled,
    /// Done, may come back.
    Resolved,
    /// Done for good.
    Closed,
}

impl StatusKind {
    /// True for what is not open any longer.
    pub const fn is_done(self) -> bool {
        match self {
            Self::New | Self::Active | Self::Pending | Self::Scheduled => false,
            Self::Resolved | Self::Closed => true,
        }
    }
}

/// One status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Status {
    /// The name in events, lists and filters.
    pub id: String,
    /// The words people see.
    pub label: String,
    /// What it means.
    pub kind: StatusKind,
    /// Whether deadlines stand still in it.
    pub pauses_sla: bool,
    /// Where a ticket may go from here.
    pub moves: Vec<String>,
}

/// The statuses of one workspace, in the order people see them. The first is where tickets begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Workflow {
    /// `simple`, `full`, or a workspace's own.
    pub name: String,
    /// In order.
    pub statuses: Vec<Status>,
    /// Where a customer's reply brings a ticket that was pending, resolved or closed.
    pub reopens_to: String,
}

/// Why a workflow cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    /// There is no status to begin with.
    #[error("a workflow needs at least one status")]
    Empty,
    /// Two statuses of one name.
    #[error("the status {0:?} stands twice")]
    Twice(String),
    /// A move, or the reopening, leads to a status that is not there.
    #[error("{from:?} leads to {to:?}, which is no status")]
    Nowhere {
        /// Where the move begins.
        from: String,
        /// Where it was to end.
        to: String,
    },
}

impl Workflow {
    /// Open → in progress → resolved → closed.
    pub fn simple() -> Self {
        use StatusKind::{Active, Closed, New, Resolved};
        Self::of(
            "simple",
            "open",
            &[
                ("open", "Open", New, &["in_progress", "resolved", "closed"]),
                ("in_progress", "In progress", Active, &["open", "resolved", "closed"]),
                ("resolved", "Resolved", Resolved, &["open", "in_progress", "closed"]),
                ("closed", "Closed", Closed, &["open"]),
            ],
        )
    }

    /// New → assigned → accepted → in progress → scheduled → pending (four kinds) → resolved → closed.
    pub fn full() -> Self {
        use StatusKind::{Active, Closed, New, Pending, Resolved, Scheduled};
        const PENDING: &[&str] = &["in_progress", "resolved", "closed"];
        Self::of(
            "full",
            "in_progress",
            &[
                ("new", "New", New, &["assigned", "accepted", "in_progress", "resolved", "closed"]),
                ("assigned", "Assigned", New, &["new", "accepted", "in_progress", "resolved", "closed"]),
                ("accepted", "Accepted", Active, &["assigned", "in_progress", "scheduled", "resolved", "closed"]),
                (
                    "in_progress",
                    "In progress",
                    Active,
                    &[
                        "assigned",
                        "scheduled",
                        "pending_info",
                        "pending_callback",
                        "pending_parts",
                        "pending_approval",
                        "resolved",
                        "closed",
                    ],
                ),
                ("scheduled", "Scheduled", Scheduled, PENDING),
                ("pending_info", "Pending: information", Pending, PENDING),
                ("pending_callback", "Pending: callback", Pending, PENDING),
                ("pending_parts", "Pending: parts", Pending, PENDING),
                ("pending_approval", "Pending: approval", Pending, PENDING),
                ("resolved", "Resolved", Resolved, &["in_progress", "closed"]),
                ("closed", "Closed", Closed, &["in_progress"]),
            ],
        )
    }

    fn of(name: &str, reopens_to: &str, statuses: &[(&str, &str, StatusKind, &[&str])]) -> Self {
        let status = |&(id, label, kind, moves): &(&str, &str, StatusKind, &[&str])| Status {
            id: id.to_owned(),
            label: label.to_owned(),
            kind,
            pauses_sla: matches!(kind, StatusKind::Pending | StatusKind::Resolved | StatusKind::Closed),
            moves: moves.iter().map(|&to| to.to_owned()).collect(),
        };
        Self { name: name.to_owned(), statuses: statuses.iter().map(status).collect(), reopens_to: reopens_to.to_owned() }
    }

    /// Judges a workflow before it is stored.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), WorkflowError> {
        if self.statuses.is_empty() {
            return Err(WorkflowError::Empty);
        }
        for (at, status) in self.statuses.iter().enumerate() {
            if self.statuses[..at].iter().any(|before| before.id == status.id) {
                return Err(WorkflowError::Twice(status.id.clone()));
            }
            if let Some(to) = status.moves.iter().find(|to| self.status(to).is_none()) {
                return Err(WorkflowError::Nowhere { from: status.id.clone(), to: to.clone() });
            }
        }
        if self.status(&self.reopens_to).is_none() {
            return Err(WorkflowError::Nowhere { from: "a customer's reply".into(), to: self.reopens_to.clone() });
        }
        Ok(())
    }

    /// Where tickets begin.
    pub fn initial(&self) -> &str {
        self.statuses.first().map_or("", |status| &status.id)
    }

    /// The status of that name.
    pub fn status(&self, id: &str) -> Option<&Status> {
        self.statuses.iter().find(|status| status.id == id)
    }

    /// Whether a ticket may go from one status to another. Staying is no move.
    pub fn allows(&self, from: &str, to: &str) -> bool {
        self.status(from).is_some_and(|status| status.moves.iter().any(|m| m == to))
    }

    /// Where a customer's reply moves a ticket in `status`, if it moves it at all.
    pub fn reopened_from(&self, status: &str) -> Option<&str> {
        match self.status(status)?.kind {
            StatusKind::Pending | StatusKind::Resolved | StatusKind::Closed => Some(&self.reopens_to),
            StatusKind::New | StatusKind::Active | StatusKind::Scheduled => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_templates_hold_together() {
        for workflow in [Workflow::simple(), Workflow::full()] {
            assert_eq!(workflow.check(), Ok(()), "{}", workflow.name);
            for status in &workflow.statuses {
                assert!(!status.moves.contains(&status.id), "{} leads to itself", status.id);
                assert!(!status.moves.is_empty(), "{} is a dead end", status.id);
            }
        }
    }

    #[test]
    fn a_workflow_that_leads_nowhere_is_refused() {
        let mut lost = Workflow::simple();
        lost.statuses[0].moves.push("limbo".into());
        assert_eq!(lost.check(), Err(WorkflowError::Nowhere { from: "open".into(), to: "limbo".into() }));
        let mut twice = Workflow::simple();
        twice.statuses.push(twice.statuses[0].clone());
        assert_eq!(twice.check(), Err(WorkflowError::Twice("open".into())));
        assert_eq!(Workflow { statuses: vec![], ..Workflow::simple() }.check(), Err(WorkflowError::Empty));
    }

    #[test]
    fn a_customers_reply_reopens_what_was_waiting_or_done() {
        let full = Workflow::full();
        assert_eq!(full.reopened_from("pending_info"), Some("in_progress"));
        assert_eq!(full.reopened_from("closed"), Some("in_progress"));
        assert_eq!(full.reopened_from("new"), None);
        assert_eq!(Workflow::simple().reopened_from("resolved"), Some("open"));
    }
}
