//! What a ticket does with commands: decide what waits, append it in one piece, apply and publish what was committed,
//! answer. Refusals are judged against committed state only.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use actix::Context;
use hub_core::ids::{CommandKey, UserId};
use hub_core::ports::{Answer, Append, AppendEvent, Appended, EventRange, From, KeyRecord, Notified, StoreError};
use hub_core::rules::counters::{Moved, Queue};
use hub_core::rules::drafts::{DraftChange, DraftKey, together};
use hub_core::rules::intent::{Circumstances, Decided, Intent, Refusal, Step};
use hub_core::rules::notify::{Notice, Notification};
use hub_core::rules::permissions::{Act, Side, may};
use hub_core::rules::record::Happened;
use hub_core::rules::stale::Numbering;
use hub_core::rules::ticket::TicketState;
use hub_core::wire::{Actor, Audience, ErrorCode, EventRecord, MAX_HUB_MESSAGE_BYTES, Problem, ServerFrame};
use tokio::sync::oneshot;

use super::actor::{Life, TicketActor};
use super::watchers::Reread;
use crate::Receipt;
use crate::admission::Permit;
use crate::fanout::{Delivery, Frame};
use crate::user::{UserKey, UserMessage};
use crate::workspace::{RowChange, WorkspaceMessage};

/// Commands decided together at most.
const MAX_TOGETHER: usize = 32;
/// How often a command may lose against another owner before it is refused.
const MAX_LOSSES: u32 = 20;
/// Tries that lengthen the pause before a lost command is decided again: at most some 160 ms.
const MAX_PAUSING_LOSSES: u32 = 4;
/// Events that a `stale` carries at most; more are a reset.
const MAX_MISSED_EVENTS: u32 = 500;

/// A command that waits or is under way.
pub(super) struct Command {
    intent: Intent,
    digest: [u8; 32],
    answer: oneshot::Sender<Result<Receipt, Problem>>,
    /// Held for as long as the command lives; none for what the hub itself wants.
    _permit: Option<Permit>,
    /// How often it was decided and lost against another owner.
    losses: u32,
    /// The log was looked at since it came.
    is_reread: bool,
}

impl Command {
    pub fn new(intent: Intent, answer: oneshot::Sender<Result<Receipt, Problem>>, permit: Permit) -> Self {
        Self { _permit: Some(permit), ..Self::own(intent, answer) }
    }

    /// What the hub itself wants: few, and never refused for want of room.
    pub fn own(intent: Intent, answer: oneshot::Sender<Result<Receipt, Problem>>) -> Self {
        Self { digest: intent.digest(), intent, answer, _permit: None, losses: 0, is_reread: false }
    }

    pub fn answer(self, result: Result<Receipt, Problem>) {
        // Whoever asked may have gone: then there is nobody to tell.
        drop(self.answer.send(result));
    }

    pub const fn key(&self) -> CommandKey {
        self.intent.key
    }

    /// Whether the asker's draft goes along.
    fn takes_draft(&self) -> bool {
        self.intent.steps.iter().any(|step| matches!(step, Step::HandOver { with_draft: true, .. }))
    }

    /// Whether the asker's draft is part of what it does: it goes along, or those who wrote it are named.
    fn needs_drafts(&self) -> bool {
        // Notes and what customers write are nobody else's work.
        let is_reply = |step: &Step| match step {
            Step::PostReply { audience, .. } | Step::HoldReply { audience, .. } => *audience == Audience::Public,
            _ => false,
        };
        let is_staffs_reply = self.intent.by.role.side() == Side::Staff && self.intent.steps.iter().any(is_reply);
        is_staffs_reply || self.takes_draft()
    }

    /// The answer to a key that had its effect already: the same as the first time, or `invalid`.
    fn repeat(&self, record: &KeyRecord, ticket: Option<&TicketState>) -> Result<Receipt, Problem> {
        let by = &self.intent.by;
        ticket.map_or(Ok(()), |ticket| may(by.role, by.user, ticket.requester.id, Act::Read).check())?;
        if record.used.by != self.intent.by.user || record.used.digest != self.digest {
            return Err(Problem::invalid_field("key", "was used for something else"));
        }
        Ok(Receipt { seq: record.seq, thread_seq: record.thread_seq, missed: record.missed })
    }
}

/// An append under way: what was decided, and what the ticket will be.
pub(super) struct InFlight {
    commands: Vec<(Command, KeyRecord)>,
    events: Vec<Happened>,
    /// Who is to be told.
    notices: Vec<Notice>,
    /// What the events do to drafts.
    drafts: Vec<DraftChange>,
    state: Box<TicketState>,
}

