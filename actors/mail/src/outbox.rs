//! What was asked to be sent, and what became of it: written down before a server hears of it and after each step.
//!
//! ```text
//! waiting -> handing_over -> sent | not_sent | unknown
//! ```
//!
//! Nothing is sent that nobody waits for. A message that was `waiting` when its process died was not sent, and is sent
//! when it is asked for again; one that was `handing_over` may have been, so it is `unknown` for ever: sending it again
//! is a person's decision.

mod process;
mod record;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use imap::Appended;
use jiff::Timestamp;
use store::rusqlite::{self, Connection, OptionalExtension as _, params};
use store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

pub(crate) use record::{CopyAt, Outcome, Recipient, Record, State};

/// A message without a key of its caller's is taken for the same as one that was asked for within this time.
const SAME_WITHIN: Duration = Duration::from_hours(24);
/// What is finished is forgotten after this, and with it its key.
const KEPT: Duration = Duration::from_hours(24 * 90);

/// Everybody's messages. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbox {
    store: Store,
    work: Arc<Work>,
}

/// What this process works on.
struct Work {
    /// This process.
    process: String,
    /// Messages that are being sent.
    ids: Mutex<HashSet<i64>>,
    /// Raised when one of them is done, or filed.
    done: Notify,
}

/// A message that is being sent by whoever has this. Its drop says that nobody does any more.
pub(crate) struct Working {
    id: i64,
    work: Arc<Work>,
}

/// A message to be sent.
pub(crate) struct Entry {
    pub(crate) account: String,
    /// The caller's, if it has one.
    pub(crate) key: Option<String>,
    /// A hash of all that was asked.
    pub(crate) asked: [u8; 32],
    pub(crate) caller: String,
    pub(crate) message_id: String,
    pub(crate) subject: String,
    pub(crate) recipients: Vec<Recipient>,
    /// The message as the sender keeps it; none where no copy is kept.
    pub(crate) copy: Option<Vec<u8>>,
}

/// What to do about a message.
pub(crate) enum Begun {
    /// It is ours to send.
    New(Working),
    /// It was asked for before, and this is what became of it.
    Before(Record),
    /// It is being sent, by a process that lives.
    UnderWay,
    /// The key is another message's.
    Other,
}

impl Outbox {
    pub(crate) fn new(store: Store) -> Self {
        let work = Work { process: process::own(), ids: Mutex::default(), done: Notify::new() };
        Self { store, work: Arc::new(work) }
    }

    /// Writes a message down, or finds it.
    pub(crate) async fn begin(&self, entry: Arc<Entry>) -> Result<Begun, StoreError> {
        let work = Arc::clone(&self.work);
        self.store.write(move |db| begin(db, &entry, &work, Timestamp::now())).await
    }

