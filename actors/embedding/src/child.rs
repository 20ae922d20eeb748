//! A model in a process of its own, from outside: started when it is loaded, killed when it is dropped.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use subprocess::{Child, Ended, frame};

use crate::engine::{Embed, Facts, Load, Role};
use crate::error::EmbedError;
use crate::folder::Places;
use crate::message::{self, Answer, Ask};

/// A model of a gigabyte from a slow disk. What needs longer hangs.
const LOAD_WITHIN: Duration = Duration::from_mins(2);

/// One pass of a large model on a busy machine. What needs longer hangs, and only killing it helps.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// What the process is started with besides its arguments.
const VARIABLES: [(&str, &str); 3] = [
    // One text at a time has nothing to share out, and a pool of threads costs memory.
    ("TOKENIZERS_PARALLELISM", "false"),
    // The file that was read, and what the graph was before it was optimized, go back to the kernel: 30 MB.
    ("MALLOC_MMAP_THRESHOLD_", "131072"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

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
    facts: Facts,
    threads: usize,
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
        let child = Child::start(&program.path, &program.arguments, &VARIABLES);
        let child = child
            .map_err(|error| EmbedError::crashed(format!("start {}: {error}", program.path.display())))?;
        let facts = Facts {
            model: program.settings.places.model.clone(),
            dimensions: 0,
            fingerprint: [0; 16],
            tokens_max: 0,
            runtime: String::new(),
            process: Some(child.id()),
        };
        let mut remote = Self { child, facts, threads: program.settings.threads };
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
        self.child.send(ask)?;
        let answer = self.child.frame(within)?;
        match frame::json(&answer) {
            Ok(Answer::Failed(error)) => Err(error),
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.ended(&format!("it answered something else: {error}"))),
        }
    }

    fn ended(&mut self, seen: &str) -> EmbedError {
        self.child.ended(seen).into()
    }
}

impl Embed for Remote {
    fn at_once(&self) -> usize {
        self.threads.max(1)
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn embed(&mut self, role: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let answer = self.ask(&Ask::Embed { role, texts: texts.to_vec() }, ANSWER_WITHIN)?;
        let Answer::Vectors { dimensions } = answer else {
            return Err(self.ended("it answered something else than vectors"));
        };
        let numbers = message::numbers(&self.child.frame(ANSWER_WITHIN)?);
        if numbers.len() != dimensions * texts.len() || dimensions != self.facts.dimensions {
            return Err(self.ended("it answered too few vectors"));
        }
        Ok(numbers.chunks(dimensions.max(1)).map(<[f32]>::to_vec).collect())
    }

    fn count(&mut self, texts: &[String]) -> Result<Vec<usize>, EmbedError> {
        match self.ask(&Ask::Count { texts: texts.to_vec() }, ANSWER_WITHIN)? {
            Answer::Counts(counts) if counts.len() == texts.len() => Ok(counts),
            _ => Err(self.ended("it answered something else than how many tokens there are")),
        }
    }
}

impl From<Ended> for EmbedError {
    fn from(Ended(how): Ended) -> Self {
        Self::crashed(how)
    }
}
