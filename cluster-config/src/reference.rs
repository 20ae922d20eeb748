//! What is derived from the declarations for readers: REFERENCE.md for people, schema.json for editors.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::environment::{Meaning, NAMED};
use crate::load::{LEAVES, SHAPE};
use crate::mail;
use crate::models::{self, original};
use crate::shape::{options, plain, text};
use crate::tiers;

/// The JSON Schema of `llmbasedos.yaml`; those of `licence_tiers.yaml`, `models.yaml` and
/// `mail_accounts.yaml` are `$defs/licence_tiers`, `$defs/models` and `$defs/mail_accounts` in it.
pub fn schema() -> Value {
    let mut schema = SHAPE.get().schema.clone();
    schema["title"] = json!("llmbasedos.yaml");
    schema["$defs"] = json!({
        "licence_tiers": {
            "title": "licence_tiers.yaml",
            "type": "object",
            "additionalProperties": tiers::SHAPE.get().schema,
        },
        "models": {
            "title": "models.yaml",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "models": {
                    "type": ["object", "null"],
                    "description": "The models by their aliases.",
                    "additionalProperties": models::SHAPE.get().schema,
                }
            },
        },
        "mail_accounts": {
            "title": "mail_accounts.yaml",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "accounts": {
                    "type": ["object", "null"],
                    "description": "The accounts by their ids.",
                    "additionalProperties": mail::SHAPE.get().schema,
                }
            },
        }
    });
    schema
}

