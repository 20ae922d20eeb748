//! Finding: by words, by meaning, and by both.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roaring::RoaringTreemap;
use store::StoreError;

use crate::db;
use crate::fuse::{Fused, Ranks, fuse};
use crate::index::{Index, Shared};
use crate::near;
use crate::snippet::{preview, snippet};
use crate::table::Entry;

/// How long a question may wait for its vector; a model that is not loaded yet takes a second or two.
const VECTOR_WITHIN: Duration = Duration::from_secs(20);

/// Candidates of each ranking that are fused, at least, and for each result.
const CANDIDATES_MIN: usize = 100;
const CANDIDATES_PER_RESULT: usize = 8;

/// So many of the nearest are compared exactly; of the others it only matters that they are behind these.
const EXACT_MAX: usize = 50;

/// And at most, however many of them are one file's.
const CANDIDATES_MAX: usize = 20_000;

/// How it is looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By both, fused; by words alone while there is no model.
    #[default]
    Hybrid,
    /// By meaning.
    Semantic,
    /// By words.
    Keyword,
}

/// Which files count.
pub struct Filter<'a> {
    /// Who asks: files that this tier may not read do not exist.
    pub tier: &'a str,
    /// Whether this tier may read everything that there is.
    pub sees_all: bool,
    /// Only at and below one of these; everywhere when there is none.
    pub below: &'a [String],
    /// Only paths that this says yes to.
    pub path: Option<&'a (dyn Fn(&str) -> bool + Sync)>,
    /// Only content types that begin with one of these: `text/`, `application/pdf`.
    pub kinds: &'a [String],
    /// Only files that were changed in this time, in nanoseconds since 1970.
    pub modified_ns: (Option<i64>, Option<i64>),
}

/// A question.
pub struct Ask<'a> {
    /// What is looked for.
    pub query: Query<'a>,
    /// How.
    pub mode: Mode,
    /// How many pieces of files.
    pub top_k: usize,
    /// At most so many of one file; 0 is no limit.
    pub per_file: usize,
    /// Which files count.
    pub filter: Filter<'a>,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Query<'a> {
    /// What these words mean.
    Text(&'a str),
    /// What is like the file at this path, which is not among the results.
    Like(&'a str),
}

/// A piece of a file that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The file.
    pub path: String,
    /// Its content type.
    pub kind: String,
    /// From 0 to 1. By meaning it is the cosine; by words, which part of the query's words it has, weighed by how rare
    /// they are; by both, a sum of such parts.
    pub score: f64,
    /// The cosine with the question, and the place in that ranking, from 1.
    pub semantic: Option<(f64, usize)>,
    /// BM25, and the place in that ranking, from 1.
    pub keyword: Option<(f64, usize)>,
    /// The headings above it, outermost first.
    pub trail: Vec<String>,
    /// The lines that the question is about.
    pub snippet: String,
    /// The beginning of the piece.
    pub preview: String,
    /// Its bytes, up to and without the end.
    pub bytes: (u64, u64),
    /// Its first and last line, or page, from 1.
    pub lines: (u32, u32),
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Why meaning did not count, if it did not and was to.
    pub without_meaning: Option<String>,
}

/// Why nothing could be looked for.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// There is nothing in the index.
    #[error("nothing is indexed yet")]
    Empty,
    /// The file is not in the index.
    #[error("that file is not in the index")]
    NotIndexed,
    /// Meaning was asked for and cannot be had.
    #[error("{0}")]
    NoMeaning(String),
    /// The state file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A mistake of ours.
    #[error("{0}")]
    Internal(String),
}

/// The rankings to be fused.
#[derive(Default)]
struct Rankings {
    vector: Vec<(u64, f64)>,
    words: Vec<(u64, f64)>,
    /// What the words of the query weigh.
    weight: f64,
}

