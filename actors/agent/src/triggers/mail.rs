//! `on: mail`. How far a folder has been seen is committed together with the run that sees further, so that each message
//! begins one run, be it that it came while nothing ran.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use protocol::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use workflow::model::MailArrives;

use super::new_run;
use super::watch::Watch;
use crate::journal::{MailFolder, Seen};
use crate::library::Known;
use crate::service::{Agent, ticket};

/// What comes within so long of each other is one run.
const TOGETHER: Duration = Duration::from_millis(200);

/// How long a run waits for more at most, whatever happens in the folder meanwhile.
const TOGETHER_MAX: Duration = Duration::from_secs(5);

/// Messages that one run is told of; more are more runs.
const MESSAGES_MAX: usize = 100;

/// What arrived, as `mcp.mail.watch` tells it.
#[derive(Deserialize)]
struct Arrived {
    uid_validity: u32,
    after: u32,
    uids: Vec<u32>,
}

/// Begins a run for what arrives.
pub(super) async fn watch(agent: &Agent, known: &Known, mail: &MailArrives) -> Result<Infallible, Error> {
    let folder = MailFolder {
        workflow: known.workflow.id.clone(),
        account: mail.account.clone(),
        folder: mail.folder.clone().unwrap_or_else(|| "INBOX".to_owned()),
    };
    let since = agent.journal().mail_seen(&folder).await?;
    let params = json!({ "account_id": folder.account, "folder": folder.folder, "since": since });
    let mut watch = Watch::begin(agent, "mcp.mail.watch", &params).await?;
    let begun = watch.next().await;
    if let Err(error) = &begun
        && is_stale(error)
    {
        tracing::warn!(
            workflow = folder.workflow,
            account = folder.account,
            folder = folder.folder,
            "the mail server has numbered the folder anew: what arrived meanwhile is not known"
        );
        let cause = json!({ "by": "mail", "account": folder.account, "folder": folder.folder, "changes":
            [{ "folder": folder.folder, "change": "unknown" }] });
        make(agent, known, &watch, cause, &folder, None).await?;
    }
    let begun = begun?;
    let mut seen = if let Some(seen) = since {
        seen
    } else {
        // From here on.
        let seen: Seen = serde_json::from_value(begun).map_err(Error::internal)?;
        agent.journal().saw_mail(&folder, Some(seen), None).await?;
        seen
    };
    loop {
        let Some(first) = arrived(&watch.next().await?) else { continue };
        let mut uids = further(&mut seen, first)?;
        let until = Instant::now() + TOGETHER_MAX;
        while uids.len() < MESSAGES_MAX
            && Instant::now() < until
            && let Some(told) = watch.within(TOGETHER).await
        {
            if let Some(more) = arrived(&told) {
                uids.extend(further(&mut seen, more)?);
            }
        }
        let change = json!({ "folder": folder.folder, "change": "arrived", "uids": uids });
        let cause = json!({ "by": "mail", "account": folder.account, "folder": folder.folder,
            "uid_validity": seen.uid_validity, "uids": uids, "changes": [change] });
        make(agent, known, &watch, cause, &folder, Some(seen)).await?;
    }
}

/// The folder is no longer what the UIDs were of.
fn is_stale(error: &Error) -> bool {
    error.data.as_ref().is_some_and(|data| data["kind"] == "stale")
}

fn arrived(told: &Value) -> Option<Arrived> {
    (told["change"] == "arrived").then(|| Arrived::deserialize(told).ok())?
}

/// Sees further by what arrived. News can be lost on their way here: then the watch is begun anew, where it was left.
fn further(seen: &mut Seen, arrived: Arrived) -> Result<Vec<u32>, Error> {
    let last = arrived.uids.last().copied();
    if (arrived.uid_validity, arrived.after) != (seen.uid_validity, seen.uid) {
        return Err(Error::internal("some news of the folder were lost"));
    }
    seen.uid = last.unwrap_or(seen.uid);
    Ok(arrived.uids)
}

/// Makes a run, and sees so far with it.
async fn make(
    agent: &Agent,
    known: &Known,
    watch: &Watch,
    cause: Value,
    folder: &MailFolder,
    seen: Option<Seen>,
) -> Result<(), Error> {
    let new = new_run(known, &watch.caller, cause)?;
    let begin = new.as_ref().map(ticket);
    agent.journal().saw_mail(folder, seen, new).await?;
    if let Some(begin) = begin {
        agent.clerk().begin(begin);
    }
    Ok(())
}
