//! JSON for people: indented by two, keys coloured on a terminal. Pure.

use serde_json::Value;

use super::escape;
use super::paint::{Ink, Paint};

/// `value` over several lines, without the last line's end.
pub(crate) fn pretty(value: &Value, paint: Paint) -> String {
    match paint {
        Paint::Plain => serde_json::to_string_pretty(value).unwrap_or_default(),
        Paint::Coloured => {
            let mut out = String::new();
            write(&mut out, value, 0);
            out
        }
    }
}

fn write(out: &mut String, value: &Value, depth: usize) {
    let ink = |ink, value: &Value| Paint::Coloured.ink(ink, &escape::json(&value.to_string()));
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                new_line(out, depth + 1);
                write(out, item, depth + 1);
            }
            new_line(out, depth);
            out.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                new_line(out, depth + 1);
                out.push_str(&ink(Ink::Key, &Value::String(key.clone())));
                out.push_str(": ");
                write(out, member, depth + 1);
            }
            new_line(out, depth);
            out.push('}');
        }
        Value::String(_) => out.push_str(&ink(Ink::Good, value)),
        Value::Null => out.push_str(&ink(Ink::Faint, value)),
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn colours_change_nothing_but_the_colour() {
        let value = json!({ "a": [1, "x\u{1b}[31m", null, true, [], {}], "b": { "c": 1.5 } });
        let plain = pretty(&value, Paint::Plain);
        assert_eq!(escape::text(&pretty(&value, Paint::Coloured)), plain);
        assert!(plain.starts_with("{\n  \"a\": [\n    1,"), "{plain}");
    }
}
