//! HTML as the text that a reader sees. Nothing is fetched: a picture is its description, a link its address in a
//! footnote, so that where it leads can be seen.
//!
//! The page is copied first by html5ever's tokenizer with only what text needs. What nobody would see is left out
//! (scripts, comments, what is styled away: a usual place for words that only a model reads), and so is what would make
//! a tree grow out of all bounds: formatting elements, deep nesting, attributes. Then html2text lays it out.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::{clean, limits};

/// Columns of the text. Tables need a width; paragraphs are easier to read and to search when they have one too.
const WIDTH: usize = 100;

/// Elements in one another. Newsletters nest tables about ten times, with three elements each.
const DEPTH: usize = 60;

/// An address in a footnote. Longer ones only carry what a sender wants to know about the reader.
const HREF_BYTES: usize = 2000;

/// What a picture shows, in words.
const ALT_BYTES: usize = 300;

/// The text of a page of HTML, and whether all of it is there.
pub fn html_as_text(html: &str) -> (String, bool) {
    let cut = html.floor_char_boundary(limits::HTML_BYTES);
    let plain = simplified(&html[..cut]);
    // Fails where a table has more columns than fit side by side: then without a layout.
    let text = html2text::config::plain()
        .no_table_borders()
        .no_link_wrapping()
        .allow_width_overflow()
        .string_from_read(plain.html.as_bytes(), WIDTH);
    let text = text.unwrap_or(plain.text);
    (tidied(&clean::lines(&text)), cut == html.len())
}

