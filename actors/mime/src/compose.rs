//! The bytes of a message that is sent or kept as a draft.
//!
//! Nobody can put a field of his own into its header: addresses and ids are types that hold no line break, and a line
//! break in the subject or in the name of a file is refused.

mod check;
mod layout;
mod message_id;

use std::borrow::Cow;

use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address as Written;
use mail_builder::headers::message_id::MessageId as WrittenId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;

pub use message_id::MessageId;

use crate::{Address, Date};

/// A message to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compose {
    /// The author.
    pub from: Address,
    /// Where answers shall go, if not to the author.
    pub reply_to: Vec<Address>,
    /// To whom. A draft may have nobody yet.
    pub to: Vec<Address>,
    /// Who gets a copy.
    pub cc: Vec<Address>,
    /// Who gets a copy that others are not told of.
    pub bcc: Vec<Address>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// What goes with it.
    pub attachments: Vec<Attachment>,
    /// What it answers.
    pub in_reply_to: Option<MessageId>,
    /// The conversation, the oldest first.
    pub references: Vec<MessageId>,
    /// Its own id.
    pub message_id: MessageId,
    /// When it was written.
    pub date: Date,
}

/// A file that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The name of the file.
    pub name: String,
    /// `application/pdf`.
    pub mime_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Set if the HTML shows it, as `cid:…`.
    pub content_id: Option<MessageId>,
}

/// Whether those who get a hidden copy stand in the message: in a draft and in the copy that the sender keeps, never in
/// what is sent (RFC 5322 3.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bcc {
    /// A draft, or the sender's copy.
    Written,
    /// What is sent.
    LeftOut,
}

/// Why a message is not built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A line break or another control character where one line is wanted.
    #[error("the {0} has a line break or a control character: leave it out")]
    Control(&'static str),
    /// Not an id.
    #[error(
        "{0:?} is no message id: write left@right in ASCII, at most 500 letters, without blanks and brackets"
    )]
    Id(String),
    /// Not a type.
    #[error("{0:?} is no MIME type: write for example application/pdf")]
    MimeType(String),
    /// A file without a name.
    #[error("an attachment has no name: give each the name of its file")]
    NoName,
    /// More than anybody sends.
    #[error("the {what} has {count}: at most {max}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        count: usize,
        /// How much there may be.
        max: usize,
    },
    /// A date that the calendar of mail does not have.
    #[error("the date {0} cannot be written in a message")]
    Date(String),
}

/// The bytes of a message, lines ending with CRLF.
pub fn compose(mail: &Compose, bcc: Bcc) -> Result<Vec<u8>, ComposeError> {
    check::check(mail)?;
    let date = mail.date.rfc_5322().ok_or_else(|| ComposeError::Date(mail.date.to_string()))?;
    let mut part = layout::body(mail);
    let mut headers: Vec<(&'static str, HeaderType<'_>)> = vec![
        ("From", written(std::slice::from_ref(&mail.from))),
        ("Subject", Text::new(mail.subject.as_str()).into()),
        ("Date", Raw::new(date).into()),
        ("Message-ID", ids(std::slice::from_ref(&mail.message_id))),
        ("MIME-Version", Raw::new("1.0").into()),
    ];
    let hidden = if bcc == Bcc::Written { mail.bcc.as_slice() } else { &[] };
    for (name, list) in
        [("To", mail.to.as_slice()), ("Cc", &mail.cc), ("Bcc", hidden), ("Reply-To", &mail.reply_to)]
    {
        if !list.is_empty() {
            headers.push((name, written(list)));
        }
    }
    if let Some(id) = &mail.in_reply_to {
        headers.push(("In-Reply-To", ids(std::slice::from_ref(id))));
    }
    if !mail.references.is_empty() {
        headers.push(("References", ids(&mail.references)));
    }
    // The outermost part's header is the message's.
    part.headers.splice(0..0, headers.into_iter().map(|(name, value)| (Cow::from(name), value)));
    let mut out = Vec::new();
    part.write_part(&mut out);
    Ok(out)
}

fn written(list: &[Address]) -> HeaderType<'_> {
    let one = |address: &'_ Address| {
        Written::new_address(address.name().map(str::to_owned), address.email().to_owned())
    };
    match list {
        [address] => one(address).into(),
        list => Written::new_list(list.iter().map(one).collect()).into(),
    }
}

fn ids(list: &[MessageId]) -> HeaderType<'_> {
    WrittenId::new_list(list.iter().map(MessageId::as_str)).into()
}
