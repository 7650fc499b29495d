//! Rights as one table: who may do what to which ticket. Asked in the actor and in the query, never in a page.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::wire::{ActorKind, ErrorCode, Problem};

/// What a person is in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the platform; never sees ticket content.
    PlatformAdmin,
    /// Everything in the workspace.
    Owner,
    /// Settings, people, all tickets.
    Admin,
    /// Leads teams.
    Manager,
    /// Works on tickets.
    Agent,
    /// Reads, changes nothing.
    Viewer,
    /// Asks for help; sees the public part of the own tickets.
    Customer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] =
        [Self::PlatformAdmin, Self::Owner, Self::Admin, Self::Manager, Self::Agent, Self::Viewer, Self::Customer];

    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PlatformAdmin => "platform_admin",
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
            Self::Customer => "customer",
        }
    }

    /// Which side of the desk: who sees the whole ticket and who sees its thread.
    pub const fn side(self) -> Side {
        match self {
            Self::Owner | Self::Admin | Self::Manager | Self::Agent | Self::Viewer => Side::Staff,
            Self::Customer => Side::Customer,
            Self::PlatformAdmin => Side::Platform,
        }
    }

    /// The capacity in which this role's deeds are recorded.
    pub const fn actor_kind(self) -> ActorKind {
        match self.side() {
            Side::Staff | Side::Platform => ActorKind::Agent,
            Side::Customer => ActorKind::Customer,
        }
    }

    /// True for those to whom tickets can be assigned.
    pub const fn works_on_tickets(self) -> bool {
        match self {
            Self::Owner | Self::Admin | Self::Manager | Self::Agent => true,
            Self::PlatformAdmin | Self::Viewer | Self::Customer => false,
        }
    }
}

impl FromStr for Role {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(())
    }
}

/// Which part of a ticket a role is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The whole ticket, in the ticket's numbering.
    Staff,
    /// The thread of own tickets, in the thread's numbering.
    Customer,
    /// No ticket at all.
    Platform,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Read, watch, list.
    Read,
    /// Open a new ticket.
    CreateTicket,
    /// Write to the customer, or as the customer.
    ReplyPublicly,
    /// Write a note for colleagues.
    WriteNote,
    /// Move the ticket in its workflow.
    ChangeStatus,
    /// Say who works on it.
    Assign,
    /// Set its fields.
    UpdateFields,
    /// Say that one is answering, or no longer.
    Claim,
    /// Be told of what happens to it.
    Follow,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::CreateTicket,
        Self::ReplyPublicly,
        Self::WriteNote,
        Self::ChangeStatus,
        Self::Assign,
        Self::UpdateFields,
        Self::Claim,
        Self::Follow,
    ];
}

/// What the table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allowed,
    /// Seen, but not to be done: `forbidden`.
    Forbidden,
    /// Not to be seen: `not_found`, like a missing one.
    Hidden,
}

impl Verdict {
    /// The verdict as an answer.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`] or [`ErrorCode::NotFound`].
    pub fn check(self) -> Result<(), Problem> {
        match self {
            Self::Allowed => Ok(()),
            Self::Forbidden => Err(Problem::new(ErrorCode::Forbidden, "Your role does not allow this.")),
            Self::Hidden => Err(Problem::not_found()),
        }
    }
}

/// May `role` (as `user`) do `act` to a ticket of `requester` in its own workspace?
/// Another workspace's ticket never gets here: it does not exist for the journal that was asked.
pub fn may(role: Role, user: UserId, requester: UserId, act: Act) -> Verdict {
    use Verdict::{Allowed, Forbidden, Hidden};
    match (role.side(), act) {
        (Side::Platform, _) => Hidden,
        (Side::Customer, _) if user != requester => Hidden,
        (Side::Customer, Act::Read | Act::CreateTicket | Act::ReplyPublicly) => Allowed,
        (Side::Customer, Act::WriteNote | Act::ChangeStatus | Act::Assign | Act::UpdateFields | Act::Claim | Act::Follow) => {
            Forbidden
        }
        (Side::Staff, Act::Read) => Allowed,
        (
            Side::Staff,
            Act::CreateTicket
            | Act::ReplyPublicly
            | Act::WriteNote
            | Act::ChangeStatus
            | Act::Assign
            | Act::UpdateFields
            | Act::Claim
            | Act::Follow,
        ) => {
            if role.works_on_tickets() {
                Allowed
            } else {
                Forbidden
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ME: UserId = UserId::new(Uuid::from_u128(1));
    const OTHER: UserId = UserId::new(Uuid::from_u128(2));

    #[test]
    fn the_table_reads_as_the_product_says() {
        use Verdict::{Allowed, Forbidden, Hidden};
        for act in Act::ALL {
            for role in [Role::Owner, Role::Admin, Role::Manager, Role::Agent] {
                assert_eq!(may(role, ME, OTHER, act), Allowed, "{role:?} {act:?}");
            }
            assert_eq!(may(Role::Viewer, ME, OTHER, act), if act == Act::Read { Allowed } else { Forbidden }, "{act:?}");
            assert_eq!(may(Role::PlatformAdmin, ME, ME, act), Hidden, "{act:?}");
            assert_eq!(may(Role::Customer, ME, OTHER, act), Hidden, "{act:?}");
            let own = match act {
                Act::Read | Act::CreateTicket | Act::ReplyPublicly => Allowed,
                Act::WriteNote | Act::ChangeStatus | Act::Assign | Act::UpdateFields | Act::Claim | Act::Follow => Forbidden,
            };
            assert_eq!(may(Role::Customer, ME, ME, act), own, "{act:?}");
        }
    }

    #[test]
    fn every_role_is_read_by_its_name() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
