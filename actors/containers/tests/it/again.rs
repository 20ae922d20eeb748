//! After a crash: what was started is found, waited for and not started twice; what nobody asks for is listed.

use std::time::Duration;

use containers::{End, Found, Kind, Started};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::docker::Docker;
use crate::{engine, out, policy, sh, wait};

/// Says who it is, so that a second one would be noticed.
const WHO: &str = "cat /proc/sys/kernel/random/uuid";

#[tokio::test]
async fn found_while_it_runs() {
    let script = format!("{WHO}; while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 6");
    let name = {
        // Nothing of this is left when the block ends, as after a crash.
        let engine = engine();
        let running = engine.start("again/runs", &sh(&script)).await.expect("it starts");
        running.name().to_owned()
    };
    let engine = engine();
    let Found::Running(running) = engine.find("again/runs").await.expect("an answer") else {
        panic!("it runs")
    };
    assert_eq!(running.name(), name);
    let again = engine.start("again/runs", &sh(&script)).await.expect("it is found");
    assert_eq!(again.name(), name);
    Docker::shared().client(&["exec", &name, "touch", "/tmp/go"]);
    let cancel = CancellationToken::new();
    let ((first, lines), (second, same)) = tokio::join!(wait(&running, &cancel), wait(&again, &cancel));
    assert_eq!(first.expect("an outcome").exit_code, 6);
    assert_eq!(second.expect("an outcome").exit_code, 6);
    assert_eq!((lines.len(), &lines), (1, &same), "all that it printed, from the beginning, to both");
    engine.remove("again/runs").await.expect("it is removed");
}

#[tokio::test]
async fn found_when_it_is_over() {
    let key = "again/over";
    let script = format!("{WHO}; echo ran; exit 7");
    let first = engine().start(key, &sh(&script)).await.expect("it starts");
    let lines = wait(&first, &CancellationToken::new()).await.1;
    let Found::Exited(outcome, printed) = engine().find(key).await.expect("an answer") else {
        panic!("it is over")
    };
    assert_eq!((outcome.end, outcome.exit_code), (End::Exited, 7));
    assert_eq!(printed, lines);
    // A second start is the first one's outcome.
    let second = engine().start(key, &sh(&script)).await.expect("it is found");
    let (outcome, same) = wait(&second, &CancellationToken::new()).await;
    assert_eq!((outcome.expect("an outcome").exit_code, same), (7, lines));
    engine().remove(key).await.expect("it is removed");
    assert!(matches!(engine().find(key).await, Ok(Found::Nothing)));
}

#[tokio::test]
async fn two_at_once_start_one() {
    let (engine, key) = (engine(), "again/two");
    let run = sh(&format!("{WHO}; echo ran"));
    let starts = tokio::join!(engine.start(key, &run), engine.start(key, &run), engine.start(key, &run));
    let mut started = 0;
    for start in [starts.0, starts.1, starts.2] {
        match start {
            Ok(_) => started += 1,
            Err(error) => assert_eq!((error.kind, error.started), (Kind::Refused, Started::Maybe), "{error}"),
        }
    }
    assert!(started > 0);
    let running = engine.start(key, &run).await.expect("it is found");
    let (outcome, lines) = wait(&running, &CancellationToken::new()).await;
    assert!(outcome.expect("an outcome").is_success());
    assert_eq!(lines.len(), 2);
    engine.remove(key).await.expect("it is removed");
}

#[tokio::test]
async fn made_and_never_started() {
    let (engine, key) = (engine(), "again/made");
    let name = engine.start(key, &sh("true")).await.expect("it starts").name().to_owned();
    engine.remove(key).await.expect("it is removed");
    Docker::shared().client(&["create", "--name", &name, "llmbasedos-test:1", "false"]);
    assert!(matches!(engine.find(key).await, Ok(Found::Nothing)), "nothing has begun");
    let running = engine.start(key, &sh("echo new")).await.expect("it starts");
    let (outcome, lines) = wait(&running, &CancellationToken::new()).await;
    assert!(outcome.expect("an outcome").is_success());
    assert_eq!(out(&lines), ["new"]);
    engine.remove(key).await.expect("it is removed");
}

