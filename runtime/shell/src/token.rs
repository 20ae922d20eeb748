//! Who the caller is: where the token comes from, and to whom it may be shown.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::client::Target;

/// Where `llmbasedos init` leaves the owner's token: `make run` in this folder, then the installed daemon.
const USUAL_FILES: [&str; 2] = [".llmbasedos/token", "/etc/llmbasedos/token"];
/// A token is one short line; a larger file is some other file.
const FILE_MAX: u64 = 4096;

/// A secret that does not print itself.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The text, for the header that carries it and nothing else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A file is read again for each connection, so that a renewed token is picked up.
#[derive(Clone, Debug)]
pub(crate) enum TokenSource {
    Absent,
    Given(Token),
    File(PathBuf),
}

impl TokenSource {
    pub(crate) fn is_some(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    pub(crate) fn read(&self) -> Result<Option<Token>, String> {
        match self {
            Self::Absent => Ok(None),
            Self::Given(token) => Ok(Some(token.clone())),
            Self::File(path) => read_file(path).map(Some),
        }
    }

    /// What the owner of a token file should know: others can read it.
    pub(crate) fn warning(&self) -> Option<String> {
        let Self::File(path) = self else { return None };
        let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then(|| {
            format!("warning: {} is open to others (mode {mode:04o}); run: chmod 600 {0}", path.display())
        })
    }
}

fn read_file(path: &Path) -> Result<Token, String> {
    let because =
        |reason: &dyn fmt::Display| format!("cannot read the token file {}: {reason}", path.display());
    let length = fs::metadata(path).map_err(|error| because(&error))?.len();
    if length > FILE_MAX {
        return Err(because(&"it is too large to be one"));
    }
    let text = fs::read_to_string(path).map_err(|error| because(&error))?;
    Token::new(&text).ok_or_else(|| because(&"it is empty"))
}

/// What the person said about tokens at the start.
#[derive(Clone, Debug)]
pub(crate) struct Wallet {
    pub(crate) given: TokenSource,
    /// Whom the given token is for: it is never shown to another daemon that `connect` names later.
    pub(crate) meant_for: Target,
}

impl Wallet {
    /// The token for `target`. A UNIX socket knows its callers by uid. The usual files belong to this machine's
    /// daemon, so they are not offered to other machines.
    pub(crate) fn token_for(&self, target: &Target) -> TokenSource {
        if matches!(target, Target::Unix(_)) {
            return TokenSource::Absent;
        }
        if self.given.is_some() && target.same_place(&self.meant_for) {
            return self.given.clone();
        }
        // One that cannot be opened is somebody else's.
        let usual = USUAL_FILES.map(PathBuf::from).into_iter().find(|path| fs::File::open(path).is_ok());
        match usual {
            Some(path) if target.is_local() => TokenSource::File(path),
            _ => TokenSource::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_token_goes_to_the_daemon_it_was_given_for_only() {
        let target = |text: &str| text.parse::<Target>().unwrap();
        let given = TokenSource::Given(Token::new(" t \n").unwrap());
        let wallet = Wallet { given, meant_for: target("ws://a.example:8000/ws") };
        let shown = |text: &str| matches!(wallet.token_for(&target(text)), TokenSource::Given(_));
        assert!(shown("ws://a.example:8000/other"));
        assert!(!shown("ws://a.example:9000/ws"));
        assert!(!shown("ws://b.example:8000/ws"));
        assert!(!shown("unix:/run/mcp/gateway.sock"));
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        assert!(!format!("{:?}", Token::new("hunter2")).contains("hunter2"));
    }
}
