//! Where each client keeps its settings, on Linux and macOS.

use std::path::PathBuf;

use cluster_config::Environment;

use super::Client;

/// The client's own file; `None` when nobody's home is known.
pub(super) fn file(client: Client, environment: &Environment) -> Option<PathBuf> {
    on(client, environment, cfg!(target_os = "macos"))
}

pub(super) fn on(client: Client, environment: &Environment, macos: bool) -> Option<PathBuf> {
    // Of this folder's project: the user-wide file is Claude Code's own state, which it rewrites while it runs.
    if client == Client::ClaudeCode {
        return Some(PathBuf::from(".mcp.json"));
    }
    let home = environment.get("HOME").map(PathBuf::from);
    let variable = |name: &str| environment.get(name).map(PathBuf::from);
    let applications = || {
        if macos {
            return Some(home.clone()?.join("Library/Application Support"));
        }
        variable("XDG_CONFIG_HOME").or_else(|| Some(home.clone()?.join(".config")))
    };
    let below_home = |path: &str| Some(home.clone()?.join(path));
    match client {
        Client::ClaudeCode => None,
        Client::ClaudeDesktop => Some(applications()?.join("Claude/claude_desktop_config.json")),
        Client::VsCode => Some(applications()?.join("Code/User/mcp.json")),
        Client::Cursor => below_home(".cursor/mcp.json"),
        Client::Codex => {
            let folder = variable("CODEX_HOME").or_else(|| below_home(".codex"))?;
            Some(folder.join("config.toml"))
        }
        Client::Gemini => below_home(".gemini/settings.json"),
        Client::Windsurf => below_home(".codeium/windsurf/mcp_config.json"),
        Client::Inspector => variable("MCP_CATALOG_PATH").or_else(|| below_home(".mcp-inspector/mcp.json")),
    }
}
