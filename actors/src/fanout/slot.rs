//! Which signals of a topic replace each other: those of the same type about the same subject. A row of the lists goes by the id
//! of its ticket; the other types are set apart from it.

use hub_core::ids::TicketId;

/// Who of the staff is here.
pub const PEOPLE: u128 = 3;
/// The counters.
pub const COUNTERS: u128 = 4;
/// Drawn at random: as good as never the difference between the ids of two tickets.
const PRESENCE: u128 = 0x8f3c_61d7_2b90_4ae5_b6f2_0d19_c754_3e8b;

/// Who is at a ticket, in the lists.
pub const fn presence(ticket: TicketId) -> u128 {
    ticket.uuid().as_u128() ^ PRESENCE
}
