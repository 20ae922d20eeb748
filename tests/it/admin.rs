//! `mcp.admin.*`: the tree seen live, restarted on request, for those alone whose tier has it.

use harness::{Client, Daemon, Setup, run, until};
use serde_json::{Value, json};

/// All nodes of a tree, by path.
fn flat(node: &Value) -> Vec<(String, Value)> {
    let mut all = vec![(node["path"].as_str().expect("a path").to_owned(), node.clone())];
    for child in node["children"].as_array().into_iter().flatten() {
        all.extend(flat(child));
    }
    all
}

async fn actor(client: &Client, id: &str) -> Value {
    client.ok("mcp.admin.actor", json!({ "id": id })).await
}

#[test]
fn the_tree_shows_every_actor() {
    run(async {
        let daemon = Daemon::start().await;
        let (client, _other) = (daemon.client().await, daemon.unix("fs").await);
        until("both connections are sessions", async || {
            actor(&client, "sessions").await["children_total"] == 2
        })
        .await;
        let nodes = flat(&client.ok("mcp.admin.tree", json!({})).await);
        for path in [
            "root",
            "root/services/fs",
            "root/services/admin",
            "root/services/prompts",
            "root/services/prompts-watch",
            "root/services/llm",
            "root/services/models-watch",
            "root/services/mail-accounts-watch",
            "root/services/mail-accounts/clerk",
            "root/services/sync",
            "root/services/sync-jobs",
            "root/services/rclone",
            "root/services/agent",
            "root/services/workflows-watch",
            "root/services/agent-runs/agent-clerk",
            "root/services/agent-runs/agent-clock",
            "root/services/agent-runs/agent-triggers",
            "root/backends/discovery",
            "root/gateway/ledger",
            "root/gateway/auth",
            "root/edges/sessions",
            "root/edges/http",
            "root/edges/unix-http",
            "root/edges/unix-gateway",
            "root/edges/unix-fs",
            "root/edges/unix-prompts",
            "root/edges/unix-mail",
            "root/edges/unix-sync",
            "root/edges/unix-llm",
            "root/edges/unix-agent",
        ] {
            let (_, node) =
                nodes.iter().find(|(found, _)| found == path).unwrap_or_else(|| panic!("no {path}"));
            assert_eq!((&node["state"], &node["restarts"]), (&json!("running"), &json!(0)), "{path}");
        }
        assert_eq!(nodes.iter().filter(|(path, _)| path.starts_with("root/edges/sessions/")).count(), 2);
    });
}

#[test]
fn one_actor_is_found_by_its_path_or_its_last_part() {
    run(async {
        let daemon = Daemon::start().await;
        let client = daemon.client().await;
        let before = actor(&client, "fs").await["handled"].as_u64();
        client.ok("mcp.fs.list", json!(["/"])).await;
        let fs = actor(&client, "root/services/fs").await;
        assert_eq!((&fs["id"], &fs["path"]), (&json!("fs"), &json!("root/services/fs")));
        // A message counts as handled when its actor is done with it, which is after the answer has left.
        until("the call is counted", async || actor(&client, "fs").await["handled"].as_u64() > before).await;
        assert_eq!(actor(&client, "gateway").await["children_total"], 2);
        for unknown in ["nobody", "root/nobody", "services/fs/", "."] {
            assert_eq!(client.code("mcp.admin.actor", json!([unknown])).await, -32602, "{unknown}");
            assert_eq!(client.code("mcp.admin.restart", json!([unknown])).await, -32602, "{unknown}");
        }
    });
}

