//! The keyword index: FTS5 over words as Unicode tells them apart.
//!
//! FTS5's own tokenizer takes a run of Chinese or Japanese for one word, so texts are segmented first (UAX #29), which
//! makes a word of every such character, and joined by spaces. A query goes the same way.

use std::collections::HashSet;

use store::rusqlite::{Connection, Result};
use unicode_segmentation::UnicodeSegmentation as _;

/// Words of a query that count; a page of text as a query is no question.
const TERMS_MAX: usize = 64;

/// A word that fewer texts have is always looked for: that costs little, and whoever has few files sees all that match.
const COMMON_MIN: u64 = 1000;

/// What a word that tells nothing weighs, in FTS5.
const WEIGHT_MIN: f64 = 1e-6;

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

/// What a query looks for among the texts that there are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    /// The MATCH expression that finds texts with any of its words. Everything in it is quoted: nothing in a query is an
    /// operator.
    pub(crate) expression: String,
    /// What all of its words weigh together: about the BM25 of a text of usual length that has each of them once.
    pub(crate) weight: f64,
}

/// What `query` looks for among so many texts; none when it has no words.
///
/// Words that more than half of many texts have are left out, unless all are such: they tell no text from another, weigh
/// nothing in BM25, and to look at every text that has them is most of the work of a search. A code that no text has is
/// looked for by its words.
pub(crate) fn wanted(db: &Connection, query: &str, texts: u64) -> Result<Option<Wanted>> {
    let mut counted = Vec::new();
    for term in terms(query) {
        let have = count(db, &term, texts)?;
        if have == 0 && term.contains(' ') {
            for word in term.split(' ') {
                counted.push((word.to_owned(), count(db, word, texts)?));
            }
        } else {
            counted.push((term, have));
        }
    }
    let telling = |count: u32| u64::from(count) <= common(texts);
    if counted.iter().any(|(_, count)| telling(*count)) {
        counted.retain(|(_, count)| telling(*count));
    }
    let weight = counted.iter().map(|(_, count)| weight(f64::from(*count), texts as f64)).sum();
    let expression = counted.iter().map(|(term, _)| quoted(term)).collect::<Vec<_>>().join(" OR ");
    Ok((!expression.is_empty()).then_some(Wanted { expression, weight }))
}

/// How many of so many texts may have a word that is still worth looking for.
fn common(texts: u64) -> u64 {
    (texts / 2).max(COMMON_MIN)
}

/// How many of so many texts have a term; no more are counted than tell that it is a common one.
fn count(db: &Connection, term: &str, texts: u64) -> Result<u32> {
    db.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM index_words WHERE index_words MATCH ?1 LIMIT ?2)")?
        .query_row((quoted(term), (common(texts) + 1).cast_signed()), |row| row.get(0))
}

/// A term as FTS5 is asked for it. Words of UAX #29 hold no quotes, and if they did, doubled is how they are written.
fn quoted(term: &str) -> String {
    format!("\"{}\"", term.replace('"', "\"\""))
}

/// How many texts there are.
pub(crate) fn texts_known(db: &Connection) -> Result<u64> {
    let count = db.prepare_cached("SELECT count(*) FROM index_texts")?.query_row([], |row| row.get(0));
    count.map(i64::cast_unsigned)
}

/// The inverse document frequency of a word that `count` of `all` texts have, as FTS5 computes it for BM25.
fn weight(count: f64, all: f64) -> f64 {
    ((all - count + 0.5) / (count + 0.5)).ln().max(WEIGHT_MIN)
}

/// The words of a query, each once. What looks like a code (`GW-1042`, `2026-11-25`, `fd00::1`) is one term, whose words
/// must follow each other: each of them alone is in many texts that have nothing to do with it.
fn terms(query: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let runs = query.split_whitespace().flat_map(|run| {
        if is_code(run) { vec![segmented(run)] } else { run.unicode_words().map(str::to_owned).collect() }
    });
    runs.filter(|term| !term.is_empty() && seen.insert(term.to_lowercase())).take(TERMS_MAX).collect()
}

/// Whether a run without blanks is a code: of ASCII alone, as scripts without blanks are no codes, and with a digit.
fn is_code(run: &str) -> bool {
    run.is_ascii() && run.bytes().any(|byte| byte.is_ascii_digit())
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
        "SELECT rowid, bm25(index_words, 2.0, 1.0) AS score FROM index_words WHERE index_words MATCH ?1 \
         ORDER BY score, rowid",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_term_and_everything_else_is_words() {
        for (query, expected) in [
            ("the cat, The CAT", &["the", "cat"][..]),
            ("error GW-1042?", &["error", "GW 1042"]),
            ("well-known e-mail", &["well", "known", "e", "mail"]),
            ("2024年", &["2024", "年"]),
            ("\"quoted\" OR NOT(*)", &["quoted", "OR", "NOT"]),
            (" ?!* \" ", &[]),
        ] {
            assert_eq!(terms(query), expected, "{query}");
        }
        let many: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
        assert_eq!(terms(&many.join(" ")).len(), TERMS_MAX);
    }

    #[test]
    fn a_rare_word_weighs_more_and_one_of_most_texts_nothing() {
        assert!(weight(1.0, 100.0) > weight(10.0, 100.0));
        assert!((weight(80.0, 100.0) - WEIGHT_MIN).abs() < f64::EPSILON);
    }
}
