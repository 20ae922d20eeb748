//! What a file contains, told from its first bytes; its name only tells one kind of text from another.

/// How many bytes from the beginning are enough to tell.
pub(crate) const HEAD_BYTES: usize = 4096;

/// A control character shows itself early in what is no text, and UTF-8 is checked to the end anyway.
const TELLING_BYTES: usize = 512;

/// Kinds of text that only the name can tell.
const TEXTS: &[(&str, &str)] = &[
    ("bib", "text/x-bibtex"),
    ("c", "text/x-c"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("eml", "message/rfc822"),
    ("h", "text/x-c"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("jsonl", "application/x-ndjson"),
    ("log", "text/plain"),
    ("markdown", "text/markdown"),
    ("md", "text/markdown"),
    ("mjs", "text/javascript"),
    ("py", "text/x-python"),
    ("rs", "text/x-rust"),
    ("rst", "text/x-rst"),
    ("sh", "text/x-shellscript"),
    ("sql", "application/sql"),
    ("svg", "image/svg+xml"),
    ("tex", "text/x-tex"),
    ("toml", "application/toml"),
    ("ts", "text/x-typescript"),
    ("tsv", "text/tab-separated-values"),
    ("txt", "text/plain"),
    ("vcf", "text/vcard"),
    ("xml", "text/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
];

/// The media type of a file called `name` that begins with `head`.
pub(crate) fn of(name: &str, head: &[u8]) -> &'static str {
    // Text goes first: a note that begins with "BM" is no bitmap.
    if is_text(head) {
        text(name, head)
    } else {
        infer::get(head).map_or("application/octet-stream", |found| found.mime_type())
    }
}

/// How many of these bytes must look like text for a text.
const TEXT_BYTES: usize = 1024;

/// Whether `head` is the beginning of a UTF-8 text; a character cut at its end is forgiven.
fn is_text(head: &[u8]) -> bool {
    let head = &head[..head.len().min(TEXT_BYTES)];
    let whole = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let printable = |byte: &u8| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    whole && head.iter().take(TELLING_BYTES).all(printable)
}

fn text(name: &str, head: &[u8]) -> &'static str {
    if head.starts_with(b"%PDF-") {
        return "application/pdf";
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let by_name = TEXTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    if let Some((_, mime)) = by_name {
        return mime;
    }
    match head {
        [b'#', b'!', ..] => "text/x-shellscript",
        _ if head.starts_with(b"<?xml") => "text/xml",
        _ if head.starts_with(b"{\\rtf") => "text/rtf",
        _ => "text/plain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, head: &[u8], expected: &str) {
        assert_eq!(of(name, head), expected, "{name}");
    }

    #[test]
    fn content_tells_name_refines() {
        check("a.txt", b"hello", "text/plain");
        check("README.md", b"# hello", "text/markdown");
        check("x", b"#!/bin/sh\n", "text/x-shellscript");
        check("fake.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png");
        check("note", b"BMW is a car", "text/plain");
        check("x.pdf", b"%PDF-1.7\n", "application/pdf");
        check("x.bin", b"\0\x01\x02", "application/octet-stream");
        check("cut", "é".as_bytes().split_last().unwrap().1, "text/plain");
        check("empty", b"", "text/plain");
    }
}
