//! One connection that is logged in: a command at a time, each within its deadline, and never used again after one that
//! was not answered to its end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_imap::Session;
use bytes::Bytes;
use cluster_config::mail::MailAccount;
use imap_proto::{Response, Status};
use rustls::ClientConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout};

use crate::capabilities::Capabilities;
use crate::command::Command;
use crate::error::{Error, clean};
use crate::login;
use crate::reply::{Code, Reply};
use crate::sieve::Sieve;
use crate::token::Tokens;

/// How much one command may answer. A hundred thousand folders or headers fit; what is larger is asked for in pieces.
const ANSWER_MAX: usize = 64 * 1024 * 1024;
/// How fast a line must be at least, in bytes a second, for a message to be sent within its deadline.
const BYTES_PER_SECOND: u64 = 32 * 1024;
/// News that come while the waiting is ended: more than a screen of them say the same.
const LATE_MAX: usize = 1000;
/// A folder that was opened so long ago is opened anew.
const SELECTED_FOR: Duration = Duration::from_mins(1);

/// A session, and what is known of it.
#[derive(Debug)]
pub(crate) struct Connection {
    session: Session<Sieve>,
    pub(crate) capabilities: Capabilities,
    limit: Duration,
    selected: Option<Selected>,
    /// Every command so far was answered to its end.
    fit: bool,
    /// When the last one was.
    pub(crate) heard: Instant,
    /// The same by the clock on the wall, which goes on while a machine sleeps.
    pub(crate) heard_at: SystemTime,
    /// When it was last used for somebody's question.
    pub(crate) worked: Instant,
}

/// A folder that is open.
#[derive(Clone, Debug)]
struct Selected {
    mailbox: Mailbox,
    access: Access,
    since: Instant,
}

/// What a server says of a folder that it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub(crate) folder: String,
    pub(crate) uid_validity: u32,
    pub(crate) exists: u32,
    pub(crate) uid_next: Option<u32>,
    /// The number of its latest change, where the server counts them (CONDSTORE, RFC 7162).
    pub(crate) latest: Option<u64>,
}

/// What a folder is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To look at it: nothing in it changes, whatever is asked.
    Examine,
    /// The same, and its changes are to be numbered where the server can (CONDSTORE, RFC 7162).
    Watch,
    /// To change something in it.
    Select,
}

/// Whether messages that came in the last minute must be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Wanted,
    Unneeded,
}

/// Everything that a command was answered.
pub(crate) struct Answer {
    pub(crate) replies: Vec<Reply>,
    /// What the grammar does not know.
    pub(crate) aside: Vec<Bytes>,
    /// The code of the last line.
    pub(crate) code: Code,
}

impl Answer {
    const fn new() -> Self {
        Self { replies: Vec::new(), aside: Vec::new(), code: Code::None }
    }
}

/// What comes next on a connection.
enum Next {
    /// Go on.
    Continue,
    /// A command is done: its tag, and how.
    Done(String, Status, Code),
    /// The server ends the connection.
    Bye,
    Reply(Reply),
}

impl Connection {
    /// Opens one, within `limit` in all.
    pub(crate) async fn open(
        account: &MailAccount,
        tls: Arc<ClientConfig>,
        tokens: &Tokens,
        limit: Duration,
    ) -> Result<Self, Error> {
        let opened = timeout(limit, login::log_in(account, tls, tokens)).await;
        let session = opened.map_err(|_| Error::Timeout {
            command: "the login",
            after: limit,
            outcome: crate::error::Outcome::NothingDone,
        })??;
        let mut connection = Self {
            session,
            capabilities: Capabilities::default(),
            limit,
            selected: None,
            fit: true,
            heard: Instant::now(),
            heard_at: SystemTime::now(),
            worked: Instant::now(),
        };
        connection.run(Command::new("CAPABILITY")).await?;
        let line = connection.session.get_mut().take_capabilities().unwrap_or_default();
        connection.capabilities = Capabilities::read(&line);
        if connection.capabilities.has("COMPRESS=DEFLATE") {
            connection.compress().await?;
        }
        if connection.capabilities.has("ID") {
            // Some servers let nobody in who does not say who they are; none needs to know more.
            let id = Command::new("ID").words("(\"name\" \"llmbasedos\")");
            match connection.run(id).await {
                Err(error) if !connection.fit => return Err(error),
                _ => {}
            }
        }
        Ok(connection)
    }

