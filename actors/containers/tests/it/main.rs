//! Containers on a real engine, which the tests start for themselves: without one they fail.

mod absent;
mod again;
mod docker;
mod fenced;
mod limits;
mod policy;
mod printed;
mod pulled;
mod registry;
mod runs;

use containers::{Engine, Line, Outcome, Policy, Run, Running, Stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::docker::Docker;

/// What the tests' images are called, and one that is not there.
fn policy() -> Policy {
    let images = ["llmbasedos-test:*", "llmbasedos-missing:1"];
    Policy { images: containers::Images::parse(images).expect("a good list"), ..Policy::default() }
}

fn engine() -> Engine {
    Docker::shared().engine("tests", policy())
}

/// A line of shell in the small image.
fn sh(script: &str) -> Run {
    Run::new("llmbasedos-test:1", ["sh", "-c", script])
}

/// Runs it to its end, takes everything and removes it.
async fn run(key: &str, run: &Run) -> (Outcome, Vec<Line>) {
    run_on(&engine(), key, run).await
}

async fn run_on(engine: &Engine, key: &str, run: &Run) -> (Outcome, Vec<Line>) {
    let running = engine.start(key, run).await.unwrap_or_else(|error| panic!("{key}: {error}"));
    let (outcome, lines) = wait(&running, &CancellationToken::new()).await;
    engine.remove(key).await.expect("it is removed");
    (outcome.unwrap_or_else(|error| panic!("{key}: {error}")), lines)
}

async fn wait(
    running: &Running,
    cancel: &CancellationToken,
) -> (Result<Outcome, containers::Error>, Vec<Line>) {
    let (sender, mut receiver) = mpsc::channel(16);
    let take = async {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        lines
    };
    tokio::join!(running.wait(sender, cancel), take)
}

fn texts(lines: &[Line], stream: Stream) -> Vec<&str> {
    lines.iter().filter(|line| line.stream == stream).map(|line| line.text.as_str()).collect()
}

fn out(lines: &[Line]) -> Vec<&str> {
    texts(lines, Stream::Out)
}
