//! A URL that may be asked, read once: what is judged and what is connected to are the same parts of it.

use url::{Host, Url};

use crate::error::{Error, Kind};
use crate::policy::{Policy, Refusal};

/// Longer ones are no addresses but data.
const URL_MAX: usize = 16 * 1024;

/// The URL and what a connection needs of it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    pub(crate) encrypted: bool,
}

impl Target {
    /// Reads `text`, with what redirects are resolved against before it.
    pub(crate) fn parse(text: &str, base: Option<&Url>) -> Result<Self, Error> {
        let invalid = |why: &str| Error::new(Kind::Invalid, why);
        if text.len() > URL_MAX {
            return Err(invalid(&format!("The URL is longer than {URL_MAX} bytes. Send data in the body.")));
        }
        // A parser of URLs takes line breaks out of the middle of a host.
        if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(invalid("The URL has blanks or control characters in it. Encode them (%20)."));
        }
        let url = Url::options().base_url(base).parse(text);
        let url = url.map_err(|error| invalid(&format!("This is no URL: {error}.")))?;
        Self::of(url)
    }

    fn of(mut url: Url) -> Result<Self, Error> {
        let invalid = |why: &str| Error::new(Kind::Invalid, why);
        let encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            other => {
                let other: String = other.chars().take(16).collect();
                let why = format!("Only http:// and https:// can be asked, not {other}:.");
                return Err(Error::new(Kind::NotAllowed, why));
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "The URL has a user or password in it. Send an Authorization header instead.",
            ));
        }
        if let Some(Host::Domain(name)) = url.host()
            && let Some(name) = name.strip_suffix('.').map(str::to_owned)
        {
            // The dot says that a name is whole, which here all are; no certificate has it.
            url.set_host(Some(&name)).map_err(|error| invalid(&format!("This is no URL: {error}.")))?;
        }
        url.set_fragment(None);
        let host = url.host().map(|host| host.to_owned());
        let host = host.ok_or_else(|| invalid("The URL has no host."))?;
        if let Host::Domain(name) = &host
            && (name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63))
        {
            return Err(invalid("The host in the URL is no name that a server can have."));
        }
        let port = url.port_or_known_default().filter(|port| *port > 0);
        let port = port.ok_or_else(|| invalid("The URL's port is not from 1 to 65535."))?;
        Ok(Self { url, host, port, encrypted })
    }

    /// Whether the list has its host.
    pub(crate) fn admit(&self, policy: &Policy) -> Result<(), Error> {
        policy.admits_host(&self.host, self.port).map_err(Error::from)
    }

    /// Scheme, host and port: what may be shown and what credentials belong to.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// What stands in the `Host` header.
    pub(crate) fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }

    /// What stands in the request's first line.
    pub(crate) fn path(&self) -> String {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.url.path())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotListed(why) => Self::new(Kind::NotAllowed, why),
            Refusal::NotPublic(why) => Self::new(Kind::PrivateAddress, why),
        }
    }
}
