//! What is in files: `cat`, `write`.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;

use super::folder::{human_size, odd};
use super::options::Given;
use crate::editor::Said;
use crate::failure::Failure;
use crate::path;
use crate::render::Format;
use crate::render::escape::Cleaner;
use crate::session::{Flow, Session};

/// Bytes per call, before base64: a quarter of a megabyte keeps the screen moving and any server's limits far. It
/// is divisible by three, so that pieces of base64 join to one.
const PIECE: usize = 255 * 1024;

#[derive(Deserialize)]
struct Piece {
    content: String,
    #[serde(default)]
    mime_type: String,
    size: Option<i64>,
    modified_at: Option<String>,
    next_offset: Option<u64>,
}

pub(super) async fn cat(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    for word in given.texts() {
        let path = path::absolute(&session.cwd(), word);
        if session.screen.format == Format::Json {
            cat_json(session, &path).await?;
        } else {
            cat_one(session, &path, given.has('b')).await?;
        }
    }
    Ok(Flow::Continue)
}

/// Each piece as the server sent it, one a line.
async fn cat_json(session: &mut Session, path: &str) -> Result<(), Failure> {
    let mut offset = Some(0);
    while let Some(from) = offset {
        let piece =
            session.call("mcp.fs.read", &json!({ "path": path, "offset": from, "limit": PIECE })).await?;
        offset = piece["next_offset"].as_u64().filter(|next| *next > from);
        session.screen.value(&piece)?;
    }
    Ok(())
}

/// The file's bytes always come as base64, so that text cut in the middle of a letter, and files that are no text
/// at all, take the same way.
async fn cat_one(session: &mut Session, path: &str, as_base64: bool) -> Result<(), Failure> {
    let mut sink = match (as_base64, session.screen.out_is_terminal()) {
        (true, _) => Sink::Base64 { held: Vec::new() },
        (false, true) => Sink::Terminal { cleaner: Box::default(), held: Vec::new(), ended: true },
        (false, false) => Sink::Pipe,
    };
    let mut first_seen = None;
    let mut offset = Some(0);
    while let Some(from) = offset {
        let params = json!({ "path": path, "encoding": "base64", "offset": from, "limit": PIECE });
        let piece: Piece =
            serde_json::from_value(session.call("mcp.fs.read", &params).await?).map_err(odd)?;
        // Pieces carry no etag, because that would take reading the whole file for each.
        let seen = (piece.size, piece.modified_at);
        if first_seen.get_or_insert_with(|| seen.clone()) != &seen {
            return Err(Failure::Refused(format!(
                "{path} changed while it was read; what is above is not whole"
            )));
        }
        let bytes = BASE64.decode(&piece.content).map_err(odd)?;
        if matches!(sink, Sink::Terminal { .. }) && from == 0 && bytes.contains(&0) {
            let size = seen.0.map(human_size).unwrap_or_default();
            return Err(Failure::Refused(format!(
                "{path} is not text ({} {size}); send it to a file or pipe, or use cat --base64",
                piece.mime_type
            )));
        }
        session.screen.bytes(&sink.take(&bytes))?;
        // An offset that does not move would keep us forever.
        offset = piece.next_offset.filter(|next| *next > from);
    }
    Ok(session.screen.bytes(&sink.end())?)
}

/// Where bytes go and what they become on the way.
enum Sink {
    Pipe,
    /// Lossy UTF-8 without escape sequences; `held` is the beginning of a letter.
    Terminal {
        cleaner: Box<Cleaner>,
        held: Vec<u8>,
        ended: bool,
    },
    /// One line; `held` are bytes that do not fill a group of three yet.
    Base64 {
        held: Vec<u8>,
    },
}

