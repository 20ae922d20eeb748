//! What the codes in a font mean, and how wide they are.

use std::collections::HashMap;
use std::rc::Rc;

use lopdf::{Dictionary, Document, Encoding, Object};

use super::letters::Letters;

/// A table that maps codes to letters is not longer, in bytes: 65 536 of them fit.
const MAP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Widths are given for so many ranges at most; what is not told is taken for the usual width.
const RANGES_MAX: usize = 20_000;

/// The width of a letter that nobody told, in thousandths of its size: the usual one of the fonts that every reader has.
const WIDTH: f32 = 500.0;

/// The fonts of a document that were read so far.
#[derive(Default)]
pub(super) struct Fonts<'a> {
    read: HashMap<*const Dictionary, Rc<Font<'a>>>,
    unreadable: bool,
}

impl<'a> Fonts<'a> {
    pub(super) fn of(&mut self, dictionary: &'a Dictionary, document: &'a Document) -> Rc<Font<'a>> {
        let key = std::ptr::from_ref(dictionary);
        Rc::clone(self.read.entry(key).or_insert_with(|| Rc::new(Font::read(dictionary, document))))
    }

    /// Notes that text was drawn of which nobody can say what it is.
    pub(super) fn note_unreadable(&mut self) {
        self.unreadable = true;
    }

    pub(super) fn unreadable(&self) -> bool {
        self.unreadable
    }
}

pub(super) struct Font<'a> {
    /// Its own table, which is right where it has the code.
    letters: Letters,
    /// What else says which letters the codes are.
    encoding: Option<Encoding<'a>>,
    wide: bool,
    /// From code, to code, width.
    widths: Vec<(u32, u32, f32)>,
    usual: f32,
}

impl<'a> Font<'a> {
    fn read(font: &'a Dictionary, document: &'a Document) -> Self {
        let wide = font.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Type0");
        let named = font.get_deref(b"Encoding", document).and_then(Object::as_name).is_ok_and(|name| {
            // What the reader knows by name without a table.
            matches!(name, b"UniGB-UCS2-H" | b"UniGB-UTF16-H")
        });
        let table = font.get_deref(b"ToUnicode", document).and_then(Object::as_stream);
        let table = table.and_then(|table| table.get_plain_content_with_limit(MAP_BYTES_MAX));
        let letters = table.map_or_else(|_| Letters::default(), |table| Letters::read(&table));
        let encoding =
            (!wide || named).then(|| font.get_font_encoding_with_limit(document, MAP_BYTES_MAX).ok());
        let encoding = encoding.flatten();
        let mut read = Self { letters, encoding, wide, widths: Vec::new(), usual: WIDTH };
        if wide {
            read.wide_widths(font, document)
        } else {
            read.narrow_widths(font, document)
        };
        read.widths.sort_by_key(|(from, ..)| *from);
        read
    }

    /// The letters that a string stands for; none if nobody can say.
    pub(super) fn letters(&self, codes: &[u8]) -> Option<String> {
        let encoded = |codes: &[u8]| self.encoding.as_ref()?.bytes_to_string(codes).ok();
        let letters = if self.letters.is_empty() {
            encoded(codes)?
        } else {
            let mut letters = String::new();
            let mut rest = codes;
            while !rest.is_empty() {
                let (code, after) = rest.split_at(self.letters.length(rest, if self.wide { 2 } else { 1 }));
                rest = after;
                letters.extend(self.letters.of(code).or_else(|| encoded(code)));
            }
            letters
        };
        let nothing = |c: &char| *c == char::REPLACEMENT_CHARACTER || (c.is_control() && !c.is_whitespace());
        Some(letters.chars().filter(|c| !nothing(c)).collect())
    }

    /// How wide a string is in thousandths of its size, and how many codes and blanks are in it.
    pub(super) fn width(&self, codes: &[u8]) -> (f32, f32, f32) {
        let step = if self.wide { 2 } else { 1 };
        let (mut width, mut count, mut blanks) = (0.0, 0.0, 0.0);
        for code in codes.chunks(step) {
            let code = code.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
            let after = self.widths.partition_point(|(from, ..)| *from <= code);
            let range = after.checked_sub(1).map(|at| self.widths[at]);
            width += range.filter(|(_, to, _)| code <= *to).map_or(self.usual, |(.., width)| width);
            count += 1.0;
            blanks += if !self.wide && code == u32::from(b' ') { 1.0 } else { 0.0 };
        }
        (width, count, blanks)
    }

    fn narrow_widths(&mut self, font: &Dictionary, document: &Document) -> Option<()> {
        let first = u32::try_from(font.get_deref(b"FirstChar", document).ok()?.as_i64().ok()?).ok()?;
        let widths = font.get_deref(b"Widths", document).ok()?.as_array().ok()?;
        for (code, width) in (first..).zip(widths).take(256) {
            self.widths.push((code, code, width.as_float().unwrap_or(WIDTH)));
        }
        Some(())
    }

    fn wide_widths(&mut self, font: &Dictionary, document: &Document) -> Option<()> {
        let descendants = font.get_deref(b"DescendantFonts", document).ok()?.as_array().ok()?;
        let (_, descendant) = document.dereference(descendants.first()?).ok()?;
        let descendant = descendant.as_dict().ok()?;
        let usual = descendant.get_deref(b"DW", document).and_then(Object::as_float);
        self.usual = usual.unwrap_or(1000.0);
        // Either `code [width width …]` or `from to width`.
        let mut entries = descendant.get_deref(b"W", document).ok()?.as_array().ok()?.iter();
        while let (Some(from), Some(then)) = (entries.next(), entries.next()) {
            let from = u32::try_from(from.as_i64().ok()?).ok()?;
            let (_, then) = document.dereference(then).ok()?;
            if let Ok(widths) = then.as_array() {
                for (code, width) in (from..).zip(widths).take(RANGES_MAX) {
                    self.widths.push((code, code, width.as_float().unwrap_or(self.usual)));
                }
            } else {
                let to = u32::try_from(then.as_i64().ok()?).ok()?;
                self.widths.push((from, to, entries.next()?.as_float().ok()?));
            }
            if self.widths.len() > RANGES_MAX {
                break;
            }
        }
        Some(())
    }
}
