//! The remotes of rclone's configuration: their names and types are told, everything else in it is secret.
//!
//! A remote may be used when its data is elsewhere. Types that reach this machine's disk, or run a program, are for who
//! the settings allow by name; a type that wraps others is as its parts are. What is not known is refused.

use std::collections::BTreeMap;
use std::path::Path;

/// Types whose data is elsewhere (rclone 1.75).
const ELSEWHERE: &[&str] = &[
    "azureblob",
    "azurefiles",
    "b2",
    "box",
    "cloudinary",
    "doi",
    "drime",
    "drive",
    "dropbox",
    "fichier",
    "filefabric",
    "filelu",
    "filen",
    "filescom",
    "ftp",
    "gofile",
    "google cloud storage",
    "google photos",
    "hdfs",
    "hidrive",
    "http",
    "iclouddrive",
    "imagekit",
    "internetarchive",
    "internxt",
    "jottacloud",
    "koofr",
    "linkbox",
    "mailru",
    "mega",
    "memory",
    "netstorage",
    "onedrive",
    "oracleobjectstorage",
    "opendrive",
    "pcloud",
    "pikpak",
    "pixeldrain",
    "premiumizeme",
    "protondrive",
    "putio",
    "qingstor",
    "quatrix",
    "s3",
    "seafile",
    "sftp",
    "shade",
    "sharefile",
    "sia",
    "smb",
    "storj",
    "sugarsync",
    "swift",
    "tardigrade",
    "ulozto",
    "uptobox",
    "webdav",
    "yandex",
    "zoho",
];

/// Types that are other remotes seen through something, and the keys that name those.
const WRAPS: &[&str] = &["alias", "cache", "chunker", "combine", "compress", "crypt", "hasher", "union"];

/// Options that have rclone run a program of this machine.
const RUNS: &[(&str, &str)] = &[
    ("webdav", "bearer_token_command"),
    ("sftp", "ssh"),
    ("azureblob", "use_az"),
    ("azurefiles", "use_az"),
    ("netstorage", "command"),
];

/// Wrapped remotes in wrapped remotes: deeper is a loop.
const DEPTH_MAX: usize = 16;

/// A value that is no secret.
const SHOWN: &[&str] =
    &["type", "remote", "upstreams", "vendor", "provider", "host", "url", "port", "user", "region"];

/// What stands in the configuration.
#[derive(Clone, Default)]
pub(crate) struct Remotes(BTreeMap<String, BTreeMap<String, String>>);

/// Names only: the rest is secret.
impl std::fmt::Debug for Remotes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Remotes {
    /// Reads the file; one that is missing has no remotes.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("rclone's configuration cannot be read: {error}")),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (mut remotes, mut current) = (BTreeMap::<_, BTreeMap<_, _>>::new(), None);
        for line in text.lines().map(str::trim) {
            if line.starts_with("RCLONE_ENCRYPT_") {
                return Err(
                    "rclone's configuration is encrypted, which is not supported: keep it readable to the \
                            owner alone instead (`rclone config encryption remove`)"
                        .to_owned(),
                );
            }
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                remotes.entry(name.to_owned()).or_default();
                current = Some(name.to_owned());
            } else if !line.starts_with(['#', ';'])
                && let Some((key, value)) = line.split_once('=')
                && let Some(remote) = current.as_ref().and_then(|name| remotes.get_mut(name))
            {
                remote.insert(key.trim().to_lowercase(), value.trim().to_owned());
            }
        }
        Ok(Self(remotes))
    }

    /// The names, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What kind of storage it is.
    pub(crate) fn kind(&self, name: &str) -> Option<&str> {
        Some(self.0.get(name)?.get("type").map_or("", String::as_str))
    }

    /// Why a remote may not be used; none when it may. It is there.
    pub(crate) fn objection(&self, name: &str, allowed: &[String]) -> Option<String> {
        self.objects(name, allowed, 0)
    }

    fn objects(&self, name: &str, allowed: &[String], depth: usize) -> Option<String> {
        if allowed.iter().any(|allowed| allowed == name) {
            return None;
        }
        let Some(options) = self.0.get(name) else {
            return Some(format!("it wraps '{name}', which is not there"));
        };
        if depth > DEPTH_MAX {
            return Some("it wraps itself".to_owned());
        }
        let kind = options.get("type").map_or("", String::as_str);
        if let Some((_, option)) = RUNS
            .iter()
            .find(|(of, option)| *of == kind && options.get(*option).is_some_and(|value| is_on(value)))
        {
            return Some(format!("its option {option} runs a program"));
        }
        if ELSEWHERE.contains(&kind) {
            return None;
        }
        if !WRAPS.contains(&kind) {
            return Some(format!("its type '{kind}' reaches this machine, or is not known"));
        }
        let value = |key: &str| options.get(key).map(String::as_str).unwrap_or_default();
        let parts: Vec<&str> = match kind {
            "union" | "combine" => value("upstreams").split_whitespace().collect(),
            _ => Some(value("remote")).filter(|part| !part.is_empty()).into_iter().collect(),
        };
        for part in &parts {
            // combine: `folder=remote:path`; union: `remote:path:ro`.
            let part = part.trim_matches('"');
            let part =
                if kind == "combine" { part.split_once('=').map_or(part, |(_, part)| part) } else { part };
            let Some((wrapped, _)) =
                part.split_once(':').filter(|(name, _)| !name.is_empty() && !name.contains([',', '/']))
            else {
                return Some(format!("it is a {kind} of a folder of this machine"));
            };
            if let Some(why) = self.objects(wrapped, allowed, depth + 1) {
                return Some(if depth == 0 { format!("it is a {kind} of '{wrapped}': {why}") } else { why });
            }
        }
        parts.is_empty().then(|| format!("it is a {kind} of nothing"))
    }

    /// A text of rclone's without the secrets of the configuration.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for options in self.0.values() {
            for (key, value) in options {
                if value.len() >= 4 && !SHOWN.contains(&key.as_str()) && !is_flag(value) {
                    text = text.replace(value.as_str(), "[secret]");
                }
            }
        }
        without_passwords(&text)
    }
}

