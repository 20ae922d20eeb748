//! Files that are saved again and again: each is read at once the first times, then less and less often.
//!
//! A log that gets a line every second would be read every second, each time as a whole.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often a file is read at once before it has to wait.
const FREE: u32 = 3;

/// How long it waits then, twice as long each time, up to the last.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(2);

/// Files that are remembered. Beyond it those are forgotten that have been quiet for long, or all of them.
const MAX: usize = 10_000;

/// What was read lately.
#[derive(Debug, Default)]
pub(crate) struct Restless {
    files: HashMap<String, Known>,
    waiting: usize,
}

#[derive(Debug)]
struct Known {
    /// Since when it was read how often.
    read: Instant,
    times: u32,
    /// It changed since, and is to be read when its time comes.
    waits: bool,
}

impl Known {
    fn pause(&self) -> Duration {
        let doublings = self.times.saturating_sub(FREE);
        if self.times < FREE {
            Duration::ZERO
        } else {
            PAUSE.saturating_mul(1 << doublings.min(16)).min(PAUSE_MAX)
        }
    }

    /// Quiet for longer than it would have to wait: what happens next is the first of something new.
    fn is_quiet(&self, now: Instant) -> bool {
        !self.waits && now.saturating_duration_since(self.read) > self.pause() * 2 + PAUSE
    }
}

impl Restless {
    /// Whether a file that changed may be read now; otherwise it is among those that [`Restless::due`] gives later.
    pub(crate) fn may_be_read(&mut self, path: &str, now: Instant) -> bool {
        let Some(known) = self.files.get_mut(path) else { return true };
        if known.is_quiet(now) {
            self.files.remove(path);
            return true;
        }
        if now.saturating_duration_since(known.read) >= known.pause() {
            return true;
        }
        self.waiting += usize::from(!std::mem::replace(&mut known.waits, true));
        false
    }

    /// A file is being read.
    pub(crate) fn read(&mut self, path: &str, now: Instant) {
        if self.files.len() >= MAX && !self.files.contains_key(path) {
            self.files.retain(|_, known| !known.is_quiet(now));
            if self.files.len() >= MAX {
                self.files.retain(|_, known| known.waits);
            }
        }
        let known = self.files.entry(path.to_owned()).or_insert(Known { read: now, times: 0, waits: false });
        if known.is_quiet(now) {
            known.times = 0;
        }
        self.waiting -= usize::from(std::mem::take(&mut known.waits));
        (known.read, known.times) = (now, known.times.saturating_add(1));
    }

    /// The files whose time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<String> {
        let mut due = Vec::new();
        if self.waiting > 0 {
            for (path, known) in &mut self.files {
                if known.waits && now.saturating_duration_since(known.read) >= known.pause() {
                    known.waits = false;
                    due.push(path.clone());
                }
            }
            self.waiting -= due.len();
        }
        due
    }

    /// When the next of them is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        let waiting = self.files.values().filter(|known| known.waits);
        if self.waiting == 0 { None } else { waiting.map(|known| known.read + known.pause()).min() }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_rests_is_read_less_and_less_often() {
        let (mut restless, start) = (Restless::default(), Instant::now());
        let (mut now, mut reads, mut due) = (start, 0, false);
        // A line every second, for an hour.
        for second in 0..3_600 {
            now = start + Duration::from_secs(second);
            due |= restless.due(now) == ["/log"];
            if restless.may_be_read("/log", now) || due {
                (reads, due) = (reads + 1, false);
                restless.read("/log", now);
            }
        }
        assert!((30..60).contains(&reads), "{reads}");
        assert!(restless.next().is_some_and(|next| next > now && next <= now + PAUSE_MAX));
        assert!(restless.due(now).is_empty());
        assert_eq!(restless.due(now + PAUSE_MAX), ["/log"], "the last line is not forgotten");
        assert_eq!(restless.len(), 0);
        // After a rest it is as new.
        assert!(restless.may_be_read("/log", now + PAUSE_MAX * 4));
    }

    #[test]
    fn who_saves_now_and_then_never_waits() {
        let (mut restless, start) = (Restless::default(), Instant::now());
        for save in 0..100 {
            let now = start + Duration::from_secs(10) * save;
            assert!(restless.may_be_read("/notes", now), "{save}");
            restless.read("/notes", now);
        }
    }

    #[test]
    fn many_files_are_not_remembered_for_ever() {
        let (mut restless, start) = (Restless::default(), Instant::now());
        for n in 0..MAX + 10 {
            restless.read(&n.to_string(), start);
        }
        assert!(restless.files.len() <= MAX);
    }
}
