//! `mcp.mail.getAttachment`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use imap::{Body, Section};
use mime::{Decoder, safe_name};
use protocol::mcp::file_uri;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::{Asked, FolderName};
use crate::fetching::one;
use crate::files::{Making, PIECE};
use crate::parts::leaves;
use crate::service::Mail;
use crate::untrusted;

/// Reads a piece of an attachment, or saves all of it as a file. What it is was said by whoever sent it: open it with
/// care.
///
/// With `save_to` it is written piece by piece, under the caller's own rights to files, and gets its name once it is whole;
/// nothing may be there yet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetAttachment {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    folder: FolderName,
    /// The message's UID.
    uid: u32,
    /// The attachment's `part`, as `mcp.mail.getMessage` lists it.
    #[schemars(length(min = 1, max = 200))]
    part: String,
    /// Where in it to begin, in bytes.
    #[serde(default)]
    offset: u64,
    /// How much of it is answered at most, in bytes.
    #[serde(default = "one_megabyte")]
    #[schemars(range(min = 1, max = 8_388_608))]
    limit: usize,
    /// The folder's `uid_validity` of an earlier answer.
    #[serde(default)]
    uid_validity: Option<u32>,
    /// The file to make of it, from the virtual root: `/documents/bill.pdf`; or a folder, with `/` at its end, where it gets
    /// its own name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096))]
    save_to: Option<String>,
}

fn one_megabyte() -> usize {
    1 << 20
}

/// A piece of an attachment, or where it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Piece {
    /// Its name, made safe to be a file's.
    filename: String,
    /// What it says that it is.
    mime_type: String,
    /// The bytes; null when it was saved.
    content_base64: Option<String>,
    /// The file that it was saved as; null when it was not.
    saved: Option<Saved>,
    /// Where the next piece begins; null when this was the last.
    next_offset: Option<u64>,
    /// Whose words these are.
    untrusted: &'static str,
}

/// A file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Saved {
    /// Its path, from the virtual root.
    path: String,
    /// The same as a resource's URI.
    uri: String,
    /// Its length, in bytes.
    bytes: u64,
}

impl Method for GetAttachment {
    const NAME: &'static str = "mcp.mail.getAttachment";
    const TIER: Tier = Tier::Pro;
    // Only with `save_to`, and never over anything.
    const EFFECT: Effect = Effect { open_world: true, ..Effect::ADD };
    const RUN: Run = Run::Task;

    type Reply = Piece;
    type Service = Mail;

    fn text_bytes(reply: &Piece) -> usize {
        reply.content_base64.as_ref().map_or(0, String::len) + 512
    }

    async fn call(self, context: &Context, mail: &Mail) -> Result<Piece, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let (summary, validity) = one(&asked, &self.folder.0, self.uid_validity, self.uid).await?;
        let parts = summary.structure.as_ref().map(leaves).unwrap_or_default();
        let Some(part) = parts.iter().find(|part| part.id == self.part) else {
            let there: Vec<&str> = parts.iter().map(|part| part.id.as_str()).collect();
            let there = there.join(", ");
            return Err(Error::invalid_params(format!(
                "the message has no part '{}': it has {there}",
                self.part
            )));
        };
        let section = Section::Part(part.id.clone());
        let body = asked.account.body(&self.folder.0, Some(validity), self.uid, &section, 0);
        let decoding = Decoding {
            body: body.map_err(|error| asked.fault(&error))?,
            decoder: Some(Decoder::new(&part.encoding)),
            asked: &asked,
        };
        let filename = safe_name(part.filename.as_deref(), part);
        let mut piece = Piece {
            mime_type: part.mime_type.clone(),
            next_offset: None,
            content_base64: None,
            saved: None,
            filename,
            untrusted: untrusted::NOTE,
        };
        match self.save_to {
            Some(to) => {
                let to = if to.ends_with('/') { format!("{to}{}", piece.filename) } else { to };
                piece.saved = Some(save(decoding, mail.files(context)?.make(to)).await?);
            }
            None => {
                (piece.content_base64, piece.next_offset) = cut(decoding, self.offset, self.limit).await?;
            }
        }
        Ok(piece)
    }
}

/// What is in a part, piece by piece, as it was before it was encoded.
struct Decoding<'a> {
    body: Body,
    decoder: Option<Decoder>,
    asked: &'a Asked,
}

impl Decoding<'_> {
    /// Adds the next piece to `out`; `false` when there is none.
    async fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, Error> {
        let raw = self.body.next().await.map_err(|error| self.asked.fault(&error))?;
        match (raw, &mut self.decoder) {
            (Some(raw), Some(decoder)) => decoder.push(&raw, out),
            // Whether its encoding was whole is for who opens it.
            (None, decoder) => drop(decoder.take().map(|decoder| decoder.finish(out))),
            (Some(_), None) => {}
        }
        Ok(self.decoder.is_some())
    }
}

/// All of it, as a file.
async fn save(mut decoding: Decoding<'_>, mut file: Making) -> Result<Saved, Error> {
    let (mut bytes, mut piece, mut more) = (0, Vec::new(), true);
    while more {
        more = decoding.next(&mut piece).await?;
        if piece.len() >= PIECE || (!more && !piece.is_empty()) {
            file.add(&piece).await?;
            bytes += piece.len() as u64;
            piece.clear();
        }
    }
    let path = file.finish().await?;
    Ok(Saved { uri: file_uri(&path), path, bytes })
}

/// The piece from `offset` on, and where the next one begins.
async fn cut(
    mut decoding: Decoding<'_>,
    offset: u64,
    limit: usize,
) -> Result<(Option<String>, Option<u64>), Error> {
    // Decoded from the beginning, as an encoding has no places to begin at; what is before the offset is dropped.
    let (mut piece, mut out, mut passed, mut more) = (Vec::new(), Vec::new(), 0_u64, true);
    while piece.len() <= limit && more {
        more = decoding.next(&mut out).await?;
        let before = usize::try_from(offset.saturating_sub(passed)).unwrap_or(usize::MAX).min(out.len());
        passed += out.len() as u64;
        piece.extend_from_slice(&out[before..]);
        out.clear();
    }
    let left = piece.len() > limit;
    piece.truncate(limit);
    let next = left.then_some(offset + piece.len() as u64);
    Ok((Some(BASE64.encode(piece)), next))
}
