//! What a workspace has decided about itself, as far as the rules of a ticket ask.

use serde::{Deserialize, Serialize};

use super::permissions::Role;
use super::workflow::Workflow;
use crate::ids::{CategoryId, TeamId, UserId, WorkspaceId};

/// The facts of one workspace: read when a ticket is activated, and anew from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceFacts {
    /// Which.
    pub id: WorkspaceId,
    /// Its short name at sign-in.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What stands before a ticket's number, such as `TKT`.
    pub number_prefix: String,
    /// Its statuses and moves.
    pub workflow: Workflow,
    /// Everybody of the staff who is active, by name.
    pub staff: Vec<StaffMember>,
    /// Its teams: id and name, by name.
    pub teams: Vec<(TeamId, String)>,
    /// Its categories: id and name, by name.
    pub categories: Vec<(CategoryId, String)>,
}

/// Somebody of the staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// Who.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// What this person may do.
    pub role: Role,
}

impl WorkspaceFacts {
    /// True when tickets can be given to `user`.
    pub fn can_be_assigned(&self, user: UserId) -> bool {
        self.staff.iter().any(|member| member.id == user && member.role.works_on_tickets())
    }

    /// The number people say: prefix and number.
    pub fn ticket_number(&self, number: u64) -> String {
        format!("{}-{number}", self.number_prefix)
    }
}
