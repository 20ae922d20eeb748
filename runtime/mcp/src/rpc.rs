//! Errors as the Model Context Protocol has them, and how the native dialect's become such.
//!
//! The protocol knows few codes and reserves the rest, so a native number never goes on its wire. What a tool
//! failed at is no error there at all but a result that says so (`isError`), which its model gets to read.

use protocol::{Code, Conclusion, Error};
use serde_json::{Value, json};

use protocol::mcp::Revision;

/// A JSON-RPC error of the protocol's, and the HTTP status that goes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    /// One of JSON-RPC's, or of the protocol's own from -32020 down.
    pub code: i32,
    /// For the person at the other end.
    pub message: String,
    /// Machine-readable particulars.
    pub data: Option<Value>,
    /// Over HTTP.
    pub status: u16,
}

const INVALID_PARAMS: i32 = -32602;
const METHOD_NOT_FOUND: i32 = -32601;
const INTERNAL: i32 = -32603;
const HEADER_MISMATCH: i32 = -32020;
const MISSING_CAPABILITY: i32 = -32021;
const UNSUPPORTED_VERSION: i32 = -32022;
const LEGACY_NOT_FOUND: i32 = -32002;

impl RpcError {
    fn new(code: i32, status: u16, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None, status }
    }

    /// -32602: the params are not what the method takes.
    pub fn invalid_params(message: impl std::fmt::Display) -> Self {
        Self::new(INVALID_PARAMS, 200, format!("Invalid params: {message}"))
    }

    /// -32602 with status 400: the request does not say what every modern request must.
    pub fn bad_meta(message: impl std::fmt::Display) -> Self {
        Self { status: 400, ..Self::invalid_params(message) }
    }

    /// -32601: no such method in this revision.
    pub fn method_not_found(method: &str) -> Self {
        let shown: String = method.chars().take(128).collect();
        Self::new(METHOD_NOT_FOUND, 404, format!("Method '{shown}' not found."))
    }

    /// -32600: not a request that can be taken now.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(-32600, 400, message)
    }

    /// -32700: not JSON.
    pub fn parse(message: impl Into<String>) -> Self {
        Self::new(-32700, 400, message)
    }

    /// -32603: our fault, and only the log says which.
    pub fn internal() -> Self {
        Self::new(INTERNAL, 500, "Internal error; the server's log has the details.")
    }

    /// -32020: a header contradicts the body, or is missing.
    pub fn header_mismatch(message: impl Into<String>) -> Self {
        Self::new(HEADER_MISMATCH, 400, message)
    }

    /// -32022: a revision that is not spoken in this way.
    pub fn unsupported_version(requested: &str) -> Self {
        let requested: String = requested.chars().take(64).collect();
        Self {
            data: Some(json!({ "supported": Revision::ALL, "requested": requested })),
            ..Self::new(UNSUPPORTED_VERSION, 400, format!("Unsupported protocol version '{requested}'."))
        }
    }

    /// The resource of this URI does not exist, or not for this caller.
    pub fn resource_not_found(uri: &str, revision: Revision) -> Self {
        let uri: String = uri.chars().take(2048).collect();
        let code = if revision.is_modern() { INVALID_PARAMS } else { LEGACY_NOT_FOUND };
        Self {
            data: Some(json!({ "uri": uri })),
            ..Self::new(
                code,
                200,
                "Resource not found. resources/list and resources/templates/list say what there is.",
            )
        }
    }

    /// Of a failed native call that is no tool's: a list, a resource, a prompt.
    pub fn of(error: &Error) -> Self {
        let data = error.data.as_deref().cloned();
        let error_with =
            |code, status| Self { data: data.clone(), ..Self::new(code, status, error.message.clone()) };
        match error.code {
            Code::MissingCapability => {
                let required = data.as_ref().map(|data| data["required_capabilities"].clone());
                Self {
                    data: Some(json!({ "requiredCapabilities": required })),
                    ..Self::new(MISSING_CAPABILITY, 400, error.message.clone())
                }
            }
            Code::InvalidParams => error_with(INVALID_PARAMS, 200),
            Code::Authentication => error_with(-32600, 401),
            Code::PermissionDenied => error_with(-32600, 403),
            Code::RateLimited | Code::Overloaded => error_with(INTERNAL, 429),
            Code::Unavailable => error_with(INTERNAL, 503),
            _ => error_with(INTERNAL, 200),
        }
    }

    /// As an answer.
    pub fn conclusion(&self) -> Conclusion {
        Conclusion::Error { status: self.status, text: self.text() }
    }

    /// As JSON text.
    pub fn text(&self) -> String {
        let mut text = json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            text["data"] = data.clone();
        }
        text.to_string()
    }
}

/// Whether a failed tool call is an error of the protocol rather than something the tool's model should read and
/// act on.
pub(crate) fn is_protocol_error(error: &Error) -> bool {
    matches!(
        error.code,
        Code::Authentication | Code::MissingCapability | Code::Internal | Code::MethodNotFound
    )
}

#[cfg(test)]
mod tests {
    use protocol::mcp::Capability;

    use super::*;

    #[test]
    fn no_native_number_reaches_the_wire() {
        for code in Code::ALL {
            let number = RpcError::of(&Error::new(*code, "why")).code;
            assert!(
                matches!(number, -32700 | -32600..=-32600 | -32601 | -32602 | -32603 | -32021),
                "{code:?}: {number}"
            );
        }
    }

    #[test]
    fn a_missing_capability_names_it_as_a_client_would() {
        let error = RpcError::of(&Error::missing_capability(Capability::Sampling));
        assert_eq!((error.code, error.status), (-32021, 400));
        assert_eq!(error.data.unwrap(), json!({ "requiredCapabilities": { "sampling": {} } }));
    }

    #[test]
    fn what_is_not_there_has_another_number_in_each_era() {
        assert_eq!(RpcError::resource_not_found("a:b", Revision::V2026_07_28).code, -32602);
        let legacy = RpcError::resource_not_found("a:b", Revision::V2025_11_25);
        assert_eq!((legacy.code, legacy.data), (-32002, Some(json!({ "uri": "a:b" }))));
    }
}
