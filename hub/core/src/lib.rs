//! What the helpdesk is, without saying where it runs.
//!
//! A **ticket** is one conversation between a customer and the agents; a **thread** is its public part.
//! An **event** is something that happened to a ticket; events are numbered 1, 2, 3… and are the truth.
//! An **intent** is what somebody wants done; `decide` turns it into events or a refusal.
//! A **workspace** is one tenant. A **workflow** says, as data, which statuses it has and which moves it allows.
//!
//! Pure: no runtime, no I/O, no clock. Time, randomness and ids come in as arguments.

pub mod ids;
pub mod ports;
pub mod rules;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod wire;
