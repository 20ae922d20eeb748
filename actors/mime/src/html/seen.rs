//! What a reader of a page sees: which elements are text, and which are hidden. Hidden text is a usual place for words
//! that only a model reads.

use html5ever::tokenizer::Tag;
use html5ever::tokenizer::states::RawKind;

/// What is between the tags of an element that nobody sees.
pub(super) enum Content {
    Elements,
    Raw(RawKind),
}

/// Elements whose content is not text, and how the tokenizer has to read it.
pub(super) fn never_seen(name: &str) -> Option<Content> {
    match name {
        "script" => Some(Content::Raw(RawKind::ScriptData)),
        "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(Content::Raw(RawKind::Rawtext)),
        "title" | "textarea" => Some(Content::Raw(RawKind::Rcdata)),
        "template" | "svg" | "math" | "object" | "canvas" | "select" | "video" | "audio" => {
            Some(Content::Elements)
        }
        _ => None,
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Whether its own style or attribute hides an element. Letters of size 0 do not: newsletters set that around what has a
/// size of its own.
pub(super) fn is_styled_away(tag: &Tag) -> bool {
    if is_void(&tag.name) || matches!(&*tag.name, "html" | "body") {
        return false;
    }
    let Some(style) = attribute(tag, "style") else { return attribute(tag, "hidden").is_some() };
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let declares = |property: &str, value: &str| {
        style
            .split(';')
            .filter_map(|one| one.split_once(':'))
            .any(|(name, given)| name == property && given.trim_end_matches("!important") == value)
    };
    declares("display", "none")
        || declares("visibility", "hidden")
        || declares("opacity", "0")
        || declares("max-height", "0")
        || declares("max-height", "0px")
        || attribute(tag, "hidden").is_some()
}

/// The value of an attribute.
pub(super) fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// Whether an attribute's value is worth a place in the text.
pub(super) fn is_told(name: &str, value: &str) -> bool {
    match name {
        "href" => ["http:", "https:", "mailto:", "tel:", "ftp:"]
            .iter()
            .any(|scheme| value.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))),
        _ => value.len() <= 4 && value.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