impl InFlight {
    /// Whether it does something to this draft.
    pub fn changes_draft(&self, key: DraftKey) -> bool {
        self.drafts.iter().any(|change| change.key == key)
    }

    pub fn into_commands(self) -> impl Iterator<Item = Command> {
        self.commands.into_iter().map(|(command, _)| command)
    }
}

/// What the decided commands lead to, not yet written.
#[derive(Default)]
struct Draft {
    commands: Vec<(Command, KeyRecord)>,
    events: Vec<AppendEvent>,
}

impl TicketActor {
    /// Decides what waits, unless something is under way.
    pub(super) fn work(&mut self, ctx: &mut Context<Self>) {
        if self.in_flight.is_some() || self.waiting.is_empty() || !matches!(self.life, Life::Known(_)) {
            return;
        }
        let Some(facts) = self.fresh_facts(ctx) else { return };
        let mut state = self.state().cloned();
        let mut draft = Draft::default();
        while draft.commands.len() < MAX_TOGETHER {
            let Some(command) = self.waiting.pop_front() else { break };
            if self.waits_for_drafts(ctx, &command, draft.commands.is_empty()) {
                self.waiting.push_front(command);
                break;
            }
            if let Some((_, record)) = self.keys.iter().find(|(key, _)| *key == command.key()) {
                let answer = command.repeat(record, self.state());
                command.answer(answer);
                continue;
            }
            if draft.commands.iter().any(|(before, _)| before.key() == command.key()) {
                // The same key twice in one go: the second is answered when the first is known to have happened.
                self.waiting.push_front(command);
                break;
            }
            let drafts = self.drafts.shelf.of(command.intent.by.user);
            let around = Circumstances { drafts: &drafts, ..Circumstances::plain(&facts, self.shared.ports.clock.now()) };
            match command.intent.decide(state.as_ref(), around) {
                Ok(decided) => state = draft.add(self, state, command, decided),
                Err(_) if !draft.commands.is_empty() => {
                    // Judged against events that are not committed yet: it waits until they are.
                    self.waiting.push_front(command);
                    break;
                }
                Err(Refusal::Ahead) if !command.is_reread => return self.reread_for(ctx, command),
                Err(refusal) => self.refuse(ctx, command, refusal),
            }
        }
        if let Some(state) = state
            && !draft.commands.is_empty()
        {
            self.append(ctx, draft, Box::new(state));
        }
    }

    /// A command is decided after what its sender saved before: while that is being stored, it waits. One that needs the drafts
    /// waits until they are known. One that takes the draft along has what waits of it stored before, and is therefore the first that
    /// is decided: what others in front of it do to drafts is not written yet, and must not be saved over.
    fn waits_for_drafts(&mut self, ctx: &mut Context<Self>, command: &Command, is_first: bool) -> bool {
        let by = command.intent.by.user;
        if command.needs_drafts() {
            self.read_drafts(ctx);
        }
        if command.takes_draft() {
            if !is_first {
                return true;
            }
            self.drafts.shelf.hurry(by);
            self.store_drafts(ctx);
        }
        self.drafts.shelf.stores_for(by) || (command.needs_drafts() && !self.drafts.are_known())
    }

    /// The drafts cannot be read: nothing happened.
    pub(super) fn refuse_those_that_need_drafts(&mut self) {
        let (refused, left) = std::mem::take(&mut self.waiting).into_iter().partition(Command::needs_drafts);
        self.waiting = left;
        let refused: VecDeque<Command> = refused;
        refused.into_iter().for_each(|command| command.answer(Err(Problem::busy(1_000))));
    }

    /// Somebody has seen more than this actor knows of: perhaps another owner wrote. Decided again after a look at the log.
    fn reread_for(&mut self, ctx: &mut Context<Self>, mut command: Command) {
        command.is_reread = true;
        self.waiting.push_front(command);
        let published = self.state().map_or(0, |state| state.seq);
        self.read(ctx, 0, Some(published), Vec::new());
    }

    /// The facts to decide by; none while they are being asked for, which comes back here.
    fn fresh_facts(&mut self, ctx: &mut Context<Self>) -> Option<Arc<hub_core::rules::workspace::WorkspaceFacts>> {
        let workspace = self.key.workspace;
        if let Some(facts) = self.shared.facts.fresh(workspace) {
            self.facts = Some(Arc::clone(&facts));
            return Some(facts);
        }
        if !self.refreshing {
            self.refreshing = true;
            let cache = Arc::clone(&self.shared.facts);
            self.later(ctx, async move { cache.get(workspace).await }, |actor, ctx, facts| {
                actor.refreshing = false;
                let problem = match facts {
                    Ok(Some(_)) => return actor.work(ctx),
                    Ok(None) => Problem::not_found(),
                    Err(error) => {
                        tracing::warn!(workspace = %actor.key.workspace, %error, "the facts of a workspace cannot be read");
                        Problem::unavailable()
                    }
                };
                for command in actor.waiting.drain(..) {
                    command.answer(Err(problem.clone()));
                }
            });
        }
        None
    }

