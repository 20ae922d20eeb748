//! Limits that are reached: memory, time, processes, and somebody who wants no more.

use std::time::Duration;

use containers::{End, Found, Run};
use tokio_util::sync::CancellationToken;

use crate::{engine, out, run, sh, texts, wait};

const MIB: u64 = 1024 * 1024;

#[tokio::test]
async fn memory() {
    // tail keeps all of the last line, which has no end.
    let greedy = Run::new("llmbasedos-test:1", ["tail", "/dev/zero"]);
    let (outcome, _) = run("limits/memory", &Run { memory_bytes: Some(24 * MIB), ..greedy }).await;
    assert_eq!((outcome.end, outcome.exit_code), (End::OutOfMemory, 137));
}

#[tokio::test]
async fn memory_of_the_temporary_folder() {
    let script = "dd if=/dev/zero of=/tmp/x bs=1M count=64 2>&1 | grep -c 'No space'; stat -c %s /tmp/x";
    let (_, lines) = run("limits/tmp", &sh(script)).await;
    assert_eq!(out(&lines), ["1", &(16 * MIB).to_string()]);
}

#[tokio::test]
async fn time() {
    let slow =
        Run { timeout: Some(Duration::from_secs(1)), ..sh("trap '' TERM; echo on; sleep 600; echo off") };
    let (outcome, lines) = run("limits/time", &slow).await;
    assert_eq!((outcome.end, outcome.exit_code), (End::TimedOut, 137));
    assert_eq!(out(&lines), ["on"]);
    assert!(
        outcome.took >= Duration::from_secs(1) && outcome.took < Duration::from_mins(1),
        "{:?}",
        outcome.took
    );
}

#[tokio::test]
async fn time_is_known_afterwards() {
    let engine = engine();
    let slow = Run { timeout: Some(Duration::from_secs(1)), ..sh("sleep 600") };
    let running = engine.start("limits/later", &slow).await.expect("it starts");
    wait(&running, &CancellationToken::new()).await.0.expect("an outcome");
    // As after a crash between the kill and the journal.
    let Found::Exited(outcome, _) = engine.find("limits/later").await.expect("it is there") else {
        panic!("it ended")
    };
    assert_eq!(outcome.end, End::TimedOut);
    engine.remove("limits/later").await.expect("it is removed");
}

#[tokio::test]
async fn processes() {
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 600 & done; echo all";
    let (outcome, lines) = run("limits/pids", &Run { pids: Some(8), ..sh(script) }).await;
    assert!(!outcome.is_success() && out(&lines).is_empty(), "{lines:?}");
    assert!(texts(&lines, containers::Stream::Err).iter().any(|line| line.contains("fork")), "{lines:?}");
}

#[tokio::test]
async fn processors() {
    let script =
        "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 /sys/fs/cgroup/cpu.max";
    let (_, lines) = run("limits/cpus", &Run { cpus: Some(0.25), ..sh(script) }).await;
    assert_eq!(out(&lines), ["25000"]);
}

#[tokio::test]
async fn somebody_wants_no_more() {
    let engine = engine();
    let running = engine.start("limits/cancel", &sh("sleep 600")).await.expect("it starts");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcome = wait(&running, &cancel).await.0.expect("an outcome");
    assert_eq!((outcome.end, outcome.exit_code), (End::Cancelled, 137));
    engine.remove("limits/cancel").await.expect("it is removed");
    assert!(matches!(engine.find("limits/cancel").await, Ok(Found::Nothing)));
}
