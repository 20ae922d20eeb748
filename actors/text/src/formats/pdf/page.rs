//! What a page draws: follows its commands as far as they say which letters stand where, and how large.

use std::rc::Rc;

use lopdf::content::{Content, Operation};
use lopdf::{DecompressError, Dictionary, Document, Error, Object, ObjectId};

use super::font::{Font, Fonts};
use super::layout::{Layout, Place};
use crate::Skipped;
use crate::extract::Limits;

/// The commands of one page, in bytes. A page of text has 50 kB; a map, which has no text to speak of, some MB.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Drawings within drawings.
const DEPTH_MAX: usize = 6;

/// States that are kept to go back to; the format allows 28.
const STATES_MAX: usize = 64;

/// How many commands there are between two questions whether to go on.
const ASKED_EVERY: usize = 8192;

/// A gap between letters is a blank from this width on, in sizes of the letter. The narrowest blank of a font is 0.22.
const BLANK: f32 = 0.17;

/// A matrix, as the format writes it: `[a b c d e f]`.
type Matrix = [f32; 6];

const UNCHANGED: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// `first`, then `then`.
fn combine(first: &Matrix, then: &Matrix) -> Matrix {
    let map = |x: f32, y: f32| (x * then[0] + y * then[2], x * then[1] + y * then[3]);
    let (right, up, at) = (map(first[0], first[1]), map(first[2], first[3]), map(first[4], first[5]));
    [right.0, right.1, up.0, up.1, at.0 + then[4], at.1 + then[5]]
}

#[derive(Clone)]
struct State<'a> {
    page: Matrix,
    font: Option<Rc<Font<'a>>>,
    size: f32,
    leading: f32,
    letter_gap: f32,
    blank_gap: f32,
    stretch: f32,
}

/// Follows the commands of a page.
pub(super) struct Drawing<'a, 'b> {
    document: &'a Document,
    fonts: &'b mut Fonts<'a>,
    layout: &'b mut Layout,
    /// How much may yet be unpacked, in bytes.
    left: &'b mut usize,
    limits: &'b Limits<'b>,
    state: State<'a>,
    kept: Vec<State<'a>>,
    text: Matrix,
    line: Matrix,
    count: usize,
    pictures: bool,
}

impl<'a, 'b> Drawing<'a, 'b> {
    pub(super) fn new(
        document: &'a Document,
        fonts: &'b mut Fonts<'a>,
        layout: &'b mut Layout,
        left: &'b mut usize,
        limits: &'b Limits<'b>,
    ) -> Self {
        let state = State {
            page: UNCHANGED,
            font: None,
            size: 1.0,
            leading: 0.0,
            letter_gap: 0.0,
            blank_gap: 0.0,
            stretch: 1.0,
        };
        let (text, line) = (UNCHANGED, UNCHANGED);
        Self {
            document,
            fonts,
            layout,
            left,
            limits,
            state,
            kept: Vec::new(),
            text,
            line,
            count: 0,
            pictures: false,
        }
    }

    /// Whether the page shows a picture.
    pub(super) fn has_pictures(&self) -> bool {
        self.pictures
    }

    pub(super) fn page(&mut self, id: ObjectId) -> Result<(), Skipped> {
        let max = PAGE_BYTES_MAX.min(*self.left);
        let content = match self.document.get_page_content_with_limit(id, max) {
            Ok(content) => content,
            Err(error) => return self.unpacked_too_much(&error),
        };
        *self.left -= content.len().min(*self.left);
        let Ok((own, shared)) = self.document.get_page_resources(id) else { return Ok(()) };
        let shared = shared.into_iter().filter_map(|id| self.document.get_dictionary(id).ok());
        let resources: Vec<_> = own.into_iter().chain(shared).collect();
        self.commands(&content, &resources, 0)
    }

    /// One stream that is too large costs its page, when there is something to unpack left; else the document is a bomb.
    fn unpacked_too_much(&mut self, error: &Error) -> Result<(), Skipped> {
        if let Error::Decompress(DecompressError::MemoryLimitExceeded { .. }) = error {
            *self.left = self.left.saturating_sub(PAGE_BYTES_MAX);
            if *self.left == 0 {
                return Err(Skipped::Bomb(self.limits.unpacked_bytes));
            }
            self.layout.leave_out("not its pages with too large drawings".to_owned());
        }
        Ok(())
    }

