//! Refresh tokens that a server gave instead of the settings' own: a file for each account, for the owner's eyes alone.
//!
//! They are in no database: that may be copied, and no secret is in it in clear.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use cluster_config::Secret;
use imap::KeepsToken;
use serde::{Deserialize, Serialize};

/// Where the newer token of one account is.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    file: PathBuf,
    /// Of the token in the settings: with another one the newer one is no longer meant.
    instead_of: String,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    instead_of: String,
    refresh_token: String,
}

impl Kept {
    /// For the account `id` whose settings have `token`. An id is letters, digits and `._-`.
    pub(crate) fn new(folder: &Path, id: &str, token: &Secret) -> Self {
        let instead_of = blake3::hash(token.expose().as_bytes()).to_hex().to_string();
        Self { file: folder.join(format!("{id}.json")), instead_of }
    }
}

impl KeepsToken for Kept {
    fn kept(&self) -> Option<Secret> {
        let contents: Contents = serde_json::from_reader(File::open(&self.file).ok()?).ok()?;
        (contents.instead_of == self.instead_of).then(|| Secret::from(contents.refresh_token))
    }

    fn keep(&self, token: &Secret) -> io::Result<()> {
        let folder = self.file.parent().ok_or(io::ErrorKind::InvalidInput)?;
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let contents =
            Contents { instead_of: self.instead_of.clone(), refresh_token: token.expose().to_owned() };
        let part = self.file.with_extension("part");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(&serde_json::to_vec(&contents)?)?;
        file.sync_all()?;
        std::fs::rename(&part, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_kept_until_the_settings_have_another() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("mail");
        let of = |token: &str| Kept::new(&folder, "a.b", &Secret::from(token.to_owned()));
        let first = of("first");
        assert!(first.kept().is_none());
        first.keep(&Secret::from("second".to_owned())).unwrap();
        first.keep(&Secret::from("third".to_owned())).unwrap();
        assert_eq!(of("first").kept().map(|token| token.expose().to_owned()).as_deref(), Some("third"));
        assert!(of("another").kept().is_none(), "its owner agreed again");
        let mode = std::fs::metadata(folder.join("a.b.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
