//! Cuts a command line into words, as a POSIX shell would where it matters: `"…"`, `'…'` and backslash. Two things
//! are ours: a word may be JSON as it stands (`{"path": "/a b"}`, `edits=[{"old": "x"}]`), and every word knows
//! where it stood and where its first bare `=` is, which completion and parameters need. Pure.

use std::ops::Range;

use serde_json::Value;

/// One word, quotes taken off.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Where it stood in the line, quotes included.
    pub(crate) span: Range<usize>,
    /// Where in `text` the first `=` is that was not quoted.
    pub(crate) equals: Option<usize>,
    /// The word, or what follows its `=`, as JSON, if it was written as an object or array.
    pub(crate) json: Option<Value>,
    /// The quote that is still open at the end of the line.
    pub(crate) open: Option<char>,
    /// Whether any of it was quoted: such a word is text, never an option.
    pub(crate) quoted: bool,
}

impl Word {
    /// `key=value` taken apart, when `key` could be a parameter's name.
    pub(crate) fn named(&self) -> Option<(&str, &str)> {
        let equals = self.equals?;
        let (key, value) = (&self.text[..equals], &self.text[equals + 1..]);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        (!key.is_empty() && key.chars().all(is_name)).then_some((key, value))
    }
}

/// Cuts a whole line. The error says what is unfinished.
pub(crate) fn words(line: &str) -> Result<Vec<Word>, String> {
    let words = cut(line);
    if let Some(quote) = words.last().and_then(|word| word.open) {
        return Err(match quote {
            '\\' => "the line ends in a backslash".into(),
            quote => format!("a quote {quote} is not closed"),
        });
    }
    for word in &words {
        // {"path" is surely meant as JSON; as text it would lose its quotes and puzzle the server.
        let raw = &line[word.span.clone()];
        let meant = raw.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
        if let (true, None, Err(error)) = (meant, &word.json, json_at(&line[word.span.start..])) {
            return Err(format!("this looks like JSON, but: {error}"));
        }
    }
    Ok(words)
}

/// The commands in what was typed: one, or several when lines were pasted. A newline within quotes or JSON does not
/// separate.
pub(crate) fn commands(text: &str) -> Vec<&str> {
    let mut commands: Vec<Range<usize>> = Vec::new();
    for word in cut(text) {
        match commands.last_mut() {
            Some(command) if !text[command.end..word.span.start].contains('\n') => {
                command.end = word.span.end;
            }
            _ => commands.push(word.span),
        }
    }
    commands.into_iter().map(|span| &text[span]).collect()
}

/// Cuts a line that may be unfinished.
pub(crate) fn cut(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(skipped) = line[at..].find(|c: char| !c.is_whitespace()) {
        let word = word_at(line, at + skipped);
        at = word.span.end;
        words.push(word);
    }
    words
}

fn word_at(line: &str, start: usize) -> Word {
    let mut word =
        Word { text: String::new(), span: start..start, equals: None, json: None, open: None, quoted: false };
    let mut at = start;
    // JSON may begin where the word begins, and once more after a bare `=`.
    let mut value_starts = true;
    while let Some(c) = line[at..].chars().next().filter(|c| word.open.is_some() || !c.is_whitespace()) {
        if value_starts && let Ok((value, length)) = json_at(&line[at..]) {
            word.text.push_str(&line[at..at + length]);
            word.json = Some(value);
            at += length;
            break;
        }
        value_starts = false;
        at += c.len_utf8();
        match (word.open, c) {
            (None, '=') if word.equals.is_none() => {
                word.equals = Some(word.text.len());
                word.text.push('=');
                value_starts = true;
            }
            (None, '\'' | '"' | '\\') => {
                word.open = Some(c);
                word.quoted = true;
            }
            (Some('\\'), c) => {
                word.text.push(c);
                word.open = None;
            }
            (Some(quote), c) if quote == c => word.open = None,
            // Within double quotes a backslash is one, except before what would end or escape.
            (Some('"'), '\\') if line[at..].starts_with(['"', '\\']) => {
                word.text.push_str(&line[at..=at]);
                at += 1;
            }
            (_, c) => word.text.push(c),
        }
    }
    word.span.end = at;
    word
}

