//! One connection to the server, from its greeting to its good-bye.

use std::time::Duration;

use cluster_config::Secret;
use cluster_config::mail::MailAccount;
use imap::{Error, Outcome, Server, Transport};
use mail_send::{Credentials, SmtpClient};
use smtp_proto::{
    AUTH_XOAUTH2, EXT_8BIT_MIME, EXT_AUTH, EXT_SIZE, EXT_SMTP_UTF8, EXT_START_TLS, EhloResponse,
};
use tokio::time::timeout;

use crate::envelope::Envelope;
use crate::reply::Reply;

/// Who we say that we are. Our name is nobody's business, and the address is what clients behind a router say anyway
/// (RFC 5321, section 4.1.3).
const NAME: &str = "[127.0.0.1]";
/// A server that is left is not waited for.
const LEAVING: Duration = Duration::from_secs(1);

/// How long the server is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// At each command.
    pub command: Duration,
    /// After the message's end. RFC 5321, section 4.5.3.2.6, asks for ten minutes: who gives up earlier, while the server
    /// still works, sends twice.
    pub end: Duration,
}

/// What the server thinks of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes the message for this one.
    Taken,
    /// It does not.
    Refused(Reply),
}

/// What became of the message, for all whom the server took it for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The server is responsible for it from now on.
    Taken(Reply),
    /// The server does not have it.
    Refused(Reply),
    /// It did not begin: the connection was lost before the first byte of it.
    NotBegun(Error),
    /// Nobody knows: its end was sent, or may have been, and no answer came.
    Unknown(Error),
}

/// A connection that is logged in.
pub struct Session {
    client: SmtpClient<Transport>,
    offers: EhloResponse<String>,
    limits: Limits,
}

/// The account's SMTP server; `None` where it has none.
pub fn server(account: &MailAccount) -> Option<Server> {
    (!account.smtp_host.is_empty()).then(|| Server {
        host: account.smtp_host.clone(),
        port: account.smtp_port,
        ca_file: account.ca_file.clone(),
        pinned: account.smtp_pinned(),
    })
}

impl Session {
    /// Connects and logs in: with `token` where there is one, else with the account's password.
    ///
    /// # Errors
    /// [`Error::Settings`] without an SMTP server, [`Error::Unreachable`], [`Error::Untrusted`],
    /// [`Error::Authentication`], [`Error::Timeout`].
    pub async fn open(account: &MailAccount, token: Option<&Secret>, limits: Limits) -> Result<Self, Error> {
        let server = server(account).ok_or_else(|| Error::Settings {
            why: "it has no smtp_host, so it can send nothing".to_owned(),
        })?;
        let opened = timeout(limits.command, Transport::open(&server)).await;
        let mut transport = opened.map_err(|_| late("the connection", limits.command))??;
        if account.smtp_use_ssl {
            transport = encrypted(transport, &server, limits).await?;
        }
        let mut client = SmtpClient { stream: transport, timeout: limits.command };
        let greeting = timeout(limits.command, client.read()).await;
        let greeting = greeting.map_err(|_| late("the connection", limits.command))?;
        let greeting = Reply::of(&greeting.map_err(|error| server.unreachable(&kind(&error)))?);
        if !greeting.is_yes() {
            return Err(server.unreachable(&format!("it says {} {}", greeting.code, greeting.said)));
        }
        let mut offers = hello(&mut client, &server).await?;
        if account.smtp_use_tls && !account.smtp_use_ssl {
            if !offers.has_capability(EXT_START_TLS) {
                let why = "it has no STARTTLS; set smtp_use_ssl, if it speaks TLS from the first byte";
                return Err(server.unreachable(why));
            }
            let started =
                client.cmd("STARTTLS\r\n").await.map_err(|error| server.unreachable(&kind(&error)))?;
            if !Reply::of(&started).is_yes() {
                return Err(server.unreachable("it would not begin TLS"));
            }
            // Whatever was said in clear is forgotten, and the server is asked again.
            let transport = encrypted(client.stream, &server, limits).await?;
            client = SmtpClient { stream: transport, timeout: limits.command };
            offers = hello(&mut client, &server).await?;
        }
        // A relay that asks nobody who they are is told nothing.
        if offers.has_capability(EXT_AUTH) {
            log_in(&mut client, &offers, account, token, &server).await?;
        }
        Ok(Self { client, offers, limits })
    }

    /// Asks for each recipient whether the server would take a message of `length` bytes; nothing of it is sent.
    ///
    /// # Errors
    /// [`Error::Refused`] where it takes none from this sender, [`Error::OverQuota`] where it is too long,
    /// [`Error::Lost`] and [`Error::Timeout`]. Nothing was sent then.
    pub async fn offer(&mut self, envelope: &Envelope, length: usize) -> Result<Vec<Verdict>, Error> {
        let size_max = self.offers.size;
        if size_max > 0 && length > size_max {
            return Err(Error::OverQuota { said: format!("at most {size_max} bytes, not {length}") });
        }
        let international = self.offers.has_capability(EXT_SMTP_UTF8);
        let size =
            if self.offers.has_capability(EXT_SIZE) { format!(" SIZE={length}") } else { String::new() };
        let eight = if self.offers.has_capability(EXT_8BIT_MIME) { " BODY=8BITMIME" } else { "" };
        let beyond_ascii = international && !envelope.to().iter().all(|to| to.is_ascii());
        let utf8 = if beyond_ascii { " SMTPUTF8" } else { "" };
        let from = format!("MAIL FROM:<{}>{size}{eight}{utf8}", envelope.from());
        let answer = self.ask("MAIL", &from).await?;
        if !answer.is_yes() {
            return Err(match answer.code {
                452 | 552 => Error::OverQuota { said: answer.said },
                _ => Error::Refused { command: "MAIL", understood: true, said: answer.said },
            });
        }
        let mut verdicts = Vec::with_capacity(envelope.to().len());
        for to in envelope.to() {
            if !international && !to.is_ascii() {
                let said = "the server takes ASCII addresses only (it has no SMTPUTF8)".to_owned();
                verdicts.push(Verdict::Refused(Reply { code: 553, said }));
                continue;
            }
            let answer = self.ask("RCPT", &format!("RCPT TO:<{to}>")).await?;
            // It says good-bye: what would come next is lost with the connection.
            if answer.code == 421 {
                return Err(Error::lost("RCPT", answer.said));
            }
            verdicts.push(if answer.is_yes() { Verdict::Taken } else { Verdict::Refused(answer) });
        }
        Ok(verdicts)
    }

