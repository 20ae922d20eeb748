//! What the scripted upstream does with one request: what it says, and what goes wrong with it.

use std::ops::AddAssign;
use std::time::Duration;

use serde_json::Value;

/// Tokens as an upstream counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of what was asked.
    pub prompt: u64,
    /// Tokens of what was answered.
    pub completion: u64,
}

/// One answer. It begins as one in which nothing goes wrong; each method makes one thing different.
#[derive(Clone, Debug)]
pub struct Play {
    pub(super) first: First,
    pub(super) says: Says,
    pub(super) usage: Usage,
    pub(super) tells_usage: bool,
    pub(super) wire: Wire,
    pub(super) gap: Duration,
    /// What goes wrong, and after how many pieces of content.
    pub(super) trouble: Option<(usize, Trouble)>,
    pub(super) gzip: bool,
    /// What it says where it fails in the middle of its answer.
    pub(super) complaint: String,
}

/// How a stream's events are put on the wire. All of these mean the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// An event a write, lines that end in `\n`.
    #[default]
    Plain,
    /// Lines that end in `\r\n`.
    Crlf,
    /// As [`Wire::Crlf`], cut between `\r` and `\n` and in the middle of every character of more than one byte.
    Split,
    /// A byte a write.
    Bytewise,
    /// All events in one write.
    AtOnce,
    /// Comments, blank lines and pings between the events.
    Pings,
    /// An event's JSON over several `data:` lines, with no space behind the colon.
    ManyLines,
}

/// What comes instead of the answer, or before it.
#[derive(Clone, Debug)]
pub(super) enum First {
    Nothing,
    Wait(Duration),
    Hold,
    Refuse { status: u16, message: String, body: Option<String>, retry_after: Option<String> },
    Redirect(String),
    HangUp,
    Stall,
}

#[derive(Clone, Debug)]
pub(super) enum Says {
    Text(Vec<String>),
    Tool { name: String, arguments: Value },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    NoEnd,
    BrokenJson,
    BrokenText,
    Stall,
    Close,
    ShortLength,
    Error,
    Endless,
    LongLine,
}

impl Default for Play {
    fn default() -> Self {
        Self::text("Hello from the upstream.")
    }
}

impl Play {
    /// Answers a text; in a stream a word is a piece. The usage is 10 tokens asked and 5 answered.
    pub fn text(text: &str) -> Self {
        Self::says(Says::Text(text.split_inclusive(' ').map(str::to_owned).collect()))
    }

    /// Answers a text of so many pieces: `w0 w1 …`.
    pub fn pieces(pieces: usize) -> Self {
        Self::says(Says::Text((0..pieces).map(|n| format!("w{n} ")).collect()))
    }

    /// Calls one tool.
    pub fn tool(name: &str, arguments: Value) -> Self {
        Self::says(Says::Tool { name: name.to_owned(), arguments })
    }

    fn says(says: Says) -> Self {
        Self {
            first: First::Nothing,
            says,
            usage: Usage { prompt: 10, completion: 5 },
            tells_usage: true,
            wire: Wire::Plain,
            gap: Duration::ZERO,
            trouble: None,
            gzip: false,
            complaint: "The upstream gave up.".to_owned(),
        }
    }

    fn first(first: First) -> Self {
        Self { first, ..Self::default() }
    }

    /// Refuses with this status, in the words of the API that was asked.
    pub fn status(status: u16) -> Self {
        let message = format!("The upstream says {status}.");
        Self::first(First::Refuse { status, message, body: None, retry_after: None })
    }

    /// Refuses with this status and body, whatever API was asked.
    pub fn status_with(status: u16, body: &str) -> Self {
        let body = Some(body.to_owned());
        Self::first(First::Refuse { status, message: String::new(), body, retry_after: None })
    }

    /// A refusal with a `Retry-After`: seconds, or a date of HTTP.
    #[must_use]
    pub fn retry_after(mut self, value: &str) -> Self {
        if let First::Refuse { retry_after, .. } = &mut self.first {
            *retry_after = Some(value.to_owned());
        }
        self
    }

    /// Sends the client elsewhere.
    pub fn redirect(to: &str) -> Self {
        Self::first(First::Redirect(to.to_owned()))
    }

    /// Closes the connection without a byte.
    pub fn hang_up() -> Self {
        Self::first(First::HangUp)
    }

