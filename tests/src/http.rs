//! Plain HTTP at the TCP door, as little of it as shows what a caller is told before a WebSocket begins.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::PATIENCE;

/// What the server answered.
#[derive(Debug)]
pub struct Response {
    /// Such as 401.
    pub status: u16,
    /// Status line and headers, in lower case.
    pub head: String,
    /// The body; empty behind a 101.
    pub body: String,
}

/// What a browser sends to open a WebSocket, besides `Host`.
pub const UPGRADE: &[(&str, &str)] = &[
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// `GET path` with `headers`; `Host` is the address unless they name another.
pub async fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = format!("GET {path} HTTP/1.1\r\n");
    let named = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = (!named).then_some(("Host", address));
    for (name, value) in host.iter().chain(headers) {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.expect("the TCP door is open");
    stream.write_all(request.as_bytes()).await.expect("it takes a request");
    tokio::time::timeout(PATIENCE, read(&mut stream)).await.expect("it answers")
}

/// `GET /ws` with what a browser sends, and `headers`.
pub async fn knock(address: &str, headers: &[(&str, &str)]) -> Response {
    get(address, "/ws", &[UPGRADE, headers].concat()).await
}

async fn read(stream: &mut TcpStream) -> Response {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        assert_ne!(stream.read_buf(&mut bytes).await.expect("a response"), 0, "the connection ended");
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map(str::parse);
    let length: usize = length.map_or(0, |length| length.expect("a number"));
    while bytes.len() < end + length {
        assert_ne!(stream.read_buf(&mut bytes).await.expect("a body"), 0, "the connection ended");
    }
    let body = String::from_utf8_lossy(&bytes[end..end + length]).into_owned();
    Response { status, head, body }
}
