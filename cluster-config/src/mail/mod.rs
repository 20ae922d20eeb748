//! `mail_accounts.yaml`: the mailboxes that callers may use, each under an id, and how their servers are reached.

mod load;
mod one;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mistake::Mistakes;
use crate::secret::Secret;

pub use load::load_mail_accounts;
pub(crate) use one::SHAPE;

/// Every account of the file by its id: as it is to be used, or what is wrong with it. One that is wrong hides no other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MailAccounts(BTreeMap<String, Result<MailAccount, Mistakes>>);

/// One account: where its mail is, who may see it, and what may be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a file, most of them named by the original")]
pub struct MailAccount {
    /// The IMAP server: a name or an address.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// Its port. 993, and 143 where `ssl` is off.
    #[serde(default)]
    #[schemars(range(min = 0, max = 65_535))]
    pub port: u16,
    /// The name to log in with.
    #[schemars(length(min = 1, max = 320))]
    pub user: String,
    /// The password, for `auth_type: password`: `${NAME}` for an environment variable, `file:PATH` for a file.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The address that this account writes as. The name to log in with, by default.
    #[serde(default)]
    #[schemars(length(min = 0, max = 320))]
    pub email: String,
    /// Whether the connection is encrypted from its first byte. It is, unless `starttls` is on.
    #[serde(default)]
    pub ssl: Option<bool>,
    /// Whether the connection begins in clear and is encrypted before anything is said on it.
    #[serde(default)]
    pub starttls: bool,
    /// How to log in: with a password, or with a token that `oauth` says how to get.
    #[serde(default)]
    pub auth_type: MailAuth,
    /// Whether a server that is not on this machine may be told the password over a connection that anybody on the way
    /// can read.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// A file of PEM certificates that are trusted beside those that the machine trusts: the server's own authority.
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    pub ca_file: Option<PathBuf>,
    /// The SHA-256 of the server's certificate (DER) in hex: this one is trusted and no other, whoever signed it.
    #[serde(default)]
    #[schemars(length(min = 64, max = 95))]
    pub certificate_sha256: Option<String>,
    /// Where tokens come from, for `auth_type: oauth2`.
    #[serde(default)]
    pub oauth: Oauth,
    /// Folders that are watched for news. None by default: each takes a connection.
    #[serde(default)]
    #[schemars(length(min = 0, max = 8), inner(length(min = 1, max = 1024)))]
    pub idle_folders: Vec<String>,
    /// Who may be written to: addresses, `*@example.org` for everybody there, `*` for everybody. Nobody by default, so
    /// that nothing is sent until somebody says to whom.
    #[serde(default)]
    #[schemars(length(min = 0, max = 1024), inner(length(min = 1, max = 320)))]
    pub recipients: Vec<String>,
    /// The SMTP server that takes what is sent. Without one nothing can be sent.
    #[serde(default)]
    #[schemars(length(min = 0, max = 253))]
    pub smtp_host: String,
    /// Its port. 587, and 465 with `smtp_use_ssl`.
    #[serde(default)]
    #[schemars(range(min = 0, max = 65_535))]
    pub smtp_port: u16,
    /// Who logs in there. The same as at the IMAP server, by default.
    #[serde(default)]
    #[schemars(length(min = 0, max = 320))]
    pub smtp_user: String,
    /// The password there, where it is another one.
    #[serde(default)]
    pub smtp_password: Option<Secret>,
    /// Whether that connection is encrypted before anything is said on it (STARTTLS).
    #[serde(default = "yes")]
    pub smtp_use_tls: bool,
    /// Whether that connection is encrypted from its first byte; `smtp_use_tls` says nothing then.
    #[serde(default)]
    pub smtp_use_ssl: bool,
    /// The SHA-256 of that server's certificate, as `certificate_sha256` is of the other's.
    #[serde(default)]
    #[schemars(length(min = 64, max = 95))]
    pub smtp_certificate_sha256: Option<String>,
    /// Where a copy of what was sent is kept. The folder that the server names as such, by default.
    #[serde(default)]
    #[schemars(length(min = 0, max = 1024))]
    pub sent_folder: String,
    /// Whether a copy of what was sent is put there. It is, by default, but with Google's server, which does that itself.
    #[serde(default)]
    pub save_sent: Option<bool>,
}

