//! Mail as callers see it: the real daemon, a real Dovecot behind TLS, and messages as people get them.

mod accounts;
mod attachments;
mod calendars;
mod changing;
mod interrupted;
#[allow(dead_code, clippy::unwrap_used, reason = "it is another test's, which uses all of it")]
#[path = "../../actors/imap/tests/it/proxy.rs"]
mod proxy;
mod reading;
mod sending;
#[allow(dead_code, clippy::unwrap_used, reason = "it is another test's, which uses all of it")]
#[path = "../../actors/imap/tests/it/tokens.rs"]
mod tokens;
mod watching;

use harness::{Client, Daemon, Dovecot, Setup};

/// A mail server, a daemon that has alice's account there, and somebody who asks.
pub(crate) struct Scene {
    pub(crate) client: Client,
    pub(crate) daemon: Daemon,
    pub(crate) dovecot: Dovecot,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// The same with more accounts.
    pub(crate) async fn with(more: &str) -> Self {
        Self::of(more, Setup::default()).await
    }

    /// The same with settings.
    pub(crate) async fn set(settings: &str) -> Self {
        Self::of("", Setup { settings: settings.to_owned(), ..Setup::default() }).await
    }

    async fn of(more: &str, setup: Setup) -> Self {
        let dovecot = Dovecot::start();
        let accounts = format!("accounts:\n{}{more}", dovecot.account("alice"));
        let daemon = Setup { mail_accounts: Some(accounts), ..setup }.start().await;
        Self { client: daemon.client().await, daemon, dovecot }
    }
}

/// A plain message.
pub(crate) fn message(id: &str, subject: &str, more: &str, text: &str) -> String {
    format!(
        "From: Ada Lovelace <ada@example.org>\nTo: Alice <alice@example.org>\nSubject: {subject}\n\
         Date: Tue, 24 Nov 2026 10:00:00 +0100\nMessage-ID: <{id}@example.org>\n{more}\n{text}\n"
    )
}
