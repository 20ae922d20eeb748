//! `mcp.mail.watch`.

use std::time::Duration;

use imap::Change;
use protocol::{Context, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::keeper::Ask;
use crate::service::Mail;

/// Tells when something happens in a folder, as `mcp.progress` notifications `{"folder", "change"}` of this call, until it
/// is cancelled. Nothing is marked as read.
///
/// The first notification is `{"watching": folder}`: what happens after it is told. A change is `arrived` (with
/// `messages`, how many there are now), `removed`, `flags`, or `unknown` after the connection was lost for a time and
/// something may have happened. Up to eight folders of an account can be watched at once, by as many as like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watch {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    #[serde(default = "FolderName::inbox")]
    folder: FolderName,
    /// End after so many seconds; 0 is when the call is cancelled.
    #[serde(default)]
    #[schemars(range(min = 0, max = 86_400))]
    seconds: u64,
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
        context.progress(&json!({ "watching": folder }));
        let mut told = 0;
        let telling = async {
            while let Some(change) = watching.next().await {
                if let Some(news) = news(&folder, &change) {
                    context.progress(&news);
                    told += 1;
                }
            }
        };
        let lost = if self.seconds == 0 {
            telling.await;
            true
        } else {
            // The time being over is how it is meant to end.
            tokio::time::timeout(Duration::from_secs(self.seconds), telling).await.is_ok()
        };
        // The account is no more, or another one: who wants to know more asks again.
        if lost { Err(Error::unavailable("mail")) } else { Ok(Ended { told }) }
    }
}

fn news(folder: &str, change: &Change) -> Option<Value> {
    Some(match change {
        Change::Arrived { messages } => {
            json!({ "folder": folder, "change": "arrived", "messages": messages })
        }
        Change::Removed => json!({ "folder": folder, "change": "removed" }),
        Change::Flags => json!({ "folder": folder, "change": "flags" }),
        Change::Watching { missed: true, .. } => json!({ "folder": folder, "change": "unknown" }),
        Change::Watching { .. } | Change::Lost(_) => return None,
    })
}