fn is_on(value: &str) -> bool {
    !matches!(value, "" | "false" | "0")
}

fn is_flag(value: &str) -> bool {
    matches!(value, "true" | "false") || value.bytes().all(|b| b.is_ascii_digit())
}

/// Takes `user:password@` out of addresses, and what follows `Bearer`.
fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(['/', ' ', '"', '?']).unwrap_or(after.len());
        let host = after[..end].rfind('@').map_or(0, |at| at + 1);
        rest = &after[host..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
# a comment
[box]
type = webdav
url = http://127.0.0.1:8080
pass = sEcReT-pass
[disk]
type = local
[short]
type = alias
remote = box:x
[lair]
type = alias
remote = /etc
[sealed]
type = crypt
remote = short:y
password = hunter2hunter2
[mixed]
type = union
upstreams = box:a disk:/etc
[parts]
type = combine
upstreams = a=box:a b=sealed:
[loop]
type = alias
remote = loop:
[shell]
type = sftp
ssh = ssh -o ProxyCommand=x
[token]
type = webdav
bearer_token_command = id
[new]
type = quantum
[bare]
[chunks]
type = chunker
remote = lair:
[inline]
type = crypt
remote = :local:/etc
[sly]
type = crypt
remote = box,type=local:/etc
";

    #[test]
    fn remotes_that_reach_this_machine_are_refused_unless_they_are_allowed() {
        let remotes = Remotes::parse(CONFIG).unwrap();
        for (name, usable) in [
            ("box", true),
            ("disk", false),
            ("short", true),
            ("lair", false),
            ("sealed", true),
            ("mixed", false),
            ("parts", true),
            ("loop", false),
            ("shell", false),
            ("token", false),
            ("new", false),
            ("bare", false),
            ("chunks", false),
            ("inline", false),
            ("sly", false),
        ] {
            let objection = remotes.objection(name, &[]);
            assert_eq!(objection.is_none(), usable, "{name}: {objection:?}");
            assert_eq!(remotes.objection(name, &[name.to_owned()]), None, "{name} is allowed by name");
        }
        assert_eq!(remotes.objection("chunks", &["lair".to_owned()]), None, "what it wraps is allowed");
    }

    #[test]
    fn secrets_are_taken_out_of_what_rclone_says() {
        let remotes = Remotes::parse(CONFIG).unwrap();
        let said = remotes.redact("Put http://bob:pw@127.0.0.1:8080/x?a@b: sEcReT-pass hunter2hunter2 local");
        assert_eq!(said, "Put http://127.0.0.1:8080/x?a@b: [secret] [secret] local");
    }

    #[test]
    fn an_encrypted_configuration_says_so() {
        assert!(Remotes::parse("# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nxx").is_err());
    }
}
