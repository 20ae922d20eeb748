//! Copies of what was sent, put into the folder for that. Each is looked for first, so that there is one of it, however
//! often this is interrupted.

use bytes::Bytes;
use imap::{Appended, Flag, Page, Query, Role};

use crate::outbox::Outbox;
use crate::post::Post;

/// Files all that wait for it. An error, for the log, where that is not possible now.
pub(crate) async fn file(post: &Post, outbox: &Outbox) -> Result<(), String> {
    loop {
        let waiting = outbox.to_file(post.id()).await.map_err(|error| error.to_string())?;
        if waiting.is_empty() {
            return Ok(());
        }
        let Some(folder) = folder(post).await.map_err(|error| error.to_string())? else {
            tracing::warn!(
                account = post.id(),
                "no copy of what was sent is kept: there is no folder for it; make one called Sent, or set sent_folder"
            );
            for (id, ..) in waiting {
                outbox.not_filed(id).await.map_err(|error| error.to_string())?;
            }
            continue;
        };
        for (id, message_id, message) in waiting {
            let put = put(post, &folder, &message_id, message).await.map_err(|error| error.to_string())?;
            outbox.filed(id, &folder, put).await.map_err(|error| error.to_string())?;
        }
    }
}

async fn folder(post: &Post) -> Result<Option<String>, imap::Error> {
    let settings = post.settings();
    if settings.sent_folder.is_empty() {
        return post.account().folder_of(Role::Sent).await;
    }
    Ok(Some(settings.sent_folder.clone()))
}

/// Puts one there, unless it is there: an answer may have been lost, and some servers keep a copy themselves.
async fn put(
    post: &Post,
    folder: &str,
    message_id: &str,
    message: Vec<u8>,
) -> Result<Option<Appended>, imap::Error> {
    let account = post.account();
    let query = Query::Header("Message-ID".to_owned(), message_id.to_owned());
    let found = account.search(folder, None, &query, Page { offset: 0, limit: 1 }).await?;
    if let Some(uid) = found.uids.first() {
        return Ok(Some(Appended { uid_validity: found.uid_validity, uid: *uid }));
    }
    account.append(folder, &[Flag::Seen], None, Bytes::from(message)).await
}
