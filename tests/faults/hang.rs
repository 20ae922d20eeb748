//! Something hangs: whoever waits for it is answered at the deadline or when they cancel, and nobody else waits.

use std::time::{Duration, Instant};

use harness::{Client, Daemon, Setup, Toy, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::probe::median;
use crate::script;
use crate::vitals::{MIB, Vitals, mib};

/// Generous, because the machine may be busy; a call that waits for what hangs takes a second.
const AT_ONCE: Duration = Duration::from_millis(250);

/// What two hundred waiting calls may cost, and threads that calls which wait for the disk may take.
const COST_MAX: u64 = 16 * MIB;
const THREADS_MAX: usize = 24;

#[test]
fn a_backend_that_never_answers_delays_nobody_else() {
    script(async {
        let (mut daemon, client) = impatient().await;
        let toy = Toy::start(&daemon.dir().join("run"), "toy");
        until("the backend is there", async || client.call("mcp.toy.echo", json!(["x"])).await.is_ok()).await;
        let before = Vitals::of(&daemon);
        let mut hanging = Vec::new();
        for number in 0..200 {
            let caller = if number % 50 == 0 { Some(daemon.client().await) } else { None };
            hanging.extend(caller.map(|caller| (caller, Vec::new())));
            let (caller, calls) = hanging.last_mut().expect("the first one is made at once");
            let begun = Instant::now();
            let (_, answer) = caller.begin("mcp.toy.wait", json!([format!("for ever {number}")])).await;
            calls.push((begun, answer));
        }
        toy.waits("for ever 0").await;
        others_are_answered(&daemon, "while a backend hangs", hanging.len()).await;
        let during = Vitals::of(&daemon);
        let mut late = Vec::new();
        for (caller, calls) in hanging {
            for (begun, answer) in calls {
                let error = answer.await.expect_err("it never answers");
                assert_eq!(error["code"], -32062, "{error}");
                late.push(begun.elapsed().saturating_sub(Duration::from_secs(1)));
            }
            drop(caller);
        }
        println!(
            "200 calls answered {:?} after their deadline at most; {} -> {}, threads {} -> {}",
            late.iter().max(),
            mib(before.resident),
            mib(during.resident),
            before.threads_total(),
            during.threads_total(),
        );
        assert!(during.resident < before.resident + COST_MAX, "{before:?} {during:?}");
        assert!(during.threads_total() < before.threads_total() + THREADS_MAX, "{before:?} {during:?}");
        nothing_is_under_way(&client).await;
        assert_eq!(
            client.ok("mcp.toy.echo", json!(["x"])).await["text"],
            "x",
            "the backend has its places back"
        );
        drop(toy);
        daemon.stop().await;
    });
}

#[test]
fn a_cancel_is_answered_at_once() {
    script(async {
        let mut daemon = Daemon::start().await;
        let toy = Toy::start(&daemon.dir().join("run"), "toy");
        for client in [daemon.client().await, daemon.unix("gateway").await] {
            until("it is there", async || client.call("mcp.toy.echo", json!(["x"])).await.is_ok()).await;
            let mut times = Vec::new();
            for _ in 0..4 {
                let mut calls = Vec::new();
                // As many as the backend has places, and then as many that wait for one.
                for number in 0..8 {
                    let key = number.to_string();
                    calls.push(client.begin("mcp.toy.wait", json!([key])).await);
                    if number < 4 {
                        toy.waits(&key).await;
                    }
                }
                for (id, answer) in calls.into_iter().rev() {
                    let asked = Instant::now();
                    assert_eq!(client.ok("mcp.cancel", json!({ "id": id })).await["cancelled"], true);
                    assert_eq!(answer.await.expect_err("it was cancelled")["code"], -32063);
                    times.push(asked.elapsed());
                }
                for number in 0..4 {
                    toy.gone(&number.to_string()).await;
                }
            }
            println!("cancelled after {:?}, at most {:?}", median(times.clone()), times.iter().max());
            assert!(median(times) < AT_ONCE);
            nothing_is_under_way(&client).await;
        }
        daemon.stop().await;
    });
}

#[test]
fn a_file_without_an_end_delays_nobody_else() {
    script(async {
        let (mut daemon, client) = impatient().await;
        let huge = std::fs::File::create(daemon.file("huge.bin")).expect("a file");
        huge.set_len(1 << 40).expect("a hole as large as a disk");
        for hogs in [4, 40] {
            let before = Vitals::of(&daemon);
            let hog = daemon.client().await;
            let mut calls = JoinSet::new();
            for _ in 0..hogs {
                let hog = hog.clone();
                // Over and over, so that there is no pause in which the others are answered.
                calls.spawn(async move {
                    loop {
                        let error = hog.call("mcp.fs.hash", json!({ "path": "/huge.bin" })).await;
                        assert_eq!(error.expect_err("it has no end")["code"], -32062);
                    }
                });
            }
            others_are_answered(&daemon, &format!("while {hogs} calls read without end"), 2).await;
            let during = Vitals::of(&daemon);
            assert!(during.threads_total() <= before.threads_total() + THREADS_MAX, "{before:?} {during:?}");
            assert!(during.resident < before.resident + COST_MAX, "{before:?} {during:?}");
            calls.shutdown().await;
            drop(hog);
            nothing_is_under_way(&client).await;
        }
        daemon.stop().await;
    });
}

#[test]
fn a_pipe_that_nobody_writes_to_is_refused_and_passed_over() {
    script(async {
        let mut daemon = Daemon::start().await;
        let mode = rustix::fs::Mode::from_bits_retain(0o666);
        rustix::fs::mknodat(rustix::fs::CWD, daemon.file("pipe"), rustix::fs::FileType::Fifo, mode, 0)
            .expect("a pipe");
        std::fs::write(daemon.file("plain.txt"), "needle\n").expect("a file");
        let client = daemon.client().await;
        for (method, params) in [
            ("mcp.fs.read", json!({ "path": "/pipe" })),
            ("mcp.fs.hash", json!({ "path": "/pipe" })),
            ("mcp.fs.write", json!({ "path": "/pipe", "content": "x" })),
            ("mcp.fs.append", json!({ "path": "/pipe", "content": "x" })),
            ("mcp.fs.copy", json!({ "from": "/pipe", "to": "/copy" })),
            ("mcp.fs.edit", json!({ "path": "/pipe", "edits": [{ "old": "a", "new": "b" }] })),
        ] {
            let error = client.call(method, params).await.expect_err("a pipe is no file");
            assert_eq!(error["data"]["kind"], "special_file", "{method}: {error}");
        }
        client.ok("mcp.fs.stat", json!({ "path": "/pipe" })).await;
        client.ok("mcp.fs.list", json!({ "path": "/" })).await;
        client.ok("mcp.fs.tree", json!({ "path": "/" })).await;
        let found = client.ok("mcp.fs.grep", json!({ "path": "/", "pattern": "needle" })).await;
        assert!(found.to_string().contains("plain.txt"), "{found}");
        nothing_is_under_way(&client).await;
        daemon.stop().await;
    });
}

/// A daemon whose calls may take a second, and its owner at the gateway's socket.
async fn impatient() -> (Daemon, Client) {
    let settings = "limits:\n  call_seconds: 1\n".to_owned();
    let daemon = Setup { settings, ..Setup::default() }.start().await;
    let client = daemon.unix("gateway").await;
    (daemon, client)
}

/// On connections of their own, people get their answers at once.
async fn others_are_answered(daemon: &Daemon, when: &str, connections: usize) {
    let others = [daemon.client().await, daemon.unix("gateway").await];
    for (method, params) in [("mcp.fs.stat", json!(["/"])), ("mcp.hello", json!({}))] {
        let mut times = Vec::new();
        for turn in 0..100 {
            let asked = Instant::now();
            others[turn % others.len()].ok(method, params.clone()).await;
            times.push(asked.elapsed());
        }
        let (middle, longest) = (median(times.clone()), times.iter().max().copied());
        println!("{method} {when}: median {middle:?}, at most {longest:?} ({connections} connections)");
        assert!(middle < AT_ONCE, "{method} {when}: {times:?}");
    }
}

/// Waits until no call is left but the one that asks.
async fn nothing_is_under_way(client: &Client) {
    let left =
        async || -> Value { client.ok("mcp.admin.stats", json!({})).await["calls"]["in_flight"].clone() };
    until("nothing is left under way", async || left().await == 1).await;
}
