//! What is to be asked, checked before anything is looked up: method, headers, body and which answers are good.

use std::fmt::{self, Display, Formatter};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName,
    HeaderValue, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::target::Target;

/// A person reads at most a page of headers.
const HEADERS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 32 * 1024;
/// What is larger is a file, and files go by a sync job.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// CONNECT and TRACE are for proxies and their operators.
const METHODS: &[Method] =
    &[Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// What belongs to the connection and not to the request: whoever could set these could make two requests out of one.
const NOT_THEIRS: &[HeaderName] =
    &[HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, TE, TRAILER, UPGRADE, EXPECT, PROXY_AUTHORIZATION];
const NOT_THEIRS_EITHER: &[&str] = &["keep-alive", "proxy-connection", "http2-settings"];

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// One request, as somebody wrote it down. Its `Debug` is for logs: it has neither values nor the URL, which may be secrets.
#[derive(Clone)]
pub struct Request {
    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
    pub method: String,
    /// Where to, with http:// or https://.
    pub url: String,
    /// Names and values; a name may come twice.
    pub headers: Vec<(String, String)>,
    /// Added to what the URL has behind its question mark.
    pub query: Vec<(String, String)>,
    /// What is sent.
    pub body: Body,
    /// Which statuses are a success; none listed: 200 to 299.
    pub expect_status: Vec<Expect>,
    /// Sent as `Idempotency-Key`: a server that knows it does nothing twice.
    pub idempotency_key: Option<String>,
    /// Whether redirects are followed, at most five.
    pub follow: bool,
}

/// What is sent.
#[derive(Clone, Debug, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// `application/json`, unless a header says otherwise.
    Json(Value),
    /// `text/plain; charset=utf-8`, unless a header says otherwise.
    Text(String),
    /// `application/octet-stream`, unless a header says otherwise.
    Bytes(Vec<u8>),
}

/// Statuses from one to another, both among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expect {
    from: u16,
    to: u16,
}

/// A request that has been checked, apart from where it goes.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// One that only asks.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            url: url.into(),
            headers: Vec::new(),
            query: Vec::new(),
            body: Body::None,
            expect_status: Vec::new(),
            idempotency_key: None,
            follow: true,
        }
    }

    /// One that sends something.
    pub fn post(url: impl Into<String>, body: Body) -> Self {
        Self { method: "POST".to_owned(), body, ..Self::get(url) }
    }

    /// Whether an answer with this status is a success.
    pub(crate) fn expects(&self, status: u16) -> bool {
        let listed = |expect: &Expect| (expect.from..=expect.to).contains(&status);
        if self.expect_status.is_empty() {
            (200..300).contains(&status)
        } else {
            self.expect_status.iter().any(listed)
        }
    }

    /// Checks all of it.
    pub(crate) fn check(&self) -> Result<(Target, Outgoing), Error> {
        let mut target = Target::parse(&self.url, None)?;
        if !self.query.is_empty() {
            target.url.query_pairs_mut().extend_pairs(&self.query);
            target = Target::parse(target.url.as_str(), None)?;
        }
        let named = METHODS.iter().find(|method| method.as_str().eq_ignore_ascii_case(&self.method));
        let method = named.cloned().ok_or_else(|| {
            let names: Vec<_> = METHODS.iter().map(Method::as_str).collect();
            let shown: String = self.method.chars().take(16).collect();
            Error::new(
                Kind::Invalid,
                format!("There is no method '{shown}' here. There are {}.", names.join(", ")),
            )
        })?;
        let (body, content_type) = self.body.bytes();
        if body.len() > BODY_MAX {
            let why = format!("The body has {} bytes; at most {BODY_MAX} are sent.", body.len());
            return Err(Error::new(Kind::TooLarge, why));
        }
        let mut headers = self.headers()?;
        let defaults = [
            (CONTENT_TYPE, content_type),
            (ACCEPT, Some("*/*")),
            (USER_AGENT, Some(concat!("llmbasedos/", env!("CARGO_PKG_VERSION")))),
            // Nobody here unpacks anything: a small answer that unpacks to a large one would have no bound.
            (ACCEPT_ENCODING, Some("identity")),
        ];
        for (name, value) in defaults {
            if let Some(value) = value.filter(|_| !headers.contains_key(&name)) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        Ok((target, Outgoing { method, headers, body }))
    }

    fn headers(&self) -> Result<HeaderMap, Error> {
        let invalid = |why: String| Error::new(Kind::Invalid, why);
        let mut headers = HeaderMap::new();
        let bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if self.headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
            let why = format!("At most {HEADERS_MAX} headers of {HEADER_BYTES_MAX} bytes in all are sent.");
            return Err(Error::new(Kind::TooLarge, why));
        }
        let key = self.idempotency_key.iter().map(|key| (IDEMPOTENCY_KEY, key.as_str()));
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(key) {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
            let parsed = HeaderName::from_bytes(name.as_bytes());
            let parsed = parsed.map_err(|_| invalid(format!("'{shown}' is no name of a header.")))?;
            if NOT_THEIRS.contains(&parsed) || NOT_THEIRS_EITHER.contains(&parsed.as_str()) {
                return Err(invalid(format!(
                    "The header '{shown}' is the connection's own and cannot be set."
                )));
            }
            if parsed == IDEMPOTENCY_KEY && headers.contains_key(IDEMPOTENCY_KEY) {
                return Err(invalid(
                    "The header 'Idempotency-Key' is set besides the request's own key.".to_owned(),
                ));
            }
            let value = HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok());
            let value = value.ok_or_else(|| {
                invalid(format!("The header '{shown}' has a value with line breaks or letters beyond ASCII."))
            })?;
            headers.append(parsed, value);
        }
        Ok(headers)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let origin = Target::parse(&self.url, None).map(|target| target.origin()).unwrap_or_default();
        let mut shown = f.debug_struct("Request");
        shown
            .field("method", &self.method)
            .field("origin", &origin)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl Body {
    fn bytes(&self) -> (Bytes, Option<&'static str>) {
        match self {
            Self::None => (Bytes::new(), None),
            Self::Json(value) => (Bytes::from(value.to_string()), Some("application/json")),
            Self::Text(text) => (Bytes::from(text.clone()), Some("text/plain; charset=utf-8")),
            Self::Bytes(bytes) => (Bytes::from(bytes.clone()), Some("application/octet-stream")),
        }
    }
}

impl Expect {
    /// Every status.
    pub const ANY: Self = Self { from: 100, to: 599 };

    /// One status.
    pub fn one(status: u16) -> Self {
        Self { from: status, to: status }
    }

    /// Reads `200`, `2xx` or `200-204`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|status| (100..600).contains(status));
        if let Some(hundred) = text.strip_suffix("xx") {
            let from = number(&format!("{hundred}00"))?;
            return Some(Self { from, to: from + 99 });
        }
        match text.split_once('-') {
            Some((from, to)) => {
                Some(Self { from: number(from)?, to: number(to)? }).filter(|own| own.from <= own.to)
            }
            None => number(text).map(Self::one),
        }
    }
}

impl Display for Expect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.from == self.to { write!(f, "{}", self.from) } else { write!(f, "{}-{}", self.from, self.to) }
    }
}
