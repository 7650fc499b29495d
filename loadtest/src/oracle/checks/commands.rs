//! Did every command have the effect that its answers tell: acked is in the log, refused is not, nothing passed blindly,
//! nothing was refused without cause, and what was sent after an ack stands after it?

use hub_core::wire::ErrorCode;

use super::super::Fault;
use super::super::history::{Answer, Attempt, ClientHistory, Command, Fact, TicketHistory, View};
use super::{About, Docket};

pub(super) fn check(client: &ClientHistory, docket: &mut Docket<'_>) {
    for command in &client.commands {
        let case = Case { client, command, place: docket.place_of(client.view, command.key) };
        case.acked_is_in_the_log(docket);
        case.refused_is_not(docket);
        case.nothing_blind(docket);
        case.missed_is_true(docket);
        for attempt in &command.attempts {
            case.stale_had_a_cause(attempt, docket);
        }
    }
}

/// One command with its place in the log, in its sender's numbering.
struct Case<'a> {
    client: &'a ClientHistory,
    command: &'a Command,
    place: Option<u64>,
}

impl Case<'_> {
    fn note(&self, seq: Option<u64>, fault: Fault, docket: &mut Docket<'_>) {
        let about = About { seq, key: Some(self.command.key), user: Some(self.client.user) };
        docket.note(self.client.view, about, fault);
    }

    fn acked_is_in_the_log(&self, docket: &mut Docket<'_>) {
        let acks: Vec<Option<u64>> = self.command.attempts.iter().filter_map(acked_seq).collect();
        let Some(first) = acks.first().copied() else { return };
        if acks.iter().any(|seq| *seq != first) {
            self.note(first, Fault::AcksDiffer, docket);
        }
        match (first, self.place) {
            (None, _) => self.note(None, Fault::AckWithoutSeq, docket),
            (Some(_), None) => self.note(first, Fault::AckedButLost, docket),
            (Some(seq), Some(actual)) if seq != actual => self.note(first, Fault::AckSeqWrong { actual }, docket),
            (Some(_), Some(_)) => {}
        }
    }

    fn refused_is_not(&self, docket: &mut Docket<'_>) {
        let answers = || self.command.attempts.iter().map(|attempt| &attempt.answer);
        if answers().any(|answer| matches!(answer, Answer::Open)) {
            self.note(self.place, Fault::NoAnswer, docket);
        }
        let (None, Some(seq)) = (self.command.ack(), self.place) else { return };
        // A repeat of what had been done already is acked: being judged and refused last, it had not been done.
        if let Some(Answer::Refused { code, .. }) = answers().next_back()
            && (was_judged(*code) || !self.command.is_outcome_unknown())
        {
            self.note(Some(seq), Fault::RefusedButDone(*code), docket);
        }
    }

    fn nothing_blind(&self, docket: &mut Docket<'_>) {
        let (Some((attempt, ..)), Some(seq)) = (self.command.ack(), self.place) else { return };
        if self.client.view == View::Thread || self.command.is_note || attempt.force {
            return;
        }
        let overlooked = match attempt.based_on {
            None => Some(seq),
            Some(based_on) => docket.overlooked(View::Ticket, self.client.user, based_on, seq),
        };
        if let Some(overlooked) = overlooked {
            self.note(Some(seq), Fault::BlindReply { based_on: attempt.based_on, overlooked }, docket);
        }
    }

    fn missed_is_true(&self, docket: &mut Docket<'_>) {
        let is_told = self.client.view == View::Thread || self.command.is_note;
        let (true, Some(seq)) = (is_told, self.place) else { return };
        for attempt in &self.command.attempts {
            let Answer::Acked { missed, .. } = attempt.answer else { continue };
            let overlooked = |based_on: u64| docket.overlooked(self.client.view, self.client.user, based_on, seq).is_some();
            if missed != attempt.based_on.is_some_and(overlooked) {
                self.note(Some(seq), Fault::MissedWrong, docket);
            }
        }
    }

    fn stale_had_a_cause(&self, attempt: &Attempt, docket: &mut Docket<'_>) {
        let Answer::Refused { code: ErrorCode::Stale, events } = &attempt.answer else { return };
        if self.client.view == View::Thread || self.command.is_note || attempt.force {
            self.note(None, Fault::NeverRefusedRefused, docket);
            return;
        }
        let based_on = attempt.based_on.unwrap_or(0);
        let until = match events {
            Some(events) => {
                let right = (based_on + 1..).zip(events).all(|(seq, fact)| fact.seq == seq && is_true(docket, fact));
                if !right {
                    self.note(Some(based_on + 1), Fault::StaleEventsWrong, docket);
                    return;
                }
                based_on + events.len() as u64 + 1
            }
            None => u64::MAX,
        };
        if docket.overlooked(View::Ticket, self.client.user, based_on, until).is_none() {
            self.note(Some(based_on), Fault::StaleWithoutCause, docket);
        }
    }
}

