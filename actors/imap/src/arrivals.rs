//! Which messages came after one: those whose UIDs are higher, for they only grow (RFC 3501, 2.3.1.1).

use crate::account::Account;
use crate::connection::{Connection, Mailbox, News};
use crate::error::Error;
use crate::query::Query;
use crate::question::FolderQuestion;
use crate::search::find;

/// How far somebody has seen a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// The highest UID that was seen; 0 where none was.
    pub uid: u32,
}

/// What came since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// How far it is seen with them.
    pub seen: Seen,
    /// How many messages the folder has.
    pub messages: u32,
    /// The UIDs of those that came and are still there, the oldest first.
    pub uids: Vec<u32>,
}

impl Account {
    /// Which messages of a folder came after what was seen; without that, none, and how far it can be seen now.
    ///
    /// # Errors
    /// Also [`Error::Stale`] where the folder's UIDVALIDITY is another one than was seen.
    pub async fn arrivals(&self, folder: &str, since: Option<Seen>) -> Result<Arrivals, Error> {
        let (expected, after) = (since.map(|seen| seen.uid_validity), since.map(|seen| seen.uid));
        self.look_into(folder, expected, News::Wanted, &Since { after }).await
    }
}

struct Since {
    after: Option<u32>,
}

impl FolderQuestion for Since {
    type Answer = Arrivals;

    async fn ask(&self, connection: &mut Connection, mailbox: Mailbox) -> Result<Arrivals, Error> {
        let (uid_validity, messages) = (mailbox.uid_validity, mailbox.exists);
        let told = |uid, uids| Arrivals { seen: Seen { uid_validity, uid }, messages, uids };
        let highest = mailbox.uid_next.map(|next| next.saturating_sub(1));
        let Some(after) = self.after else {
            let uid = match highest {
                Some(uid) => uid,
                None if messages == 0 => 0,
                None => find(connection, &Query::All).await?.into_iter().max().unwrap_or_default(),
            };
            return Ok(told(uid, Vec::new()));
        };
        let Some(first) = after.checked_add(1) else { return Ok(told(after, Vec::new())) };
        if messages == 0 || highest.is_some_and(|highest| highest < first) {
            return Ok(told(after, Vec::new()));
        }
        let mut uids = find(connection, &Query::Uids(first, u32::MAX)).await?;
        uids.sort_unstable();
        Ok(told(uids.last().copied().unwrap_or(after), uids))
    }
}
