//! The folders of an account: what they are called, what they are for, and how much is in them.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::account::Account;
use crate::command::Command;
use crate::connection::Connection;
use crate::error::Error;
use crate::question::Question;
use crate::reply::{Listed, Reply};

/// How many folders are asked one by one for their counts, where the server cannot tell all at once.
const STATUS_MAX: usize = 200;

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its whole name, as people read it: `Archive/2026`.
    pub name: String,
    /// What separates the levels of names; `None` where there is one level.
    pub delimiter: Option<char>,
    /// What it is for, if that is known.
    pub role: Option<Role>,
    /// Whether it can be opened; some only hold others.
    pub selectable: bool,
    /// What the server says of it, as it says it: `\HasChildren`.
    pub attributes: Vec<String>,
    /// What is in it, where that was asked for and answered.
    pub counts: Option<Counts>,
}

/// What is in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages.
    pub messages: u32,
    /// Of which nobody read so many.
    pub unseen: u32,
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// The UID that the next message will have at least.
    pub uid_next: u32,
}

/// What a folder is for (RFC 6154).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Where mail comes in.
    Inbox,
    /// Every message there is, once more.
    All,
    /// What is kept.
    Archive,
    /// What is not finished.
    Drafts,
    /// What is marked as important.
    Flagged,
    /// What nobody asked for.
    Junk,
    /// What was sent.
    Sent,
    /// What was thrown away.
    Trash,
}

/// Whether the messages in folders are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// They are: one question more for each folder at old servers.
    Messages,
    /// They are not.
    Nothing,
}

/// Names that folders have where the server does not say what they are for.
const NAMES: &[(Role, &[&str])] = &[
    (Role::Archive, &["archive", "archives", "archiv"]),
    (Role::Drafts, &["drafts", "draft", "entwürfe", "brouillons", "borradores"]),
    (
        Role::Junk,
        &["junk", "spam", "junk e-mail", "junk email", "bulk mail", "pourriel", "correo no deseado"],
    ),
    (Role::Sent, &["sent", "sent items", "sent messages", "sent mail", "gesendet", "envoyés", "enviados"]),
    (
        Role::Trash,
        &["trash", "deleted items", "deleted messages", "bin", "papierkorb", "corbeille", "papelera"],
    ),
];

impl Account {
    /// Every folder, in the server's order.
    pub async fn list_folders(&self, count: Count) -> Result<Vec<Folder>, Error> {
        let mut folders = self.look(&Listing { account: self, count }).await?;
        guess_roles(&mut folders);
        Ok(folders)
    }

    /// The folder that is for this, if there is one.
    pub async fn folder_of(&self, role: Role) -> Result<Option<String>, Error> {
        let folders = self.list_folders(Count::Nothing).await?;
        Ok(folders
            .into_iter()
            .find(|folder| folder.role == Some(role) && folder.selectable)
            .map(|one| one.name))
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// The server says no: it is there already, or cannot be called so.
    pub async fn create_folder(&self, name: &str) -> Result<(), Error> {
        if name.is_empty() || name.contains('\0') || name.len() > 1024 {
            return Err(Error::invalid("a folder's name has 1 to 1024 bytes and no NUL character"));
        }
        let mut lease = self.change_any().await?;
        let wire = self.wire_name(name);
        lease.connection().run(Command::new("CREATE").wire_name(&wire)).await.map_err(Error::in_doubt)?;
        // Mail clients show what is subscribed; that it was made counts more.
        drop(lease.connection().run(Command::new("SUBSCRIBE").wire_name(&wire)).await);
        Ok(())
    }

    fn folder(&self, listed: Listed) -> Folder {
        let Listed { wire, delimiter, attributes, role } = listed;
        let has = |name: &str| attributes.iter().any(|attribute| attribute.eq_ignore_ascii_case(name));
        let selectable = !has("\\Noselect") && !has("\\NonExistent");
        Folder { name: self.shown_name(&wire), delimiter, role, selectable, attributes, counts: None }
    }
}

/// Every folder, by what the server says of them.
struct Listing<'a> {
    account: &'a Account,
    count: Count,
}

