//! The shell's own commands. Each is one row of [`TABLE`]; running, help and completion read nothing else.

mod change;
mod content;
mod folder;
mod help;
mod jobs;
mod meaning;
mod meta;
mod model;
pub(crate) mod options;
mod runs;
mod search;
mod table;
mod watch;

use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;

pub(crate) use self::folder::Entry;
pub(crate) use self::table::TABLE;

use self::options::{Given, Opt};
use crate::failure::Failure;
use crate::session::{Flow, Session};

/// A command under way.
type Run<'a> = Pin<Box<dyn Future<Output = Result<Flow, Failure>> + 'a>>;

/// What a builtin's words are, for completion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Words {
    Nothing,
    Paths,
    Folders,
    /// A path first, then words of no kind.
    PathThenText,
    /// A word of no kind first, then a directory.
    TextThenFolder,
    /// Commands, methods and services.
    Topics,
}

/// One command.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    /// The words after the options, as `help` shows them.
    arguments: &'static str,
    /// One line; more lines follow in `help NAME`.
    pub(crate) doc: &'static str,
    pub(crate) more: &'static str,
    pub(crate) options: &'static [Opt],
    /// How many words it takes.
    pub(crate) words: RangeInclusive<usize>,
    pub(crate) completes: Words,
    pub(crate) run: for<'a> fn(&'a mut Session, Given) -> Run<'a>,
}

/// The command of this name or alias.
pub(crate) fn find(word: &str) -> Option<&'static Builtin> {
    TABLE.iter().find(|builtin| builtin.name == word || builtin.aliases.contains(&word))
}

/// All names, without aliases.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|builtin| builtin.name)
}

impl Builtin {
    /// `rm [-rf] PATH…`.
    pub(crate) fn usage(&self) -> String {
        let mut out = self.name.to_owned();
        if !self.options.is_empty() {
            out.push_str(" [-");
            out.extend(self.options.iter().map(|option| option.short));
            out.push(']');
        }
        if !self.arguments.is_empty() {
            out.push(' ');
            out.push_str(self.arguments);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_is_whole_and_no_name_is_taken_twice() {
        let mut taken = HashSet::new();
        for builtin in TABLE {
            assert!(builtin.doc.ends_with('.') && !builtin.doc.contains('\n'), "{}", builtin.name);
            for name in builtin.aliases.iter().chain([&builtin.name]) {
                assert!(!name.is_empty() && !name.contains('.') && taken.insert(name), "{name}");
            }
        }
        assert_eq!(find("rm").unwrap().usage(), "rm [-rf] PATH…");
    }
}
