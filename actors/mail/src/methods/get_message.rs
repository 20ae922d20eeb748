//! `mcp.mail.getMessage`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use imap::Section;
use mime::{Headers, Names, Part, Preference, html_of, is_attachment, page, plain_of};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::fetching::{Fetching, one};
use crate::listing::{Row, addresses};
use crate::parts::leaves;
use crate::service::Mail;
use crate::untrusted;

/// The longest header that is fetched.
const HEADER_MAX: usize = 1 << 20;

/// Attachments that are answered with their content, together, in bytes.
const INLINE_MAX: u64 = 16 << 20;

/// Reads one message. Nothing is marked as read; pictures that the message wants from elsewhere are never fetched.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetMessage {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    folder: FolderName,
    /// The message's UID.
    uid: u32,
    /// Which text: `plain` (HTML as text where there is no other), `html`, or `both`.
    #[serde(default)]
    body_preference: Body,
    /// Whether small attachments are answered with their content.
    #[serde(default)]
    fetch_attachments: bool,
    /// The largest attachment that is, in KiB; the setting `mail.attachment_inline_kb` by default.
    #[serde(default)]
    #[schemars(range(min = 0, max = 16_384))]
    max_attachment_size_inline_kb: Option<u64>,
    /// Where in the texts to begin, in bytes.
    #[serde(default)]
    body_offset: usize,
    /// How much of each text is answered at most, in bytes.
    #[serde(default = "text_bytes")]
    #[schemars(range(min = 1, max = 1_048_576))]
    body_max_bytes: usize,
    /// The folder's `uid_validity` of an earlier answer: refused when the UIDs no longer mean the same messages.
    #[serde(default)]
    uid_validity: Option<u32>,
}

fn text_bytes() -> usize {
    65_536
}

/// Which text of a message is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Body {
    /// The plain one.
    #[default]
    Plain,
    /// HTML, as it was sent.
    Html,
    /// Both.
    Both,
}

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Message {
    /// Its UID in the folder.
    uid: u32,
    /// What the UID means.
    uid_validity: u32,
    /// What it is about.
    subject: String,
    /// Who wrote it.
    from: Vec<String>,
    /// To whom.
    to: Vec<String>,
    /// Who got a copy.
    cc: Vec<String>,
    /// Where answers shall go, if not to the author.
    reply_to: Vec<String>,
    /// When it says that it was written (RFC 3339, UTC); null when it does not say.
    date: Option<String>,
    /// Whether it was read before, by somebody.
    seen: bool,
    /// Its flags.
    flags: Vec<String>,
    /// Its Message-ID.
    message_id: Option<String>,
    /// All fields of its header, decoded: a field may stand there several times.
    headers: BTreeMap<String, Vec<String>>,
    /// The text; null when none was asked for or there is none.
    body_plain: Option<String>,
    /// Whether that text was made of HTML.
    body_plain_from_html: bool,
    /// The HTML as it was sent; null when none was asked for or there is none.
    body_html: Option<String>,
    /// Where the next piece of the texts begins; null when this was the last.
    body_next_offset: Option<usize>,
    /// What is attached.
    attachments: Vec<Attachment>,
    /// What was broken in it, in words.
    problems: Vec<String>,
    /// Whose words these are.
    untrusted: &'static str,
}

/// Something that is attached.
#[derive(Debug, Serialize, JsonSchema)]
struct Attachment {
    /// Its part of the message, for `mcp.mail.getAttachment`.
    part: String,
    /// Its name, made safe to be a file's.
    filename: String,
    /// What it says that it is.
    mime_type: String,
    /// About how long it is, in bytes; exactly where its content is here.
    size: u64,
    /// By which the HTML refers to it.
    content_id: Option<String>,
    /// Its content; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default)]
    content_base64: Option<String>,
    /// Why its content is not here though it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default)]
    content_skipped: Option<String>,
}

impl Method for GetMessage {
    const NAME: &'static str = "mcp.mail.getMessage";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;

    type Reply = Message;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Message, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let (summary, validity) = one(&asked, &self.folder.0, self.uid_validity, self.uid).await?;
        let fetching = Fetching { asked: &asked, folder: &self.folder.0, validity, uid: self.uid };
        let header = fetching.all(&Section::Header, HEADER_MAX).await?;
        let (headers, envelope, found) = Headers::parse(&header);
        let mut problems: Vec<String> = found.iter().map(ToString::to_string).collect();
        let parts = summary.structure.as_ref().map(leaves).unwrap_or_default();
        if summary.structure.is_none() {
            problems.push("its structure cannot be read; mcp.mail.getRaw has its bytes".to_owned());
        }
        let (wants_plain, wants_html) =
            (self.body_preference != Body::Html, self.body_preference != Body::Plain);
        let (mut plain, mut html, mut from_html) = (None, None, false);
        if wants_plain {
            let texts = fetching.texts(&parts, Preference::Plain, &mut problems).await?;
            from_html = texts.iter().any(|text| text.is_html);
            plain = (!texts.is_empty()).then(|| plain_of(&texts).0);
        }
        if wants_html {
            let texts = fetching.texts(&parts, Preference::Html, &mut problems).await?;
            html = html_of(&texts);
        }
        let cut = |text: String| page(&text, self.body_offset, self.body_max_bytes);
        let (plain, html) = (plain.map(cut), html.map(cut));
        let next = [&plain, &html].into_iter().flatten().filter_map(|page| page.next).max();
        let attachments = self.attachments(mail, &fetching, &parts).await?;
        let (row, _) = Row::of(&summary);
        Ok(Message {
            uid: self.uid,
            uid_validity: validity,
            subject: envelope.subject.clone().unwrap_or_default(),
            from: addresses(&envelope.from),
            to: addresses(&envelope.to),
            cc: addresses(&envelope.cc),
            reply_to: addresses(&envelope.reply_to),
            date: envelope.date.map(|date| date.at.to_string()),
            seen: row.seen,
            flags: row.flags,
            message_id: envelope.message_id.clone(),
            headers: headers.iter().map(|(name, values)| (name.to_owned(), values.to_vec())).collect(),
            body_plain: plain.map(|page| page.text),
            body_plain_from_html: from_html,
            body_html: html.map(|page| page.text),
            body_next_offset: next,
            attachments,
            problems,
            untrusted: untrusted::NOTE,
        })
    }
}

impl GetMessage {
    async fn attachments(
        &self,
        mail: &Mail,
        fetching: &Fetching<'_>,
        parts: &[Part],
    ) -> Result<Vec<Attachment>, Error> {
        let most = self.max_attachment_size_inline_kb.unwrap_or(mail.attachment_inline_kb()) * 1024;
        let (mut names, mut all, mut inline) = (Names::default(), Vec::new(), 0);
        for part in parts.iter().filter(|part| is_attachment(part)) {
            let size = part.decoded_size_max();
            let mut shown = Attachment {
                part: part.id.clone(),
                filename: names.give(part),
                mime_type: part.mime_type.clone(),
                size,
                content_id: part.content_id.clone(),
                content_base64: None,
                content_skipped: None,
            };
            if self.fetch_attachments {
                if size > most || inline + size > INLINE_MAX {
                    shown.content_skipped = Some(format!("CONTENT_SKIPPED_TOO_LARGE (>{}KB)", most / 1024));
                } else {
                    inline += size;
                    let bytes = fetching.decoded(part).await?;
                    shown.size = bytes.len() as u64;
                    shown.content_base64 = Some(BASE64.encode(bytes));
                }
            }
            all.push(shown);
        }
        Ok(all)
    }
}
