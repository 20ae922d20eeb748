//! Who makes a request and under which circumstances: the same value for a modern request, which says it all
//! itself, and for a legacy one, of which the connection remembers it.

use std::sync::Arc;

use protocol::Caller;
use protocol::mcp::{Capabilities, LogLevel, Meta, Revision, key};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::client::Client;
use crate::rpc::RpcError;

/// Room for what is put around a result: what the revision asks of every result, and the answer that it is in.
pub(crate) const ENVELOPE_BYTES: usize = 256;

/// The circumstances of one request.
#[derive(Clone)]
pub(crate) struct Asking {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// In which revision.
    pub revision: Revision,
    /// What the client can do when it is asked.
    pub capabilities: Capabilities,
    /// From which level on it wants log messages.
    pub log_level: Option<LogLevel>,
    /// Under which name it wants news.
    pub progress_token: Option<Value>,
    /// How large a tool's result may be, in bytes.
    pub result_max: Option<u64>,
    /// The legacy connection, which takes questions of ours.
    pub client: Option<Arc<Client>>,
}

/// What every request may carry beside its own params.
#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(rename = "_meta", default)]
    meta: Option<Meta>,
}

/// `_meta` of a request's params.
pub(crate) fn meta(params: Option<&RawValue>) -> Result<Meta, RpcError> {
    let Some(params) = params else { return Ok(Meta::default()) };
    if !params.get().starts_with('{') {
        return Err(RpcError::invalid_params("params must be an object"));
    }
    let envelope: Envelope = serde_json::from_str(params.get()).map_err(RpcError::bad_meta)?;
    Ok(envelope.meta.unwrap_or_default())
}

impl Asking {
    /// The circumstances that a modern request states.
    pub(crate) fn modern(caller: &Arc<Caller>, meta: Meta) -> Result<Self, RpcError> {
        let missing =
            |key: &str| RpcError::bad_meta(format!("_meta[\"{key}\"] is missing; every request needs it"));
        let version = meta.protocol_version.ok_or_else(|| missing(key::PROTOCOL_VERSION))?;
        let revision = Revision::parse(&version)
            .filter(|revision| revision.is_modern())
            .ok_or_else(|| RpcError::unsupported_version(&version))?;
        let capabilities = meta.capabilities.ok_or_else(|| missing(key::CLIENT_CAPABILITIES))?;
        let log_level = meta.log_level.map(|name| level(&name)).transpose()?;
        Ok(Self {
            caller: Arc::clone(caller),
            revision,
            capabilities,
            log_level,
            progress_token: meta.progress_token,
            result_max: meta.max_result_bytes,
            client: None,
        })
    }

    /// A result object of these members (without the braces), with what the revision asks of every result.
    pub(crate) fn complete(&self, members: &str) -> String {
        self.result("complete", members)
    }

    /// The beginning of a complete result, to be followed by so many bytes of members and [`Asking::end`]: a large one
    /// is written once, in its place.
    pub(crate) fn begin(&self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + ENVELOPE_BYTES);
        text.push('{');
        if self.revision.is_modern() {
            text.push_str("\"resultType\":\"complete\",");
        }
        text
    }

    /// The end of what [`Asking::begin`] has begun.
    pub(crate) fn end(&self, mut text: String) -> String {
        if self.revision.is_modern() {
            for part in [",\"_meta\":{\"", key::SERVER_INFO, "\":", server_info_text(), "}"] {
                text.push_str(part);
            }
        }
        text.push('}');
        text
    }

    /// The same with another `resultType`.
    pub(crate) fn result(&self, kind: &str, members: &str) -> String {
        if !self.revision.is_modern() {
            return format!("{{{members}}}");
        }
        let comma = if members.is_empty() { "" } else { "," };
        let info = server_info_text();
        format!("{{\"resultType\":\"{kind}\",{members}{comma}\"_meta\":{{\"{}\":{info}}}}}", key::SERVER_INFO)
    }

    /// [`Asking::complete`] for a result that may be kept so long, which only the modern era is told.
    pub(crate) fn cacheable(&self, members: &str, ttl_ms: u64) -> String {
        if !self.revision.is_modern() {
            return self.complete(members);
        }
        self.complete(&format!("{members},\"ttlMs\":{ttl_ms},\"cacheScope\":\"private\""))
    }
}

/// A log level by its name.
pub(crate) fn level(name: &str) -> Result<LogLevel, RpcError> {
    LogLevel::parse(name).ok_or_else(|| {
        RpcError::invalid_params(
            "the log level must be debug, info, notice, warning, error, critical, alert or emergency",
        )
    })
}

/// A folder in a shield.
const ICON: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAzMiAzMiI+\
    PHBhdGggZD0iTTE2IDJsMTIgNHYxMGMwIDctNSAxMi0xMiAxNEM5IDI4IDQgMjMgNCAxNlY2eiIgZmlsbD0iIzFmNGU3OSIvPjxwYXRoIGQ9Ik05IDEyaDVs\
    MiAyaDd2OEg5eiIgZmlsbD0iI2ZmZiIvPjwvc3ZnPg==";

/// Who answers, in full: where a conversation begins. What a revision does not know it passes over.
pub(crate) fn server_info() -> Value {
    json!({
        "name": NAME,
        "title": NAME,
        "version": env!("CARGO_PKG_VERSION"),
        "description": "A person's files, metered and supervised.",
        "icons": [{ "src": ICON, "mimeType": "image/svg+xml", "sizes": ["any"] }],
    })
}

const NAME: &str = "llmbasedos";

/// Who answers, in short: with every modern result.
fn server_info_text() -> &'static str {
    static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| server_info_short().to_string());
    &TEXT
}

/// The same as a value.
pub(crate) fn server_info_short() -> Value {
    json!({ "name": NAME, "version": env!("CARGO_PKG_VERSION") })
}
