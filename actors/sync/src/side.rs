//! One side of a job: a folder of a root, or a folder of a remote. Parsed once; nothing else reaches rclone.

use protocol::Error;

use crate::refusal::{refused, shown};

/// Longer than any path of a remote.
const TEXT_MAX: usize = 4096;

/// A side as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// A virtual path, which the file service knows to resolve.
    Local(String),
    /// A folder of a remote of rclone's configuration.
    Remote {
        /// The remote.
        name: String,
        /// The folder, as the remote has it.
        path: String,
    },
}

impl Side {
    /// Reads `/folder` or `remote:folder`.
    pub(crate) fn parse(what: &str, text: &str) -> Result<Self, Error> {
        let seen = shown(text);
        if text.is_empty() || text.len() > TEXT_MAX {
            return Err(Error::invalid_params(format!(
                "{what} must be '/folder' or 'remote:folder', of at most {TEXT_MAX} bytes"
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(refused(
                "control_character",
                format!("The {what} '{seen}' has a control character."),
            ));
        }
        if text.starts_with('/') {
            return Ok(Self::Local(text.to_owned()));
        }
        if text.starts_with('-') {
            return Err(refused(
                "leading_dash",
                format!("The {what} '{seen}' begins with a dash: a side is a folder, never an option."),
            ));
        }
        if text.starts_with(':') {
            return Err(refused(
                "connection_string",
                format!(
                    "The {what} '{seen}' is a connection string, which could reach anything: name a remote of \
                     mcp.sync.listRemotes."
                ),
            ));
        }
        let Some((name, path)) = text.split_once(':') else {
            return Err(refused(
                "not_absolute",
                format!(
                    "The {what} '{seen}' is neither a path from the virtual root ('/folder') nor a remote ('remote:folder')."
                ),
            ));
        };
        if name.contains([',', '=', '"', '\'']) {
            return Err(refused(
                "connection_string",
                format!(
                    "The {what} '{seen}' changes options of a remote: only its name may stand before the colon."
                ),
            ));
        }
        if !is_name(name) {
            return Err(refused(
                "bad_remote_name",
                format!("The {what} '{seen}' does not begin with the name of a remote."),
            ));
        }
        if path.split('/').any(|part| part == "..") {
            return Err(refused(
                "outside",
                format!("The {what} '{seen}' leads upwards: '..' is not accepted in a path."),
            ));
        }
        Ok(Self::Remote { name: name.to_owned(), path: path.to_owned() })
    }
}

/// What rclone takes for the name of a remote, without what its command line reads otherwise.
fn is_name(name: &str) -> bool {
    !name.starts_with([' ', '-']) && name.chars().all(|c| c.is_alphanumeric() || "_-.+@ ".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Side, &str>) {
        let got = Side::parse("source", text);
        let kind = |error: Error| match error.data {
            Some(data) => data["kind"].as_str().unwrap().to_owned(),
            None => "params".to_owned(),
        };
        assert_eq!(got.map_err(kind), expected.map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn sides() {
        let remote = |name: &str, path: &str| Ok(Side::Remote { name: name.into(), path: path.into() });
        check("/", Ok(Side::Local("/".into())));
        check("/a:b/c", Ok(Side::Local("/a:b/c".into())));
        check("box:", remote("box", ""));
        check("my box:a/b:c", remote("my box", "a/b:c"));
        check("box:..a/b..", remote("box", "..a/b.."));
    }

    #[test]
    fn what_is_no_side() {
        for (text, kind) in [
            ("", "params"),
            ("a/b", "not_absolute"),
            (".", "not_absolute"),
            ("../x", "not_absolute"),
            (":local:/etc", "connection_string"),
            (":sftp,host=x,ssh=\"sh -c id\":", "connection_string"),
            ("box,type=local:/etc", "connection_string"),
            ("box,remote='/etc':", "connection_string"),
            ("-x", "leading_dash"),
            ("--config=/tmp/x:", "leading_dash"),
            (" -x:", "bad_remote_name"),
            ("a/b:c", "bad_remote_name"),
            ("$(id):x", "bad_remote_name"),
            ("box:../x", "outside"),
            ("box:a/../../x", "outside"),
            ("box:a\nb", "control_character"),
            ("box\0:", "control_character"),
        ] {
            check(text, Err(kind));
        }
    }
}
