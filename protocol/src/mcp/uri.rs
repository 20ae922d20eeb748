//! `file:///` URIs of virtual paths (RFC 3986, RFC 8089) and back.

use std::fmt::Write as _;

/// The URI of a virtual path: `/a b` is `file:///a%20b`.
pub fn file_uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len() + 8);
    uri.push_str("file://");
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into());
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// The virtual path of a `file:///` URI. `None` for other schemes, other hosts, queries, and what is not
/// percent-encoded UTF-8. Whether the path may be used is decided where all paths are.
pub fn path_of_uri(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("file://")?;
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    if !rest.starts_with('/') || rest.contains(['?', '#']) {
        return None;
    }
    decoded(rest)
}

/// A folder of a mail account: `mail://ACCOUNT/FOLDER`, percent-encoded.
pub fn mail_uri(account: &str, folder: &str) -> String {
    // The encoding of a path, of which an account's id needs none.
    format!("mail://{account}{}", &file_uri(&format!("/{folder}"))["file://".len()..])
}

/// The account and the folder of such a URI. `None` for other schemes, queries, and what is not percent-encoded UTF-8.
pub fn mail_folder_of_uri(uri: &str) -> Option<(String, String)> {
    let (account, folder) = uri.strip_prefix("mail://")?.split_once('/')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if account.is_empty() || !account.chars().all(plain) || folder.is_empty() || folder.contains(['?', '#']) {
        return None;
    }
    Some((account.to_owned(), decoded(folder)?))
}

/// The run of such a URI: `run://exec_0123456789ab`. `None` for everything else.
pub fn run_of_uri(uri: &str) -> Option<&str> {
    let id = uri.strip_prefix("run://")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    ((1..=64).contains(&id.len()) && id.chars().all(plain)).then_some(id)
}

fn decoded(rest: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(rest.len());
    let mut left = rest.bytes();
    while let Some(byte) = left.next() {
        let decoded = match byte {
            b'%' => {
                let (high, low) = (left.next()?, left.next()?);
                let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
                digit(high)? * 16 + digit(low)?
            }
            plain => plain,
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_file_uri_has_no_path() {
        for bad in [
            "file:/a",
            "http://localhost/a",
            "file://host/a",
            "file:///a?b",
            "file:///%",
            "file:///%zz",
            "file:///%ff",
            "/a",
            "",
        ] {
            assert_eq!(path_of_uri(bad), None, "{bad}");
        }
        assert_eq!(path_of_uri("file://localhost/a").as_deref(), Some("/a"));
        assert_eq!(path_of_uri("file:///a%2fb%20c").as_deref(), Some("/a/b c"));
        assert_eq!(file_uri("/ä b#?.txt"), "file:///%C3%A4%20b%23%3F.txt");
    }

    #[test]
    fn what_is_no_mail_uri_has_no_folder() {
        for bad in [
            "mail://a",
            "mail://a/",
            "mail:///INBOX",
            "mail://a b/INBOX",
            "mail://a/b?c",
            "file:///a/b",
            "mail://a/%ff",
        ] {
            assert_eq!(mail_folder_of_uri(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_folder_comes_back(account in "[a-zA-Z0-9._-]{1,64}", folder in "\\PC+") {
            prop_assert_eq!(mail_folder_of_uri(&mail_uri(&account, &folder)), Some((account, folder)));
        }

        #[test]
        fn every_path_comes_back(path in "/\\PC*") {
            let decoded = path_of_uri(&file_uri(&path));
            prop_assert_eq!(decoded.as_deref(), Some(path.as_str()));
        }
    }
}
