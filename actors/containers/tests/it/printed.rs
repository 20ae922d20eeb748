//! What containers print: in order, as it comes, and not without end.

use std::time::Duration;

use containers::{Limits, Policy, Stream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::docker::Docker;
use crate::{engine, out, policy, run, run_on, sh, texts};

#[tokio::test]
async fn in_order() {
    let (outcome, lines) = run("printed/order", &sh("seq 2000; echo oops >&2; printf 'no end'")).await;
    let numbers: Vec<String> = (1..=2000).map(|number| number.to_string()).collect();
    let mut expected: Vec<&str> = numbers.iter().map(String::as_str).collect();
    expected.push("no end");
    assert_eq!(out(&lines), expected);
    assert_eq!(texts(&lines, Stream::Err), ["oops"]);
    assert!(!outcome.log_truncated);
}

/// An engine with much to do ends to follow a log before the log's end, for one container in fourteen where this was seen.
#[tokio::test]
async fn to_the_end_where_the_engine_is_busy() {
    let mut running = tokio::task::JoinSet::new();
    for n in 0..16 {
        running.spawn(async move {
            let (outcome, lines) =
                run(&format!("printed/busy{n}"), &sh("seq 2000; echo oops >&2; printf 'no end'")).await;
            (out(&lines).len(), out(&lines).last().map(|&last| last.to_owned()), outcome.log_truncated)
        });
    }
    for outcome in running.join_all().await {
        assert_eq!(outcome, (2001, Some("no end".to_owned()), false));
    }
}

#[tokio::test]
async fn odd_bytes() {
    let (_, lines) =
        run("printed/odd", &sh(r"printf 'a\r\n\xff\n\n'; head -c 40000 /dev/zero | tr '\0' x; echo")).await;
    assert_eq!(out(&lines)[..3], ["a", "\u{fffd}", ""]);
    assert_eq!((lines[3].text.len(), lines[3].cut), (16 * 1024, true));
}

#[tokio::test]
async fn as_it_comes() {
    let engine = engine();
    // It waits for ever, so what comes does so before its end.
    let running = engine.start("printed/comes", &sh("echo first; sleep 600")).await.expect("it starts");
    let (sender, mut receiver) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let first = async {
        let line = timeout(Duration::from_secs(30), receiver.recv()).await.expect("it comes");
        cancel.cancel();
        line
    };
    let (outcome, line) = tokio::join!(running.wait(sender, &cancel), first);
    assert_eq!(line.expect("a line").text, "first");
    assert_eq!(outcome.expect("an outcome").end, containers::End::Cancelled);
    engine.remove("printed/comes").await.expect("it is removed");
}

#[tokio::test]
async fn not_without_end() {
    let limits = Limits { log_bytes_max: 10_000, ..Limits::default() };
    let engine = Docker::shared().engine("tests", Policy { limits, ..policy() });
    let (outcome, lines) = run_on(&engine, "printed/much", &sh("yes 12345678 | head -n 20000; exit 5")).await;
    assert_eq!((outcome.exit_code, outcome.log_truncated), (5, true), "it runs on to its end");
    assert_eq!(lines.len(), 10_000_usize.div_ceil(9));
    let (outcome, lines) = run_on(&engine, "printed/exact", &sh("yes 1234567 | head -n 1250")).await;
    assert_eq!((lines.len(), outcome.log_truncated), (1250, false));
}

#[tokio::test]
async fn a_reader_that_is_gone_or_asleep() {
    let engine = engine();
    let running = engine.start("printed/gone", &sh("seq 100; exit 4")).await.expect("it starts");
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let outcome = running.wait(sender, &CancellationToken::new()).await.expect("an outcome");
    assert_eq!((outcome.exit_code, outcome.log_truncated), (4, true));
    let (sender, receiver) = mpsc::channel(1);
    let outcome = running.wait(sender, &CancellationToken::new()).await.expect("an outcome");
    assert_eq!((outcome.exit_code, outcome.log_truncated), (4, true));
    drop(receiver);
    engine.remove("printed/gone").await.expect("it is removed");
}
