//! The hub as a process: its command line and settings, the joining of ports to adapters, its start and its stop.
//!
//! The only crate that knows both what the hub needs and what provides it. Tests start hubs through [`serve`].

pub mod cli;
pub mod config;
mod demo;
pub mod doctor;
pub mod logs;
mod readiness;
pub mod seed;
pub mod serve;
mod wiring;

pub use config::Config;