    /// Never sends a byte.
    pub fn stall() -> Self {
        Self::first(First::Stall)
    }

    /// Answers once [`super::Upstream::release`] is called.
    #[must_use]
    pub fn held(self) -> Self {
        Self { first: First::Hold, ..self }
    }

    /// Answers after a while.
    #[must_use]
    pub fn late(self, by: Duration) -> Self {
        Self { first: First::Wait(by), ..self }
    }

    /// Sends a piece, waits, sends the next.
    #[must_use]
    pub fn slowly(self, gap: Duration) -> Self {
        Self { gap, ..self }
    }

    /// Counts these tokens.
    #[must_use]
    pub fn usage(self, prompt: u64, completion: u64) -> Self {
        Self { usage: Usage { prompt, completion }, ..self }
    }

    /// Does not say how many tokens it took.
    #[must_use]
    pub fn without_usage(self) -> Self {
        Self { tells_usage: false, ..self }
    }

    /// Puts the stream on the wire in another way.
    #[must_use]
    pub fn wire(self, wire: Wire) -> Self {
        Self { wire, ..self }
    }

    /// Compresses the answer, whether or not the client takes that.
    #[must_use]
    pub fn gzip(self) -> Self {
        Self { gzip: true, ..self }
    }

    /// Ends the stream without the event that says that it ended.
    #[must_use]
    pub fn without_end(self) -> Self {
        self.trouble(usize::MAX, Trouble::NoEnd)
    }

    /// Sends JSON that is none, after so many pieces.
    #[must_use]
    pub fn breaks_json_after(self, pieces: usize) -> Self {
        self.trouble(pieces, Trouble::BrokenJson)
    }

    /// Sends bytes that are no UTF-8 in the middle of a string, after so many pieces.
    #[must_use]
    pub fn breaks_utf8_after(self, pieces: usize) -> Self {
        self.trouble(pieces, Trouble::BrokenText)
    }

    /// Falls silent after so many pieces.
    #[must_use]
    pub fn stalls_after(self, pieces: usize) -> Self {
        self.trouble(pieces, Trouble::Stall)
    }

    /// Closes the connection after so many pieces; in a plain answer, in its middle.
    #[must_use]
    pub fn closes_after(self, pieces: usize) -> Self {
        self.trouble(pieces, Trouble::Close)
    }

    /// Closes the connection after so many pieces, having promised more bytes by `Content-Length`.
    #[must_use]
    pub fn falls_short_after(self, pieces: usize) -> Self {
        self.trouble(pieces, Trouble::ShortLength)
    }

    /// Sends an error object after so many pieces, and nothing more.
    #[must_use]
    pub fn errs_after(self, pieces: usize) -> Self {
        self.trouble(pieces, Trouble::Error)
    }

    /// Says this where it sends an error object.
    #[must_use]
    pub fn complaining(self, complaint: &str) -> Self {
        Self { complaint: complaint.to_owned(), ..self }
    }

    /// Says the same again and again.
    #[must_use]
    pub fn endless(self) -> Self {
        self.trouble(usize::MAX, Trouble::Endless)
    }

    /// Sends 20 MB without the end of a line after so many pieces, then falls silent.
    #[must_use]
    pub fn long_line_after(self, pieces: usize) -> Self {
        self.trouble(pieces, Trouble::LongLine)
    }

    fn trouble(self, after: usize, trouble: Trouble) -> Self {
        Self { trouble: Some((after, trouble)), ..self }
    }

    pub(super) fn told(&self) -> Option<Usage> {
        self.tells_usage.then_some(self.usage)
    }
}

impl Says {
    /// The whole text; empty for a tool call.
    pub(super) fn whole(&self) -> String {
        match self {
            Self::Text(pieces) => pieces.concat(),
            Self::Tool { .. } => String::new(),
        }
    }
}

impl Usage {
    /// All tokens.
    pub fn total(self) -> u64 {
        self.prompt + self.completion
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt += other.prompt;
        self.completion += other.completion;
    }
}

/// A date of HTTP, so far from now; what `Retry-After` may say instead of seconds.
pub fn http_date(from_now: Duration) -> String {
    let now = jiff::Timestamp::now();
    let then = now + jiff::SignedDuration::try_from(from_now).expect("tests wait for seconds");
    then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