#[test]
fn an_actor_is_restarted_on_request_and_the_service_goes_on() {
    run(async {
        let daemon = Daemon::start().await;
        let client = daemon.client().await;
        let restarted = client.ok("mcp.admin.restart", json!(["fs"])).await;
        assert_eq!(restarted, json!({ "path": "root/services/fs", "completed": true }));
        assert!(client.ok("mcp.fs.list", json!(["/"])).await.is_array(), "at once, since it was waited for");
        for (how, failure) in [("kill", "killed"), ("panic", "panic")] {
            let before = actor(&client, "fs").await["restarts"].as_u64().expect("a number");
            let params = json!({ "id": "root/services/fs", "how": how });
            assert_eq!(client.ok("mcp.admin.restart", params).await["completed"], false, "{how}");
            until("it is up again", async || {
                let fs = actor(&client, "fs").await;
                fs["state"] == "running" && fs["restarts"].as_u64() > Some(before)
            })
            .await;
            assert!(client.ok("mcp.fs.list", json!(["/"])).await.is_array(), "{how}");
            let fs = actor(&client, "fs").await;
            let text = fs["last_failure"]["text"].as_str().expect("it failed");
            assert!(text.contains(failure), "{how}: {fs}");
        }
        // Everything else, too, while the connection lives.
        for id in [
            "admin",
            "ledger",
            "auth",
            "discovery",
            "http",
            "unix-http",
            "unix-gateway",
            "gateway",
            "services",
        ] {
            let restart = client.call("mcp.admin.restart", json!([id])).await;
            assert!(restart.is_ok(), "{id}: {restart:?}");
            until(id, async || {
                client.call("mcp.admin.health", json!({})).await.is_ok_and(|it| it["status"] == "ok")
            })
            .await;
            assert!(daemon.client().await.ok("mcp.fs.list", json!(["/"])).await.is_array(), "{id}");
        }
    });
}

#[test]
fn events_are_kept_and_can_be_followed() {
    run(async {
        let daemon = Daemon::start().await;
        let (client, other) = (daemon.client().await, daemon.unix("gateway").await);
        let events = async |params: Value| {
            let recent = other.ok("mcp.admin.events", params).await;
            recent["events"].as_array().expect("a list").clone()
        };
        let all = events(json!({ "limit": 1000 })).await;
        assert!(
            all.iter().any(|event| event["path"] == "root/services/fs" && event["event"] == "started"),
            "{all:?}"
        );
        let sequence: Vec<_> =
            all.iter().map(|event| event["sequence"].as_u64().expect("a number")).collect();
        assert!(sequence.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequence:?}");
        let last = *sequence.last().expect("there are some");
        assert_eq!(events(json!({ "limit": 2 })).await.len(), 2);
        assert!(events(json!({ "limit": 0 })).await.is_empty());
        assert!(
            events(json!({ "since": last }))
                .await
                .iter()
                .all(|event| event["sequence"].as_u64() > Some(last))
        );
        assert_eq!(other.code("mcp.admin.events", json!({ "limit": 1001 })).await, -32602);

        let (id, follow) = client.begin("mcp.admin.events", json!({ "follow": true, "limit": 1 })).await;
        let mut heard = vec![client.stray().await.expect("the latest event is told first")];
        other.ok("mcp.admin.restart", json!(["fs"])).await;
        let said = |heard: &[Value], what: &str| {
            let of_fs = |news: &&Value| news["params"]["value"]["path"] == "root/services/fs";
            heard.iter().filter(of_fs).any(|news| news["params"]["value"]["event"] == what)
        };
        while !said(&heard, "stopped") || !said(&heard, "started") {
            heard.push(client.stray().await.expect("news"));
        }
        for news in &heard {
            assert_eq!(
                (&news["method"], &news["params"]["id"]),
                (&json!("mcp.progress"), &json!(id)),
                "{news}"
            );
        }
        assert_eq!(client.ok("mcp.cancel", json!([id])).await["cancelled"], true);
        assert_eq!(follow.await.expect_err("cancelled")["code"], -32063);
    });
}

