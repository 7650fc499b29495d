//! Passwords: Argon2id in a bounded pool. Each check takes 19 MiB and some ten milliseconds of a core, on purpose.

use std::sync::Arc;

use actix_web::rt::task::spawn_blocking;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use hub_core::wire::Problem;
use tokio::sync::Semaphore;

/// Checks that run at once: 38 MiB, and two cores at most.
const AT_ONCE: usize = 2;
/// Checks that may wait for one of those.
const WAITING: usize = 32;

/// Checks passwords, a few at a time.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    /// Those that run and those that wait.
    admitted: Arc<Semaphore>,
    /// Checked in place of an account that is not there, so that both take the same work.
    nobodys_hash: Arc<str>,
}

impl Passwords {
    /// An empty pool. Hashes once, so that unknown accounts cost the same as known ones.
    ///
    /// # Panics
    /// When the operating system gives no random bytes.
    pub fn new() -> Self {
        let nobodys = uuid::Uuid::new_v4().to_string();
        let hash = Argon2::default().hash_password(nobodys.as_bytes()).expect("Argon2's own defaults are in its range");
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            admitted: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            nobodys_hash: hash.to_string().into(),
        }
    }

    /// True when `password` is the one behind `hash` (a PHC string). Without a hash the same work is done in vain.
    ///
    /// # Errors
    /// `busy` when too many wait already.
    pub async fn matches(&self, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let _admitted = self.admitted.try_acquire().map_err(|_| Problem::busy(2_000))?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Problem::busy(2_000))?;
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys_hash.as_ref().to_owned());
        // The permit goes along: a caller who stops waiting does not free a place that is still in use.
        let checked = spawn_blocking(move || {
            let verdict = Argon2::default().verify_password(password.as_bytes(), hash.as_str());
            drop(running);
            verdict
        });
        match checked.await {
            Ok(Ok(())) => Ok(is_known),
            Ok(Err(argon2::password_hash::Error::PasswordInvalid)) => Ok(false),
            Ok(Err(error)) => {
                tracing::error!(%error, "a stored password hash cannot be checked");
                Ok(false)
            }
            Err(error) => {
                tracing::error!(%error, "a password check died");
                Err(Problem::busy(2_000))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(password: &str) -> String {
        Argon2::default().hash_password(password.as_bytes()).expect("hashes").to_string()
    }

    #[test]
    fn hashes_take_19_mib_twice_on_one_lane() {
        assert!(hash_of("x").starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[actix_web::test]
    async fn only_the_right_password_of_a_known_account_matches() {
        let passwords = Passwords::new();
        let hash = hash_of("demo");
        assert_eq!(passwords.matches("demo".into(), Some(hash.clone())).await, Ok(true));
        assert_eq!(passwords.matches("Demo".into(), Some(hash)).await, Ok(false));
        assert_eq!(passwords.matches("demo".into(), None).await, Ok(false));
        assert_eq!(passwords.matches("demo".into(), Some("not a hash".into())).await, Ok(false));
    }

    #[actix_web::test]
    async fn more_than_the_queue_holds_are_turned_away_at_once() {
        let passwords = Passwords::new();
        let hash = hash_of("demo");
        let checks = (0..AT_ONCE + WAITING + 5).map(|_| passwords.matches("demo".into(), Some(hash.clone())));
        let verdicts = futures_util::future::join_all(checks).await;
        assert_eq!(verdicts.iter().filter(|v| **v == Ok(true)).count(), AT_ONCE + WAITING);
        assert_eq!(verdicts.iter().filter(|v| v.is_err()).count(), 5);
    }
}
