//! A page with only what text needs, copied by html5ever's tokenizer.
//!
//! What nobody would see is left out, and so is what would make a tree grow out of all bounds: formatting elements, deep
//! nesting, attributes. What stands in a table is in its cells, and elements end where they do in a browser, so that the
//! parser behind this has nothing to repair, which takes it long where there is much.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::clean;
use crate::html::seen::{Content, attribute, is_styled_away, is_told, never_seen};

/// Elements in one another. Newsletters nest tables about ten times, with three elements each.
const DEPTH: usize = 60;

/// An address in a footnote. Longer ones only carry what a sender wants to know about the reader.
const HREF_BYTES: usize = 2000;

/// What a picture shows, in words.
const ALT_BYTES: usize = 300;

/// What is left of a page.
#[derive(Default)]
pub(super) struct Simple {
    /// As HTML.
    pub(super) html: String,
    /// The same without any element.
    pub(super) text: String,
    /// The elements that are open, the innermost last.
    open: Vec<&'static str>,
    /// How many elements that were left out for their depth and are still open.
    skipped: usize,
    /// The element whose content nobody sees, and how many of its name are open.
    hidden: Option<(String, usize)>,
}

/// What text needs of a page.
pub(super) fn simplified(html: &str) -> Simple {
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
            // A paragraph ends where another begins, whatever is open in it.
            let ended = begins && hidden == "p" && KEPT.contains(&name) && ends_before("p", name);
            if hidden == name && !tag.self_closing {
                *open = if begins { *open + 1 } else { *open - 1 };
            }
            if ended || *open == 0 {
                self.hidden = None;
            }
            if !ended {
                return TokenSinkResult::Continue;
            }
        }
        if begins && let Some(content) = never_seen(name) {
            self.hidden = Some((name.to_owned(), 1));
            return match content {
                Content::Elements => TokenSinkResult::Continue,
                Content::Raw(kind) => TokenSinkResult::RawData(kind),
            };
        }
        if begins && !tag.self_closing && is_styled_away(tag) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What would make the parser behind this repair the page, which costs it time for every element.
    fn repairs(html: &str) -> Vec<String> {
        let (mut open, mut wrong): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
        for piece in html.split_inclusive('>').flat_map(|piece| {
            let (text, tag) = piece.split_at(piece.find('<').unwrap_or(piece.len()));
            [text, tag]
        }) {
            let inside = open.last().copied().unwrap_or_default();
            let of_table =
                |name: &str| TABLE.contains(&name) || matches!(name, "tr" | "td" | "th" | "caption");
            if let Some(name) = piece.strip_prefix("</").and_then(|rest| rest.strip_suffix('>')) {
                if open.pop() != Some(name) {
                    wrong.push(format!("{piece} ends {inside}"));
                }
            } else if let Some(rest) = piece.strip_prefix('<') {
                let name = rest.split([' ', '>']).next().unwrap_or_default();
                if (inside == "tr" || TABLE.contains(&inside)) && (!of_table(name) || name == "table") {
                    wrong.push(format!("{piece} in {inside} outside of its cells"));
                }
                if !EMPTY.contains(&name) {
                    open.push(name);
                }
            } else if (inside == "tr" || TABLE.contains(&inside)) && !piece.trim_ascii().is_empty() {
                wrong.push(format!("{piece:?} in {inside} outside of its cells"));
            }
            if open.len() > DEPTH + 2 {
                wrong.push(format!("{} elements in one another", open.len()));
            }
        }
        wrong
    }

    #[test]
    fn the_check_sees_what_it_should() {
        assert_eq!(repairs("<table>x<p></table></p>").len(), 4);
        assert_eq!(repairs("<table><tr><td>x<br></td></tr></table>"), Vec::<String>::new());
        assert!(!repairs(&"<div>".repeat(DEPTH + 3)).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_has_to_be_repaired(
            tags in prop::collection::vec(
                ("/?", prop_oneof![Just("table"), Just("tr"), Just("td"), Just("tbody"), Just("p"), Just("li"), Just("div"), Just("a"), Just("b"), Just("br"), Just("caption")], "[ x<]?"),
                0..200,
            ),
        ) {
            let html: Vec<_> = tags.iter().map(|(end, name, text)| format!("<{end}{name}>{text}")).collect();
            let simple = simplified(&html.concat());
            prop_assert_eq!(repairs(&simple.html), Vec::<String>::new());
        }
    }
}
