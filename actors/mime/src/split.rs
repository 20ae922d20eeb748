//! The parts of a message, where each begins and ends, and their numbers.
//!
//! mail-parser could do this too, but decodes every attachment on the way, knows no bound (a message of 3 MB whose
//! every line is a nested message ended the process, by the depth of its own drop), and takes `--ab` for the boundary
//! `a`. So it reads the fields here, and what is between the boundaries (RFC 2046 5.1) stays where it is.

use mail_parser::ContentType;

use crate::field::{self, Field};
use crate::part::{Encoding, Part, mime_type};
use crate::problem::{Problem, Problems};
use crate::{Envelope, limits};

/// A part and its bytes, still encoded.
#[derive(Debug, Clone)]
pub(crate) struct Piece<'a> {
    pub(crate) part: Part,
    pub(crate) raw: &'a [u8],
    /// Where it is a message itself: the outside of it.
    pub(crate) envelope: Option<Envelope>,
    /// How many messages it is inside of, without the one that is read.
    pub(crate) messages: usize,
}

/// What is being split: a message, or a part of one.
struct Entity<'a, 'f> {
    fields: &'f [Field<'a>],
    body: &'a [u8],
    /// The number of the message around it and a point, or nothing.
    prefix: &'f str,
    /// The number of the part, if it is in a multipart.
    id: Option<String>,
    /// The types of the multiparts around it, in the innermost message.
    within: Vec<String>,
    messages: usize,
    depth: usize,
}

/// All parts of a message in their order, those of messages inside it too.
pub(crate) fn pieces<'a>(fields: &[Field<'a>], body: &'a [u8], problems: &mut Problems) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let message = Entity { fields, body, prefix: "", id: None, within: Vec::new(), messages: 0, depth: 0 };
    walk(message, &mut pieces, problems);
    pieces
}

fn walk<'a>(entity: Entity<'a, '_>, pieces: &mut Vec<Piece<'a>>, problems: &mut Problems) {
    if pieces.len() >= limits::PARTS {
        problems.note(Problem::TooManyParts);
        return;
    }
    let content_type =
        entity.fields.iter().find(|field| field.is("Content-Type")).and_then(Field::content_type);
    let Some(multipart) = content_type.as_ref().filter(|value| value.ctype() == "multipart") else {
        return leaf(entity, None, pieces, problems);
    };
    if entity.depth >= limits::DEPTH {
        problems.note(Problem::TooDeep { part: number(&entity) });
        return leaf(entity, Some("text/plain"), pieces, problems);
    }
    if let Some(children) = children(multipart, entity.body, problems) {
        walk_children(&entity, multipart, children, pieces, problems);
    } else {
        problems.note(Problem::NoBoundary);
        leaf(entity, Some("text/plain"), pieces, problems);
    }
}

fn walk_children<'a>(
    entity: &Entity<'a, '_>,
    content_type: &ContentType<'_>,
    children: Vec<&'a [u8]>,
    pieces: &mut Vec<Piece<'a>>,
    problems: &mut Problems,
) {
    let kind = mime_type(content_type).unwrap_or_else(|| "multipart/mixed".to_owned());
    for (at, child) in children.into_iter().enumerate() {
        let (fields, body) = field::split(child, problems);
        let mut within = entity.within.clone();
        within.push(kind.clone());
        let id = match &entity.id {
            Some(id) => format!("{id}.{}", at + 1),
            None => format!("{}{}", entity.prefix, at + 1),
        };
        let child =
            Entity { fields: &fields, body, id: Some(id), within, depth: entity.depth + 1, ..*entity };
        walk(child, pieces, problems);
        if pieces.len() >= limits::PARTS {
            problems.note(Problem::TooManyParts);
            return;
        }
    }
}

/// A part that holds no others, unless it is a message.
fn leaf<'a>(
    entity: Entity<'a, '_>,
    read_as: Option<&str>,
    pieces: &mut Vec<Piece<'a>>,
    problems: &mut Problems,
) {
    let in_digest = entity.within.last().is_some_and(|kind| kind == "multipart/digest");
    let default = if in_digest { "message/rfc822" } else { "text/plain" };
    let id = number(&entity);
    let (raw, messages, depth) = (entity.body, entity.messages, entity.depth);
    let mut part = Part::headed(&id, entity.fields, entity.within, default, raw.len());
    if let Some(kind) = read_as {
        kind.clone_into(&mut part.mime_type);
    }
    // A message that is encoded is not allowed (RFC 2046 5.2.1), and no server looks into it.
    if !part.is_message() || part.encoding != Encoding::Identity {
        pieces.push(Piece { part, raw, envelope: None, messages });
        return;
    }
    let (fields, body) = field::split(raw, problems);
    pieces.push(Piece { part, raw, envelope: Some(Envelope::of(&fields)), messages });
    if depth >= limits::DEPTH {
        problems.note(Problem::TooDeep { part: id });
        return;
    }
    let prefix = format!("{id}.");
    let inner = Entity {
        fields: &fields,
        body,
        prefix: &prefix,
        id: None,
        within: Vec::new(),
        messages: messages + 1,
        depth: depth + 1,
    };
    walk(inner, pieces, problems);
}

/// The part's number: a message that is no multipart has one part, which is number 1.
fn number(entity: &Entity<'_, '_>) -> String {
    entity.id.clone().unwrap_or_else(|| format!("{}1", entity.prefix))
}

/// What is between the boundaries. `None` where there is no boundary, in the header or in the body.
fn children<'a>(
    content_type: &ContentType<'_>,
    body: &'a [u8],
    problems: &mut Problems,
) -> Option<Vec<&'a [u8]>> {
    let boundary = content_type.attribute("boundary").map(str::trim_end).filter(|text| !text.is_empty())?;
    let (mut children, mut begin, mut rest) = (Vec::new(), None, body);
    let mut finished = false;
    while let Some((line, after)) = field::next_line(rest) {
        if let Some(end) = delimiter(line, boundary.as_bytes()) {
            let here = body.len() - rest.len();
            if let Some(begin) = begin {
                children.push(without_line_end(&body[begin..here.max(begin)]));
            }
            begin = Some(body.len() - after.len());
            finished = end == End::Last;
            if finished || children.len() > limits::PARTS {
                break;
            }
        }
        rest = after;
    }
    if !finished && begin.is_some() {
        problems.note(Problem::Unfinished);
        children.extend(begin.map(|begin| &body[begin..]));
    }
    begin.is_some().then_some(children)
}

#[derive(PartialEq, Eq)]
enum End {
    Part,
    Last,
}

/// Whether a line is the boundary, and if so which one.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<End> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    match rest.strip_prefix(b"--") {
        Some(rest) if rest.trim_ascii().is_empty() => Some(End::Last),
        _ => rest.trim_ascii().is_empty().then_some(End::Part),
    }
}

/// The end of the line before a boundary is the boundary's (RFC 2046 5.1.1).
fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}
