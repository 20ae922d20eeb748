//! The corpus: a person's files, read from the compact source in `corpus/` and made into what they are on a disk.
//!
//! A source file holds the documents of one field of life. A document begins with a line `=== PATH` and is the lines up
//! to the next. What ends in `.pdf`, `.docx` or `.html` is built from a little Markdown (headings, paragraphs, `- ` items,
//! `| ` rows); everything else is as it is written.

use std::fs;
use std::path::Path;

use crate::made;

/// A document of the corpus.
pub(crate) struct Document {
    /// Its path in the person's folder, from `/`.
    pub(crate) path: String,
    /// As it was written.
    pub(crate) source: String,
}

/// Every document, in the order of paths.
pub(crate) fn documents() -> Vec<Document> {
    let mut all: Vec<Document> = sources("corpus").iter().flat_map(|source| split(source)).collect();
    all.sort_by(|one, other| one.path.cmp(&other.path));
    all
}

/// The files of a folder beside this one, in the order of their names.
pub(crate) fn sources(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("quality").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the folder is read").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).expect("a text in UTF-8")).collect()
}

fn split(source: &str) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    for line in source.lines() {
        if let Some(path) = line.strip_prefix("=== ") {
            documents.push(Document { path: format!("/{}", path.trim()), source: String::new() });
        } else if let Some(document) = documents.last_mut() {
            document.source.push_str(line);
            document.source.push('\n');
        }
    }
    documents
}

impl Document {
    /// What its path ends in.
    pub(crate) fn kind(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, kind)| kind)
    }

    /// Whether it is long: of many subjects, several times as long as what a vector is of.
    pub(crate) fn is_long(&self) -> bool {
        self.source.split_whitespace().count() >= 600
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let source = self.source.trim();
        match self.kind() {
            "pdf" => made::pdf(source),
            "docx" => made::docx(source),
            "html" => made::html(source).into_bytes(),
            _ => format!("{source}\n").into_bytes(),
        }
    }
}