#[tokio::test]
async fn the_time_goes_on_while_nobody_looks() {
    let (engine, key) = (engine(), "again/time");
    let slow = containers::Run { timeout: Some(Duration::from_secs(2)), ..sh("sleep 600") };
    drop(engine.start(key, &slow).await.expect("it starts"));
    let Found::Running(running) = engine.find(key).await.expect("an answer") else { panic!("it runs") };
    let waited = timeout(Duration::from_mins(1), wait(&running, &CancellationToken::new())).await;
    assert_eq!(waited.expect("it ends in time").0.expect("an outcome").end, End::TimedOut);
    engine.remove(key).await.expect("it is removed");
}

#[tokio::test]
async fn what_is_left_is_listed_for_whom_it_belongs_to() {
    let (ours, theirs) =
        (Docker::shared().engine("ours", policy()), Docker::shared().engine("theirs", policy()));
    drop(ours.start("left/1", &sh("sleep 600")).await.expect("it starts"));
    let over = theirs.start("left/1", &sh("true")).await.expect("another instance's key is another key");
    wait(&over, &CancellationToken::new()).await.0.expect("an outcome");
    let list = async |engine: &containers::Engine| engine.leftovers().await.expect("a list");
    let left = |running| containers::Leftover { key: "left/1".to_owned(), running };
    assert_eq!(list(&ours).await, [left(true)]);
    assert_eq!(list(&theirs).await, [left(false)]);
    ours.remove("left/1").await.expect("it is killed and removed");
    assert_eq!((list(&ours).await.len(), list(&theirs).await.len()), (0, 1));
    theirs.remove("left/1").await.expect("it is removed");
}

#[tokio::test]
async fn removed_by_somebody_else() {
    let (engine, key) = (engine(), "again/removed");
    let running = engine.start(key, &sh("sleep 600")).await.expect("it starts");
    let cancel = CancellationToken::new();
    let remove = async {
        engine.remove(key).await.expect("it is removed");
    };
    let ((outcome, _), ()) = tokio::join!(wait(&running, &cancel), remove);
    // What is looked at first: the kill, or that there is nothing to look at.
    match outcome {
        Ok(outcome) => assert_eq!((outcome.end, outcome.exit_code), (End::Exited, 137)),
        Err(error) => assert_eq!((error.kind, error.started), (Kind::Lost, Started::Yes), "{error}"),
    }
}

#[tokio::test]
async fn the_engine_is_killed() {
    let docker = Docker::start();
    let (engine, key) = (docker.engine("tests", policy()), "again/killed");
    let running = engine.start(key, &sh("echo on; sleep 600")).await.expect("it starts");
    let cancel = CancellationToken::new();
    let kill = async { docker.kill() };
    let waited = async { tokio::join!(wait(&running, &cancel), kill).0.0 };
    let error =
        timeout(Duration::from_secs(30), waited).await.expect("at once").expect_err("the engine is gone");
    assert_eq!((error.kind, error.started), (Kind::Lost, Started::Yes), "{error}");
    let error = engine.find(key).await.expect_err("it is still gone");
    assert_eq!((error.kind, error.started), (Kind::NoEngine, Started::Maybe), "{error}");
    let error = engine.start("again/other", &sh("true")).await.expect_err("it is still gone");
    assert_eq!((error.kind, error.started), (Kind::NoEngine, Started::No), "{error}");
    docker.start_again();
    // An engine that comes back ends what it lost sight of.
    let running = engine.start(key, &sh("echo twice")).await.expect("it is found, not started");
    cancel.cancel();
    let (outcome, lines) = wait(&running, &cancel).await;
    assert!(!outcome.expect("an outcome").is_success());
    assert_eq!(out(&lines), ["on"]);
    engine.remove(key).await.expect("it is removed");
}
