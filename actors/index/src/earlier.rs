//! A model that was used before: it makes the vectors of questions until the next one's index is complete.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use embedding::{Embed, EmbedError, Load, Role};

use crate::db::Model;

/// Where a model of a name is loaded from.
pub type OfModel = Box<dyn Fn(&str) -> Box<dyn Load> + Send + Sync>;

/// How long it is kept without a question.
const IDLE: Duration = Duration::from_mins(1);

/// The earlier model, loaded while somebody asks.
pub(crate) struct Earlier {
    of_model: OfModel,
    running: Mutex<Option<Running>>,
}

struct Running {
    model: Box<dyn Embed>,
    asked: Instant,
}

impl Earlier {
    pub(crate) fn new(of_model: OfModel) -> Self {
        Self { of_model, running: Mutex::default() }
    }

    /// Whether it is there, from a glance at the disk.
    pub(crate) fn is_there(&self, model: &Model) -> bool {
        !model.name.is_empty() && (self.of_model)(&model.name).look().is_ok()
    }

    /// A question's vector. Blocks; one question after the other.
    ///
    /// # Errors
    /// When the model cannot be loaded, or is no longer the one that it was.
    pub(crate) fn vector(&self, model: &Model, query: &str) -> Result<Vec<f32>, EmbedError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out: what fails is not asked again.
        let mut loaded = match running.take() {
            Some(there) if there.model.facts().fingerprint == model.fingerprint => there.model,
            _ => (self.of_model)(&model.name).load()?,
        };
        if loaded.facts().fingerprint != model.fingerprint {
            return Err(EmbedError::Failed { why: "the earlier model was changed".to_owned() });
        }
        let vector = loaded.embed(Role::Query, &[query.to_owned()])?.pop().ok_or(EmbedError::Closed)?;
        *running = Some(Running { model: loaded, asked: Instant::now() });
        Ok(vector)
    }

    /// Gives it back when nobody asks, or (`now`) will any more.
    pub(crate) fn rest(&self, now: bool) {
        if let Ok(mut running) = self.running.try_lock() {
            running.take_if(|there| now || there.asked.elapsed() > IDLE);
        }
    }
}
