//! The instance licence, `lic.key`: the ceiling over every caller of this instance.
//!
//! Both forms of the original are read: the line `TIER:user:YYYY-MM-DD` and the YAML or JSON map with `tier`,
//! `user_id`, `expires_at`. A licence that is missing, unreadable, expired, of an unknown tier, or unsigned
//! where signatures are asked for, counts as FREE and says why. It never counts as more.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use protocol::Tier;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Longer than any licence; a larger file is not one.
const FILE_BYTES_MAX: usize = 16 * 1024;

/// What `lic.key` says, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// The tier it grants until it expires; FREE when it grants nothing.
    pub tier: String,
    /// Whom it names.
    pub user: String,
    /// The first instant at which it is no longer valid.
    pub expires: Option<Timestamp>,
    /// First 16 hex digits of the file's SHA-256.
    pub key_id: Option<String>,
    /// Why it counts for less than it says, for the log and for `mcp.licence.check`.
    pub warning: Option<String>,
}

/// The map form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    #[serde(default = "free")]
    tier: String,
    #[serde(default = "anonymous")]
    user_id: String,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    signature: Option<String>,
}

/// What both forms have in common.
struct Claim {
    tier: String,
    user: String,
    expires: Option<String>,
    signature: Option<String>,
}

fn free() -> String {
    Tier::Free.name().to_owned()
}

fn anonymous() -> String {
    "anonymous".to_owned()
}

impl Licence {
    /// No licence: FREE, for everybody, for ever.
    pub fn none(warning: Option<String>) -> Self {
        Self { tier: free(), user: anonymous(), expires: None, key_id: None, warning }
    }

    /// Judges the text of a licence file. `known` says which tiers exist; with `public_key`, only a licence
    /// that it verifies counts.
    pub fn judge(text: &str, known: impl Fn(&str) -> bool, public_key: Option<&VerifyingKey>) -> Self {
        let refuse = |why: String| Self { key_id: Some(key_id(text)), ..Self::none(Some(why)) };
        let claim = match read(text) {
            Ok(claim) => claim,
            Err(why) => return refuse(why),
        };
        if let Some(key) = public_key
            && let Err(why) = verify(&claim, key)
        {
            return refuse(why);
        }
        let expires = match claim.expires.as_deref().map(expiry).transpose() {
            Ok(expires) => expires,
            Err(why) => return refuse(why),
        };
        let tier = claim.tier.to_ascii_uppercase();
        if !known(&tier) {
            return refuse(format!("tier '{tier}' is not in licence_tiers.yaml"));
        }
        Self { tier, user: claim.user, expires, key_id: Some(key_id(text)), warning: None }
    }

    /// The tier in force at `now`.
    pub fn tier_at(&self, now: Timestamp) -> &str {
        if self.expired_at(now) { Tier::Free.name() } else { &self.tier }
    }

    /// Whether it had an end, and that is past.
    pub fn expired_at(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| now >= end)
    }
}

fn key_id(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..8])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read(text: &str) -> Result<Claim, String> {
    if text.len() > FILE_BYTES_MAX {
        return Err(format!("larger than {FILE_BYTES_MAX} bytes"));
    }
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    if lines.is_empty() {
        return Err("it is empty".to_owned());
    }
    if let [line] = lines[..]
        && let Some(claim) = line_form(line)
    {
        return Ok(claim);
    }
    let map: Map = serde_yaml::from_str(text).map_err(|error| {
        format!("neither TIER:user:YYYY-MM-DD nor a map with tier, user_id and expires_at ({error})")
    })?;
    Ok(Claim { tier: map.tier, user: map.user_id, expires: map.expires_at, signature: map.signature })
}

/// `TIER:user:YYYY-MM-DD`, with a fourth part where it is signed.
fn line_form(line: &str) -> Option<Claim> {
    let parts: Vec<&str> = line.split(':').map(str::trim).collect();
    let (&[tier, user, expires], signature) = match &parts[..] {
        [head @ .., signature] if head.len() == 3 => (head.first_chunk::<3>()?, Some(*signature)),
        head => (head.first_chunk::<3>().filter(|_| head.len() == 3)?, None),
    };
    // `tier: PRO` is a map of one entry, not a line: its value cannot be a tier, a user and a date.
    let plain = [tier, user].iter().all(|part| !part.is_empty() && !part.contains(['{', '"', '\'']));
    plain.then(|| Claim {
        tier: tier.to_owned(),
        user: user.to_owned(),
        expires: Some(expires.to_owned()),
        signature: signature.map(ToOwned::to_owned),
    })
}

