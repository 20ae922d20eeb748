//! Bytes to and from a server: TCP, TLS on it, and compression in that.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use cluster_config::mail::MailAccount;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::deflate::Deflate;
use crate::error::{Error, clean};
use crate::tls;

/// How long one address is tried while there are others: a machine without a way into IPv6 finds no answer there.
const ADDRESS: Duration = Duration::from_secs(5);
/// How many addresses are tried.
const ADDRESSES_MAX: usize = 8;

/// A server of an account: where it is, and how it proves that it is that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// PEM certificates that are trusted beside the machine's.
    pub ca_file: Option<PathBuf>,
    /// The SHA-256 of the one certificate (DER) that is trusted.
    pub pinned: Option<[u8; 32]>,
}

/// A connection to a server, encrypted or not, compressed or not.
pub struct Transport {
    wire: Wire,
    deflate: Option<Box<Deflate>>,
}

enum Wire {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Server {
    /// The account's IMAP server.
    pub(crate) fn of(account: &MailAccount) -> Self {
        let (host, ca_file) = (account.host.clone(), account.ca_file.clone());
        Self { host, port: account.port, ca_file, pinned: account.pinned() }
    }

    /// What TLS with it begins with. Reads files, on a thread that may.
    ///
    /// # Errors
    /// [`Error::Settings`] where the certificates cannot be read.
    pub async fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        // Certificates are files, and there may be hundreds.
        let server = self.clone();
        let made = tokio::task::spawn_blocking(move || tls::config(&server)).await;
        let made = made.map_err(|_| Error::Settings { why: "its certificates cannot be read".to_owned() })?;
        made.map(Arc::new)
    }

    /// That it cannot be reached, and why.
    pub fn unreachable(&self, why: &str) -> Error {
        Error::Unreachable { server: self.to_string(), why: clean(why), retry_after: Duration::ZERO }
    }

    /// A handshake that failed: for want of trust, or of a server that speaks TLS.
    fn untrusted(&self, error: &io::Error) -> Error {
        let why = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(why)) => match self.pinned {
                Some(_) => "it is not the one whose SHA-256 the account has".to_owned(),
                None => why.to_string(),
            },
            Some(other) => return self.unreachable(&format!("no TLS with it: {other}")),
            None => return self.unreachable(&format!("no TLS with it: {error}")),
        };
        Error::Untrusted { server: self.to_string(), why: clean(&why) }
    }
}

/// Host and port, as messages name the server.
impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Transport {
    /// A connection in clear.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub async fn open(server: &Server) -> Result<Self, Error> {
        let failed = |error: io::Error| server.unreachable(&error.to_string());
        let found = lookup_host((server.host.as_str(), server.port)).await.map_err(failed)?;
        let mut last = server.unreachable("its name has no address");
        for address in found.take(ADDRESSES_MAX) {
            match timeout(ADDRESS, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Self::opened(stream).map_err(failed),
                Ok(Err(error)) => last = failed(error),
                Err(_) => last = server.unreachable("nobody answers at its address"),
            }
        }
        Err(last)
    }

    fn opened(stream: TcpStream) -> io::Result<Self> {
        // Commands are short and answers are waited for.
        stream.set_nodelay(true)?;
        Ok(Self { wire: Wire::Clear(stream), deflate: None })
    }

    /// The same connection, encrypted, with a server that proved who it is.
    ///
    /// # Errors
    /// [`Error::Untrusted`] where it could not, [`Error::Unreachable`] where it speaks no TLS.
    pub async fn encrypt(self, server: &Server, config: Arc<ClientConfig>) -> Result<Self, Error> {
        let Wire::Clear(stream) = self.wire else { return Ok(self) };
        let name = ServerName::try_from(server.host.clone()).map_err(|_| Error::Settings {
            why: format!("host '{}' is no name that TLS knows", server.host),
        })?;
        let connected = TlsConnector::from(config).connect(name, stream).await;
        let connected = connected.map_err(|error| server.untrusted(&error))?;
        Ok(Self { wire: Wire::Tls(Box::new(connected)), deflate: None })
    }
    /// From here on everything is compressed, either way; `ahead` is the beginning of what the server says then.
    pub(crate) fn compress(&mut self, ahead: &Bytes) {
        self.deflate = Some(Box::new(Deflate::new(ahead)));
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { wire, deflate } = self.get_mut();
        match deflate {
            Some(deflate) => deflate.poll_read(wire, context, out),
            None => Pin::new(wire).poll_read(context, out),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { wire, deflate } = self.get_mut();
        match deflate {
            Some(deflate) => deflate.poll_write(wire, context, bytes),
            None => Pin::new(wire).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { wire, deflate } = self.get_mut();
        match deflate {
            Some(deflate) => deflate.poll_flush(wire, context),
            None => Pin::new(wire).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(context))?;
        Pin::new(&mut self.get_mut().wire).poll_shutdown(context)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Clear(stream) => Pin::new(stream).poll_read(context, out),
            Wire::Tls(stream) => Pin::new(stream).poll_read(context, out),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Wire::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Clear(stream) => Pin::new(stream).poll_flush(context),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
