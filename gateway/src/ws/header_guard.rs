//! Stands between a socket's bytes and the frame parser: lets through what the judge finds good, and ends there. What came
//! before an offence is still read and answered, in order.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

use super::judge::{End, Judge, Offence};

/// What the guard has seen; shared with the session, which closes accordingly.
#[derive(Clone, Default)]
pub struct Seen {
    offence: Rc<Cell<Option<Offence>>>,
}

impl Seen {
    /// What ended the stream, if the guard did.
    pub fn offence(&self) -> Option<Offence> {
        self.offence.get()
    }
}

/// A stream of bytes that ends where a client's frames are no longer to be read.
pub struct HeaderGuard<S> {
    inner: S,
    judge: Judge,
    seen: Seen,
    ended: bool,
}

impl<S> HeaderGuard<S> {
    /// Guards `inner`: messages of at most `max_message` bytes, fragments together.
    pub fn new(inner: S, max_message: usize) -> (Self, Seen) {
        let seen = Seen::default();
        (Self { inner, judge: Judge::new(max_message), seen: seen.clone(), ended: false }, seen)
    }
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for HeaderGuard<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match Pin::new(&mut self.inner).poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => match self.judge.feed(&chunk) {
                Ok(()) => Poll::Ready(Some(Ok(chunk))),
                Err(End { good, offence }) => {
                    self.ended = true;
                    self.seen.offence.set(offence);
                    Poll::Ready(Some(Ok(chunk.slice(..good))))
                }
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};

    #[actix_web::test]
    async fn what_is_good_passes_and_the_rest_is_never_asked_for() {
        let good = [0x89, 0x80, 1, 2, 3, 4];
        let bad = [0x82, 0xff, 0, 0, 0, 0, 0xff, 0, 0, 0];
        let chunks = [Bytes::from([&good[..], &good, &bad].concat()), Bytes::from_static(b"more")];
        let asked = Rc::new(Cell::new(0));
        let counted = Rc::clone(&asked);
        let inner = stream::iter(chunks).map(move |chunk| {
            counted.set(counted.get() + 1);
            Ok(chunk)
        });
        let (guard, seen) = HeaderGuard::new(inner, 65_536);
        let passed: Vec<_> = guard.map(|chunk| chunk.expect("no error of its own")).collect().await;
        assert_eq!(passed.concat(), [good, good].concat());
        assert_eq!((seen.offence(), asked.get()), (Some(Offence::TooLarge), 1));
    }
}
