//! An index in a process of its own, to be killed: `search-keeper STATE FILES`.
//!
//! Its model is made of words and quick, and it builds graphs of a few dozen vectors, so that a second has many of the
//! moments that a large index has in a day. It writes down every text before it makes its vector (`STATE/embedded`), and
//! answers `keyword WORDS`, `semantic WORDS`, `status`, and, once files and graphs are, `current`, a line each.

#![expect(clippy::print_stdout, reason = "its answers")]

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use embedding::{Embed, EmbedError, Embedder, Facts, Role};
use index::{Ask, Config, Filter, Index, Limits, Mode, Query};
use supervisor::SupervisorSpec;
use tokio::io::{AsyncBufReadExt as _, BufReader};

const DIMENSIONS: usize = 512;

/// A word is a dimension: texts that share words are near.
struct Words {
    facts: Facts,
    embedded: File,
}

impl Embed for Words {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn embed(&mut self, role: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if role == Role::Passage {
            let lines: String =
                texts.iter().flat_map(|text| [text.lines().last().unwrap_or_default(), "\n"]).collect();
            let failed = |error: std::io::Error| EmbedError::Failed { why: error.to_string() };
            self.embedded.write_all(lines.as_bytes()).map_err(failed)?;
        }
        Ok(texts.iter().map(|text| vector(text)).collect())
    }

    fn count(&mut self, texts: &[String]) -> Result<Vec<usize>, EmbedError> {
        Ok(texts.iter().map(|text| text.split_whitespace().count()).collect())
    }
}

fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.01; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash =
            word.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
        let at = usize::try_from(hash % DIMENSIONS as u64).unwrap_or_default();
        vector[at] += 1.0;
    }
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    vector.iter().map(|part| part / length).collect()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    let [state, files, ..] = &arguments[..] else { anyhow::bail!("usage: search-keeper STATE FILES") };
    let index = start(state, files).await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    index.0.watch("/", true).await?;
    while let Some(line) = lines.next_line().await? {
        let (verb, words) = line.split_once(' ').unwrap_or((&line, ""));
        println!("{}", answer(&index.0, verb, words).await?);
    }
    Ok(())
}

async fn answer(index: &Index, verb: &str, words: &str) -> anyhow::Result<String> {
    let mode = match verb {
        "keyword" => Mode::Keyword,
        "semantic" => Mode::Semantic,
        "current" => {
            index.rescan("/", true).done().await;
            loop {
                let status = index.status(&["/"])?;
                let done = status.waiting == 0 && status.wanting == 0 && index.is_settled();
                if done || status.behind.is_some() {
                    return Ok("current".to_owned());
                }
                index.news().await;
            }
        }
        _ => {
            let status = index.status(&["/"])?;
            let of = |why: Option<String>| why.unwrap_or_else(|| "-".to_owned());
            return Ok(format!(
                "{} {} {} {} {} | {}",
                status.files,
                status.skipped,
                status.texts,
                status.vectors,
                index.done().0,
                of(status.behind)
            ));
        }
    };
    let filter = Filter {
        tier: "ELITE",
        sees_all: true,
        below: &[],
        path: None,
        kinds: &[],
        modified_ns: (None, None),
    };
    let ask = Ask { query: Query::Text(words), mode, top_k: 20, per_file: 3, filter };
    let found: BTreeSet<String> = match index.search(&ask).await {
        Ok(answer) => answer.hits.into_iter().map(|hit| hit.path).collect(),
        Err(index::SearchError::Empty) => BTreeSet::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(found.into_iter().collect::<Vec<_>>().join(" "))
}

/// An index that runs, with its tree.
struct Running(Index, #[expect(dead_code, reason = "kept alive")] supervisor::Tree);

async fn start(state: &Path, files: &Path) -> anyhow::Result<Running> {
    let log = state.join("embedded");
    let load = move || -> Result<Box<dyn Embed>, EmbedError> {
        let failed = |error: std::io::Error| EmbedError::Failed { why: error.to_string() };
        let embedded = OpenOptions::new().create(true).append(true).open(&log).map_err(failed)?;
        let facts = Facts {
            model: "words".to_owned(),
            dimensions: DIMENSIONS,
            fingerprint: [1; 16],
            tokens_max: 256,
            runtime: "a test".to_owned(),
            process: None,
        };
        Ok(Box::new(Words { facts, embedded }))
    };
    let embedder = Embedder::new(load.clone(), Duration::from_hours(1));
    let index = Index::new(Config {
        files: Arc::new(harness::roots(files)),
        reader: Arc::new(reading::Local::default()),
        store: store::Store::open(state)?,
        folder: state.join("index"),
        embedder: embedder.clone(),
        model: "words".to_owned(),
        of_model: Box::new(move |_| Box::new(load.clone())),
        text_bytes: 1 << 20,
        document_bytes: 1 << 20,
        look_every: Duration::from_hours(1),
        limits: Limits { exact_max: 48, seal: 32, segment_max: 256, dead_percent: 20 },
    });
    let spec = SupervisorSpec::new("keeper")
        .child(embedding::child("embedding", &embedder))
        .child(index::child("index", &index));
    let tree = supervisor::start(spec).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(Running(index, tree))
}
