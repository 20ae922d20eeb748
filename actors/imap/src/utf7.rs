//! Names of folders as they are on the wire: modified UTF-7 (RFC 3501, 5.1.3).

use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 with `,` for `/`, and without padding.
static BASE64: LazyLock<GeneralPurpose> = LazyLock::new(|| {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let alphabet = Alphabet::new(letters).expect("64 different letters");
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet, config)
});

/// `name` for the wire: printable ASCII, whatever was in it.
pub(crate) fn encode(name: &str) -> String {
    let mut wire = String::with_capacity(name.len());
    let mut rest = name;
    while !rest.is_empty() {
        let plain = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
        wire.push_str(&rest[..plain].replace('&', "&-"));
        rest = &rest[plain..];
        let coded = rest.find(is_plain).unwrap_or(rest.len());
        if coded > 0 {
            let units: Vec<u8> = rest[..coded].encode_utf16().flat_map(u16::to_be_bytes).collect();
            wire.push('&');
            BASE64.encode_string(units, &mut wire);
            wire.push('-');
        }
        rest = &rest[coded..];
    }
    wire
}

/// The name that `wire` stands for; `None` where it is no modified UTF-7.
pub(crate) fn decode(wire: &str) -> Option<String> {
    let mut name = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((plain, coded)) = rest.split_once('&') {
        name.push_str(plain);
        let (coded, after) = coded.split_once('-')?;
        if coded.is_empty() {
            name.push('&');
        } else {
            let bytes = BASE64.decode(coded).ok().filter(|bytes| bytes.len().is_multiple_of(2))?;
            let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            name.push_str(&char::decode_utf16(units).collect::<Result<String, _>>().ok()?);
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

const fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_as_servers_write_them() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("A & B", "A &- B"),
            ("😀", "&2D3eAA-"),
            ("a\r\nb", "a&AA0ACg-b"),
            ("", ""),
        ] {
            assert_eq!((encode(name).as_str(), decode(wire).as_deref()), (wire, Some(name)));
        }
    }

    #[test]
    fn what_is_no_name() {
        for wire in ["&", "&AP", "&AP-", "&!-", "&2D0-", "a&b"] {
            assert_eq!(decode(wire), None, "{wire}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in any::<String>()) {
            let wire = encode(&name);
            prop_assert!(wire.bytes().all(|b| (b' '..=b'~').contains(&b)), "{wire:?}");
            prop_assert_eq!(decode(&wire), Some(name));
        }

        #[test]
        fn any_text_is_a_name_or_none(wire in any::<String>()) {
            let _ = decode(&wire);
        }
    }
}
