//! The address that the daemon listens on: HOST:PORT, checked where it is read.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mistake::shorten;

/// `listen`: HOST:PORT, checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listen {
    text: String,
    port: u16,
}

// === impl Listen ===

impl Default for Listen {
    fn default() -> Self {
        Self { text: "127.0.0.1:8000".to_owned(), port: 8000 }
    }
}

impl Listen {
    /// HOST:PORT as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        let host = self.text.rsplit_once(':').map_or("", |(host, _)| host);
        host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
    }

    /// The port; 0 is any free one.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.host().parse::<std::net::IpAddr>().map_or(self.host() == "localhost", |ip| ip.is_loopback())
    }

    /// The same with another host.
    pub(crate) fn with_host(&self, host: &str) -> String {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let host = if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() };
        format!("{host}:{}", self.port)
    }

    /// The same with another port.
    pub(crate) fn with_port(&self, port: &str) -> String {
        let host = self.text.rsplit_once(':').map_or("", |(host, _)| host);
        format!("{host}:{port}")
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = |why: &str| format!("must be HOST:PORT; `{}` {why}", shorten(text));
        let (host, port) = text.rsplit_once(':').ok_or_else(|| bad("has no `:PORT`"))?;
        let port = port.parse().map_err(|_| bad("has no port from 0 to 65535 behind its last colon"))?;
        let known = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_host(host),
        };
        if !known {
            return Err(bad("has a host that is no name, no IPv4 address and no IPv6 address in brackets"));
        }
        Ok(Self { text: text.to_owned(), port })
    }
}

/// Whether `host` looks like a name or an IPv4 address.
pub(crate) fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AsRef<str> for Listen {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Serialize for Listen {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Listen {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Listen".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses() {
        for (text, host, port, loopback) in [
            ("127.0.0.1:8000", "127.0.0.1", 8000, true),
            ("[::1]:0", "::1", 0, true),
            ("localhost:80", "localhost", 80, true),
            ("0.0.0.0:8000", "0.0.0.0", 8000, false),
            ("box.lan:8000", "box.lan", 8000, false),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!(
                (listen.host(), listen.port(), listen.is_loopback()),
                (host, port, loopback),
                "{text}"
            );
        }
        for bad in
            ["", "8000", ":8000", "a:b", "a:65536", "::1:80", "[::g]:80", "a b:80", "http://x:80", "x:-1"]
        {
            assert!(bad.parse::<Listen>().is_err(), "{bad:?}");
        }
    }
}
