//! Files that somebody made to do harm, or that were damaged on their way: each is refused in words, soon, and without
//! taking the memory that it asks for.

use std::fmt::Write as _;

use super::make::{docx, paragraph, pdf, pdf_of, references, stream, written, zip};
use super::*;

const MB: usize = 1024 * 1024;

/// Little enough for a test to be quick.
fn small() -> Limits<'static> {
    Limits { unpacked_bytes: 12 * MB, ..Limits::default() }
}

#[track_caller]
fn refused_within(name: &str, bytes: &[u8], limits: &Limits<'_>) -> String {
    extract_within(name, bytes, limits).expect_err("it is refused").to_string()
}

#[test]
fn a_locked_pdf_is_said_to_be_locked() {
    // The oldest lock there is, with hashes that no password has.
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [] /Count 0 >>".to_vec(),
        format!("<< /Filter /Standard /V 1 /R 2 /O <{0}> /U <{0}> /P -44 >>", "1f".repeat(32)).into_bytes(),
    ];
    let id = "ab".repeat(16);
    let file = pdf_of(&objects, &format!("/Encrypt 3 0 R /ID [<{id}> <{id}>]"));
    assert_eq!(refused("a.pdf", &file), "locked with a password");
}

#[test]
fn a_pdf_that_was_cut_off_gives_what_there_is_or_an_error() {
    let page = written(&[(10, "Some text on a page.")]);
    let whole = pdf(&[&page, &page], "", &[]);
    for length in (0..whole.len()).step_by(7) {
        if let Ok(extracted) = extract("a.pdf", &whole[..length]) {
            assert!(extracted.text.contains("Some text") || length < 20, "{length}");
        }
    }
    // Any byte may be another one.
    for at in (0..whole.len()).step_by(3) {
        let mut broken = whole.clone();
        broken[at] ^= 0x15;
        let _ = extract("a.pdf", &broken);
    }
}

#[test]
fn a_page_that_unpacks_to_too_much_is_left_out() {
    let bomb = stream("", &vec![b' '; 20 * MB]);
    let file = pages_of(&[&bomb, &stream("", written(&[(10, "Still here.")]).as_bytes())]);
    let extracted = extract("a.pdf", &file).expect("one page has text");
    assert_eq!(extracted.text, "Still here.");
    assert_eq!(extracted.cut.as_deref(), Some("not its pages with too large drawings"));
    let many = pages_of(&[bomb.as_slice(); 5]);
    assert!(many.len() < MB / 5);
    assert_eq!(refused_within("a.pdf", &many, &small()), "unpacks to more than 12 MB");
}

/// A PDF of these streams as pages.
fn pages_of(contents: &[&[u8]]) -> Vec<u8> {
    let kids = references(4, contents.len());
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", contents.len()).into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ];
    for (page, content) in contents.iter().enumerate() {
        let resources = "<< /Font << /F1 3 0 R >> >>";
        let content_at = 5 + 2 * page;
        objects.push(
            format!("<< /Type /Page /Parent 2 0 R /Resources {resources} /Contents {content_at} 0 R >>")
                .into_bytes(),
        );
        objects.push(content.to_vec());
    }
    pdf_of(&objects, "")
}

#[test]
fn values_are_counted_before_they_are_read() {
    let zeros = "0 ".repeat(4_000_000);
    let plain = pdf_of(&[b"<< /Type /Catalog >>".to_vec(), format!("[{zeros}]").into_bytes()], "");
    assert_eq!(refused("a.pdf", &plain), "damaged: more than 3000000 values in it");
    let packed = stream("/Type /ObjStm /N 1 /First 4", format!("9 0 [{zeros}]").as_bytes());
    let packed = pdf_of(&[b"<< /Type /Catalog >>".to_vec(), packed], "");
    assert_eq!(refused("a.pdf", &packed), "damaged: more than 3000000 values in it");
    let bomb = stream("/Type /ObjStm /N 1 /First 4", &vec![b' '; 33 * MB]);
    let bomb = pdf_of(&[b"<< /Type /Catalog >>".to_vec(), bomb], "");
    assert_eq!(refused("a.pdf", &bomb), "unpacks to more than 32 MB");
}

#[test]
fn drawings_within_drawings_come_to_an_end() {
    // Each draws the next twenty times: three million drawings of the last.
    let mut forms = Vec::new();
    for form in 0..6 {
        let next = 5 + (form + 1) % 6;
        let resources = format!("/Subtype /Form /Resources << /XObject << /X {next} 0 R >> >>");
        forms.push(stream(&resources, "/X Do ".repeat(20).as_bytes()));
    }
    let file = pdf(&["/X Do"], "/XObject << /X 5 0 R >>", &forms);
    assert_eq!(
        refused_within("a.pdf", &file, &Limits { unpacked_bytes: MB, ..small() }),
        "unpacks to more than 1 MB"
    );
    let circle = pdf_of(
        &[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>".to_vec(),
        ],
        "",
    );
    assert_eq!(refused("a.pdf", &circle), "damaged: no pages in it");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = pdf_of(&[b"<< /Type /Catalog >>".to_vec(), deep.into_bytes()], "");
    assert!(refused("a.pdf", &deep).starts_with("damaged"));
}

