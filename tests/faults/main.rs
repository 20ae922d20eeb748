//! Faults, as scripts: start the real daemon, break it, watch it heal, count what was lost.
//!
//! A script measures, so it has the machine to itself: they run one at a time. What is measured is printed
//! (`cargo test --test faults -- --nocapture`); what is asserted are the promises, with medians where the promise
//! is a time.

#![expect(clippy::print_stdout, reason = "what was measured is told to whoever looks")]

mod line;
mod load;
mod probe;
mod raw;
mod scene;
mod vitals;

mod actors;
mod storm;

mod connections;
mod frames;
mod hang;
mod reader;

mod disk;
mod kill9;

use std::sync::{Mutex, PoisonError};

/// Runs a script, alone.
fn script<F: Future<Output = ()>>(script: F) {
    static ALONE: Mutex<()> = Mutex::new(());
    // A script that failed says nothing about the next one.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    harness::run(script);
}
