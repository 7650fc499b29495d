//! A ticket in the making with its whole log, and the people around it: for the tests of its rules.
#![allow(dead_code, reason = "each of the tests uses a part of it")]

use hub_core::rules::audit::Link;
use hub_core::rules::intent::{Asker, Circumstances, Intent, Refusal, Step};
use hub_core::rules::permissions::Role;
use hub_core::rules::record::Happened;
use hub_core::rules::ticket::{TicketState, head_hash};
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::testing::{asker, create, key, ticket_key, workspace_facts};
use hub_core::time::UnixMs;
use hub_core::wire::{Audience, Draft, ErrorCode, Event, FieldPatches};

/// A ticket in the making, with its whole log.
pub struct Log {
    pub facts: WorkspaceFacts,
    pub state: Option<TicketState>,
    pub events: Vec<Happened>,
    pub links: Vec<Link>,
    pub now: UnixMs,
    pub keys: u128,
    /// The drafts of whoever acts next.
    pub drafts: Vec<Draft>,
}

/// The ticket.
pub const TICKET: hub_core::ids::TicketKey = ticket_key(1, 2);

pub fn ana() -> Asker {
    asker(Role::Agent, 7)
}
pub fn bo() -> Asker {
    asker(Role::Agent, 9)
}
pub fn cleo() -> Asker {
    asker(Role::Customer, 8)
}
pub fn viewer() -> Asker {
    asker(Role::Viewer, 10)
}

pub fn public(body: &str, based_on: Option<u64>) -> Step {
    Step::PostReply { body: body.into(), audience: Audience::Public, based_on, force: false, mentions: vec![] }
}
pub fn note(based_on: Option<u64>) -> Step {
    Step::PostReply { body: "n".into(), audience: Audience::Internal, based_on, force: false, mentions: vec![] }
}
pub fn status(to: &str, based_on: u64) -> Step {
    Step::ChangeStatus { status: to.into(), based_on: Some(based_on), note: None, force: false }
}
pub fn fields(based_on: u64, change: impl FnOnce(&mut FieldPatches)) -> Step {
    let mut patches = FieldPatches::default();
    change(&mut patches);
    Step::UpdateFields { based_on, patches }
}

impl Log {
    pub fn empty() -> Self {
        let facts = workspace_facts(TICKET.workspace, &[ana(), bo(), viewer()]);
        Self { facts, state: None, events: vec![], links: vec![], now: UnixMs(1_700_000_000_000), keys: 0, drafts: vec![] }
    }

    pub fn created() -> Self {
        let mut log = Self::empty();
        let intent = create(key(999), cleo(), 42);
        log.carry_out(&intent).expect("a customer opens a ticket");
        log
    }

    pub fn wants(&mut self, by: Asker, steps: Vec<Step>) -> Result<Vec<Event>, Refusal> {
        self.keys += 1;
        let intent = Intent { key: key(self.keys), by, steps };
        self.carry_out(&intent)
    }

    pub fn carry_out(&mut self, intent: &Intent) -> Result<Vec<Event>, Refusal> {
        intent.check_form()?;
        let decided = intent.decide(
            self.state.as_ref(),
            Circumstances { drafts: &self.drafts, ..Circumstances::plain(&self.facts, self.now) },
        )?;
        let happened = intent.record(self.state.as_ref(), decided, self.now);
        for event in &happened {
            let sealed = event.seal(TICKET, &head_hash(self.state.as_ref()), [7; 16]);
            self.state = TicketState::replay(self.state.take(), [(event, sealed.hash)]);
            let private = Some((sealed.salt.to_vec(), sealed.private));
            self.links.push(Link {
                seq: event.seq,
                data: sealed.data,
                private,
                commitment: sealed.commitment,
                hash: sealed.hash,
            });
        }
        self.events.extend(happened.iter().cloned());
        Ok(happened.into_iter().map(|h| h.event).collect())
    }

    pub fn state(&self) -> &TicketState {
        self.state.as_ref().expect("created")
    }
}

pub fn code(result: Result<Vec<Event>, Refusal>) -> Result<usize, ErrorCode> {
    match result {
        Ok(events) => Ok(events.len()),
        Err(refusal) => Err(refusal.code()),
    }
}
