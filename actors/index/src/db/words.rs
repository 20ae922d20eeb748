//! The keyword index: FTS5 over words as Unicode tells them apart.
//!
//! FTS5's own tokenizer takes a run of Chinese or Japanese for one word, so texts are segmented first (UAX #29), which
//! makes a word of every such character, and joined by spaces. A query goes the same way.

use std::collections::HashSet;

use store::rusqlite::{Connection, Result};
use unicode_segmentation::UnicodeSegmentation as _;

/// Words of a query that count; a page of text as a query is no question.
const TERMS_MAX: usize = 64;

/// Texts that are looked at for a query, about: each has to be scored, some microseconds long, and the rarest words say
/// what a query is about. Whoever has fewer texts sees all that match.
const TEXTS_MAX: u64 = 2000;

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
    /// The same for any of its words however common, if that is more: for when too few of the texts above may be shown.
    pub(crate) all: Option<String>,
}

/// What `query` looks for among so many texts; none when it has no words.
///
/// Its rarest words, as many as about [`TEXTS_MAX`] texts have between them: the others tell hardly one text from another
/// and weigh little in BM25, and to look at every text that has them is most of the work of a search. Where even the
/// rarest is that common, texts that have as many of them as any text has are wanted. A code that no text has is looked
/// for by its words.
pub(crate) fn wanted(db: &Connection, query: &str, texts: u64) -> Result<Option<Wanted>> {
    let mut counted = Vec::new();
    for term in terms(query) {
        let have = count(db, &term)?;
        if have == 0 && term.contains(' ') {
            for word in term.split(' ') {
                counted.push((word.to_owned(), count(db, word)?));
            }
        } else {
            counted.push((term, have));
        }
    }
    let of_all = |count: u64| weight(count as f64, texts as f64);
    let missing: f64 = counted.iter().filter(|(_, count)| *count == 0).map(|(_, count)| of_all(*count)).sum();
    counted.retain(|(_, count)| *count > 0);
    counted.sort_by_key(|(_, count)| *count);
    let mut room = TEXTS_MAX;
    let fits = |(_, count): &&(String, u64)| {
        let fits = *count <= room;
        room = room.saturating_sub(*count);
        fits
    };
    let rare = counted.iter().take_while(fits).count();
    // What a text lacks that has all of these is what no text has.
    let of = |some: &[(String, u64)], between: &str| Wanted {
        expression: some.iter().map(|(term, _)| quoted(term)).collect::<Vec<_>>().join(between),
        weight: some.iter().map(|(_, count)| of_all(*count)).sum::<f64>() + missing,
        all: (some.len() < counted.len() || between == " AND ")
            .then(|| counted.iter().map(|(term, _)| quoted(term)).collect::<Vec<_>>().join(" OR ")),
    };
    if rare > 0 {
        return Ok(Some(of(&counted[..rare], " OR ")));
    }
    // Several common words together are in far fewer texts: as many of them as any text has.
    for together in (2..=counted.len()).rev() {
        let wanted = of(&counted[..together], " AND ");
        if count_matching(db, &wanted.expression)? > 0 {
            return Ok(Some(wanted));
        }
    }
    Ok((!counted.is_empty()).then(|| of(&counted[..1], " OR ")))
}

/// How many texts have a term; no more are counted than tell that it is a common one.
fn count(db: &Connection, term: &str) -> Result<u64> {
    count_matching(db, &quoted(term))
}

fn count_matching(db: &Connection, expression: &str) -> Result<u64> {
    db.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM index_words WHERE index_words MATCH ?1 LIMIT ?2)")?
        .query_row((expression, (TEXTS_MAX + 1).cast_signed()), |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
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
