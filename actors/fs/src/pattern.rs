//! File name patterns, as `find` and `grep` take them.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::fault::Fault;
use crate::walk::Step;

/// A glob: over names, or over paths when it has a slash.
#[derive(Debug)]
pub(crate) struct Pattern {
    glob: GlobSet,
    whole_path: bool,
}

/// The longest path that a caller can name.
const BYTES_MAX: usize = 4096;

// === impl Pattern ===

impl Pattern {
    /// Reads the glob that the parameter `name` gave.
    pub(crate) fn parse(name: &str, text: &str, ignore_case: bool) -> Result<Self, Fault> {
        if text.len() > BYTES_MAX {
            let bytes = text.len();
            return Err(Fault::Params(format!("'{name}' has {bytes} bytes; a glob may have {BYTES_MAX}")));
        }
        let wrong =
            |error: &globset::Error| Fault::Params(format!("'{name}' is not a glob: {}", error.kind()));
        let glob = GlobBuilder::new(text.trim_start_matches('/'))
            .literal_separator(true)
            .case_insensitive(ignore_case)
            .build()
            .map_err(|error| wrong(&error))?;
        // A set of one: unlike a matcher of its own it reports a glob that is too complex instead of panicking.
        let glob = GlobSetBuilder::new().add(glob).build().map_err(|error| wrong(&error))?;
        Ok(Self { glob, whole_path: text.contains('/') })
    }

    /// Whether it matches a whole path, or the name at its end.
    pub(crate) fn covers_path(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        self.glob.is_match(if self.whole_path { path } else { path.rsplit('/').next().unwrap_or(path) })
    }

    /// Whether it matches what the walk is at.
    pub(crate) fn covers(&self, step: &Step<'_>) -> bool {
        self.glob.is_match(if self.whole_path { step.relative } else { step.name.text.as_str() })
    }
}
