//! The lines of a text that a query is about.

use std::collections::HashSet;

use unicode_segmentation::UnicodeSegmentation as _;

/// Characters of a snippet.
const CHARS_MAX: usize = 300;

/// Lines of a snippet.
const LINES_MAX: usize = 3;

/// The part of `text` that has the most of the query's words, a few lines long, and the line of it, from 0, where it
/// begins; the first lines where none has any.
pub(crate) fn snippet(text: &str, query: &str) -> (String, u32) {
    let wanted: HashSet<String> = query.unicode_words().map(str::to_lowercase).collect();
    let lines: Vec<&str> = text.lines().collect();
    let found: Vec<HashSet<String>> = lines
        .iter()
        .map(|line| {
            line.unicode_words().map(str::to_lowercase).filter(|word| wanted.contains(word)).collect()
        })
        .collect();
    let words_from = |first: usize| {
        let mut words: HashSet<&String> = HashSet::new();
        found[first..].iter().take(LINES_MAX).for_each(|line| words.extend(line));
        words.len()
    };
    // Of equals the one whose first line has a word, then the first.
    let first = (0..lines.len())
        .max_by_key(|first| (words_from(*first), !found[*first].is_empty(), std::cmp::Reverse(*first)))
        .unwrap_or(0);
    let shown = lines.get(first..).unwrap_or_default().iter().take(LINES_MAX);
    let shown = shown.copied().collect::<Vec<_>>().join("\n");
    (cut(shown.trim(), &wanted), u32::try_from(first).unwrap_or(u32::MAX))
}

/// At most so many characters, around the first word that is wanted.
fn cut(text: &str, wanted: &HashSet<String>) -> String {
    if text.chars().count() <= CHARS_MAX {
        return text.to_owned();
    }
    let hit = text.unicode_word_indices().find(|(_, word)| wanted.contains(&word.to_lowercase()));
    let before = hit.map_or(0, |(at, _)| text[..at].chars().count());
    let skip = before.saturating_sub(CHARS_MAX / 3);
    let rest: String = text.chars().skip(skip).take(CHARS_MAX).collect();
    let more = text.chars().count() > skip + CHARS_MAX;
    format!("{}{}{}", if skip > 0 { "…" } else { "" }, rest.trim(), if more { "…" } else { "" })
}

/// The beginning of a text, as the original showed it: 250 characters.
pub(crate) fn preview(text: &str) -> String {
    text.chars().take(250).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_with_the_most_words_are_shown() {
        let text = "a cat\nnothing\nnothing\nthe black dog\nand a cat\nend";
        assert_eq!(snippet(text, "cat DOG"), ("the black dog\nand a cat\nend".to_owned(), 3));
        assert_eq!(snippet(text, "zebra").1, 0);
        assert_eq!(snippet("", "x"), (String::new(), 0));
    }

    #[test]
    fn a_long_line_is_cut_around_the_word() {
        let text = format!("{}needle{}", "hay ".repeat(200), " hay".repeat(200));
        let (shown, _) = snippet(&text, "needle");
        assert!(shown.starts_with('…') && shown.ends_with('…') && shown.contains("needle"), "{shown}");
        assert!(shown.chars().count() <= CHARS_MAX + 2);
        assert_eq!(preview(&text).chars().count(), 250);
    }
}
