//! How often somebody may knock: per address for those whom nobody knows, per sign-in and per person for those who are known,
//! and per node for handshakes. The state is this node's own. What one socket may send is the session's affair; how many
//! connections there may be is told in [`connections`].

mod address;
mod book;
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

pub use address::network;
use book::Book;
pub use connections::{Connection, Connections};
pub use door::{Entry, Known, enter};

use crate::settings::{Rate, RateLimits};

/// How often books are gone through for keys that are as good as new.
const TRIM_EVERY: Duration = Duration::from_secs(60);

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
}

impl Limits {
    /// Nobody has knocked yet.
    pub fn new(rates: &RateLimits) -> Self {
        let books = Books {
            addresses: rates.per_address.map(|rate| Book::new(rate.quota())),
            users: rates.per_user.map(|rate| Book::new(rate.quota())),
            tokens: rates.per_token.map(|rate| Book::new(rate.quota())),
            handshakes: rates.handshakes.map(|rate| DefaultDirectRateLimiter::direct(rate.quota())),
        };
        Self { books: Arc::new(books) }
    }

    /// A request of somebody whom nobody knows.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn stranger(&self, address: IpAddr) -> Result<(), Problem> {
        self.books
            .addresses
            .as_ref()
            .map_or(Ok(()), |book| book.take(&network(address)))
            .map_err(|wait| limited("address", wait))
    }

    /// A request with a token that may be one of ours. Tokens that were good a moment ago pass; the others only from
    /// addresses that have not failed too often. Nothing is counted: see [`Limits::stranger`] for those who turn out to be.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn claims_to_be_known(&self, address: IpAddr, token: &Hash) -> Result<(), Problem> {
        let Some(addresses) = &self.books.addresses else { return Ok(()) };
        if self.books.tokens.as_ref().is_some_and(|tokens| tokens.has(token)) {
            return Ok(());
        }
        let address = network(address);
        addresses.take(&address).map_err(|wait| limited("address", wait))?;
        addresses.give_back(&address);
        Ok(())
    }

    /// A request of somebody who is signed in.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn signed_in(&self, sign_in: &SignIn, token: &Hash) -> Result<(), Problem> {
        self.books.tokens.as_ref().map_or(Ok(()), |book| book.take(token)).map_err(|wait| limited("token", wait))?;
        self.person(sign_in.workspace, sign_in.user)
    }

    /// Anything one person does, through whichever door.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn person(&self, workspace: WorkspaceId, user: UserId) -> Result<(), Problem> {
        self.books.users.as_ref().map_or(Ok(()), |book| book.take(&(workspace, user))).map_err(|wait| limited("user", wait))
    }

    /// A handshake: nobody is known before `hello`, so it counts for its address until then.
    ///
    /// # Errors
    /// `rate_limited` for the address, `busy` for the node; both with the time to wait.
    pub fn handshake(&self, address: IpAddr) -> Result<Handshake, Problem> {
        self.stranger(address)?;
        let handshake = Handshake { limits: self.clone(), address: network(address) };
        let Some(limiter) = &self.books.handshakes else { return Ok(handshake) };
        if let Err(until) = limiter.check() {
            handshake.give_back();
            counter!("tandem_rate_limited_total", "limit" => "handshakes").increment(1);
            return Err(Problem::busy(wait_ms(until.wait_time_from(DefaultClock::default().now()))));
        }
        Ok(handshake)
    }

    /// Goes through the books each minute, for ever: ends when it is dropped.
    pub async fn trim_each_minute(self) {
        loop {
            tokio::time::sleep(TRIM_EVERY).await;
            let Books { addresses, users, tokens, handshakes: _ } = self.books.as_ref();
            addresses.iter().for_each(Book::trim);
            users.iter().for_each(Book::trim);
            tokens.iter().for_each(Book::trim);
        }
    }
}

/// A handshake that counts for its address.
pub struct Handshake {
    limits: Limits,
    address: IpAddr,
}

impl Handshake {
    /// It was somebody we know: it does not count.
    pub fn give_back(self) {
        if let Some(book) = &self.limits.books.addresses {
            book.give_back(&self.address);
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
