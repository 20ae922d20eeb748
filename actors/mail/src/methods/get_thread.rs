//! `mcp.mail.getThread`.

use imap::{Page, Query};
use mime::{Threaded, thread};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::fetching::one;
use crate::listing::{Row, rows};
use crate::service::Mail;
use crate::untrusted;

/// Ids of a conversation that the server is asked for: the first of them names all of it.
const IDS_MAX: usize = 24;

/// Lists the conversation that a message belongs to, as far as it is in the same folder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetThread {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    folder: FolderName,
    /// The UID of one of its messages.
    uid: u32,
    /// The folder's `uid_validity` of an earlier answer.
    #[serde(default)]
    uid_validity: Option<u32>,
}

/// A conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Conversation {
    /// What it is about, without `Re:` and the like.
    subject: String,
    /// Its messages, each behind the one that it answers.
    messages: Vec<Member>,
    /// What the UIDs mean.
    uid_validity: u32,
    /// Whose words these are.
    untrusted: &'static str,
}

/// A message in its conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Member {
    /// How many messages above it it answers; 0 for the first.
    depth: usize,
    /// The message.
    message: Row,
}

impl Method for GetThread {
    const NAME: &'static str = "mcp.mail.getThread";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;

    type Reply = Conversation;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Conversation, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let folder = &self.folder.0;
        let (summary, validity) = one(&asked, folder, self.uid_validity, self.uid).await?;
        let (_, envelope) = Row::of(&summary);
        let ids = envelope.ancestors().iter().take(IDS_MAX).chain(&envelope.message_id);
        let header = |name: &str, id: &String| Query::Header(name.to_owned(), id.clone());
        let members =
            ids.flat_map(|id| ["Message-ID", "References", "In-Reply-To"].map(|name| header(name, id)));
        let query = Query::Or(members.chain([Query::Uids(self.uid, self.uid)]).collect());
        let page = Page { offset: 0, limit: imap::SUMMARIES_MAX };
        let found = asked.account.search(folder, Some(validity), &query, page).await;
        let found = found.map_err(|error| asked.fault(&error))?;
        let read = rows(&asked, folder, Some(validity), &found.uids).await?;
        let threaded: Vec<Threaded<'_>> = read.rows.iter().map(|(_, envelope)| threaded(envelope)).collect();
        let threads = thread(&threaded);
        let here = read.rows.iter().position(|(row, _)| row.uid == self.uid);
        let has_it = |thread: &&mime::Thread| thread.messages.iter().any(|link| Some(link.index) == here);
        let Some(conversation) = threads.iter().find(has_it) else {
            return Err(asked.fault(&imap::Error::NoSuchMessage { folder: folder.clone(), uid: self.uid }));
        };
        let mut rows: Vec<Option<Row>> = read.rows.into_iter().map(|(row, _)| Some(row)).collect();
        let members = conversation.messages.iter().filter_map(|link| {
            Some(Member { depth: link.depth, message: rows.get_mut(link.index)?.take()? })
        });
        Ok(Conversation {
            messages: members.collect(),
            subject: conversation.subject.clone(),
            uid_validity: validity,
            untrusted: untrusted::NOTE,
        })
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
