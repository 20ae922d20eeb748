//! Whole files, as a caller sees them: what is in a chunk, which headings are above it, and what is refused.

mod cover;
mod documents;
mod formats;
mod hostile;
mod make;

use crate::{Chunk, Extracted, Extractors, Limits, Shape, Sizes, Skipped, Source, Tokens};

/// The text of a file of this name.
fn extract<'a>(name: &str, bytes: &'a [u8]) -> Result<Extracted<'a>, Skipped> {
    extract_within(name, bytes, &Limits::default())
}

fn extract_within<'a>(name: &str, bytes: &'a [u8], limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
    Extractors::default().extract_named(name, bytes, limits)
}

/// Tokens as simple as can be: words, and every sign between them.
struct Words;

impl Tokens for Words {
    fn count(&self, text: &str) -> usize {
        let (mut count, mut inside) = (0, false);
        for c in text.chars() {
            let word = c.is_alphanumeric();
            count += usize::from(!(c.is_whitespace() || (word && inside)));
            inside = word;
        }
        count
    }
}

fn chunks<'a>(extracted: &'a Extracted<'_>, aim: usize) -> Vec<Chunk<'a>> {
    let sizes = Sizes { aim, max: aim + aim / 4, overlap: aim / 7 };
    crate::chunks(extracted, sizes, &Words, &Limits::default()).expect("nobody stops it")
}

/// A block a line: its shape, its page, the headings above, and how it begins and ends.
fn outline(extracted: &Extracted<'_>) -> String {
    let block = |block: &crate::Block| {
        let shape = match block.shape {
            Shape::Prose => "prose",
            Shape::Heading => "heading",
            Shape::Lines => "lines",
            Shape::Record => "record",
        };
        let page = block.page.map(|page| format!(" p{page}")).unwrap_or_default();
        let text = extracted.text[block.bytes.clone()].replace('\n', "⏎");
        let letters: Vec<_> = text.chars().collect();
        let text = match letters.len() {
            ..48 => text,
            many => letters[..20].iter().chain(&['…']).chain(&letters[many - 20..]).collect(),
        };
        format!("{shape}{page} [{}] {text}", block.trail.join(" > "))
    };
    extracted.blocks.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// The blocks of a file are as expected; `expected` is indented as the code around it.
#[track_caller]
fn check(name: &str, bytes: &[u8], expected: &str) {
    let extracted = extract(name, bytes).expect("it has text");
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(outline(&extracted), expected.join("\n"), "{name}");
}

/// Why a file is skipped.
#[track_caller]
fn refused(name: &str, bytes: &[u8]) -> String {
    extract(name, bytes).expect_err("it has no text").to_string()
}
