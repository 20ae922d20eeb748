//! What a model weighs, and that nothing of it stays. Alone in its process, whose memory is looked at.

use std::fs;
use std::time::Duration;

use embedding::State;

use crate::kit::{ask, models, process_of, program, start};

mod kit;

#[tokio::test]
async fn unloading_gives_all_memory_back() {
    let (embedder, _tree) = start(program(models()), Duration::from_millis(300)).await;
    let own = || resident(std::process::id()).expect("we are there");
    // What asking costs the first time: a thread, a pipe.
    ask(&embedder, "a text").await.expect("it embeds");
    let before = own();
    let process = process_of(&embedder);
    assert!(resident(process).expect("it runs") > 100_000, "a loaded model has its weights in memory");
    while embedder.status().state != State::Idle {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(resident(process), None);
    assert!(own() < before + 1_000, "{} KB after, {before} before", own());
}

/// What a process has in memory, in KB; none when it is gone.
fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
