//! What values refer to: paths made absolute, secrets looked up, as the schema says which is which.

use std::path::Path;

use serde_json::Value;

use crate::environment::Environment;
use crate::secret;
use crate::shape::Complaint;
use crate::yaml::Step;

/// What paths and secrets refer to.
pub(crate) struct References<'a> {
    pub(crate) environment: &'a Environment,
    /// Where relative paths start: beside the file that has them, or where the command was given.
    pub(crate) base: &'a Path,
    /// Where `file:` starts.
    pub(crate) directory: &'a Path,
}

impl References<'_> {
    /// Makes paths absolute and looks secrets up, as the schema says which is which.
    pub(crate) fn resolve(
        &self,
        value: &mut Value,
        schema: &Value,
        path: &mut Vec<Step>,
        found: &mut Vec<Complaint>,
    ) {
        match value {
            Value::String(text) => {
                let resolved = match schema["format"].as_str() {
                    Some("path") => self.path(text),
                    Some("secret") => {
                        secret::resolve(text, self.environment, self.directory).map_err(|why| why.to_string())
                    }
                    _ => return,
                };
                match resolved {
                    Ok(resolved) => *text = resolved,
                    Err(message) => found.push(Complaint { path: path.clone(), message }),
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    path.push(Step::Index(n));
                    self.resolve(item, &schema["items"], path, found);
                    path.pop();
                }
            }
            Value::Object(map) => {
                for (key, inner) in map {
                    path.push(Step::Key(key.clone()));
                    self.resolve(inner, &schema["properties"][key.as_str()], path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn path(&self, text: &str) -> Result<String, String> {
        if text.is_empty() || text.contains('\0') {
            return Err("must be a path, not empty".to_owned());
        }
        let path = match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                let home = self.environment.get("HOME").ok_or("starts with `~`, and HOME is not set")?;
                Path::new(home).join(rest.trim_start_matches('/'))
            }
            _ => self.base.join(text),
        };
        let path = std::path::absolute(&path).map_err(|error| format!("cannot be made absolute: {error}"))?;
        path.into_os_string()
            .into_string()
            .map_err(|_| "is below a directory whose name is not UTF-8".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::secret::Secret;
    use crate::shape::{Shape, dotted};

    #[derive(Deserialize, JsonSchema)]
    struct Accounts {
        accounts: Vec<Account>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Account {
        name: String,
        password: Secret,
    }

    /// No setting is a secret yet; those of models and mail accounts come this way.
    #[test]
    fn secrets_are_looked_up_and_never_shown() {
        let shape = Shape::of::<Accounts>();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("password"), "hunter2\n").unwrap();
        let environment = Environment::of([("PASSWORD", "hunter3")]);
        let references =
            References { environment: &environment, base: directory.path(), directory: directory.path() };
        let resolve = |passwords: &[&str]| {
            let account = |password: &&str| json!({ "name": "${PASSWORD}", "password": password });
            let mut document = json!({ "accounts": passwords.iter().map(account).collect::<Vec<_>>() });
            let mut complaints = Vec::new();
            references.resolve(&mut document, &shape.schema, &mut Vec::new(), &mut complaints);
            (document, complaints)
        };
        let (document, complaints) = resolve(&["file:password", "${PASSWORD}", "hunter4"]);
        assert_eq!(complaints, []);
        let accounts: Accounts = serde_json::from_value(document).unwrap();
        let found: Vec<_> =
            accounts.accounts.iter().map(|a| (a.name.as_str(), a.password.expose())).collect();
        assert_eq!(found, ["hunter2", "hunter3", "hunter4"].map(|password| ("${PASSWORD}", password)));

        let (_, complaints) = resolve(&["x", "${NONE}"]);
        let [complaint] = complaints.as_slice() else { panic!("{complaints:?}") };
        assert_eq!(dotted(&complaint.path), "accounts[1].password");

        // A secret of the wrong type is still not repeated.
        let wrong = shape.complaints(&json!({ "accounts": [{ "name": "a", "password": 12345 }] }));
        let messages: HashMap<_, _> = wrong.iter().map(|c| (dotted(&c.path), c.message.as_str())).collect();
        assert_eq!(messages, HashMap::from([("accounts[0].password".to_owned(), "must be text")]));
    }
}
