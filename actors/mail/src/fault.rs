//! What a caller is told when the mail server has no answer.

use imap::Outcome;
use protocol::{Code, Error};
use serde_json::{Value, json};

/// The error of a call on the account `id`.
pub(crate) fn fault(id: &str, error: &imap::Error) -> Error {
    let (code, kind) = match error {
        imap::Error::Authentication { .. } => (Code::MailAuthentication, "login_refused"),
        imap::Error::Unreachable { .. } => (Code::MailServer, "unreachable"),
        imap::Error::Untrusted { .. } => (Code::MailServer, "untrusted"),
        imap::Error::Settings { .. } => (Code::MailAccount, "account_has_mistakes"),
        imap::Error::Timeout { .. } => (Code::MailServer, "timeout"),
        imap::Error::Lost { .. } => (Code::MailServer, "lost"),
        imap::Error::Stale { .. } => (Code::MailMessage, "stale"),
        imap::Error::NoSuchFolder { .. } => (Code::MailMessage, "no_such_folder"),
        imap::Error::NoSuchMessage { .. } => (Code::MailMessage, "no_such_message"),
        imap::Error::OverQuota { .. } => (Code::MailServer, "over_quota"),
        imap::Error::Refused { .. } => (Code::MailServer, "refused"),
        imap::Error::Unsupported { .. } => (Code::MailServer, "unsupported"),
        imap::Error::Invalid { .. } => return Error::invalid_params(sentence(&error.to_string())),
    };
    let mut data = json!({ "kind": kind, "account_id": id });
    let put = &mut |name: &str, value: Value| data[name] = value;
    match error {
        imap::Error::Timeout { outcome, .. } | imap::Error::Lost { outcome, .. } => {
            put("retry_safe", json!(*outcome == Outcome::NothingDone));
        }
        imap::Error::Unreachable { retry_after, .. } => {
            put("retry_safe", json!(true));
            let milliseconds = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
            put("retry_after_ms", json!(milliseconds));
        }
        imap::Error::Stale { found, .. } => put("uid_validity", json!(found)),
        _ => {}
    }
    Error::new(code, format!("{} (account '{id}').", sentence(&error.to_string()))).with_data(data)
}

fn sentence(said: &str) -> String {
    let mut letters = said.chars();
    let first = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>());
    first.unwrap_or_default().trim_end_matches('.').to_owned()
}
