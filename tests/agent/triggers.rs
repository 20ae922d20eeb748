//! Runs that something else begins: changed files, and calls of a workflow as a tool.

use harness::run;
use serde_json::json;

use crate::Scene;

#[test]
fn a_changed_file_begins_a_run_after_a_moment_of_quiet() {
    run(async {
        let on_change = "
on: {file_change: {paths: [/in], quiet: 200ms}}
steps: [{id: a, call: mcp.fs.append, with: {path: /seen.txt, content: '{{ run.cause.changes | length }};'}}]
";
        let scene = Scene::new(&[]).await;
        std::fs::create_dir(scene.daemon.file("in")).unwrap();
        scene.put("on_change", on_change).await;
        let mut n = 0;
        harness::until("it ran", async || {
            n += 1;
            std::fs::write(scene.daemon.file("in").join(format!("{n}.txt")), "x").unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(400)).await;
            scene.daemon.file("seen.txt").exists()
        })
        .await;
        let runs = scene.client.ok("mcp.agent.listRuns", json!({ "workflow_id": "on_change" })).await;
        assert_eq!(runs["runs"][0]["started_by"], "file_change");
    });
}

#[test]
fn a_workflow_is_a_method_and_a_tool_and_goes_with_its_file() {
    run(async {
        let double = "description: Doubles a number.\ninputs: {n: {type: integer, description: The number.}}\n\
                      steps: [{id: a, set: {m: '{{ inputs.n * 2 }}'}}]\noutputs: '{{ vars.m }}'\n";
        let fails = "steps: [{id: a, raise: no}]";
        let scene = Scene::new(&[("double", double), ("fails", fails)]).await;
        let known = async |method: &str| {
            let hello = scene.client.ok("mcp.hello", json!([])).await;
            hello.as_array().unwrap().iter().any(|one| one == method)
        };
        harness::until("it is offered", async || known("mcp.agent.workflow.double").await).await;
        // Two that would be one tool: one of them is, and the others keep theirs.
        scene.put("one-two", "steps: [{log: a}]").await;
        scene.put("one_two", "steps: [{log: b}]").await;
        scene.put("last", "steps: [{log: c}]").await;
        harness::until("the last is offered", async || known("mcp.agent.workflow.last").await).await;
        assert!(known("mcp.agent.workflow.double").await && known("mcp.agent.workflow.one-two").await);
        let answer = scene.client.ok("mcp.agent.workflow.double", json!({ "n": 21 })).await;
        assert_eq!((&answer["status"], &answer["output"]), (&json!("completed"), &json!(42)));
        assert_eq!(scene.client.code("mcp.agent.workflow.double", json!({ "n": "x" })).await, -32602);
        assert_eq!(scene.client.code("mcp.agent.workflow.fails", json!({})).await, -32044);
        std::fs::remove_file(scene.daemon.dir().join("workflows/double.yaml")).unwrap();
        harness::until("it is gone", async || !known("mcp.agent.workflow.double").await).await;
    });
}
