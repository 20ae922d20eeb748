//! Which hosts may be asked. Nobody, unless the list says so; and what is not on the public internet, only by its address.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use url::Host;

use crate::address::{Reach, reach};
use crate::entry::{Entry, Whom};

/// The list of hosts.
///
/// `api.example.org` is this host, `*.example.org` every host below it (without itself), `*` every public host,
/// `93.184.216.34` an address, `10.0.0.0/8` a network; with `:8080` behind it, on this port alone.
///
/// An address that is not public needs an entry of its own, whether the URL has the address or a name that resolves to
/// it: `10.0.0.5`, `10.0.0.0/8`, or for this machine `localhost`. So a name whose owner points it at somebody's
/// printer reaches nothing. A cloud's metadata service is let in by its very address, never by a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    entries: Vec<Entry>,
    /// What has to let a request through besides.
    outer: Option<Box<Policy>>,
}

/// What is wrong with a list, all of it: the entry, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntries(pub Vec<(String, String)>);

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotListed(String),
    NotPublic(String),
}

impl Policy {
    /// Reads a list as it stands in the settings.
    ///
    /// # Errors
    /// Every entry that cannot be read, with what to write instead.
    pub fn parse<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, BadEntries> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for text in entries {
            let text = text.as_ref().trim();
            match Entry::parse(text) {
                Ok(entry) => good.push(entry),
                Err(why) => bad.push((text.to_owned(), why)),
            }
        }
        if bad.is_empty() { Ok(Self { entries: good, outer: None }) } else { Err(BadEntries(bad)) }
    }

    /// Lets through what both let through: a workflow's own list within the operator's.
    #[must_use]
    pub fn narrowed(&self, mut by: Self) -> Self {
        let outer = by.outer.take().map_or_else(|| self.clone(), |inner| self.narrowed(*inner));
        Self { outer: Some(Box::new(outer)), ..by }
    }

    /// Whether nobody may be asked.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() || self.outer.as_ref().is_some_and(|outer| outer.is_empty())
    }

    /// Whether a URL may have this host. A name's addresses are judged besides, when they are known.
    pub(crate) fn admits_host(&self, host: &Host<String>, port: u16) -> Result<(), Refusal> {
        if let Some(outer) = &self.outer {
            outer.admits_host(host, port)?;
        }
        match host {
            Host::Ipv4(address) => self.admits_literal((*address).into(), port),
            Host::Ipv6(address) => self.admits_literal((*address).into(), port),
            Host::Domain(name) => {
                let mut entries = self.entries.iter().filter(|entry| entry.is_for(port));
                let listed = entries.any(|entry| match &entry.whom {
                    Whom::Everybody => true,
                    Whom::Name(own) => own == name,
                    Whom::Below(own) => is_below(name, own),
                    Whom::Network(_) => false,
                });
                if listed { Ok(()) } else { Err(self.not_listed(name, port)) }
            }
        }
    }

    /// Whether a connection may go to this address, which the listed host `name` resolved to.
    pub(crate) fn admits_address(&self, name: &str, address: IpAddr, port: u16) -> Result<(), Refusal> {
        if let Some(outer) = &self.outer {
            outer.admits_address(name, address, port)?;
        }
        let is_local_name = is_localhost(name) && address.to_canonical().is_loopback();
        let named = is_local_name && self.lists_localhost(name, port);
        match reach(address) {
            Reach::Public => Ok(()),
            Reach::Nearby(_) if named || self.has(address, port, false) => Ok(()),
            Reach::Metadata if self.has(address, port, true) => Ok(()),
            reach => Err(not_public(&format!("'{name}' is at {address}, which"), address, reach)),
        }
    }

    fn admits_literal(&self, address: IpAddr, port: u16) -> Result<(), Refusal> {
        let everybody = |entry: &Entry| entry.whom == Whom::Everybody && entry.is_for(port);
        match reach(address) {
            Reach::Public if self.has(address, port, false) || self.entries.iter().any(everybody) => Ok(()),
            Reach::Public => Err(self.not_listed(&address.to_string(), port)),
            Reach::Nearby(_) if self.has(address, port, false) => Ok(()),
            Reach::Metadata if self.has(address, port, true) => Ok(()),
            reach => Err(not_public(&address.to_string(), address, reach)),
        }
    }

    fn has(&self, address: IpAddr, port: u16, alone: bool) -> bool {
        self.entries.iter().filter(|entry| entry.is_for(port)).any(|entry| match &entry.whom {
            Whom::Network(network) => network.has(address) && (network.is_one() || !alone),
            _ => false,
        })
    }

    /// By name, not by `*`.
    fn lists_localhost(&self, name: &str, port: u16) -> bool {
        self.entries.iter().filter(|entry| entry.is_for(port)).any(|entry| match &entry.whom {
            Whom::Name(own) => own == name,
            Whom::Below(own) => is_below(name, own),
            _ => false,
        })
    }

    fn not_listed(&self, host: &str, port: u16) -> Refusal {
        let shown: String = host.chars().take(80).collect();
        let what = if self.entries.is_empty() { "No host may be asked: the list is empty." } else { "" };
        let space = if what.is_empty() { "" } else { " " };
        Refusal::NotListed(format!(
            "{what}{space}'{shown}' (port {port}) is not in the list of hosts. Add '{shown}' or '{shown}:{port}' to it, \
             if workflows may ask it."
        ))
    }
}

fn not_public(subject: &str, address: IpAddr, reach: Reach) -> Refusal {
    let address = address.to_canonical();
    Refusal::NotPublic(match reach {
        Reach::Nowhere(why) => format!("{subject} is {why}: it is never asked."),
        Reach::Metadata => format!(
            "{subject} is where a cloud's machine is given its keys. Only the entry '{address}' itself lets anybody there."
        ),
        Reach::Nearby(why) => format!(
            "{subject} is {why}, not the public internet. Add '{address}' or its network to the list of hosts, if it is meant."
        ),
        Reach::Public => format!("{subject} is refused."),
    })
}

fn is_below(name: &str, own: &str) -> bool {
    name.strip_suffix(own).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// Names that mean this machine, whatever a resolver says (RFC 6761, section 6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || is_below(name, "localhost")
}

impl Display for BadEntries {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, (entry, why)) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { "; " };
            write!(f, "{between}'{entry}': {why}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadEntries {}
