//! Text to value, with the line of everything in it.
//!
//! Two parsers read each file. `serde_yaml` makes the values. Before it, `saphyr-parser`'s events are walked
//! once for what `serde_yaml` cannot tell or bound: the line of each key, keys that stand twice (it keeps the
//! last in silence), nesting (its scanner takes quadratic time on 100 KB of `[`), and aliases that multiply.
//! What the walk lets through is small and flat enough for anything.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, Tag};
use serde_json::Value;

use crate::mistake::shorten;

/// Largest file that is read. Settings are a few KiB; a megabyte is a mix-up or an attack.
pub(crate) const BYTES_MAX: usize = 1024 * 1024;
/// Deepest nesting. Our files need five.
const DEPTH_MAX: usize = 32;
/// The most that one file may hold, with every alias counted as what it stands for: a value counts as one, and
/// one more for each 64 bytes of its text.
const SIZE_MAX: usize = 50_000;

/// One step down into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// What a file says.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its value; absent when the text could not be understood.
    pub(crate) value: Option<Value>,
    /// Where everything is.
    pub(crate) lines: Lines,
    /// What is wrong with the text itself.
    pub(crate) problems: Vec<Problem>,
}

/// Something wrong with the text itself.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) line: Option<usize>,
    pub(crate) path: Vec<Step>,
    pub(crate) message: String,
}

/// The line of every value and key; node 0 is the document.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<Node>);

#[derive(Debug)]
struct Node {
    line: usize,
    kind: Kind,
    /// What it counts against `SIZE_MAX`, aliases followed.
    size: usize,
}

#[derive(Debug)]
enum Kind {
    Scalar,
    List(Vec<usize>),
    Map(Vec<Entry>),
}

#[derive(Debug)]
struct Entry {
    key: String,
    line: usize,
    node: usize,
}

/// Reads one file's text. Never panics, and takes time in proportion to the text.
pub(crate) fn read(text: &str) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > BYTES_MAX {
        return Document::refused(None, format!("is {} bytes long; the limit is {BYTES_MAX}", text.len()));
    }
    // libyaml looks through all earlier directives at each new one.
    if let Some(n) = text.lines().position(|line| line.starts_with('%')) {
        return Document::refused(
            Some(n + 1),
            "starts with `%`: YAML directives are not used here".to_owned(),
        );
    }
    let mut walk = Walk::default();
    if let Err((line, message)) = walk.run(text) {
        return Document {
            value: None,
            lines: Lines(walk.nodes),
            problems: vec![Problem::at(line, message)],
        };
    }
    let (lines, mut problems) = (Lines(walk.nodes), walk.problems);
    let value = match serde_yaml::from_str::<Value>(text) {
        Ok(value) => Some(whole(value)),
        Err(error) => {
            let line = error.location().map(|location| location.line());
            problems.push(Problem::at(line, format!("cannot be understood: {error}")));
            None
        }
    };
    Document { value, lines, problems }
}

/// `60.0` as `60`: JSON Schema takes it for a whole number and Rust does not.
fn whole(value: Value) -> Value {
    /// Up to here every whole `f64` is the number that was written.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if number.is_f64() => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            Some(float) if float.fract() == 0.0 && float.abs() < EXACT => Value::from(float as i64),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, whole(value))).collect(),
        other => other,
    }
}

// === impl Document, Problem ===

impl Document {
    fn refused(line: Option<usize>, message: String) -> Self {
        Self { value: None, lines: Lines::default(), problems: vec![Problem::at(line, message)] }
    }
}

impl Problem {
    fn at(line: Option<usize>, message: String) -> Self {
        Self { line, path: Vec::new(), message }
    }
}

// === impl Lines ===

impl Lines {
    /// The line of the key, or list entry, that `path` ends in; of what is nearest above it when it is absent.
    pub(crate) fn of(&self, path: &[Step]) -> Option<usize> {
        let mut node = self.0.first()?;
        let mut line = node.line;
        for step in path {
            let (next, at) = match (&node.kind, step) {
                (Kind::Map(entries), Step::Key(key)) => {
                    // The last of two equal keys is the one whose value counts.
                    let Some(entry) = entries.iter().rev().find(|entry| entry.key == *key) else { break };
                    (entry.node, Some(entry.line))
                }
                (Kind::List(items), Step::Index(index)) => {
                    let Some(item) = items.get(*index) else { break };
                    (*item, None)
                }
                _ => break,
            };
            let Some(found) = self.0.get(next) else { break };
            node = found;
            line = at.unwrap_or(node.line);
        }
        Some(line)
    }
}

// === Walk ===

