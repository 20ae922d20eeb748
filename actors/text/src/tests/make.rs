//! Makes documents: PDF and DOCX files as small as they can be, and as bad as somebody may send them.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A PDF of these objects, numbered from 1; the first is the catalogue.
pub(super) fn pdf_of(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(pdf.len());
        pdf.extend(format!("{number} 0 obj\n").bytes());
        pdf.extend(object);
        pdf.extend(b"\nendobj\n");
    }
    let xref = pdf.len();
    let size = objects.len() + 1;
    let mut end = format!("xref\n0 {size}\n0000000000 65535 f \n");
    for place in places {
        let _ = writeln!(end, "{place:010} 00000 n ");
    }
    let _ = write!(end, "trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{xref}\n%%EOF\n");
    pdf.extend(end.bytes());
    pdf
}

/// A stream object, packed.
pub(super) fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
    let packed = deflate(content);
    let head = format!("<< {dictionary} /Filter /FlateDecode /Length {} >>\nstream\n", packed.len());
    [head.as_bytes(), &packed, b"\nendstream"].concat()
}

pub(super) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A PDF with a page for each of these contents. `/F1` is Helvetica, `/F2` the first object of `more`,
/// which has number 5, and `resources` says what else there is.
pub(super) fn pdf(pages: &[&str], resources: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let pages: Vec<_> = pages.iter().map(|page| stream("", page.as_bytes())).collect();
    pdf_with(pages, resources, more)
}

fn pdf_with(pages: Vec<Vec<u8>>, resources: &str, more: &[Vec<u8>]) -> Vec<u8> {
    // 1 catalogue, 2 pages, 3 font, 4 information, then `more`, then a page and its content each.
    let first = 5 + more.len();
    let kids = references(first, pages.len());
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()).into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
        b"<< /Title (A test) >>".to_vec(),
    ];
    objects.extend(more.iter().cloned());
    for (page, content) in pages.into_iter().enumerate() {
        let (resources, at) =
            (format!("<< /Font << /F1 3 0 R /F2 5 0 R >> {resources} >>"), first + 2 * page + 1);
        objects.push(
            format!("<< /Type /Page /Parent 2 0 R /Resources {resources} /Contents {at} 0 R >>").into_bytes(),
        );
        objects.push(content);
    }
    pdf_of(&objects, "/Info 4 0 R")
}

/// References to so many objects, each with one between.
pub(super) fn references(first: usize, count: usize) -> String {
    (0..count).map(|nth| format!("{} 0 R", first + 2 * nth)).collect::<Vec<_>>().join(" ")
}

/// Commands that write lines from the top of a page; each with the size of its letters.
pub(super) fn written(lines: &[(u32, &str)]) -> String {
    let (mut commands, mut height) = (String::new(), 800);
    for (size, line) in lines {
        height -= size * 6 / 5;
        // An empty line is a gap.
        if !line.is_empty() {
            let _ = writeln!(commands, "BT /F1 {size} Tf 72 {height} Td ({line}) Tj ET");
        }
    }
    commands
}

/// A DOCX with these parts.
pub(super) fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).expect("memory takes it");
        zip.write_all(content).expect("memory takes it");
    }
    zip.finish().expect("memory takes it").into_inner()
}

/// A DOCX with this body.
pub(super) fn docx(body: &str) -> Vec<u8> {
    let styles = br#"<w:styles xmlns:w="w">
        <w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
        <w:style w:type="paragraph" w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="berschrift1"/></w:style>
        <w:style w:styleId="Deep"><w:name w:val="Deep"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
        </w:styles>"#;
    let notes = r#"<w:footnotes xmlns:w="w"><w:footnote><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote>
        </w:footnotes>"#;
    let document =
        format!(r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#);
    zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", document.as_bytes()),
        ("word/styles.xml", styles),
        ("word/footnotes.xml", notes.as_bytes()),
        ("docProps/core.xml", b"<cp><dc:title>Plans &amp; more</dc:title></cp>"),
    ])
}

/// A paragraph of a DOCX, with its style if it has one.
pub(super) fn paragraph(style: &str, text: &str) -> String {
    let style = if style.is_empty() {
        String::new()
    } else {
        format!(r#"<w:pPr><w:pStyle w:val="{style}"/></w:pPr>"#)
    };
    format!(r#"<w:p>{style}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>"#)
}
