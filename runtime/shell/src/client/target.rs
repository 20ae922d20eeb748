//! Where the daemon is: a WebSocket address or a UNIX socket.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_tungstenite::tungstenite::http::Uri;

/// Parsed from `--url` or the word after `connect`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    Ws { uri: Uri, host: String, port: u16 },
    Unix(PathBuf),
}

impl Target {
    /// Whether nobody else's machine is involved: the token of this machine's daemon may be sent there.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Ws { host, .. } => {
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }

    /// Whether both are the same daemon as far as a token is concerned.
    pub(crate) fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ws { host, port, .. }, Self::Ws { host: other_host, port: other_port, .. }) => {
                host == other_host && port == other_port
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ws { uri, .. } => write!(f, "{uri}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            // unix:/run/x and unix:///run/x are both in use.
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(RULE.into()) } else { Ok(Self::Unix(path.into())) };
        }
        if text.starts_with("wss://") {
            return Err(
                "wss:// is not built in: let a tunnel (ssh -L) or a proxy on this machine add TLS".into()
            );
        }
        let text = match text.split_once("://") {
            Some(("ws", _)) => text.to_owned(),
            Some(_) => return Err(RULE.into()),
            None => format!("ws://{text}/ws"),
        };
        let uri: Uri = text.parse().map_err(|error| format!("{error}; {RULE}"))?;
        let authority = uri.authority().ok_or(RULE)?;
        if authority.as_str().contains('@') {
            return Err("a URL cannot carry a name or password: use --token".into());
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(80);
        if host.is_empty() {
            return Err(RULE.into());
        }
        Ok(Self::Ws { uri, host, port })
    }
}

const RULE: &str = "expected ws://HOST:PORT/ws, HOST:PORT or unix:/path/gateway.sock";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, ()>, local: bool) {
        let got = text.parse::<Target>();
        assert_eq!(
            got.as_ref().map(ToString::to_string).map_err(|_| ()),
            expected.map(str::to_owned),
            "{text}"
        );
        assert_eq!(got.is_ok_and(|target| target.is_local()), local, "{text}");
    }

    #[test]
    fn addresses() {
        check("ws://127.0.0.1:8000/ws", Ok("ws://127.0.0.1:8000/ws"), true);
        check("ws://[::1]:8000/ws", Ok("ws://[::1]:8000/ws"), true);
        check("localhost:9", Ok("ws://localhost:9/ws"), true);
        check("ws://gateway:8000/ws", Ok("ws://gateway:8000/ws"), false);
        check("127.0.0.1.evil.example:80", Ok("ws://127.0.0.1.evil.example:80/ws"), false);
        check("unix:/run/mcp/gateway.sock", Ok("unix:/run/mcp/gateway.sock"), true);
        check("unix:///run/mcp/gateway.sock", Ok("unix:/run/mcp/gateway.sock"), true);
        check("http://localhost/ws", Err(()), false);
        check("wss://localhost/ws", Err(()), false);
        check("ws://me:secret@localhost/ws", Err(()), false);
        check("unix:", Err(()), false);
        check("", Err(()), false);
    }
}
