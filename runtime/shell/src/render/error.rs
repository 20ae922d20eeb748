//! Failures as a person reads them: one line that says what happened, then what helps. Pure.

use protocol::Code;
use serde_json::{Value, json};

use super::escape;
use super::paint::{Ink, Paint};
use crate::failure::{Failure, Fault};

/// Longer particulars are for programs, which have `--json`.
const DATUM_MAX: usize = 200;

/// The lines for standard error, without the last line's end.
pub(crate) fn lines(failure: &Failure, paint: Paint) -> String {
    let head = |word: &str, text: &str| format!("{} {text}", paint.ink(Ink::Bad, word));
    match failure {
        Failure::Call(fault) => {
            let label = label(fault.code).map(|label| format!(" {label}")).unwrap_or_default();
            let message = escape::text(&fault.message);
            let mut out = head("error", &format!("{}{label}: {message}", fault.code));
            for line in data_lines(fault) {
                out.push_str("\n  ");
                out.push_str(&escape::line(&line));
            }
            out
        }
        Failure::Interrupted => paint.ink(Ink::Faint, "interrupted"),
        other => head("error:", &escape::text(&other.to_string())),
    }
}

/// The same for programs: what the server sent, or our own failure in that form.
pub(crate) fn json(failure: &Failure) -> Value {
    let own = |kind: &str| json!({ "error": { "kind": kind, "message": failure.to_string() } });
    match failure {
        Failure::Call(fault) => json!({ "error": fault }),
        Failure::Usage(_) => own("usage"),
        Failure::Connection(_) => own("connection"),
        Failure::Timeout(_) => own("timeout"),
        Failure::Interrupted => own("interrupted"),
        Failure::Refused(_) | Failure::Local(_) | Failure::Reported => own("local"),
    }
}

fn label(code: i64) -> Option<&'static str> {
    Code::ALL.iter().find(|known| i64::from(known.number()) == code).map(|known| known.label())
}

fn data_lines(fault: &Fault) -> Vec<String> {
    let Some(data) = &fault.data else { return Vec::new() };
    let Value::Object(members) = data else { return vec![shorten(&plain(data))] };
    let said_already = |value: &Value| value.as_str().is_some_and(|text| fault.message.contains(text));
    members
        .iter()
        .filter(|(_, value)| !said_already(value))
        .map(|(key, value)| match (key.as_str(), value.as_f64()) {
            ("retry_after_ms", Some(ms)) => format!("try again in {:.1} s", ms / 1000.0),
            _ => shorten(&format!("{key}: {}", plain(value))),
        })
        .collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(DATUM_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: i64, message: &str, data: Value, expected: &str) {
        let failure = Failure::Call(Fault { code, message: message.into(), data: Some(data) });
        assert_eq!(lines(&failure, Paint::Plain), expected);
    }

    #[test]
    fn server_errors() {
        check(
            -32011,
            "No such file.",
            json!({ "kind": "missing" }),
            "error -32011 fs_path: No such file.\n  kind: missing",
        );
        check(
            -32001,
            "Slow.",
            json!({ "retry_after_ms": 3210 }),
            "error -32001 rate_limited: Slow.\n  try again in 3.2 s",
        );
        check(-1, "x\x1b[2J", json!("y\x1b]0;t\x07\nz"), "error -1: x\n  y\u{fffd}z");
        check(
            -1,
            "x",
            json!({ "long": "é".repeat(999) }),
            &format!("error -1: x\n  long: {}…", "é".repeat(194)),
        );
    }

    #[test]
    fn our_own() {
        assert_eq!(lines(&Failure::Usage("no".into()), Paint::Plain), "error: no");
        assert!(lines(&Failure::Usage("no".into()), Paint::Coloured).ends_with("error:\x1b[0m no"));
    }
}