impl Sink {
    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Pipe => bytes.to_vec(),
            Self::Terminal { cleaner, held, ended } => {
                held.extend_from_slice(bytes);
                let whole = match std::str::from_utf8(held) {
                    // Cut in the middle of a letter: the rest of it comes with the next piece.
                    Err(error) if error.error_len().is_none() => error.valid_up_to(),
                    _ => held.len(),
                };
                let text = String::from_utf8_lossy(&held[..whole]).into_owned();
                held.drain(..whole);
                let text = cleaner.clean(&text);
                *ended = if text.is_empty() { *ended } else { text.ends_with('\n') };
                text.into_bytes()
            }
            Self::Base64 { held } => {
                held.extend_from_slice(bytes);
                let whole = held.len() / 3 * 3;
                let text = BASE64.encode(&held[..whole]);
                held.drain(..whole);
                text.into_bytes()
            }
        }
    }

    /// What is left; on a terminal the prompt begins on a line of its own.
    fn end(self) -> Vec<u8> {
        match self {
            Self::Pipe => Vec::new(),
            Self::Terminal { mut cleaner, held, ended } => {
                let rest = cleaner.clean(&String::from_utf8_lossy(&held));
                if ended && rest.is_empty() { Vec::new() } else { (rest + "\n").into_bytes() }
            }
            Self::Base64 { held } => (BASE64.encode(held) + "\n").into_bytes(),
        }
    }
}

pub(super) async fn write(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let path = path::absolute(&session.cwd(), &given.words[0].text);
    let source = &given.words[1];
    let mut append = given.has('a');
    if source.text != "-" || source.quoted {
        write_piece(session, &path, format!("{}\n", source.text).as_bytes(), append).await?;
        return Ok(Flow::Continue);
    }
    if let Some(prompter) = session.prompter.clone() {
        let mut text = String::new();
        loop {
            match prompter.ask("> ").await {
                Said::Line(line) => text.extend([line.as_str(), "\n"]),
                Said::End => break,
                Said::Interrupted => return Err(Failure::Interrupted),
            }
        }
        write_piece(session, &path, text.as_bytes(), append).await?;
        return Ok(Flow::Continue);
    }
    if !session.stdin_is_free {
        return Err(Failure::Usage("standard input is the script; - works with -c".into()));
    }
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.clear();
        // Nothing else is going on while standard input is read, so waiting here keeps nobody waiting.
        let read = std::io::stdin().lock().take(PIECE as u64).read_to_end(&mut piece)?;
        // An empty input still makes an empty file.
        if read > 0 || !append || given.has('a') {
            write_piece(session, &path, &piece, append).await?;
        }
        append = true;
        if read < PIECE {
            return Ok(Flow::Continue);
        }
    }
}

async fn write_piece(session: &mut Session, path: &str, bytes: &[u8], append: bool) -> Result<(), Failure> {
    let (content, encoding) = match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), "text"),
        Err(_) => (BASE64.encode(bytes), "base64"),
    };
    let params = json!({ "path": path, "content": content, "encoding": encoding, "append": append });
    let result = session.call("mcp.fs.write", &params).await?;
    if session.screen.format == Format::Json {
        session.screen.value(&result)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mut sink: Sink, pieces: &[&[u8]], expected: &[u8]) {
        let mut out: Vec<u8> = pieces.iter().flat_map(|piece| sink.take(piece)).collect();
        out.extend(sink.end());
        assert_eq!(out, expected, "{:?}", String::from_utf8_lossy(&out));
    }

    fn terminal() -> Sink {
        Sink::Terminal { cleaner: Box::default(), held: Vec::new(), ended: true }
    }

    #[test]
    fn a_terminal_gets_whole_letters_and_no_escapes() {
        check(terminal(), &[b"a\xc3", b"\xbc\x1b[3", b"1mb\n"], "aüb\n".as_bytes());
        check(terminal(), &[b"a\xff", b"b"], "a\u{fffd}b\n".as_bytes());
        check(terminal(), &[b"a\xc3"], "a\u{fffd}\n".as_bytes());
        check(terminal(), &[b""], b"");
    }

    #[test]
    fn a_pipe_gets_the_bytes() {
        check(Sink::Pipe, &[b"a\xff\x1b[", b"\0"], b"a\xff\x1b[\0");
    }

    #[test]
    fn base64_is_one_text_whatever_the_pieces() {
        check(Sink::Base64 { held: Vec::new() }, &[b"a", b"bcd", b"", b"efgh"], b"YWJjZGVmZ2g=\n");
    }
}
