//! A client's file gets our entry and keeps everything else.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use cluster_config::Environment;

use super::client::{Client, Door, Snippet, snippet};
use super::save::{Saved, update};
use super::{check_name, merge, place, url};

mod golden;

fn stdio() -> Door {
    Door::Stdio { program: "/opt/llmbasedos".into(), config_dir: "/etc/llmbasedos".into() }
}

fn http() -> Door {
    Door::Http { url: "http://127.0.0.1:8000/mcp".into() }
}

fn of(client: Client, door: &Door) -> Snippet {
    snippet(client, "files", door).unwrap()
}

fn label(client: Client) -> String {
    client.to_possible_value().unwrap().get_name().to_owned()
}

const COMMENTED: &str = r#"{
  // Mine.
  "servers": {
    "other": { "type": "http", "url": "https://other.example", }, // keep
    /* ours, from before */
    "files": {
      "type": "http",
      "url": "http://127.0.0.1:1/mcp",
      "dev": { "watch": true }
    }
  },
  "inputs": [],
}
"#;

#[test]
fn comments_and_others_stay() {
    let merged = merge::into(COMMENTED, &of(Client::VsCode, &stdio())).unwrap();
    insta::assert_snapshot!(merged, @r#"
    {
      // Mine.
      "servers": {
        "other": { "type": "http", "url": "https://other.example", }, // keep
        /* ours, from before */
        "files": {
          "type": "stdio",
          "dev": { "watch": true },
          "command": "/opt/llmbasedos",
          "args": ["stdio", "--config-dir", "/etc/llmbasedos"]
        }
      },
      "inputs": [],
    }
    "#);
    let merged = merge::into(COMMENTED, &of(Client::VsCode, &http())).unwrap();
    insta::assert_snapshot!(merged, @r#"
    {
      // Mine.
      "servers": {
        "other": { "type": "http", "url": "https://other.example", }, // keep
        /* ours, from before */
        "files": {
          "type": "http",
          "url": "http://127.0.0.1:8000/mcp",
          "dev": { "watch": true },
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
      ],
    }
    "#);
}

#[test]
fn toml_comments_and_others_stay() {
    let text = "# Mine.\nmodel = \"x\" # keep\n\n[mcp_servers.other]\nurl = \"https://other.example\"\n\n\
        # From before.\n[mcp_servers.files]\nurl = \"http://127.0.0.1:1/mcp\" # gone\nstartup_timeout_sec = 5\n\n[tui]\ntheme = \"dark\"\n";
    let merged = merge::into(text, &of(Client::Codex, &stdio())).unwrap();
    insta::assert_snapshot!(merged, @r#"
    # Mine.
    model = "x" # keep

    [mcp_servers.other]
    url = "https://other.example"

    # From before.
    [mcp_servers.files]
    startup_timeout_sec = 5
    command = "/opt/llmbasedos"
    args = ["stdio", "--config-dir", "/etc/llmbasedos"]

    [tui]
    theme = "dark"
    "#);
    let inline = "mcp_servers = { other = { command = \"x\" } }\n";
    let merged = merge::into(inline, &of(Client::Codex, &http())).unwrap();
    let expected = "mcp_servers = { other = { command = \"x\" } , files = { url = \"http://127.0.0.1:8000/mcp\", \
        bearer_token_env_var = \"LLMBDO_TOKEN\" } }\n";
    assert_eq!(merged, expected);
}

#[test]
fn what_a_person_added_to_our_entry_stays() {
    let text = r#"{ "mcpServers": { "files": { "command": "old", "env": { "RUST_LOG": "debug" }, "disabled": true } } }"#;
    let merged = merge::into(text, &of(Client::Cursor, &stdio())).unwrap();
    for kept in [r#""RUST_LOG": "debug""#, r#""disabled": true"#] {
        assert!(merged.contains(kept), "{merged}");
    }
    assert!(!merged.contains("old"), "{merged}");
}

#[test]
fn a_second_time_changes_nothing() {
    for client in Client::value_variants() {
        for door in [stdio(), http()] {
            let Ok(snippet) = snippet(*client, "files", &door) else { continue };
            let texts: &[&str] = if snippet.toml {
                &["", "a = 1\n", "[mcp_servers.files]\nurl = 'x'\n", "mcp_servers.files.command = 'x'\n"]
            } else {
                &["", "{}", "{\n}\n", COMMENTED, "// alone\n{ \"mcpServers\": { } }", "\u{feff}{}"]
            };
            for text in texts {
                let once = merge::into(text, &snippet).unwrap_or_else(|why| panic!("{text}: {why}"));
                assert_eq!(merge::into(&once, &snippet).unwrap(), once, "{} on {text:?}", label(*client));
                assert!(once.contains("files"), "{once}");
            }
        }
    }
}

#[test]
fn broken_files_are_refused() {
    let json = [
        "{",
        "[]",
        "\"text\"",
        "{ mcpServers: {} }",
        "{ \"mcpServers\": [] }",
        "{ \"mcpServers\": {} } x",
        "{ \"mcpServers\": { \"files\": 1 } }",
        "{ \"mcpServers\": {}, \"mcpServers\": {} }",
        "{ 'a': 1 }",
    ];
    for text in json {
        assert!(merge::into(text, &of(Client::Cursor, &stdio())).is_err(), "{text}");
    }
    for text in
        ["[", "a", "mcp_servers = 1\n", "[mcp_servers]\nfiles = 1\n", "[[mcp_servers]]\n", "a = 1\na = 2\n"]
    {
        assert!(merge::into(text, &of(Client::Codex, &stdio())).is_err(), "{text}");
    }
    let why = merge::into("{ \"mcpServers\": [] }", &of(Client::Cursor, &http())).unwrap_err();
    assert_eq!(why, "`mcpServers` is not an object");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_made_and_then_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/mcp.json");
    let change = |text: &str| merge::into(text, &of(Client::Cursor, &stdio()));
    assert_eq!(update(&file, change).unwrap(), Saved::Written { backup: None });
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(update(&file, change).unwrap(), Saved::Unchanged);
    assert_eq!(names(file.parent().unwrap()), ["mcp.json"]);
}

#[test]
fn what_it_was_is_kept_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("kept.json"), folder.path().join("link.json"));
    std::fs::write(&file, COMMENTED).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let saved = update(&link, |text| merge::into(text, &of(Client::VsCode, &stdio()))).unwrap();
    let Saved::Written { backup: Some(backup) } = saved else { panic!("{saved:?}") };
    assert!(backup.to_str().unwrap().contains("kept.json.bak-2"), "{}", backup.display());
    assert_eq!(std::fs::read_to_string(&backup).unwrap(), COMMENTED);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    for path in [&file, &backup] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o640);
    }
    assert!(std::fs::read_to_string(&file).unwrap().contains("/opt/llmbasedos"));
    assert_eq!(names(folder.path()).len(), 3);
}

