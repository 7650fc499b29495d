//! What becomes of a command when its answer comes: done, to be sent again, or refused for good.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hub_core::wire::{ErrorCode, EventRecord};
use serde_json::{Map, Value};

use super::{Client, Stage, TurnedAway};
use crate::oracle::code_name;
use crate::oracle::history::{Answer, Fact};
use crate::tally::PROMPT_US;

/// So often a command that keeps being refused `stale` is sent, before its sender gives up.
const MAX_STALE: usize = 50;
/// Wait this long before trying again when the hub names no time.
const DEFAULT_RETRY_MS: u64 = 100;

impl Client {
    pub(super) fn acked(&mut self, id: u64, seq: Option<u64>, result: &Map<String, Value>, now_us: u64) {
        let Some(index) = self.flight.remove(&id) else {
            self.odd(format!("an ack for request {id}, which nobody made or which was answered before"));
            return;
        };
        let missed = result.get("missed").and_then(Value::as_bool).unwrap_or(false);
        let was_forced = self.answer(index, Answer::Acked { seq, missed, at_us: now_us });
        let tally = &self.company.tally;
        tally.acked.fetch_add(1, Relaxed);
        if was_forced {
            tally.forced.fetch_add(1, Relaxed);
        }
        let intent = &self.intents[index];
        if intent.measured {
            intent.stretch.acked.fetch_add(1, Relaxed);
            if now_us.saturating_sub(intent.intended_us) <= PROMPT_US {
                intent.stretch.prompt.fetch_add(1, Relaxed);
            }
        }
        self.settle(index);
        self.pump(now_us);
    }

    pub(super) fn refused(
        &mut self,
        id: u64,
        code: ErrorCode,
        message: &str,
        retry_after_ms: Option<u64>,
        detail: &Map<String, Value>,
        now_us: u64,
    ) -> Result<(), TurnedAway> {
        let retry_at_us = now_us + retry_after_ms.unwrap_or(DEFAULT_RETRY_MS) * 1_000;
        if let Some(index) = self.flight.remove(&id) {
            self.company.tally.refuse(code);
            self.command_refused(index, code, detail, retry_at_us, now_us);
            self.pump(now_us);
            return Ok(());
        }
        match (self.stage, code) {
            (Stage::Subscribing { id: asked }, ErrorCode::Busy | ErrorCode::RateLimited | ErrorCode::Unavailable)
                if asked == id =>
            {
                self.company.tally.refuse(code);
                self.stage = Stage::SubscribeAt { at_us: retry_at_us };
                Ok(())
            }
            (Stage::Greeting { id: asked }, ErrorCode::Busy | ErrorCode::RateLimited | ErrorCode::Unavailable)
                if asked == id =>
            {
                // The connection ends, and is tried again like any other that ended.
                self.company.tally.refuse(code);
                self.stay_away = retry_after_ms.map(Duration::from_millis);
                Ok(())
            }
            (Stage::Greeting { id: asked } | Stage::Subscribing { id: asked }, _) if asked == id => {
                let what = if matches!(self.stage, Stage::Greeting { .. }) {
                    "hello".into()
                } else {
                    format!("subscribing to {}", self.seat.topic())
                };
                let words = format!("the hub refused {what} of {}: {} ({message})", self.seat.member.email, code_name(code));
                Err(TurnedAway { code, words })
            }
            (Stage::Down | Stage::Greeting { .. } | Stage::Subscribing { .. } | Stage::SubscribeAt { .. } | Stage::Live, _) => {
                self.odd(format!(
                    "an error {} for request {id}, which nobody made or which was answered before",
                    code_name(code)
                ));
                Ok(())
            }
        }
    }

