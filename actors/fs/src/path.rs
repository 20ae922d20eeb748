//! The one form in which a path exists inside this crate: absolute from the virtual root, parsed once.
//!
//! A [`VirtualPath`] says what the client means and nothing about what lies there. It is not what confines the
//! client (handles do, see `beneath.rs`); it is what keeps nonsense from getting that far. Percent signs,
//! backslashes and tildes are letters here: nothing is ever decoded or expanded.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kernel's `PATH_MAX`; a longer path could not be opened in one call.
const PATH_BYTES_MAX: usize = 4096;

/// `NAME_MAX` of every file system in common use.
const NAME_BYTES_MAX: usize = 255;

/// Names that this service keeps for itself: the trash and unfinished writes. No client ever sees or says one.
pub(crate) const RESERVED_PREFIX: &str = ".llmbasedos-";

/// An absolute path from the virtual root: `/`, or `/a/b` without empty, `.` or `..` components.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualPath(String);

/// Why a text is not a [`VirtualPath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// It does not begin with a slash.
    #[error("Client path '{0}' must be absolute from its virtual root (start with '/').")]
    Relative(String),
    /// It has a `..` component.
    #[error("Client path '{0}' is outside allowed access boundaries: '..' is not accepted in a path.")]
    Upwards(String),
    /// It has a NUL character.
    #[error("Client path '{0}' contains a NUL character.")]
    Nul(String),
    /// The whole path, or one name in it, is longer than file systems allow.
    #[error("Client path '{0}' is too long: at most 4096 bytes in all and 255 bytes in each name.")]
    TooLong(String),
    /// One of its names is kept for the service itself.
    #[error(
        "Client path '{0}' uses a name that is reserved: names beginning with '.llmbasedos-' belong to the service."
    )]
    Reserved(String),
}

impl BadPath {
    /// What `data.kind` says.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Relative(_) => "not_absolute",
            Self::Upwards(_) => "outside",
            Self::Nul(_) => "nul",
            Self::TooLong(_) => "too_long",
            Self::Reserved(_) => "reserved",
        }
    }
}

// === impl VirtualPath ===

impl VirtualPath {
    /// `/`.
    pub fn top() -> Self {
        Self("/".to_owned())
    }

    /// The path as clients write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `/`.
    pub fn is_top(&self) -> bool {
        self.0.len() == 1
    }

    /// The names on the way down, outermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// The last name; `None` for `/`.
    pub fn name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// The path without its last name; `None` for `/`.
    pub fn parent(&self) -> Option<Self> {
        let (above, name) = self.0.rsplit_once('/')?;
        match (above, name) {
            (_, "") => None,
            ("", _) => Some(Self::top()),
            _ => Some(Self(above.to_owned())),
        }
    }

    /// The path of `name` in this directory. `name` comes from a directory, so it is a single name.
    pub(crate) fn child(&self, name: &str) -> Self {
        let above = if self.is_top() { "" } else { self.as_str() };
        Self([above, "/", name].concat())
    }

    /// The path as clients write it.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// Whether `other` is this path or lies below it.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.is_top()
            || other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for VirtualPath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        let bad = |why: fn(String) -> BadPath| Err(why(shown(text)));
        if !text.starts_with('/') {
            return bad(BadPath::Relative);
        }
        if text.len() > PATH_BYTES_MAX {
            return bad(BadPath::TooLong);
        }
        if text.contains('\0') {
            return bad(BadPath::Nul);
        }
        let mut path = String::with_capacity(text.len());
        for name in text.split('/') {
            match name {
                "" | "." => continue,
                ".." => return bad(BadPath::Upwards),
                _ if name.len() > NAME_BYTES_MAX => return bad(BadPath::TooLong),
                _ if name.starts_with(RESERVED_PREFIX) => return bad(BadPath::Reserved),
                _ => {}
            }
            path.push('/');
            path.push_str(name);
        }
        if path.is_empty() {
            path.push('/');
        }
        Ok(Self(path))
    }
}

impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path as it stands in a call, not looked at yet.
// Separate from `VirtualPath` so that a bad one is answered with the file service's own error code, as the original
// did, and not as a malformed parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ClientPath(pub(crate) String);

impl ClientPath {
    /// `/`, the default where a call may leave the path out.
    pub(crate) fn top() -> Self {
        Self("/".to_owned())
    }
}

/// As much of a bad path as an error message repeats, with nothing in it that could confuse a terminal.
pub(crate) fn shown(text: &str) -> String {
    const CHARS: usize = 100;
    let mut out: String = text.chars().take(CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let got = text.parse::<VirtualPath>();
        let got = got.as_ref().map(VirtualPath::as_str).map_err(BadPath::label);
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn one_form() {
        check("/", Ok("/"));
        check("/a", Ok("/a"));
        check("//a///b/", Ok("/a/b"));
        check("/./a/.", Ok("/a"));
        check("/.", Ok("/"));
        check("/...", Ok("/..."));
        check("/ a /\n", Ok("/ a /\n"));
        check("/.hidden", Ok("/.hidden"));
    }

    #[test]
    fn encodings_are_only_names() {
        check("/%2e%2e/%2e%2e/etc", Ok("/%2e%2e/%2e%2e/etc"));
        check("/..\\..\\etc", Ok("/..\\..\\etc"));
        check("/~/x", Ok("/~/x"));
        check("/\u{ff0e}\u{ff0e}/x", Ok("/\u{ff0e}\u{ff0e}/x"));
    }

    #[test]
    fn refusals() {
        check("", Err("not_absolute"));
        check("a.txt", Err("not_absolute"));
        check("C:\\x", Err("not_absolute"));
        check("/..", Err("outside"));
        check("/a/../b", Err("outside"));
        check("/a\0b", Err("nul"));
        check(&format!("/{}", "x".repeat(256)), Err("too_long"));
        check(&"/x".repeat(2049), Err("too_long"));
        check("/.llmbasedos-trash/x", Err("reserved"));
        check("/a/.llmbasedos-tmp-1", Err("reserved"));
    }

    #[test]
    fn family() {
        let path: VirtualPath = "/a/b".parse().unwrap();
        assert_eq!((path.name(), path.parent().unwrap().as_str()), (Some("b"), "/a"));
        assert_eq!(path.parent().unwrap().parent(), Some(VirtualPath::top()));
        assert_eq!((VirtualPath::top().name(), VirtualPath::top().parent()), (None, None));
        let contains = |a: &str, b: &str| a.parse::<VirtualPath>().unwrap().contains(&b.parse().unwrap());
        assert!(contains("/", "/a") && contains("/a", "/a") && contains("/a", "/a/b"));
        assert!(!contains("/a", "/ab") && !contains("/a/b", "/a"));
    }

    proptest! {
        #[test]
        fn what_parses_is_stable_and_clean(text in "(/|\\PC|\\.){0,40}") {
            if let Ok(path) = text.parse::<VirtualPath>() {
                prop_assert_eq!(path.as_str().parse::<VirtualPath>(), Ok(path.clone()));
                prop_assert!(path.names().all(|name| name != ".." && name != "." && !name.contains('\0')));
            }
        }
    }
}