/// Where tokens come from (RFC 6749, section 6): a refresh token, which its owner got by agreeing in a browser once, is
/// exchanged for access tokens that are good for an hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Oauth {
    /// Whose endpoint and scope to use where they are not written here.
    pub preset: OauthPreset,
    /// Where tokens are asked for: an `https:` URL, or `http:` on this machine.
    #[schemars(length(min = 0, max = 2000))]
    pub token_endpoint: String,
    /// The id of the application that the owner agreed to.
    #[schemars(length(min = 0, max = 1000))]
    pub client_id: String,
    /// The secret of that application, where it has one.
    pub client_secret: Option<Secret>,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// What the tokens are to be good for.
    #[schemars(length(min = 0, max = 2000))]
    pub scope: String,
}

/// How an account logs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailAuth {
    /// With a password.
    #[default]
    Password,
    /// With a token.
    Oauth2,
}

/// Whose endpoint and scope are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OauthPreset {
    /// Nobody's: the file says both.
    #[default]
    None,
    /// Google's.
    Gmail,
    /// Microsoft's, for personal and for work accounts.
    Microsoft,
}

/// How a connection to the IMAP server is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said.
    StartTls,
    /// In clear: on this machine, or because the owner allowed it.
    Clear,
}

const fn yes() -> bool {
    true
}

// === impl MailAccounts, MailAccount, OauthPreset ===

impl MailAccounts {
    /// Every account by its id: as it is to be used, or what is wrong with it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Result<&MailAccount, &Mistakes>)> {
        self.0.iter().map(|(id, account)| (id.as_str(), account.as_ref()))
    }

    /// The account of this id, or what is wrong with it; `None` when there is none.
    pub fn get(&self, id: &str) -> Option<Result<&MailAccount, &Mistakes>> {
        self.0.get(id).map(Result::as_ref)
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl MailAccount {
    /// How its IMAP server is reached.
    pub fn security(&self) -> Security {
        match (self.ssl, self.starttls) {
            (Some(true), _) | (None, false) => Security::Tls,
            (_, true) => Security::StartTls,
            (Some(false), false) => Security::Clear,
        }
    }

    /// The one certificate that is trusted, as the SHA-256 of its DER form.
    pub fn pinned(&self) -> Option<[u8; 32]> {
        self.certificate_sha256.as_deref().and_then(one::digest)
    }

    /// The one certificate of the SMTP server that is trusted, likewise.
    pub fn smtp_pinned(&self) -> Option<[u8; 32]> {
        self.smtp_certificate_sha256.as_deref().and_then(one::digest)
    }

    /// Whether a copy of what was sent is put into a folder.
    pub fn saves_sent(&self) -> bool {
        self.save_sent.unwrap_or_else(|| !self.smtp_host.to_ascii_lowercase().ends_with("gmail.com"))
    }

    /// Whether this address may be written to.
    pub fn may_write_to(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        self.recipients.iter().map(|allowed| allowed.to_lowercase()).any(|allowed| {
            match allowed.strip_prefix('*') {
                Some("") => true,
                Some(domain) => domain.len() > 1 && domain.starts_with('@') && address.ends_with(domain),
                None => address == allowed,
            }
        })
    }

    /// The password for the SMTP server: its own, or the IMAP server's.
    pub fn smtp_secret(&self) -> Option<&Secret> {
        self.smtp_password.as_ref().or(self.password.as_ref())
    }
}

impl OauthPreset {
    const fn token_endpoint(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gmail => "https://oauth2.googleapis.com/token",
            Self::Microsoft => "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        }
    }

    const fn scope(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gmail => "https://mail.google.com/",
            Self::Microsoft => {
                "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"
            }
        }
    }
}

/// Whether `host` can only be this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
