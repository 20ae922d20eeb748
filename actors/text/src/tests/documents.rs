//! PDF and DOCX: pages, headings, tables, and files that cannot be read.

use super::make::{docx, paragraph, pdf, stream, written};
use super::*;

#[test]
fn a_pdf_is_headings_and_paragraphs() {
    let first = written(&[
        (24, "The Report"),
        (10, ""),
        (16, "First part"),
        (10, ""),
        (10, "Lines of a paragraph go on with the next"),
        (10, "line, and words are put toge-"),
        (10, "ther again."),
        (10, ""),
        (10, "Caf\\351 costs \\(mostly\\) 2 \\200."),
    ]);
    let second = written(&[(16, "Second part"), (10, ""), (10, "Text of the second page.")]);
    check(
        "a.pdf",
        &pdf(&[&first, &second], "", &[]),
        "heading p1 [The Report] The Report
        heading p1 [The Report > First part] First part
        prose p1 [The Report > First part] Lines of a paragraph… put together again.
        prose p1 [The Report > First part] Café costs (mostly) 2 €.
        heading p2 [The Report > Second part] Second part
        prose p2 [The Report > Second part] Text of the second page.",
    );
}

#[test]
fn a_pdf_knows_its_title_and_pages() {
    let pages: Vec<_> = (1..=12).map(|n| written(&[(10, format!("This is page {n}.").as_str())])).collect();
    let pages: Vec<_> = pages.iter().map(String::as_str).collect();
    let file = pdf(&pages, "", &[]);
    let extracted = extract("a.pdf", &file).expect("text");
    assert_eq!(extracted.title.as_deref(), Some("A test"));
    let pages: Vec<_> =
        chunks(&extracted, 20).iter().map(|chunk| chunk.pages.clone().expect("pages")).collect();
    assert_eq!((pages[0].start, pages[pages.len() - 1].end), (1, 13));
    let limits = Limits { pages: 5, ..Limits::default() };
    let cut = extract_within("a.pdf", &file, &limits).expect("text");
    assert_eq!(cut.cut.as_deref(), Some("only its first 5 pages"));
    assert!(cut.text.ends_with("This is page 5."));
}

#[test]
fn what_is_on_every_page_is_left_out() {
    let page = |n: usize| {
        let (head, text) = (format!("The Manual, page {n}"), format!("Chapter {n} ........ {n}"));
        written(&[(10, &head), (10, ""), (10, &text), (10, "Text of it."), (10, ""), (10, &n.to_string())])
    };
    let pages: Vec<_> = (8..13).map(page).collect();
    let pages: Vec<_> = pages.iter().map(String::as_str).collect();
    let file = pdf(&pages, "", &[]);
    let text = extract("a.pdf", &file).expect("text").text.into_owned();
    assert!(text.starts_with("Chapter 8 … 8\nText of it.\n\nChapter 9 … 9\n"), "{text}");
    assert!(!text.contains("Manual") && text.ends_with("Text of it."), "{text}");
}

#[test]
fn letters_of_a_pdf_become_words() {
    // Gaps in an array, a string a word, a string a letter, a matrix around the page.
    let page = "BT /F1 10 Tf 1 0 0 1 72 700 Tm [(Ker) 80 (ned) -300 (words)] TJ ET
        q .5 0 0 .5 0 0 cm BT /F1 20 Tf 144 1300 Td (scaled) Tj 100 0 Td (apart) Tj ET Q
        BT /F1 10 Tf 12 TL 72 600 Td (by) Tj T* (lines) Tj (quoted) ' ET";
    let file = pdf(&[page], "", &[]);
    let text = extract("a.pdf", &file).expect("text").text.into_owned();
    assert_eq!(text, "Kerned words\n\nscaled apart\n\nby\nlines\nquoted");
}

#[test]
fn a_pdf_is_read_by_its_own_table_of_letters() {
    let map = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap
        1 begincodespacerange <0000> <FFFF> endcodespacerange
        2 beginbfchar <0001> <65E5> <0002> <672C> endbfchar
        1 beginbfrange <0010> <0012> <0061> endbfrange endcmap end end";
    let font = |map: &str| {
        format!("<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [<< /Type /Font /W [1 [1000 1000] 16 18 500] >>] {map} >>")
            .into_bytes()
    };
    let page = "BT /F2 10 Tf 72 700 Td <00010002> Tj 30 0 Td <001000110012> Tj ET";
    let file = pdf(&[page], "", &[font("/ToUnicode 6 0 R"), stream("", map)]);
    assert_eq!(extract("a.pdf", &file).expect("text").text, "日本 abc");
    let file = pdf(&[page], "", &[font("")]);
    assert_eq!(
        refused("a.pdf", &file),
        "no text in it that can be read: its fonts do not say which letters they draw"
    );
}

#[test]
fn a_pdf_within_a_pdf_is_read() {
    let form =
        stream("/Subtype /Form /Resources << /Font << /F1 3 0 R >> >>", b"BT /F1 9 Tf 9 9 Td (inside) Tj ET");
    let file = pdf(&["q /X Do Q"], "/XObject << /X 5 0 R >>", &[form]);
    assert_eq!(extract("a.pdf", &file).expect("text").text, "inside");
}

#[test]
fn scanned_pages_are_said_to_be() {
    let picture = stream("/Subtype /Image /Width 1 /Height 1", b"\0");
    let file = pdf(&["q /X Do Q"], "/XObject << /X 5 0 R >>", &[picture]);
    assert_eq!(refused("a.pdf", &file), "no text in it: pages that were scanned");
    assert_eq!(refused("a.pdf", &pdf(&[""], "", &[])), "no text in it");
}

#[test]
fn a_docx_is_headings_paragraphs_and_rows() {
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph("", text));
    let row = |one: &str, other: &str| format!("<w:tr>{}{}</w:tr>", cell(one), cell(other));
    let list = "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>entry</w:t></w:r></w:p>";
    let body = [
        paragraph("Title", "The plan"),
        paragraph("berschrift1", "Ziele &amp; Wege"),
        paragraph("", "First <w:tab/>"),
        "<w:p><w:r><w:t>Tom &#38; </w:t></w:r><w:r><w:t>Jerry</w:t><w:br/><w:t>below</w:t></w:r></w:p>".to_owned(),
        "<w:p><w:del><w:r><w:t>gone</w:t></w:r></w:del><w:r><w:instrText>PAGE</w:instrText><w:t>kept</w:t></w:r></w:p>"
            .to_owned(),
        paragraph("Deep", "Below"),
        list.to_owned(),
        format!("<w:tbl>{}{}</w:tbl>", row("Name", "Price"), row("Milk", "2")),
        paragraph("Mine", "By its parent"),
        paragraph("", "End."),
    ];
    check(
        "a.docx",
        &docx(&body.concat()),
        "heading [The plan] The plan
        heading [The plan > Ziele & Wege] Ziele & Wege
        prose [The plan > Ziele & Wege] First
        prose [The plan > Ziele & Wege] Tom & Jerry⏎below
        prose [The plan > Ziele & Wege] kept
        heading [The plan > Ziele & Wege > Below] Below
        record [The plan > Ziele & Wege > Below] entry⏎Name | Price⏎Milk | 2
        heading [The plan > By its parent] By its parent
        prose [The plan > By its parent] End.
        prose [] A note.",
    );
    let file = docx(&body.concat());
    assert_eq!(extract("a.docx", &file).expect("text").title.as_deref(), Some("Plans & more"));
    assert_eq!(refused("a.docx", &make::zip(&[("word/document.xml", b"<w:body/>")])), "no text in it");
}
