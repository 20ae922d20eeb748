//! Lines and paragraphs out of strings that stand somewhere; headings are what is written larger than most.

use std::collections::HashMap;

use crate::blocks::Writer;
use crate::extract::{Limits, Shape};
use crate::formats::Headings;

/// A line is a new one from this distance on, in sizes of its letters; exponents and indices are nearer.
const LINE: f32 = 0.6;

/// A line further below than this, in sizes, begins a paragraph.
const PARAGRAPH: f32 = 1.7;

/// Going back by more than this, in sizes, is another column or table cell.
const BACK: f32 = 1.5;

/// A heading is larger than most letters by this factor.
const LARGER: f32 = 1.15;

/// How many lines at the head and at the foot of a page may be the same on every page.
const EDGE_LINES: usize = 2;

/// A line that stands there on fewer pages is text.
const REPEATED_MIN: usize = 3;

/// So many dots in a row lead the eye to a page's number.
const LEADERS_MIN: usize = 5;

/// A longer paragraph is no heading, however large it is written, in bytes.
const HEADING_MAX: usize = 200;

/// Where a string stands and how large its letters are, in points.
pub(super) struct Place {
    pub(super) begin: f32,
    pub(super) end: f32,
    /// Above the foot of the page.
    pub(super) height: f32,
    pub(super) size: f32,
}

struct Line {
    text: String,
    size: f32,
    page: u32,
    /// It begins a paragraph.
    begins: bool,
}

/// The lines of a document.
#[derive(Default)]
pub(super) struct Layout {
    lines: Vec<Line>,
    page: u32,
    /// Where the last string ended.
    last: Option<(f32, f32, f32)>,
    text_bytes: usize,
    cut: Option<String>,
}

impl Layout {
    /// What follows stands on this page.
    pub(super) fn page(&mut self, page: u32) {
        self.page = page;
        self.last = None;
    }

    /// How much text there is.
    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Notes what is missing.
    pub(super) fn leave_out(&mut self, what: String) {
        self.cut.get_or_insert(what);
    }

    /// Adds a string; `blank` is the gap that is one, in sizes.
    pub(super) fn letters(&mut self, letters: &str, place: &Place, blank: f32) {
        let size = place.size.max(0.1);
        self.text_bytes += letters.len() + 1;
        let last = self.last.replace((place.end, place.height, size));
        if let (Some((end, height, last_size)), Some(line)) = (last, self.lines.last_mut()) {
            let larger = size.max(last_size);
            let gap = place.begin - end;
            if (place.height - height).abs() < LINE * larger && gap > -BACK * larger {
                let set_off = gap > blank * larger && !line.text.ends_with(char::is_whitespace);
                if set_off && !letters.starts_with(char::is_whitespace) {
                    line.text.push(' ');
                }
                line.text.push_str(letters);
                line.size = line.size.max(size);
                return;
            }
            let below = height - place.height;
            let other = (size / last_size - 1.0).abs() > 0.1;
            let begins = other || below > PARAGRAPH * larger || below < -LINE * larger;
            self.lines.push(Line { text: letters.to_owned(), size, page: self.page, begins });
            return;
        }
        // A page's first line goes on with the paragraph of the last page where that does not end.
        let ended = |line: &Line| line.text.trim_end().ends_with(['.', '!', '?', ':', '。']);
        let begins = self.lines.last().is_none_or(|line| ended(line) || (line.size - size).abs() > 0.5);
        self.lines.push(Line { text: letters.to_owned(), size, page: self.page, begins });
    }

