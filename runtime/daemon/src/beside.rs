//! The processes beside the daemon: `llmbasedos-embed`, which reads files, and which holds the embedding model.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cluster_config::Settings;
use embedding::{Embedder, Places};
use store::Store;

/// Where images have ONNX Runtime, so that only the model has to be brought; one beside the model wins.
const RUNTIME: &str = "/usr/lib/llmbasedos/onnxruntime/libonnxruntime.so";

/// Where they are, and what they are told.
#[derive(Clone)]
pub(crate) struct Beside {
    program: PathBuf,
    settings: cluster_config::Search,
    state_dir: PathBuf,
}

impl Beside {
    /// The program is beside the daemon's own.
    pub(crate) fn find(settings: &Settings) -> anyhow::Result<Self> {
        let daemon = std::env::current_exe().context("cannot tell where this program is")?;
        let program = daemon.with_file_name("llmbasedos-embed");
        Ok(Self { program, settings: settings.search.clone(), state_dir: settings.state_dir.clone() })
    }

    /// What makes vectors of texts, started when one is wanted.
    pub(crate) fn embedder(&self) -> Embedder {
        Embedder::new(self.model(&self.settings.model), Duration::from_secs(self.settings.idle_seconds))
    }

    /// The search, which has files read.
    pub(crate) fn search(&self, fs: &fs::Fs, store: &Store, embedder: &Embedder) -> fs::Search {
        let beside = self.clone();
        let parts = fs::Parts {
            store: store.clone(),
            folder: self.state_dir.join("index"),
            reader: Arc::new(self.reader()),
            embedder: embedder.clone(),
            of_model: Box::new(move |name| Box::new(beside.model(name))),
        };
        fs::Search::new(fs, &self.settings, parts)
    }

    fn reader(&self) -> reading::Remote {
        let places = places(&self.state_dir, &self.settings.model);
        let arguments = ["read".into(), places.models.into_os_string(), places.model.into()];
        reading::Remote::new(self.program.clone(), arguments.into())
    }

    fn model(&self, name: &str) -> embedding::Program {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match self.settings.threads {
            0 => cores.div_ceil(2),
            threads => threads.min(cores),
        };
        embedding::Program {
            path: self.program.clone(),
            arguments: Vec::new(),
            settings: embedding::Settings { places: places(&self.state_dir, name), threads },
        }
    }
}

/// Where the embedding model and its runtime are looked for.
pub(crate) fn embedding_places(settings: &Settings) -> Places {
    places(&settings.state_dir, &settings.search.model)
}

fn places(state_dir: &Path, model: &str) -> Places {
    let mut places = Places { models: state_dir.join("models"), model: model.to_owned(), runtime: None };
    let installed = Path::new(RUNTIME);
    if !places.library().exists() && installed.exists() {
        places.runtime = Some(installed.to_owned());
    }
    places
}
