//! One log line per panic.
//!
//! The standard hook formats a backtrace when `RUST_BACKTRACE` is set, which reads
//! the debug information of the whole program: the first panic then stands still for
//! up to a second, in a process that restarts what panicked within microseconds.

use std::panic::{self, PanicHookInfo};
use std::thread;

/// Enough to know a panic by; what a person reads of one.
pub(crate) const TEXT_MAX: usize = 300;

/// Sends panics to the log, one line each, without a backtrace. Call it once, before
/// anything can panic; it holds for the process.
pub fn install_panic_hook() {
    panic::set_hook(Box::new(log));
}

fn log(panic: &PanicHookInfo<'_>) {
    let text = panic.payload_as_str().unwrap_or("a panic without a text");
    // A library may put what it was given into its panic, and that may be a caller's.
    let text: String = text.chars().take(TEXT_MAX).collect();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current();
    let thread = thread.name().unwrap_or_default();
    // As a field, where line breaks are escaped.
    tracing::error!(place, thread, text, "panicked");
}