impl Question for Listing<'_> {
    type Answer = Vec<Folder>;

    async fn ask(&self, connection: &mut Connection) -> Result<Vec<Folder>, Error> {
        let has = |name| connection.capabilities.has(name);
        let at_once = has("LIST-STATUS") && self.count == Count::Messages;
        let mut wanted = Vec::new();
        // Asked for anything, a server says nothing that was not asked for.
        wanted.extend(["CHILDREN", "SPECIAL-USE"].into_iter().filter(|name| has(name)));
        if at_once {
            wanted.push("STATUS (MESSAGES UNSEEN UIDVALIDITY UIDNEXT)");
        }
        let mut command = Command::new("LIST").words("\"\" \"*\"");
        if has("LIST-EXTENDED") && !wanted.is_empty() {
            command = command.words(&format!("RETURN ({})", wanted.join(" ")));
        }
        let started = Instant::now();
        let answer = connection.run(command).await?;
        if !answer.aside.is_empty() {
            tracing::warn!(
                count = answer.aside.len(),
                "folders that the server lists in a way nobody can read"
            );
        }
        let mut counts = HashMap::new();
        let mut folders = Vec::new();
        for reply in answer.replies {
            match reply {
                Reply::Folder(listed) => folders.push((listed.wire.clone(), self.account.folder(listed))),
                Reply::Counts(wire, found) => drop(counts.insert(wire, found)),
                _ => {}
            }
        }
        tracing::debug!(count = folders.len(), ms = started.elapsed().as_millis(), "listed folders");
        if self.count == Count::Messages && counts.is_empty() {
            for (wire, folder) in folders.iter().filter(|(_, folder)| folder.selectable).take(STATUS_MAX) {
                match status(connection, wire).await {
                    Ok(found) => drop(counts.insert(wire.clone(), found)),
                    // One that was removed meanwhile, or is not ours to look at.
                    Err(Error::Refused { .. } | Error::NoSuchFolder { .. }) => {
                        tracing::debug!(folder = folder.name, "cannot be counted");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let with_counts =
            |(wire, folder): (String, Folder)| Folder { counts: counts.get(&wire).copied(), ..folder };
        Ok(folders.into_iter().map(with_counts).collect())
    }
}

async fn status(connection: &mut Connection, wire: &str) -> Result<Counts, Error> {
    let wanted = "(MESSAGES UNSEEN UIDVALIDITY UIDNEXT)";
    let answer = connection.run(Command::new("STATUS").wire_name(wire).words(wanted)).await?;
    let found = answer.replies.iter().find_map(|reply| match reply {
        Reply::Counts(_, counts) => Some(*counts),
        _ => None,
    });
    Ok(found.unwrap_or_default())
}

/// Where the server gives no folder a role, names do: those of the top, or below INBOX.
fn guess_roles(folders: &mut [Folder]) {
    if folders.iter().any(|folder| folder.role.is_some_and(|role| role != Role::Inbox)) {
        return;
    }
    for (role, names) in NAMES {
        let fits = |folder: &&mut Folder| {
            let name = folder.name.to_lowercase();
            let below = name.strip_prefix("inbox").and_then(|rest| rest.strip_prefix(folder.delimiter?));
            folder.selectable && folder.role.is_none() && names.contains(&below.unwrap_or(&name))
        };
        if let Some(folder) = folders.iter_mut().find(fits) {
            folder.role = Some(*role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, role: Option<Role>) -> Folder {
        let name = name.to_owned();
        Folder { name, delimiter: Some('.'), role, selectable: true, attributes: Vec::new(), counts: None }
    }

    #[test]
    fn roles_are_guessed_where_the_server_gives_none() {
        let roles = |folders: &mut [Folder]| {
            guess_roles(folders);
            folders.iter().map(|folder| folder.role).collect::<Vec<_>>()
        };
        let inbox = folder("INBOX", Some(Role::Inbox));
        let names = ["Papierkorb", "INBOX.Sent Items", "Sent", "Drafts.old"].map(|name| folder(name, None));
        let expected = [Some(Role::Inbox), Some(Role::Trash), Some(Role::Sent), None, None];
        assert_eq!(roles(&mut [vec![inbox], names.to_vec()].concat()), expected);
        let told = [folder("Bin", Some(Role::Junk)), folder("Trash", None)];
        assert_eq!(roles(&mut told.to_vec()), [Some(Role::Junk), None]);
    }
}
