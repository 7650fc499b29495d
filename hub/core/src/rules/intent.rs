//! What somebody may want of a ticket: who asks, for which steps, and what the rules make of it. Decides, changes nothing.

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::audit::Hash;
use super::permissions::{Act, Role, Side, may};
use super::record::Happened;
use super::stale::Numbering;
use super::ticket::TicketState;
use super::workspace::WorkspaceFacts;
use super::{claim, handoff, held, tags};
use crate::ids::{CommandKey, TeamId, UserId};
use crate::time::UnixMs;
use crate::wire::client::ReplyFields;
use crate::wire::fields::FieldErrors;
use crate::wire::{
    Actor, ActorKind, Audience, Draft, ErrorCode, Event, FieldPatches, HandoffDraft, Held, Patch, PersonRef, Priority, Problem,
    Source,
};

/// People who may follow one ticket.
const MOST_WATCHERS: usize = 200;

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
    /// The asker by name.
    pub fn person(&self) -> PersonRef {
        PersonRef { id: self.user, name: self.name.clone() }
    }

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
    /// A reply or an internal note that is to be held back; at most so long, in milliseconds.
    HoldReply {
        body: String,
        audience: Audience,
        based_on: Option<u64>,
        force: bool,
        mentions: Vec<UserId>,
        then_status: Option<String>,
        hold_ms: u64,
    },
    /// Take a held reply back.
    CancelHeld { held_key: CommandKey },
    /// Give the ticket to a colleague or a team. Exactly one of the two.
    HandOver { to_id: Option<UserId>, to_team_id: Option<TeamId>, note: String, with_draft: bool },
    /// What was handed over has been seen.
    AcknowledgeHandoff,
    /// Add and remove tags.
    ChangeTags { add: Vec<String>, remove: Vec<String> },
    /// Follow the ticket, or no longer.
    Watch { on: bool },
    /// Answer the customer from now on.
    TakeClaim { force: bool },
    /// Answer no longer.
    ReleaseClaim { force: bool },
    /// The hub's own: the time of a held reply has come. In its author's name.
    ReleaseHeld { held_key: CommandKey },
    /// The hub's own: the lease that began then ran out. In its holder's name.
    ExpireClaim { since: UnixMs },
}

/// What an intent is judged by, beside the ticket.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// What the workspace decided about itself.
    pub facts: &'a WorkspaceFacts,
    /// Database time.
    pub now: UnixMs,
    /// The asker's own drafts on this ticket, as they are stored.
    pub drafts: &'a [Draft],
}

impl<'a> Circumstances<'a> {
    /// Without drafts.
    pub const fn plain(facts: &'a WorkspaceFacts, now: UnixMs) -> Self {
        Self { facts, now, drafts: &[] }
    }

    fn draft(&self, audience: Audience) -> Option<&'a Draft> {
        self.drafts.iter().find(|draft| draft.audience == audience)
    }

    /// Who wrote the asker's draft, where that was not the asker alone.
    fn draft_authors(&self, by: &Asker, audience: Audience) -> Vec<PersonRef> {
        let authors = self.draft(audience).map(|draft| draft.authors.clone()).unwrap_or_default();
        if authors.iter().all(|author| author.id == by.user) { Vec::new() } else { authors }
    }
}

/// Why nothing happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Final, as it stands.
    Problem(Problem),
    /// The asker wrote against an event that is not there: `invalid`, once the log was looked at.
    Ahead,
    /// Somebody else is answering.
    Claimed {
        /// Who.
        by: PersonRef,
        /// When the lease ends, as the log tells; whoever answers knows of renewals.
        until: UnixMs,
    },
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
                | Step::HoldReply { audience: Audience::Public, based_on: None, force: false, .. }
                | Step::ChangeStatus { based_on: None, force: false, .. } => true,
                Step::HoldReply { then_status: Some(_), based_on: None, force: false, .. } => true,
                Step::Create { .. }
                | Step::PostReply { .. }
                | Step::HoldReply { .. }
                | Step::ChangeStatus { .. }
                | Step::Assign { .. }
                | Step::UpdateFields { .. }
                | Step::CancelHeld { .. }
                | Step::HandOver { .. }
                | Step::AcknowledgeHandoff
                | Step::ChangeTags { .. }
                | Step::Watch { .. }
                | Step::TakeClaim { .. }
                | Step::ReleaseClaim { .. }
                | Step::ReleaseHeld { .. }
                | Step::ExpireClaim { .. } => false,
            });
        if blind {
            return Err(Problem::invalid_field("based_on", "is required: the last seq you saw, or force"));
        }
        let mentions = |step: &Step| matches!(step, Step::PostReply { mentions, .. } if !mentions.is_empty());
        if self.by.role.side() == Side::Customer && self.steps.iter().any(mentions) {
            return Err(Problem::invalid_field("mention_ids", "customers mention nobody"));
        }
        let holds = |step: &Step| matches!(step, Step::HoldReply { .. });
        if self.by.role.side() == Side::Customer && self.steps.iter().any(holds) {
            return Err(Problem::invalid_field("hold_ms", "customers hold nothing back"));
        }
        Ok(())
    }

    /// Judges the intent against a ticket that exists, or not yet. Changes nothing.
    ///
    /// # Errors
    /// The first reason against it, in the order existence, rights, state.
    pub fn decide(&self, ticket: Option<&TicketState>, around: Circumstances<'_>) -> Result<Decided, Refusal> {
        let Some(ticket) = ticket else { return self.decide_creation(around.facts) };
        for act in self.steps.iter().filter_map(Step::act) {
            may(self.by.role, self.by.user, ticket.requester.id, act).check()?;
        }
        let mut scratch = Scratch { status: ticket.status.clone(), events: Vec::new(), missed: false };
        for step in &self.steps {
            scratch.take(step, &self.by, ticket, around)?;
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
            let by = match event {
                // Time did it.
                Event::ClaimExpired { .. } => Actor { kind: ActorKind::System, id: None, name: "Tandem".into() },
                _ => self.by.actor(),
            };
            Happened { seq, thread_seq: public.then_some(thread_seq), at, by, key: (at_index == 0).then_some(self.key), event }
        };
        decided.events.into_iter().enumerate().map(number).collect()
    }
}

