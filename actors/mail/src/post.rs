//! One account of the file, as everybody holds it: its connections, and the way to the actor that keeps it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use cluster_config::mail::MailAccount;
use imap::Account;
use smtp::Limits;
use supervisor::Slot;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::keeper::Ask;
use crate::tokens::Kept;

/// How long a keeper is given to start.
const STARTS: Duration = Duration::from_secs(5);

/// An account. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Post(Arc<Shared>);

struct Shared {
    id: String,
    settings: MailAccount,
    limits: Limits,
    tokens: Option<Kept>,
    connections: ArcSwap<Account>,
    keeper: Slot<Ask>,
    /// Whether the keeper has been started; it may have ended since.
    started: watch::Sender<bool>,
}

impl Post {
    pub(crate) fn new(id: &str, settings: MailAccount, limits: Limits, tokens: Option<Kept>) -> Self {
        let connections = ArcSwap::from_pointee(open(&settings, limits, tokens.as_ref()));
        let (id, keeper, started) = (id.to_owned(), Slot::vacant(), watch::Sender::new(false));
        Self(Arc::new(Shared { id, settings, limits, tokens, connections, keeper, started }))
    }

    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    pub(crate) fn settings(&self) -> &MailAccount {
        &self.0.settings
    }

    /// How long its servers are waited for.
    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Its connections to the IMAP server.
    pub(crate) fn account(&self) -> Account {
        Account::clone(&self.0.connections.load())
    }

    /// Its keeper begins anew: whatever its connections were in, nobody gets them again.
    pub(crate) fn renew(&self) {
        self.0.connections.store(Arc::new(open(&self.0.settings, self.0.limits, self.0.tokens.as_ref())));
    }

    /// Where the keeper is, or will be.
    pub(crate) fn slot(&self) -> &Slot<Ask> {
        &self.0.keeper
    }

    /// The way to the keeper, once it has been started: an account that has just been read has none for a moment.
    pub(crate) async fn keeper(&self) -> &Slot<Ask> {
        let _ = timeout(STARTS, self.0.started.subscribe().wait_for(|started| *started)).await;
        &self.0.keeper
    }

    /// The keeper has been started.
    pub(crate) fn started(&self) {
        self.0.started.send_replace(true);
    }

    /// What it is, in a line, for whoever looks at the tree.
    pub(crate) fn note(&self) -> String {
        let settings = self.settings();
        let sends = match (settings.smtp_host.is_empty(), settings.recipients.len()) {
            (true, _) | (_, 0) => "sends nothing".to_owned(),
            (false, some) => format!("may write to {some} patterns"),
        };
        format!("{}; {sends}", settings.email)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

fn open(settings: &MailAccount, limits: Limits, tokens: Option<&Kept>) -> Account {
    let account = Account::new(settings.clone(), limits.command);
    match tokens {
        Some(tokens) => account.with_tokens_kept(Arc::new(tokens.clone())),
        None => account,
    }
}
