//! All builtins, one row each, in the order in which `help` lists them.

use std::future::ready;

use super::options::Opt;
use super::{Builtin, Words, change, content, folder, help, jobs, meaning, meta, model, runs, search, watch};
use crate::session::Flow;

const MANY: usize = usize::MAX;

const fn opt(short: char, long: &'static str, doc: &'static str) -> Opt {
    Opt { short, long, doc }
}

const FORCE: Opt = opt('f', "force", "replace a file that is there");

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
        run: |session, _| Box::pin(ready(folder::pwd(session))),
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
        options: &[opt('p', "parents", "create what is missing above them too")],
        words: 1..=MANY,
        completes: Words::Folders,
        run: |session, given| Box::pin(change::mkdir(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "mv",
        arguments: "FROM… TO",
        doc: "Move or rename; into TO when it is a directory.",
        options: &[FORCE],
        words: 2..=MANY,
        completes: Words::Paths,
        run: |session, given| Box::pin(change::transfer(session, given, "mcp.fs.move")),
        ..PLAIN
    },
    Builtin {
        name: "cp",
        arguments: "FROM… TO",
        doc: "Copy; into TO when it is a directory.",
        options: &[opt('r', "recursive", "directories with all they hold"), FORCE],
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
        doc: "Show what is below a directory, three levels deep.",
        words: 0..=1,
        completes: Words::Folders,
        run: |session, given| Box::pin(search::tree(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "search",
        arguments: "WORDS…",
        doc: "Find the pieces of files that a question is about.",
        more: "By meaning and by words, in what embed has read. Ask as you would a person.",
        options: &[
            opt('w', "words", "by words alone"),
            opt('m', "meaning", "by meaning alone"),
            opt('h', "here", "in the current directory only"),
        ],
        words: 1..=MANY,
        run: |session, given| Box::pin(meaning::search(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "embed",
        arguments: "[PATH]",
        doc: "Have search read a file or directory, and keep it current.",
        more: "It is read once, and then whatever changes. Ctrl-C leaves it to go on by itself.",
        words: 0..=1,
        completes: Words::Paths,
        run: |session, given| Box::pin(meaning::embed(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "sync",
        arguments: "FROM TO",
        doc: "Copy a directory to a remote or back, and show how far it is.",
        more: "A remote is 'name:folder', as in mcp.sync.listRemotes. Nothing is deleted. Ctrl-C leaves it to go on by itself.",
        words: 2..=2,
        completes: Words::Folders,
        run: |session, given| Box::pin(jobs::sync(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "job",
        arguments: "ID",
        doc: "Show how far a sync job is, until it is over.",
        words: 1..=1,
        run: |session, given| Box::pin(jobs::job(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "run",
        arguments: "WORKFLOW [NAME=VALUE…]",
        doc: "Run a workflow, and show what it does until it is over.",
        more: "What a value reads as in JSON it is. Ctrl-C leaves it to go on by itself; mcp.agent.stopWorkflow ends it.",
        words: 1..=MANY,
        run: |session, given| Box::pin(runs::run(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "runs",
        doc: "List the newest runs of workflows.",
        run: |session, _| Box::pin(runs::runs(session)),
        ..PLAIN
    },
    Builtin {
        name: "find",
        arguments: "PATTERN [PATH]",
        doc: "Find files by name: '*.txt', 'reports/**/*.pdf'.",
        words: 1..=2,
        completes: Words::TextThenFolder,
        run: |session, given| Box::pin(search::find(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "grep",
        arguments: "PATTERN [PATH]",
        doc: "Find lines in files by a regular expression.",
        words: 1..=2,
        completes: Words::TextThenFolder,
        run: |session, given| Box::pin(search::grep(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "llm",
        arguments: "[@MODEL] QUESTION…",
        doc: "Ask a language model, and see its answer as it comes.",
        words: 1..=usize::MAX,
        run: |session, given| Box::pin(model::llm(session, given)),
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
        name: "ps",
        doc: "Show the daemon's actors: state, restarts, load, last failure.",
        run: |session, _| Box::pin(watch::ps(session)),
        ..PLAIN
    },
    Builtin {
        name: "events",
        doc: "Follow what the daemon's actors do; Ctrl-C ends it.",
        run: |session, _| Box::pin(watch::events(session)),
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
        run: |session, given| Box::pin(help::help(session, given)),
        ..PLAIN
    },
    Builtin {
        name: "exit",
        aliases: &["quit"],
        arguments: "[CODE]",
        doc: "Leave the shell (also Ctrl-D).",
        words: 0..=1,
        run: |_, given| Box::pin(ready(meta::exit(&given))),
        ..PLAIN
    },
];
