//! What such a process does itself.

use std::any::Any;
use std::fs;

/// How much of a panic's text is passed on.
const PANIC_TEXT_MAX: usize = 300;

/// What it does first: it is to end with whoever started it, and to be the one that is killed when memory runs out.
pub fn be_a_child() {
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // Raising it needs no right. 500 is "half of all memory more than it has".
    let _ = fs::write("/proc/self/oom_score_adj", "500");
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").chars().take(PANIC_TEXT_MAX).collect()
}
