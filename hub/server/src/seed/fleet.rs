//! Fleets: users with tokens and tickets with customers, for load tests of a hub on this machine.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_core::ids::{CommandKey, SessionId, TicketId, TicketKey, UserId, WorkspaceId};
use hub_core::ports::{Append, NewSession};
use hub_core::rules::intent::{Asker, Circumstances, Intent, Step};
use hub_core::rules::permissions::Role;
use hub_core::rules::workflow::Workflow;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::time::UnixMs;
use hub_core::wire::{Priority, Source};
use serde::Serialize;
use sha2::{Digest, Sha256};
use storage::{NewUser, NewWorkspace, Owner};
use uuid::Uuid;

use super::cast::derived;
use super::{hash, write};

const SLUG: &str = "fleet";
/// Numbers below are the fleet's, from here on the hub's.
const FIRST_NUMBER: u64 = 1_000_001;
/// How long the tokens live.
const TOKENS_LIVE: Duration = Duration::from_secs(365 * 24 * 3_600);
/// Between two tickets: lists are ordered by time, and a crowd of one millisecond is nothing that people make.
const APART_MS: i64 = 1_000;
/// Rows written at a time.
const BATCH: usize = 1_000;

/// How big a fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FleetSize {
    pub agents: u32,
    pub customers: u32,
    pub tickets: u32,
}

/// What `hub seed --fleet` made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetReport {
    /// Users with fresh tokens.
    pub users: u64,
    /// Tickets made now.
    pub made: u64,
    /// Tickets that were there already.
    pub there: u64,
}

impl fmt::Display for FleetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { users, made, there } = self;
        write!(f, "the fleet has {users} users with fresh tokens and {} tickets ({made} of them new)", made + there)
    }
}

/// The file that load tests read.
#[derive(Serialize)]
struct TokensFile<'a> {
    workspace: &'a str,
    agents: Vec<Member>,
    customers: Vec<Member>,
    tickets: Vec<FleetTicket>,
}

#[derive(Serialize)]
struct Member {
    email: String,
    token: String,
    user_id: UserId,
}

#[derive(Serialize)]
struct FleetTicket {
    id: TicketId,
    requester_id: UserId,
}

/// Makes a fleet in the workspace `fleet`, and writes its tokens to a file that only its owner may read. A second run makes what
/// is missing, and fresh tokens for all.
///
/// # Errors
/// When the size is impossible, the database refuses, or the file cannot be written.
pub async fn fleet(owner_url: &str, size: FleetSize, tokens: &Path) -> Result<FleetReport> {
    ensure!(size.tickets == 0 || size.customers > 0, "tickets need customers: add customers=1");
    ensure!(u64::from(size.tickets) < FIRST_NUMBER, "a fleet has at most {} tickets", FIRST_NUMBER - 1);
    let owner = Owner::connect(owner_url).await.context("the owner cannot use the database")?;
    let workspace = WorkspaceId::new(derived(&["workspace", SLUG]));
    make_workspace(&owner, workspace).await?;
    let now = owner.now();
    let agents = make_users(&owner, workspace, Role::Agent, size.agents).await?;
    let customers = make_users(&owner, workspace, Role::Customer, size.customers).await?;
    let tickets = tickets(workspace, &customers, size.tickets, now)?;
    let made = write(&owner, &tickets).await?;
    let file = TokensFile {
        workspace: SLUG,
        agents: make_tokens(&owner, workspace, &agents, now).await?,
        customers: make_tokens(&owner, workspace, &customers, now).await?,
        tickets: tickets
            .iter()
            .map(|append| FleetTicket { id: append.ticket.ticket, requester_id: append.state.requester.id })
            .collect(),
    };
    owner.refresh_statistics().await?;
    write_file(tokens, &file).with_context(|| format!("the tokens cannot be written to {}", tokens.display()))?;
    let users = u64::from(size.agents) + u64::from(size.customers);
    Ok(FleetReport { users, made, there: u64::from(size.tickets) - made })
}

