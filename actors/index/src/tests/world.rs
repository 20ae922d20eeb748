//! A folder of files, a scripted model whose vectors are bags of words, and an index that runs over both.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use embedding::{Embed, EmbedError, Embedder, Facts, Role};
use store::Store;
use supervisor::SupervisorSpec;
use tempfile::TempDir;

use crate::{
    Answer, Ask, Config, Files, Filter, Found, Index, Mode, Query, SearchError, Unreadable, Watching,
};

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const DIMENSIONS: usize = 64;

pub(crate) struct World {
    dir: Arc<TempDir>,
    pub(crate) index: Index,
    pub(crate) model: Arc<Script>,
    /// Folders that are said to be unreadable.
    pub(crate) unread: Arc<Mutex<Vec<String>>>,
    running: supervisor::Tree,
}

/// What the scripted model did and is to do.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) made: AtomicUsize,
    pub(crate) missing: AtomicBool,
    /// How often an earlier one was looked for.
    pub(crate) asked: AtomicUsize,
    /// Passages of this version wait until it is another, after so many requests.
    pub(crate) held: Mutex<Option<(usize, usize)>>,
    pub(crate) go: std::sync::Condvar,
    pub(crate) texts: Mutex<Vec<String>>,
    /// Which model it is.
    pub(crate) version: AtomicUsize,
}

struct Model {
    script: Arc<Script>,
    facts: Facts,
}

impl Embed for Model {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn embed(&mut self, role: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if role == Role::Passage {
            let mut held = self.script.held.lock().unwrap();
            while let Some((version, may)) = *held
                && self.facts.model == format!("bag-{version}")
            {
                if may > 0 {
                    *held = Some((version, may - 1));
                    break;
                }
                held = self.script.go.wait(held).unwrap();
            }
            self.script.made.fetch_add(texts.len(), Ordering::SeqCst);
            self.script.texts.lock().unwrap().extend(texts.iter().cloned());
        }
        Ok(texts.iter().map(|text| vector(text)).collect())
    }

    fn count(&mut self, texts: &[String]) -> Result<Vec<usize>, EmbedError> {
        Ok(texts.iter().map(|text| text.split_whitespace().count()).collect())
    }
}

/// Loads one of the versions of the scripted model, those that are not missing.
fn load_of(script: &Arc<Script>, version: usize) -> Result<Box<dyn Embed>, EmbedError> {
    if script.missing.load(Ordering::SeqCst) {
        return Err(EmbedError::NotInstalled { file: PathBuf::from("/models/model.onnx") });
    }
    let facts = Facts {
        model: format!("bag-{version}"),
        dimensions: DIMENSIONS,
        fingerprint: [u8::try_from(version).unwrap(); 16],
        tokens_max: 256,
        runtime: "a script".to_owned(),
        process: None,
    };
    Ok(Box::new(Model { script: Arc::clone(script), facts }))
}

/// A word is a dimension: texts that share words are near.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.01; DIMENSIONS];
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = blake3::hash(word.as_bytes());
        vector[usize::from(hash.as_bytes()[0]) % DIMENSIONS] += 1.0;
    }
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    vector.iter().map(|part| part / length).collect()
}

/// A folder as it is, without confinement.
struct Folder {
    root: PathBuf,
    /// What is said to be unreadable below it.
    unread: Arc<Mutex<Vec<String>>>,
}

impl Folder {
    fn host(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn found(&self, host: &Path) -> Option<Found> {
        let about = fs::symlink_metadata(host).ok().filter(fs::Metadata::is_file)?;
        Some(Found {
            path: format!("/{}", host.strip_prefix(&self.root).unwrap().to_str()?),
            identity: (about.dev(), about.ino()),
            bytes: about.len(),
            modified_ns: about.mtime() * 1_000_000_000 + about.mtime_nsec(),
        })
    }

    fn visit(&self, host: &Path, deep: bool, visit: &mut dyn FnMut(Found)) {
        for entry in fs::read_dir(host).into_iter().flatten().flatten() {
            if let Some(found) = self.found(&entry.path()) {
                visit(found);
            } else if deep && entry.path().is_dir() {
                self.visit(&entry.path(), deep, visit);
            }
        }
    }
}

impl Files for Folder {
    fn walk(
        &self,
        path: &str,
        deep: bool,
        _: &dyn Fn() -> bool,
        visit: &mut dyn FnMut(Found),
    ) -> Result<Vec<String>, Unreadable> {
        let host = self.host(path);
        match self.found(&host) {
            Some(found) => visit(found),
            None if host.is_dir() => self.visit(&host, deep, visit),
            None => return Err(Unreadable::Gone),
        }
        Ok(self.unread.lock().unwrap().clone())
    }

