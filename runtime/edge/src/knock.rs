//! What a TCP caller shows before it is let in: the host it asked for, the page it comes from, its token. Pure.
//!
//! A browser lets any page open a WebSocket to this machine; `Origin` says which page, and a `Host` that is a
//! foreign name is how DNS rebinding looks. A host written as an address cannot be rebound.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use protocol::{Code, Error};
use serde_json::json;

/// The subprotocol of the native dialect.
pub(crate) const SUBPROTOCOL: &str = "llmbasedos";

/// Browsers cannot set headers on a WebSocket, but they can offer subprotocols: `bearer.TOKEN` is one.
const TOKEN_SUBPROTOCOL: &str = "bearer.";

/// Which hosts and origins are let in besides those of this machine.
#[derive(Clone, Debug, Default)]
pub struct HostRules {
    /// `box.lan` or `box.lan:8000`.
    pub hosts: Vec<String>,
    /// `https://app.example`.
    pub origins: Vec<String>,
}

/// Why somebody is turned away at the door.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TurnedAway {
    #[error("Host '{0}' is not this server's. If it should be, add it to auth.allowed_hosts.")]
    Host(String),
    #[error("Pages of '{0}' may not connect. If they should, add it to auth.allowed_origins.")]
    Origin(String),
}

/// What somebody is told for whom there is no place.
pub(crate) fn full(connections: usize) -> Error {
    Error::new(
        Code::Overloaded,
        format!("{connections} connections are open, as many as limits.connections allows. Try again later."),
    )
    .with_data(json!({ "limit": connections }))
}

impl HostRules {
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), TurnedAway> {
        let shown = |value: &str| value.chars().take(100).filter(|c| !c.is_control()).collect::<String>();
        let host = text(headers, HOST.as_str());
        if !self.knows_host(host) {
            return Err(TurnedAway::Host(shown(host)));
        }
        if !headers.contains_key(ORIGIN) {
            return Ok(());
        }
        let origin = text(headers, ORIGIN.as_str());
        if self.knows_origin(origin) { Ok(()) } else { Err(TurnedAway::Origin(shown(origin))) }
    }

    fn knows_host(&self, host: &str) -> bool {
        let name = without_port(host);
        is_loopback_name(name)
            || unbracketed(name).parse::<IpAddr>().is_ok()
            || self
                .hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(host) || known.eq_ignore_ascii_case(name))
    }

    pub(crate) fn knows_origin(&self, origin: &str) -> bool {
        let of_this_machine = || {
            let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            authority.is_some_and(|authority| is_loopback_name(without_port(authority)))
        };
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)) || of_this_machine()
    }
}

/// The token, from `Authorization: Bearer TOKEN` or the subprotocol `bearer.TOKEN`.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    if let Some((scheme, token)) = text(headers, AUTHORIZATION.as_str()).split_once(' ')
        && scheme.eq_ignore_ascii_case("bearer")
    {
        return Some(token.trim().to_owned());
    }
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut offered = offered.flat_map(|list| list.split(',')).map(str::trim);
    offered.find_map(|protocol| protocol.strip_prefix(TOKEN_SUBPROTOCOL)).map(ToOwned::to_owned)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') => {
            if host.contains(':') && !host.starts_with('[') { authority } else { host }
        }
        _ => authority,
    }
}

fn unbracketed(name: &str) -> &str {
    name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name)
}

fn is_loopback_name(name: &str) -> bool {
    let name = unbracketed(name);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[track_caller]
    fn check(host: &str, origin: Option<&str>, welcome: bool) {
        let rules = HostRules { hosts: vec!["box.lan".into()], origins: vec!["https://app.example".into()] };
        let mut pairs = vec![("host", host)];
        pairs.extend(origin.map(|origin| ("origin", origin)));
        assert_eq!(rules.check(&headers(&pairs)).is_ok(), welcome, "{host} {origin:?}");
    }

    #[test]
    fn hosts() {
        for good in [
            "localhost",
            "localhost:8000",
            "LOCALHOST",
            "127.0.0.1:1",
            "[::1]:8000",
            "192.168.1.5:8000",
            "box.lan",
            "box.lan:8000",
        ] {
            check(good, None, true);
        }
        for bad in
            ["", "evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"]
        {
            check(bad, None, false);
        }
    }

    #[test]
    fn origins() {
        for good in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5", "https://app.example"] {
            check("localhost", Some(good), true);
        }
        for bad in [
            "https://evil.example",
            "null",
            "",
            "http://localhost.evil.example",
            "https://app.example.evil",
            "file://",
            "http://evil.example:80/localhost",
        ] {
            check("localhost", Some(bad), false);
        }
    }

    #[test]
    fn tokens() {
        assert_eq!(token(&headers(&[("authorization", "Bearer abc")])), Some("abc".into()));
        assert_eq!(token(&headers(&[("authorization", "bearer  abc ")])), Some("abc".into()));
        assert_eq!(token(&headers(&[("authorization", "Basic abc")])), None);
        assert_eq!(
            token(&headers(&[("sec-websocket-protocol", "llmbasedos, bearer.abc")])),
            Some("abc".into())
        );
        assert_eq!(token(&headers(&[])), None);
    }
}
