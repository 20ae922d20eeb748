//! Reading in a process of its own, from the daemon's side: started for the first file, kept for the next ones, killed
//! when it fails, hangs or is not wanted.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use subprocess::{Child, Ended, frame};

use crate::document::{Ask, Content, Document, Piece, ReadError, Reader};
use crate::local::most;
use crate::message::{Answer, Done, End, PART_BYTES};

/// How long the process may be silent: what it gives a document, and as much again for a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_mins(2);

/// Packed parts of documents are given back to the kernel when they are done with.
const VARIABLES: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// What a file is called whose reader ended over it.
const FAILED: &str = "damaged: its reader failed on it";

/// The program that [`serve`](crate::serve())s, one process at a time.
pub struct Remote {
    path: PathBuf,
    arguments: Vec<OsString>,
    running: Mutex<Option<Child>>,
}

impl Remote {
    /// A reader that is started when it is asked.
    pub fn new(path: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { path, arguments, running: Mutex::default() }
    }

    /// The process, if it runs.
    pub fn process(&self) -> Option<u32> {
        self.running().as_ref().map(Child::id)
    }

    fn running(&self) -> MutexGuard<'_, Option<Child>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Result<Child, ReadError> {
        let started = Child::start(&self.path, &self.arguments, &VARIABLES);
        started.map_err(|error| ReadError::Program(format!("{}: {error}", self.path.display())))
    }
}

impl Reader for Remote {
    fn read(
        &self,
        ask: &Ask,
        file: &mut dyn io::Read,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Document, ReadError> {
        let mut running = self.running();
        let mut child = match running.take() {
            Some(child) => child,
            None => self.start()?,
        };
        match (Conversation { child: &mut child, stop }).read(ask, file) {
            Ok(document) => {
                *running = Some(child);
                Ok(document)
            }
            // What is left of it is in the middle of a file, and goes.
            Err(Failure::Other(error)) => Err(error),
            Err(Failure::Ended(Ended(how))) => {
                tracing::warn!(name = ask.name, how, "a file ended the process that read it");
                Ok(Document { kind: String::new(), hash: None, content: Content::Skipped(FAILED.to_owned()) })
            }
        }
    }

    fn rest(&self) {
        *self.running() = None;
    }
}

enum Failure {
    Ended(Ended),
    Other(ReadError),
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

struct Conversation<'a> {
    child: &'a mut Child,
    stop: &'a (dyn Fn() -> bool + Sync),
}

impl Conversation<'_> {
    fn read(&mut self, ask: &Ask, file: &mut dyn io::Read) -> Result<Document, Failure> {
        self.child.send(ask)?;
        let mut part = Vec::with_capacity(text::HEAD_BYTES);
        next(file, text::HEAD_BYTES as u64, &mut part)?;
        self.child.send_bytes(&part)?;
        match self.answer()? {
            Answer::Go => {}
            Answer::Done(done) => return Ok(document(done, Vec::new())),
            Answer::Pieces(_) => return Err(self.child.ended("it answered before it was told all").into()),
        }
        let mut left = most(ask).saturating_sub(part.len() as u64);
        loop {
            part.clear();
            next(file, left.min(PART_BYTES as u64), &mut part)?;
            self.child.send_bytes(&part)?;
            if part.is_empty() {
                break;
            }
            left -= part.len() as u64;
            if (self.stop)() {
                return Err(Failure::Other(ReadError::Stopped));
            }
        }
        let mut pieces = Vec::new();
        loop {
            match self.answer()? {
                Answer::Pieces(more) => pieces.extend(more),
                Answer::Done(done) => return Ok(document(done, pieces)),
                Answer::Go => return Err(self.child.ended("it wants more than there is").into()),
            }
        }
    }

    fn answer(&mut self) -> Result<Answer, Failure> {
        let answer = self.child.frame_unless(ANSWER_WITHIN, self.stop)?;
        let answer = answer.ok_or(Failure::Other(ReadError::Stopped))?;
        frame::json(&answer).map_err(|error| self.child.ended(&error.to_string()).into())
    }
}

/// The next bytes of the file, none at its end.
fn next(file: &mut dyn io::Read, most: u64, into: &mut Vec<u8>) -> Result<(), Failure> {
    let read = file.take(most).read_to_end(into);
    read.map(drop).map_err(|error| Failure::Other(ReadError::File(error)))
}

fn document(done: Done, pieces: Vec<Piece>) -> Document {
    let Done { kind, hash, end } = done;
    let content = match end {
        End::Pieces => Content::Pieces(pieces),
        End::Same => Content::Same,
        End::Skipped(why) => Content::Skipped(why),
    };
    Document { kind, hash, content }
}