async fn make_workspace(owner: &Owner, id: WorkspaceId) -> Result<()> {
    let new = NewWorkspace {
        id,
        slug: SLUG.into(),
        name: "Load test fleet".into(),
        number_prefix: "FL".into(),
        workflow: Workflow::simple(),
        first_number: FIRST_NUMBER,
    };
    Ok(owner.workspace(&new).await?)
}

async fn make_users(owner: &Owner, workspace: WorkspaceId, role: Role, count: u32) -> Result<Vec<NewUser>> {
    // nobody signs in with a password nobody knows; one for all, for each hash takes its time
    let password_hash = hash(&Uuid::from_bytes(rand::random()).to_string());
    let kind = role.name();
    let user = |number: u32| NewUser {
        id: UserId::new(derived(&["user", SLUG, kind, &number.to_string()])),
        email: format!("{kind}{number}@fleet.test"),
        name: format!("Fleet {kind} {number}"),
        role,
        password_hash: password_hash.clone(),
    };
    let users: Vec<NewUser> = (1..=count).map(user).collect();
    for batch in users.chunks(BATCH) {
        owner.users(workspace, batch).await?;
    }
    Ok(users)
}

/// Tickets of one event each, spread evenly over the customers.
fn tickets(workspace: WorkspaceId, customers: &[NewUser], count: u32, now: UnixMs) -> Result<Vec<Append>> {
    let facts = WorkspaceFacts {
        id: workspace,
        slug: SLUG.into(),
        name: String::new(),
        number_prefix: "FL".into(),
        workflow: Workflow::simple(),
        staff: Vec::new(),
        teams: Vec::new(),
        categories: Vec::new(),
    };
    let ticket = |(number, customer): (u32, &NewUser)| {
        let key = CommandKey::new(derived(&["key", SLUG, &number.to_string()]));
        let by = Asker { user: customer.id, name: customer.name.clone(), role: customer.role };
        let opening = Step::Create {
            title: format!("Load test ticket {number}"),
            description: "Made by `hub seed --fleet` for load tests.".into(),
            source: Source::Api,
            priority: Priority::P3,
            number: u64::from(number),
        };
        let intent = Intent { key, by, steps: vec![opening] };
        let id = TicketKey { workspace, ticket: TicketId::derived(workspace, customer.id, key) };
        let opened = UnixMs(now.0 - i64::from(count - number) * APART_MS);
        let decided = intent.decide(None, Circumstances::plain(&facts, opened)).map_err(|refusal| anyhow!("{refusal:?}"))?;
        Append::of_intent(id, None, &intent, decided, opened, rand::random).ok_or_else(|| anyhow!("the opening made no ticket"))
    };
    (1..=count).zip(customers.iter().cycle()).map(ticket).collect()
}

async fn make_tokens(owner: &Owner, workspace: WorkspaceId, users: &[NewUser], now: UnixMs) -> Result<Vec<Member>> {
    let mut members = Vec::with_capacity(users.len());
    let mut sessions = Vec::with_capacity(users.len());
    for user in users {
        let token = fresh_token(workspace);
        sessions.push(NewSession {
            workspace,
            session: SessionId::new(uuid::Builder::from_random_bytes(rand::random()).into_uuid()),
            user: user.id,
            token_hash: Sha256::digest(&token).into(),
            expires_at: now + TOKENS_LIVE,
        });
        members.push(Member { email: user.email.clone(), token, user_id: user.id });
    }
    for batch in sessions.chunks(BATCH) {
        owner.sessions(workspace, batch).await?;
    }
    Ok(members)
}

/// `tdm_`, the workspace as 32 hex digits, `_`, and 32 random bytes: what sign-in gives out, too.
fn fresh_token(workspace: WorkspaceId) -> String {
    let secret: [u8; 32] = rand::random();
    format!("tdm_{}_{}", workspace.uuid().simple(), URL_SAFE_NO_PAD.encode(secret))
}

fn write_file(path: &Path, file: &TokensFile<'_>) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(path)?;
    serde_json::to_writer_pretty(&mut out, file)?;
    writeln!(out)?;
    Ok(())
}
