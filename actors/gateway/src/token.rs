//! Tokens: who may call, by a secret that was shown once. Kept are its name, its SHA-256 and what it narrows.
//!
//! A token is 256 random bits, so a plain hash is enough: there is nothing to guess, and nothing to slow down.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use protocol::Pattern;
use sha2::{Digest, Sha256};
use store::rusqlite::{Connection, OptionalExtension as _, Row, params};

/// Marks our tokens, so that people and secret scanners know one when they see it.
const PREFIX: &str = "llmb_";

/// The SHA-256 of a token.
pub(crate) type Hash = [u8; 32];

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Row id.
    pub id: i64,
    /// The caller's name.
    pub name: String,
    /// A tier below the licence's, or the licence's own.
    pub tier: Option<String>,
    /// Methods it may call, within its tier; `None` for all of them.
    pub allow: Option<Vec<Pattern>>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The caller's name: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// See [`Token::tier`].
    pub tier: Option<String>,
    /// See [`Token::allow`]; empty for all.
    pub allow: Vec<Pattern>,
    /// See [`Token::expires`].
    pub expires: Option<Timestamp>,
}

/// Why a name cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' cannot name a token: use 1 to 64 letters, digits, '.', '_' or '-'")]
pub struct BadName(String);

/// A fresh secret, to be shown once.
pub fn secret() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The hash under which a secret is kept.
pub fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

impl NewToken {
    /// Checks the name.
    ///
    /// # Errors
    /// When the name is empty, too long, or has other characters.
    pub fn check(&self) -> Result<(), BadName> {
        let fine = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let good = (1..=64).contains(&self.name.len()) && self.name.bytes().all(fine);
        if good { Ok(()) } else { Err(BadName(self.name.clone())) }
    }

    /// Stores it under `hash`. A token of the same name is an error of the table (its name is unique).
    pub fn insert(&self, db: &Connection, hash: Hash) -> store::rusqlite::Result<()> {
        let allow = (!self.allow.is_empty())
            .then(|| serde_json::to_string(&self.allow).expect("patterns are strings"));
        db.execute(
            "INSERT INTO tokens (id, name, hash, tier, allow, created_ms, expires_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row_id(&hash),
                self.name,
                hash,
                self.tier,
                allow,
                Timestamp::now().as_millisecond(),
                self.expires.map(Timestamp::as_millisecond)
            ],
        )
        .map(drop)
    }
}

/// A row id that no other token ever gets. SQLite would give the id of a revoked token to the next one, and the
/// connections of the first would be good again.
fn row_id(hash: &Hash) -> i64 {
    let [first, ..] = hash.as_chunks::<8>().0 else { unreachable!("a hash has 32 bytes") };
    i64::from_be_bytes(*first) & i64::MAX
}

/// Deletes the token of this name; `false` when there was none.
pub fn revoke(db: &Connection, name: &str) -> store::rusqlite::Result<bool> {
    db.execute("DELETE FROM tokens WHERE name = ?1", [name]).map(|rows| rows > 0)
}

/// Whether a token of this name exists.
pub fn exists(db: &Connection, name: &str) -> store::rusqlite::Result<bool> {
    db.query_row("SELECT 1 FROM tokens WHERE name = ?1", [name], |_| Ok(()))
        .optional()
        .map(|row| row.is_some())
}

/// All tokens as they stand in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    by_id: BTreeMap<i64, Token>,
    ids: HashMap<Hash, i64>,
}

impl Tokens {
    /// Reads all of them.
    pub fn read(db: &Connection) -> store::rusqlite::Result<Self> {
        let mut statement =
            db.prepare("SELECT hash, id, name, tier, allow, created_ms, expires_ms FROM tokens")?;
        let mut tokens = Self::default();
        for row in statement.query_map([], |row| Ok((row.get("hash")?, token(row)?)))? {
            let (hash, token) = row?;
            tokens.ids.insert(hash, token.id);
            tokens.by_id.insert(token.id, token);
        }
        Ok(tokens)
    }

    /// The token of this secret, if it is known and has not ended.
    pub fn find(&self, secret: &str, now: Timestamp) -> Option<&Token> {
        // The lookup compares hashes of the secret: its timing says nothing about the secret itself.
        self.standing(*self.ids.get(&hash(secret))?, now)
    }

    /// The token of this name, if it still stands.
    pub fn named(&self, name: &str, now: Timestamp) -> Option<&Token> {
        let token = self.by_id.values().find(|token| token.name == name)?;
        self.standing(token.id, now)
    }

    /// The token with this row id, if it still stands.
    pub fn standing(&self, id: i64, now: Timestamp) -> Option<&Token> {
        let token = self.by_id.get(&id)?;
        token.expires.is_none_or(|end| now < end).then_some(token)
    }

    /// All, by name.
    pub fn by_name(&self) -> Vec<&Token> {
        let mut all: Vec<_> = self.by_id.values().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

fn token(row: &Row<'_>) -> store::rusqlite::Result<Token> {
    let time = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MIN);
    let allow: Option<String> = row.get("allow")?;
    Ok(Token {
        id: row.get("id")?,
        name: row.get("name")?,
        tier: row.get("tier")?,
        // What cannot be read allows nothing: narrowing must not be lost.
        allow: allow.map(|text| serde_json::from_str(&text).unwrap_or_default()),
        created: time(row.get("created_ms")?),
        expires: row.get::<_, Option<i64>>("expires_ms")?.map(time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_its_hash_until_it_ends_or_is_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let store = store::Store::open(dir.path()).unwrap();
        let (shown, other) = (secret(), secret());
        assert_ne!(shown, other);
        let new = NewToken {
            name: "laptop".into(),
            tier: Some("PRO".into()),
            allow: vec!["mcp.fs.*".parse().unwrap()],
            expires: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        };
        let hash = hash(&shown);
        store.write_blocking(move |db| new.insert(db, hash)).unwrap();
        let tokens = store.read_blocking(Tokens::read).unwrap();
        let (before, after) =
            ("2026-12-31T23:59:59Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(tokens.find(&shown, before).unwrap().name, "laptop");
        assert_eq!(tokens.find(&shown, after), None);
        assert_eq!(tokens.find(&other, before), None);
        let old = tokens.find(&shown, before).unwrap().id;
        assert!(store.write_blocking(|db| revoke(db, "laptop")).unwrap());
        let next = NewToken { name: "next".into(), tier: None, allow: vec![], expires: None };
        let next_hash = super::hash(&other);
        store.write_blocking(move |db| next.insert(db, next_hash)).unwrap();
        let tokens = store.read_blocking(Tokens::read).unwrap();
        assert!(tokens.standing(old, before).is_none(), "the next token does not revive the revoked one");
        assert!(store.write_blocking(|db| revoke(db, "next")).unwrap());
        assert_eq!(store.read_blocking(Tokens::read).unwrap(), Tokens::default());
        let file = std::fs::read(store.path()).unwrap();
        assert!(!file.windows(shown.len()).any(|w| w == shown.as_bytes()), "the secret is nowhere in clear");
    }

    #[test]
    fn names() {
        let check = |name: &str, good: bool| {
            let new = NewToken { name: name.into(), tier: None, allow: vec![], expires: None };
            assert_eq!(new.check().is_ok(), good, "{name:?}");
        };
        check("claude-desktop.home_1", true);
        for bad in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            check(bad, false);
        }
    }
}
