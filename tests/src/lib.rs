//! The harness: a real daemon in a folder of its own, and clients that speak to it as anybody would.
//!
//! Nothing here knows the daemon from inside. Every wait has an event to wait for and a limit that means a bug.

#![expect(clippy::disallowed_methods, reason = "what a test spawns ends with its runtime, which is its own")]

pub mod backend;
pub mod client;
pub mod daemon;
pub mod dovecot;
pub mod http;
pub mod llama;
pub mod models;
pub mod posted;
pub mod rclone;
pub mod recorder;
pub mod roots;
pub mod sink;
pub mod tools;
pub mod upstream;

use std::time::Duration;

pub use backend::Toy;
pub use client::{Answer, Client};
pub use daemon::{Daemon, Setup};
pub use dovecot::Dovecot;
pub use llama::Llama;
pub use models::models;
pub use posted::Posted;
pub use rclone::{Rclone, Served, Server};
pub use recorder::{Exchange, Recorder};
pub use roots::roots;
pub use sink::{Sink, Taken};
pub use tools::Tools;
pub use upstream::{Play, Upstream};

/// Longer than anything takes on a slow and busy machine; running into it is a failure, never a retry.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Runs a test on a runtime of its own.
pub fn run<F: Future<Output = ()>>(test: F) {
    run_within(PATIENCE * 4, test);
}

/// Runs a test that takes longer than others do; `limit` is what would be a failure.
pub fn run_within<F: Future<Output = ()>>(limit: Duration, test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the test");
    runtime.block_on(async {
        tokio::time::timeout(limit, test).await.expect("the test takes no longer than this");
    });
}

/// Waits until `holds` does, for what no event tells. It is asked some hundred times a second.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let told = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, told).await.is_ok(), "never came true: {what}");
}
