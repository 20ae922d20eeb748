//! What rclone may reach of this machine, said to the kernel (Landlock) by the process itself before it becomes rclone.
//!
//! A job's paths are checked where they come in. This is for whatever gets past that, in our code or in rclone's: the
//! process can open nothing but the roots (those that are read-only for reading), its own configuration, cache and
//! temporary folder, and what any program needs (libraries, certificates, the resolver's files); it can run nothing but what the owner names in `sync.readable`. A
//! kernel without Landlock is said in the log, in the tree and by `llmbasedos doctor`.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, Compatible as _, LandlockStatus, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use serde::{Deserialize, Serialize};

/// The newest that is asked for; an older kernel gives what it has.
const NEWEST: ABI = ABI::V6;

/// What any program that speaks TLS reads. What is not there is left out.
const SYSTEM: &[&str] = &[
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/passwd",
    "/etc/group",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/pki",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/share/mime",
    "/dev/urandom",
    "/dev/null",
    "/proc/sys",
    "/run/systemd/resolve",
];

/// What starts a program that is linked dynamically.
const LOADERS: &[&str] = &[
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];

/// The line by which the process tells how it is confined.
const TOLD: &str = "llmbasedos-confined: ";

/// A program, and what it may reach.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Confined {
    /// Who starts it: it ends with that process.
    pub(crate) parent: u32,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) read: Vec<PathBuf>,
    pub(crate) write: Vec<PathBuf>,
    /// What it may read and run.
    pub(crate) run: Vec<PathBuf>,
}

/// How far the kernel holds a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// In everything that was asked for.
    Full,
    /// In what this kernel knows.
    Partly,
    /// Not at all.
    None,
}

/// Whether this kernel has Landlock.
pub fn landlock_is_here() -> bool {
    let strictly = Ruleset::default().set_compatibility(landlock::CompatLevel::HardRequirement);
    strictly.handle_access(AccessFs::from_all(ABI::V1)).is_ok_and(|ruleset| ruleset.create().is_ok())
}

/// Becomes the program that `spec` describes, confined. Returns only with what is wrong.
pub fn become_confined(spec: &str) -> std::io::Error {
    let spec: Confined = match serde_json::from_str(spec) {
        Ok(spec) => spec,
        Err(error) => return std::io::Error::other(error),
    };
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // It may have died before that was asked for.
    let parent = getppid().map(|pid| pid.as_raw_pid().cast_unsigned());
    if parent != Some(spec.parent) {
        return std::io::Error::other("whoever started this is gone");
    }
    match confine(&spec) {
        Ok(hold) => told(&format!("{TOLD}{}", hold.word())),
        // Better not run than run free on a kernel that could have held it.
        Err(error) => return std::io::Error::other(error),
    }
    Command::new(&spec.program).args(&spec.arguments).exec()
}

#[expect(clippy::print_stderr, reason = "the parent reads it there")]
fn told(line: &str) {
    eprintln!("{line}");
}

fn confine(spec: &Confined) -> Result<Hold, RulesetError> {
    let reads = AccessFs::ReadFile | AccessFs::ReadDir;
    let devices: BitFlags<AccessFs> = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev;
    let writes = AccessFs::from_all(NEWEST) & !(devices | AccessFs::Execute);
    let runs = AccessFs::Execute | AccessFs::ReadFile;
    let status = Ruleset::default()
        .set_compatibility(landlock::CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, reads))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::WriteFile | AccessFs::ReadFile))?
        .add_rules(path_beneath_rules(LOADERS, runs))?
        .add_rules(path_beneath_rules([&spec.program], runs))?
        .add_rules(path_beneath_rules(&spec.run, runs | reads))?
        .add_rules(path_beneath_rules(&spec.read, reads))?
        .add_rules(path_beneath_rules(&spec.write, writes))?
        .restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _)
        | (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => Hold::None,
        (RulesetStatus::PartiallyEnforced, _) => Hold::Partly,
        (RulesetStatus::FullyEnforced, _) => Hold::Full,
    })
}

impl Hold {
    fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partly => "partly",
            Self::None => "none",
        }
    }

    /// What the process told of itself, if this line is that.
    pub(crate) fn told(line: &str) -> Option<Self> {
        let word = line.strip_prefix(TOLD)?;
        [Self::Full, Self::Partly, Self::None].into_iter().find(|hold| hold.word() == word)
    }

    /// For a person.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Full => "confined to the roots by Landlock",
            Self::Partly => "confined to the roots by Landlock, as far as this kernel knows it",
            Self::None => "NOT confined: this kernel has no Landlock",
        }
    }
}
