//! Fault points: ways to make a ticket panic on purpose, so that tests can see what a panic costs. Not in shipped builds.

use std::thread::ThreadId;

use hub_core::ids::TicketId;
use parking_lot::Mutex;

/// Which tickets are to panic, and on which thread only; none for any.
static ARMED: Mutex<Vec<(TicketId, Option<ThreadId>)>> = Mutex::new(Vec::new());

/// The next command that reaches this ticket makes its actor panic, once.
pub fn panic_at_next_command(ticket: TicketId) {
    ARMED.lock().push((ticket, None));
}

/// The same, where its actor lives on the calling thread: for tests that run beside each other with the same ids.
pub fn panic_at_next_command_here(ticket: TicketId) {
    ARMED.lock().push((ticket, Some(std::thread::current().id())));
}

/// # Panics
/// When the ticket is armed.
pub(crate) fn panic_if_armed(ticket: TicketId) {
    let here = std::thread::current().id();
    let is_meant = |(armed, thread): &(TicketId, Option<ThreadId>)| *armed == ticket && thread.is_none_or(|t| t == here);
    let armed = {
        let mut all = ARMED.lock();
        let at = all.iter().position(is_meant);
        at.map(|at| all.swap_remove(at))
    };
    assert!(armed.is_none(), "fault point: the ticket {ticket} was told to panic");
}
