//! The fields of a header (RFC 5322 2.2): where each begins and ends, unfolded, as UTF-8. What they mean is read later.

use std::borrow::Cow;

use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};

use crate::problem::{Problem, Problems};
use crate::{charset, limits, params, words};

/// One field, its value unfolded and in UTF-8; encoded words are still encoded.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    value: Cow<'a, [u8]>,
}

/// Splits a message, or a part of one, into the fields of its header and the body behind it.
pub(crate) fn split<'a>(entity: &'a [u8], problems: &mut Problems) -> (Vec<Field<'a>>, &'a [u8]) {
    let mut fields: Vec<Field<'a>> = Vec::new();
    let (mut rest, mut taken) = (entity, 0);
    while let Some((line, after)) = next_line(rest) {
        if line.is_empty() {
            rest = after;
            break;
        }
        taken += rest.len() - after.len();
        let fits = taken <= limits::HEADER_BYTES && fields.len() < limits::FIELDS;
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some(field) = fields.last_mut().filter(|_| fits) {
                field.value.to_mut().extend_from_slice(line);
            }
        } else if let Some(field) = field(line) {
            if fits {
                fields.push(field);
            }
        } else if !is_envelope_line(line) {
            // Between fields it is a broken line; before none the empty line is missing, and this is the body.
            let goes_on = !line.starts_with(b"--")
                && next_line(after).is_some_and(|(next, _)| field_name(next).is_some());
            if fields.is_empty() || !goes_on {
                problems.note(Problem::NoEmptyLine);
                break;
            }
            problems.note(Problem::HeaderLine);
        }
        if !fits {
            problems.note(Problem::HeaderCut);
        }
        rest = after;
    }
    mend(&mut fields, problems);
    (fields, rest)
}

/// The first line without its end, and what is behind it.
pub(crate) fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default()))
}

fn field(line: &[u8]) -> Option<Field<'_>> {
    let (name, value) = field_name(line)?;
    Some(Field { name, value: Cow::Borrowed(value) })
}

/// The name of a field, printable ASCII without a colon; blanks before the colon are old custom (RFC 5322 4.5).
fn field_name(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    let valid = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    valid.then_some((std::str::from_utf8(name).ok()?, &line[colon + 1..]))
}

/// The line that mbox files and some servers put before the header.
fn is_envelope_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// Raw letters outside ASCII, which only RFC 6532 allows and only in UTF-8. All fields of a header are guessed
/// together: a name alone is too little to guess from.
fn mend(fields: &mut [Field<'_>], problems: &mut Problems) {
    let odd = |field: &&Field<'_>| charset::needs_guess(&field.value);
    // Raw letters in an encoded word are in the charset of the word.
    for field in fields.iter_mut().filter(|field| charset::needs_guess(&field.value)) {
        if let Cow::Owned(value) = words::joined(&field.value) {
            field.value = Cow::Owned(value);
        }
    }
    if !fields.iter().any(|field| odd(&field)) {
        return;
    }
    let encoding = charset::guess(fields.iter().filter(odd).map(|field| &*field.value));
    problems.note(Problem::HeaderGuessed { charset: encoding.name() });
    for field in fields {
        if let Cow::Owned(value) = charset::mended(&field.value, encoding) {
            field.value = Cow::Owned(value);
        }
    }
}

impl Field<'_> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether something in it is in angle brackets.
    pub(crate) fn has_brackets(&self) -> bool {
        self.value.contains(&b'<')
    }

    /// The value as text, encoded words decoded.
    pub(crate) fn text(&self) -> String {
        match self.parse(Grammar::Text) {
            HeaderValue::Text(text) => text.into_owned(),
            _ => String::new(),
        }
    }

    /// The value of Content-Type or Content-Disposition.
    pub(crate) fn content_type(&self) -> Option<ContentType<'static>> {
        self.parse(Grammar::ContentType).into_content_type()
    }

    /// The value by one of the grammars.
    pub(crate) fn parse(&self, grammar: Grammar) -> HeaderValue<'static> {
        parse(&self.value, grammar)
    }
}

/// What mail-parser can read a value as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Grammar {
    Text,
    Addresses,
    Date,
    Ids,
    ContentType,
}

/// Reads a value, on one line.
pub(crate) fn parse(value: &[u8], grammar: Grammar) -> HeaderValue<'static> {
    let value = value.trim_ascii();
    let value = if let Grammar::ContentType = grammar { params::joined(value) } else { Cow::Borrowed(value) };
    let mut line = words::joined(&value).into_owned();
    // mail-parser looks for the end of the line.
    line.push(b'\n');
    let mut stream = MessageStream::new(&line);
    let value = match grammar {
        Grammar::Text => stream.parse_unstructured(),
        Grammar::Addresses => stream.parse_address(),
        Grammar::Date => stream.parse_date(),
        Grammar::Ids => stream.parse_id(),
        Grammar::ContentType => stream.parse_content_type(),
    };
    value.into_owned()
}
