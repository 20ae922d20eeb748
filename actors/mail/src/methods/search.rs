//! `mcp.mail.search`.

use imap::{Criteria, Flag, Page, Query};
use jiff::civil::Date;
use protocol::{Caller, Code, Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::LOOKS;
use super::list_messages::{Listed, twenty_five};
use crate::account::{Asked, FolderName};
use crate::conversation::Conversation;
use crate::listing::flag;
use crate::service::Mail;

/// Finds messages of a folder that match everything that is given. Nothing is marked as read.
///
/// Texts match parts of words, in any case. Days are the mail server's.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name; the inbox by default.
    #[serde(default)]
    folder: Option<FolderName>,
    /// In the sender's name or address.
    #[serde(default)]
    from: Option<String>,
    /// In a recipient's name or address.
    #[serde(default)]
    to: Option<String>,
    /// In the subject.
    #[serde(default)]
    subject: Option<String>,
    /// Anywhere in the message.
    #[serde(default)]
    text: Option<String>,
    /// In the text of the message, not its header.
    #[serde(default)]
    body: Option<String>,
    /// That came on this day or later: `2026-01-31`.
    #[serde(default)]
    since: Option<String>,
    /// That came before this day.
    #[serde(default)]
    before: Option<String>,
    /// Whether it was read.
    #[serde(default)]
    seen: Option<bool>,
    /// Whether it was answered.
    #[serde(default)]
    answered: Option<bool>,
    /// Whether it is marked as important.
    #[serde(default)]
    flagged: Option<bool>,
    /// That have all of these flags or keywords: `$Forwarded`.
    #[serde(default)]
    #[schemars(length(max = 32))]
    flags: Vec<String>,
    /// Larger than so many bytes.
    #[serde(default)]
    larger: Option<u32>,
    /// Smaller than so many bytes.
    #[serde(default)]
    smaller: Option<u32>,
    /// Whether something is attached. Most servers cannot be asked that and are asked for the kind of message that nearly
    /// always has something; each result's `has_attachments` is exact.
    #[serde(default)]
    has_attachment: Option<bool>,
    /// The Message-ID.
    #[serde(default)]
    message_id: Option<String>,
    /// Of the conversation that the message with this UID belongs to. `mcp.mail.getThread` has it in its order.
    #[serde(default)]
    thread: Option<u32>,
    /// What else must match, in IMAP's own words (RFC 3501, section 6.4.4): `OR FROM "ada" (UNSEEN LARGER 5000)`. Only
    /// for whom the setting `mail.raw_search` names.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096))]
    raw: Option<String>,
    /// How many.
    #[serde(default = "twenty_five")]
    #[schemars(range(min = 1, max = 500))]
    limit: usize,
    /// How many of the newest are passed over.
    #[serde(default)]
    offset: usize,
    /// The folder's `uid_validity` of an earlier answer: refused when the UIDs no longer mean the same messages.
    #[serde(default)]
    uid_validity: Option<u32>,
}

impl Method for Search {
    const NAME: &'static str = "mcp.mail.search";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;

    type Reply = Listed;
    type Service = Mail;

    async fn call(self, context: &Context, mail: &Mail) -> Result<Listed, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let mut all = self.conditions()?;
        all.extend(self.raw.as_deref().map(|raw| criteria(mail, &context.caller, raw)).transpose()?);
        let folder = self.folder.unwrap_or_else(FolderName::inbox).0;
        let mut validity = self.uid_validity;
        if let Some(uid) = self.thread {
            let conversation = Conversation::of(&asked, &folder, validity, uid).await?;
            all.push(Query::Among(conversation.members.iter().map(|(_, row)| row.uid).collect()));
            validity = Some(conversation.uid_validity);
        }
        let page = Page { offset: self.offset, limit: self.limit };
        Listed::of(&asked, &folder, validity, &Query::And(all), page).await
    }
}

impl Search {
    /// What a message must be, one by one, but for what only a server or the owner can tell.
    fn conditions(&self) -> Result<Vec<Query>, Error> {
        let mut all = Vec::new();
        let mut text = |query: fn(String) -> Query, text: &Option<String>| {
            all.extend(text.clone().map(query));
        };
        text(Query::From, &self.from);
        text(Query::To, &self.to);
        text(Query::Subject, &self.subject);
        text(Query::Text, &self.text);
        text(Query::Body, &self.body);
        text(|id| Query::Header("Message-ID".to_owned(), id), &self.message_id);
        all.extend(day("since", self.since.as_deref())?.map(Query::Since));
        all.extend(day("before", self.before.as_deref())?.map(Query::Before));
        all.extend(self.larger.map(Query::Larger));
        all.extend(self.smaller.map(Query::Smaller));
        for (wanted, query) in [
            (self.seen, Query::Flag(Flag::Seen)),
            (self.answered, Query::Flag(Flag::Answered)),
            (self.flagged, Query::Flag(Flag::Flagged)),
            (self.has_attachment, Query::HasAttachment),
        ] {
            all.extend(wanted.map(|is| if is { query } else { Query::Not(Box::new(query)) }));
        }
        all.extend(self.flags.iter().map(|word| Query::Flag(flag(word))));
        Ok(all)
    }
}

/// Criteria in a caller's own words, if the owner lets this caller search so.
fn criteria(mail: &Mail, caller: &Caller, text: &str) -> Result<Query, Error> {
    if !mail.may_search_raw(caller) {
        let why = format!(
            "'{}' may not search in IMAP's own words: the owner may let it, in mail.raw_search. The other fields are for \
             everybody.",
            caller.name
        );
        return Err(Error::new(Code::PermissionDenied, why).with_data(json!({ "kind": "raw_search" })));
    }
    Criteria::read(text).map(Query::Raw).map_err(Error::invalid_params)
}

fn day(field: &str, text: Option<&str>) -> Result<Option<Date>, Error> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| Error::invalid_params(format!("{field} is a day such as 2026-01-31")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_given_must_match() {
        let asked: Search = serde_json::from_value(json!({
            "account_id": "a", "from": "ada\" OR ALL", "since": "2026-01-31", "seen": false, "flags": ["\\flagged", "$Forwarded"],
        }))
        .unwrap();
        let expected = vec![
            Query::From("ada\" OR ALL".to_owned()),
            Query::Since(Date::constant(2026, 1, 31)),
            Query::Not(Box::new(Query::Flag(Flag::Seen))),
            Query::Flag(Flag::Flagged),
            Query::Flag(Flag::Keyword("$Forwarded".to_owned())),
        ];
        assert_eq!(asked.conditions().unwrap(), expected);
        let wrong = Search { since: Some("31.1.2026".to_owned()), ..asked };
        assert!(wrong.conditions().unwrap_err().message.contains("since is a day"));
    }
}
