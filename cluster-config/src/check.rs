//! What a range cannot say: grammar, uniqueness, and settings that must fit one another.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::licence::key_bytes;
use crate::listen::is_host;
use crate::mistake::shorten;
use crate::nearest::nearest;
use crate::settings::{Limits, Loopback, Settings};
use crate::shape::Complaint;
use crate::tiers::Tiers;
use crate::yaml::Step;

/// What Linux leaves for the path of a UNIX socket, without the final NUL.
const SOCKET_PATH_MAX: usize = 107;
/// Room for the longest name of a socket in the run directory.
const SOCKET_NAME_MAX: usize = 17;

/// Everything that is wrong with settings whose parts are right.
pub(crate) fn complaints(settings: &Settings, tiers: &Tiers) -> Vec<Complaint> {
    let mut found = Found(Vec::new());
    run_dir(settings, &mut found);
    auth(settings, &mut found);
    licence(settings, &mut found);
    limits(settings, &mut found);
    roots(settings, tiers, &mut found);
    log(settings, &mut found);
    found.0
}

/// Everything that is allowed and probably not meant.
pub(crate) fn warnings(settings: &Settings, config_dir: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    if settings.auth.loopback == Loopback::Open {
        warnings.push(
            "auth.loopback is open: every program and every user of this machine acts as its owner."
                .to_owned(),
        );
    }
    for root in &settings.fs.roots {
        for (what, inner) in
            [("the settings and the licence", config_dir), ("the state", &settings.state_dir)]
        {
            if real(inner).starts_with(real(&root.path)) {
                warnings.push(format!(
                    "fs.roots: {} shows {}, which has {what} ({}) in it: callers could read or change them. \
                     Show a folder below it instead.",
                    root.at,
                    root.path.display(),
                    inner.display()
                ));
            }
        }
    }
    warnings
}

/// `path` with its links followed, as far as it exists.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

// === The parts ===

struct Found(Vec<Complaint>);

impl Found {
    /// `path` is dotted, with numbers for list entries.
    fn add(&mut self, path: &str, message: impl Into<String>) {
        let step = |word: &str| word.parse().map_or_else(|_| Step::Key(word.to_owned()), Step::Index);
        self.0.push(Complaint { path: path.split('.').map(step).collect(), message: message.into() });
    }
}

fn run_dir(settings: &Settings, found: &mut Found) {
    let room = SOCKET_PATH_MAX - SOCKET_NAME_MAX;
    let mut check = |key: &str, path: &Path| {
        let length = path.as_os_str().len();
        if length > room {
            found.add(
                key,
                format!("is {length} bytes long; a socket in it must fit into {SOCKET_PATH_MAX}, so use at most {room}"),
            );
        }
    };
    check("run_dir", &settings.run_dir);
    if settings.backends.dir != settings.run_dir {
        check("backends.dir", &settings.backends.dir);
    }
}

fn auth(settings: &Settings, found: &mut Found) {
    for (n, origin) in settings.auth.allowed_origins.iter().enumerate() {
        let valid = origin.split_once("://").is_some_and(|(scheme, rest)| {
            !scheme.is_empty()
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
                && is_authority(rest)
        });
        if !valid {
            found.add(
                &format!("auth.allowed_origins.{n}"),
                format!(
                    "must be an origin such as `https://app.example`, without a path, not `{}`",
                    shorten(origin)
                ),
            );
        }
    }
    for (n, host) in settings.auth.allowed_hosts.iter().enumerate() {
        if !is_authority(host) {
            found.add(
                &format!("auth.allowed_hosts.{n}"),
                format!("must be a name such as `box.lan` or `box.lan:8000`, not `{}`", shorten(host)),
            );
        }
    }
}

/// A host, or a host and a port.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host_fits = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host(host),
    };
    host_fits && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn licence(settings: &Settings, found: &mut Found) {
    if settings.licence.public_key.as_deref().is_some_and(|key| key_bytes(key).is_none()) {
        found.add("licence.public_key", "must be the 32 bytes of an Ed25519 public key, in base64 or in hex");
    }
}

fn limits(settings: &Settings, found: &mut Found) {
    let limits = &settings.limits;
    // Base64 makes four bytes of three, and JSON goes around it.
    let needed = settings.fs.read_bytes_max.div_ceil(3) * 4 + 4096;
    if needed > limits.result_bytes {
        // At the one of the two that somebody changed.
        if limits.result_bytes == Limits::default().result_bytes {
            let result = limits.result_bytes;
            found.add(
                "fs.read_bytes_max",
                format!("needs {needed} bytes in base64, and limits.result_bytes is {result}; lower it or raise that"),
            );
        } else {
            let read = settings.fs.read_bytes_max;
            found.add(
                "limits.result_bytes",
                format!("must be at least {needed}, for a read of fs.read_bytes_max ({read}) in base64; or lower that"),
            );
        }
    }
}

fn roots(settings: &Settings, tiers: &Tiers, found: &mut Found) {
    let mut seen = HashSet::new();
    for (n, root) in settings.fs.roots.iter().enumerate() {
        if !is_mount_point(&root.at) {
            found.add(
                &format!("fs.roots.{n}.at"),
                format!("must be `/`, or `/` and one name such as `/docs`, not `{}`", shorten(&root.at)),
            );
        } else if !seen.insert(root.at.as_str()) {
            found.add(
                &format!("fs.roots.{n}.at"),
                format!("`{}` is taken by an earlier root; give this one another name", root.at),
            );
        }
        for (m, tier) in root.tiers.iter().enumerate().filter(|(_, tier)| tiers.get(tier).is_none()) {
            let known = || tiers.iter().map(|(name, _)| name);
            let advice = match nearest(tier, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the tiers are {}", known().collect::<Vec<_>>().join(", ")),
            };
            found.add(
                &format!("fs.roots.{n}.tiers.{m}"),
                format!("there is no tier `{}`; {advice}", shorten(tier)),
            );
        }
    }
}

/// `/`, or `/` and one name.
fn is_mount_point(at: &str) -> bool {
    let Some(name) = at.strip_prefix('/') else { return false };
    name.is_empty()
        || (name.len() <= 255
            && name != "."
            && name != ".."
            && !name.contains(|c: char| c == '/' || c.is_control()))
}

fn log(settings: &Settings, found: &mut Found) {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let directives: Vec<&str> = settings.log.level.split(',').map(str::trim).collect();
    for directive in directives {
        let (target, level) = directive.rsplit_once('=').map_or((None, directive), |(t, l)| (Some(t), l));
        if is_level(level) && target.is_none_or(|target| !target.trim().is_empty()) {
            continue;
        }
        let advice = match nearest(level, LEVELS) {
            Some(near) => format!("did you mean `{near}`?"),
            None if target.is_none() => {
                format!("for one part of the daemon write `{}=debug`", shorten(directive))
            }
            None => String::new(),
        };
        let message = format!(
            "`{}` is neither a level ({}) nor PART=LEVEL; {advice}",
            shorten(directive),
            LEVELS.join(", ")
        );
        found.add("log.level", message.trim_end_matches([' ', ';']));
    }
}