    /// Compresses what is said from here on, unless the server does not want to.
    async fn compress(&mut self) -> Result<(), Error> {
        self.session.get_mut().wait_at_answer();
        let asked = self.run(Command::new("COMPRESS").words("DEFLATE")).await;
        let sieve = self.session.get_mut();
        match asked {
            Ok(_) => sieve.go_on_compressed(),
            Err(error) if !self.fit => return Err(error),
            // It lists what it has not; or something below compresses already.
            Err(_) => sieve.go_on(),
        }
        Ok(())
    }

    /// Whether another command may be sent on it.
    pub(crate) fn is_fit(&self) -> bool {
        self.fit
    }

    /// Sends a command and waits for all of its answer. An answer of `NO` or `BAD` leaves the connection as it is; any
    /// other error, and not being waited for, makes it unfit.
    pub(crate) async fn run(&mut self, command: Command) -> Result<Answer, Error> {
        let name = command.name;
        if !self.fit {
            return Err(Error::lost(name, "it had been given up"));
        }
        self.fit = false;
        let after = self.limit + Duration::from_secs(command.literal_bytes() as u64 / BYTES_PER_SECOND);
        let outcome = crate::error::Outcome::NothingDone;
        let done = timeout(after, self.exchange(command)).await;
        let (answer, status) = done.map_err(|_| Error::Timeout { command: name, after, outcome })??;
        self.fit = true;
        self.heard = Instant::now();
        self.heard_at = SystemTime::now();
        if status == Status::Ok {
            return Ok(answer);
        }
        let (code, text) = self.session.get_ref().said();
        Err(Error::refusal(name, status == Status::No, code.as_deref(), &text))
    }

    async fn exchange(&mut self, command: Command) -> Result<(Answer, Status), Error> {
        let name = command.name;
        let io = |error: std::io::Error| Error::lost(name, error.kind().to_string());
        let imap = |error: async_imap::error::Error| Error::lost(name, login::kind(&error));
        self.session.get_mut().take_aside();
        let mut answer = Answer::new();
        let mut tag = None;
        for (text, literal) in command.parts {
            let at_once = self.capabilities.literal_at_once(literal.len());
            let text = format!("{text}{{{}{}}}", literal.len(), if at_once { "+" } else { "" });
            match &tag {
                None => tag = Some(self.session.run_command(&text).await.map_err(imap)?),
                Some(_) => self.session.run_command_untagged(&text).await.map_err(imap)?,
            }
            let tag = tag.as_ref().expect("set above");
            if !at_once && let Some(status) = self.read(name, &tag.0, true, &mut answer).await? {
                return Ok((answer, status));
            }
            self.session.get_mut().write_all(&literal).await.map_err(io)?;
        }
        let tag = match tag {
            None => self.session.run_command(&command.rest).await.map_err(imap)?,
            Some(tag) => {
                self.session.run_command_untagged(&command.rest).await.map_err(imap)?;
                tag
            }
        };
        let status = self.read(name, &tag.0, false, &mut answer).await?;
        answer.aside = self.session.get_mut().take_aside();
        Ok((answer, status.expect("only a continuation is no status")))
    }

    /// Reads to the end of the command, or to the request for its literal, which is `None`.
    async fn read(
        &mut self,
        name: &'static str,
        tag: &str,
        literal: bool,
        answer: &mut Answer,
    ) -> Result<Option<Status>, Error> {
        let mut bytes = 0;
        loop {
            match self.next(name).await? {
                Next::Continue if literal => return Ok(None),
                Next::Continue => bytes += Reply::Other.size(),
                Next::Done(theirs, status, code) if theirs == tag => {
                    answer.code = code;
                    return Ok(Some(status));
                }
                Next::Done(..) => return Err(Error::lost(name, "it answered what was not asked")),
                Next::Bye => return Err(self.sent_away(name)),
                Next::Reply(reply) => {
                    bytes += reply.size();
                    answer.replies.push(reply);
                }
            }
            if bytes > ANSWER_MAX {
                return Err(Error::lost(name, "its answer is longer than any should be"));
            }
        }
    }

    async fn next(&mut self, name: &'static str) -> Result<Next, Error> {
        let read = self.session.read_response().await;
        let response = read.map_err(|error| Error::lost(name, error.kind().to_string()))?;
        let response = response.ok_or_else(|| Error::lost(name, "the server closed the connection"))?;
        Ok(match response.parsed() {
            Response::Continue(_) => Next::Continue,
            Response::Done { tag, status, outcome } => {
                let status = match status {
                    Status::Ok => Status::Ok,
                    Status::No => Status::No,
                    _ => Status::Bad,
                };
                Next::Done(tag.0.clone(), status, Code::of(outcome.code.as_ref()))
            }
            Response::Data { status: Status::Bye, .. } => Next::Bye,
            other => Next::Reply(Reply::of(other)),
        })
    }

