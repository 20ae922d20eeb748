//! `mcp.mail.watch`.

use std::time::Duration;

use imap::{Change, Seen};
use protocol::{Context, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::oneshot;

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::keeper::Ask;
use crate::service::Mail;
use crate::watching::Watching;

/// UIDs in one notification.
const UIDS_MAX: usize = 100;

/// Tells when something happens in a folder, as `mcp.progress` notifications `{"folder", "change"}` of this call, until it
/// is cancelled. Nothing is marked as read.
///
/// The first notification is `{"watching", "uid_validity", "uid"}`: the folder, and the highest UID that it has; what
/// happens after it is told. A change is `arrived` (with `messages`, how many there are now, `uids`, up to a hundred that
/// came, the oldest first, and `after`, the UID that they came after), `removed`, `flags`, or `unknown` after the
/// connection was lost for a time and something may have happened. With `since`, what arrived after that message and
/// before this call is told first, so that nothing is missed between two calls. Up to eight folders of an account can be
/// watched at once, by as many as like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watch {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    #[serde(default = "FolderName::inbox")]
    folder: FolderName,
    /// The last message that was seen; refused when the folder's UIDs no longer mean the same messages.
    #[serde(default)]
    since: Option<Since>,
    /// End after so many seconds; 0 is when the call is cancelled.
    #[serde(default)]
    #[schemars(range(min = 0, max = 86_400))]
    seconds: u64,
}

/// How far a folder was seen.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Since {
    /// The folder's `uid_validity` of an earlier answer.
    uid_validity: u32,
    /// The highest UID that was seen.
    uid: u32,
}

/// What there was to tell until the time was over.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ended {
    /// How many changes were told.
    told: u64,
}

impl Method for Watch {
    const NAME: &'static str = "mcp.mail.watch";
    const TIER: Tier = Tier::Pro;
    const TOOL: bool = false;
    const EFFECT: protocol::Effect = LOOKS;
    const RUN: Run = Run::Task;
    /// A watcher watches for as long as it likes: its connection's end, or a cancel, ends it.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 365));

    type Reply = Ended;
    type Service = Mail;

    async fn call(self, context: &Context, mail: &Mail) -> Result<Ended, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let folder = self.folder.0;
        let (reply, answer) = oneshot::channel();
        asked
            .keeper()
            .await
            .cast(Ask::Watch(folder.clone(), reply))
            .map_err(|_| Error::unavailable("mail"))?;
        let watching = answer.await.map_err(|_| Error::unavailable("mail"))?;
        let mut watching = watching.map_err(|error| asked.fault(&error))?;
        watching.begun().await.map_err(|error| asked.fault(&error))?;
        let mut teller = Teller { context, asked: &asked, folder: &folder, told: 0 };
        let telling = teller.tell(&mut watching, self.since);
        let ended = if self.seconds == 0 {
            Some(telling.await)
        } else {
            // The time being over is how it is meant to end.
            tokio::time::timeout(Duration::from_secs(self.seconds), telling).await.ok()
        };
        match ended {
            None => Ok(Ended { told: teller.told }),
            Some(Err(error)) => Err(asked.fault(&error)),
            // The account is no more, or another one: who wants to know more asks again.
            Some(Ok(())) => Err(Error::unavailable("mail")),
        }
    }
}

/// Tells one caller what happens.
struct Teller<'a> {
    context: &'a Context,
    asked: &'a Asked,
    folder: &'a str,
    told: u64,
}

impl Teller<'_> {
    /// Tells until there will be no more news.
    async fn tell(&mut self, watching: &mut Watching, since: Option<Since>) -> Result<(), imap::Error> {
        let since = since.map(|Since { uid_validity, uid }| Seen { uid_validity, uid });
        // What came before and what comes from now on: it is being watched already.
        let arrivals = self.asked.account.arrivals(self.folder, since).await?;
        let mut seen = since.unwrap_or(arrivals.seen);
        self.context.progress(
            &json!({ "watching": self.folder, "uid_validity": seen.uid_validity, "uid": arrivals.seen.uid }),
        );
        self.arrived(&mut seen, &arrivals);
        while let Some(change) = watching.next().await {
            if let Change::Arrived { .. } | Change::Watching { .. } = change
                && let Err(error) = self.look(&mut seen).await
            {
                // As if the account were gone: whoever asks again, with `since`, misses nothing.
                tracing::debug!(folder = self.folder, %error, "what arrived cannot be looked for");
                break;
            }
            match change {
                Change::Watching { missed: true, .. } => self.change("unknown"),
                Change::Removed => self.change("removed"),
                Change::Flags => self.change("flags"),
                Change::Arrived { .. } | Change::Watching { .. } | Change::Lost(_) => {}
            }
        }
        Ok(())
    }

    /// Looks for what arrived.
    async fn look(&mut self, seen: &mut Seen) -> Result<(), imap::Error> {
        let arrivals = self.asked.account.arrivals(self.folder, Some(*seen)).await?;
        self.arrived(seen, &arrivals);
        Ok(())
    }

    fn arrived(&mut self, seen: &mut Seen, arrivals: &imap::Arrivals) {
        for some in arrivals.uids.chunks(UIDS_MAX) {
            let told = json!({
                "folder": self.folder, "change": "arrived", "messages": arrivals.messages,
                "uid_validity": seen.uid_validity, "after": seen.uid, "uids": some,
            });
            self.context.progress(&told);
            self.told += 1;
            seen.uid = some.last().copied().unwrap_or(seen.uid);
        }
    }

    fn change(&mut self, what: &str) {
        self.context.progress(&json!({ "folder": self.folder, "change": what }));
        self.told += 1;
    }
}
