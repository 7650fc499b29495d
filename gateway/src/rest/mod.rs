//! REST: one handler per route, each of them extract, call, present. Every change goes through the same actors as the socket.
//!
//! Order of judgement: who asks, form (header, body, query), existence, rights, state. The last three are the actor's.

mod body;
mod collaboration;
mod comments;
mod cursor;
mod docs;
mod drafts;
mod events;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod headers;
mod list;
mod me;
mod notifications;
pub mod openapi;
mod path;
mod query;
mod routes;
mod sessions;
pub mod shapes;
mod tickets;

pub use routes::{configure, described, get, other_methods};
