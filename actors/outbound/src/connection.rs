//! A connection to an address that has been judged, and what its first written byte means for the request.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Host;

use crate::error::{Error, Kind};
use crate::lookup::Lookup;
use crate::policy::{Policy, Refusal};
use crate::progress::{Phase, Progress};
use crate::target::Target;

/// An address that does not answer so long is given up for the next one.
const CONNECT: Duration = Duration::from_secs(5);
/// More addresses of one name are not tried.
const TRIES_MAX: usize = 6;

/// Bytes in both directions, encrypted or not.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// Notes when the first byte of a request is written; those of the handshake are below it.
pub(crate) struct Connection {
    inner: Box<dyn Bytes>,
    progress: Arc<Progress>,
}

/// The addresses that a connection to `target` may go to.
pub(crate) async fn addresses(
    target: &Target,
    policy: &Policy,
    lookup: &dyn Lookup,
) -> Result<Vec<IpAddr>, Error> {
    let name = match &target.host {
        Host::Ipv4(address) => return Ok(vec![(*address).into()]),
        Host::Ipv6(address) => return Ok(vec![address.to_canonical()]),
        Host::Domain(name) => name,
    };
    let found = lookup.lookup(name).await.map_err(|error| {
        Error::new(Kind::Dns, format!("'{name}' has no address: {error}. Is it written correctly?"))
    })?;
    let mut refused: Option<Refusal> = None;
    let mut good = Vec::new();
    for address in found {
        match policy.admits_address(name, address, target.port) {
            Ok(()) => good.push(address.to_canonical()),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    match refused {
        // One that is refused spoils none of the others: they are connected to, and it is not.
        Some(why) if good.is_empty() => Err(why.into()),
        _ if good.is_empty() => Err(Error::new(Kind::Dns, format!("'{name}' has no address."))),
        _ => Ok(good),
    }
}

/// Connects to one of `addresses`, in their order, and begins TLS where the URL says so.
pub(crate) async fn open(
    target: &Target,
    addresses: &[IpAddr],
    tls: Option<Arc<ClientConfig>>,
    progress: &Arc<Progress>,
) -> Result<Connection, Error> {
    progress.enter(Phase::Connecting);
    let plain = connect(target, addresses).await?;
    let inner: Box<dyn Bytes> = match tls {
        None => Box::new(plain),
        Some(config) => {
            progress.enter(Phase::Encrypting);
            Box::new(encrypt(target, plain, config).await?)
        }
    };
    Ok(Connection { inner, progress: Arc::clone(progress) })
}

async fn connect(target: &Target, addresses: &[IpAddr]) -> Result<TcpStream, Error> {
    let mut why = String::new();
    for address in addresses.iter().take(TRIES_MAX) {
        let to = SocketAddr::new(*address, target.port);
        match timeout(CONNECT, TcpStream::connect(to)).await {
            Ok(Ok(stream)) => {
                // Only slower without.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => why = format!("{to}: {error}"),
            Err(_) => why = format!("{to}: no answer in {} s", CONNECT.as_secs()),
        }
    }
    Err(Error::new(Kind::Connect, format!("{} cannot be reached ({why}). Is it running?", target.origin())))
}

async fn encrypt(
    target: &Target,
    plain: TcpStream,
    config: Arc<ClientConfig>,
) -> Result<impl Bytes + use<>, Error> {
    let failed = |why: String| Error::new(Kind::Tls, format!("No TLS with {}: {why}.", target.origin()));
    let name = match &target.host {
        Host::Ipv4(address) => ServerName::IpAddress(IpAddr::from(*address).into()),
        Host::Ipv6(address) => ServerName::IpAddress(IpAddr::from(*address).into()),
        Host::Domain(name) => ServerName::try_from(name.clone())
            .map_err(|_| failed("no certificate can have its name".to_owned()))?,
    };
    let encrypted = TlsConnector::from(config).connect(name, plain).await;
    encrypted.map_err(|error| failed(error.to_string().trim_end_matches('.').to_owned()))
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Before and not after: what a failed write got rid of nobody knows.
        self.progress.may_be_sent();
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
