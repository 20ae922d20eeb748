//! What a file contains, told from its first bytes; its name only tells one kind of text from another.

/// How many bytes from the beginning are enough to tell.
pub const HEAD_BYTES: usize = 4096;

/// A control character shows itself early in what is no text.
const TELLING_BYTES: usize = 512;

/// Where in a PDF its first line may stand (PDF 1.7, implementation note 13).
const PDF_WITHIN: usize = 1024;

/// DOCX.
pub(crate) const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// Kinds of text that only the name can tell.
const TEXTS: &[(&str, &[&str])] = &[
    ("application/json", &["json", "geojson", "ipynb", "webmanifest"]),
    ("application/sql", &["sql"]),
    ("application/toml", &["toml"]),
    ("application/x-ndjson", &["jsonl", "ndjson"]),
    ("application/yaml", &["yaml", "yml"]),
    ("image/svg+xml", &["svg"]),
    ("message/rfc822", &["eml"]),
    ("text/calendar", &["ics"]),
    ("text/css", &["css", "scss", "less"]),
    ("text/csv", &["csv"]),
    ("text/html", &["html", "htm", "xhtml"]),
    ("text/javascript", &["js", "mjs", "cjs", "jsx"]),
    ("text/markdown", &["md", "markdown", "mkd"]),
    ("text/plain", &["txt", "log", "text"]),
    ("text/tab-separated-values", &["tsv"]),
    ("text/vcard", &["vcf"]),
    ("text/x-bibtex", &["bib"]),
    ("text/x-c", &["c", "h"]),
    ("text/x-c++", &["cc", "cpp", "cxx", "hpp", "hh", "hxx"]),
    ("text/x-csharp", &["cs"]),
    ("text/x-go", &["go"]),
    ("text/x-ini", &["ini", "cfg", "conf", "service", "properties"]),
    ("text/x-java", &["java"]),
    ("text/x-kotlin", &["kt", "kts"]),
    ("text/x-lua", &["lua"]),
    ("text/x-perl", &["pl", "pm"]),
    ("text/x-php", &["php"]),
    ("text/x-python", &["py", "pyi"]),
    ("text/x-rst", &["rst"]),
    ("text/x-ruby", &["rb"]),
    ("text/x-rust", &["rs"]),
    ("text/x-scala", &["scala"]),
    ("text/x-shellscript", &["sh", "bash", "zsh"]),
    ("text/x-swift", &["swift"]),
    ("text/x-tex", &["tex"]),
    ("text/x-typescript", &["ts", "tsx", "mts"]),
    ("text/x-zig", &["zig"]),
    ("text/xml", &["xml"]),
];

/// The media type of a file called `name` that begins with `head` ([`HEAD_BYTES`] or all of it).
pub fn content_type(name: &str, head: &[u8]) -> &'static str {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let named = |wanted: &str| extension.eq_ignore_ascii_case(wanted);
    let pdf = &head[..head.len().min(PDF_WITHIN)];
    if head.starts_with(b"%PDF-") || (named("pdf") && pdf.windows(5).any(|bytes| bytes == b"%PDF-")) {
        return "application/pdf";
    }
    // Text goes before what it may look like: a note that begins with "BM" is no bitmap.
    if is_text(head) {
        return text(extension, head);
    }
    let found = infer::get(head).map_or("application/octet-stream", |found| found.mime_type());
    // In which order a ZIP file has its entries is the writer's choice, and only some orders show at its beginning.
    if found == "application/zip" && named("docx") { DOCX } else { found }
}

/// Whether `head` is the beginning of a text, in whatever encoding.
fn is_text(head: &[u8]) -> bool {
    let wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b);
    let telling = &head[..head.len().min(TELLING_BYTES)];
    wide || !telling.iter().any(control) || is_utf_16(telling)
}

/// Latin letters in two bytes each, without a mark: zeros in every other place and nowhere else.
fn is_utf_16(head: &[u8]) -> bool {
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    head.len() >= 8 && even.min(odd) == 0 && even.max(odd) > head.len() / 2 * 7 / 10
}

