//! `mcp.mail.getAttachment`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use imap::Section;
use mime::{Decoder, safe_name};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::fetching::one;
use crate::parts::leaves;
use crate::service::Mail;
use crate::untrusted;

/// Reads a piece of an attachment. What it is was said by whoever sent it: open it with care.
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
}

fn one_megabyte() -> usize {
    1 << 20
}

/// A piece of an attachment.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Piece {
    /// Its name, made safe to be a file's.
    filename: String,
    /// What it says that it is.
    mime_type: String,
    /// The bytes.
    content_base64: String,
    /// Where the next piece begins; null when this was the last.
    next_offset: Option<u64>,
    /// Whose words these are.
    untrusted: &'static str,
}

impl Method for GetAttachment {
    const NAME: &'static str = "mcp.mail.getAttachment";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;

    type Reply = Piece;
    type Service = Mail;

    fn text_bytes(reply: &Piece) -> usize {
        reply.content_base64.len() + 512
    }

    async fn call(self, _: &Context, mail: &Mail) -> Result<Piece, Error> {
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
        let mut body = body.map_err(|error| asked.fault(&error))?;
        // Decoded from the beginning, as an encoding has no places to begin at; what is before the offset is dropped.
        let (mut decoder, mut piece, mut out) = (Decoder::new(&part.encoding), Vec::new(), Vec::new());
        let (mut passed, mut ended) = (0_u64, false);
        while piece.len() <= self.limit && !ended {
            if let Some(raw) = body.next().await.map_err(|error| asked.fault(&error))? {
                decoder.push(&raw, &mut out);
            } else {
                ended = true;
                // Whether its encoding was whole is for who opens it.
                let _ = std::mem::replace(&mut decoder, Decoder::new(&part.encoding)).finish(&mut out);
            }
            let before =
                usize::try_from(self.offset.saturating_sub(passed)).unwrap_or(usize::MAX).min(out.len());
            passed += out.len() as u64;
            piece.extend_from_slice(&out[before..]);
            out.clear();
        }
        let more = piece.len() > self.limit;
        piece.truncate(self.limit);
        Ok(Piece {
            filename: safe_name(part.filename.as_deref(), part),
            mime_type: part.mime_type.clone(),
            next_offset: more.then_some(self.offset + piece.len() as u64),
            content_base64: BASE64.encode(piece),
            untrusted: untrusted::NOTE,
        })
    }
}
