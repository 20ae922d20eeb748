//! The words of the Model Context Protocol (modelcontextprotocol.io): revisions, request metadata, tools, URIs.
//!
//! Two eras are spoken side by side. *Legacy* revisions open with `initialize` and keep state; the *modern* one
//! (2026-07-28) is stateless, every request says in `_meta` which revision it is of and what its client can do.
//! What is here is pure: texts to values and back. Sessions and streams are the edges'.

mod inputs;
mod meta;
mod offer;
mod result;
mod terse;
mod tool;
mod uri;

pub use inputs::{Capabilities, Capability, InputRequest, Inputs};
pub use meta::{LogLevel, Meta};
pub use offer::{FixedResources, Prompt, PromptArgument, PromptInfo};
pub use result::{Rich, blob, embedded, image, text};
pub use tool::{HeaderParam, Tool, Toolbox, tool_name};
pub use uri::{file_uri, mail_folder_of_uri, mail_uri, path_of_uri, run_of_uri};

use serde::Serialize;

/// `_meta` keys of the protocol's own.
pub mod key {
    /// The revision of a modern request.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// What the client of a modern request can do.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// Who answers.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// The subscription that a notification belongs to.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// The tasks extension.
    pub const TASKS: &str = "io.modelcontextprotocol/tasks";
}

/// A revision of the protocol, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Revision {
    /// HTTP with SSE, stdio.
    #[serde(rename = "2024-11-05")]
    V2024_11_05,
    /// Streamable HTTP, annotations, batches.
    #[serde(rename = "2025-03-26")]
    V2025_03_26,
    /// Structured content, elicitation, no batches.
    #[serde(rename = "2025-06-18")]
    V2025_06_18,
    /// The last with `initialize`.
    #[serde(rename = "2025-11-25")]
    V2025_11_25,
    /// Stateless.
    #[serde(rename = "2026-07-28")]
    V2026_07_28,
}

impl Revision {
    /// All that are spoken, newest first, as `server/discover` lists them.
    pub const ALL: [Self; 5] =
        [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26, Self::V2024_11_05];

    /// What `initialize` settles on when the client asks for one that is not spoken.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;

    /// What a request over HTTP is taken to be of when it does not say.
    pub const ASSUMED: Self = Self::V2025_03_26;

    /// `2025-11-25`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of this name, if it is spoken.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == name)
    }

    /// Whether every request carries its own circumstances, without `initialize`.
    pub const fn is_modern(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }
}

/// Whether a method name is one of the Model Context Protocol's and none of the native dialect's, whose names have
/// dots and no slash.
pub fn is_mcp_method(method: &str) -> bool {
    method.contains('/') || matches!(method, "initialize" | "ping")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_told_by_their_names() {
        for revision in Revision::ALL {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
            assert_eq!(serde_json::to_value(revision).unwrap(), revision.as_str());
        }
        assert_eq!(Revision::parse("1999-01-01"), None);
        assert!(Revision::ALL.is_sorted_by(|one, other| one > other));
    }

    #[test]
    fn dialects_are_told_by_the_first_method() {
        for mcp in ["initialize", "ping", "tools/list", "server/discover", "notifications/initialized"] {
            assert!(is_mcp_method(mcp), "{mcp}");
        }
        for native in ["mcp.hello", "mcp.fs.list", "mcp.licence.check"] {
            assert!(!is_mcp_method(native), "{native}");
        }
    }
}
