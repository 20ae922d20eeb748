//! The harness: a real daemon in a folder of its own, and clients that speak to it as anybody would.
//!
//! Nothing here knows the daemon from inside. Every wait has an event to wait for and a limit that means a bug.

pub mod client;
pub mod daemon;

use std::time::Duration;

pub use client::{Answer, Client};
pub use daemon::{Daemon, Setup};

/// Longer than anything takes on a slow and busy machine; running into it is a failure, never a retry.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test on a runtime of its own.
pub fn run<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the test");
    runtime.block_on(async {
        tokio::time::timeout(PATIENCE * 4, test).await.expect("the test takes no longer than this");
    });
}
