//! Other people's programs that tests run against ours: `tests/clients/install` puts them outside the clone, once.

use std::path::{Path, PathBuf};
use std::process::Command as Blocking;
use std::sync::OnceLock;

use tokio::process::Command;

/// Where the programs are.
pub struct Tools {
    home: PathBuf,
}

impl Tools {
    /// The programs, installed if need be. Two test processes that ask at once install once: the script locks.
    pub fn get() -> &'static Self {
        static TOOLS: OnceLock<Tools> = OnceLock::new();
        TOOLS.get_or_init(|| {
            let installed = Blocking::new(clients().join("install")).output().expect("the script is there");
            let said = String::from_utf8_lossy(&installed.stderr);
            assert!(installed.status.success(), "the clients are not installed:\n{said}");
            let home = String::from_utf8(installed.stdout).expect("a path");
            Self { home: PathBuf::from(home.trim()) }
        })
    }

    /// A script of `tests/clients/node`, run by the installed Node.
    pub fn node(&self, script: &str) -> Command {
        let mut command = self.command(&self.bin().join("node"));
        command.arg(self.home.join("node").join(script));
        command
    }

    /// A program that came as a package of Node's.
    pub fn bin_of_node(&self, name: &str) -> Command {
        self.command(&self.bin().join(name))
    }

    /// A script of `tests/clients/python`, run where the packages of this version of the SDK are.
    pub fn python(&self, version: &str) -> Command {
        let mut command = self.command(&self.home.join(format!("python-{version}/bin/python")));
        command.arg(clients().join("python").join(format!("{version}.py")));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn bin(&self) -> PathBuf {
        self.home.join("node/node_modules/.bin")
    }

    /// Scripts of packages begin with `env node`: theirs is the first in the path.
    fn command(&self, program: &Path) -> Command {
        let mut paths = vec![self.bin()];
        let inherited = std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, value)| value);
        paths.extend(inherited.iter().flat_map(std::env::split_paths));
        let mut command = Command::new(program);
        command.env("PATH", std::env::join_paths(paths).expect("paths without colons")).kill_on_drop(true);
        command
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}
