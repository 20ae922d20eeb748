//! Reads `mail_accounts.yaml`: what is wrong with one account stays with that account, at its line.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::one::{self, key};
use super::{MailAccount, MailAccounts};
use crate::environment::Environment;
use crate::file::File;
use crate::mistake::{Mistake, Mistakes, in_reading_order};
use crate::secret::{self, Secret};
use crate::shape::Complaint;
use crate::yaml::Step;

/// Reads the accounts of the file at `path`, and what is worth a warning, with its place. A missing file has none.
///
/// # Errors
/// What is wrong with the file as a whole. What is wrong with one account is in its place among [`MailAccounts`].
pub fn load_mail_accounts(
    path: &Path,
    environment: &Environment,
) -> Result<(MailAccounts, Vec<String>), Mistakes> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let read = File::read(path, directory).map_err(|mistake| Mistakes(vec![mistake]))?;
    let Some(mut file) = read else { return Ok(Default::default()) };
    let written = written(&mut file)?;
    let mut reading = Reading { environment, directory, file, warnings: Vec::new() };
    let (mut accounts, _held) = (BTreeMap::new(), one::SHAPE.get());
    for (id, value) in written {
        let account = reading.account(&id, value);
        accounts.insert(id, account);
    }
    in_reading_order(&mut reading.warnings);
    let warnings = reading.warnings.iter().map(Mistake::to_string).collect();
    Ok((MailAccounts(accounts), warnings))
}

/// What stands below `accounts:`, by id and in the order of the file.
fn written(file: &mut File) -> Result<serde_json::Map<String, Value>, Mistakes> {
    let mut mistakes = file.problems();
    let mut found = serde_json::Map::new();
    let mut complain = |file: &File, path: Vec<Step>, message: &str| {
        mistakes.push(file.mistake(Complaint { path, message: message.to_owned() }));
    };
    match file.value.take() {
        None | Some(Value::Null) => {}
        Some(Value::Object(mut map)) => {
            match map.shift_remove("accounts") {
                None | Some(Value::Null) => {}
                Some(Value::Object(accounts)) => found = accounts,
                Some(_) => complain(file, vec![key("accounts")], "must be a mapping of ids to accounts"),
            }
            for name in map.keys() {
                complain(file, vec![key(name)], "is not known here; accounts stand below `accounts:`");
            }
        }
        Some(_) => complain(file, Vec::new(), "must be a mapping: `accounts:` and below it ids"),
    }
    if mistakes.is_empty() {
        return Ok(found);
    }
    in_reading_order(&mut mistakes);
    Err(Mistakes(mistakes))
}

/// A file under reading.
struct Reading<'a> {
    environment: &'a Environment,
    directory: &'a Path,
    file: File,
    warnings: Vec<Mistake>,
}

impl Reading<'_> {
    /// One account with its secrets in the place of what says where they are, or every mistake in it.
    fn account(&mut self, id: &str, value: Value) -> Result<MailAccount, Mistakes> {
        let (account, complaints) = one::read(id, value);
        let mut mistakes: Vec<_> = complaints.into_iter().map(|one| self.place(id, one)).collect();
        let Some(mut account) = account else { return Err(Mistakes(mistakes)) };
        if let Some(ca_file) = &mut account.ca_file {
            *ca_file = self.directory.join(&*ca_file);
        }
        for (path, secret) in account.secrets() {
            let Some(written) = secret else { continue };
            let text = written.expose().trim().to_owned();
            let at =
                |message: String| Complaint { path: path.iter().map(|name| key(name)).collect(), message };
            match secret::resolve(&text, self.environment, self.directory) {
                Ok(found) => {
                    if !secret::is_reference(&text) {
                        let message = "stands here in clear; write `${NAME}` or `file:PATH` instead";
                        self.warnings.push(self.place(id, at(message.to_owned())));
                    }
                    *secret = Some(Secret::from(found));
                }
                Err(why) => mistakes.push(self.place(id, at(why.to_string()))),
            }
        }
        in_reading_order(&mut mistakes);
        if mistakes.is_empty() { Ok(account) } else { Err(Mistakes(mistakes)) }
    }

    fn place(&self, id: &str, complaint: Complaint) -> Mistake {
        self.file.mistake(complaint.below(key(id)).below(key("accounts")))
    }
}

impl MailAccount {
    /// Every secret and where it stands.
    fn secrets(&mut self) -> [(&'static [&'static str], &mut Option<Secret>); 4] {
        [
            (&["password"], &mut self.password),
            (&["smtp_password"], &mut self.smtp_password),
            (&["oauth", "client_secret"], &mut self.oauth.client_secret),
            (&["oauth", "refresh_token"], &mut self.oauth.refresh_token),
        ]
    }
}
