//! Nearest neighbours: query times and recall against exact 32-bit floats, with filters too, build times and memory;
//! beside FAISS on the same vectors.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use vectors::roaring::RoaringTreemap;
use vectors::{Hit, Index, Limits, Originals, Query, Shape};

use crate::installed;
use crate::random::{Clusters, DIMENSION, percentile};

const QUERIES: u64 = 200;
const K: usize = 10;

/// Seeds of queries, far from those of chunks.
const FIRST_QUERY: u64 = 1 << 40;

/// The package of Python with Facebook's library.
const FAISS: &str = "faiss-cpu==1.15.1";

struct Kept(Vec<f32>);

impl Originals for Kept {
    type Error = std::convert::Infallible;

    fn fetch(&self, ids: &[u64], found: &mut dyn FnMut(u64, &[f32])) -> Result<(), Self::Error> {
        for id in ids {
            found(*id, self.get(*id));
        }
        Ok(())
    }
}

impl Kept {
    fn get(&self, id: u64) -> &[f32] {
        let start = usize::try_from(id).expect("a place in memory") * DIMENSION;
        &self.0[start..start + DIMENSION]
    }
}

pub(crate) fn measure(folder: &Path, size: usize, alone: bool) -> anyhow::Result<()> {
    let clusters = Clusters::of(size);
    let kept = Kept((0..size as u64).flat_map(|seed| clusters.vector(seed)).collect());
    let queries: Vec<_> = (FIRST_QUERY..FIRST_QUERY + QUERIES).map(|seed| clusters.vector(seed)).collect();

    let shape = Shape { dimension: DIMENSION, fingerprint: [0; 16] };
    let index = vectors::open(&folder.join(format!("neighbours-{size}")), shape, Limits::default())?.index;
    let begun = Instant::now();
    let there = index.ids();
    let new: Vec<u64> = (0..size as u64).filter(|id| !there.contains(*id)).collect();
    for ids in new.chunks(1000) {
        index.insert(&ids.iter().map(|id| (*id, kept.get(*id))).collect::<Vec<_>>())?;
    }
    println!("\n### {size} chunks, neighbours\n\n{} inserted in {:.1?}", new.len(), begun.elapsed());
    while let Some(plan) = index.plan() {
        let (chunks, begun) = (plan.chunks(), Instant::now());
        let built = plan.build(2, &AtomicBool::new(false))?;
        let (took, begun) = (begun.elapsed(), Instant::now());
        index.install(built)?;
        println!("built {chunks} in {took:.1?}, installed in {:.1?}", begun.elapsed());
    }
    let stats = index.stats();
    println!("{stats:?}, {} bytes a chunk\n", stats.bytes / size);
    for part in [1, 2, 6, 20, 1000] {
        let best: Vec<_> = queries.iter().map(|vector| exact(&kept, vector, part)).collect();
        let allowed = (part > 1).then(|| (0..size as u64).filter(|id| id % part == 0).collect());
        report(&index, &kept, &queries, &best, part, allowed.as_ref());
    }
    if !alone {
        faiss(folder, &kept.0, &queries)?;
    }
    Ok(())
}

fn report(
    index: &Index,
    kept: &Kept,
    queries: &[Vec<f32>],
    best: &[Vec<u64>],
    part: u64,
    allowed: Option<&RoaringTreemap>,
) {
    let (mut times, mut found, mut wanted) = (Vec::new(), 0, 0);
    for (vector, best) in queries.iter().zip(best) {
        let begun = Instant::now();
        let hits = index.search(&Query { vector, k: K, allowed }, kept).expect("originals are there");
        times.push(begun.elapsed());
        found += shared(&hits[..best.len().min(hits.len())], best);
        wanted += best.len();
    }
    let recall = found as f64 / wanted as f64;
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!("ours, 1 of {part} allowed: p50 {p50:.2} ms, p99 {p99:.2} ms, recall@{K} {recall:.4}");
}

fn shared(hits: &[Hit], ids: &[u64]) -> usize {
    hits.iter().filter(|hit| ids.contains(&hit.id)).count()
}

fn exact(kept: &Kept, vector: &[f32], part: u64) -> Vec<u64> {
    let dot = |id: u64| {
        let (mut sums, row) = ([0.0_f32; 16], kept.get(id));
        for (a, b) in vector.as_chunks::<16>().0.iter().zip(row.as_chunks::<16>().0) {
            (0..16).for_each(|lane| sums[lane] += a[lane] * b[lane]);
        }
        sums.iter().sum::<f32>()
    };
    let ids = (0..(kept.0.len() / DIMENSION) as u64).filter(|id| id % part == 0);
    let mut all: Vec<_> = ids.map(|id| (dot(id), id)).collect();
    let last = K.min(all.len() - 1);
    all.select_nth_unstable_by(last, |a, b| b.0.total_cmp(&a.0));
    all.iter().take(K).map(|(_, id)| *id).collect()
}

/// Prints what FAISS makes of the same vectors and queries.
fn faiss(folder: &Path, chunks: &[f32], queries: &[Vec<f32>]) -> anyhow::Result<()> {
    let chunks = written(&folder.join("chunks.f32"), chunks.iter())?;
    let queries = written(&folder.join("queries.f32"), queries.iter().flatten())?;
    let python = installed::python(FAISS)?.join("python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/search/neighbours.py");
    let ended = Command::new(python).arg(script).args([&chunks, &queries]).output()?;
    print!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    std::fs::remove_file(chunks)?;
    Ok(())
}

fn written<'a>(path: &Path, mut floats: impl Iterator<Item = &'a f32>) -> anyhow::Result<PathBuf> {
    let mut file = BufWriter::new(File::create(path)?);
    floats.try_for_each(|float| file.write_all(&float.to_le_bytes()))?;
    file.flush()?;
    Ok(path.to_owned())
}
