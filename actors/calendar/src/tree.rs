//! Components within components: BEGIN and END, and what to make of them where they do not match.
//!
//! An END that is missing is put where the next component of the same rank begins or the outer one ends; an END too
//! many is passed over. Whatever is between is kept.

use crate::lines::Lines;
use crate::problem::{Problems, beginning};
use crate::property::Property;

/// Components within one another that are kept. An event's alarm is the third; deeper are only extensions.
const DEPTH_MAX: usize = 8;

/// What stands in a calendar side by side: where one begins, the one before it has ended.
const RANK: &[&str] = &["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"];

/// A component of any kind.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// In capitals.
    pub(crate) kind: String,
    /// The line of its BEGIN.
    pub(crate) line: u32,
    pub(crate) properties: Vec<Property>,
    pub(crate) children: Vec<Node>,
}

/// Reads all lines. The answer stands for the file: its children are what begins outermost.
pub(crate) fn tree(lines: Lines<'_>, problems: &mut Problems) -> Node {
    let mut reader = Reader { open: vec![Node::default()], too_deep: 0, last: 0, problems };
    for line in lines {
        reader.last = line.number;
        if line.guessed {
            reader.problems.at(line.number, "not UTF-8; read as Windows-1252");
        }
        match line.text.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
            Some((name, kind)) if name.eq_ignore_ascii_case("BEGIN") => reader.begin(kind, line.number),
            Some((name, kind)) if name.eq_ignore_ascii_case("END") => reader.end(kind, line.number),
            _ if reader.too_deep > 0 => {}
            _ => {
                let (number, text) = (line.number, beginning(&line.text));
                match Property::read(line) {
                    Some(property) => reader.property(property),
                    None => reader.problems.at(number, format!("{text:?} is no property; passed over")),
                }
            }
        }
    }
    reader.finish()
}

struct Reader<'a> {
    /// From the file down to the component that lines belong to. Never empty.
    open: Vec<Node>,
    /// Components that are open beyond `DEPTH_MAX`.
    too_deep: usize,
    last: u32,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn begin(&mut self, kind: &str, line: u32) {
        let kind = kind.to_ascii_uppercase();
        let ended_by_this = |open: &Node| match kind.as_str() {
            "VCALENDAR" => open.kind == "VCALENDAR",
            kind if RANK.contains(&kind) => RANK.contains(&open.kind.as_str()),
            "VALARM" => open.kind == "VALARM",
            "STANDARD" | "DAYLIGHT" => matches!(open.kind.as_str(), "STANDARD" | "DAYLIGHT"),
            _ => false,
        };
        if let Some(depth) = self.open.iter().position(ended_by_this) {
            self.close(depth, |open| {
                format!("{} is not ended before line {line} begins {kind}; taken as ended there", open.kind)
            });
        }
        if self.open.len() > DEPTH_MAX {
            if self.too_deep == 0 {
                self.problems.at(line, format!("more than {DEPTH_MAX} components in one another; left out"));
            }
            self.too_deep += 1;
        } else {
            self.open.push(Node { kind, line, ..Node::default() });
        }
    }

    fn end(&mut self, kind: &str, line: u32) {
        let kind = kind.to_ascii_uppercase();
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        match self.open.iter().rposition(|open| open.kind == kind && open.line > 0) {
            Some(depth) => {
                self.close(depth + 1, |open| {
                    format!("{} is not ended before line {line} ends {kind}; taken as ended there", open.kind)
                });
                self.close(depth, |_| String::new());
            }
            None => self
                .problems
                .at(line, format!("ends {:?}, which did not begin; passed over", beginning(&kind))),
        }
    }

    fn property(&mut self, property: Property) {
        let Some(node) = self.open.last_mut() else { return };
        if node.line == 0 && node.properties.is_empty() {
            let name = beginning(property.called());
            self.problems.at(property.line, format!("{name} belongs to no component; passed over"));
        }
        node.properties.push(property);
    }

    /// Closes all that is open from `depth` on, and says so where there is something to say.
    fn close(&mut self, depth: usize, says: impl Fn(&Node) -> String) {
        self.too_deep = 0;
        while self.open.len() > depth.max(1) {
            let Some(closed) = self.open.pop() else { return };
            let said = says(&closed);
            if !said.is_empty() {
                self.problems.at(closed.line, said);
            }
            if let Some(outer) = self.open.last_mut() {
                outer.children.push(closed);
            }
        }
    }

    fn finish(mut self) -> Node {
        let last = self.last;
        self.close(1, |open| {
            format!("{} is not ended before the file ends at line {last}; taken as ended there", open.kind)
        });
        self.open.pop().unwrap_or_default()
    }
}
