//! rclone as processes of ours: one that is driven by its remote control, and some that do one thing and end.
//!
//! ```text
//! job -> Rclone::lease -> keeper (an actor: starts, restarts, ends it) -> process -> confine -> rclone rcd
//!     `-> once         -> process -> confine -> rclone sync … --dry-run     what the remote control cannot do
//! ```

mod client;
mod confine;
mod keeper;
mod once;
mod process;

use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::Error;

pub(crate) use client::{Client, Unanswered};
pub(crate) use confine::Hold;
pub use confine::{become_confined, landlock_is_here};
pub(crate) use keeper::{Keeper, Lease, version};
pub(crate) use once::{Change, Line, Once};
pub(crate) use process::Ended;
use process::{Process, Program};

use crate::refusal;
use crate::roots::{Access, Roots};

/// Variables of the daemon that rclone is to see: how to get out of this network.
const PASSED_ON: &[&str] =
    &["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "TZ", "LANG"];

/// Where everything is that rclone needs, and what it may reach.
pub(crate) struct Place {
    /// Our own program, and the word that makes it confine itself and become another.
    pub(crate) launcher: (PathBuf, String),
    /// rclone's name or path.
    pub(crate) executable: String,
    pub(crate) search_path: String,
    /// A folder for its configuration, cache, temporary files and socket.
    pub(crate) home: PathBuf,
    /// The owner's configuration.
    pub(crate) config: PathBuf,
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) writable: Vec<PathBuf>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) roots: Arc<dyn Roots>,
}

/// What a process may change of the roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those that are writable.
    AsRoots,
    /// Nothing, whatever it tries: for who only looks.
    Nothing,
}

/// Which rclone it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl Version {
    /// The first that listens on a UNIX socket (1.61) and leaves no truncated file under its final name (1.63).
    pub(crate) const PARTIAL: Self = Self(1, 63, 0);
    /// The first whose bisync recovers from an interruption by itself.
    pub(crate) const RESILIENT: Self = Self(1, 66, 0);

    /// Out of `rclone v1.60.1-DEV`.
    fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.strip_prefix("rclone v")?.split(['.', '-']).map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self(next()?, next()?, next().unwrap_or(0)))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Place {
    /// Variables that are passed on, out of all.
    pub(crate) fn passed_on<'a>(get: impl Fn(&str) -> Option<&'a str>) -> BTreeMap<String, String> {
        PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), get(name)?.to_owned()))).collect()
    }

    /// Where rclone's program is.
    pub(crate) fn program(&self) -> Result<PathBuf, Error> {
        find(&self.executable, &self.search_path).ok_or_else(|| {
            refusal::rclone(
                "not_installed",
                "rclone is not installed: install it (`apt install rclone`), or say in sync.rclone_executable where it is.",
            )
        })
    }

    /// What starts rclone with these arguments. Blocks on the disk.
    fn start(
        &self,
        arguments: Vec<String>,
        reach: Reach,
        more: &[(&str, &str)],
    ) -> Result<(Process, tokio::sync::mpsc::Receiver<String>), Error> {
        let program = self.program()?;
        let config = self.configuration()?;
        let (mut read, mut write) = (Vec::new(), vec![self.home.clone()]);
        for (folder, access) in self.roots.all() {
            let into =
                if access == Access::Write && reach == Reach::AsRoots { &mut write } else { &mut read };
            into.push(folder);
        }
        match reach {
            Reach::AsRoots => write.extend(self.writable.iter().cloned()),
            Reach::Nothing => read.extend(self.writable.iter().cloned()),
        }
        let mut variables = self.variables.clone();
        let home = self.home.display().to_string();
        let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
        set("HOME", home.clone());
        set("TMPDIR", format!("{home}/tmp"));
        set("RCLONE_CACHE_DIR", format!("{home}/cache"));
        set("RCLONE_CONFIG", config.display().to_string());
        // Never asks anybody for anything.
        set("RCLONE_ASK_PASSWORD", "false".to_owned());
        for (name, value) in more {
            set(name, (*value).to_owned());
        }
        let confined = confine::Confined {
            parent: std::process::id(),
            program,
            arguments,
            read,
            write,
            run: self.readable.clone(),
        };
        let started = Process::start(Program { launcher: self.launcher.clone(), confined, variables });
        started
            .map_err(|error| refusal::rclone("not_started", "rclone cannot be started.").with_detail(error))
    }

    /// rclone's own copy of the configuration, in which it keeps tokens that it renews: the owner's file is in a folder
    /// that it must not write. It is made anew when the owner's changes. Blocks on the disk.
    fn configuration(&self) -> Result<PathBuf, Error> {
        let broken = |error: std::io::Error| {
            refusal::rclone("no_home", "The folder for rclone in state_dir cannot be used.")
                .with_detail(error)
        };
        for name in ["", "tmp", "cache", "bisync", "run"] {
            let folder = self.home.join(name);
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(broken)?;
        }
        let text = match std::fs::read(&self.config) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                return Err(refusal::rclone("no_configuration", "rclone's configuration cannot be read.")
                    .with_detail(error));
            }
        };
        let name = format!("rclone-{}.conf", &blake3::hash(&text).to_hex()[..16]);
        let copy = self.home.join(&name);
        if !copy.exists() {
            for old in std::fs::read_dir(&self.home).map_err(broken)?.flatten() {
                let file = old.file_name();
                if file.to_string_lossy().starts_with("rclone-") {
                    let _ = std::fs::remove_file(old.path());
                }
            }
            let draft = self.home.join(format!("{name}.new"));
            let _ = std::fs::remove_file(&draft);
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&draft)
                .map_err(broken)?;
            std::io::Write::write_all(&mut file, &text).map_err(broken)?;
            std::fs::rename(&draft, &copy).map_err(broken)?;
        }
        Ok(copy)
    }
}

/// Where a program is, by its path or by its name in the folders of PATH.
pub fn find(executable: &str, search_path: &str) -> Option<PathBuf> {
    let found = if executable.contains('/') {
        Some(PathBuf::from(executable)).filter(|path| path.is_file())
    } else {
        let folders = search_path.split(':').filter(|folder| folder.starts_with('/'));
        folders.map(|folder| Path::new(folder).join(executable)).find(|path| path.is_file())
    };
    found.and_then(|path| path.canonicalize().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(Version::parse("rclone v1.60.1-DEV"), Some(Version(1, 60, 1)));
        assert_eq!(Version::parse("rclone v1.75.2"), Some(Version(1, 75, 2)));
        assert_eq!(Version::parse("- os/version: debian"), None);
        assert!(Version(1, 60, 1) < Version::PARTIAL && Version(1, 75, 2) > Version::RESILIENT);
    }
}
