//! What somebody may want of a ticket: who asks, for which steps, and what the rules make of it. Decides, changes nothing.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::audit::Hash;
use super::permissions::{Act, Role, Side, may};
use super::record::Happened;
use super::stale::Numbering;
use super::ticket::TicketState;
use super::workspace::WorkspaceFacts;
use crate::ids::{CommandKey, TeamId, UserId};
use crate::time::UnixMs;
use crate::wire::fields::FieldErrors;
use crate::wire::{Actor, Audience, ErrorCode, Event, FieldPatches, Patch, Priority, Problem, Source};

/// Who wants something: the signed-in person, in the workspace of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Who.
    pub user: UserId,
    /// The name to record.
    pub name: String,
    /// What this person may do.
    pub role: Role,
}

impl Asker {
    /// The asker as the author of an event.
    pub fn actor(&self) -> Actor {
        Actor { kind: self.role.actor_kind(), id: Some(self.user), name: self.name.clone() }
    }

    /// In which numbering this person counts.
    pub const fn numbering(&self) -> Numbering {
        match self.role.side() {
            Side::Customer => Numbering::Thread,
            Side::Staff | Side::Platform => Numbering::Ticket,
        }
    }
}

/// What somebody wants of one ticket: all steps happen, or none does.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// One intent, one effect, for the life of the ticket.
    pub key: CommandKey,
    /// Who wants it.
    pub by: Asker,
    /// In order; at least one.
    pub steps: Vec<Step>,
}

/// One step of an intent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the protocol's client frames")]
pub enum Step {
    /// Open the ticket. Its number is drawn by the hub and is no part of what was asked.
    Create {
        title: String,
        description: String,
        source: Source,
        priority: Priority,
        #[serde(skip)]
        number: u64,
    },
    /// A reply or an internal note.
    PostReply {
        body: String,
        audience: Audience,
        based_on: Option<u64>,
        force: bool,
        /// Left out where there are none: what was asked before there were mentions keeps its digest.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<UserId>,
    },
    /// Move in the workflow.
    ChangeStatus { status: String, based_on: Option<u64>, note: Option<String>, force: bool },
    /// Who is to work on it; what is kept stays.
    Assign { assignee_id: Patch<UserId>, team_id: Patch<TeamId> },
    /// Set fields; refused where a field changed after `based_on`.
    UpdateFields { based_on: u64, patches: FieldPatches },
}

/// Why nothing happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Final, as it stands.
    Problem(Problem),
    /// The asker wrote against an event that is not there: `invalid`, once the log was looked at.
    Ahead,
    /// Something came in between; whoever answers adds the events after `after`.
    Stale {
        /// The position the asker wrote against, in the asker's numbering.
        after: u64,
        /// The fields that changed since; empty for replies and changes of status.
        fields: Vec<String>,
    },
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
/// What an intent leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// At least one; the first carries the key.
    pub events: Vec<Event>,
    /// Something public by someone else came after the asker's position.
    pub missed: bool,
}

impl Intent {
    /// A digest of what was asked: a key that comes again with another digest is another intent.
    ///
    /// # Panics
    /// Never: steps have text keys only.
    pub fn digest(&self) -> Hash {
        let bytes = serde_json::to_vec(&self.steps).expect("steps have text keys only");
        Sha256::digest(bytes).into()
    }

    /// Judges the form, as far as it depends on who asks: before existence, rights and state.
    ///
    /// # Errors
    /// `invalid`, when an agent replies publicly or changes the status without saying what was seen last, or a customer
    /// mentions somebody.
    pub fn check_form(&self) -> Result<(), Problem> {
        let blind = self.by.role.side() == Side::Staff
            && self.steps.iter().any(|step| match step {
                Step::PostReply { audience: Audience::Public, based_on: None, force: false, .. }
                | Step::ChangeStatus { based_on: None, force: false, .. } => true,
                Step::Create { .. }
                | Step::PostReply { .. }
                | Step::ChangeStatus { .. }
                | Step::Assign { .. }
                | Step::UpdateFields { .. } => false,
            });
        if blind {
            return Err(Problem::invalid_field("based_on", "is required: the last seq you saw, or force"));
        }
        let mentions = |step: &Step| matches!(step, Step::PostReply { mentions, .. } if !mentions.is_empty());
        if self.by.role.side() == Side::Customer && self.steps.iter().any(mentions) {
            return Err(Problem::invalid_field("mention_ids", "customers mention nobody"));
        }
        Ok(())
    }

