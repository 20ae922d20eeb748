//! Legacy sessions (`Mcp-Session-Id`): bounded in number and in time, each its caller's alone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::{Caller, Cancel, Cause, Id};

use super::exchange::{Exchange, Kept};

/// A session that nobody used for so long is forgotten; its client is told 404 and begins anew.
const IDLE: Duration = Duration::from_mins(30);

/// How long an answer waits for a client that was cut off.
const ANSWER_KEPT: Duration = Duration::from_mins(2);

/// Answers kept for that. Whoever was cut off had a few calls under way, not hundreds.
const ANSWERS_MAX: usize = 8;

/// A session used this lately is never made to give way to a new one.
const FRESH: Duration = Duration::from_mins(1);

/// All sessions.
pub(crate) struct Sessions {
    all: Mutex<HashMap<Box<str>, Arc<Session>>>,
    max: usize,
}

/// One session.
pub(crate) struct Session {
    pub(crate) id: Box<str>,
    pub(crate) client: Arc<mcp::Client>,
    /// What belongs to no request.
    pub(crate) standing: Arc<Exchange>,
    exchanges: Mutex<Vec<Arc<Exchange>>>,
    numbers: AtomicU64,
    used: Mutex<Instant>,
}

/// No room for a session.
pub(crate) struct Full;

impl Sessions {
    pub(crate) fn new(max: usize) -> Self {
        Self { all: Mutex::default(), max }
    }

    /// Opens a session; where there is no room, the one that was unused for longest gives way.
    pub(crate) fn open(&self, client: Arc<mcp::Client>, send_buffer: usize) -> Result<Arc<Session>, Full> {
        let now = Instant::now();
        let mut all = self.all();
        all.retain(|_, session| {
            let stays = session.idle(now) < IDLE || session.is_busy(now) || session.standing.is_read();
            if !stays {
                session.end();
            }
            stays
        });
        if all.len() >= self.max {
            let idlest =
                all.values().filter(|session| !session.is_busy(now)).max_by_key(|session| session.idle(now));
            match idlest.filter(|session| session.idle(now) > FRESH).cloned() {
                Some(session) => {
                    all.remove(&session.id);
                    session.end();
                }
                None => return Err(Full),
            }
        }
        let forever = now + Duration::from_hours(24 * 365);
        let standing = Exchange::new(0, Id::Null, Cancel::new(), forever, Kept::Some, send_buffer);
        let channel: Arc<dyn mcp::Channel> = Arc::clone(&standing) as _;
        client.connect(Arc::downgrade(&channel));
        let session = Arc::new(Session {
            id: mcp::unguessable().into(),
            client,
            standing,
            exchanges: Mutex::default(),
            numbers: AtomicU64::new(1),
            used: Mutex::new(now),
        });
        all.insert(session.id.clone(), Arc::clone(&session));
        Ok(session)
    }

    /// The session of this id, if it is this caller's.
    pub(crate) fn get(&self, id: &str, caller: &Caller) -> Option<Arc<Session>> {
        let all = self.all();
        let session = all.get(id)?;
        let owner = &session.client.caller;
        let same = owner.name == caller.name && owner.token == caller.token;
        same.then(|| {
            *session.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            Arc::clone(session)
        })
    }

    /// Ends a session and everything under way in it.
    pub(crate) fn close(&self, session: &Session) {
        self.all().remove(&session.id);
        session.end();
    }

    /// Ends the streams that belong to no call, and would never end by themselves.
    pub(crate) fn end_streams(&self) {
        self.all().values().for_each(|session| session.standing.close());
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// A new exchange of this session; `None` when `in_flight` calls are under way in it.
    pub(crate) fn exchange(
        &self,
        id: Id,
        cancel: Cancel,
        deadline: Instant,
        in_flight: usize,
        send_buffer: usize,
    ) -> Option<Arc<Exchange>> {
        let mut exchanges = self.exchanges();
        let now = Instant::now();
        exchanges.iter().for_each(|exchange| exchange.expire_by(now));
        exchanges.retain(|exchange| exchange.answered_at().is_none_or(|at| now - at < ANSWER_KEPT));
        if exchanges.iter().filter(|exchange| exchange.answered_at().is_none()).count() >= in_flight {
            return None;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let exchange = Exchange::new(number, id, cancel, deadline, Kept::Some, send_buffer);
        exchanges.push(Arc::clone(&exchange));
        let answered = |exchange: &&Arc<Exchange>| exchange.answered_at().is_some();
        if exchanges.iter().filter(answered).count() > ANSWERS_MAX
            && let Some(oldest) = exchanges.iter().position(|exchange| answered(&exchange))
        {
            exchanges.remove(oldest);
        }
        Some(exchange)
    }

    /// The exchange of this number, or the session's own stream.
    pub(crate) fn stream(&self, number: u64) -> Option<Arc<Exchange>> {
        if number == 0 {
            return Some(Arc::clone(&self.standing));
        }
        self.exchanges().iter().find(|exchange| exchange.number == number).cloned()
    }

    /// What was delivered whole needs no keeping.
    pub(crate) fn delivered(&self, exchange: &Arc<Exchange>) {
        self.exchanges().retain(|known| !Arc::ptr_eq(known, exchange));
    }

    /// Stops the call that the client sent under `id`.
    pub(crate) fn cancel(&self, id: &Id) {
        if let Some(exchange) = self.exchanges().iter().find(|exchange| exchange.is_call(id)) {
            exchange.withdraw(Cause::Cancelled);
        }
    }

    /// Whether a call is under way whose time is not over.
    fn is_busy(&self, now: Instant) -> bool {
        let exchanges = self.exchanges();
        exchanges.iter().for_each(|exchange| exchange.expire_by(now));
        exchanges.iter().any(|exchange| exchange.answered_at().is_none())
    }

    /// Stops everything under way in it, and ends its streams. What is under way is not answered: a client that
    /// ended its session reads nothing more of it (the Python SDK of the 1.x line fails over an answer then).
    fn end(&self) {
        self.standing.close();
        for exchange in self.exchanges().drain(..) {
            exchange.withdraw(Cause::Disconnected);
        }
    }

    fn idle(&self, now: Instant) -> Duration {
        now.duration_since(*self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Arc<Exchange>>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
