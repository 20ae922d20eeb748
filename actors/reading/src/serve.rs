//! The process that reads, from inside: one file after the other, until its pipe ends.

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use subprocess::frame;

use crate::document::{Ask, Content, Document, Tokenize};
use crate::local::{Local, most};
use crate::message::{Answer, Done, End, PIECES};

/// Reads what is asked for in `input` until it ends. A panic costs its file.
///
/// # Errors
/// When the pipes break, or something else than a request is read.
pub fn serve(mut input: impl Read, mut output: impl Write, tokenize: &Tokenize<'_>) -> io::Result<()> {
    let local = Local::default();
    while let Some(bytes) = frame::read(&mut input)? {
        let ask: Ask = frame::json(&bytes)?;
        let head = part(&mut input)?;
        let kind = match local.look(&ask, &head) {
            Ok(kind) => kind,
            Err(skipped) => {
                answer(&mut output, skipped)?;
                continue;
            }
        };
        frame::write_json(&mut output, &Answer::Go)?;
        output.flush()?;
        let whole = rest(&mut input, head, most(&ask))?;
        let read = catch_unwind(AssertUnwindSafe(|| local.rest_of(&ask, kind, &whole, tokenize, &|| false)));
        let failed = || Document {
            kind: kind.to_owned(),
            hash: Some(blake3::hash(&whole).into()),
            content: Content::Skipped("damaged: its reader failed on it".to_owned()),
        };
        answer(&mut output, read.ok().flatten().unwrap_or_else(failed))?;
    }
    Ok(())
}

/// The file's next part.
fn part(input: &mut impl Read) -> io::Result<Vec<u8>> {
    frame::read(input)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Everything of a file that comes, at most `most` bytes of it.
fn rest(input: &mut impl Read, mut whole: Vec<u8>, most: u64) -> io::Result<Vec<u8>> {
    loop {
        let part = part(input)?;
        if part.is_empty() {
            return Ok(whole);
        }
        if (whole.len() + part.len()) as u64 > most {
            return Err(io::Error::other("more of a file than was agreed"));
        }
        whole.extend_from_slice(&part);
    }
}

fn answer(output: &mut impl Write, document: Document) -> io::Result<()> {
    let Document { kind, hash, content } = document;
    let end = match content {
        Content::Pieces(pieces) => {
            let mut pieces = pieces.into_iter().peekable();
            while pieces.peek().is_some() {
                let some = pieces.by_ref().take(PIECES).collect();
                frame::write_json(output, &Answer::Pieces(some))?;
            }
            End::Pieces
        }
        Content::Same => End::Same,
        Content::Skipped(why) => End::Skipped(why),
    };
    frame::write_json(output, &Answer::Done(Done { kind, hash, end }))?;
    output.flush()
}
