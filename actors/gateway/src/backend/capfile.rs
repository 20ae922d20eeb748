//! Capability files (`NAME.cap.json`): what a third-party service says it can do, checked before it is believed.

use serde::Deserialize;
use serde_json::{Value, json};

/// The original's largest file had 20 KB.
pub(crate) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Methods of one backend.
const METHODS_MAX: usize = 512;

/// The file. Unknown members are a later version's business.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct CapFile {
    #[serde(default = "not_given")]
    pub(crate) description: String,
    #[serde(default = "not_given")]
    pub(crate) version: String,
    pub(crate) capabilities: Vec<Capability>,
}

/// One method of it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Capability {
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) description: String,
    /// Absent or null in the original means: no params.
    #[serde(default)]
    pub(crate) params_schema: Value,
    #[serde(default)]
    pub(crate) result_schema: Value,
}

fn not_given() -> String {
    "N/A".into()
}

/// Reads the file of the service `name`.
///
/// # Errors
/// Why the file cannot be used, for the log.
pub(crate) fn parse(name: &str, text: &str) -> Result<CapFile, String> {
    let mut file: CapFile =
        serde_json::from_str(text).map_err(|error| format!("not a capability file: {error}"))?;
    if file.capabilities.len() > METHODS_MAX {
        return Err(format!("{} methods; at most {METHODS_MAX} are read", file.capabilities.len()));
    }
    let prefix = format!("mcp.{name}.");
    for capability in &mut file.capabilities {
        let method = &capability.method;
        let fine = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        let plain = |rest: &str| rest.split('.').all(|part| !part.is_empty() && part.bytes().all(fine));
        if method.len() > 128 || !method.strip_prefix(&prefix).is_some_and(plain) {
            return Err(format!("method '{method}' is not called {prefix}NAME"));
        }
        if capability.params_schema.is_null() {
            capability.params_schema = json!({ "type": "array", "maxItems": 0 });
        }
        if capability.result_schema.is_null() {
            capability.result_schema = json!({});
        }
    }
    Ok(file)
}

/// The service's name, from the file's: lower-case letters, digits, `_` and `-`.
pub(crate) fn service_name(file_name: &str) -> Option<&str> {
    let name = file_name.strip_suffix(".cap.json")?;
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    ((1..=40).contains(&name.len()) && name.bytes().all(fine)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_originals_form_is_read() {
        let text = r#"{"service_name":"echo","version":"0.1.1","capabilities":[
            {"method":"mcp.echo.say","description":"d","params_schema":{"type":"array","items":[{"type":"string"}]}},
            {"method":"mcp.echo.none"}]}"#;
        let file = parse("echo", text).unwrap();
        assert_eq!((file.description.as_str(), file.version.as_str()), ("N/A", "0.1.1"));
        assert_eq!(file.capabilities[1].params_schema, json!({"type": "array", "maxItems": 0}));
    }

    #[test]
    fn what_is_no_capability_file_is_refused_with_a_reason() {
        for bad in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"capabilities":[{"method":"mcp.fs.read"}]}"#,
            r#"{"capabilities":[{"method":"mcp.echo."}]}"#,
            r#"{"capabilities":[{"method":"mcp.echo.a b"}]}"#,
        ] {
            assert!(parse("echo", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(service_name("echo-2.cap.json"), Some("echo-2"));
        for bad in [".cap.json", "echo.json", "E.cap.json", "a/b.cap.json", "a.b.cap.json"] {
            assert_eq!(service_name(bad), None, "{bad}");
        }
    }
}
