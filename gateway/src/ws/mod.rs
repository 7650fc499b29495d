//! The WebSocket door. `session` is the only file of the project that names `actix_web_actors`; the protocol itself is
//! `core`, which knows no socket, no actor and no clock.

mod core;
mod dispatch;
mod fragments;
mod handshake;
mod header_guard;
mod judge;
mod kill;
mod pace;
mod session;
mod sockets;
mod under_way;
mod upgrade;
mod worker;

/// What the fuzzing targets need of a socket.
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing {
    pub use super::fragments::{BadText, Fragments, Whole};
    pub use super::judge::{End, Judge};
}

pub use kill::KillSwitch;
pub use sockets::Sockets;
pub use upgrade::resource;
