//! `luca-shell` runs a workflow and shows what it does.

use harness::{daemon, run};

use crate::Scene;

const GREET: &str = "
inputs: {name: {type: string}, n: {type: integer, default: 1}}
steps:
  - {id: hello, log: 'Hello {{ inputs.name }}'}
  - {id: sum, set: {more: '{{ inputs.n + 1 }}'}}
outputs: {more: '{{ vars.more }}'}
";

#[test]
fn the_shell_runs_a_workflow_and_lists_runs() {
    run(async {
        let fails = "steps: [{id: no, raise: 'not today'}]";
        let scene = Scene::new(&[("greet", GREET), ("fails", fails)]).await;
        let said = async |lines: &[&str]| {
            let mut shell = daemon::command("luca-shell");
            shell.args(["--url", &scene.daemon.url(), "--token-file"]).arg(scene.daemon.dir().join("token"));
            shell.env("HOME", scene.daemon.dir());
            for line in lines {
                shell.args(["-c", line]);
            }
            let output = shell.output().await.expect("it runs");
            (output.status.code(), daemon::text(&output.stdout), daemon::text(&output.stderr))
        };
        let (code, out, err) = said(&["run greet name=Ada n=41", "runs"]).await;
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(out.contains("hello: Hello Ada\n") && out.contains("\"more\": 42"), "{out}{err}");
        assert!(out.lines().any(|line| line.starts_with("exec_") && line.ends_with("greet")), "{out}");
        let (code, out, err) = said(&["run fails"]).await;
        assert_eq!(code, Some(1), "{out}{err}");
        assert!(err.contains("failed: no: not today"), "{out}{err}");
        let (code, out, err) = said(&["run greet name"]).await;
        assert_eq!(code, Some(2), "{out}{err}");
        assert!(err.contains("'name' is no input: write NAME=VALUE"), "{out}{err}");
    });
}
