//! The official SDKs of Python and TypeScript, old and new, in every way that they negotiate: over HTTP and over
//! standard streams. Each takes all steps, and every message of both sides is held against its schema.

use harness::recorder::Tee;
use harness::{Recorder, Tools, daemon::program, run};
use serde_json::json;
use tokio::process::Command;

use crate::report::{Report, daemon, task};
use crate::schema::Judge;

/// Fewer than any of the conversations has.
const MESSAGES: usize = 18;

/// What a script is run by.
type Script = fn() -> Command;

const PYTHON_1: Script = || Tools::get().python("v1");
const PYTHON_2: Script = || Tools::get().python("v2");
const TYPESCRIPT_1: Script = || Tools::get().node("v1.mjs");
const TYPESCRIPT_2: Script = || Tools::get().node("v2.mjs");

const MODERN: &str = "2026-07-28";

fn over_http(script: Script, mode: &str) {
    Tools::get();
    run(async {
        let (daemon, token) = daemon().await;
        let recorder = Recorder::start(&daemon.address).await;
        let mut task = task(mode);
        task["url"] = json!(format!("http://{}/mcp", recorder.address));
        task["token"] = json!(token);
        Report::of(script(), &task).await.check(&daemon);
        let mut judge = Judge::new().await;
        judge.exchanges(&recorder.exchanges());
        judge.verdict(MESSAGES);
    });
}

fn over_stdio(script: Script, mode: &str) {
    Tools::get();
    run(async {
        let (daemon, token) = daemon().await;
        let tee = Tee::new();
        let dir = daemon.dir().to_str().expect("a plain path");
        let mut task = task(mode);
        task["command"] = json!("sh");
        task["args"] = json!(tee.arguments(&program("llmbasedos"), &["stdio", "--config-dir", dir]));
        task["env"] = json!({ "LLMBDO_TOKEN": token });
        Report::of(script(), &task).await.check(&daemon);
        let mut judge = Judge::new().await;
        // Ids are unique in one direction, so all requests may come before all answers.
        for message in tee.sent() {
            judge.message(&message, true);
        }
        for message in tee.received() {
            judge.message(&message, false);
        }
        judge.verdict(MESSAGES);
    });
}

#[test]
fn python_1_over_http() {
    over_http(PYTHON_1, "legacy");
}

#[test]
fn python_1_over_stdio() {
    over_stdio(PYTHON_1, "legacy");
}

#[test]
fn python_2_over_http() {
    for mode in ["legacy", "auto", MODERN] {
        over_http(PYTHON_2, mode);
    }
}

#[test]
fn python_2_over_stdio() {
    for mode in ["legacy", "auto", MODERN] {
        over_stdio(PYTHON_2, mode);
    }
}

#[test]
fn typescript_1_over_http() {
    over_http(TYPESCRIPT_1, "legacy");
}

#[test]
fn typescript_1_over_stdio() {
    over_stdio(TYPESCRIPT_1, "legacy");
}

#[test]
fn typescript_2_over_http() {
    for mode in ["legacy", "auto", MODERN] {
        over_http(TYPESCRIPT_2, mode);
    }
}

#[test]
fn typescript_2_over_stdio() {
    for mode in ["legacy", "auto", MODERN] {
        over_stdio(TYPESCRIPT_2, mode);
    }
}
