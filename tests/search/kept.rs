//! A folder of files, and the process that keeps them in an index.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use harness::PATIENCE;
use tempfile::TempDir;

pub(crate) struct Kept {
    dir: TempDir,
    /// Where the index is, if not beside the files.
    state: Option<PathBuf>,
}

/// A running keeper; killed when it is dropped.
pub(crate) struct Keeper {
    child: Child,
    to: ChildStdin,
    lines: Receiver<String>,
}

/// What a keeper says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) files: usize,
    pub(crate) skipped: usize,
    pub(crate) texts: usize,
    pub(crate) vectors: usize,
    /// Files that were read since it was started.
    pub(crate) read: usize,
    pub(crate) behind: String,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("files")).expect("a folder");
        fs::create_dir_all(dir.path().join("state")).expect("a folder");
        Self { dir, state: None }
    }

    pub(crate) fn with_state(state: &Path) -> Self {
        Self { state: Some(state.to_owned()), ..Self::new() }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.state.clone().unwrap_or_else(|| self.dir.path().join("state"))
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    pub(crate) fn file(&self, path: &str, text: impl AsRef<[u8]>) {
        let host = self.files().join(path);
        fs::create_dir_all(host.parent().expect("below the files")).expect("a folder");
        fs::write(host, text).expect("there is room");
    }

    pub(crate) fn start(&self) -> Keeper {
        let mut child = Command::new(env!("CARGO_BIN_EXE_search-keeper"))
            .args([self.state(), self.files()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it is built");
        let (to, from) = (child.stdin.take().expect("asked for"), child.stdout.take().expect("asked for"));
        let (line, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(from).lines().map_while(Result::ok).try_for_each(|read| line.send(read))
        });
        Keeper { child, to, lines }
    }

    /// Starts it, and waits until it is current.
    pub(crate) fn current(&self) -> Keeper {
        let mut keeper = self.start();
        keeper.get_current();
        keeper
    }

    /// The last lines of the texts that vectors were made of, in order.
    pub(crate) fn embedded(&self) -> Vec<String> {
        let log = fs::read_to_string(self.state().join("embedded")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// The last lines of the texts whose vectors are committed. Nobody may be keeping them.
    pub(crate) fn committed(&self) -> BTreeSet<String> {
        let db = rusqlite::Connection::open(self.state().join("llmbasedos.db")).expect("it opens");
        let query = "SELECT t.text FROM index_vectors v JOIN index_texts t ON t.id = v.text";
        // It was killed before there was a table.
        let Ok(mut rows) = db.prepare(query) else { return BTreeSet::new() };
        let rows = rows.query_map([], |row| row.get::<_, String>(0)).expect("it reads");
        rows.map(|text| text.expect("a text").lines().last().unwrap_or_default().to_owned()).collect()
    }
}

impl Keeper {
    pub(crate) fn get_current(&mut self) {
        assert_eq!(self.ask("current"), "current");
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.to, "{line}").expect("it listens");
        self.lines.recv_timeout(PATIENCE * 10).expect("it says something")
    }

    /// The paths that it finds.
    pub(crate) fn find(&mut self, mode: &str, words: &str) -> Vec<String> {
        self.ask(&format!("{mode} {words}")).split_whitespace().map(str::to_owned).collect()
    }

    pub(crate) fn status(&mut self) -> Status {
        let line = self.ask("status");
        let (numbers, behind) = line.split_once(" | ").expect("a status");
        let numbers: Vec<usize> =
            numbers.split(' ').map(|number| number.parse().expect("a number")).collect();
        let [files, skipped, texts, vectors, read] = numbers[..] else { panic!("{line}") };
        Status { files, skipped, texts, vectors, read, behind: behind.to_owned() }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
