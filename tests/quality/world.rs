//! The corpus on a disk, and an index over it with the real model in its own process.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use embedding::{Embedder, Places, Priority, Program, Role, Settings};
use index::{Ask, Config, Filter, Hit, Index, Mode, Query, Status};
use store::Store;
use supervisor::{SupervisorSpec, Tree};
use tempfile::TempDir;
use text::{Extractors, Limits};

use crate::corpus::Document;
use crate::figures::TOP;

/// Longer than anything takes here, on a machine that does other things too.
pub(crate) const PATIENCE: Duration = Duration::from_mins(15);

/// The default one.
const MODEL: &str = "all-MiniLM-L6-v2";

/// As the tool asks when nobody says otherwise.
const PER_FILE: usize = 3;

pub(crate) struct World {
    pub(crate) index: Index,
    embedder: Embedder,
    /// The text of every document, as the index has it.
    texts: HashMap<String, String>,
    /// Dropped last.
    _running: Tree,
    _dir: TempDir,
}

/// What a reader finds in a document; empty when nothing.
pub(crate) fn text_of(document: &Document) -> String {
    let name = document.path.rsplit('/').next().unwrap_or_default();
    let bytes = document.bytes();
    let extracted = Extractors::default().extract_named(name, &bytes, &Limits::default());
    extracted.map(|extracted| extracted.text.into_owned()).unwrap_or_default()
}

impl World {
    /// Writes the documents into a folder and has all of them in the index, vectors included.
    pub(crate) async fn of(documents: &[Document]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let files = dir.path().join("files");
        for document in documents {
            let host = files.join(document.path.trim_start_matches('/'));
            fs::create_dir_all(host.parent().expect("it is in a folder")).expect("a folder");
            fs::write(host, document.bytes()).expect("there is room");
        }
        let places = Places { models: harness::models(), model: MODEL.to_owned(), runtime: None };
        let path = harness::daemon::program("llmbasedos-embed");
        let arguments = ["read".into(), places.models.clone().into_os_string(), MODEL.into()];
        let reader = reading::Remote::new(path.clone(), arguments.into());
        let program = Program { path, arguments: Vec::new(), settings: Settings { places, threads: 2 } };
        let embedder = Embedder::new(program.clone(), PATIENCE);
        let index = Index::new(Config {
            files: Arc::new(harness::roots(&files)),
            reader: Arc::new(reader),
            store: Store::open(dir.path()).expect("a state file"),
            folder: dir.path().join("index"),
            embedder: embedder.clone(),
            model: MODEL.to_owned(),
            of_model: Box::new(move |_| Box::new(program.clone())),
            text_bytes: 1024 * 1024,
            document_bytes: 1024 * 1024,
            look_every: Duration::from_hours(1),
            limits: index::Limits::default(),
        });
        let spec = SupervisorSpec::new("root")
            .child(embedding::child("embedding", &embedder))
            .child(index::child("index", &index));
        let running = supervisor::start(spec).await.expect("it starts");
        let texts = documents.iter().map(|document| (document.path.clone(), text_of(document))).collect();
        let world = Self { index, embedder, texts, _running: running, _dir: dir };
        world.index.watch("/", true).await.expect("it is kept").done().await;
        tokio::time::timeout(PATIENCE, world.current()).await.expect("the index gets current");
        world
    }

    async fn current(&self) {
        loop {
            let status = self.status();
            assert_eq!(status.trouble, None);
            if status.waiting == 0 && status.wanting == 0 {
                return;
            }
            self.index.news().await;
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.index.status(&["/"]).expect("the state file is read")
    }

    /// The best pieces of files: enough for ten files and for ten pieces, at most [`PER_FILE`] of one file.
    pub(crate) async fn ask(&self, query: &str, mode: Mode) -> Vec<Hit> {
        let filter = Filter {
            tier: "ELITE",
            sees_all: true,
            below: &[],
            path: None,
            kinds: &[],
            modified_ns: (None, None),
        };
        let ask = Ask { query: Query::Text(query), mode, top_k: TOP * PER_FILE, per_file: PER_FILE, filter };
        let answer = self.index.search(&ask).await.expect("there is something to find");
        assert_eq!(answer.without_meaning, None);
        answer.hits
    }

    /// The text of a document.
    pub(crate) fn text(&self, path: &str) -> &str {
        &self.texts[path]
    }

    /// One vector for each text, however long: the model reads its beginning.
    pub(crate) async fn vectors(&self, role: Role, texts: Vec<String>) -> Vec<Vec<f32>> {
        let until = Instant::now() + PATIENCE;
        self.embedder.embed(role, texts, Priority::Bulk, until).await.expect("the model is there")
    }
}
