//! What a ticket is: the projection of its events, what each event makes of it, and how either side of the desk sees it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::audit::{GENESIS, Hash};
use super::permissions::Side;
use super::record::Happened;
use super::stale::PublicDeeds;
use super::workspace::WorkspaceFacts;
use super::{handoff, held, tags};
use crate::ids::{CategoryId, TeamId, TicketId, UserId};
use crate::time::UnixMs;
use crate::wire::{
    AgentTicket, Audience, Claim, CustomerTicket, Event, FieldPatches, Handoff, Held, Patch, PersonRef, Priority, Source,
    TicketView,
};

/// What a ticket is: the projection of its events, and all that the rules need to judge the next intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the ticket's views")]
pub struct TicketState {
    pub number: u64,
    pub title: String,
    pub description: String,
    pub status: String,
    pub priority: Priority,
    pub urgency: String,
    pub category_id: Option<CategoryId>,
    pub tags: Vec<String>,
    pub custom: Map<String, Value>,
    pub requester: PersonRef,
    pub assignee_id: Option<UserId>,
    pub team_id: Option<TeamId>,
    pub source: Source,
    pub due_at: Option<UnixMs>,
    pub scheduled_at: Option<UnixMs>,
    pub created_at: UnixMs,
    pub updated_at: UnixMs,
    pub thread_updated_at: UnixMs,
    /// The number of the last event.
    pub seq: u64,
    /// The number of the last event of the thread.
    pub thread_seq: u64,
    /// Where the audit chain ends.
    #[serde(with = "super::audit::hex")]
    pub head_hash: Hash,
    /// For judging blind replies.
    pub public_deeds: PublicDeeds,
    /// The event that last set each field.
    pub field_seqs: BTreeMap<String, u64>,
    /// Who is answering the customer, as the log tells; renewals are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Box<Claim>>,
    /// What was handed over and is not acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<Box<Handoff>>,
    /// Replies that are held back, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// Those who follow it, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watchers: Vec<UserId>,
}

impl TicketState {
    /// What the patches would change: field, old value, new value. What is so already is left out.
    pub(super) fn changes(&self, patches: &FieldPatches) -> Vec<(&'static str, Value, Value)> {
        fn change<T: Serialize>(
            name: &'static str,
            patch: &Patch<T>,
            current: &Option<T>,
        ) -> Option<(&'static str, Value, Value)> {
            let to = match patch {
                Patch::Keep => return None,
                Patch::Clear => Value::Null,
                Patch::Set(value) => json(value),
            };
            let from = json(current);
            (from != to).then_some((name, from, to))
        }
        let custom = (!self.custom.is_empty()).then(|| self.custom.clone());
        [
            change("title", &patches.title, &Some(self.title.clone())),
            change("priority", &patches.priority, &Some(self.priority)),
            change("urgency", &patches.urgency, &Some(self.urgency.clone())),
            change("category_id", &patches.category_id, &self.category_id),
            change("custom", &patches.custom, &custom),
            change("due_at", &patches.due_at, &self.due_at),
            change("scheduled_at", &patches.scheduled_at, &self.scheduled_at),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The ticket after `events` in a row; none only when there was none and no `ticket_created` begins it.
    /// `hashes` are those of the same events.
    pub fn replay<'a>(ticket: Option<Self>, events: impl IntoIterator<Item = (&'a Happened, Hash)>) -> Option<Self> {
        events.into_iter().fold(ticket, |ticket, (happened, hash)| match ticket {
            None => Self::begin(happened, hash),
            Some(mut ticket) => {
                ticket.apply(happened, hash);
                Some(ticket)
            }
        })
    }

    /// The ticket that a `ticket_created` begins.
    fn begin(created: &Happened, hash: Hash) -> Option<Self> {
        let Event::TicketCreated { title, description, source, number, status, priority } = &created.event else {
            return None;
        };
        Some(Self {
            number: *number,
            title: title.clone(),
            description: description.clone(),
            status: status.clone(),
            priority: priority.unwrap_or(Priority::P3),
            urgency: "normal".into(),
            category_id: None,
            tags: Vec::new(),
            custom: Map::new(),
            requester: PersonRef { id: created.by.id?, name: created.by.name.clone() },
            assignee_id: None,
            team_id: None,
            source: *source,
            due_at: None,
            scheduled_at: None,
            created_at: created.at,
            updated_at: created.at,
            thread_updated_at: created.at,
            seq: created.seq,
            thread_seq: created.thread_seq?,
            head_hash: hash,
            public_deeds: PublicDeeds::default(),
            field_seqs: BTreeMap::new(),
            claim: None,
            handoff: None,
            held: Vec::new(),
            watchers: Vec::new(),
        })
    }

