//! Who is to be told of what happened to a ticket, and how whoever is told reads it.

use std::sync::Arc;

use super::record::Happened;
use super::stale::Numbering;
use super::ticket::TicketState;
use super::workspace::WorkspaceFacts;
use crate::ids::{TicketId, UserId};
use crate::wire::{Actor, ActorKind, Audience, Event, EventRecord, Reason};

/// Notifications that a client is given at once; older ones are asked for.
pub const NEWEST: usize = 100;
/// Characters of a text in a notification.
const EXCERPT_CHARS: usize = 140;

/// Somebody is to be told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who.
    pub user: UserId,
    /// Why.
    pub reason: Reason,
}

/// Who is to be told of `happened`; `before` is the ticket before it. Nobody is told of what they did themselves, and nobody
/// twice: being called for weighs more than being answered.
pub fn notices(before: Option<&TicketState>, happened: &Happened) -> Vec<Notice> {
    let assignee = before.and_then(|ticket| ticket.assignee_id);
    let wanted: Vec<Notice> = match &happened.event {
        // Who is given a ticket with a note is told of the note.
        Event::Assigned { assignee_id, .. } if *assignee_id != assignee && *assignee_id != handed_to(before, happened) => {
            assignee_id.iter().map(|user| Notice { user: *user, reason: Reason::Assigned }).collect()
        }
        Event::HandedOver { to_id, .. } => {
            to_id.iter().map(|user| Notice { user: *user, reason: Reason::HandedOver }).collect()
        }
        Event::ClaimTaken { from, .. } => {
            from.iter().map(|person| Notice { user: person.id, reason: Reason::ClaimTaken }).collect()
        }
        // The hub did it in its author's name.
        Event::HeldCancelled { why: Some(_), .. } => {
            happened.by.id.map(|user| Notice { user, reason: Reason::NotSent }).into_iter().collect()
        }
        Event::ReplyPosted { audience, mentions, .. } => {
            let requester = before.map(|ticket| ticket.requester.id).filter(|_| *audience == Audience::Public);
            let called = mentions.iter().map(|user| Notice { user: *user, reason: Reason::Mentioned });
            let theirs = assignee.into_iter().chain(requester).map(|user| Notice { user, reason: Reason::Replied });
            let watchers = before.into_iter().flat_map(|ticket| &ticket.watchers);
            called.chain(theirs).chain(watchers.map(|user| Notice { user: *user, reason: Reason::Watched })).collect()
        }
        Event::Assigned { .. }
        | Event::TicketCreated { .. }
        | Event::StatusChanged { .. }
        | Event::ReplyHeld { .. }
        | Event::HeldCancelled { why: None, .. }
        | Event::HandoffAcknowledged {}
        | Event::TagsChanged { .. }
        | Event::ClaimReleased { .. }
        | Event::ClaimExpired { .. }
        | Event::Watched { .. }
        | Event::FieldChanged { .. }
        | Event::NothingChanged {}
        | Event::Notified { .. } => Vec::new(),
    };
    let mut told: Vec<Notice> = Vec::with_capacity(wanted.len());
    for notice in wanted {
        let is_own_deed = happened.by.id == Some(notice.user) && notice.reason != Reason::NotSent;
        if !is_own_deed && told.iter().all(|other| other.user != notice.user) {
            told.push(notice);
        }
    }
    told
}

/// Whom the ticket was handed to by the intent that `happened` belongs to.
fn handed_to(before: Option<&TicketState>, happened: &Happened) -> Option<UserId> {
    let handoff = before?.handoff.as_ref()?;
    handoff.to_id.filter(|_| handoff.at == happened.at && happened.by.id == Some(handoff.from.id))
}

/// Whoever may have been told of `happened`, where the ticket before it is not known; `ticket` is a later one.
pub fn perhaps_told(ticket: &TicketState, happened: &Happened) -> Vec<UserId> {
    match &happened.event {
        Event::Assigned { assignee_id, .. } => assignee_id.iter().copied().collect(),
        Event::ReplyPosted { mentions, .. } => {
            let concerned = mentions.iter().copied().chain(ticket.assignee_id).chain([ticket.requester.id]);
            concerned.chain(ticket.watchers.iter().copied()).collect()
        }
        Event::HandedOver { to_id, .. } => to_id.iter().copied().collect(),
        Event::ClaimTaken { from, .. } => from.iter().map(|person| person.id).collect(),
        Event::HeldCancelled { .. } => happened.by.id.into_iter().collect(),
        Event::TicketCreated { .. }
        | Event::StatusChanged { .. }
        | Event::ReplyHeld { .. }
        | Event::HandoffAcknowledged {}
        | Event::TagsChanged { .. }
        | Event::ClaimReleased { .. }
        | Event::ClaimExpired { .. }
        | Event::Watched { .. }
        | Event::FieldChanged { .. }
        | Event::NothingChanged {}
        | Event::Notified { .. } => Vec::new(),
    }
}

