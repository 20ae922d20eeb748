//! Markdown (`CommonMark` with tables): headings make the trail, fences and tables stay whole, list entries are records.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::Skipped;
use crate::blocks::Marks;
use crate::decode::decode;
use crate::extract::{Extract, Extracted, Limits, Shape, Source};
use crate::formats::Headings;

pub(crate) struct Markdown;

/// How many events of the parser there are between two questions whether to go on: a fraction of a millisecond.
const ASKED_EVERY: usize = 4096;

/// The level of the names of a table's columns: below every heading.
const COLUMNS: usize = 10;

impl Extract for Markdown {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let decoded = decode(source.bytes, None)?;
        limits.go_on()?;
        let mut marks = Marks::default();
        let mut headings = Headings::default();
        let mut title = None;
        let (begin, mut heading) = (decoded.begin, None::<(usize, usize, String)>);
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
            | Options::ENABLE_MATH;
        let parser = Parser::new_ext(&decoded.text[begin..], options).into_offset_iter();
        for (count, (event, range)) in parser.enumerate() {
            if count % ASKED_EVERY == 0 {
                limits.go_on()?;
            }
            let at = begin + range.start;
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    heading = Some((at, level as usize, String::new()));
                }
                Event::End(TagEnd::Heading(_)) => {
                    if let Some((at, level, name)) = heading.take() {
                        marks.mark(at, Shape::Heading, headings.enter(level, &name));
                        title.get_or_insert(name);
                        marks.mark(begin + range.end, Shape::Prose, headings.trail());
                    }
                }
                Event::Text(text) | Event::Code(text) | Event::InlineMath(text) => {
                    if let Some((.., name)) = &mut heading {
                        name.push_str(&text);
                    }
                }
                Event::SoftBreak | Event::HardBreak => {
                    if let Some((.., name)) = &mut heading {
                        name.push(' ');
                    }
                }
                Event::Start(Tag::TableHead) => {
                    // The names of the columns stand above each of the rows.
                    let row = decoded.text[at..begin + range.end].trim().trim_matches('|').replace('|', ", ");
                    marks.mark(at, Shape::Record, headings.trail());
                    headings.enter(COLUMNS, &row);
                }
                Event::End(TagEnd::Table) => {
                    headings.leave(COLUMNS);
                    marks.mark(begin + range.end, Shape::Prose, headings.trail());
                }
                Event::Start(tag) => {
                    if let Some(shape) = shape(&tag) {
                        marks.mark(at, shape, headings.trail());
                    }
                }
                _ => {}
            }
        }
        marks.cut(decoded, title)
    }
}

/// What begins a block, and what shape it has. What is inside a quote, an entry or a cell goes with that.
fn shape(tag: &Tag<'_>) -> Option<Shape> {
    match tag {
        Tag::Paragraph | Tag::BlockQuote(_) | Tag::HtmlBlock | Tag::FootnoteDefinition(_) => {
            Some(Shape::Prose)
        }
        Tag::CodeBlock(_) | Tag::MetadataBlock(_) => Some(Shape::Lines),
        Tag::Item | Tag::TableRow => Some(Shape::Record),
        _ => None,
    }
}