#[test]
fn a_docx_that_unpacks_to_too_much_is_refused() {
    let bomb = docx(&" ".repeat(20 * MB));
    assert!(bomb.len() < MB / 10);
    assert_eq!(refused_within("a.docx", &bomb, &small()), "unpacks to more than 12 MB");
    let long = docx(&paragraph("", &"word ".repeat(400_000)).repeat(3));
    let limits = Limits { text_bytes: 5 * MB, ..Limits::default() };
    let cut = extract_within("a.docx", &long, &limits).expect("its beginning is text");
    assert_eq!(cut.cut.as_deref(), Some("only the first 5 MB of its text"));
    assert!(cut.text.len() <= limits.text_bytes);
}

#[test]
fn a_docx_that_is_none_is_refused() {
    assert_eq!(
        refused("a.docx", &zip(&[("a.txt", b"a")])),
        "damaged: a document without text (word/document.xml)"
    );
    let whole = docx(&paragraph("", "Some text."));
    for length in (4..whole.len()).step_by(5) {
        assert!(extract("a.docx", &whole[..length]).is_err(), "{length}");
    }
    for at in (4..whole.len()).step_by(3) {
        let mut broken = whole.clone();
        broken[at] ^= 0x15;
        let _ = extract("a.docx", &broken);
    }
    let listed = [b"PK\x03\x04\0".as_slice(), &b"PK\x01\x02".repeat(30_000)].concat();
    assert_eq!(refused("a.docx", &listed), "damaged: a document of more than 20000 parts");
    let mut locked = docx("");
    for at in 0..locked.len() - 8 {
        match &locked[at..at + 4] {
            b"PK\x03\x04" => locked[at + 6] |= 1,
            b"PK\x01\x02" => locked[at + 8] |= 1,
            _ => {}
        }
    }
    assert_eq!(refused("a.docx", &locked), "locked with a password");
}

#[test]
fn what_is_deep_is_only_long() {
    let mut files = vec![
        ("a.html", "<div>".repeat(200_000) + "text"),
        ("a.html", "<table><tr><td>".repeat(50_000) + "text"),
        ("a.json", "[".repeat(500_000) + "1"),
        ("a.json", "{\"a\":".repeat(200_000) + "1"),
        ("a.md", ">".repeat(20_000) + "text"),
        ("a.md", "- ".repeat(20_000) + "text"),
        ("a.md", "[a](".repeat(20_000) + "text"),
        ("a.md", "# a\n".repeat(100_000)),
        ("a.csv", "\"".to_owned() + &"a,b\n".repeat(200_000)),
        ("a.txt", "a\n\n".repeat(300_000)),
    ];
    let mut yaml = String::new();
    for depth in 0..1000 {
        let _ = writeln!(yaml, "{}a:", " ".repeat(depth));
    }
    files.push(("a.yaml", yaml.clone()));
    files.push(("a.py", yaml.replace("a:", "def a():")));
    for (name, file) in files {
        let extracted = extract(name, file.as_bytes()).expect("it has text");
        assert!(extracted.blocks.len() <= 200_000, "{name}");
        assert!(extracted.blocks.iter().all(|block| block.trail.len() <= 12), "{name}");
        assert!(!chunks(&extracted, 200).is_empty(), "{name}");
    }
}

#[test]
fn a_reader_that_panics_costs_its_file_only() {
    struct Panics;
    impl crate::Extract for Panics {
        fn extract<'a>(&self, source: &Source<'a>, _: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
            panic!("on {} bytes", source.bytes.len())
        }
    }
    let mut all = Extractors::default();
    all.register(&["text/plain"], Panics);
    let refused = all.extract_named("a.txt", b"text", &Limits::default()).expect_err("it panics");
    assert_eq!(refused.to_string(), "damaged: its reader failed on it");
}

#[test]
fn whoever_has_no_more_time_stops_it() {
    let page = written(&[(10, "text")]);
    let pages = [page.as_str(); 20];
    let files = [
        ("a.pdf", pdf(&pages, "", &[])),
        ("a.docx", docx(&paragraph("", "text").repeat(2000))),
        ("a.html", b"<p>text".repeat(100_000)),
        ("a.md", b"text\n\n".repeat(10_000)),
        ("a.json", b"[1, 2], ".repeat(10_000)),
    ];
    for (name, file) in files {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 2;
        let limits = Limits { stop: &stop, ..Limits::default() };
        assert_eq!(extract_within(name, &file, &limits), Err(Skipped::Stopped), "{name}");
        let extracted = extract(name, &file).expect("there is time");
        let stopped = crate::chunks(&extracted, Sizes::default(), &Words, &limits);
        assert_eq!(stopped, Err(Skipped::Stopped), "{name}");
    }
}
