//! A client's file, changed as a file of somebody else's should be: whole or not at all, with a copy of what it was.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Saved {
    /// The file says so already.
    Unchanged,
    /// The file is new, or what it was is in the backup.
    Written { backup: Option<PathBuf> },
}

/// Puts `change` of its text into a file, which need not be there.
pub(super) fn update(
    file: &Path,
    change: impl FnOnce(&str) -> Result<String, String>,
) -> anyhow::Result<Saved> {
    // Where a link leads: dotfiles are often kept elsewhere, and a rename onto the link would replace it.
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let shown = file.display();
    let before = read(&file).with_context(|| format!("cannot read {shown}"))?;
    let text = before.as_deref().unwrap_or_default();
    let after = change(text).map_err(|why| anyhow!("{shown} was left as it is: {}", why.trim_end()))?;
    if before.is_some() && after == text {
        return Ok(Saved::Unchanged);
    }
    let written = || -> io::Result<Option<PathBuf>> {
        let folder = folder(&file);
        std::fs::create_dir_all(folder)?;
        // Such a file may hold tokens of other servers: a new one is its owner's alone, an old one stays as it is.
        let readers =
            std::fs::metadata(&file).map_or(Permissions::from_mode(0o600), |data| data.permissions());
        let backup = before.as_deref().map(|before| {
            let backup = beside(&file, &Timestamp::now().strftime("bak-%Y%m%dT%H%M%S%.3fZ").to_string());
            write(&backup, before, &readers).map(|()| backup)
        });
        let backup = backup.transpose()?;
        let fresh = beside(&file, &format!("new-{}", std::process::id()));
        let moved = write(&fresh, &after, &readers).and_then(|()| std::fs::rename(&fresh, &file));
        moved.inspect_err(|_| drop(std::fs::remove_file(&fresh)))?;
        File::open(folder)?.sync_all()?;
        Ok(backup)
    };
    let backup = written().with_context(|| format!("cannot write {shown}"))?;
    Ok(Saved::Written { backup })
}

/// The text of a file; `None` when it is not there.
fn read(file: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `FILE.ending`.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// A new file, on the disk when this returns.
fn write(path: &Path, text: &str, readers: &Permissions) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(readers.clone())?;
    file.sync_all()
}
