//! The one table of errors, and the value that carries one to a caller.
//!
//! What the caller may see (`code`, `message`, `data`) and what the operator must see (`detail`) are two things:
//! the detail goes to the log under the request id and never onto the wire.

use serde::Serialize;
use serde_json::{Value, json};

use crate::mcp::{Capability, InputRequest};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $label:literal;)+) => {
        /// Why a call failed. The numbers are JSON-RPC's own, the original's, or ours below -32060.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The number on the wire.
            pub const fn number(self) -> i32 {
                match self { $(Self::$name => $number,)+ }
            }

            /// The name in logs, metrics and `data.kind`.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// What the code says, one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The message was not JSON.
    Parse = -32700, "parse";
    /// The JSON was not a JSON-RPC 2.0 request.
    InvalidRequest = -32600, "invalid_request";
    /// No such method, or not for this caller.
    MethodNotFound = -32601, "method_not_found";
    /// The params do not fit the method's schema.
    InvalidParams = -32602, "invalid_params";
    /// Our fault: the log has the rest under the request id.
    Internal = -32603, "internal";
    /// The caller could not be identified.
    Authentication = -32000, "authentication";
    /// Too many calls; `data.retry_after_ms` says when the next one fits.
    RateLimited = -32001, "rate_limited";
    /// The caller's tier or token does not cover this.
    PermissionDenied = -32002, "permission_denied";
    /// The token budget for models is used up.
    LlmQuotaExceeded = -32003, "llm_quota_exceeded";
    /// The caller's tier does not include this model.
    LlmModelNotAllowed = -32004, "llm_model_not_allowed";
    /// The path, or what lies there, is not what the call needs; `data.kind` says which.
    FsPath = -32011, "fs_path";
    /// The root is read-only, or the operating system refused.
    FsPermission = -32012, "fs_permission";
    /// Nothing could be searched: nothing is indexed, or there is no model; `data.kind` says which.
    FsSearch = -32013, "fs_search";
    /// The file changed since the caller last saw it (`if_match` did not match).
    FsConflict = -32014, "fs_conflict";
    /// No room left on the device, or over a size limit.
    FsNoSpace = -32015, "fs_no_space";
    /// There is no such sync job or definition, or the plan is not one to run; `data.kind` says which.
    SyncJob = -32021, "sync_job";
    /// A side of a sync job, or an option of it, is not one that may be used; `data.kind` says why.
    SyncRefused = -32022, "sync_refused";
    /// rclone is missing, too old for this, or did not answer; `data.kind` says which.
    SyncRclone = -32023, "sync_rclone";
    /// rclone or the remote failed; `data.kind` says at what.
    SyncFailed = -32024, "sync_failed";
    /// There is no such mail account, or it cannot be used as it is configured; `data.kind` says which.
    MailAccount = -32030, "mail_account";
    /// The mail server refused the login.
    MailAuthentication = -32031, "mail_authentication";
    /// The mail server cannot be reached, failed or refused; `data.kind` says which.
    MailServer = -32032, "mail_server";
    /// There is no such folder or message, or its UID means another one by now; `data.kind` says which.
    MailMessage = -32033, "mail_message";
    /// This is no calendar.
    MailCalendar = -32034, "mail_calendar";
    /// The inputs do not fit the workflow, or the file is none.
    AgentInputs = -32041, "agent_inputs";
    /// There is no such workflow, or its file has mistakes; `data.kind` says which.
    AgentWorkflow = -32042, "agent_workflow";
    /// There is no such run, or it is not in a state for this; `data.kind` says which.
    AgentRun = -32043, "agent_run";
    /// The run did not come to a good end; `data` has why.
    AgentFailed = -32044, "agent_failed";
    /// What a step needs is not there; `data.kind` says what.
    AgentMissing = -32045, "agent_missing";
    /// The model's provider failed, refused or could not be reached; `data.kind` says which.
    LlmUpstream = -32050, "llm_upstream";
    /// No model of that name is configured, or it cannot be used as it is configured.
    LlmNoModel = -32051, "llm_no_model";
    /// The part that answers is starting again; nothing was done, a retry is safe.
    Unavailable = -32060, "unavailable";
    /// The part that answers died in the middle; `data.retry_safe` says whether a retry could do it twice.
    Interrupted = -32061, "interrupted";
    /// The deadline passed; the work was told to stop.
    DeadlineExceeded = -32062, "deadline_exceeded";
    /// The caller cancelled the call.
    Cancelled = -32063, "cancelled";
    /// Too many calls are under way on this connection or instance.
    Overloaded = -32064, "overloaded";
    /// The message or the result is over its size limit.
    TooLarge = -32065, "too_large";
    /// A third-party backend broke the protocol or failed.
    Backend = -32066, "backend";
    /// The method has a question for the person or the model behind the caller; `data.input_requests` has it.
    InputRequired = -32067, "input_required";
    /// The caller cannot do what the method needs of it; `data.required_capabilities` says what.
    MissingCapability = -32068, "missing_capability";
}

