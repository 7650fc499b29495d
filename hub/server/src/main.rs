//! The program `hub`: reads what it is told and does it. Everything else is in the library beside it.

use std::process::ExitCode;

use clap::Parser;
use hub_server::cli::Cli;

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
