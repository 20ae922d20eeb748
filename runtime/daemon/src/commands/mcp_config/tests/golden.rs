//! What each client gets to read, to the letter.

use std::fmt::Write as _;

use clap::ValueEnum as _;

use super::{Client, Door, http, label, merge, snippet, stdio};

/// All of them, through one door.
fn all(door: &Door) -> String {
    let mut text = String::new();
    for client in Client::value_variants() {
        let snippet = match snippet(*client, "files", door) {
            Ok(snippet) => merge::fresh(&snippet).unwrap(),
            Err(refused) => format!("refused: {refused}\n"),
        };
        write!(text, "{}\n{snippet}", label(*client)).unwrap();
    }
    text
}

#[test]
#[expect(clippy::too_many_lines, reason = "eight clients' files, word for word")]
fn started_by_the_client() {
    insta::assert_snapshot!(all(&stdio()), @r#"
    claude-desktop
    {
      "mcpServers": {
        "files": {
          "command": "/opt/llmbasedos",
          "args": [
            "stdio",
            "--config-dir",
            "/etc/llmbasedos"
          ]
        }
      }
    }
    claude-code
    {
      "mcpServers": {
        "files": {
          "type": "stdio",
          "command": "/opt/llmbasedos",
          "args": [
            "stdio",
            "--config-dir",
            "/etc/llmbasedos"
          ]
        }
      }
    }
    vscode
    {
      "servers": {
        "files": {
          "type": "stdio",
          "command": "/opt/llmbasedos",
          "args": [
            "stdio",
            "--config-dir",
            "/etc/llmbasedos"
          ]
        }
      }
    }
    cursor
    {
      "mcpServers": {
        "files": {
          "type": "stdio",
          "command": "/opt/llmbasedos",
          "args": [
            "stdio",
            "--config-dir",
            "/etc/llmbasedos"
          ]
        }
      }
    }
    codex
    [mcp_servers.files]
    command = "/opt/llmbasedos"
    args = ["stdio", "--config-dir", "/etc/llmbasedos"]
    gemini
    {
      "mcpServers": {
        "files": {
          "command": "/opt/llmbasedos",
          "args": [
            "stdio",
            "--config-dir",
            "/etc/llmbasedos"
          ]
        }
      }
    }
    windsurf
    {
      "mcpServers": {
        "files": {
          "command": "/opt/llmbasedos",
          "args": [
            "stdio",
            "--config-dir",
            "/etc/llmbasedos"
          ]
        }
      }
    }
    inspector
    {
      "mcpServers": {
        "files": {
          "type": "stdio",
          "command": "/opt/llmbasedos",
          "args": [
            "stdio",
            "--config-dir",
            "/etc/llmbasedos"
          ]
        }
      }
    }
    "#);
}

#[test]
fn called_over_http() {
    insta::assert_snapshot!(all(&http()), @r#"
    claude-desktop
    refused: Claude Desktop's file takes only commands that it starts: leave out --http
    claude-code
    {
      "mcpServers": {
        "files": {
          "type": "http",
          "url": "http://127.0.0.1:8000/mcp",
          "headers": {
            "Authorization": "Bearer ${LLMBDO_TOKEN}"
          }
        }
      }
    }
    vscode
    {
      "servers": {
        "files": {
          "type": "http",
          "url": "http://127.0.0.1:8000/mcp",
          "headers": {
            "Authorization": "Bearer ${input:files-token}"
          }
        }
      },
      "inputs": [
        {
          "type": "promptString",
          "id": "files-token",
          "description": "Token of files",
          "password": true
        }
      ]
    }
    cursor
    {
      "mcpServers": {
        "files": {
          "url": "http://127.0.0.1:8000/mcp",
          "headers": {
            "Authorization": "Bearer ${env:LLMBDO_TOKEN}"
          }
        }
      }
    }
    codex
    [mcp_servers.files]
    url = "http://127.0.0.1:8000/mcp"
    bearer_token_env_var = "LLMBDO_TOKEN"
    gemini
    {
      "mcpServers": {
        "files": {
          "httpUrl": "http://127.0.0.1:8000/mcp",
          "headers": {
            "Authorization": "Bearer $LLMBDO_TOKEN"
          }
        }
      }
    }
    windsurf
    {
      "mcpServers": {
        "files": {
          "serverUrl": "http://127.0.0.1:8000/mcp",
          "headers": {
            "Authorization": "Bearer ${env:LLMBDO_TOKEN}"
          }
        }
      }
    }
    inspector
    {
      "mcpServers": {
        "files": {
          "type": "streamable-http",
          "url": "http://127.0.0.1:8000/mcp"
        }
      }
    }
    "#);
}
