//! The folder of workflows: every `*.yaml` in it, read anew when something changes. A file that is no workflow is left out
//! and complained about; it never hides another.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use protocol::Error;
use serde_json::Value;
use tokio::sync::watch;
use workflow::Workflow;

use crate::refusal;

/// A workflow is a page of text; what is longer is something else in the wrong folder.
const FILE_BYTES_MAX: u64 = 512 * 1024;

/// More than anybody finds their way in.
const FILES_MAX: usize = 1000;

/// A workflow that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) workflow: Arc<Workflow>,
    /// JSON of it, as runs keep it.
    pub(crate) definition: Arc<str>,
    /// The schema of its inputs.
    pub(crate) inputs: Arc<Value>,
}

/// Every workflow by its id; or what is wrong with it, for a person.
pub(crate) type Set = BTreeMap<String, Result<Known, String>>;

/// The workflows as they are now.
pub(crate) struct Library {
    folder: Option<PathBuf>,
    n8n: String,
    current: ArcSwap<Set>,
    /// What was complained about: told once, until it changes. Held while the folder is read, so that the last to begin
    /// is the last to count.
    told: Mutex<Vec<String>>,
    changed: watch::Sender<u64>,
}

impl Library {
    pub(crate) fn new(folder: Option<PathBuf>, n8n: String) -> Self {
        let library = Self {
            folder,
            n8n,
            current: ArcSwap::default(),
            told: Mutex::default(),
            changed: watch::Sender::new(0),
        };
        library.reload();
        library
    }

    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    pub(crate) fn set(&self) -> Arc<Set> {
        self.current.load_full()
    }

    /// Counts the changes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The workflow of this id.
    pub(crate) fn get(&self, id: &str) -> Result<Known, Error> {
        let set = self.set();
        match set.get(id) {
            Some(Ok(known)) => Ok(known.clone()),
            Some(Err(why)) => Err(refusal::workflow(
                "workflow_has_mistakes",
                format!("The workflow '{}' cannot be run as its file has it: {why}", refusal::shown(id)),
            )),
            None => {
                let known: Vec<&str> = set.keys().map(String::as_str).take(50).collect();
                let advice = match &self.folder {
                    Some(folder) if known.is_empty() => {
                        format!("there are none yet: put a YAML file into {}", folder.display())
                    }
                    _ => format!("there are {}", known.join(", ")),
                };
                Err(refusal::workflow(
                    "no_such_workflow",
                    format!("There is no workflow '{}'; {advice}.", refusal::shown(id)),
                ))
            }
        }
    }

    /// What a text is as a workflow.
    pub(crate) fn read(&self, text: &str, name: &str, stem: &str) -> Result<Known, String> {
        let workflow = workflow::read(text, name, stem, &self.n8n).map_err(|wrong| wrong.to_string())?;
        let definition = serde_json::to_string(&workflow).map_err(|error| error.to_string())?;
        let inputs = workflow::inputs::schema(workflow.inputs.as_ref());
        Ok(Known { workflow: Arc::new(workflow), definition: definition.into(), inputs: Arc::new(inputs) })
    }

    /// Reads the folder anew. Blocks on the disk.
    pub(crate) fn reload(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, complaints) = self.all();
        for complaint in complaints.iter().filter(|one| !told.contains(one)) {
            tracing::warn!("workflows: {complaint}");
        }
        *told = complaints;
        self.current.store(Arc::new(set));
        self.changed.send_modify(|count| *count += 1);
    }

    fn all(&self) -> (Set, Vec<String>) {
        let (mut set, mut complaints) = (Set::new(), Vec::new());
        let Some(folder) = &self.folder else { return (set, complaints) };
        let mut files = match files(folder) {
            Ok(files) => files,
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    complaints.push(format!("{} cannot be read: {error}", folder.display()));
                }
                return (set, complaints);
            }
        };
        files.sort();
        if files.len() > FILES_MAX {
            complaints.push(format!(
                "{} has {} files, and the first {FILES_MAX} by name are read",
                folder.display(),
                files.len()
            ));
            files.truncate(FILES_MAX);
        }
        let _form = workflow::form();
        for path in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let read = text(&path).and_then(|text| self.read(&text, &name, &stem));
            let id = read.as_ref().map_or(stem, |known| known.workflow.id.clone());
            complaints.extend(read.as_ref().err().cloned());
            match set.get(&id) {
                Some(Ok(_)) => {
                    complaints.push(format!("{name}: the id `{id}` is another file's already: change one"));
                }
                _ => drop(set.insert(id, read)),
            }
        }
        (set, complaints)
    }
}

/// The folder's `*.yaml` and `*.yml`, in no order. Hidden ones are an editor's own.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
    Ok(files)
}

fn text(path: &Path) -> Result<String, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let unreadable = |error: std::io::Error| format!("{name}: cannot be read: {error}");
    // Asked first: to open a pipe is to wait for somebody who writes.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(format!("{name}: is no file: move it away"));
    }
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).map_err(unreadable)?.take(FILE_BYTES_MAX + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{name}: is larger than {FILE_BYTES_MAX} bytes: make several workflows of it"));
    }
    String::from_utf8(bytes).map_err(|_| format!("{name}: is not UTF-8: save it in that encoding"))
}