    /// Judges the intent against a ticket that exists, or not yet. Changes nothing.
    ///
    /// # Errors
    /// The first reason against it, in the order existence, rights, state.
    pub fn decide(&self, ticket: Option<&TicketState>, facts: &WorkspaceFacts) -> Result<Decided, Refusal> {
        let Some(ticket) = ticket else { return self.decide_creation(facts) };
        for step in &self.steps {
            may(self.by.role, self.by.user, ticket.requester.id, step.act()).check()?;
        }
        let mut scratch = Scratch { status: ticket.status.clone(), events: Vec::new(), missed: false };
        for step in &self.steps {
            scratch.take(step, &self.by, ticket, facts)?;
        }
        let Scratch { mut events, missed, .. } = scratch;
        if events.is_empty() {
            events.push(Event::NothingChanged {});
        }
        Ok(Decided { events, missed })
    }

    fn decide_creation(&self, facts: &WorkspaceFacts) -> Result<Decided, Refusal> {
        match self.steps.as_slice() {
            [Step::Create { title, description, source, priority, number }] => {
                may(self.by.role, self.by.user, self.by.user, Act::CreateTicket).check()?;
                let created = Event::TicketCreated {
                    title: title.clone(),
                    description: description.clone(),
                    source: *source,
                    number: *number,
                    status: facts.workflow.initial().to_owned(),
                    priority: Some(*priority),
                };
                Ok(Decided { events: vec![created], missed: false })
            }
            _ => Err(Problem::not_found().into()),
        }
    }

    /// Gives decided events their numbers, time and author. `now` is pulled forward so that time never goes back.
    pub fn record(&self, ticket: Option<&TicketState>, decided: Decided, now: UnixMs) -> Vec<Happened> {
        let (mut seq, mut thread_seq, at) = ticket.map_or((0, 0, now), |t| (t.seq, t.thread_seq, now.max(t.updated_at)));
        let number = |(at_index, event): (usize, Event)| {
            seq += 1;
            let public = Happened::is_public(&event);
            thread_seq += u64::from(public);
            Happened {
                seq,
                thread_seq: public.then_some(thread_seq),
                at,
                by: self.by.actor(),
                key: (at_index == 0).then_some(self.key),
                event,
            }
        };
        decided.events.into_iter().enumerate().map(number).collect()
    }
}

impl Step {
    const fn act(&self) -> Act {
        match self {
            Self::Create { .. } => Act::CreateTicket,
            Self::PostReply { audience: Audience::Public, .. } => Act::ReplyPublicly,
            Self::PostReply { audience: Audience::Internal, .. } => Act::WriteNote,
            Self::ChangeStatus { .. } => Act::ChangeStatus,
            Self::Assign { .. } => Act::Assign,
            Self::UpdateFields { .. } => Act::UpdateFields,
        }
    }
}

/// What the steps so far would lead to.
struct Scratch {
    status: String,
    events: Vec<Event>,
    missed: bool,
}

impl Scratch {
    fn take(&mut self, step: &Step, by: &Asker, ticket: &TicketState, facts: &WorkspaceFacts) -> Result<(), Refusal> {
        match step {
            Step::Create { .. } => Err(Problem::invalid_field("key", "made another ticket already").into()),
            Step::PostReply { body, audience, based_on, force, mentions } => {
                if !mentions.iter().all(|user| facts.staff.iter().any(|member| member.id == *user)) {
                    return Err(Problem::invalid_field("mention_ids", "names somebody who is not of the staff here").into());
                }
                let missed = self.judge_position(by, ticket, *based_on, *force, *audience == Audience::Public)?;
                self.missed |= missed;
                self.events.push(Event::ReplyPosted {
                    body: body.clone(),
                    audience: *audience,
                    attachments: Vec::new(),
                    mentions: mentions.clone(),
                    forced: force.then_some(true),
                    missed: missed.then_some(true),
                    truncated: None,
                });
                self.reopen_after_customers_reply(by, facts);
                Ok(())
            }
            Step::ChangeStatus { status, based_on, note, force } => {
                self.judge_position(by, ticket, *based_on, *force, true)?;
                self.change_status(status, note.clone(), *force, facts)
            }
            Step::Assign { assignee_id, team_id } => self.assign(assignee_id, team_id, ticket, facts),
            Step::UpdateFields { based_on, patches } => self.update_fields(*based_on, patches, ticket, facts),
        }
    }

