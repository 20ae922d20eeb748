//! What a line of input is carried out against: the connection, the current directory, what is known of the methods,
//! and the screen. It does not know whether a person, a script or `-c` is typing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::builtins::options::{self, Given};
use crate::builtins::{self, Builtin};
use crate::call;
use crate::catalogue::Catalogue;
use crate::client::{Client, Endpoint, Link, News};
use crate::editor::Prompter;
use crate::failure::Failure;
use crate::line::{self, Word};
use crate::render::{Format, Screen};
use crate::token::Wallet;

/// What to do after a command.
#[derive(Debug, PartialEq)]
pub(crate) enum Flow {
    Continue,
    /// `exit`, with its code.
    Exit(u8),
}

/// What both the running commands and completion, on its own thread, know.
pub(crate) struct Knowledge {
    pub(crate) cwd: Mutex<String>,
    /// The methods, and the connection under which they were learnt.
    catalogue: Mutex<Option<(u64, Arc<Catalogue>)>>,
}

pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) screen: Screen,
    pub(crate) knowledge: Arc<Knowledge>,
    pub(crate) wallet: Wallet,
    /// Whom the client was told to call last.
    pub(crate) endpoint: Endpoint,
    /// The directory that `cd -` goes back to.
    pub(crate) previous: String,
    /// The person, when one is there to be asked.
    pub(crate) prompter: Option<Prompter>,
    /// Whether standard input is free for `write PATH -`.
    pub(crate) stdin_is_free: bool,
    /// How long a call may be silent.
    pub(crate) patience: Duration,
}

impl Session {
    /// Carries out one line. Nothing in it, or a comment, is success.
    pub(crate) async fn run(&mut self, line: &str) -> Result<Flow, Failure> {
        let line = line.trim();
        if line.starts_with('#') {
            return Ok(Flow::Continue);
        }
        let words = line::words(line).map_err(Failure::Usage)?;
        let Some((first, rest)) = words.split_first() else { return Ok(Flow::Continue) };
        let mut flow = Flow::Continue;
        if let Some(builtin) = builtins::find(&first.text) {
            flow = (builtin.run)(self, sort_out(builtin, rest)?).await?;
        } else {
            self.call_method(&first.text, rest).await?;
        }
        self.screen.flush()?;
        Ok(flow)
    }

    /// Says who answered, and as whom we are known.
    pub(crate) async fn greet(&mut self) -> Result<(), Failure> {
        let hello = self.call("mcp.hello", &json!({})).await?;
        let word = |key: &str| hello[key].as_str().unwrap_or_default();
        let place = &self.endpoint.target;
        // The original answered with the methods alone.
        let text = match word("server") {
            "" => format!("connected to {place}"),
            server => {
                let (version, caller, tier) = (word("version"), word("caller"), word("tier"));
                format!("connected to {server} {version} at {place} as {caller} ({tier})")
            }
        };
        self.screen.note(&text);
        Ok(())
    }

    pub(crate) fn cwd(&self) -> String {
        held(&self.knowledge.cwd).clone()
    }

    /// Makes a call by a method's exact name and waits for its answer, as long as it is not silent for longer than
    /// `patience`; news is shown by `on_news`.
    pub(crate) async fn call_with(
        &mut self,
        method: &str,
        params: &Value,
        patience: Duration,
        mut on_news: impl FnMut(&mut Screen, &Value) -> std::io::Result<()>,
    ) -> Result<Value, Failure> {
        let mut call = self.client.start(method, params).await?;
        loop {
            match tokio::time::timeout(patience, call.next()).await {
                Err(_) => return Err(Failure::Timeout(patience)),
                Ok(News::Done(outcome)) => return outcome,
                Ok(News::Progress(value)) => {
                    on_news(&mut self.screen, &value)?;
                    self.screen.flush()?;
                }
            }
        }
    }

    /// Makes a call whose news nobody needs.
    pub(crate) async fn call(&mut self, method: &str, params: &Value) -> Result<Value, Failure> {
        self.call_with(method, params, self.patience, |_, _| Ok(())).await
    }

