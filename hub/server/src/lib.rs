//! The hub as a process: its command line and settings, the joining of ports to adapters, its start and its stop.
//!
//! The only crate that knows both what the hub needs and what provides it. Tests start hubs through [`serve`].

pub mod cli;
pub mod config;
mod demo;
mod logs;
mod readiness;
pub mod seed {
    //! TEMPORARY until the folder is there.
    pub async fn demo(_: &str) -> anyhow::Result<()> {
        Ok(())
    }
    pub async fn fleet(_: &str, _: u32, _: u32, _: u32, _: &std::path::Path) -> anyhow::Result<()> {
        Ok(())
    }
}
pub mod serve;
mod wiring;

pub use config::Config;
