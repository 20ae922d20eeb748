//! Third-party daemons that follow the original's protocol: found, checked, routed to, and dropped when they go.

use std::path::PathBuf;

use harness::{Client, Daemon, Setup, Toy, run, until};
use serde_json::{Value, json};

async fn start() -> (Daemon, Client) {
    let daemon = Daemon::start().await;
    let client = daemon.client().await;
    (daemon, client)
}

fn run_dir(daemon: &Daemon) -> PathBuf {
    daemon.dir().join("run")
}

/// Whether `client` is told of `method`.
async fn offered(client: &Client, method: &str) -> bool {
    let methods = client.ok("mcp.hello", json!([])).await;
    methods.as_array().expect("a list").contains(&json!(method))
}

/// Waits until `client` is told of `method`.
async fn comes(client: &Client, method: &str) {
    until(&format!("{method} is offered"), async || offered(client, method).await).await;
}

/// Waits until `client` is no longer told of `method`; then it is not there for a call either.
async fn goes(client: &Client, method: &str) {
    until(&format!("{method} is withdrawn"), async || !offered(client, method).await).await;
    assert_eq!(client.code(method, json!([])).await, -32601);
}

#[test]
fn a_backend_is_found_while_running_and_called_as_it_expects() {
    run(async {
        let (daemon, client) = start().await;
        assert!(!offered(&client, "mcp.toy.echo").await);
        let toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;

        let services = client.ok("mcp.listCapabilities", json!([])).await;
        let shown =
            services.as_array().expect("a list").iter().find(|service| service["service_name"] == "toy");
        let shown = shown.expect("the backend is listed");
        assert_eq!((&shown["description"], &shown["version"]), (&json!("A toy."), &json!("0.1.1")));
        let echo = &shown["capabilities"][0];
        let own = &toy.capabilities()["capabilities"][0];
        for member in ["method", "description", "params_schema", "result_schema"] {
            assert_eq!(echo[member], own[member], "{member}");
        }

        for params in [json!(["a"]), json!(["b", "loud"])] {
            let answer = client.ok("mcp.toy.echo", params.clone()).await;
            assert_eq!(answer, json!({ "text": params[0], "params": params }));
        }
        assert_eq!(client.ok("mcp.toy.nothing", json!([])).await, Value::Null);
        client.send(json!({ "jsonrpc": "2.0", "id": "n", "method": "mcp.toy.nothing" }).to_string()).await;
        assert_eq!(
            client.stray().await.expect("an answer"),
            json!({ "jsonrpc": "2.0", "id": "n", "result": null })
        );
        assert_eq!(toy.seen(), [json!(["a"]), json!(["b", "loud"]), json!([]), json!([])]);
    });
}

#[test]
fn params_are_checked_against_the_old_tuple_schema_before_the_backend_sees_them() {
    run(async {
        let (daemon, client) = start().await;
        let toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;
        for wrong in [
            json!([]),
            json!([5]),
            json!([null]),
            json!(["a", "whisper"]),
            json!(["a", "loud", "more"]),
            json!({}),
            json!({ "text": "a" }),
        ] {
            let error = client.call("mcp.toy.echo", wrong.clone()).await.expect_err("wrong params");
            assert_eq!(error["code"], -32602, "{wrong}: {error}");
        }
        // Without a schema it takes no params at all.
        assert_eq!(client.code("mcp.toy.nothing", json!(["a"])).await, -32602);
        assert_eq!(toy.seen(), [] as [Value; 0]);
    });
}

#[test]
fn a_backends_own_error_is_passed_on_and_a_broken_answer_is_said_to_be_one() {
    run(async {
        let (daemon, client) = start().await;
        let _toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;
        let error = client.call("mcp.toy.fail", json!([])).await.expect_err("it always fails");
        assert_eq!(
            error,
            json!({ "code": -32055, "message": "It failed.", "data": { "why": "it always does" } })
        );
        for method in ["mcp.toy.garbage", "mcp.toy.hangup"] {
            let error = client.call(method, json!([])).await.expect_err("it breaks the protocol");
            assert_eq!(error["code"], -32066, "{method}: {error}");
            assert!(error["message"].as_str().is_some_and(|text| text.contains("'toy'")), "{error}");
            assert_eq!(
                client.ok("mcp.toy.echo", json!(["a"])).await["text"],
                "a",
                "the next call is none the worse"
            );
        }
    });
}

