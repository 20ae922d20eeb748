//! Everything that reaches the screen passes here. Results go to standard output, messages to standard error; what
//! a server sent is cleaned of escape sequences on the way, except bytes that `cat` sends to a pipe.

mod error;
pub(crate) mod escape;
mod json;
mod paint;
mod table;

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

pub(crate) use self::paint::{Ink, Paint};
pub(crate) use self::table::{Align, Table};

use crate::failure::Failure;

/// How results look.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Format {
    /// Tables, text, indented JSON.
    People,
    /// One JSON value a line; errors are JSON too.
    Json,
}

/// One of the two streams.
struct Stream {
    to: Box<dyn Write>,
    terminal: bool,
    paint: Paint,
}

/// The two streams and how to write to them.
pub(crate) struct Screen {
    out: Stream,
    err: Stream,
    /// Whether the line that is written to last is not ended.
    bar: bool,
    pub(crate) format: Format,
}

impl Screen {
    /// Standard output and standard error, coloured where they are terminals and `colour` allows.
    pub(crate) fn standard(format: Format, colour: bool) -> Self {
        let stream = |to: Box<dyn Write>, terminal: bool| {
            let paint = if colour && terminal { Paint::Coloured } else { Paint::Plain };
            Stream { to, terminal, paint }
        };
        let out = io::BufWriter::new(io::stdout());
        Self {
            out: stream(Box::new(out), io::stdout().is_terminal()),
            err: stream(Box::new(io::stderr()), io::stderr().is_terminal()),
            bar: false,
            format,
        }
    }

    pub(crate) fn out_is_terminal(&self) -> bool {
        self.out.terminal
    }

    /// The prompt has colours where messages or results have them.
    pub(crate) fn paint_of_prompt(&self) -> Paint {
        if self.err.paint == Paint::Coloured { Paint::Coloured } else { self.out.paint }
    }

    pub(crate) fn paint(&self) -> Paint {
        self.out.paint
    }

    /// A result that is text; cleaned, and ended with a newline.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        let text = escape::text(text);
        let end = if text.ends_with('\n') { "" } else { "\n" };
        write!(self.out.to, "{text}{end}")
    }

    /// A piece of a text that goes on; cleaned.
    pub(crate) fn piece(&mut self, text: &str) -> io::Result<()> {
        write!(self.out.to, "{}", escape::text(text))
    }

    /// A result that is a name; kept on its line.
    pub(crate) fn name(&mut self, name: &str) -> io::Result<()> {
        writeln!(self.out.to, "{}", escape::line(name))
    }

    /// A result made by [`Table`], whose cells are clean already.
    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        self.out.to.write_all(table.show(self.out.paint).as_bytes())
    }

    /// Text of our own making, colours and all.
    pub(crate) fn own(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out.to, "{text}")
    }

    /// A result that is JSON: one line for programs, indented for people.
    pub(crate) fn value(&mut self, value: &Value) -> io::Result<()> {
        let text = match self.format {
            Format::Json => value.to_string(),
            Format::People => json::pretty(value, self.out.paint),
        };
        let coloured = self.format == Format::People && self.out.paint == Paint::Coloured;
        let text = if self.out.terminal && !coloured { escape::json(&text) } else { text };
        writeln!(self.out.to, "{text}")
    }

    /// What a call returned: text as text, anything else as JSON.
    pub(crate) fn result(&mut self, value: &Value) -> io::Result<()> {
        match value {
            Value::String(text) if self.format == Format::People => self.text(text),
            other => self.value(other),
        }
    }

    /// Bytes as they are: `cat` to a pipe, or what its terminal side has cleaned.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.to.write_all(bytes)
    }

    /// A message for the person; may quote a server.
    pub(crate) fn note(&mut self, text: &str) {
        // Standard error that is closed leaves nobody to tell.
        let _ = writeln!(self.err.to, "{}", escape::text(text));
    }

    /// How far something is, in one line that the next one replaces; a line each where there is no terminal.
    pub(crate) fn bar(&mut self, text: &str) {
        let text = escape::line(text);
        self.bar = self.err.terminal;
        let _ =
            if self.bar { write!(self.err.to, "\r\x1b[2K{text}") } else { writeln!(self.err.to, "{text}") };
        let _ = self.err.to.flush();
    }

    /// Ends the line of the bar, if there is one.
    pub(crate) fn bar_is_done(&mut self) {
        if std::mem::take(&mut self.bar) {
            let _ = writeln!(self.err.to);
        }
    }

    /// A failure; a reader that closed the pipe needs no telling, and each of several was told of already.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        match failure {
            Failure::Reported => return,
            Failure::Local(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            _ => {}
        }
        // What was printed before it should be read before it.
        let _ = self.flush();
        let _ = match self.format {
            Format::People => writeln!(self.err.to, "{}", error::lines(failure, self.err.paint)),
            Format::Json => writeln!(self.err.to, "{}", escape::json(&error::json(failure).to_string())),
        };
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.to.flush()
    }
}
