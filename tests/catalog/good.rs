//! Every method is called once as it is meant to be, and what it answers is what its schema says.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Client, Dovecot, Rclone, Served, Server, Setup, Sink, Upstream, run};
use serde_json::{Value, json};

use crate::catalog;

/// A call of every method, in an order in which each finds what it needs. `$trash_id` is what delete returned, and so on.
fn calls() -> Vec<(&'static str, Value)> {
    vec![
        ("mcp.hello", json!({})),
        ("mcp.listCapabilities", json!({})),
        ("mcp.licence.check", json!({})),
        ("mcp.cancel", json!({ "id": "never sent" })),
        ("mcp.fs.write", json!({ "path": "/a.txt", "content": "alpha\nbeta\n" })),
        ("mcp.fs.append", json!({ "path": "/a.txt", "content": "gamma\n" })),
        ("mcp.fs.edit", json!({ "path": "/a.txt", "edits": [{ "old": "beta", "new": "delta" }] })),
        ("mcp.fs.mkdir", json!({ "path": "/inner/most", "parents": true })),
        ("mcp.fs.copy", json!({ "from": "/a.txt", "to": "/inner/b.txt" })),
        ("mcp.fs.move", json!({ "from": "/inner/b.txt", "to": "/inner/c.txt" })),
        ("mcp.fs.list", json!({ "path": "/" })),
        ("mcp.fs.list", json!({ "path": "/", "limit": 1, "sort": "size" })),
        ("mcp.fs.list", json!({ "path": "/", "details": false })),
        ("mcp.fs.stat", json!({ "path": "/a.txt", "etag": true })),
        ("mcp.fs.stat", json!({ "path": "/inner" })),
        ("mcp.fs.tree", json!({})),
        ("mcp.fs.tree", json!({ "path": "/", "format": "nested" })),
        ("mcp.fs.find", json!({ "path": "/", "pattern": "*.txt" })),
        ("mcp.fs.find", json!({ "path": "/", "pattern": "*", "limit": 1 })),
        ("mcp.fs.read", json!({ "path": "/a.txt" })),
        ("mcp.fs.read", json!({ "path": "/a.txt", "encoding": "base64", "limit": 4 })),
        ("mcp.fs.multi_read", json!({ "paths": ["/a.txt", "/missing", "/inner"] })),
        ("mcp.fs.grep", json!({ "path": "/", "pattern": "delta", "context": 1 })),
        ("mcp.fs.grep", json!({ "path": "/", "pattern": "a", "limit": 1 })),
        ("mcp.fs.hash", json!({ "path": "/a.txt" })),
        ("mcp.fs.watch", json!({ "paths": ["/a.txt", "/inner"], "seconds": 1 })),
        ("mcp.fs.embed", json!({ "path": "/", "recursive": true })),
        ("mcp.fs.search", json!({ "query": "delta", "mode": "keyword", "explain": true })),
        ("mcp.fs.search", json!({ "query": "delta", "glob": "*.txt", "scope": "/" })),
        ("mcp.fs.similar", json!({ "path": "/a.txt" })),
        ("mcp.fs.indexStatus", json!({})),
        ("mcp.fs.reindex", json!({})),
        ("mcp.fs.unindex", json!({ "path": "/" })),
        ("mcp.fs.delete", json!({ "path": "/a.txt" })),
        ("mcp.fs.trash", json!({})),
        ("mcp.fs.restore", json!({ "trash_id": "$trash_id" })),
        ("mcp.fs.delete", json!({ "path": "/inner", "recursive": true, "permanent": true })),
        ("mcp.fs.emptyTrash", json!({})),
        ("mcp.prompts.list", json!({})),
        ("mcp.prompts.get", json!({ "name": "summarize-folder", "arguments": { "path": "/" } })),
        ("mcp.llm.chat", json!({ "messages": [{ "role": "user", "content": "Say hello." }] })),
        ("mcp.llm.embed", json!({ "input": ["a", "b"] })),
        ("mcp.llm.models", json!({})),
        ("mcp.llm.usage", json!({ "days": 2 })),
        ("mcp.llm.countTokens", json!({ "text": "hello world" })),
        ("mcp.mail.listAccounts", json!({})),
        ("mcp.mail.createFolder", json!({ "account_id": "alice", "folder": "Trips" })),
        ("mcp.mail.listFolders", json!({ "account_id": "alice" })),
        ("mcp.mail.listMessages", json!({ "account_id": "alice", "folder": "INBOX" })),
        ("mcp.mail.search", json!({ "account_id": "alice", "from": "ada", "seen": false })),
        (
            "mcp.mail.getMessage",
            json!({ "account_id": "alice", "folder": "INBOX", "uid": 1, "fetch_attachments": true }),
        ),
        ("mcp.mail.getThread", json!({ "account_id": "alice", "folder": "INBOX", "uid": 1 })),
        (
            "mcp.mail.getAttachment",
            json!({ "account_id": "alice", "folder": "INBOX", "uid": 1, "part": "2" }),
        ),
        ("mcp.mail.getRaw", json!({ "account_id": "alice", "folder": "INBOX", "uid": 1 })),
        ("mcp.mail.listEvents", json!({ "account_id": "alice", "start": "2026-12-01T00:00:00Z" })),
        ("mcp.mail.draft", json!({ "account_id": "alice", "body": "Yes.", "reply_to_uid": 1 })),
        ("mcp.mail.send", json!({ "account_id": "alice", "body": "Yes.", "to": ["bob@example.org"] })),
        ("mcp.mail.listOutbox", json!({ "account_id": "alice" })),
        ("mcp.mail.watch", json!({ "account_id": "alice", "seconds": 1 })),
        (
            "mcp.mail.setFlags",
            json!({ "account_id": "alice", "folder": "INBOX", "uids": [1], "add": ["\\Seen"] }),
        ),
        ("mcp.mail.copy", json!({ "account_id": "alice", "folder": "INBOX", "uids": [1], "to": "Trips" })),
        ("mcp.mail.move", json!({ "account_id": "alice", "folder": "Trips", "uids": [1], "to": "INBOX" })),
        ("mcp.mail.delete", json!({ "account_id": "alice", "folder": "INBOX", "uids": [1] })),
        ("mcp.mail.parseIcalendar", json!({ "ics": CALENDAR })),
        ("mcp.fs.write", json!({ "path": "/sent.txt", "content": "alpha" })),
        ("mcp.sync.listRemotes", json!({})),
        ("mcp.sync.plan", json!({ "job": { "source": "/", "destination": "box:all", "verb": "sync" } })),
        ("mcp.sync.run", json!({ "plan_id": "$plan_id", "wait": true })),
        ("mcp.sync.listRemote", json!({ "path": "box:all" })),
        ("mcp.sync.check", json!({ "source": "/", "destination": "box:all" })),
        ("mcp.sync.runJob", json!({ "job": { "source": "/", "destination": "box:more" }, "wait": true })),
        ("mcp.sync.getJobStatus", json!({ "job_id": "$job_id" })),
        ("mcp.sync.stopJob", json!({ "job_id": "$job_id" })),
        ("mcp.sync.runJob", json!({ "job": { "source": "box:none", "destination": "/x" }, "wait": true })),
        ("mcp.sync.resume", json!({ "job_id": "$job_id", "wait": true })),
        ("mcp.sync.listJobs", json!({})),
        ("mcp.sync.history", json!({ "limit": 1 })),
        ("mcp.sync.defineJob", json!({ "name": "n", "job": { "source": "/", "destination": "box:n" } })),
        ("mcp.sync.deleteJob", json!({ "name": "n" })),
        ("mcp.admin.tree", json!({})),
        ("mcp.admin.actor", json!({ "id": "fs" })),
        ("mcp.admin.restart", json!({ "id": "fs" })),
        ("mcp.admin.events", json!({ "limit": 1000 })),
        ("mcp.admin.config", json!({})),
        ("mcp.admin.loglevel", json!({ "level": "warn" })),
        ("mcp.admin.health", json!({})),
        ("mcp.admin.stats", json!({})),
    ]
}

