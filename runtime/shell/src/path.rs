//! Paths under the daemon's virtual root. They are text until the server reads them; here they are only joined and
//! tidied, which is a comfort and no check: the server alone decides what may be reached.

/// `word` as seen from `cwd`, absolute, without `.`, `..`, doubled or trailing slashes.
pub(crate) fn absolute(cwd: &str, word: &str) -> String {
    let word = word.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')).map_or_else(
        || word.to_owned(),
        // The only home there is.
        |rest| format!("/{rest}"),
    );
    let from = if word.starts_with('/') { "" } else { cwd };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(word.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The last part of a path; empty for the root.
pub(crate) fn name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cwd: &str, word: &str, expected: &str) {
        assert_eq!(absolute(cwd, word), expected);
    }

    #[test]
    fn joins_and_tidies() {
        check("/", "", "/");
        check("/docs", "a.txt", "/docs/a.txt");
        check("/docs", "/a//b/", "/a/b");
        check("/docs/x", "../y/./z", "/docs/y/z");
        check("/docs", "../../..", "/");
        check("/docs", "~", "/");
        check("/docs", "~/a", "/a");
        check("/docs", "~a", "/docs/~a");
        assert_eq!((name("/a/b"), name("/a/"), name("/")), ("b", "a", ""));
    }
}
