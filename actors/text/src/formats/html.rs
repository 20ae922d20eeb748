//! HTML: what a reader sees, with headings as the trail; scripts, styles and markup are left out, entities are letters.
//!
//! Only html5ever's tokenizer is used, which reads tags as browsers do. No tree is built, so that a page that nests a
//! million elements is only long, not deep.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::Skipped;
use crate::blocks::Writer;
use crate::decode::decode;
use crate::extract::{Extract, Extracted, Limits, Shape, Source};
use crate::formats::Headings;

pub(crate) struct Html;

/// How much is read between two questions whether to go on: some milliseconds.
const PIECE_BYTES: usize = 64 * 1024;

/// Where a page says its encoding, in bytes (HTML, "prescan a byte stream to determine its encoding").
const DECLARED_WITHIN: usize = 1024;

/// The level of the names of a table's columns: below every heading.
const COLUMNS: usize = 10;

impl Extract for Html {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let decoded = decode(source.bytes, declared(source.bytes).as_deref())?;
        let reading = Reading { page: RefCell::default(), limits: *limits };
        let tokenizer = Tokenizer::new(reading, TokenizerOpts::default());
        let mut rest = &decoded.text[decoded.begin..];
        while !rest.is_empty() && !tokenizer.sink.page.borrow().full {
            limits.go_on()?;
            let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
            rest = after;
            let queue = BufferQueue::default();
            queue.push_back(StrTendril::from_slice(piece));
            while !queue.is_empty() {
                let _ = tokenizer.feed(&queue);
            }
        }
        tokenizer.end();
        let mut page = tokenizer.sink.page.into_inner();
        page.flush(limits);
        page.writer.finish(page.title, || Skipped::Empty)
    }
}

/// The encoding that a page says it has.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARED_WITHIN)]).to_ascii_lowercase();
    let (_, label) = head.split_once("charset=")?;
    let label = label.trim_start_matches(['"', '\'', ' ']);
    Some(label.split(['"', '\'', ' ', '>', ';', '/']).next()?.to_owned())
}

/// The tokenizer's reader. It is called through a shared reference, hence the cell.
struct Reading<'a> {
    page: RefCell<Page>,
    limits: Limits<'a>,
}

/// What was read so far, and what is open.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an element that is open or not, independently")]
struct Page {
    writer: Writer,
    headings: Headings,
    title: Option<String>,
    /// The block that is being read.
    text: String,
    /// Blanks were read that are one if more text follows.
    blank: bool,
    heading: Option<usize>,
    /// How many verbatim elements are open.
    verbatim: usize,
    in_title: bool,
    /// Inside a row of a table: whether all its cells are names so far.
    row: Option<bool>,
    in_record: bool,
    /// The element whose content nobody sees, and how many of its name are open.
    hidden: Option<(String, usize)>,
    full: bool,
}

impl TokenSink for Reading<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.page.borrow_mut();
        match token {
            Token::CharacterTokens(text) => page.characters(&text),
            Token::TagToken(tag) => return page.tag(&tag, &self.limits),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    fn characters(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        if self.in_title {
            self.title.get_or_insert_default().push_str(text);
            return;
        }
        if self.verbatim > 0 {
            self.text.push_str(text);
            return;
        }
        for c in text.chars() {
            if c.is_whitespace() {
                self.blank = true;
            } else {
                if std::mem::take(&mut self.blank) && !self.text.is_empty() && !self.text.ends_with('\n') {
                    self.text.push(' ');
                }
                self.text.push(c);
            }
        }
    }

    fn tag(&mut self, tag: &Tag, limits: &Limits<'_>) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let begins = tag.kind == TagKind::StartTag;
        if let Some((hidden, open)) = &mut self.hidden {
            if hidden == name {
                *open = if begins { *open + 1 } else { *open - 1 };
                if *open == 0 {
                    self.hidden = None;
                }
            }
            return TokenSinkResult::Continue;
        }
        match name {
            "script" | "style" | "template" | "svg" | "noscript" | "iframe" | "object" | "canvas"
            | "select"
                if begins && !tag.self_closing =>
            {
                self.hidden = Some((name.to_owned(), 1));
                return match name {
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" | "iframe" => TokenSinkResult::RawData(RawKind::Rawtext),
                    _ => TokenSinkResult::Continue,
                };
            }
            "title" => {
                self.in_title = begins && self.title.is_none();
                if begins {
                    return TokenSinkResult::RawData(RawKind::Rcdata);
                }
            }
            "textarea" if begins => return TokenSinkResult::RawData(RawKind::Rcdata),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush(limits);
                self.heading = begins.then(|| usize::from(name.as_bytes()[1] - b'0'));
            }
            "tr" => {
                self.flush(limits);
                self.row = begins.then_some(true);
            }
            "td" | "th" if begins && self.row.is_some() => {
                self.row = Some(self.row == Some(true) && name == "th");
                if !self.text.trim_end().is_empty() {
                    self.text.push_str(" | ");
                }
                self.blank = false;
            }
            "td" | "th" => {}
            "table" => {
                self.flush(limits);
                self.row = None;
                self.headings.leave(COLUMNS);
            }
            "li" | "dt" | "option" => {
                self.flush(limits);
                self.in_record = begins;
            }
            "ul" | "ol" | "dl" | "menu" => {
                self.flush(limits);
                self.in_record = false;
            }
            "pre" | "listing" => {
                self.flush(limits);
                self.verbatim = if begins { self.verbatim + 1 } else { self.verbatim.saturating_sub(1) };
            }
            "br" => {
                self.text.push('\n');
                self.blank = false;
            }
            // A paragraph in a cell does not end the row.
            _ if BLOCKS.contains(&name) && self.row.is_some() => self.blank = true,
            _ if BLOCKS.contains(&name) => self.flush(limits),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    /// Ends the block that is being read.
    fn flush(&mut self, limits: &Limits<'_>) {
        let text = std::mem::take(&mut self.text);
        self.blank = false;
        if text.trim().is_empty() {
            return;
        }
        let (trail, shape) = match (self.heading.take(), self.row) {
            (Some(level), _) => (self.headings.enter(level, &text).clone(), Shape::Heading),
            (None, Some(true)) => (self.headings.enter(COLUMNS, &text).clone(), Shape::Record),
            (None, Some(false)) => (self.headings.trail().clone(), Shape::Record),
            (None, None) if self.verbatim > 0 => (self.headings.trail().clone(), Shape::Lines),
            (None, None) if self.in_record => (self.headings.trail().clone(), Shape::Record),
            (None, None) => (self.headings.trail().clone(), Shape::Prose),
        };
        self.full |= !self.writer.block(&text, shape, &trail, None, limits);
    }
}

/// Elements that begin and end a paragraph.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "main",
    "nav",
    "p",
    "search",
    "section",
    "summary",
    "tbody",
    "tfoot",
    "thead",
    "ul",
];
