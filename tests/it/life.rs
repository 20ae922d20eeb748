//! From start to end: one daemon on a run directory, an orderly stop, and an exit code that says how it went.

use std::path::Path;
use std::time::Duration;

use harness::{Client, Daemon, PATIENCE, Setup, Toy, daemon, run, until};
use rustix::process::Signal;
use serde_json::{Value, json};

fn run_dir(daemon: &Daemon) -> std::path::PathBuf {
    daemon.dir().join("run")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a folder").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A daemon with a backend whose calls take as long as the test likes, and a call to it under way.
async fn with_a_call(setup: Setup) -> (Daemon, Toy, Client, impl Future<Output = harness::Answer>) {
    let daemon = setup.start().await;
    let toy = Toy::start(&run_dir(&daemon), "toy");
    daemon.logged("backend connected").await;
    let client = daemon.client().await;
    let (_, call) = client.begin("mcp.toy.wait", json!(["a"])).await;
    toy.waits("a").await;
    (daemon, toy, client, call)
}

#[test]
fn a_stop_finishes_what_is_under_way_and_leaves_nothing_behind() {
    run(async {
        for signal in [Signal::TERM, Signal::INT] {
            let environment = vec![("LLMBDO_SHUTDOWN_SECONDS", "60".to_owned())];
            let setup = Setup { environment, ..Setup::default() };
            let (mut daemon, toy, client, call) = with_a_call(setup).await;
            daemon.signal(signal);
            daemon.logged("stopping").await;
            // Longer than what anything but calls is given to stop.
            tokio::time::sleep(Duration::from_secs(6)).await;
            toy.release("a");
            assert_eq!(call.await.expect("it is finished")["key"], "a", "{signal:?}");
            client.ended().await;
            assert!(daemon.ended().await.success(), "{signal:?}: {}", daemon.log());
            drop(toy);
            assert_eq!(names(&run_dir(&daemon)), ["llmbasedos.lock", "toy.cap.json"], "{signal:?}");
        }
    });
}

#[test]
fn a_stop_does_not_wait_for_those_who_only_follow_or_are_only_there() {
    run(async {
        let environment = vec![("LLMBDO_SHUTDOWN_SECONDS", "3600".to_owned())];
        let mut daemon = Setup { environment, ..Setup::default() }.start().await;
        let (client, idle) = (daemon.client().await, daemon.unix("gateway").await);
        let (_, follow) = client.begin("mcp.admin.events", json!({ "follow": true })).await;
        assert!(client.stray().await.expect("news")["params"]["value"]["event"].is_string());
        daemon.signal(Signal::TERM);
        assert_eq!(follow.await.expect("it is answered"), json!({ "events": [] }));
        client.ended().await;
        idle.ended().await;
        assert!(daemon.ended().await.success(), "{}", daemon.log());
    });
}

#[test]
fn a_stop_waits_no_longer_than_it_was_told() {
    run(async {
        let environment = vec![("LLMBDO_SHUTDOWN_SECONDS", "1".to_owned())];
        let (mut daemon, _toy, client, call) = with_a_call(Setup { environment, ..Setup::default() }).await;
        client.ok("mcp.fs.write", json!(["/a.txt", "x"])).await;
        daemon.signal(Signal::TERM);
        assert!(call.await.is_err(), "nobody releases it");
        client.ended().await;
        assert!(daemon.ended().await.success(), "{}", daemon.log());
        let outcomes = |method: &str| -> Vec<String> {
            daemon.query(|db| {
                let mut ask = db.prepare("SELECT outcome FROM audit WHERE method = ?1")?;
                ask.query_map([method], |row| row.get(0))?.collect()
            })
        };
        assert_eq!(outcomes("mcp.fs.write"), ["ok"]);
        assert_eq!(outcomes("mcp.toy.wait"), ["shutdown"], "what was given up is in the trail");
        assert_eq!(names(&run_dir(&daemon)), ["llmbasedos.lock", "toy.cap.json", "toy.sock"]);
    });
}

#[test]
fn a_second_signal_ends_at_once() {
    run(async {
        let environment = vec![("LLMBDO_SHUTDOWN_SECONDS", "3600".to_owned())];
        for (first, second) in
            [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::TERM), (Signal::TERM, Signal::INT)]
        {
            let setup = Setup { environment: environment.clone(), ..Setup::default() };
            let (mut daemon, _toy, _client, _call) = with_a_call(setup).await;
            daemon.signal(first);
            daemon.logged("stopping").await;
            daemon.signal(second);
            assert_eq!(daemon.ended().await.code(), Some(1), "{}", daemon.log());
        }
    });
}

#[test]
fn a_second_daemon_on_one_run_directory_is_refused() {
    run(async {
        let daemon = Daemon::start().await;
        let other = tempfile::tempdir().expect("a folder for the test");
        Setup::default().lay_out(other.path()).await;
        let same_folder = Setup::default().command(daemon.dir()).output().await;
        let mut same_run_dir = Setup::default().command(other.path());
        let same_run_dir = same_run_dir.arg("--run-dir").arg(run_dir(&daemon)).output().await;
        for refused in [same_folder, same_run_dir] {
            let refused = refused.expect("it runs");
            let said = daemon::text(&refused.stderr);
            assert_eq!(refused.status.code(), Some(1), "{said}");
            assert!(
                said.contains("another llmbasedos") && said.contains(&*run_dir(&daemon).to_string_lossy()),
                "{said}"
            );
        }
        for door in ["gateway", "fs"] {
            assert!(
                daemon.unix(door).await.ok("mcp.fs.list", json!(["/"])).await.is_array(),
                "the first goes on"
            );
        }
    });
}

