//! CSV and TSV: a block per record, with the names of the columns as its heading.

use crate::Skipped;
use crate::blocks::Marks;
use crate::decode::decode;
use crate::extract::{Extract, Extracted, Limits, Shape, Source};
use crate::formats::{Headings, lines};

pub(crate) struct Table;

/// A quote that is never closed must not swallow the file: after so many lines a record ends anyway.
const RECORD_LINES_MAX: usize = 200;

impl Extract for Table {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let decoded = decode(source.bytes, None)?;
        limits.go_on()?;
        let mut headings = Headings::default();
        let mut marks = Marks::default();
        let (mut quoted, mut count) = (false, 0);
        for (at, line) in lines(&decoded.text, decoded.begin) {
            if !quoted || count >= RECORD_LINES_MAX {
                (quoted, count) = (false, 0);
                marks.mark(at, Shape::Record, headings.trail());
            }
            count += 1;
            // A doubled quote inside quotes turns it twice, which is nothing.
            quoted ^= line.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
            if at == decoded.begin
                && !quoted
                && let Some(names) = names(line)
            {
                headings.enter(0, &names);
            }
        }
        marks.cut(decoded, None)
    }
}

/// The names of the columns, if the first record has some: words in every field, and no number.
fn names(first: &str) -> Option<String> {
    let delimiter = *[',', ';', '\t', '|'].iter().max_by_key(|sign| first.matches(**sign).count())?;
    let fields: Vec<_> = first.split(delimiter).map(|field| field.trim().trim_matches('"')).collect();
    let is_name = |field: &&str| field.chars().any(char::is_alphabetic) && field.parse::<f64>().is_err();
    (fields.len() > 1 && fields.iter().all(is_name)).then(|| fields.join(", "))
}