impl Index {
    /// Looks for something.
    ///
    /// # Errors
    /// When nothing is indexed, or meaning alone was asked for and there is none.
    pub async fn search(&self, ask: &Ask<'_>) -> Result<Answer, SearchError> {
        let shared = &self.0;
        shared.opened.wait().await;
        let allowed = shared.allowed(&ask.filter);
        if allowed.as_ref().is_some_and(RoaringTreemap::is_empty) {
            return Ok(Answer::default());
        }
        if shared.table().is_empty() {
            return Err(SearchError::Empty);
        }
        let (vector, words, without_meaning) = match ask.query {
            Query::Like(path) => match shared.mean(path).await {
                Ok(vector) => (Some(vector), None, None),
                // Its own words are the next best.
                Err(SearchError::NoMeaning(why)) => (None, Some(shared.words_of(path).await?), Some(why)),
                Err(other) => return Err(other),
            },
            Query::Text(text) if ask.mode == Mode::Keyword => (None, Some(text.to_owned()), None),
            Query::Text(text) => match (shared.question(text).await, ask.mode) {
                (Ok(vector), Mode::Semantic) => (Some(vector), None, None),
                (Ok(vector), _) => (Some(vector), Some(text.to_owned()), None),
                (Err(why), Mode::Semantic) => return Err(SearchError::NoMeaning(why)),
                (Err(why), _) => (None, Some(text.to_owned()), Some(why)),
            },
        };
        let (work, mode) = (Arc::clone(shared), ask.mode);
        let (top_k, per_file) = (ask.top_k, if ask.per_file == 0 { usize::MAX } else { ask.per_file });
        let except = match ask.query {
            Query::Like(path) => Some(path.to_owned()),
            Query::Text(_) => None,
        };
        let asked = match ask.query {
            Query::Text(text) => text.to_owned(),
            Query::Like(_) => String::new(),
        };
        let seen = allowed_paths(&ask.filter, shared);
        let found = tokio::task::spawn_blocking(move || {
            let mut candidates = CANDIDATES_MIN.max(top_k.saturating_mul(CANDIDATES_PER_RESULT));
            loop {
                let rankings =
                    work.rankings(vector.as_deref(), words.as_deref(), candidates, allowed.as_ref())?;
                let more = rankings.vector.len() >= candidates || rankings.words.len() >= candidates;
                let fused = fuse(&rankings.vector, &rankings.words, rankings.weight);
                let hits = work.hits(&fused, &asked, mode, top_k, per_file, except.as_deref(), &*seen)?;
                // Too few because of one file's many pieces: further down there are others.
                if hits.len() >= top_k || !more || candidates >= CANDIDATES_MAX {
                    return Ok(hits);
                }
                candidates = candidates.saturating_mul(4);
            }
        });
        let hits = found.await.unwrap_or_else(|error| Err(SearchError::Internal(error.to_string())))?;
        Ok(Answer { hits, without_meaning })
    }
}

/// Whether a path may be shown, for after the search: a text may stand in several files.
fn allowed_paths(filter: &Filter<'_>, shared: &Arc<Shared>) -> Box<dyn Fn(&str) -> bool + Send> {
    let table = shared.table();
    if !is_narrow(filter) {
        return Box::new(|_| true);
    }
    let wanted: std::collections::HashSet<String> =
        table.paths(|entry| shared.passes(filter, entry)).collect();
    Box::new(move |path| wanted.contains(path))
}

fn is_narrow(filter: &Filter<'_>) -> bool {
    !filter.sees_all
        || !filter.below.is_empty()
        || filter.path.is_some()
        || !filter.kinds.is_empty()
        || filter.modified_ns != (None, None)
}

impl Shared {
    /// The texts that count; none: all of them.
    fn allowed(&self, filter: &Filter<'_>) -> Option<RoaringTreemap> {
        is_narrow(filter).then(|| self.table().texts(|entry| self.passes(filter, entry)))
    }

    fn passes(&self, filter: &Filter<'_>, entry: &Entry) -> bool {
        let below = || filter.below.iter().any(|path| db::is_below(&entry.path, path));
        let (from, until) = filter.modified_ns;
        (filter.below.is_empty() || below())
            && (filter.kinds.is_empty()
                || filter.kinds.iter().any(|kind| entry.kind.starts_with(kind.as_str())))
            && from.is_none_or(|from| entry.modified_ns >= from)
            && until.is_none_or(|until| entry.modified_ns <= until)
            && filter.path.is_none_or(|path| path(&entry.path))
            && (filter.sees_all || self.contents.files.shown_to(filter.tier, &entry.path))
    }

