//! The paragraphs and tables of a part, in the order in which they stand.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::styles::{Levels, outline_level, value};
use crate::Skipped;
use crate::blocks::Writer;
use crate::extract::{Limits, Shape};
use crate::formats::Headings;

/// How many events there are between two questions whether to go on.
const ASKED_EVERY: usize = 8192;

/// Elements whose text stands elsewhere again, or was moved away: a drawing's copy for old readers, tracked changes.
const HIDDEN: &[&str] = &["Fallback", "moveFrom", "del"];

/// Reads a part into `writer`; false when no more text is wanted.
pub(super) fn read(
    part: &str,
    styles: &Levels,
    headings: &mut Headings,
    writer: &mut Writer,
    limits: &Limits<'_>,
) -> Result<bool, Skipped> {
    let mut reading = Reading { styles, headings, writer, limits, state: State::default() };
    let mut reader = Reader::from_str(part);
    reader.config_mut().check_end_names = false;
    for count in 0_usize.. {
        if count.is_multiple_of(ASKED_EVERY) {
            limits.go_on()?;
        }
        let event = reader.read_event().map_err(|error| Skipped::Damaged(error.to_string()))?;
        let go_on = match event {
            Event::Start(tag) => {
                reading.begin(&tag);
                true
            }
            Event::End(tag) => reading.end(tag.local_name().as_ref()),
            Event::Empty(tag) => {
                reading.begin(&tag);
                reading.end(tag.local_name().as_ref())
            }
            Event::Text(text) if reading.state.in_text => {
                reading.text(&text.xml10_content());
                true
            }
            Event::CData(text) if reading.state.in_text => {
                reading.text(&text.xml10_content());
                true
            }
            Event::GeneralRef(reference) if reading.state.in_text => {
                reading.text(&letter(&reference));
                true
            }
            Event::Eof => break,
            _ => true,
        };
        if !go_on {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Reading<'a> {
    styles: &'a Levels,
    headings: &'a mut Headings,
    writer: &'a mut Writer,
    limits: &'a Limits<'a>,
    state: State,
}

#[derive(Default)]
struct State {
    in_text: bool,
    /// How many elements are open whose text is not read.
    hidden: usize,
    paragraph: String,
    level: Option<usize>,
    in_list: bool,
    /// How many tables are open within one another; the inner ones are text in a cell of the outermost.
    tables: usize,
    cells: Vec<String>,
}

impl Reading<'_> {
    fn begin(&mut self, tag: &BytesStart<'_>) {
        let state = &mut self.state;
        match tag.local_name().as_ref() {
            name if HIDDEN.contains(&name) => state.hidden += 1,
            "t" => state.in_text = state.hidden == 0,
            "tab" | "ptab" => state.paragraph.push(' '),
            "br" | "cr" => state.paragraph.push('\n'),
            "noBreakHyphen" => state.paragraph.push('-'),
            "pStyle" => {
                let level = value(tag, "val").and_then(|id| self.styles.of(&id));
                state.level = state.level.or(level);
            }
            "outlineLvl" => state.level = outline_level(tag).or(state.level),
            "numPr" => state.in_list = true,
            "tbl" => state.tables += 1,
            "tc" if state.tables == 1 => state.cells.push(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) -> bool {
        let state = &mut self.state;
        match name {
            name if HIDDEN.contains(&name) => state.hidden = state.hidden.saturating_sub(1),
            "t" => state.in_text = false,
            "p" if state.tables > 0 => {
                let paragraph = std::mem::take(&mut state.paragraph);
                (state.level, state.in_list) = (None, false);
                if let Some(cell) = state.cells.last_mut() {
                    cell.push_str(if cell.is_empty() { "" } else { " " });
                    cell.push_str(paragraph.trim());
                }
            }
            "p" => return self.paragraph(),
            "tr" if state.tables == 1 => {
                let row = std::mem::take(&mut state.cells).join(" | ");
                // A row of empty cells has nothing but lines between them.
                let row = if row.trim_matches([' ', '|']).is_empty() { String::new() } else { row };
                return self.writer.block(&row, Shape::Record, self.headings.trail(), None, self.limits);
            }
            "tbl" => state.tables = state.tables.saturating_sub(1),
            _ => {}
        }
        true
    }

    fn text(&mut self, text: &str) {
        if self.state.hidden == 0 {
            self.state.paragraph.push_str(text);
        }
    }

    fn paragraph(&mut self) -> bool {
        let text = std::mem::take(&mut self.state.paragraph);
        let level = self.state.level.take();
        let in_list = std::mem::take(&mut self.state.in_list);
        let (trail, shape) = match level {
            _ if text.trim().is_empty() => return true,
            Some(level) => (self.headings.enter(level, &text).clone(), Shape::Heading),
            None if in_list => (self.headings.trail().clone(), Shape::Record),
            None => (self.headings.trail().clone(), Shape::Prose),
        };
        self.writer.block(&text, shape, &trail, None, self.limits)
    }
}

/// What `&amp;` and `&#233;` stand for; other entities a document cannot have.
fn letter(reference: &BytesRef<'_>) -> String {
    match reference.resolve_char_ref() {
        Ok(Some(letter)) => letter.to_string(),
        _ => quick_xml::escape::resolve_predefined_entity(reference).unwrap_or_default().to_owned(),
    }
}
