//! From a connection to a session: greeting, TLS, and who is asking.

use std::sync::Arc;

use async_imap::{Authenticator, Client, Session};
use cluster_config::Secret;
use cluster_config::mail::{MailAccount, MailAuth, Security};
use imap_proto::{Response, Status};
use rustls::ClientConfig;

use crate::capabilities::Capabilities;
use crate::error::{Error, clean};
use crate::sieve::Sieve;
use crate::token::Tokens;
use crate::transport::{Server, Transport};

/// Opens a connection and logs in.
pub(crate) async fn log_in(
    account: &MailAccount,
    tls: Arc<ClientConfig>,
    tokens: &Tokens,
) -> Result<Session<Sieve>, Error> {
    let server = Server::of(account);
    let transport = Transport::open(&server).await?;
    let client = match account.security() {
        Security::Tls => greeted(account, transport.encrypt(&server, tls).await?).await?,
        Security::Clear => greeted(account, transport).await?,
        Security::StartTls => {
            let clear = started(account, greeted(account, transport).await?).await?;
            Client::new(Sieve::new(clear.encrypt(&server, tls).await?))
        }
    };
    match account.auth_type {
        MailAuth::Password => with_password(account, client).await,
        MailAuth::Oauth2 => with_token(account, client, tokens.access().await?).await,
    }
}

fn unreachable(account: &MailAccount, why: &str) -> Error {
    Server::of(account).unreachable(why)
}

/// A connection whose server said hello.
async fn greeted(account: &MailAccount, transport: Transport) -> Result<Client<Sieve>, Error> {
    let mut client = Client::new(Sieve::new(transport));
    let response = client.read_response().await.map_err(|error| unreachable(account, &error.to_string()))?;
    let Some(response) = response else {
        return Err(unreachable(account, "it closed the connection at once"));
    };
    match response.parsed() {
        Response::Data { status: Status::Ok, .. } => Ok(client),
        // Who is let in without a name is let into somebody's mail, and nobody knows whose.
        Response::Data { status: Status::PreAuth, .. } => {
            Err(unreachable(account, "it lets everybody in without a login, which is not used here"))
        }
        Response::Data { status: Status::Bye, .. } => {
            Err(unreachable(account, &format!("it says {}", client.get_ref().said().1)))
        }
        _ => Err(unreachable(account, "it does not greet as an IMAP server does")),
    }
}

/// A connection that is about to be encrypted.
async fn started(account: &MailAccount, mut client: Client<Sieve>) -> Result<Transport, Error> {
    let started = client.run_command_and_check_ok("STARTTLS", None).await;
    started.map_err(|error| match error {
        async_imap::error::Error::No(_) | async_imap::error::Error::Bad(_) => {
            unreachable(account, "it has no STARTTLS; set ssl, if it speaks TLS from the first byte")
        }
        error => unreachable(account, &kind(&error)),
    })?;
    let transport = client.into_inner().into_transport();
    transport.ok_or_else(|| unreachable(account, "something was said after STARTTLS and before TLS"))
}

async fn with_password(account: &MailAccount, mut client: Client<Sieve>) -> Result<Session<Sieve>, Error> {
    let asked = client.run_command_and_check_ok("CAPABILITY", None).await;
    asked.map_err(|error| unreachable(account, &kind(&error)))?;
    let capabilities = client.get_mut().take_capabilities();
    let capabilities = capabilities.map(|line| Capabilities::read(&line)).unwrap_or_default();
    let password = account.password.as_ref().map_or("", Secret::expose);
    if capabilities.has("AUTH=PLAIN") {
        let words = format!("\0{}\0{password}", account.user).into_bytes();
        return authenticate(account, client, "PLAIN", Sasl { words, at_error: b"" }, password).await;
    }
    if capabilities.has("LOGINDISABLED") {
        return Err(unreachable(account, "it takes no password here; turn ssl or starttls on"));
    }
    let logged_in = client.login(&account.user, password).await;
    logged_in.map_err(|(error, client)| refused(account, &error, &client, password))
}

async fn with_token(
    account: &MailAccount,
    mut client: Client<Sieve>,
    token: Secret,
) -> Result<Session<Sieve>, Error> {
    let asked = client.run_command_and_check_ok("CAPABILITY", None).await;
    asked.map_err(|error| unreachable(account, &kind(&error)))?;
    let capabilities = client.get_mut().take_capabilities();
    let capabilities = capabilities.map(|line| Capabilities::read(&line)).unwrap_or_default();
    let (token, user) = (token.expose(), &account.user);
    // RFC 7628; and what Google had before it, which more servers know.
    if capabilities.has("AUTH=OAUTHBEARER") && !capabilities.has("AUTH=XOAUTH2") {
        let name = user.replace('=', "=3D").replace(',', "=2C");
        let words = format!(
            "n,a={name},\x01host={}\x01port={}\x01auth=Bearer {token}\x01\x01",
            account.host, account.port
        );
        let sasl = Sasl { words: words.into_bytes(), at_error: b"\x01" };
        return authenticate(account, client, "OAUTHBEARER", sasl, token).await;
    }
    let words = format!("user={user}\x01auth=Bearer {token}\x01\x01").into_bytes();
    authenticate(account, client, "XOAUTH2", Sasl { words, at_error: b"" }, token).await
}

async fn authenticate(
    account: &MailAccount,
    client: Client<Sieve>,
    mechanism: &str,
    sasl: Sasl,
    secret: &str,
) -> Result<Session<Sieve>, Error> {
    let logged_in = client.authenticate(mechanism, sasl).await;
    logged_in.map_err(|(error, client)| refused(account, &error, &client, secret))
}

/// What a client says first, and what it says to an error that the server explains.
struct Sasl {
    words: Vec<u8>,
    at_error: &'static [u8],
}

impl Authenticator for Sasl {
    type Response = Vec<u8>;

    fn process(&mut self, _: &[u8]) -> Vec<u8> {
        std::mem::replace(&mut self.words, self.at_error.to_vec())
    }
}

/// A login that failed, in the server's words and without the secret, should it be among them.
fn refused(
    account: &MailAccount,
    error: &async_imap::error::Error,
    client: &Client<Sieve>,
    secret: &str,
) -> Error {
    let (code, text) = client.get_ref().said();
    let text = if secret.is_empty() { text } else { text.replace(secret, "***") };
    match error {
        async_imap::error::Error::No(_) => match code.as_deref() {
            Some("UNAVAILABLE" | "INUSE" | "LIMIT" | "SERVERBUG") => {
                unreachable(account, &format!("it says {text}"))
            }
            _ => Error::Authentication { said: clean(&text) },
        },
        async_imap::error::Error::Bad(_) => {
            Error::Refused { command: "the login", understood: false, said: clean(&text) }
        }
        async_imap::error::Error::Validate(_) => {
            Error::Settings { why: "the user or the password has a line break in it".to_owned() }
        }
        error => unreachable(account, &kind(error)),
    }
}

/// What kind of failure it was; its text could have anything in it.
pub(crate) fn kind(error: &async_imap::error::Error) -> String {
    match error {
        async_imap::error::Error::Io(error) if error.get_ref().is_none() => error.to_string(),
        async_imap::error::Error::Io(error) => error.kind().to_string(),
        async_imap::error::Error::ConnectionLost => "it closed the connection".to_owned(),
        _ => "what it says is no IMAP".to_owned(),
    }
}