    fn commands(
        &mut self,
        content: &[u8],
        resources: &[&'a Dictionary],
        depth: usize,
    ) -> Result<(), Skipped> {
        for operation in Content::decode_iter(content) {
            // What is damaged ends the page, not the document.
            let Ok(operation) = operation else { break };
            self.count += 1;
            if self.count.is_multiple_of(ASKED_EVERY) {
                self.limits.go_on()?;
            }
            self.command(&operation, resources, depth)?;
        }
        Ok(())
    }

    fn command(
        &mut self,
        operation: &Operation,
        resources: &[&'a Dictionary],
        depth: usize,
    ) -> Result<(), Skipped> {
        let operands = &operation.operands;
        let number = |at: usize| operands.get(at).and_then(|value| value.as_float().ok()).unwrap_or_default();
        let matrix = || [number(0), number(1), number(2), number(3), number(4), number(5)];
        match operation.operator.as_str() {
            "q" if self.kept.len() < STATES_MAX => self.kept.push(self.state.clone()),
            "Q" => {
                if let Some(state) = self.kept.pop() {
                    self.state = state;
                }
            }
            "cm" => self.state.page = combine(&matrix(), &self.state.page),
            "BT" => (self.text, self.line) = (UNCHANGED, UNCHANGED),
            "Tm" => (self.text, self.line) = (matrix(), matrix()),
            "Td" => self.next_line(number(0), number(1)),
            "TD" => {
                self.state.leading = -number(1);
                self.next_line(number(0), number(1));
            }
            "T*" => self.next_line(0.0, -self.state.leading),
            "TL" => self.state.leading = number(0),
            "Tc" => self.state.letter_gap = number(0),
            "Tw" => self.state.blank_gap = number(0),
            "Tz" => self.state.stretch = number(0) / 100.0,
            "Tf" => {
                self.state.size = number(1);
                let name = operands.first().and_then(|name| name.as_name().ok()).unwrap_or_default();
                let font = self.find(resources, b"Font", name).and_then(|font| font.as_dict().ok());
                self.state.font = font.map(|font| self.fonts.of(font, self.document));
            }
            "Tj" | "TJ" => self.show(operands.first()),
            "'" => {
                self.next_line(0.0, -self.state.leading);
                self.show(operands.first());
            }
            "\"" => {
                (self.state.blank_gap, self.state.letter_gap) = (number(0), number(1));
                self.next_line(0.0, -self.state.leading);
                self.show(operands.get(2));
            }
            "BI" | "EI" => self.pictures = true,
            "Do" => {
                let name = operands.first().and_then(|name| name.as_name().ok()).unwrap_or_default();
                return self.draw(name, resources, depth);
            }
            _ => {}
        }
        Ok(())
    }

    /// Draws a picture or a drawing that has commands of its own.
    fn draw(&mut self, name: &[u8], resources: &[&'a Dictionary], depth: usize) -> Result<(), Skipped> {
        let Some(Ok(stream)) = self.find(resources, b"XObject", name).map(Object::as_stream) else {
            return Ok(());
        };
        let is = |kind: &[u8]| {
            stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == kind)
        };
        self.pictures |= is(b"Image");
        if !is(b"Form") || depth == DEPTH_MAX {
            return Ok(());
        }
        let content = match stream.get_plain_content_with_limit(PAGE_BYTES_MAX.min(*self.left)) {
            Ok(content) => content,
            Err(error) => return self.unpacked_too_much(&error),
        };
        // At least something for each, so that even empty ones within one another come to an end.
        *self.left =
            self.left.checked_sub(content.len() + 256).ok_or(Skipped::Bomb(self.limits.unpacked_bytes))?;
        let own = stream.dict.get_deref(b"Resources", self.document).and_then(Object::as_dict);
        let own = own.map_or_else(|_| resources.to_vec(), |own| vec![own]);
        let (state, text, line) = (self.state.clone(), self.text, self.line);
        if let Ok(matrix) = stream.dict.get_deref(b"Matrix", self.document).and_then(Object::as_array) {
            let mut own = UNCHANGED;
            for (into, from) in own.iter_mut().zip(matrix) {
                *into = from.as_float().unwrap_or(*into);
            }
            self.state.page = combine(&own, &self.state.page);
        }
        self.commands(&content, &own, depth + 1)?;
        (self.state, self.text, self.line) = (state, text, line);
        Ok(())
    }

    fn find(&self, resources: &[&'a Dictionary], kind: &[u8], name: &[u8]) -> Option<&'a Object> {
        resources.iter().find_map(|resources| {
            let named = resources.get_deref(kind, self.document).and_then(Object::as_dict).ok()?;
            named.get_deref(name, self.document).ok()
        })
    }

    fn next_line(&mut self, x: f32, y: f32) {
        self.line = combine(&[1.0, 0.0, 0.0, 1.0, x, y], &self.line);
        self.text = self.line;
    }

    /// Shows a string, or several with gaps between them.
    fn show(&mut self, what: Option<&Object>) {
        match what {
            Some(Object::Array(parts)) => {
                for part in parts {
                    if let Ok(gap) = part.as_float() {
                        self.advance(-gap / 1000.0 * self.state.size * self.state.stretch);
                    } else if let Ok(codes) = part.as_str() {
                        self.string(codes);
                    }
                }
            }
            Some(Object::String(codes, _)) => self.string(codes),
            _ => {}
        }
    }

    fn string(&mut self, codes: &[u8]) {
        let Some(font) = self.state.font.clone() else { return };
        let (width, count, blanks) = font.width(codes);
        let State { size, letter_gap, blank_gap, stretch, .. } = self.state;
        let width = (width / 1000.0 * size + letter_gap * count + blank_gap * blanks) * stretch;
        let begin = combine(&self.text, &self.state.page);
        self.advance(width);
        match font.letters(codes) {
            Some(letters) => {
                let end = combine(&self.text, &self.state.page);
                self.layout.letters(&letters, &place(&begin, &end, size), BLANK);
            }
            None => self.fonts.note_unreadable(),
        }
    }

    fn advance(&mut self, width: f32) {
        self.text = combine(&[1.0, 0.0, 0.0, 1.0, width, 0.0], &self.text);
    }
}

/// Where a string stands, along and across the direction in which it is written.
fn place(begin: &Matrix, end: &Matrix, size: f32) -> Place {
    let along = begin[0].hypot(begin[1]);
    let (x, y) = if along > 0.0 { (begin[0] / along, begin[1] / along) } else { (1.0, 0.0) };
    let across = begin[2].hypot(begin[3]);
    let at = |matrix: &Matrix| matrix[4] * x + matrix[5] * y;
    Place { begin: at(begin), end: at(end), height: begin[5] * x - begin[4] * y, size: (size * across).abs() }
}
