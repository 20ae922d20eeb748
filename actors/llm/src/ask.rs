//! One request to one upstream: what is sent, what is waited for, and how an answer is read within bounds.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use tokio::time::timeout;

use crate::failure::{Failure, Kind};
use crate::pieces::Pieces;
use crate::upstream::Upstream;
use crate::wire::{Outgoing, RefusalKind};

/// A whole answer may have so many bytes.
const ANSWER_MAX: usize = 32 * 1024 * 1024;

/// What is read of a refusal.
const REFUSAL_MAX: usize = 64 * 1024;

/// Sends a request and waits for the head of its answer.
pub(crate) async fn send(upstream: &Upstream, outgoing: &Outgoing) -> Result<Response, Failure> {
    let model = &upstream.model;
    let url = format!("{}{}", model.base_url.trim_end_matches('/'), outgoing.path);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in upstream.protocol.headers(upstream.key()) {
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| Failure::new(Kind::Connect, "its key has characters that no header may have"))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    let body = serde_json::to_vec(&outgoing.body).expect("values serialise to memory");
    let first = upstream.first_token();
    let client = upstream.connections.client().await?;
    let sent = client.post(&url).headers(headers).body(body).send();
    let response = match timeout(first, sent).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(broken_off(&error)),
        Err(_) => return Err(silent(first)),
    };
    if !response.status().is_success() {
        return Err(refusal(upstream, response).await);
    }
    // Nothing was asked to be compressed, so nobody here could read it.
    match encoding(&response) {
        None => Ok(response),
        Some(encoding) => Err(Failure::new(
            Kind::Broken,
            format!("its provider sent an answer encoded as '{encoding}', which it was not asked for"),
        )),
    }
}

/// How a body is encoded, if it is.
fn encoding(response: &Response) -> Option<String> {
    let encoding = String::from_utf8_lossy(response.headers().get(CONTENT_ENCODING)?.as_bytes());
    let shown = encoding.trim().chars().filter(char::is_ascii_graphic).take(16).collect::<String>();
    (!shown.is_empty() && !shown.eq_ignore_ascii_case("identity")).then_some(shown)
}

async fn refusal(upstream: &Upstream, response: Response) -> Failure {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| wait(value.to_str().ok()?));
    // What it says is worth something, and not the wait for it; nothing where it is not text.
    let body = match encoding(&response) {
        None => timeout(Duration::from_secs(5), read(response, REFUSAL_MAX)).await.ok().and_then(Result::ok),
        Some(_) => None,
    };
    let refusal = upstream.protocol.refusal(&body.unwrap_or_default());
    let said = match refusal.message.trim_end_matches('.') {
        "" => String::new(),
        said => format!(": {said}"),
    };
    // What it does not say, its status does.
    let kind = match (refusal.kind, status) {
        (RefusalKind::Other, 401 | 403) => RefusalKind::Authentication,
        (RefusalKind::Other, 404) => RefusalKind::NotFound,
        (RefusalKind::Other, 429) => RefusalKind::RateLimited,
        (RefusalKind::Other, 503 | 529) => RefusalKind::Overloaded,
        (kind, _) => kind,
    };
    let kind = Kind::Refused(status, kind);
    Failure { retry_after, ..Failure::new(kind, format!("its provider answered with status {status}{said}")) }
}

/// The whole of an answer.
pub(crate) async fn whole(upstream: &Upstream, response: Response) -> Result<Bytes, Failure> {
    let idle = upstream.idle();
    let mut bytes = response.bytes_stream();
    let mut all = BytesMut::new();
    loop {
        match timeout(idle, bytes.next()).await {
            Ok(Some(Ok(part))) if all.len() + part.len() > ANSWER_MAX => {
                return Err(Failure::new(
                    Kind::Broken,
                    format!("its answer is longer than {ANSWER_MAX} bytes"),
                ));
            }
            Ok(Some(Ok(part))) => all.extend_from_slice(&part),
            Ok(Some(Err(error))) => return Err(broken_off(&error)),
            Ok(None) => return Ok(all.freeze()),
            Err(_) => return Err(stalled(idle)),
        }
    }
}

/// The pieces of an answer that comes in a stream.
pub(crate) fn pieces(
    upstream: &Upstream,
    response: Response,
) -> Pieces<impl Stream<Item = Result<Bytes, Failure>> + Unpin + use<>> {
    let bytes = response.bytes_stream().map_err(|error| broken_off(&error)).boxed();
    Pieces::new(upstream.protocol.framing(), bytes)
}

async fn read(response: Response, max: usize) -> reqwest::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut bytes = response.bytes_stream();
    while let Some(part) = bytes.try_next().await? {
        let room = max - all.len();
        all.extend_from_slice(&part[..part.len().min(room)]);
        if all.len() == max {
            break;
        }
    }
    Ok(all)
}

pub(crate) fn stalled(after: Duration) -> Failure {
    Failure::new(
        Kind::Timeout,
        format!("its provider has sent nothing for {} s in the middle of its answer", seconds(after)),
    )
}

pub(crate) fn silent(after: Duration) -> Failure {
    Failure::new(Kind::Timeout, format!("its provider has not begun to answer within {} s", seconds(after)))
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64()).trim_end_matches(".0").to_owned()
}

/// Only what kind of error it was: its text has the URL, and what stands in that is nobody's business.
fn broken_off(error: &reqwest::Error) -> Failure {
    let why = root(error).map(ToString::to_string).unwrap_or_default();
    if error.is_connect() {
        Failure::new(Kind::Connect, format!("its provider cannot be reached: {why}"))
    } else if error.is_timeout() {
        Failure::new(Kind::Timeout, "its provider did not answer in time")
    } else {
        Failure::new(Kind::Closed, format!("its provider broke the connection off: {why}"))
    }
}

/// The innermost cause.
pub(crate) fn root(error: &reqwest::Error) -> Option<&(dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |cause| cause.source()).last()
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn wait(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let wait = SystemTime::from(date.timestamp()).duration_since(SystemTime::now());
    Some(wait.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_that_a_provider_asks_for() {
        assert_eq!(wait("2"), Some(Duration::from_secs(2)));
        assert_eq!(wait("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(wait("Tue, 01 Jan 2999 00:00:00 GMT").is_some_and(|wait| wait > Duration::from_hours(24)));
        assert_eq!((wait("soon"), wait("-1"), wait("")), (None, None, None));
    }
}
