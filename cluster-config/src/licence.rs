//! The settings of the licence, and the public key in them.

use std::path::PathBuf;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What this instance may do at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Licence {
    /// The licence: one line `TIER:user:YYYY-MM-DD`, or the YAML or JSON map of the original. Beside the
    /// settings by default, where the original had it; missing, unreadable or expired means FREE.
    #[schemars(extend("format" = "path"))]
    pub file: PathBuf,
    /// An Ed25519 public key (base64 or hex, 32 bytes). Once it is set, only licences signed with its private
    /// half count and any other is FREE. Unset by default: the owner of a machine licenses it to themselves.
    pub public_key: Option<String>,
}

// === impl Licence ===

impl Licence {
    /// The bytes of `public_key`; `None` when it is unset (a loaded one is always well-formed).
    pub fn public_key_bytes(&self) -> Option<[u8; 32]> {
        self.public_key.as_deref().and_then(key_bytes)
    }
}

/// 32 bytes written in hex or in base64, either alphabet, padded or not.
pub(crate) fn key_bytes(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() == 64 && text.is_ascii() {
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        return Some(bytes);
    }
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, lenient).decode(text).ok())
        .and_then(|bytes| bytes.try_into().ok())
}

impl Default for Licence {
    fn default() -> Self {
        Self { file: "lic.key".into(), public_key: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys() {
        assert_eq!(key_bytes(&"ab".repeat(32)), Some([0xab; 32]));
        assert_eq!(key_bytes("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), Some([0; 32]));
        assert_eq!(key_bytes("_____________________________________________w"), None, "33 bytes");
        assert_eq!(key_bytes("__________________________________________8"), Some([0xff; 32]));
        assert_eq!(key_bytes("zz"), None);
        assert_eq!(key_bytes(""), None);
    }
}
