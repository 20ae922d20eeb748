//! Pieces of one message, asked of its server as they are needed.

use imap::{Section, Summary};
use mime::{Part, Preference, Text, body_parts, decode_part, text_of};
use protocol::Error;

use crate::account::Asked;

/// The most of one text part that is fetched, in bytes: what is longer is a log that somebody mailed.
const TEXT_MAX: usize = 4 << 20;

/// One message at a glance, and its folder's UIDVALIDITY.
pub(crate) async fn one(
    asked: &Asked,
    folder: &str,
    uid_validity: Option<u32>,
    uid: u32,
) -> Result<(Summary, u32), Error> {
    let found = asked.account.summaries(folder, uid_validity, &[uid]).await;
    let mut found = found.map_err(|error| asked.fault(&error))?;
    let missing = || asked.fault(&imap::Error::NoSuchMessage { folder: folder.to_owned(), uid });
    let summary = found.messages.pop().ok_or_else(missing)?;
    Ok((summary, found.uid_validity))
}

/// A message whose parts are fetched.
pub(crate) struct Fetching<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) folder: &'a str,
    pub(crate) validity: u32,
    pub(crate) uid: u32,
}

impl Fetching<'_> {
    pub(crate) async fn all(&self, section: &Section, most: usize) -> Result<Vec<u8>, Error> {
        let body = self.asked.account.body(self.folder, Some(self.validity), self.uid, section, 0);
        let body = body.map_err(|error| self.asked.fault(&error))?;
        body.all(most).await.map_err(|error| self.asked.fault(&error))
    }

    /// The texts that are preferred so.
    pub(crate) async fn texts(
        &self,
        parts: &[Part],
        preference: Preference,
        problems: &mut Vec<String>,
    ) -> Result<Vec<Text>, Error> {
        let mut texts = Vec::new();
        for part in body_parts(parts, preference) {
            let text = self.text(part).await?;
            problems.extend(text.problems.iter().map(ToString::to_string));
            texts.push(text);
        }
        Ok(texts)
    }

    /// A part's text, as much of it as is read.
    async fn text(&self, part: &Part) -> Result<Text, Error> {
        let section = Section::Part(part.id.clone());
        let body = self.asked.account.body(self.folder, Some(self.validity), self.uid, &section, 0);
        let mut body = body.map_err(|error| self.asked.fault(&error))?;
        let mut raw = Vec::new();
        while raw.len() < TEXT_MAX {
            match body.next().await.map_err(|error| self.asked.fault(&error))? {
                Some(piece) => raw.extend_from_slice(&piece),
                None => break,
            }
        }
        Ok(text_of(part, &raw))
    }

    /// A part as it was before it was encoded.
    pub(crate) async fn decoded(&self, part: &Part) -> Result<Vec<u8>, Error> {
        let raw = self.all(&Section::Part(part.id.clone()), 64 << 20).await?;
        Ok(decode_part(part, &raw).0.into_owned())
    }
}
