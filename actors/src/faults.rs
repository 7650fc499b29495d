//! Fault points: ways to make an actor panic on purpose, so that tests can see what a panic costs. Not in shipped builds.

use std::thread::ThreadId;

use hub_core::ids::TicketId;
use parking_lot::Mutex;

/// Where a panic strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// In the ticket's actor, at a command.
    Command,
    /// In the shard, at anything for the ticket, once the ticket is awake and before it is told.
    Shard,
    /// In the workspace's actor, when it hears that the ticket's row changed.
    Row,
    /// In a fan-out, at somebody's subscribe to the ticket.
    Subscribe,
    /// In a fan-out, at an event of the ticket, when the first of those who watch it has been told and the others not.
    Event,
}

/// Which tickets are to panic where, and on which thread only; none for any.
static ARMED: Mutex<Vec<(Point, TicketId, Option<ThreadId>)>> = Mutex::new(Vec::new());

/// The next command that reaches this ticket makes its actor panic, once.
pub fn panic_at_next_command(ticket: TicketId) {
    panic_at_next(Point::Command, ticket);
}

/// The same, where its actor lives on the calling thread: for tests that run beside each other with the same ids.
pub fn panic_at_next_command_here(ticket: TicketId) {
    panic_at_next_here(Point::Command, ticket);
}

/// Whoever passes this point next for this ticket panics, once.
pub fn panic_at_next(point: Point, ticket: TicketId) {
    ARMED.lock().push((point, ticket, None));
}

/// The same, on the calling thread.
pub fn panic_at_next_here(point: Point, ticket: TicketId) {
    ARMED.lock().push((point, ticket, Some(std::thread::current().id())));
}

/// # Panics
/// When the point is armed for the ticket.
pub(crate) fn panic_if_armed(point: Point, ticket: TicketId) {
    let here = std::thread::current().id();
    let is_meant = |(at, armed, thread): &(Point, TicketId, Option<ThreadId>)| {
        *at == point && *armed == ticket && thread.is_none_or(|t| t == here)
    };
    let armed = {
        let mut all = ARMED.lock();
        let at = all.iter().position(is_meant);
        at.map(|at| all.swap_remove(at))
    };
    assert!(armed.is_none(), "fault point: {point:?} was told to panic for the ticket {ticket}");
}
