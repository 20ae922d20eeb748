//! What is wrong with the settings, all of it at once, and where.

use std::fmt;

/// One thing to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file as a person knows it (`llmbasedos.yaml`), `environment` or `command line`.
    pub file: String,
    /// The line in that file, where it has lines.
    pub line: Option<usize>,
    /// The setting (`limits.call_seconds`), the variable or the flag; empty when it is about the whole file.
    pub key: String,
    /// What it must be, what it is, and what to do.
    pub message: String,
}

/// Every mistake of every file, one per line when shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, mistake) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

/// File after file as they were read, each from top to bottom.
pub(crate) fn in_reading_order(mistakes: &mut [Mistake]) {
    let mut files: Vec<String> = Vec::new();
    for mistake in mistakes.iter() {
        if !files.contains(&mistake.file) {
            files.push(mistake.file.clone());
        }
    }
    mistakes.sort_by_key(|mistake| (files.iter().position(|file| *file == mistake.file), mistake.line));
}

/// `text` as a message shows it: one line, printable, at most 60 characters.
pub(crate) fn shorten(text: &str) -> String {
    let mut shown: String =
        text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}
