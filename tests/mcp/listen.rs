//! Who asked to be told is told, of what was asked for and of nothing else, in either era.

use std::time::Duration;

use harness::{Daemon, Dovecot, Setup, Toy, run};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::fixtures;
use crate::http::{Host, meta, tool, with};
use crate::peer::Peer;

const ID: &str = "io.modelcontextprotocol/subscriptionId";

const PROMPT: &str = "---\ndescription: Greets.\n---\nHello.\n";

fn wanted() -> Value {
    json!({ "notifications": {
        "toolsListChanged": true, "promptsListChanged": true,
        "resourceSubscriptions": ["file:///watched.txt", "gopher://x"],
    } })
}

/// What is acknowledged of it.
fn check_acknowledged(door: &str, message: &Value, id: &Value) {
    assert_eq!(message["method"], "notifications/subscriptions/acknowledged", "{door}: {message}");
    assert_eq!(message["params"]["_meta"][ID], *id, "{door}: {message}");
    let honoured = &message["params"]["notifications"];
    let expected = json!({ "toolsListChanged": true, "promptsListChanged": true,
                           "resourceSubscriptions": ["file:///watched.txt"] });
    assert_eq!(*honoured, expected, "{door}");
}

fn check(door: &str, message: &Value, id: &Value, method: &str) {
    assert_eq!(message["method"], method, "{door}: {message}");
    assert_eq!(message["params"]["_meta"][ID], *id, "{door}: {message}");
    if method.ends_with("updated") {
        assert_eq!(message["params"]["uri"], "file:///watched.txt", "{door}");
    }
}

/// Edits the watched file again and again, for as long as this is held: a watch begins some time after it was
/// asked for, and no event tells when.
fn edited(daemon: &Daemon) -> JoinSet<()> {
    let (file, mut edits) = (daemon.file("watched.txt"), JoinSet::new());
    edits.spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(100));
        for n in 0_u64.. {
            every.tick().await;
            std::fs::write(&file, n.to_string()).expect("an edit");
        }
    });
    edits
}

#[test]
fn a_listener_is_told_of_tools_prompts_and_files_on_every_transport() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon);
        std::fs::write(daemon.file("watched.txt"), "0").expect("a file");
        let mut stream = host.modern("subscriptions/listen", wanted()).await;
        assert_eq!(stream.header("x-accel-buffering"), Some("no"));
        check_acknowledged("http", &stream.message().await.expect("it is told"), &json!("m"));
        let mut peers = Vec::new();
        for (n, (door, mut peer)) in Peer::all(&daemon).await.into_iter().enumerate() {
            if door == "stdio, embedded" {
                continue; // It has other files.
            }
            peer.send(json!(n), "subscriptions/listen", with(wanted(), meta())).await;
            check_acknowledged(door, &peer.next().await.expect("it is told"), &json!(n));
            peers.push((door, peer, json!(n)));
        }
        let edits = edited(&daemon);
        let told = stream.message().await.expect("it is told");
        check("http", &told, &json!("m"), "notifications/resources/updated");
        for (door, peer, id) in &mut peers {
            check(door, &peer.next().await.expect("it is told"), id, "notifications/resources/updated");
        }
        drop(edits);
        let mut all = async |method: &str| {
            let settled = |message: &Value| message["method"] != "notifications/resources/updated";
            loop {
                let message = stream.message().await.expect("it is told");
                if settled(&message) {
                    check("http", &message, &json!("m"), method);
                    break;
                }
            }
            for (door, peer, id) in &mut peers {
                loop {
                    let message = peer.next().await.expect("it is told");
                    if settled(&message) {
                        check(door, &message, id, method);
                        break;
                    }
                }
            }
        };
        std::fs::write(daemon.dir().join("prompts/hello.md"), PROMPT).expect("a prompt");
        all("notifications/prompts/list_changed").await;
        let _toy = Toy::start(&daemon.dir().join("run"), "toy");
        all("notifications/tools/list_changed").await;
        let listed = host.ok("tools/list", json!({})).await.to_string();
        assert!(listed.contains("\"toy_echo\""));
    });
}

