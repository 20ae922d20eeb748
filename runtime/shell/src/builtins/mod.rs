//! The shell's own commands. Each is one row of [`TABLE`]; running, help and completion read nothing else.

mod change;
mod content;
mod folder;
mod meta;
pub(crate) mod options;
mod search;

use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;

pub(crate) use self::folder::Entry;

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

const MANY: usize = usize::MAX;

const fn opt(short: char, long: &'static str, doc: &'static str) -> Opt {
    Opt { short, long, doc }
}

/// What a row says unless it says otherwise.
const PLAIN: Builtin = Builtin {
    name: "",
    aliases: &[],
    arguments: "",
    doc: "",
    more: "",
    options: &[],
    words: 0..=0,
    completes: Words::Nothing,
    run: |_, _| Box::pin(async { Ok(Flow::Continue) }),
};

/// All commands, in the order in which `help` lists them.
pub(crate) static TABLE: &[Builtin] = &[
    Builtin {
        name: "ls",
        aliases: &["dir"],
        arguments: "[PATH]…",
        doc: "List directories.",
        more: "Directories come first. Names that begin with a dot are shown with -a.",
        options: &[
            opt('l', "long", "sizes in bytes, times to the second"),
            opt('a', "all", "hidden names too"),
            opt('1', "names", "names only, one a line"),
        ],
        words: 0..=MANY,
        completes: Words::Paths,
        run: |session, given| Box::pin(folder::ls(session, given)),
    },
    Builtin {
        name: "cd",
        arguments: "[DIR | -]",
        doc: "Change the current directory; without DIR to /, with - back.",
        words: 0..=1,
        completes: Words::Folders,
        run: |session, given| Box::pin(folder::cd(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "pwd",
        doc: "Print the current directory.",
        run: |session, _| Box::pin(folder::pwd(session)),
        ..PLAIN
    },
    Builtin {
        name: "cat",
        arguments: "PATH…",
        doc: "Print files.",
        more: "To a pipe or file the bytes are exact; on a terminal escape sequences are taken out and binary\n\
               files are refused.",
        options: &[opt('b', "base64", "print them as base64")],
        words: 1..=MANY,
        completes: Words::Paths,
        run: |session, given| Box::pin(content::cat(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "write",
        arguments: "PATH TEXT | PATH -",
        doc: "Write a file: TEXT and a newline, or with - what standard input holds.",
        more: "From standard input large files go in pieces, so another reader may see the file grow. On a terminal\n\
               - reads lines until Ctrl-D.",
        options: &[opt('a', "append", "add to the end of the file")],
        words: 2..=2,
        completes: Words::PathThenText,
        run: |session, given| Box::pin(content::write(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "mkdir",
        arguments: "PATH…",
        doc: "Create directories.",
        words: 1..=MANY,
        completes: Words::Folders,
        run: |session, given| Box::pin(change::mkdir(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "mv",
        arguments: "FROM… TO",
        doc: "Move or rename; into TO when it is a directory.",
        words: 2..=MANY,
        completes: Words::Paths,
        run: |session, given| Box::pin(change::transfer(session, given, "mcp.fs.move")),
        ..PLAIN
    },
    Builtin {
        name: "cp",
        arguments: "FROM… TO",
        doc: "Copy; into TO when it is a directory.",
        words: 2..=MANY,
        completes: Words::Paths,
        run: |session, given| Box::pin(change::transfer(session, given, "mcp.fs.copy")),
        ..PLAIN
    },
    Builtin {
        name: "rm",
        aliases: &["del"],
        arguments: "PATH…",
        doc: "Move files to the trash.",
        more: "A person is asked before each; scripts must say -f.",
        options: &[opt('r', "recursive", "directories with all they hold"), opt('f', "force", "do not ask")],
        words: 1..=MANY,
        completes: Words::Paths,
        run: |session, given| Box::pin(change::rm(session, given)),
    },
    Builtin {
        name: "tree",
        arguments: "[PATH]",
        doc: "Show what is below a directory.",
        words: 0..=1,
        completes: Words::Folders,
        run: |session, given| Box::pin(search::tree(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "find",
        arguments: "PATTERN [PATH]",
        doc: "Find files by name, such as '*.txt'.",
        words: 1..=2,
        completes: Words::TextThenFolder,
        run: |session, given| Box::pin(search::find(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "grep",
        arguments: "PATTERN [PATH]",
        doc: "Find lines in files.",
        words: 1..=2,
        completes: Words::TextThenFolder,
        run: |session, given| Box::pin(search::grep(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "licence",
        aliases: &["license"],
        doc: "Show the licence, and what it leaves you.",
        run: |session, _| Box::pin(meta::licence(session)),
        ..PLAIN
    },
    Builtin {
        name: "events",
        doc: "Follow what the daemon's actors do; Ctrl-C ends it.",
        run: |session, _| Box::pin(meta::events(session)),
        ..PLAIN
    },
    Builtin {
        name: "connect",
        arguments: "[URL [TOKEN-FILE]]",
        doc: "Connect again, or to another daemon.",
        more: "A token that was given at the start is not shown to another daemon; name a file that holds its own.",
        words: 0..=2,
        run: |session, given| Box::pin(meta::connect(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "help",
        aliases: &["?"],
        arguments: "[COMMAND | METHOD | SERVICE]",
        doc: "Say what there is, or explain one of it.",
        words: 0..=1,
        completes: Words::Topics,
        run: |session, given| Box::pin(meta::help(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "exit",
        aliases: &["quit"],
        arguments: "[CODE]",
        doc: "Leave the shell (also Ctrl-D).",
        words: 0..=1,
        run: |_, given| Box::pin(meta::exit(given)),
        ..PLAIN
    },
];

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
