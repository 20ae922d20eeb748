//! Killed at any moment while it reaches out: requests, drafts of mail, models and containers.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use harness::{Dovecot, Setup, run_within};
use serde_json::json;

use crate::Scene;
use crate::counting::{Asked, counting, times};
use crate::docker::Docker;
use crate::durable::{EFFECTS, INNER, LONG, appended, decide, kills, over};
use crate::outside::{allows, there};

/// What goes outside, before the last of [`LONG`].
const OUT: &str = "
  - {id: h1, http: {method: POST, url: 'http://SERVER/hook/{{ inputs.n }}', json: {n: '{{ inputs.n }}'}}}
  - {id: h2, http: {method: PUT, url: 'http://SERVER/state/{{ inputs.n }}', body: whole}}
  - {id: m1, call: mcp.mail.draft, with: {account_id: alice, subject: 'run-{{ inputs.n }}.', body: text}}
  - {id: q1, llm: {prompt: Say it}}
  - {id: g1, agent: {prompt: '/run-{{ inputs.n }}.txt', tools: [fs_append]}}
  - {id: w1, wait: {until: '2026-01-01T00:00:00Z'}}
";

const LAST: &str = "  - {id: e1,";

/// Whether a step was done, as a person would find out who looks.
fn done(scene: &Scene, (asked, dovecot): (&Asked, &Dovecot), n: u64, place: &str, asks: &str) -> bool {
    match place {
        "h1" => times(asked, &format!("POST /hook/{n}")) > 0,
        "m1" => dovecot.about("alice", "Drafts", &format!("run-{n}.")) > 0,
        _ => appended(scene, n, place, asks),
    }
}

#[test]
fn a_run_with_steps_of_all_kinds_is_killed_and_the_world_sees_each_once() {
    run_within(Duration::from_mins(30), async {
        let mut dice = fastrand::Rng::new();
        println!("dice: {}", dice.get_seed());
        let ((server, asked), dovecot) = (counting().await, Dovecot::start());
        let steps = LONG.replace(LAST, &format!("{}{LAST}", OUT.trim_start_matches('\n')));
        let steps = steps.replace("SERVER", &server);
        let setup = Setup {
            settings: format!("log: {{level: warn}}\nagent: {{http_allow: ['{server}']}}\n"),
            models: Some(format!(
                "models:\n  m: {{provider: openai_compatible, model: m, base_url: 'http://{server}/v1'}}\n"
            )),
            mail_accounts: Some(format!("accounts:\n{}", dovecot.account("alice"))),
            ..Setup::default()
        };
        let mut scene = Scene::with(&[("wide", &steps), ("inner", INNER)], setup).await;
        let (mut killed, mut runs) = (0, 0);
        let mut doubts = BTreeMap::<String, usize>::new();
        while killed < kills() {
            runs += 1;
            let id = scene.begin("wide", json!({ "n": runs })).await;
            // A process that has just begun reads its tokenizer before it asks a model: at ever the same pace no run would
            // get beyond that.
            let mut longest = 100;
            loop {
                tokio::time::sleep(Duration::from_millis(dice.u64(0..longest))).await;
                longest += longest / 4;
                if over(&scene.run(&id).await) {
                    break;
                }
                scene = scene.crash_and_restart().await;
                killed += 1;
                decide(&scene, &id, |place, asks| {
                    *doubts.entry(place.to_owned()).or_default() += 1;
                    done(&scene, (&asked, &dovecot), runs, place, asks)
                })
                .await;
            }
            let ended = scene.run(&id).await;
            assert_eq!(ended["status"], "completed", "{ended:#}");
            let mut lines: Vec<String> =
                scene.read(&format!("run-{runs}.txt")).lines().map(str::to_owned).collect();
            lines.sort();
            let mut effects = EFFECTS.to_vec();
            effects.push("g1");
            effects.sort_unstable();
            assert_eq!(lines, effects, "run {runs}");
            assert_eq!(scene.read(&format!("tries-{runs}.txt")), "xx", "run {runs}");
            assert_eq!(times(&asked, &format!("POST /hook/{runs}")), 1, "run {runs}");
            assert!(times(&asked, &format!("PUT /state/{runs}")) >= 1, "run {runs}");
            assert_eq!(dovecot.about("alice", "Drafts", &format!("run-{runs}.")), 1, "run {runs}");
        }
        let puts: usize = (1..=runs).map(|n| times(&asked, &format!("PUT /state/{n}"))).sum();
        println!(
            "{killed} kills in {runs} runs; every effect exactly once; {puts} PUTs, {} questions to the model; asked \
             about {doubts:?}",
            times(&asked, "POST /v1/chat/completions")
        );
    });
}