#[test]
fn settings_are_shown_with_their_source() {
    run(async {
        let setup = Setup {
            settings: "limits:\n  batch: 7\nfs:\n\n  entries_max: 77\n".to_owned(),
            environment: vec![("LLMBDO_LIMITS_FRAME_BYTES", "77777".to_owned())],
            ..Setup::default()
        };
        let daemon = setup.start().await;
        let config = daemon.client().await.ok("mcp.admin.config", json!({})).await;
        let check = |key: &str, value: Value, source: &str| {
            let all = config["settings"].as_array().expect("a list");
            let setting =
                all.iter().find(|setting| setting["key"] == key).unwrap_or_else(|| panic!("no {key}"));
            assert_eq!((&setting["value"], &setting["source"]), (&value, &json!(source)), "{key}");
        };
        check("limits.batch", json!(7), "file llmbasedos.yaml:4");
        check("fs.entries_max", json!(77), "file llmbasedos.yaml:7");
        check("limits.frame_bytes", json!(77777), "env LLMBDO_LIMITS_FRAME_BYTES");
        check("limits.call_seconds", json!(60), "default");
        check("listen", json!("127.0.0.1:0"), "flag --listen");
        check("state_dir", json!(daemon.dir().join("state")), "file llmbasedos.yaml:1");
    });
}

#[test]
fn the_log_level_is_changed_while_running() {
    run(async {
        let daemon = Daemon::start().await;
        let client = daemon.client().await;
        assert_eq!(client.ok("mcp.admin.loglevel", json!({})).await["level"], "info");
        client.code("mcp.fs.read", json!(["/first"])).await;
        assert_eq!(
            client.ok("mcp.admin.loglevel", json!(["info,gateway=debug"])).await["level"],
            "gateway=debug,info"
        );
        client.code("mcp.fs.read", json!(["/second"])).await;
        daemon.logged("call refused").await;
        assert_eq!(daemon.log().matches("call refused").count(), 1, "{}", daemon.log());
        let error = client.call("mcp.admin.loglevel", json!(["gateway=loud"])).await.expect_err("no level");
        assert!(
            error["code"] == -32602 && error["message"].as_str().is_some_and(|text| text.contains("loud")),
            "{error}"
        );
        assert_eq!(client.ok("mcp.admin.loglevel", json!({})).await["level"], "gateway=debug,info");
    });
}

#[test]
fn health_and_counters_tell_of_this_process() {
    run(async {
        let daemon = Daemon::start().await;
        let client = daemon.client().await;
        assert_eq!(client.ok("mcp.admin.health", json!({})).await["status"], "ok");
        let before = client.ok("mcp.admin.stats", json!({})).await;
        client.ok("mcp.fs.list", json!(["/"])).await;
        client.code("mcp.fs.read", json!(["/nothing"])).await;
        let _other = daemon.unix("gateway").await;
        until("the other connection counts", async || {
            client.ok("mcp.admin.stats", json!({})).await["calls"]["connections"] == 2
        })
        .await;
        let after = client.ok("mcp.admin.stats", json!({})).await;
        let grown =
            |key: &str| after["calls"][key].as_u64().unwrap() - before["calls"][key].as_u64().unwrap();
        assert!(grown("answered") >= 4 && grown("failed") == 1, "{before} {after}");
        assert_eq!(after["calls"]["in_flight"], 1);
        assert!(
            after["resident_bytes"].as_u64() > Some(1_000_000) && after["threads"].as_u64() > Some(1),
            "{after}"
        );
    });
}

#[test]
fn who_has_no_right_to_it_is_told_nothing() {
    run(async {
        let licence = Some("PRO:ann:2999-12-31".to_owned());
        let daemon = Setup { licence, ..Setup::default() }.start().await;
        let client = daemon.client().await;
        for method in ["tree", "actor", "restart", "events", "config", "loglevel", "health", "stats"] {
            let refused =
                client.call(&format!("mcp.admin.{method}"), json!({})).await.expect_err("only for ELITE");
            assert_eq!(
                (&refused["code"], &refused["data"]["tier"]),
                (&json!(-32002), &json!("PRO")),
                "{refused}"
            );
        }
        let offer = client.ok("mcp.hello", json!([])).await.to_string()
            + &client.ok("mcp.listCapabilities", json!([])).await.to_string();
        assert!(!offer.contains("mcp.admin."), "{offer}");
    });
}