/// A notification: an event, and whose it is to know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// 1, 2, 3… for the one who is told.
    pub seq: u64,
    /// Why.
    pub reason: Reason,
    /// Of which ticket.
    pub ticket: TicketId,
    /// The ticket's number, without the prefix.
    pub number: u64,
    /// The ticket's title.
    pub title: String,
    /// Whose ticket it is.
    pub requester: UserId,
    /// What happened.
    pub happened: Arc<Happened>,
}

impl Notification {
    /// As `reader` reads it, who counts in `numbering`. Who may not see what it was about (staff that became a customer) reads
    /// that there was something, and nothing of it: the numbers stay without a gap.
    pub fn record(&self, facts: &WorkspaceFacts, numbering: Numbering, reader: UserId) -> EventRecord {
        let Self { seq, reason, ticket, number, title, requester, happened } = self;
        let (seq, at) = (*seq, happened.at);
        let ticket_seq = match numbering {
            Numbering::Ticket => Some(happened.seq),
            Numbering::Thread => happened.thread_seq.filter(|_| *requester == reader),
        };
        let Some(ticket_seq) = ticket_seq else {
            let by = Actor { kind: ActorKind::System, id: None, name: String::new() };
            return EventRecord { seq, at, by, key: None, event: Event::NothingChanged {} };
        };
        let event = Event::Notified {
            reason: *reason,
            ticket_id: *ticket,
            number: facts.ticket_number(*number),
            title: title.clone(),
            ticket_seq,
            excerpt: excerpt_of(&happened.event),
        };
        EventRecord { seq, at, by: happened.by.clone(), key: None, event }
    }
}

fn excerpt_of(event: &Event) -> Option<String> {
    match event {
        Event::ReplyPosted { body, .. } => Some(excerpt(body)),
        Event::HandedOver { note, .. } => Some(excerpt(note)),
        Event::TicketCreated { .. }
        | Event::StatusChanged { .. }
        | Event::ReplyHeld { .. }
        | Event::HeldCancelled { .. }
        | Event::HandoffAcknowledged {}
        | Event::TagsChanged { .. }
        | Event::ClaimTaken { .. }
        | Event::ClaimReleased { .. }
        | Event::ClaimExpired { .. }
        | Event::Watched { .. }
        | Event::Assigned { .. }
        | Event::FieldChanged { .. }
        | Event::NothingChanged {}
        | Event::Notified { .. } => None,
    }
}