    /// The question's vector, or why there is none.
    async fn question(self: &Arc<Self>, query: &str) -> Result<Vec<f32>, String> {
        let Some(near) = near::of(&self.near) else {
            let failed = match self.embedder.status().state {
                embedding::State::Failed(error) => Some(error.public()),
                _ => None,
            };
            let trouble = || self.trouble.lock().ok()?.clone();
            return Err(failed.or_else(trouble).unwrap_or_else(|| "no vectors are made yet".to_owned()));
        };
        // What is called otherwise than the vectors' model is another one, as far as is known before it is loaded.
        let is_other = near.model.name != self.model && self.earlier.is_there(&near.model);
        if near::of(&self.next).is_none() && !is_other {
            let vector = self.query_vector(query, Instant::now() + VECTOR_WITHIN).await;
            let vector = vector.map_err(|error| error.public())?;
            // The process may hold another model than the one that the vectors are of, of as many dimensions.
            self.know_the_model().await?;
            let now = near::of(&self.near).filter(|_| near::of(&self.next).is_none());
            if now.is_some_and(|now| self.is_loaded(&now) && vector.len() == now.model.dimensions as usize) {
                return Ok(vector);
            }
        }
        self.question_to_the_earlier(query, near).await
    }

    /// Whether the model that is loaded is the one of these vectors.
    fn is_loaded(&self, near: &near::Near) -> bool {
        let loaded = self.embedder.status().state;
        matches!(loaded, embedding::State::Loaded(facts) if facts.fingerprint == near.model.fingerprint)
    }

    /// A question's vector by the model that is answered from until the next one's vectors are made.
    async fn question_to_the_earlier(
        self: &Arc<Self>,
        query: &str,
        near: Arc<near::Near>,
    ) -> Result<Vec<f32>, String> {
        let (shared, query) = (Arc::clone(self), query.to_owned());
        let asked = tokio::task::spawn_blocking(move || shared.earlier.vector(&near.model, &query));
        match asked.await.map_err(|error| error.to_string())? {
            Ok(vector) => Ok(vector),
            Err(error) => {
                tracing::warn!(%error, "the earlier model cannot be asked; its vectors are given up");
                if let Some(next) = near::of(&self.next) {
                    self.give_up_the_earlier(next).await?;
                }
                Err("the model was changed, and its vectors are being made".to_owned())
            }
        }
    }

    /// The mean of a file's vectors.
    async fn mean(self: &Arc<Self>, path: &str) -> Result<Vec<f32>, SearchError> {
        let texts = self.table().at(path).map(|entry| entry.texts.clone()).ok_or(SearchError::NotIndexed)?;
        let near = near::of(&self.near);
        let near = near.ok_or_else(|| SearchError::NoMeaning("no vectors are made yet".to_owned()))?;
        let read = tokio::task::spawn_blocking(move || {
            let mut mean = vec![0.0_f32; near.model.dimensions as usize];
            for text in texts {
                let vector = near.vector(text)?.unwrap_or_default();
                mean.iter_mut().zip(vector).for_each(|(sum, part)| *sum += part);
            }
            Ok::<_, StoreError>(mean)
        });
        let mut mean = read.await.map_err(|error| SearchError::Internal(error.to_string()))??;
        let length = mean.iter().map(|part| part * part).sum::<f32>().sqrt();
        if length == 0.0 {
            return Err(SearchError::NoMeaning("its vectors are not made yet".to_owned()));
        }
        for part in &mut mean {
            *part /= length;
        }
        Ok(mean)
    }

