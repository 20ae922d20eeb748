//! The features of the CNCF Serverless Workflow's conformance kit that have a counterpart here, named after its files.

use harness::{Setup, run};
use serde_json::{Value, json};

use crate::counting::{counting, times};
use crate::{Scene, texts};

async fn output(workflow: &str, inputs: Value) -> Value {
    Scene::new(&[("w", workflow)]).await.completes("w", inputs).await
}

async fn error(workflow: &str) -> Value {
    Scene::new(&[("w", workflow)]).await.ends("w", json!({}), "failed").await["error"].clone()
}

#[test]
fn for_() {
    run(async {
        let made = output(
            "
inputs: {colors: {type: array, default: [red, green, blue]}}
steps:
  - {id: init, set: {processed: []}}
  - id: loop
    for_each: {in: inputs.colors, as: color}
    set: {processed: '{{ vars.processed + [color ~ index] }}'}
  - id: beside
    for_each: {in: '{{ range(20) | list }}', as: n, max_parallel: 4}
    steps: [{id: x, set: {y: '{{ n * 2 }}'}}, {id: z, log: '{{ vars.y }}'}]
  - {id: none, for_each: [], log: never}
outputs: {processed: '{{ vars.processed }}', beside: '{{ steps.beside }}', none: '{{ steps.none }}'}
",
            json!({}),
        )
        .await;
        assert_eq!(made["processed"], json!(["red0", "green1", "blue2"]));
        assert_eq!(made["beside"].as_array().unwrap().len(), 20);
        assert_eq!((&made["beside"][19], &made["none"]), (&json!("38"), &json!([])));
        let why = error("steps: [{id: a, for_each: '7', log: x}]").await;
        assert_eq!((&why["kind"], &why["step"]), (&json!("template"), &json!("a")));
    });
}

#[test]
fn call_http() {
    run(async {
        let (server, asked) = counting().await;
        let workflow = format!(
            "
steps:
  - {{id: get, http: {{url: 'http://{server}/pets/{{{{ inputs.pet }}}}', query: {{status: sold}}}}}}
  - {{id: put, http: {{method: PUT, url: 'http://{server}/pets', json: {{name: rex}}}}, outputs: '{{{{ result.status }}}}'}}
  - {{id: none, http: {{url: 'http://{server}/broken'}}, catch: [{{set: {{kind: '{{{{ error.kind }}}}', status: '{{{{ error.data.status }}}}'}}}}]}}
  - {{id: fine, http: {{url: 'http://{server}/broken', expect_status: [200, 502]}}, outputs: '{{{{ result.status }}}}'}}
outputs: {{get: '{{{{ steps.get.json.path }}}}', put: '{{{{ steps.put }}}}', fine: '{{{{ steps.fine }}}}', none: '{{{{ vars }}}}'}}
"
        );
        let settings = format!("agent: {{http_allow: ['{server}']}}\n");
        let scene = Scene::with(&[("w", &workflow)], Setup { settings, ..Setup::default() }).await;
        assert_eq!(
            scene.completes("w", json!({ "pet": 7 })).await,
            json!({ "get": "/pets/7", "put": 200, "fine": 502, "none": { "kind": "http_status", "status": 502 } })
        );
        assert_eq!((times(&asked, "GET /pets/7"), times(&asked, "PUT /pets")), (1, 1));
    });
}

#[test]
fn switch() {
    run(async {
        let workflow = "
steps:
  - id: s
    switch:
      - {when: inputs.color == 'red', steps: [{set: {rgb: [255, 0, 0]}}]}
      - {when: inputs.color == 'green', steps: [{set: {rgb: [0, 255, 0]}}]}
      - {steps: [{id: other, set: {rgb: []}}]}
outputs: '{{ vars.rgb }}'
";
        let scene = Scene::new(&[("w", workflow)]).await;
        for (color, rgb) in [("red", json!([255, 0, 0])), ("green", json!([0, 255, 0])), ("mauve", json!([]))]
        {
            assert_eq!(scene.completes("w", json!({ "color": color })).await, rgb);
        }
    });
}

#[test]
fn try_() {
    run(async {
        let made = output(
            "
steps:
  - id: a
    call: mcp.fs.read
    with: {path: /nowhere.txt}
    catch: [{id: b, set: {kind: '{{ error.kind }}', code: '{{ error.code }}', at: '{{ error.step }}', what: '{{ error.data.kind }}'}}]
    finally: [{id: c, set: {ended: true}}]
  - id: block
    steps: [{id: d, log: before}, {id: e, raise: {kind: odd, message: no, data: {n: 1}}}, {id: f, log: never}]
    catch: {when: why.kind == 'odd', as: why, steps: [{id: g, set: {n: '{{ why.data.n }}'}}]}
outputs: '{{ vars }}'
",
            json!({}),
        )
        .await;
        assert_eq!(
            made,
            json!({ "kind": "fs_path", "code": -32011, "at": "a", "what": "not_found", "ended": true, "n": 1 })
        );

        let why =
            error("steps: [{id: a, raise: no, catch: {when: error.kind == 'x', steps: [{log: y}]}}]").await;
        assert_eq!((&why["kind"], &why["message"]), (&json!("raised"), &json!("no")));
        let made = output(
            "steps: [{id: a, raise: no}]\ncatch: [{set: {m: '{{ error.message }}'}}]\nfinally: [{set: {f: 1}}]\noutputs: '{{ vars }}'\n",
            json!({}),
        )
        .await;
        assert_eq!(made, json!({ "m": "no", "f": 1 }));
    });
}