    fn append(&mut self, ctx: &mut Context<Self>, draft: Draft, state: Box<TicketState>) {
        let Draft { commands, events } = draft;
        let happened = events.iter().map(|event| event.happened.clone()).collect();
        let notices: Vec<Notice> = events.iter().flat_map(|event| event.notices.iter().copied()).collect();
        let drafts = together(events.iter().flat_map(|event| &event.drafts));
        let people = notices.iter().map(|notice| notice.user).collect();
        let expected_seq = self.state().map_or(0, |state| state.seq);
        for (_, record) in &commands {
            tracing::debug!(ticket = %self.key.ticket, key = %record.used.key, seq = record.seq, "a command was decided");
        }
        let append = Append { ticket: self.key, expected_seq, events, state: state.clone() };
        self.in_flight = Some(InFlight { commands, events: happened, notices, drafts, state });
        let appended = self.outliving(self.shared.ports.journal.append(append), people);
        self.later(ctx, appended, Self::appended);
    }

    /// An append goes on when its ticket is gone. Those whom it concerns look then: nobody else would tell them.
    fn outliving(&self, appended: Answer<Appended>, people: BTreeSet<UserId>) -> Answer<Appended> {
        if people.is_empty() {
            return appended;
        }
        let (tickets, workspace) = (self.shared.tickets.clone(), self.key.workspace);
        let (answer, answered) = oneshot::channel();
        actix::spawn(async move {
            if answer.send(appended.await).is_err() {
                people.into_iter().for_each(|user| tickets.tell_user(UserKey { workspace, user }, UserMessage::Look));
            }
        });
        let stopping = |_| Err(StoreError::Unavailable("the hub is stopping".into()));
        Box::pin(async move { answered.await.unwrap_or_else(stopping) })
    }

    fn appended(&mut self, ctx: &mut Context<Self>, appended: Result<Appended, StoreError>) {
        let Some(in_flight) = self.in_flight.take() else { return };
        match appended {
            Ok(Appended::Committed { notified, .. }) => self.committed(ctx, in_flight, &notified),
            Ok(Appended::Refused) => self.lost(ctx, in_flight),
            Err(error) => self.in_doubt(ctx, in_flight, &error),
        }
    }

    fn committed(&mut self, ctx: &mut Context<Self>, in_flight: InFlight, notified: &[Notified]) {
        let InFlight { commands, events, notices, drafts, state } = in_flight;
        let at = state.updated_at;
        self.around.of(&state);
        self.life = Life::Known(Some(state));
        self.publish(events);
        self.drafts_changed(ctx, &drafts, at);
        if notified.len() == notices.len() {
            self.tell_people(notified);
        } else {
            self.let_people_look(notices.iter().map(|notice| notice.user));
        }
        for (command, record) in commands {
            tracing::debug!(ticket = %self.key.ticket, key = %record.used.key, seq = record.seq, "a command was committed");
            self.remember_key(record);
            let answer = command.repeat(&record, self.state());
            command.answer(answer);
        }
        self.heed_claim(ctx);
        self.heed_held(ctx);
        for watch in std::mem::take(&mut self.watchers_waiting) {
            self.watch(ctx, watch, Reread::No);
        }
        self.work(ctx);
    }

    /// Another owner wrote, or a key was used before: the commands go back to the head of the queue, the ticket is read
    /// anew, and what their keys did is found out before they are decided again.
    fn lost(&mut self, ctx: &mut Context<Self>, in_flight: InFlight) {
        let published = self.state().map(|state| state.seq);
        let mut doubtful = Vec::new();
        let mut losses = 0;
        for mut command in in_flight.into_commands().collect::<Vec<_>>().into_iter().rev() {
            command.losses += 1;
            losses = losses.max(command.losses);
            doubtful.push(command.key());
            self.waiting.push_front(command);
        }
        self.read(ctx, losses.saturating_sub(1).min(MAX_PAUSING_LOSSES), Some(published.unwrap_or(0)), doubtful);
    }