/// A failed call: what the caller is told, and what only the log is told.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Which row of the table.
    pub code: Code,
    /// What happened, to what, and what to do, for the person at the other end.
    pub message: String,
    /// Machine-readable particulars.
    pub data: Option<Box<Value>>,
    /// For the operator's log only.
    pub detail: Option<Box<str>>,
    /// The number of a third-party backend's own error, which goes on the wire instead of the table's.
    pub foreign: Option<i32>,
}

/// The wire form: `{"code", "message", "data"?}`.
#[derive(Serialize)]
struct Wire<'a> {
    code: i32,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire {
            code: self.foreign.unwrap_or(self.code.number()),
            message: &self.message,
            data: self.data.as_deref(),
        }
        .serialize(serializer)
    }
}

impl Error {
    /// An error of `code` that tells the caller `message`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None, detail: None, foreign: None }
    }

    /// A third-party backend's own answer, passed on as it is.
    pub fn foreign(number: i32, message: String, data: Option<Value>) -> Self {
        Self { data: data.map(Box::new), foreign: Some(number), ..Self::new(Code::Backend, message) }
    }

    /// Adds machine-readable particulars, merged into what is there.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.add_data(data);
        self
    }

    pub(crate) fn add_data(&mut self, data: Value) {
        match (self.data.as_deref_mut(), data) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
            (_, data) => self.data = Some(Box::new(data)),
        }
    }

    /// The error with the id under which the log has what only it has.
    #[must_use]
    pub fn findable(mut self, request_id: u64) -> Self {
        if self.detail.is_some() {
            self.add_data(json!({ "request_id": format!("{request_id:x}") }));
        }
        self
    }

    /// Adds what only the operator may see.
    #[must_use]
    pub fn with_detail(mut self, detail: impl std::fmt::Display) -> Self {
        self.detail = Some(detail.to_string().into());
        self
    }

    /// -32602: `message` names the parameter and what it must be.
    pub fn invalid_params(message: impl std::fmt::Display) -> Self {
        Self::new(Code::InvalidParams, format!("Invalid parameters: {message}"))
    }

    /// -32603: the caller learns only that it was our fault.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::new(Code::Internal, "Internal error. The server's log has the details under data.request_id.")
            .with_detail(detail)
    }

    /// -32601 for `method`. One text for "does not exist" and "not for you": no probing of the catalogue.
    pub fn method_not_found(method: &str) -> Self {
        let shown: String = method.chars().take(128).collect();
        Self::new(
            Code::MethodNotFound,
            format!("Method '{shown}' not found. mcp.hello lists the methods you may call."),
        )
    }

    /// -32060: `who` is between two lives; nothing was started.
    pub fn unavailable(who: &str) -> Self {
        Self::new(Code::Unavailable, format!("'{who}' is restarting; nothing was done. Try again."))
            .with_data(json!({ "retry_safe": true, "retry_after_ms": 50 }))
    }

    /// -32061: `who` died while working on the call.
    pub fn interrupted(who: &str, retry_safe: bool) -> Self {
        let advice = if retry_safe {
            "A retry is safe."
        } else {
            "It may or may not have taken effect: look before you retry."
        };
        Self::new(Code::Interrupted, format!("'{who}' stopped while working on this call. {advice}"))
            .with_data(json!({ "retry_safe": retry_safe }))
    }

    /// -32062 after `limit_ms`.
    pub fn deadline(limit_ms: u64) -> Self {
        Self::new(
            Code::DeadlineExceeded,
            format!("No answer within {limit_ms} ms; the work was told to stop."),
        )
        .with_data(json!({ "limit_ms": limit_ms }))
    }

    /// -32067: `requests` are questions by name; called again with the answers (and `state`), the method goes on.
    pub fn input_required(
        requests: impl IntoIterator<Item = (&'static str, InputRequest)>,
        state: Option<Value>,
    ) -> Self {
        let requests: std::collections::BTreeMap<_, _> = requests.into_iter().collect();
        Self::new(Code::InputRequired, "This needs an answer of the person or the model behind the caller.")
            .with_data(json!({ "input_requests": requests, "state": state.unwrap_or_default() }))
    }

    /// -32068: the caller did not declare `capability`.
    pub fn missing_capability(capability: Capability) -> Self {
        let required = capability.required();
        Self::new(Code::MissingCapability, format!("The client must be able to do this: {required}."))
            .with_data(json!({ "required_capabilities": required }))
    }

    /// -32063.
    pub fn cancelled() -> Self {
        Self::new(Code::Cancelled, "Cancelled.")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_and_labels_are_unique() {
        let numbers: HashSet<_> = Code::ALL.iter().map(|c| c.number()).collect();
        let labels: HashSet<_> = Code::ALL.iter().map(|c| c.label()).collect();
        assert_eq!((numbers.len(), labels.len()), (Code::ALL.len(), Code::ALL.len()));
    }

    #[test]
    fn detail_never_reaches_the_wire() {
        let wire = serde_json::to_string(&Error::internal("password=hunter2")).unwrap();
        assert!(!wire.contains("hunter2"), "{wire}");
    }
}
