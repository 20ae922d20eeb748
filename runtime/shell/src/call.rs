//! Turns the words after a method's name into its params. Pure.
//!
//! One JSON object or array is sent as it stands. Otherwise words fill the parameters in the order of the schema,
//! `key=value` fills the one it names, and each word becomes what the schema says it is.

use serde_json::{Map, Value, json};

use crate::catalogue::{Kind, Method, Param};
use crate::line::Word;
use crate::path;

/// The params for a method that the catalogue describes. The error is for the person who typed the words.
pub(crate) fn params(method: &Method, words: &[Word], cwd: &str) -> Result<Value, String> {
    if let [word] = words
        && let (Some(json), None) = (&word.json, word.equals)
        // A list may be the one argument itself: `mcp.fs.multi_read ["/a", "/b"]`.
        && !(json.is_array() && method.params.len() == 1 && matches!(method.params[0].kind, Kind::List(_)))
    {
        return Ok(json.clone());
    }
    let mut given = Map::new();
    let mut free = method.params.iter();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (param, value) = if let Some((key, text)) = word.named() {
            let param = method.param(key).ok_or_else(|| no_such_param(method, key))?;
            (param, value(method, param, text, word.json.as_ref(), cwd)?)
        } else {
            let param =
                free.find(|param| !given.contains_key(&param.name)).ok_or_else(|| too_many(method))?;
            let last = !free.clone().any(|later| !given.contains_key(&later.name));
            if let (Kind::List(kind), None, true) = (&param.kind, &word.json, last) {
                let mut items = vec![item(method, param, kind, &word.text, cwd)?];
                for word in words.by_ref() {
                    items.push(item(method, param, kind, &word.text, cwd)?);
                }
                (param, Value::Array(items))
            } else {
                (param, value(method, param, &word.text, word.json.as_ref(), cwd)?)
            }
        };
        if given.insert(param.name.clone(), value).is_some() {
            return Err(format!("{} is given twice", param.name));
        }
    }
    let missing: Vec<&str> = method
        .params
        .iter()
        .filter(|param| param.required && !given.contains_key(&param.name))
        .map(|param| param.name.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(format!("{} needs {}; usage: {}", method.name, missing.join(" and "), method.usage()));
    }
    if method.array_only {
        return Ok(method.params.iter().map_while(|param| given.get(&param.name).cloned()).collect());
    }
    Ok(given.into())
}

/// The params for a method that nothing is known about: each word is JSON if it can be, else text.
pub(crate) fn params_unseen(words: &[Word]) -> Value {
    if let [Word { json: Some(json), equals: None, .. }] = words {
        return json.clone();
    }
    let guess = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    if !words.is_empty() && words.iter().all(|word| word.named().is_some()) {
        let pairs = words.iter().filter_map(Word::named);
        return Value::Object(pairs.map(|(key, text)| (key.to_owned(), guess(text))).collect());
    }
    Value::Array(words.iter().map(|word| guess(&word.text)).collect())
}

/// The nearest of `names` to what was typed, if any is near.
pub(crate) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    /// Below this, suggestions are noise.
    const LIKENESS_MIN: f64 = 0.8;
    let mut near: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&typed.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

fn value(
    method: &Method,
    param: &Param,
    text: &str,
    json: Option<&Value>,
    cwd: &str,
) -> Result<Value, String> {
    if let Some(json) = json.filter(|_| !matches!(param.kind, Kind::Text)) {
        return Ok(json.clone());
    }
    if let Kind::List(kind) = &param.kind {
        return Ok(Value::Array(vec![item(method, param, kind, text, cwd)?]));
    }
    item(method, param, &param.kind, text, cwd)
}

fn item(method: &Method, param: &Param, kind: &Kind, text: &str, cwd: &str) -> Result<Value, String> {
    if method.has_paths() && param.is_path() && takes_text(kind) {
        return Ok(json!(path::absolute(cwd, text)));
    }
    typed(kind, text).ok_or_else(|| format!("{}: expected {kind}, not {text:?}", param.name))
}

fn takes_text(kind: &Kind) -> bool {
    match kind {
        Kind::Text => true,
        Kind::Either(kinds) => kinds.iter().any(takes_text),
        _ => false,
    }
}

