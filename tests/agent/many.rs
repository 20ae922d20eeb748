//! Many runs at once. How fast is said, not judged: a test machine is busy.

use std::time::{Duration, Instant};

use harness::run_within;
use serde_json::json;

use crate::Scene;

/// Ten steps that wait for nothing but the journal.
const TEN: &str = "
inputs: {n: {type: integer}}
steps:
  - {id: a, set: {x: 0}}
  - {id: b, set: {x: '{{ vars.x + 1 }}'}}
  - {id: c, set: {x: '{{ vars.x + 1 }}'}}
  - {id: d, call: mcp.fs.stat, with: {path: /}}
  - {id: e, set: {x: '{{ vars.x + 1 }}'}}
  - {id: f, log: '{{ vars.x }}'}
  - {id: g, set: {x: '{{ vars.x + 1 }}'}}
  - {id: h, call: mcp.fs.stat, with: {path: /}}
  - {id: i, emit: {event: done, data: {n: '{{ inputs.n }}'}}}
  - {id: j, set: {x: '{{ vars.x + 1 }}'}}
outputs: '{{ vars.x }}'
";

#[test]
fn a_thousand_runs_at_once_lose_nothing() {
    run_within(Duration::from_mins(10), async {
        let scene = Scene::new(&[("ten", TEN)]).await;
        let began = Instant::now();
        let begun =
            futures_util::future::join_all((0..1000).map(|n| scene.begin("ten", json!({ "n": n })))).await;
        let count = |state: &'static str| {
            scene.daemon.query(move |db| {
                db.query_row("SELECT count(*) FROM agent_runs WHERE state = ?1", [state], |row| {
                    row.get::<_, i64>(0)
                })
            })
        };
        harness::until("all are done", async || count("completed") == 1000).await;
        let took = began.elapsed();
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", scene.daemon.pid())).expect("it runs");
        let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
        println!(
            "{} runs of 10 steps in {took:?}: {:.0} steps/s; {peak}",
            begun.len(),
            10_000.0 / took.as_secs_f64()
        );
        let (steps, events): (i64, i64) = scene.daemon.query(|db| {
            db.query_row(
                "SELECT (SELECT count(*) FROM agent_steps WHERE state = 'done'), (SELECT count(*) FROM agent_events)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        });
        // Each run: begun, ten ends, two beginnings of calls, completed.
        assert_eq!((steps, events), (10_000, 14_000), "no step and no event is lost");
    });
}
