//! Which lines are remembered. The file holds no secrets: a line that looks as if it carried one is forgotten, as is
//! one that begins with a space. Pure; the editor keeps the file.

use std::path::PathBuf;

/// The original's file; its name is documented, so it stays.
const FILE: &str = ".llmbasedos_shell_history";

/// Lines kept.
pub(crate) const LINES_MAX: usize = 2000;

pub(crate) fn file() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).map(|home| home.join(FILE))
}

/// What announces a secret when a value follows it.
const KEYS: [&str; 10] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "key",
    "credential",
    "credentials",
    "authorization",
];

/// Forms that secrets themselves have.
const PREFIXES: [&str; 9] =
    ["sk-", "ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "akia", "eyj", "-----begin"];

/// Whether a line may be written to the file.
pub(crate) fn is_storable(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with(' ') && !has_secret(line)
}

fn has_secret(line: &str) -> bool {
    let line = line.to_lowercase();
    line.contains("bearer ") || has_assignment(&line) || has_option(&line) || has_known_form(&line)
}

/// `api_key=…`, `"password": …`, `Authorization:…`: a word that ends in one of [`KEYS`], then `=` or `:`.
fn has_assignment(line: &str) -> bool {
    line.match_indices(['=', ':']).any(|(at, _)| {
        let before =
            line[..at].trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\'));
        KEYS.iter().any(|key| before.ends_with(key))
    })
}

/// `--token …`.
fn has_option(line: &str) -> bool {
    line.split_whitespace()
        .filter_map(|word| word.strip_prefix("--"))
        .any(|word| KEYS.iter().any(|key| word.ends_with(key)))
}

fn has_known_form(line: &str) -> bool {
    let edges = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ':' | ',' | '[' | '{' | '(');
    line.split(edges).any(|word| word.len() >= 12 && PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        || line.contains("-----begin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, storable: bool) {
        assert_eq!(is_storable(line), storable, "{line}");
    }

    #[test]
    fn ordinary_lines_are_kept() {
        check("ls -l /docs", true);
        check("cat /keys.txt", true);
        check("mcp.fs.grep pattern=monkeys", true);
        check("help token", true);
        check("write /a 'the key is under the mat'", true);
        check("fs.stat path=/secret", true);
    }

    #[test]
    fn secrets_and_private_lines_are_not() {
        check("", false);
        check(" ls", false);
        check("x token=abc", false);
        check("x api_key = abc", false);
        check("x APIKEY=abc", false);
        check(r#"m {"password": "hunter2"}"#, false);
        check(r#"m {"Authorization":"x"}"#, false);
        check("m 'Bearer abc'", false);
        check("x --token abc", false);
        check("x client_secret=abc", false);
        check("write /a sk-0123456789abcdef", false);
        check("m key=eyJhbGciOiJIUzI1NiJ9", false);
        check("write /k '-----BEGIN PRIVATE KEY-----'", false);
    }
}