#[test]
fn retry() {
    run(async {
        // Each try counts in a file, and the third finds that it is enough.
        let workflow = "
steps:
  - id: tries
    retry: {max: 5, backoff: 10ms, factor: 1, jitter: 0.5, when: error.kind == 'again'}
    steps:
      - {id: count, call: mcp.fs.append, with: {path: /tries.txt, content: x}}
      - {id: look, call: mcp.fs.read, with: {path: /tries.txt}}
      - {id: enough, if: steps.look.content | length < 3, raise: {kind: again, message: not yet}}
  - {id: once, retry: 3, raise: {kind: other, message: no}, catch: [{log: caught}]}
outputs: '{{ steps.look.content }}'
";
        let scene = Scene::new(&[("w", workflow)]).await;
        let ended = scene.ends("w", json!({}), "completed").await;
        assert_eq!(ended["output"], "xxx");
        assert_eq!(texts(&ended, "retrying").iter().filter(|text| text.contains("not yet")).count(), 2);
        let why =
            error("steps: [{id: a, retry: {max: 2, backoff: 1ms, when: error.kind == 'x'}, raise: no}]")
                .await;
        assert_eq!(why["message"], "no");
    });
}

#[test]
fn fork() {
    run(async {
        let made = output(
            "
steps:
  - id: both
    parallel: {branches: {a: [{id: x, set: {a: 1}}], b: [{sleep: 10ms}, {id: y, set: {b: 2}}]}}
  - id: race
    parallel: {compete: true, branches: {slow: [{id: s, sleep: 1h}], fast: [{id: f, sleep: 10ms}, {id: g, set: {won: true}}]}}
outputs: {vars: '{{ vars }}', winner: '{{ steps.race.winner }}', y: '{{ steps.y }}'}
",
            json!({}),
        )
        .await;
        assert_eq!(
            made,
            json!({ "vars": { "a": 1, "b": 2, "won": true }, "winner": "fast", "y": { "b": 2 } })
        );
        let why = error("steps: [{id: p, parallel: {branches: {a: [{sleep: 20ms}, {raise: first}], b: [{raise: second}]}}}]").await;
        assert_eq!(why["message"], "first", "the first in their order, whichever was faster");
    });
}

#[test]
fn wait() {
    run(async {
        let began = std::time::Instant::now();
        output("steps: [{id: a, sleep: 0.2}, {id: b, wait: {until: '2020-01-01T00:00:00Z'}}, {sleep: '{{ 0.1 }}'}]", json!({})).await;
        assert!(began.elapsed().as_millis() >= 300);
    });
}

#[test]
fn set() {
    run(async {
        let made = output(
            "
env: {HI: 'hi {{ inputs.who }}'}
inputs: {who: {type: string, default: Ada}}
steps:
  - {id: a, set: {shape: circle, size: '{{ 2 * 3 }}', deep: {list: [1, '{{ inputs.who }}']}}}
  - {id: b, set: {size: '{{ vars.size + 1 }}', hi: '{{ env.HI }}'}, outputs: 'size {{ result.size }}'}
outputs: {vars: '{{ vars }}', b: '{{ steps.b }}'}
",
            json!({}),
        )
        .await;
        let vars = json!({ "shape": "circle", "size": 7, "deep": { "list": [1, "Ada"] }, "hi": "hi Ada" });
        assert_eq!(made, json!({ "vars": vars, "b": "size 7" }));
    });
}

#[test]
fn raise() {
    run(async {
        let why = error(
            "steps: [{id: a, steps: [{id: b, raise: {kind: compliance, message: no, data: {status: 400}}}]}]",
        )
        .await;
        assert_eq!(
            why,
            json!({ "kind": "compliance", "message": "no", "code": null, "data": { "status": 400 }, "step": "a/b" })
        );
    });
}

#[test]
fn do_() {
    run(async {
        // One after the other without a word; as they need one another with one.
        let made = output(
            "
steps:
  - {id: a, set: {a: 1}}
  - {id: b, needs: [], sleep: 20ms}
  - {id: c, needs: [a, b], set: {c: '{{ vars.a + 1 }}'}}
  - {id: d, set: {d: '{{ vars.c + 1 }}'}}
  - {id: e, if: vars.d > 100, log: never}
outputs: {vars: '{{ vars }}', e: '{{ steps.e }}'}
",
            json!({}),
        )
        .await;
        assert_eq!(made, json!({ "vars": { "a": 1, "c": 2, "d": 3 }, "e": null }));
    });
}