    fn sent_away(&self, name: &'static str) -> Error {
        let said = clean(&self.session.get_ref().said().1);
        Error::lost(name, format!("the server says \"{said}\""))
    }

    /// Opens a folder, unless it is open; `expected` is the UIDVALIDITY that the caller has seen.
    pub(crate) async fn select(
        &mut self,
        folder: &str,
        wire: &str,
        access: Access,
        expected: Option<u32>,
        news: News,
    ) -> Result<Mailbox, Error> {
        let now = Instant::now();
        let open = self.selected.as_ref().filter(|open| {
            open.mailbox.folder == folder
                && open.access == access
                && news == News::Unneeded
                && now.duration_since(open.since) < SELECTED_FOR
        });
        let mailbox = match open {
            Some(open) => open.mailbox.clone(),
            None => self.open_folder(folder, wire, access).await?,
        };
        match expected {
            Some(expected) if expected != mailbox.uid_validity => {
                Err(Error::Stale { folder: folder.to_owned(), expected, found: mailbox.uid_validity })
            }
            _ => Ok(mailbox),
        }
    }

    async fn open_folder(&mut self, folder: &str, wire: &str, access: Access) -> Result<Mailbox, Error> {
        self.selected = None;
        let name = match access {
            Access::Examine | Access::Watch => "EXAMINE",
            Access::Select => "SELECT",
        };
        let mut command = Command::new(name).wire_name(wire);
        if access == Access::Watch && self.capabilities.has("CONDSTORE") {
            command = command.words("(CONDSTORE)");
        }
        let answer = self.run(command).await.map_err(|error| match error {
            // Not every server says with a code that there is none.
            Error::Refused { understood: true, said, .. } => {
                Error::NoSuchFolder { folder: folder.to_owned(), said }
            }
            error => error.about(folder),
        })?;
        let mut mailbox =
            Mailbox { folder: folder.to_owned(), uid_validity: 0, exists: 0, uid_next: None, latest: None };
        for reply in &answer.replies {
            match reply {
                Reply::Exists(count) => mailbox.exists = *count,
                Reply::Code(Code::UidValidity(validity)) => mailbox.uid_validity = *validity,
                Reply::Code(Code::UidNext(next)) => mailbox.uid_next = Some(*next),
                Reply::Code(Code::ModSeq(latest)) => mailbox.latest = Some(*latest),
                _ => {}
            }
        }
        self.selected = Some(Selected { mailbox: mailbox.clone(), access, since: Instant::now() });
        Ok(mailbox)
    }

    /// Begins to wait for news of the folder that is open.
    pub(crate) async fn idle(&mut self) -> Result<(), Error> {
        self.fit = false;
        let limit = self.limit;
        let begun = async {
            let tag = self.session.run_command("IDLE").await;
            let tag = tag.map_err(|error| Error::lost("IDLE", login::kind(&error)))?;
            let mut answer = Answer::new();
            match self.read("IDLE", &tag.0, true, &mut answer).await? {
                None => Ok(()),
                Some(_) => Err(Error::Unsupported { what: "IDLE, which it lists and refuses" }),
            }
        };
        let begun = timeout(limit, begun).await;
        begun.map_err(|_| Error::lost("IDLE", "the server did not answer"))?
    }

    /// The next news.
    pub(crate) async fn news(&mut self) -> Result<Reply, Error> {
        loop {
            // What cannot be read is no news, and would pile up.
            self.session.get_mut().take_aside();
            match self.next("IDLE").await? {
                Next::Reply(reply) => return Ok(reply),
                Next::Continue => {}
                Next::Bye => return Err(self.sent_away("IDLE")),
                Next::Done(..) => return Err(Error::lost("IDLE", "the server ended it")),
            }
        }
    }

    /// Ends the waiting.
    pub(crate) async fn end_idle(&mut self) -> Result<Vec<Reply>, Error> {
        let limit = self.limit;
        let ended = async {
            let done = self.session.run_command_untagged("DONE").await;
            done.map_err(|error| Error::lost("IDLE", login::kind(&error)))?;
            let mut late = Vec::new();
            loop {
                match self.next("IDLE").await? {
                    Next::Reply(reply) if late.len() < LATE_MAX => late.push(reply),
                    Next::Reply(_) | Next::Continue => {}
                    Next::Bye => return Err(self.sent_away("IDLE")),
                    Next::Done(..) => return Ok(late),
                }
            }
        };
        let ended = timeout(limit, ended).await;
        let late = ended.map_err(|_| Error::lost("IDLE", "the server did not answer"))??;
        self.fit = true;
        Ok(late)
    }
}
