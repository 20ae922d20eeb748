//! One file of settings: read with bounds, and every complaint about it given its line.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::mistake::Mistake;
use crate::shape::{Complaint, dotted};
use crate::yaml::{self, BYTES_MAX, Lines, Step};

/// A file that was read.
pub(crate) struct File {
    /// As a person knows it: relative to the directory of the settings where it is below that.
    pub(crate) name: String,
    /// What it says; `None` when it is not YAML.
    pub(crate) value: Option<Value>,
    lines: Lines,
    problems: Vec<yaml::Problem>,
}

impl File {
    /// Reads `path`; `Ok(None)` when there is no such file.
    pub(crate) fn read(path: &Path, directory: &Path) -> Result<Option<Self>, Mistake> {
        let name = name(path, directory);
        let failed =
            |message: String| Mistake { file: name.clone(), line: None, key: String::new(), message };
        match text(path) {
            Ok(None) => Ok(None),
            Ok(Some(text)) => Ok(Some(Self::from_text(&text, name))),
            Err(message) => Err(failed(message)),
        }
    }

    /// The same for text that is at hand.
    pub(crate) fn from_text(text: &str, name: String) -> Self {
        let document = yaml::read(text);
        Self { name, value: document.value, lines: document.lines, problems: document.problems }
    }

    /// What is wrong with the text itself.
    pub(crate) fn problems(&mut self) -> Vec<Mistake> {
        let name = &self.name;
        std::mem::take(&mut self.problems)
            .into_iter()
            .map(|problem| Mistake {
                file: name.clone(),
                line: problem.line,
                key: dotted(&problem.path),
                message: problem.message,
            })
            .collect()
    }

    /// The complaint with its place.
    pub(crate) fn mistake(&self, complaint: Complaint) -> Mistake {
        Mistake {
            file: self.name.clone(),
            line: self.line(&complaint.path),
            key: dotted(&complaint.path),
            message: complaint.message,
        }
    }

    /// The line of what is at `path`.
    pub(crate) fn line(&self, path: &[Step]) -> Option<usize> {
        self.lines.of(path)
    }
}

/// `path` as a person knows it.
pub(crate) fn name(path: &Path, directory: &Path) -> String {
    path.strip_prefix(directory).unwrap_or(path).display().to_string()
}

fn text(path: &Path) -> Result<Option<String>, String> {
    let failed = |error: std::io::Error| format!("cannot be read: {error}");
    let kind = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if kind.is_dir() {
        return Err("is a folder, which container engines make where a mounted file is missing".to_owned());
    }
    // A pipe would wait for ever, a device would never end.
    if !kind.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let limit = BYTES_MAX as u64 + 1;
    std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() > BYTES_MAX {
        return Err(format!("is longer than {BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(valid).filter(|b| **b == b'\n').count();
        format!("is not UTF-8 text (line {line})")
    })
}
