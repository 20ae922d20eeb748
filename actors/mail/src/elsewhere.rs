//! Messages that are elsewhere afterwards: moved, copied or thrown away.

use imap::Transferred;
use schemars::JsonSchema;
use serde::Serialize;

/// Where messages are now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Elsewhere {
    /// The folder that they are in.
    folder: String,
    /// What UIDs mean there; null when the server does not say.
    uid_validity: Option<u32>,
    /// The UID of each there; empty when the server does not say.
    uids: Vec<Pair>,
    /// Whether they are still here too, marked as deleted, because the server cannot remove single messages.
    left_behind: bool,
}

/// A message's UIDs.
#[derive(Debug, Serialize, JsonSchema)]
struct Pair {
    /// Where it was.
    from: u32,
    /// Where it is.
    to: u32,
}

impl From<Transferred> for Elsewhere {
    fn from(done: Transferred) -> Self {
        let Transferred { folder, uid_validity, uids, left_behind } = done;
        let uids = uids.into_iter().map(|(from, to)| Pair { from, to }).collect();
        Self { folder, uid_validity, uids, left_behind }
    }
}
