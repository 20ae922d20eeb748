//! Messages on their way between folders: copied, moved, thrown away, and put in.

use bytes::Bytes;
use jiff::Timestamp;

use crate::account::Account;
use crate::command::Command;
use crate::connection::{Answer, Connection};
use crate::error::Error;
use crate::flags::{Flag, list, set};
use crate::folders::Role;
use crate::reply::{Code, Reply};

/// The largest message that is put into a folder. Servers take 25 to 150 MB.
const APPEND_MAX: usize = 150 * 1024 * 1024;

/// Where messages are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    /// Where to.
    pub folder: String,
    /// The UIDVALIDITY there, where the server says it (UIDPLUS, RFC 4315).
    pub uid_validity: Option<u32>,
    /// The UID of each message here and there. Empty where the server does not say; messages that were not there are in
    /// none.
    pub uids: Vec<(u32, u32)>,
    /// Whether they are still here too, marked as deleted: at servers that can remove nothing but everything so marked.
    pub left_behind: bool,
}

/// Where a message was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The UIDVALIDITY there.
    pub uid_validity: u32,
    /// Its UID.
    pub uid: u32,
}

impl Account {
    /// Copies messages to another folder.
    ///
    /// # Errors
    /// Also [`Error::NoSuchFolder`] for either folder, and [`Error::OverQuota`].
    pub async fn copy(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        to: &str,
    ) -> Result<Transferred, Error> {
        let set = set(uids)?;
        let mut lease = self.change(folder, uid_validity).await?;
        self.copy_on(lease.connection(), &set, to).await
    }

    /// Moves messages to another folder.
    ///
    /// # Errors
    /// As of [`Account::copy`].
    pub async fn move_to(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        to: &str,
    ) -> Result<Transferred, Error> {
        let set = set(uids)?;
        if folder == to {
            return Err(Error::invalid(format!("the messages are in '{to}' already")));
        }
        let mut lease = self.change(folder, uid_validity).await?;
        let connection = lease.connection();
        if connection.capabilities.has("MOVE") {
            let command = Command::new("UID MOVE").words(&set).wire_name(&self.wire_name(to));
            let answer = connection.run(command).await.map_err(|error| error.about(to).in_doubt())?;
            return Ok(transferred(&answer, to));
        }
        let mut copied = self.copy_on(connection, &set, to).await?;
        copied.left_behind = !remove(connection, &set).await?;
        Ok(copied)
    }

    /// Throws messages away: moves them to the trash.
    ///
    /// # Errors
    /// Also [`Error::Unsupported`] where there is no trash, or where they are in it.
    pub async fn trash(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
    ) -> Result<Transferred, Error> {
        let trash = self.folder_of(Role::Trash).await?;
        let trash = trash
            .ok_or(Error::Unsupported { what: "a folder for what is thrown away: make one called Trash" })?;
        if trash == folder {
            return Err(Error::invalid(format!("the messages are in '{folder}' already; erase them there")));
        }
        self.move_to(folder, uid_validity, uids, &trash).await
    }

    /// Removes messages for good: these and no others.
    ///
    /// # Errors
    /// Also [`Error::Unsupported`] where the server can only remove everything that anybody marked.
    pub async fn erase(&self, folder: &str, uid_validity: Option<u32>, uids: &[u32]) -> Result<(), Error> {
        let set = set(uids)?;
        let mut lease = self.change(folder, uid_validity).await?;
        let connection = lease.connection();
        if !connection.capabilities.has("UIDPLUS") {
            return Err(Error::Unsupported { what: "removing single messages for good (RFC 4315)" });
        }
        remove(connection, &set).await.map(drop)
    }

    /// Puts a message into a folder: its bytes as they are (RFC 5322, lines ending in CRLF), with these flags, and the
    /// time at which it came where that is not now. Says where it is, where the server does.
    ///
    /// # Errors
    /// Also [`Error::NoSuchFolder`] and [`Error::OverQuota`].
    pub async fn append(
        &self,
        folder: &str,
        flags: &[Flag],
        received: Option<Timestamp>,
        message: Bytes,
    ) -> Result<Option<Appended>, Error> {
        if message.is_empty() || message.len() > APPEND_MAX {
            return Err(Error::invalid(format!("a message has 1 to {APPEND_MAX} bytes")));
        }
        let flags = list(flags)?;
        let mut lease = self.change_any().await?;
        let connection = lease.connection();
        check_limit(connection, message.len())?;
        let mut command = Command::new("APPEND").wire_name(&self.wire_name(folder)).words(&flags);
        if let Some(received) = received {
            let when =
                jiff::tz::TimeZone::UTC.to_datetime(received).strftime("%d-%b-%Y %H:%M:%S +0000").to_string();
            command = command.words(&format!("\"{when}\""));
        }
        let command = command.words("").literal(message);
        let answer = connection.run(command).await.map_err(|error| error.about(folder).in_doubt())?;
        Ok(match answer.code {
            Code::Appended(uid_validity, uid) => Some(Appended { uid_validity, uid }),
            _ => None,
        })
    }

    async fn copy_on(&self, connection: &mut Connection, set: &str, to: &str) -> Result<Transferred, Error> {
        let command = Command::new("UID COPY").words(set).wire_name(&self.wire_name(to));
        let answer = connection.run(command).await.map_err(|error| error.about(to).in_doubt())?;
        Ok(transferred(&answer, to))
    }
}

/// Marks messages as deleted and removes them, and no others; `false` where the server can only do the first.
async fn remove(connection: &mut Connection, set: &str) -> Result<bool, Error> {
    let marked = Command::new("UID STORE").words(&format!("{set} +FLAGS.SILENT (\\Deleted)"));
    connection.run(marked).await.map_err(Error::in_doubt)?;
    if !connection.capabilities.has("UIDPLUS") {
        return Ok(false);
    }
    connection.run(Command::new("UID EXPUNGE").words(set)).await.map_err(Error::in_doubt)?;
    Ok(true)
}

/// Where messages are now, as COPYUID says: behind the last line, or before it where they were moved (RFC 6851).
fn transferred(answer: &Answer, to: &str) -> Transferred {
    let before = answer.replies.iter().filter_map(|reply| match reply {
        Reply::Code(code) => Some(code),
        _ => None,
    });
    let copied = before.chain([&answer.code]).find_map(|code| match code {
        Code::Copied(uid_validity, uids) => Some((*uid_validity, uids.clone())),
        _ => None,
    });
    let (uid_validity, uids) = copied.unzip();
    Transferred { folder: to.to_owned(), uid_validity, uids: uids.unwrap_or_default(), left_behind: false }
}

/// Says so before the whole message is sent where the server takes none that long (RFC 7889).
fn check_limit(connection: &Connection, length: usize) -> Result<(), Error> {
    let limits =
        connection.capabilities.iter().filter_map(|name| name.strip_prefix("APPENDLIMIT=")?.parse().ok());
    let limit: Option<usize> = limits.min();
    match limit.filter(|limit| length > *limit) {
        Some(limit) => Err(Error::OverQuota { said: format!("at most {limit} bytes, not {length}") }),
        None => Ok(()),
    }
}
