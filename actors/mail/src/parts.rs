//! What a server says of a message's parts, as the functions that read messages want it.

use mime::{Described, Part};

/// The parts that are no multiparts, in order. A message in a message is one part.
pub(crate) fn leaves(structure: &imap::Part) -> Vec<Part> {
    let mut all = Vec::new();
    collect(structure, &mut Vec::new(), &mut all);
    all
}

fn collect<'a>(part: &'a imap::Part, within: &mut Vec<&'a str>, all: &mut Vec<Part>) {
    if part.mime_type.starts_with("multipart/") {
        within.push(&part.mime_type);
        for inner in &part.parts {
            collect(inner, within, all);
        }
        within.pop();
        return;
    }
    let params = pairs(&part.parameters);
    let disposition = pairs(&part.disposition_parameters);
    let described = Described {
        id: if part.path.is_empty() { "1" } else { &part.path },
        mime_type: part.mime_type.split_once('/').unwrap_or(("text", "plain")),
        params: &params,
        disposition: part.disposition.as_deref().map(|kind| (kind, &disposition[..])),
        content_id: part.id.as_deref(),
        encoding: &part.encoding,
        size: u64::from(part.size),
        within,
    };
    all.push(Part::described(&described));
}

fn pairs(params: &[(String, String)]) -> Vec<(&str, &str)> {
    params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
