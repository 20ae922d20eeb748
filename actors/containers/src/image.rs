//! References to images, and the list of those that may run.

use crate::policy::BadEntries;

/// Longer references are none (the engine's own bound is 255 for the name).
const REFERENCE_MAX: usize = 400;

/// A reference in the shape in which it is compared: without `docker.io/library/`, and with `:latest` where it says
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// The images that may run. None, unless they are listed.
///
/// `tools/convert:1.2` is this tag, `tools/convert:*` whatever has this name, `tools/convert@sha256:…` this image and no
/// other. A tag can be moved by whoever may push it; a digest cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Exactly(Reference),
    Named(String),
}

impl Images {
    /// Reads a list as it stands in the settings.
    ///
    /// # Errors
    /// Every entry that cannot be read, with what to write instead.
    pub fn parse<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, BadEntries> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for text in entries {
            let text = text.as_ref().trim();
            let entry = match text.strip_suffix(":*") {
                Some(name) => Reference::parse(name).and_then(|reference| {
                    let alone = !name.contains('@') && reference.tag.as_deref() == Some("latest");
                    let alone = alone && !name.ends_with(":latest");
                    if alone {
                        Ok(Entry::Named(reference.name))
                    } else {
                        Err("before :* is a name alone".to_owned())
                    }
                }),
                None => Reference::parse(text).map(Entry::Exactly),
            };
            match entry {
                Ok(entry) => good.push(entry),
                Err(why) => bad.push((text.to_owned(), why)),
            }
        }
        if bad.is_empty() { Ok(Self { entries: good }) } else { Err(BadEntries(bad)) }
    }

    /// Whether nothing may run.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn admit(&self, reference: &Reference) -> bool {
        self.entries.iter().any(|entry| match entry {
            Entry::Exactly(own) => own == reference,
            Entry::Named(name) => *name == reference.name,
        })
    }
}

impl Reference {
    /// Reads `text`; nothing of it can be more than a reference where it becomes part of a path.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "an image is written NAME:TAG or NAME@sha256:DIGEST".to_owned();
        if text.is_empty() || text.len() > REFERENCE_MAX {
            return Err(wrong());
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
            let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            if !hex.is_some_and(|hex| hex.chars().all(is_hex)) {
                return Err("a digest is sha256: and 64 hexadecimal digits in lower case".to_owned());
            }
        }
        let last = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[last..].split_once(':') {
            Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag)),
            None => (rest, None),
        };
        if let Some(tag) = tag {
            let first = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if !first
                || tag.len() > 128
                || !tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
            {
                return Err("a tag has letters, digits, '_', '.' and '-'".to_owned());
            }
        }
        let plain = |part: &str| {
            let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            part.starts_with(ends)
                && part.ends_with(ends)
                && part.chars().all(|c| ends(c) || "._-".contains(c))
        };
        let mut parts = name.split('/');
        let first = parts.next().unwrap_or_default();
        // A registry's host: with a dot or a port.
        let (host, port) = first.split_once(':').unwrap_or((first, "1"));
        let is_port = !port.is_empty() && port.len() <= 5 && port.chars().all(|c| c.is_ascii_digit());
        if !plain(host) || !is_port || (first.contains(':') && !name.contains('/')) || !parts.all(plain) {
            return Err(wrong());
        }
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        let name = name.strip_prefix("library/").unwrap_or(name).to_owned();
        let tag = tag.map(str::to_owned).or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { name, tag, digest: digest.map(str::to_owned) })
    }

    /// As the engine is asked for it. Where there is a digest, the tag says nothing.
    pub(crate) fn written(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{}@{digest}", self.name),
            (None, Some(tag)) => format!("{}:{tag}", self.name),
            (None, None) => self.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn admits(entries: &[&str], image: &str) -> bool {
        let images = Images::parse(entries).unwrap_or_else(|bad| panic!("{bad}"));
        images.admit(&Reference::parse(image).unwrap_or_else(|why| panic!("{image}: {why}")))
    }

    #[test]
    fn listed_and_not_listed() {
        let pinned = format!("a/b@{DIGEST}");
        assert!(!admits(&[], "busybox"));
        assert!(admits(&["busybox:1"], "busybox:1"));
        assert!(admits(&["busybox:1"], "docker.io/library/busybox:1"));
        assert!(admits(&["busybox"], "busybox:latest"));
        assert!(!admits(&["busybox"], "busybox:1"));
        assert!(!admits(&["busybox:1"], "evil.example/busybox:1"));
        assert!(!admits(&["busybox:1"], "evil/busybox:1"));
        assert!(admits(&["r.example:5000/a/b:*"], "r.example:5000/a/b:2"));
        assert!(admits(&["a/b:*"], &pinned));
        assert!(!admits(&["a/b:*"], "a/b/c:1"));
        assert!(!admits(&["a/b:*"], "x/a/b:1"));
        assert!(admits(&[&pinned], &pinned));
        assert!(!admits(&[&pinned], "a/b:1"));
        assert!(!admits(&[&pinned], &pinned.replace("a/b", "a/c")));
    }

    #[test]
    fn what_is_no_image() {
        for bad in [
            "",
            "a b",
            "A",
            "a:",
            "a:b:c",
            "a:*",
            "*",
            "a//b",
            "/a",
            "a/",
            "../a",
            "a/../b",
            "a?x=1",
            "a%2fb",
            "a#b",
            "a\n",
            "a:b/c:-",
            "a:-x",
            "a@sha256:12",
            "a@md5:0",
            "a@",
            ".a",
            "a.",
            "a:5000",
            "http://a/b",
            "a\\b",
        ] {
            // A name with a port and nothing behind it is a name with a tag.
            assert_eq!(Reference::parse(bad).is_ok(), bad == "a:5000", "{bad:?}");
        }
        assert!(Reference::parse(&format!("a@{}", DIGEST.to_uppercase())).is_err());
        assert!(Images::parse(["a:1:*", "a@x:*", "*", "a/*", ":*"]).is_err_and(|bad| bad.0.len() == 5));
    }
}
