//! How a conversation begins: `initialize` (legacy) and `server/discover` (modern).

use std::sync::Arc;

use protocol::mcp::{Capabilities, LogLevel, Revision, key};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::asking::{Asking, server_info};
use crate::client::{Client, Session};
use crate::rpc::RpcError;

/// What a model should know before it calls anything; hosts put it into the context, so it is short.
const INSTRUCTIONS: &str = "A person's files, under virtual roots: paths begin with /. Look with fs_list, fs_find \
    and fs_grep before you read; results are bounded and say how to go on. Deleting moves to a trash and can be undone \
    with fs_restore. fs_edit with dry_run shows a diff first.";

/// How long what `server/discover` says stays good.
const DISCOVER_TTL_MS: u64 = 300_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialize {
    protocol_version: String,
    capabilities: Capabilities,
}

/// `initialize`: settles the revision, and remembers what the client can do.
pub(crate) fn initialize(client: &Arc<Client>, params: Option<&RawValue>) -> Result<String, RpcError> {
    let text = params.map_or("{}", RawValue::get);
    let Initialize { protocol_version, capabilities } =
        serde_json::from_str(text).map_err(RpcError::invalid_params)?;
    let asked = Revision::parse(&protocol_version).filter(|revision| !revision.is_modern());
    let revision = asked.unwrap_or(Revision::NEWEST_LEGACY);
    // Tasks of the modern extension are not for a legacy connection.
    let capabilities = Capabilities { tasks: false, ..capabilities };
    client.open(Session { revision, capabilities, log_level: LogLevel::Info });
    let result = json!({
        "protocolVersion": revision,
        "capabilities": offered(revision),
        "serverInfo": server_info(),
        "instructions": INSTRUCTIONS,
    });
    Ok(result.to_string())
}

/// `server/discover`.
pub(crate) fn discover(asking: &Asking) -> String {
    let result = json!({
        "resultType": "complete",
        "supportedVersions": Revision::ALL,
        "capabilities": offered(asking.revision),
        "instructions": INSTRUCTIONS,
        "ttlMs": DISCOVER_TTL_MS,
        "cacheScope": "public",
        "_meta": { key::SERVER_INFO: server_info() },
    });
    result.to_string()
}

/// What this server can do, as the revision says it.
fn offered(revision: Revision) -> Value {
    let mut offered = json!({
        "tools": { "listChanged": true },
        "resources": { "subscribe": true, "listChanged": revision.is_modern() },
        "prompts": { "listChanged": true },
        "logging": {},
    });
    if revision >= Revision::V2025_03_26 {
        offered["completions"] = json!({});
    }
    if revision.is_modern() {
        offered["extensions"] = json!({ key::TASKS: {} });
    }
    offered
}
