//! Gives back to the kernel what the start, or a load, has left unused.
//!
//! jemalloc gives pages back a second after they were freed, but looks at the clock only at every thousandth time or so
//! that somebody wants memory of it: a process that idles keeps for ever what the last thing it did had needed. A thread of
//! its own that would see to it wakes for four megabytes and more. So it is asked a few thousand times, now and then, on
//! the thread that otherwise waits for signals; that takes a millisecond.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

/// Later than pages are kept (`dirty_decay_ms` in `.cargo/config.toml`).
const AFTER_START: Duration = Duration::from_secs(2);

const EVERY: Duration = Duration::from_secs(15);

/// So often that it has certainly looked at the clock.
const ASKED: usize = 3000;

/// More than a thread keeps for itself (`lg_tcache_max` there), in bytes.
const LARGE: usize = 16 * 1024;

/// Until the process ends.
pub(crate) async fn give_back() -> Infallible {
    tokio::time::sleep(AFTER_START).await;
    loop {
        for _ in 0..ASKED {
            drop(black_box(Vec::<u8>::with_capacity(LARGE)));
        }
        tokio::time::sleep(EVERY).await;
    }
}
