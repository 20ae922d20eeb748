//! Prompts: texts that a person starts work with (`mcp.prompts.*`).
//!
//! A prompt is a Markdown file in the folder of the settings `prompts_dir`; a few are shipped, and a file of the same
//! name replaces one of those. The folder is read again when something in it changes. Files are read into one
//! immutable set, which is replaced whole, so a call never waits for the disk.

mod files;
mod head;
mod methods;
mod template;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use event_listener::Event;
use protocol::dispatch::BoxFuture;
use protocol::mcp::Prompt;
use supervisor::ChildSpec;

pub use methods::methods;
use template::Template;

/// The handle that the methods work with.
#[derive(Clone)]
pub struct Prompts {
    shared: Arc<Shared>,
}

/// Every prompt by its name.
type Set = BTreeMap<String, Arc<dyn Prompt>>;

struct Shared {
    folder: Option<PathBuf>,
    current: ArcSwap<Set>,
    sources: Mutex<Sources>,
    /// One reading of the folder at a time, so that the last to begin is the last to count.
    reading: Mutex<()>,
    changed: Event,
}

/// What the set is made of.
#[derive(Default)]
struct Sources {
    /// From files and shipped ones.
    written: BTreeMap<String, Arc<Template>>,
    /// Parts of the program; of two of one name these are the ones.
    added: Set,
    /// What is wrong with files: told once, until it changes.
    complaints: Vec<String>,
}

impl Prompts {
    /// Reads the folder, if there is one. Blocks on the disk; nothing is wrong with a folder that is not there.
    pub fn open(folder: Option<PathBuf>) -> Self {
        let prompts = Self {
            shared: Arc::new(Shared {
                folder,
                current: ArcSwap::default(),
                sources: Mutex::default(),
                reading: Mutex::default(),
                changed: Event::new(),
            }),
        };
        prompts.reload();
        prompts
    }

    /// Adds a prompt that is part of the program.
    pub fn add(&self, prompt: Arc<dyn Prompt>) {
        let mut sources = self.sources();
        sources.added.insert(prompt.info().name, prompt);
        self.publish(&sources);
    }

    /// Removes a prompt that was added; those from files stay.
    pub fn remove(&self, name: &str) {
        let mut sources = self.sources();
        if sources.added.remove(name).is_some() {
            self.publish(&sources);
        }
    }

    /// Resolves at the next change of what is offered, counted from this call.
    pub fn changed(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.shared.changed.listen())
    }

    /// A child that reads the folder whenever something in it changes; `None` when there is no folder to read.
    pub fn reader(&self, id: &str) -> Option<ChildSpec> {
        let folder = self.shared.folder.clone()?;
        let prompts = self.clone();
        Some(service::reader(id, folder, move || prompts.reload()))
    }

    /// Reads shipped prompts and files anew. Blocks on the disk.
    fn reload(&self) {
        let _one = self.shared.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let found = files::all(self.shared.folder.as_deref());
        let mut sources = self.sources();
        for complaint in found.complaints.iter().filter(|text| !sources.complaints.contains(text)) {
            tracing::warn!("{complaint}");
        }
        sources.complaints = found.complaints;
        if sources.written == found.prompts {
            return;
        }
        sources.written = found.prompts;
        self.publish(&sources);
    }

    fn publish(&self, sources: &Sources) {
        let mut set: Set = BTreeMap::new();
        for (name, prompt) in &sources.written {
            set.insert(name.clone(), Arc::<Template>::clone(prompt));
        }
        set.extend(sources.added.iter().map(|(name, prompt)| (name.clone(), Arc::clone(prompt))));
        self.shared.current.store(Arc::new(set));
        self.shared.changed.notify(usize::MAX);
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.shared.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self) -> Arc<Set> {
        self.shared.current.load_full()
    }
}

#[cfg(test)]
mod tests;
