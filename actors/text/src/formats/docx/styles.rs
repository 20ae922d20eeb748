//! Which styles are headings, and of which level: by the name that Word gives them in every language, or by their
//! place in the outline.

use std::borrow::Cow;
use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// How far a style may be from the one that says what it is.
const BASED_ON_MAX: usize = 8;

/// The levels of headings by the ids of their styles; a document's title is level 0.
#[derive(Default)]
pub(super) struct Levels {
    styles: HashMap<String, Style>,
}

#[derive(Default)]
struct Style {
    level: Option<usize>,
    based_on: Option<String>,
}

impl Levels {
    /// The level of a style; none for one that is no heading.
    pub(super) fn of(&self, id: &str) -> Option<usize> {
        let mut id = id;
        for _ in 0..BASED_ON_MAX {
            let Some(style) = self.styles.get(id) else { break };
            if style.level.is_some() {
                return style.level;
            }
            id = style.based_on.as_deref()?;
        }
        // Writers that are not Word leave the styles out and use its English ids.
        if self.styles.contains_key(id) { None } else { level_of_name(id) }
    }
}

/// The headings among the styles of a document.
pub(super) fn levels(part: &str) -> Levels {
    let mut levels = Levels::default();
    let mut open: Option<(String, Style)> = None;
    let mut reader = Reader::from_str(part);
    reader.config_mut().check_end_names = false;
    // What is damaged behind here costs headings only.
    while let Ok(event) = reader.read_event() {
        match &event {
            Event::Start(tag) | Event::Empty(tag) => match (tag.local_name().as_ref(), &mut open) {
                ("style", _) => open = value(tag, "styleId").map(|id| (id, Style::default())),
                ("name", Some((_, style))) => {
                    style.level = style.level.or_else(|| level_of_name(&value(tag, "val")?));
                }
                ("outlineLvl", Some((_, style))) => style.level = style.level.or_else(|| outline_level(tag)),
                ("basedOn", Some((_, style))) => style.based_on = value(tag, "val"),
                _ => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "style" => levels.styles.extend(open.take()),
            Event::Eof => break,
            _ => {}
        }
    }
    levels
}

/// The level that a paragraph or style has in the outline; 9 is body text.
pub(super) fn outline_level(tag: &BytesStart<'_>) -> Option<usize> {
    let level: usize = value(tag, "val")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

fn level_of_name(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    if name == "title" {
        return Some(0);
    }
    name.strip_prefix("heading")?.trim().parse().ok().filter(|level| (1..=9).contains(level))
}

/// An attribute, whatever its prefix.
pub(super) fn value(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    let found = attributes
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0);
    Some(value.map_or_else(|_| found.value.to_string(), Cow::into_owned))
}

/// The title among a document's properties.
pub(super) fn title(part: &str) -> Option<String> {
    let (_, rest) = part.split_once("<dc:title>")?;
    let (title, _) = rest.split_once("</dc:title>")?;
    Some(quick_xml::escape::unescape(title).map_or_else(|_| title.to_owned(), Cow::into_owned))
}
