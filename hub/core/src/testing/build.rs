//! Builders: people, workspaces, intents and appends in one line each.

use uuid::Uuid;

use crate::ids::{CommandKey, TeamId, TicketId, TicketKey, UserId, WorkspaceId};
use crate::ports::{Append, Journal, StoreError};
use crate::rules::intent::{Asker, Circumstances, Intent, Step};
use crate::rules::permissions::Role;
use crate::rules::record::Happened;
use crate::rules::ticket::TicketState;
use crate::rules::workflow::Workflow;
use crate::rules::workspace::{StaffMember, WorkspaceFacts};
use crate::time::UnixMs;
use crate::wire::{Audience, Priority, Source};

/// A ticket of workspace `workspace`, by small numbers.
pub const fn ticket_key(workspace: u128, ticket: u128) -> TicketKey {
    TicketKey { workspace: WorkspaceId::new(Uuid::from_u128(workspace)), ticket: TicketId::new(Uuid::from_u128(ticket)) }
}

/// A key by a small number.
pub const fn key(number: u128) -> CommandKey {
    CommandKey::new(Uuid::from_u128(number))
}

/// The person with number `user`, named after it.
pub fn asker(role: Role, user: u128) -> Asker {
    Asker { user: UserId::new(Uuid::from_u128(user)), name: format!("{} {user}", role.name()), role }
}

/// A workspace with the simple workflow, one team (1) and `staff` in it.
pub fn workspace_facts(id: WorkspaceId, staff: &[Asker]) -> WorkspaceFacts {
    let member = |asker: &Asker| StaffMember { id: asker.user, name: asker.name.clone(), role: asker.role };
    WorkspaceFacts {
        id,
        slug: "acme".into(),
        name: "Acme".into(),
        number_prefix: "TKT".into(),
        workflow: Workflow::simple(),
        staff: staff.iter().map(member).collect(),
        teams: vec![(TeamId::new(Uuid::from_u128(1)), "First".into())],
        categories: Vec::new(),
    }
}

/// The intent to open a ticket with this number.
pub fn create(key: CommandKey, by: Asker, number: u64) -> Intent {
    let step = Step::Create {
        title: "The door does not open".into(),
        description: "It makes a sound, but that is all.".into(),
        source: Source::Web,
        priority: Priority::P3,
        number,
    };
    Intent { key, by, steps: vec![step] }
}

/// The intent to write something that was based on `based_on`.
pub fn reply(key: CommandKey, by: Asker, body: &str, audience: Audience, based_on: Option<u64>) -> Intent {
    Intent { key, by, steps: vec![Step::PostReply { body: body.into(), audience, based_on, force: false, mentions: vec![] }] }
}

/// What `intent` would append to `ticket`; the salt is made of the key.
///
/// # Panics
/// When the rules refuse the intent.
pub fn appended(
    ticket: TicketKey,
    state: Option<&TicketState>,
    intent: &Intent,
    facts: &WorkspaceFacts,
    now: UnixMs,
) -> Append {
    let decided = intent.decide(state, Circumstances::plain(facts, now)).expect("a test wants only what is allowed");
    let salt = *intent.key.uuid().as_bytes();
    Append::of_intent(ticket, state, intent, decided, now, || salt).expect("a ticket, or the making of one")
}

/// The numbers of events, in their order.
pub fn by_seq(events: &[Happened]) -> Vec<u64> {
    events.iter().map(|happened| happened.seq).collect()
}

/// One ticket and what is needed to go on with it: remembers its state from append to append.
pub struct Sample {
    /// The ticket.
    pub ticket: TicketKey,
    /// Its workspace.
    pub facts: WorkspaceFacts,
    /// An agent (user 7).
    pub agent: Asker,
    /// Its requester (user 8).
    pub customer: Asker,
    /// As of the last append that was committed through [`Sample::write`].
    pub state: Option<TicketState>,
    now: UnixMs,
    keys: u128,
}

impl Sample {
    /// A ticket that is not made yet.
    pub fn of(ticket: TicketKey) -> Self {
        let (agent, customer) = (asker(Role::Agent, 7), asker(Role::Customer, 8));
        let facts = workspace_facts(ticket.workspace, std::slice::from_ref(&agent));
        Self { ticket, facts, agent, customer, state: None, now: UnixMs(1_700_000_000_123), keys: 0 }
    }

    /// A key this ticket has not seen.
    pub fn fresh_key(&mut self) -> CommandKey {
        self.keys += 1;
        key(self.keys)
    }

    /// The append that makes the ticket. Its number is its own: taken from its id, and another each time it is made.
    ///
    /// # Panics
    /// Never.
    pub fn creation(&mut self) -> Append {
        let key = self.fresh_key();
        let number = ((self.ticket.ticket.uuid().as_u128() & 0xFFFF_FFFF_FFFF) << 8) | (self.keys & 0xFF);
        let number = u64::try_from(number).expect("56 bits fit");
        let intent = create(key, self.customer.clone(), number);
        self.append_of(&intent)
    }

    /// The append of a public reply by the agent, based on the head.
    pub fn reply(&mut self, body: &str) -> Append {
        let head = self.state.as_ref().map(|state| state.seq);
        let intent = reply(self.fresh_key(), self.agent.clone(), body, Audience::Public, head);
        self.append_of(&intent)
    }

    /// The append of a note by the agent.
    pub fn note(&mut self, body: &str) -> Append {
        let intent = reply(self.fresh_key(), self.agent.clone(), body, Audience::Internal, None);
        self.append_of(&intent)
    }

    /// The append of any intent; a second later than the one before.
    pub fn append_of(&mut self, intent: &Intent) -> Append {
        self.now = UnixMs(self.now.0 + 1_000);
        appended(self.ticket, self.state.as_ref(), intent, &self.facts, self.now)
    }

    /// Writes an append and remembers the state when it was committed.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn write(&mut self, journal: &dyn Journal, append: Append) -> Result<crate::ports::Appended, StoreError> {
        let state = (*append.state).clone();
        let appended = journal.append(append).await?;
        if matches!(appended, crate::ports::Appended::Committed { .. }) {
            self.state = Some(state);
        }
        Ok(appended)
    }
}
