//! A model in a process of its own, from outside: started when it is loaded, killed when it is dropped.
//!
//! The process ends with its pipe, with the daemon, and when it does not answer; it is the first that the kernel kills
//! when memory runs out; and it sees none of the daemon's variables, among which are keys.

use std::fs;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::engine::{Embed, Facts, Load, Role};
use crate::error::EmbedError;
use crate::folder::Places;
use crate::frame::{self, Answer, Ask};

/// A model of a gigabyte from a slow disk. What needs longer hangs.
const LOAD_WITHIN: Duration = Duration::from_mins(2);

/// One pass of a large model on a busy machine. What needs longer hangs, and only killing it helps.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// How long a process may live on that has closed its pipe: long enough to be reaped on a busy machine.
const END_WITHIN: Duration = Duration::from_secs(1);

/// What the process is told to load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Where model and runtime are.
    pub places: Places,
    /// How many cores one pass may use.
    pub threads: usize,
}

/// The program that [`serve`](crate::serve)s, and what it is to load.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What it is started with.
    pub arguments: Vec<String>,
    /// What it is told when it runs.
    pub settings: Settings,
}

/// A running process.
struct Remote {
    child: Child,
    to: BufWriter<ChildStdin>,
    frames: Receiver<io::Result<Vec<u8>>>,
    facts: Facts,
}

// === impl Program ===

impl Load for Program {
    fn load(&self) -> Result<Box<dyn Embed>, EmbedError> {
        // A missing file is said without starting anything.
        self.look()?;
        Ok(Box::new(Remote::start(self)?))
    }

    fn look(&self) -> Result<(), EmbedError> {
        self.settings.places.look()
    }
}

// === impl Remote ===

impl Remote {
    fn start(program: &Program) -> Result<Self, EmbedError> {
        let failed =
            |error: io::Error| EmbedError::crashed(format!("start {}: {error}", program.path.display()));
        let mut child = Command::new(&program.path)
            .args(&program.arguments)
            .env_clear()
            // One text at a time has nothing to share out, and a pool of threads costs memory.
            .env("TOKENIZERS_PARALLELISM", "false")
            // The file that was read, and what the graph was before it was optimized, go back to the kernel: 30 MB.
            .env("MALLOC_MMAP_THRESHOLD_", "131072")
            .env("MALLOC_TRIM_THRESHOLD_", "131072")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked for");
        };
        // A pipe cannot be read with a deadline; a channel can.
        let (frame, frames) = sync_channel(1);
        let mut from = BufReader::new(from);
        let read = move || {
            while let Some(bytes) = frame::read(&mut from).transpose() {
                let last = bytes.is_err();
                if frame.send(bytes).is_err() || last {
                    break;
                }
            }
        };
        let facts = Facts {
            model: program.settings.places.model.clone(),
            dimensions: 0,
            fingerprint: [0; 16],
            tokens_max: 0,
            runtime: String::new(),
            process: Some(child.id()),
        };
        let mut remote = Self { child, to: BufWriter::new(to), frames, facts };
        thread::Builder::new().name("embed-reader".into()).spawn(read).map_err(failed)?;
        match remote.ask(&Ask::Load(program.settings.clone()), LOAD_WITHIN) {
            Ok(Answer::Loaded(facts)) => remote.facts = Facts { process: remote.facts.process, ..facts },
            Ok(_) => return Err(remote.ended("it answered something else than what it loaded")),
            // The kernel ends it over a truncated library, and nothing else is left to say so.
            Err(EmbedError::Crashed { why }) => {
                let places = &program.settings.places;
                let (library, folder) = (places.library(), places.folder());
                return Err(EmbedError::crashed(format!(
                    "{why}, while it loaded {} and {}: if it does again, run `make model` again",
                    library.display(),
                    folder.display(),
                )));
            }
            Err(error) => return Err(error),
        }
        Ok(remote)
    }

    fn ask(&mut self, ask: &Ask, within: Duration) -> Result<Answer, EmbedError> {
        if frame::write_json(&mut self.to, ask).and_then(|()| self.to.flush()).is_err() {
            return Err(self.ended(""));
        }
        let answer = self.frame(within)?;
        match frame::json(&answer) {
            Ok(Answer::Failed(error)) => Err(error),
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.ended(&format!("it answered something else: {error}"))),
        }
    }

    fn frame(&mut self, within: Duration) -> Result<Vec<u8>, EmbedError> {
        match self.frames.recv_timeout(within) {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(self.ended(&error.to_string())),
            Err(RecvTimeoutError::Timeout) => {
                Err(self.ended(&format!("no answer for {} s", within.as_secs())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.ended("")),
        }
    }

    /// It is over; makes sure of that. How it ended by itself says more than that we saw a pipe closed, so it is given a
    /// moment unless something else was `seen`.
    fn ended(&mut self, seen: &str) -> EmbedError {
        let until = Instant::now() + if seen.is_empty() { END_WITHIN } else { Duration::ZERO };
        let mut status = self.child.try_wait();
        while matches!(status, Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
            status = self.child.try_wait();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        match status {
            // "exit status: 1" or "signal: 9 (SIGKILL)".
            Ok(Some(status)) if seen.is_empty() => EmbedError::crashed(status.to_string()),
            _ if seen.is_empty() => EmbedError::crashed("it closed its pipe"),
            _ => EmbedError::crashed(seen),
        }
    }
}

impl Embed for Remote {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn embed(&mut self, role: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let answer = self.ask(&Ask::Embed { role, texts: texts.to_vec() }, ANSWER_WITHIN)?;
        let Answer::Vectors { dimensions } = answer else {
            return Err(self.ended("it answered something else than vectors"));
        };
        let numbers = frame::numbers_of(&self.frame(ANSWER_WITHIN)?, f32::from_le_bytes);
        if numbers.len() != dimensions * texts.len() || dimensions != self.facts.dimensions {
            return Err(self.ended("it answered too few vectors"));
        }
        Ok(numbers.chunks(dimensions.max(1)).map(<[f32]>::to_vec).collect())
    }

    fn tokens(&mut self, texts: &[String]) -> Result<Vec<Vec<u32>>, EmbedError> {
        let answer = self.ask(&Ask::Tokens { texts: texts.to_vec() }, ANSWER_WITHIN)?;
        let Answer::Tokens { counts } = answer else {
            return Err(self.ended("it answered something else than tokens"));
        };
        let numbers = frame::numbers_of(&self.frame(ANSWER_WITHIN)?, u32::from_le_bytes);
        if counts.len() != texts.len() || counts.iter().sum::<usize>() != numbers.len() {
            return Err(self.ended("it answered too few tokens"));
        }
        let mut rest = numbers.into_iter();
        Ok(counts.into_iter().map(|count| rest.by_ref().take(count).collect()).collect())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // It has nothing to put away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process does first: it is to end with whoever started it, and to be the one that is killed when memory
/// runs out.
pub fn be_a_child() {
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // Raising it needs no right. 500 is "half of all memory more than it has".
    let _ = fs::write("/proc/self/oom_score_adj", "500");
}
