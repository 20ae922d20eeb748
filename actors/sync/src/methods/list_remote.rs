//! `mcp.sync.listRemote`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::LOOKS;
use crate::rclone::Unanswered;
use crate::refusal::{failed, rclone, refused};
use crate::service::Sync;
use crate::side::Side;

/// A remote may be on the other side of the world.
const ANSWER_WITHIN: Duration = Duration::from_secs(50);

/// Lists what is in a folder of a remote.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRemote {
    /// The folder: `remote:folder`, or `remote:` for all of it.
    path: String,
    /// How many entries at most.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 10_000))]
    limit: usize,
}

fn thousand() -> usize {
    1000
}

/// What is in it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listing {
    /// By name.
    entries: Vec<Entry>,
    /// How many there are in all.
    total: usize,
}

/// A file or a folder.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Entry {
    /// Its name.
    name: String,
    /// Whether it is a folder.
    is_dir: bool,
    /// Its length in bytes; null when the remote does not say.
    size: Option<u64>,
    /// When it was changed last (RFC 3339), as the remote says it.
    modified: String,
}

#[derive(Deserialize)]
struct Listed {
    list: Option<Vec<Item>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    name: String,
    size: i64,
    mod_time: String,
    is_dir: bool,
}

impl Method for ListRemote {
    const NAME: &'static str = "mcp.sync.listRemote";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;

    type Reply = Listing;
    type Service = Sync;

    async fn call(self, _: &Context, sync: &Sync) -> Result<Listing, Error> {
        let Side::Remote { name, path } = Side::parse("path", &self.path)? else {
            return Err(refused("not_a_remote", "A path of the virtual root is listed by mcp.fs.list."));
        };
        let asked = sync.clone();
        let checked = name.clone();
        let check = move || {
            asked.remotes().and_then(|remotes| asked.check_remote(&remotes, &checked).map(|()| remotes))
        };
        let remotes = tokio::task::spawn_blocking(check).await.map_err(Error::internal)??;
        let lease = sync.keeper().lease().await?;
        let params = json!({ "fs": format!("{name}:{path}"), "remote": "", "opt": { "noMimeType": true } });
        let listed = lease.client.ask::<Listed>("operations/list", &params, ANSWER_WITHIN).await;
        let listed = listed.map_err(|error| match error {
            Unanswered::Refused(404, _) => {
                failed("not_found", format!("There is no folder '{path}' on '{name}'."))
            }
            Unanswered::Refused(_, why) => {
                failed("remote", format!("'{name}' cannot be listed: {}", remotes.redact(&why)))
            }
            Unanswered::Late => {
                failed("late", format!("'{name}' did not answer within {} s.", ANSWER_WITHIN.as_secs()))
            }
            Unanswered::Gone(why) => rclone("gone", "rclone ended meanwhile; try again.").with_detail(why),
        })?;
        let mut entries: Vec<Entry> = listed
            .list
            .into_iter()
            .flatten()
            .map(|item| Entry {
                name: item.name,
                is_dir: item.is_dir,
                size: u64::try_from(item.size).ok().filter(|_| !item.is_dir),
                modified: item.mod_time,
            })
            .collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let total = entries.len();
        entries.truncate(self.limit);
        Ok(Listing { entries, total })
    }
}
