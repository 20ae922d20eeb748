//! A client of HTTP/1.1 as cheap as can be: requests are written once, of an answer only what ends it is read.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is read at once.
const READ: usize = 64 * 1024;

/// One kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    incoming: BytesMut,
    /// The body of the last answer.
    pub(crate) body: Vec<u8>,
}

/// What the head of an answer says.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// The session that `initialize` opened.
    pub(crate) session: Option<String>,
    length: usize,
    chunked: bool,
}

/// A request as it goes over the wire.
pub(crate) fn request(
    verb: &str,
    path: &str,
    address: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Vec<u8> {
    let mut text = format!("{verb} {path} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    let _ = write!(text, "content-length: {}\r\n\r\n{body}", body.len());
    text.into_bytes()
}

impl Connection {
    pub(crate) async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, incoming: BytesMut::new(), body: Vec::new() })
    }

    /// Sends a request and reads its answer to the end, events included.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Head> {
        self.stream.write_all(request).await.context("the server hung up")?;
        self.body.clear();
        let head = self.head().await?;
        if !head.chunked {
            self.take(head.length).await?;
            return Ok(head);
        }
        loop {
            let line = self.line().await?;
            let size = std::str::from_utf8(&line)?.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).with_context(|| format!("a chunk of '{size}'"))?;
            self.take(size).await?;
            // Trailers are sent by nobody here.
            ensure!(self.line().await?.is_empty(), "a chunk does not end where it says");
            if size == 0 {
                return Ok(head);
            }
        }
    }

    async fn head(&mut self) -> anyhow::Result<Head> {
        let first = self.line().await?;
        let status = std::str::from_utf8(&first)?.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut head = Head { status: status.context("no answer of HTTP")?, ..Head::default() };
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(head);
            }
            let Some((name, value)) = std::str::from_utf8(&line)?.split_once(':') else { continue };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length = value.parse()?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.chunked = value.eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("mcp-session-id") {
                head.session = Some(value.to_owned());
            }
        }
    }

    /// The next line, without its end.
    async fn line(&mut self) -> anyhow::Result<BytesMut> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.incoming[looked..].windows(2).position(|two| two == b"\r\n") {
                let line = self.incoming.split_to(looked + at);
                self.incoming.advance(2);
                return Ok(line);
            }
            looked = self.incoming.len().saturating_sub(1);
            self.fill().await?;
        }
    }

    /// Moves so many bytes into the body.
    async fn take(&mut self, size: usize) -> anyhow::Result<()> {
        while self.incoming.len() < size {
            self.fill().await?;
        }
        self.body.extend_from_slice(&self.incoming[..size]);
        self.incoming.advance(size);
        Ok(())
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        self.incoming.reserve(READ);
        let read = self.stream.read_buf(&mut self.incoming).await?;
        ensure!(read > 0, "the server hung up");
        Ok(())
    }
}
