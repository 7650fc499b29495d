//! The rules: plain Rust with four words. `decide(command, now) -> events | refusal` changes nothing;
//! `apply(event)` never fails and serves live and on replay; `deadline()` and `tick(now)` are all that time can do.

pub mod audit;
pub mod claim;
pub mod counters;
pub mod drafts;
pub mod handoff;
pub mod held;
pub mod intent;
pub mod notify;
pub mod people;
pub mod permissions;
pub mod presence;
pub mod record;
pub mod resume;
pub mod stale;
mod tags;
pub mod ticket;
pub mod workflow;
pub mod workspace;
