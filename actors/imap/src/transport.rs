//! Bytes to and from the server: TCP, and TLS on it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use cluster_config::mail::MailAccount;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Error;

/// How long one address is tried while there are others: a machine without a way into IPv6 finds no answer there.
const ADDRESS: Duration = Duration::from_secs(5);
/// How many addresses are tried.
const ADDRESSES_MAX: usize = 8;

/// A connection, encrypted or not.
pub(crate) enum Transport {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Transport {
    /// A connection in clear.
    pub(crate) async fn open(account: &MailAccount) -> Result<Self, Error> {
        let failed = |error: io::Error| unreachable(account, &error.to_string());
        let found = lookup_host((account.host.as_str(), account.port)).await.map_err(failed)?;
        let mut last = unreachable(account, "its name has no address");
        for address in found.take(ADDRESSES_MAX) {
            match timeout(ADDRESS, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Self::opened(stream).map_err(failed),
                Ok(Err(error)) => last = failed(error),
                Err(_) => last = unreachable(account, "nobody answers at its address"),
            }
        }
        Err(last)
    }

    fn opened(stream: TcpStream) -> io::Result<Self> {
        // Commands are short and answers are waited for.
        stream.set_nodelay(true)?;
        Ok(Self::Clear(stream))
    }

    /// The same connection, encrypted, with a server that proved who it is.
    pub(crate) async fn encrypt(
        self,
        account: &MailAccount,
        config: Arc<ClientConfig>,
    ) -> Result<Self, Error> {
        let Self::Clear(stream) = self else { return Ok(self) };
        let name = ServerName::try_from(account.host.clone()).map_err(|_| Error::Settings {
            why: format!("host '{}' is no name that TLS knows", account.host),
        })?;
        let connected = TlsConnector::from(config).connect(name, stream).await;
        Ok(Self::Tls(Box::new(connected.map_err(|error| untrusted(account, &error))?)))
    }
}

/// Host and port, as messages name the server.
pub(crate) fn server(account: &MailAccount) -> String {
    format!("{}:{}", account.host, account.port)
}

pub(crate) fn unreachable(account: &MailAccount, why: &str) -> Error {
    Error::Unreachable { server: server(account), why: crate::error::clean(why), retry_after: Duration::ZERO }
}

/// A handshake that failed: for want of trust, or of a server that speaks TLS.
fn untrusted(account: &MailAccount, error: &io::Error) -> Error {
    let why = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => match account.pinned() {
            Some(_) => "it is not the one that certificate_sha256 names".to_owned(),
            None => why.to_string(),
        },
        Some(other) => return unreachable(account, &format!("no TLS with it: {other}")),
        None => return unreachable(account, &format!("no TLS with it: {error}")),
    };
    Error::Untrusted { server: server(account), why: crate::error::clean(&why) }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, out),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, out),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
