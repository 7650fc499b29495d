//! How many commands may be under way on this node: as many as are answered promptly, and never more than a fixed number. What
//! waits behind more than that would be answered too late for whoever asked, and make everything else late as well: it is refused
//! at once, with a time to come again that grows with how much is refused.
//!
//! The number follows what answers take: a little more while they are quick, a fifth less at a time while they are slow
//! (additive increase, multiplicative decrease).

use std::sync::Arc;
use std::time::Duration;

use hub_core::wire::Problem;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Answers that take longer are too slow: less is let in.
const SLOW: Duration = Duration::from_millis(400);
/// Answers that take less are quick: more is let in.
const QUICK: Duration = Duration::from_millis(200);
/// Less is let in at most once in this time, so that the answers can show what it was worth.
const BETWEEN_CUTS: Duration = Duration::from_millis(100);
/// What is left by a cut.
const CUT: f64 = 0.8;
/// So many are always let in.
const AT_LEAST: usize = 32;
/// Half-life of what is remembered of refusals.
const MEMORY: Duration = Duration::from_secs(1);
/// The shortest and the longest mean time to come again, in milliseconds.
const COME_AGAIN_MS: [f64; 2] = [250.0, 5_000.0];

/// The one way in for commands.
pub struct Admission {
    most: usize,
    books: Mutex<Books>,
}

struct Books {
    under_way: usize,
    limit: f64,
    last_cut: Option<Instant>,
    /// Of late: let in, and refused; both fade.
    let_in: f64,
    refused: f64,
    faded: Instant,
}

/// Room for one command, for as long as it is held.
pub struct Permit {
    admission: Arc<Admission>,
    since: Instant,
}

impl Admission {
    /// Lets in `most` at once while answers are quick.
    pub fn new(most: usize) -> Arc<Self> {
        let limit = most.max(1) as f64;
        let books = Books { under_way: 0, limit, last_cut: None, let_in: 0.0, refused: 0.0, faded: Instant::now() };
        Arc::new(Self { most: most.max(1), books: Mutex::new(books) })
    }

    /// Room for one command.
    ///
    /// # Errors
    /// `busy`, with a time to come again.
    pub fn enter(self: &Arc<Self>) -> Result<Permit, Problem> {
        let since = Instant::now();
        let mut books = self.books.lock();
        books.fade(since);
        if books.under_way as f64 >= books.limit {
            books.refused += 1.0;
            let mean_ms = books.come_again_ms();
            drop(books);
            // Drawn at random, so that those who were refused together do not come again together.
            return Err(Problem::busy((mean_ms * rand::random_range(0.5..1.5)) as u64));
        }
        books.let_in += 1.0;
        books.under_way += 1;
        Ok(Permit { admission: Arc::clone(self), since })
    }

    /// Commands under way.
    pub fn under_way(&self) -> usize {
        self.books.lock().under_way
    }

    /// Commands that may be under way just now.
    pub fn limit(&self) -> usize {
        self.books.lock().limit as usize
    }

    fn leave(&self, took: Duration, now: Instant) {
        let mut books = self.books.lock();
        books.under_way = books.under_way.saturating_sub(1);
        if took < QUICK {
            books.limit = (books.limit + 1.0).min(self.most as f64);
        } else if took > SLOW && books.last_cut.is_none_or(|last| now.duration_since(last) >= BETWEEN_CUTS) {
            books.limit = (books.limit * CUT).max(self.most.min(AT_LEAST) as f64);
            books.last_cut = Some(now);
        }
    }
}

impl Books {
    fn fade(&mut self, now: Instant) {
        let passed = now.duration_since(self.faded);
        if passed < MEMORY / 16 {
            return;
        }
        let left = 0.5_f64.powf(passed.as_secs_f64() / MEMORY.as_secs_f64());
        (self.let_in, self.refused, self.faded) = (self.let_in * left, self.refused * left, now);
    }

    /// Longer the more come in vain: else those who come again would be most of the work.
    fn come_again_ms(&self) -> f64 {
        let [shortest, longest] = COME_AGAIN_MS;
        (shortest * (1.0 + self.refused / self.let_in.max(1.0))).min(longest)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = Instant::now();
        self.admission.leave(now.duration_since(self.since), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands one after the other, each taking so long; then how many are let in.
    async fn after(admission: &Arc<Admission>, took_ms: u64, times: usize) -> usize {
        for _ in 0..times {
            let permit = admission.enter().expect("nobody else is there");
            tokio::time::advance(Duration::from_millis(took_ms)).await;
            drop(permit);
        }
        admission.limit()
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_let_in_less_and_quick_ones_more_within_bounds() {
        let admission = Admission::new(1_000);
        assert_eq!(after(&admission, 10, 5).await, 1_000);
        assert_eq!(after(&admission, 500, 1).await, 800);
        assert_eq!(after(&admission, 300, 3).await, 800, "neither slow nor quick");
        assert_eq!(after(&admission, 500, 50).await, 32);
        assert_eq!(after(&admission, 10, 100).await, 132);
        assert_eq!(after(&admission, 10, 2_000).await, 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn many_slow_answers_at_once_are_one_reason() {
        let admission = Admission::new(1_000);
        let permits: Vec<_> = (0..1_000).map(|_| admission.enter().expect("room")).collect();
        tokio::time::advance(Duration::from_secs(5)).await;
        drop(permits);
        assert_eq!((admission.limit(), admission.under_way()), (800, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_more_come_in_vain_the_later_they_are_to_come_again() {
        let admission = Admission::new(2);
        let permits: Vec<_> = (0..2).map(|_| admission.enter().expect("room")).collect();
        let refused = || admission.enter().err().and_then(|problem| problem.retry_after_ms).expect("no room");
        assert!((125..=563).contains(&refused()), "the first");
        (0..999).for_each(|_| _ = refused());
        let last = refused();
        assert!((2_500..=7_500).contains(&last), "{last}");
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!((125..=750).contains(&refused()), "forgotten");
        drop(permits);
        drop(admission.enter().expect("room again"));
    }
}
