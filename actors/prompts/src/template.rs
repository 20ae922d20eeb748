//! One prompt as it is written: a head, and messages with places for arguments. Text that is put into a place is
//! never looked at again, so what a caller gives cannot grow places of its own.

use std::collections::BTreeMap;

use protocol::mcp::{self, Prompt, PromptInfo, Rich};
use protocol::{Code, Context, Error};
use serde::Serialize;
use serde_json::json;

use crate::head;

/// The text of all messages, in bytes: an argument may be used many times, and a model reads it all.
const TEXT_MAX: usize = 1024 * 1024;

/// A prompt that was read from a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template {
    info: PromptInfo,
    messages: Vec<Message>,
}

#[derive(Debug, PartialEq, Eq)]
struct Message {
    role: Role,
    parts: Vec<Part>,
}

/// Who is to have said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    User,
    Assistant,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The argument of this name.
    Argument(String),
}

/// What is wrong with a file, at which line, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) line: Option<usize>,
    pub(crate) message: String,
}

impl Mistake {
    pub(crate) fn at(line: usize, message: String) -> Self {
        Self { line: Some(line), message }
    }

    pub(crate) fn of_file(message: String) -> Self {
        Self { line: None, message }
    }
}

impl Template {
    /// Reads the text of a file.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Mistake> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<_> = text.lines().collect();
        let (head, begins) = head::read(&lines)?;
        let names: Vec<_> = head.arguments.iter().map(|argument| argument.name.as_str()).collect();
        let messages = messages(&lines, begins, &names)?;
        let info = PromptInfo {
            name: name.to_owned(),
            title: head.title,
            description: head.description,
            arguments: head.arguments,
        };
        Ok(Self { info, messages })
    }
}

/// The body's messages: one, or as many as its `## user` and `## assistant` begin.
fn messages(lines: &[&str], begins: usize, names: &[&str]) -> Result<Vec<Message>, Mistake> {
    let empty = |line: usize| Mistake::at(line, "begins an empty message: say something".to_owned());
    let blank = |line: &&str| line.trim().is_empty();
    let body = begins + lines[begins..].iter().take_while(|line| blank(line)).count();
    let first = lines.get(body).ok_or_else(|| empty(begins))?;
    let starts: Vec<_> = if role(first).is_some() {
        (body..lines.len()).filter_map(|at| role(lines[at]).map(|role| (at + 1, role))).collect()
    } else {
        vec![(body, Role::User)]
    };
    let ends = starts.iter().skip(1).map(|(at, _)| at - 1).chain([lines.len()]);
    let message = |((start, role), end): ((usize, Role), usize)| {
        let from = start + lines[start..end].iter().take_while(|line| blank(line)).count();
        let to = end - lines[from..end].iter().rev().take_while(|line| blank(line)).count();
        if from == to {
            return Err(empty(start));
        }
        Ok(Message { role, parts: parts(&lines[from..to], from + 1, names)? })
    };
    starts.iter().copied().zip(ends).map(message).collect()
}

fn role(line: &str) -> Option<Role> {
    match line.trim_end() {
        "## user" => Some(Role::User),
        "## assistant" => Some(Role::Assistant),
        _ => None,
    }
}

/// Text and places of consecutive lines, the first of which is line `number` of the file.
fn parts(lines: &[&str], number: usize, names: &[&str]) -> Result<Vec<Part>, Mistake> {
    let (mut parts, mut text) = (Vec::new(), String::new());
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let mut rest = *line;
        while let Some((before, place, after)) = next_place(rest) {
            let name = place.trim();
            if !names.contains(&name) {
                let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let message = format!("has {{{{{name}}}}}, which is no argument of this prompt ({known})");
                return Err(Mistake::at(number + at, format!("{message}: declare it, or take it out")));
            }
            text.push_str(before);
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Argument(name.to_owned()));
            rest = after;
        }
        text.push_str(rest);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// The first `{{…}}` of a line: what is before it, in it and after it.
fn next_place(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once("{{")?;
    let (place, after) = rest.split_once("}}")?;
    Some((before, place, after))
}

impl Message {
    fn text(&self, arguments: &BTreeMap<String, String>) -> String {
        self.parts.iter().map(|part| part.text(arguments)).collect()
    }
}

impl Part {
    /// An argument that is not given is nothing.
    fn text<'a>(&'a self, arguments: &'a BTreeMap<String, String>) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Argument(name) => arguments.get(name).map_or("", String::as_str),
        }
    }
}

impl Prompt for Template {
    fn info(&self) -> PromptInfo {
        self.info.clone()
    }

    fn get(&self, _: &Context, arguments: &BTreeMap<String, String>) -> Result<Rich, Error> {
        let parts = self.messages.iter().flat_map(|message| &message.parts);
        // Counted before it is made.
        let length = parts.map(|part| part.text(arguments).len()).fold(0_usize, usize::saturating_add);
        if length > TEXT_MAX {
            let message =
                format!("The prompt would be {length} bytes long, over {TEXT_MAX}. Give it less text.");
            return Err(Error::new(Code::TooLarge, message));
        }
        let message = |message: &Message| json!({ "role": message.role, "content": mcp::text(&message.text(arguments)) });
        let messages: Vec<_> = self.messages.iter().map(message).collect();
        Ok(Rich(json!({ "description": self.info.description, "messages": messages })))
    }
}
