//! Parameters that were cut into pieces (RFC 2231 3). Many senders cut inside a character, and only the first piece says
//! the charset, so pieces cannot be decoded one by one: here they become one parameter, before it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Pieces of one parameter; a name of a thousand bytes has forty.
const PIECES: u32 = 200;

/// The value of a field with the pieces of each parameter as one. Only extended ones are touched: others are read well.
pub(crate) fn joined(value: &[u8]) -> Cow<'_, [u8]> {
    let value = with_backslashes(value);
    if !value.windows(4).any(|bytes| bytes == b"*0*=") {
        return value;
    }
    let (mut whole, mut pieces) = (Vec::new(), BTreeMap::<String, BTreeMap<u32, (bool, &[u8])>>::new());
    for (at, item) in items(&value).into_iter().enumerate() {
        if let Some((name, number, encoded, text)) = piece(item).filter(|(_, number, ..)| *number < PIECES) {
            pieces.entry(name).or_default().insert(number, (encoded, text));
            continue;
        }
        if at > 0 {
            whole.push(b';');
        }
        whole.extend_from_slice(item);
    }
    for (name, pieces) in &pieces {
        whole.extend_from_slice(format!("; {name}*={}", one(pieces)).as_bytes());
    }
    Cow::Owned(whole)
}

/// Old Windows programs write paths into quotes as they are: there a backslash is a letter, unless it stands before a
/// quote or another one.
fn with_backslashes(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\\') {
        return Cow::Borrowed(value);
    }
    let (mut out, mut rest) = (Vec::with_capacity(value.len() + 8), value);
    while let [first, after @ ..] = rest {
        out.push(*first);
        rest = after;
        if *first == b'\\' {
            match after {
                [next @ (b'"' | b'\\'), after @ ..] => {
                    out.push(*next);
                    rest = after;
                }
                _ => out.push(b'\\'),
            }
        }
    }
    Cow::Owned(out)
}

/// What stands between semicolons that are not in quotes.
fn items(value: &[u8]) -> Vec<&[u8]> {
    let (mut items, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                items.push(&value[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    items.push(&value[begin..]);
    items
}

/// `name*3*=text`: the name, the number, whether the text is percent-encoded, and the text.
fn piece(item: &[u8]) -> Option<(String, u32, bool, &[u8])> {
    let equals = item.iter().position(|byte| *byte == b'=')?;
    let (name, text) = (std::str::from_utf8(&item[..equals]).ok()?.trim(), item[equals + 1..].trim_ascii());
    let (name, number) = name.split_once('*')?;
    let (number, encoded) = number.strip_suffix('*').map_or((number, false), |number| (number, true));
    let unquoted = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    named.then_some((name.to_ascii_lowercase(), number.parse().ok()?, encoded, unquoted))
}

/// `charset'language'text` of all pieces in their order, every byte escaped.
fn one(pieces: &BTreeMap<u32, (bool, &[u8])>) -> String {
    let mut out = String::new();
    for (at, (encoded, text)) in pieces.values().enumerate() {
        let mut text = *text;
        if at == 0 {
            let declared = text.splitn(3, |byte| *byte == b'\'').collect::<Vec<_>>();
            let charset = match declared.as_slice() {
                [charset, _, rest] if *encoded => {
                    text = rest;
                    String::from_utf8_lossy(charset).into_owned()
                }
                _ => "utf-8".to_owned(),
            };
            let _ = write!(out, "{charset}''");
        }
        let bytes = if *encoded { unescaped(text) } else { text.to_vec() };
        for byte in bytes {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let [first, after @ ..] = rest {
        let hex = |at: usize| after.get(at).and_then(|byte| (*byte as char).to_digit(16));
        if let (b'%', Some((high, low))) = (first, hex(0).zip(hex(1))) {
            out.extend(u8::try_from(high << 4 | low));
            rest = &after[2..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}