    /// Nobody knows whether it was written: the senders are told so, and the ticket is read before anything else is decided.
    fn in_doubt(&mut self, ctx: &mut Context<Self>, in_flight: InFlight, error: &StoreError) {
        tracing::warn!(ticket = %self.key.ticket, %error, "the outcome of an append is unknown");
        let problem = match error {
            StoreError::Full => Problem::busy(500),
            StoreError::Unavailable(_) | StoreError::Unreadable(_) => Problem::unavailable(),
        };
        // This ticket goes when it cannot be read and nobody watches it; who is to be told keeps trying.
        self.let_people_look(in_flight.notices.iter().map(|notice| notice.user));
        for command in in_flight.into_commands() {
            tracing::warn!(ticket = %self.key.ticket, key = %command.key(), "whether a command took effect is unknown");
            command.answer(Err(problem.clone()));
        }
        let published = self.state().map_or(0, |state| state.seq);
        self.read(ctx, 1, Some(published), Vec::new());
    }

    /// After a reading: commands whose keys had their effect are answered; those that lose again and again give up.
    pub(super) fn settle_doubts(&mut self, keys: &HashMap<CommandKey, Option<KeyRecord>>) {
        for command in std::mem::take(&mut self.waiting) {
            if let Some(Some(record)) = keys.get(&command.key()) {
                let answer = command.repeat(record, self.state());
                command.answer(answer);
            } else if command.losses > MAX_LOSSES {
                command.answer(Err(Problem::busy(500)));
            } else {
                self.waiting.push_back(command);
            }
        }
    }

    /// Tells everybody who watches; what nobody watches is not even turned into frames.
    pub(super) fn publish(&mut self, events: Vec<Happened>) {
        let Some((by, what)) = events.last().map(|last| (last.by.clone(), last.event.name())) else { return };
        for happened in events {
            let happened = Arc::new(happened);
            self.publish_in(Numbering::Ticket, Some(happened.for_agents()).filter(|_| !self.agents.is_empty()));
            self.publish_in(Numbering::Thread, happened.for_customers().filter(|_| !self.customers.is_empty()));
            self.history.push(happened);
        }
        self.tell_workspace(by, what);
    }

    fn publish_in(&self, numbering: Numbering, record: Option<EventRecord>) {
        let Some(record) = record else { return };
        let (topic, seq) = (self.topic(numbering), record.seq);
        let frame = Frame::new(ServerFrame::event(topic.topic, record));
        let interest = match numbering {
            Numbering::Ticket => &self.agents,
            Numbering::Thread => &self.customers,
        };
        interest.publish(|| Delivery::Event { topic, seq, frame: Arc::clone(&frame) });
    }

    /// Those who are here see their notifications at once.
    fn tell_people(&self, notified: &[Notified]) {
        let Some(state) = self.state() else { return };
        for Notified { user, seq, reason, ticket_seq } in notified {
            let Some(happened) = self.history.events().rfind(|happened| happened.seq == *ticket_seq) else {
                self.let_people_look([*user]);
                continue;
            };
            let told = Notification {
                seq: *seq,
                reason: *reason,
                ticket: self.key.ticket,
                number: state.number,
                title: state.title.clone(),
                requester: state.requester.id,
                happened: Arc::clone(happened),
            };
            self.send_to_user(*user, UserMessage::Told(Box::new(told)));
        }
    }

    /// They may have been told something, but its number is not known here.
    pub(super) fn let_people_look(&self, people: impl IntoIterator<Item = UserId>) {
        let people: BTreeSet<UserId> = people.into_iter().collect();
        people.into_iter().for_each(|user| self.send_to_user(user, UserMessage::Look));
    }

    pub(super) fn send_to_user(&self, user: UserId, message: UserMessage) {
        self.shared.tickets.tell_user(UserKey { workspace: self.key.workspace, user }, message);
    }

    /// The workspace's lists show the row as it is now, and count it where it is now.
    fn tell_workspace(&mut self, by: Actor, what: &'static str) {
        let (Some(state), Some(facts)) = (self.state(), &self.facts) else { return };
        let (ticket, to, seq) = (self.key.ticket, Queue::of(state), state.seq);
        let mut row = state.clone();
        row.cut_for_lists();
        let row = row.for_agents(ticket, facts);
        let moved = Moved { ticket, from: self.counted_in.replace(to.clone()), to, seq };
        let change = WorkspaceMessage::TicketChanged(Box::new(RowChange { row, by, what, moved }));
        if self.shared.tickets.send_to_workspace(self.key.workspace, change).is_err() {
            tracing::debug!(%ticket, seq, "a list row found no room; the next change brings it, and a recount what it counts");
        }
    }

