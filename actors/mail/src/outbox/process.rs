//! Which process works on a message: several may have the state file open.

use std::path::Path;

/// This one: its id, and when it started, as ids are used again.
pub(super) fn own() -> String {
    let id = std::process::id();
    format!("{id} {}", started(Path::new("/proc/self/stat")).unwrap_or_default())
}

/// Whether that process still runs.
pub(super) fn is_alive(process: &str) -> bool {
    let Some((id, start)) = process.split_once(' ') else { return false };
    // It came out of a file: a number, or no path is made of it.
    let Ok(id) = id.parse::<u32>() else { return false };
    started(Path::new(&format!("/proc/{id}/stat"))).is_some_and(|found| found == start)
}

/// When it started, in ticks since the machine did (proc(5), field 22); none where it is a zombie or is not.
fn started(stat: &Path) -> Option<String> {
    let text = std::fs::read_to_string(stat).ok()?;
    // The second field is a name in parentheses, with anything in it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18).map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_living_are_told_from_the_dead() {
        assert!(is_alive(&own()), "{}", own());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let start = started(Path::new(&format!("/proc/{}/stat", child.id())));
        let gone = format!("{} {}", child.id(), start.unwrap_or_default());
        child.wait().unwrap();
        assert!(!is_alive(&gone), "{gone}");
        let (id, _) = own().split_once(' ').map(|(id, start)| (id.to_owned(), start.to_owned())).unwrap();
        for other in [format!("{id} 1"), "../x 1".to_owned(), String::new()] {
            assert!(!is_alive(&other), "{other}");
        }
    }
}