fn text(extension: &str, head: &[u8]) -> &'static str {
    let is_called = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(extension));
    if let Some((media_type, _)) = TEXTS.iter().find(|(_, names)| is_called(names)) {
        return media_type;
    }
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |with: &[u8]| head.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    match () {
        () if begins(b"#!") => "text/x-shellscript",
        () if begins(b"<!doctype html") || begins(b"<html") => "text/html",
        () if begins(b"<?xml") => "text/xml",
        () if begins(b"{\\rtf") => "text/rtf",
        () => "text/plain",
    }
}

/// Kinds of archives.
const ARCHIVES: &[&str] = &[
    "gzip",
    "vnd.debian.binary-package",
    "vnd.rar",
    "x-7z-compressed",
    "x-bzip2",
    "x-compress",
    "x-cpio",
    "x-lzip",
    "x-rpm",
    "x-tar",
    "x-xz",
    "zip",
    "zstd",
];

/// Kinds of programs.
const PROGRAMS: &[&str] = &[
    "java",
    "java-vm",
    "vnd.microsoft.portable-executable",
    "wasm",
    "x-executable",
    "x-llvm",
    "x-mach-binary",
];

/// What a file of this type is, for a person who asks why it was skipped; none for what may be text.
pub(crate) fn in_words(content_type: &str) -> Option<String> {
    let (family, kind) = content_type.split_once('/')?;
    let short = kind.trim_start_matches("x-").split(['+', ';']).next().unwrap_or(kind).to_ascii_uppercase();
    let what = match (family, kind) {
        ("image", _) => "a picture",
        ("audio", _) => "a sound",
        ("video", _) => "a film",
        ("font", _) | (_, "vnd.ms-fontobject") => "a font",
        (_, kind) if ARCHIVES.contains(&kind) => "an archive",
        (_, kind) if PROGRAMS.contains(&kind) => "a program",
        (_, "vnd.sqlite3" | "x-sqlite3") => return Some("a database (SQLite)".to_owned()),
        (_, "msword") => return Some("an old or locked document (DOC)".to_owned()),
        (_, "x-ole-storage") => return Some("an old or locked Office document".to_owned()),
        (_, "rtf") => return Some("a document (RTF)".to_owned()),
        (_, "epub+zip") => return Some("a book (EPUB)".to_owned()),
        (_, kind) if kind.contains("spreadsheet") || kind.contains("ms-excel") => {
            return Some("a spreadsheet".to_owned());
        }
        (_, kind) if kind.contains("presentation") || kind.contains("ms-powerpoint") => {
            return Some("a presentation".to_owned());
        }
        (_, kind) if kind.contains("opendocument") => return Some("an OpenDocument file".to_owned()),
        _ => return None,
    };
    Some(format!("{what} ({short})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, head: &[u8], expected: &str) {
        assert_eq!(content_type(name, head), expected, "{name}");
    }

    #[test]
    fn content_tells_name_refines() {
        check("a.txt", b"hello", "text/plain");
        check("README.md", b"# hello", "text/markdown");
        check("x", b"#!/bin/sh\n", "text/x-shellscript");
        check("fake.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png");
        check("note", b"BMW is a car", "text/plain");
        check("x.pdf", b"%PDF-1.7\n", "application/pdf");
        check("x.pdf", b"\x01\x02junk\n%PDF-1.7\n", "application/pdf");
        check("x.bin", b"\0\x01\x02", "application/octet-stream");
        check("wide", b"\xff\xfeh\0i\0", "text/plain");
        check("wide.md", b"h\0e\0l\0l\0o\0", "text/markdown");
        check("a.docx", b"PK\x03\x04\x14\0\0\0", DOCX);
        check("page", b"\n<!DOCTYPE HTML><title>", "text/html");
        check("empty", b"", "text/plain");
    }

    #[test]
    fn skipped_kinds_have_words() {
        for (content_type, words) in [
            ("image/png", Some("a picture (PNG)")),
            ("image/svg+xml", Some("a picture (SVG)")),
            ("application/zip", Some("an archive (ZIP)")),
            ("application/x-executable", Some("a program (EXECUTABLE)")),
            ("text/plain", None),
            ("application/octet-stream", None),
        ] {
            assert_eq!(in_words(content_type).as_deref(), words, "{content_type}");
        }
    }
}