/// REFERENCE.md.
pub fn reference() -> String {
    let (shape, leaves, tier) = (SHAPE.get(), LEAVES.get(), tiers::SHAPE.get());
    let mut page = String::from(HEAD);
    page.push_str("\n## General\n\n");
    let top: Vec<_> = leaves.iter().filter(|leaf| leaf.path.len() == 1).collect();
    table(&mut page, top.iter().map(|leaf| (leaf.key.as_str(), Some(leaf.variable.as_str()), &leaf.schema)));
    for (section, schema) in shape.schema["properties"].as_object().into_iter().flatten() {
        if schema.get("properties").is_none() {
            continue;
        }
        let _ = write!(page, "\n## {section}\n\n{}\n\n", text(schema));
        let start = format!("{section}.");
        let inside = leaves.iter().filter(|leaf| leaf.key.starts_with(&start));
        table(&mut page, inside.map(|leaf| (leaf.key.as_str(), Some(leaf.variable.as_str()), &leaf.schema)));
        for leaf in leaves.iter().filter(|leaf| leaf.key.starts_with(&start)) {
            if let Some(fields) = leaf.schema["items"]["properties"].as_object() {
                let _ = write!(page, "\n### Each entry of {}\n\n", leaf.key);
                table(&mut page, fields.iter().map(|(key, schema)| (key.as_str(), None, schema)));
            }
        }
    }
    page.push_str(TIERS);
    let fields = tier.schema["properties"].as_object().into_iter().flatten();
    table(&mut page, fields.map(|(key, schema)| (key.as_str(), None, schema)));
    page.push_str(MODELS);
    let fields = models::SHAPE.get().leaves();
    table(&mut page, fields.iter().map(|leaf| (leaf.key.as_str(), None, &leaf.schema)));
    page.push_str(MAIL);
    let fields = mail::SHAPE.get().leaves();
    table(&mut page, fields.iter().map(|leaf| (leaf.key.as_str(), None, &leaf.schema)));
    page.push_str(VARIABLES);
    for named in NAMED {
        let _ = writeln!(page, "| `{}` | {} |", named.name, meaning(&named.meaning));
    }
    for (name, meaning) in original::variables() {
        let _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    page
}

const HEAD: &str = "\
# Settings

Generated from the types in `src/`; `UPDATE=1 cargo test -p llmbasedos-config` writes it anew.

The settings are in `llmbasedos.yaml` in the directory that `--config-dir` or `LLMBDO_CONFIG_DIR` names, else in
`/etc/llmbasedos`. Without that file the defaults below hold. Each setting is taken whole from the first of these
that mentions it: command line (`--listen`, `--state-dir`, `--run-dir`, `--root`), environment variable, file,
default. All mistakes are reported at once, with file, line and key, and nothing starts.

- A relative path in the file, or in a default, starts at the directory of the settings; on the command line and
  in a variable it starts at the working directory. `~/` is the home directory.
- An empty variable is an unset one. A list in a variable is separated by commas, or is JSON.
- A key with nothing behind it is as good as absent.
- Where a setting is a secret, `${NAME}` stands for an environment variable and `file:PATH` for the content of a
  file. A path may begin with a variable: `file:${CREDENTIALS_DIRECTORY}/NAME` is what systemd's
  `LoadCredential=NAME:…` handed over. Secrets are shown as `***` everywhere.
- A file has at most 1 MiB. YAML tags and directives, and keys that stand twice, are mistakes.
";

const TIERS: &str = "
## licence_tiers.yaml

A mapping of tier names, in capitals, to the fields below; it may stand below one key `tiers`. A tier in the file
replaces the shipped tier of that name whole; FREE, PRO and ELITE stay as shipped
([defaults/licence_tiers.yaml](defaults/licence_tiers.yaml)) where the file does not define them.

";

const MODELS: &str = "
## models.yaml

A mapping `models:` of aliases to the fields below. An alias is the name that callers use: 1 to 64 letters, digits and
`. _ - : /`. The file is read again when it changes; with a mistake in it, the models stay as they were. The names of
fields that the original had are understood beside ours, one of the two at a time. A model whose key is not there is
listed and cannot be used. [defaults/models.yaml](defaults/models.yaml) has examples.

";

const MAIL: &str = "
## mail_accounts.yaml

A mapping `accounts:` of ids to the fields below. An id is the name that callers use: 1 to 64 letters, digits and `. _ -`.
The file is read again when it changes. An account with a mistake in it is listed with the mistake and cannot be used; the
others can. [defaults/mail_accounts.yaml](defaults/mail_accounts.yaml) has examples.

";

const VARIABLES: &str = "
## Other variables

Those that no setting is named after: ours first, then the original's, those of models last. Of two that set the same,
the first wins, and a setting's own variable wins over both.

| Variable | Meaning |
|---|---|
";

fn meaning(meaning: &Meaning) -> String {
    match meaning {
        Meaning::Sets(keys) => {
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            format!("Sets {}.", keys.join(" and "))
        }
        Meaning::ListenHost => "Sets the host of `listen`.".to_owned(),
        Meaning::ListenPort => "Sets the port of `listen`.".to_owned(),
        Meaning::Root => "Sets `fs.roots` to this one folder at `/`, as `--root` does.".to_owned(),
        Meaning::ConfigDir => "The directory of the settings, as `--config-dir`.".to_owned(),
        Meaning::Elsewhere => {
            "Not a setting of the daemon: read by another program, or by a service of its own.".to_owned()
        }
        Meaning::Nothing(instead) => format!("No effect: {instead}."),
    }
}

fn table<'a>(page: &mut String, rows: impl Iterator<Item = (&'a str, Option<&'a str>, &'a Value)> + Clone) {
    let variables = rows.clone().any(|(_, variable, _)| variable.is_some());
    page.push_str(if variables {
        "| Setting | Variable | Type | Default | Meaning |\n|---|---|---|---|---|\n"
    } else {
        "| Field | Type | Default | Meaning |\n|---|---|---|---|\n"
    });
    for (key, variable, schema) in rows {
        let variable = variable.map(|name| format!(" `{name}` |")).unwrap_or_default();
        let (kind, default) = (kind(schema), default(schema));
        let _ = writeln!(
            page,
            "| `{key}` |{variable} {kind} | {default} | {} |",
            text(schema).replace('|', "\\|")
        );
    }
}

