//! PDF: the letters that pages draw, put together to lines and paragraphs; larger letters are headings.
//!
//! The file is somebody else's, and its format a maze: what it unpacks to is bounded stream by stream and in total, how
//! many values it may consist of is counted before they are read (`structure`).

mod font;
mod layout;
mod letters;
mod page;
mod structure;

use lopdf::{DecompressError, Document, Error, LoadOptions, Object};

use crate::Skipped;
use crate::blocks::Writer;
use crate::extract::{Extract, Extracted, Limits, Source};

use self::font::Fonts;
use self::layout::Layout;
use self::page::Drawing;

pub(crate) struct Pdf;

impl Extract for Pdf {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        structure::check(source.bytes, limits)?;
        read(source.bytes, limits)
    }

    fn bytes_max(&self, limits: &Limits<'_>) -> usize {
        limits.document_bytes
    }
}

fn read(bytes: &[u8], limits: &Limits<'_>) -> Result<Extracted<'static>, Skipped> {
    let options = LoadOptions::with_max_decompressed_size(structure::UNPACKED_MAX);
    let document = &Document::load_mem_with_options(bytes, options).map_err(|error| skipped(&error))?;
    if document.is_encrypted() {
        return Err(Skipped::Locked);
    }
    let mut fonts = Fonts::default();
    let mut layout = Layout::default();
    let mut left = limits.unpacked_bytes;
    let (mut pages, mut pictures) = (0, false);
    for page in document.page_iter() {
        limits.go_on()?;
        if pages == limits.pages {
            layout.leave_out(format!("only its first {pages} pages"));
            break;
        }
        pages += 1;
        layout.page(u32::try_from(pages).unwrap_or(u32::MAX));
        let mut drawing = Drawing::new(document, &mut fonts, &mut layout, &mut left, limits);
        drawing.page(page)?;
        pictures |= drawing.has_pictures();
        if layout.text_bytes() > limits.text_bytes {
            break;
        }
    }
    let mut writer = Writer::default();
    layout.write(&mut writer, limits);
    writer.finish(title(document), || match () {
        () if pages == 0 => Skipped::Damaged("no pages in it".to_owned()),
        () if fonts.unreadable() => Skipped::Unreadable,
        () if pictures => Skipped::Scanned,
        () => Skipped::Empty,
    })
}

fn title(document: &Document) -> Option<String> {
    let info = document.trailer.get_deref(b"Info", document).and_then(Object::as_dict).ok()?;
    let title = info.get_deref(b"Title", document).ok()?;
    let title = lopdf::decode_text_string(title).ok()?;
    // What programs write that were told no title.
    (!matches!(title.to_ascii_lowercase().as_str(), "untitled" | "(anonymous)" | "(unspecified)"))
        .then_some(title)
}

fn skipped(error: &Error) -> Skipped {
    match error {
        Error::InvalidPassword | Error::Decryption(_) => Skipped::Locked,
        Error::Decompress(DecompressError::MemoryLimitExceeded { limit }) => Skipped::Bomb(*limit),
        other => Skipped::Damaged(other.to_string()),
    }
}
