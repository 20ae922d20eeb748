//! How far workflows have seen folders of mail.

use protocol::Error;
use serde::{Deserialize, Serialize};
use store::Outlasts;
use store::rusqlite::{OptionalExtension as _, params};

use super::Journal;
use super::runs::insert;
use crate::record::NewRun;

/// A folder that a workflow is started by.
#[derive(Clone, Debug)]
pub(crate) struct MailFolder {
    pub(crate) workflow: String,
    pub(crate) account: String,
    pub(crate) folder: String,
}

/// How far it has been seen.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) uid_validity: u32,
    /// The highest UID.
    pub(crate) uid: u32,
}

impl Journal {
    /// How far a folder has been seen, if it was ever looked at.
    pub(crate) async fn mail_seen(&self, folder: &MailFolder) -> Result<Option<Seen>, Error> {
        let MailFolder { workflow, account, folder } = folder.clone();
        self.read(move |db| {
            db.query_row(
                "SELECT uid_validity, uid FROM agent_mail WHERE workflow = ?1 AND account = ?2 AND folder = ?3",
                params![workflow, account, folder],
                |row| Ok(Seen { uid_validity: row.get(0)?, uid: row.get(1)? }),
            )
            .optional()
        })
        .await
    }

    /// A folder has been seen so far, and with it comes this run. Without `seen` it is looked at from its beginning next.
    pub(crate) async fn saw_mail(
        &self,
        folder: &MailFolder,
        seen: Option<Seen>,
        new: Option<NewRun>,
    ) -> Result<(), Error> {
        let MailFolder { workflow, account, folder } = folder.clone();
        self.write(Outlasts::PowerCut, move |db| {
            match seen {
                Some(Seen { uid_validity, uid }) => db.execute(
                    "INSERT OR REPLACE INTO agent_mail (workflow, account, folder, uid_validity, uid) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![workflow, account, folder, uid_validity, uid],
                )?,
                None => db.execute(
                    "DELETE FROM agent_mail WHERE workflow = ?1 AND account = ?2 AND folder = ?3",
                    params![workflow, account, folder],
                )?,
            };
            new.as_ref().map_or(Ok(()), |new| insert(db, new).map(drop))
        })
        .await
    }
}
