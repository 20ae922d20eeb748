//! Two hundred panics while others call: nothing leaks.

use harness::until;
use serde_json::json;

use crate::scene::Scene;
use crate::script;
use crate::vitals::{MIB, Vitals, mib};

const DAEMONS: usize = 4;

/// Panics of one daemon.
const PANICS: usize = 50;

/// What a supervisor restarts within a minute before it gives up, and what the root does.
const BUDGET: usize = 5;
const BUDGET_OF_ROOT: usize = 3;

/// What the heap may keep for the next burst, and no more.
const GROWTH_MAX: u64 = 12 * MIB;

const BRANCHES: [(&str, &[&str]); 4] = [
    ("root/services", &["fs", "mail", "sync", "rclone", "sync-jobs", "admin", "prompts", "llm", "agent"]),
    ("root/backends", &["discovery", "toy"]),
    ("root/gateway", &["ledger", "auth"]),
    (
        "root/edges",
        &[
            "http",
            "unix-http",
            "unix-gateway",
            "unix-fs",
            "unix-admin",
            "unix-prompts",
            "unix-mail",
            "unix-sync",
            "unix-llm",
            "unix-agent",
            "sessions",
        ],
    ),
];

#[test]
fn two_hundred_panics_leave_nothing_behind() {
    script(async {
        let mut dice = fastrand::Rng::new();
        println!("dice: {}", dice.get_seed());
        for _ in 0..DAEMONS {
            storm(&mut dice).await;
        }
    });
}

#[test]
fn sessions_of_a_branch_that_fell_leave_the_tree() {
    script(async {
        let scene = Scene::start().await;
        for branch in ["root/edges/sessions", "root/edges"] {
            scene.fell(branch, "panic").await;
            scene.load.settle().await;
            scene.load.mishaps();
            let sessions = scene.actor("root/edges/sessions").await.expect("it is there");
            assert_eq!(
                sessions["children_total"],
                scene.load.lines.len() + 1,
                "after {branch}: {sessions:#}"
            );
        }
        scene.end().await.stop().await;
    });
}

async fn storm(dice: &mut fastrand::Rng) {
    let scene = Scene::start().await;
    scene.load.settle().await;
    scene.load.settle().await;
    scene.load.pause().await;
    let before = at_rest(&scene).await;
    scene.load.resume();
    let mut lost = 0;
    for victim in victims(dice) {
        let path = match victim {
            Some(path) => path,
            None => any_session(&scene, dice).await,
        };
        scene.fell(&path, "panic").await;
        scene.load.settle().await;
        for mishap in scene.load.mishaps() {
            assert!(mishap.is_gone() || mishap.says_so(), "{path}: {mishap:?}\n{}", scene.daemon.log());
            lost += 1;
        }
    }
    scene.healthy().await;
    scene.load.pause().await;
    let after = at_rest(&scene).await;
    let good = scene.load.good();
    println!(
        "{PANICS} panics: {lost} of {} calls lost; memory {} -> {}, threads {} -> {}",
        good + lost,
        mib(before.resident),
        mib(after.resident),
        before.threads_total(),
        after.threads_total(),
    );
    // A connection to the backend may be kept by a row of the audit trail that is not written yet.
    until(&format!("as many files are open as before: {:?}", before.files), async || {
        Vitals::of(&scene.daemon).files == before.files
    })
    .await;
    assert_eq!(after.threads_but_workers(), before.threads_but_workers());
    assert!(after.resident < before.resident + GROWTH_MAX, "{before:?} {after:?}");
    scene.load.resume();
    scene.load.settle().await;
    scene.end().await.stop().await;
}

/// A plan of panics that every supervisor's budget allows; `None` is any session, which costs none.
fn victims(dice: &mut fastrand::Rng) -> Vec<Option<String>> {
    let mut children = |branches: &[(&str, &[&str])]| {
        let mut some: Vec<Option<String>> = Vec::new();
        for (branch, ids) in branches {
            some.extend((0..BUDGET).map(|_| Some(format!("{branch}/{}", ids[dice.usize(..ids.len())]))));
        }
        dice.shuffle(&mut some);
        some
    };
    let mut branches = BRANCHES;
    let mut plan = children(&branches);
    fastrand::shuffle(&mut branches);
    // A supervisor that was restarted itself has its budget back.
    let again = &branches[..BUDGET_OF_ROOT];
    plan.extend(again.iter().map(|(branch, _)| Some((*branch).to_owned())));
    plan.extend(children(again));
    while plan.len() < PANICS {
        plan.insert(fastrand::usize(..plan.len()), None);
    }
    plan
}

/// The path of a caller's session.
async fn any_session(scene: &Scene, dice: &mut fastrand::Rng) -> String {
    scene.load.settle().await;
    let kind = if dice.bool() { "ws" } else { "unix" };
    let numbers = scene.sessions(kind).await;
    format!("root/edges/sessions/{kind}-{}", numbers[dice.usize(..numbers.len())])
}

/// The daemon when nobody calls.
async fn at_rest(scene: &Scene) -> Vitals {
    until("only the callers' connections are left", async || {
        let stats = scene.watcher.eventually("mcp.admin.stats", json!({})).await;
        stats["calls"]["connections"] == scene.load.lines.len() + 1 && stats["calls"]["in_flight"] == 1
    })
    .await;
    Vitals::of(&scene.daemon)
}
