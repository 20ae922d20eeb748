//! What changes nothing and may be asked again: once more, on a new connection, where an old one turns out to be dead.

use std::future::Future;

use crate::account::Account;
use crate::connection::{Access, Connection, Mailbox, News};
use crate::error::Error;

/// A question to a server.
pub(crate) trait Question: Sync {
    type Answer: Send;

    fn ask(&self, connection: &mut Connection) -> impl Future<Output = Result<Self::Answer, Error>> + Send;
}

/// A question to a folder that is open to be looked at.
pub(crate) trait FolderQuestion: Sync {
    type Answer: Send;

    fn ask(
        &self,
        connection: &mut Connection,
        mailbox: Mailbox,
    ) -> impl Future<Output = Result<Self::Answer, Error>> + Send;
}

/// A question to a folder, with what must be open before it is asked.
struct Into<'a, Q> {
    folder: &'a str,
    wire: String,
    expected: Option<u32>,
    news: News,
    question: &'a Q,
}

impl<Q: FolderQuestion> Question for Into<'_, Q> {
    type Answer = Q::Answer;

    async fn ask(&self, connection: &mut Connection) -> Result<Q::Answer, Error> {
        let opened =
            connection.select(self.folder, &self.wire, Access::Examine, self.expected, self.news).await?;
        self.question.ask(connection, opened).await
    }
}

impl Account {
    /// Asks a question.
    pub(crate) async fn look<Q: Question>(&self, question: &Q) -> Result<Q::Answer, Error> {
        let mut lease = self.lease().await?;
        match question.ask(lease.connection()).await {
            Err(error) if error.is_lost() && lease.reused => {
                lease.renew().await?;
                question.ask(lease.connection()).await
            }
            answer => answer,
        }
    }

    /// Asks a question of a folder; `expected` is the UIDVALIDITY that the caller has seen.
    pub(crate) async fn look_into<Q: FolderQuestion>(
        &self,
        folder: &str,
        expected: Option<u32>,
        news: News,
        question: &Q,
    ) -> Result<Q::Answer, Error> {
        self.look(&Into { folder, wire: self.wire_name(folder), expected, news, question }).await
    }
}
