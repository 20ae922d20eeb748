//! HTML as the text that a reader sees. Nothing is fetched: a picture is its description, a link its address in a
//! footnote, so that where it leads can be seen.
//!
//! The page is copied first with only what text needs (`simple.rs`), then html2text lays it out.

mod seen;
mod simple;

use crate::html::simple::simplified;
use crate::{clean, limits};

/// Columns of the text. Tables need a width; paragraphs are easier to read and to search when they have one too.
const WIDTH: usize = 100;

/// The text of a page of HTML, and whether all of it is there.
pub fn html_as_text(html: &str) -> (String, bool) {
    let cut = html.floor_char_boundary(limits::HTML_BYTES);
    let plain = simplified(&html[..cut]);
    // Fails where a table has more columns than fit side by side: then without a layout.
    let text = html2text::config::plain()
        .no_table_borders()
        .no_link_wrapping()
        .allow_width_overflow()
        .string_from_read(plain.html.as_bytes(), WIDTH);
    let text = text.unwrap_or(plain.text);
    (tidied(&clean::lines(&text)), cut == html.len())
}

/// Without blanks at the ends of lines, and with one empty line where there were several.
fn tidied(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        // Mail pads its preview with these, which nobody sees.
        let line = line
            .trim_matches(['\u{200b}', '\u{200c}', '\u{200d}', '\u{34f}', '\u{feff}', '\u{ad}', '\u{a0}']);
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty < 2 && !(empty == 1 && out.is_empty()) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}
