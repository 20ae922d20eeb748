//! The keyword index: FTS5 over words as Unicode tells them apart.
//!
//! FTS5's own tokenizer takes a run of Chinese or Japanese for one word, so texts are segmented first (UAX #29), which
//! makes a word of every such character, and joined by spaces. A query goes the same way.

use std::collections::HashSet;
use std::fmt::Write as _;

use store::rusqlite::{Connection, Result};
use unicode_segmentation::UnicodeSegmentation as _;

/// Words of a query that count; a page of text as a query is no question.
const TERMS_MAX: usize = 64;

/// A text as FTS5 is given it: its words, with spaces between.
pub(crate) fn segmented(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + text.len() / 8);
    for word in text.unicode_words() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// The MATCH expression that finds texts with any of a query's words; none when it has no words. Everything is quoted:
/// nothing in a query is an operator.
pub(crate) fn expression(query: &str) -> Option<String> {
    let mut seen = HashSet::new();
    let mut expression = String::new();
    for word in query.unicode_words().filter(|word| seen.insert(word.to_lowercase())).take(TERMS_MAX) {
        if !expression.is_empty() {
            expression.push_str(" OR ");
        }
        // Words of UAX #29 hold no quotes, and if they did, doubled is how SQL quotes them.
        let _ = write!(expression, "\"{}\"", word.replace('"', "\"\""));
    }
    (!expression.is_empty()).then_some(expression)
}

/// The best texts for an expression among those that are `allowed`, at most `most`, best first, each with its score
/// (BM25, higher is better). A heading's word counts twice.
pub(crate) fn matches(
    db: &Connection,
    expression: &str,
    most: usize,
    allowed: &dyn Fn(u64) -> bool,
) -> Result<Vec<(u64, f64)>> {
    let mut found = Vec::new();
    let mut rows = db.prepare_cached(
        "SELECT rowid, bm25(index_words, 2.0, 1.0) AS score FROM index_words WHERE index_words MATCH ?1 ORDER BY score",
    )?;
    let mut rows = rows.query([expression])?;
    while found.len() < most
        && let Some(row) = rows.next()?
    {
        let text = row.get::<_, i64>(0)?.cast_unsigned();
        if allowed(text) {
            // FTS5 says it the other way round: lower is better.
            found.push((text, -row.get::<_, f64>(1)?));
        }
    }
    Ok(found)
}
