//! One line of the list of hosts: a name, all names below one, an address, a network; each with a port or for all ports.

use std::net::IpAddr;

use url::Host;

/// Whom an entry lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) whom: Whom,
    /// `None` for all.
    pub(crate) port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Whatever is public.
    Everybody,
    Name(String),
    /// `*.` of this.
    Below(String),
    Network(Network),
}

/// Addresses with a beginning in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    first: IpAddr,
    bits: u32,
}

impl Entry {
    /// Reads `text` as it stands in the settings.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Err("write the host alone, without http:// or https://".to_owned());
        }
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("a host has no blanks in it".to_owned());
        }
        if text.contains('@') {
            return Err("a host has no user in it; send a header instead".to_owned());
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { whom: Whom::Network(Network::one(address)), port: None });
        }
        if let Some((address, rest)) = text.split_once('/') {
            let (bits, port) = match rest.split_once(':') {
                Some((bits, port)) => (bits, Some(parse_port(port)?)),
                None => (rest, None),
            };
            return Ok(Self { whom: Whom::Network(Network::parse(address, bits)?), port });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(parse_port(port)?))
            }
            _ => (text, None),
        };
        Ok(Self { whom: Whom::parse(host)?, port })
    }

    /// Whether it is for this port.
    pub(crate) fn is_for(&self, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
    }
}

impl Whom {
    fn parse(host: &str) -> Result<Self, String> {
        if host == "*" {
            return Ok(Self::Everybody);
        }
        let (below, name) = match host.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, host),
        };
        if name.contains('*') {
            return Err(
                "a * stands alone or for whole names at the beginning, as in *.example.org".to_owned()
            );
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        match Host::parse(name) {
            Ok(Host::Domain(name)) if below => Ok(Self::Below(name)),
            Ok(Host::Domain(name)) => Ok(Self::Name(name)),
            Ok(Host::Ipv6(address)) if !below => Ok(Self::Network(Network::one(address.into()))),
            // 0x7f.1 is an address for a browser; in a list it is a mistake.
            Ok(Host::Ipv4(address)) if !below && name == address.to_string() => {
                Ok(Self::Network(Network::one(address.into())))
            }
            Ok(Host::Ipv4(address)) if !below => Err(format!("write this address as {address}")),
            Ok(_) => Err("an address has nothing below it; write a network, as in 10.0.0.0/8".to_owned()),
            Err(error) => Err(format!(
                "it is neither a host (api.example.org, *.example.org, host:8080) nor an address nor a network \
                 (10.0.0.0/8): {error}"
            )),
        }
    }
}

impl Network {
    fn one(address: IpAddr) -> Self {
        let first = address.to_canonical();
        Self { first, bits: width(first) }
    }

    fn parse(address: &str, bits: &str) -> Result<Self, String> {
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let first: IpAddr = bare.parse().map_err(|_| {
            "before the / of a network is an address, as in 10.0.0.0/8; a URL's path cannot be listed"
                .to_owned()
        })?;
        let bits_max = width(first);
        let bits = bits.parse().ok().filter(|bits| *bits <= bits_max);
        let bits = bits.ok_or_else(|| format!("behind the / of a network is a number up to {bits_max}"))?;
        let network = Self { first, bits };
        let zeros = bits_max - bits;
        let begins = number(first).checked_shr(zeros).unwrap_or(0).checked_shl(zeros).unwrap_or(0);
        if begins == number(first) {
            Ok(network)
        } else {
            Err(format!("{bare} is no address that a /{bits} begins with"))
        }
    }

    /// Whether `address` is in it.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let rest = width(self.first) - self.bits;
        let head = |address| number(address).checked_shr(rest).unwrap_or(0);
        width(address) == width(self.first) && head(address) == head(self.first)
    }

    /// Whether it is one address alone.
    pub(crate) fn is_one(&self) -> bool {
        self.bits == width(self.first)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port > 0);
    port.ok_or_else(|| "behind the : is a port from 1 to 65535".to_owned())
}