/// The same of workflows.
fn workflows() -> Vec<(&'static str, Value)> {
    vec![
        ("mcp.agent.listWorkflows", json!({})),
        ("mcp.agent.validate", json!({ "text": "steps: [{log: hi}]" })),
        ("mcp.agent.schedules", json!({})),
        ("mcp.agent.runWorkflow", json!({ "workflow_id": "good", "inputs": { "n": 1 }, "wait": true })),
        ("mcp.agent.getRun", json!({ "execution_id": "$execution_id" })),
        ("mcp.agent.approve", json!({ "execution_id": "$execution_id" })),
        ("mcp.agent.followRun", json!({ "execution_id": "$execution_id" })),
        ("mcp.agent.getWorkflowStatus", json!({ "execution_id": "$execution_id" })),
        ("mcp.agent.listRuns", json!({ "limit": 1 })),
        ("mcp.agent.runWorkflow", json!({ "workflow_id": "good", "wait": true })),
        ("mcp.agent.reject", json!({ "execution_id": "$execution_id" })),
        ("mcp.agent.followRun", json!({ "execution_id": "$execution_id" })),
        ("mcp.agent.retryRun", json!({ "execution_id": "$execution_id" })),
        ("mcp.agent.stopWorkflow", json!({ "execution_id": "$execution_id" })),
    ]
}

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:one\r\nSUMMARY:Lunch\r\n\
                        DTSTART;TZID=Europe/Berlin:20261201T120000\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// A message with an invitation.
