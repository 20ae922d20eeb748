//! Files: the original's, the smallest, bad ones beside good ones, and those that change while the daemon runs.

use harness::{Setup, run};
use serde_json::json;

use crate::{Scene, texts};

const HELLO: &str = "
id: hello
name: Hello
description: Says hello.
type: simple_sequential
input_schema: {type: object, properties: {who: {type: string, default: Ada}}}
steps:
  - {name: Say it, action: log_message, message: 'hello {{ not a template }}'}
  - {name: Rest, action: sleep, duration_seconds: 0.01}
  - {name: Dance, action: dance}
";

const SUMMARY: &str = "
id: copy_and_save
type: mcp_sequential_agent
input_schema:
  type: object
  properties: {from: {type: string}, to: {type: string}, lines: {type: integer}}
steps:
  - name: read
    action: mcp_call
    method: mcp.fs.read
    params_template: ['{{ inputs.from }}']
    outputs_to_context: {text: '{{ result.content }}', kind: '{{ result.mime_type }}'}
  - name: list
    action: mcp_call
    method: mcp.fs.find
    params_template: {path: /, pattern: '*.txt'}
    outputs_to_context: {first: '{{ result.entries.0.path }}'}
  - name: write
    action: mcp_call
    method: mcp.fs.write
    params_template: {path: '{{ inputs.to }}', content: \"{{ 'said: {text}' | replace('{text}', context.text) }} {{ inputs.model | default(None) }}\"}
";

#[test]
fn the_originals_files_run_unchanged() {
    run(async {
        let scene = Scene::new(&[("hello", HELLO), ("copy_and_save", SUMMARY)]).await;
        let listed = scene.client.ok("mcp.agent.listWorkflows", json!([])).await;
        assert_eq!(listed[1]["workflow_id"], "hello");
        assert_eq!(listed[1]["name"], "Hello");
        assert_eq!(listed[1]["input_schema"]["properties"]["who"]["default"], "Ada");

        let begun = scene.client.ok("mcp.agent.runWorkflow", json!(["hello", {}])).await;
        assert_eq!((&begun["workflow_id"], &begun["status"]), (&json!("hello"), &json!("started")));
        let id = begun["execution_id"].as_str().unwrap().to_owned();
        assert!(id.len() == 17 && id.starts_with("exec_"), "{id}");
        scene.becomes(&id, "completed").await;
        let status = scene.client.ok("mcp.agent.getWorkflowStatus", json!([id])).await;
        assert_eq!(status["output"], json!({ "who": "Ada" }), "{status:#}");
        assert!(
            status["start_time"].is_string()
                && status["end_time"].is_string()
                && status["error_message"].is_null()
        );
        let log = status["log_preview"].as_array().unwrap();
        assert!(
            log.iter().any(|line| line.as_str().unwrap().ends_with("hello {{ not a template }}")),
            "{log:?}"
        );
        assert!(log.iter().any(|line| line.as_str().unwrap().contains("unknown action 'dance'")), "{log:?}");

        let evil = "text with {{ secrets }} and {{ 7 * 7 }} and {% raw %}";
        std::fs::write(scene.daemon.file("in.txt"), evil).unwrap();
        let output = scene.completes("copy_and_save", json!({ "from": "/in.txt", "to": "/out.txt" })).await;
        assert_eq!(output["text"], evil);
        assert_eq!(output["first"], "/in.txt");
        assert_eq!(scene.read("out.txt"), format!("said: {evil} None"), "and nothing in it was evaluated");

        for (id, code) in [("nope", -32042), ("hello", -32041)] {
            let asked = json!({ "workflow_id": id, "inputs": { "who": 3 } });
            assert_eq!(scene.client.code("mcp.agent.runWorkflow", asked).await, code);
        }
        assert_eq!(
            scene.client.code("mcp.agent.getWorkflowStatus", json!(["exec_000000000000"])).await,
            -32043
        );
    });
}

#[test]
fn the_originals_webhooks_and_containers_need_the_owners_leave() {
    run(async {
        let hook = "id: hook\ntype: n8n_webhook\nwebhook_url: http://127.0.0.1:9/x\n";
        let container = "id: box\ntype: docker\ndocker_image: busybox\ncommand: [echo, hi]\n";
        let scene = Scene::new(&[("hook", hook), ("box", container)]).await;
        for workflow in ["hook", "box"] {
            let ended = scene.ends(workflow, json!({}), "failed").await;
            assert_eq!(ended["error"]["kind"], "permission_denied", "{ended:#}");
        }
    });
}

#[test]
fn the_smallest_form_runs() {
    run(async {
        let smallest = "steps: [{id: w, call: mcp.fs.write, with: {path: '/out-{{ inputs.n }}.txt', content: x}}, \
                        {id: z, sleep: 20ms}]";
        let scene = Scene::new(&[("smallest", smallest)]).await;
        let output = scene.completes("smallest", json!({ "n": 7 })).await;
        assert_eq!(output["w"]["path"], "/out-7.txt");
        assert_eq!(scene.read("out-7.txt"), "x");
    });
}

#[test]
fn a_bad_file_hides_no_good_one_and_changes_are_seen() {
    run(async {
        let bad = "id: bad\nsteps:\n  - slep: 1\n";
        let scene = Scene::new(&[("good", "steps: [{log: hi}]"), ("bad", bad)]).await;
        let listed = scene.client.ok("mcp.agent.listWorkflows", json!({})).await;
        assert_eq!(listed["workflows"].as_array().unwrap().len(), 1);
        let wrong = listed["mistakes"][0].as_str().unwrap();
        assert!(wrong.starts_with("bad.yaml:3: steps[0].slep") && wrong.contains("`sleep`"), "{wrong}");
        let refused = scene.client.call("mcp.agent.runWorkflow", json!(["bad"])).await.unwrap_err();
        assert_eq!(refused["data"]["kind"], "workflow_has_mistakes", "{refused}");
        scene.daemon.logged("bad.yaml:3").await;

        scene.put("bad", "id: bad\nsteps:\n  - sleep: 0\n").await;
        scene.completes("bad", json!({})).await;
        let verdict = scene
            .client
            .ok("mcp.agent.validate", json!({ "text": "steps:\n  - {log: x, sleep: 1}\n" }))
            .await;
        assert_eq!(verdict["valid"], false);
        assert!(verdict["mistakes"][0].as_str().unwrap().starts_with("text:2: steps[0]"), "{verdict}");
    });
}

#[test]
fn a_run_goes_on_with_the_workflow_that_it_was_made_from() {
    run(async {
        let scene = Scene::new(&[("w", "steps: [{id: ask, approve: Go on?}, {id: end, log: old}]")]).await;
        let id = scene.begin("w", json!({})).await;
        scene.becomes(&id, "waiting").await;
        scene.put("w", "steps: [{id: other, log: new}]").await;
        let scene = scene.crash_and_restart().await;
        scene.client.ok("mcp.agent.approve", json!([id])).await;
        let run = scene.becomes(&id, "completed").await;
        assert_eq!(texts(&run, "log"), ["old"]);
        assert_eq!(texts(&scene.ends("w", json!({}), "completed").await, "log"), ["new"]);
    });
}

#[test]
fn secrets_are_used_and_never_kept_or_shown() {
    run(async {
        let workflow = "
secrets: {key: '${TEST_KEY}'}
steps:
  - {id: w, call: mcp.fs.write, with: {path: /key.txt, content: 'the key is {{ secrets.key }}'}}
  - {id: r, call: mcp.fs.read, with: {path: /key.txt}}
  - log: 'it is {{ secrets.key }}'
  - {emit: {event: key, data: {x: '{{ secrets.key }}'}}}
  - {id: f, raise: 'no {{ secrets.key }}'}
";
        let environment = vec![("TEST_KEY", "hunter2-and-more".to_owned())];
        let scene = Scene::with(&[("w", workflow)], Setup { environment, ..Setup::default() }).await;
        let ended = scene.ends("w", json!({}), "failed").await;
        assert_eq!(scene.read("key.txt"), "the key is hunter2-and-more", "it is used");
        assert!(!ended.to_string().contains("hunter2"), "{ended:#}");
        assert_eq!(texts(&ended, "log"), ["it is ***"]);
        let leaks: i64 = scene.daemon.query(|db| {
            db.query_row(
                "SELECT (SELECT count(*) FROM agent_steps WHERE outcome LIKE '%hunter2%' OR detail LIKE '%hunter2%') + \
                 (SELECT count(*) FROM agent_events WHERE text LIKE '%hunter2%' OR data LIKE '%hunter2%') + \
                 (SELECT count(*) FROM agent_runs WHERE output LIKE '%hunter2%' OR error LIKE '%hunter2%')",
                [],
                |row| row.get(0),
            )
        });
        assert_eq!(leaks, 0);
        assert!(!scene.daemon.log().contains("hunter2"));
    });
}