/// How a text begins, on one line.
fn excerpt(body: &str) -> String {
    // A body may be long and one word may be all of it: only as much of it is looked at as can be shown.
    let mut line = String::new();
    let mut chars = 0;
    for word in body.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        if gap == 1 {
            line.push(' ');
        }
        let room = EXCERPT_CHARS.saturating_sub(chars + gap);
        line.extend(word.chars().take(room));
        chars += gap + word.chars().take(room + 1).count();
        if chars > EXCERPT_CHARS {
            return format!("{}…", line.trim_end());
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::WorkspaceId;
    use crate::rules::audit::GENESIS;
    use crate::rules::permissions::Role;
    use crate::rules::workflow::Workflow;
    use crate::time::UnixMs;
    use crate::wire::Source;
    use uuid::Uuid;

    const ANA: UserId = UserId::new(Uuid::from_u128(1));
    const BO: UserId = UserId::new(Uuid::from_u128(2));
    const CLEO: UserId = UserId::new(Uuid::from_u128(3));

    fn by(user: UserId, role: Role) -> Actor {
        Actor { kind: role.actor_kind(), id: Some(user), name: "Somebody".into() }
    }

    fn at(seq: u64, by: Actor, event: Event) -> Happened {
        let thread_seq = Happened::is_public(&event).then_some(seq);
        Happened { seq, thread_seq, at: UnixMs(0), by, key: None, event }
    }

    fn ticket(assignee: Option<UserId>) -> TicketState {
        let created = Event::TicketCreated {
            title: "Printer".into(),
            description: "It burns".into(),
            source: Source::Web,
            number: 7,
            status: "open".into(),
            priority: None,
        };
        let created = at(1, by(CLEO, Role::Customer), created);
        let mut ticket = TicketState::replay(None, [(&created, GENESIS)]).expect("made");
        ticket.assignee_id = assignee;
        ticket
    }

    fn facts() -> WorkspaceFacts {
        WorkspaceFacts {
            id: WorkspaceId::new(Uuid::from_u128(1)),
            slug: "acme".into(),
            name: "Acme".into(),
            number_prefix: "TKT".into(),
            workflow: Workflow::simple(),
            staff: vec![],
            teams: vec![],
            categories: vec![],
        }
    }

    fn reply(audience: Audience, mentions: &[UserId]) -> Event {
        Event::ReplyPosted {
            body: "Have  you\ntried?".into(),
            audience,
            attachments: vec![],
            mentions: mentions.to_vec(),
            forced: None,
            missed: None,
            truncated: None,
            draft_authors: vec![],
            held_key: None,
        }
    }

    #[test]
    fn those_whom_it_concerns_are_told_once_and_nobody_of_what_they_did() {
        use Reason::{Assigned, Mentioned, Replied};
        let assigned = |assignee_id| Event::Assigned { assignee_id, team_id: None };
        let staff = |user| by(user, Role::Agent);
        let cleo = || by(CLEO, Role::Customer);
        /// Whose the ticket is, who does what, and who is told why.
        type Case = (Option<UserId>, Actor, Event, Vec<(UserId, Reason)>);
        let table: Vec<Case> = vec![
            (None, staff(ANA), assigned(Some(BO)), vec![(BO, Assigned)]),
            (None, staff(BO), assigned(Some(BO)), vec![]),
            (Some(BO), staff(ANA), assigned(Some(BO)), vec![]),
            (Some(BO), staff(ANA), assigned(None), vec![]),
            (None, cleo(), reply(Audience::Public, &[]), vec![]),
            (Some(BO), cleo(), reply(Audience::Public, &[]), vec![(BO, Replied)]),
            (Some(BO), staff(ANA), reply(Audience::Public, &[]), vec![(BO, Replied), (CLEO, Replied)]),
            (Some(BO), staff(BO), reply(Audience::Public, &[]), vec![(CLEO, Replied)]),
            (Some(BO), staff(ANA), reply(Audience::Internal, &[]), vec![(BO, Replied)]),
            (Some(BO), staff(ANA), reply(Audience::Internal, &[BO, ANA]), vec![(BO, Mentioned)]),
            (None, staff(ANA), reply(Audience::Public, &[BO]), vec![(BO, Mentioned), (CLEO, Replied)]),
            (
                Some(BO),
                staff(ANA),
                Event::StatusChanged { from: "open".into(), to: "closed".into(), note: None, forced: None },
                vec![],
            ),
        ];
        for (assignee, by, event, expected) in table {
            let told = notices(Some(&ticket(assignee)), &at(2, by, event.clone()));
            let told: Vec<_> = told.into_iter().map(|notice| (notice.user, notice.reason)).collect();
            assert_eq!(told, expected, "{assignee:?} {event:?}");
        }
    }

    #[test]
    fn a_notification_counts_in_its_readers_numbering_and_hides_what_the_reader_may_not_see() {
        let facts = facts();
        let told = |seq, happened: &Happened| Notification {
            seq,
            reason: Reason::Replied,
            ticket: TicketId::new(Uuid::from_u128(9)),
            number: 7,
            title: "Printer".into(),
            requester: CLEO,
            happened: Arc::new(happened.clone()),
        };
        let mut happened = at(5, by(ANA, Role::Agent), reply(Audience::Public, &[]));
        happened.thread_seq = Some(3);
        for (numbering, seq) in [(Numbering::Ticket, 5), (Numbering::Thread, 3)] {
            let record = told(12, &happened).record(&facts, numbering, CLEO);
            let Event::Notified { ticket_seq, excerpt, number, .. } = record.event else { panic!("{record:?}") };
            assert_eq!((record.seq, ticket_seq, excerpt.as_deref()), (12, seq, Some("Have you tried?")));
            assert_eq!(number, "TKT-7");
        }
        let note = at(6, by(ANA, Role::Agent), reply(Audience::Internal, &[]));
        for (told, reader) in [(told(13, &note), CLEO), (told(13, &happened), BO)] {
            let hidden = told.record(&facts, Numbering::Thread, reader);
            assert_eq!((hidden.seq, hidden.by.name.as_str(), hidden.event), (13, "", Event::NothingChanged {}));
        }
    }

    #[test]
    fn an_excerpt_is_one_line_and_short() {
        let cases = [
            (String::new(), String::new()),
            (" a\n\n b ".into(), "a b".into()),
            ("é".repeat(140), "é".repeat(140)),
            ("é".repeat(141), format!("{}…", "é".repeat(140))),
            (format!("{} b", "a".repeat(138)), format!("{} b", "a".repeat(138))),
            (format!("{} bc d", "a".repeat(137)), format!("{} bc…", "a".repeat(137))),
            (format!("{} b", "a".repeat(140)), format!("{}…", "a".repeat(140))),
        ];
        for (body, expected) in cases {
            assert_eq!(excerpt(&body), expected, "{body}");
        }
    }
}
