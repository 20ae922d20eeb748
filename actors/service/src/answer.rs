//! Calls from inside the process, through the gateway like everybody's: where their answers go.

use std::sync::{Arc, Mutex, PoisonError};

use protocol::{Conclusion, Error, Id, Outbox, Payload};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// What a call was answered.
pub type Outcome = Result<Payload, Error>;

/// Where one answer goes that somebody here waits for.
struct Once {
    tell: Mutex<Option<oneshot::Sender<Outcome>>>,
    news: Option<mpsc::Sender<String>>,
}

/// News that wait: what changes faster than it is read is told once, and whoever reads looks again anyway.
const NEWS_MAX: usize = 64;

/// An outbox for one call, and its answer. News of the call are nobody's.
pub fn once() -> (Arc<dyn Outbox>, oneshot::Receiver<Outcome>) {
    let (tell, outcome) = oneshot::channel();
    (Arc::new(Once { tell: Mutex::new(Some(tell)), news: None }), outcome)
}

/// The same for a call that tells news, as JSON text.
pub fn once_with_news() -> (Arc<dyn Outbox>, oneshot::Receiver<Outcome>, mpsc::Receiver<String>) {
    let (tell, outcome) = oneshot::channel();
    let (send, news) = mpsc::channel(NEWS_MAX);
    (Arc::new(Once { tell: Mutex::new(Some(tell)), news: Some(send) }), outcome, news)
}

impl Outbox for Once {
    fn answer(&self, _: u64, outcome: Outcome) {
        if let Some(tell) = self.tell.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = tell.send(outcome);
        }
    }

    fn progress(&self, _: u64, value: String) {
        if let Some(news) = &self.news {
            let _ = news.try_send(value);
        }
    }

    fn conclude(&self, _: u64, _: Conclusion) {}

    fn notify(&self, _: u64, _: String) {}

    fn extend(&self, _: u64, _: Instant) {}

    fn cancel(&self, _: &Id) -> bool {
        false
    }
}
