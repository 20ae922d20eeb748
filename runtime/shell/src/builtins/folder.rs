//! Where one is and what is there: `ls`, `cd`, `pwd`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::options::Given;
use crate::failure::Failure;
use crate::path;
use crate::render::{Align, Format, Ink, Table};
use crate::session::{Flow, Session, held};

/// One line of a listing.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    size: i64,
    modified_at: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    entries: Vec<Value>,
    next_cursor: Option<Value>,
}

pub(super) async fn ls(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let paths = if given.words.is_empty() { vec!["."] } else { given.texts() };
    let mut failed = false;
    for (index, word) in paths.iter().enumerate() {
        let path = path::absolute(&session.cwd(), word);
        let (entries, whole) = match list(session, &path).await {
            Ok(listing) => listing,
            // What cannot be listed may be a file, which is a listing of one.
            Err(Failure::Call(fault)) => match file(session, &path).await? {
                Some(entry) => entry,
                None if paths.len() == 1 => return Err(Failure::Call(fault)),
                None => {
                    session.screen.failure(&Failure::Call(fault));
                    failed = true;
                    continue;
                }
            },
            Err(failure) => return Err(failure),
        };
        if session.screen.format == Format::Json {
            session.screen.value(&whole)?;
            continue;
        }
        if paths.len() > 1 && whole.get("entries").is_some() {
            if index > 0 {
                session.screen.own("")?;
            }
            session.screen.name(&format!("{path}:"))?;
        }
        show(session, entries, &given)?;
    }
    if failed { Err(Failure::Reported) } else { Ok(Flow::Continue) }
}

/// All entries of a directory, page after page, and the answer as one JSON object.
async fn list(session: &mut Session, path: &str) -> Result<(Vec<Entry>, Value), Failure> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        // Without a limit a page is as large as the server allows.
        let mut params = json!({ "path": path });
        if let Some(cursor) = cursor.take() {
            params["cursor"] = cursor;
        }
        let answer = session.call("mcp.fs.list", &params).await?;
        let page: Page = serde_json::from_value(answer).map_err(odd)?;
        let was_empty = page.entries.is_empty();
        all.extend(page.entries);
        cursor = page.next_cursor.filter(|cursor| !cursor.is_null());
        // A server that gives nothing but promises more would keep us forever.
        if cursor.is_none() || was_empty {
            break;
        }
    }
    let entries = all.iter().map(Entry::deserialize).collect::<Result<_, _>>().map_err(odd)?;
    Ok((entries, json!({ "path": path, "entries": all })))
}

/// What `path` is, if it is something other than a directory.
async fn file(session: &mut Session, path: &str) -> Result<Option<(Vec<Entry>, Value)>, Failure> {
    match session.call("mcp.fs.stat", &json!({ "path": path })).await {
        Ok(stat) => match Entry::deserialize(&stat) {
            Ok(entry) if !entry.is_folder() => Ok(Some((vec![entry], stat))),
            _ => Ok(None),
        },
        Err(Failure::Call(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// An answer that does not have the shape that was agreed.
pub(super) fn odd(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("the server's answer is not understood: {error}"))
}

fn show(session: &mut Session, mut entries: Vec<Entry>, given: &Given) -> Result<(), Failure> {
    entries.retain(|entry| given.has('a') || !entry.name.starts_with('.'));
    entries.sort_by_cached_key(|entry| (!entry.is_folder(), entry.name.to_lowercase(), entry.name.clone()));
    if given.has('1') {
        for entry in &entries {
            session.screen.name(&entry.name)?;
        }
        return Ok(());
    }
    let long = given.has('l');
    let mut table = Table::new(&[
        ("Type", Align::Left),
        ("Size", Align::Right),
        ("Modified (UTC)", Align::Left),
        ("Name", Align::Left),
    ]);
    for entry in &entries {
        let ink = entry.is_folder().then_some(Ink::Folder);
        let size = if long { entry.size.to_string() } else { human_size(entry.size) };
        let size = if entry.is_folder() { "-" } else { &size };
        let modified = entry.modified_at.as_deref().map_or_else(|| "-".to_owned(), |at| short_time(at, long));
        table.row([(&entry.kind, None), (size, None), (&modified, None), (&entry.name, ink)]);
    }
    if !entries.is_empty() {
        session.screen.table(&table)?;
    }
    Ok(())
}

impl Entry {
    pub(crate) fn is_folder(&self) -> bool {
        self.kind == "directory"
    }
}

pub(super) async fn cd(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let target = match given.texts()[..] {
        [] => "/".to_owned(),
        ["-"] => session.previous.clone(),
        [word, ..] => path::absolute(&session.cwd(), word),
    };
    if target != "/" {
        let stat = session.call("mcp.fs.stat", &json!({ "path": target })).await?;
        let kind = stat["type"].as_str().unwrap_or("thing of no known type");
        if kind != "directory" && stat["leads_to"] != "directory" {
            return Err(Failure::Refused(format!("{target} is not a directory but a {kind}")));
        }
    }
    let mut cwd = held(&session.knowledge.cwd);
    session.previous = std::mem::replace(&mut *cwd, target);
    Ok(Flow::Continue)
}

pub(super) fn pwd(session: &mut Session) -> Result<Flow, Failure> {
    let cwd = session.cwd();
    match session.screen.format {
        Format::People => session.screen.name(&cwd)?,
        Format::Json => session.screen.value(&json!(cwd))?,
    }
    Ok(Flow::Continue)
}

/// `10B`, `2.9KB`, `1.0GB`, as the original wrote them.
pub(super) fn human_size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    // Above 1023.95 the rounded figure would read 1024.0.
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1}{}", UNITS[unit])
}

/// `2025-05-22T10:11:12.345Z` to the minute, or with `seconds` to the second. The server writes UTC; anything that
/// does not look like it is shown as it is.
pub(super) fn short_time(at: &str, seconds: bool) -> String {
    let wanted = if seconds { 19 } else { 16 };
    match at.get(..wanted) {
        Some(head) if at.as_bytes().get(10) == Some(&b'T') => head.replacen('T', " ", 1),
        _ => at.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let all = [0, 10, 1023, 1024, 2970, 1_048_575, 1_048_576, i64::MAX].map(human_size);
        assert_eq!(all, ["0B", "10B", "1023B", "1.0KB", "2.9KB", "1.0MB", "1.0MB", "8192.0PB"]);
    }

    #[test]
    fn times() {
        assert_eq!(short_time("2025-05-22T10:11:12+00:00", false), "2025-05-22 10:11");
        assert_eq!(short_time("2025-05-22T10:11:12.5Z", true), "2025-05-22 10:11:12");
        assert_eq!(short_time("yesterday", false), "yesterday");
    }
}
