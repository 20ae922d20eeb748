//! The body of an answer, as steps that are taken one after the other: write, wait, fall silent, break off.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::time::Duration;

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::End;
use super::answer::{Ask, Event};
use super::play::{Play, Trouble, Wire};
use super::serve::Exchange;
use super::wire::writes;

/// More than any client reads as one line.
const LONG_LINE: usize = 20 * 1024 * 1024;

/// What is long is written in.
const LONG_WRITE: usize = 64 * 1024;

/// What is promised in `Content-Length` and never sent.
const SHORT_BY: usize = 1000;

/// A body to be: its steps, and how many bytes its head promises, where it does.
pub(super) struct Steps {
    steps: VecDeque<Step>,
    /// Taken again and again once the steps are done.
    forever: Vec<Bytes>,
    pub(super) length: Option<usize>,
    gap: Duration,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

enum Step {
    Write(Bytes),
    Gap,
    Stall,
    BreakOff,
}

/// JSON with bytes that are no UTF-8 at the end of its longest word of a model's.
fn broken_text(json: &[u8]) -> Bytes {
    let at = json.windows(2).rposition(|two| two == b" \"").unwrap_or(json.len() / 2);
    [&json[..at], b"\xff\xfe", &json[at..]].concat().into()
}

impl Steps {
    fn new(play: &Play) -> Self {
        let gzip = play.gzip.then(|| GzEncoder::new(Vec::new(), Compression::default()));
        Self { steps: VecDeque::new(), forever: Vec::new(), length: None, gap: play.gap, gzip }
    }

    /// The steps of a stream.
    pub(super) fn streamed(ask: &Ask, play: &Play) -> Self {
        let mut steps = Self::new(play);
        let events = ask.events(play);
        let put = |steps: &mut Self, events: &[Event]| {
            for event in events {
                steps.write(writes(event, ask.framing(), play.wire));
                steps.steps.extend((!play.gap.is_zero()).then_some(Step::Gap));
            }
        };
        put(&mut steps, &events.opening);
        let (after, trouble) = play.trouble.unzip();
        let whole = after.is_none_or(|after| after == usize::MAX);
        let pieces = after.unwrap_or(usize::MAX).min(events.contents.len());
        put(&mut steps, &events.contents[..pieces]);
        if whole && trouble != Some(Trouble::Endless) {
            put(&mut steps, &events.closing);
            if trouble != Some(Trouble::NoEnd) {
                put(&mut steps, &events.end);
            }
        }
        match trouble {
            None | Some(Trouble::NoEnd) => {}
            Some(Trouble::Error) => put(&mut steps, &[ask.error(500, &play.complaint)]),
            Some(Trouble::BrokenJson) => {
                // The stream goes on behind it: whether it is read on is the client's affair.
                let broken = Event::of(Value::String("{\"choices\": [{\"delta\": {\"content\": \"br".into()));
                put(&mut steps, &[broken]);
                put(&mut steps, &events.contents[pieces..]);
                put(&mut steps, &events.closing);
                put(&mut steps, &events.end);
            }
            Some(Trouble::BrokenText) => {
                let next = events.contents.get(pieces..).unwrap_or_default();
                let told = next.iter().flat_map(|event| writes(event, ask.framing(), play.wire));
                steps.write(told.map(|write| broken_text(&write)));
                put(&mut steps, &events.closing);
                put(&mut steps, &events.end);
            }
            Some(Trouble::Endless) => {
                let again = events.contents.iter().flat_map(|event| writes(event, ask.framing(), play.wire));
                steps.forever = again.collect();
            }
            Some(trouble) => steps.trouble(trouble),
        }
        if play.wire == Wire::AtOnce {
            steps.join();
        }
        steps
    }

    /// The steps of a plain answer that goes wrong; half of its bytes are sent first.
    pub(super) fn plain(ask: &Ask, play: &Play, text: &str) -> Self {
        let mut steps = Self::new(play);
        let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
        match play.trouble.map(|(_, trouble)| trouble) {
            None | Some(Trouble::NoEnd) => steps.write([text.to_owned().into()]),
            Some(Trouble::BrokenJson) => steps.write([half]),
            Some(Trouble::BrokenText) => steps.write([broken_text(text.as_bytes())]),
            Some(Trouble::Error) => {
                steps.write([ask.error(500, &play.complaint).data.to_string().into()]);
            }
            Some(Trouble::Endless) => steps.forever = vec![Bytes::from_static(&[b' '; LONG_WRITE])],
            Some(trouble) => {
                steps.write([half]);
                steps.trouble(trouble);
            }
        }
        steps
    }

    fn trouble(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Close => self.steps.push_back(Step::BreakOff),
            Trouble::ShortLength => {
                let written = |step: &Step| if let Step::Write(bytes) = step { bytes.len() } else { 0 };
                self.length = Some(self.steps.iter().map(written).sum::<usize>() + SHORT_BY);
                self.steps.push_back(Step::BreakOff);
            }
            Trouble::LongLine => {
                let write = Bytes::from(vec![b'x'; LONG_WRITE]);
                self.write([Bytes::from_static(b"data: \"")]);
                self.write(std::iter::repeat_n(write, LONG_LINE / LONG_WRITE));
                self.steps.push_back(Step::Stall);
            }
            _ => self.steps.push_back(Step::Stall),
        }
    }

    fn write(&mut self, writes: impl IntoIterator<Item = Bytes>) {
        self.steps.extend(writes.into_iter().map(Step::Write));
    }

    /// Makes one write of all writes before the first step that is none.
    fn join(&mut self) {
        let mut joined = Vec::new();
        while let Some(Step::Write(bytes)) = self.steps.front() {
            joined.extend_from_slice(bytes);
            self.steps.pop_front();
        }
        self.steps.push_front(Step::Write(joined.into()));
    }

    /// The body that takes these steps. The exchange lives as long as the body: hyper drops it when the client is gone.
    pub(super) fn body(self, exchange: Exchange) -> Body {
        Body::from_stream(futures_util::stream::unfold(
            (self, exchange),
            async |(mut steps, mut exchange)| {
                let next = steps.next().await;
                match &next {
                    None => exchange.over(End::Whole),
                    Some(Err(_)) => exchange.over(End::BrokenOff),
                    Some(Ok(_)) => {}
                }
                next.map(|next| (next, (steps, exchange)))
            },
        ))
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            match self.steps.pop_front() {
                Some(Step::Write(bytes)) => return Some(self.encoded(bytes)),
                Some(Step::Gap) => tokio::time::sleep(self.gap).await,
                Some(Step::Stall) => std::future::pending().await,
                Some(Step::BreakOff) => {
                    // What was written goes out first: hyper flushes when the body has nothing for it.
                    tokio::task::yield_now().await;
                    return Some(Err(io::Error::other("broken off, as the script says")));
                }
                None if self.forever.is_empty() => return self.rest().map(Ok),
                None => {
                    self.steps.extend(self.forever.iter().cloned().map(Step::Write));
                    self.steps.extend((!self.gap.is_zero()).then_some(Step::Gap));
                    // An endless stream must let the others have their turn.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn encoded(&mut self, bytes: Bytes) -> io::Result<Bytes> {
        let Some(gzip) = &mut self.gzip else { return Ok(bytes) };
        gzip.write_all(&bytes)?;
        gzip.flush()?;
        Ok(std::mem::take(gzip.get_mut()).into())
    }

    /// How the compressed stream ends; nothing where it is not compressed.
    fn rest(&mut self) -> Option<Bytes> {
        let rest = self.gzip.take()?.finish().ok()?;
        (!rest.is_empty()).then(|| rest.into())
    }
}
