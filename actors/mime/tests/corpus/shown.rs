//! All that is read of a message, as JSON that a person can review.

use mime::{Message, Names, Preference};
use serde_json::{Map, Value, json};

/// Longer texts say nothing more.
const TEXT_MAX: usize = 2000;

pub(crate) fn shown(bytes: &[u8]) -> Value {
    let message = Message::parse(bytes);
    let bodies = message.bodies(Preference::Both);
    let mut names = Names::default();
    let files: Vec<_> = message.attachments().map(|part| names.give(part)).collect();
    let problems = message.problems().iter().chain(&bodies.problems);
    let mut shown = Map::new();
    shown.insert("envelope".to_owned(), without_empty(json!(message.envelope())));
    shown.insert(
        "headers".to_owned(),
        json!(message.headers().iter().map(|(name, _)| name).collect::<Vec<_>>()),
    );
    shown.insert("parts".to_owned(), message.parts().iter().map(|part| without_empty(json!(part))).collect());
    shown.insert("files".to_owned(), json!(files));
    shown.insert("plain".to_owned(), json!(bodies.plain.as_deref().map(cut)));
    shown.insert("plain_from_html".to_owned(), json!(bodies.plain_from_html));
    shown.insert("html".to_owned(), json!(bodies.html.as_deref().map(cut)));
    shown.insert("nested".to_owned(), message.nested().iter().map(|one| without_empty(json!(one))).collect());
    shown.insert("calendars".to_owned(), json!(message.calendars()));
    shown.insert("problems".to_owned(), json!(problems.map(ToString::to_string).collect::<Vec<_>>()));
    without_empty(Value::Object(shown))
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

/// What is not there is not shown.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let told = map.into_iter().map(|(name, value)| (name, without_empty(value)));
            let is_empty = |value: &Value| match value {
                Value::Null | Value::Bool(false) => true,
                Value::Array(list) => list.is_empty(),
                Value::Object(map) => map.is_empty(),
                _ => false,
            };
            Value::Object(told.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(without_empty).collect()),
        value => value,
    }
}