/// What the engine tells of containers that it starts, from now on. One that was made and not started before a kill has
/// done nothing, and may be made again.
struct Starts {
    client: Child,
    told: tempfile::NamedTempFile,
}

impl Starts {
    fn of(engine: &Docker) -> Self {
        let told = tempfile::NamedTempFile::new().expect("a file");
        let client = ["/usr/bin/docker", "docker"].into_iter().find(|one| Path::new(one).exists());
        let client = Command::new(client.unwrap_or("docker"))
            .arg("-H")
            .arg(format!("unix://{}", engine.socket().display()))
            .args(["events", "--since", "0", "--filter", "type=container", "--filter", "event=start"])
            .args(["--format", "{{.Actor.Attributes.name}}"])
            .stdout(told.reopen().expect("a file"))
            .spawn()
            .expect("the client is there");
        Self { client, told }
    }

    /// How often each was started.
    fn counted(&self) -> BTreeMap<String, usize> {
        let told = std::fs::read_to_string(self.told.path()).expect("a file");
        let mut names = BTreeMap::new();
        for name in told.lines() {
            *names.entry(name.to_owned()).or_default() += 1;
        }
        names
    }
}

impl Drop for Starts {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

#[test]
fn a_run_that_is_killed_begins_no_container_twice() {
    run_within(Duration::from_mins(20), async {
        let mut dice = fastrand::Rng::new();
        println!("dice: {}", dice.get_seed());
        let engine = Docker::start();
        let starts = Starts::of(&engine);
        let image = "image: 'llmbasedos-test:1', command: [sh, -c, 'echo begun; sleep 0.2; hostname']";
        let steps = format!(
            "steps: [{{id: d1, docker: {{{image}}}}}, {{id: d2, docker: {{{image}}}}}, {{id: d3, docker: {{{image}}}}}]"
        );
        let mut scene = Scene::with(&[("w", &steps)], allows(&engine)).await;
        let (mut killed, mut runs) = (0, 0);
        while killed < kills().div_ceil(3) {
            runs += 1;
            let id = scene.begin("w", json!({})).await;
            loop {
                tokio::time::sleep(Duration::from_millis(dice.u64(0..600))).await;
                if over(&scene.run(&id).await) {
                    break;
                }
                scene = scene.crash_and_restart().await;
                killed += 1;
            }
            let run = scene.run(&id).await;
            assert_eq!(run["status"], "completed", "{run:#}");
            for step in ["d1", "d2", "d3"] {
                let came = &run["output"][step];
                let name = came["container_id"].as_str().expect("a name");
                harness::until("the engine tells", async || starts.counted().contains_key(name)).await;
                assert!(
                    came["output"]
                        .as_str()
                        .is_some_and(|said| said.starts_with("begun\n") && said.lines().count() == 2),
                    "{step}: {came}"
                );
            }
        }
        harness::until("all are gone", async || there(&engine).is_empty()).await;
        let counted = starts.counted();
        assert!(counted.len() == 3 * runs && counted.values().all(|times| *times == 1), "{counted:?}");
        println!("{killed} kills in {runs} runs of three containers; each was started once");
    });
}
