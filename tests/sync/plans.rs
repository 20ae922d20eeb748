//! What deletes is planned first, and what is run is what was planned.

use harness::{Client, Rclone, Served, Server, run, until};
use serde_json::{Value, json};

use crate::{BOTH, Scene, hashes, kind, write};

fn job(verb: &str) -> Value {
    json!({ "source": "/from", "destination": "box:to", "verb": verb })
}

/// A scene in which nobody may do without a plan, and a sync would copy two files and delete three.
async fn scene(rclone: Rclone, server: &Server) -> Scene {
    let scene = Scene::with(rclone, &server.remote("box"), "").await;
    write(scene.daemon.file("from/new.txt"), "new");
    write(scene.daemon.file("from/changed.txt"), "changed here");
    for name in ["changed.txt", "gone/1", "gone/2", "gone/3"] {
        write(server.folder().join("to").join(name), "old");
    }
    scene
}

#[test]
fn what_deletes_needs_a_plan_and_the_plan_says_what_is_done() {
    run(async {
        for rclone in BOTH {
            let server = Server::start(Served::Sftp);
            let scene = scene(rclone, &server).await;
            let before = hashes(&server.folder());
            for verb in ["sync", "move", "bisync"] {
                let refused = scene.client.call("mcp.sync.runJob", json!({ "job": job(verb) })).await;
                let refused = refused.expect_err("it needs a plan");
                assert_eq!((kind(&refused), &refused["code"]), ("plan_needed", &json!(-32022)), "{refused}");
            }
            let plan = scene.client.ok("mcp.sync.plan", json!({ "job": job("sync"), "limit": 4 })).await;
            assert_eq!(
                (&plan["counts"]["copy"], &plan["deletes"], &plan["counts"]["delete"]),
                (&json!(2), &json!(3), &json!(3)),
                "{plan:#}"
            );
            assert_eq!((&plan["bytes"], plan["changes"].as_array().map(Vec::len)), (&json!(15), Some(4)));
            assert_eq!(hashes(&server.folder()), before, "a plan changes nothing");

            let ran =
                scene.client.ok("mcp.sync.run", json!({ "plan_id": plan["plan_id"], "wait": true })).await;
            assert_eq!(
                (&ran["status"], &ran["progress"]["deletes"]),
                (&json!("completed"), &json!(3)),
                "{ran:#}"
            );
            assert_eq!(hashes(&server.folder().join("to")), hashes(&scene.daemon.file("from")));
            let again = scene.client.call("mcp.sync.run", json!({ "plan_id": plan["plan_id"] })).await;
            assert_eq!(kind(&again.expect_err("a plan is run once")), "no_such_plan");
        }
    });
}

#[test]
fn a_plan_that_is_no_longer_true_is_not_run() {
    run(async {
        let server = Server::start(Served::Sftp);
        let scene = scene(Rclone::Current, &server).await;
        let plan =
            async || scene.client.ok("mcp.sync.plan", json!({ "job": job("sync") })).await["plan_id"].clone();
        let first = plan().await;
        write(server.folder().join("to/gone/4"), "one more to delete");
        let before = hashes(&server.folder());
        let stale =
            scene.client.call("mcp.sync.run", json!({ "plan_id": first })).await.expect_err("it is stale");
        assert_eq!((kind(&stale), hashes(&server.folder())), ("plan_stale", before), "{stale}");
        // Somebody else's is nobody's.
        let token = scene.daemon.token_for("other", &[]).await;
        let other = Client::ws(&scene.daemon.url(), Some(&token)).await.expect("it gets in");
        let mine = plan().await;
        let refused =
            other.call("mcp.sync.run", json!({ "plan_id": mine })).await.expect_err("it is not theirs");
        assert_eq!(kind(&refused), "no_such_plan");
        // A plan outlasts the daemon.
        let scene = scene.crash_and_restart().await;
        let ran = scene.client.ok("mcp.sync.run", json!({ "plan_id": mine, "wait": true })).await;
        assert_eq!(ran["status"], "completed", "{ran:#}");
    });
}

#[test]
fn nothing_is_deleted_when_more_would_be_than_may() {
    run(async {
        for rclone in BOTH {
            let server = Server::start(Served::Webdav);
            let scene = scene(rclone, &server).await;
            let mut wanted = job("sync");
            wanted["options"] = json!({ "max_delete": 2 });
            let before = hashes(&server.folder());
            let plan = scene.client.ok("mcp.sync.plan", json!({ "job": wanted })).await;
            let refused = scene.client.call("mcp.sync.run", json!({ "plan_id": plan["plan_id"] })).await;
            let refused = refused.expect_err("three are more than two");
            assert_eq!((kind(&refused), hashes(&server.folder())), ("max_delete", before), "{refused}");
            wanted["options"]["max_delete"] = json!(3);
            let plan = scene.client.ok("mcp.sync.plan", json!({ "job": wanted })).await;
            let ran =
                scene.client.ok("mcp.sync.run", json!({ "plan_id": plan["plan_id"], "wait": true })).await;
            assert_eq!(ran["status"], "completed", "{ran:#}");
        }
    });
}

