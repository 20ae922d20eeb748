//! Looking for things: `tree`, `find`, `grep`, as lines, page after page.

use serde_json::{Value, json};

use super::folder::odd;
use super::options::Given;
use crate::failure::Failure;
use crate::path;
use crate::render::Format;
use crate::session::{Flow, Session};

pub(super) async fn tree(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let params = json!({ "path": place(session, given.texts().first()), "format": "nested" });
    let result = session.call("mcp.fs.tree", &params).await?;
    if session.screen.format == Format::Json {
        session.screen.value(&result)?;
        return Ok(Flow::Continue);
    }
    let nodes = result["children"].as_array().ok_or_else(|| odd("it has no children"))?;
    let mut lines = vec![params["path"].as_str().unwrap_or_default().to_owned()];
    branches(nodes, "", &mut lines);
    for line in lines {
        session.screen.name(&line)?;
    }
    if result["truncated"] == true {
        session.screen.note("there is more than is shown; fs.tree takes a limit");
    }
    Ok(Flow::Continue)
}

pub(super) async fn find(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    search(session, given, "mcp.fs.find", "entries", |hit| hit["path"].as_str().map(str::to_owned)).await
}

pub(super) async fn grep(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let show = |hit: &Value| {
        let (path, line, text) = (hit["path"].as_str()?, hit["line"].as_u64()?, hit["text"].as_str()?);
        Some(format!("{path}:{line}: {}", text.trim_end()))
    };
    search(session, given, "mcp.fs.grep", "matches", show).await
}

/// Calls a method that answers in pages of hits under `key`, and shows the hits as they come.
async fn search(
    session: &mut Session,
    given: Given,
    method: &str,
    key: &str,
    show: impl Fn(&Value) -> Option<String>,
) -> Result<Flow, Failure> {
    let texts = given.texts();
    let mut params = json!({ "pattern": texts[0], "path": place(session, texts.get(1)) });
    loop {
        let mut result = session.call(method, &params).await?;
        let cursor = result["next_cursor"].take();
        if session.screen.format == Format::Json {
            session.screen.value(&result)?;
        } else {
            for hit in result[key].as_array().ok_or_else(|| odd(format!("it has no {key}")))? {
                let line = show(hit).ok_or_else(|| odd(hit))?;
                session.screen.name(&line)?;
            }
        }
        session.screen.flush()?;
        // A page may be empty and yet not the last; a cursor that stays the same leads nowhere.
        if cursor.is_null() || params.get("cursor") == Some(&cursor) {
            return Ok(Flow::Continue);
        }
        params["cursor"] = cursor;
    }
}

fn place(session: &Session, word: Option<&&str>) -> String {
    path::absolute(&session.cwd(), word.copied().unwrap_or("."))
}

/// Deeper than this nobody reads; the server's own limit lies below.
const DEPTH_MAX: usize = 64;

fn branches(nodes: &[Value], stem: &str, lines: &mut Vec<String>) {
    for (index, node) in nodes.iter().enumerate() {
        let last = index + 1 == nodes.len();
        let name = node["name"].as_str().unwrap_or("?");
        let mark = match node["type"].as_str() {
            Some("directory") => "/",
            Some("symlink") => "@",
            _ => "",
        };
        lines.push(format!("{stem}{}{name}{mark}", if last { "└── " } else { "├── " }));
        let below = node["children"].as_array().filter(|_| stem.chars().count() < DEPTH_MAX * 4);
        if let Some(below) = below {
            branches(below, &format!("{stem}{}", if last { "    " } else { "│   " }), lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees() {
        let nodes = json!([
            { "name": "a", "type": "directory", "children": [{ "name": "b", "type": "file" }] },
            { "name": "c", "type": "symlink" },
        ]);
        let mut lines = Vec::new();
        branches(nodes.as_array().unwrap(), "", &mut lines);
        assert_eq!(lines, ["├── a/", "│   └── b", "└── c@"]);
    }
}
