//! Whole searches, as a caller makes them but for the question's own vector: files on the disk, read, kept in the state
//! file, found by words, by meaning and by both. Their vectors are made up, so that a million of them can be had.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::embedding::{Embed, EmbedError, Embedder, Facts, Role};
use index::{Ask, Config, Filter, Index, Mode, Query};
use supervisor::SupervisorSpec;

use crate::random::{Clusters, DIMENSION, percentile, sentence};

/// Chunks of a file; a heading and a text of a chunk's length each.
const CHUNKS_OF_FILE: usize = 500;

/// Files that are looked at and found unchanged.
const SMALL_FILES: usize = 20_000;

const QUERIES: u64 = 100;

/// A model whose vectors depend on the text and lie in clusters.
struct Made {
    clusters: Arc<Clusters>,
    facts: Facts,
}

impl Embed for Made {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn embed(&mut self, _: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let seed = |text: &String| {
            text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        };
        Ok(texts.iter().map(|text| self.clusters.vector(seed(text))).collect())
    }

    fn count(&mut self, texts: &[String]) -> Result<Vec<usize>, EmbedError> {
        Ok(texts.iter().map(|text| text.split(' ').count()).collect())
    }
}

pub(crate) fn measure(folder: &Path, chunks: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(&folder.join(format!("whole-{chunks}")), chunks))
}

async fn run(folder: &Path, chunks: usize) -> anyhow::Result<()> {
    println!("\n### {chunks} chunks, whole searches\n");
    let files = folder.join("files");
    if !files.exists() {
        lay_out(&files, chunks)?;
    }
    let clusters = Arc::new(Clusters::of(chunks));
    let load = move || -> Result<Box<dyn Embed>, EmbedError> {
        let facts = Facts {
            model: "made up".to_owned(),
            dimensions: DIMENSION,
            fingerprint: [1; 16],
            tokens_max: 256,
            runtime: "bench".to_owned(),
            process: None,
        };
        Ok(Box::new(Made { clusters: Arc::clone(&clusters), facts }))
    };
    let embedder = Embedder::new(load.clone(), Duration::from_hours(1));
    let index = Index::new(Config {
        files: Arc::new(harness::roots(&files)),
        reader: Arc::new(reading::Local::default()),
        store: store::Store::open(folder)?,
        folder: folder.join("index"),
        embedder: embedder.clone(),
        model: "made up".to_owned(),
        of_model: Box::new(move |_| Box::new(load.clone())),
        text_bytes: 16 << 20,
        document_bytes: 16 << 20,
        look_every: Duration::from_hours(24),
        limits: index::Limits::default(),
    });
    let spec = SupervisorSpec::new("bench")
        .child(::embedding::child("embedding", &embedder))
        .child(index::child("index", &index));
    let tree = supervisor::start(spec).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let begun = Instant::now();
    index.watch("/", true).await?.done().await;
    let read = begun.elapsed();
    while index.status(&["/"])?.wanting > 0 {
        index.news().await;
    }
    println!("read in {read:.1?}, vectors kept after {:.1?}", begun.elapsed());
    while !index.is_settled() {
        index.news().await;
    }
    println!("graphs built after {:.1?}", begun.elapsed());
    let status = index.status(&["/"])?;
    let state = fs::metadata(folder.join("llmbasedos.db")).map_or(0, |about| about.len());
    println!(
        "{} chunks in {} files; {} bytes of memory and {} bytes of disk a chunk",
        status.chunks,
        status.files,
        status.memory / status.chunks.max(1),
        state / status.chunks.max(1),
    );
    for mode in [Mode::Keyword, Mode::Semantic, Mode::Hybrid] {
        report(&index, mode).await?;
    }
    let mut looks = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        index.rescan("/small", true).done().await;
        looks.push(begun.elapsed());
    }
    println!("{SMALL_FILES} small files found unchanged in {:.0} ms", percentile(&mut looks, 50));
    tree.stop(Duration::from_secs(10)).await;
    Ok(())
}

async fn report(index: &Index, mode: Mode) -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(11);
    let mut times = Vec::new();
    for _ in 0..QUERIES {
        let words = sentence(&mut random, 6);
        let filter = Filter {
            tier: "ELITE",
            sees_all: true,
            below: &[],
            path: None,
            kinds: &[],
            modified_ns: (None, None),
        };
        let ask = Ask { query: Query::Text(&words), mode, top_k: 10, per_file: 3, filter };
        let begun = Instant::now();
        index.search(&ask).await?;
        times.push(begun.elapsed());
    }
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!("{mode:?}: p50 {p50:.2} ms, p99 {p99:.2} ms");
    Ok(())
}

fn lay_out(files: &Path, chunks: usize) -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(3);
    for file in 0..chunks / CHUNKS_OF_FILE {
        let mut text = String::new();
        for chunk in 0..CHUNKS_OF_FILE {
            let _ = write!(text, "# Part {chunk} of {file}\n\n{}\n\n", sentence(&mut random, 180));
        }
        let folder = files.join(format!("large/{:02}", file % 100));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{file}.md")), text)?;
    }
    for file in 0..SMALL_FILES {
        let folder = files.join(format!("small/{:02}", file % 100));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{file}.txt")), sentence(&mut random, 12))?;
    }
    Ok(())
}
