//! How fast one socket may go. Messages over its rate are refused with a time to come back; a client that does not listen to
//! that, or floods the hub with frames that are no messages yet (pings, fragments), is let go.

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use hub_core::wire::Problem;

use crate::limits::limited;
use crate::settings::SocketLimits;

/// Refusals of one socket a minute, before it is let go.
const REFUSALS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(1_000).expect("a thousand is not zero");
/// Frames of any kind for each message that is allowed.
const FRAMES_PER_MESSAGE: NonZeroU32 = NonZeroU32::new(25).expect("twenty-five is not zero");

/// The pace of one socket.
pub struct Pace {
    messages: DefaultDirectRateLimiter,
    refusals: DefaultDirectRateLimiter,
    frames: DefaultDirectRateLimiter,
}

impl Pace {
    /// A socket that has said nothing yet.
    pub fn new(limits: &SocketLimits) -> Self {
        let messages = Quota::per_second(limits.frames_per_second).allow_burst(limits.frames_burst);
        let frames = Quota::per_second(limits.frames_per_second.saturating_mul(FRAMES_PER_MESSAGE))
            .allow_burst(limits.frames_burst.saturating_mul(FRAMES_PER_MESSAGE));
        Self {
            messages: DefaultDirectRateLimiter::direct(messages),
            refusals: DefaultDirectRateLimiter::direct(Quota::per_minute(REFUSALS_PER_MINUTE)),
            frames: DefaultDirectRateLimiter::direct(frames),
        }
    }

    /// A whole message came in.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub fn message(&self) -> Result<(), Problem> {
        self.messages.check().map_err(|until| limited("socket", until.wait_time_from(DefaultClock::default().now())))
    }

    /// A message is refused; false when that was once too often.
    pub fn refuses_patiently(&self) -> bool {
        self.refusals.check().is_ok()
    }

    /// Any frame came in; false for a flood.
    pub fn frame(&self) -> bool {
        self.frames.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::wire::ErrorCode;

    fn allowed(mut ask: impl FnMut() -> bool) -> usize {
        (0..10_000).take_while(|_| ask()).count()
    }

    #[test]
    fn a_burst_passes_then_comes_a_refusal_with_a_time_and_who_does_not_listen_is_let_go() {
        let limits = SocketLimits::default();
        let pace = Pace::new(&limits);
        // A few more may pass, while the clock goes on.
        assert!((60..70).contains(&allowed(|| pace.message().is_ok())));
        let refused = pace.message().expect_err("over the burst");
        assert_eq!(refused.code, ErrorCode::RateLimited);
        assert!(refused.retry_after_ms.is_some_and(|ms| (1..=50).contains(&ms)), "{refused:?}");
        assert!((1_000..1_100).contains(&allowed(|| pace.refuses_patiently())));
        assert!((1_500..1_700).contains(&allowed(|| pace.frame())));
    }
}
