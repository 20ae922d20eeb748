//! What somebody writes: the same for a draft and for what is sent.

use jiff::Timestamp;
use jiff::tz::Offset;
use mime::{Address, Answer, Attachment, Compose, Date, MessageId, Preference, Reach, plain_of};
use protocol::{Context, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::{Asked, FolderName};
use crate::fetching::{Fetching, one};
use crate::listing::Row;
use crate::parts::leaves;
use crate::service::Mail;

/// What may be attached, together, in bytes: encoded it is a third more, and servers take 25 to 35 MB.
const ATTACHED_MAX: u64 = 20 << 20;

/// A letter.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Letter {
    /// The account, by its id.
    pub(crate) account_id: String,
    /// The text.
    #[schemars(length(max = 1_048_576))]
    body: String,
    /// To whom: addresses, with or without names. Of an answer, besides those that it goes to anyway.
    #[serde(default)]
    #[schemars(length(max = 100))]
    to: Vec<String>,
    /// Who gets a copy.
    #[serde(default)]
    #[schemars(length(max = 100))]
    cc: Vec<String>,
    /// Who gets a copy that others are not told of.
    #[serde(default)]
    #[schemars(length(max = 100))]
    bcc: Vec<String>,
    /// What it is about; an answer has that already.
    #[serde(default)]
    #[schemars(length(max = 998))]
    subject: Option<String>,
    /// The UID of the message that is answered.
    #[serde(default)]
    reply_to_uid: Option<u32>,
    /// The folder of that message.
    #[serde(default = "FolderName::inbox")]
    reply_folder: FolderName,
    /// Whether everybody who got that message gets the answer.
    #[serde(default)]
    reply_all: bool,
    /// Whether that message's text is quoted below.
    #[serde(default)]
    quote: bool,
    /// Files that go with it, from the virtual root: `/documents/bill.pdf`. 20 MiB in all.
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(min = 1, max = 4096)))]
    attachments: Vec<String>,
}

impl Letter {
    /// A new Message-ID of the account, without its angle brackets.
    pub(crate) fn message_id(asked: &Asked) -> String {
        let domain = asked.settings().email.rsplit('@').next().unwrap_or("localhost");
        format!("{:032x}@{domain}", fastrand::u128(..))
    }

    /// The message that it is, under this Message-ID. Asks the server where it is an answer, and reads what is attached
    /// under the caller's rights.
    pub(crate) async fn message(
        &self,
        context: &Context,
        mail: &Mail,
        asked: &Asked,
        id: &str,
    ) -> Result<Compose, Error> {
        let email = &asked.settings().email;
        let from = Address::new(None, email).map_err(|error| invalid("the account's email", error))?;
        let message_id = MessageId::new(id).map_err(|error| invalid("the account's email", error))?;
        let date = Date { at: Timestamp::now(), offset: Offset::UTC };
        let mut message = match self.reply_to_uid {
            Some(uid) => self.answer(asked, uid, from, message_id, date).await?,
            None => Compose {
                from,
                reply_to: Vec::new(),
                to: Vec::new(),
                cc: Vec::new(),
                bcc: Vec::new(),
                subject: String::new(),
                text: self.body.clone(),
                html: None,
                attachments: Vec::new(),
                in_reply_to: None,
                references: Vec::new(),
                message_id,
                date,
            },
        };
        for (list, more, field) in [
            (&mut message.to, &self.to, "to"),
            (&mut message.cc, &self.cc, "cc"),
            (&mut message.bcc, &self.bcc, "bcc"),
        ] {
            for text in more {
                list.push(address(text).map_err(|error| invalid(field, error))?);
            }
        }
        message.subject = self.subject.clone().unwrap_or(message.subject);
        let mut left = ATTACHED_MAX;
        for path in &self.attachments {
            let (bytes, mime_type) = mail.files(context)?.read(path, left).await?;
            left -= bytes.len() as u64;
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            message.attachments.push(Attachment { name, mime_type, bytes, content_id: None });
        }
        Ok(message)
    }

    async fn answer(
        &self,
        asked: &Asked,
        uid: u32,
        from: Address,
        message_id: MessageId,
        date: Date,
    ) -> Result<Compose, Error> {
        let folder = &self.reply_folder.0;
        let (summary, validity) = one(asked, folder, None, uid).await?;
        let (_, envelope) = Row::of(&summary);
        let quoted = if self.quote {
            let parts = summary.structure.as_ref().map(leaves).unwrap_or_default();
            let fetching = Fetching { asked, folder, validity, uid };
            let texts = fetching.texts(&parts, Preference::Plain, &mut Vec::new()).await?;
            Some(plain_of(&texts).0)
        } else {
            None
        };
        let own = [from.clone()];
        let reach = if self.reply_all { Reach::All } else { Reach::Author };
        let answer = Answer {
            from,
            own: &own,
            reach,
            text: self.body.clone(),
            quoted: quoted.as_deref(),
            message_id,
            date,
        };
        Ok(mime::reply(&envelope, answer))
    }
}

/// `Ada Lovelace <ada@example.org>`, or the address alone.
fn address(text: &str) -> Result<Address, mime::AddressError> {
    match text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, email)) => {
            let name = name.trim().trim_matches('"');
            Address::new((!name.is_empty()).then_some(name), email.trim())
        }
        None => Address::new(None, text.trim()),
    }
}

pub(crate) fn invalid(what: &str, error: impl std::fmt::Display) -> Error {
    Error::invalid_params(format!("{what}: {error}"))
}
