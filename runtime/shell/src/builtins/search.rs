//! Looking for things: `tree`, `find`, `grep`. They call the fs service's methods of that name with the current
//! directory for a path, and show the usual shapes of an answer as lines; any other shape is shown as JSON.

use serde_json::{Map, Value, json};

use super::options::Given;
use crate::failure::Failure;
use crate::path;
use crate::render::{Format, Screen};
use crate::session::{Flow, Session};

pub(super) async fn tree(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let params = json!({ "path": place(session, given.texts().first()) });
    let result = session.call("mcp.fs.tree", &params).await?;
    if session.screen.format == Format::People
        && let Some(nodes) =
            result.get("entries").or_else(|| result.get("children")).and_then(Value::as_array)
    {
        let mut lines = vec![params["path"].as_str().unwrap_or_default().to_owned()];
        branches(nodes, "", &mut lines);
        for line in lines {
            session.screen.name(&line)?;
        }
        more(&mut session.screen, &result);
        return Ok(Flow::Continue);
    }
    session.screen.result(result.get("tree").filter(|tree| tree.is_string()).unwrap_or(&result))?;
    Ok(Flow::Continue)
}

pub(super) async fn find(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    look(session, given, "mcp.fs.find", &["pattern", "glob", "name"]).await
}

pub(super) async fn grep(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    look(session, given, "mcp.fs.grep", &["pattern", "query", "regex"]).await
}

async fn look(session: &mut Session, given: Given, method: &str, keys: &[&str]) -> Result<Flow, Failure> {
    let texts = given.texts();
    let catalogue = session.catalogue().await?;
    let declared = catalogue.find(method);
    let key = keys.iter().find(|key| declared.is_some_and(|method| method.param(key).is_some()));
    let params = json!({ *key.unwrap_or(&keys[0]): texts[0], "path": place(session, texts.get(1)) });
    let result = session.call(method, &params).await?;
    let hits = (session.screen.format == Format::People).then(|| hits(&result)).flatten();
    let Some(hits) = hits else {
        session.screen.result(&result)?;
        return Ok(Flow::Continue);
    };
    for hit in hits {
        session.screen.name(&hit)?;
    }
    more(&mut session.screen, &result);
    Ok(Flow::Continue)
}

fn place(session: &Session, word: Option<&&str>) -> String {
    path::absolute(&session.cwd(), word.copied().unwrap_or("."))
}

/// The lines of the one list of paths in an answer: `path`, `path:line: text`.
fn hits(result: &Value) -> Option<Vec<String>> {
    let mut lists = result.as_object()?.values().filter_map(Value::as_array);
    let (list, None) = (lists.next()?, lists.next()) else { return None };
    list.iter().map(|item| item.as_str().map(str::to_owned).or_else(|| hit(item.as_object()?))).collect()
}

fn hit(item: &Map<String, Value>) -> Option<String> {
    let mut out = item.get("path")?.as_str()?.to_owned();
    if let Some(line) = item.get("line").or_else(|| item.get("line_number")).and_then(Value::as_u64) {
        out.push_str(&format!(":{line}"));
    }
    if let Some(text) = item.get("text").or_else(|| item.get("content")).and_then(Value::as_str) {
        out.push_str(&format!(": {}", text.trim_end()));
    }
    Some(out)
}

/// Deeper than this nobody reads; the server's own limit lies below.
const DEPTH_MAX: usize = 64;

fn branches(nodes: &[Value], stem: &str, lines: &mut Vec<String>) {
    for (index, node) in nodes.iter().enumerate() {
        let last = index + 1 == nodes.len();
        let name = node["name"].as_str().unwrap_or("?");
        let mark = if node["type"] == "directory" { "/" } else { "" };
        lines.push(format!("{stem}{}{name}{mark}", if last { "└── " } else { "├── " }));
        let below = node.get("entries").or_else(|| node.get("children")).and_then(Value::as_array);
        if let Some(below) = below.filter(|_| stem.chars().count() < DEPTH_MAX * 4) {
            branches(below, &format!("{stem}{}", if last { "    " } else { "│   " }), lines);
        }
    }
}

/// Says that the answer was cut, where it was.
fn more(screen: &mut Screen, result: &Value) {
    if result["truncated"] == true || result.get("next_cursor").is_some_and(|cursor| !cursor.is_null()) {
        screen.note(
            "there is more: the server cut the answer; narrow the search or call the method with a cursor",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_of_several_shapes() {
        let lines = |value: Value| hits(&value).map(|hits| hits.join("|"));
        assert_eq!(
            lines(json!({ "matches": [{ "path": "/a", "line": 3, "text": "x\n" }] })).unwrap(),
            "/a:3: x"
        );
        assert_eq!(lines(json!({ "paths": ["/a", "/b"], "truncated": false })).unwrap(), "/a|/b");
        assert_eq!(lines(json!({ "a": [], "b": [] })), None);
        assert_eq!(lines(json!({ "a": [1] })), None);
    }

    #[test]
    fn trees() {
        let nodes =
            json!([{ "name": "a", "type": "directory", "children": [{ "name": "b" }] }, { "name": "c" }]);
        let mut lines = Vec::new();
        branches(nodes.as_array().unwrap(), "", &mut lines);
        assert_eq!(lines, ["├── a/", "│   └── b", "└── c"]);
    }
}