impl Step {
    /// The steps of a reply: held back with its change of status, or both at once.
    pub fn of_reply(reply: ReplyFields) -> Vec<Self> {
        let ReplyFields { body, audience, based_on, force, then_status, mention_ids: mentions, hold_ms } = reply;
        if let Some(hold_ms) = hold_ms {
            return vec![Self::HoldReply { body, audience, based_on, force, mentions, then_status, hold_ms }];
        }
        let then = then_status.map(|status| Self::ChangeStatus { status, based_on, note: None, force });
        std::iter::once(Self::PostReply { body, audience, based_on, force, mentions }).chain(then).collect()
    }

    /// What it is to be allowed; none for what the hub does by itself.
    const fn act(&self) -> Option<Act> {
        match self {
            Self::Create { .. } => Some(Act::CreateTicket),
            Self::PostReply { audience: Audience::Public, .. } | Self::HoldReply { audience: Audience::Public, .. } => {
                Some(Act::ReplyPublicly)
            }
            Self::PostReply { audience: Audience::Internal, .. } | Self::HoldReply { audience: Audience::Internal, .. } => {
                Some(Act::WriteNote)
            }
            Self::ChangeStatus { .. } => Some(Act::ChangeStatus),
            Self::Assign { .. } | Self::HandOver { .. } | Self::AcknowledgeHandoff => Some(Act::Assign),
            Self::UpdateFields { .. } | Self::ChangeTags { .. } => Some(Act::UpdateFields),
            Self::CancelHeld { .. } => Some(Act::WriteNote),
            Self::Watch { .. } => Some(Act::Follow),
            Self::TakeClaim { .. } | Self::ReleaseClaim { .. } => Some(Act::Claim),
            Self::ReleaseHeld { .. } | Self::ExpireClaim { .. } => None,
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
    fn take(&mut self, step: &Step, by: &Asker, ticket: &TicketState, around: Circumstances<'_>) -> Result<(), Refusal> {
        let Circumstances { facts, now, .. } = around;
        match step {
            Step::Create { .. } => Err(Problem::invalid_field("key", "made another ticket already").into()),
            Step::PostReply { body, audience, based_on, force, mentions } => {
                check_mentions(mentions, facts)?;
                let missed = self.judge_reply(by, ticket, *audience, *based_on, *force)?;
                self.missed |= missed;
                self.events.push(Event::ReplyPosted {
                    body: body.clone(),
                    audience: *audience,
                    attachments: Vec::new(),
                    mentions: mentions.clone(),
                    forced: force.then_some(true),
                    missed: missed.then_some(true),
                    truncated: None,
                    draft_authors: around.draft_authors(by, *audience),
                    held_key: None,
                });
                if *audience == Audience::Public {
                    self.events.extend(claim::after_sending(ticket, by));
                }
                self.reopen_after_customers_reply(by, facts);
                Ok(())
            }
            Step::HoldReply { body, audience, based_on, force, mentions, then_status, hold_ms } => {
                check_mentions(mentions, facts)?;
                self.judge_reply(by, ticket, *audience, *based_on, *force)?;
                if let Some(status) = then_status {
                    // Said now rather than when it is too late: a move that cannot be made.
                    self.judge_change(by, ticket, *based_on, *force)?;
                    check_move(&self.status, status, facts)?;
                }
                if !held::has_room(&ticket.held, body) {
                    return Err(Problem::new(ErrorCode::LimitReached, "Too many replies of this ticket are held back.").into());
                }
                self.events.push(Event::ReplyHeld {
                    body: body.clone(),
                    audience: *audience,
                    mentions: mentions.clone(),
                    then_status: then_status.clone(),
                    based_on: *based_on,
                    forced: force.then_some(true),
                    release_at: now.max(ticket.updated_at) + Duration::from_millis(*hold_ms),
                    draft_authors: around.draft_authors(by, *audience),
                });
                Ok(())
            }
            Step::CancelHeld { held_key } => self.cancel_held(*held_key, by, ticket),
            Step::ReleaseHeld { held_key } => {
                self.release_held(*held_key, by, ticket, facts);
                Ok(())
            }
            Step::ChangeStatus { status, based_on, note, force } => {
                self.judge_change(by, ticket, *based_on, *force)?;
                self.change_status(status, note.clone(), *force, facts)
            }
            Step::Assign { assignee_id, team_id } => self.assign(assignee_id, team_id, ticket, facts),
            Step::HandOver { to_id, to_team_id, note, with_draft } => {
                let draft = around.draft(Audience::Public).filter(|draft| *with_draft && !draft.body.trim().is_empty());
                let draft = draft.map(|Draft { body, based_on, authors, .. }| HandoffDraft {
                    body: body.clone(),
                    based_on: *based_on,
                    authors: authors.clone(),
                });
                self.hand_over((*to_id, *to_team_id), note, draft, by, ticket, around)
            }
            Step::AcknowledgeHandoff => self.acknowledge(by, ticket),
            Step::UpdateFields { based_on, patches } => self.update_fields(*based_on, patches, ticket, facts),
            Step::ChangeTags { add, remove } => {
                self.events.extend(tags::change(&ticket.tags, add, remove)?);
                Ok(())
            }
            Step::Watch { on } => {
                if ticket.watchers.contains(&by.user) != *on {
                    if *on && ticket.watchers.len() >= MOST_WATCHERS {
                        return Err(Problem::new(ErrorCode::LimitReached, "Too many follow this ticket.").into());
                    }
                    self.events.push(Event::Watched { user_id: by.user, on: *on });
                }
                Ok(())
            }
            Step::TakeClaim { force } => {
                self.events.extend(claim::take(ticket.claim.as_deref(), by, *force, now.max(ticket.updated_at))?);
                Ok(())
            }
            Step::ReleaseClaim { force } => {
                self.events.extend(claim::release(ticket.claim.as_deref(), by, *force)?);
                Ok(())
            }
            Step::ExpireClaim { since } => {
                self.events.extend(claim::expire(ticket.claim.as_deref(), *since));
                Ok(())
            }
        }
    }

    /// May a reply go out that was based on this? True when its author missed something and may go on all the same.
    fn judge_reply(
        &self,
        by: &Asker,
        ticket: &TicketState,
        audience: Audience,
        based_on: Option<u64>,
        force: bool,
    ) -> Result<bool, Refusal> {
        let is_public = audience == Audience::Public;
        let missed = self.judge_position(by, ticket, based_on, force, is_public)?;
        if is_public && !force && by.role.side() == Side::Staff {
            claim::judge(ticket, by)?;
        }
        Ok(missed)
    }

    /// May the status be changed?
    fn judge_change(&self, by: &Asker, ticket: &TicketState, based_on: Option<u64>, force: bool) -> Result<(), Refusal> {
        self.judge_position(by, ticket, based_on, force, true)?;
        if force { Ok(()) } else { claim::judge(ticket, by) }
    }

    fn cancel_held(&mut self, held_key: CommandKey, by: &Asker, ticket: &TicketState) -> Result<(), Refusal> {
        match held::find(&ticket.held, held_key) {
            None => Err(Problem::new(ErrorCode::IllegalTransition, "It is not held back any longer.").into()),
            Some(held) if held.by.id != by.user => {
                Err(Problem::new(ErrorCode::Forbidden, "Only its author takes a held reply back.").into())
            }
            Some(_) => {
                self.events.push(Event::HeldCancelled { held_key, why: None });
                Ok(())
            }
        }
    }

    /// Judges a held reply anew: it goes out, or becomes its author's draft again.
    fn release_held(&mut self, held_key: CommandKey, by: &Asker, ticket: &TicketState, facts: &WorkspaceFacts) {
        let Some(held) = held::find(&ticket.held, held_key) else { return };
        let before = self.events.len();
        if let Err(refusal) = self.send_held(held, by, ticket, facts) {
            self.events.truncate(before);
            self.events.push(Event::HeldCancelled { held_key, why: Some(refusal.code()) });
        }
    }

    fn send_held(&mut self, held: &Held, by: &Asker, ticket: &TicketState, facts: &WorkspaceFacts) -> Result<(), Refusal> {
        if !facts.can_be_assigned(by.user) {
            return Err(Problem::new(ErrorCode::Forbidden, "Its author works here no longer.").into());
        }
        let missed = self.judge_reply(by, ticket, held.audience, held.based_on, held.forced)?;
        self.missed |= missed;
        self.events.push(Event::ReplyPosted {
            body: held.body.clone(),
            audience: held.audience,
            attachments: Vec::new(),
            mentions: held.mentions.clone(),
            forced: held.forced.then_some(true),
            missed: missed.then_some(true),
            truncated: None,
            draft_authors: held.draft_authors.clone(),
            held_key: Some(held.key),
        });
        if let Some(status) = &held.then_status {
            self.judge_change(by, ticket, held.based_on, held.forced)?;
            self.change_status(status, None, held.forced, facts)?;
        }
        if held.audience == Audience::Public {
            self.events.extend(claim::after_sending(ticket, by));
        }
        Ok(())
    }

    fn hand_over(
        &mut self,
        (to_id, to_team_id): (Option<UserId>, Option<TeamId>),
        note: &str,
        draft: Option<HandoffDraft>,
        by: &Asker,
        ticket: &TicketState,
        around: Circumstances<'_>,
    ) -> Result<(), Refusal> {
        let Circumstances { facts, now, .. } = around;
        if to_id == Some(by.user) {
            return Err(Problem::invalid_field("to_id", "is yourself").into());
        }
        if to_id.is_some_and(|to| !facts.can_be_assigned(to)) {
            return Err(Problem::invalid_field("to_id", "names nobody who works on tickets here").into());
        }
        if to_team_id.is_some_and(|to| facts.teams.iter().all(|(team, _)| *team != to)) {
            return Err(Problem::invalid_field("to_team_id", "names no team of this workspace").into());
        }
        if draft.as_ref().is_some_and(|draft| !handoff::has_room(ticket.handoff.as_deref(), draft)) {
            let words = "The drafts that would come along are too long together.";
            return Err(Problem::new(ErrorCode::LimitReached, words).into());
        }
        self.events.push(Event::HandedOver { from_id: by.user, to_id, to_team_id, note: note.to_owned(), draft });
        let team_id = to_team_id.or(ticket.team_id);
        if (to_id, team_id) != (ticket.assignee_id, ticket.team_id) {
            self.events.push(Event::Assigned { assignee_id: to_id, team_id });
        }
        let to = facts.staff.iter().find(|member| Some(member.id) == to_id);
        let to = to.map(|member| PersonRef { id: member.id, name: member.name.clone() });
        self.events.extend(claim::after_handover(ticket, by, to, now.max(ticket.updated_at)));
        Ok(())
    }

    fn acknowledge(&mut self, by: &Asker, ticket: &TicketState) -> Result<(), Refusal> {
        let Some(handoff) = &ticket.handoff else { return Ok(()) };
        if handoff.to_id.is_some_and(|to| to != by.user && handoff.from.id != by.user) {
            return Err(Problem::new(ErrorCode::Forbidden, "It was handed over to somebody else.").into());
        }
        self.events.push(Event::HandoffAcknowledged {});
        if handoff.to_id.is_none() && ticket.assignee_id.is_none() {
            self.events.push(Event::Assigned { assignee_id: Some(by.user), team_id: ticket.team_id });
        }
        Ok(())
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
        check_move(&self.status, to, facts)?;
        if to == self.status {
            return Ok(());
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

fn check_move(from: &str, to: &str, facts: &WorkspaceFacts) -> Result<(), Refusal> {
    if facts.workflow.status(to).is_none() {
        return Err(Problem::invalid_field("status", "is no status of this workspace").into());
    }
    if from == to || facts.workflow.allows(from, to) {
        return Ok(());
    }
    let words = format!("The workflow does not allow a move from {from} to {to}.");
    Err(Problem::new(ErrorCode::IllegalTransition, words).with("from", from).with("to", to).into())
}

fn check_mentions(mentions: &[UserId], facts: &WorkspaceFacts) -> Result<(), Refusal> {
    if mentions.iter().all(|user| facts.staff.iter().any(|member| member.id == *user)) {
        return Ok(());
    }
    Err(Problem::invalid_field("mention_ids", "names somebody who is not of the staff here").into())
}

impl Refusal {
    /// The code that clients would read.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Problem(problem) => problem.code,
            Self::Ahead => ErrorCode::Invalid,
            Self::Claimed { .. } => ErrorCode::Claimed,
            Self::Stale { .. } => ErrorCode::Stale,
        }
    }
}
