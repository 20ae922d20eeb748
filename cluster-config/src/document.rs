//! A YAML file to which somebody else gives a meaning: its value, and every complaint about it at its line.

use std::path::Path;

use schemars::JsonSchema;
use serde_json::Value;

use crate::environment::Environment;
use crate::file::File;
use crate::mistake::{Mistake, in_reading_order};
use crate::secret::{Secret, resolve};
use crate::shape::{Complaint, Shape};
pub use crate::yaml::Step;

/// A file that was read.
pub struct Document(File);

/// What a document must look like: the schema of a type.
pub struct Form(Shape);

impl Document {
    /// Reads the file at `path`, which is named as from `directory`; `None` when there is none.
    ///
    /// # Errors
    /// It cannot be read, is no file, is too long or no text.
    pub fn open(path: &Path, directory: &Path) -> Result<Option<Self>, Mistake> {
        Ok(File::read(path, directory)?.map(Self))
    }

    /// The same for text that is at hand.
    pub fn of(text: &str, name: &str) -> Self {
        Self(File::from_text(text, name.to_owned()))
    }

    /// What it is called in mistakes.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it says; `None` when it is not YAML. It is given away.
    pub fn take(&mut self) -> Option<Value> {
        self.0.value.take()
    }

    /// What is wrong with the text itself. It is given away.
    pub fn problems(&mut self) -> Vec<Mistake> {
        self.0.problems()
    }

    /// A complaint about what is at `path`.
    pub fn mistake(&self, path: &[Step], message: impl Into<String>) -> Mistake {
        self.0.mistake(Complaint { path: path.to_vec(), message: message.into() })
    }
}

impl Form {
    /// The form of `T`.
    pub fn of<T: JsonSchema>() -> Self {
        Self(Shape::of::<T>())
    }

    /// Its JSON Schema.
    pub fn schema(&self) -> &Value {
        &self.0.schema
    }

    /// What in `value` does not fit, and where.
    pub fn complaints(&self, value: &Value) -> Vec<(Vec<Step>, String)> {
        let found = self.0.complaints(value).into_iter();
        found.map(|complaint| (complaint.path, complaint.message)).collect()
    }
}

/// From top to bottom.
pub fn sort(mistakes: &mut [Mistake]) {
    in_reading_order(mistakes);
}

/// The word of `known` that is so near to `word` that it is probably meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    crate::nearest::nearest(word, known)
}

/// The secret that `written` refers to: `${VARIABLE}`, or `file:PATH` as from `directory`.
///
/// # Errors
/// Why it cannot be had, without it.
pub fn secret(written: &str, environment: &Environment, directory: &Path) -> Result<Secret, String> {
    resolve(written, environment, directory).map(Secret::from).map_err(|why| why.to_string())
}