/// The walk over the events.
#[derive(Default)]
struct Walk {
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// Finished nodes only, so that an alias inside of its own anchor is refused.
    anchors: HashMap<usize, usize>,
    problems: Vec<Problem>,
    documents: usize,
}

/// A list or mapping whose end has not come yet.
struct Open {
    node: usize,
    anchor: usize,
    /// In a mapping, the key whose value comes next.
    key: Option<(String, usize)>,
    keys: HashSet<String>,
}

type Refusal = (Option<usize>, String);

impl Walk {
    fn run(&mut self, text: &str) -> Result<(), Refusal> {
        for event in Parser::new_from_str(text) {
            let (event, span) = event
                .map_err(|error| (Some(error.marker().line()), format!("is not YAML: {}", error.info())))?;
            let line = span.start.line();
            self.take(event, line).map_err(|message| (Some(line), message))?;
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err("starts a second document (`---`); a file holds one".to_owned());
                }
            }
            Event::Scalar(text, _, anchor, tag) => {
                plain(tag.as_ref())?;
                if self.expects_key() {
                    return self.key(text.into_owned(), line);
                }
                self.scalar(line, weight(&text), anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(Kind::List(Vec::new()), line, anchor, tag.as_ref())?;
            }
            Event::MappingStart(anchor, tag) => {
                self.start(Kind::Map(Vec::new()), line, anchor, tag.as_ref())?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => {
                if self.expects_key() {
                    return Err("has an alias (`*…`) as a key; write the key itself".to_owned());
                }
                let node = *self.anchors.get(&anchor).ok_or("has an alias that stands for itself")?;
                self.attach(node)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Whether the next node is a key.
    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.key.is_none() && matches!(self.nodes.get(open.node).map(|n| &n.kind), Some(Kind::Map(_)))
        })
    }

    fn key(&mut self, key: String, line: usize) -> Result<(), String> {
        let path = self.path();
        let open = self.open.last_mut().ok_or("has a key outside of any mapping")?;
        if !open.keys.insert(key.clone()) {
            let message = "stands here a second time; keep one of the two".to_owned();
            let path = path.into_iter().chain([Step::Key(key.clone())]).collect();
            self.problems.push(Problem { line: Some(line), path, message });
        }
        open.key = Some((key, line));
        Ok(())
    }

    /// Where the innermost open list or mapping is.
    fn path(&self) -> Vec<Step> {
        let parents = self.open.iter().take(self.open.len().saturating_sub(1));
        parents
            .map(|open| match (&open.key, self.nodes.get(open.node).map(|n| &n.kind)) {
                (Some((key, _)), _) => Step::Key(key.clone()),
                (None, Some(Kind::List(items))) => Step::Index(items.len()),
                (None, _) => Step::Index(0),
            })
            .collect()
    }

