//! The keys of providers: found where the file says they are, cleaned, and fit to be sent.

use std::path::Path;

use crate::environment::Environment;
use crate::secret::{self, Secret, Unresolved};

/// The key that `written` stands for.
pub(super) fn find(written: &str, environment: &Environment, directory: &Path) -> Result<Secret, Unresolved> {
    let found = secret::resolve(written.trim(), environment, directory)?;
    clean(&found).and_then(|key| key.ok_or_else(|| "is empty".to_owned())).map_err(Unresolved::Missing)
}

/// A key without what copying and pasting put around it; `None` when nothing is left.
///
/// # Errors
/// It has something in it that no HTTP header can carry.
pub(super) fn clean(key: &str) -> Result<Option<Secret>, String> {
    let key = key.trim();
    if key.is_empty() {
        return Ok(None);
    }
    if !key.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Err("holds a character that no HTTP header can carry, such as a line break".to_owned());
    }
    Ok(Some(key.to_owned().into()))
}
