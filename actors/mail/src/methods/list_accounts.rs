//! `mcp.mail.listAccounts`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Mail;

/// Lists the mail accounts of `mail_accounts.yaml`; asks no server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListAccounts {}

/// All accounts.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Accounts {
    /// By their ids.
    accounts: Vec<Account>,
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Account {
    /// What it is called in other calls.
    account_id: String,
    /// The address that it writes as; empty when it cannot be used.
    email_address: String,
    /// `imap`.
    r#type: &'static str,
    /// What is wrong with it in `mail_accounts.yaml`; null when it can be used.
    problem: Option<String>,
}

impl Method for ListAccounts {
    const NAME: &'static str = "mcp.mail.listAccounts";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const ORIGINAL_FIELD: Option<&'static str> = Some("accounts");

    type Reply = Accounts;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Accounts, Error> {
        let accounts = mail.accounts();
        let shown = accounts.iter().map(|(id, known)| Account {
            account_id: id.clone(),
            email_address: known.as_ref().map_or_else(|_| String::new(), |one| one.settings().email.clone()),
            r#type: "imap",
            problem: known.as_ref().err().cloned(),
        });
        Ok(Accounts { accounts: shown.collect() })
    }
}
