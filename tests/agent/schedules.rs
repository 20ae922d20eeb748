//! Runs that the clock begins.

use std::time::Duration;

use harness::{Setup, run};
use serde_json::json;

use crate::Scene;

async fn count(scene: &Scene, workflow: &str) -> usize {
    let runs = scene.client.ok("mcp.agent.listRuns", json!({ "workflow_id": workflow, "limit": 500 })).await;
    runs["runs"].as_array().expect("runs").len()
}

#[test]
fn a_schedule_runs_once_for_each_time_that_is_due() {
    run(async {
        let every = "on: {schedule: {cron: '* * * * * *', overlap: allow}}\nsteps: [{id: a, call: mcp.fs.append, with: {path: /ticks.txt, content: x}}]";
        let scene = Scene::new(&[("every", every)]).await;
        harness::until("it ran twice", async || count(&scene, "every").await >= 2).await;
        let scene = scene.crash_and_restart().await;
        let before = count(&scene, "every").await;
        harness::until("it runs again", async || count(&scene, "every").await > before).await;
        let dues: i64 = scene.daemon.query(|db| {
            db.query_row(
                "SELECT count(*) - count(DISTINCT json_extract(cause, '$.due')) FROM agent_runs WHERE workflow = 'every'",
                [],
                |row| row.get(0),
            )
        });
        assert_eq!(dues, 0, "no time ran twice");
        let listed = scene.client.ok("mcp.agent.schedules", json!({})).await;
        assert_eq!(listed["schedules"][0]["says"], "* * * * * *");
        assert!(
            listed["schedules"][0]["next"].is_string()
                && listed["owner"].as_str().unwrap().starts_with("uid:")
        );
    });
}

#[test]
fn overlap_is_what_the_workflow_says() {
    run(async {
        let with = |overlap: &str| {
            format!(
                "on: {{schedule: {{cron: '* * * * * *', overlap: {overlap}}}}}\nsteps: [{{id: a, approve: go}}]"
            )
        };
        let (skip, replace, queue) = (with("skip"), with("replace"), with("queue"));
        let scene = Scene::new(&[("skip", &skip), ("replace", &replace), ("queue", &queue)]).await;
        harness::until("three were replaced", async || count(&scene, "replace").await >= 4).await;
        assert_eq!(count(&scene, "skip").await, 1);
        let of = async |workflow: &str, status: &str| {
            let runs = scene
                .client
                .ok("mcp.agent.listRuns", json!({ "workflow_id": workflow, "status": status }))
                .await;
            runs["runs"].as_array().unwrap().len()
        };
        assert!(of("replace", "stopped").await >= 2);
        assert_eq!(of("queue", "waiting").await, 1);
        assert!(of("queue", "pending").await >= 2);
    });
}

#[test]
fn what_was_missed_is_made_up_for_within_its_window() {
    run(async {
        let with = |catch_up: &str| {
            format!("on: {{schedule: {{cron: '0 * * * *'{catch_up}}}}}\nsteps: [{{log: hi}}]")
        };
        let (late, never) = (with(", catch_up: 2h"), with(""));
        let scene = Scene::new(&[("late", &late), ("never", &never)]).await;
        let known = || {
            scene
                .daemon
                .query(|db| db.query_row("SELECT count(*) FROM agent_schedules", [], |row| row.get(0)))
        };
        harness::until("they are looked after", async || {
            let n: i64 = known();
            n == 2
        })
        .await;
        let Scene { client, mut daemon } = scene;
        drop(client);
        daemon.stop().await;
        // As if nothing had run for the last hour and a half.
        let db = rusqlite::Connection::open(daemon.dir().join("state/llmbasedos.db")).unwrap();
        db.execute("UPDATE agent_schedules SET last_ms = last_ms - 5400000", []).unwrap();
        drop(db);
        let daemon = daemon.again().await;
        let scene = Scene { client: daemon.client().await, daemon };
        harness::until("it is made up for", async || count(&scene, "late").await == 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(
            (count(&scene, "late").await, count(&scene, "never").await),
            (1, 0),
            "the last one, and once"
        );
    });
}

#[test]
fn runs_by_themselves_are_those_of_whom_the_settings_name() {
    run(async {
        let every = "on: {schedule: {cron: '* * * * * *'}}\nsteps: [{id: a, call: mcp.fs.write, with: {path: /x.txt, content: x}}]";
        let settings = "agent: {owner: nobody}\n".to_owned();
        let scene = Scene::with(&[("every", every)], Setup { settings, ..Setup::default() }).await;
        scene.daemon.logged("nobody of this name is known").await;
        assert_eq!(count(&scene, "every").await, 0);
        scene.daemon.token_for("nobody", &["--allow", "mcp.fs.read"]).await;
        harness::until("it runs", async || count(&scene, "every").await > 0).await;
        let runs = scene.client.ok("mcp.agent.listRuns", json!({ "status": "failed" })).await;
        harness::until("and may do what the token may", async || {
            let runs = scene.client.ok("mcp.agent.listRuns", json!({ "status": "failed" })).await;
            runs["runs"][0]["error_message"].as_str().is_some_and(|why| why.contains("not allowed for token"))
        })
        .await;
        drop(runs);
    });
}
