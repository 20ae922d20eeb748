//! `mcp.mail.listFolders`.

use imap::{Count, Role};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOOKS;
use crate::account::Asked;
use crate::service::Mail;

/// Lists the folders of a mail account, with what is in them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListFolders {
    /// The account, by its id.
    account_id: String,
}

/// All folders.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Folders {
    /// The inbox first, then by their names.
    folders: Vec<Folder>,
}

/// A folder.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Folder {
    /// The last part of its name.
    name: String,
    /// Its whole name: what other calls want as `folder`.
    path: String,
    /// What the server says of it: `\HasChildren`.
    flags: Vec<String>,
    /// What it is for: `inbox`, `sent`, `drafts`, `trash`, `junk`, `archive`, `all` or `flagged`; null when nobody says.
    role: Option<&'static str>,
    /// Messages in it; null when it cannot be opened.
    messages: Option<u32>,
    /// Of which nobody read so many.
    unseen: Option<u32>,
}

impl Method for ListFolders {
    const NAME: &'static str = "mcp.mail.listFolders";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;
    const ORIGINAL_FIELD: Option<&'static str> = Some("folders");

    type Reply = Folders;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Folders, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let folders = asked.account.list_folders(Count::Messages).await;
        let folders = folders.map_err(|error| asked.fault(&error))?;
        let mut folders: Vec<Folder> = folders.into_iter().map(shown).collect();
        // Servers have an order of the moment.
        folders.sort_by_cached_key(|one| (one.role != Some("inbox"), one.path.to_lowercase()));
        Ok(Folders { folders })
    }
}

fn shown(folder: imap::Folder) -> Folder {
    let last = folder.delimiter.and_then(|delimiter| folder.name.rsplit(delimiter).next());
    Folder {
        name: last.unwrap_or(&folder.name).to_owned(),
        flags: folder.attributes,
        role: folder.role.map(role),
        messages: folder.counts.map(|counts| counts.messages),
        unseen: folder.counts.map(|counts| counts.unseen),
        path: folder.name,
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Inbox => "inbox",
        Role::All => "all",
        Role::Archive => "archive",
        Role::Drafts => "drafts",
        Role::Flagged => "flagged",
        Role::Junk => "junk",
        Role::Sent => "sent",
        Role::Trash => "trash",
    }
}
