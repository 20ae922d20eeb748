//! Clients that break the rules: bytes on a socket, with nothing in between that would keep them right.

use harness::{Daemon, PATIENCE};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// The head of a request that opens a WebSocket.
pub(crate) fn upgrade(daemon: &Daemon) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {}\r\n\r\n",
        daemon.address,
        daemon.token(),
    )
}

/// A WebSocket behind its handshake, on which nothing more was sent or read.
pub(crate) async fn ws(daemon: &Daemon) -> TcpStream {
    let mut stream = TcpStream::connect(&daemon.address).await.expect("the TCP door is open");
    stream.write_all(upgrade(daemon).as_bytes()).await.expect("it takes a request");
    let mut head = Vec::new();
    let upgraded = async {
        while !head.ends_with(b"\r\n\r\n") {
            // Byte by byte: nothing behind the head is taken.
            head.push(stream.read_u8().await.expect("a response"));
        }
    };
    tokio::time::timeout(PATIENCE, upgraded).await.expect("it answers");
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// A UNIX socket of the daemon.
pub(crate) async fn unix(daemon: &Daemon, name: &str) -> UnixStream {
    let path = daemon.dir().join("run").join(format!("{name}.sock"));
    UnixStream::connect(path).await.expect("the UNIX door is open")
}

/// A WebSocket frame with a whole text message, masked with zeroes as a client's must be masked.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let length = text.len();
    let mut frame = vec![0x81];
    match u8::try_from(length) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// A request.
pub(crate) fn request(id: u64, method: &str, params: &Value) -> String {
    serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}
