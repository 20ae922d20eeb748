//! What every host may take for granted of every tool, and what each answers.

use std::collections::BTreeSet;

use harness::{Daemon, Dovecot, Rclone, Served, Server, Setup, run};
use serde_json::{Value, json};

use crate::fixtures;
use crate::http::{Host, tool};

async fn listed(host: &Host) -> Vec<Value> {
    let mut tools = Vec::new();
    let mut cursor = json!("");
    loop {
        let page = host.ok("tools/list", json!({ "cursor": cursor })).await;
        tools.extend(page["tools"].as_array().expect("a list").iter().cloned());
        match page.get("nextCursor") {
            Some(next) => cursor = next.clone(),
            None => return tools,
        }
    }
}

#[test]
fn tools_are_such_as_every_host_takes() {
    run(async {
        for daemon in [Daemon::start().await, fixtures("").await] {
            let host = Host::owner(&daemon);
            let tools = listed(&host).await;
            assert_eq!(
                tools,
                listed(&host.but("User-Agent", "another")).await,
                "the same, in the same order"
            );
            let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().expect("a name")).collect();
            assert_eq!(
                names.iter().collect::<BTreeSet<_>>().len(),
                names.len(),
                "names are of one tool each"
            );
            for tool in &tools {
                let name = tool["name"].as_str().expect("a name");
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                assert!(name.bytes().all(plain), "{name}");
                // The suite's own names are longer than ours may be.
                assert!(name.len() <= 40 || name.starts_with("test_"), "{name}: {}", name.len());
                let about = tool["description"].as_str().expect("a description");
                assert!(!about.is_empty() && about.len() <= 2048, "{name}: {}", about.len());
                assert!(!about.contains("mcp.fs."), "{name} calls tools by their native names: {about}");
                assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
                for schema in ["inputSchema", "outputSchema"] {
                    if let Some(schema) = tool.get(schema) {
                        jsonschema::draft202012::new(schema)
                            .unwrap_or_else(|error| panic!("{name}: {error}"));
                        assert!(!schema.to_string().contains("\"$ref\":\"http"), "{name}");
                    }
                }
                for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
                    assert!(tool["annotations"][hint].is_boolean(), "{name}: {hint}");
                }
            }
        }
    });
}

/// Arguments for tools that need some.
fn arguments(name: &str) -> Value {
    match name {
        "fs_list" | "fs_tree" => json!({ "path": "/" }),
        "fs_stat" | "fs_read" | "fs_hash" | "fs_similar" => json!({ "path": "/welcome.md" }),
        "fs_find" => json!({ "path": "/", "pattern": "*.md" }),
        "fs_search" => json!({ "query": "welcome" }),
        "fs_grep" => json!({ "path": "/", "pattern": "e" }),
        "fs_multi_read" => json!({ "paths": ["/welcome.md", "/none"] }),
        "prompts_get" => json!({ "name": "summarize-folder", "arguments": { "path": "/" } }),
        "llm_count_tokens" => json!({ "text": "hello world" }),
        "admin_actor" => json!({ "id": "fs" }),
        "mail_list_folders" | "mail_list_messages" | "mail_search" | "mail_list_events"
        | "mail_list_outbox" => {
            json!({ "account_id": "alice" })
        }
        "mail_get_message" | "mail_get_thread" | "mail_get_raw" => {
            json!({ "account_id": "alice", "folder": "INBOX", "uid": 1 })
        }
        "mail_get_attachment" => json!({ "account_id": "alice", "folder": "INBOX", "uid": 1, "part": "1" }),
        "mail_parse_icalendar" => {
            json!({ "ics": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nEND:VEVENT\nEND:VCALENDAR" })
        }
        "sync_plan" => json!({ "job": { "source": "/", "destination": "box:x" } }),
        "sync_check" => json!({ "source": "/", "destination": "box:x" }),
        "sync_list_remote" => json!({ "path": "box:x" }),
        "agent_validate" => json!({ "text": "steps: [{log: hi}]" }),
        _ => json!({}),
    }
}

#[test]
fn every_tool_that_only_looks_answers_what_its_schema_says() {
    run(async {
        let dovecot = Dovecot::start();
        dovecot.deliver("alice", "INBOX", "From: ada@example.org\nSubject: Lunch\n\nShall we meet?\n");
        let mail_accounts = Some(format!("accounts:\n{}", dovecot.account("alice")));
        let server = Server::start(Served::Webdav);
        let remotes = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(remotes.path(), server.remote("box")).expect("it is written");
        let environment = vec![
            ("LLMBDO_RCLONE_EXECUTABLE", Rclone::Current.program().display().to_string()),
            ("LLMBDO_RCLONE_CONFIG_PATH", remotes.path().display().to_string()),
        ];
        let daemon = Setup { mail_accounts, environment, ..Setup::default() }.start().await;
        let host = Host::owner(&daemon);
        host.ok("tools/call", tool("fs_embed", json!({ "path": "/" }))).await;
        let job = json!({ "job": { "source": "/", "destination": "box:x" }, "wait": true });
        let job = host.ok("tools/call", tool("sync_run_job", job)).await;
        let job = job["structuredContent"]["job_id"].clone();
        std::fs::write(daemon.dir().join("workflows/hi.yaml"), "steps: [{log: hi}]").expect("a workflow");
        harness::until("the workflow is a tool", async || {
            listed(&host).await.iter().any(|tool| tool["name"] == "agent_workflow_hi")
        })
        .await;
        let ran = host.ok("tools/call", tool("agent_run_workflow", json!({ "workflow_id": "hi" }))).await;
        let ran = ran["structuredContent"]["execution_id"].clone();
        let mut called = 0;
        for known in listed(&host).await {
            if known["annotations"]["readOnlyHint"] != true {
                continue;
            }
            let name = known["name"].as_str().expect("a name");
            let arguments = match name {
                "sync_get_job_status" => json!({ "job_id": job }),
                "agent_get_run" | "agent_get_workflow_status" | "agent_follow_run" => {
                    json!({ "execution_id": ran })
                }
                _ => arguments(name),
            };
            let result = host.ok("tools/call", tool(name, arguments)).await;
            assert_ne!(result["isError"], true, "{name}: {result}");
            assert!(result["content"].is_array(), "{name}: {result}");
            let Some(schema) = known.get("outputSchema") else {
                assert!(result.get("structuredContent").is_none(), "{name}: {result}");
                continue;
            };
            let schema = jsonschema::draft202012::new(schema).expect("a schema");
            let wrong: Vec<_> =
                schema.iter_errors(&result["structuredContent"]).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:?}: {result}");
            let text = result["content"][0]["text"].as_str().expect("a text too");
            let said: Value =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}: {result}"));
            assert_eq!(said, result["structuredContent"], "{name}");
            called += 1;
        }
        assert!(called >= 15, "{called}");
    });
}
