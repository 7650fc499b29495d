//! What the actors count for whoever watches the hub from outside. Labels come from closed sets: no tenant, person or ticket is
//! ever one. Where nobody collects, counting costs next to nothing. What the names mean is told by the gateway, which shows them.

use std::future::Future;
use std::time::{Duration, Instant};

use ::metrics::{counter, gauge, histogram};
use hub_core::wire::{ErrorCode, ServerFrame};

/// How often a thread looks whether it is late.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A ticket that is awake: counted for as long as this is held.
pub(crate) struct Awake(());

impl Awake {
    pub(crate) fn begin() -> Self {
        counter!("tandem_ticket_activations_total").increment(1);
        gauge!("tandem_tickets_awake").increment(1.0);
        Self(())
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        gauge!("tandem_tickets_awake").decrement(1.0);
    }
}

/// A ticket is being read from the log: tells how long that took, and whether it failed. The time it waits for its turn is not
/// part of it, and is seen in how many wait.
pub(crate) struct ReadingTicket(Instant);

impl ReadingTicket {
    /// Waits for its turn.
    pub(crate) async fn in_turn<T>(turn: impl Future<Output = T>) -> (T, Self) {
        let _waiting = Counted::begin("tandem_ticket_reads_waiting");
        (turn.await, Self(Instant::now()))
    }

    /// It is done.
    pub(crate) fn end<T, E>(self, read: &Result<T, E>) {
        match read {
            Ok(_) => histogram!("tandem_ticket_read_seconds").record(self.0.elapsed().as_secs_f64()),
            Err(_) => counter!("tandem_ticket_read_failures_total").increment(1),
        }
    }
}

/// The tickets of a workspace are being counted.
pub(crate) struct CountingTickets(Instant);

impl CountingTickets {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// It is done.
    pub(crate) fn end(self) {
        histogram!("tandem_counters_count_seconds").record(self.0.elapsed().as_secs_f64());
    }
}

/// A recount found other counters than were carried along.
pub(crate) fn counters_corrected() {
    counter!("tandem_counters_corrected_total").increment(1);
}

