//! File name patterns, as `find` and `grep` take them.

use globset::{GlobBuilder, GlobMatcher};

use crate::fault::Fault;
use crate::walk::Step;

/// A glob: over names, or over paths when it has a slash.
#[derive(Debug)]
pub(crate) struct Pattern {
    glob: GlobMatcher,
    whole_path: bool,
}

// === impl Pattern ===

impl Pattern {
    /// Reads the glob that the parameter `name` gave.
    pub(crate) fn parse(name: &str, text: &str, ignore_case: bool) -> Result<Self, Fault> {
        let glob = GlobBuilder::new(text.trim_start_matches('/'))
            .literal_separator(true)
            .case_insensitive(ignore_case)
            .build()
            .map_err(|error| Fault::Params(format!("'{name}' is not a glob: {}", error.kind())))?;
        Ok(Self { glob: glob.compile_matcher(), whole_path: text.contains('/') })
    }

    /// Whether it matches what the walk is at.
    pub(crate) fn covers(&self, step: &Step<'_>) -> bool {
        self.glob.is_match(if self.whole_path { step.relative } else { step.name.text.as_str() })
    }
}
