//! What a server says, in our words and owned: the one place that knows the grammar's types.

use bytes::Bytes;
use imap_proto::rfc4315::UidSetMember;
use imap_proto::{
    AttributeValue, MailboxDatum, MailboxListData, NameAttribute, Response, ResponseCode, StatusAttribute,
};
use jiff::Timestamp;

use crate::command::unescaped;
use crate::flags::{Flag, UIDS_MAX};
use crate::folders::{Counts, Role};
use crate::structure::Part;

/// One response that is no status of a command.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The folder has so many messages.
    Exists(u32),
    /// A message is gone.
    Gone,
    /// Something of a message.
    Message(Box<Message>),
    /// A folder.
    Folder(Listed),
    /// What is in a folder, by its name on the wire.
    Counts(String, Counts),
    /// What a status says by its code.
    Code(Code),
    /// Nothing that is used.
    Other,
}

/// The codes that are used.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    UidValidity(u32),
    UidNext(u32),
    /// The latest change of the folder (RFC 7162).
    ModSeq(u64),
    /// UIDVALIDITY and UID of what was appended.
    Appended(u32, u32),
    /// The UIDVALIDITY of where to, and the UIDs here and there.
    Copied(u32, Vec<(u32, u32)>),
    None,
}

/// What a server says of a message.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) uid: Option<u32>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) received: Option<Timestamp>,
    pub(crate) size: u32,
    pub(crate) body: Option<Bytes>,
    pub(crate) structure: Option<Part>,
}

/// A folder as it is listed.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Its name on the wire.
    pub(crate) wire: String,
    pub(crate) delimiter: Option<char>,
    pub(crate) attributes: Vec<String>,
    pub(crate) role: Option<Role>,
}

impl Reply {
    pub(crate) fn of(response: &Response<'_>) -> Self {
        match response {
            Response::Data { outcome, .. } => Self::Code(Code::of(outcome.code.as_ref())),
            Response::Expunge(_) | Response::Vanished { earlier: false, .. } => Self::Gone,
            Response::Fetch(_, items) => Self::Message(Box::new(Message::of(items))),
            Response::MailboxData(datum) => match datum {
                MailboxDatum::Exists(count) => Self::Exists(*count),
                MailboxDatum::List(found) => Self::Folder(Listed::of(found)),
                MailboxDatum::Status { mailbox, status } => Self::Counts(unescaped(mailbox), counts(status)),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        const LEAST: usize = 256;
        LEAST
            + match self {
                Self::Message(message) => {
                    let parts = message.structure.as_ref().map_or(0, |part| part.all().count());
                    message.body.as_ref().map_or(0, Bytes::len) + parts * 512
                }
                _ => 0,
            }
    }
}

impl Code {
    pub(crate) fn of(code: Option<&ResponseCode<'_>>) -> Self {
        match code {
            Some(ResponseCode::UidValidity(validity)) => Self::UidValidity(*validity),
            Some(ResponseCode::UidNext(next)) => Self::UidNext(*next),
            Some(ResponseCode::HighestModSeq(latest)) => Self::ModSeq(*latest),
            Some(ResponseCode::AppendUid(validity, uids)) => {
                numbers(uids).first().map_or(Self::None, |uid| Self::Appended(*validity, *uid))
            }
            Some(ResponseCode::CopyUid(validity, from, to)) => {
                Self::Copied(*validity, numbers(from).into_iter().zip(numbers(to)).collect())
            }
            _ => Self::None,
        }
    }
}

/// The numbers of a set, in its order; no more than anybody asks for.
fn numbers(set: &[UidSetMember]) -> Vec<u32> {
    let each = |member: &UidSetMember| match member {
        UidSetMember::Uid(uid) => *uid..=*uid,
        UidSetMember::UidRange(range) => range.clone(),
    };
    set.iter().flat_map(each).take(UIDS_MAX).collect()
}

impl Message {
    fn of(items: &[AttributeValue<'_>]) -> Self {
        let mut message = Self::default();
        for item in items {
            match item {
                AttributeValue::Uid(uid) => message.uid = Some(*uid),
                AttributeValue::Flags(flags) => {
                    message.flags = flags.iter().map(|flag| Flag::read(flag)).collect();
                }
                AttributeValue::InternalDate(text) => message.received = date(text),
                AttributeValue::Rfc822Size(size) => message.size = *size,
                AttributeValue::BodyStructure(structure) => message.structure = Some(Part::read(structure)),
                AttributeValue::BodySection { data, .. } => {
                    message.body = Some(data.as_deref().map(Bytes::copy_from_slice).unwrap_or_default());
                }
                _ => {}
            }
        }
        message
    }
}

/// `17-Jul-1996 02:44:25 -0700`.
fn date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    parsed.to_timestamp().ok()
}

impl Listed {
    fn of(found: &MailboxListData<'_>) -> Self {
        let inbox = (found.name == "INBOX").then_some(Role::Inbox);
        Self {
            wire: unescaped(&found.name),
            delimiter: found.delimiter.as_deref().and_then(|text| unescaped(text).chars().next()),
            attributes: found.name_attributes.iter().map(attribute).collect(),
            role: inbox.or_else(|| found.name_attributes.iter().find_map(role)),
        }
    }
}

fn attribute(attribute: &NameAttribute<'_>) -> String {
    match attribute {
        NameAttribute::NoInferiors => "\\Noinferiors".to_owned(),
        NameAttribute::NoSelect => "\\Noselect".to_owned(),
        NameAttribute::Extension(text) => text.to_string(),
        // The others are called as they are written.
        other => format!("\\{other:?}"),
    }
}

fn role(attribute: &NameAttribute<'_>) -> Option<Role> {
    match attribute {
        NameAttribute::All => Some(Role::All),
        NameAttribute::Archive => Some(Role::Archive),
        NameAttribute::Drafts => Some(Role::Drafts),
        NameAttribute::Flagged => Some(Role::Flagged),
        NameAttribute::Junk => Some(Role::Junk),
        NameAttribute::Sent => Some(Role::Sent),
        NameAttribute::Trash => Some(Role::Trash),
        _ => None,
    }
}

fn counts(status: &[StatusAttribute]) -> Counts {
    let mut counts = Counts::default();
    for one in status {
        match one {
            StatusAttribute::Messages(count) => counts.messages = *count,
            StatusAttribute::Unseen(count) => counts.unseen = *count,
            StatusAttribute::UidValidity(validity) => counts.uid_validity = *validity,
            StatusAttribute::UidNext(next) => counts.uid_next = *next,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_servers() {
        for (text, expected) in [
            ("17-Jul-1996 02:44:25 -0700", Some("1996-07-17T09:44:25Z")),
            (" 7-Nov-2026 00:00:00 +0000", Some("2026-11-07T00:00:00Z")),
            ("07-Nov-2026 00:00:00 +0000", Some("2026-11-07T00:00:00Z")),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(date(text).map(|date| date.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_set_that_is_larger_than_any_question_is_cut() {
        let all = [UidSetMember::UidRange(1..=u32::MAX)];
        assert_eq!(numbers(&all).len(), UIDS_MAX);
    }
}
