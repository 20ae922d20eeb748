//! Names for files out of names that strangers gave to attachments: no path, nothing hidden, nothing that a system takes
//! for a device, and no two the same.

use std::collections::HashSet;

use crate::{Part, clean};

/// Below the 255 bytes of every file system, with room for what programs append.
const NAME_BYTES: usize = 200;

/// An extension is at most so long; what is longer after a point is text.
const EXTENSION_BYTES: usize = 16;

/// A name that a file can have, out of the one that is declared, or else out of the part's type and number.
pub fn safe_name(declared: Option<&str>, part: &Part) -> String {
    let declared = declared.map(plain).filter(|name| !name.is_empty());
    let name = declared
        .unwrap_or_else(|| format!("part-{}{}", part.id.replace('.', "-"), extension_of(&part.mime_type)));
    let name = if is_device(&name) { format!("_{name}") } else { name };
    shortened(&name, NAME_BYTES)
}

/// Gives the attachments of one message names of which no two are the same.
#[derive(Debug, Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// A safe name for a part that no earlier part got; compared as file systems do that know no case.
    pub fn give(&mut self, part: &Part) -> String {
        let name = safe_name(part.filename.as_deref(), part);
        let (stem, extension) = parted(&name);
        let numbered = |n: usize| {
            let end = format!("-{n}{extension}");
            format!("{}{end}", &stem[..stem.floor_char_boundary(NAME_BYTES.saturating_sub(end.len()))])
        };
        let mut candidates = std::iter::once(name.clone()).chain((2..).map(numbered));
        let free = candidates.find(|candidate| self.0.insert(candidate.to_lowercase()));
        free.unwrap_or(name)
    }
}

/// The last piece of a path, without what is no letter of a name.
fn plain(declared: &str) -> String {
    let last = declared.rsplit(['/', '\\']).find(|piece| !piece.trim().is_empty()).unwrap_or_default();
    let kept = last.chars().filter(|c| !clean::turns_direction(*c) && !is_invisible(*c));
    let kept: String = kept.map(|c| if "<>:\"|?*".contains(c) || c.is_control() { '_' } else { c }).collect();
    // A point at the beginning hides a file, at the end Windows drops it.
    let kept = clean::line(&kept, usize::MAX);
    kept.trim_start_matches(['.', ' ', '~', '-']).trim_end_matches(['.', ' ']).to_owned()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fffd}')
}

/// Names that are devices on Windows, whatever their extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |port: &str| {
        stem.strip_prefix(port).is_some_and(|rest| {
            let mut chars = rest.chars();
            chars.next().is_some_and(|c| matches!(c, '0'..='9' | '¹' | '²' | '³')) && chars.next().is_none()
        })
    };
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str())
        || numbered("COM")
        || numbered("LPT")
}

/// The name without its extension, and the extension with its point.
fn parted(name: &str) -> (&str, &str) {
    let at = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= EXTENSION_BYTES);
    name.split_at(at.unwrap_or(name.len()))
}

/// At most `max` bytes, the extension kept.
fn shortened(name: &str, max: usize) -> String {
    if name.len() <= max {
        return name.to_owned();
    }
    let (stem, extension) = parted(name);
    let stem = &stem[..stem.floor_char_boundary(max - extension.len())];
    format!("{}{extension}", stem.trim_end_matches(['.', ' ']))
}

/// The extension of what mail commonly carries without a name.
fn extension_of(mime_type: &str) -> &'static str {
    match mime_type {
        "application/pdf" => ".pdf",
        "application/zip" => ".zip",
        "application/json" => ".json",
        "application/ms-tnef" => ".dat",
        "application/pgp-signature" => ".asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => ".p7s",
        "image/png" => ".png",
        "image/jpeg" => ".jpg",
        "image/gif" => ".gif",
        "image/svg+xml" => ".svg",
        "message/rfc822" | "message/global" => ".eml",
        "text/calendar" | "application/ics" => ".ics",
        "text/csv" => ".csv",
        "text/html" => ".html",
        "text/vcard" | "text/x-vcard" => ".vcf",
        kind if kind.starts_with("text/") || kind.starts_with("message/") => ".txt",
        _ => ".bin",
    }
}
