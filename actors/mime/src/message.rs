//! A whole message: what stands on it, what it says, and what came with it.

use serde::Serialize;

use crate::attachment::is_attachment;
use crate::body::{Preference, body_parts, html_of, plain_of, text_of};
use crate::part::Part;
use crate::problem::{Problem, Problems};
use crate::split::{self, Piece};
use crate::{Envelope, Headers, Page, field, limits, page};

/// A message that was read. It refers to the bytes that it was read from, so an attachment costs nothing until it is
/// decoded.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    envelope: Envelope,
    headers: Headers,
    pieces: Vec<Piece<'a>>,
    /// The parts of the message itself, without those of messages inside it.
    parts: Vec<Part>,
    problems: Vec<Problem>,
}

/// A message inside a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nested<'a> {
    /// The part that it is.
    pub id: &'a str,
    /// What stands on it.
    pub envelope: &'a Envelope,
    /// The parts in it, of messages inside it too.
    pub parts: Vec<&'a Part>,
}

/// A calendar (RFC 5545) that came with a message, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Calendar {
    /// The part that it is.
    pub id: String,
    /// What is asked: `REQUEST`, `CANCEL`, `REPLY`.
    pub method: Option<String>,
    /// The calendar's own text.
    pub text: String,
}

/// The text of a message in the forms that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bodies {
    /// Plain text.
    pub plain: Option<String>,
    /// Whether the plain text was made out of HTML.
    pub plain_from_html: bool,
    /// HTML as it was sent. It is a stranger's: whoever shows it to a browser has to clean it first.
    pub html: Option<String>,
    /// What was wrong with either.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

impl<'a> Message<'a> {
    /// Reads any bytes; what cannot be read is in [`Message::problems`].
    pub fn parse(bytes: &'a [u8]) -> Self {
        let mut problems = Problems::default();
        if bytes.len() > limits::MESSAGE_BYTES {
            problems.note(Problem::MessageCut);
        }
        let bytes = &bytes[..bytes.len().min(limits::MESSAGE_BYTES)];
        let (fields, body) = field::split(bytes, &mut problems);
        let pieces = split::pieces(&fields, body, &mut problems);
        problems.note_all(told(&pieces));
        let own = pieces.iter().filter(|piece| piece.messages == 0);
        Self {
            envelope: Envelope::of(&fields),
            headers: Headers::of(&fields),
            parts: own.map(|piece| piece.part.clone()).collect(),
            pieces,
            problems: problems.into_vec(),
        }
    }

    /// Who, to whom, when, about what.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// All fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// What was wrong with its header and its parts. What is wrong with the text is in [`Bodies::problems`].
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The parts of the message itself, without those of messages inside it.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Those parts that a person would call attachments.
    pub fn attachments(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| is_attachment(part))
    }

    /// A part by its number, and its bytes as they are in the message; those of messages inside it too.
    pub fn part(&self, id: &str) -> Option<(&Part, &'a [u8])> {
        self.pieces.iter().find(|piece| piece.part.id == id).map(|piece| (&piece.part, piece.raw))
    }

    /// The messages inside it, at any depth. Their text: parse the bytes of [`Message::part`].
    pub fn nested(&self) -> Vec<Nested<'_>> {
        let nested = |piece: &'_ Piece<'a>| piece.envelope.is_some();
        let inside =
            |id: &str, part: &Part| part.id.strip_prefix(id).is_some_and(|rest| rest.starts_with('.'));
        let describe = |piece| {
            let Piece { part, envelope, .. }: &Piece<'_> = piece;
            let id = part.id.as_str();
            let parts = self.pieces.iter().map(|piece| &piece.part).filter(|part| inside(id, part)).collect();
            Some(Nested { id, envelope: envelope.as_ref()?, parts })
        };
        self.pieces.iter().filter(|piece| nested(piece)).filter_map(describe).collect()
    }

    /// The calendars that came with it, invitations above all; the same text twice is told once.
    pub fn calendars(&self) -> Vec<Calendar> {
        let mut calendars: Vec<Calendar> = Vec::new();
        let is_calendar = |piece: &&Piece<'_>| {
            piece.messages == 0
                && matches!(piece.part.mime_type.as_str(), "text/calendar" | "application/ics")
        };
        for Piece { part, raw, .. } in self.pieces.iter().filter(is_calendar) {
            let text = text_of(part, raw).text;
            if !calendars.iter().any(|known| known.text.trim_end() == text.trim_end()) {
                calendars.push(Calendar { id: part.id.clone(), method: part.method.clone(), text });
            }
        }
        calendars
    }

    /// What it says.
    pub fn bodies(&self, preference: Preference) -> Bodies {
        let mut problems = Problems::default();
        let mut read = |preference| {
            let parts = body_parts(&self.parts, preference);
            let texts = parts.iter().filter_map(|part| self.part(&part.id));
            let texts: Vec<_> = texts.map(|(part, raw)| text_of(part, raw)).collect();
            problems.note_all(texts.iter().flat_map(|text| text.problems.iter().cloned()));
            texts
        };
        let html = if preference == Preference::Plain { None } else { html_of(&read(Preference::Html)) };
        // Whoever prefers HTML gets plain text where there is none.
        let plain = (preference != Preference::Html || html.is_none()).then(|| read(Preference::Plain));
        let plain_from_html = plain.iter().flatten().any(|text| text.is_html);
        let plain = plain.map(|texts| plain_of(&texts));
        if let Some((_, false)) = plain {
            problems.note(Problem::HtmlCut);
        }
        let plain = plain.map(|(plain, _)| plain);
        Bodies { plain, plain_from_html, html, problems: problems.into_vec() }
    }

    /// A piece of what it says, as plain text: see [`page()`].
    pub fn body(&self, offset: usize, max: usize) -> Page {
        page(&self.bodies(Preference::Plain).plain.unwrap_or_default(), offset, max)
    }
}

/// What a reader has to know about the parts of a message.
fn told<'a>(pieces: &'a [Piece<'_>]) -> impl Iterator<Item = Problem> + 'a {
    pieces.iter().filter(|piece| piece.messages == 0).filter_map(|Piece { part, .. }| {
        match part.mime_type.as_str() {
            "application/ms-tnef" | "application/vnd.ms-tnef" => {
                Some(Problem::Tnef { part: part.id.clone() })
            }
            "application/pgp-encrypted" | "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                Some(Problem::Encrypted)
            }
            _ => None,
        }
    })
}