    /// Resolves when something is done or filed, counted from this call.
    pub(crate) fn ended_one(&self) -> impl Future<Output = ()> + '_ {
        self.work.done.notified()
    }

    /// Waits until nothing is being sent, for so long at most.
    pub(crate) async fn idle(&self, within: Duration) {
        let until = Instant::now() + within;
        loop {
            let ended = self.ended_one();
            if self.work.ids().is_empty() || timeout_at(until, ended).await.is_err() {
                return;
            }
        }
    }

    /// From here on it may be sent, whatever happens to us.
    pub(crate) async fn handing_over(&self, id: i64, recipients: &[Recipient]) -> Result<(), StoreError> {
        self.change(id, State::HandingOver, recipients, None).await
    }

    /// It was sent, it was not, or nobody knows.
    pub(crate) async fn ended(
        &self,
        id: i64,
        state: State,
        recipients: &[Recipient],
        problem: Option<String>,
    ) -> Result<(), StoreError> {
        self.change(id, state, recipients, problem).await
    }

    async fn change(
        &self,
        id: i64,
        state: State,
        recipients: &[Recipient],
        problem: Option<String>,
    ) -> Result<(), StoreError> {
        let recipients = record::json(recipients);
        self.store
            .write(move |db| {
                let sql = "UPDATE mail_outbox SET state = ?2, recipients = ?3, problem = ?4 WHERE id = ?1";
                db.execute(sql, params![id, state.name(), recipients, problem]).map(drop)
            })
            .await
    }

    /// Its copy is in a folder; the bytes are kept no longer.
    pub(crate) async fn filed(&self, id: i64, folder: &str, put: Option<Appended>) -> Result<(), StoreError> {
        let at = CopyAt {
            folder: folder.to_owned(),
            uid: put.map(|put| put.uid),
            uid_validity: put.map(|put| put.uid_validity),
        };
        let at = record::json(&at);
        self.store
            .write(move |db| {
                let sql = "UPDATE mail_outbox SET copy = 'filed', copy_at = ?2, message = NULL WHERE id = ?1";
                db.execute(sql, params![id, at]).map(drop)
            })
            .await?;
        self.work.done.notify_waiters();
        Ok(())
    }

    /// No copy of it will be in a folder.
    pub(crate) async fn not_filed(&self, id: i64) -> Result<(), StoreError> {
        let sql = "UPDATE mail_outbox SET copy = 'none', message = NULL WHERE id = ?1";
        self.store.write(move |db| db.execute(sql, [id]).map(drop)).await?;
        self.work.done.notify_waiters();
        Ok(())
    }

    /// Settles what nobody works on any more: of this account, from before now. Also forgets what is old.
    pub(crate) async fn settle(&self, account: &str) -> Result<(), StoreError> {
        let (account, work) = (account.to_owned(), Arc::clone(&self.work));
        self.store.write(move |db| settle(db, &account, &work, Timestamp::now())).await
    }

    /// Messages of this account whose copy is still to be filed, the oldest first: id, Message-ID, bytes. A few at once:
    /// each may have megabytes.
    pub(crate) async fn to_file(&self, account: &str) -> Result<Vec<(i64, String, Vec<u8>)>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| {
            let sql = "SELECT id, message_id, message FROM mail_outbox
                       WHERE account = ?1 AND state = 'sent' AND copy = 'pending' AND message IS NOT NULL
                       ORDER BY id LIMIT 4";
            let mut rows = db.prepare_cached(sql)?;
            rows.query_map([account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
        .await
    }

    /// One message, once its copy is filed; or as it is, after so long.
    pub(crate) async fn record_when_filed(
        &self,
        id: i64,
        within: Duration,
    ) -> Result<Option<Record>, StoreError> {
        let until = Instant::now() + within;
        loop {
            let ended = self.ended_one();
            let record = self.record(id).await?;
            let waits =
                record.as_ref().is_some_and(|record| record.state == State::Sent && record.copy_pending);
            if !waits || timeout_at(until, ended).await.is_err() {
                return Ok(record);
            }
        }
    }

    /// One message.
    async fn record(&self, id: i64) -> Result<Option<Record>, StoreError> {
        self.read(move |db| record::select(db, "id = ?1", params![id], 1)).await.map(|mut found| found.pop())
    }

    /// The latest messages of an account, the newest first.
    pub(crate) async fn latest(&self, account: &str, most: usize) -> Result<Vec<Record>, StoreError> {
        let account = account.to_owned();
        self.read(move |db| record::select(db, "account = ?1", params![account], most)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || store.read_blocking(query))
            .await
            .map_err(|_| StoreError::Closed)?
    }
}

fn begin(db: &Connection, entry: &Entry, work: &Arc<Work>, now: Timestamp) -> rusqlite::Result<Begun> {
    let earlier = match &entry.key {
        Some(key) => db
            .query_row(
                "SELECT id, asked, process FROM mail_outbox WHERE account = ?1 AND key = ?2",
                params![entry.account, key],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, String>(2)?)),
            )
            .optional()?,
        None => db
            .query_row(
                "SELECT id, asked, process FROM mail_outbox
                 WHERE account = ?1 AND asked = ?2 AND key LIKE 'auto %' AND at_ms > ?3 ORDER BY id DESC LIMIT 1",
                params![entry.account, entry.asked, before(now, SAME_WITHIN)],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, String>(2)?)),
            )
            .optional()?,
    };
    let recipients = record::json(&entry.recipients);
    let copy = if entry.copy.is_some() { "pending" } else { "none" };
    let Some((id, asked, owner)) = earlier else {
        let key = entry.key.clone().unwrap_or_else(|| format!("auto {}", entry.message_id));
        db.execute(
            "INSERT INTO mail_outbox
             (account, key, asked, caller, message_id, subject, at_ms, state, recipients, copy, message, process)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8, ?9, ?10, ?11)",
            params![
                entry.account,
                key,
                entry.asked,
                entry.caller,
                entry.message_id,
                entry.subject,
                now.as_millisecond(),
                recipients,
                copy,
                entry.copy,
                work.process
            ],
        )?;
        return Ok(Begun::New(work.begin(db.last_insert_rowid())));
    };
    if asked != entry.asked {
        return Ok(Begun::Other);
    }
    let Some(before) = record::select(db, "id = ?1", params![id], 1)?.pop() else { return Ok(Begun::Other) };
    match before.state {
        State::Waiting | State::HandingOver if work.is_at(id, &owner) => Ok(Begun::UnderWay),
        // Whoever did that ended in the middle of it, and nobody has settled it yet.
        State::HandingOver => {
            settle_one(db, id)?;
            let settled = record::select(db, "id = ?1", params![id], 1)?.pop();
            Ok(settled.map_or(Begun::Other, Begun::Before))
        }
        State::Sent | State::Unknown => Ok(Begun::Before(before)),
        // Nobody has it, so that it is tried again: as a new message, written now.
        State::Waiting | State::NotSent => {
            db.execute(
                "UPDATE mail_outbox SET state = 'waiting', problem = NULL, caller = ?2, message_id = ?3, at_ms = ?4,
                 recipients = ?5, copy = ?6, message = ?7, process = ?8 WHERE id = ?1",
                params![
                    id,
                    entry.caller,
                    entry.message_id,
                    now.as_millisecond(),
                    recipients,
                    copy,
                    entry.copy,
                    work.process
                ],
            )?;
            Ok(Begun::New(work.begin(id)))
        }
    }
}

