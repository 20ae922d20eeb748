//! A page of messages at a glance: headers, flags, sizes and structure of many in one round trip.
//!
//! What servers make of headers (ENVELOPE) is where their grammar breaks most, so the header's fields are asked for as
//! they are. A message whose structure cannot be read is asked for once more without; one that cannot be read at all is
//! named, and hides no other.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use jiff::Timestamp;

use crate::account::Account;
use crate::command::{Command, uid_set};
use crate::connection::{Connection, Mailbox, News};
use crate::error::Error;
use crate::flags::{Flag, set};
use crate::lists;
use crate::question::FolderQuestion;
use crate::reply::{Message, Reply};
use crate::structure::Part;

/// How many messages one call shows: with their headers some megabytes.
pub const SUMMARIES_MAX: usize = 500;

/// The fields of a header that a list, a thread or an answer needs.
const FIELDS: &str = "DATE FROM SENDER REPLY-TO TO CC BCC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID \
                      LIST-UNSUBSCRIBE AUTO-SUBMITTED CONTENT-TYPE X-PRIORITY IMPORTANCE";

/// How often a range of messages is cut in two to find the one that breaks the connection.
const CUTS_MAX: usize = 24;

/// One message at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its UID.
    pub uid: u32,
    /// Its flags.
    pub flags: Vec<Flag>,
    /// When it came, by the server.
    pub received: Option<Timestamp>,
    /// How long it is in bytes.
    pub size: u32,
    /// The fields of its header that are listed, as they are written (RFC 5322), with an empty line behind them.
    pub header: Bytes,
    /// What it is made of; `None` where the server's word on it cannot be read.
    pub structure: Option<Part>,
}

/// Messages at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summaries {
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// Those that were read, in the order in which they were asked for.
    pub messages: Vec<Summary>,
    /// Those that are not there (any more).
    pub gone: Vec<u32>,
    /// Those that are there and of which the server says nothing that can be read.
    pub unreadable: Vec<u32>,
}

impl Account {
    /// Messages at a glance; nothing is marked as seen.
    ///
    /// # Errors
    /// Also [`Error::Stale`] where `uid_validity` is not the folder's any more. There are at most [`SUMMARIES_MAX`].
    pub async fn summaries(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
    ) -> Result<Summaries, Error> {
        set(uids)?;
        if uids.len() > SUMMARIES_MAX {
            return Err(Error::invalid(format!("ask for at most {SUMMARIES_MAX} messages at a time")));
        }
        let mut found = Found::default();
        let mut ranges = vec![uids.to_vec()];
        let mut cuts = 0;
        while let Some(range) = ranges.pop() {
            let question = Glance { uids: &range };
            let answer = self.look_into(folder, uid_validity, News::Unneeded, &question).await;
            match answer {
                Ok(read) => found.take(read),
                // Something in it breaks the connection each time: cut until it is alone.
                Err(Error::Lost { .. }) if range.len() == 1 && uids.len() > 1 => {
                    found.unreadable.extend(range);
                }
                Err(Error::Lost { .. }) if uids.len() > 1 && cuts < CUTS_MAX => {
                    cuts += 1;
                    let (left, right) = range.split_at(range.len() / 2);
                    ranges.extend([right.to_vec(), left.to_vec()]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found.in_order(uids))
    }
}

/// What came so far.
#[derive(Default)]
struct Found {
    uid_validity: u32,
    messages: HashMap<u32, Summary>,
    unreadable: HashSet<u32>,
}

impl Found {
    fn take(&mut self, read: Self) {
        self.uid_validity = read.uid_validity;
        self.messages.extend(read.messages);
        self.unreadable.extend(read.unreadable);
    }

    fn in_order(mut self, uids: &[u32]) -> Summaries {
        let mut summaries = Summaries { uid_validity: self.uid_validity, ..Summaries::default() };
        let mut seen = HashSet::new();
        for uid in uids.iter().copied().filter(|uid| seen.insert(*uid)) {
            match self.messages.remove(&uid) {
                Some(message) => summaries.messages.push(message),
                None if self.unreadable.contains(&uid) => summaries.unreadable.push(uid),
                None => summaries.gone.push(uid),
            }
        }
        summaries
    }
}

struct Glance<'a> {
    uids: &'a [u32],
}

impl FolderQuestion for Glance<'_> {
    type Answer = Found;

    async fn ask(&self, connection: &mut Connection, mailbox: Mailbox) -> Result<Found, Error> {
        let found = read(connection, self.uids).await?;
        Ok(Found { uid_validity: mailbox.uid_validity, ..found })
    }
}

/// Reads messages: all in one round trip, and those that are missing then in two more.
async fn read(connection: &mut Connection, uids: &[u32]) -> Result<Found, Error> {
    let mut found = Found::default();
    let left = fetch(connection, uids, "BODYSTRUCTURE ", &mut found).await?;
    if left.is_empty() {
        return Ok(found);
    }
    let left = fetch(connection, &left, "", &mut found).await?;
    if left.is_empty() {
        return Ok(found);
    }
    // What is there and was not read twice cannot be.
    let command = Command::new("UID SEARCH").words(&format!("UID {}", uid_set(&left)));
    let answer = connection.run(command).await?;
    let there = lists::found(&answer.aside)?;
    found.unreadable.extend(there.into_iter().filter(|uid| left.contains(uid)));
    Ok(found)
}

/// Fetches messages, and says which did not come.
async fn fetch(
    connection: &mut Connection,
    uids: &[u32],
    structure: &str,
    found: &mut Found,
) -> Result<Vec<u32>, Error> {
    let items =
        format!("(UID FLAGS INTERNALDATE RFC822.SIZE {structure}BODY.PEEK[HEADER.FIELDS ({FIELDS})])");
    let command = Command::new("UID FETCH").words(&format!("{} {items}", uid_set(uids)));
    let answer = connection.run(command).await?;
    for reply in answer.replies {
        if let Reply::Message(message) = reply
            && let Some(summary) = summary(*message)
            && uids.contains(&summary.uid)
        {
            found.messages.insert(summary.uid, summary);
        }
    }
    Ok(uids.iter().copied().filter(|uid| !found.messages.contains_key(uid)).collect())
}

/// One message; `None` where this is news of flags and no answer.
fn summary(message: Message) -> Option<Summary> {
    let Message { uid, flags, received, size, body, structure } = message;
    Some(Summary { uid: uid?, flags, received, size, header: body?, structure })
}
