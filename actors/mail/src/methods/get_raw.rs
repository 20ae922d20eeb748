//! `mcp.mail.getRaw`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use imap::Section;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::service::Mail;
use crate::untrusted;

/// Reads a piece of a message as it is on the wire (RFC 5322), for what nothing else can read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetRaw {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    folder: FolderName,
    /// The message's UID.
    uid: u32,
    /// Where in it to begin, in bytes.
    #[serde(default)]
    offset: u32,
    /// How much of it is answered at most, in bytes.
    #[serde(default = "a_piece")]
    #[schemars(range(min = 1, max = 262_144))]
    limit: u32,
    /// The folder's `uid_validity` of an earlier answer.
    #[serde(default)]
    uid_validity: Option<u32>,
}

fn a_piece() -> u32 {
    65_536
}

/// A piece of a message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Raw {
    /// The bytes.
    content_base64: String,
    /// Where the next piece begins; null when this was the last.
    next_offset: Option<u32>,
    /// Whose words these are.
    untrusted: &'static str,
}

impl Method for GetRaw {
    const NAME: &'static str = "mcp.mail.getRaw";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;

    type Reply = Raw;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Raw, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let body =
            asked.account.body(&self.folder.0, self.uid_validity, self.uid, &Section::Whole, self.offset);
        let mut body = body.map_err(|error| asked.fault(&error))?;
        let piece = body.next_of(self.limit).await.map_err(|error| asked.fault(&error))?.unwrap_or_default();
        let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        Ok(Raw {
            content_base64: BASE64.encode(&piece),
            next_offset: (length == self.limit).then_some(self.offset + length),
            untrusted: untrusted::NOTE,
        })
    }
}
