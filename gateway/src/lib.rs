//! The doors: REST and WebSocket. What comes in is read strictly and handed to the actors; what they say goes out.
//!
//! Doors decide nothing about tickets and know no database: they judge form and who asks, then call [`actors::Tickets`]
//! for every change, and the ports of `hub_core` for what is only read.

pub mod auth;
mod doors;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod health;
pub mod limits;
pub mod metrics;
mod origin;
mod outside;
mod pages;
mod problem;
mod readiness;
pub mod rest;
mod serve;
mod settings;
mod socket_options;
pub mod ws;

pub use auth::{Authenticator, Signed};
pub use doors::Doors;
pub use metrics::MetricsToken;
pub use origin::Origins;
pub use problem::Refused;
pub use readiness::{NotReady, Readiness};
pub use serve::serve;
pub use settings::{CookieKind, LoginLimits, Rate, RateLimits, Settings, SocketLimits};
pub use socket_options::listen;
