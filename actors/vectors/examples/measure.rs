//! Measures the index on clustered unit vectors: query times and recall against exact f32, with and without filters,
//! build times and memory. `cargo run --release -p llmbasedos-vectors --example measure -- 10000 100000 1000000`;
//! `131072:16384` makes segments of 16 384, many of them in little time. With a folder in `KEEP` what is built is kept
//! there, and measured again without building.

#![expect(clippy::print_stdout, reason = "a report is what it makes")]

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use vectors::roaring::RoaringTreemap;
use vectors::{Hit, Index, Limits, Originals, Query, Shape, VectorsError};

const DIMENSION: usize = 384;
const QUERIES: usize = 200;
const K: usize = 10;

/// Chunks of a cluster, on average; their cosine is about 0.6, that of different clusters 0.
const CLUSTER: usize = 100;
const SPREAD: f32 = 0.8;

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

fn main() -> Result<(), VectorsError> {
    let sizes: Vec<String> = std::env::args().skip(1).collect();
    for size in if sizes.is_empty() { vec!["10000".to_owned(), "100000".to_owned()] } else { sizes } {
        let (size, segment_max) =
            size.split_once(':').map_or((&*size, None), |(size, max)| (size, Some(max)));
        let number = |text: &str| text.parse().expect("CHUNKS or CHUNKS:SEGMENT_MAX");
        let limits = Limits::default();
        let segment_max = segment_max.map_or(limits.segment_max, number);
        measure(number(size), Limits { segment_max, ..limits })?;
    }
    Ok(())
}

fn measure(size: usize, limits: Limits) -> Result<(), VectorsError> {
    let mut random = fastrand::Rng::with_seed(5);
    let centres: Vec<_> = (0..size.div_ceil(CLUSTER)).map(|_| unit(&mut random, None)).collect();
    let near = |random: &mut fastrand::Rng| {
        let centre = random.usize(..centres.len());
        unit(random, Some(&centres[centre]))
    };
    let kept = Kept((0..size).flat_map(|_| near(&mut random)).collect());
    let queries: Vec<_> = (0..QUERIES).map(|_| near(&mut random)).collect();

    let shape = Shape { dimension: DIMENSION, fingerprint: [0; 16] };
    let index = match kept_in() {
        Some(folder) => vectors::open(&folder.join(size.to_string()), shape, limits)?.index,
        None => Index::in_memory(shape, limits)?,
    };
    let begun = Instant::now();
    let ids: Vec<u64> = (0..size as u64).collect();
    let there = index.ids();
    let new: Vec<u64> = ids.iter().copied().filter(|id| !there.contains(*id)).collect();
    for ids in new.chunks(1000) {
        index.insert(&ids.iter().map(|id| (*id, kept.get(*id))).collect::<Vec<_>>())?;
    }
    println!("{size} chunks: inserted in {:.1?}", begun.elapsed());
    while let Some(plan) = index.plan() {
        let (chunks, begun) = (plan.chunks(), Instant::now());
        let built = plan.build(2, &AtomicBool::new(false))?;
        let (took, begun) = (begun.elapsed(), Instant::now());
        index.install(built)?;
        println!("  built {chunks} in {took:.1?}, installed in {:.1?}", begun.elapsed());
    }
    let stats = index.stats();
    println!("  {stats:?}, {} bytes a chunk", stats.bytes / size);
    for part in [1, 2, 4, 6, 20, 100, 1000] {
        let best: Vec<_> = queries.iter().map(|vector| exact(&kept, vector, part)).collect();
        let allowed = (part > 1).then(|| ids.iter().copied().filter(|id| id % part == 0).collect());
        report(&index, &kept, &queries, &best, K, part, allowed.as_ref());
        if part == 1 {
            // Asking for more widens the walks: what the best ten gain by it says how narrow they are.
            report(&index, &kept, &queries, &best, 2 * K, part, None);
            report(&index, &kept, &queries, &best, 3 * K, part, None);
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an example's only option that is no size")]
fn kept_in() -> Option<std::path::PathBuf> {
    std::env::var_os("KEEP").map(Into::into)
}

fn report(
    index: &Index,
    kept: &Kept,
    queries: &[Vec<f32>],
    best: &[Vec<u64>],
    k: usize,
    part: u64,
    allowed: Option<&RoaringTreemap>,
) {
    let (mut times, mut found, mut wanted) = (Vec::new(), 0, 0);
    for (vector, best) in queries.iter().zip(best) {
        let begun = Instant::now();
        let hits = index.search(&Query { vector, k, allowed }, kept).expect("originals are there");
        times.push(begun.elapsed());
        found += shared(&hits[..best.len()], best);
        wanted += best.len();
    }
    times.sort();
    let at = |percent: usize| Duration::as_secs_f64(&times[(times.len() - 1) * percent / 100]) * 1000.0;
    let recall = found as f64 / wanted as f64;
    println!("  k {k}, 1 of {part}: p50 {:.2} ms, p99 {:.2} ms, recall@{K} {recall:.4}", at(50), at(99));
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

/// A unit vector, near `centre` if there is one. The sum of four uniform numbers is normal enough.
fn unit(random: &mut fastrand::Rng, centre: Option<&[f32]>) -> Vec<f32> {
    let mut normal = || (0..4).map(|_| random.f32() - 0.5).sum::<f32>();
    let mut vector: Vec<_> = (0..DIMENSION).map(|_| normal()).collect();
    normalise(&mut vector);
    if let Some(centre) = centre {
        vector.iter_mut().zip(centre).for_each(|(noise, centre)| *noise = *noise * SPREAD + centre);
        normalise(&mut vector);
    }
    vector
}

fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    for value in &mut *vector {
        *value /= length;
    }
}