fn default(schema: &Value) -> String {
    match schema.get("default") {
        None => "required".to_owned(),
        Some(Value::Null) => "none".to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "none".to_owned(),
        Some(value) if schema["items"].get("properties").is_some() => format!("`{value}`"),
        Some(value) => format!("`{}`", plain(value)),
    }
}

/// The type as a column shows it.
fn kind(schema: &Value) -> String {
    let options = options(schema);
    if !options.is_empty() {
        return options.iter().map(|option| format!("`{option}`")).collect::<Vec<_>>().join(", ");
    }
    let name = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or_default();
    match (name, schema["format"].as_str()) {
        ("number", _) => match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
            (Some(low), Some(high)) => format!("a number from {low} to {high}"),
            _ => "a number".to_owned(),
        },
        ("integer", _) => match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            _ => "whole number".to_owned(),
        },
        ("boolean", _) => "`true`, `false`".to_owned(),
        ("string", Some(format @ ("path" | "secret"))) => format.to_owned(),
        ("string", _) => "text".to_owned(),
        ("array", _) if schema["items"].get("properties").is_some() => "list, see below".to_owned(),
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::environment::Environment;
    use crate::template::template;

    /// The checked-in file is what is derived; `UPDATE=1` makes it so.
    #[track_caller]
    fn check(name: &str, derived: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let stale = std::fs::read_to_string(&path).unwrap_or_default() != derived;
        if stale && Environment::process().get("UPDATE") == Some("1") {
            std::fs::write(&path, derived).unwrap();
        } else {
            assert!(!stale, "{name} is stale: UPDATE=1 cargo test -p llmbasedos-config");
        }
    }

    #[test]
    fn reference_is_current() {
        check("REFERENCE.md", &reference());
    }

    #[test]
    fn schema_is_current() {
        check("schema.json", &format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap()));
    }

    #[test]
    fn template_is_current() {
        check("defaults/llmbasedos.yaml", &template());
    }

    /// Every property, and every field of list entries, of the schema below `schema`.
    fn properties(schema: &Value) -> Vec<(String, Value)> {
        let below = schema["properties"].as_object().into_iter().flatten();
        let mut found: Vec<_> = below
            .flat_map(|(key, inner)| {
                let deeper = properties(inner).into_iter().map(move |(k, v)| (format!("{key}.{k}"), v));
                std::iter::once((key.clone(), inner.clone())).chain(deeper)
            })
            .collect();
        if schema.get("items").is_some() {
            found.extend(properties(&schema["items"]));
        }
        found
    }

    #[test]
    fn everything_is_documented_and_bounded() {
        let all = [&SHAPE, &tiers::SHAPE, &models::SHAPE, &mail::SHAPE]
            .map(|shape| properties(&shape.get().schema))
            .concat();
        assert!(all.len() > 60, "{}", all.len());
        for (key, schema) in all {
            assert!(text(&schema).ends_with('.') && text(&schema).len() > 15, "{key}: {:?}", text(&schema));
            for number in [&schema, &schema["items"]] {
                let name = number["type"].as_str().or_else(|| number["type"][0].as_str());
                let bound = |end: &str| match name {
                    // Without a bound the schema would let through what Rust then refuses without a line.
                    Some("integer") => number[end].is_u64(),
                    Some("number") => number[end].is_number(),
                    _ => true,
                };
                assert!(bound("minimum") && bound("maximum"), "{key}: {number}");
            }
            if schema["type"] == "object" {
                assert_eq!(schema["additionalProperties"], false, "{key}");
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let leaves = LEAVES.get();
        let mut variables: Vec<_> = leaves.iter().map(|leaf| leaf.variable.as_str()).collect();
        variables.extend(NAMED.iter().map(|named| named.name));
        variables.extend(original::variables().iter().map(|(name, _)| *name));
        let all = variables.len();
        variables.sort_unstable();
        variables.dedup();
        assert_eq!(variables.len(), all);
    }
}
