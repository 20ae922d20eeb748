//! Vectors and texts that are made up, the same ones every time.

use std::time::Duration;

pub(crate) const DIMENSION: usize = 384;

/// Chunks of a cluster, on average; their cosine is about 0.6, that of different clusters 0.
const CLUSTER: usize = 100;
const SPREAD: f32 = 0.8;

/// Words of which few are in most texts and most in few, as it is with words.
const WORDS: f64 = 50_000.0;

/// Clusters of unit vectors.
pub(crate) struct Clusters {
    centres: Vec<Vec<f32>>,
}

impl Clusters {
    pub(crate) fn of(chunks: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(5);
        Self { centres: (0..chunks.div_ceil(CLUSTER)).map(|_| unit(&mut random, None)).collect() }
    }

    /// A vector near one of the centres; which, and where, is the seed's.
    pub(crate) fn vector(&self, seed: u64) -> Vec<f32> {
        let mut random = fastrand::Rng::with_seed(seed);
        let centre = random.usize(..self.centres.len());
        unit(&mut random, Some(&self.centres[centre]))
    }
}

/// A sentence of so many words.
pub(crate) fn sentence(random: &mut fastrand::Rng, words: usize) -> String {
    let word = |random: &mut fastrand::Rng| {
        // Zipf's law, by turning a uniform number round.
        let rank = WORDS.powf(random.f64()).floor();
        format!("w{rank}")
    };
    let all: Vec<String> = (0..words).map(|_| word(random)).collect();
    all.join(" ") + "."
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

/// The time that so many percent are below, in milliseconds.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort();
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3
}
