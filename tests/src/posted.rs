//! A request over HTTP whose answer is read as far as one likes: whole, write by write, or event by event. Dropped, it
//! hangs up.

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, Method, Request, header};
use futures_util::StreamExt as _;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::PATIENCE;

/// An answer under way.
pub struct Posted {
    /// Such as 200.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    body: BodyDataStream,
    /// What has come of events that are not whole yet.
    buffer: Vec<u8>,
    /// Its drop closes the connection.
    _line: hyper::client::conn::http1::SendRequest<Body>,
}

/// `POST` of JSON on a connection of its own. `None`: the connection ended before an answer began.
pub async fn post(address: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Option<Posted> {
    request(Method::POST, address, path, headers, body.to_string()).await
}

/// `GET` on a connection of its own.
pub async fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> Option<Posted> {
    request(Method::GET, address, path, headers, String::new()).await
}

async fn request(
    method: Method,
    address: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Option<Posted> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut line, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::task::spawn(async move {
        let _ = connection.await;
    });
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, address);
    request = request.header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).expect("a request");
    let answer =
        timeout(PATIENCE, line.send_request(request)).await.expect("an answer begins in time").ok()?;
    let (head, body) = answer.into_parts();
    Some(Posted {
        status: head.status.as_u16(),
        headers: head.headers,
        body: Body::new(body).into_data_stream(),
        buffer: Vec::new(),
        _line: line,
    })
}

impl Posted {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The next write of the body: `None` at its end, an error where it was broken off.
    pub async fn write(&mut self) -> Option<Result<Bytes, axum::Error>> {
        timeout(PATIENCE, self.body.next()).await.expect("the body goes on in time")
    }

    /// The rest of the body, and whether it ended as it should.
    pub async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = std::mem::take(&mut self.buffer);
        loop {
            match self.write().await {
                Some(Ok(more)) => bytes.extend_from_slice(&more),
                Some(Err(_)) => return (bytes, false),
                None => return (bytes, true),
            }
        }
    }

    /// The rest of the body as JSON.
    pub async fn json(&mut self) -> Value {
        let (bytes, whole) = self.rest().await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(whole, "the body was broken off: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The data of the next event; `None` when the stream ended, well or badly. Comments are no events.
    pub async fn event(&mut self) -> Option<String> {
        loop {
            if let Some(event) = self.buffered() {
                if !event.is_empty() {
                    return Some(event);
                }
                continue;
            }
            match self.write().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                _ => return None,
            }
        }
    }

    /// The data of all events that are still to come.
    pub async fn events(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.event().await {
            events.push(event);
        }
        events
    }

    /// The data of an event that has come whole.
    fn buffered(&mut self) -> Option<String> {
        let text = &self.buffer;
        let ends =
            |end: &[u8]| text.windows(end.len()).position(|bytes| bytes == end).map(|at| (at, end.len()));
        let (at, length) = [ends(b"\n\n"), ends(b"\r\n\r\n")].into_iter().flatten().min()?;
        let event: Vec<u8> = self.buffer.drain(..at + length).collect();
        let event = String::from_utf8(event).expect("an event is UTF-8");
        let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
        Some(data.map(|data| data.strip_prefix(' ').unwrap_or(data)).collect::<Vec<_>>().join("\n"))
    }
}
