//! The clients, and what each of them wants to read: the same few facts under eight sets of names.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::commands::Usage;

/// An MCP client whose settings we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// Claude Desktop: `claude_desktop_config.json`.
    ClaudeDesktop,
    /// Claude Code: .mcp.json in this folder.
    ClaudeCode,
    /// Visual Studio Code: the user's mcp.json.
    #[value(name = "vscode")]
    VsCode,
    /// Cursor: ~/.cursor/mcp.json.
    Cursor,
    /// Codex: ~/.codex/config.toml.
    Codex,
    /// Gemini CLI: ~/.gemini/settings.json.
    Gemini,
    /// Windsurf: `~/.codeium/windsurf/mcp_config.json`.
    Windsurf,
    /// MCP Inspector: ~/.mcp-inspector/mcp.json.
    Inspector,
}

/// How the client gets in.
pub(super) enum Door {
    /// It starts `PROGRAM stdio --config-dir DIR`.
    Stdio { program: String, config_dir: String },
    /// It calls this address.
    Http { url: String },
}

/// What goes into a client's file.
#[derive(Clone, Debug)]
pub(super) struct Snippet {
    /// The key of all servers.
    pub(super) root: &'static str,
    /// The key of ours.
    pub(super) name: String,
    /// What stands below it, an object.
    pub(super) entry: Value,
    /// What VS Code is to ask the person for.
    pub(super) input: Option<Value>,
    /// Whether the file is TOML; else it is JSON with or without comments.
    pub(super) toml: bool,
    /// Where the token comes from.
    pub(super) token: TokenFrom,
}

/// Where the token comes from, which is never the client's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFrom {
    /// None is needed: the command that the client starts gets in as the user that it runs as.
    User,
    /// The variable `LLMBDO_TOKEN` of the client's own environment.
    Variable,
    /// The person, asked by the client.
    Prompt,
    /// The client has no way to refer to one.
    Nowhere,
}

const VARIABLE: &str = "LLMBDO_TOKEN";

/// What `client` wants to read to find us by `name`.
pub(super) fn snippet(client: Client, name: &str, door: &Door) -> Result<Snippet, Usage> {
    let (entry, token) = match door {
        Door::Stdio { program, config_dir } => {
            let mut entry = Map::new();
            if client.names_stdio() {
                entry.insert("type".into(), "stdio".into());
            }
            entry.insert("command".into(), program.as_str().into());
            entry.insert("args".into(), json!(["stdio", "--config-dir", config_dir]));
            (entry, TokenFrom::User)
        }
        Door::Http { url } => (client.http(name, url)?, client.token()),
    };
    let input = (token == TokenFrom::Prompt).then(|| {
        json!({
            "type": "promptString",
            "id": input_id(name),
            "description": format!("Token of {name}"),
            "password": true,
        })
    });
    let root = match client {
        Client::VsCode => "servers",
        Client::Codex => "mcp_servers",
        _ => "mcpServers",
    };
    let toml = client == Client::Codex;
    Ok(Snippet { root, name: name.to_owned(), entry: Value::Object(entry), input, toml, token })
}

fn input_id(name: &str) -> String {
    format!("{name}-token")
}

impl Client {
    /// Whether an entry must say that it is one that is started.
    fn names_stdio(self) -> bool {
        matches!(self, Self::ClaudeCode | Self::VsCode | Self::Cursor | Self::Inspector)
    }

    /// Where this client can take a token from.
    fn token(self) -> TokenFrom {
        match self {
            Self::VsCode => TokenFrom::Prompt,
            Self::ClaudeDesktop | Self::Inspector => TokenFrom::Nowhere,
            _ => TokenFrom::Variable,
        }
    }

    /// How a text in this client's file refers to the token.
    fn reference(self, name: &str) -> Option<String> {
        match self {
            Self::ClaudeCode => Some(format!("${{{VARIABLE}}}")),
            Self::VsCode => Some(format!("${{input:{}}}", input_id(name))),
            Self::Cursor | Self::Windsurf => Some(format!("${{env:{VARIABLE}}}")),
            Self::Gemini => Some(format!("${VARIABLE}")),
            Self::ClaudeDesktop | Self::Codex | Self::Inspector => None,
        }
    }

    fn http(self, name: &str, url: &str) -> Result<Map<String, Value>, Usage> {
        let (kind, key) = match self {
            Self::ClaudeDesktop => {
                return Err(Usage(
                    "Claude Desktop's file takes only commands that it starts: leave out --http".into(),
                ));
            }
            Self::ClaudeCode | Self::VsCode => (Some("http"), "url"),
            Self::Inspector => (Some("streamable-http"), "url"),
            Self::Cursor | Self::Codex => (None, "url"),
            Self::Gemini => (None, "httpUrl"),
            Self::Windsurf => (None, "serverUrl"),
        };
        let mut entry = Map::new();
        if let Some(kind) = kind {
            entry.insert("type".into(), kind.into());
        }
        entry.insert(key.into(), url.into());
        if self == Self::Codex {
            entry.insert("bearer_token_env_var".into(), VARIABLE.into());
        }
        if let Some(reference) = self.reference(name) {
            entry.insert("headers".into(), json!({ "Authorization": format!("Bearer {reference}") }));
        }
        Ok(entry)
    }
}
