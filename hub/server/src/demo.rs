//! Demo accounts have a password everybody knows: they may exist on a loopback address, and nowhere else.

use std::net::IpAddr;

use anyhow::{Result, bail};
use hub_core::ports::Accounts;

/// One account of each workspace that `hub seed --demo` makes. `.test` is nobody's domain, so no real account is meant.
const DEMO_ACCOUNTS: [(&str, &str); 3] =
    [("acme", "owner@acme.test"), ("globex", "owner@globex.test"), ("platform", "root@platform.test")];

/// Refuses to show demo accounts to a network.
///
/// # Errors
/// When `bind` is no loopback address and the database holds demo accounts.
pub async fn refuse_on_a_network(bind: IpAddr, accounts: &dyn Accounts) -> Result<()> {
    if bind.is_loopback() {
        return Ok(());
    }
    for (workspace, email) in DEMO_ACCOUNTS {
        if accounts.find(workspace.into(), email.into()).await?.is_some() {
            bail!(
                "the database holds the demo account {email}, whose password everybody knows, and the hub was told to listen on {bind}. \
                 Listen on 127.0.0.1, or use a database without the demo."
            );
        }
    }
    Ok(())
}

/// Refuses to make accounts with known passwords or tokens for a hub that a network reaches.
///
/// # Errors
/// When `bind` is no loopback address.
pub fn refuse_to_seed_for_a_network(bind: IpAddr) -> Result<()> {
    if bind.is_loopback() {
        return Ok(());
    }
    bail!("seeds are for hubs on a loopback address, and this one listens on {bind}: nothing was made")
}
