//! Steps that reach out: requests to listed hosts, containers of listed images; nothing else, and nothing twice.

use std::time::Duration;

use harness::{Setup, run_within, until};
use serde_json::{Value, json};

use crate::Scene;
use crate::counting::{counting, times};
use crate::docker::Docker;

const LIMIT: Duration = Duration::from_mins(5);

#[test]
fn a_request_goes_to_listed_hosts_and_its_answer_is_data() {
    run_within(LIMIT, async {
        let (server, asked) = counting().await;
        let steps = format!(
            "steps:
  - {{id: hook, http: {{method: POST, url: 'http://{server}/hook', json: {{n: 1}}, query: {{a: b}}}}}}
  - {{id: said, set: {{text: '{{{{ steps.hook.json.says }}}}'}}}}
  - id: none
    http: {{url: 'http://{server}/broken'}}
    retry: {{max: 2, backoff: 1ms, when: error.kind == 'http_status'}}
    catch: [{{id: seen, set: {{status: '{{{{ error.data.status }}}}'}}}}]
  - id: away
    http: {{url: 'http://{server}/away'}}
    catch: [{{id: led, set: {{away: '{{{{ error.kind }}}}'}}}}]
  - id: other
    http: {{url: 'http://example.org/'}}
    catch: [{{id: refused, set: {{other: '{{{{ error.message }}}}'}}}}]
outputs: '{{{{ vars }}}}'
"
        );
        let settings = format!("agent: {{http_allow: ['{server}']}}\n");
        let scene = Scene::with(&[("w", &steps)], Setup { settings, ..Setup::default() }).await;
        let id = scene.begin("w", json!({})).await;
        let output = scene.becomes(&id, "completed").await["output"].clone();
        assert_eq!(
            (&output["text"], &output["status"], &output["away"]),
            (&json!("{{ secrets.key }}"), &json!(502), &json!("permission_denied")),
            "{output:#}"
        );
        assert!(
            output["other"]
                .as_str()
                .is_some_and(|why| why.contains("'example.org' (port 80) is not in the list")),
            "{output:#}"
        );
        assert_eq!((times(&asked, "POST /hook"), times(&asked, "GET /broken")), (1, 3));
        let keys = asked.lock().expect("nobody panicked with it")["POST /hook"].clone();
        assert_eq!(keys, [format!("{id}:hook")], "a server can know it again");
    });
}

#[test]
fn without_a_list_nobody_is_asked_and_a_wrong_list_is_a_mistake() {
    run_within(LIMIT, async {
        let (server, asked) = counting().await;
        let text = format!("steps: [{{id: h, http: {{url: 'http://{server}/'}}}}]");
        for settings in ["", "agent: {http_allow: ['*']}\n"] {
            let setup = Setup { settings: settings.to_owned(), ..Setup::default() };
            let scene = Scene::with(&[("w", &text)], setup).await;
            let id = scene.begin("w", json!({})).await;
            let run = scene.becomes(&id, "failed").await;
            assert_eq!(run["error"]["kind"], "permission_denied", "{settings}: {run:#}");
        }
        assert!(asked.lock().expect("nobody panicked with it").is_empty());
    });
}

/// Containers of this scene that the engine knows.
pub(crate) fn there(engine: &Docker) -> Vec<String> {
    let listed = engine.client(&["ps", "-a", "--format", "{{.Names}}"]);
    listed.lines().map(str::to_owned).collect()
}

pub(crate) fn allows(engine: &Docker) -> Setup {
    let settings = format!(
        "agent: {{docker_socket: '{}', docker_images: ['llmbasedos-test:*']}}\n",
        engine.socket().display()
    );
    Setup { settings, ..Setup::default() }
}

#[test]
fn a_container_runs_listed_images_within_limits_and_goes() {
    run_within(LIMIT, async {
        let engine = Docker::start();
        let steps = "
inputs: {name: {type: string}}
steps:
  - id: hello
    docker:
      image: llmbasedos-test:1
      command: [sh, -c, 'cat /run/inputs/inputs.json; echo; id -u; ls /sys/class/net']
      inputs: {name: '{{ inputs.name }}'}
  - id: bad
    docker: {image: 'llmbasedos-test:1', command: [sh, -c, 'echo no; exit 3']}
    retry: {max: 1, backoff: 1ms}
    catch: [{id: why, set: {code: '{{ error.data.exit_code }}', said: '{{ error.data.output }}'}}]
  - id: slow
    docker: {image: 'llmbasedos-test:1', command: [sleep, '60'], timeout: 2s}
    catch: [{id: late, set: {slow: '{{ error.kind }}'}}]
  - id: other
    docker: {image: 'alpine:3', command: [id]}
    catch: [{id: refused, set: {other: '{{ error.kind }}'}}]
outputs: {said: '{{ steps.hello.output }}', vars: '{{ vars }}'}
";
        let scene = Scene::with(&[("w", steps)], allows(&engine)).await;
        let id = scene.begin("w", json!({ "name": "{{ secrets.x }}; $(id)" })).await;
        let output = scene.becomes(&id, "completed").await["output"].clone();
        assert_eq!(output["said"], "{\"name\":\"{{ secrets.x }}; $(id)\"}\n65534\nlo\n", "{output:#}");
        assert_eq!(
            output["vars"],
            json!({ "code": 3, "said": "no\n", "slow": "timeout", "other": "permission_denied" }),
            "{output:#}"
        );
        assert_eq!(there(&engine), [] as [&str; 0], "what is over is gone");
    });
}

#[test]
fn a_container_is_found_again_after_a_crash_and_ends_with_its_run() {
    run_within(LIMIT, async {
        let engine = Docker::start();
        let steps = "steps:
  - {id: long, docker: {image: 'llmbasedos-test:1', command: [sh, -c, 'echo begun; sleep 4; echo done']}}
";
        let ever = "steps: [{id: long, docker: {image: 'llmbasedos-test:1', command: [sleep, '3600']}}]";
        let scene = Scene::with(&[("w", steps), ("ever", ever)], allows(&engine)).await;
        let id = scene.begin("w", json!({})).await;
        until("it runs", async || there(&engine).len() == 1).await;
        let first = there(&engine);
        let scene = scene.crash_and_restart().await;
        let run = scene.becomes(&id, "completed").await;
        let came: &Value = &run["output"]["long"];
        assert_eq!((&came["output"], &came["exit_code"]), (&json!("begun\ndone\n"), &json!(0)), "{run:#}");
        assert_eq!(came["container_id"], first[0], "it is the one from before");
        until("it is gone", async || there(&engine).is_empty()).await;

        let id = scene.begin("ever", json!({})).await;
        until("it runs", async || there(&engine).len() == 1).await;
        scene.client.ok("mcp.agent.stopWorkflow", json!({ "execution_id": id })).await;
        scene.becomes(&id, "stopped").await;
        until("it ends with its run", async || there(&engine).is_empty()).await;

        // Without an engine the step says so, and nothing else suffers.
        engine.kill();
        let id = scene.begin("w", json!({})).await;
        let run = scene.becomes(&id, "failed").await;
        assert_eq!(run["error"]["data"]["kind"], "no_engine", "{run:#}");
    });
}