    /// The ticket after one more event. Never fails; the same live and on replay.
    pub fn apply(&mut self, happened: &Happened, hash: Hash) {
        self.seq = happened.seq;
        self.head_hash = hash;
        self.updated_at = happened.at;
        if let Some(thread_seq) = happened.thread_seq {
            self.thread_seq = thread_seq;
            self.thread_updated_at = happened.at;
        }
        match &happened.event {
            Event::TicketCreated { .. } | Event::NothingChanged {} | Event::Notified { .. } => {}
            Event::ReplyPosted { audience, held_key, .. } => {
                self.held.retain(|held| Some(held.key) != *held_key);
                if *audience == Audience::Public {
                    self.remember_public_deed(happened);
                }
            }
            Event::ReplyHeld { .. } => self.held.extend(held::begun(happened)),
            Event::HeldCancelled { held_key, .. } => self.held.retain(|held| held.key != *held_key),
            Event::HandedOver { .. } => self.handoff = handoff::pinned(self.handoff.take(), happened),
            Event::HandoffAcknowledged {} => self.handoff = None,
            Event::TagsChanged { added, removed } => tags::apply(&mut self.tags, added, removed),
            Event::ClaimTaken { by, until, .. } => {
                self.claim = Some(Box::new(Claim { by: by.clone(), until: *until, since: happened.at }));
            }
            Event::ClaimReleased { .. } | Event::ClaimExpired { .. } => self.claim = None,
            Event::Watched { user_id, on } => match self.watchers.binary_search(user_id) {
                Err(place) if *on => self.watchers.insert(place, *user_id),
                Ok(place) if !on => drop(self.watchers.remove(place)),
                Ok(_) | Err(_) => {}
            },
            Event::StatusChanged { to, .. } => {
                self.status.clone_from(to);
                self.remember_public_deed(happened);
            }
            Event::Assigned { assignee_id, team_id } => {
                self.assignee_id = *assignee_id;
                self.team_id = *team_id;
            }
            Event::FieldChanged { field, to, .. } => {
                self.field_seqs.insert(field.clone(), happened.seq);
                self.set_field(field, to);
            }
        }
    }

    fn remember_public_deed(&mut self, happened: &Happened) {
        self.public_deeds = self.public_deeds.after(happened.by.id, self.seq, self.thread_seq);
    }

    /// An erased or unknown value leaves the field as it is: the log stays readable.
    fn set_field(&mut self, field: &str, to: &Value) {
        fn read<T: serde::de::DeserializeOwned>(to: &Value) -> Option<T> {
            serde_json::from_value(to.clone()).ok()
        }
        match field {
            "title" => self.title = read(to).unwrap_or_else(|| std::mem::take(&mut self.title)),
            "priority" => self.priority = read(to).unwrap_or(self.priority),
            "urgency" => self.urgency = read(to).unwrap_or_else(|| std::mem::take(&mut self.urgency)),
            "category_id" => self.category_id = read(to),
            "custom" => self.custom = read(to).unwrap_or_default(),
            "due_at" => self.due_at = read(to),
            "scheduled_at" => self.scheduled_at = read(to),
            _ => {}
        }
    }

    /// The ticket as agents see it.
    pub fn for_agents(&self, id: TicketId, facts: &WorkspaceFacts) -> AgentTicket {
        AgentTicket {
            id,
            number: facts.ticket_number(self.number),
            title: self.title.clone(),
            description: self.description.clone(),
            status: self.status.clone(),
            priority: self.priority,
            urgency: self.urgency.clone(),
            category_id: self.category_id,
            tags: self.tags.clone(),
            custom: self.custom.clone(),
            requester: self.requester.clone(),
            assignee_id: self.assignee_id,
            team_id: self.team_id,
            source: self.source,
            due_at: self.due_at,
            scheduled_at: self.scheduled_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            watcher_ids: self.watchers.clone(),
            handoff: self.handoff.as_deref().cloned(),
            held: self.held.clone(),
            seq: self.seq,
        }
    }

    /// When the hub has to look at this ticket by itself: a held reply is to go out, or a lease ends. As the log tells: a lease
    /// that was renewed ends later.
    pub fn next_due(&self) -> Option<UnixMs> {
        let lease = self.claim.iter().map(|claim| claim.until);
        self.held.iter().map(|held| held.release_at).chain(lease).min()
    }

    /// The ticket as its customer sees it.
    pub fn for_customers(&self, id: TicketId, facts: &WorkspaceFacts) -> CustomerTicket {
        CustomerTicket {
            id,
            number: facts.ticket_number(self.number),
            title: self.title.clone(),
            description: self.description.clone(),
            status: self.status.clone(),
            requester: self.requester.clone(),
            source: self.source,
            created_at: self.created_at,
            updated_at: self.thread_updated_at,
            seq: self.thread_seq,
        }
    }

    /// The ticket in the view of `side`; none for those who see no tickets.
    pub fn view(&self, side: Side, id: TicketId, facts: &WorkspaceFacts) -> Option<TicketView> {
        match side {
            Side::Staff => Some(TicketView::Agent(Box::new(self.for_agents(id, facts)))),
            Side::Customer => Some(TicketView::Customer(Box::new(self.for_customers(id, facts)))),
            Side::Platform => None,
        }
    }

    /// Cuts the ticket to what lists show.
    pub fn cut_for_lists(&mut self) {
        /// Characters of the description in a list row.
        const LIST_DESCRIPTION_CHARS: usize = 280;
        self.held.clear();
        if let Some(handoff) = &mut self.handoff {
            handoff.draft = None;
        }
        if let Some((end, _)) = self.description.char_indices().nth(LIST_DESCRIPTION_CHARS) {
            self.description.truncate(end);
        }
    }
}

/// Where the audit chain of a ticket ends; before the first event, where it begins.
pub fn head_hash(ticket: Option<&TicketState>) -> Hash {
    ticket.map_or(GENESIS, |t| t.head_hash)
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("fields have text keys only")
}
