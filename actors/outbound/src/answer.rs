//! What came back, in a shape that a journal keeps: JSON where it is JSON, text where it is text, else base64.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use crate::exchange::Answer;

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Its number.
    pub status: u16,
    /// By lower-case name, each with its values in order.
    pub headers: BTreeMap<String, Vec<String>>,
    /// What it says.
    pub body: Content,
    /// Whether there was more than the bound; the rest was not read.
    pub truncated: bool,
    /// From the beginning to the last byte read, with redirects.
    pub elapsed: Duration,
    /// Scheme, host and port of whoever answered.
    pub origin: String,
}

/// A body.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// It said that it was JSON, and it is.
    Json(Value),
    /// UTF-8.
    Text(String),
    /// Anything else.
    Base64(String),
}

impl Response {
    pub(crate) fn of(answer: &Answer, origin: String, elapsed: Duration) -> Self {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &answer.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.as_str().to_owned()).or_default().push(value);
        }
        let body = Content::of(answer);
        Self { status: answer.status, headers, body, truncated: answer.truncated, elapsed, origin }
    }

    /// All of it as one value, for expressions and journals.
    pub fn to_value(&self) -> Value {
        let (body, encoding) = match &self.body {
            Content::Json(value) => (value.clone(), "json"),
            Content::Text(text) => (Value::from(text.as_str()), "text"),
            Content::Base64(text) => (Value::from(text.as_str()), "base64"),
        };
        json!({
            "status": self.status,
            "headers": self.headers,
            "body": body,
            "encoding": encoding,
            "truncated": self.truncated,
            "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl Content {
    fn of(answer: &Answer) -> Self {
        let bytes = &answer.body;
        if is_packed(&answer.headers) {
            return Self::Base64(BASE64_STANDARD.encode(bytes));
        }
        // What was cut off may be JSON by accident: 12345 cut to 123.
        if !answer.truncated
            && is_json(&answer.headers)
            && let Ok(value) = serde_json::from_slice(bytes)
        {
            return Self::Json(value);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Self::Text(text.to_owned()),
            // The cut may be in the middle of a letter.
            Err(error) if answer.truncated && error.error_len().is_none() => {
                let whole = &bytes[..error.valid_up_to()];
                Self::Text(String::from_utf8_lossy(whole).into_owned())
            }
            _ => Self::Base64(BASE64_STANDARD.encode(bytes)),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || media == "text/json" || media.ends_with("+json")
}

fn is_packed(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING);
    values.iter().any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}
