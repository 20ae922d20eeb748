//! Searching a folder: the UIDs of what matches, the newest first, a page at a time.

use crate::account::Account;
use crate::command::Command;
use crate::connection::{Connection, Mailbox, News};
use crate::error::Error;
use crate::lists;
use crate::query::Query;
use crate::question::FolderQuestion;

/// Which part of what was found is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// So many of the newest are passed over.
    pub offset: usize,
    /// So many are given at most.
    pub limit: usize,
}

/// Messages that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder's UIDVALIDITY: what the UIDs mean.
    pub uid_validity: u32,
    /// How many match in all.
    pub total: usize,
    /// Those of the page, the newest first: by when they came where the server can sort, and by UID elsewhere.
    pub uids: Vec<u32>,
}

/// Messages that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threads {
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// The UIDs of each thread: replies behind what they reply to.
    pub threads: Vec<Vec<u32>>,
}

impl Account {
    /// Searches a folder.
    ///
    /// # Errors
    /// Also [`Error::Stale`] where `uid_validity` is not the folder's any more, and [`Error::Invalid`] for what can be in
    /// no query.
    pub async fn search(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        query: &Query,
        page: Page,
    ) -> Result<Found, Error> {
        self.look_into(folder, uid_validity, News::Wanted, &Search { query, page }).await
    }

    /// What belongs together among the messages that match, as the server sees it (RFC 5256: by references).
    ///
    /// # Errors
    /// Also [`Error::Unsupported`] where the server cannot tell.
    pub async fn threads(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        query: &Query,
    ) -> Result<Threads, Error> {
        self.look_into(folder, uid_validity, News::Wanted, &Threading { query }).await
    }
}

struct Search<'a> {
    query: &'a Query,
    page: Page,
}

impl FolderQuestion for Search<'_> {
    type Answer = Found;

    async fn ask(&self, connection: &mut Connection, mailbox: Mailbox) -> Result<Found, Error> {
        let found = if connection.capabilities.has("SORT") {
            sort(connection, self.query).await?
        } else {
            let mut uids = find(connection, self.query).await?;
            uids.sort_unstable();
            uids
        };
        let total = found.len();
        let uids = found.into_iter().rev().skip(self.page.offset).take(self.page.limit).collect();
        Ok(Found { uid_validity: mailbox.uid_validity, total, uids })
    }
}

struct Threading<'a> {
    query: &'a Query,
}

impl FolderQuestion for Threading<'_> {
    type Answer = Threads;

    async fn ask(&self, connection: &mut Connection, mailbox: Mailbox) -> Result<Threads, Error> {
        let has = |name| connection.capabilities.has(name);
        let method = match (has("THREAD=REFS"), has("THREAD=REFERENCES")) {
            (_, true) => "REFERENCES",
            (true, false) => "REFS",
            _ => return Err(Error::Unsupported { what: "threads by references (RFC 5256)" }),
        };
        let command = Command::new("UID THREAD").words(&format!("{method} UTF-8"));
        let command = self.query.write(command, &connection.capabilities)?;
        let answer = connection.run(command).await?;
        let found = answer.aside.iter().filter_map(|line| lists::threads(line)).flatten().collect();
        Ok(Threads { uid_validity: mailbox.uid_validity, threads: found })
    }
}

/// Every UID that matches, in no order.
pub(crate) async fn find(connection: &mut Connection, query: &Query) -> Result<Vec<u32>, Error> {
    let mut command = Command::new("UID SEARCH");
    if connection.capabilities.has("ESEARCH") {
        // A whole folder is `1:100000` then, and not a line of half a megabyte.
        command = command.words("RETURN (ALL)");
    }
    if query.needs_utf8() {
        command = command.words("CHARSET UTF-8");
    }
    let command = query.write(command, &connection.capabilities)?;
    lists::found(&connection.run(command).await?.aside)
}

/// The UIDs that match, by when they came, the newest last: turned around by the server, those of the same second would
/// stand the wrong way.
async fn sort(connection: &mut Connection, query: &Query) -> Result<Vec<u32>, Error> {
    let command = Command::new("UID SORT").words("(ARRIVAL) UTF-8");
    let command = query.write(command, &connection.capabilities)?;
    lists::found(&connection.run(command).await?.aside)
}
