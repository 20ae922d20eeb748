//! What persons decide: approvals, and what nobody else can know.

use harness::run;
use serde_json::json;

use crate::{Scene, texts};

#[test]
fn a_run_waits_for_a_yes_and_fails_at_a_no() {
    run(async {
        let workflow = "
steps:
  - {id: a, approve: 'Write {{ inputs.n }}?', if: inputs.n > 0}
  - {id: b, call: mcp.fs.write, with: {path: '/{{ inputs.n }}.txt', content: '{{ steps.a.note }} by {{ steps.a.by }}'}}
";
        let scene = Scene::new(&[("w", workflow)]).await;
        let id = scene.begin("w", json!({ "n": 1 })).await;
        let waits = scene.becomes(&id, "waiting").await;
        assert_eq!(waits["waits_for"][0]["detail"], "Write 1?");
        assert_eq!(waits["waits_for"][0]["step"], "a");
        let scene = scene.crash_and_restart().await;
        scene.becomes(&id, "waiting").await;
        scene.client.ok("mcp.agent.approve", json!({ "execution_id": id, "note": "yes" })).await;
        scene.becomes(&id, "completed").await;
        assert_eq!(scene.read("1.txt"), "yes by owner");
        assert_eq!(scene.client.code("mcp.agent.approve", json!([id])).await, -32043);

        let id = scene.begin("w", json!({ "n": 2 })).await;
        scene.becomes(&id, "waiting").await;
        scene.client.ok("mcp.agent.reject", json!({ "execution_id": id, "reason": "not now" })).await;
        let failed = scene.becomes(&id, "failed").await;
        assert_eq!(
            (&failed["error"]["kind"], &failed["error"]["message"]),
            (&json!("rejected"), &json!("not now"))
        );
    });
}

#[test]
fn silence_means_what_the_workflow_says() {
    run(async {
        let workflow = "
steps:
  - {id: a, approve: {message: a, timeout: 20ms, on_timeout: approve}}
  - {id: b, approve: {message: b, timeout: 20ms}, catch: [{id: c, log: '{{ error.kind }}'}]}
";
        let scene = Scene::new(&[("w", workflow)]).await;
        let ended = scene.ends("w", json!({}), "completed").await;
        assert_eq!(ended["output"]["a"]["approved"], true);
        assert_eq!(texts(&ended, "log"), ["rejected"]);
    });
}

#[test]
fn several_questions_are_told_apart() {
    run(async {
        let workflow =
            "steps: [{id: p, parallel: {branches: {x: [{id: a, approve: a}], y: [{id: b, approve: b}]}}}]";
        let scene = Scene::new(&[("w", workflow)]).await;
        let id = scene.begin("w", json!({})).await;
        harness::until("both wait", async || {
            scene.run(&id).await["waits_for"].as_array().unwrap().len() == 2
        })
        .await;
        let unclear = scene.client.call("mcp.agent.approve", json!([id])).await.unwrap_err();
        assert_eq!(unclear["data"]["kind"], "which_step");
        scene.client.ok("mcp.agent.approve", json!([id, "p/y/b"])).await;
        assert_eq!(scene.becomes(&id, "waiting").await["waits_for"].as_array().unwrap().len(), 1);
        scene.client.ok("mcp.agent.approve", json!([id])).await;
        scene.becomes(&id, "completed").await;
    });
}

#[test]
fn a_stopped_run_stops_and_goes_on_when_asked() {
    run(async {
        let workflow = "
steps:
  - {id: a, call: mcp.fs.append, with: {path: /a.txt, content: a}}
  - {id: b, approve: go}
  - {id: c, call: mcp.fs.append, with: {path: /a.txt, content: c}}
";
        let scene = Scene::new(&[("w", workflow)]).await;
        let id = scene.begin("w", json!({})).await;
        scene.becomes(&id, "waiting").await;
        let stopped = scene.client.ok("mcp.agent.stopWorkflow", json!([id])).await;
        assert_eq!(stopped["status"], "stop_requested");
        scene.becomes(&id, "stopped").await;
        let again = scene.client.ok("mcp.agent.stopWorkflow", json!([id])).await;
        assert_eq!(again["status"], "already_completed_or_not_running");
        scene.client.ok("mcp.agent.retryRun", json!([id])).await;
        scene.becomes(&id, "waiting").await;
        scene.client.ok("mcp.agent.approve", json!([id])).await;
        scene.becomes(&id, "completed").await;
        assert_eq!(scene.read("a.txt"), "ac", "what was done was not done again");
    });
}

#[test]
fn a_failed_run_is_tried_again_from_where_it_failed() {
    run(async {
        let workflow = "
steps:
  - {id: a, call: mcp.fs.append, with: {path: /a.txt, content: a}}
  - {id: g, steps: [{id: b, call: mcp.fs.read, with: {path: /b.txt}}, {id: c, call: mcp.fs.append, with: {path: /a.txt, content: c}}]}
";
        let scene = Scene::new(&[("w", workflow)]).await;
        let id = scene.begin("w", json!({})).await;
        assert_eq!(scene.becomes(&id, "failed").await["error"]["step"], "g/b");
        std::fs::write(scene.daemon.file("b.txt"), "x").unwrap();
        scene.client.ok("mcp.agent.retryRun", json!([id])).await;
        scene.becomes(&id, "completed").await;
        assert_eq!(scene.read("a.txt"), "ac");
    });
}

#[test]
fn a_run_is_followed_without_missing_anything() {
    run(async {
        let workflow = "steps: [{id: a, for_each: '{{ range(50) | list }}', log: 'line {{ item }}'}, {id: s, sleep: 50ms}, {log: end}]";
        let scene = Scene::new(&[("w", workflow)]).await;
        let id = scene.begin("w", json!({})).await;
        let over = scene.client.ok("mcp.agent.followRun", json!({ "execution_id": id })).await;
        assert_eq!(over["status"], "completed");
        let mut told = Vec::new();
        while let Some(news) = scene.client.stray_now().await {
            told.push(news);
        }
        let seqs: Vec<_> = told.iter().filter_map(seq).collect();
        let kept = scene.run(&id).await;
        let all: Vec<_> =
            kept["events"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, all, "every event, once, in order");
    });
}

fn seq(news: &serde_json::Value) -> Option<i64> {
    let text = news.to_string();
    let at = text.find("\"seq\":")? + 6;
    text[at..].split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
