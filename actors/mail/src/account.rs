//! Which folder of which account a call is about, as every method that looks into one is told.

use cluster_config::mail::MailAccount;
use imap::Account;
use protocol::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use supervisor::Slot;

use crate::fault::fault;
use crate::keeper::Ask;
use crate::post::Post;
use crate::service::Mail;

/// A folder's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct FolderName(#[schemars(length(min = 1, max = 1024))] pub(crate) String);

impl FolderName {
    pub(crate) fn inbox() -> Self {
        Self("INBOX".to_owned())
    }
}

/// An account that is asked.
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) account: Account,
    post: Post,
}

impl Asked {
    pub(crate) fn of(mail: &Mail, id: &str) -> Result<Self, Error> {
        let post = mail.account(id)?;
        Ok(Self { id: id.to_owned(), account: post.account(), post })
    }

    pub(crate) fn settings(&self) -> &MailAccount {
        self.post.settings()
    }

    /// The way to the account's actor.
    pub(crate) async fn keeper(&self) -> &Slot<Ask> {
        self.post.keeper().await
    }

    /// What a server's failure is to a caller.
    pub(crate) fn fault(&self, error: &imap::Error) -> Error {
        fault(&self.id, error)
    }
}
