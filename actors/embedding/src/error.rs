//! What can go wrong between a text and its vector. Errors cross a process boundary and are kept to be shown again,
//! so they hold words and no sources.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A text that has no vector, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum EmbedError {
    /// A file of the model or the runtime is missing.
    #[error("{} is not there: run `make model`, or set where the model and ONNX Runtime are", file.display())]
    NotInstalled {
        /// The first that was looked for in vain.
        file: PathBuf,
    },
    /// A file is not what was installed.
    #[error("{} is damaged ({what}): run `make model` again", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The library is there and cannot be used.
    #[error("ONNX Runtime cannot be loaded from {}: {why}. 1.24 or newer is wanted: run `make model` again", file.display())]
    Runtime {
        /// The library.
        file: PathBuf,
        /// In the loader's words.
        why: String,
    },
    /// The files are whole and are no model that we can run.
    #[error("the model in {} cannot be loaded: {why}", folder.display())]
    Model {
        /// The model's folder.
        folder: PathBuf,
        /// In the runtime's words.
        why: String,
    },
    /// The model was loaded and could not do this text.
    #[error("the model failed: {why}")]
    Failed {
        /// In the runtime's words.
        why: String,
    },
    /// The model's process or code ended in the middle; it is loaded anew for the next request.
    #[error("the model's process ended: {why}")]
    Crashed {
        /// How.
        why: String,
    },
    /// A request of more texts than one may have.
    #[error("{texts} texts in one request: at most {max}")]
    TooMany {
        /// How many.
        texts: usize,
        /// How many there may be.
        max: usize,
    },
    /// As many requests of this priority wait as may.
    #[error("{waiting} requests wait for the model already: ask again later")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// It was not done in time. What was not begun is not done any more.
    #[error("the model did not answer in time")]
    Deadline,
    /// The worker ended in the middle of it, by a mistake of ours.
    #[error("the model's worker has ended")]
    Closed,
}

impl EmbedError {
    /// What callers are told, who have no business with this machine's paths; the whole is for the log and `doctor`.
    pub fn public(&self) -> String {
        match self {
            Self::NotInstalled { .. } => "no embedding model is installed: run `make model`".to_owned(),
            Self::Damaged { .. } => {
                "the embedding model's files are damaged: run `make model` again".to_owned()
            }
            Self::Runtime { .. } | Self::Model { .. } => {
                "the embedding model cannot be loaded: `llmbasedos doctor` and the log say why".to_owned()
            }
            Self::Crashed { .. } => "the embedding model's process ended: the log says how".to_owned(),
            Self::Failed { .. }
            | Self::TooMany { .. }
            | Self::Busy { .. }
            | Self::Deadline
            | Self::Closed => self.to_string(),
        }
    }

    /// Whether whoever was embedding is gone, and has to be loaded anew.
    pub(crate) fn ends_the_engine(&self) -> bool {
        matches!(self, Self::Crashed { .. })
    }

    pub(crate) fn damaged(file: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), what: what.into() }
    }

    pub(crate) fn crashed(why: impl Into<String>) -> Self {
        Self::Crashed { why: why.into() }
    }
}