/// Without blanks at the ends of lines, and with one empty line where there were several.
fn tidied(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        // Mail pads its preview with these, which nobody sees.
        let line = line
            .trim_matches(['\u{200b}', '\u{200c}', '\u{200d}', '\u{34f}', '\u{feff}', '\u{ad}', '\u{a0}']);
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty < 2 && !(empty == 1 && out.is_empty()) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// What is left of a page.
#[derive(Default)]
struct Simple {
    html: String,
    /// The same without any element.
    text: String,
    /// The elements that are open, the innermost last.
    open: Vec<&'static str>,
    /// How many elements that were left out for their depth and are still open.
    skipped: usize,
    /// The element whose content nobody sees, and how many of its name are open.
    hidden: Option<(String, usize)>,
}

fn simplified(html: &str) -> Simple {
    let tokenizer = Tokenizer::new(Sink(RefCell::default()), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// The tokenizer's reader. It is called through a shared reference, hence the cell.
struct Sink(RefCell<Simple>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut simple = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) if simple.hidden.is_none() => simple.text(&text),
            Token::TagToken(tag) => return simple.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements that say something about the layout of text. All others are left out, but not what is in them.
const KEPT: &[&str] = &[
    "a",
    "address",
    "article",
    "blockquote",
    "br",
    "caption",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];

/// Elements that hold rows.
const TABLE: &[&str] = &["table", "thead", "tbody", "tfoot"];

/// Elements without content.
const EMPTY: &[&str] = &["br", "hr"];

impl Simple {
    fn text(&mut self, text: &str) {
        self.text.push_str(text);
        if text.chars().all(|c| c.is_ascii_whitespace()) && self.is_between_cells() {
            return;
        }
        self.enter_cell();
        for c in text.chars() {
            match c {
                '<' => self.html.push_str("&lt;"),
                '&' => self.html.push_str("&amp;"),
                c => self.html.push(c),
            }
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let (name, begins): (&str, bool) = (&tag.name, tag.kind == TagKind::StartTag);
        if let Some((hidden, open)) = &mut self.hidden {
            if hidden == name && !tag.self_closing {
                *open = if begins { *open + 1 } else { *open - 1 };
                if *open == 0 {
                    self.hidden = None;
                }
            }
            return TokenSinkResult::Continue;
        }
        if begins && let Some(content) = never_seen(name) {
            self.hidden = Some((name.to_owned(), 1));
            return match content {
                Content::Elements => TokenSinkResult::Continue,
                Content::Raw(kind) => TokenSinkResult::RawData(kind),
            };
        }
        if begins && !tag.self_closing && !is_void(name) && is_styled_away(tag) {
            self.hidden = Some((name.to_owned(), 1));
            return TokenSinkResult::Continue;
        }
        if name == "img"
            && let Some(alt) =
                attribute(tag, "alt").map(|alt| clean::line(alt, ALT_BYTES)).filter(|alt| !alt.is_empty())
        {
            self.text(&format!("[{alt}]"));
        }
        if let Some(name) = KEPT.iter().find(|kept| **kept == name) {
            if begins { self.begin(name, tag) } else { self.end(name) }
        }
        TokenSinkResult::Continue
    }

    fn begin(&mut self, name: &'static str, tag: &Tag) {
        self.text.push(if name == "td" || name == "th" { ' ' } else { '\n' });
        while self.open.last().is_some_and(|last| ends_before(last, name)) {
            self.close_last();
        }
        match name {
            "td" | "th" if self.open.last().is_some_and(|last| TABLE.contains(last)) => self.push("tr"),
            "td" | "th" if self.open.last() != Some(&"tr") => return self.html.push(' '),
            "tr" if !self.open.last().is_some_and(|last| TABLE.contains(last)) => {
                return self.html.push_str("<br>");
            }
            "thead" | "tbody" | "tfoot" | "caption" if self.open.last() != Some(&"table") => return,
            "td" | "th" | "tr" | "thead" | "tbody" | "tfoot" | "caption" => {}
            _ => self.enter_cell(),
        }
        let empty = EMPTY.contains(&name);
        if !empty && self.open.len() >= DEPTH {
            self.skipped += 1;
            self.html.push_str("<br>");
            return;
        }
        if !empty {
            self.open.push(name);
        }
        self.html.extend(["<", name]);
        let wanted = match name {
            "a" => "href",
            "ol" => "start",
            _ => "",
        };
        let value = attribute(tag, wanted)
            .filter(|value| value.len() <= HREF_BYTES)
            .map(|value| clean::line(value, HREF_BYTES));
        if let Some(value) = value.filter(|value| is_told(wanted, value)) {
            let value = value.replace('&', "&amp;").replace('"', "&quot;");
            self.html.extend([" ", wanted, "=\"", &value, "\""]);
        }
        self.html.push('>');
    }

    fn end(&mut self, name: &'static str) {
        if EMPTY.contains(&name) {
            return;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        if let Some(at) = self.open.iter().rposition(|open| *open == name) {
            while self.open.len() > at {
                self.close_last();
            }
        }
    }

    fn push(&mut self, name: &'static str) {
        self.open.push(name);
        self.html.extend(["<", name, ">"]);
    }

    /// Whether something here would be in a table, but in none of its cells.
    fn is_between_cells(&self) -> bool {
        self.open.last().is_some_and(|last| *last == "tr" || TABLE.contains(last))
    }

    /// Puts what follows into a cell. A parser of HTML would put it before the table, each time looking for the place.
    fn enter_cell(&mut self) {
        if self.open.last().is_some_and(|last| TABLE.contains(last)) {
            self.push("tr");
        }
        if self.open.last() == Some(&"tr") {
            self.push("td");
        }
    }

    fn close_last(&mut self) {
        if let Some(name) = self.open.pop() {
            self.html.extend(["</", name, ">"]);
        }
    }
}

/// Whether an element that is open ends where another begins, without saying so, as in a list without `</li>`.
fn ends_before(open: &str, name: &str) -> bool {
    match open {
        "p" => name != "a" && name != "br",
        "li" => name == "li",
        "dt" | "dd" => name == "dt" || name == "dd",
        "td" | "th" => matches!(name, "td" | "th" | "tr" | "tbody" | "tfoot"),
        "tr" => matches!(name, "tr" | "tbody" | "tfoot"),
        "thead" | "tbody" => matches!(name, "tbody" | "tfoot"),
        "a" => name == "a",
        _ => false,
    }
}

/// What is between the tags of an element that nobody sees.
enum Content {
    Elements,
    Raw(RawKind),
}

/// Elements whose content is not text, and how the tokenizer has to read it.
fn never_seen(name: &str) -> Option<Content> {
    match name {
        "script" => Some(Content::Raw(RawKind::ScriptData)),
        "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(Content::Raw(RawKind::Rawtext)),
        "title" | "textarea" => Some(Content::Raw(RawKind::Rcdata)),
        "template" | "svg" | "math" | "object" | "canvas" | "select" | "video" | "audio" => {
            Some(Content::Elements)
        }
        _ => None,
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Whether its own style or attribute hides an element.
fn is_styled_away(tag: &Tag) -> bool {
    let Some(style) = attribute(tag, "style") else { return attribute(tag, "hidden").is_some() };
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let declares = |property: &str, value: &str| {
        style
            .split(';')
            .filter_map(|one| one.split_once(':'))
            .any(|(name, given)| name == property && given.trim_end_matches("!important") == value)
    };
    declares("display", "none")
        || declares("visibility", "hidden")
        || ["0", "0px", "0pt", "0em"].iter().any(|zero| declares("font-size", zero))
        || declares("opacity", "0")
        || attribute(tag, "hidden").is_some()
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// Whether an attribute's value is worth a place in the text.
fn is_told(name: &str, value: &str) -> bool {
    match name {
        "href" => ["http:", "https:", "mailto:", "tel:", "ftp:"]
            .iter()
            .any(|scheme| value.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))),
        _ => value.len() <= 4 && value.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
