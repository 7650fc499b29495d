//! The in-memory twins of workspaces and accounts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::later::Gate;
use crate::ids::{SessionId, UserId, WorkspaceId};
use crate::ports::{Account, Accounts, Answer, Clock, NewSession, SignIn, StoreError, Workspaces};
use crate::rules::audit::Hash;
use crate::rules::permissions::Role;
use crate::rules::workspace::WorkspaceFacts;

/// Workspaces in memory. Clones share everything.
#[derive(Clone, Default)]
pub struct MemoryWorkspaces {
    kept: Arc<Mutex<HashMap<WorkspaceId, Kept>>>,
    /// Everything passes here: closed, it waits.
    pub gate: Gate,
}

/// The facts, and the next number.
type Kept = (Arc<WorkspaceFacts>, u64);

impl MemoryWorkspaces {
    /// Only this workspace; its next ticket has the number 1.
    pub fn of(facts: WorkspaceFacts) -> Self {
        let all = Self::default();
        all.set(facts);
        all
    }

    /// Makes a workspace, or says anew what it decided about itself.
    pub fn set(&self, facts: WorkspaceFacts) {
        let mut kept = lock(&self.kept);
        let next_number = kept.get(&facts.id).map_or(1, |(_, next)| *next);
        kept.insert(facts.id, (Arc::new(facts), next_number));
    }
}

impl Workspaces for MemoryWorkspaces {
    fn facts(&self, workspace: WorkspaceId) -> Answer<Option<Arc<WorkspaceFacts>>> {
        let kept = Arc::clone(&self.kept);
        self.gate.pass(move || Ok(lock(&kept).get(&workspace).map(|(facts, _)| Arc::clone(facts))))
    }

    fn lease_numbers(&self, workspace: WorkspaceId, count: u32) -> Answer<u64> {
        let kept = Arc::clone(&self.kept);
        self.gate.pass(move || {
            let mut kept = lock(&kept);
            let no_such = || StoreError::Unreadable("there is no such workspace".into());
            let (_, next) = kept.get_mut(&workspace).ok_or_else(no_such)?;
            let first = *next;
            *next += u64::from(count);
            Ok(first)
        })
    }
}

/// Accounts and sign-ins in memory. Clones share everything.
#[derive(Clone)]
pub struct MemoryAccounts {
    kept: Arc<Mutex<People>>,
    clock: Arc<dyn Clock>,
    /// Everything passes here: closed, it waits.
    pub gate: Gate,
}

#[derive(Default)]
struct People {
    persons: HashMap<(WorkspaceId, UserId), Person>,
    sessions: HashMap<(WorkspaceId, SessionId), Session>,
}

struct Person {
    slug: String,
    email: String,
    name: String,
    role: Role,
    password_hash: String,
    is_active: bool,
}

struct Session {
    opened: NewSession,
    is_closed: bool,
}

impl MemoryAccounts {
    /// Nobody yet; sign-ins expire by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { kept: Arc::default(), clock, gate: Gate::default() }
    }

    /// Adds an active person; `email` in any case.
    pub fn add(
        &self,
        (workspace, slug): (WorkspaceId, &str),
        user: UserId,
        email: &str,
        name: &str,
        role: Role,
        password_hash: &str,
    ) {
        let person = Person {
            slug: slug.into(),
            email: email.to_lowercase(),
            name: name.into(),
            role,
            password_hash: password_hash.into(),
            is_active: true,
        };
        lock(&self.kept).persons.insert((workspace, user), person);
    }

    /// Gives a person another role; nothing when there is none.
    pub fn set_role(&self, workspace: WorkspaceId, user: UserId, role: Role) {
        if let Some(person) = lock(&self.kept).persons.get_mut(&(workspace, user)) {
            person.role = role;
        }
    }

    /// Lets a person in no longer; nothing when there is none.
    pub fn deactivate(&self, workspace: WorkspaceId, user: UserId) {
        if let Some(person) = lock(&self.kept).persons.get_mut(&(workspace, user)) {
            person.is_active = false;
        }
    }

    fn pass<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut People, &dyn Clock) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let (kept, clock) = (Arc::clone(&self.kept), Arc::clone(&self.clock));
        self.gate.pass(move || work(&mut lock(&kept), &*clock))
    }
}

impl People {
    fn valid(&self, workspace: WorkspaceId, session: &Session, clock: &dyn Clock) -> Option<SignIn> {
        let NewSession { session: id, user, expires_at, .. } = session.opened;
        let person = self.persons.get(&(workspace, user)).filter(|person| person.is_active)?;
        let is_valid = session.opened.workspace == workspace && !session.is_closed && expires_at > clock.now();
        is_valid.then(|| SignIn {
            session: id,
            workspace,
            user,
            name: person.name.clone(),
            email: person.email.clone(),
            role: person.role,
            expires_at,
        })
    }
}

impl Accounts for MemoryAccounts {
    fn find(&self, workspace_slug: String, email: String) -> Answer<Option<Account>> {
        self.pass(move |people, _| {
            let email = email.to_lowercase();
            let is_meant = |person: &Person| person.is_active && person.slug == workspace_slug && person.email == email;
            let found = people.persons.iter().find(|(_, person)| is_meant(person));
            Ok(found.map(|(&(workspace, user), p)| Account { workspace, user, password_hash: p.password_hash.clone() }))
        })
    }

    fn open_session(&self, session: NewSession) -> Answer<()> {
        self.pass(move |people, _| {
            people.sessions.insert((session.workspace, session.session), Session { opened: session, is_closed: false });
            Ok(())
        })
    }

    fn session(&self, workspace: WorkspaceId, token_hash: Hash) -> Answer<Option<SignIn>> {
        self.pass(move |people, clock| {
            let session = people.sessions.values().find(|session| session.opened.token_hash == token_hash);
            Ok(session.and_then(|session| people.valid(workspace, session, clock)))
        })
    }

    fn close_session(&self, workspace: WorkspaceId, session: SessionId) -> Answer<()> {
        self.pass(move |people, _| {
            if let Some(session) = people.sessions.get_mut(&(workspace, session)) {
                session.is_closed = true;
            }
            Ok(())
        })
    }

    fn ended(&self, workspace: WorkspaceId, sessions: Vec<(SessionId, Role)>) -> Answer<Vec<SessionId>> {
        self.pass(move |people, clock| {
            let is_valid = |(id, role): &(SessionId, Role)| {
                let session = people.sessions.get(&(workspace, *id));
                session.and_then(|s| people.valid(workspace, s, clock)).is_some_and(|sign_in| sign_in.role == *role)
            };
            Ok(sessions.iter().filter(|asked| !is_valid(asked)).map(|(id, _)| *id).collect())
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
