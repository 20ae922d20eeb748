//! Rights are those of the moment: a token that was ended or narrowed, or whose time is over, counts at once and on
//! whatever is open.

use harness::{Client, Daemon, Setup, run, until};
use serde_json::json;

use crate::http::{Host, tool};
use crate::peer::Peer;

/// A byte stream on which nobody is anybody any more.
async fn check_ended(door: &str, peer: &mut Peer) {
    for (id, method, params) in [
        ("a", "tools/list", json!({})),
        ("b", "tools/call", tool("fs_list", json!({ "path": "/" }))),
        ("c", "resources/list", json!({})),
        ("d", "prompts/list", json!({})),
    ] {
        let answer = peer.ask(id, method, params).await;
        let listed = answer["result"].as_object().and_then(|result| result.values().find(|it| it.is_array()));
        let nothing = listed.is_some_and(|list| list.as_array().is_some_and(Vec::is_empty));
        assert!(nothing || answer.get("error").is_some(), "{door}: {method} is still answered: {answer}");
    }
}

#[test]
fn a_token_that_is_revoked_ends_on_open_sessions_too() {
    run(async {
        let daemon = Daemon::start().await;
        let token = daemon.token_for("brief", &[]).await;
        let host = Host::new(&daemon, &token);
        let session = host.open("2025-11-25").await;
        let mut peer = Peer::socket(Client::ws(&daemon.url(), Some(&token)).await.expect("it gets in"));
        peer.open("2025-11-25").await;
        assert!(peer.ask(1, "tools/list", json!({})).await["result"]["tools"][0].is_object());
        assert!(daemon.cli(&["token", "revoke", "brief"]).await.status.success());
        until("it counts", async || session.legacy(json!(1), "ping", json!({})).await.status == 401).await;
        for verb in ["GET", "DELETE", "POST"] {
            let response = session.send(verb, "{}").await;
            assert_eq!(response.status, 401, "{verb}");
            assert!(response.header("www-authenticate").is_some_and(|it| it.contains("invalid_token")));
        }
        assert_eq!(host.modern("tools/list", json!({})).await.status, 401);
        check_ended("ws", &mut peer).await;
    });
}

#[test]
fn a_token_whose_time_is_over_ends_on_open_sessions_too() {
    run(async {
        let daemon = Daemon::start().await;
        let token = daemon.token_for("brief", &["--expires", "3s"]).await;
        let host = Host::new(&daemon, &token);
        let session = host.open("2025-11-25").await;
        let mut peer = Peer::socket(Client::ws(&daemon.url(), Some(&token)).await.expect("it gets in"));
        peer.open("2025-11-25").await;
        assert!(peer.ask(1, "tools/list", json!({})).await["result"]["tools"][0].is_object());
        until("its time is over", async || host.modern("tools/list", json!({})).await.status == 401).await;
        assert_eq!(session.legacy(json!(1), "ping", json!({})).await.status, 401);
        check_ended("ws", &mut peer).await;
    });
}

#[test]
fn a_narrowed_token_sees_less_and_is_told_that_its_scope_is_why() {
    run(async {
        let daemon = Daemon::start().await;
        let token = daemon.token_for("reader", &["--allow", "mcp.fs.read", "--allow", "mcp.fs.list"]).await;
        let host = Host::new(&daemon, &token);
        let listed = host.ok("tools/list", json!({})).await;
        let names: Vec<_> =
            listed["tools"].as_array().expect("a list").iter().map(|tool| &tool["name"]).collect();
        // Whoever has a token may ask what it is good for.
        assert_eq!(names, ["fs_list", "fs_read", "hello", "licence_check"]);
        let hidden = tool("fs_write", json!({ "path": "/x", "content": "x" }));
        let response = host.modern("tools/call", hidden.clone()).await;
        let challenge = response.header("www-authenticate").map(str::to_owned);
        assert!(
            challenge.as_deref().is_some_and(|it| it.contains("error=\"insufficient_scope\"")),
            "{challenge:?}"
        );
        assert_eq!(response.refused().await, (403, -32602));
        let session = host.open("2025-11-25").await;
        // A legacy client would take a 403 for the end of its session.
        let response = session.legacy(json!(1), "tools/call", hidden).await;
        assert_eq!(response.refused().await, (200, -32602));
        // What nobody has is not there for anybody.
        assert_eq!(
            host.modern("tools/call", tool("no_such", json!({}))).await.refused().await,
            (200, -32602)
        );
        let uri = json!({ "uri": "llmbasedos://tree" });
        assert_eq!(host.ask("resources/read", uri).await["error"]["code"], -32602);
        assert_eq!(host.ok("prompts/list", json!({})).await["prompts"], json!([]));
    });
}

#[test]
fn rights_that_shrink_shrink_what_is_open_and_it_is_told() {
    run(async {
        let daemon = Setup {
            licence: Some("ELITE:ann:2999-12-31".to_owned()),
            tiers: Some(
                "
FREE: { rate_limit_requests: 0, allowed_capabilities: [mcp.hello, mcp.licence.check, mcp.fs.list] }
ELITE: { rate_limit_requests: 0, allowed_capabilities: ['*'] }
"
                .to_owned(),
            ),
            ..Setup::default()
        }
        .start()
        .await;
        let host = Host::owner(&daemon);
        let session = host.open("2025-11-25").await;
        session.notify("notifications/initialized", json!({})).await;
        let mut standing = session.send("GET", "").await;
        let mut peer = Peer::socket(daemon.client().await);
        peer.open("2025-11-25").await;
        let write = tool("fs_write", json!({ "path": "/x", "content": "x" }));
        let fine = session.legacy(json!(1), "tools/call", write.clone()).await.answer().await;
        assert_eq!(fine["result"]["isError"], false, "{fine}");
        std::fs::write(daemon.dir().join("lic.key"), "FREE:ann:2999-12-31")
            .expect("the licence can be edited");
        let told = standing.message().await.expect("the session is told");
        assert_eq!(told["method"], "notifications/tools/list_changed");
        let told = peer.next().await.expect("the connection is told");
        assert_eq!(told["method"], "notifications/tools/list_changed");
        let refused = session.legacy(json!(2), "tools/call", write.clone()).await.answer().await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
        assert_eq!(peer.ask(2, "tools/call", write).await["error"]["code"], -32602);
        let tools = peer.ask(3, "tools/list", json!({})).await;
        let tools = tools["result"]["tools"].as_array().expect("a list").len();
        let modern = host.ok("tools/list", json!({})).await;
        assert_eq!(modern["tools"].as_array().map(Vec::len), Some(tools));
        assert!(tools < 6, "{tools}");
    });
}