#[test]
fn slow_calls_to_one_backend_delay_no_other() {
    run(async {
        let (daemon, client) = start().await;
        let (slow, quick) = (Toy::start(&run_dir(&daemon), "slow"), Toy::start(&run_dir(&daemon), "quick"));
        comes(&client, "mcp.slow.wait").await;
        comes(&client, "mcp.quick.echo").await;
        // As many as it takes at once (backends.connections_per_backend), and more that wait behind them.
        let mut waiting = Vec::new();
        for call in 0..8 {
            waiting.push(client.begin("mcp.slow.wait", json!([format!("{call}")])).await.1);
        }
        slow.busy(4).await;
        assert_eq!(client.ok("mcp.quick.echo", json!(["a"])).await["text"], "a");
        assert!(client.ok("mcp.fs.list", json!(["/"])).await.is_array());
        for call in 0..8 {
            slow.release(&format!("{call}"));
        }
        for answer in waiting {
            answer.await.expect("who waited is answered too");
        }
        assert!(!slow.was_pipelined() && !quick.was_pipelined());
    });
}

#[test]
fn a_backend_that_goes_is_dropped_and_comes_back_when_it_returns() {
    run(async {
        let (daemon, client) = start().await;
        let mut toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;
        for _ in 0..3 {
            let (_, under_way) = client.begin("mcp.toy.wait", json!(["a"])).await;
            toy.waits("a").await;
            toy.leave();
            assert_eq!(under_way.await.expect_err("its backend is gone")["code"], -32066);
            goes(&client, "mcp.toy.echo").await;
            toy.listen();
            comes(&client, "mcp.toy.echo").await;
            assert_eq!(client.ok("mcp.toy.echo", json!(["a"])).await["text"], "a");
        }
        assert_eq!(client.ok("mcp.admin.health", json!({})).await["status"], "ok");
    });
}

#[test]
fn a_backend_is_what_its_capability_file_says_now() {
    run(async {
        let (daemon, client) = start().await;
        let toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;
        std::fs::remove_file(toy.file()).expect("it is there");
        goes(&client, "mcp.toy.echo").await;
        // One edit after the other, faster than they can be followed: the last one counts.
        for edit in 0..20 {
            let mut capabilities = toy.capabilities();
            capabilities["capabilities"][0]["method"] = json!(format!("mcp.toy.e{edit}.echo"));
            toy.publish(&capabilities);
            tokio::time::sleep(std::time::Duration::from_millis(10 * (edit % 8))).await;
        }
        comes(&client, "mcp.toy.e19.echo").await;
        let methods = client.ok("mcp.hello", json!([])).await;
        let echoes = methods.as_array().expect("a list").iter().filter(|method| {
            method.as_str().is_some_and(|method| method.split('.').next_back() == Some("echo"))
        });
        assert_eq!(echoes.count(), 1, "{methods}");
        assert_eq!(client.ok("mcp.toy.e19.echo", json!(["a"])).await["text"], "a");
    });
}

#[test]
fn a_backend_never_takes_a_method_that_is_not_its_own() {
    run(async {
        let (daemon, client) = start().await;
        let elsewhere = daemon.dir().join("elsewhere");
        std::fs::create_dir(&elsewhere).expect("a folder");
        let offer = |name: &str, method: &str| {
            let thief = Toy::hidden(&elsewhere, name);
            let capabilities = json!({ "capabilities": [{ "method": method, "params_schema": {} }] });
            let _ = std::os::unix::fs::symlink(
                elsewhere.join(format!("{name}.sock")),
                run_dir(&daemon).join(format!("{name}.sock")),
            );
            let file = run_dir(&daemon).join(format!("{name}.cap.json"));
            std::fs::write(file, capabilities.to_string()).expect("the run directory takes a file");
            thief
        };
        let before = client.ok("mcp.hello", json!([])).await;
        let _thieves = [
            offer("evil", "mcp.fs.read"),
            offer("worse", "mcp.hello"),
            offer("worst", "mcp.worst.."),
            offer("fs", "mcp.fs.steal"),
            offer("gateway", "mcp.gateway.steal"),
            offer("licence", "mcp.licence.check"),
        ];
        for refused in ["evil", "worse", "worst", "fs", "gateway", "licence"] {
            daemon.logged(&format!("{refused}.cap.json")).await;
        }
        // One that is honest, so that it is known that all were looked at.
        let _toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;
        let after = client.ok("mcp.hello", json!([])).await;
        let others = after
            .as_array()
            .expect("a list")
            .iter()
            .filter(|method| !method.as_str().is_some_and(|method| method.starts_with("mcp.toy.")));
        assert!(others.eq(before.as_array().expect("a list")), "{after}");
        assert!(client.ok("mcp.fs.read", json!(["/welcome.md"])).await["content"].is_string());
    });
}

