//! What the tests of the real model share: where it is, and a worker that has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use embedding::{EmbedError, Embedder, Places, Priority, Program, Role, Settings, State, child};
use supervisor::{SupervisorSpec, Tree};

pub(crate) const MODEL: &str = "all-MiniLM-L6-v2";
pub(crate) const EVER: Duration = Duration::from_mins(2);

/// The folder of models.
pub(crate) fn models() -> &'static Path {
    static MODELS: OnceLock<PathBuf> = OnceLock::new();
    MODELS.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../actors/embedding/fetch/model");
        let made = Command::new(script).output().expect("the script is there");
        assert!(made.status.success(), "no model:\n{}", String::from_utf8_lossy(&made.stderr));
        PathBuf::from(String::from_utf8(made.stdout).expect("a path").trim())
    })
}

pub(crate) fn program(models: &Path) -> Program {
    let places = Places { models: models.to_owned(), model: MODEL.to_owned(), runtime: None };
    Program {
        path: env!("CARGO_BIN_EXE_llmbasedos-embed").into(),
        arguments: Vec::new(),
        settings: Settings { places, threads: 2 },
    }
}

pub(crate) async fn start(program: Program, idle: Duration) -> (Embedder, Tree) {
    let embedder = Embedder::new(program, idle);
    let spec = SupervisorSpec::new("root").child(child("embedding", &embedder));
    let tree = supervisor::start(spec).await.expect("it starts");
    (embedder, tree)
}

pub(crate) async fn ask(embedder: &Embedder, text: &str) -> Result<Vec<f32>, EmbedError> {
    let vectors =
        embedder.embed(Role::Query, vec![text.to_owned()], Priority::Query, Instant::now() + EVER).await?;
    Ok(vectors.into_iter().next().expect("one of one"))
}

pub(crate) fn process_of(embedder: &Embedder) -> u32 {
    match embedder.status().state {
        State::Loaded(facts) => facts.process.expect("it is in a process of its own"),
        other => panic!("{other:?}"),
    }
}
