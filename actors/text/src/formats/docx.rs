//! DOCX (ECMA-376): paragraphs with headings by their style, tables row by row, notes at the end.
//!
//! What a part unpacks to is bounded while it is unpacked: sizes in a ZIP file are whatever its writer says.

mod body;
mod styles;

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::Skipped;
use crate::blocks::Writer;
use crate::decode::decode;
use crate::extract::{Extract, Extracted, Limits, Source};
use crate::formats::Headings;

pub(crate) struct Docx;

/// A document has a part for each picture; more entries than this are no document, and each costs memory to list.
const ENTRIES_MAX: usize = 20_000;

/// How an entry of a ZIP file's list begins.
const ENTRY: &[u8] = b"PK\x01\x02";

impl Extract for Docx {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        // Counted before the list is read, which makes something of every entry.
        if source.bytes.windows(ENTRY.len()).filter(|bytes| *bytes == ENTRY).count() > ENTRIES_MAX {
            return Err(Skipped::Damaged(format!("a document of more than {ENTRIES_MAX} parts")));
        }
        let archive = ZipArchive::new(Cursor::new(source.bytes)).map_err(damaged)?;
        let mut parts = Parts { archive, left: limits.unpacked_bytes, unpacked_max: limits.unpacked_bytes };
        let Some(document) = parts.read("word/document.xml")? else {
            return Err(Skipped::Damaged("a document without text (word/document.xml)".to_owned()));
        };
        let styles = match parts.read("word/styles.xml")? {
            Some(part) => styles::levels(&part),
            None => styles::Levels::default(),
        };
        let title = parts.read("docProps/core.xml")?.and_then(|part| styles::title(&part));
        let (mut writer, mut headings) = (Writer::default(), Headings::default());
        let mut go_on = body::read(&document, &styles, &mut headings, &mut writer, limits)?;
        drop(document);
        headings.leave(0);
        for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
            if go_on && let Some(part) = parts.read(notes)? {
                go_on = body::read(&part, &styles, &mut headings, &mut writer, limits)?;
            }
        }
        writer.finish(title, || Skipped::Empty)
    }

    fn bytes_max(&self, limits: &Limits<'_>) -> usize {
        limits.document_bytes
    }
}

/// The files in the archive.
struct Parts<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// How much may yet be unpacked, in bytes.
    left: usize,
    unpacked_max: usize,
}

impl Parts<'_> {
    /// A part as text; nothing where there is none of this name.
    fn read(&mut self, name: &str) -> Result<Option<String>, Skipped> {
        let part = match self.archive.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(damaged(error)),
        };
        let mut bytes = Vec::new();
        let read = part.take(self.left as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| Skipped::Damaged(format!("{name}: {error}")))?;
        self.left = self.left.checked_sub(bytes.len()).ok_or(Skipped::Bomb(self.unpacked_max))?;
        let decoded = decode(&bytes, None)?;
        Ok(Some(decoded.text[decoded.begin..].to_owned()))
    }
}

fn damaged(error: ZipError) -> Skipped {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            Skipped::Locked
        }
        other => Skipped::Damaged(other.to_string()),
    }
}