/// A date is valid through its last second (UTC); a time is itself.
fn expiry(text: &str) -> Result<Timestamp, String> {
    let unreadable = || format!("'{text}' is not a date (write YYYY-MM-DD)");
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let date: Date = text.parse().map_err(|_| unreadable())?;
    let next = date.checked_add(1.day()).map_err(|_| unreadable())?;
    next.to_zoned(TimeZone::UTC).map(|day| day.timestamp()).map_err(|_| unreadable())
}

/// Reads `licence.public_key`: 32 bytes in base64 or hex.
///
/// # Errors
/// Why it is no key.
pub fn public_key(text: &str) -> Result<VerifyingKey, String> {
    let text = text.trim();
    let from_hex = || {
        let pairs = text.as_bytes().chunks_exact(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect::<Option<Vec<u8>>>()
    };
    let bytes = if text.len() == 64 { from_hex() } else { STANDARD.decode(text).ok() };
    let bytes: [u8; 32] =
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or("not 32 bytes in base64 or hex")?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| "not an Ed25519 public key".to_owned())
}

/// The text that a licence's signature is made over.
pub fn signed_text(tier: &str, user: &str, expires: &str) -> String {
    format!("llmbasedos licence v1\n{tier}\n{user}\n{expires}")
}

fn verify(claim: &Claim, key: &VerifyingKey) -> Result<(), String> {
    let signature = claim.signature.as_deref().ok_or("not signed, and licence.public_key asks for it")?;
    let bytes = STANDARD.decode(signature).map_err(|_| "its signature is not base64".to_owned())?;
    let signature = Signature::from_slice(&bytes).map_err(|_| "its signature is not 64 bytes".to_owned())?;
    let text = signed_text(&claim.tier, &claim.user, claim.expires.as_deref().unwrap_or_default());
    key.verify_strict(text.as_bytes(), &signature)
        .map_err(|_| "its signature does not fit licence.public_key".to_owned())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    const NOON: &str = "2026-06-01T12:00:00Z";

    fn judged(text: &str) -> Licence {
        Licence::judge(text, |tier| ["FREE", "PRO", "ELITE"].contains(&tier), None)
    }

    #[track_caller]
    fn check(text: &str, tier: &str, user: &str) {
        let licence = judged(text);
        assert_eq!((licence.tier_at(NOON.parse().unwrap()), &*licence.user), (tier, user), "{licence:?}");
    }

    #[test]
    fn the_line() {
        check("PRO:ann:2026-12-31\n", "PRO", "ann");
        check("# a comment\nelite : bob : 2027-01-01", "ELITE", "bob");
        check("PRO:ann:2026-06-01", "PRO", "ann");
        check("PRO:ann:2026-05-31", "FREE", "ann");
    }

    #[test]
    fn the_map() {
        check("tier: PRO\nuser_id: ann\nexpires_at: 2026-12-31T00:00:00Z\n", "PRO", "ann");
        check("tier: pro\nuser_id: ann\nexpires_at: 2026-12-31\n", "PRO", "ann");
        check(r#"{"tier": "ELITE", "user_id": "ann"}"#, "ELITE", "ann");
        check("tier: ELITE", "ELITE", "anonymous");
    }

    #[test]
    fn anything_else_is_free_and_says_why() {
        for bad in [
            "",
            "garbage",
            "PRO",
            "PRO:ann",
            "PRO:ann:soon",
            "GOLD:ann:2027-01-01",
            "tier: [PRO]",
            "tier: ELITE\nextra: 1",
            ":::",
        ] {
            let licence = judged(bad);
            assert_eq!(licence.tier, "FREE", "{bad:?}");
            assert!(licence.warning.is_some(), "{bad:?}");
        }
        assert!(judged(&"x".repeat(FILE_BYTES_MAX + 1)).warning.is_some());
    }

    #[test]
    fn a_public_key_makes_the_signature_count() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let sign = |text: String| STANDARD.encode(key.sign(text.as_bytes()).to_bytes());
        let good = sign(signed_text("ELITE", "ann", "2027-01-01"));
        let check = |text: String, tier: &str| {
            let licence = Licence::judge(&text, |_| true, Some(&key.verifying_key()));
            assert_eq!(licence.tier, tier, "{text}: {licence:?}");
        };
        check(format!("ELITE:ann:2027-01-01:{good}"), "ELITE");
        check(format!("tier: ELITE\nuser_id: ann\nexpires_at: '2027-01-01'\nsignature: {good}"), "ELITE");
        check("ELITE:ann:2027-01-01".into(), "FREE");
        check(format!("ELITE:eve:2027-01-01:{good}"), "FREE");
        check(format!("ELITE:ann:2037-01-01:{good}"), "FREE");
        check("ELITE:ann:2027-01-01:AAAA".into(), "FREE");
    }
}