fn invitation() -> String {
    format!(
        "From: Ada <ada@example.org>\nTo: alice@example.org\nSubject: Lunch\nMessage-ID: <lunch@example.org>\n\
         MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nShall we?\n\
         --x\nContent-Type: text/calendar; name=lunch.ics\nContent-Disposition: attachment; filename=lunch.ics\n\n{}--x--\n",
        CALENDAR.replace("\r\n", "\n")
    )
}

#[test]
fn results_are_what_their_schemas_say() {
    let called: BTreeSet<_> =
        calls().into_iter().chain(workflows()).map(|(method, _)| method.to_owned()).collect();
    let all: BTreeSet<_> = catalog().iter().map(|entry| entry.name.clone()).collect();
    assert_eq!(called, all, "this test calls every method");
    run(async {
        let upstream = Upstream::start().await;
        let model = |alias: &str, kind: &str| {
            let url = upstream.v1();
            format!(
                "  {alias}: {{provider: openai_compatible, model: m, base_url: \"{url}\", kind: {kind}}}\n"
            )
        };
        let models = Some(format!("models:\n{}{}", model("small", "chat"), model("vectors", "embedding")));
        let dovecot = Dovecot::start();
        dovecot.deliver("alice", "INBOX", &invitation());
        let sink = Sink::start(&dovecot.tls());
        let sends = format!(", smtp_host: localhost, smtp_port: {}, recipients: [\"*\"]", sink.starttls);
        let mail_accounts = Some(format!("accounts:\n{}", dovecot.account_with("alice", &sends)));
        let server = Server::start(Served::Webdav);
        let remotes = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(remotes.path(), server.remote("box")).expect("it is written");
        let environment = vec![
            ("LLMBDO_RCLONE_EXECUTABLE", Rclone::Current.program().display().to_string()),
            ("LLMBDO_RCLONE_CONFIG_PATH", remotes.path().display().to_string()),
        ];
        let mut daemon = Setup { models, mail_accounts, environment, ..Setup::default() }.start().await;
        let client = daemon.client().await;
        let asks = "steps: [{id: a, approve: May it?}, {id: b, set: {n: 1}}]";
        std::fs::write(daemon.dir().join("workflows/good.yaml"), asks).expect("a workflow");
        harness::until("the workflow is known", async || {
            client.ok("mcp.agent.listWorkflows", json!([])).await != json!([])
        })
        .await;
        let mut ids = BTreeMap::<&str, Value>::new();
        for (method, mut params) in calls().into_iter().chain(workflows()) {
            for (name, id) in &ids {
                if params[name] == format!("${name}") {
                    params[name] = id.clone();
                }
            }
            let result = client.ok(method, params.clone()).await;
            let entry = catalog().get(method).expect("it is in the catalogue");
            let schema = jsonschema::draft202012::new(&entry.result()).expect("a schema");
            let wrong: Vec<_> = schema
                .iter_errors(&result)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{method} {params}: {result}\n{}", wrong.join("\n"));
            for name in ["trash_id", "plan_id", "job_id", "execution_id"] {
                if let Some(id) = result.get(name).filter(|id| id.is_string()) {
                    ids.insert(name, id.clone());
                }
            }
            check_original(&client, method, &params, &result).await;
        }
        daemon.stop().await;
    });
}

/// By position, the method answers with the one field that the original answered with.
async fn check_original(client: &Client, method: &str, params: &Value, named: &Value) {
    let entry = catalog().get(method).expect("it is in the catalogue");
    let Some(field) = entry.original_field else { return };
    assert!(entry.effect.read_only, "{method}: a second call must not matter");
    let params = params.as_object().expect("params by name");
    if entry.positions.iter().zip(params.keys()).all(|(position, name)| position == name) {
        let values: Vec<_> = params.values().cloned().collect();
        assert_eq!(client.ok(method, json!(values)).await, named[field], "{method} {values:?}");
    }
}
