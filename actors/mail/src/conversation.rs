//! What belongs together in a folder, by what each message says that it answers.

use imap::{Page, Query};
use mime::{Threaded, thread};
use protocol::Error;

use crate::account::Asked;
use crate::fetching::one;
use crate::listing::{Row, rows};

/// Ids of a conversation that the server is asked for: the first of them names all of it.
const IDS_MAX: usize = 24;

/// A conversation, as far as it is in one folder.
pub(crate) struct Conversation {
    /// What it is about, without `Re:` and the like.
    pub(crate) subject: String,
    /// How many messages above it each answers, and the message: each behind the one that it answers.
    pub(crate) members: Vec<(usize, Row)>,
    /// What the UIDs mean.
    pub(crate) uid_validity: u32,
}

impl Conversation {
    /// The one that a message belongs to.
    pub(crate) async fn of(
        asked: &Asked,
        folder: &str,
        uid_validity: Option<u32>,
        uid: u32,
    ) -> Result<Self, Error> {
        let (summary, validity) = one(asked, folder, uid_validity, uid).await?;
        let (_, envelope) = Row::of(&summary);
        let ids = envelope.ancestors().iter().take(IDS_MAX).chain(&envelope.message_id);
        let header = |name: &str, id: &String| Query::Header(name.to_owned(), id.clone());
        let members =
            ids.flat_map(|id| ["Message-ID", "References", "In-Reply-To"].map(|name| header(name, id)));
        let query = Query::Or(members.chain([Query::Uids(uid, uid)]).collect());
        let page = Page { offset: 0, limit: imap::SUMMARIES_MAX };
        let found = asked.account.search(folder, Some(validity), &query, page).await;
        let found = found.map_err(|error| asked.fault(&error))?;
        let read = rows(asked, folder, Some(validity), &found.uids).await?;
        let threaded: Vec<Threaded<'_>> = read.rows.iter().map(|(_, envelope)| threaded(envelope)).collect();
        let threads = thread(&threaded);
        let here = read.rows.iter().position(|(row, _)| row.uid == uid);
        let has_it = |thread: &&mime::Thread| thread.messages.iter().any(|link| Some(link.index) == here);
        let Some(conversation) = threads.iter().find(has_it) else {
            return Err(asked.fault(&imap::Error::NoSuchMessage { folder: folder.to_owned(), uid }));
        };
        let mut rows: Vec<Option<Row>> = read.rows.into_iter().map(|(row, _)| Some(row)).collect();
        let members = conversation
            .messages
            .iter()
            .filter_map(|link| Some((link.depth, rows.get_mut(link.index)?.take()?)))
            .collect();
        Ok(Self { members, subject: conversation.subject.clone(), uid_validity: validity })
    }
}

fn threaded(envelope: &mime::Envelope) -> Threaded<'_> {
    Threaded {
        message_id: envelope.message_id.as_deref(),
        references: envelope.ancestors(),
        subject: envelope.subject.as_deref().unwrap_or_default(),
        at: envelope.date.map_or(0, |date| date.at.as_second()),
    }
}