#[test]
fn run_workflow() {
    run(async {
        let inner = "inputs: {n: {type: integer}}\nsteps: [{id: a, set: {m: '{{ inputs.n + 1 }}'}}]\noutputs: '{{ vars.m }}'\n";
        let outer = "steps: [{id: s, workflow: {id: inner, inputs: {n: 1}}}, {id: t, workflow: {id: inner, inputs: {n: '{{ steps.s }}'}}}]";
        let endless = "steps: [{id: again, workflow: endless}]";
        let scene = Scene::new(&[("inner", inner), ("outer", outer), ("endless", endless)]).await;
        assert_eq!(scene.completes("outer", json!({})).await, json!({ "s": 2, "t": 3 }));
        let ended = scene.ends("endless", json!({}), "failed").await;
        assert!(ended.to_string().contains("8 deep"), "{ended:#}");
    });
}

#[test]
fn timeouts() {
    run(async {
        let made = output(
            "
steps:
  - {id: a, timeout: 30ms, steps: [{sleep: 1h}], catch: [{set: {a: '{{ error.kind }}'}}]}
  - {id: b, timeout: 30ms, retry: {max: 1, backoff: 1ms}, parallel: {branches: {x: [{sleep: 1h}]}}, catch: [{set: {b: '{{ error.kind }}'}}]}
outputs: '{{ vars }}'
",
            json!({}),
        )
        .await;
        assert_eq!(made, json!({ "a": "timeout", "b": "timeout" }));
        assert_eq!(error("timeout: 50ms\nsteps: [{id: a, sleep: 1h}]").await["kind"], "timeout");
    });
}

#[test]
fn a_workflow_only_narrows() {
    run(async {
        let narrow = "allow: [mcp.fs.read]\nsteps: [{id: a, call: fs_write, with: {path: /x, content: x}}]";
        let inner = "steps: [{id: a, call: mcp.fs.write, with: {path: /y, content: x}}]";
        let outer = "allow: [mcp.fs.read]\nsteps: [{id: s, workflow: inner}]";
        let itself = "steps: [{id: a, call: mcp.agent.approve, with: [x]}]";
        let starts = "steps: [{id: a, call: mcp.agent.runWorkflow, with: [inner]}]";
        let all =
            [("narrow", narrow), ("inner", inner), ("outer", outer), ("itself", itself), ("starts", starts)];
        let scene = Scene::new(&all).await;
        for (workflow, kind) in [
            ("narrow", "permission_denied"),
            ("outer", "workflow_failed"),
            ("itself", "permission_denied"),
            ("starts", "agent_run"),
        ] {
            assert_eq!(scene.ends(workflow, json!({}), "failed").await["error"]["kind"], kind, "{workflow}");
        }
        scene.completes("inner", json!({})).await;
        // A token's own narrowing goes with its runs, and so does its end.
        let token =
            scene.daemon.token_for("reader", &["--allow", "mcp.fs.read", "--allow", "mcp.agent.*"]).await;
        let reader = harness::Client::ws(&scene.daemon.url(), Some(&token)).await.expect("it gets in");
        let begun = reader.ok("mcp.agent.runWorkflow", json!({ "workflow_id": "inner", "wait": true })).await;
        assert_eq!(begun["status"], "failed", "{begun}");
        assert!(begun["error_message"].as_str().unwrap().contains("not allowed for token"), "{begun}");
        let runs = reader.ok("mcp.agent.listRuns", json!({})).await;
        assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "it sees its own");
        // Rows of the audit are written four times a second.
        harness::until("the audit has the run", async || {
            let audited: i64 = scene.daemon.query(|db| {
                db.query_row(
                    "SELECT count(*) FROM audit WHERE run LIKE 'exec_%' AND method = 'mcp.fs.write'",
                    [],
                    |row| row.get(0),
                )
            });
            audited >= 1
        })
        .await;
    });
}

#[test]
fn limits_hold() {
    run(async {
        let settings = "agent: {steps: 50, output_kb: 4, log_lines: 100}\n".to_owned();
        let many = "steps: [{id: a, for_each: '{{ range(40) | list }}', log: '{{ item }}'}, {id: b, for_each: '{{ range(40) | list }}', log: x}]";
        let large = "steps: [{id: a, set: {x: \"{{ 'x' * 5000 }}\"}}]";
        let scene =
            Scene::with(&[("many", many), ("large", large)], Setup { settings, ..Setup::default() }).await;
        assert_eq!(scene.ends("many", json!({}), "failed").await["error"]["kind"], "too_many_steps");
        assert_eq!(scene.ends("large", json!({}), "failed").await["error"]["kind"], "too_large");
    });
}