    /// Refuses a command, unless its key had its effect before: then that is the answer.
    fn refuse(&mut self, ctx: &mut Context<Self>, command: Command, refusal: Refusal) {
        let refusal = self.with_renewals(refusal);
        let missed = self.missed_events(&command, &refusal);
        let side = command.intent.by.role.side();
        // Where the key had its effect with these very words, that came after the asker's position. All of that is in memory, and
        // the key is not in it: no need to ask the database, which has enough to do when many overlook each other.
        if let (Refusal::Stale { .. }, Some(missed)) = (&refusal, &missed)
            && !missed.iter().any(|happened| happened.key == Some(command.key()))
        {
            let answer = explain(refusal, missed.clone(), side);
            return command.answer(Err(answer));
        }
        let (ticket, key) = (self.key, command.key());
        let journal = Arc::clone(&self.shared.ports.journal);
        let numbering = command.intent.by.numbering();
        let stale_after = match &refusal {
            Refusal::Stale { after, .. } if missed.is_none() => Some(*after),
            Refusal::Stale { .. } | Refusal::Claimed { .. } | Refusal::Ahead | Refusal::Problem(_) => None,
        };
        let found_out = async move {
            let record = journal.find_key(ticket, key).await?;
            let read = match stale_after {
                Some(after) if record.is_none() => {
                    let range = EventRange { numbering, from: From::After(after), limit: MAX_MISSED_EVENTS + 1 };
                    Some(journal.events(ticket, range).await?)
                }
                Some(_) | None => None,
            };
            Ok::<_, StoreError>((record, read))
        };
        self.later(ctx, found_out, move |actor, ctx, found_out| {
            let answer = match found_out {
                Ok((Some(record), _)) => command.repeat(&record, actor.state()),
                Ok((None, read)) => Err(explain(refusal, missed.or(read).unwrap_or_default(), side)),
                Err(error) => {
                    tracing::warn!(ticket = %actor.key.ticket, %error, "a key cannot be looked up");
                    Err(Problem::unavailable())
                }
            };
            command.answer(answer);
            actor.work(ctx);
        });
    }

    /// What the asker missed, as far as memory reaches.
    fn missed_events(&self, command: &Command, refusal: &Refusal) -> Option<Vec<Happened>> {
        let Refusal::Stale { after, .. } = refusal else { return Some(Vec::new()) };
        let (state, numbering) = (self.state()?, command.intent.by.numbering());
        let head = match numbering {
            Numbering::Ticket => state.seq,
            Numbering::Thread => state.thread_seq,
        };
        let events = self.history.after(*after, numbering, head)?;
        Some(events.iter().map(|happened| Happened::clone(happened)).collect())
    }
}

impl Draft {
    /// Adds a decided command; answers the ticket as it will be.
    fn add(
        &mut self,
        actor: &TicketActor,
        state: Option<TicketState>,
        command: Command,
        decided: Decided,
    ) -> Option<TicketState> {
        let (missed, now) = (decided.missed, actor.shared.ports.clock.now());
        let one = Append::of_intent(actor.key, state.as_ref(), &command.intent, decided, now, rand::random)?;
        if let Some((first, used)) = one.events.first().and_then(|first| Some((&first.happened, first.key?))) {
            let record = KeyRecord { used, seq: first.seq, thread_seq: first.thread_seq, missed };
            self.commands.push((command, record));
        }
        self.events.extend(one.events);
        Some(*one.state)
    }
}

/// A refusal in words, with what was missed.
fn explain(refusal: Refusal, missed: Vec<Happened>, side: Side) -> Problem {
    let fields = match refusal {
        Refusal::Problem(problem) => return problem,
        Refusal::Ahead => return Problem::invalid_field("based_on", "is beyond the last event"),
        Refusal::Claimed { by, until } => {
            let words = format!("{} is answering. Write a note, wait, or insist.", by.name);
            let by = serde_json::to_value(by).unwrap_or_default();
            return Problem::new(ErrorCode::Claimed, words).with("by", by).with("until", until.to_string());
        }
        Refusal::Stale { fields, .. } => fields,
    };
    let problem = Problem::new(ErrorCode::Stale, "Something came in between. Look at it, then decide again.");
    let problem = if fields.is_empty() { problem } else { problem.with("changed", fields) };
    let records: Vec<EventRecord> = missed
        .iter()
        .filter_map(|happened| if side == Side::Customer { happened.for_customers() } else { Some(happened.for_agents()) })
        .collect();
    let events = serde_json::to_value(&records).unwrap_or_default();
    let fits = records.len() <= MAX_MISSED_EVENTS as usize && events.to_string().len() <= MAX_HUB_MESSAGE_BYTES - 4_096;
    if fits { problem.with("events", events) } else { problem.with("reset", true) }
}