#[test]
fn what_a_crash_leaves_behind_is_replaced() {
    run(async {
        let daemon = Daemon::start().await;
        let left = names(&run_dir(&daemon));
        for file in ["gateway.sock", "fs.sock", "fs.cap.json", "admin.sock", "admin.cap.json"] {
            assert!(left.contains(&file.to_owned()), "{left:?}");
        }
        // Of a crash half-way through the start.
        std::fs::write(run_dir(&daemon).join(".fs.sock.new"), "half").expect("a file");
        std::fs::write(run_dir(&daemon).join("fs.cap.json"), "{\"half").expect("a file");
        let daemon = daemon.crash_and_restart().await;
        for door in ["gateway", "fs"] {
            assert!(daemon.unix(door).await.ok("mcp.fs.list", json!(["/"])).await.is_array());
        }
        let file = std::fs::read_to_string(run_dir(&daemon).join("fs.cap.json")).expect("it is there");
        let file: Value = serde_json::from_str(&file).expect("it is whole");
        assert_eq!(file["service_name"], "fs");
        assert_eq!(names(&run_dir(&daemon)), left);
    });
}

#[test]
fn an_actor_that_fails_again_and_again_is_a_matter_for_its_supervisor() {
    run(async {
        let daemon = Daemon::start().await;
        let client = daemon.client().await;
        let gave_up = async || {
            let events = client.call("mcp.admin.events", json!({ "limit": 1000 })).await;
            events.is_ok_and(|events| {
                let events = events["events"].as_array().expect("a list").clone();
                events.iter().any(|event| event["event"] == "gave_up" && event["path"] == "root/services")
            })
        };
        until("the services' supervisor gives up", async || {
            let _ = client.call("mcp.admin.restart", json!({ "id": "fs", "how": "panic" })).await;
            gave_up().await
        })
        .await;
        until("the service is back", async || client.call("mcp.fs.list", json!(["/"])).await.is_ok()).await;
        // It says that it gives up before it does, and its children answer until then.
        until("its supervisor has restarted it", async || {
            client.ok("mcp.admin.actor", json!(["root/services"])).await["restarts"].as_u64() >= Some(1)
        })
        .await;
    });
}

#[test]
fn a_tree_that_gives_up_ends_the_process_with_a_code_that_has_it_restarted() {
    run(async {
        let mut daemon = Daemon::start().await;
        let client = daemon.client().await;
        let fail = async || {
            while client.call("mcp.admin.restart", json!({ "id": "root/services", "how": "panic" })).await
                != Err(harness::client::gone())
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, fail()).await.expect("it gives up");
        let status = daemon.ended().await;
        assert_eq!(status.code(), Some(1), "{}", daemon.log());
        assert!(daemon.log().contains("gave up"), "{}", daemon.log());
        assert_eq!(names(&run_dir(&daemon)), ["llmbasedos.lock"]);
    });
}

#[test]
fn wrong_settings_are_all_told_at_once_and_nothing_starts() {
    run(async {
        let settings =
            "limits:\n  connections: many\n  colour: red\nauth: { loopback: closed }\nlisten: nowhere\n";
        let setup = Setup {
            settings: settings.to_owned(),
            tiers: Some("PRO:\n  rate_limit_requests: -1\n  allowed_capabilities: ['mcp.*.x']\n".to_owned()),
            environment: vec![
                ("LLMBDO_LIMITS_BATCH", "none".to_owned()),
                ("LLMBDO_LOG_LEVLE", "info".to_owned()),
            ],
            ..Setup::default()
        };
        let dir = tempfile::tempdir().expect("a folder for the test");
        Setup::default().lay_out(dir.path()).await;
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a file");
        write("llmbasedos.yaml", &format!("state_dir: state\nrun_dir: run\n{settings}"));
        write("licence_tiers.yaml", setup.tiers.as_deref().expect("just set"));
        let refused = setup.command(dir.path()).output().await.expect("it runs");
        let said = daemon::text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        // The address on the command line wins over the one in the file, which is not looked at.
        insta::assert_snapshot!(said, @r"
        llmbasedos: llmbasedos.yaml:4: limits.connections: must be a whole number from 1 to 1000000, not `many`; the default is `12000`
        llmbasedos.yaml:5: limits.colour: unknown key `colour`; known here: connections, in_flight, in_flight_per_connection, frame_bytes, batch, call_seconds, idle_seconds, send_buffer_bytes, handshake_seconds, ping_seconds, result_bytes
        llmbasedos.yaml:6: auth.loopback: must be `token` or `open`, not `closed`; the default is `token`
        environment: LLMBDO_LIMITS_BATCH: must be a whole number from 1 to 10000, not `none`; the default is `100`
        licence_tiers.yaml:2: PRO.rate_limit_requests: must be a whole number from 0 to 1000000000, not `-1`
        licence_tiers.yaml:3: PRO.allowed_capabilities[0]: must be a method name, 'prefix.*' or '*', not `mcp.*.x`
        ");
        assert!(!dir.path().join("run").exists());
    });
}

#[test]
fn an_address_that_is_taken_is_told_with_what_to_do() {
    run(async {
        let daemon = Daemon::start().await;
        let other = tempfile::tempdir().expect("a folder for the test");
        Setup::default().lay_out(other.path()).await;
        let mut command = daemon::command("llmbasedos");
        command.args(["serve", "--listen", &daemon.address, "--config-dir"]).arg(other.path());
        let refused = command.output().await.expect("it runs");
        let said = daemon::text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains(&daemon.address) && said.contains("--listen"), "{said}");
        assert_eq!(names(&other.path().join("run")), ["llmbasedos.lock"], "nothing is left behind");
    });
}