/// One more in a gauge, for as long as this is held.
pub(crate) struct Counted(&'static str);

impl Counted {
    fn begin(gauge: &'static str) -> Self {
        gauge!(gauge).increment(1.0);
        Self(gauge)
    }

    /// A socket waits for the owner of a topic.
    pub(crate) fn asking() -> Self {
        Self::begin("tandem_subscribes_waiting")
    }

    /// A socket's person is at a ticket.
    pub(crate) fn at_ticket() -> Self {
        Self::begin("tandem_presences")
    }

    /// Somebody has a claim, here on this node.
    pub(crate) fn claim() -> Self {
        Self::begin("tandem_claims_held")
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}

/// A command was acked, so long after it came.
pub(crate) fn acked(after: Duration) {
    histogram!("tandem_command_seconds").record(after.as_secs_f64());
}

/// A ticket that keeps dying rests.
pub(crate) fn quarantined() {
    counter!("tandem_ticket_quarantines_total").increment(1);
}

/// The drafts of a ticket that were due are being stored.
pub(crate) struct StoringDrafts(Instant);

impl StoringDrafts {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// So many are.
    pub(crate) fn end(self, stored: usize) {
        histogram!("tandem_drafts_store_seconds").record(self.0.elapsed().as_secs_f64());
        counter!("tandem_drafts_stored_total").increment(stored as u64);
    }

    /// They are not, or nobody knows.
    pub(crate) fn fail(self) {
        counter!("tandem_draft_store_failures_total").increment(1);
    }
}

/// Somebody saved a draft that another device had changed.
pub(crate) fn draft_conflict() {
    counter!("tandem_draft_conflicts_total").increment(1);
}

/// A client does not read: a topic of its socket is left behind.
pub(crate) fn left_behind() {
    counter!("tandem_topics_left_behind_total").increment(1);
}

/// The hub itself asks for a topic again, from the last event that was delivered.
pub(crate) fn resynchronised() {
    counter!("tandem_topics_resynchronised_total").increment(1);
}

/// Looks, for ever, how late the timers of the calling thread fire: what blocks it. `of` is `worker` or `shard`.
pub async fn watch_stalls(of: &'static str) {
    let mut due = tokio::time::Instant::now() + LOOK_EVERY;
    loop {
        tokio::time::sleep_until(due).await;
        let now = tokio::time::Instant::now();
        // Looked up each time: shards begin before anybody collects, and what was looked up then would never count.
        histogram!("tandem_event_loop_stall_seconds", "loop" => of).record(now.saturating_duration_since(due).as_secs_f64());
        due = now + LOOK_EVERY;
    }
}

/// A ticket panicked.
pub(crate) fn ticket_panicked() {
    counter!("tandem_ticket_panics_total").increment(1);
}

/// A `shard`, a `fanout`, a `user` or a `workspace` panicked, and went on or began anew.
pub(crate) fn panicked(actor: &'static str) {
    counter!("tandem_panics_total", "actor" => actor).increment(1);
}

/// An event was queued for the sockets of one worker that watch it, so long after its commit.
pub(crate) fn delivered(after: Duration) {
    histogram!("tandem_delivery_seconds").record(after.as_secs_f64());
}

/// A frame found no room at one socket.
pub(crate) fn outbox_overflowed() {
    counter!("tandem_outbox_overflows_total").increment(1);
}

/// A delivery found no room at one worker.
pub(crate) fn fanout_overflowed() {
    counter!("tandem_fanout_overflows_total").increment(1);
}

/// `frames` frames of one `type` were queued for sockets.
pub(crate) fn queued(kind: &'static str, frames: u64) {
    counter!("tandem_frames_out_total", "type" => kind).increment(frames);
}

/// A frame was queued for, or written to, one socket.
pub fn sent(frame: &ServerFrame) {
    if let ServerFrame::Error { code, .. } = frame {
        refused("socket", *code);
    }
    queued(kind(frame), 1);
}

/// Something was refused at a door: `socket` or `http`.
pub fn refused(door: &'static str, code: ErrorCode) {
    counter!("tandem_refusals_total", "door" => door, "code" => code_name(code)).increment(1);
}

const fn kind(frame: &ServerFrame) -> &'static str {
    match frame {
        ServerFrame::Welcome { .. } => "welcome",
        ServerFrame::Subscribed { .. } => "subscribed",
        ServerFrame::Unsubscribed { .. } => "unsubscribed",
        ServerFrame::Event { .. } => "event",
        ServerFrame::Signal { .. } => "signal",
        ServerFrame::Ack { .. } => "ack",
        ServerFrame::Error { .. } => "error",
        ServerFrame::Pong { .. } => "pong",
        ServerFrame::Goodbye { .. } => "goodbye",
    }
}

/// A code as it stands on the wire.
pub const fn code_name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadFrame => "bad_frame",
        ErrorCode::UnknownType => "unknown_type",
        ErrorCode::Invalid => "invalid",
        ErrorCode::Unauthenticated => "unauthenticated",
        ErrorCode::Forbidden => "forbidden",
        ErrorCode::NotFound => "not_found",
        ErrorCode::Stale => "stale",
        ErrorCode::Claimed => "claimed",
        ErrorCode::IllegalTransition => "illegal_transition",
        ErrorCode::LimitReached => "limit_reached",
        ErrorCode::RateLimited => "rate_limited",
        ErrorCode::TooLarge => "too_large",
        ErrorCode::Busy => "busy",
        ErrorCode::Unavailable => "unavailable",
        ErrorCode::UnsupportedVersion => "unsupported_version",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_called_as_on_the_wire() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("a word"), code_name(code));
        }
    }
}
