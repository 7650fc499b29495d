//! What remembers: the ports of `hub_core` over Postgres.
//!
//! [`Store`] is the hub's side: a journal with one writer that commits many tickets at once, reads through a pool, and row
//! security on every statement. [`migrate`] and [`Owner`] are the side of whoever sets the database up. Everything runs on the
//! tokio runtime that is handed in; callers may live on any other, or on none.
//!
//! Leaves rules to `hub_core`, live state to the actors, and durability settings (`fsync` and its kin) to the server.

mod accounts;
pub mod audit;
mod clock;
mod connect;
mod drafts;
mod error;
mod examine;
mod journal;
mod lists;
mod migrations;
mod notifications;
mod owner;
mod reads;
mod rows;
pub mod sql;
mod start;
mod store;
mod tenant;
#[cfg(feature = "testing")]
pub mod testing;
mod workspaces;

pub use clock::DbClock;
pub use error::{SetupError, StartError};
pub use examine::{Examination, OLDEST_POSTGRES, Server, examine};
pub use migrations::{expected_version, migrate};
pub use owner::{NewUser, NewWorkspace, Owner};
pub use store::{Store, StoreConfig};
