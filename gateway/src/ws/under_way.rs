//! A command of a socket that has not been answered yet. It gets exactly one answer, also where its work panics: then nobody
//! can tell whether it took effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actors::fanout::Outbox;
use hub_core::wire::{Codec, Problem, ServerFrame};

use super::kill::KillSwitch;

/// Counted among those under way for as long as this is held; answered `unavailable` where it is dropped.
pub struct UnderWay {
    id: u64,
    codec: Codec,
    outbox: Arc<Outbox>,
    in_flight: Arc<AtomicUsize>,
    kill: KillSwitch,
    is_answered: bool,
}

impl UnderWay {
    /// A command that was let in, with its request number.
    pub fn begin(id: u64, codec: Codec, outbox: Arc<Outbox>, in_flight: Arc<AtomicUsize>, kill: KillSwitch) -> Self {
        in_flight.fetch_add(1, Ordering::Relaxed);
        Self { id, codec, outbox, in_flight, kill, is_answered: false }
    }

    /// Does the work, and answers.
    pub async fn carry_out(mut self, work: impl Future<Output = Result<ServerFrame, Problem>>) {
        let answer = work.await.unwrap_or_else(|problem| ServerFrame::error(Some(self.id), problem));
        self.is_answered = true;
        self.end(&answer);
    }

    fn end(&self, answer: &ServerFrame) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        actors::metrics::sent(answer);
        if self.outbox.push(self.codec.encode(answer).into()).is_err() {
            self.kill.cut();
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.is_answered {
            self.end(&ServerFrame::error(Some(self.id), Problem::unavailable()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actors::fanout::OutboxLimits;
    use serde_json::{Value, json};

    struct Fixture {
        outbox: Arc<Outbox>,
        in_flight: Arc<AtomicUsize>,
    }

    impl Fixture {
        fn new() -> Self {
            Self { outbox: Arc::new(Outbox::new(OutboxLimits::default(), || ())), in_flight: Arc::default() }
        }

        fn begin(&self, id: u64) -> UnderWay {
            let (outbox, in_flight) = (Arc::clone(&self.outbox), Arc::clone(&self.in_flight));
            UnderWay::begin(id, Codec::Json, outbox, in_flight, KillSwitch::of(None))
        }

        /// How many are under way, and the request number and the code or the kind of each answer.
        fn seen(&self) -> (usize, Vec<(Value, Value)>) {
            let answers = self.outbox.drain().into_iter().map(|bytes| {
                let frame: Value = serde_json::from_slice(&bytes).expect("JSON");
                let word = frame.get("code").unwrap_or(&frame["type"]).clone();
                (frame["id"].clone(), word)
            });
            (self.in_flight.load(Ordering::Relaxed), answers.collect())
        }
    }

    #[actix_web::test]
    async fn work_that_panics_is_answered_that_nobody_can_tell_and_makes_room() {
        let fixture = Fixture::new();
        let command = fixture.begin(7);
        assert_eq!(fixture.seen(), (1, vec![]));
        let ended = actix_web::rt::spawn(command.carry_out(async { panic!("a bug") })).await;
        assert!(ended.is_err_and(|error| error.is_panic()));
        assert_eq!(fixture.seen(), (0, vec![(json!(7), json!("unavailable"))]));
    }

    #[actix_web::test]
    async fn work_that_ends_is_answered_once() {
        let fixture = Fixture::new();
        let ack = ServerFrame::Ack { id: 1, seq: Some(3), result: serde_json::Map::new() };
        fixture.begin(1).carry_out(async { Ok(ack) }).await;
        fixture.begin(2).carry_out(async { Err(Problem::busy(250)) }).await;
        assert_eq!(fixture.seen(), (0, vec![(json!(1), json!("ack")), (json!(2), json!("busy"))]));
    }
}