    fn start(
        &mut self,
        kind: Kind,
        line: usize,
        anchor: usize,
        tag: Option<&Cow<'_, Tag>>,
    ) -> Result<(), String> {
        plain(tag)?;
        if self.expects_key() {
            return Err("has a list or mapping as a key; keys are plain words".to_owned());
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("is nested more than {DEPTH_MAX} levels deep"));
        }
        let node = self.nodes.len();
        self.nodes.push(Node { line, kind, size: 1 });
        self.open.push(Open { node, anchor, key: None, keys: HashSet::new() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let open = self.open.pop().ok_or("ends what never began")?;
        self.anchors.insert(open.anchor, open.node);
        self.attach(open.node)
    }

    fn scalar(&mut self, line: usize, size: usize, anchor: usize) -> Result<(), String> {
        let node = self.nodes.len();
        self.nodes.push(Node { line, kind: Kind::Scalar, size });
        self.anchors.insert(anchor, node);
        self.attach(node)
    }

    /// Puts a finished node where it stands, and counts it.
    fn attach(&mut self, node: usize) -> Result<(), String> {
        let size = self.nodes.get(node).map_or(1, |node| node.size);
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let Some(parent) = self.nodes.get_mut(open.node) else { return Ok(()) };
        let key = open.key.as_ref().map_or(0, |(key, _)| weight(key));
        parent.size = parent.size.saturating_add(size).saturating_add(key);
        if parent.size > SIZE_MAX {
            return Err("holds far more than settings can need".to_owned());
        }
        match &mut parent.kind {
            Kind::List(items) => items.push(node),
            Kind::Map(entries) => {
                let (key, line) = open.key.take().ok_or("has a value without a key")?;
                entries.push(Entry { key, line, node });
            }
            Kind::Scalar => {}
        }
        Ok(())
    }
}

/// What one text counts against `SIZE_MAX`.
const fn weight(text: &str) -> usize {
    1 + text.len() / 64
}

/// Refuses tags of anybody's own: nothing here knows what they mean.
fn plain(tag: Option<&Cow<'_, Tag>>) -> Result<(), String> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => {
            let tag = shorten(&format!("{}{}", tag.handle, tag.suffix));
            Err(format!("has the tag `{tag}`; tags are not used here"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[track_caller]
    fn check(text: &str, problems: &[(usize, &str)]) {
        let found = read(text).problems;
        assert_eq!(found.len(), problems.len(), "{found:?}");
        for (problem, (line, words)) in found.iter().zip(problems) {
            assert_eq!(problem.line, Some(*line), "{problem:?}");
            assert!(problem.message.contains(words), "{problem:?}");
        }
    }

    fn path(text: &str) -> Vec<Step> {
        text.split('.').map(|s| s.parse().map_or_else(|_| Step::Key(s.to_owned()), Step::Index)).collect()
    }

    #[test]
    fn every_value_has_a_line() {
        let document = read("# x\na: 1\nb:\n  - c: 2\n    d: 3\n  -\n    - 4\n    - 5\ne: {f: 6,\n  g: 7}\n");
        assert!(document.problems.is_empty(), "{document:?}");
        for (at, line) in
            [("a", 2), ("b", 3), ("b.0.c", 4), ("b.0.d", 5), ("b.1.1", 8), ("e.f", 9), ("e.g", 10)]
        {
            assert_eq!(document.lines.of(&path(at)), Some(line), "{at}");
        }
        assert_eq!(document.lines.of(&path("b.0.nowhere.at.all")), Some(4), "the nearest above");
    }

    #[test]
    fn an_alias_is_where_it_was_written() {
        let document = read("a: &x\n  b: 1\nc: *x\n");
        assert_eq!(document.value, Some(serde_json::json!({"a": {"b": 1}, "c": {"b": 1}})));
        assert_eq!(document.lines.of(&path("c.b")), Some(2));
    }

    #[test]
    fn whole_floats_are_whole() {
        assert_eq!(read("[60.0, 0.5, 1e3]").value, Some(serde_json::json!([60, 0.5, 1000])));
    }

    #[test]
    fn what_is_refused() {
        check("a: 1\nb: 2\na: 3\n", &[(3, "second time")]);
        check("a: 1\n'a': 3\nb:\n  c: 1\n  c: 2\n", &[(2, "second time"), (5, "second time")]);
        check("a: [1\nb: 2\n", &[(2, "is not YAML")]);
        check("a: 1\n---\nb: 2\n", &[(2, "second document")]);
        check("a: 1\nb: !secret x\n", &[(2, "tag `!secret`")]);
        check("a: &x [*x]\n", &[(1, "")]);
        check("? [1]\n: 2\n", &[(1, "as a key")]);
        check("a: 1\n%TAG ! x\n", &[(2, "directives")]);
        check("a:\n\tb: 2\n", &[(2, "is not YAML")]);
    }

    #[test]
    fn hostile_files_are_refused_at_once() {
        let laughs = (1..40).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
            let m = n - 1;
            text + &format!("a{n}: &a{n} [*a{m}, *a{m}, *a{m}, *a{m}, *a{m}, *a{m}, *a{m}, *a{m}, *a{m}]\n")
        });
        let size = BYTES_MAX;
        let hostile = [
            laughs,
            "[".repeat(size),
            "{".repeat(size),
            "- ".repeat(size / 2),
            "? ".repeat(size / 2),
            "[{".repeat(size / 2),
            "&a ".repeat(size / 3),
            "!a ".repeat(size / 3),
            "a: ".repeat(size / 3),
            "a\n".repeat(size / 2),
            ",".repeat(size),
            "'".repeat(size),
            "\"".repeat(size),
            "\\".repeat(size),
            " ".repeat(size),
            "\n".repeat(size),
            "\t".repeat(size),
            "-\n".repeat(size / 2),
            "%TAG !a! b\n".repeat(size / 11),
            "a".repeat(size),
            "[a, ".repeat(size / 4),
            format!("[{}]", "1,".repeat(size / 2 - 1)),
            format!("a: \"{}\"", "\\n".repeat(size / 2 - 10)),
            (0..size / 24).fold(String::new(), |text, n| text + &format!("k{n}: &a{n} v\n")),
            format!("a: &a {}\n", "x".repeat(500_000)) + &format!("b: [{}]", "*a,".repeat(49_000)),
            "x".repeat(size + 1),
        ];
        for text in hostile {
            let started = Instant::now();
            let _ = read(&text);
            let took = started.elapsed();
            let head: String = text.chars().take(20).collect();
            assert!(took < Duration::from_secs(5), "{head:?} took {took:?}");
            println!("{head:?} {took:?}");
        }
    }
}