    /// Writes the paragraphs, with the headings above each.
    pub(super) fn write(mut self, writer: &mut Writer, limits: &Limits<'_>) {
        self.lines.retain(|line| !line.text.trim().is_empty());
        self.drop_running_heads();
        let body = self.usual_size();
        let mut larger: Vec<_> = self.lines.iter().map(|line| halves(line.size)).collect();
        larger.retain(|size| *size as f32 / 2.0 > body * LARGER);
        larger.sort_unstable();
        larger.dedup();
        larger.reverse();
        let mut headings = Headings::default();
        let mut rest = self.lines.as_slice();
        while let Some((first, _)) = rest.split_first() {
            let same = |line: &&Line| !line.begins && line.page <= first.page + 1;
            let count = 1 + rest[1..].iter().take_while(same).count();
            let (paragraph, after) = rest.split_at(count);
            rest = after;
            let text = join(paragraph);
            let level = larger.iter().position(|size| *size == halves(first.size));
            let is_title = text.len() <= HEADING_MAX && text.chars().any(char::is_alphabetic);
            let (shape, trail) = match level.filter(|_| is_title) {
                Some(level) => (Shape::Heading, headings.enter(level, &text)),
                None => (Shape::Prose, headings.trail()),
            };
            if !writer.block(&text, shape, trail, Some(first.page), limits) {
                break;
            }
        }
        if let Some(cut) = self.cut {
            writer.leave_out(cut);
        }
    }

    /// Leaves out what stands at the head or foot of page after page: the document's name, the page's number.
    fn drop_running_heads(&mut self) {
        let mut edges = vec![false; self.lines.len()];
        let mut begin = 0;
        while let Some(first) = self.lines.get(begin) {
            let count = self.lines[begin..].iter().take_while(|line| line.page == first.page).count();
            let end = begin + count;
            // A page of one line is that line.
            let lines = EDGE_LINES.min(count / 3);
            edges[begin..begin + lines].fill(true);
            edges[end - lines..end].fill(true);
            begin = end;
        }
        let mut times: HashMap<String, usize> = HashMap::new();
        for (line, _) in self.lines.iter().zip(&edges).filter(|(_, edge)| **edge) {
            *times.entry(without_numbers(&line.text)).or_default() += 1;
        }
        let often = REPEATED_MIN.max(self.page as usize / 4);
        let mut edges = edges.into_iter();
        self.lines.retain(|line| {
            let is_edge = edges.next().unwrap_or_default();
            !(is_edge && times.get(&without_numbers(&line.text)).is_some_and(|times| *times >= often))
        });
    }

    /// The size in which most letters are written.
    fn usual_size(&self) -> f32 {
        let mut letters: HashMap<u32, usize> = HashMap::new();
        for line in &self.lines {
            *letters.entry(halves(line.size)).or_default() += line.text.len();
        }
        let most = letters.into_iter().max_by_key(|(size, letters)| (*letters, *size));
        most.map_or(0.0, |(size, _)| size as f32 / 2.0)
    }
}

/// A size in half points, so that what differs by rounding is the same.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped: no letter is a mile high"
)]
fn halves(size: f32) -> u32 {
    (size * 2.0).round().clamp(0.0, 10_000.0) as u32
}

/// A line as it is on every page, whatever its number.
fn without_numbers(line: &str) -> String {
    line.trim().chars().map(|c| if c.is_numeric() { '#' } else { c }).collect::<String>().replace("##", "#")
}

/// A line with an ellipsis for the dots of a table of contents, which are many tokens and no text.
fn without_leaders(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some(sign) = rest.chars().next() {
        let is_leader = |c: char| c == sign || c == ' ';
        let run = if ".:_·".contains(sign) { rest.find(|c| !is_leader(c)).unwrap_or(rest.len()) } else { 0 };
        if rest[..run].matches(sign).count() >= LEADERS_MIN {
            kept.truncate(kept.trim_end().len());
            kept.push_str(" … ");
            rest = &rest[run..];
        } else {
            kept.push(sign);
            rest = &rest[sign.len_utf8()..];
        }
    }
    kept
}

/// The lines of a paragraph; a word that was divided at the end of one is put together.
fn join(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let line = without_leaders(line.text.trim());
        let line = line.trim();
        let divided = text.strip_suffix(['-', '\u{ad}', '‐']);
        let divided = divided.filter(|before| before.ends_with(char::is_lowercase));
        if let Some(length) = divided.filter(|_| line.starts_with(char::is_lowercase)).map(str::len) {
            text.truncate(length);
        } else if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
    text
}
