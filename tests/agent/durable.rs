//! Killed at any moment: what was done is not done again, and what nobody knows is asked.

use std::time::Duration;

use harness::{Setup, run_within};
use serde_json::{Value, json};

use crate::Scene;

/// Thirty steps and more of all kinds that stay inside, each effect with a name of its own; `reaching.rs` has those that
/// do not.
pub(crate) const LONG: &str = "
inputs: {n: {type: integer}}
steps:
  - {id: a1, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"a1\\n\"}}
  - {id: a2, set: {x: 1}}
  - {id: a3, log: a3}
  - {id: a4, call: mcp.fs.write, with: {path: '/out-{{ inputs.n }}.txt', content: whole}}
  - {id: a5, sleep: 5ms}
  - {id: a6, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"a6\\n\"}}
  - {id: a7, call: mcp.fs.read, with: {path: '/out-{{ inputs.n }}.txt'}}
  - id: loop
    for_each: [l0, l1, l2, l3]
    steps:
      - {id: l_add, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"{{ item }}\\n\"}}
      - {id: l_set, set: {x: '{{ vars.x + 1 }}'}}
  - id: fork
    parallel:
      branches:
        left: [{id: f1, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"f1\\n\"}}, {id: f2, log: f2}]
        right: [{id: f3, sleep: 3ms}, {id: f4, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"f4\\n\"}}]
  - id: way
    switch:
      - {when: vars.x == 5, steps: [{id: s1, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"s1\\n\"}}]}
      - {steps: [{id: s2, raise: wrong}]}
  - id: caught
    steps: [{id: c1, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"c1\\n\"}}, {id: c2, raise: odd}]
    catch: [{id: c3, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"c3\\n\"}}]
  - id: tries
    retry: {max: 3, backoff: 2ms}
    steps:
      - {id: t1, call: mcp.fs.append, with: {path: '/tries-{{ inputs.n }}.txt', content: x}}
      - {id: t2, call: mcp.fs.read, with: {path: '/tries-{{ inputs.n }}.txt'}}
      - {id: t3, if: steps.t2.content | length < 2, raise: again}
  - {id: yes, approve: {message: ok, timeout: 3ms, on_timeout: approve}}
  - {id: sub, workflow: {id: inner, inputs: {n: '{{ inputs.n }}'}}}
  - {id: e1, emit: {event: nearly, data: {n: 1}}}
  - {id: a8, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"a8\\n\"}}
outputs: {x: '{{ vars.x }}'}
";

pub(crate) const INNER: &str = "
steps:
  - {id: i1, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"i1\\n\"}}
  - {id: i2, sleep: 2ms}
  - {id: i3, call: mcp.fs.append, with: {path: '/run-{{ inputs.n }}.txt', content: \"i3\\n\"}}
";

/// What a run appends, in any order where two branches do.
pub(crate) const EFFECTS: &[&str] =
    &["a1", "a6", "a8", "c1", "c3", "f1", "f4", "i1", "i3", "l0", "l1", "l2", "l3", "s1"];

/// Kills; the judged number is 200, which `LLMBDO_TEST_KILLS` asks for.
pub(crate) fn kills() -> u64 {
    let asked = cluster_config::Environment::process();
    asked.get("LLMBDO_TEST_KILLS").and_then(|text| text.parse().ok()).unwrap_or(12)
}

#[test]
fn a_run_that_is_killed_at_random_moments_does_nothing_twice() {
    run_within(Duration::from_mins(30), async {
        let mut dice = fastrand::Rng::new();
        println!("dice: {}", dice.get_seed());
        let settings = "log: {level: warn}\n".to_owned();
        let mut scene =
            Scene::with(&[("long", LONG), ("inner", INNER)], Setup { settings, ..Setup::default() }).await;
        let (mut killed, mut asked, mut runs) = (0, 0, 0);
        while killed < kills() {
            runs += 1;
            let id = scene.begin("long", json!({ "n": runs })).await;
            let mut decided = 0;
            loop {
                tokio::time::sleep(Duration::from_millis(dice.u64(0..120))).await;
                if over(&scene.run(&id).await) {
                    break;
                }
                scene = scene.crash_and_restart().await;
                killed += 1;
                decided += decide(&scene, &id, |place, asks| appended(&scene, runs, place, asks)).await;
            }
            let ended = scene.run(&id).await;
            assert_eq!(ended["status"], "completed", "{ended:#}");
            assert_eq!(ended["output"], json!({ "x": 5 }));
            let mut lines: Vec<String> =
                scene.read(&format!("run-{runs}.txt")).lines().map(str::to_owned).collect();
            lines.sort();
            assert_eq!(lines, EFFECTS, "run {runs}, {decided} decided");
            assert_eq!(scene.read(&format!("tries-{runs}.txt")), "xx", "run {runs}");
            assert_eq!(scene.read(&format!("out-{runs}.txt")), "whole");
            asked += decided;
        }
        println!("{killed} kills in {runs} runs; every effect exactly once; asked about {asked}");
    });
}

pub(crate) fn over(run: &Value) -> bool {
    ["completed", "failed", "stopped"].contains(&run["status"].as_str().expect("a status"))
}

/// Answers what the runs ask of which nobody knows; `done` says of a step and its question whether it was done.
pub(crate) async fn decide(scene: &Scene, id: &str, mut done: impl FnMut(&str, &str) -> bool) -> usize {
    let mut decided = 0;
    let mut runs = vec![id.to_owned()];
    // The run may be waiting for another one.
    for run in scene.client.ok("mcp.agent.listRuns", json!({ "status": "waiting" })).await["runs"]
        .as_array()
        .expect("it is said")
    {
        let id = run["execution_id"].as_str().expect("it is said").to_owned();
        if !runs.contains(&id) {
            runs.push(id);
        }
    }
    // What was begun before the kill is found at once when the run goes on.
    tokio::time::sleep(Duration::from_millis(60)).await;
    for id in runs {
        for step in scene.run(&id).await["waits_for"].as_array().expect("it is said") {
            let (place, kind) =
                (step["step"].as_str().expect("it is said"), step["kind"].as_str().expect("it is said"));
            if kind == "approve" || kind == "workflow" {
                continue;
            }
            let asks = step["detail"].as_str().expect("it is said");
            assert!(asks.contains("Nobody knows whether this was done"), "{step:#}");
            let answer = if done(place, asks) { json!({ "outcome": {} }) } else { json!({ "repeat": true }) };
            let mut params = json!({ "execution_id": id, "step": place });
            params
                .as_object_mut()
                .expect("it is said")
                .extend(answer.as_object().expect("it is said").clone());
            scene.client.ok("mcp.agent.approve", params).await;
            decided += 1;
        }
    }
    decided
}

/// Whether a file has what a step was to append, as a person would find out who looks.
pub(crate) fn appended(scene: &Scene, n: u64, place: &str, asks: &str) -> bool {
    assert!(asks.contains("mcp.fs.append"), "{place}: {asks}");
    let there = |name: String| std::fs::read_to_string(scene.daemon.file(&name)).unwrap_or_default();
    if asks.contains("/tries-") {
        // The try before it wrote one; this one is the second.
        return there(format!("tries-{n}.txt")).len() > usize::from(place.contains("#2"));
    }
    let line =
        asks.split("\"content\":\"").nth(1).expect("it is said").split("\\n").next().expect("it is said");
    there(format!("run-{n}.txt")).lines().any(|one| one == line)
}

#[test]
fn actors_that_are_killed_come_back_and_go_on() {
    run_within(Duration::from_mins(10), async {
        let mut dice = fastrand::Rng::new();
        println!("dice: {}", dice.get_seed());
        let scene = Scene::new(&[("long", LONG), ("inner", INNER)]).await;
        for n in 1..=4 {
            let id = scene.begin("long", json!({ "n": n })).await;
            for how in ["kill", "panic", "kill"] {
                tokio::time::sleep(Duration::from_millis(dice.u64(0..40))).await;
                let victim =
                    dice.choice([id.as_str(), "agent-clerk", "agent-clock", "agent-triggers"]).unwrap();
                // It may be over already.
                let _ = scene.client.call("mcp.admin.restart", json!({ "id": victim, "how": how })).await;
                decide(&scene, &id, |place, asks| appended(&scene, n, place, asks)).await;
            }
            let until = std::time::Instant::now() + harness::PATIENCE;
            while !over(&scene.run(&id).await) {
                decide(&scene, &id, |place, asks| appended(&scene, n, place, asks)).await;
                assert!(
                    std::time::Instant::now() < until,
                    "{:#}\n{}",
                    scene.run(&id).await,
                    scene.daemon.log()
                );
            }
            let mut lines: Vec<String> =
                scene.read(&format!("run-{n}.txt")).lines().map(str::to_owned).collect();
            lines.sort();
            assert_eq!(lines, EFFECTS, "run {n}");
        }
    });
}

#[test]
fn sleeps_outlast_the_process() {
    run_within(Duration::from_mins(4), async {
        let scene = Scene::new(&[("w", "steps: [{id: a, sleep: 1500ms}, {id: b, log: awake}]")]).await;
        let began = std::time::Instant::now();
        let id = scene.begin("w", json!({})).await;
        harness::until("it sleeps", async || scene.run(&id).await["steps"].as_array().unwrap().len() == 1)
            .await;
        let scene = scene.crash_and_restart().await;
        scene.becomes(&id, "completed").await;
        let took = began.elapsed();
        assert!(
            took >= Duration::from_millis(1500) && took < Duration::from_secs(6),
            "{took:?}: from when it began to sleep"
        );
    });
}
