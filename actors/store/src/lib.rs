//! The one SQLite file under the state directory, and the only way to it.
//!
//! Acknowledged means committed: [`Store::write`] returns after the commit that holds the change. There is one
//! writer, a thread that takes everything waiting into one transaction, because a durable commit costs
//! milliseconds and a row microseconds. Readers have connections of their own (WAL), so they never wait for it.
//! Two processes may have the file open at once: a daemon, and a command line or an embedded instance.

mod error;
mod migrate;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use error::StoreError;
pub use rusqlite;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

pub use crate::writer::Outlasts;
use crate::writer::Writer;

/// Idle readers kept open; more than this at once are opened and closed as needed.
const READERS_KEPT: usize = 4;

/// How long to wait for another process's transaction.
const BUSY: Duration = Duration::from_secs(5);

/// A cheap, cloneable handle to the open file. The writer stops, all work done, when the last one is dropped.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens (or makes) `state_dir/llmbasedos.db` and brings its tables up to date.
    ///
    /// # Errors
    /// When the directory cannot be written, the file is damaged, or a newer version has written it.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        let path = state_dir.join("llmbasedos.db");
        let failed = |source| StoreError::Open { path: path.clone(), source };
        let mut connection = Connection::open(&path).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        migrate::run(&mut connection, &path)?;
        let writer = Writer::start(connection);
        Ok(Self { shared: Arc::new(Shared { path, writer, readers: Mutex::new(Vec::new()) }) })
    }

    /// Runs `change` on the writer and returns its value once it is committed. A `change` that fails is rolled
    /// back alone; the others of its batch stand.
    pub async fn write<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.write_to(Outlasts::PowerCut, change).await
    }

    /// As [`Store::write`], and says what the change must outlast.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_to<T, F>(&self, outlasts: Outlasts, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.submit(outlasts, change, move |outcome| {
            let _ = answer.send(outcome);
        })?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// As [`Store::write_to`] for who does not wait: `told` is called on the writer once it is committed, or failed.
    ///
    /// # Errors
    /// When the change cannot even be queued.
    pub fn submit<T, F, G>(&self, outlasts: Outlasts, change: F, told: G) -> Result<(), StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        G: FnOnce(Result<T, StoreError>) + Send + 'static,
    {
        self.shared.writer.submit(outlasts, change, told)
    }

    /// As [`Store::write`], for threads that may block: the command line, tests, start-up.
    pub fn write_blocking<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.submit(Outlasts::PowerCut, change, move |outcome| {
            let _ = answer.send(outcome);
        })?;
        answered.recv().map_err(|_| StoreError::Closed)?
    }

    /// Runs a query on a connection that cannot write. Blocks on the disk: call it where that is allowed.
    pub fn read_blocking<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let kept = self.shared.readers.lock().map_err(|_| StoreError::Closed)?.pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.reader()?,
        };
        let outcome = query(&connection).map_err(StoreError::Query);
        if let Ok(mut readers) = self.shared.readers.lock()
            && readers.len() < READERS_KEPT
        {
            readers.push(connection);
        }
        outcome
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |source| StoreError::Open { path: self.shared.path.clone(), source };
        let connection = Connection::open_with_flags(&self.shared.path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        Ok(connection)
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL, not NORMAL: a commit that was acknowledged survives a power cut, unless its change asks for less.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // 1 MiB of page cache instead of 2: the idle daemon stays small.
    connection.pragma_update(None, "cache_size", -1024)
}

#[cfg(test)]
mod tests;
