//! Programs that this process has started and waits for; and who waits for all others that it is the parent of, which is
//! what the kernel makes of process 1.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// The numbers of those that somebody waits for.
static WAITED_FOR: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A program that was started. Nobody but who has this waits for its end.
#[derive(Debug)]
pub struct Started(Child);

/// Starts a program.
///
/// # Errors
/// As [`Command::spawn`].
pub fn start(command: &mut Command) -> io::Result<Started> {
    // Held meanwhile, so that one that ends at once is known before it is taken for an orphan.
    let mut waited_for = waited_for();
    let child = command.spawn()?;
    waited_for.insert(child.id());
    Ok(Started(child))
}

impl Deref for Started {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Started {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        waited_for().remove(&self.0.id());
    }
}

fn waited_for() -> MutexGuard<'static, BTreeSet<u32>> {
    WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the children that have ended and that nobody else waits for. How many those were.
///
/// # Errors
/// When the kernel does not say which children there are (Linux, `CONFIG_PROC_CHILDREN`).
pub fn bury_orphans() -> io::Result<usize> {
    let waited_for = waited_for();
    let mut buried = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let Ok(children) = fs::read_to_string(thread?.path().join("children")) else { continue };
        let orphans = children.split_ascii_whitespace().filter_map(|number| number.parse::<i32>().ok());
        for orphan in orphans.filter(|number| !waited_for.contains(&number.unsigned_abs())) {
            let Some(orphan) = Pid::from_raw(orphan) else { continue };
            let ended = waitid(WaitId::Pid(orphan), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
            buried += usize::from(matches!(ended, Ok(Some(_))));
        }
    }
    Ok(buried)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn who_waits_for_a_child_gets_its_status_and_orphans_are_buried() {
        let mut ours = start(Command::new("sh").args(["-c", "exit 7"])).unwrap();
        #[expect(clippy::zombie_processes, reason = "it is to be an orphan")]
        let orphan = Command::new("true").spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while bury_orphans().unwrap() == 0 {
            assert!(Instant::now() < until, "{} is not buried", orphan.id());
            std::thread::yield_now();
        }
        assert!(!fs::exists(format!("/proc/{}", orphan.id())).unwrap());
        assert_eq!(ours.wait().unwrap().code(), Some(7));
    }
}