    fn open(&self, path: &str) -> Result<(fs::File, Found), Unreadable> {
        let host = self.host(path);
        let file = fs::File::open(&host).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Unreadable::Gone,
            _ => Unreadable::Other(error.to_string()),
        })?;
        Ok((file, self.found(&host).ok_or(Unreadable::Gone)?))
    }

    fn look(&self, _: &fs::File, path: &str) -> Result<Found, Unreadable> {
        self.found(&self.host(path)).ok_or(Unreadable::Gone)
    }

    fn watch(&self, _: &str, _: Box<dyn Fn(String) + Send>) -> Option<Watching> {
        None
    }

    fn shown_to(&self, tier: &str, path: &str) -> bool {
        tier == "ELITE" || !path.starts_with("/private")
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::over(Arc::new(tempfile::tempdir().unwrap()), Arc::default()).await
    }

    async fn over(dir: Arc<TempDir>, model: Arc<Script>) -> Self {
        fs::create_dir_all(dir.path().join("files")).unwrap();
        let script = Arc::clone(&model);
        let load = move || load_of(&script, script.version.load(Ordering::SeqCst));
        let (unread, script) = (Arc::default(), Arc::clone(&model));
        let of_model = move |name: &str| {
            let (script, version) =
                (Arc::clone(&script), name.strip_prefix("bag-").unwrap().parse().unwrap());
            script.asked.fetch_add(1, Ordering::SeqCst);
            Box::new(move || load_of(&script, version)) as Box<dyn embedding::Load>
        };
        let embedder = Embedder::new(load, Duration::from_mins(1));
        let index = Index::new(Config {
            files: Arc::new(Folder { root: dir.path().join("files"), unread: Arc::clone(&unread) }),
            reader: Arc::new(reading::Local::default()),
            store: Store::open(dir.path()).unwrap(),
            folder: dir.path().join("index"),
            embedder: embedder.clone(),
            model: format!("bag-{}", model.version.load(Ordering::SeqCst)),
            of_model: Box::new(of_model),
            text_bytes: 1024 * 1024,
            document_bytes: 1024 * 1024,
            look_every: Duration::from_hours(1),
            limits: vectors::Limits::default(),
        });
        let spec = SupervisorSpec::new("root")
            .child(embedding::child("embedding", &embedder))
            .child(crate::child("index", &index));
        let running = supervisor::start(spec).await.unwrap();
        Self { dir, index, model, unread, running }
    }

    /// Ends the index and opens it again on the same files.
    pub(crate) async fn again(self) -> Self {
        let (dir, model) = (Arc::clone(&self.dir), Arc::clone(&self.model));
        self.running.stop(PATIENCE).await;
        drop(self.index);
        Self::over(dir, model).await
    }

    pub(crate) fn host(&self, path: &str) -> PathBuf {
        self.dir.path().join("files").join(path.trim_start_matches('/'))
    }

    pub(crate) fn state(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let host = self.host(path);
        fs::create_dir_all(host.parent().unwrap()).unwrap();
        fs::write(host, text).unwrap();
        self
    }

    /// Looks at everything, and waits until it is all in the index, vectors included.
    pub(crate) async fn current(&self) {
        let looked = async {
            self.index.watch("/", true).await.unwrap().done().await;
            loop {
                let status = self.index.status(&["/"]).unwrap();
                if status.waiting == 0 && (status.wanting == 0 || status.trouble.is_some()) {
                    return;
                }
                self.index.news().await;
            }
        };
        tokio::time::timeout(PATIENCE, looked).await.expect("the index gets current");
    }

    pub(crate) async fn ask(&self, query: &str, mode: Mode) -> Result<Answer, SearchError> {
        self.index.search(&ask(Query::Text(query), mode)).await
    }

    /// The paths that a query finds, best first.
    pub(crate) async fn paths(&self, query: &str, mode: Mode) -> Vec<String> {
        let answer = self.ask(query, mode).await.unwrap();
        answer.hits.into_iter().map(|hit| hit.path).collect()
    }
}

/// A question to everything.
pub(crate) fn ask(query: Query<'_>, mode: Mode) -> Ask<'_> {
    let filter = Filter {
        tier: "ELITE",
        sees_all: true,
        below: &[],
        path: None,
        kinds: &[],
        modified_ns: (None, None),
    };
    Ask { query, mode, top_k: 5, per_file: 3, filter }
}
