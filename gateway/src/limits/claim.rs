//! Somebody who says to be signed in, until it is known whether it is so. It counts at once: whoever goes away before the
//! answer stays counted, and a hundred at the same time do not slip through.

use std::net::IpAddr;

use hub_core::ports::SignIn;
use hub_core::rules::audit::Hash;
use hub_core::wire::{ErrorCode, Problem};

use super::book::Place;
use super::{Books, Limits, network};

/// A request or a handshake that counts for somebody. Dropped, it goes on to count.
#[must_use]
pub struct Claim {
    limits: Limits,
    address: IpAddr,
    counts_for: CountsFor,
}

/// Whose place it took; none where there is no limit.
enum CountsFor {
    Address(Option<Place>),
    Token(Hash, Option<Place>),
}

impl Limits {
    /// Counts for its token, where that was good within the last hour, whatever its address has done; else for its address.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn claim(&self, address: IpAddr, token: Option<Hash>) -> Result<Claim, Problem> {
        let address = network(address);
        let counts_for = match token.filter(|token| self.books.good.get(token).is_some()) {
            Some(token) => CountsFor::Token(token, self.of_token(&token)?),
            None => CountsFor::Address(self.at_address(&address)?),
        };
        Ok(Claim { limits: self.clone(), address, counts_for })
    }
}

impl Claim {
    /// Counts for nobody: it was somebody we know, or it was not let in for no fault of its own.
    pub fn give_back(self) {
        let Books { addresses, tokens, .. } = self.limits.books.as_ref();
        match (self.counts_for, addresses, tokens) {
            (CountsFor::Address(Some(place)), Some(book), _) => book.give_back(&self.address, place),
            (CountsFor::Token(token, Some(place)), _, Some(book)) => book.give_back(&token, place),
            (CountsFor::Address(_) | CountsFor::Token(..), ..) => {}
        }
    }

    /// A request whose token was judged: a good one counts for its token, every other for its address.
    ///
    /// # Errors
    /// `rate_limited` for the token, with the time to wait.
    pub fn settle(self, token: &Hash, found: &Result<SignIn, Problem>) -> Result<(), Problem> {
        match (found, &self.counts_for) {
            (Ok(_), CountsFor::Token(..)) => Ok(()),
            (Ok(_), CountsFor::Address(_)) => {
                let limits = self.limits.clone();
                self.give_back();
                limits.of_token(token).map(drop)
            }
            (Err(problem), _) => {
                self.was_refused(problem);
                Ok(())
            }
        }
    }

    /// Nobody was found to be signed in: it counts for its address, even where its token was good an hour ago.
    pub fn was_refused(self, problem: &Problem) {
        if problem.code == ErrorCode::Unauthenticated && matches!(self.counts_for, CountsFor::Token(..)) {
            // It has its answer; whoever goes on like this is refused the next time.
            drop(self.limits.at_address(&self.address));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Rate, RateLimits};
    use hub_core::ids::{SessionId, UserId, WorkspaceId};
    use hub_core::rules::permissions::Role;
    use hub_core::time::UnixMs;
    use std::num::NonZeroU32;
    use uuid::Uuid;

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const ANA: Hash = [1; 32];
    const NOBODY: Hash = [9; 32];

    /// Three places for an address and five for a token, which do not grow back while a test runs.
    fn limits() -> Limits {
        let n = |n| NonZeroU32::new(n).expect("not zero");
        let rate = |burst| Some(Rate { per_second: n(1), burst: n(burst) });
        Limits::new(&RateLimits { per_address: rate(3), per_token: rate(5), per_user: None, handshakes: None })
    }

    fn ana() -> Result<SignIn, Problem> {
        Ok(SignIn {
            session: SessionId::new(Uuid::from_u128(1)),
            workspace: WorkspaceId::new(Uuid::from_u128(2)),
            user: UserId::new(Uuid::from_u128(3)),
            name: "Ana".into(),
            email: "ana@acme.test".into(),
            role: Role::Agent,
            expires_at: UnixMs(0),
        })
    }

    fn nobody() -> Result<SignIn, Problem> {
        Err(Problem::new(ErrorCode::Unauthenticated, "nobody"))
    }

    /// How many more requests of `address` with `token` are let through, if each goes away before its answer.
    fn passed(limits: &Limits, token: Option<Hash>) -> usize {
        (0..20).take_while(|_| limits.claim(OFFICE, token).is_ok()).count()
    }

    #[test]
    fn whoever_goes_away_before_the_answer_stays_counted() {
        let limits = limits();
        assert_eq!(passed(&limits, Some(NOBODY)), 3);
        assert_eq!(limits.stranger(OFFICE).err().map(|problem| problem.code), Some(ErrorCode::RateLimited));
    }

    #[test]
    fn those_who_turn_out_to_be_signed_in_count_for_their_token_alone() {
        let limits = limits();
        for _ in 0..4 {
            limits.learn(ANA, &nobody());
            let claim = limits.claim(OFFICE, Some(ANA)).expect("always given back");
            limits.learn(ANA, &ana());
            claim.settle(&ANA, &ana()).expect("within the token's burst");
        }
        assert_eq!(passed(&limits, Some(ANA)), 1, "four of five places of the token are taken");
        assert_eq!(passed(&limits, None), 3, "and none of the address");
    }

    #[test]
    fn a_token_that_was_good_passes_at_every_door_whatever_its_address_has_done() {
        let limits = limits();
        limits.learn(ANA, &ana());
        assert_eq!(passed(&limits, None), 3);
        limits.claim(OFFICE, Some(ANA)).expect("a request").settle(&ANA, &ana()).expect("counted already");
        for _ in 0..20 {
            limits.handshake(OFFICE, Some(ANA)).expect("a handshake").give_back();
        }
        assert!(limits.handshake(OFFICE, None).is_err(), "who only says it in hello counts for the address");
        assert!(limits.handshake(OFFICE, Some(NOBODY)).is_err());
        assert_eq!(passed(&limits, Some(ANA)), 4, "silent ones count for the token");
    }

    #[test]
    fn a_token_that_was_good_and_is_no_longer_counts_for_its_address() {
        let limits = limits();
        limits.learn(ANA, &ana());
        let claims: Vec<Claim> = (0..3).map(|_| limits.claim(OFFICE, Some(ANA)).expect("it was good")).collect();
        limits.learn(ANA, &Err(Problem::unavailable()));
        assert!(limits.books.good.contains_key(&ANA), "nobody could tell");
        limits.learn(ANA, &nobody());
        for claim in claims {
            claim.settle(&ANA, &nobody()).expect("it has its answer");
        }
        assert_eq!((passed(&limits, Some(ANA)), passed(&limits, None)), (0, 0));
    }
}