    /// True when the asker missed something public and may go on all the same.
    fn judge_position(
        &self,
        by: &Asker,
        ticket: &TicketState,
        based_on: Option<u64>,
        force: bool,
        refusable: bool,
    ) -> Result<bool, Refusal> {
        let Some(based_on) = based_on else { return Ok(false) };
        let head = match by.numbering() {
            Numbering::Ticket => ticket.seq,
            Numbering::Thread => ticket.thread_seq,
        };
        if based_on > head {
            return Err(Refusal::Ahead);
        }
        let missed = ticket.public_deeds.missed_by(Some(by.user), based_on, by.numbering());
        let refused = missed && refusable && !force && by.role.side() == Side::Staff;
        if refused { Err(Refusal::Stale { after: based_on, fields: Vec::new() }) } else { Ok(missed) }
    }

    /// A customer who writes again wants an answer: what was waiting or done is taken up again.
    fn reopen_after_customers_reply(&mut self, by: &Asker, facts: &WorkspaceFacts) {
        if by.role.side() != Side::Customer {
            return;
        }
        if let Some(to) = facts.workflow.reopened_from(&self.status) {
            let from = std::mem::replace(&mut self.status, to.to_owned());
            self.events.push(Event::StatusChanged { from, to: to.to_owned(), note: None, forced: None });
        }
    }

    fn change_status(&mut self, to: &str, note: Option<String>, force: bool, facts: &WorkspaceFacts) -> Result<(), Refusal> {
        if facts.workflow.status(to).is_none() {
            return Err(Problem::invalid_field("status", "is no status of this workspace").into());
        }
        if to == self.status {
            return Ok(());
        }
        if !facts.workflow.allows(&self.status, to) {
            let words = format!("The workflow does not allow a move from {} to {to}.", self.status);
            let problem = Problem::new(ErrorCode::IllegalTransition, words).with("from", self.status.as_str()).with("to", to);
            return Err(problem.into());
        }
        let from = std::mem::replace(&mut self.status, to.to_owned());
        self.events.push(Event::StatusChanged { from, to: to.to_owned(), note, forced: force.then_some(true) });
        Ok(())
    }

    fn assign(
        &mut self,
        assignee: &Patch<UserId>,
        team: &Patch<TeamId>,
        ticket: &TicketState,
        facts: &WorkspaceFacts,
    ) -> Result<(), Refusal> {
        let assignee_id = patched(assignee, ticket.assignee_id);
        let team_id = patched(team, ticket.team_id);
        let mut errors = FieldErrors::new();
        if matches!(assignee, Patch::Set(id) if !facts.can_be_assigned(*id)) {
            errors.insert("assignee_id".into(), "names nobody who works on tickets here".into());
        }
        if matches!(team, Patch::Set(id) if !facts.teams.iter().any(|(team, _)| team == id)) {
            errors.insert("team_id".into(), "names no team of this workspace".into());
        }
        if !errors.is_empty() {
            return Err(Problem::invalid(errors).into());
        }
        if (assignee_id, team_id) != (ticket.assignee_id, ticket.team_id) {
            self.events.push(Event::Assigned { assignee_id, team_id });
        }
        Ok(())
    }

    fn update_fields(
        &mut self,
        based_on: u64,
        patches: &FieldPatches,
        ticket: &TicketState,
        facts: &WorkspaceFacts,
    ) -> Result<(), Refusal> {
        if based_on > ticket.seq {
            return Err(Refusal::Ahead);
        }
        if matches!(&patches.category_id, Patch::Set(id) if !facts.categories.iter().any(|(category, _)| category == id)) {
            return Err(Problem::invalid_field("category_id", "names no category of this workspace").into());
        }
        let changes = ticket.changes(patches);
        let changed_since = |field: &str| ticket.field_seqs.get(field).is_some_and(|seq| *seq > based_on);
        let stale: Vec<String> =
            changes.iter().filter(|(field, ..)| changed_since(field)).map(|(field, ..)| (*field).to_owned()).collect();
        if !stale.is_empty() {
            return Err(Refusal::Stale { after: based_on, fields: stale });
        }
        self.events.extend(changes.into_iter().map(|(field, from, to)| Event::FieldChanged { field: field.into(), from, to }));
        Ok(())
    }
}

fn patched<T: Copy>(patch: &Patch<T>, current: Option<T>) -> Option<T> {
    match patch {
        Patch::Keep => current,
        Patch::Clear => None,
        Patch::Set(value) => Some(*value),
    }
}
