//! Licence tiers as methods declare them, and the patterns that tiers and tokens are written in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The cheapest shipped licence whose tier includes a method.
///
/// This is the declaration; what is enforced is `licence_tiers.yaml`, which may define further tiers. A test
/// holds the shipped file against the declarations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Tier {
    /// Without any licence.
    Free,
    /// A person's working set.
    Pro,
    /// Everything, administration included.
    Elite,
}

impl Tier {
    /// The name in `lic.key` and `licence_tiers.yaml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "FREE",
            Self::Pro => "PRO",
            Self::Elite => "ELITE",
        }
    }
}

/// What a tier or token allows or denies: an exact method name, `prefix.*`, or `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `*`.
    Any,
    /// `mcp.fs.*`; holds `mcp.fs.` with its dot, so that `mcp.fsx.read` stays outside.
    Prefix(String),
    /// `mcp.fs.read`.
    Exact(String),
}

/// A pattern that is none of the three forms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a pattern: write a method name, 'prefix.*' or '*'")]
pub struct BadPattern(pub String);

impl Pattern {
    /// Whether `method` is covered.
    pub fn covers(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(prefix) => method.len() > prefix.len() && method.starts_with(prefix.as_str()),
            Self::Exact(name) => name == method,
        }
    }
}

impl std::str::FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let name = |s: &str| {
            !s.is_empty()
                && s.split('.').all(|part| {
                    !part.is_empty()
                        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
                })
        };
        match text.strip_suffix(".*") {
            _ if text == "*" => Ok(Self::Any),
            Some(prefix) if name(prefix) => Ok(Self::Prefix(format!("{prefix}."))),
            None if name(text) => Ok(Self::Exact(text.to_owned())),
            _ => Err(BadPattern(text.to_owned())),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Exact(name) => f.write_str(name),
        }
    }
}

impl Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$",
            "description": "A method name, 'prefix.*' or '*'.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, method: &str, covered: bool) {
        assert_eq!(pattern.parse::<Pattern>().unwrap().covers(method), covered, "{pattern} ~ {method}");
    }

    #[test]
    fn three_forms() {
        check("*", "mcp.fs.read", true);
        check("mcp.fs.*", "mcp.fs.read", true);
        check("mcp.fs.*", "mcp.fsx.read", false);
        check("mcp.fs.*", "mcp.fs.", false);
        check("mcp.fs.read", "mcp.fs.read", true);
        check("mcp.fs.read", "mcp.fs.readlink", false);
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in ["", "**", "mcp.*.read", "mcp..fs", ".*", "mcp.fs.", "mcp fs"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad:?}");
        }
    }
}