#[test]
fn what_was_not_asked_for_is_not_told() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let listen = async |notifications: Value| {
            let mut stream =
                host.modern("subscriptions/listen", json!({ "notifications": notifications })).await;
            let first = stream.message().await.expect("it is told");
            assert_eq!(first["params"]["notifications"], notifications, "{first}");
            stream
        };
        let mut tools = listen(json!({ "toolsListChanged": true })).await;
        let mut prompts = listen(json!({ "promptsListChanged": true })).await;
        let mut nothing = listen(json!({})).await;
        for _ in 0..2 {
            host.ok("tools/call", tool("test_trigger_prompt_change", json!({}))).await;
            let told = prompts.message().await.expect("it is told");
            assert_eq!(told["method"], "notifications/prompts/list_changed");
            host.ok("tools/call", tool("test_trigger_tool_change", json!({}))).await;
            let told = tools.message().await.expect("it is told");
            assert_eq!(told["method"], "notifications/tools/list_changed");
        }
        for wrong in [
            json!({}),
            json!({ "notifications": 5 }),
            json!({ "notifications": { "resourceSubscriptions": vec!["file:///x"; 65] } }),
        ] {
            assert_eq!(host.ask("subscriptions/listen", wrong).await["error"]["code"], -32602);
        }
        // A server that stops says so in the subscription's own result.
        let mut daemon = daemon;
        daemon.stop().await;
        let end = nothing.message().await.expect("its end");
        assert_eq!(end["result"]["resultType"], "complete", "{end}");
        assert_eq!(end["result"]["_meta"][ID], "m", "{end}");
    });
}

#[test]
fn a_legacy_client_is_told_of_lists_and_of_what_it_subscribed_to() {
    run(async {
        let daemon = Daemon::start().await;
        std::fs::write(daemon.file("watched.txt"), "0").expect("a file");
        let uri = json!({ "uri": "file:///watched.txt" });
        let host = Host::owner(&daemon).open("2025-11-25").await;
        host.notify("notifications/initialized", json!({})).await;
        let mut stream = host.send("GET", "").await;
        assert_eq!(
            host.legacy(json!(1), "resources/subscribe", uri.clone()).await.answer().await["result"],
            json!({})
        );
        let mut peers = Vec::new();
        for (door, mut peer) in Peer::all(&daemon).await {
            if door != "stdio, embedded" {
                peer.open("2025-11-25").await;
                peer.ask(1, "resources/subscribe", uri.clone()).await;
                peers.push((door, peer));
            }
        }
        let edits = edited(&daemon);
        assert!(stream.message().await.is_some_and(|told| told["params"]["uri"] == uri["uri"]));
        for (door, peer) in &mut peers {
            let told = peer.next().await.expect("it is told");
            let (method, about) = (&told["method"], &told["params"]["uri"]);
            assert_eq!((method, about), (&json!("notifications/resources/updated"), &uri["uri"]), "{door}");
            assert_eq!(peer.ask(2, "resources/unsubscribe", uri.clone()).await["result"], json!({}));
            // What was told until then is aside.
            peer.aside();
        }
        drop(edits);
        std::fs::write(daemon.file("watched.txt"), "not told").expect("an edit");
        std::fs::write(daemon.dir().join("prompts/hello.md"), PROMPT).expect("a prompt");
        for (door, peer) in &mut peers {
            let told = peer.next().await.expect("it is told");
            assert_eq!(told["method"], "notifications/prompts/list_changed", "{door}: {told}");
        }
    });
}

#[test]
fn a_folder_of_mail_is_a_resource_that_tells_its_news() {
    run(async {
        let dovecot = Dovecot::start();
        let mail_accounts = Some(format!("accounts:\n{}", dovecot.account("alice")));
        let daemon = Setup { mail_accounts, ..Setup::default() }.start().await;
        let mut peer = Peer::unix_lines(&daemon).await;
        peer.open("2025-11-25").await;
        let listed = peer.ask(1, "resources/list", json!({})).await;
        let uri = "mail://alice/INBOX";
        let inboxes = listed["result"]["resources"].as_array().expect("resources").iter();
        assert_eq!(inboxes.filter(|one| one["uri"] == uri).count(), 1, "{listed}");
        for (bad, code) in
            [("mail://alice/nowhere", -32002), ("mail://nobody/INBOX", -32002), ("mail://alice", -32002)]
        {
            for method in ["resources/read", "resources/subscribe"] {
                let error = peer.ask(2, method, json!({ "uri": bad })).await;
                assert_eq!(error["error"]["code"], code, "{method} {bad}: {error}");
            }
        }
        assert_eq!(peer.ask(3, "resources/subscribe", json!({ "uri": uri })).await["result"], json!({}));
        dovecot.deliver("alice", "INBOX", "From: ada@example.org\nSubject: Lunch\n\nShall we meet?\n");
        let told = peer.next().await.expect("it is told");
        assert_eq!(told["method"], "notifications/resources/updated", "{told}");
        assert_eq!(told["params"]["uri"], uri);
        peer.ask(4, "resources/unsubscribe", json!({ "uri": uri })).await;
        let read = peer.ask(5, "resources/read", json!({ "uri": uri })).await;
        let text = read["result"]["contents"][0]["text"].as_str().expect("text");
        assert!(text.contains("Lunch") && text.contains("untrusted"), "{read}");
        assert_eq!(dovecot.seen("alice", "INBOX"), 0);
    });
}