#[test]
fn a_file_that_cannot_be_read_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mcp.json");
    for bytes in [&b"{ \"mcpServers\": "[..], b"{ \"a\": \"\xff\" }"] {
        std::fs::write(&file, bytes).unwrap();
        let error = update(&file, |text| merge::into(text, &of(Client::Cursor, &stdio()))).unwrap_err();
        assert!(error.to_string().contains("mcp.json"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
    }
    assert_eq!(names(folder.path()), ["mcp.json"]);
}

#[test]
fn each_client_has_its_place() {
    let ada = Environment::of([("HOME", "/home/ada")]);
    let places = |macos| {
        let line = |client: &Client| {
            format!("{:<15}{}\n", label(*client), place::on(*client, &ada, macos).unwrap().display())
        };
        Client::value_variants().iter().map(line).collect::<String>()
    };
    insta::assert_snapshot!(places(false), @r"
    claude-desktop /home/ada/.config/Claude/claude_desktop_config.json
    claude-code    .mcp.json
    vscode         /home/ada/.config/Code/User/mcp.json
    cursor         /home/ada/.cursor/mcp.json
    codex          /home/ada/.codex/config.toml
    gemini         /home/ada/.gemini/settings.json
    windsurf       /home/ada/.codeium/windsurf/mcp_config.json
    inspector      /home/ada/.mcp-inspector/mcp.json
    ");
    insta::assert_snapshot!(places(true), @r"
    claude-desktop /home/ada/Library/Application Support/Claude/claude_desktop_config.json
    claude-code    .mcp.json
    vscode         /home/ada/Library/Application Support/Code/User/mcp.json
    cursor         /home/ada/.cursor/mcp.json
    codex          /home/ada/.codex/config.toml
    gemini         /home/ada/.gemini/settings.json
    windsurf       /home/ada/.codeium/windsurf/mcp_config.json
    inspector      /home/ada/.mcp-inspector/mcp.json
    ");
    let moved =
        Environment::of([("XDG_CONFIG_HOME", "/x"), ("CODEX_HOME", "/c"), ("MCP_CATALOG_PATH", "/i.json")]);
    assert_eq!(place::on(Client::VsCode, &moved, false), Some(PathBuf::from("/x/Code/User/mcp.json")));
    assert_eq!(place::on(Client::Codex, &moved, false), Some(PathBuf::from("/c/config.toml")));
    assert_eq!(place::on(Client::Inspector, &moved, false), Some(PathBuf::from("/i.json")));
    assert_eq!(place::on(Client::Cursor, &moved, false), None);
}

#[test]
fn addresses_are_what_a_client_can_call() {
    let url = |listen: &str| url(&listen.parse().unwrap()).map_err(|refused| refused.to_string());
    assert_eq!(url("127.0.0.1:8000").unwrap(), "http://127.0.0.1:8000/mcp");
    assert_eq!(url("0.0.0.0:80").unwrap(), "http://127.0.0.1:80/mcp");
    assert_eq!(url("[::]:80").unwrap(), "http://[::1]:80/mcp");
    assert_eq!(url("[fe80::1]:80").unwrap(), "http://[fe80::1]:80/mcp");
    assert!(url("127.0.0.1:0").unwrap_err().contains("--listen"));
}

#[test]
fn names_are_what_every_client_takes() {
    assert!(["llmbasedos", "a-b_C9"].iter().all(|name| check_name(name).is_ok()));
    assert!(["", "a b", "a.b", "é", &"a".repeat(33)].iter().all(|name| check_name(name).is_err()));
}