    fn command_refused(&mut self, index: usize, code: ErrorCode, detail: &Map<String, Value>, retry_at_us: u64, now_us: u64) {
        let events = if code == ErrorCode::Stale { self.missed_events(detail) } else { None };
        if let Some(last) = events.as_ref().and_then(|events| events.last()) {
            self.seen = self.seen.max(last.seq);
        }
        let has_events = events.is_some();
        self.answer(index, Answer::Refused { code, events });
        match code {
            ErrorCode::Busy | ErrorCode::RateLimited | ErrorCode::Unavailable | ErrorCode::Stale
                if self.is_too_late(index, now_us) =>
            {
                self.give_up(index);
            }
            ErrorCode::Busy | ErrorCode::RateLimited | ErrorCode::Unavailable => self.put_off.push((retry_at_us, index)),
            ErrorCode::Stale if self.history.commands[index].attempts.len() >= MAX_STALE => self.settle(index),
            ErrorCode::Stale if has_events || self.intents[index].insists => match self.pause_us(index) {
                None => self.waiting.push_front(index),
                Some(pause_us) => self.put_off.push((now_us + pause_us, index)),
            },
            ErrorCode::Stale => {
                self.until_read.push(index);
                self.go_on_after_reading(now_us);
            }
            ErrorCode::Claimed if self.is_agent() && self.intents[index].insists && !self.has_insisted(index) => {
                self.waiting.push_front(index);
            }
            ErrorCode::Claimed
            | ErrorCode::BadFrame
            | ErrorCode::UnknownType
            | ErrorCode::Invalid
            | ErrorCode::Unauthenticated
            | ErrorCode::Forbidden
            | ErrorCode::NotFound
            | ErrorCode::IllegalTransition
            | ErrorCode::LimitReached
            | ErrorCode::TooLarge
            | ErrorCode::UnsupportedVersion => self.settle(index),
        }
    }

    /// `detail.events`, or none when the hub says that they are too many.
    fn missed_events(&mut self, detail: &Map<String, Value>) -> Option<Vec<Arc<Fact>>> {
        if detail.get("reset") == Some(&Value::Bool(true)) {
            return None;
        }
        let events = detail.get("events").cloned().unwrap_or(Value::Null);
        match serde_json::from_value::<Vec<EventRecord>>(events) {
            Ok(records) => Some(records.iter().map(|record| self.shelf.keep(record)).collect()),
            Err(error) => {
                self.odd(format!("`stale` without readable detail.events: {error}"));
                None
            }
        }
    }

    /// The first time a refused reply is sent again at once; then its sender waits, longer each time: were all to hurry where
    /// many write at once, refusals would be most of what a hub has to do.
    fn pause_us(&self, index: usize) -> Option<u64> {
        let refusals = self.history.commands[index].attempts.len() as u64;
        let doublings = refusals.checked_sub(2)?.min(6);
        // Not all the same: whoever waited together would come back together.
        let step_us = 4_000 + self.intents[index].number % 8 * 1_000;
        Some(step_us << doublings)
    }

    fn has_insisted(&self, index: usize) -> bool {
        self.history.commands[index].attempts.iter().any(|attempt| attempt.force)
    }

    /// Notes the answer to the last sending; true when that one insisted.
    fn answer(&mut self, index: usize, answer: Answer) -> bool {
        self.history.commands[index].attempts.last_mut().is_some_and(|attempt| {
            attempt.answer = answer;
            attempt.force
        })
    }

    /// True when nobody waits for its ack any more.
    pub(super) fn is_too_late(&self, index: usize, now_us: u64) -> bool {
        let waited_us = now_us.saturating_sub(self.intents[index].intended_us);
        self.company.patience_us.is_some_and(|patience_us| waited_us > patience_us)
    }

    /// Nobody waits for it any more.
    pub(super) fn give_up(&self, index: usize) {
        self.company.tally.given_up.fetch_add(1, Relaxed);
        self.settle(index);
    }

    /// Nothing more will be tried.
    fn settle(&self, index: usize) {
        self.company.tally.settled.fetch_add(1, Relaxed);
        if self.intents[index].measured {
            self.intents[index].stretch.settled.fetch_add(1, Relaxed);
        }
    }
}
