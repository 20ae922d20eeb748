//! `mcp.fs.trash`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{Kind, iso};
use crate::cursor;
use crate::fault::Fault;
use crate::service::Fs;

/// Lists what was deleted and can be brought back with `mcp.fs.restore`, newest first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trash {
    /// How many items one answer has at most; 0 is as many as the server allows.
    #[serde(default)]
    limit: usize,
    /// `next_cursor` of the answer before.
    #[serde(default)]
    cursor: Option<String>,
}

/// What is in the trash.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Trashed {
    /// The items, newest first.
    items: Vec<Item>,
    /// Give this as `cursor` to get older ones; null when there are none.
    next_cursor: Option<String>,
}

/// Something that was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Item {
    /// What `mcp.fs.restore` takes.
    trash_id: String,
    /// Where it was.
    path: String,
    /// What it is.
    r#type: Kind,
    /// Size in bytes; -1 for directories.
    size: i64,
    /// When it was deleted, ISO 8601 in UTC.
    deleted_at: String,
}

impl Method for Trash {
    const NAME: &'static str = "mcp.fs.trash";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Trashed;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Trashed, Error> {
        Ok(self.list(context, fs)?)
    }
}

// === impl Trash ===

impl Trash {
    fn list(self, context: &Context, fs: &Fs) -> Result<Trashed, Fault> {
        let after: Option<String> = cursor::read(self.cursor.as_deref())?;
        let allowed = fs.limits().entries;
        let limit = if self.limit == 0 { allowed } else { self.limit.min(allowed) };
        let mut ids = Vec::new();
        for (root, trash) in fs.trashes(context)? {
            let all = trash.ids(&context.cancel)?.into_iter();
            let older = all.filter(|id| after.as_ref().is_none_or(|after| id < after));
            ids.push((root, trash, older.collect::<Vec<_>>()));
        }
        // Ids begin with the time, so the newest of all roots is the greatest of all ids.
        let mut newest: Vec<(&str, usize)> = Vec::new();
        for (index, (_, _, own)) in ids.iter().enumerate() {
            newest.extend(own.iter().map(|id| (id.as_str(), index)));
        }
        newest.sort_unstable_by(|one, other| other.cmp(one));
        let mut items = Vec::new();
        let mut next_cursor = None;
        for (id, index) in newest {
            Fault::unless_cancelled(&context.cancel)?;
            if items.len() == limit {
                next_cursor = items.last().map(|item: &Item| cursor::write(&item.trash_id));
                break;
            }
            let (root, trash, _) = &ids[index];
            let note = trash.note(id);
            if let Some((note, path)) = note.and_then(|note| note.path(root).map(|path| (note, path))) {
                items.push(Item {
                    trash_id: note.id,
                    path: path.to_string(),
                    r#type: note.kind,
                    size: note.size,
                    deleted_at: iso(note.deleted_at),
                });
            }
        }
        Ok(Trashed { items, next_cursor })
    }
}
