//! The connections of one account: a few, kept open while they are used, and opened again with patience when they fail.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use cluster_config::mail::{MailAccount, MailAuth};
use rustls::ClientConfig;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::command::Command;
use crate::connection::Connection;
use crate::error::{Error, Outcome};
use crate::token::Tokens;
use crate::transport::Server;

/// Connections for questions: one that is slow leaves another. Servers allow ten or so for each user.
const CONNECTIONS: usize = 2;
/// Servers and routers forget a connection after some minutes of silence.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
/// A connection that nobody used for so long is closed.
const UNUSED: Duration = Duration::from_mins(5);
/// A call waits so long for the next try; where that is further away it is told so.
const PATIENCE: Duration = Duration::from_secs(2);

/// Everything that connections are made of, and those that wait for work.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) account: MailAccount,
    server: Server,
    pub(crate) limit: Duration,
    pub(crate) tokens: Tokens,
    tls: OnceLock<Arc<ClientConfig>>,
    permits: Arc<Semaphore>,
    parked: Mutex<Vec<Connection>>,
    failed: Mutex<Option<Failed>>,
}

/// What the last try to connect ended with.
#[derive(Debug)]
struct Failed {
    error: Error,
    delays: ExponentialBackoff,
    not_before: Instant,
}

/// A connection for one question. It goes back when it is dropped, if every command on it was answered.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    /// It was used before, and may have died since.
    pub(crate) reused: bool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(account: MailAccount, limit: Duration) -> Self {
        Self {
            tokens: Tokens::new(account.oauth.clone()),
            server: Server::of(&account),
            account,
            limit,
            tls: OnceLock::new(),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
            parked: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// A connection, waited for no longer than a command.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease, Error> {
        let permit = timeout(self.limit, Arc::clone(&self.permits).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            let outcome = Outcome::NothingDone;
            return Err(Error::Timeout { command: "other calls first", after: self.limit, outcome });
        };
        let parked = self.take_parked();
        let reused = parked.is_some();
        let connection = match parked {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Lease { pool: Arc::clone(self), connection: Some(connection), reused, _permit: permit })
    }

    /// A connection that waits for work, and was heard of lately.
    fn take_parked(&self) -> Option<Connection> {
        let mut parked = self.parked();
        parked.retain(|connection| is_alive(connection.heard_at, SystemTime::now()));
        parked.pop()
    }

    /// A new connection; not before its time where the last tries failed.
    pub(crate) async fn connect(&self) -> Result<Connection, Error> {
        let wait = self.failed().as_ref().map(|failed| {
            (failed.not_before.saturating_duration_since(Instant::now()), failed.error.clone())
        });
        match wait {
            Some((wait, error)) if wait > PATIENCE => return Err(later(error, wait)),
            Some((wait, _)) => sleep(wait).await,
            None => {}
        }
        let connected = match self.try_connect().await {
            // A token may end before its time.
            Err(Error::Authentication { .. }) if self.account.auth_type == MailAuth::Oauth2 => {
                self.tokens.forget().await;
                self.try_connect().await
            }
            connected => connected,
        };
        let mut failed = self.failed();
        match connected {
            Ok(connection) => {
                *failed = None;
                Ok(connection)
            }
            Err(error) => {
                let mut delays = failed.take().map_or_else(|| delays(&error), |failed| failed.delays);
                let wait = delays.next().unwrap_or(PATIENCE);
                tracing::debug!(server = %self.server, %error, "cannot connect");
                *failed = Some(Failed { error: error.clone(), delays, not_before: Instant::now() + wait });
                Err(later(error, wait))
            }
        }
    }

    async fn try_connect(&self) -> Result<Connection, Error> {
        let tls = self.tls().await?;
        Connection::open(&self.account, tls, &self.tokens, self.limit).await
    }

    /// What TLS begins with; made at the first connection that gets so far.
    async fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(tls) = self.tls.get() {
            return Ok(Arc::clone(tls));
        }
        let made = self.server.tls().await?;
        Ok(Arc::clone(self.tls.get_or_init(|| made)))
    }

    /// Keeps what waits for work alive, and closes what has waited too long.
    pub(crate) async fn keep_alive(&self) {
        let waiting = std::mem::take(&mut *self.parked());
        for mut connection in waiting {
            if connection.worked.elapsed() >= UNUSED {
                drop(connection.run(Command::new("LOGOUT")).await);
                continue;
            }
            if connection.heard.elapsed() >= KEEP_ALIVE / 2 {
                // One that is dead is unfit then, and is not parked.
                drop(connection.run(Command::new("NOOP")).await);
            }
            self.park(connection);
        }
    }

    pub(crate) const fn keep_alive_every() -> Duration {
        KEEP_ALIVE
    }

    fn park(&self, connection: Connection) {
        let mut parked = self.parked();
        if connection.is_fit() && parked.len() < CONNECTIONS {
            parked.push(connection);
        }
    }

    fn parked(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> MutexGuard<'_, Option<Failed>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection may still be there that was heard of then. One that was not for so long was asleep with its
/// machine, and the server has forgotten it without a word: whoever asked on it would wait in vain.
fn is_alive(heard_at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(heard_at).is_ok_and(|silent| silent < KEEP_ALIVE * 3)
}

/// How long is waited after each failure. A password that is wrong is not tried often: servers lock the account then.
fn delays(error: &Error) -> ExponentialBackoff {
    let (least, most) = match error {
        Error::Authentication { .. } | Error::Settings { .. } => {
            (Duration::from_secs(5), Duration::from_mins(15))
        }
        _ => (Duration::from_millis(200), Duration::from_mins(1)),
    };
    let delays = ExponentialBuilder::default().with_min_delay(least).with_max_delay(most);
    delays.with_jitter().without_max_times().build()
}

/// The error with the time after which there is another try.
fn later(mut error: Error, wait: Duration) -> Error {
    if let Error::Unreachable { retry_after, .. } = &mut error {
        *retry_after = wait;
    }
    error
}

impl Lease {
    /// Another connection in the place of one that was lost.
    pub(crate) async fn renew(&mut self) -> Result<(), Error> {
        self.connection = None;
        self.reused = false;
        self.connection = Some(self.pool.connect().await?);
        Ok(())
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("it is taken by drop alone, and by a renewal that failed")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.worked = Instant::now();
            self.pool.park(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_slept_is_not_used() {
        let now = SystemTime::now();
        for (silent, alive) in [(0, true), (100, true), (181, false), (86_400, false)] {
            assert_eq!(is_alive(now - Duration::from_secs(silent), now), alive, "{silent} s");
        }
        assert!(!is_alive(now + Duration::from_mins(1), now), "the clock was turned back: nobody knows");
    }

    #[test]
    fn a_wrong_password_is_tried_less_often_than_a_server_that_is_away() {
        let first = |error: &Error| delays(error).next().unwrap();
        let wrong = first(&Error::Authentication { said: String::new() });
        let away = first(&Error::lost("x", "y"));
        assert!(wrong >= Duration::from_secs(5) && away < Duration::from_secs(1), "{wrong:?} {away:?}");
        let later = delays(&Error::lost("x", "y")).nth(50).unwrap();
        assert!(
            (Duration::from_mins(1)..Duration::from_mins(3)).contains(&later),
            "it does not end: {later:?}"
        );
    }
}
