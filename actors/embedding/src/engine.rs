//! What turns texts into vectors, whoever does: a model in this process, one in another, a script in a test.

use serde::{Deserialize, Serialize};

use crate::error::EmbedError;

/// What a text is to the search. Some models are trained with a word before the text that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What somebody looks for.
    Query,
    /// What may be found.
    Passage,
}

/// What a loaded model is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its name, or its folder.
    pub model: String,
    /// How long its vectors are.
    pub dimensions: usize,
    /// What its vectors depend on, hashed: files, pooling, prefixes, length. Vectors of another are of no use.
    pub fingerprint: [u8; 16],
    /// How many tokens it reads of a text, its own two included; the rest is as if it were not there.
    pub tokens_max: usize,
    /// Who runs it, with version and place: for people.
    pub runtime: String,
    /// The process it is in; none if it is the caller's own.
    pub process: Option<u32>,
}

/// A loaded model. Its calls block for as long as they compute; dropping it unloads it.
pub trait Embed: Send {
    /// What it is.
    fn facts(&self) -> &Facts;

    /// How many chunks keep its cores busy in one pass. One for each core: what a core waits for another between the steps
    /// of a pass is the less, the longer the steps are.
    fn at_once(&self) -> usize {
        1
    }

    /// A vector of length one for each text, in order. The texts are of about one length and few enough for one pass.
    ///
    /// # Errors
    /// [`EmbedError::Failed`] when these texts cannot be done, [`EmbedError::Crashed`] when nothing can be any more.
    fn embed(&mut self, role: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// How many tokens each text has, without those that the model puts around it and whatever its limit.
    ///
    /// # Errors
    /// As [`Embed::embed`].
    fn count(&mut self, texts: &[String]) -> Result<Vec<usize>, EmbedError>;
}

/// Where models come from.
pub trait Load: Send + Sync {
    /// Loads the model, which takes a moment and a hundred megabytes.
    ///
    /// # Errors
    /// Those that say what is missing, damaged or unsuitable.
    fn load(&self) -> Result<Box<dyn Embed>, EmbedError>;

    /// Whether what would be loaded is there, from a glance at the disk.
    ///
    /// # Errors
    /// [`EmbedError::NotInstalled`], or [`EmbedError::Damaged`] for a wrong size.
    fn look(&self) -> Result<(), EmbedError> {
        Ok(())
    }
}

impl<F> Load for F
where
    F: Fn() -> Result<Box<dyn Embed>, EmbedError> + Send + Sync,
{
    fn load(&self) -> Result<Box<dyn Embed>, EmbedError> {
        self()
    }
}
