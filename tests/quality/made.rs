//! Documents out of a little Markdown: PDF, DOCX and HTML, as programs of an office write them.

use std::fmt::Write as _;

use crate::make;

/// A part of a document.
enum Part<'a> {
    /// Its level, from 1, and its words.
    Heading(usize, &'a str),
    Item(String),
    Row(Vec<&'a str>),
    Paragraph(String),
}

fn parts(source: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut goes_on = false;
    for line in source.lines().map(str::trim) {
        let words = line.trim_start_matches('#');
        let level = line.len() - words.len();
        let part = if line.is_empty() {
            goes_on = false;
            continue;
        } else if level > 0 {
            Part::Heading(level, words.trim())
        } else if let Some(item) = line.strip_prefix("- ") {
            Part::Item(item.to_owned())
        } else if let Some(row) = line.strip_prefix("| ") {
            Part::Row(row.split('|').map(str::trim).collect())
        } else if let (true, Some(Part::Paragraph(paragraph))) = (goes_on, parts.last_mut()) {
            paragraph.push(' ');
            paragraph.push_str(line);
            continue;
        } else {
            Part::Paragraph(line.to_owned())
        };
        goes_on = matches!(part, Part::Paragraph(_));
        parts.push(part);
    }
    parts
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A page with what pages have around their text.
pub(crate) fn html(source: &str) -> String {
    let parts = parts(source);
    let title = parts.iter().find_map(|part| match part {
        Part::Heading(1, words) => Some(escaped(words)),
        _ => None,
    });
    let mut page = format!(
        "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>{}</title>\
         <style>body {{ font: 16px serif; margin: 2em }}</style></head>\n<body>\n",
        title.unwrap_or_default()
    );
    for part in &parts {
        let _ = match part {
            Part::Heading(level, words) => writeln!(page, "<h{level}>{}</h{level}>", escaped(words)),
            Part::Item(words) => writeln!(page, "<ul><li>{}</li></ul>", escaped(words)),
            Part::Row(cells) => {
                let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
                writeln!(page, "<table><tr><td>{}</td></tr></table>", cells.join("</td><td>"))
            }
            Part::Paragraph(words) => writeln!(page, "<p>{}</p>", escaped(words)),
        };
    }
    page.push_str("<script>console.log(\"seen\")</script>\n</body></html>\n");
    page
}

pub(crate) fn docx(source: &str) -> Vec<u8> {
    let body: String = parts(source)
        .iter()
        .map(|part| match part {
            Part::Heading(1, words) => make::paragraph("berschrift1", &escaped(words)),
            Part::Heading(_, words) => make::paragraph("Deep", &escaped(words)),
            Part::Item(words) | Part::Paragraph(words) => make::paragraph("", &escaped(words)),
            Part::Row(cells) => make::paragraph("", &escaped(&cells.join(", "))),
        })
        .collect();
    make::docx(&body)
}

/// Letters of a line and lines of a page, in the size of running text.
const LINE: usize = 88;
const PAGE: u32 = 700;

pub(crate) fn pdf(source: &str) -> Vec<u8> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    for part in parts(source) {
        let (size, words) = match part {
            Part::Heading(1, words) => (20, words.to_owned()),
            Part::Heading(_, words) => (14, words.to_owned()),
            Part::Item(words) => (10, format!("- {words}")),
            Part::Row(cells) => (10, cells.join(" : ")),
            Part::Paragraph(words) => (10, words),
        };
        lines.extend(wrapped(&words).into_iter().map(|line| (size, line)));
        lines.push((10, String::new()));
    }
    let mut pages: Vec<Vec<(u32, String)>> = vec![Vec::new()];
    let mut height = 0;
    for (size, line) in lines {
        height += size * 6 / 5;
        if height > PAGE {
            height = 0;
            pages.push(Vec::new());
        }
        pages.last_mut().expect("there is a first").push((size, shown(&line)));
    }
    let pages: Vec<String> = pages
        .iter()
        .map(|page| {
            make::written(&page.iter().map(|(size, line)| (*size, line.as_str())).collect::<Vec<_>>())
        })
        .collect();
    make::pdf(&pages.iter().map(String::as_str).collect::<Vec<_>>(), "", &[])
}

fn wrapped(words: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let line = lines.last_mut().expect("there is a first");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= LINE {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A line as a string of a PDF: brackets and what is not ASCII by number (`WinAnsiEncoding`, PDF 1.7, annex D).
fn shown(line: &str) -> String {
    let mut string = String::new();
    for c in line.chars() {
        let number = match c {
            '(' | ')' | '\\' => {
                string.push('\\');
                u32::from(c)
            }
            '€' => 0o200,
            '’' => 0o222,
            '–' => 0o226,
            _ => u32::from(c),
        };
        if number < 0x80 {
            string.push(c);
        } else {
            assert!(number <= 0xff, "{c} is not in the font of the PDFs: {line}");
            let _ = write!(string, "\\{number:03o}");
        }
    }
    string
}