#[test]
fn who_is_trusted_may_do_without_a_plan_and_max_delete_still_holds() {
    run(async {
        let server = Server::start(Served::Webdav);
        let remotes = server.remote("box");
        let scene = Scene::with(Rclone::Current, &remotes, "sync: {outright: [trusted]}\n").await;
        write(scene.daemon.file("from/new.txt"), "new");
        write(server.folder().join("to/old.txt"), "old");
        let begun = scene.client.call("mcp.sync.runJob", json!({ "job": job("sync") })).await;
        assert_eq!(kind(&begun.expect_err("the owner is not on the list")), "plan_needed");
        let token = scene.daemon.token_for("trusted", &[]).await;
        let trusted = Client::ws(&scene.daemon.url(), Some(&token)).await.expect("it gets in");
        let mut wanted = job("sync");
        wanted["options"] = json!({ "max_delete": 0 });
        let refused = trusted
            .call("mcp.sync.runJob", json!({ "job": wanted }))
            .await
            .expect_err("one is more than none");
        assert_eq!(kind(&refused), "max_delete");
        assert!(server.folder().join("to/old.txt").exists());
        let ran = trusted.ok("mcp.sync.runJob", json!({ "job": job("sync"), "wait": true })).await;
        assert_eq!(ran["status"], "completed", "{ran:#}");
        assert!(!server.folder().join("to/old.txt").exists());
    });
}

#[test]
fn jobs_have_names_and_a_history() {
    run(async {
        let server = Server::start(Served::Sftp);
        let scene = scene(Rclone::Current, &server).await;
        let define = |replace: bool| json!({ "name": "nightly", "job": job("copy"), "description": "to the box", "replace": replace });
        scene.client.ok("mcp.sync.defineJob", define(false)).await;
        let taken = scene.client.call("mcp.sync.defineJob", define(false)).await.expect_err("it is there");
        assert_eq!(kind(&taken), "name_taken");
        scene.client.ok("mcp.sync.defineJob", define(true)).await;
        let scene = scene.crash_and_restart().await;
        for _ in 0..3 {
            let ran = scene.client.ok("mcp.sync.runJob", json!({ "name": "nightly", "wait": true })).await;
            assert_eq!(ran["status"], "completed", "{ran:#}");
            assert!(ran["job_id"].as_str().expect("an id").starts_with("nightly_"));
        }
        scene.completes(job("copy")).await;
        let scene = scene.crash_and_restart().await;
        let listed = scene.client.ok("mcp.sync.listJobs", json!({})).await;
        assert_eq!(
            (listed["jobs"].as_array().map(Vec::len), &listed["definitions"][0]["name"]),
            (Some(4), &json!("nightly"))
        );
        let page = scene.client.ok("mcp.sync.history", json!({ "limit": 2, "name": "nightly" })).await;
        assert_eq!(page["jobs"].as_array().map(Vec::len), Some(2), "{page:#}");
        let rest = json!({ "limit": 2, "name": "nightly", "cursor": page["cursor"] });
        let rest = scene.client.ok("mcp.sync.history", rest).await;
        assert_eq!(
            (rest["jobs"].as_array().map(Vec::len), &rest["cursor"]),
            (Some(1), &Value::Null),
            "{rest:#}"
        );
        scene.client.ok("mcp.sync.deleteJob", json!({ "name": "nightly" })).await;
        let gone =
            scene.client.call("mcp.sync.runJob", json!({ "name": "nightly" })).await.expect_err("it is gone");
        assert_eq!((kind(&gone), &gone["code"]), ("no_such_definition", &json!(-32021)));
    });
}

#[test]
fn what_deletes_is_not_resumed_long_after_it_was_planned() {
    run(async {
        let server = Server::start(Served::Sftp);
        let scene = scene(Rclone::Current, &server).await;
        let plan = scene.client.ok("mcp.sync.plan", json!({ "job": job("sync") })).await;
        let begun =
            scene.client.ok("mcp.sync.run", json!({ "plan_id": plan["plan_id"], "wait": true })).await;
        let id = begun["job_id"].clone();
        let state =
            rusqlite::Connection::open(scene.daemon.dir().join("state/llmbasedos.db")).expect("it opens");
        let set = |state_of: &str, ago_ms: i64| {
            let begun = jiff::Timestamp::now().as_millisecond() - ago_ms;
            let query = "UPDATE sync_jobs SET state = ?1, started_ms = ?2";
            assert_eq!(state.execute(query, rusqlite::params![state_of, begun]).expect("it is written"), 1);
        };
        set("interrupted", 3_700_000);
        let resume = json!({ "job_id": id, "wait": true });
        let refused =
            scene.client.call("mcp.sync.resume", resume.clone()).await.expect_err("it was long ago");
        assert_eq!(kind(&refused), "plan_needed", "{refused}");
        set("interrupted", 3_000_000);
        assert_eq!(scene.client.ok("mcp.sync.resume", resume.clone()).await["status"], "completed");
        let refused = scene.client.call("mcp.sync.resume", resume).await.expect_err("it is over");
        assert_eq!(kind(&refused), "not_resumable");
    });
}

#[test]
fn of_old_jobs_only_so_many_are_remembered() {
    run(async {
        let server = Server::start(Served::Sftp);
        let scene = Scene::with(Rclone::Current, &server.remote("box"), "sync: {history_jobs: 2}\n").await;
        write(scene.daemon.file("from/a"), "x");
        for _ in 0..4 {
            scene.completes(job("copy")).await;
        }
        let scene = scene.crash_and_restart().await;
        let count = |table: &str| {
            let query = format!("SELECT count(*) FROM {table}");
            scene.daemon.query(|db| db.query_row(&query, [], |row| row.get::<_, i64>(0)))
        };
        until("the old ones are forgotten", async || count("sync_jobs") == 2).await;
        assert!(count("sync_log") <= 10, "what they said is forgotten with them");
        let page = scene.client.ok("mcp.sync.history", json!({})).await;
        assert_eq!(page["jobs"].as_array().map(Vec::len), Some(2), "{page:#}");
    });
}
