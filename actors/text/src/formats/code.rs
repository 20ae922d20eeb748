//! Source code: a block per definition, from the comment above it to the next one, with the names of the definitions
//! around it as its trail.
//!
//! Told from words and indentation, line by line, for all languages at once. Grammars (tree-sitter's) would know more,
//! at half a megabyte of C each and a C compiler to build them; where a function begins is what a chunk needs, and
//! code that people keep is indented. What is misread costs a heading, never text.

use crate::Skipped;
use crate::blocks::Marks;
use crate::decode::decode;
use crate::extract::{Extract, Extracted, Limits, Shape, Source};
use crate::formats::{Headings, indentation, lines};

pub(crate) struct Code;

/// What may stand before the word that defines.
const MODIFIERS: &[&str] = &[
    "abstract",
    "async",
    "const",
    "data",
    "declare",
    "default",
    "export",
    "extern",
    "final",
    "inline",
    "internal",
    "local",
    "open",
    "override",
    "partial",
    "private",
    "protected",
    "public",
    "pub",
    "sealed",
    "static",
    "suspend",
    "unsafe",
    "virtual",
];

/// Words that define what is called by the next word.
const DEFINING: &[&str] = &[
    "class",
    "contract",
    "def",
    "enum",
    "fn",
    "fun",
    "func",
    "function",
    "interface",
    "macro_rules!",
    "mod",
    "module",
    "namespace",
    "object",
    "package",
    "proc",
    "protocol",
    "record",
    "struct",
    "sub",
    "trait",
    "type",
    "union",
];

/// Words before a bracket that call nothing.
const CONTROL: &[&str] = &[
    "case", "catch", "do", "elif", "else", "except", "for", "foreach", "if", "lock", "match", "return",
    "switch", "try", "unless", "until", "using", "when", "while", "with",
];

/// Lines that begin so go on with what is above them, however little they are indented.
const GOING_ON: &[&str] = &["}", ")", "]", "{", "end", "fi", "done", "esac", "where", "else", "#"];

/// How comments and attributes begin, which belong to what is below them.
const LEADING: &[&str] = &["//", "/*", "*", "#", "--", "@", "%", ";", "\"\"\"", "[<", "[["];

/// A line that is longer defines nothing that a person wrote, in bytes.
const LINE_MAX: usize = 400;

impl Extract for Code {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let decoded = decode(source.bytes, None)?;
        limits.go_on()?;
        let mut headings = Headings::default();
        let mut marks = Marks::default();
        // What is above the first definition, unless that is the first line.
        marks.mark(decoded.begin, Shape::Lines, headings.trail());
        // Where the comments and attributes begin that stand above the line.
        let mut lead = None;
        let mut lines = lines(&decoded.text, decoded.begin).peekable();
        while let Some((at, line)) = lines.next() {
            let trimmed = line.trim();
            if trimmed.is_empty() {
                lead = None;
                continue;
            }
            let next = lines.peek().map_or("", |(_, next)| next.trim());
            let column = indentation(line);
            if let Some(name) = definition(trimmed, next) {
                marks.mark(lead.take().unwrap_or(at), Shape::Lines, headings.enter(column, &name));
                continue;
            }
            if LEADING.iter().any(|sign| trimmed.starts_with(sign)) {
                lead.get_or_insert(at);
                continue;
            }
            let begin = lead.take().unwrap_or(at);
            if !GOING_ON.iter().any(|word| trimmed.starts_with(word)) {
                let depth = headings.trail().len();
                if headings.leave(column).len() != depth {
                    marks.mark(begin, Shape::Lines, headings.trail());
                }
            }
        }
        drop(lines);
        marks.cut(decoded, None)
    }
}

