//! The prompt: rustyline on a thread of its own, so that the connection lives on while a person thinks. Others hold a
//! [`Prompter`] and wait for what was said.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::history::DefaultHistory;
use rustyline::{
    Behavior, ColorMode, CompletionType, Config, Context, Editor, ExternalPrinter, Helper, Prompt,
};
use tokio::sync::{mpsc, oneshot};

use crate::client::{Client, Link};
use crate::complete::{World, complete};
use crate::folders::Folders;
use crate::history;
use crate::render::{Ink, Paint, escape};
use crate::session::{Knowledge, held};

/// What a person answered.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    Line(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the terminal went away.
    End,
}

/// Whether the line is a command, which has completion and history, or an answer, which has neither.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Command,
    Answer,
}

struct Request {
    prompt: String,
    mode: Mode,
    reply: oneshot::Sender<Said>,
}

/// A way to ask the person at the terminal.
#[derive(Clone)]
pub(crate) struct Prompter {
    requests: mpsc::Sender<Request>,
}

/// A way to say something while the person types: it appears above the prompt.
pub(crate) type Printer = Box<dyn FnMut(&str) + Send>;

/// What the prompt's look and completion depend on.
struct Assistant {
    knowledge: Arc<Knowledge>,
    client: Client,
    folders: Folders,
    hinter: HistoryHinter,
    paint: Paint,
    mode: Mode,
}

/// The prompt's text, whose colours follow the connection while it is on the screen.
struct LivePrompt {
    raw: String,
    up: String,
    down: String,
    client: Client,
}

// === impl Prompter ===

impl Prompter {
    /// Starts the editor's thread.
    pub(crate) fn start(
        knowledge: Arc<Knowledge>,
        client: Client,
        folders: Folders,
        paint: Paint,
    ) -> rustyline::Result<(Self, Printer)> {
        // Results that go to a pipe must not take the prompt with them.
        let behavior = if std::io::stdout().is_terminal() { Behavior::Stdio } else { Behavior::PreferTerm };
        let colours = if paint == Paint::Coloured { ColorMode::Enabled } else { ColorMode::Disabled };
        let config = Config::builder()
            .behavior(behavior)
            .color_mode(colours)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .max_history_size(history::LINES_MAX)?
            .build();
        let mut editor: Editor<Assistant, DefaultHistory> = Editor::with_config(config)?;
        let hinter = HistoryHinter::new();
        editor.set_helper(Some(Assistant { knowledge, client, folders, hinter, paint, mode: Mode::Command }));
        let file = history::file();
        if let Some(file) = &file {
            // There is none at the first start, and an unreadable one costs only its lines.
            let _ = editor.load_history(file);
        }
        let printer: Printer = match editor.create_external_printer() {
            Ok(mut printer) => Box::new(move |text| {
                let _ = printer.print(format!("{text}\n"));
            }),
            // A terminal too simple for it: the next prompt tells the same.
            Err(_) => Box::new(|_| {}),
        };
        let (requests, receiver) = mpsc::channel(1);
        std::thread::Builder::new()
            .name("editor".into())
            .spawn(move || serve(editor, receiver, file.as_deref()))?;
        Ok((Self { requests }, printer))
    }

    /// Reads a command.
    pub(crate) async fn command(&self) -> Said {
        self.say(String::new(), Mode::Command).await
    }

    /// Asks a question.
    pub(crate) async fn ask(&self, question: &str) -> Said {
        self.say(escape::line(question), Mode::Answer).await
    }

    async fn say(&self, prompt: String, mode: Mode) -> Said {
        let (reply, said) = oneshot::channel();
        if self.requests.send(Request { prompt, mode, reply }).await.is_err() {
            return Said::End;
        }
        said.await.unwrap_or(Said::End)
    }
}

/// The editor's thread: one question at a time, until nobody can ask any more.
fn serve(
    mut editor: Editor<Assistant, DefaultHistory>,
    mut requests: mpsc::Receiver<Request>,
    file: Option<&Path>,
) {
    while let Some(request) = requests.blocking_recv() {
        let Some(assistant) = editor.helper_mut() else { return };
        assistant.mode = request.mode;
        let outcome = match request.mode {
            Mode::Answer => editor.readline(&request.prompt),
            Mode::Command => {
                assistant.folders.forget();
                let prompt = assistant.prompt();
                editor.readline(&prompt)
            }
        };
        let said = match outcome {
            Ok(line) => Said::Line(line),
            Err(ReadlineError::Interrupted) => Said::Interrupted,
            Err(_) => Said::End,
        };
        if let (Said::Line(line), Mode::Command) = (&said, request.mode)
            && history::is_storable(line)
            && editor.add_history_entry(line).unwrap_or(false)
            && let Some(file) = file
        {
            // At once, so that a killed shell loses nothing; a read-only home costs the memory only.
            let _ = editor.append_history(file);
        }
        let _ = request.reply.send(said);
    }
}

// === impl Assistant ===

impl Assistant {
    fn prompt(&self) -> LivePrompt {
        let cwd = escape::line(&held(&self.knowledge.cwd));
        let up = matches!(self.client.link(), Link::Up { .. });
        // The two looks have the same width, because the editor measures a prompt once only.
        let (tag_down, tag_up) = if up { ("", "") } else { ("[disconnected] ", "[connected]    ") };
        let place = self.paint.ink(Ink::Folder, &cwd);
        let look = |ink, tag: &str| {
            let tag = if tag.is_empty() { String::new() } else { self.paint.ink(ink, tag) };
            format!("{tag}{}:{place}> ", self.paint.ink(ink, "luca"))
        };
        LivePrompt {
            raw: format!("{tag_down}luca:{cwd}> "),
            up: look(Ink::Good, tag_up),
            down: look(Ink::Bad, tag_down),
            client: self.client.clone(),
        }
    }
}

impl Prompt for LivePrompt {
    fn raw(&self) -> &str {
        &self.raw
    }

    fn styled(&self) -> &str {
        if matches!(self.client.link(), Link::Up { .. }) { &self.up } else { &self.down }
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        if self.mode == Mode::Answer {
            return Ok((pos, Vec::new()));
        }
        let catalogue = self.knowledge.catalogue(&self.client.link()).unwrap_or_default();
        let cwd = held(&self.knowledge.cwd).clone();
        let world = World { catalogue: &catalogue, cwd: &cwd, folder: &|path| self.folders.list(path) };
        let (start, found) = complete(line, pos, &world);
        let pairs = found.into_iter().map(|s| Pair { display: escape::line(&s.shown), replacement: s.text });
        Ok((start, pairs.collect()))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<String> {
        if self.mode == Mode::Answer {
            return None;
        }
        self.hinter.hint(line, pos, context)
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(self.paint.ink(Ink::Faint, hint))
    }
}

impl rustyline::validate::Validator for Assistant {}

impl Helper for Assistant {}
