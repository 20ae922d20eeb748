//! A client as cheap as can be: it shares the machine with what it measures.
//!
//! Requests are framed and masked once and sent as they are over and over; of an answer only the frame's length
//! and the id are read. A WebSocket library spends more on a message than the server that is measured.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, ensure};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// What is read at once.
const READ: usize = 32 * 1024;

/// Any key does; the server takes it off again all the same.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x88];

/// How every answer begins, of the daemon as of the echo.
const ANSWER: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":";

/// Where a server is reached.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    /// HOST:PORT of a WebSocket at `/ws`, and the token that opens it.
    WebSocket(String, Option<String>),
    /// A UNIX socket; messages end with a NUL byte.
    Unix(PathBuf),
}

/// What a connection sends, ready for the wire.
pub(crate) struct Requests(Vec<Vec<u8>>);

/// One connection.
pub(crate) struct Connection {
    socket: Box<dyn Socket>,
    incoming: BytesMut,
    nul: bool,
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

// === impl Requests ===

impl Requests {
    /// The request `method` with `params`, once for every id from 0 on.
    pub(crate) fn new(door: &Door, method: &str, params: &str, ids: usize) -> Self {
        let request =
            |id| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}");
        let framed = |text: String| match door {
            Door::WebSocket(..) => masked(text.as_bytes()),
            Door::Unix(_) => [text.as_bytes(), b"\0"].concat(),
        };
        Self((0..ids).map(request).map(framed).collect())
    }

    /// The request under `id`.
    pub(crate) fn get(&self, id: usize) -> &[u8] {
        &self.0[id]
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A text frame as a client sends it.
fn masked(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("requests of the bench are short");
    let mut frame = vec![0x81];
    match u8::try_from(length) {
        Ok(short) if short < 126 => frame.push(0x80 | short),
        _ => {
            frame.push(0xfe);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

// === impl Connection ===

impl Connection {
    /// Connects, and is let in.
    pub(crate) async fn open(door: &Door) -> anyhow::Result<Self> {
        let (socket, nul): (Box<dyn Socket>, _) = match door {
            Door::WebSocket(address, _) => {
                let stream =
                    TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
                stream.set_nodelay(true)?;
                (Box::new(stream), false)
            }
            Door::Unix(path) => {
                let stream = UnixStream::connect(path).await;
                (Box::new(stream.with_context(|| format!("connect to {}", path.display()))?), true)
            }
        };
        let mut connection = Self { socket, incoming: BytesMut::new(), nul };
        if let Door::WebSocket(address, token) = door {
            connection.upgrade(address, token.as_deref()).await?;
        }
        Ok(connection)
    }

    async fn upgrade(&mut self, address: &str, token: Option<&str>) -> anyhow::Result<()> {
        let authorization =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{authorization}\r\n"
        );
        self.send(head.as_bytes()).await?;
        loop {
            self.fill().await?;
            if let Some(end) = self.incoming.windows(4).position(|four| four == b"\r\n\r\n") {
                let answer = self.incoming.split_to(end + 4);
                let answer = String::from_utf8_lossy(&answer);
                ensure!(answer.starts_with("HTTP/1.1 101"), "no WebSocket at {address}: {answer}");
                return Ok(());
            }
        }
    }

    /// Sends bytes that are framed already.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.socket.write_all(bytes).await.context("the server hung up")
    }

    /// Waits for bytes.
    pub(crate) async fn fill(&mut self) -> anyhow::Result<()> {
        self.incoming.reserve(READ);
        let read = self.socket.read_buf(&mut self.incoming).await?;
        ensure!(read > 0, "the server hung up: {}", String::from_utf8_lossy(&self.incoming));
        Ok(())
    }

    /// The id of the next answer, if it has arrived whole.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<usize>> {
        self.take(|id, _| id)
    }

    /// One call, and the JSON of its result.
    pub(crate) async fn call(&mut self, requests: &Requests) -> anyhow::Result<String> {
        self.send(requests.get(0)).await?;
        loop {
            if let Some(result) = self.take(|_, result| String::from_utf8_lossy(result).into_owned())? {
                return Ok(result);
            }
            self.fill().await?;
        }
    }

    /// Hands the next answer's id and result to `read`. Anything but a result is an error: a server that refuses
    /// quickly would look fast.
    fn take<T>(&mut self, read: impl FnOnce(usize, &[u8]) -> T) -> anyhow::Result<Option<T>> {
        while let Some(frame) = self.frame() {
            let payload = &self.incoming[frame.payload];
            let taken = match frame.holds {
                Holds::Message => answer(payload)
                    .map(|(id, result)| Some(read(id, result)))
                    .with_context(|| format!("not a result: {}", String::from_utf8_lossy(payload))),
                // Pings: no connection here is silent for long enough to be closed for not answering them.
                Holds::Control => {
                    self.incoming.advance(frame.length);
                    continue;
                }
                Holds::Farewell => Err(anyhow!("the server said goodbye")),
            };
            self.incoming.advance(frame.length);
            return taken;
        }
        Ok(None)
    }

    /// Gives its buffer back: thousands of connections that rest need none.
    pub(crate) fn rest(&mut self) {
        if self.incoming.is_empty() {
            self.incoming = BytesMut::new();
        }
    }

    /// The next whole frame, left where it is.
    fn frame(&self) -> Option<Frame> {
        let bytes = &self.incoming[..];
        if self.nul {
            let end = bytes.iter().position(|byte| *byte == 0)?;
            return Some(Frame { payload: 0..end, length: end + 1, holds: Holds::Message });
        }
        let (head, size) = match *bytes.get(1)? {
            127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
            126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
            short => (2, usize::from(short)),
        };
        let holds = match bytes[0] & 0x0f {
            0x8 => Holds::Farewell,
            0x9 | 0xa => Holds::Control,
            _ => Holds::Message,
        };
        let length = head + size;
        (bytes.len() >= length).then_some(Frame { payload: head..length, length, holds })
    }
}

struct Frame {
    payload: Range<usize>,
    length: usize,
    holds: Holds,
}

enum Holds {
    Message,
    Control,
    Farewell,
}

/// The id and the result of an answer.
fn answer(payload: &[u8]) -> Option<(usize, &[u8])> {
    let rest = payload.strip_prefix(ANSWER)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let id = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    Some((id, rest[digits..].strip_prefix(b",\"result\":")?.strip_suffix(b"}")?))
}
