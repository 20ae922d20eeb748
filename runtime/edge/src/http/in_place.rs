//! A future that wakes itself while it is polled is polled again where it is.
//!
//! Hyper's connections do so for every request that has a body, when the service asks for it. A task that tokio finds
//! woken behind its poll goes to the end of a queue, and another worker is roused to help with that: one look of each
//! thread at nothing, for every request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// Polls in a row, before others have their turn.
const TURNS: usize = 8;

/// Nobody polls it: a wake is passed on to its task.
const RESTING: u8 = 0;
/// It is polled.
const POLLED: u8 = 1;
/// It is polled, and was woken meanwhile.
const AGAIN: u8 = 2;

/// Polls a future again at once when it was woken while it was polled.
pub(super) struct InPlace<F> {
    future: F,
    bell: Arc<Bell>,
    waker: Waker,
}

/// What the future's waker rings.
struct Bell {
    state: AtomicU8,
    task: AtomicWaker,
}

impl<F: Future + Unpin> InPlace<F> {
    pub(super) fn new(future: F) -> Self {
        let bell = Arc::new(Bell { state: AtomicU8::new(RESTING), task: AtomicWaker::new() });
        Self { future, waker: Waker::from(Arc::clone(&bell)), bell }
    }
}

impl<F: Future + Unpin> Future for InPlace<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { future, bell, waker } = self.get_mut();
        bell.task.register(context.waker());
        for _ in 0..TURNS {
            bell.state.store(POLLED, Ordering::SeqCst);
            let polled = Pin::new(&mut *future).poll(&mut Context::from_waker(waker));
            if polled.is_ready() {
                return polled;
            }
            if bell.state.swap(RESTING, Ordering::SeqCst) == POLLED {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let seen = self.state.compare_exchange(POLLED, AGAIN, Ordering::SeqCst, Ordering::SeqCst);
        if seen == Err(RESTING) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts how often a task is woken.
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Polls once a future that wakes itself `times` times before it is ready; says whether it is, how often it was
    /// polled, and how often its task was woken.
    fn polled(times: usize) -> (bool, usize, usize) {
        let task = Arc::new(Task(AtomicUsize::new(0)));
        let mut polls = 0;
        let mut future = InPlace::new(std::future::poll_fn(|context| {
            polls += 1;
            if polls > times {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }));
        let waker = Waker::from(Arc::clone(&task));
        let ready = Pin::new(&mut future).poll(&mut Context::from_waker(&waker)).is_ready();
        drop(future);
        (ready, polls, task.0.load(Ordering::SeqCst))
    }

    #[test]
    fn what_wakes_itself_is_polled_again_without_its_task() {
        assert_eq!(polled(0), (true, 1, 0));
        assert_eq!(polled(TURNS - 1), (true, TURNS, 0));
    }

    #[test]
    fn others_have_their_turn() {
        assert_eq!(polled(1000), (false, TURNS, 1));
    }

    #[test]
    fn a_wake_behind_the_poll_reaches_the_task() {
        let task = Arc::new(Task(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&task));
        let mut kept = None;
        let mut waiting = InPlace::new(std::future::poll_fn(|context| {
            kept = Some(context.waker().clone());
            Poll::<()>::Pending
        }));
        assert!(Pin::new(&mut waiting).poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(task.0.load(Ordering::SeqCst), 0);
        drop(waiting);
        kept.take().expect("it was polled").wake();
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
    }
}