fn is_true(docket: &Docket<'_>, fact: &Fact) -> bool {
    docket.at(View::Ticket, fact.seq).is_some_and(|truth| truth.digest == fact.digest)
}

const fn acked_seq(attempt: &Attempt) -> Option<Option<u64>> {
    match attempt.answer {
        Answer::Acked { seq, .. } => Some(seq),
        Answer::Open | Answer::Lost | Answer::Refused { .. } => None,
    }
}

/// True for refusals that are given after looking at the ticket: by then the key had no effect.
const fn was_judged(code: ErrorCode) -> bool {
    match code {
        ErrorCode::Busy | ErrorCode::RateLimited | ErrorCode::Unavailable | ErrorCode::BadFrame | ErrorCode::UnknownType => {
            false
        }
        ErrorCode::Invalid
        | ErrorCode::Unauthenticated
        | ErrorCode::Forbidden
        | ErrorCode::NotFound
        | ErrorCode::Stale
        | ErrorCode::Claimed
        | ErrorCode::IllegalTransition
        | ErrorCode::LimitReached
        | ErrorCode::TooLarge
        | ErrorCode::UnsupportedVersion => true,
    }
}

/// What was sent after another command's ack had arrived, whoever sent the two, stands after it.
pub(super) fn check_order(ticket: &TicketHistory, docket: &mut Docket<'_>) {
    let placed = || {
        let commands = ticket.clients.iter().flat_map(|client| client.commands.iter().map(move |command| (client, command)));
        commands.filter_map(|(client, command)| Some((client, command, docket.place_of(View::Ticket, command.key)?)))
    };
    let mut sent: Vec<_> =
        placed().map(|(client, command, seq)| (first_sent_us(command), client.user, command.key, seq)).collect();
    sent.sort_by_key(|(sent_us, ..)| *sent_us);
    let mut acked: Vec<_> = placed().filter_map(|(_, command, seq)| Some((command.ack()?.2, seq))).collect();
    acked.sort_unstable();
    let (mut acks, mut acked_first_at) = (acked.into_iter().peekable(), 0);
    for (sent_us, user, key, seq) in sent {
        while let Some((_, seq)) = acks.next_if(|(acked_us, _)| *acked_us < sent_us) {
            acked_first_at = acked_first_at.max(seq);
        }
        if seq < acked_first_at {
            let about = About { seq: Some(seq), key: Some(key), user: Some(user) };
            docket.note(View::Ticket, about, Fault::OrderBroken { acked_first_at });
        }
    }
}

/// The first sending that may have had the effect.
fn first_sent_us(command: &Command) -> u64 {
    let may_have = |attempt: &&Attempt| match &attempt.answer {
        Answer::Open | Answer::Lost | Answer::Acked { .. } | Answer::Refused { code: ErrorCode::Unavailable, .. } => true,
        Answer::Refused { .. } => false,
    };
    command.attempts.iter().find(may_have).map_or(0, |attempt| attempt.sent_us)
}