#[test]
fn a_hostile_or_half_written_file_is_ignored_and_named_in_the_log() {
    run(async {
        let (daemon, client) = start().await;
        let file = |name: &str| run_dir(&daemon).join(format!("{name}.cap.json"));
        let deep = format!(
            r#"{{"capabilities":[{{"method":"mcp.deep.a","params_schema":{}}}]}}"#,
            "[".repeat(100_000)
        );
        let many: Vec<_> = (0..600).map(|n| json!({ "method": format!("mcp.many.m{n}") })).collect();
        for (name, text) in [
            ("half", r#"{"capabilities":[{"method":"mcp.half.a","#.to_owned()),
            ("empty", String::new()),
            ("list", "[]".to_owned()),
            ("bytes", String::from_utf8_lossy(&[0xff; 4]).into_owned()),
            ("huge", format!("{{\"capabilities\":[]{}}}", " ".repeat(2_000_000))),
            ("deep", deep),
            ("many", json!({ "capabilities": many }).to_string()),
            ("twice", json!({ "capabilities": [{ "method": 5 }] }).to_string()),
        ] {
            std::fs::write(file(name), text).expect("the run directory takes a file");
        }
        std::fs::create_dir(file("folder")).expect("the run directory takes a folder");
        std::os::unix::fs::symlink("/dev/zero", file("zero")).expect("the run directory takes a link");
        std::os::unix::fs::symlink("nowhere", file("nowhere")).expect("the run directory takes a link");
        rustix::fs::mkfifoat(rustix::fs::CWD, file("pipe"), 0o600.into())
            .expect("the run directory takes a pipe");
        for name in [
            "half", "empty", "list", "bytes", "huge", "deep", "many", "twice", "folder", "zero", "nowhere",
            "pipe",
        ] {
            daemon.logged(&format!("/{name}.cap.json")).await;
        }
        // Its schema is no schema: found when it is connected to.
        let bad = Toy::hidden(&run_dir(&daemon), "bad");
        bad.publish(&json!({ "capabilities": [{ "method": "mcp.bad.a", "params_schema": { "type": 5 } }] }));
        daemon.logged("backend refused").await;
        let _toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;
        assert!(!offered(&client, "mcp.bad.a").await);
        // A file that is whole after all is read after all.
        let _half = Toy::start(&run_dir(&daemon), "half");
        comes(&client, "mcp.half.echo").await;
    });
}

#[test]
fn a_thousand_files_do_not_hurt() {
    run(async {
        let (daemon, client) = start().await;
        let _toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;
        let file = |n: usize| run_dir(&daemon).join(format!("a{n}.cap.json"));
        for n in 0..1000 {
            let capabilities = json!({ "capabilities": [{ "method": format!("mcp.a{n}.m") }] });
            std::fs::write(file(n), capabilities.to_string()).expect("the run directory takes a file");
        }
        daemon.logged("capability files").await;
        for _ in 0..100 {
            assert_eq!(
                client.ok("mcp.toy.echo", json!(["a"])).await["text"],
                "a",
                "who was there first stays"
            );
        }
        for n in 0..1000 {
            std::fs::remove_file(file(n)).expect("it is there");
        }
        let _late = Toy::start(&run_dir(&daemon), "late");
        comes(&client, "mcp.late.echo").await;
        assert_eq!(client.ok("mcp.admin.health", json!({})).await["status"], "ok");
    });
}

#[test]
fn a_backend_survives_the_daemon_and_the_actors_that_know_it() {
    run(async {
        let (daemon, client) = start().await;
        let toy = Toy::start(&run_dir(&daemon), "toy");
        comes(&client, "mcp.toy.echo").await;
        for (actor, how) in
            [("toy", "drain"), ("toy", "panic"), ("discovery", "panic"), ("discovery", "drain")]
        {
            client.ok("mcp.admin.restart", json!({ "id": actor, "how": how })).await;
            until("the backend answers again", async || {
                client.call("mcp.toy.echo", json!(["a"])).await.is_ok()
            })
            .await;
        }
        let daemon = daemon.stop_and_restart().await;
        let client = daemon.client().await;
        comes(&client, "mcp.toy.echo").await;
        let daemon = daemon.crash_and_restart().await;
        let client = daemon.client().await;
        comes(&client, "mcp.toy.echo").await;
        std::fs::remove_file(toy.file()).expect("it is there");
        goes(&client, "mcp.toy.echo").await;
    });
}

#[test]
fn nobody_looks_for_backends_where_that_is_turned_off() {
    run(async {
        let setup = Setup { settings: "backends: { allow: false }\n".into(), ..Setup::default() };
        let daemon = setup.start().await;
        let _toy = Toy::start(&run_dir(&daemon), "toy");
        let client = daemon.client().await;
        let tree = client.ok("mcp.admin.tree", json!({})).await;
        let branches: Vec<_> =
            tree["children"].as_array().expect("branches").iter().map(|node| &node["id"]).collect();
        assert_eq!(branches, ["services", "gateway", "edges"]);
    });
}
