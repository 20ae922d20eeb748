//! A message, or a part of one, in pieces: however large it is, little of it is in memory.

use bytes::Bytes;

use crate::account::Account;
use crate::command::Command;
use crate::connection::{Connection, Mailbox, News};
use crate::error::Error;
use crate::question::FolderQuestion;
use crate::reply::Reply;

/// How much is fetched at a time: few round trips, and little memory for many readers.
pub const PIECE: u32 = 256 * 1024;

/// What of a message is fetched (RFC 3501, 6.4.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Section {
    /// All of it.
    Whole,
    /// All of its header.
    Header,
    /// The part at this path, such as `1.2`, as it is encoded; of a message in a part, that message.
    Part(String),
    /// The header of that part.
    PartHeader(String),
}

/// A message, or a part of one, on its way: piece by piece, each asked for when it is wanted. Nothing is marked as seen.
#[derive(Debug)]
pub struct Body {
    account: Account,
    folder: String,
    uid_validity: Option<u32>,
    uid: u32,
    section: String,
    offset: u32,
    ended: bool,
}

impl Section {
    fn wire(&self) -> Result<String, Error> {
        match self {
            Self::Whole => Ok(String::new()),
            Self::Header => Ok("HEADER".to_owned()),
            Self::Part(path) => Ok(checked(path)?.to_owned()),
            Self::PartHeader(path) => Ok(format!("{}.MIME", checked(path)?)),
        }
    }
}

/// Numbers from 1 up, with dots between them.
fn checked(path: &str) -> Result<&str, Error> {
    let is_number = |step: &str| step.parse::<u32>().is_ok_and(|n| n > 0) && !step.starts_with('+');
    let fits = path.len() <= 200 && path.split('.').all(is_number);
    fits.then_some(path).ok_or_else(|| {
        let shown: String = path.chars().take(40).collect();
        Error::invalid(format!(
            "'{}' is no part of a message; parts are called 1, 2, 2.1",
            shown.escape_debug()
        ))
    })
}

impl Account {
    /// A message, or a part of one, from `offset` on. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a part that no message can have.
    pub fn body(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uid: u32,
        section: &Section,
        offset: u32,
    ) -> Result<Body, Error> {
        if uid == 0 {
            return Err(Error::invalid("UIDs go from 1 up"));
        }
        let section = section.wire()?;
        let (account, folder) = (self.clone(), folder.to_owned());
        Ok(Body { account, folder, uid_validity, uid, section, offset, ended: false })
    }
}

impl Body {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// Also [`Error::NoSuchMessage`] where it is not there (any more), and [`Error::Stale`] where the folder was made
    /// anew. A part that is not in the message is empty.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.next_of(PIECE).await
    }

    /// The next piece, with at most so many bytes.
    pub async fn next_of(&mut self, bytes: u32) -> Result<Option<Bytes>, Error> {
        let bytes = bytes.clamp(1, PIECE);
        if self.ended {
            return Ok(None);
        }
        let piece = Piece { uid: self.uid, section: &self.section, offset: self.offset, bytes };
        let (validity, piece) =
            self.account.look_into(&self.folder, self.uid_validity, News::Unneeded, &piece).await?;
        // The rest is of the same message, even where the folder is made anew meanwhile.
        self.uid_validity = Some(validity);
        let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        self.ended = length < bytes;
        self.offset = self.offset.saturating_add(length);
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }

    /// All that is left.
    ///
    /// # Errors
    /// Also [`Error::Invalid`] where that is more than `bytes_max`.
    pub async fn all(mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await? {
            if all.len() + piece.len() > bytes_max {
                return Err(Error::invalid(format!(
                    "it is longer than {bytes_max} bytes; fetch it in pieces"
                )));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }
}

/// One piece, as it is asked for.
struct Piece<'a> {
    uid: u32,
    section: &'a str,
    offset: u32,
    bytes: u32,
}

impl FolderQuestion for Piece<'_> {
    type Answer = (u32, Bytes);

    async fn ask(&self, connection: &mut Connection, mailbox: Mailbox) -> Result<(u32, Bytes), Error> {
        let Self { uid, section, offset, bytes } = *self;
        let words = format!("{uid} (UID BODY.PEEK[{section}]<{offset}.{bytes}>)");
        let answer = connection.run(Command::new("UID FETCH").words(&words)).await?;
        for reply in answer.replies {
            if let Reply::Message(message) = reply
                && message.uid == Some(uid)
                && let Some(mut piece) = message.body
            {
                piece.truncate(bytes as usize);
                return Ok((mailbox.uid_validity, piece));
            }
        }
        if answer.aside.is_empty() {
            Err(Error::NoSuchMessage { folder: mailbox.folder, uid })
        } else {
            let said = "what it answered cannot be read".to_owned();
            Err(Error::Refused { command: "UID FETCH", understood: true, said })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_messages_can_have() {
        for path in ["1", "2.1.10"] {
            assert_eq!(Section::Part(path.to_owned()).wire().as_deref(), Ok(path));
        }
        for path in ["", "0", "1.", "+1", "1]", "1 2", "a", "-1", &"1.".repeat(200)] {
            assert!(Section::PartHeader(path.to_owned()).wire().is_err(), "{path}");
        }
    }
}