/// A whole JSON object or array at the start of `text` that ends where a word may end, and its length.
fn json_at(text: &str) -> Result<(Value, usize), serde_json::Error> {
    use serde::de::Error as _;
    if !text.starts_with(['{', '[']) {
        return Err(serde_json::Error::custom("not an object or array"));
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = stream.next().unwrap_or_else(|| Err(serde_json::Error::custom("nothing there")))?;
    let length = stream.byte_offset();
    if text[length..].starts_with(|c: char| !c.is_whitespace()) {
        return Err(serde_json::Error::custom("something follows the closing bracket"));
    }
    Ok((value, length))
}

/// Writes `text` so that [`words`] reads it back as one word. `open` is the quote that was begun already and must
/// be kept; `closed` says whether to end it.
pub(crate) fn quote(text: &str, open: Option<char>, closed: bool) -> String {
    let end = |quote: char| if closed { quote.to_string() } else { String::new() };
    match open {
        Some('\'') if !text.contains('\'') => format!("'{text}{}", end('\'')),
        Some('"') => format!("\"{}{}", text.replace('\\', "\\\\").replace('"', "\\\""), end('"')),
        _ => {
            // A bracket in front could begin JSON, and a bare = would make a name of what stands before it.
            let special = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\\' | '=');
            let mut out = String::new();
            for (at, c) in text.char_indices() {
                if special(c) || (at == 0 && matches!(c, '{' | '[' | '#')) {
                    out.push('\\');
                }
                out.push(c);
            }
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let words = words(line).unwrap();
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), expected, "{line}");
    }

    #[track_caller]
    fn refused(line: &str, expected: &str) {
        let error = words(line).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }

    #[test]
    fn words_and_quotes() {
        check("", &[]);
        check("  ls   -l\t/a ", &["ls", "-l", "/a"]);
        check(r#"cat "my file" 'it''s' a\ b"#, &["cat", "my file", "its", "a b"]);
        check(r#"a"b c"d"#, &["ab cd"]);
        check(r#""a\"b\\c\n""#, &["a\"b\\c\\n"]);
        check(r"'a\b'", &[r"a\b"]);
        check(r#""""#, &[""]);
        check("größe=3 日本", &["größe=3", "日本"]);
        check("a#b", &["a#b"]);
    }

    #[test]
    fn unfinished_lines() {
        refused("cat \"a b", "quote \"");
        refused("cat 'a", "quote '");
        refused("cat a\\", "backslash");
        refused(r#"m {"path": "/a""#, "looks like JSON");
        refused(r#"m {"a":1}x"#, "follows");
    }

    #[test]
    fn json_needs_no_quoting() {
        let words = words(r#"m {"path": "/a b", "x": [1, "]"]} k=[1, 2] [] "#).unwrap();
        assert_eq!(words.len(), 4);
        assert_eq!(words[1].json, Some(json!({ "path": "/a b", "x": [1, "]"] })));
        assert_eq!((words[2].named(), words[2].json.clone()), (Some(("k", "[1, 2]")), Some(json!([1, 2]))));
        assert_eq!(words[3].json, Some(json!([])));
        check("find [ab]*.txt {a,b}", &["find", "[ab]*.txt", "{a,b}"]);
    }

    #[test]
    fn pasted_lines_are_several_commands() {
        assert_eq!(commands(" ls  -l \n\n pwd\n"), ["ls  -l", "pwd"]);
        assert_eq!(commands("write a 'x\ny'\n{\n\"a\": 1}"), ["write a 'x\ny'", "{\n\"a\": 1}"]);
        assert!(commands("\n").is_empty());
    }

    #[test]
    fn named_words() {
        let named = |line: &str| words(line).unwrap()[0].named().map(|(k, v)| (k.to_owned(), v.to_owned()));
        let pair = |k: &str, v: &str| Some((k.to_owned(), v.to_owned()));
        assert_eq!(named("path=/a"), pair("path", "/a"));
        assert_eq!(named("path='/a b'"), pair("path", "/a b"));
        assert_eq!(named("q=a=b"), pair("q", "a=b"));
        assert_eq!(named("q="), pair("q", ""));
        assert_eq!(named("'q=a'"), None);
        assert_eq!(named("/a=b"), None);
        assert_eq!(named("=b"), None);
    }

    #[test]
    fn spans_include_quotes() {
        let words = cut("ls 'a b' \"c");
        assert_eq!((words[1].span.clone(), words[2].span.clone()), (3..8, 9..11));
        assert_eq!(words[2].open, Some('"'));
    }

    proptest! {
        #[test]
        fn any_line_is_cut_without_a_crash(line in any::<String>()) {
            let mut end = 0;
            for word in cut(&line) {
                prop_assert!(word.span.start >= end);
                end = word.span.end;
            }
        }

        #[test]
        fn what_is_quoted_reads_back(text in "[^\\p{C}]+", mark in prop::option::of(prop::sample::select(vec!['"', '\'']))) {
            let words = words(&quote(&text, mark, true)).unwrap();
            prop_assert_eq!(words.len(), 1);
            prop_assert_eq!((&words[0].text, words[0].equals), (&text, None));
        }
    }
}