fn typed(kind: &Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text => Some(json!(text)),
        Kind::Integer => {
            text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
        }
        Kind::Number => serde_json::from_str(text).ok().filter(Value::is_number),
        Kind::Boolean => match text {
            "true" | "yes" | "on" => Some(json!(true)),
            "false" | "no" | "off" => Some(json!(false)),
            _ => None,
        },
        Kind::Choice(words) => words.iter().any(|word| word == text).then(|| json!(text)),
        Kind::List(_) => serde_json::from_str(text).ok().filter(Value::is_array),
        Kind::Object => serde_json::from_str(text).ok().filter(Value::is_object),
        Kind::Either(kinds) => kinds.iter().find_map(|kind| typed(kind, text)),
        Kind::Any => Some(serde_json::from_str(text).unwrap_or_else(|_| json!(text))),
    }
}

fn no_such_param(method: &Method, key: &str) -> String {
    let names = || method.params.iter().map(|param| param.name.as_str());
    let advice = match nearest(key, names()).first() {
        Some(near) => format!("did you mean {near}=?"),
        None if method.params.is_empty() => "it takes none".into(),
        None => format!("it takes {}", names().collect::<Vec<_>>().join(", ")),
    };
    format!("{} has no parameter {key}: {advice} (quote a word to pass its = as text)", method.name)
}

fn too_many(method: &Method) -> String {
    format!("too many words; usage: {}", method.usage())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tests::sample;
    use crate::line::words;

    fn read(line: &str) -> Result<Value, String> {
        let words = words(line).unwrap();
        params(sample().find(&words[0].text).unwrap(), &words[1..], "/docs")
    }

    #[track_caller]
    fn check(line: &str, expected: &Value) {
        assert_eq!(read(line).as_ref(), Ok(expected), "{line}");
    }

    #[track_caller]
    fn refused(line: &str, expected: &str) {
        let error = read(line).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }

    #[test]
    fn words_fill_params_in_order_and_by_name() {
        check("fs.list", &json!({}));
        check("fs.list /a 10", &json!({ "path": "/a", "limit": 10 }));
        check("fs.list limit=10 /a", &json!({ "limit": 10, "path": "/a" }));
        check("fs.list sort=size", &json!({ "sort": "size" }));
        check("fs.write a.txt 12", &json!({ "path": "/docs/a.txt", "content": "12" }));
        check("fs.write a 'x=1' append=yes", &json!({ "path": "/docs/a", "content": "x=1", "append": true }));
        check("fs.write content=x path=../b", &json!({ "content": "x", "path": "/b" }));
        check("fs.write a content={\"x\":1}", &json!({ "path": "/docs/a", "content": "{\"x\":1}" }));
    }

    #[test]
    fn only_fs_params_are_paths() {
        check("mail.listMessages from=ann@example.org", &json!({ "from": "ann@example.org" }));
    }

    #[test]
    fn lists_take_the_remaining_words() {
        check("fs.multi_read a /b", &json!({ "paths": ["/docs/a", "/b"] }));
        check("fs.multi_read paths=[\"/x\"]", &json!({ "paths": ["/x"] }));
        check("fs.multi_read [\"/x\"]", &json!({ "paths": ["/x"] }));
        check("fs.multi_read paths=a", &json!({ "paths": ["/docs/a"] }));
    }

    #[test]
    fn json_goes_as_it_stands() {
        check(r#"fs.list {"path": "x"}"#, &json!({ "path": "x" }));
        check(r#"fs.list ["x", 3]"#, &json!(["x", 3]));
    }

    #[test]
    fn tuple_schemas_get_arrays() {
        check("old.add 1 x", &json!([1, "x"]));
        check("old.add 1 2", &json!([1, 2]));
        refused("old.add 1", "needs arg1");
    }

    #[test]
    fn mistakes_are_named() {
        refused("fs.list /a ten", "limit: expected integer");
        refused("fs.list sort=age", "expected name|size");
        refused("fs.list pth=/a", "did you mean path=?");
        refused("fs.list a 1 name x", "too many words");
        refused("fs.list a path=b", "twice");
        refused("fs.write a", "needs content; usage: mcp.fs.write PATH CONTENT");
        refused("fs.write a b append=maybe", "true|false");
    }

    #[test]
    fn without_a_schema_words_are_guessed() {
        let unseen = |line: &str| params_unseen(&words(line).unwrap());
        assert_eq!(unseen("/a 1 true"), json!(["/a", 1, true]));
        assert_eq!(unseen("a=1 b=x"), json!({ "a": 1, "b": "x" }));
        assert_eq!(unseen("{\"a\": 1}"), json!({ "a": 1 }));
        assert_eq!(unseen(""), json!([]));
    }

    #[test]
    fn near_names() {
        let near = |typed| nearest(typed, ["mcp.fs.list", "mcp.fs.read", "ls"].into_iter());
        assert_eq!(near("mcp.fs.lst")[0], "mcp.fs.list");
        assert!(near("xyzzy").is_empty());
    }
}
