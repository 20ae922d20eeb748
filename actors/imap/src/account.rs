//! One account, as its callers hold it: a handle that can be cloned and asked anything at any time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cluster_config::Secret;
use cluster_config::mail::{MailAccount, MailAuth};
use supervisor::Tasks;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::command::Command;
use crate::connection::{Access, News};
use crate::error::{Error, Outcome};
use crate::idle::WATCHED_MAX;
use crate::pool::{Lease, Pool};
use crate::{Capabilities, utf7};

/// How many names are remembered that are not what our encoding makes of them.
const ODD_NAMES_MAX: usize = 10_000;

/// One account's IMAP server. Cheap to clone; making one opens no connection. What runs for it ends when the last clone
/// is dropped.
#[derive(Clone, Debug)]
pub struct Account(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) pool: Arc<Pool>,
    /// Names of folders as the server writes them, where that is not what our encoding makes of them.
    odd_names: Mutex<HashMap<String, String>>,
    pub(crate) tasks: Tasks,
    pub(crate) watchers: Arc<Semaphore>,
    keeps_alive: std::sync::Once,
}

impl Account {
    /// The account of these settings; `limit` is how long its server is waited for at each command.
    pub fn new(settings: MailAccount, limit: Duration) -> Self {
        // Whoever else was first installed one is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        Self(Arc::new(Inner {
            tasks: Tasks::named(format!("mail {}", settings.host)),
            pool: Arc::new(Pool::new(settings, limit)),
            odd_names: Mutex::default(),
            watchers: Arc::new(Semaphore::new(WATCHED_MAX)),
            keeps_alive: std::sync::Once::new(),
        }))
    }

    /// The same, keeping newer refresh tokens there.
    #[must_use]
    pub fn with_tokens_kept(self, keeper: Arc<dyn crate::token::KeepsToken>) -> Self {
        self.0.pool.tokens.kept_by(keeper);
        self
    }

    /// Its settings.
    pub fn settings(&self) -> &MailAccount {
        &self.0.pool.account
    }

    /// What its server can do.
    pub async fn capabilities(&self) -> Result<Capabilities, Error> {
        self.change_any().await.map(|mut lease| lease.connection().capabilities.clone())
    }

    /// An access token, for whoever sends this account's mail; `None` where it logs in with a password.
    pub async fn access_token(&self) -> Result<Option<Secret>, Error> {
        match self.settings().auth_type {
            MailAuth::Password => Ok(None),
            MailAuth::Oauth2 => {
                let after = self.0.pool.limit;
                let token = timeout(after, self.0.pool.tokens.access()).await;
                let outcome = Outcome::NothingDone;
                token.map_err(|_| Error::Timeout { command: "a token", after, outcome })?.map(Some)
            }
        }
    }

    /// A connection for one question.
    pub(crate) async fn lease(&self) -> Result<Lease, Error> {
        self.keep_alive();
        self.0.pool.lease().await
    }

    /// A connection on which the folder is open to be changed: what is asked on it is asked once.
    pub(crate) async fn change(&self, folder: &str, expected: Option<u32>) -> Result<Lease, Error> {
        let wire = self.wire_name(folder);
        let mut lease = self.lease().await?;
        let opened = lease.connection().select(folder, &wire, Access::Select, expected, News::Wanted).await;
        match opened {
            Err(error) if error.is_lost() && lease.reused => {
                lease.renew().await?;
                lease.connection().select(folder, &wire, Access::Select, expected, News::Wanted).await?;
            }
            opened => drop(opened?),
        }
        Ok(lease)
    }

    /// The same without a folder.
    pub(crate) async fn change_any(&self) -> Result<Lease, Error> {
        let mut lease = self.lease().await?;
        if lease.reused {
            match lease.connection().run(Command::new("NOOP")).await {
                Err(error) if error.is_lost() => lease.renew().await?,
                alive => drop(alive?),
            }
        }
        Ok(lease)
    }

    /// The name of a folder as its server writes it.
    pub(crate) fn wire_name(&self, folder: &str) -> String {
        let odd = self.0.odd_names.lock().unwrap_or_else(PoisonError::into_inner);
        odd.get(folder).cloned().unwrap_or_else(|| utf7::encode(folder))
    }

    /// The name that a server's name is shown as: decoded, and as it is where that would not lead back to it.
    pub(crate) fn shown_name(&self, wire: &str) -> String {
        match utf7::decode(wire) {
            Some(name) if utf7::encode(&name) == wire => name,
            _ => {
                let mut odd = self.0.odd_names.lock().unwrap_or_else(PoisonError::into_inner);
                // A server that has so many makes them up.
                if odd.len() >= ODD_NAMES_MAX {
                    odd.clear();
                }
                odd.insert(wire.to_owned(), wire.to_owned());
                wire.to_owned()
            }
        }
    }

    /// Sees to it that connections that wait are kept alive, from the first one on.
    fn keep_alive(&self) {
        let pool = Arc::downgrade(&self.0.pool);
        self.0.keeps_alive.call_once(|| {
            self.0.tasks.spawn(async move {
                loop {
                    tokio::time::sleep(Pool::keep_alive_every()).await;
                    let Some(pool) = pool.upgrade() else { return };
                    pool.keep_alive().await;
                }
            });
        });
    }
}