    /// Sends the message (lines ending in CRLF) to whom the server took. Once begun it may arrive, whatever is answered.
    pub async fn deliver(&mut self, message: &[u8]) -> Delivery {
        match self.ask("DATA", "DATA").await {
            Ok(answer) if answer.code == 354 => {}
            Ok(answer) => return Delivery::Refused(answer),
            Err(error) => return Delivery::NotBegun(error),
        }
        let client = &mut self.client;
        let sending = async {
            client.write_message(message).await.map_err(mail_send::Error::Io)?;
            client.read().await
        };
        match timeout(self.limits.end, sending).await {
            Ok(Ok(answer)) => {
                let answer = Reply::of(&answer);
                if answer.is_yes() { Delivery::Taken(answer) } else { Delivery::Refused(answer) }
            }
            Ok(Err(error)) => Delivery::Unknown(Error::lost("the message", kind(&error)).in_doubt()),
            Err(_) => Delivery::Unknown(late("the message", self.limits.end).in_doubt()),
        }
    }

    /// Says good-bye.
    pub async fn quit(mut self) {
        let _ = timeout(LEAVING, self.client.cmd("QUIT\r\n")).await;
    }

    async fn ask(&mut self, name: &'static str, command: &str) -> Result<Reply, Error> {
        match self.client.cmd(format!("{command}\r\n")).await {
            Ok(answer) => Ok(Reply::of(&answer)),
            Err(mail_send::Error::Timeout) => Err(late(name, self.limits.command)),
            Err(error) => Err(Error::lost(name, kind(&error))),
        }
    }
}

async fn encrypted(transport: Transport, server: &Server, limits: Limits) -> Result<Transport, Error> {
    let config = server.tls().await?;
    let encrypted = timeout(limits.command, transport.encrypt(server, config)).await;
    encrypted.map_err(|_| late("the connection", limits.command))?
}

async fn hello(client: &mut SmtpClient<Transport>, server: &Server) -> Result<EhloResponse<String>, Error> {
    client.ehlo(NAME).await.map_err(|error| server.unreachable(&kind(&error)))
}

async fn log_in(
    client: &mut SmtpClient<Transport>,
    offers: &EhloResponse<String>,
    account: &MailAccount,
    token: Option<&Secret>,
    server: &Server,
) -> Result<(), Error> {
    let user = account.smtp_user.as_str();
    let (secret, credentials) = match token {
        Some(token) if offers.auth_mechanisms & AUTH_XOAUTH2 != 0 => {
            (token.expose(), Credentials::new_xoauth2(user.to_owned(), token.expose().to_owned()))
        }
        Some(token) => {
            // RFC 7628, section 3.1.
            let name = user.replace('=', "=3D").replace(',', "=2C");
            let (host, port, token) = (&server.host, server.port, token.expose());
            let words = format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01");
            (token, Credentials::new_oauth(words))
        }
        None => {
            let password = account.smtp_secret().map_or("", Secret::expose);
            (password, Credentials::new(user.to_owned(), password.to_owned()))
        }
    };
    match client.authenticate(&credentials, offers).await {
        Ok(_) => Ok(()),
        Err(mail_send::Error::AuthenticationFailed(answer) | mail_send::Error::UnexpectedReply(answer)) => {
            let answer = Reply::of(&answer).without(secret);
            if answer.is_temporary() {
                return Err(server.unreachable(&format!("it says {} {}", answer.code, answer.said)));
            }
            Err(Error::Authentication { said: answer.said })
        }
        Err(mail_send::Error::UnsupportedAuthMechanism) => Err(server
            .unreachable("it has no way to log in that is known here (PLAIN, LOGIN, XOAUTH2, OAUTHBEARER)")),
        Err(error) => Err(server.unreachable(&kind(&error))),
    }
}

fn late(command: &'static str, after: Duration) -> Error {
    Error::Timeout { command, after, outcome: Outcome::NothingDone }
}

/// What kind of failure it was; its text could have anything in it.
fn kind(error: &mail_send::Error) -> String {
    match error {
        mail_send::Error::Io(error) if error.get_ref().is_none() => error.to_string(),
        mail_send::Error::Io(error) => error.kind().to_string(),
        mail_send::Error::Timeout => "it does not answer".to_owned(),
        mail_send::Error::UnexpectedReply(answer) => {
            let answer = Reply::of(answer);
            format!("it says {} {}", answer.code, answer.said)
        }
        _ => "it closed the connection, or what it says is no SMTP".to_owned(),
    }
}
