//! The bytes of a message that is sent or kept as a draft.
//!
//! Nobody can put a field of his own into its header: addresses and ids are types that hold no line break, and a line
//! break in the subject or in the name of a file is refused.

use std::borrow::Cow;

use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address as Written;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::message_id::MessageId as WrittenId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};

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

/// An id of a message or of a part, `left@right`, without angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

/// Why a message is not built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A line break or another control character where one line is wanted.
    #[error("the {0} has a line break or a control character: leave it out")]
    Control(&'static str),
    /// Not an id.
    #[error("{0:?} is no message id: write left@right in ASCII, without blanks and brackets")]
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

/// A longer subject would not be a field that every server takes (RFC 5322 2.1.1).
const SUBJECT_BYTES: usize = 900;
/// Servers take a hundred at least (RFC 5321 4.5.3.1.8); a list is a mailing list's work.
const RECIPIENTS: usize = 500;
const ATTACHMENTS: usize = 100;
/// The text, and its HTML.
const TEXT_BYTES: usize = 8 * 1024 * 1024;
/// Together; the largest providers take 50 MB with what base64 adds.
const ATTACHED_BYTES: usize = 36 * 1024 * 1024;
const NAME_BYTES: usize = 255;

impl MessageId {
    /// With or without angle brackets.
    pub fn new(id: &str) -> Result<Self, ComposeError> {
        let bare = id.trim_start_matches('<').trim_end_matches('>');
        let plain = |b: u8| b.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&b);
        // A right side in brackets is a literal address, which is allowed there (RFC 5322 3.6.4).
        let right = |right: &str| {
            let inner = right.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
            !right.is_empty()
                && inner.unwrap_or(right).bytes().all(|b| plain(b) || inner.is_some() && b == b':')
        };
        let valid = bare.len() <= 250
            && bare
                .split_once('@')
                .is_some_and(|(left, rest)| !left.is_empty() && left.bytes().all(plain) && right(rest));
        if valid { Ok(Self(bare.to_owned())) } else { Err(ComposeError::Id(id.chars().take(100).collect())) }
    }

    /// Without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The bytes of a message, lines ending with CRLF.
pub fn compose(mail: &Compose, bcc: Bcc) -> Result<Vec<u8>, ComposeError> {
    check(mail)?;
    let date = mail.date.rfc_5322().ok_or_else(|| ComposeError::Date(mail.date.to_string()))?;
    let mut part = body(mail);
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

fn check(mail: &Compose) -> Result<(), ComposeError> {
    let at_most =
        |what, count, max| if count > max { Err(ComposeError::TooMany { what, count, max }) } else { Ok(()) };
    if mail.subject.contains(char::is_control) {
        return Err(ComposeError::Control("subject"));
    }
    at_most("subject in bytes", mail.subject.len(), SUBJECT_BYTES)?;
    at_most(
        "list of recipients",
        mail.to.len() + mail.cc.len() + mail.bcc.len() + mail.reply_to.len(),
        RECIPIENTS,
    )?;
    at_most("text in bytes", mail.text.len().max(mail.html.as_ref().map_or(0, String::len)), TEXT_BYTES)?;
    at_most("list of references", mail.references.len(), crate::limits::REFERENCES)?;
    at_most("list of attachments", mail.attachments.len(), ATTACHMENTS)?;
    at_most(
        "attachments in bytes",
        mail.attachments.iter().map(|file| file.bytes.len()).sum(),
        ATTACHED_BYTES,
    )?;
    for file in &mail.attachments {
        if file.name.contains(char::is_control) {
            return Err(ComposeError::Control("name of an attachment"));
        }
        if file.name.trim().is_empty() {
            return Err(ComposeError::NoName);
        }
        at_most("name of an attachment in bytes", file.name.len(), NAME_BYTES)?;
        let token = |half: &str| {
            (1..=127).contains(&half.len())
                && half.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        if !file.mime_type.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype)) {
            return Err(ComposeError::MimeType(file.mime_type.chars().take(100).collect()));
        }
    }
    Ok(())
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

/// mixed( alternative( text, related( html, pictures )), files ), without the levels that hold one part only.
fn body(mail: &Compose) -> MimePart<'_> {
    let boundaries = Boundaries::of(mail);
    let text = MimePart::new("text/plain", BodyPart::Text(mail.text.as_str().into()));
    let (shown, files): (Vec<_>, Vec<_>) =
        mail.attachments.iter().partition(|file| file.content_id.is_some() && mail.html.is_some());
    let said = match &mail.html {
        None => text,
        Some(html) => {
            let html = MimePart::new("text/html", BodyPart::Text(html.as_str().into()));
            let html = boundaries
                .around("related", std::iter::once(html).chain(shown.into_iter().map(attached)).collect());
            boundaries.around("alternative", vec![text, html])
        }
    };
    boundaries.around("mixed", std::iter::once(said).chain(files.into_iter().map(attached)).collect())
}

fn attached(file: &Attachment) -> MimePart<'_> {
    let kind = file.mime_type.to_ascii_lowercase();
    let part = MimePart::new(ContentType::new(kind.clone()), BodyPart::Binary(file.bytes.as_slice().into()));
    let part = match &file.content_id {
        Some(id) => {
            let inline = ContentType::new("inline").attribute("filename", file.name.as_str());
            part.header("Content-Disposition", inline).cid(id.as_str())
        }
        None => part.attachment(file.name.as_str()),
    };
    match kind.as_str() {
        // A message may not be encoded (RFC 2046 5.2.1).
        "message/rfc822" => part.transfer_encoding(if file.bytes.is_ascii() { "7bit" } else { "8bit" }),
        _ => part,
    }
}

/// Boundaries that occur in nothing that they divide. Made out of the message's id, so that the same message has the
/// same bytes whenever it is built.
struct Boundaries(String);

impl Boundaries {
    fn of(mail: &Compose) -> Self {
        // `=_` is neither in base64 nor in quoted-printable (RFC 2045 6.7); what is not encoded is looked through.
        let id: String =
            mail.message_id.as_str().chars().filter(char::is_ascii_alphanumeric).take(30).collect();
        let texts = [mail.text.as_str(), mail.html.as_deref().unwrap_or_default()];
        let occurs = |stem: &str| {
            let mut texts = texts
                .iter()
                .map(|text| text.as_bytes())
                .chain(mail.attachments.iter().map(|file| &*file.bytes));
            texts.any(|text| memchr::memmem::find(text, stem.as_bytes()).is_some())
        };
        let mut stems = (0_u32..).map(|n| format!("=_{id}_{n}"));
        Self(stems.find(|stem| !occurs(stem)).unwrap_or_default())
    }

    /// The parts in a multipart of this kind; one part alone needs none.
    fn around<'a>(&self, kind: &str, mut parts: Vec<MimePart<'a>>) -> MimePart<'a> {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return only;
        }
        let boundary = format!("{}_{kind}", self.0);
        MimePart::new(ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary), parts)
    }
}