    /// The beginning of what a file says.
    async fn words_of(self: &Arc<Self>, path: &str) -> Result<String, SearchError> {
        let texts = self.table().at(path).map(|entry| entry.texts.clone()).ok_or(SearchError::NotIndexed)?;
        let shared = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || {
            shared.store.read_blocking(|db| db::texts(db, texts.get(..1).unwrap_or_default()))
        });
        let read = read.await.map_err(|error| SearchError::Internal(error.to_string()))??;
        Ok(read.into_iter().map(|(_, text)| text).collect())
    }

    fn rankings(
        &self,
        vector: Option<&[f32]>,
        words: Option<&str>,
        candidates: usize,
        allowed: Option<&RoaringTreemap>,
    ) -> Result<Rankings, SearchError> {
        let by_meaning = || self.nearest(vector?, candidates, allowed);
        let by_words = |query| self.with_words(query, candidates, allowed);
        // Each takes about as long as the other, and mostly waits for memory.
        let (vector, words) = std::thread::scope(|scope| {
            let words = words.map(|query| scope.spawn(move || by_words(query)));
            let vector = by_meaning();
            let panicked = |_| Err(SearchError::Internal("looking for words panicked".to_owned()));
            (vector, words.map(|words| words.join().unwrap_or_else(panicked)))
        });
        let (words, weight) = words.transpose()?.unwrap_or_default();
        Ok(Rankings { vector: vector.transpose()?.unwrap_or_default(), words, weight })
    }

    /// The nearest texts, each with its cosine; none while no vectors are made.
    fn nearest(
        &self,
        vector: &[f32],
        candidates: usize,
        allowed: Option<&RoaringTreemap>,
    ) -> Option<Result<Vec<(u64, f64)>, SearchError>> {
        let near = near::of(&self.near)?;
        let found = near.search(vector, candidates, candidates.min(EXACT_MAX), allowed);
        let found = found.map_err(|error| SearchError::Internal(error.to_string()));
        Some(found.map(|hits| hits.into_iter().map(|hit| (hit.id, f64::from(hit.score))).collect()))
    }

    /// The texts with the words of a query, each with its BM25; and what those words weigh together.
    fn with_words(
        &self,
        query: &str,
        candidates: usize,
        allowed: Option<&RoaringTreemap>,
    ) -> Result<(Vec<(u64, f64)>, f64), SearchError> {
        let is_allowed = |text| allowed.is_none_or(|allowed| allowed.contains(text));
        let known = near::of(&self.near).map(|near| near.len() as u64 + near.wanted());
        Ok(self.store.read_blocking(|db| {
            let known = known.map_or_else(|| db::texts_known(db), Ok)?;
            let Some(wanted) = db::wanted(db, query, known)? else { return Ok(Default::default()) };
            let mut found = db::matches(db, &wanted.expression, candidates, &is_allowed)?;
            // The rarest words may stand only where this caller does not look.
            if let Some(all) = wanted.all.filter(|_| allowed.is_some() && found.len() < candidates) {
                found = db::matches(db, &all, candidates, &is_allowed)?;
            }
            Ok((found, wanted.weight))
        })?)
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a search, called in one place")]
    fn hits(
        &self,
        fused: &[Fused],
        query: &str,
        mode: Mode,
        top_k: usize,
        per_file: usize,
        except: Option<&str>,
        seen: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Hit>, SearchError> {
        let mut of_file: HashMap<String, usize> = HashMap::new();
        let mut hits = Vec::with_capacity(top_k);
        let texts: Vec<u64> = fused.iter().map(|one| one.text).collect();
        self.store.read_blocking(|db| {
            db::hits(db, &texts, |nth, place| {
                if Some(place.path.as_str()) != except && seen(&place.path) {
                    let count = of_file.entry(place.path.clone()).or_default();
                    if *count < per_file {
                        *count += 1;
                        hits.push(hit(place, &fused[nth], query, mode));
                    }
                }
                hits.len() < top_k
            })
        })?;
        Ok(hits)
    }
}

fn hit(place: db::Hit, fused: &Fused, query: &str, mode: Mode) -> Hit {
    let db::Hit { path, kind, trail, text, bytes, lines, .. } = place;
    let Ranks { vector, words } = fused.ranks;
    let ranked = |place: Option<(usize, f64)>| place.map(|(rank, score)| (score, rank + 1));
    let score = match mode {
        // A cosine; below 0 is as far as can be.
        Mode::Semantic => vector.map_or(0.0, |(_, cosine)| cosine.clamp(0.0, 1.0)),
        Mode::Hybrid | Mode::Keyword => fused.score.clamp(0.0, 1.0),
    };
    let trail = trail.split(crate::contents::TRAIL_SEPARATOR).filter(|part| !part.is_empty());
    Hit {
        score: (score * 1e4).round() / 1e4,
        semantic: ranked(vector),
        keyword: ranked(words),
        trail: trail.map(str::to_owned).collect(),
        snippet: snippet(&text, query).0,
        preview: preview(&text),
        path,
        kind,
        bytes,
        lines,
    }
}
