//! The text of a message: which of its parts are it, and their letters.

use serde::{Deserialize, Serialize};

use crate::attachment::is_attachment;
use crate::part::Part;
use crate::problem::Problem;
use crate::{charset, clean, decode_part, flowed, html_as_text, limits};

/// Which form of the text is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preference {
    /// Plain text, made out of HTML where there is no other.
    #[default]
    Plain,
    /// HTML as it was sent, where there is some.
    Html,
    /// Both.
    Both,
}

/// The letters of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// Lines end with `\n`.
    pub text: String,
    /// Whether it is HTML.
    pub is_html: bool,
    /// What was wrong with it.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

/// The parts that are the text of a message, in the order in which they are read. Of alternatives it is the one that is
/// preferred, or the other where that is missing; [`Preference::Both`] gives both.
///
/// `parts` are those of one message, not of messages inside it.
pub fn body_parts(parts: &[Part], preference: Preference) -> Vec<&Part> {
    let texts: Vec<&Part> = parts.iter().filter(|part| is_text(part) && !is_attachment(part)).collect();
    let wanted = match preference {
        Preference::Plain => "text/plain",
        Preference::Html => "text/html",
        Preference::Both => return texts,
    };
    let is_chosen = |part: &&&Part| {
        let Some(group) = alternatives(part) else { return true };
        let mut siblings = texts.iter().filter(|other| alternatives(other) == Some(group));
        part.mime_type == wanted || !siblings.any(|other| other.mime_type == wanted)
    };
    texts.iter().filter(is_chosen).copied().collect()
}

fn is_text(part: &Part) -> bool {
    matches!(part.mime_type.as_str(), "text/plain" | "text/html")
}

/// The number of the innermost multipart/alternative around a part: parts with the same one say the same.
fn alternatives(part: &Part) -> Option<&str> {
    let at = part.within.iter().rposition(|kind| kind == "multipart/alternative")?;
    // Every multipart around the part added one number to its own, so what is behind the first `at` is inside.
    let inside = part.within.len() - at;
    let cut = part.id.rmatch_indices('.').nth(inside - 1).map_or(0, |(at, _)| at);
    Some(&part.id[..cut])
}

/// The letters of a part of text, from its bytes as they are in the message.
pub fn text_of(part: &Part, raw: &[u8]) -> Text {
    let mut problems = Vec::new();
    let (bytes, whole) = decode_part(part, raw);
    if !whole {
        problems.push(Problem::Encoding { part: part.id.clone() });
    }
    let fits = bytes.len().min(limits::BODY_BYTES);
    let read = charset::read(&bytes[..fits], part.charset.as_deref());
    if let Some(read_as) = read.instead {
        problems.push(Problem::Charset { part: part.id.clone(), declared: part.charset.clone(), read_as });
    }
    let mut text = clean::lines(&read.text);
    if fits < bytes.len() || text.len() > limits::BODY_BYTES {
        problems.push(Problem::BodyCut { part: part.id.clone() });
        text.truncate(text.floor_char_boundary(limits::BODY_BYTES));
    }
    let is_html = part.mime_type == "text/html";
    if part.flowed && !is_html {
        text = flowed::unwrapped(&text, part.delsp);
    }
    Text { text, is_html, problems }
}

/// Texts one after the other as plain text, what is HTML made text.
pub fn plain_of(texts: &[Text]) -> (String, bool) {
    let mut whole = true;
    let plain = texts.iter().map(|text| {
        if text.is_html {
            let (plain, all) = html_as_text(&text.text);
            whole &= all;
            plain
        } else {
            text.text.clone()
        }
    });
    (joined(plain), whole)
}

/// Texts one after the other as HTML, what is plain made HTML. `None` where nothing is HTML.
pub fn html_of(texts: &[Text]) -> Option<String> {
    let any = texts.iter().any(|text| text.is_html);
    let html = texts.iter().map(|text| if text.is_html { text.text.clone() } else { escaped(&text.text) });
    any.then(|| joined(html))
}

/// Parts of one body, with an empty line between them.
fn joined(texts: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for text in texts {
        if !out.is_empty() {
            out.push_str(if out.ends_with('\n') { "\n" } else { "\n\n" });
        }
        out.push_str(&text);
    }
    out.truncate(out.floor_char_boundary(limits::BODY_BYTES));
    out
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<pre>{text}</pre>\n")
}
