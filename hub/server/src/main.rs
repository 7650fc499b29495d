//! The program `hub`: reads what it is told and does it. Everything else is in the library beside it.

use std::process::ExitCode;

use clap::Parser;
use hub_server::cli::Cli;

/// Sockets and tickets come and go by the thousand on many threads: takes less memory for them than the C library's, and gives
/// more of it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One provider for all of TLS, chosen before anybody needs one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match hub_server::cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hub: {error:#}");
            ExitCode::FAILURE
        }
    }
}
