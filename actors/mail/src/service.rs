//! The service's handle: the accounts, replaced when `mail_accounts.yaml` changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use cluster_config::Environment;
use cluster_config::mail::load_mail_accounts;
use protocol::{Caller, Code, Context, Dispatch, Error};
use serde_json::json;
use smtp::Limits;
use store::Store;
use supervisor::{ChildSpec, SupervisorSpec};
use tokio::sync::Notify;

use crate::clerk;
use crate::files::Files;
use crate::outbox::Outbox;
use crate::post::Post;
use crate::tokens::Kept;

/// What the service is told.
pub struct Config {
    /// `mail_accounts.yaml`; none for an instance without mail.
    pub file: Option<PathBuf>,
    /// Passwords, and where they are.
    pub environment: Environment,
    /// The state file, which has the outbox. Without it nothing is sent.
    pub store: Option<Store>,
    /// The gateway, through which a caller's files are reached. Without it no attachment becomes a file.
    pub dispatch: Option<Arc<dyn Dispatch>>,
    /// Where newer refresh tokens are kept than the file has.
    pub tokens: PathBuf,
    /// How long a server is waited for at each command.
    pub timeout: Duration,
    /// How long a server may think about a whole message that it is given to send.
    pub end: Duration,
    /// The largest attachment that is answered with its content, in KiB, where a call does not say.
    pub attachment_inline_kb: u64,
    /// Who may search in IMAP's own words: names of tiers, or of callers.
    pub raw_search: Vec<String>,
}

/// An account, or what is wrong with it, for a person.
type Known = Result<Post, String>;

/// The handle that the methods work with.
#[derive(Clone)]
pub struct Mail(Arc<Shared>);

struct Shared {
    config: Config,
    outbox: Option<Outbox>,
    accounts: ArcSwap<BTreeMap<String, Known>>,
    /// Raised when there may be other accounts.
    changed: Arc<Notify>,
    /// What was complained about: told once, until it changes.
    told: Mutex<Vec<String>>,
}

impl Mail {
    /// Reads the accounts; opens no connection. What is wrong with the file is told in the log, and is no reason for the
    /// rest of the instance not to start. Blocks on the disk.
    pub fn open(config: Config) -> Self {
        let outbox = config.store.clone().map(Outbox::new);
        let mail = Self(Arc::new(Shared {
            config,
            outbox,
            accounts: ArcSwap::default(),
            changed: Arc::default(),
            told: Mutex::default(),
        }));
        mail.reload();
        mail
    }

    /// A child that reads the accounts again when their file changes; none when there is no file to read.
    pub fn reader(&self, id: &str) -> Option<ChildSpec> {
        let folder = self.0.config.file.as_deref().and_then(Path::parent)?.to_owned();
        let mail = self.clone();
        Some(service::reader(id, folder, move || mail.reload()))
    }

    /// A supervisor with an actor for each account, which sends its mail and watches its folders.
    pub fn keepers(&self) -> SupervisorSpec {
        clerk::supervisor(self, &self.0.changed)
    }

    /// How the accounts are, in a line, for whoever looks at the tree; none without accounts.
    pub fn health(&self) -> Option<String> {
        let accounts = self.accounts();
        let wrong = accounts.values().filter(|known| known.is_err()).count();
        let wrong = if wrong == 0 { String::new() } else { format!(", {wrong} with mistakes") };
        (!accounts.is_empty()).then(|| format!("{} accounts{wrong}", accounts.len()))
    }

    /// Reads the file again. Accounts whose settings are as they were keep their connections; a file that cannot be read
    /// at all keeps everything.
    fn reload(&self) {
        let Some(file) = self.0.config.file.as_deref().filter(|file| file.exists()) else { return };
        match load_mail_accounts(file, &self.0.config.environment) {
            Ok((read, warnings)) => {
                let before = self.accounts();
                let known = |id: &str, account: Result<&_, &cluster_config::Mistakes>| -> Known {
                    let settings: &cluster_config::mail::MailAccount =
                        account.map_err(ToString::to_string)?;
                    Ok(match before.get(id) {
                        Some(Ok(same)) if same.settings() == settings => same.clone(),
                        _ => self.post(id, settings),
                    })
                };
                let accounts: BTreeMap<String, Known> =
                    read.iter().map(|(id, account)| (id.to_owned(), known(id, account))).collect();
                let wrong = accounts.values().filter_map(|known| known.as_ref().err().cloned());
                self.tell(warnings.into_iter().chain(wrong).collect());
                self.0.accounts.store(Arc::new(accounts));
                self.0.changed.notify_one();
            }
            Err(mistakes) => self.tell(vec![format!("the accounts stay as they were:\n{mistakes}")]),
        }
    }

    fn post(&self, id: &str, settings: &cluster_config::mail::MailAccount) -> Post {
        let tokens = settings.oauth.refresh_token.as_ref();
        let tokens = tokens.map(|token| Kept::new(&self.0.config.tokens, id, token));
        Post::new(
            id,
            settings.clone(),
            Limits { command: self.0.config.timeout, end: self.0.config.end },
            tokens,
        )
    }

    fn tell(&self, news: Vec<String>) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        for one in news.iter().filter(|one| !told.contains(one)) {
            tracing::warn!("mail_accounts.yaml: {one}");
        }
        *told = news;
    }

    pub(crate) fn accounts(&self) -> Arc<BTreeMap<String, Known>> {
        self.0.accounts.load_full()
    }

    /// The account of this id.
    pub(crate) fn account(&self, id: &str) -> Result<Post, Error> {
        let accounts = self.accounts();
        match accounts.get(id) {
            Some(Ok(account)) => Ok(account.clone()),
            Some(Err(why)) => Err(Error::new(
                Code::MailAccount,
                format!("The account '{id}' cannot be used as mail_accounts.yaml has it: {why}"),
            )
            .with_data(json!({ "kind": "account_has_mistakes", "account_id": id }))),
            None => {
                let known: Vec<&str> = accounts.keys().map(String::as_str).collect();
                let advice = if known.is_empty() {
                    "none is configured: mail_accounts.yaml has them".to_owned()
                } else {
                    format!("there are {}", known.join(", "))
                };
                let shown: String = id.chars().take(80).collect();
                Err(Error::new(Code::MailAccount, format!("There is no account '{shown}'; {advice}."))
                    .with_data(json!({ "kind": "no_such_account", "accounts": known })))
            }
        }
    }

    pub(crate) fn outbox(&self) -> Option<&Outbox> {
        self.0.outbox.as_ref()
    }

    /// The caller's files.
    pub(crate) fn files(&self, context: &Context) -> Result<Files, Error> {
        let dispatch = self.0.config.dispatch.as_ref().ok_or_else(|| Error::unavailable("fs"))?;
        Ok(Files::of(context, dispatch))
    }

    /// Whether this caller may search in IMAP's own words.
    pub(crate) fn may_search_raw(&self, caller: &Caller) -> bool {
        caller.is_among(&self.0.config.raw_search)
    }

    pub(crate) fn attachment_inline_kb(&self) -> u64 {
        self.0.config.attachment_inline_kb
    }
}
