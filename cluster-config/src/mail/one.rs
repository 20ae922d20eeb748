//! One account of the file by itself: its shape, and what a shape cannot say.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{MailAccount, MailAuth, Security, is_loopback};
use crate::lent::Lent;
use crate::listen::is_host;
use crate::mistake::shorten;
use crate::shape::{Complaint, Shape};
use crate::value::without_nulls;
use crate::yaml::Step;

/// What one account must look like.
pub(crate) static SHAPE: Lent<Shape> = Lent::new(Shape::of::<MailAccount>);

/// What looks at fields that must fit one another.
type Check = fn(&MailAccount) -> Vec<Complaint>;

/// Reads the account `id`: as far as it could be read, and complaints with paths from the account on.
pub(super) fn read(id: &str, value: Value) -> (Option<MailAccount>, Vec<Complaint>) {
    let mut found = Vec::new();
    if !is_id(id) {
        let message = format!("`{}` cannot be an id: 1 to 64 letters, digits and . _ -", shorten(id));
        found.push(Complaint { path: Vec::new(), message });
    }
    let mut value = match without_nulls(value) {
        // An id with nothing behind it is an account that lacks everything.
        Value::Null => Value::Object(Map::new()),
        value => value,
    };
    found.extend(SHAPE.get().complaints(&value));
    // What does not fit is left out, and what must be there is made up, so that the rest is still checked.
    let broken: Vec<String> = found.iter().filter_map(|one| first_key(&one.path)).collect();
    let Value::Object(map) = &mut value else { return (None, found) };
    map.retain(|name, _| !broken.contains(name));
    for name in ["host", "user"] {
        map.entry(name).or_insert_with(|| "localhost".into());
    }
    let mut account = match serde_json::from_value::<MailAccount>(value) {
        Ok(account) => account,
        Err(error) => {
            found.push(Complaint { path: Vec::new(), message: error.to_string() });
            return (None, found);
        }
    };
    complete(&mut account);
    let fits = |names: &[&str]| names.iter().all(|name| !broken.iter().any(|broken| broken == name));
    let checks: [(&[&str], Check); 4] = [
        (&["host", "smtp_host"], hosts),
        (&["ssl", "starttls", "allow_plaintext"], security),
        (&["auth_type", "password", "oauth"], credentials),
        (&["certificate_sha256", "smtp_certificate_sha256"], pins),
    ];
    for (names, check) in checks {
        if fits(names) {
            found.extend(check(&account));
        }
    }
    (Some(account), found)
}

/// What follows from the rest where nothing is said.
fn complete(account: &mut MailAccount) {
    if account.port == 0 {
        account.port = if account.security() == Security::Tls { 993 } else { 143 };
    }
    if account.smtp_port == 0 {
        account.smtp_port = if account.smtp_use_ssl { 465 } else { 587 };
    }
    for name in [&mut account.email, &mut account.smtp_user] {
        if name.is_empty() {
            name.clone_from(&account.user);
        }
    }
    let oauth = &mut account.oauth;
    if oauth.token_endpoint.is_empty() {
        oauth.preset.token_endpoint().clone_into(&mut oauth.token_endpoint);
    }
    if oauth.scope.is_empty() {
        oauth.preset.scope().clone_into(&mut oauth.scope);
    }
}

fn hosts(account: &MailAccount) -> Vec<Complaint> {
    let wrong = |name: &str, host: &str| {
        let fits = is_host(host) || host.parse::<IpAddr>().is_ok();
        (!fits)
            .then(|| complaint(&[name], "must be a name or an address, without a scheme, a port or a path"))
    };
    let smtp = Some(account.smtp_host.as_str()).filter(|host| !host.is_empty());
    let smtp = smtp.and_then(|host| wrong("smtp_host", host));
    wrong("host", &account.host).into_iter().chain(smtp).collect()
}

fn security(account: &MailAccount) -> Vec<Complaint> {
    let mut found = Vec::new();
    if account.ssl == Some(true) && account.starttls {
        found.push(complaint(&["starttls"], "cannot be on with `ssl`, which encrypts from the first byte"));
    }
    if account.allow_plaintext {
        return found;
    }
    if account.security() == Security::Clear && !is_loopback(&account.host) {
        let message = "would send the password in clear over a network; turn `starttls` on, or say \
                       `allow_plaintext: true` if everybody on the way may read it";
        found.push(complaint(&["ssl"], message));
    }
    let encrypted = account.smtp_use_ssl || account.smtp_use_tls;
    if !encrypted && !account.smtp_host.is_empty() && !is_loopback(&account.smtp_host) {
        let message = "would send the password in clear over a network; leave it on, or say `allow_plaintext: true` \
                       if everybody on the way may read it";
        found.push(complaint(&["smtp_use_tls"], message));
    }
    found
}

fn credentials(account: &MailAccount) -> Vec<Complaint> {
    let oauth = &account.oauth;
    if account.auth_type == MailAuth::Password {
        let lacks = account.password.is_none();
        return lacks
            .then(|| complaint(&[], "needs `password`, or `auth_type: oauth2`"))
            .into_iter()
            .collect();
    }
    let mut found = Vec::new();
    let needed = [
        ("token_endpoint", oauth.token_endpoint.is_empty()),
        ("client_id", oauth.client_id.is_empty()),
        ("refresh_token", oauth.refresh_token.is_none()),
    ];
    for (name, _) in needed.iter().filter(|(_, lacks)| *lacks) {
        found.push(complaint(&["oauth"], &format!("needs `{name}` for `auth_type: oauth2`")));
    }
    if !oauth.token_endpoint.is_empty()
        && let Err(message) = check_endpoint(&oauth.token_endpoint)
    {
        found.push(complaint(&["oauth", "token_endpoint"], message));
    }
    found
}

/// What is wrong with it is said without it: a wrong URL may hold a password.
fn check_endpoint(url: &str) -> Result<(), &'static str> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if url.contains('@') || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must not have a user, a password or spaces in it");
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    };
    match scheme {
        _ if name.is_empty() => Err("must be a URL such as https://accounts.example/token"),
        "https" => Ok(()),
        "http" if is_loopback(name) => Ok(()),
        _ => Err("must begin with https:// unless it is on this machine: what is sent there is a secret"),
    }
}

fn pins(account: &MailAccount) -> Vec<Complaint> {
    let pins = [
        ("certificate_sha256", &account.certificate_sha256),
        ("smtp_certificate_sha256", &account.smtp_certificate_sha256),
    ];
    let message = "must be 64 digits of hex, with or without colons: what \
                   `openssl x509 -noout -fingerprint -sha256` prints";
    let wrong = |pin: &Option<String>| pin.as_deref().is_some_and(|pin| digest(pin).is_none());
    pins.iter().filter(|(_, pin)| wrong(pin)).map(|(name, _)| complaint(&[name], message)).collect()
}

/// The 32 bytes of a fingerprint in hex.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b':').collect();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok()?;
    }
    Some(bytes)
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn complaint(path: &[&str], message: &str) -> Complaint {
    Complaint { path: path.iter().map(|name| key(name)).collect(), message: message.to_owned() }
}

fn first_key(path: &[Step]) -> Option<String> {
    match path.first()? {
        Step::Key(name) => Some(name.clone()),
        Step::Index(_) => None,
    }
}

pub(super) fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}
