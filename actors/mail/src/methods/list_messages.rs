//! `mcp.mail.listMessages`.

use imap::{Criteria, Flag, Page, Query};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::listing::{Row, rows};
use crate::service::Mail;
use crate::untrusted;

/// Lists the newest messages of a folder. Nothing is marked as read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListMessages {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    #[serde(default = "FolderName::inbox")]
    folder: FolderName,
    /// How many.
    #[serde(default = "twenty_five")]
    #[schemars(range(min = 1, max = 500))]
    limit: usize,
    /// One of `ALL`, `UNSEEN`, `SEEN`, `FLAGGED`, `ANSWERED`. For everything else there is `mcp.mail.search`. For whom the
    /// setting `mail.raw_search` names, any criteria in IMAP's own words.
    #[serde(default = "all")]
    search_criteria: String,
    /// How many of the newest are passed over.
    #[serde(default)]
    offset: usize,
}

pub(super) fn twenty_five() -> usize {
    25
}

fn all() -> String {
    "ALL".to_owned()
}

/// Messages of a folder.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    /// The newest first.
    messages: Vec<Row>,
    /// How many match in all.
    total: usize,
    /// What is `offset` for the next page; null when there is none.
    next_offset: Option<usize>,
    /// What the UIDs mean; other calls take it to be sure that they still do.
    uid_validity: u32,
    /// Messages that are there and of which nothing can be read.
    unreadable: Vec<u32>,
    /// Whose words these are.
    untrusted: &'static str,
}

impl Listed {
    /// One page of what a query finds.
    pub(super) async fn of(
        asked: &Asked,
        folder: &str,
        uid_validity: Option<u32>,
        query: &Query,
        page: Page,
    ) -> Result<Self, Error> {
        let found = asked.account.search(folder, uid_validity, query, page).await;
        let found = found.map_err(|error| asked.fault(&error))?;
        let validity = found.uid_validity;
        let read = rows(asked, folder, Some(validity), &found.uids).await?;
        let next = page.offset + found.uids.len();
        Ok(Self {
            messages: read.rows.into_iter().map(|(row, _)| row).collect(),
            total: found.total,
            next_offset: (next < found.total && !found.uids.is_empty()).then_some(next),
            uid_validity: validity,
            unreadable: read.unreadable,
            untrusted: untrusted::NOTE,
        })
    }
}

impl Method for ListMessages {
    const NAME: &'static str = "mcp.mail.listMessages";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;
    const ORIGINAL_FIELD: Option<&'static str> = Some("messages");

    type Reply = Listed;
    type Service = Mail;

    async fn call(self, context: &Context, mail: &Mail) -> Result<Listed, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let words = &self.search_criteria;
        let query = match criteria(words) {
            Some(query) => query,
            None if mail.may_search_raw(&context.caller) => {
                Criteria::read(words).map(Query::Raw).map_err(Error::invalid_params)?
            }
            None => {
                return Err(Error::invalid_params(
                    "search_criteria is one of ALL, SEEN, UNSEEN, FLAGGED, UNFLAGGED, ANSWERED, UNANSWERED, DRAFT; \
                     mcp.mail.search takes everything else, and IMAP's own words from whom mail.raw_search names",
                ));
            }
        };
        let page = Page { offset: self.offset, limit: self.limit };
        Listed::of(&asked, &self.folder.0, None, &query, page).await
    }
}

/// The few words that the original's callers used, which are for everybody.
fn criteria(word: &str) -> Option<Query> {
    let flag = |flag| Query::Flag(flag);
    let not = |query| Query::Not(Box::new(query));
    Some(match word.trim().to_ascii_uppercase().as_str() {
        "" | "ALL" => Query::All,
        "SEEN" => flag(Flag::Seen),
        "UNSEEN" => not(flag(Flag::Seen)),
        "FLAGGED" => flag(Flag::Flagged),
        "UNFLAGGED" => not(flag(Flag::Flagged)),
        "ANSWERED" => flag(Flag::Answered),
        "UNANSWERED" => not(flag(Flag::Answered)),
        "DRAFT" => flag(Flag::Draft),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_command_is_for_few() {
        assert_eq!(criteria("unseen"), Some(Query::Not(Box::new(Query::Flag(Flag::Seen)))));
        for word in ["FROM x", "ALL\r\nA1 DELETE INBOX", "1:*"] {
            assert_eq!(criteria(word), None, "{word}");
        }
    }
}
