//! Signs people in and out, and knows a token again.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hub_core::ids::SessionId;
use hub_core::ports::{Account, Accounts, Clock, NewSession, SignIn, StoreError};
use hub_core::time::UnixMs;
use hub_core::wire::{ErrorCode, Problem};
use uuid::Uuid;

use super::attempts::Attempts;
use super::password::Passwords;
use super::token::Token;
use crate::problem::unreadable;
use crate::settings::LoginLimits;

/// A sign-in ends by itself after seven days, used or not.
pub const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What somebody types to sign in.
#[derive(Clone)]
#[expect(missing_docs, reason = "the fields of the sign-in form")]
pub struct Credentials {
    pub workspace: String,
    pub email: String,
    pub password: String,
}

/// A sign-in that has just been made.
pub struct Opened {
    /// Only the one who signed in ever sees it.
    pub token: String,
    /// Who, where, and until when.
    pub sign_in: SignIn,
}

/// Signs people in and knows them again. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator {
    accounts: Arc<dyn Accounts>,
    clock: Arc<dyn Clock>,
    passwords: Passwords,
    attempts: Attempts,
}

impl Authenticator {
    /// Over the given accounts. Hashes a password once: takes some ten milliseconds.
    pub fn new(accounts: Arc<dyn Accounts>, clock: Arc<dyn Clock>, limits: LoginLimits) -> Self {
        Self { accounts, clock, passwords: Passwords::new(), attempts: Attempts::new(limits) }
    }

    /// Signs somebody in from `address`. Unknown workspaces, unknown people and wrong passwords cost the same work and get
    /// the same words.
    ///
    /// # Errors
    /// `unauthenticated`, `rate_limited`, `busy`, `unavailable`.
    pub async fn sign_in(&self, with: Credentials, address: IpAddr) -> Result<Opened, Problem> {
        let Credentials { workspace, email, password } = with;
        let attempt = self.attempts.begin(&workspace, &email, address)?;
        let opened = match self.check(workspace, email, password).await {
            Ok(Some(account)) => self.open(account).await,
            Ok(None) => return Err(wrong()),
            Err(problem) => Err(problem),
        };
        attempt.give_back();
        opened
    }

    /// The sign-in behind a token, while it is valid.
    ///
    /// # Errors
    /// `unauthenticated`, or `busy` and `unavailable` when nobody can tell.
    pub async fn authenticate(&self, token: &str) -> Result<SignIn, Problem> {
        self.known(&Token::parse(token).ok_or_else(signed_out)?).await
    }

    /// The same, for a token that was read already.
    ///
    /// # Errors
    /// Like [`Authenticator::authenticate`].
    pub async fn known(&self, token: &Token) -> Result<SignIn, Problem> {
        let sign_in = self.accounts.session(token.workspace(), token.hash()).await.map_err(|e| unreadable(&e))?;
        sign_in.ok_or_else(signed_out)
    }

    /// Ends a sign-in, for good.
    ///
    /// # Errors
    /// `unavailable` when nobody can tell whether it ended; asking again does no harm.
    pub async fn sign_out(&self, sign_in: &SignIn) -> Result<(), Problem> {
        self.accounts.close_session(sign_in.workspace, sign_in.session).await.map_err(unwritten)
    }

    async fn check(&self, workspace: String, email: String, password: String) -> Result<Option<Account>, Problem> {
        let account = self.accounts.find(workspace, email).await.map_err(|e| unreadable(&e))?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let matches = self.passwords.matches(password, hash).await?;
        Ok(account.filter(|_| matches))
    }

    async fn open(&self, account: Account) -> Result<Opened, Problem> {
        let token = Token::random(account.workspace);
        let session = NewSession {
            workspace: account.workspace,
            session: SessionId::new(Uuid::now_v7()),
            user: account.user,
            token_hash: token.hash(),
            expires_at: self.expiry(),
        };
        self.accounts.open_session(session).await.map_err(unwritten)?;
        let token = token.into_text();
        let sign_in = self.authenticate(&token).await?;
        Ok(Opened { token, sign_in })
    }

    fn expiry(&self) -> UnixMs {
        self.clock.now() + SESSION_LIFE
    }
}

/// The same words whatever was wrong.
fn wrong() -> Problem {
    Problem::new(ErrorCode::Unauthenticated, "The workspace, the address or the password is wrong.")
}

/// No token, or one that is wrong, expired or revoked.
pub fn signed_out() -> Problem {
    Problem::new(ErrorCode::Unauthenticated, "Sign in first: nobody is signed in, or the sign-in has ended.")
}

fn unwritten(error: StoreError) -> Problem {
    unreadable(&error)
}
