//! The run's own clock: microseconds since it began, the same for every client.

use std::time::{Duration, Instant};

/// Tells microseconds since the run began.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// Begins now.
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// Microseconds since the run began.
    pub fn now_us(&self) -> u64 {
        micros(self.began.elapsed())
    }

    /// The instant of a moment of the run.
    pub fn instant(&self, at_us: u64) -> tokio::time::Instant {
        (self.began + Duration::from_micros(at_us)).into()
    }
}

/// A span in whole microseconds.
pub fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
