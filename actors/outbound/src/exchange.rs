//! One request on one connection, and its answer within bounds. The connection lives as long as this future.

use std::pin::pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper_util::rt::TokioIo;

use crate::connection::Connection;
use crate::error::{Error, Kind};
use crate::progress::{Phase, Progress};
use crate::request::Outgoing;
use crate::target::Target;

/// A server's headers are a page at most; browsers stop at 256 KiB.
const HEAD_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 128;

/// What a server sent.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether there was more.
    pub(crate) truncated: bool,
}

/// Sends `outgoing` and reads at most `body_max` bytes of the answer's body.
pub(crate) async fn exchange(
    connection: Connection,
    target: &Target,
    outgoing: &Outgoing,
    body_max: usize,
    progress: &Arc<Progress>,
) -> Result<Answer, Error> {
    progress.enter(Phase::Sending);
    let broken = |error: &hyper::Error| broken(error, target).sent(progress.sent());
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(connection))
        .await
        .map_err(|error| broken(&error))?;
    let request = head(target, outgoing)?;
    let work = async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        progress.is_sent();
        progress.enter(Phase::Answering);
        let (head, mut incoming) = response.into_parts();
        let mut body = BytesMut::new();
        let mut truncated = false;
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            let Ok(part) = frame.into_data() else { continue };
            let room = body_max - body.len();
            body.extend_from_slice(&part[..part.len().min(room)]);
            if part.len() > room {
                truncated = true;
                break;
            }
        }
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.freeze(), truncated })
    };
    let (mut work, mut connection) = (pin!(work), pin!(connection));
    tokio::select! {
        biased;
        answer = &mut work => answer,
        // The connection is over; what it had read before that is still to be taken, and so is why it ended.
        _ = &mut connection => work.await,
    }
}

fn head(target: &Target, outgoing: &Outgoing) -> Result<hyper::Request<Full<Bytes>>, Error> {
    let invalid =
        |_| Error::new(Kind::Invalid, "The URL cannot be sent as it is. Encode what is unusual in it.");
    let mut request = hyper::Request::new(Full::new(outgoing.body.clone()));
    *request.method_mut() = outgoing.method.clone();
    *request.uri_mut() =
        target.path().parse().map_err(|error: hyper::http::uri::InvalidUri| invalid(error.to_string()))?;
    *request.headers_mut() = outgoing.headers.clone();
    let host = HeaderValue::from_str(&target.authority()).map_err(|error| invalid(error.to_string()))?;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

fn broken(error: &hyper::Error, target: &Target) -> Error {
    let origin = target.origin();
    // hyper has no question for this one; a test holds its words.
    if error.is_parse() && error.to_string().contains("too large") {
        let why =
            format!("{origin} answers with more than {HEADERS_MAX} headers or {HEAD_MAX} bytes of them.");
        return Error::new(Kind::TooLarge, why);
    }
    if error.is_parse() {
        return Error::new(Kind::Broken, format!("What {origin} answers is no HTTP: {error}."));
    }
    let cause = std::iter::successors(std::error::Error::source(error), |cause| cause.source()).last();
    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    Error::new(Kind::Broken, format!("{origin} ended the connection early ({error}{cause})."))
}
