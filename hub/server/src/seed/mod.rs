//! Seeds: the demo, and fleets of users for load tests. Written by the owner of the tables, through the same rules and the same
//! statement as everything the hub writes, so that every chain verifies. A second run finds what the first one made.

mod cast;
mod dice;
mod fleet;
mod script;
mod stories;
#[cfg(test)]
mod tests;

use std::fmt;

use anyhow::{Context, Result};
use argon2::{Argon2, PasswordHasher};
use hub_core::ports::{Append, Appended};
use hub_core::time::UnixMs;
use storage::{NewUser, NewWorkspace, Owner};

use cast::{Troupe, troupes};
pub use fleet::{FleetReport, FleetSize, fleet};

/// Of every demo account. Known to everybody, hence loopback only.
const DEMO_PASSWORD: &str = "demo";
/// Tickets in each workspace that has any.
const DEMO_TICKETS: u64 = 200;
/// Tickets written at a time.
const BATCH: usize = 100;
/// What happened so recently is not read yet, in milliseconds: a day.
const UNREAD_FOR_MS: i64 = 24 * 3_600 * 1_000;

/// What `hub seed --demo` made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DemoReport {
    /// Workspaces of the demo.
    pub workspaces: u64,
    /// Their accounts.
    pub accounts: u64,
    /// Tickets made now.
    pub made: u64,
    /// Tickets that were there already.
    pub there: u64,
}

impl fmt::Display for DemoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workspaces, accounts, made, there } = self;
        write!(f, "the demo has {workspaces} workspaces, {accounts} accounts and {} tickets ({made} of them new)", made + there)
    }
}

/// Makes the demo's workspaces, accounts and tickets, as far as they are missing.
///
/// # Errors
/// When the database is not migrated, does not answer, or refuses.
pub async fn demo(owner_url: &str) -> Result<DemoReport> {
    let owner = Owner::connect(owner_url).await.context("the owner cannot use the database")?;
    let mut report = DemoReport::default();
    let password_hash = hash(DEMO_PASSWORD);
    for troupe in troupes() {
        make_people(&owner, &troupe, &password_hash)
            .await
            .with_context(|| format!("the workspace {} cannot be made", troupe.slug))?;
        report.workspaces += 1;
        report.accounts += troupe.people.len() as u64;
        if !troupe.stories.is_empty() {
            let (made, there) = make_tickets(&owner, &troupe).await.with_context(|| format!("tickets of {}", troupe.slug))?;
            report.made += made;
            report.there += there;
        }
    }
    if report.made > 0 {
        owner.refresh_statistics().await?;
    }
    Ok(report)
}

async fn make_people(owner: &Owner, troupe: &Troupe, password_hash: &str) -> Result<()> {
    let id = troupe.id();
    let person = |(email, name, role): &(&str, &str, _)| NewUser {
        id: troupe.user_id(email),
        email: (*email).to_owned(),
        name: (*name).to_owned(),
        role: *role,
        password_hash: password_hash.to_owned(),
    };
    let people: Vec<NewUser> = troupe.people.iter().map(person).collect();
    owner.workspace(&new_workspace(troupe)).await?;
    owner.users(id, &people).await?;
    for (name, members) in troupe.teams {
        let members: Vec<_> = members.iter().map(|email| troupe.user_id(email)).collect();
        owner.team(id, troupe.team_id(name), name, &members).await?;
    }
    for name in troupe.categories() {
        owner.category(id, troupe.category_id(name), name).await?;
    }
    Ok(())
}

fn new_workspace(troupe: &Troupe) -> NewWorkspace {
    NewWorkspace {
        id: troupe.id(),
        slug: troupe.slug.to_owned(),
        name: troupe.name.to_owned(),
        number_prefix: troupe.prefix.to_owned(),
        workflow: troupe.workflow.clone(),
        first_number: DEMO_TICKETS + 1,
    }
}

async fn make_tickets(owner: &Owner, troupe: &Troupe) -> Result<(u64, u64)> {
    if owner.ticket_count(troupe.id()).await? >= DEMO_TICKETS {
        return Ok((0, DEMO_TICKETS));
    }
    let now = owner.now();
    let tickets: Vec<Append> =
        (0..DEMO_TICKETS).map(|at| script::ticket(troupe, at, DEMO_TICKETS, now)).collect::<Result<_>>()?;
    let made = write(owner, &tickets).await?;
    owner.read_until(troupe.id(), UnixMs(now.0 - UNREAD_FOR_MS)).await?;
    Ok((made, DEMO_TICKETS - made))
}

/// Writes tickets; answers how many were not there yet.
async fn write(owner: &Owner, tickets: &[Append]) -> Result<u64> {
    let mut made = 0;
    for batch in tickets.chunks(BATCH) {
        let answers = owner.append(batch).await?;
        made += answers.iter().filter(|answer| matches!(answer, Appended::Committed { .. })).count() as u64;
    }
    Ok(made)
}

/// An Argon2id hash, with the settings of sign-in.
fn hash(password: &str) -> String {
    Argon2::default().hash_password(password.as_bytes()).expect("Argon2's own defaults are in its range").to_string()
}