fn settle(db: &Connection, account: &str, work: &Work, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "SELECT id, process, state FROM mail_outbox WHERE account = ?1 AND state IN ('waiting', 'handing_over')";
    let open: Vec<(i64, String, String)> = db
        .prepare_cached(sql)?
        .query_map([account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (id, owner, state) in open {
        if work.is_at(id, &owner) {
            continue;
        }
        if state == State::HandingOver.name() {
            settle_one(db, id)?;
        } else {
            db.execute(
                "UPDATE mail_outbox SET state = 'not_sent', message = NULL, copy = 'none',
                 problem = 'llmbasedos ended before it was handed over' WHERE id = ?1",
                [id],
            )?;
        }
    }
    let old = "DELETE FROM mail_outbox WHERE account = ?1 AND at_ms < ?2
               AND NOT (state = 'sent' AND copy = 'pending')";
    db.execute(old, params![account, before(now, KEPT)]).map(drop)
}

/// One that was being handed over when its process ended.
fn settle_one(db: &Connection, id: i64) -> rusqlite::Result<()> {
    let Some(record) = record::select(db, "id = ?1", params![id], 1)?.pop() else { return Ok(()) };
    let mut recipients = record.recipients;
    for one in &mut recipients {
        one.doubt();
    }
    db.execute(
        "UPDATE mail_outbox SET state = 'unknown', recipients = ?2,
         problem = 'llmbasedos ended while it was handed over' WHERE id = ?1",
        params![id, record::json(&recipients)],
    )
    .map(drop)
}

// === impl Work, Working ===

impl Work {
    fn ids(&self) -> std::sync::MutexGuard<'_, HashSet<i64>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, id: i64) -> Working {
        self.ids().insert(id);
        Working { id, work: Arc::clone(self) }
    }

    /// Whether somebody sends this message that was `owner`'s.
    fn is_at(&self, id: i64, owner: &str) -> bool {
        if owner == self.process { self.ids().contains(&id) } else { process::is_alive(owner) }
    }
}

impl Working {
    pub(crate) const fn id(&self) -> i64 {
        self.id
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.work.ids().remove(&self.id);
        self.work.done.notify_waiters();
    }
}

fn before(now: Timestamp, by: Duration) -> i64 {
    now.as_millisecond() - i64::try_from(by.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
