//! Fault points: ways to make a ticket panic on purpose, so that tests can see what a panic costs. Not in shipped builds.

use std::collections::HashSet;

use hub_core::ids::TicketId;
use parking_lot::Mutex;

static ARMED: Mutex<Option<HashSet<TicketId>>> = Mutex::new(None);

/// The next command that reaches this ticket makes its actor panic, once.
pub fn panic_at_next_command(ticket: TicketId) {
    ARMED.lock().get_or_insert_default().insert(ticket);
}

/// # Panics
/// When the ticket is armed.
pub(crate) fn panic_if_armed(ticket: TicketId) {
    let armed = ARMED.lock().as_mut().is_some_and(|armed| armed.remove(&ticket));
    assert!(!armed, "fault point: the ticket {ticket} was told to panic");
}
