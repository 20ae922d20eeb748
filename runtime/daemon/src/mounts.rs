//! Whether the folders of the settings are what they must be, before anything is made in them: a folder that was mounted
//! wrongly gets a line that says so, and an exit code that asks for no restart.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use cluster_config::Settings;
use cluster_config::fs::Mode;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::getuid;

use crate::commands::Usage;

/// The two folders without which nothing can run. What is not there yet will be made, or fail with its own words.
pub(crate) fn check(settings: &Settings) -> Result<(), Usage> {
    for (what, folder) in [("state", &settings.state_dir), ("run", &settings.run_dir)] {
        if let Some(why) = unwritable(folder) {
            return Err(Usage(format!(
                "the {what} folder {}: {why}, or choose another with --{what}-dir",
                folder.display()
            )));
        }
    }
    Ok(())
}

/// A root that cannot be written serves readers still, so that is said and no more.
pub(crate) fn warnings(settings: &Settings) -> Vec<String> {
    let roots = settings.fs.roots.iter().filter(|root| root.mode == Mode::ReadWrite);
    let wrong = roots.filter_map(|root| Some((root, unwritable(&root.path)?)));
    wrong
        .map(|(root, why)| {
            format!("root {}, the folder {}: {why}, or say `mode: read_only`", root.at, root.path.display())
        })
        .collect()
}

/// Why it cannot be written, and what to do about that; none too when it is not there.
fn unwritable(folder: &Path) -> Option<String> {
    let found = std::fs::metadata(folder).ok()?;
    if !found.is_dir() {
        return Some("it is no folder: remove it".into());
    }
    let user = getuid().as_raw();
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Err(Errno::ROFS) => Some("it is mounted read-only: mount it writable".into()),
        Err(Errno::ACCESS | Errno::PERM) => Some(format!(
            "it belongs to user {} and cannot be written by user {user}, who runs this: chown it where it is from",
            found.uid()
        )),
        _ => None,
    }
}
