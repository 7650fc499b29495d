//! How a command gets onto the wire: within the hub's limit, saying what was seen, and the same again when it is repeated.

use std::sync::atomic::Ordering::Relaxed;

use hub_core::wire::{Audience, ClientFrame, ErrorCode};

use super::{Client, Stage};
use crate::oracle::history::{Answer, Attempt, Command, body_digest};
use crate::plan::Intent;

impl Client {
    /// Somebody wants a reply posted.
    pub fn want(&mut self, intent: Intent, now_us: u64) {
        let body = self.company.words.body(intent.number);
        self.history.commands.push(Command {
            key: self.company.words.key(intent.number),
            body: body_digest(&body),
            is_note: intent.is_note,
            intended_us: intent.intended_us,
            measured: intent.is_reported(),
            attempts: Vec::with_capacity(1),
        });
        let index = self.intents.len();
        if self.company.patience_us.is_some() && !self.has_hands_free() {
            self.intents.push(intent);
            self.give_up(index);
            return;
        }
        if self.has_hands_free() && self.live_since_us <= intent.intended_us {
            if intent.is_reported() {
                self.lateness_us.push(now_us.saturating_sub(intent.intended_us));
            }
        } else {
            self.company.tally.held_back.fetch_add(1, Relaxed);
        }
        self.intents.push(intent);
        self.waiting.push_back(index);
        self.pump(now_us);
    }

    /// True when what is wanted now goes out now. Who has no patience wants nothing else: a queue of its own would only hand
    /// the hub what hardly anybody waits for any more.
    fn has_hands_free(&self) -> bool {
        self.can_send() && self.waiting.is_empty()
    }

    fn can_send(&self) -> bool {
        self.stage == Stage::Live && self.flight.len() < self.in_flight_limit
    }

    pub(super) fn pump(&mut self, now_us: u64) {
        while self.can_send()
            && let Some(index) = self.waiting.pop_front()
        {
            // What was sent before is sent again however late it is: its outcome is unknown.
            if self.history.commands[index].attempts.is_empty() && self.is_too_late(index, now_us) {
                self.give_up(index);
            } else {
                self.send(index, now_us);
            }
        }
    }

    fn send(&mut self, index: usize, now_us: u64) {
        let (number, is_note) = (self.intents[index].number, self.intents[index].is_note);
        let (based_on, force) = self.stance(index);
        let tally = &self.company.tally;
        if self.history.commands[index].attempts.is_empty() { &tally.sent } else { &tally.sent_again }.fetch_add(1, Relaxed);
        let id = self.ask(ClientFrame::PostReply {
            key: self.history.commands[index].key,
            ticket_id: self.seat.ticket,
            body: self.company.words.body(number),
            audience: if is_note { Audience::Internal } else { Audience::Public },
            based_on,
            force,
            then_status: None,
            mention_ids: vec![],
            hold_ms: None,
        });
        self.history.commands[index].attempts.push(Attempt { sent_us: now_us, based_on, force, answer: Answer::Open });
        self.flight.insert(id, index);
    }

    /// What a command says it has seen, and whether it insists. A repeat says the same again; only after a refusal that asks
    /// to look again it looks again.
    fn stance(&self, index: usize) -> (Option<u64>, bool) {
        match self.history.commands[index].attempts.last() {
            None => (Some(self.seen), false),
            Some(Attempt { answer: Answer::Refused { code: ErrorCode::Stale | ErrorCode::Claimed, .. }, .. }) => {
                (Some(self.seen), self.intents[index].insists)
            }
            Some(last) => (last.based_on, last.force),
        }
    }
}
