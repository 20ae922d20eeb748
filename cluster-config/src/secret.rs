//! Passwords and keys: where they may come from, and that they are never shown.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::mistake::shorten;

/// Largest file that `file:` reads. Keys and passwords are lines.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A secret value. Shown, logged or serialised it is `***`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "secret" })
    }
}

/// Why a secret cannot be had; never holds one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unresolved {
    /// Nothing can be meant by what is written.
    #[error("{0}")]
    Malformed(&'static str),
    /// What it refers to is not there, and may be at the next start.
    #[error("{0}")]
    Missing(String),
}

/// Whether `written` says where the secret is, and is not the secret itself.
pub(crate) fn is_reference(written: &str) -> bool {
    written.starts_with("${") || written.starts_with("file:")
}

/// What `written` stands for: `${NAME}` is that variable, `file:PATH` the content of that file (relative to
/// `directory`, without the line end), anything else itself. A path may begin with a folder that a variable names, as
/// `file:${CREDENTIALS_DIRECTORY}/NAME` does.
pub(crate) fn resolve(
    written: &str,
    environment: &Environment,
    directory: &Path,
) -> Result<String, Unresolved> {
    if let Some(rest) = written.strip_prefix("${") {
        let name = rest.strip_suffix('}').filter(|name| is_name(name)).ok_or(Unresolved::Malformed(
            "starts like a variable; write `${NAME}`, a name of letters, digits and `_`, and nothing around it",
        ))?;
        return environment.get(name).map(str::to_owned).ok_or_else(|| {
            let name = shorten(name);
            Unresolved::Missing(format!(
                "the environment variable {name} is not set; set it, or write `file:PATH` and keep the secret there"
            ))
        });
    }
    let Some(path) = written.strip_prefix("file:") else { return Ok(written.to_owned()) };
    if path.trim().is_empty() {
        return Err(Unresolved::Malformed("names no file; write `file:PATH`"));
    }
    let path = directory.join(below_a_variable(path.trim(), environment)?);
    let failed =
        |why: &dyn fmt::Display| Unresolved::Missing(format!("cannot read {}: {why}", path.display()));
    let size = std::fs::metadata(&path).map_err(|error| failed(&error))?;
    if !size.is_file() || size.len() > FILE_BYTES_MAX {
        return Err(failed(&format_args!("it must be a file of at most {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err(failed(&"it is empty")) } else { Ok(text.to_owned()) }
}

/// A path, or one that begins with `${NAME}/`: the folder in which a service manager leaves credentials is another one
/// for each service, and at each start.
fn below_a_variable(path: &str, environment: &Environment) -> Result<PathBuf, Unresolved> {
    let Some(rest) = path.strip_prefix("${") else { return Ok(path.into()) };
    let (name, rest) =
        rest.split_once("}/").filter(|(name, _)| is_name(name)).ok_or(Unresolved::Malformed(
            "names a file below a variable; write `file:${NAME}/PATH`, a name of letters, digits and `_`",
        ))?;
    let folder = environment.get(name).ok_or_else(|| {
        let name = shorten(name);
        Unresolved::Missing(format!(
            "the environment variable {name} is not set, which names the folder of the file; under systemd, \
             LoadCredential= sets CREDENTIALS_DIRECTORY"
        ))
    })?;
    Ok(Path::new(folder).join(rest))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shown() {
        let secret = Secret::from("hunter2".to_owned());
        let shown = format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert_eq!(shown, "*** *** \"***\"");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn references() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("key"), "from a file\n").unwrap();
        std::fs::write(directory.path().join("empty"), "\n").unwrap();
        let here = directory.path().to_str().unwrap();
        let environment = Environment::of([("KEY", "from a variable"), ("EMPTY", ""), ("FOLDER", here)]);
        for (written, found) in [
            ("as it is", Ok("as it is")),
            ("${KEY}", Ok("from a variable")),
            ("file:key", Ok("from a file")),
            ("${NONE}", Err("NONE is not set")),
            ("${EMPTY}", Err("EMPTY is not set")),
            ("${KEY", Err("write `${NAME}`")),
            ("${KEY}x", Err("write `${NAME}`")),
            ("${A-KEY}", Err("write `${NAME}`")),
            ("file: ", Err("names no file")),
            ("file:none", Err("cannot read")),
            ("file:empty", Err("it is empty")),
            ("file:.", Err("must be a file")),
            ("file:${FOLDER}/key", Ok("from a file")),
            ("file:${FOLDER}/none", Err("cannot read")),
            ("file:${CREDENTIALS_DIRECTORY}/key", Err("LoadCredential= sets")),
            ("file:${FOLDER}", Err("write `file:${NAME}/PATH`")),
            ("file:${A-B}/key", Err("write `file:${NAME}/PATH`")),
        ] {
            let resolved = resolve(written, &environment, directory.path());
            match found {
                Ok(value) => assert_eq!(resolved.as_deref(), Ok(value), "{written}"),
                Err(words) => {
                    assert!(
                        resolved.as_ref().is_err_and(|e| e.to_string().contains(words)),
                        "{written}: {resolved:?}"
                    );
                }
            }
        }
    }
}
