//! One request on its way: what of it is done, what is next, and who waits for it.

use std::time::Instant;

use tokio::sync::oneshot;

use crate::engine::{Embed, Role};
use crate::error::EmbedError;
use crate::queue::Priority;

/// Texts of one pass together, in bytes for each core: some 250 tokens, which is one chunk, or a dozen headings. More at
/// once is no faster (a core is busy with one chunk) and needs more memory; and a query waits for one pass at most.
const PASS_BYTES: usize = 1_000;

/// Where the answer goes. Closed when nobody waits any more.
pub(crate) type Answer<T> = oneshot::Sender<Result<Vec<T>, EmbedError>>;

pub(crate) struct Job {
    pub(crate) priority: Priority,
    pub(crate) deadline: Instant,
    work: Work,
}

enum Work {
    Embed(Vectors),
    /// All in one pass, as that takes a hundredth of what their vectors would.
    Count {
        texts: Vec<String>,
        counts: Vec<usize>,
        answer: Answer<usize>,
    },
}

/// Texts that become vectors, the shortest first, so that those of a pass are of a length.
struct Vectors {
    role: Role,
    texts: Vec<String>,
    /// Indices into `texts`, by length; the first `done` of them are.
    order: Vec<usize>,
    done: usize,
    vectors: Vec<Vec<f32>>,
    answer: Answer<Vec<f32>>,
}

// === impl Job ===

impl Job {
    /// One that answers vectors.
    pub(crate) fn embed(
        role: Role,
        texts: Vec<String>,
        priority: Priority,
        deadline: Instant,
        answer: Answer<Vec<f32>>,
    ) -> Self {
        Self { priority, deadline, work: Work::Embed(Vectors::new(role, texts, answer)) }
    }

    /// One that answers how many tokens there are.
    pub(crate) fn count(
        texts: Vec<String>,
        priority: Priority,
        deadline: Instant,
        answer: Answer<usize>,
    ) -> Self {
        Self { priority, deadline, work: Work::Count { texts, counts: Vec::new(), answer } }
    }

    /// Whether somebody still waits, and will at the end of a pass.
    pub(crate) fn is_wanted(&self) -> bool {
        let closed = match &self.work {
            Work::Embed(vectors) => vectors.answer.is_closed(),
            Work::Count { answer, .. } => answer.is_closed(),
        };
        !closed && Instant::now() < self.deadline
    }

    /// Does one pass of it. Whether that was the last.
    ///
    /// # Errors
    /// What the model failed with.
    pub(crate) fn pass(&mut self, model: &mut dyn Embed) -> Result<bool, EmbedError> {
        match &mut self.work {
            Work::Embed(vectors) => vectors.pass(model),
            Work::Count { texts, counts, .. } => {
                *counts = model.count(texts)?;
                Ok(true)
            }
        }
    }

    /// Answers what the passes have made, or why there is nothing.
    pub(crate) fn finish(self, outcome: Result<(), EmbedError>) {
        // Whoever asked may have left.
        match self.work {
            Work::Embed(Vectors { vectors, answer, .. }) => drop(answer.send(outcome.map(|()| vectors))),
            Work::Count { counts, answer, .. } => drop(answer.send(outcome.map(|()| counts))),
        }
    }
}

// === impl Vectors ===

impl Vectors {
    fn new(role: Role, texts: Vec<String>, answer: Answer<Vec<f32>>) -> Self {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&at| texts[at].len());
        let vectors = vec![Vec::new(); texts.len()];
        Self { role, texts, order, done: 0, vectors, answer }
    }

    fn pass(&mut self, model: &mut dyn Embed) -> Result<bool, EmbedError> {
        let rest = &self.order[self.done..];
        // Padded to the longest, which is the last: as many of them as stay below the limit, and one at least.
        let most = PASS_BYTES * model.at_once();
        let fits = |&(count, at): &(usize, &usize)| (count + 1) * self.texts[*at].len() <= most;
        let count = rest.iter().enumerate().take_while(fits).count().max(1).min(rest.len());
        let places = &rest[..count];
        let texts: Vec<String> = places.iter().map(|&at| std::mem::take(&mut self.texts[at])).collect();
        if texts.is_empty() {
            return Ok(true);
        }
        let vectors = model.embed(self.role, &texts)?;
        if vectors.len() != count {
            return Err(EmbedError::crashed(format!("{} vectors of {count} texts", vectors.len())));
        }
        for (&at, vector) in places.iter().zip(vectors) {
            self.vectors[at] = vector;
        }
        self.done += count;
        Ok(self.done == self.order.len())
    }
}
