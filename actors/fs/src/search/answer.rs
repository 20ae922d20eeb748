//! What a search answers, in the original's fields and more.

use index::{Answer, Hit, SearchError};
use protocol::{Code, Error};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// A piece of a file that was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Result {
    /// The file, for `mcp.fs.read`.
    path: String,
    /// How good it is, from 0 to 1. By meaning it is the cosine; by words, and by both, how far up it was in each
    /// ranking (1 is first in both).
    score: f64,
    /// The lines that the query is about.
    snippet: String,
    /// The first 250 characters of the piece.
    preview: String,
    /// The headings, functions or keys above the piece, outermost first.
    trail: Vec<String>,
    /// Its first and last line, from 1; of a PDF, pages.
    lines: [u32; 2],
    /// Its first byte and the byte behind its last, of the file's text.
    bytes: [u64; 2],
    /// What the file contains.
    mime_type: String,
    /// The file as a resource.
    uri: String,
    /// Why it is where it is; only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default)]
    explain: Option<Explained>,
}

/// Why a piece is where it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Explained {
    /// Its place by meaning, from 1; null when it is far down, or meaning did not count.
    semantic_rank: Option<usize>,
    /// The cosine between the query's vector and the piece's.
    cosine: Option<f64>,
    /// Its place by words, from 1; null when it has none of them.
    keyword_rank: Option<usize>,
    /// How well its words match (BM25); comparable within one answer only.
    bm25: Option<f64>,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Best first.
    pub(crate) results: Vec<Result>,
    /// Why only words counted, when meaning was to count too; null otherwise.
    pub(crate) without_meaning: Option<String>,
    /// What to know about this answer: that nothing is indexed yet; null otherwise.
    note: Option<&'static str>,
}

impl Found {
    pub(crate) fn of(answer: Answer, explain: bool) -> Self {
        let results = answer.hits.into_iter().map(|hit| Result::of(hit, explain)).collect();
        Self { results, without_meaning: answer.without_meaning, note: None }
    }

    /// In an index without files.
    pub(crate) fn nothing() -> Self {
        let note = Some("Nothing is indexed yet: mcp.fs.embed adds files and folders.");
        Self { results: Vec::new(), without_meaning: None, note }
    }
}

impl Result {
    fn of(hit: Hit, explain: bool) -> Self {
        let explained = || Explained {
            semantic_rank: hit.semantic.map(|(_, rank)| rank),
            cosine: hit.semantic.map(|(cosine, _)| cosine),
            keyword_rank: hit.keyword.map(|(_, rank)| rank),
            bm25: hit.keyword.map(|(score, _)| score),
        };
        Self {
            explain: explain.then(explained),
            uri: protocol::mcp::file_uri(&hit.path),
            path: hit.path,
            score: hit.score,
            snippet: hit.snippet,
            preview: hit.preview,
            trail: hit.trail,
            lines: [hit.lines.0, hit.lines.1],
            bytes: [hit.bytes.0, hit.bytes.1],
            mime_type: hit.kind,
        }
    }
}

/// What a search that could not be made is answered with.
pub(crate) fn refused(error: SearchError) -> Error {
    let kind = match &error {
        SearchError::Empty | SearchError::NotIndexed => "not_indexed",
        SearchError::NoMeaning(_) => "no_meaning",
        SearchError::Store(_) | SearchError::Internal(_) => return Error::internal(error),
    };
    let advice = match kind {
        "not_indexed" => "mcp.fs.embed adds files and folders to the index.",
        _ => "Search by words with mode 'keyword' meanwhile.",
    };
    let said = error.to_string();
    let mut letters = said.chars();
    let sentence = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>());
    Error::new(Code::FsSearch, format!("{}. {advice}", sentence.unwrap_or_default().trim_end_matches('.')))
        .with_data(json!({ "kind": kind }))
}
