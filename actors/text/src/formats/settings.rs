//! YAML, TOML and INI files: a block per entry, with the keys (or the section's name) above it as its trail. Told by
//! indentation and brackets alone, so that comments are kept and what no parser takes is read as well.

use crate::Skipped;
use crate::blocks::Marks;
use crate::decode::decode;
use crate::extract::{Extract, Extracted, Limits, Shape, Source};
use crate::formats::{Headings, indentation, lines};

/// Files that are indented: YAML.
pub(crate) struct Yaml;

/// Files in sections: TOML, INI, systemd's units, Java's properties.
pub(crate) struct Sections;

impl Extract for Yaml {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let decoded = decode(source.bytes, None)?;
        limits.go_on()?;
        let mut headings = Headings::default();
        let mut marks = Marks::default();
        // Comments belong to what they stand above.
        let mut comment = None;
        // The lines of a block scalar are no entries, whatever they look like.
        let mut scalar = None::<usize>;
        for (at, line) in lines(&decoded.text, decoded.begin) {
            let trimmed = line.trim();
            let column = indentation(line);
            if trimmed.is_empty() || scalar.is_some_and(|of| column > of) {
                continue;
            }
            scalar = None;
            if trimmed.starts_with('#') {
                comment.get_or_insert(at);
                continue;
            }
            let begin = comment.take().unwrap_or(at);
            let (column, entry) = match trimmed.strip_prefix("- ") {
                // An entry of a list stands under the key above it even where it is not indented.
                Some(entry) => (column * 2 + 1, entry.trim_start()),
                None => (column * 2, trimmed),
            };
            marks.mark(begin, Shape::Record, headings.leave(column));
            if let Some((key, value)) =
                entry.split_once(':').filter(|(key, _)| !key.starts_with(['"', '{', '[']))
            {
                let value = value.trim();
                if value.is_empty() || trimmed.starts_with("- ") {
                    // The key of a list's entry names it: `- name: build`.
                    let name = if value.is_empty() { key } else { entry };
                    headings.enter(column, name.split(" #").next().unwrap_or(name));
                }
                if value.starts_with(['|', '>']) {
                    scalar = Some(indentation(line));
                }
            }
        }
        marks.cut(decoded, None)
    }
}

impl Extract for Sections {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let decoded = decode(source.bytes, None)?;
        limits.go_on()?;
        let mut headings = Headings::default();
        let mut marks = Marks::default();
        let mut comment = None;
        for (at, line) in lines(&decoded.text, decoded.begin) {
            let trimmed = line.trim();
            if trimmed.is_empty() {
                continue;
            }
            if trimmed.starts_with(['#', ';', '!']) {
                comment.get_or_insert(at);
                continue;
            }
            let begin = comment.take().unwrap_or(at);
            // A line of a longer value goes with its key.
            if indentation(line) > 0 && !trimmed.contains('=') {
                continue;
            }
            let section = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            if let Some((name, _)) =
                section.filter(|_| !trimmed.ends_with(',') && !line.starts_with([' ', '\t']))
            {
                marks.mark(begin, Shape::Heading, headings.enter(0, name.trim_start_matches('[')));
            } else {
                marks.mark(begin, Shape::Record, headings.trail());
            }
        }
        marks.cut(decoded, None)
    }
}
