//! How often somebody may knock: per address for those whom nobody knows, per sign-in and per person for those who are known,
//! and per node for handshakes. The state is this node's own. What one socket may send is the session's affair; how many
//! connections there may be is told in [`connections`].

mod address;
mod book;
mod claim;
mod connections;
mod door;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::counter;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use hub_core::ids::{UserId, WorkspaceId};
use hub_core::ports::SignIn;
use hub_core::rules::audit::Hash;
use hub_core::wire::{ErrorCode, Problem};
use moka::sync::Cache;

pub use address::network;
use book::{Book, Place};
pub use claim::Claim;
pub use connections::{Connection, Connections};
pub use door::enter;

use crate::settings::{Rate, RateLimits};

/// How often books are gone through for keys that are as good as new.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// A token that was found to be good is remembered so long; each time begins anew.
const GOOD_FOR: Duration = Duration::from_secs(60 * 60);
/// Good tokens remembered at most.
const MAX_GOOD: u64 = 100_000;

/// The rates of one node. Cheap to clone; every clone counts in the same books.
#[derive(Clone)]
pub struct Limits {
    books: Arc<Books>,
}

struct Books {
    addresses: Option<Book<IpAddr>>,
    users: Option<Book<(WorkspaceId, UserId)>>,
    /// By the token's hash: a token stands here only after it was found to be good.
    tokens: Option<Book<Hash>>,
    handshakes: Option<DefaultDirectRateLimiter>,
    /// Tokens that were good not long ago. No proof: each is still looked up. It only says whom it counts for until then.
    good: Cache<Hash, ()>,
}

impl Limits {
    /// Nobody has knocked yet.
    pub fn new(rates: &RateLimits) -> Self {
        let books = Books {
            addresses: rates.per_address.map(|rate| Book::new(rate.quota())),
            users: rates.per_user.map(|rate| Book::new(rate.quota())),
            tokens: rates.per_token.map(|rate| Book::new(rate.quota())),
            handshakes: rates.handshakes.map(|rate| DefaultDirectRateLimiter::direct(rate.quota())),
            good: Cache::builder().max_capacity(MAX_GOOD).time_to_live(GOOD_FOR).build(),
        };
        Self { books: Arc::new(books) }
    }

    /// A request of somebody whom nobody knows.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn stranger(&self, address: IpAddr) -> Result<(), Problem> {
        self.at_address(&network(address)).map(drop)
    }

    /// What a token was found to be, at whichever door.
    pub fn learn(&self, token: Hash, found: &Result<SignIn, Problem>) {
        match found {
            Ok(_) => self.books.good.insert(token, ()),
            Err(problem) if problem.code == ErrorCode::Unauthenticated => self.books.good.invalidate(&token),
            // Nobody could tell.
            Err(_) => {}
        }
    }

    /// Anything one person does, through whichever door.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn person(&self, workspace: WorkspaceId, user: UserId) -> Result<(), Problem> {
        self.books
            .users
            .as_ref()
            .map_or(Ok(()), |book| book.take(&(workspace, user)).map(drop))
            .map_err(|wait| limited("user", wait))
    }

    /// A handshake: nobody is known before `hello`, so it counts until then, as [`Limits::claim`] says.
    ///
    /// # Errors
    /// `rate_limited` for the address or the token, `busy` for the node; all with the time to wait.
    pub fn handshake(&self, address: IpAddr, token: Option<Hash>) -> Result<Claim, Problem> {
        let claim = self.claim(address, token)?;
        let Some(limiter) = &self.books.handshakes else { return Ok(claim) };
        if let Err(until) = limiter.check() {
            claim.give_back();
            counter!("tandem_rate_limited_total", "limit" => "handshakes").increment(1);
            return Err(Problem::busy(wait_ms(until.wait_time_from(DefaultClock::default().now()))));
        }
        Ok(claim)
    }

    fn at_address(&self, network: &IpAddr) -> Result<Option<Place>, Problem> {
        let place = self.books.addresses.as_ref().map(|book| book.take(network)).transpose();
        place.map_err(|wait| limited("address", wait))
    }

    fn of_token(&self, token: &Hash) -> Result<Option<Place>, Problem> {
        let place = self.books.tokens.as_ref().map(|book| book.take(token)).transpose();
        place.map_err(|wait| limited("token", wait))
    }

    /// Goes through the books each minute, for ever: ends when it is dropped.
    pub async fn trim_each_minute(self) {
        loop {
            tokio::time::sleep(TRIM_EVERY).await;
            let Books { addresses, users, tokens, handshakes: _, good: _ } = self.books.as_ref();
            addresses.iter().for_each(Book::trim);
            users.iter().for_each(Book::trim);
            tokens.iter().for_each(Book::trim);
        }
    }
}

impl Rate {
    fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.burst)
    }
}

/// The refusal of whoever comes too often. `limit` says which limit it was.
pub fn limited(limit: &'static str, wait: Duration) -> Problem {
    counter!("tandem_rate_limited_total", "limit" => limit).increment(1);
    Problem::new(ErrorCode::RateLimited, "Too often; slow down.").retry_after_ms(wait_ms(wait))
}

/// Whole milliseconds, never too few.
fn wait_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX).max(1)
}