/// What a line defines: `fn open`, `class Store`, `impl Drop for Store`, `int main`.
fn definition(line: &str, next: &str) -> Option<String> {
    if line.len() > LINE_MAX || line.ends_with(';') && line.contains('(') {
        return None;
    }
    let mut rest = line;
    loop {
        let (word, after) = word(rest);
        if DEFINING.contains(&word) {
            return named(word, after);
        }
        if word == "impl" || word == "extension" {
            let what = rest.split(['{', ':']).next().unwrap_or(rest);
            return Some(what.trim().to_owned());
        }
        if word.eq_ignore_ascii_case("create") {
            let what = rest.split(['(', ';']).next().unwrap_or(rest);
            return Some(what.trim().to_owned());
        }
        if matches!(word, "const" | "let" | "var") && (line.contains("=>") || line.contains("function")) {
            let (name, value) = after.split_once('=')?;
            let is_function = value.contains("=>") || value.contains("function");
            return is_function.then(|| name.trim().to_owned());
        }
        if !MODIFIERS.contains(&word) {
            break;
        }
        // `pub(crate)`, `extern "C"`.
        rest = match after.strip_prefix('(') {
            Some(inner) => inner.split_once(')')?.1.trim_start(),
            None => after.trim_start_matches('"').trim_start_matches("C\"").trim_start(),
        };
    }
    bracketed(rest, next)
}

/// `int main(…) {`, `render() {`: what has brackets, and a body right after them.
fn bracketed(line: &str, next: &str) -> Option<String> {
    let (head, _) = line.split_once('(')?;
    // The arm of a match looks like a function.
    let body =
        (line.ends_with('{') && !line.contains("=>")) || (line.ends_with(')') && next.starts_with('{'));
    let (first, _) = word(head);
    let name = head.trim_end();
    let plain = name.chars().all(|c| c.is_alphanumeric() || "_ *&:<>,~.$[]-".contains(c));
    let called = name.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
    (body && plain && called && !CONTROL.contains(&first)).then(|| name.to_owned())
}

/// The defining word with the name after it; Go's receivers and type parameters are no names.
fn named(word: &str, after: &str) -> Option<String> {
    let mut after = after.trim_start_matches('*').trim_start();
    if word == "func" && after.starts_with('(') {
        after = after.split_once(')')?.1.trim_start();
    }
    let is_name = |c: char| c.is_alphanumeric() || "_$.:?!-'".contains(c);
    let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
    let name = after[..end].trim_end_matches([':', '?', '-', '.']);
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
    begins.then(|| format!("{word} {name}"))
}

/// The first word of a line, and what follows it.
fn word(line: &str) -> (&str, &str) {
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '!')).unwrap_or(line.len());
    (&line[..end], line[end..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(definition(line, "").as_deref(), expected, "{line}");
    }

    #[test]
    fn definitions_are_found() {
        check("pub(crate) async fn open<T>(path: &Path) -> Result<T> {", Some("fn open"));
        check("impl<'a> Iterator for Walk<'a> {", Some("impl<'a> Iterator for Walk<'a>"));
        check("class Store(Base):", Some("class Store"));
        check("def load(self, path):", Some("def load"));
        check("func (s *Server) Serve(l net.Listener) error {", Some("func Serve"));
        check("export default function App() {", Some("function App"));
        check("const fetchAll = async (ids) => {", Some("fetchAll"));
        check("static int main(int argc, char **argv) {", Some("int main"));
        check("std::vector<int> Store::all() {", Some("std::vector<int> Store::all"));
        check("public final class Main {", Some("class Main"));
        check("CREATE TABLE users (", Some("CREATE TABLE users"));
        check("deploy() {", Some("deploy"));
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "if (ready) {",
            "} else if (x) {",
            "return call(x) {",
            "let x = 3;",
            "int f(int);",
            "x = { a: f(1) };",
            "Some(x) if ready => {",
            "type",
            "for x in list {",
        ] {
            check(line, None);
        }
        assert_eq!(definition("int main(void)", "{").as_deref(), Some("int main"));
    }
}
