//! Who said what a setting is: a file's line, a variable, a flag, or nobody.

use std::collections::BTreeMap;
use std::fmt;

use crate::load::SETTINGS_FILE;
use crate::mistake::Mistake;

/// Where each setting's value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Source>);

/// Where one value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    #[default]
    Default,
    /// A file.
    File {
        /// The file's name.
        name: String,
        /// The line of the key.
        line: Option<usize>,
    },
    /// An environment variable.
    Environment(String),
    /// The command line.
    Flag(&'static str),
}

// === impl Origins, Source ===

impl Origins {
    /// These keys, each with who said what it is.
    pub(crate) fn of_keys(said: impl Iterator<Item = (String, Source)>) -> Self {
        Self(said.collect())
    }

    /// Who said what `key` (`limits.call_seconds`) is.
    pub fn of(&self, key: &str) -> &Source {
        self.0.get(key).unwrap_or(&Source::Default)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line: Some(line) } => write!(f, "file {name}:{line}"),
            Self::File { name, line: None } => write!(f, "file {name}"),
            Self::Environment(name) => write!(f, "env {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

impl Source {
    /// The place of a mistake about `key`; the message is still to be said.
    pub(crate) fn place(&self, key: &str, line: Option<usize>) -> Mistake {
        let (file, line, key) = match self {
            Self::Default => (SETTINGS_FILE.to_owned(), None, key.to_owned()),
            Self::File { name, .. } => (name.clone(), line, key.to_owned()),
            Self::Environment(name) => ("environment".to_owned(), None, name.clone()),
            Self::Flag(name) => ("command line".to_owned(), None, (*name).to_owned()),
        };
        Mistake { file, line, key, message: String::new() }
    }
}