    /// The words of a line that begins with a method's name.
    async fn call_method(&mut self, name: &str, words: &[Word]) -> Result<(), Failure> {
        if !looks_like_method(name) {
            let known = self.knowledge.catalogue(&self.client.link()).unwrap_or_default();
            return Err(Failure::Usage(unknown(name, &known)));
        }
        let mut catalogue = self.catalogue().await?;
        if catalogue.find(name).is_none() && !catalogue.methods.is_empty() {
            // A backend may have come up since.
            self.knowledge.forget();
            catalogue = self.catalogue().await?;
        }
        let (method, params) = match catalogue.find(name) {
            Some(method) => {
                (method.name.clone(), call::params(method, words, &self.cwd()).map_err(Failure::Usage)?)
            }
            // Without a catalogue the server is the one who knows.
            None if catalogue.methods.is_empty() => (name.to_owned(), call::params_unseen(words)),
            None => return Err(Failure::Usage(unknown(name, &catalogue))),
        };
        // News is no result: it must not mix with what a pipe reads.
        let show = |screen: &mut Screen, news: &Value| {
            match screen.format {
                Format::People => screen.note(&format!("… {news}")),
                Format::Json => screen.note(&json!({ "progress": news }).to_string()),
            }
            Ok(())
        };
        let result = self.call_with(&method, &params, self.patience, show).await?;
        Ok(self.screen.result(&result)?)
    }

    /// The methods this caller may use; asked for once a connection. A server that does not tell is no failure.
    pub(crate) async fn catalogue(&mut self) -> Result<Arc<Catalogue>, Failure> {
        if let Some(known) = self.knowledge.catalogue(&self.client.link()) {
            return Ok(known);
        }
        match tokio::time::timeout(self.patience, self.knowledge.learn(&self.client)).await {
            Ok(Ok(catalogue)) => Ok(catalogue),
            Ok(Err(Failure::Call(fault))) => {
                self.screen.note(&format!("the server does not list its methods: {}", fault.message));
                Ok(Arc::default())
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::Timeout(self.patience)),
        }
    }
}

// === impl Knowledge ===

impl Knowledge {
    pub(crate) fn new() -> Self {
        Self { cwd: Mutex::new("/".into()), catalogue: Mutex::new(None) }
    }

    /// What is known under this connection; what was learnt under an earlier one still serves completion while
    /// there is none.
    pub(crate) fn catalogue(&self, link: &Link) -> Option<Arc<Catalogue>> {
        let known = held(&self.catalogue);
        let (epoch, catalogue) = known.as_ref()?;
        let stale = matches!(link, Link::Up { epoch: now } if now != epoch);
        (!stale).then(|| catalogue.clone())
    }

    /// What was learnt is no longer to be trusted.
    pub(crate) fn forget(&self) {
        *held(&self.catalogue) = None;
    }

    /// Asks the server.
    pub(crate) async fn learn(&self, client: &Client) -> Result<Arc<Catalogue>, Failure> {
        let answer = client.call("mcp.listCapabilities", &json!([])).await?;
        let catalogue = Arc::new(Catalogue::read(&answer));
        if let Link::Up { epoch } = client.link() {
            *held(&self.catalogue) = Some((epoch, catalogue.clone()));
        }
        Ok(catalogue)
    }
}

/// Locks; what is held is replaced whole, so a panic elsewhere leaves nothing half done.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A builtin's options and words, as its row of the table has them.
fn sort_out(builtin: &Builtin, words: &[Word]) -> Result<Given, Failure> {
    let usage = |problem: &str| Failure::Usage(format!("{problem}; usage: {}", builtin.usage()));
    let given = options::sort(words, builtin.options).map_err(|problem| usage(&problem))?;
    let count = given.words.len();
    if count < *builtin.words.start() {
        return Err(usage("too few words"));
    }
    if count > *builtin.words.end() {
        return Err(usage("too many words"));
    }
    Ok(given)
}

/// A typing mistake in a builtin has no dot and needs no question to the server.
fn looks_like_method(word: &str) -> bool {
    word.contains(['.', '_'])
}

fn unknown(word: &str, catalogue: &Catalogue) -> String {
    let methods = catalogue.methods.iter().map(|method| method.name.as_str());
    let short = catalogue.methods.iter().filter_map(|method| method.name.strip_prefix("mcp."));
    let builtins: Vec<&str> = builtins::names().collect();
    let near = call::nearest(word, builtins.into_iter().chain(short).chain(methods));
    let advice = if near.is_empty() {
        "help lists them".into()
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    let known_as = if looks_like_method(word) { "method" } else { "command" };
    format!("no {known_as} {word}: {advice}")
}
