//! Answers that come later: a gate that holds work back until a test lets it go.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::ports::{Answer, StoreError};

type Work = Box<dyn FnOnce() + Send>;

/// Lets work through, or keeps it until it is opened. Work that waits is done even when nobody waits for its answer.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    is_closed: bool,
    waiting: Vec<Work>,
}

impl Gate {
    /// From now on work waits.
    pub fn close(&self) {
        self.inside().is_closed = true;
    }

    /// Does what waits, in order, and lets everything through from now on.
    pub fn open(&self) {
        let waiting = {
            let mut inside = self.inside();
            inside.is_closed = false;
            std::mem::take(&mut inside.waiting)
        };
        waiting.into_iter().for_each(|work| work());
    }

    /// Does the oldest work that waits; false when none does. The gate stays as it is.
    pub fn let_one_through(&self) -> bool {
        let work = {
            let mut inside = self.inside();
            if inside.waiting.is_empty() { None } else { Some(inside.waiting.remove(0)) }
        };
        work.map(|work| work()).is_some()
    }

    /// How much work waits.
    pub fn waiting(&self) -> usize {
        self.inside().waiting.len()
    }

    /// Does `work` now, or when the gate opens; the answer comes with it.
    pub(super) fn pass<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Answer<T> {
        let slot = Arc::new(Mutex::new(Slot { value: None, waker: None }));
        let filled = Arc::clone(&slot);
        let work: Work = Box::new(move || fill(&filled, work()));
        let mut inside = self.inside();
        if inside.is_closed {
            inside.waiting.push(work);
        } else {
            drop(inside);
            work();
        }
        Box::pin(Later(slot))
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Slot<T> {
    value: Option<Result<T, StoreError>>,
    waker: Option<Waker>,
}

fn fill<T>(slot: &Mutex<Slot<T>>, value: Result<T, StoreError>) {
    let waker = {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.value = Some(value);
        slot.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

struct Later<T>(Arc<Mutex<Slot<T>>>);

impl<T> Future for Later<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = slot.value.take() {
            return Poll::Ready(value);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
