//! Which reader is for which content type.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::Skipped;
use crate::content_type::{DOCX, HEAD_BYTES, content_type, in_words};
use crate::extract::{Extract, Extracted, Limits, Source};
use crate::formats::{code, docx, html, json, markdown, pdf, plain, settings, table};

/// The readers, by media type. A text of a type that has none of its own is read as plain text.
#[derive(Clone)]
pub struct Extractors {
    readers: HashMap<&'static str, Arc<dyn Extract>>,
}

impl Default for Extractors {
    /// Every format that this crate reads.
    fn default() -> Self {
        let mut all = Self { readers: HashMap::new() };
        all.register(&["text/plain"], plain::Plain);
        all.register(&["text/markdown"], markdown::Markdown);
        all.register(&["text/html", "application/xhtml+xml"], html::Html);
        all.register(&["application/json", "application/x-ndjson"], json::Json);
        all.register(&["application/yaml"], settings::Yaml);
        all.register(&["application/toml", "text/x-ini"], settings::Sections);
        all.register(&["text/csv", "text/tab-separated-values"], table::Table);
        all.register(&["application/pdf"], pdf::Pdf);
        all.register(&[DOCX], docx::Docx);
        all.register(CODE, code::Code);
        all
    }
}

/// Types of source code.
const CODE: &[&str] = &[
    "application/sql",
    "text/javascript",
    "text/x-c",
    "text/x-c++",
    "text/x-csharp",
    "text/x-go",
    "text/x-java",
    "text/x-kotlin",
    "text/x-lua",
    "text/x-perl",
    "text/x-php",
    "text/x-python",
    "text/x-ruby",
    "text/x-rust",
    "text/x-scala",
    "text/x-shellscript",
    "text/x-swift",
    "text/x-typescript",
    "text/x-zig",
];

impl Extractors {
    /// Adds a reader, or replaces the one that there was.
    pub fn register(&mut self, content_types: &[&'static str], reader: impl Extract + 'static) {
        let reader: Arc<dyn Extract> = Arc::new(reader);
        self.readers.extend(content_types.iter().map(|content_type| (*content_type, Arc::clone(&reader))));
    }

    /// Whether it is worth reading the rest of a file of `bytes` bytes, called `name`, that begins with `head`
    /// ([`HEAD_BYTES`] or all of it): its content type, which is what [`Extractors::extract`] wants.
    ///
    /// # Errors
    /// When no reader is for it, or it is longer than the limit for its kind.
    pub fn look(
        &self,
        name: &str,
        head: &[u8],
        bytes: u64,
        limits: &Limits<'_>,
    ) -> Result<&'static str, Skipped> {
        let content_type = content_type(name, head);
        let reader = self.reader(content_type)?;
        let bytes_max = reader.bytes_max(limits);
        if bytes > bytes_max as u64 {
            return Err(Skipped::TooLong(bytes_max));
        }
        Ok(content_type)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Why it has none, or none within the limits.
    pub fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let reader = self.reader(source.content_type)?;
        let bytes_max = reader.bytes_max(limits);
        if source.bytes.len() > bytes_max {
            return Err(Skipped::TooLong(bytes_max));
        }
        limits.go_on()?;
        // Readers are other people's for the most part, and so are the files: one that makes a reader panic is damaged.
        catch_unwind(AssertUnwindSafe(|| reader.extract(source, limits)))
            .unwrap_or_else(|_| Err(Skipped::Damaged("its reader failed on it".to_owned())))
    }

    /// As [`Extractors::look`] and [`Extractors::extract`], for who has the whole file.
    ///
    /// # Errors
    /// As theirs.
    pub fn extract_named<'a>(
        &self,
        name: &str,
        bytes: &'a [u8],
        limits: &Limits<'_>,
    ) -> Result<Extracted<'a>, Skipped> {
        let head = &bytes[..bytes.len().min(HEAD_BYTES)];
        let content_type = self.look(name, head, bytes.len() as u64, limits)?;
        self.extract(&Source { content_type, bytes }, limits)
    }

    fn reader(&self, content_type: &str) -> Result<&dyn Extract, Skipped> {
        if let Some(reader) = self.readers.get(content_type) {
            return Ok(reader.as_ref());
        }
        if let Some(words) = in_words(content_type) {
            return Err(Skipped::Kind(words));
        }
        let is_text = content_type.starts_with("text/") || content_type == "message/rfc822";
        let plain = self.readers.get("text/plain").filter(|_| is_text);
        plain.map(AsRef::as_ref).ok_or(Skipped::Binary)
    }
}
